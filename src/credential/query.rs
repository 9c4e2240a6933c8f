//! Credentials in the query string, read as `application/x-www-form-urlencoded`.

use std::borrow::Cow;

use memchr::memchr;

use super::Found;
use super::loose::is_read_as;
use crate::encoding::is_named_pair;

/// The value of parameter `name`; an empty value is none.
pub fn find<'a>(query: Option<&'a [u8]>, name: &str, equal_is_one: bool) -> Found<'a> {
    let pairs = query.unwrap_or_default().split(|&b| b == b'&');
    let is_ours = |pair: &&[u8]| is_named_pair(pair, name) && has_value(pair);
    let mut found = Found::Nothing;
    for (_, value) in pairs.filter(is_ours).flat_map(form_urlencoded::parse) {
        let value = match value {
            Cow::Borrowed(value) => Cow::Borrowed(value.as_bytes()),
            Cow::Owned(value) => Cow::Owned(value.into_bytes()),
        };
        found = super::add(found, value, equal_is_one);
        if found == Found::Several {
            break;
        }
    }
    found
}

fn has_value(pair: &[u8]) -> bool {
    memchr(b'=', pair).and_then(|end| pair.get(end..)).is_some_and(|value| value.len() > 1)
}

/// Whether a value of parameter `name` could be seen in `query`, by a server that reads it more loosely than the filter.
pub fn may_hold(query: Option<&[u8]>, name: &str) -> bool {
    let is_ours = |part: &[u8], pair: &[u8]| is_read_as(part, name, b"") && has_value(pair);
    query.unwrap_or_default().split(|&b| b == b'&').any(|pair| {
        let mut parts = parts(pair);
        // What is read up to `&` has its value behind a semicolon too.
        parts.next().is_some_and(|first| is_ours(first, pair)) || parts.any(|part| is_ours(part, part))
    })
}

/// The parameters that a pair is to a server that ends them at a semicolon too, as HTML 4 advised.
fn parts(pair: &[u8]) -> impl Iterator<Item = &[u8]> {
    pair.split(|&b| b == b';')
}

/// `target` without the parameters `names`, also as they are read more loosely, everything else as it was; `None` if
/// none is there.
#[must_use]
pub fn without_parameters(target: &[u8], names: &[&str]) -> Option<Vec<u8>> {
    let mut halves = target.splitn(2, |&b| b == b'?');
    let (path, query) = (halves.next()?, halves.next()?);
    let is_strictly = |pair: &[u8]| names.iter().any(|name| is_named_pair(pair, name));
    let is_loosely = |part: &[u8]| names.iter().any(|name| is_read_as(part, name, b""));
    let mut kept: Vec<Cow<'_, [u8]>> = Vec::new();
    let mut removed = false;
    for pair in query.split(|&b| b == b'&') {
        if is_strictly(pair) {
            removed = true;
        } else if parts(pair).any(is_loosely) {
            removed = true;
            let rest: Vec<&[u8]> = parts(pair).filter(|part| !is_loosely(part)).collect();
            if !rest.is_empty() {
                kept.push(Cow::Owned(rest.join(&b';')));
            }
        } else {
            kept.push(Cow::Borrowed(pair));
        }
    }
    if !removed {
        return None;
    }
    let mut rest = path.to_vec();
    if !kept.is_empty() {
        rest.push(b'?');
        rest.extend(kept.join(&b'&'));
    }
    Some(rest)
}
