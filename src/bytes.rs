//! Byte strings that are looked at for every request. What Wasm has to compare two of them goes byte by byte.

/// Whether two byte strings are the same. It tells by its time where they differ, so it is not for secrets.
#[inline]
#[must_use]
pub fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && same_of_one_length(left, right)
}

fn same_of_one_length(left: &[u8], right: &[u8]) -> bool {
    match left.len() {
        0..=16 => same_short(left, right),
        17..=31 => same_in_blocks::<16>(left, right),
        32..=127 => same_in_blocks::<32>(left, right),
        128.. => same_in_blocks::<128>(left, right),
    }
}

/// The same for at least `BYTES` bytes, in blocks of so many from the beginning, and one from the end, which may overlap the
/// one before it. The end comes first: it is where two tokens differ.
#[inline]
fn same_in_blocks<const BYTES: usize>(left: &[u8], right: &[u8]) -> bool {
    let ends = left.last_chunk::<BYTES>().zip(right.last_chunk::<BYTES>());
    let mut blocks = left.as_chunks::<BYTES>().0.iter().zip(right.as_chunks::<BYTES>().0);
    ends.is_some_and(|(left, right)| same_block(left, right))
        && blocks.all(|(left, right)| same_block(left, right))
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
