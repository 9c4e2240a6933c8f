//! Credentials in cookies (RFC 6265 section 5.4). HTTP/2 may split them over several headers.

use std::borrow::Cow;

use cookie::Cookie;

use super::Found;

/// The value of cookie `name`; an empty value is none.
pub fn find<'a>(headers: impl Iterator<Item = &'a [u8]>, name: &str) -> Found<'a> {
    let mut found = Found::Nothing;
    for pair in pairs(headers) {
        match parse(pair) {
            Some((own, value)) if own == name && !value.is_empty() => {
                found = super::add(found, Cow::Owned(value.into_bytes()));
            }
            _ => {}
        }
    }
    found
}

/// The cookie header without cookies `names`, everything else as it was; nothing if none is there.
#[must_use]
pub fn without_cookies<'a>(headers: impl Iterator<Item = &'a [u8]>, names: &[&str]) -> Option<Vec<u8>> {
    let mut removed = false;
    let mut kept: Vec<&[u8]> = Vec::new();
    for pair in pairs(headers) {
        if parse(pair).is_some_and(|(own, _)| names.contains(&own.as_str())) {
            removed = true;
        } else {
            kept.push(pair);
        }
    }
    removed.then(|| kept.join(&b"; "[..]))
}

fn pairs<'a>(headers: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = &'a [u8]> {
    headers
        .flat_map(|header| header.split(|&b| b == b';'))
        .map(<[u8]>::trim_ascii)
        .filter(|pair| !pair.is_empty())
}

fn parse(pair: &[u8]) -> Option<(String, String)> {
    // A value that is not UTF-8 must not hide the cookie: mangled, it is still there to be refused.
    let cookie = Cookie::parse(String::from_utf8_lossy(pair)).ok()?;
    // Quotes are part of the syntax, not of the value (RFC 6265 section 4.1.1).
    Some((cookie.name().to_owned(), cookie.value_trimmed().to_owned()))
}
