//! Paths in normal form: the one reading on which filter and upstream agree.
//!
//! A path that another server could read differently is not repaired but refused, because a server that
//! repairs it differently would serve another resource.

use std::borrow::Cow;

use memchr::memchr;

/// A path, percent-decoded once, of which there is no second reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalPath<'a>(Cow<'a, str>);

/// What makes a path ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AmbiguousPath(pub &'static str);

/// Why a path is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// It has two readings.
    Ambiguous(&'static str),
    /// It is longer than it may be.
    TooLong,
}

/// What is in a segment so far: only a segment of dots alone is of interest.
const EMPTY: u8 = 0;
const ONE_DOT: u8 = 1;
const TWO_DOTS: u8 = 2;
const TEXT: u8 = 3;
/// A byte that is to be looked at: an end, an encoding or a fault.
const STOP: u8 = 4;

/// What comes of each byte after each of these, by `byte * 8 + state`. Every byte of a path goes through
/// here, so that it costs the same whatever it is.
const STEPS: [u8; 2048] = steps();

const fn steps() -> [u8; 2048] {
    let mut table = [STOP; 2048];
    let mut rest: &mut [u8] = &mut table;
    let mut number = 0_u16;
    while let [first, others @ ..] = rest {
        let (state, byte) = ((number & 7) as u8, (number >> 3) as u8);
        *first = match (state, byte) {
            (STOP.., _) | (_, 0..=0x1F | 0x7F | b'%' | b'?' | b'\\' | b';' | b'#') => STOP,
            (TEXT, b'/') => EMPTY,
            (_, b'/') => STOP,
            (EMPTY, b'.') => ONE_DOT,
            (ONE_DOT, b'.') => TWO_DOTS,
            _ => TEXT,
        };
        number = number.wrapping_add(1);
        rest = others;
    }
    table
}

#[inline]
fn step(state: u8, byte: u8) -> u8 {
    let place = usize::from(byte) << 3 | usize::from(state);
    STEPS.get(place & 2047).copied().unwrap_or(STOP)
}

impl<'a> NormalPath<'a> {
    /// The normal form of `raw`, a path without its query.
    ///
    /// # Errors
    /// What makes it ambiguous, raw or once decoded.
    pub fn new(raw: &'a [u8]) -> Result<Self, AmbiguousPath> {
        Self::read(raw, false)
    }

    /// The normal form of the path of a request's target, which ends where its query begins and may have so
    /// many bytes.
    ///
    /// # Errors
    /// If it is too long, or ambiguous.
    pub fn of_target(target: &'a [u8], most: usize) -> Result<Self, PathError> {
        let read = |path| Self::read(path, true).map_err(|AmbiguousPath(what)| PathError::Ambiguous(what));
        let Some(longest) = target.get(..=most) else { return read(target) };
        match memchr(b'?', longest).and_then(|end| target.get(..end)) {
            Some(path) => read(path),
            None => Err(PathError::TooLong),
        }
    }

    fn read(raw: &'a [u8], ends_at_query: bool) -> Result<Self, AmbiguousPath> {
        let Some((b'/', rest)) = raw.split_first() else {
            return Err(AmbiguousPath("does not begin with a slash"));
        };
        let (mut state, rest) = walk(EMPTY, rest);
        let plain = raw.get(..raw.len().saturating_sub(rest.len())).unwrap_or_default();
        let text = if rest.is_empty() || ends_at_query && rest.starts_with(b"?") {
            std::str::from_utf8(plain).map(Cow::Borrowed).ok()
        } else {
            let mut decoded = Vec::with_capacity(raw.len());
            decoded.extend_from_slice(plain);
            decode(&mut decoded, rest, ends_at_query)?;
            let mut rest = decoded.get(plain.len()..).unwrap_or_default();
            loop {
                (state, rest) = walk(state, rest);
                match rest.split_first() {
                    None => break,
                    Some((b'?', behind)) => (state, rest) = (TEXT, behind),
                    Some((&byte, _)) => return Err(fault(state, byte)),
                }
            }
            String::from_utf8(decoded).map(Cow::Owned).ok()
        };
        // The last segment is empty where the path ends in a slash, which is no doubled slash.
        if matches!(state, ONE_DOT | TWO_DOTS) {
            return Err(AmbiguousPath("dot segment"));
        }
        text.map(Self).ok_or(AmbiguousPath("not UTF-8"))
    }

    /// The path as text.
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Goes along `path` up to where a byte is to be looked at. Gives what is in the last segment, and
/// what is left.
#[inline]
fn walk(mut state: u8, path: &[u8]) -> (u8, &[u8]) {
    let mut rest = path;
    while let Some((eight, behind)) = rest.split_first_chunk::<8>() {
        let next = eight.iter().fold(state, |state, &byte| step(state, byte));
        if next == STOP {
            break;
        }
        (state, rest) = (next, behind);
    }
    while let Some((&byte, behind)) = rest.split_first() {
        let next = step(state, byte);
        if next == STOP {
            break;
        }
        (state, rest) = (next, behind);
    }
    (state, rest)
}

/// Goes on behind `decoded`, from where something is encoded on.
fn decode(decoded: &mut Vec<u8>, raw: &[u8], ends_at_query: bool) -> Result<(), AmbiguousPath> {
    let mut rest = raw;
    // Where much is encoded, four bytes come of what is looked at in one go.
    loop {
        let mut four = [0; 4];
        let mut length = 0_usize;
        for place in &mut four {
            match rest {
                [b'%', high, low, behind @ ..] => {
                    let byte = encoded(*high, *low);
                    *place = byte as u8;
                    if matches!(byte, 0x25 | 0x2F | 0x100..) {
                        return Err(not_encoded(byte));
                    }
                    rest = behind;
                }
                [b'?', ..] if ends_at_query => break,
                [b'%', ..] => return Err(AmbiguousPath("bad percent-encoding")),
                [byte, behind @ ..] => {
                    *place = *byte;
                    rest = behind;
                }
                [] => break,
            }
            length = length.saturating_add(1);
        }
        if length < 4 {
            decoded.extend_from_slice(four.get(..length).unwrap_or_default());
            return Ok(());
        }
        // All four at once is one store, and no call.
        decoded.extend_from_slice(&four);
        while let Some((eight, behind)) = rest.split_first_chunk::<8>()
            && !has(*eight, b'%')
            && !has(*eight, b'?')
        {
            decoded.extend_from_slice(eight);
            rest = behind;
        }
    }
}

/// The byte that two hexadecimal digits encode; beyond what a byte can be, if they are none.
#[inline]
pub(crate) fn encoded(high: u8, low: u8) -> u16 {
    let digit = |byte: u8| DIGITS.get(usize::from(byte)).copied().unwrap_or(NO_DIGIT);
    digit(high) << 4 | digit(low)
}

/// Why what two digits encode is not taken.
fn not_encoded(byte: u16) -> AmbiguousPath {
    AmbiguousPath(match byte {
        // An encoded separator is no separator to some, and one to others.
        0x2F => "encoded slash",
        0x25 => "double percent-encoding",
        _ => "bad percent-encoding",
    })
}

/// Whether one of eight bytes is this one. Less is borrowed beyond a byte only where one below it is.
fn has(eight: [u8; 8], byte: u8) -> bool {
    const LOW: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    let differs = u64::from_le_bytes(eight) ^ u64::from_le_bytes([byte; 8]);
    differs.wrapping_sub(LOW) & !differs & HIGH != 0
}

/// What is wrong with a byte.
fn fault(state: u8, byte: u8) -> AmbiguousPath {
    AmbiguousPath(match (byte, state) {
        (b'/', EMPTY) => "empty segment",
        (b'/', _) => "dot segment",
        (b'\\', _) => "backslash",
        (b';', _) => "semicolon",
        (b'#', _) => "number sign",
        _ => "control character",
    })
}

/// The values of hexadecimal digits, by the byte.
const DIGITS: [u16; 256] = digits();
/// Beyond what a byte can be, in either place.
const NO_DIGIT: u16 = 0x100;

const fn digits() -> [u16; 256] {
    let mut table = [NO_DIGIT; 256];
    let mut rest: &mut [u16] = &mut table;
    let mut byte = 0_u8;
    while let [first, others @ ..] = rest {
        *first = match byte {
            b'0'..=b'9' => (byte & 0x0F) as u16,
            b'a'..=b'f' | b'A'..=b'F' => (byte & 0x0F).wrapping_add(9) as u16,
            _ => NO_DIGIT,
        };
        byte = byte.wrapping_add(1);
        rest = others;
    }
    table
}

#[cfg(test)]
#[path = "normal_path_tests.rs"]
mod tests;
