//! Credentials in the query string, read as `application/x-www-form-urlencoded`.

use std::borrow::Cow;

use super::Found;

/// The value of parameter `name`; an empty value is none.
pub fn find<'a>(query: Option<&'a [u8]>, name: &str) -> Found<'a> {
    let mut found = Found::Nothing;
    for (own, value) in form_urlencoded::parse(query.unwrap_or_default()) {
        if own == name && !value.is_empty() {
            let value = match value {
                Cow::Borrowed(value) => Cow::Borrowed(value.as_bytes()),
                Cow::Owned(value) => Cow::Owned(value.into_bytes()),
            };
            found = super::add(found, value);
        }
    }
    found
}

/// `target` without the parameters `names`, everything else as it was; nothing if none is there.
#[must_use]
pub fn without_parameters(target: &[u8], names: &[&str]) -> Option<Vec<u8>> {
    let mut halves = target.splitn(2, |&b| b == b'?');
    let (path, query) = (halves.next()?, halves.next()?);
    let is_removed =
        |pair: &&[u8]| form_urlencoded::parse(pair).any(|(own, _)| names.iter().any(|name| own == *name));
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
