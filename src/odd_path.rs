//! Paths that are not in normal form, for rules that allow them.
//!
//! Some services have paths of which there are two readings: a project `group%2Fproject`, an object `a//b`. A rule
//! that names what it allows is matched on the raw segments of such a path: an encoded slash separates nothing, and
//! the path is forwarded as it came. What no service needs stays ambiguous: dot segments in any spelling, a backslash,
//! a control character, an encoding of an encoding.

use std::ops::BitOr;

use memchr::memchr;

use crate::normal_path::PathError;

/// What a path has that a path in normal form does not have, and that a rule may allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oddities(u8);

impl Oddities {
    /// None: the path is in normal form.
    pub const NONE: Self = Self(0);
    /// `%2F` within a segment.
    pub const ENCODED_SLASH: Self = Self(1);
    /// `%25` within a segment.
    pub const ENCODED_PERCENT: Self = Self(2);
    /// `;` or `%3B` within a segment.
    pub const SEMICOLON: Self = Self(4);
    /// A segment without text, or with nothing before its semicolon.
    pub const EMPTY_SEGMENT: Self = Self(8);
    /// All of them.
    pub const ALL: Self = Self(15);

    /// Whether all of `other` are among these.
    #[must_use]
    #[inline]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Oddities {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A path by its raw segments, as it is matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OddPath {
    /// The segments, each percent-decoded once, but for an encoded slash, which is `%2F` here.
    pub text: String,
    /// What it has.
    pub oddities: Oddities,
}

impl OddPath {
    /// Reads the path of a request's target, which ends where its query begins and may have `most` bytes.
    ///
    /// # Errors
    /// If it is too long, or ambiguous in a way that no rule can allow.
    pub fn of_target(target: &[u8], most: usize) -> Result<Self, PathError> {
        let raw = match memchr(b'?', target) {
            Some(end) => target.get(..end).unwrap_or_default(),
            None => target,
        };
        if raw.len() > most {
            return Err(PathError::TooLong);
        }
        let Some((b'/', rest)) = raw.split_first() else {
            return Err(PathError::Ambiguous("does not begin with a slash"));
        };
        let mut path = Self { text: String::with_capacity(raw.len()), oddities: Oddities::NONE };
        let mut segments = rest.split(|&byte| byte == b'/').peekable();
        while let Some(segment) = segments.next() {
            path.text.push('/');
            if segment.is_empty() && segments.peek().is_some() {
                path.has(Oddities::EMPTY_SEGMENT);
            }
            path.segment(segment)?;
        }
        Ok(path)
    }

    fn has(&mut self, oddity: Oddities) {
        self.oddities = self.oddities | oddity;
    }

    fn segment(&mut self, raw: &[u8]) -> Result<(), PathError> {
        let mut decoded = Vec::with_capacity(raw.len());
        let mut rest = raw;
        while let Some((&first, behind)) = rest.split_first() {
            let (byte, behind) = match (first, behind) {
                (b'%', [high, low, behind @ ..]) => match (digit(*high), digit(*low)) {
                    (Some(high), Some(low)) => (high << 4 | low, behind),
                    (None, _) | (_, None) => return Err(PathError::Ambiguous("bad percent-encoding")),
                },
                (b'%', _) => return Err(PathError::Ambiguous("bad percent-encoding")),
                (byte, behind) => (byte, behind),
            };
            match byte {
                b'/' => self.has(Oddities::ENCODED_SLASH),
                b'%' => self.has(Oddities::ENCODED_PERCENT),
                b';' => self.has(Oddities::SEMICOLON),
                b'\\' => return Err(PathError::Ambiguous("backslash")),
                b'#' => return Err(PathError::Ambiguous("number sign")),
                0..=0x1F | 0x7F => return Err(PathError::Ambiguous("control character")),
                _ => {}
            }
            decoded.push(byte);
            rest = behind;
        }
        // A server that decodes once more, that takes the encoded slash for one, or that cuts parameters off would
        // see another path.
        let is_encoded = |three: &[u8]| matches!(three, [b'%', high, low] if digit(*high).is_some() && digit(*low).is_some());
        if decoded.windows(3).any(is_encoded) {
            return Err(PathError::Ambiguous("double percent-encoding"));
        }
        for piece in decoded.split(|&byte| byte == b'/') {
            let name = piece.split(|&byte| byte == b';').next().unwrap_or_default();
            match name {
                b"." | b".." => return Err(PathError::Ambiguous("dot segment")),
                b"" if !piece.is_empty() => self.has(Oddities::EMPTY_SEGMENT),
                _ => {}
            }
        }
        let text = std::str::from_utf8(&decoded).map_err(|_| PathError::Ambiguous("not UTF-8"))?;
        self.text.push_str(&text.replace('/', "%2F"));
        Ok(())
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
#[path = "odd_path_tests.rs"]
mod tests;
