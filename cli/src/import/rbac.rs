//! Envoy's `rbac`: permissions and principals.

use std::collections::BTreeSet;

use super::carry::Carrier;
use super::chain::{Action, Pattern, Policies};
use super::matching::{by_networks, header_matcher, network_of, path_matcher};
use super::need::Needs;
use super::providers::Provider;
use super::who::Who;
use crate::document::Node;

/// The policies of `rules`; `None`: there are none, and every request passes.
pub fn policies(rules: &Node, providers: &[Provider], carrier: &mut Carrier) -> Option<Policies> {
    let tree = &rules.value;
    let action = match tree.field("action").and_then(|node| node.value.text()) {
        None | Some("ALLOW") => Action::Allow,
        Some("DENY") => Action::Deny,
        Some(_) => return None,
    };
    let mut entries = Vec::new();
    for (_, policy) in tree.field("policies").map(|node| node.value.members()).unwrap_or_default() {
        let list = |key: &str| policy.value.field(key).map(|node| node.value.items()).unwrap_or_default();
        let permitted: Vec<_> =
            list("permissions").iter().flat_map(|node| permission(node, carrier)).collect();
        let principals: Vec<_> =
            list("principals").iter().flat_map(|node| principal(node, providers, carrier)).collect();
        let is_conditional =
            ["condition", "checked_condition"].iter().find_map(|key| policy.value.field(key));
        if let Some(node) = is_conditional {
            carrier.denies(node, "a `condition` in CEL is not carried over; write it by hand");
        }
        for pattern in &permitted {
            for (caller, who) in &principals {
                let Some(both) = pattern.and(caller) else { continue };
                who.say_if_unsaid(action, policy, carrier);
                entries.push((if is_conditional.is_some() { both.uncertain() } else { both }, who.clone()));
            }
        }
    }
    Some(Policies { action, scope: None, elsewhere: Vec::new(), entries })
}

fn items<'a>(node: &'a Node, key: &str) -> &'a [Node] {
    node.value.field(key).map(|node| node.value.items()).unwrap_or_default()
}

fn permission(node: &Node, carrier: &mut Carrier) -> Vec<Pattern> {
    let Some((key, value)) = node.value.members().first() else { return Vec::new() };
    match super::carry::snake_case(&key.value).as_str() {
        "any" => vec![Pattern::any()],
        "and_rules" => items(value, "rules")
            .iter()
            .fold(vec![Pattern::any()], |all, rule| Pattern::product(&all, &permission(rule, carrier))),
        "or_rules" => items(value, "rules").iter().flat_map(|rule| permission(rule, carrier)).collect(),
        "not_rule" => vec![Pattern::except(permission(value, carrier))],
        "header" => header_matcher(value, carrier),
        "url_path" => match value.value.field("path") {
            Some(path) => vec![path_matcher(path, carrier)],
            None => vec![Pattern::any().uncertain()],
        },
        other => {
            carrier.denies(node, format!("the permission `{other}` is not carried over; write it by hand"));
            vec![Pattern::any().uncertain()]
        }
    }
}

/// The pairs of two lists of alternatives.
pub fn product(left: &[(Pattern, Who)], right: &[(Pattern, Who)]) -> Vec<(Pattern, Who)> {
    let pair = |(pattern, who): &(Pattern, Who), (other, whom): &(Pattern, Who)| {
        Some((pattern.and(other)?, who.and(whom)))
    };
    left.iter().flat_map(|one| right.iter().filter_map(move |other| pair(one, other))).collect()
}

fn principal(node: &Node, providers: &[Provider], carrier: &mut Carrier) -> Vec<(Pattern, Who)> {
    let Some((key, value)) = node.value.members().first() else { return Vec::new() };
    let of_requests = |patterns: Vec<Pattern>| patterns.into_iter().map(|own| (own, Who::anyone())).collect();
    match super::carry::snake_case(&key.value).as_str() {
        "any" => vec![(Pattern::any(), Who::anyone())],
        "and_ids" => items(value, "ids").iter().fold(vec![(Pattern::any(), Who::anyone())], |all, id| {
            product(&all, &principal(id, providers, carrier))
        }),
        "or_ids" => items(value, "ids").iter().flat_map(|id| principal(id, providers, carrier)).collect(),
        "not_id" => negated(principal(value, providers, carrier), node, carrier),
        "header" => of_requests(header_matcher(value, carrier)),
        "url_path" => match value.value.field("path") {
            Some(path) => vec![(path_matcher(path, carrier), Who::anyone())],
            None => vec![(Pattern::any(), Who::Unknown)],
        },
        "remote_ip" => of_requests(vec![by_networks(&[network_of(value)], value, carrier)]),
        "direct_remote_ip" | "source_ip" => {
            carrier.denies(
                value,
                "the address of the connection is not carried over: `client` is that of the caller, as `remote_ip`",
            );
            vec![(Pattern::any(), Who::Unknown)]
        }
        "metadata" => vec![(Pattern::any(), by_metadata(value, providers, carrier))],
        other => {
            carrier.denies(node, format!("the principal `{other}` is not carried over; keep this filter for it, or write a rule by hand"));
            vec![(Pattern::any(), Who::Unknown)]
        }
    }
}

/// None of these callers.
fn negated(callers: Vec<(Pattern, Who)>, node: &Node, carrier: &mut Carrier) -> Vec<(Pattern, Who)> {
    let mut all = vec![(Pattern::any(), Who::anyone())];
    for (pattern, who) in callers {
        if who == Who::Unknown {
            carrier.denies(node, "what `not_id` denies here is not carried over; write a rule by hand");
        }
        // Whose request is another, or who is another.
        let mut others: Vec<_> = who.opposites().into_iter().map(|other| (Pattern::any(), other)).collect();
        if pattern != Pattern::any() {
            others.push((Pattern::except(vec![pattern]), Who::anyone()));
        }
        all = product(&all, &others);
    }
    all
}

/// A `MetadataMatcher` on what `jwt_authn` found.
fn by_metadata(node: &Node, providers: &[Provider], carrier: &mut Carrier) -> Who {
    let tree = &node.value;
    let filter = tree.field("filter").and_then(|node| node.value.text());
    let steps: Vec<&str> = tree
        .field("path")
        .map(|node| node.value.items())
        .unwrap_or_default()
        .iter()
        .filter_map(|step| step.value.field("key").and_then(|key| key.value.text()))
        .collect();
    let values = tree.field("value").and_then(values_of);
    let is_inverted = tree.field("invert").is_some_and(|node| node.value.is_true());
    let (Some("envoy.filters.http.jwt_authn"), Some((payload, claim)), Some(values), false) =
        (filter, steps.split_first(), values, is_inverted)
    else {
        carrier.denies(node, "this condition on dynamic metadata is not carried over; write it by hand");
        return Who::Unknown;
    };
    let is_scope = claim == ["scope"] && providers.iter().all(|provider| provider.spaced.contains("scope"));
    if values.is_some() && !is_scope && tree.fields(&["value", "or_match"]).is_none() {
        carrier.counts_alike(node);
    }
    let own = providers.iter().filter(|provider| provider.payload_name.as_deref() == Some(payload));
    let needs = own.fold(Needs::denied(), |some, provider| {
        some.or(&match (&values, claim.is_empty()) {
            (Some(values), false) => provider.holders(claim, values.clone()),
            (None, false) => provider.having(claim),
            (None, true) => provider.needs(),
            (Some(_), true) => Needs::cut(),
        })
    });
    Who::holders(needs)
}

/// The values of a `ValueMatcher`, `Some(None)` for one that is only there; `None`: it cannot be said.
#[expect(clippy::option_option, reason = "not said, any value, or these")]
fn values_of(node: &Node) -> Option<Option<BTreeSet<String>>> {
    let tree = &node.value;
    if let Some(present) = tree.field("present_match") {
        return present.value.is_true().then_some(None);
    }
    if let Some(one_of) = tree.fields(&["list_match", "one_of"]) {
        return values_of(one_of);
    }
    if let Some(matchers) = tree.fields(&["or_match", "value_matchers"]) {
        let mut all = BTreeSet::new();
        for matcher in matchers.value.items() {
            all.extend(values_of(matcher)??);
        }
        return Some(Some(all));
    }
    let exact = tree.fields(&["string_match", "exact"])?;
    let is_loose = tree.fields(&["string_match", "ignore_case"]).is_some_and(|node| node.value.is_true());
    (!is_loose).then(|| exact.value.text().map(|text| Some(BTreeSet::from([text.to_owned()]))))?
}
