//! What a rule asks of a request besides its path, method and host.

use std::cell::OnceCell;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{HostPattern, PathMatcher};
use crate::config::HeaderCondition;
use crate::odd_path::Oddities;
use crate::request::Request;

/// A request, as rules are found for it.
pub struct Asked<'a> {
    /// Its method.
    pub method: &'a [u8],
    /// Its authority, with a port where it came with one.
    pub authority: &'a [u8],
    /// Its path: in normal form, or the text of an [`OddPath`](crate::odd_path::OddPath).
    pub path: &'a str,
    /// What the path has that one in normal form does not have.
    pub oddities: Oddities,
    /// Its headers; `None`: it is asked after without any.
    pub request: Option<&'a Request<'a>>,
    /// Tells its client's address; `None`: the client has none that is known.
    pub client: &'a dyn Fn() -> Option<IpAddr>,
}

impl<'a> Asked<'a> {
    /// A request of which no more is known.
    #[must_use]
    pub fn of(method: &'a [u8], authority: &'a [u8], path: &'a str) -> Self {
        Self { method, authority, path, oddities: Oddities::NONE, request: None, client: &|| None }
    }
}

/// A client's address that is asked for once, and only if a rule needs it.
pub(super) struct Client<'a> {
    ask: &'a dyn Fn() -> Option<IpAddr>,
    answer: OnceCell<Option<IpAddr>>,
}

impl<'a> Client<'a> {
    pub(super) fn new(ask: &'a dyn Fn() -> Option<IpAddr>) -> Self {
        Self { ask, answer: OnceCell::new() }
    }

    fn address(&self) -> Option<IpAddr> {
        *self.answer.get_or_init(self.ask)
    }
}

/// Conditions of a rule that has more than methods and hosts.
#[derive(Debug, Default)]
pub struct Narrowing {
    /// Paths that it is not for.
    pub not_paths: Vec<PathMatcher>,
    /// Methods that it is not for. GET among them covers HEAD where it does in the rule's methods.
    pub not_methods: Vec<String>,
    /// Hosts that it is not for.
    pub not_hosts: Vec<HostPattern>,
    /// Networks of which one must have the client.
    pub client: Option<Vec<IpNet>>,
    /// Conditions on headers, all of which must hold.
    pub headers: Vec<(String, HeaderCondition)>,
}

/// Whether a rule is for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Yes,
    No,
    /// Only the client's address is lacking to tell.
    Unknown,
}

impl Narrowing {
    pub(super) fn fit(&self, asked: &Asked<'_>, covers_head: bool, host: &str, client: &Client<'_>) -> Fit {
        let is_excepted = names(&self.not_methods, asked.method, covers_head)
            || self.not_hosts.iter().any(|pattern| pattern.matches(host))
            || self.not_paths.iter().any(|own| own.matches(asked.path));
        if is_excepted || !self.headers.iter().all(|(name, condition)| holds(name, condition, asked.request))
        {
            return Fit::No;
        }
        match (&self.client, self.client.as_ref().and_then(|_| client.address())) {
            (None, _) => Fit::Yes,
            (Some(_), None) => Fit::Unknown,
            (Some(networks), Some(address)) => {
                if networks.iter().any(|network| network.contains(&address)) {
                    Fit::Yes
                } else {
                    Fit::No
                }
            }
        }
    }
}

/// Whether `methods` name this one.
#[inline]
pub(super) fn names(methods: &[String], method: &[u8], covers_head: bool) -> bool {
    let named = |asked: &[u8]| methods.iter().any(|own| own.as_bytes() == asked);
    named(method) || (covers_head && method == b"HEAD" && named(b"GET"))
}

fn holds(name: &str, condition: &HeaderCondition, request: Option<&Request<'_>>) -> bool {
    let mut values = request.into_iter().flat_map(|request| request.values(name));
    let Some(first) = values.next() else { return condition.holds(None) };
    let Some(second) = values.next() else { return condition.holds(Some(first)) };
    let mut joined = [first, second].join(&b", "[..]);
    for value in values {
        joined.extend_from_slice(b", ");
        joined.extend_from_slice(value);
    }
    condition.holds(Some(&joined))
}
