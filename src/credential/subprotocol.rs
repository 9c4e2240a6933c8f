//! Credentials in `Sec-WebSocket-Protocol` (RFC 6455 section 4.1): the one header of a WebSocket's handshake that a page in a
//! browser can write. The credential is the entry behind the name (`bearer, TOKEN, graphql-ws`), or part of the name, as
//! Kubernetes reads it.

use std::borrow::Cow;

use super::Found;
use crate::bytes::same_ignoring_case;
use crate::encoding::decode_any_base64;

/// What Kubernetes has before a token in base64url. It is `bearer` in another form.
const KUBERNETES: &[u8] = b"base64url.bearer.authorization.k8s.io.";

/// What an entry of the list is to the place of this name.
enum Entry<'a> {
    Other(&'a [u8]),
    /// The next one is the credential.
    Name,
    /// This is.
    Credential(Cow<'a, [u8]>),
}

fn entries<'a>(
    values: impl Iterator<Item = &'a [u8]>,
    is_ours: impl Fn(&[u8]) -> bool,
    has_form_of_kubernetes: bool,
) -> impl Iterator<Item = Entry<'a>> {
    let mut is_next = false;
    let entries = values.flat_map(|value| value.split(|&b| b == b',')).map(<[u8]>::trim_ascii);
    entries.filter(|entry| !entry.is_empty()).map(move |entry| {
        if std::mem::take(&mut is_next) {
            return Entry::Credential(Cow::Borrowed(entry));
        }
        if is_ours(entry) {
            is_next = true;
            return Entry::Name;
        }
        let token = entry.split_at_checked(KUBERNETES.len());
        let token = token.filter(|(name, _)| has_form_of_kubernetes && same_ignoring_case(name, KUBERNETES));
        match token {
            Some((_, token)) => {
                let token = std::str::from_utf8(token).ok().and_then(decode_any_base64);
                // What is no base64 is a credential that is refused.
                Entry::Credential(Cow::Owned(token.unwrap_or_default()))
            }
            None => Entry::Other(entry),
        }
    })
}

fn is_bearer(name: &str) -> bool {
    name.eq_ignore_ascii_case("bearer")
}

/// The credential behind `name`. A name with no entry behind it is an empty credential.
pub fn find<'a>(values: impl Iterator<Item = &'a [u8]>, name: &str, equal_is_one: bool) -> Found<'a> {
    let mut found = Found::Nothing;
    let mut is_open = false;
    for entry in entries(values, |entry| same_ignoring_case(entry, name.as_bytes()), is_bearer(name)) {
        match entry {
            Entry::Other(_) => {}
            Entry::Name => is_open = true,
            Entry::Credential(credential) => {
                is_open = false;
                found = super::add(found, credential, equal_is_one);
            }
        }
    }
    if is_open { super::add(found, Cow::Borrowed(b""), equal_is_one) } else { found }
}

/// Whether a credential behind `name` could be seen in the list.
pub fn may_hold<'a>(values: impl Iterator<Item = &'a [u8]>, name: &str) -> bool {
    find(values, name, true) != Found::Nothing
}

/// The list without the credentials behind `names`, and without those names; `None` if none is there.
#[must_use]
pub fn without_subprotocols<'a>(values: impl Iterator<Item = &'a [u8]>, names: &[&str]) -> Option<Vec<u8>> {
    let is_ours = |entry: &[u8]| names.iter().any(|name| same_ignoring_case(entry, name.as_bytes()));
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut is_removed = false;
    for entry in entries(values, is_ours, names.iter().any(|name| is_bearer(name))) {
        match entry {
            Entry::Other(entry) => kept.push(entry),
            Entry::Name | Entry::Credential(_) => is_removed = true,
        }
    }
    is_removed.then(|| kept.join(&b", "[..]))
}
