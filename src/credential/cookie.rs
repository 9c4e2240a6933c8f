//! Credentials in cookies (RFC 6265 section 5.4). HTTP/2 may split them over several headers.

use std::borrow::Cow;

use cookie::Cookie;
use memchr::memchr;

use super::Found;

/// The value of cookie `name`; an empty value is none.
pub fn find<'a>(headers: impl Iterator<Item = &'a [u8]>, name: &str) -> Found<'a> {
    let mut found = Found::Nothing;
    // What is too short to have a name and a sign of equality is not looked at any further.
    for pair in pairs(headers, name.len()).filter(|pair| is_named(pair, name)) {
        if let Some(value) = value(pair).filter(|value| !value.is_empty()) {
            found = super::add(found, Cow::Owned(value.into_bytes()));
        }
        if found == Found::Several {
            break;
        }
    }
    found
}

/// The cookie header without cookies `names`, everything else as it was; nothing if none is there.
#[must_use]
pub fn without_cookies<'a>(headers: impl Iterator<Item = &'a [u8]>, names: &[&str]) -> Option<Vec<u8>> {
    let mut removed = false;
    let mut kept: Vec<&[u8]> = Vec::new();
    for pair in pairs(headers, 0) {
        if names.iter().any(|name| is_named(pair, name)) {
            removed = true;
        } else {
            kept.push(pair);
        }
    }
    removed.then(|| kept.join(&b"; "[..]))
}

/// The pairs that are longer than so many bytes.
fn pairs<'a>(headers: impl Iterator<Item = &'a [u8]>, length: usize) -> impl Iterator<Item = &'a [u8]> {
    headers
        .flat_map(|header| header.split(|&b| b == b';'))
        .filter(move |pair| pair.len() > length)
        .map(<[u8]>::trim_ascii)
        .filter(|pair| !pair.is_empty())
}

/// Whether a pair is of cookie `name`, which is a token (RFC 9110 section 5.6.2). This is asked of each cookie of a
/// request, and there may be ten thousands.
fn is_named(pair: &[u8], name: &str) -> bool {
    let own = memchr(b'=', pair).filter(|&end| end >= name.len()).and_then(|end| pair.get(..end));
    // The same space around it counts as for the crate that reads the value.
    own.and_then(|own| std::str::from_utf8(own).ok()).is_some_and(|own| own.trim() == name)
}

fn value(pair: &[u8]) -> Option<String> {
    // A value that is not UTF-8 must not hide the cookie: mangled, it is still there to be refused.
    let cookie = Cookie::parse(String::from_utf8_lossy(pair)).ok()?;
    // Quotes are part of the syntax, not of the value (RFC 6265 section 4.1.1).
    Some(cookie.value_trimmed().to_owned())
}
