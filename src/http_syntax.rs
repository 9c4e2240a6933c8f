//! Syntax of HTTP fields: what is a name, what can be a value, and which names are one to an application.

use crate::bytes::same;

/// Whether `text` is an RFC 9110 section 5.6.2 `token`.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Whether `text` is a scope-token (RFC 6749 section 3.3): visible ASCII but for `"` and `\\`.
#[must_use]
pub fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

/// Whether `value` can be a header value as it is (RFC 9110 section 5.5): no control characters,
/// and no space at the ends, which recipients cut off.
#[must_use]
pub fn is_header_value(value: &[u8]) -> bool {
    let is_space = |b: Option<&u8>| matches!(b, Some(b' ' | b'\t'));
    !is_space(value.first())
        && !is_space(value.last())
        && value.iter().all(|&b| b == b'\t' || (b >= b' ' && b != 0x7F))
}

/// Whether an application that gets headers as variables could take the two for one. CGI makes an underscore of a
/// hyphen (RFC 3875 section 4.1.18), PHP of a dot too, and older servers of every sign that is neither letter nor
/// digit.
#[inline]
#[must_use]
pub fn is_same_header(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && is_similar(left, right)
}

/// The same for names of one length.
fn is_similar(left: &[u8], right: &[u8]) -> bool {
    let is_similar = |(left, right): (&u8, &u8)| {
        left.eq_ignore_ascii_case(right) || !(left.is_ascii_alphanumeric() || right.is_ascii_alphanumeric())
    };
    // Most begin differently, and most others are the same altogether.
    left.first().zip(right.first()).is_none_or(is_similar)
        && (same(left, right) || left.iter().zip(right).all(is_similar))
}

#[cfg(test)]
#[path = "http_syntax_tests.rs"]
mod tests;
