//! Credentials in the query string, read as `application/x-www-form-urlencoded`.

use std::borrow::Cow;

use memchr::memchr;

use super::Found;
use crate::encoding::is_named_pair;

/// The value of parameter `name`; an empty value is none.
pub fn find<'a>(query: Option<&'a [u8]>, name: &str) -> Found<'a> {
    let pairs = query.unwrap_or_default().split(|&b| b == b'&');
    let is_ours = |pair: &&[u8]| is_named_pair(pair, name) && has_value(pair);
    let mut found = Found::Nothing;
    for (_, value) in pairs.filter(is_ours).flat_map(form_urlencoded::parse) {
        let value = match value {
            Cow::Borrowed(value) => Cow::Borrowed(value.as_bytes()),
            Cow::Owned(value) => Cow::Owned(value.into_bytes()),
        };
        found = super::add(found, value);
        if found == Found::Several {
            break;
        }
    }
    found
}

fn has_value(pair: &[u8]) -> bool {
    memchr(b'=', pair).and_then(|end| pair.get(end..)).is_some_and(|value| value.len() > 1)
}

/// `target` without the parameters `names`, everything else as it was; nothing if none is there.
#[must_use]
pub fn without_parameters(target: &[u8], names: &[&str]) -> Option<Vec<u8>> {
    let mut halves = target.splitn(2, |&b| b == b'?');
    let (path, query) = (halves.next()?, halves.next()?);
    let is_removed = |pair: &&[u8]| names.iter().any(|name| is_named_pair(pair, name));
    let pairs: Vec<&[u8]> = query.split(|&b| b == b'&').collect();
    let kept: Vec<&[u8]> = pairs.iter().copied().filter(|pair| !is_removed(pair)).collect();
    if kept.len() == pairs.len() {
        return None;
    }
    let mut rest = path.to_vec();
    if !kept.is_empty() {
        rest.push(b'?');
        rest.extend(kept.join(&b'&'));
    }
    Some(rest)
}
