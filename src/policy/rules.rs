//! Rules: which requests need what. The first one that matches wins.

mod folding;
mod host_pattern;
mod narrowing;
mod parts;
mod regex;
mod tree;

use std::cell::{Cell, OnceCell};

use super::requirement::Requirement;
use crate::config::template::spanning_expression;
use crate::config::{Mode, PathConfig, Segment};
use crate::odd_path::Oddities;
use folding::{fold, folded};
pub use host_pattern::HostPattern;
use host_pattern::host_of;
pub use narrowing::{Asked, Narrowing, names};
use narrowing::{Client, Fit};
pub use regex::{Pattern, Undecided};
use regex::{Reading, Regexes};
use tree::Tree;

/// Rules, in order.
#[derive(Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    tree: Tree,
    /// What is asked where none of them matches.
    beyond: Option<Beyond>,
    regexes: Regexes,
    max_path_bytes: usize,
    name_hosts: bool,
    /// What some rule allows a path to have.
    allows: Oddities,
}

/// The rules for paths that are near those of the others, asked where none of the others matches.
#[derive(Debug)]
struct Beyond {
    tree: Tree,
    /// Whether the tree is of lower case, and without a slash at the end.
    is_folded: bool,
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
    /// What else it asks, if it does.
    pub narrowing: Option<Box<Narrowing>>,
    /// What a path may have that is not in normal form.
    pub allow: Oddities,
    /// What the requests need; `None`: what a request needs that no rule speaks of.
    pub requirement: Option<Requirement>,
    /// What it is called in logs and stats.
    pub name: String,
    /// Whether its author named it.
    pub is_named: bool,
    /// Whether its refusals are carried out; `None`: as those of the policy.
    pub mode: Option<Mode>,
}

/// The path condition of a rule, on the path in normal form.
#[derive(Debug)]
pub enum PathMatcher {
    /// An OpenAPI path template.
    Template(Vec<Segment>),
    /// Whole segments at the beginning, without a slash at the end.
    Prefix(String),
    /// Text at the beginning.
    Beginning(String),
    /// Anchored at both ends.
    Regex(Pattern),
}

impl Rules {
    /// These rules, in this order, for paths of so many bytes at most.
    ///
    /// # Errors
    /// If finding one of them could cost more than it may.
    pub fn new(rules: Vec<Rule>, max_path_bytes: usize) -> Result<Self, TooCostly> {
        let name_hosts = rules.iter().any(Rule::names_hosts);
        let allows = rules.iter().fold(Oddities::NONE, |all, rule| all | rule.allow);
        let tree = Tree::new(&rules)?;
        let patterns = rules.iter().enumerate().filter_map(|(number, rule)| match &rule.path {
            PathMatcher::Regex(pattern) => Some((number, pattern, rule.fits_always(allows))),
            PathMatcher::Template(_) | PathMatcher::Prefix(_) | PathMatcher::Beginning(_) => None,
        });
        let patterns: Vec<_> = patterns.collect();
        let why = "its regular expression is too large together with those before it: begin it with what its \
                   paths begin with, repeat nothing many times, or use `path` or `prefix`";
        let regexes = Regexes::new(&patterns).map_err(|rule| TooCostly { rule, why })?;
        Ok(Self { rules, tree, beyond: None, regexes, max_path_bytes, name_hosts, allows })
    }

    /// These rules, of which those from `deeper` on are asked where none of the others matches. Before them, if
    /// `neighbours`, those from there on are asked for paths that differ in a slash at the end or in the case of letters.
    ///
    /// # Errors
    /// If finding one of them could cost more than it may.
    pub fn with_beyond(
        mut rules: Vec<Rule>,
        deeper: usize,
        neighbours: Option<usize>,
        max_path_bytes: usize,
    ) -> Result<Self, TooCostly> {
        let further = rules.split_off(deeper.min(rules.len()));
        let mut all = Self::new(rules, max_path_bytes)?;
        all.rules.extend(further);
        let mut tree = Tree::default();
        let first = neighbours.unwrap_or(deeper);
        for (number, rule) in all.rules.iter().enumerate().skip(first) {
            match &rule.path {
                PathMatcher::Template(template) if neighbours.is_some() => tree.add(number, folded(template)),
                PathMatcher::Template(template) => tree.add(number, template.iter().cloned()),
                PathMatcher::Prefix(_) | PathMatcher::Beginning(_) | PathMatcher::Regex(_) => {}
            }
        }
        tree.finish()?;
        if first < all.rules.len() {
            all.beyond = Some(Beyond { tree, is_folded: neighbours.is_some() });
        }
        Ok(all)
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

    /// What some rule allows a path to have that is not in normal form.
    #[must_use]
    pub fn allows(&self) -> Oddities {
        self.allows
    }

    /// The first rule for a request, and its number. `path` is in normal form.
    ///
    /// # Errors
    /// If that takes more reading than there may be, or a look at the client's address.
    pub fn find(
        &self,
        method: &[u8],
        authority: &[u8],
        path: &str,
    ) -> Result<Option<(usize, &Rule)>, Undecided> {
        self.find_for(&Asked::of(method, authority, path))
    }

    /// The first rule for a request, and its number.
    ///
    /// # Errors
    /// If that takes more reading than there may be, the address of a client that has none, or one reading of a header
    /// that has several.
    pub fn find_for(&self, asked: &Asked<'_>) -> Result<Option<(usize, &Rule)>, Undecided> {
        if self.rules.is_empty() {
            return Ok(None);
        }
        let number = self.number(asked, &mut self.reading(asked.path))?;
        Ok(self.rules.get(number).map(|rule| (number, rule)))
    }

    /// Gives `each` the rules whose template or prefix matches `path`, those with one and the same at a time, in order.
    pub fn places(&self, path: &str, mut each: impl FnMut(&[usize])) {
        let mut take = |numbers: &[usize], best| {
            each(numbers);
            best
        };
        // Without a bound it is never undecided.
        let _ = self.tree.find(path, &mut Reading::without_end(), &mut take);
    }

    /// What finding it takes, in places that are looked at and bytes that automata read: what is held to
    /// the length of the path where slow paths are looked for.
    #[must_use]
    pub fn steps(&self, method: &[u8], authority: &[u8], path: &str) -> usize {
        let mut reading = self.reading(path);
        // Whether it was found makes no difference to what it took.
        let _ = self.number(&Asked::of(method, authority, path), &mut reading);
        reading.steps()
    }

    /// Whether a rule of its own accord asks for something.
    fn is_secured(&self, number: usize) -> bool {
        let requirement = self.rules.get(number).and_then(|rule| rule.requirement.as_ref());
        requirement.is_some_and(|own| !own.allows_anonymous())
    }

    fn reading(&self, path: &str) -> Reading {
        Reading::of(path.len(), self.max_path_bytes)
    }

    fn number(&self, asked: &Asked<'_>, reading: &mut Reading) -> Result<usize, Undecided> {
        let host = OnceCell::new();
        let client = Client::new(asked.host);
        // The first rule of which it cannot be told whether it is for the request, and why.
        let unknown: Cell<Option<(usize, Undecided)>> = Cell::new(None);
        let fits = |rule: &Rule| -> Fit {
            let host = || host.get_or_init(|| host_of(asked.authority)).as_str();
            let method_fits =
                rule.methods.as_ref().is_none_or(|own| names(own, asked.method, rule.covers_head));
            let fits = method_fits
                && rule.allow.contains(asked.oddities)
                && rule.hosts.as_ref().is_none_or(|hosts| hosts.iter().any(|own| own.matches(host())));
            match (&rule.narrowing, fits) {
                (_, false) => Fit::No,
                (None, true) => Fit::Yes,
                (Some(narrowing), true) => narrowing.fit(asked, rule.covers_head, host(), &client),
            }
        };
        let fits = |number: usize| match self.rules.get(number).map(fits) {
            Some(Fit::Yes) => true,
            Some(Fit::No) | None => false,
            Some(Fit::Unknown(why)) => {
                if unknown.get().is_none_or(|(first, _)| number < first) {
                    unknown.set(Some((number, why)));
                }
                false
            }
        };
        let mut take = |numbers: &[usize], best| {
            let mut earlier = numbers.iter().copied().take_while(|&number| number < best);
            earlier.find(|&number| fits(number)).unwrap_or(best)
        };
        let path = asked.path;
        let best = self.tree.find(path, reading, &mut take)?;
        let best = self.regexes.find(path, best, reading, fits)?;
        let best = match &self.beyond {
            Some(beyond) if best == usize::MAX => {
                let path = if beyond.is_folded { &fold(path, true) } else { path };
                // Of several that are near it, one that needs a credential comes first.
                let mut take_secured = |numbers: &[usize], best| {
                    let mut earlier = numbers.iter().copied().take_while(|&number| number < best);
                    earlier.find(|&number| self.is_secured(number) && fits(number)).unwrap_or(best)
                };
                match beyond.tree.find(path, reading, &mut take_secured)? {
                    usize::MAX => beyond.tree.find(path, reading, &mut take)?,
                    secured => secured,
                }
            }
            Some(_) | None => best,
        };
        match unknown.get() {
            Some((number, why)) if number < best => Err(why),
            Some(_) | None => Ok(best),
        }
    }
}

impl Rule {
    /// A rule for every request with such a path, that needs what no rule speaks of.
    #[must_use]
    pub fn new(path: PathMatcher) -> Self {
        Self {
            path,
            methods: None,
            covers_head: false,
            hosts: None,
            narrowing: None,
            allow: Oddities::NONE,
            requirement: None,
            name: String::new(),
            is_named: false,
            mode: None,
        }
    }

    /// Whether it asks nothing of a request but its path. What else a rule asks belongs here too: where one
    /// of these matches, the regular expressions behind it are left out.
    ///
    /// `allows` is what some rule allows a path to have.
    fn fits_always(&self, allows: Oddities) -> bool {
        self.methods.is_none()
            && self.hosts.is_none()
            && self.narrowing.is_none()
            && self.allow.contains(allows)
    }

    fn names_hosts(&self) -> bool {
        self.hosts.is_some() || self.narrowing.as_ref().is_some_and(|own| !own.not_hosts.is_empty())
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
            PathConfig::Beginning(text) => Ok(Self::Beginning(text.clone())),
            PathConfig::Regex(pattern) => Self::regex(pattern),
        }
    }

    /// A matcher for an OpenAPI path template.
    ///
    /// # Errors
    /// If its braces do not fit.
    pub fn template(template: &str) -> Result<Self, &'static str> {
        if let Some(expression) = spanning_expression(template) {
            return Self::regex(&expression);
        }
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
            Self::Template(segments) => {
                segments.iter().all(|segment| matches!(segment, Segment::Any | Segment::Rest))
            }
            Self::Prefix(prefix) => prefix.is_empty(),
            Self::Beginning(text) => text == "/",
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
                each_fits && (asked.next().is_none() || template.last() == Some(&Segment::Rest))
            }
            Self::Prefix(prefix) => path
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            Self::Beginning(text) => path.starts_with(text.as_str()),
            Self::Regex(pattern) => pattern.matches(path),
        }
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
