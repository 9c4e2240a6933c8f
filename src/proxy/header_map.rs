//! Header maps as the ABI hands them over. It knows no host, so that it can be tried without one.

use smallvec::SmallVec;

/// Names and values. Those of most requests are on the stack.
pub type HeaderPairs<'b> = SmallVec<[(&'b [u8], &'b [u8]); 32]>;

/// Headers in the ABI's form: their number, the length of each name and value, then each name and
/// value with a NUL after it.
pub fn serialize<N: AsRef<str>>(headers: &[(N, String)]) -> Vec<u8> {
    let word = |n: usize| u32::try_from(n).unwrap_or(0).to_le_bytes();
    let mut bytes = word(headers.len()).to_vec();
    for (name, value) in headers {
        bytes.extend(word(name.as_ref().len()));
        bytes.extend(word(value.len()));
    }
    for (name, value) in headers {
        for text in [name.as_ref().as_bytes(), value.as_bytes()] {
            bytes.extend(text);
            bytes.push(0);
        }
    }
    bytes
}

/// Reads headers from the ABI's form into `headers`; `None` if the bytes are not of that form. They are handed over
/// by place, for there are five hundred bytes of them to be copied otherwise.
#[inline]
pub fn parse<'b>(bytes: &'b [u8], headers: &mut HeaderPairs<'b>) -> Option<()> {
    if bytes.is_empty() {
        return Some(());
    }
    let (count, rest) = bytes.split_first_chunk::<4>()?;
    let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
    let (sizes, mut data) = rest.split_at_checked(count.checked_mul(8)?)?;
    headers.reserve(count);
    headers.extend(sizes.as_chunks::<8>().0.iter().map_while(|sizes| {
        let sizes = u64::from_le_bytes(*sizes);
        let (name, rest) = split_text(data, sizes as u32)?;
        let (value, rest) = split_text(rest, (sizes >> 32) as u32)?;
        data = rest;
        Some((name, value))
    }));
    (headers.len() == count).then_some(())
}

#[inline]
fn split_text(bytes: &[u8], size: u32) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(usize::try_from(size).ok()?)?;
    match rest.split_first() {
        Some((0, rest)) => Some((text, rest)),
        _ => None,
    }
}
