//! Credentials in headers.

use std::borrow::Cow;

use memchr::memchr;

use super::Found;
use crate::bytes::same_ignoring_case;

/// The credential among the values of a header. Two headers are two credentials, whatever they
/// say: a recipient may join, drop or swap them (RFC 9110 section 5.3).
#[inline]
pub fn find<'a>(values: impl Iterator<Item = &'a [u8]>, prefix: &str) -> Found<'a> {
    let mut found = Found::Nothing;
    let mut count = 0_usize;
    for value in values {
        count = count.saturating_add(1);
        match after_prefix(value, prefix) {
            // A bare `Bearer` is a malformed credential; an empty key is none.
            Some(rest) if !rest.is_empty() || !prefix.is_empty() => {
                found = super::add(found, Cow::Borrowed(rest), false);
            }
            // Envoy joins two Authorization headers with a comma before the filter sees them.
            None if parts(value, prefix).any(|part| after_prefix(part, prefix).is_some()) => {
                return Found::Several;
            }
            _ => {}
        }
    }
    if count > 1 { Found::Several } else { found }
}

/// The parts of a value with commas in it, without those that are too short to begin with `prefix`: there may be as
/// many as a header has bytes.
#[inline]
fn parts<'a>(value: &'a [u8], prefix: &str) -> impl Iterator<Item = &'a [u8]> {
    let least = prefix.trim_ascii_end().len();
    let joined = memchr(b',', value).map(|_| value.split(|&b| b == b','));
    joined.into_iter().flatten().filter(move |part| part.len() >= least)
}

/// What follows `prefix` in `value`, if it begins so. A prefix that ends in a space means one
/// or more of them (RFC 6750 section 2.1), or for the bare word. A tab is no space: behind one it is part of the credential.
#[inline]
pub fn after_prefix<'a>(value: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    let value = value.trim_ascii();
    let mut word = prefix.as_bytes();
    while let Some(shorter) = word.strip_suffix(b" ") {
        word = shorter;
    }
    let (start, rest) = value.split_at_checked(word.len())?;
    if !same_ignoring_case(start, word) {
        return None;
    }
    let wants_space = word.len() < prefix.len();
    if wants_space && !(rest.is_empty() || rest.starts_with(b" ")) {
        return None;
    }
    Some(if wants_space { without_spaces(rest) } else { rest })
}

/// Whether a credential after `prefix` could be seen in `value`, by a server that reads it more loosely than the filter.
pub fn may_hold(value: &[u8], prefix: &str) -> bool {
    let word = prefix.trim_ascii_end().as_bytes();
    let begins = |text: &[u8]| {
        text.split_at_checked(word.len()).is_some_and(|(start, _)| same_ignoring_case(start, word))
    };
    let holds = |part: &[u8]| {
        let bare = || part.iter().position(|&b| is_tchar(b)).and_then(|start| part.get(start..));
        begins(part.trim_ascii_start()) || bare().is_some_and(begins)
    };
    // Joined by a comma, as Envoy joins two Authorization headers, it is there too. Most values begin with it,
    // and are not searched for commas.
    holds(value) || parts(value, prefix).any(holds)
}

#[inline]
fn without_spaces(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&b| b != b' ').unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

/// A letter of a token (RFC 9110 section 5.6.2).
pub fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}
