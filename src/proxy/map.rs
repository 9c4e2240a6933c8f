//! Header maps as the ABI hands them over. It knows no host, so that it can be tried without one.

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

/// Reads headers from the ABI's form; nothing if the bytes are not of that form.
pub fn parse(bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let (count, mut lengths) = split_word(bytes)?;
    let mut data = bytes.get(count.checked_mul(8)?.checked_add(4)?..)?;
    let mut headers = Vec::with_capacity(count);
    for _ in 0..count {
        let (name_size, rest) = split_word(lengths)?;
        let (value_size, rest) = split_word(rest)?;
        lengths = rest;
        let (name, rest) = split_text(data, name_size)?;
        let (value, rest) = split_text(rest, value_size)?;
        data = rest;
        headers.push((name, value));
    }
    Some(headers)
}

fn split_word(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (word, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_le_bytes(*word)).ok()?, rest))
}

fn split_text(bytes: &[u8], size: usize) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(size)?;
    Some((text, rest.strip_prefix(&[0])?))
}
