//! Sets of requests, as other gateways' rules describe them: which contains which, and where two meet.
//!
//! Rules of Lychgate are in order, and the first that matches counts. Rules of others are combined in other ways. To write the
//! one as the other, every set that is spoken of is cut with every other one, so that of two sets that are left one contains the
//! other or they have nothing in common.

use std::collections::{BTreeMap, BTreeSet};

use super::text::regex_escape;

/// Paths, without a query.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Paths {
    /// All.
    Any,
    /// This one.
    Exact(String),
    /// Those that begin with this text, also within a segment.
    Prefix(String),
    /// Those that match this expression from beginning to end.
    Regex(String),
}

/// The values of a request header.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Values {
    /// It is there.
    Present,
    /// It is one of these.
    OneOf(BTreeSet<String>),
}

/// Requests that have all of this in common; `None`: any.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region {
    /// Their paths.
    pub paths: Paths,
    /// Their methods.
    pub methods: Option<BTreeSet<String>>,
    /// Their hosts, in lower case and without a port; `*.example.com` is every host below.
    pub hosts: Option<BTreeSet<String>>,
    /// The networks of their clients.
    pub clients: Option<BTreeSet<Network>>,
    /// Their headers.
    pub headers: BTreeMap<String, Values>,
}

/// What two sets have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meeting<T> {
    /// Nothing.
    Apart,
    /// This.
    In(T),
    /// Perhaps something, which cannot be written.
    Unknown,
}

impl<T> Meeting<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Meeting<U> {
        match self {
            Self::Apart => Meeting::Apart,
            Self::In(common) => Meeting::In(change(common)),
            Self::Unknown => Meeting::Unknown,
        }
    }
}

impl Paths {
    /// The text that each of them begins with, as far as it is known.
    fn head(&self) -> &str {
        match self {
            Self::Any => "",
            Self::Exact(text) | Self::Prefix(text) => text,
            Self::Regex(regex) => {
                let end =
                    regex.find(|letter: char| !(letter.is_ascii_alphanumeric() || "/_-~".contains(letter)));
                let head = regex.get(..end.unwrap_or(regex.len())).unwrap_or_default();
                // A repetition speaks of the letter before it, and an alternation of all.
                match end.and_then(|end| regex.get(end..)?.chars().next()) {
                    _ if regex.contains('|') => "",
                    Some('?' | '*' | '{') => head.get(..head.len().saturating_sub(1)).unwrap_or_default(),
                    Some(_) | None => head,
                }
            }
        }
    }

    fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Prefix(prefix), other) => other.head().starts_with(prefix.as_str()),
            (Self::Exact(one), Self::Exact(other)) => one == other,
            (Self::Regex(one), Self::Regex(other)) => one == other,
            (Self::Regex(regex), Self::Exact(path)) => matches(regex, path) == Some(true),
            (Self::Exact(_) | Self::Regex(_), _) => false,
        }
    }

    fn meet(&self, other: &Self) -> Meeting<Self> {
        if self.contains(other) {
            return Meeting::In(other.clone());
        }
        if other.contains(self) {
            return Meeting::In(self.clone());
        }
        let (one, two) = (self.head(), other.head());
        let common = one.len().min(two.len());
        if one.as_bytes().get(..common) != two.as_bytes().get(..common) {
            return Meeting::Apart;
        }
        match (self, other) {
            (Self::Regex(regex), Self::Exact(path)) | (Self::Exact(path), Self::Regex(regex)) => {
                match matches(regex, path) {
                    Some(false) => Meeting::Apart,
                    Some(true) | None => Meeting::Unknown,
                }
            }
            (Self::Regex(_), _) | (_, Self::Regex(_)) => Meeting::Unknown,
            (Self::Any | Self::Exact(_) | Self::Prefix(_), Self::Any | Self::Exact(_) | Self::Prefix(_)) => {
                Meeting::Apart
            }
        }
    }
}

fn matches(regex: &str, path: &str) -> Option<bool> {
    regex_lite::Regex::new(&format!("^(?:{regex})$")).ok().map(|regex| regex.is_match(path))
}

/// Sets of which two are apart or one contains the other: what several of them have in common.
fn meet_nested<T: Clone + Ord>(
    one: Option<&BTreeSet<T>>,
    other: Option<&BTreeSet<T>>,
    contains: impl Fn(&T, &T) -> bool,
) -> Meeting<Option<BTreeSet<T>>> {
    let (Some(one), Some(other)) = (one, other) else { return Meeting::In(one.or(other).cloned()) };
    let mut common = BTreeSet::new();
    for left in one {
        for right in other {
            if contains(left, right) {
                common.insert(right.clone());
            } else if contains(right, left) {
                common.insert(left.clone());
            }
        }
    }
    if common.is_empty() { Meeting::Apart } else { Meeting::In(Some(common)) }
}

fn contains_nested<T: Ord>(
    one: Option<&BTreeSet<T>>,
    other: Option<&BTreeSet<T>>,
    contains: impl Fn(&T, &T) -> bool,
) -> bool {
    match (one, other) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(one), Some(other)) => other.iter().all(|item| one.iter().any(|own| contains(own, item))),
    }
}

fn host_contains(one: &String, other: &String) -> bool {
    one == other || one.strip_prefix('*').is_some_and(|end| other.ends_with(end))
}

impl Values {
    fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Present, _) => true,
            (Self::OneOf(one), Self::OneOf(other)) => one.is_superset(other),
            (Self::OneOf(_), Self::Present) => false,
        }
    }
}

impl Region {
    /// Every request.
    pub fn any() -> Self {
        Self { paths: Paths::Any, methods: None, hosts: None, clients: None, headers: BTreeMap::new() }
    }

    /// Those with these paths. Every path begins with a slash.
    pub fn of(paths: Paths) -> Self {
        let paths = if paths == Paths::Prefix("/".into()) { Paths::Any } else { paths };
        Self { paths, ..Self::any() }
    }

    /// Whether all requests of `other` are in it.
    pub fn contains(&self, other: &Self) -> bool {
        self.paths.contains(&other.paths)
            && contains_nested(self.methods.as_ref(), other.methods.as_ref(), |a, b| a == b)
            && contains_nested(self.hosts.as_ref(), other.hosts.as_ref(), host_contains)
            && contains_nested(self.clients.as_ref(), other.clients.as_ref(), Network::contains)
            && self
                .headers
                .iter()
                .all(|(name, values)| other.headers.get(name).is_some_and(|others| values.contains(others)))
    }

    /// What the two have in common.
    pub fn meet(&self, other: &Self) -> Meeting<Self> {
        let paths = self.paths.meet(&other.paths);
        let methods = meet_nested(self.methods.as_ref(), other.methods.as_ref(), |a, b| a == b);
        let hosts = meet_nested(self.hosts.as_ref(), other.hosts.as_ref(), host_contains);
        let clients = meet_nested(self.clients.as_ref(), other.clients.as_ref(), Network::contains);
        let mut headers = self.headers.clone();
        for (name, values) in &other.headers {
            let merged = match (headers.get(name), values) {
                (None | Some(Values::Present), values) => values.clone(),
                (Some(own), Values::Present) => own.clone(),
                (Some(Values::OneOf(own)), Values::OneOf(others)) => {
                    let common: BTreeSet<_> = own.intersection(others).cloned().collect();
                    if common.is_empty() {
                        return Meeting::Apart;
                    }
                    Values::OneOf(common)
                }
            };
            headers.insert(name.clone(), merged);
        }
        match (methods, hosts, clients) {
            (Meeting::In(methods), Meeting::In(hosts), Meeting::In(clients)) => {
                paths.map(|paths| Self { paths, methods, hosts, clients, headers })
            }
            _ => Meeting::Apart,
        }
    }

    /// The same for the method HEAD, where it is for GET and not for HEAD: a rule of Lychgate for GET covers HEAD.
    pub fn head_beside(&self) -> Option<Self> {
        let methods = self.methods.as_ref()?;
        let is_one = methods.contains("GET") && !methods.contains("HEAD");
        is_one.then(|| Self { methods: Some(BTreeSet::from(["HEAD".to_owned()])), ..self.clone() })
    }

    /// As `match` of a rule.
    pub fn to_value(&self) -> serde_json::Value {
        let mut value = serde_json::Map::new();
        match &self.paths {
            Paths::Any => value.insert("prefix".into(), "/".into()),
            Paths::Exact(path) if path.contains(['{', '}', '*']) || !path.starts_with('/') => {
                value.insert("regex".into(), regex_escape(path).into())
            }
            Paths::Exact(path) => value.insert("path".into(), path.as_str().into()),
            Paths::Prefix(prefix) if prefix.starts_with('/') && !prefix.contains(['{', '}', '*']) => {
                // With the star it is what begins so, and not the path without the slash at its end.
                value.insert("prefix".into(), format!("{prefix}*").into())
            }
            Paths::Prefix(prefix) => {
                value.insert("regex".into(), format!("{}.*", regex_escape(prefix)).into())
            }
            Paths::Regex(regex) => value.insert("regex".into(), regex.as_str().into()),
        };
        let list = |set: &BTreeSet<String>| {
            set.iter().map(|item| serde_json::Value::from(item.as_str())).collect::<serde_json::Value>()
        };
        value.extend(self.methods.as_ref().map(|methods| ("methods".to_owned(), list(methods))));
        value.extend(self.hosts.as_ref().map(|hosts| ("hosts".to_owned(), list(hosts))));
        if let Some(clients) = &self.clients {
            value.insert(
                "client".into(),
                clients.iter().map(|client| serde_json::Value::from(client.to_string())).collect(),
            );
        }
        if !self.headers.is_empty() {
            let header = |(name, values): (&String, &Values)| {
                let values = match values {
                    Values::Present => serde_json::json!({"present": true}),
                    Values::OneOf(values) => list(values),
                };
                (name.clone(), values)
            };
            value.insert(
                "headers".into(),
                serde_json::Value::Object(self.headers.iter().map(header).collect()),
            );
        }
        serde_json::Value::Object(value)
    }
}

/// A network of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    address: std::net::IpAddr,
    bits: u8,
}

impl Network {
    /// Reads an address, or a network such as `10.0.0.0/8`.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').unwrap_or((text, ""));
        let address: std::net::IpAddr = address.parse().ok()?;
        let most: u8 = if address.is_ipv4() { 32 } else { 128 };
        let bits = if bits.is_empty() { most } else { bits.parse().ok().filter(|bits| *bits <= most)? };
        // Others take `10.1.2.3/8` for the network that it is in.
        let rest = u32::from(most.saturating_sub(bits));
        let address = match address {
            std::net::IpAddr::V4(own) => {
                let mask = u32::MAX.checked_shl(rest).unwrap_or(0);
                std::net::IpAddr::V4((u32::from(own) & mask).into())
            }
            std::net::IpAddr::V6(own) => {
                let mask = u128::MAX.checked_shl(rest).unwrap_or(0);
                std::net::IpAddr::V6((u128::from(own) & mask).into())
            }
        };
        Some(Self { address, bits })
    }

    fn number(&self) -> (bool, u128) {
        match self.address {
            std::net::IpAddr::V4(address) => (true, u128::from(u32::from(address)) << 96),
            std::net::IpAddr::V6(address) => (false, u128::from(address)),
        }
    }

    fn contains(&self, other: &Self) -> bool {
        let ((own_kind, own), (kind, number)) = (self.number(), other.number());
        let shift = 128_u32.saturating_sub(u32::from(self.bits));
        let start = |number: u128| number.checked_shr(shift).unwrap_or(0);
        own_kind == kind && self.bits <= other.bits && start(own) == start(number)
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}
