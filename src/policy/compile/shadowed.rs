//! Rules that an earlier one keeps from being asked. The first rule that matches counts, so that a rule for much
//! before one for less is easily written and seldom meant.

use super::Compiler;
use crate::config::{MatchConfig, Path, PathKey, RuleConfig, Segment};

/// A rule as it is written, and whether it lets a request in without a credential.
struct Written<'c> {
    number: usize,
    matcher: &'c MatchConfig,
    path: PathKey,
    is_public: bool,
}

impl Compiler<'_> {
    /// Warns of a rule that never matches, and of one that an earlier public rule opens in part.
    pub(super) fn warn_of_shadowed(&self, rules: &[Option<RuleConfig>]) {
        let written = rules.iter().enumerate().filter_map(|(number, rule)| {
            let rule = rule.as_ref()?;
            let security = rule.security.as_ref()?;
            let is_public = security
                .required()
                .is_some_and(|needed| needed.is_empty() || needed.iter().any(|schemes| schemes.is_empty()));
            let matcher = rule.matcher.as_ref()?;
            Some(Written { number, matcher, path: matcher.path.key(), is_public })
        });
        let written: Vec<Written<'_>> = written.collect();
        for (place, later) in written.iter().enumerate() {
            let earlier = written.iter().take(place).find(|earlier| {
                covers(&earlier.path, &later.path)
                    && (takes_all(earlier, later)
                        || (earlier.is_public
                            && !later.is_public
                            && meet(earlier, later)
                            && !is_exception(earlier, later)))
            });
            let Some(earlier) = earlier else { continue };
            let message = if takes_all(earlier, later) {
                format!("never matches: rules[{}] comes first and matches all of it", earlier.number)
            } else {
                format!(
                    "is public in part: rules[{}] comes first, needs no credential, and matches some of it; put it \
                     behind",
                    earlier.number
                )
            };
            let root = Path::Root.key("rules");
            self.warnings.add(&root.index(later.number).key("match"), message);
        }
    }
}

/// Whether every path of `later` is one of `earlier`, as far as that is seen.
fn covers(earlier: &PathKey, later: &PathKey) -> bool {
    match (earlier, later) {
        _ if earlier == later => true,
        (PathKey::Prefix(prefix), PathKey::Prefix(path)) => {
            path.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with('/'))
        }
        (PathKey::Prefix(prefix), PathKey::Template(path)) => {
            let mut path = path.iter();
            prefix.split('/').all(|own| path.next() == Some(&Segment::Literal(own.to_owned())))
        }
        (PathKey::Prefix(prefix), PathKey::Regex(_)) => prefix.is_empty(),
        (PathKey::Prefix(prefix), PathKey::Beginning(text)) => {
            text.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with('/'))
        }
        (PathKey::Beginning(text), PathKey::Prefix(path) | PathKey::Beginning(path)) => {
            path.starts_with(text.as_str())
        }
        (PathKey::Beginning(text), PathKey::Template(path)) => {
            let literals = path.iter().map_while(|segment| match segment {
                Segment::Literal(text) => Some(text.as_str()),
                Segment::Any | Segment::Parts(_) | Segment::Rest => None,
            });
            literals.collect::<Vec<_>>().join("/").starts_with(text.as_str())
        }
        (PathKey::Beginning(_), PathKey::Regex(_)) => false,
        (PathKey::Regex(regex), _) => matches!(regex.as_str(), ".*" | "/.*"),
        (PathKey::Template(own), PathKey::Template(path)) => crate::config::template::covers(own, path),
        (PathKey::Template(_), PathKey::Prefix(_) | PathKey::Beginning(_) | PathKey::Regex(_)) => false,
    }
}

fn takes_all(earlier: &Written<'_>, later: &Written<'_>) -> bool {
    let holds = |earlier: Option<&[String]>, later: Option<&[String]>| match (earlier, later) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(earlier), Some(later)) => later.iter().all(|own| earlier.contains(own)),
    };
    !earlier.matcher.is_narrowed()
        && holds(earlier.matcher.methods.as_deref(), later.matcher.methods.as_deref())
        && holds(earlier.matcher.hosts.as_deref(), later.matcher.hosts.as_deref())
}

/// Whether `earlier` is written as an exception of `later`: for some requests with the same path, or for some callers.
fn is_exception(earlier: &Written<'_>, later: &Written<'_>) -> bool {
    earlier.path == later.path || earlier.matcher.client.is_some() || !earlier.matcher.headers.is_empty()
}

/// Whether some request is for both.
fn meet(earlier: &Written<'_>, later: &Written<'_>) -> bool {
    let meet = |earlier: Option<&[String]>, later: Option<&[String]>| match (earlier, later) {
        (None, _) | (_, None) => true,
        (Some(earlier), Some(later)) => later.iter().any(|own| earlier.contains(own)),
    };
    meet(earlier.matcher.methods.as_deref(), later.matcher.methods.as_deref())
        && meet(earlier.matcher.hosts.as_deref(), later.matcher.hosts.as_deref())
}

#[cfg(test)]
#[path = "shadowed_tests.rs"]
mod tests;
