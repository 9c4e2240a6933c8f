//! Header edits: what the client must not set is removed, what the filter found out is added.

use std::rc::Rc;

use smallvec::SmallVec;

use crate::bytes::same;
use crate::credential::{
    CredentialLocation, SUBPROTOCOLS, without_cookies, without_parameters, without_subprotocols,
};
use crate::http_syntax::is_same_header;
use crate::identity::Identity;
use crate::request::{HeaderMutation, Request};

const AUTHORIZATION: &[u8] = b"authorization";

/// What is taken away of what a client sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderMutations {
    /// The edits: rarely more than that of its credential.
    pub list: SmallVec<[HeaderMutation; 2]>,
    /// Whether it sent a header that the identity sets. Where it did not, which is nearly always, the
    /// headers of the identity can be added instead: for Envoy that is half the work of replacing.
    pub spoofs_identity: bool,
}

/// The credentials of a scheme: where they may be, and whether the upstream gets to see them.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'p> {
    /// Where they may be.
    pub locations: &'p [CredentialLocation],
    /// Where a token may stand that comes with a DPoP proof.
    pub dpop: Option<&'p CredentialLocation>,
    /// Whether they go on.
    pub forward: bool,
}

/// The changes of `request`, whichever way it goes on: credentials that go no further go from where they are, and so
/// does every header that `is_reserved`, in which the filter alone may speak, unless `identity` sets it. `Connection`
/// names no header that the next hop would remove.
///
/// Credentials of several schemes may share a header, so it is worked out for all of them at once.
#[must_use]
pub fn header_mutations<'p>(
    request: &Request<'_>,
    credentials: impl Iterator<Item = Credentials<'p>>,
    identity: Option<&Identity>,
    is_reserved: impl Fn(&[u8]) -> bool,
) -> HeaderMutations {
    let mut mutations = SmallVec::new();
    let mut spoofs_identity = false;
    let mut query = Vec::new();
    let mut cookies = Vec::new();
    let mut subprotocols = Vec::new();
    for Credentials { locations, dpop, forward } in credentials {
        for location in locations {
            match location {
                CredentialLocation::Header { name, .. } => {
                    if !forward && !removes(&mutations, name.as_bytes()) && location.is_present_in(request) {
                        mutations.push(HeaderMutation::Remove(Rc::clone(name).into()));
                    }
                    remove_doubles(&mut mutations, request, name.as_bytes());
                }
                CredentialLocation::Query(name) if !forward => query.push(name.as_str()),
                CredentialLocation::Cookie(name) if !forward => cookies.push(name.as_str()),
                CredentialLocation::Subprotocol(name) if !forward => subprotocols.push(name.as_str()),
                CredentialLocation::Query(_)
                | CredentialLocation::Cookie(_)
                | CredentialLocation::Subprotocol(_) => {}
            }
        }
        // Where a bearer token was, there is none of the other kind.
        if let Some(location) = dpop
            && !forward
            && !removes(&mutations, AUTHORIZATION)
        {
            remove_dpop(&mut mutations, request, location);
        }
    }
    if !query.is_empty()
        && let Some(target) = without_parameters(request.target(), &query)
    {
        mutations.push(HeaderMutation::Set(":path".into(), target.into()));
    }
    if !cookies.is_empty()
        && let Some(rest) = without_cookies(request.values("cookie"), &cookies)
    {
        mutations.push(set_or_remove("cookie", rest));
    }
    if !subprotocols.is_empty()
        && let Some(rest) = without_subprotocols(request.values(SUBPROTOCOLS), &subprotocols)
    {
        mutations.push(set_or_remove(SUBPROTOCOLS, rest));
    }
    let mut is_connection_known = false;
    for (name, _) in request.headers() {
        if is_reserved(name) {
            if identity.is_some_and(|identity| identity.sets(name)) {
                spoofs_identity = true;
            } else if !removes(&mutations, name) {
                mutations.push(HeaderMutation::Remove(name.into()));
            }
        } else if name == b"connection" && !is_connection_known {
            is_connection_known = true;
            mutations.extend(connection_options(request).map(|rest| set_or_remove("connection", rest)));
        }
    }
    HeaderMutations { list: mutations, spoofs_identity }
}

/// The options of a connection (RFC 9110 section 7.6.1) that name no header of the request but their own.
const CONNECTION_OPTIONS: [&[u8]; 5] = [b"close", b"http2-settings", b"keep-alive", b"te", b"upgrade"];

/// What `Connection` may say on, if it says more: any other word names a header that the next hop has to take away, be
/// it the filter's own. Envoy takes them out itself, but not where the connection is upgraded.
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

fn set_or_remove(name: &str, rest: Vec<u8>) -> HeaderMutation {
    if rest.is_empty() {
        HeaderMutation::Remove(Rc::from(name.as_bytes()))
    } else {
        HeaderMutation::Set(name.into(), rest.into())
    }
}

/// Takes away a token that came with a DPoP proof, and the proof.
#[inline(never)]
fn remove_dpop(
    mutations: &mut SmallVec<[HeaderMutation; 2]>,
    request: &Request<'_>,
    location: &CredentialLocation,
) {
    if !location.is_present_in(request) {
        return;
    }
    mutations.push(HeaderMutation::Remove(AUTHORIZATION.into()));
    for (name, _) in request.headers().filter(|(name, _)| is_same_header(name, b"dpop")) {
        if !removes(mutations, name) {
            mutations.push(HeaderMutation::Remove(name.into()));
        }
    }
}

/// Takes away what an application could take for header `name` and the filter did not: it is no credential that was
/// judged.
fn remove_doubles(mutations: &mut SmallVec<[HeaderMutation; 2]>, request: &Request<'_>, name: &[u8]) {
    // Hardly any other header has a name of this length.
    let others = request.headers().filter(|(own, _)| own.len() == name.len() && !same(own, name));
    for (own, _) in others.filter(|(own, _)| is_same_header(own, name)) {
        if !removes(mutations, own) {
            mutations.push(HeaderMutation::Remove(own.into()));
        }
    }
}

#[inline]
fn removes(mutations: &[HeaderMutation], name: &[u8]) -> bool {
    mutations.iter().any(|change| matches!(change, HeaderMutation::Remove(own) if same(own, name)))
}

#[cfg(test)]
#[path = "header_mutations_tests.rs"]
mod tests;
