//! Header edits: what the client must not have said goes, what the gate found out comes in.

use std::rc::Rc;

use smallvec::SmallVec;

use super::identity::Identity;
use crate::credential::{Source, without_cookies, without_parameters};
use crate::request::Request;

/// One change of the request headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderEdit {
    /// Every header of this name goes. Names are in lower case.
    Remove(Rc<[u8]>),
    /// The header has this value and no other.
    Set(Rc<str>, Box<[u8]>),
}

/// What is taken away of what a client sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The edits: rarely more than that of its credential.
    pub edits: SmallVec<[HeaderEdit; 2]>,
    /// Whether it sent a header that the identity sets. Where it did not, which is nearly always, the
    /// headers of the identity can be added instead: for Envoy that is half the work of replacing.
    pub impersonates: bool,
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

/// The changes of `request`: credentials go from where `sources` say that they stand, and so does
/// every header that `is_reserved`, in which the gate alone may speak, unless `identity` sets it.
///
/// Credentials of several schemes may share a header, so it is worked out for all of them at once.
#[must_use]
pub fn changes<'p>(
    request: &Request<'_>,
    sources: impl Iterator<Item = &'p Source>,
    identity: Option<&Identity>,
    is_reserved: impl Fn(&[u8]) -> bool,
) -> Changes {
    let mut changes = SmallVec::new();
    let mut impersonates = false;
    let mut query = Vec::new();
    let mut cookies = Vec::new();
    for source in sources {
        match source {
            Source::Header { name, .. } => {
                if !removes(&changes, name.as_bytes()) && source.stands_in(request) {
                    changes.push(HeaderEdit::Remove(Rc::clone(name).into()));
                }
            }
            Source::Query(name) => query.push(name.as_str()),
            Source::Cookie(name) => cookies.push(name.as_str()),
        }
    }
    if !query.is_empty()
        && let Some(target) = without_parameters(request.target(), &query)
    {
        changes.push(HeaderEdit::Set(":path".into(), target.into()));
    }
    if !cookies.is_empty()
        && let Some(rest) = without_cookies(request.values("cookie"), &cookies)
    {
        changes.push(if rest.is_empty() {
            HeaderEdit::Remove(Rc::from(&b"cookie"[..]))
        } else {
            HeaderEdit::Set("cookie".into(), rest.into())
        });
    }
    for (name, _) in request.headers().filter(|(name, _)| is_reserved(name)) {
        if identity.is_some_and(|identity| identity.sets(name)) {
            impersonates = true;
        } else if !removes(&changes, name) {
            changes.push(HeaderEdit::Remove(name.into()));
        }
    }
    Changes { edits: changes, impersonates }
}

fn removes(changes: &[HeaderEdit], name: &[u8]) -> bool {
    changes.iter().any(|change| matches!(change, HeaderEdit::Remove(own) if **own == *name))
}

#[cfg(test)]
#[path = "edits_tests.rs"]
mod tests;
