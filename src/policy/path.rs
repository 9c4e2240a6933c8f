//! Paths in normal form: the one reading on which gate and upstream agree.
//!
//! A path that another server could read differently is not repaired but refused, because whoever
//! repairs it differently is let in by the difference.

use std::borrow::Cow;

use percent_encoding::percent_decode;

/// A path, percent-decoded once, of which there is no second reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalPath<'a>(Cow<'a, str>);

/// What makes a path ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AmbiguousPath(pub &'static str);

impl<'a> NormalPath<'a> {
    /// The normal form of `raw`, a path without its query.
    ///
    /// # Errors
    /// What makes it ambiguous, raw or once decoded.
    pub fn new(raw: &'a [u8]) -> Result<Self, AmbiguousPath> {
        if let Some(plain) = plain(raw) {
            return Ok(Self(Cow::Borrowed(plain)));
        }
        Self::careful(raw)
    }

    fn careful(raw: &'a [u8]) -> Result<Self, AmbiguousPath> {
        check_percent_encoding(raw)?;
        check(raw)?;
        let decoded: Cow<'_, [u8]> = percent_decode(raw).into();
        if let Cow::Owned(decoded) = &decoded {
            // An encoded separator is no separator to some, and one to others.
            if count(decoded, b'/') != count(raw, b'/') {
                return Err(AmbiguousPath("encoded slash"));
            }
            if decoded.contains(&b'%') {
                return Err(AmbiguousPath("double percent-encoding"));
            }
            check(decoded)?;
        }
        let text = match decoded {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).ok(),
            Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).ok(),
        };
        text.map(Self).ok_or(AmbiguousPath("not UTF-8"))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The path itself where it is as most are: in one look, words of letters, digits and `-_.~` that do
/// not begin with a dot, with single slashes between.
fn plain(raw: &[u8]) -> Option<&str> {
    let mut after = b'\0';
    for (place, &byte) in raw.iter().enumerate() {
        let fits = match byte {
            b'/' => after != b'/',
            b'.' => after != b'/' && place > 0,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => place > 0,
            _ => false,
        };
        if !fits {
            return None;
        }
        after = byte;
    }
    // No path at all is for the careful look to refuse.
    if raw.is_empty() { None } else { std::str::from_utf8(raw).ok() }
}

fn count(bytes: &[u8], wanted: u8) -> usize {
    bytes.iter().filter(|&&b| b == wanted).count()
}

fn check_percent_encoding(raw: &[u8]) -> Result<(), AmbiguousPath> {
    let mut parts = raw.split(|&b| b == b'%');
    parts.next();
    let is_encoded =
        |part: &[u8]| part.get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    if parts.all(is_encoded) { Ok(()) } else { Err(AmbiguousPath("bad percent-encoding")) }
}

fn check(path: &[u8]) -> Result<(), AmbiguousPath> {
    let Some((b'/', rest)) = path.split_first() else {
        return Err(AmbiguousPath("does not begin with a slash"));
    };
    let mut segments = rest.split(|&b| b == b'/').peekable();
    while let Some(segment) = segments.next() {
        match segment {
            b"." | b".." => return Err(AmbiguousPath("dot segment")),
            // The last one is empty where the path ends in a slash, which is no doubled slash.
            b"" if segments.peek().is_some() => return Err(AmbiguousPath("empty segment")),
            _ => {}
        }
    }
    for &byte in path {
        match byte {
            b'\\' => return Err(AmbiguousPath("backslash")),
            b';' => return Err(AmbiguousPath("semicolon")),
            b'#' => return Err(AmbiguousPath("number sign")),
            0..=0x1F | 0x7F => return Err(AmbiguousPath("control character")),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
