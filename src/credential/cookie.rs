//! Credentials in cookies (RFC 6265 section 5.4). HTTP/2 may split them over several headers.

use std::borrow::Cow;

use memchr::memchr;

use super::Found;
use super::loose::is_read_as;

/// The value of cookie `name`; an empty value is none.
pub fn find<'a>(headers: impl Iterator<Item = &'a [u8]>, name: &str, equal_is_one: bool) -> Found<'a> {
    let mut found = Found::Nothing;
    // What is too short to have a name and a sign of equality is not looked at any further.
    for pair in pairs(headers, name.len()).filter(|pair| is_named(pair, name)) {
        if let Some(value) = value(pair).filter(|value| !value.is_empty()) {
            found = super::add(found, Cow::Owned(value.into_bytes()), equal_is_one);
        }
        if found == Found::Several {
            break;
        }
    }
    found
}

/// Whether a value of cookie `name` could be seen there, by a server that reads it more loosely than the filter.
pub fn may_hold<'a>(headers: impl Iterator<Item = &'a [u8]>, name: &str) -> bool {
    pairs(headers, name.len()).any(|pair| match loosely(pair, &[name]) {
        // A name without a value has no credential.
        Some(0) => !is_named(pair, name) || value(pair).is_some_and(|value| !value.is_empty()),
        Some(_) => true,
        None => is_named(pair, name),
    })
}

/// Where in a pair one of `names` begins, as it may be read. Some end a cookie at a comma (RFC 2965 section 3.3.4) or at white
/// space (Python), and see the next one there.
fn loosely(pair: &[u8], names: &[&str]) -> Option<usize> {
    let is_end = |b: u8| matches!(b, b',' | b' ' | b'\t');
    let is_start = |two: &[u8]| matches!(two, [before, own] if is_end(*before) && !is_end(*own));
    let starts = pair.windows(2).zip(1..).filter(|(two, _)| is_start(two)).map(|(_, start)| start);
    std::iter::once(0).chain(starts).find(|&start| {
        let rest = pair.get(start..).unwrap_or_default();
        names.iter().any(|name| is_read_as(rest, name, b", \t"))
    })
}

/// The cookie header without cookies `names`, also as they are read more loosely, everything else as it was; `None` if
/// none is there.
#[must_use]
pub fn without_cookies<'a>(headers: impl Iterator<Item = &'a [u8]>, names: &[&str]) -> Option<Vec<u8>> {
    let mut removed = false;
    let mut kept: Vec<&[u8]> = Vec::new();
    for pair in pairs(headers, 0) {
        let is_strictly = names.iter().any(|name| is_named(pair, name));
        // What follows in the same pair is the end of a value to others, and goes along.
        match if is_strictly { Some(0) } else { loosely(pair, names) } {
            None => kept.push(pair),
            Some(start) => {
                removed = true;
                let before = pair.get(..start).unwrap_or_default();
                let is_end = |b: &u8| !matches!(b, b',' | b' ' | b'\t');
                let end = before.iter().rposition(is_end).map_or(0, |last| last.saturating_add(1));
                kept.extend(before.get(..end).filter(|before| !before.is_empty()));
            }
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
    // The same space around it counts as around the value.
    own.and_then(|own| std::str::from_utf8(own).ok()).is_some_and(|own| own.trim() == name)
}

fn value(pair: &[u8]) -> Option<String> {
    let start = memchr(b'=', pair)?.saturating_add(1);
    // A value that is not UTF-8 must not hide the cookie: mangled, it is still there to be refused.
    let text = String::from_utf8_lossy(pair.get(start..)?);
    let text = text.trim();
    // Quotes are part of the syntax, not of the value (RFC 6265 section 4.1.1).
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    Some(inner.unwrap_or(text).to_owned())
}
