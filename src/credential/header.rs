//! Credentials in headers.

use std::borrow::Cow;

use super::Found;

/// The credential among the values of a header. Two headers are two credentials, whatever they
/// say: a recipient may join, drop or swap them (RFC 9110 section 5.3).
pub fn find<'a>(values: impl Iterator<Item = &'a [u8]>, prefix: &str) -> Found<'a> {
    let mut found = Found::Nothing;
    let mut count = 0_usize;
    for value in values {
        count = count.saturating_add(1);
        match after_prefix(value, prefix) {
            // A bare `Bearer` is a malformed credential; an empty key is none.
            Some(rest) if !rest.is_empty() || !prefix.is_empty() => {
                found = super::add(found, Cow::Borrowed(rest));
            }
            // Envoy joins two Authorization headers with a comma before the filter sees them.
            None if value.split(|&b| b == b',').any(|part| after_prefix(part, prefix).is_some()) => {
                return Found::Several;
            }
            _ => {}
        }
    }
    if count > 1 { Found::Several } else { found }
}

/// What follows `prefix` in `value`, if it begins so. A prefix that ends in a space stands for one
/// or more of them (RFC 6750 section 2.1), or for the bare word.
pub fn after_prefix<'a>(value: &'a [u8], prefix: &str) -> Option<&'a [u8]> {
    let value = value.trim_ascii();
    let word = prefix.trim_end_matches(' ').as_bytes();
    let (start, rest) = value.split_at_checked(word.len())?;
    if !start.eq_ignore_ascii_case(word) {
        return None;
    }
    let wants_space = word.len() < prefix.len();
    if wants_space && !(rest.is_empty() || rest.starts_with(b" ")) {
        return None;
    }
    Some(if wants_space { rest.trim_ascii_start() } else { rest })
}
