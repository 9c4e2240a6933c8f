//! What the policy as a whole leaves open: operations of a document of which a path that is nearly theirs, or that is another one's
//! too, needs less; and the routes around it.

use lychgate::config::openapi::import::ImportedRule;
use lychgate::config::template::covers;
use lychgate::config::{Config, CorsPreflight, Errors, Path, PathConfig, Segment};
use lychgate::policy::{Alternative, Asked, Policy, Requirement, Rule};

use super::{Findings, Lookup, routes};
use crate::find::Found;

/// More operations than these are not named one by one.
const MOST_NAMED: usize = 3;

/// Judges the document of a configuration without a fault.
pub(super) fn judge(found: &Found<'_>, lookup: Lookup<'_>, findings: &mut Findings) {
    let errors = Errors::default();
    let config = Config::read(found.text.as_bytes(), &errors);
    let imported = config.openapi.document.as_ref().map(|(imported, _)| imported.clone());
    let passes_preflights = config.cors_preflight == CorsPreflight::Pass;
    let environment = |name: &str| lookup(found, name).or_else(|| Some("x".repeat(64)));
    let Ok(compiled) = Policy::of(config, &environment, errors) else { return };
    routes::judge(found, &compiled.policy, findings);
    if passes_preflights {
        preflights(found, &compiled.policy, findings);
    }
    let Some(imported) = imported else { return };
    neighbours(found, &compiled.policy, &imported.rules, findings);
    both(found, &compiled.policy, &imported.rules, findings);
}

fn needed<'p>(policy: &'p Policy, method: &str, path: &str) -> Option<&'p Requirement> {
    policy.requirement(&Asked::of(method.as_bytes(), b"", path)).ok()?.1
}

/// Whether some credentials are enough for `near` and not for `own`.
fn is_less(near: &Requirement, own: &Requirement) -> bool {
    let meets = |given: &Alternative, wanted: &Alternative| {
        wanted.terms.iter().all(|wanted| {
            given.terms.iter().any(|given| {
                given.scheme == wanted.scheme
                    && wanted.scopes.iter().all(|scope| given.scopes.contains(scope))
                    && wanted.conditions.iter().all(|own| given.conditions.contains(own))
                    && (wanted.step_up.is_none() || wanted.step_up == given.step_up)
            })
        })
    };
    if near.denies() || own.allows_anonymous() {
        return false;
    }
    own.denies()
        || near.allows_anonymous()
        || near
            .alternatives()
            .iter()
            .any(|given| !own.alternatives().iter().any(|wanted| meets(given, wanted)))
}

/// What is open altogether is told at every start; this is what a weaker credential opens.
fn neighbours(found: &Found<'_>, policy: &Policy, operations: &[ImportedRule], findings: &mut Findings) {
    let mut named = Vec::new();
    for operation in operations {
        let (PathConfig::Template(path), Some(method)) = (&operation.path, operation.methods.first()) else {
            continue;
        };
        let Some(own) = needed(policy, method, path) else { continue };
        let slash = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
        let last = path.rsplit_once('/').map(|(head, last)| format!("{head}/{}", last.to_ascii_uppercase()));
        let near = [Some(slash), Some(path.to_ascii_uppercase()), last];
        let weaker = near.into_iter().flatten().find(|near| {
            near != path
                && near != "/"
                && needed(policy, method, near)
                    .is_some_and(|near| !near.allows_anonymous() && is_less(near, own))
        });
        named.extend(weaker.map(|near| format!("{near} beside {method} {path}")));
    }
    if named.is_empty() {
        return;
    }
    let further = named.len().checked_sub(MOST_NAMED).filter(|further| *further > 0);
    let further = further.map(|further| format!(" and {further} more")).unwrap_or_default();
    named.truncate(MOST_NAMED);
    let message = format!(
        "a credential that is not enough for an operation is enough for a path that the application may take for it: {}{further}; \
         `openapi.neighbours: same` asks what the operation needs where no other operation has the path, and a rule in `rules` \
         where one has",
        named.join(", ")
    );
    let openapi = Path::Root.key("openapi");
    findings.inside(found, &openapi.key("neighbours"), message);
}

/// What says that OPTIONS needs a credential is not asked for a preflight, and anyone can send one.
fn preflights(found: &Found<'_>, policy: &Policy, findings: &mut Findings) {
    let is_for_options = |rule: &&Rule| {
        let needs = rule.requirement.as_ref().is_some_and(|own| !own.allows_anonymous());
        needs && rule.methods.as_ref().is_some_and(|methods| methods.iter().any(|own| own == "OPTIONS"))
    };
    if let Some(rule) = policy.rules().iter().find(is_for_options) {
        let message = format!(
            "`{}` needs a credential for OPTIONS, and a request with the headers of a CORS preflight passes without one; set `check` \
             if the service does more for OPTIONS than to answer preflights",
            rule.name
        );
        findings.inside(found, &Path::Root.key("cors_preflight"), message);
    }
}

fn segments(path: &str) -> Option<Vec<Segment>> {
    path.strip_prefix('/')?.split('/').map(Segment::parse).collect()
}

/// A path of both templates; `None`: there is none, or one of them is for no more than the other is.
fn common(one: &[Segment], other: &[Segment]) -> Option<String> {
    if one.len() != other.len() || covers(one, other) || covers(other, one) {
        return None;
    }
    let mut path = String::new();
    for pair in one.iter().zip(other) {
        path.push('/');
        match pair {
            (Segment::Literal(one), Segment::Literal(other)) if one == other => path.push_str(one),
            (Segment::Literal(text), Segment::Any) | (Segment::Any, Segment::Literal(text))
                if !text.is_empty() =>
            {
                path.push_str(text);
            }
            (Segment::Any, Segment::Any) => path.push('x'),
            (Segment::Literal(_) | Segment::Any | Segment::Parts(_) | Segment::Rest, _) => return None,
        }
    }
    Some(path)
}

/// `/x/{a}/secret` and `/x/b/{c}` are both for `/x/b/secret`, and OpenAPI does not say which of them counts.
fn both(found: &Found<'_>, policy: &Policy, operations: &[ImportedRule], findings: &mut Findings) {
    let read: Vec<(&ImportedRule, &str, Vec<Segment>)> = operations
        .iter()
        .filter_map(|operation| match &operation.path {
            PathConfig::Template(path) => Some((operation, path.as_str(), segments(path)?)),
            PathConfig::Prefix(_) | PathConfig::Beginning(_) | PathConfig::Regex(_) => None,
        })
        .collect();
    for (operation, path, own) in &read {
        let Some(method) = operation.methods.first() else { continue };
        let Some(wanted) = needed(policy, method, path) else { continue };
        let others = read.iter().filter(|(other, ..)| other.methods == operation.methods);
        let taken = others
            .filter_map(|(_, other, theirs)| Some((other, common(own, theirs)?)))
            .find(|(_, path)| needed(policy, method, path).is_some_and(|given| is_less(given, wanted)));
        if let Some((other, shared)) = taken {
            let message = format!(
                "{shared} is also a path of {other}, which needs less, and gets the request; a rule in `rules` says what it needs"
            );
            findings.inside(found, &Path::Text(&operation.place), message);
        }
    }
}
