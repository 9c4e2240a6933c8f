//! Rules that an earlier one keeps from being asked. The first rule that matches counts, so that a rule for much
//! before one for less is easily written and seldom meant.
//!
//! Not every rule is compared with every one before it. A rule that covers another one matches a path that is made of
//! the other one's condition, so that the index by which rules are found for requests finds it for that path.

use std::collections::HashMap;

use super::Compiler;
use crate::config::template;
use crate::config::{Path, RuleConfig, Segment};
use crate::policy::requirement::Requirement;
use crate::policy::rules::{PathMatcher, Rule, Rules};

/// Stands for a parameter in a path that is made of a template.
const PARAMETER: &str = "\u{1}";

/// The path conditions that are seen to match every path.
const EVERY_PATH: [&str; 2] = ["regex .*", "regex /.*"];

/// The keys of the path conditions of rules; of a rule with an error none.
pub(super) fn keys(rules: &[Option<RuleConfig>]) -> Vec<Option<String>> {
    rules.iter().map(|rule| Some(rule.as_ref()?.matcher.as_ref()?.path.key())).collect()
}

/// A rule, and the key of its path condition.
#[derive(Clone, Copy)]
struct Written<'r> {
    rule: &'r Rule,
    key: &'r str,
}

/// Where a rule is that names no host.
const NO_HOST: &str = "";

/// Where a public rule is too, whichever hosts it names.
const ANY_HOST: &str = "*";

/// Rules that can keep others from being asked, in order, by their path condition and each of their hosts.
#[derive(Default)]
struct Index {
    places: HashMap<Box<str>, usize>,
    numbers: Vec<Vec<usize>>,
}

impl Index {
    fn add(&mut self, path: &str, host: &str, number: usize) {
        let next = self.numbers.len();
        let place = *self.places.entry(format!("{path} {host}").into()).or_insert(next);
        if place == next {
            self.numbers.push(Vec::new());
        }
        if let Some(numbers) = self.numbers.get_mut(place) {
            numbers.push(number);
        }
    }

    fn at(&self, path: &str, host: &str) -> &[usize] {
        let place = self.places.get(format!("{path} {host}").as_str());
        place.and_then(|&place| self.numbers.get(place)).map(Vec::as_slice).unwrap_or_default()
    }
}

impl Compiler<'_> {
    /// Warns of a rule that never matches, and of one that an earlier public rule opens in part. `keys` are those of the
    /// rules that are written by hand.
    pub(super) fn warn_of_shadowed(&self, rules: &Rules, keys: &[Option<String>]) {
        let written = rules.all().iter().zip(keys);
        // After an error nobody reads a warning, and the rules have other numbers.
        let written: Option<Vec<_>> =
            written.map(|(rule, key)| Some(Written { rule, key: key.as_deref()? })).collect();
        let written = written.unwrap_or_default();
        let mut index = Index::default();
        for (number, later) in written.iter().enumerate() {
            // A place of the rules' own index is called by the first rule there, an expression by its key.
            let mut own = later.key.to_owned();
            let mut paths = EVERY_PATH.map(str::to_owned).to_vec();
            paths.push(own.clone());
            rules.places(&instance(&later.rule.path), |numbers| {
                let Some(first) = numbers.first() else { return };
                paths.push(first.to_string());
                if numbers.binary_search(&number).is_ok() {
                    own = first.to_string();
                }
            });
            let mut first: Option<usize> = None;
            let mut look = |path: &str, host: &str| {
                let numbers = index.at(path, host).iter().copied();
                let mut before = numbers.take_while(|own| first.is_none_or(|first| *own < first));
                let is_shadow = |own: &usize| written.get(*own).is_some_and(|own| is_shadow(own, later));
                first = before.find(is_shadow).or(first);
            };
            for path in &paths {
                look(path, NO_HOST);
                match &later.rule.hosts {
                    Some(hosts) => hosts.iter().for_each(|host| look(path, host.text())),
                    None if is_public(later.rule) || *path == own => {}
                    None => look(path, ANY_HOST),
                }
            }
            if let Some(earlier) = first {
                self.warn_of(number, later, earlier, written.get(earlier));
            }
            if !can_be_shadow(later.rule) {
                continue;
            }
            match &later.rule.hosts {
                Some(hosts) => {
                    hosts.iter().for_each(|host| index.add(&own, host.text(), number));
                    if is_public(later.rule) {
                        index.add(&own, ANY_HOST, number);
                    }
                }
                None => index.add(&own, NO_HOST, number),
            }
        }
    }

    fn warn_of(&self, number: usize, later: &Written<'_>, earlier: usize, by: Option<&Written<'_>>) {
        let message = if by.is_some_and(|by| takes_all(by.rule, later.rule)) {
            format!("never matches: rules[{earlier}] comes first and matches all of it")
        } else {
            format!(
                "is public in part: rules[{earlier}] comes first, needs no credential, and matches some of it; put it \
                 behind"
            )
        };
        let root = Path::Root.key("rules");
        self.warnings.add(&root.index(number).key("match"), message);
    }
}

/// A path that the condition matches, and whatever is seen to cover it. Of an expression none is known.
fn instance(path: &PathMatcher) -> String {
    match path {
        PathMatcher::Template(segments) => {
            let text = |segment: &Segment| match segment {
                Segment::Literal(text) => format!("/{text}"),
                Segment::Any | Segment::Rest => format!("/{PARAMETER}"),
                Segment::Parts(parts) => format!("/{}", parts.text(PARAMETER)),
            };
            segments.iter().map(text).collect()
        }
        PathMatcher::Prefix(text) | PathMatcher::Beginning(text) => text.clone(),
        PathMatcher::Regex(_) => "/".to_owned(),
    }
}

/// Whether some rule may never be asked, or be open, because of this one.
fn can_be_shadow(rule: &Rule) -> bool {
    rule.narrowing.is_none() || (is_public(rule) && !is_for_some_callers(rule))
}

fn is_shadow(earlier: &Written<'_>, later: &Written<'_>) -> bool {
    covers(earlier, later)
        && (takes_all(earlier.rule, later.rule)
            || (is_public(earlier.rule)
                && !is_public(later.rule)
                && meet(earlier.rule, later.rule)
                // An exception: for some requests with the same path, or for some callers.
                && earlier.key != later.key
                && !is_for_some_callers(earlier.rule)))
}

/// Whether it lets a request in without a credential.
fn is_public(rule: &Rule) -> bool {
    rule.requirement.as_ref().is_some_and(Requirement::allows_anonymous)
}

fn is_for_some_callers(rule: &Rule) -> bool {
    rule.narrowing.as_ref().is_some_and(|own| own.client.is_some() || !own.headers.is_empty())
}

/// Whether every path of `later` is one of `earlier`, as far as that is seen.
fn covers(earlier: &Written<'_>, later: &Written<'_>) -> bool {
    match (&earlier.rule.path, &later.rule.path) {
        _ if earlier.key == later.key => true,
        (PathMatcher::Prefix(prefix), PathMatcher::Template(path)) => {
            let mut path = path.iter();
            // What is before the first slash is no segment.
            prefix.split('/').skip(1).all(|own| path.next() == Some(&Segment::Literal(own.to_owned())))
        }
        (PathMatcher::Prefix(prefix), PathMatcher::Regex(_)) => prefix.is_empty(),
        (PathMatcher::Prefix(prefix), PathMatcher::Prefix(text) | PathMatcher::Beginning(text)) => {
            text.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with('/'))
        }
        (PathMatcher::Beginning(text), PathMatcher::Prefix(path) | PathMatcher::Beginning(path)) => {
            path.starts_with(text.as_str())
        }
        (PathMatcher::Beginning(text), PathMatcher::Template(path)) => {
            let literals = path.iter().map_while(|segment| match segment {
                Segment::Literal(text) => Some(format!("/{text}")),
                Segment::Any | Segment::Parts(_) | Segment::Rest => None,
            });
            literals.collect::<String>().starts_with(text.as_str())
        }
        (PathMatcher::Beginning(_), PathMatcher::Regex(_)) => false,
        (PathMatcher::Regex(_), _) => EVERY_PATH.contains(&earlier.key),
        (PathMatcher::Template(own), PathMatcher::Template(path)) => template::covers(own, path),
        (
            PathMatcher::Template(_),
            PathMatcher::Prefix(_) | PathMatcher::Beginning(_) | PathMatcher::Regex(_),
        ) => false,
    }
}

fn takes_all(earlier: &Rule, later: &Rule) -> bool {
    earlier.narrowing.is_none()
        && holds(earlier.methods.as_deref(), later.methods.as_deref())
        && holds(earlier.hosts.as_deref(), later.hosts.as_deref())
}

fn holds<T: PartialEq>(earlier: Option<&[T]>, later: Option<&[T]>) -> bool {
    match (earlier, later) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(earlier), Some(later)) => later.iter().all(|own| earlier.contains(own)),
    }
}

/// Whether some request is for both.
fn meet(earlier: &Rule, later: &Rule) -> bool {
    shares(earlier.methods.as_deref(), later.methods.as_deref())
        && shares(earlier.hosts.as_deref(), later.hosts.as_deref())
}

fn shares<T: PartialEq>(earlier: Option<&[T]>, later: Option<&[T]>) -> bool {
    match (earlier, later) {
        (None, _) | (_, None) => true,
        (Some(earlier), Some(later)) => later.iter().any(|own| earlier.contains(own)),
    }
}

#[cfg(test)]
#[path = "shadowed_tests.rs"]
mod tests;
