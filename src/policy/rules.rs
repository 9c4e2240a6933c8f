//! Rules: which requests need what. The first one that matches wins.

mod index;

use std::cell::OnceCell;

use regex_lite::Regex;

use super::requirement::Requirement;
use crate::config::{Mode, PathConfig};
use index::Index;

/// Rules, in order.
#[derive(Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    index: Index,
    name_hosts: bool,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// The path condition.
    pub path: PathMatcher,
    /// Methods, compared exactly (RFC 9110 section 9.1); none: every one.
    pub methods: Option<Vec<String>>,
    /// Hosts in lower case; none: every one.
    pub hosts: Option<Vec<HostPattern>>,
    /// What the requests need; nothing: what a request needs that no rule speaks of.
    pub requirement: Option<Requirement>,
    /// What it is called in logs and stats.
    pub name: String,
    /// Whether its author named it.
    pub is_named: bool,
    /// Whether its refusals are carried out; nothing: as those of the policy.
    pub mode: Option<Mode>,
}

/// The path condition of a rule, on the path in normal form.
#[derive(Debug)]
pub enum PathMatcher {
    /// An OpenAPI path template: literal segments, and `None` for any one segment.
    Template(Vec<Option<String>>),
    /// Whole segments at the beginning, without a slash at the end.
    Prefix(String),
    /// Anchored at both ends.
    Regex(Box<Regex>),
}

/// A host condition.
#[derive(Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// This host.
    Exact(String),
    /// Any host below this domain; the text begins with a dot.
    Below(String),
}

impl Rules {
    /// These rules, in this order.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        let name_hosts = rules.iter().any(|rule| rule.hosts.is_some());
        Self { index: Index::new(&rules), rules, name_hosts }
    }

    /// Whether any of them is for some hosts only.
    #[must_use]
    pub fn name_hosts(&self) -> bool {
        self.name_hosts
    }

    /// All of them, in order.
    #[must_use]
    pub fn all(&self) -> &[Rule] {
        &self.rules
    }

    /// The first rule for a request, and its number. `path` is in normal form.
    #[must_use]
    pub fn find(&self, method: &[u8], authority: &[u8], path: &str) -> Option<(usize, &Rule)> {
        let host = OnceCell::new();
        let fits = |rule: &Rule| {
            let method_fits = rule
                .methods
                .as_ref()
                .is_none_or(|methods| methods.iter().any(|own| own.as_bytes() == method));
            method_fits
                && rule.hosts.as_ref().is_none_or(|hosts| {
                    let host = host.get_or_init(|| host_of(authority));
                    hosts.iter().any(|pattern| pattern.matches(host))
                })
        };
        let number = self.index.find(&self.rules, path, fits)?;
        Some((number, self.rules.get(number)?))
    }
}

impl PathMatcher {
    /// A matcher for a configured condition.
    ///
    /// # Errors
    /// Why its regular expression is none.
    pub fn new(condition: &PathConfig) -> Result<Self, String> {
        match condition {
            PathConfig::Template(template) => Ok(Self::template(template)),
            PathConfig::Prefix(prefix) => Ok(Self::prefix(prefix)),
            PathConfig::Regex(pattern) => Self::regex(pattern),
        }
    }

    /// A matcher for an OpenAPI path template.
    #[must_use]
    pub fn template(template: &str) -> Self {
        let segment = |text: &str| (!text.starts_with('{')).then(|| text.to_owned());
        Self::Template(segments(template).map(segment).collect())
    }

    /// A matcher for everything at and below `prefix`.
    #[must_use]
    pub fn prefix(prefix: &str) -> Self {
        Self::Prefix(prefix.trim_end_matches('/').to_owned())
    }

    /// A matcher for the paths that `pattern` matches as a whole.
    ///
    /// # Errors
    /// Why it is not a regular expression.
    pub fn regex(pattern: &str) -> Result<Self, String> {
        // Compiled bare first, so that a stray `)` cannot break out of the anchored group.
        Regex::new(pattern).map_err(|error| error.to_string())?;
        let anchored = Regex::new(&format!("^(?:{pattern})$")).map_err(|error| error.to_string())?;
        Ok(Self::Regex(Box::new(anchored)))
    }

    /// Whether it is for one path only.
    #[must_use]
    pub fn is_one(&self) -> bool {
        matches!(self, Self::Template(segments) if segments.iter().all(Option::is_some))
    }

    /// Whether it is for whatever path there is, and for none in particular.
    #[must_use]
    pub fn is_catch_all(&self) -> bool {
        match self {
            Self::Template(segments) => segments.iter().all(Option::is_none),
            Self::Prefix(prefix) => prefix.is_empty(),
            Self::Regex(_) => false,
        }
    }

    /// Whether it matches a path in normal form.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        match self {
            Self::Template(template) => {
                let mut asked = segments(path);
                let each_fits = template.iter().all(|own| match (own, asked.next()) {
                    (Some(literal), Some(segment)) => literal == segment,
                    (None, Some(segment)) => !segment.is_empty(),
                    (_, None) => false,
                });
                each_fits && asked.next().is_none()
            }
            Self::Prefix(prefix) => path
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            Self::Regex(regex) => regex.is_match(path),
        }
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

impl HostPattern {
    /// A pattern from its configured form, in lower case.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        match pattern.strip_prefix('*') {
            Some(domain) => Self::Below(domain.to_owned()),
            None => Self::Exact(pattern.to_owned()),
        }
    }

    fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(own) => own == host,
            Self::Below(domain) => host.len() > domain.len() && host.ends_with(domain.as_str()),
        }
    }
}

/// The host of an authority: lower case, without port, without the dot of a rooted name.
fn host_of(authority: &[u8]) -> String {
    let text = String::from_utf8_lossy(authority).to_ascii_lowercase();
    let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
    let host = match text.rsplit_once(':') {
        Some((host, port)) if is_port(port) && (!host.contains(':') || host.ends_with(']')) => host,
        _ => text.as_str(),
    };
    host.strip_suffix('.').unwrap_or(host).to_owned()
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
