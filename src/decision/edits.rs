//! Header edits: what the client must not have said goes, what the gate found out comes in.

use std::rc::Rc;

use smallvec::SmallVec;

use super::identity::Identity;
use crate::bytes::same;
use crate::credential::{Source, without_cookies, without_parameters};
use crate::policy::is_same_header;
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

/// The credentials of a scheme: where they may stand, and whether the upstream gets to see them.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'p> {
    /// Where they may stand.
    pub sources: &'p [Source],
    /// Whether they go on.
    pub forward: bool,
}

/// The changes of `request`, whichever way it goes on: credentials that go no further go from where they stand, and so
/// does every header that `is_reserved`, in which the gate alone may speak, unless `identity` sets it. `Connection`
/// names nothing that the next hop would take away.
///
/// Credentials of several schemes may share a header, so it is worked out for all of them at once.
#[must_use]
pub fn changes<'p>(
    request: &Request<'_>,
    credentials: impl Iterator<Item = Credentials<'p>>,
    identity: Option<&Identity>,
    is_reserved: impl Fn(&[u8]) -> bool,
) -> Changes {
    let mut changes = SmallVec::new();
    let mut impersonates = false;
    let mut query = Vec::new();
    let mut cookies = Vec::new();
    for Credentials { sources, forward } in credentials {
        for source in sources {
            match source {
                Source::Header { name, .. } => {
                    if !forward && !removes(&changes, name.as_bytes()) && source.stands_in(request) {
                        changes.push(HeaderEdit::Remove(Rc::clone(name).into()));
                    }
                    remove_doubles(&mut changes, request, name.as_bytes());
                }
                Source::Query(name) if !forward => query.push(name.as_str()),
                Source::Cookie(name) if !forward => cookies.push(name.as_str()),
                Source::Query(_) | Source::Cookie(_) => {}
            }
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
        changes.push(set_or_remove("cookie", rest));
    }
    let mut is_connection_known = false;
    for (name, _) in request.headers() {
        if is_reserved(name) {
            if identity.is_some_and(|identity| identity.sets(name)) {
                impersonates = true;
            } else if !removes(&changes, name) {
                changes.push(HeaderEdit::Remove(name.into()));
            }
        } else if name == b"connection" && !is_connection_known {
            is_connection_known = true;
            changes.extend(connection_options(request).map(|rest| set_or_remove("connection", rest)));
        }
    }
    Changes { edits: changes, impersonates }
}

/// The options of a connection (RFC 9110 section 7.6.1) that name no header of the request but their own.
const CONNECTION_OPTIONS: [&[u8]; 5] = [b"close", b"http2-settings", b"keep-alive", b"te", b"upgrade"];

/// What `Connection` may say on, if it says more: any other word names a header that the next hop has to take away, be
/// it the gate's own. Envoy takes them out itself, but not where the connection is upgraded.
fn connection_options(request: &Request<'_>) -> Option<Vec<u8>> {
    let values = || request.values("connection").flat_map(|value| value.split(|&b| b == b','));
    let options = || values().map(<[u8]>::trim_ascii).filter(|option| !option.is_empty());
    let is_own = |option: &&[u8]| {
        // There may be as many as a header has bytes, and hardly any is so long.
        option.len() > 1 && CONNECTION_OPTIONS.iter().any(|own| own.eq_ignore_ascii_case(option))
    };
    if options().all(|option| is_own(&option)) {
        return None;
    }
    Some(options().filter(is_own).collect::<Vec<_>>().join(&b", "[..]))
}

fn set_or_remove(name: &str, rest: Vec<u8>) -> HeaderEdit {
    if rest.is_empty() {
        HeaderEdit::Remove(Rc::from(name.as_bytes()))
    } else {
        HeaderEdit::Set(name.into(), rest.into())
    }
}

/// Takes away what an application could take for header `name` and the gate did not: it is no credential that was
/// judged.
fn remove_doubles(changes: &mut SmallVec<[HeaderEdit; 2]>, request: &Request<'_>, name: &[u8]) {
    // Hardly any other header has a name of this length.
    let others = request.headers().filter(|(own, _)| own.len() == name.len() && !same(own, name));
    for (own, _) in others.filter(|(own, _)| is_same_header(own, name)) {
        if !removes(changes, own) {
            changes.push(HeaderEdit::Remove(own.into()));
        }
    }
}

fn removes(changes: &[HeaderEdit], name: &[u8]) -> bool {
    changes.iter().any(|change| matches!(change, HeaderEdit::Remove(own) if same(own, name)))
}

#[cfg(test)]
#[path = "edits_tests.rs"]
mod tests;
