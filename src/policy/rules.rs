//! Rules: which requests need what. The first one that matches wins.

mod parts;
mod regex;
mod tree;

use std::cell::OnceCell;

use super::requirement::Requirement;
use crate::config::{Mode, PathConfig, Segment};
pub use regex::{Pattern, Undecided};
use regex::{Reading, Regexes};
use tree::Tree;

/// Rules, in order.
#[derive(Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    tree: Tree,
    regexes: Regexes,
    max_path_bytes: usize,
    name_hosts: bool,
}

/// A rule with which finding the one for a request costs more than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooCostly {
    /// Its number.
    pub rule: usize,
    /// What there is too much of, and what to do.
    pub why: &'static str,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// The path condition.
    pub path: PathMatcher,
    /// Methods, compared exactly (RFC 9110 section 9.1); none: every one.
    pub methods: Option<Vec<String>>,
    /// Whether GET among them covers HEAD too (RFC 9110 section 9.3.2: the same, without its content).
    pub covers_head: bool,
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
    /// An OpenAPI path template.
    Template(Vec<Segment>),
    /// Whole segments at the beginning, without a slash at the end.
    Prefix(String),
    /// Anchored at both ends.
    Regex(Pattern),
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
    /// These rules, in this order, for paths of so many bytes at most.
    ///
    /// # Errors
    /// If finding one of them could cost more than it may.
    pub fn new(rules: Vec<Rule>, max_path_bytes: usize) -> Result<Self, TooCostly> {
        let name_hosts = rules.iter().any(|rule| rule.hosts.is_some());
        let tree = Tree::new(&rules)?;
        let patterns = rules.iter().enumerate().filter_map(|(number, rule)| match &rule.path {
            PathMatcher::Regex(pattern) => Some((number, pattern, rule.fits_always())),
            PathMatcher::Template(_) | PathMatcher::Prefix(_) => None,
        });
        let patterns: Vec<_> = patterns.collect();
        let why = "its regular expression is too large together with those before it: begin it with what its \
                   paths begin with, repeat nothing many times, or use `path` or `prefix`";
        let regexes = Regexes::new(&patterns).map_err(|rule| TooCostly { rule, why })?;
        Ok(Self { rules, tree, regexes, max_path_bytes, name_hosts })
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
    ///
    /// # Errors
    /// If that takes more reading than there may be.
    pub fn find(
        &self,
        method: &[u8],
        authority: &[u8],
        path: &str,
    ) -> Result<Option<(usize, &Rule)>, Undecided> {
        if self.rules.is_empty() {
            return Ok(None);
        }
        let number = self.number(method, authority, path, &mut self.reading(path))?;
        Ok(self.rules.get(number).map(|rule| (number, rule)))
    }

    /// What finding it takes, in places that are looked at and bytes that automata read: what is held to
    /// the length of the path where slow paths are looked for.
    #[must_use]
    pub fn steps(&self, method: &[u8], authority: &[u8], path: &str) -> usize {
        let mut reading = self.reading(path);
        // Whether it was found makes no difference to what it took.
        let _ = self.number(method, authority, path, &mut reading);
        reading.steps()
    }

    fn reading(&self, path: &str) -> Reading {
        Reading::of(path.len(), self.max_path_bytes)
    }

    fn number(
        &self,
        method: &[u8],
        authority: &[u8],
        path: &str,
        reading: &mut Reading,
    ) -> Result<usize, Undecided> {
        let host = OnceCell::new();
        let fits = |rule: &Rule| {
            let names = |methods: &Vec<String>| {
                let named = |asked: &[u8]| methods.iter().any(|own| own.as_bytes() == asked);
                named(method) || (rule.covers_head && method == b"HEAD" && named(b"GET"))
            };
            let method_fits = rule.methods.as_ref().is_none_or(names);
            method_fits
                && rule.hosts.as_ref().is_none_or(|hosts| {
                    let host = host.get_or_init(|| host_of(authority));
                    hosts.iter().any(|pattern| pattern.matches(host))
                })
        };
        let fits = |number: usize| self.rules.get(number).is_some_and(fits);
        let best = self.tree.find(path, reading, |numbers, best| {
            let mut earlier = numbers.iter().copied().take_while(|&number| number < best);
            earlier.find(|&number| fits(number)).unwrap_or(best)
        })?;
        self.regexes.find(path, best, reading, fits)
    }
}

impl Rule {
    /// Whether it asks nothing of a request but its path. What else a rule asks belongs here too: where one
    /// of these matches, the regular expressions behind it are left out.
    fn fits_always(&self) -> bool {
        self.methods.is_none() && self.hosts.is_none()
    }
}

impl PathMatcher {
    /// A matcher for a configured condition.
    ///
    /// # Errors
    /// Why it is none.
    pub fn new(condition: &PathConfig) -> Result<Self, &'static str> {
        match condition {
            PathConfig::Template(template) => Self::template(template),
            PathConfig::Prefix(prefix) => Ok(Self::prefix(prefix)),
            PathConfig::Regex(pattern) => Self::regex(pattern),
        }
    }

    /// A matcher for an OpenAPI path template.
    ///
    /// # Errors
    /// If its braces do not fit.
    pub fn template(template: &str) -> Result<Self, &'static str> {
        let segments: Option<_> = segments(template).map(Segment::parse).collect();
        segments.map(Self::Template).ok_or("not a path template")
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
    pub fn regex(pattern: &str) -> Result<Self, &'static str> {
        Pattern::new(pattern).map(Self::Regex)
    }

    /// Whether it is for one path only.
    #[must_use]
    pub fn is_one(&self) -> bool {
        let is_literal = |segment: &Segment| matches!(segment, Segment::Literal(_));
        matches!(self, Self::Template(segments) if segments.iter().all(is_literal))
    }

    /// Whether it is for whatever path there is, and for none in particular.
    #[must_use]
    pub fn is_catch_all(&self) -> bool {
        match self {
            Self::Template(segments) => segments.iter().all(|segment| *segment == Segment::Any),
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
                let mut each = template.iter();
                let each_fits = each.all(|own| asked.next().is_some_and(|segment| own.matches(segment)));
                each_fits && asked.next().is_none()
            }
            Self::Prefix(prefix) => path
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            Self::Regex(pattern) => pattern.matches(path),
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
