//! Paths in normal form: the one reading on which gate and upstream agree.
//!
//! A path that another server could read differently is not repaired but refused, because whoever
//! repairs it differently is let in by the difference.

use std::borrow::Cow;

use memchr::memchr;

use crate::config::MAX_PATH_BYTES;

/// A path, percent-decoded once, of which there is no second reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalPath<'a>(Cow<'a, str>);

/// What makes a path ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AmbiguousPath(pub &'static str);

/// Why a path is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathFault {
    /// It has two readings.
    Ambiguous(&'static str),
    /// It is longer than [`MAX_PATH_BYTES`].
    TooLong,
}

/// What a byte of a path is.
#[derive(Clone, Copy)]
enum Byte {
    Plain,
    Dot,
    Slash,
    Percent,
    Query,
    Backslash,
    Semicolon,
    NumberSign,
    Control,
}

const BYTES: [Byte; 256] = bytes();

const fn bytes() -> [Byte; 256] {
    let mut table = [Byte::Plain; 256];
    let mut rest: &mut [Byte] = &mut table;
    let mut byte = 0_u8;
    while let [first, others @ ..] = rest {
        *first = match byte {
            0..=0x1F | 0x7F => Byte::Control,
            b'.' => Byte::Dot,
            b'/' => Byte::Slash,
            b'%' => Byte::Percent,
            b'?' => Byte::Query,
            b'\\' => Byte::Backslash,
            b';' => Byte::Semicolon,
            b'#' => Byte::NumberSign,
            _ => Byte::Plain,
        };
        byte = byte.wrapping_add(1);
        rest = others;
    }
    table
}

/// What stands in a segment so far. Only a segment of dots alone is of interest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Segment {
    Empty,
    OneDot,
    TwoDots,
    Text,
}

impl Segment {
    fn with_dot(self) -> Self {
        match self {
            Self::Empty => Self::OneDot,
            Self::OneDot => Self::TwoDots,
            Self::TwoDots | Self::Text => Self::Text,
        }
    }
}

impl<'a> NormalPath<'a> {
    /// The normal form of `raw`, a path without its query.
    ///
    /// # Errors
    /// What makes it ambiguous, raw or once decoded.
    pub fn new(raw: &'a [u8]) -> Result<Self, AmbiguousPath> {
        Self::read(raw, false)
    }

    /// The normal form of the path of a request's target, which ends where its query begins.
    ///
    /// # Errors
    /// If it is too long, or ambiguous.
    pub fn of_target(target: &'a [u8]) -> Result<Self, PathFault> {
        let read = |path| Self::read(path, true).map_err(|AmbiguousPath(what)| PathFault::Ambiguous(what));
        let Some(longest) = target.get(..=MAX_PATH_BYTES) else { return read(target) };
        match memchr(b'?', longest).and_then(|end| target.get(..end)) {
            Some(path) => read(path),
            None => Err(PathFault::TooLong),
        }
    }

    /// In one look, which costs the same for each byte: what a path costs is bounded by its length.
    fn read(raw: &'a [u8], ends_at_query: bool) -> Result<Self, AmbiguousPath> {
        let Some((b'/', rest)) = raw.split_first() else {
            return Err(AmbiguousPath("does not begin with a slash"));
        };
        let mut segment = Segment::Empty;
        // Decoded, but for what stands behind the last byte that was percent-encoded.
        let mut decoded = Vec::new();
        let mut behind = raw;
        let mut bytes = rest.iter();
        while let Some(&byte) = bytes.next() {
            match BYTES.get(usize::from(byte)).copied().unwrap_or(Byte::Control) {
                Byte::Plain => segment = Segment::Text,
                Byte::Dot => segment = segment.with_dot(),
                Byte::Slash => {
                    close(segment)?;
                    if segment == Segment::Empty {
                        return Err(AmbiguousPath("empty segment"));
                    }
                    segment = Segment::Empty;
                }
                Byte::Query if ends_at_query => {
                    let left = bytes.as_slice().len().saturating_add(1);
                    behind = behind.get(..behind.len().saturating_sub(left)).unwrap_or_default();
                    break;
                }
                Byte::Query => segment = Segment::Text,
                Byte::Percent => {
                    let left = bytes.as_slice().len().saturating_add(1);
                    let plain = behind.get(..behind.len().saturating_sub(left)).unwrap_or_default();
                    let (Some(high), Some(low)) = (digit(bytes.next()), digit(bytes.next())) else {
                        return Err(AmbiguousPath("bad percent-encoding"));
                    };
                    let byte = high << 4 | low;
                    segment = match BYTES.get(usize::from(byte)).copied().unwrap_or(Byte::Control) {
                        Byte::Plain | Byte::Query => Segment::Text,
                        Byte::Dot => segment.with_dot(),
                        // An encoded separator is no separator to some, and one to others.
                        Byte::Slash => return Err(AmbiguousPath("encoded slash")),
                        Byte::Percent => return Err(AmbiguousPath("double percent-encoding")),
                        bad @ (Byte::Backslash | Byte::Semicolon | Byte::NumberSign | Byte::Control) => {
                            return Err(bad.fault());
                        }
                    };
                    if decoded.capacity() == 0 {
                        decoded.reserve_exact(raw.len());
                    }
                    decoded.extend_from_slice(plain);
                    decoded.push(byte);
                    behind = bytes.as_slice();
                }
                bad @ (Byte::Backslash | Byte::Semicolon | Byte::NumberSign | Byte::Control) => {
                    return Err(bad.fault());
                }
            }
        }
        // The last segment is empty where the path ends in a slash, which is no doubled slash.
        close(segment)?;
        let text = if decoded.is_empty() {
            std::str::from_utf8(behind).map(Cow::Borrowed).ok()
        } else {
            decoded.extend_from_slice(behind);
            String::from_utf8(decoded).map(Cow::Owned).ok()
        };
        text.map(Self).ok_or(AmbiguousPath("not UTF-8"))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Byte {
    /// What is said of a byte that no path has.
    fn fault(self) -> AmbiguousPath {
        AmbiguousPath(match self {
            Self::Backslash => "backslash",
            Self::Semicolon => "semicolon",
            Self::NumberSign => "number sign",
            Self::Control | Self::Plain | Self::Dot | Self::Slash | Self::Percent | Self::Query => {
                "control character"
            }
        })
    }
}

fn close(segment: Segment) -> Result<(), AmbiguousPath> {
    match segment {
        Segment::OneDot | Segment::TwoDots => Err(AmbiguousPath("dot segment")),
        Segment::Empty | Segment::Text => Ok(()),
    }
}

fn digit(byte: Option<&u8>) -> Option<u8> {
    let digit = char::from(*byte?).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
