//! Byte strings that are looked at for every request. What Wasm has to compare two of them goes byte by byte.

/// Whether two byte strings are the same. It tells by its time where they differ, so it is not for secrets.
#[inline]
#[must_use]
pub fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && same_of_one_length(left, right)
}

#[inline]
fn same_of_one_length(left: &[u8], right: &[u8]) -> bool {
    if left.len() <= 16 {
        return same_short(left, right);
    }
    let ((left_blocks, left), (right_blocks, right)) = (left.as_chunks::<128>(), right.as_chunks::<128>());
    let ((left_lines, left), (right_lines, right)) = (left.as_chunks::<32>(), right.as_chunks::<32>());
    let ((left_words, left), (right_words, right)) = (left.as_chunks::<8>(), right.as_chunks::<8>());
    left_blocks.iter().zip(right_blocks).all(|(left, right)| same_block(left, right))
        && left_lines.iter().zip(right_lines).all(|(left, right)| same_block(left, right))
        && left_words.iter().zip(right_words).all(|(left, right)| word(left) == word(right))
        && same_short(left, right)
}

/// The same for at most sixteen bytes, which most names of headers have: their beginnings and their ends are compared,
/// which may overlap.
#[inline]
fn same_short(left: &[u8], right: &[u8]) -> bool {
    match (left.first_chunk(), left.last_chunk(), right.first_chunk(), right.last_chunk()) {
        (Some(left), Some(left_end), Some(right), Some(right_end)) => {
            word(left) == word(right) && word(left_end) == word(right_end)
        }
        _ => match (left.first_chunk::<4>(), left.last_chunk::<4>(), right.first_chunk(), right.last_chunk())
        {
            (Some(left), Some(left_end), Some(right), Some(right_end)) => {
                left == right && left_end == right_end
            }
            _ => left.iter().zip(right).all(|(left, right)| left == right),
        },
    }
}

#[inline]
fn word(bytes: &[u8; 8]) -> u64 {
    u64::from_ne_bytes(*bytes)
}

/// The same for so many bytes. By itself it becomes comparisons in a row with constant offsets; in its caller it would
/// become a loop, or an addition for each offset.
#[inline(never)]
fn same_block<const BYTES: usize>(left: &[u8; BYTES], right: &[u8; BYTES]) -> bool {
    let words = left.as_chunks::<8>().0.iter().zip(right.as_chunks::<8>().0);
    words.fold(0, |all, (left, right)| all | (word(left) ^ word(right))) == 0
}

/// Whether two byte strings are the same but for the case of ASCII letters. Most are the same altogether.
#[must_use]
#[inline]
pub fn same_ignoring_case(left: &[u8], right: &[u8]) -> bool {
    same(left, right) || left.eq_ignore_ascii_case(right)
}

#[cfg(test)]
#[path = "bytes_tests.rs"]
mod tests;
