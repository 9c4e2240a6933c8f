//! Byte strings that are looked at for every request. What Wasm has to compare two of them goes byte by byte.

/// Whether two byte strings are the same. It tells by its time where they differ, so it is not for secrets.
#[inline]
#[must_use]
pub fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && same_of_one_length(left, right)
}

fn same_of_one_length(left: &[u8], right: &[u8]) -> bool {
    let ((left_blocks, left), (right_blocks, right)) = (left.as_chunks::<128>(), right.as_chunks::<128>());
    if !left_blocks.iter().zip(right_blocks).all(|(left, right)| same_block(left, right)) {
        return false;
    }
    // The last eight are looked at in one go, some of them for the second time.
    let (Some(left_end), Some(right_end)) = (left.last_chunk::<8>(), right.last_chunk::<8>()) else {
        return left.iter().zip(right).all(|(left, right)| left == right);
    };
    let (left_words, right_words) = (left.as_chunks::<8>().0, right.as_chunks::<8>().0);
    word(left_end) == word(right_end)
        && left_words.iter().zip(right_words).all(|(left, right)| word(left) == word(right))
}

fn word(bytes: &[u8; 8]) -> u64 {
    u64::from_ne_bytes(*bytes)
}

/// The same for 128 bytes. By itself it becomes sixteen comparisons in a row with constant offsets; in its caller it
/// would become a loop, or an addition for each offset.
#[inline(never)]
fn same_block(left: &[u8; 128], right: &[u8; 128]) -> bool {
    let words = left.as_chunks::<8>().0.iter().zip(right.as_chunks::<8>().0);
    words.fold(0, |all, (left, right)| all | (word(left) ^ word(right))) == 0
}

/// Whether two byte strings are the same but for the case of ASCII letters. Most are the same altogether.
#[must_use]
pub fn same_ignoring_case(left: &[u8], right: &[u8]) -> bool {
    same(left, right) || left.eq_ignore_ascii_case(right)
}

#[cfg(test)]
#[path = "bytes_tests.rs"]
mod tests;
