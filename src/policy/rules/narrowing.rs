//! What a rule asks of a request besides its path, method and host.

use std::cell::OnceCell;
use std::net::IpAddr;

use ipnet::IpNet;

use super::{HostPattern, PathMatcher, Undecided};
use crate::config::{ExceptConfig, HeaderCondition, MatchConfig};
use crate::host::{ClientAddress, Host};
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
    /// Further readings of a path that is not in normal form.
    pub readings: &'a [String],
    /// Its headers; `None`: it is asked after without any.
    pub request: Option<&'a Request<'a>>,
    /// Tells its client's address; `None`: it is asked after without a client.
    pub host: Option<&'a dyn Host>,
}

impl<'a> Asked<'a> {
    /// A request of which no more is known.
    #[must_use]
    pub fn of(method: &'a [u8], authority: &'a [u8], path: &'a str) -> Self {
        let oddities = Oddities::NONE;
        Self { method, authority, path, oddities, readings: &[], request: None, host: None }
    }

    /// A request with this path.
    #[must_use]
    pub fn of_request(request: &'a Request<'a>, path: &'a str, host: &'a dyn Host) -> Self {
        let asked = Self::of(request.method(), request.authority(), path);
        Self { request: Some(request), host: Some(host), ..asked }
    }
}

/// A client's address that is asked for once, and only if a rule needs it.
pub(super) struct Client<'a> {
    host: Option<&'a dyn Host>,
    address: OnceCell<Option<IpAddr>>,
}

impl<'a> Client<'a> {
    pub(super) fn new(host: Option<&'a dyn Host>) -> Self {
        Self { host, address: OnceCell::new() }
    }

    fn address(&self) -> Option<IpAddr> {
        *self.address.get_or_init(|| self.host.and_then(ClientAddress::ip_of))
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
    /// It cannot be told, for this reason.
    Unknown(Undecided),
}

impl Narrowing {
    /// The conditions of a `match` that has some.
    #[must_use]
    pub fn of(matching: &MatchConfig) -> Option<Self> {
        if !matching.is_narrowed() {
            return None;
        }
        let MatchConfig { except, client, headers, .. } = matching;
        let mut narrowing = Self { client: client.clone(), headers: headers.clone(), ..Self::default() };
        if let Some(ExceptConfig { paths, prefixes, methods, hosts }) = except {
            // Each was a path or a prefix when it was read.
            let paths = paths.iter().chain(prefixes);
            narrowing.not_paths = paths.filter_map(|path| PathMatcher::new(path).ok()).collect();
            narrowing.not_methods.clone_from(methods);
            narrowing.not_hosts = hosts.iter().map(|host| HostPattern::new(host)).collect();
        }
        Some(narrowing)
    }

    /// Whether all that it asks is the method and the path.
    #[must_use]
    pub fn is_of_operations(&self) -> bool {
        self.not_hosts.is_empty() && self.client.is_none() && self.headers.is_empty()
    }

    /// Whether the rule is not for this method or this path.
    #[must_use]
    pub fn excepts(&self, method: &[u8], covers_head: bool, path: &str) -> bool {
        names(&self.not_methods, method, covers_head) || self.not_paths.iter().any(|own| own.matches(path))
    }

    /// Whether it is not for this request: by any reading of its path.
    fn excepts_request(&self, asked: &Asked<'_>, covers_head: bool) -> bool {
        let mut paths = std::iter::once(asked.path).chain(asked.readings.iter().map(String::as_str));
        paths.any(|path| self.excepts(asked.method, covers_head, path))
    }

    pub(super) fn fit(&self, asked: &Asked<'_>, covers_head: bool, host: &str, client: &Client<'_>) -> Fit {
        let is_excepted = self.not_hosts.iter().any(|pattern| pattern.matches(host))
            || self.excepts_request(asked, covers_head);
        if is_excepted {
            return Fit::No;
        }
        let mut fit = Fit::Yes;
        for (name, condition) in &self.headers {
            match holds(name, condition, asked.request) {
                Some(true) => {}
                Some(false) => return Fit::No,
                None => fit = Fit::Unknown(Undecided::Header),
            }
        }
        match (&self.client, self.client.as_ref().and_then(|_| client.address())) {
            (None, _) => fit,
            (Some(_), None) => Fit::Unknown(Undecided::Client),
            (Some(networks), Some(address)) => {
                if networks.iter().any(|network| network.contains(&address)) {
                    fit
                } else {
                    Fit::No
                }
            }
        }
    }
}

/// Whether `methods` name this one.
#[inline]
#[must_use]
pub fn names(methods: &[String], method: &[u8], covers_head: bool) -> bool {
    let named = |asked: &[u8]| methods.iter().any(|own| own.as_bytes() == asked);
    named(method) || (covers_head && method == b"HEAD" && named(b"GET"))
}

/// Whether a condition holds on a header; `None`: it holds for some readings of it and not for others.
///
/// The space around a value is no part of it (RFC 9110 section 5.5). HTTP/2 delivers it, and an upstream behind HTTP/1.1
/// does not see it.
///
/// Several lines of one name are a list (RFC 9110 section 5.3). What stands behind the filter may read the first of them,
/// the last, each by itself, or all of them joined; a client that sends a second line must not choose the rule by it.
fn holds(name: &str, condition: &HeaderCondition, request: Option<&Request<'_>>) -> Option<bool> {
    let values = || request.into_iter().flat_map(|request| request.values(name)).map(<[u8]>::trim_ascii);
    let Some(first) = values().next() else { return Some(condition.holds(None)) };
    let holds = condition.holds(Some(first));
    if values().all(|value| value == first) {
        return Some(holds);
    }
    let joined = values().collect::<Vec<_>>().join(&b", "[..]);
    let mut readings = values().chain(std::iter::once(joined.as_slice()));
    readings.all(|value| condition.holds(Some(value)) == holds).then_some(holds)
}
