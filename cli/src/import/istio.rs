//! Istio's RequestAuthentication and AuthorizationPolicy.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::carry::{Carrier, strings, text};
use super::chain::{Action, Gate, Link, Pattern, Policies};
use super::matching::{beginning, by_header, by_hosts, by_networks, by_regex, exact, host_of};
use super::need::Needs;
use super::providers::{Described, Keys, Provider, provider};
use super::rbac::product;
use super::region::{Region, Values};
use super::targets::is_for;
use super::text::{regex_escape, seconds};
use super::who::Who;
use crate::document::Node;

/// An object with the file that it is in.
pub type Object<'a> = (&'a str, &'a Node);

/// The chain for a target.
pub fn chain(objects: &[Object<'_>], target: &(String, Value), carrier: &mut Carrier) -> Vec<Link> {
    let of_kind = |kind: &'static str| {
        objects.iter().filter(move |(_, node)| {
            node.value.get("kind").and_then(|own| own.value.text()) == Some(kind) && is_for(node, target)
        })
    };
    let mut providers = Vec::new();
    for (file, node) in of_kind("RequestAuthentication") {
        (*file).clone_into(&mut carrier.file);
        carrier.look_for_own_headers(node);
        for rule in node.value.at(&["spec", "jwtRules"]).map(|node| node.value.items()).unwrap_or_default() {
            if !providers.is_empty() {
                carrier.takes_any(rule);
            }
            providers.push(Issuer { issuer: text(rule, "issuer"), provider: of_rule(rule, carrier) });
        }
    }
    let mut links = Vec::new();
    if !providers.is_empty() {
        let any = providers.iter().fold(Needs::denied(), |some, own| some.or(&own.provider.needs()));
        let schemes = providers.iter().filter_map(|own| own.provider.scheme.clone());
        let needs = any.or(&Needs::absence(schemes));
        links.push(Link::Gate(Gate { otherwise: Some(needs), ..Gate::default() }));
    }
    for action in [Action::Deny, Action::Allow] {
        let mut entries = Vec::new();
        let mut is_there = false;
        for (file, node) in of_kind("AuthorizationPolicy") {
            (*file).clone_into(&mut carrier.file);
            let own = match node.value.at(&["spec", "action"]).and_then(|node| node.value.text()) {
                None | Some("ALLOW") => Action::Allow,
                Some("DENY") => Action::Deny,
                Some(other) => {
                    carrier.differs(
                        node,
                        format!("a policy with the action {other} is not carried over; keep it in Istio"),
                    );
                    continue;
                }
            };
            if own == action {
                is_there = true;
                let rules =
                    node.value.at(&["spec", "rules"]).map(|node| node.value.items()).unwrap_or_default();
                for rule in rules {
                    let own = entry(rule, &providers, carrier);
                    own.iter().for_each(|(_, who)| who.say_if_unsaid(action, rule, carrier));
                    entries.extend(own);
                }
            }
        }
        if is_there {
            links.push(Link::Policies(Policies { action, scope: None, elsewhere: Vec::new(), entries }));
        }
    }
    links
}

/// A token's issuer.
struct Issuer {
    issuer: Option<String>,
    provider: Provider,
}

/// The cluster that Istio makes of a ServiceEntry for the host of `uri`.
fn cluster_of(uri: &str) -> (String, String) {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let usual = if uri.starts_with("http://") { "80" } else { "443" };
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, usual));
    (format!("outbound|{port}||{host}"), host.to_owned())
}

fn of_rule(rule: &Node, carrier: &mut Carrier) -> Provider {
    let issuer = text(rule, "issuer");
    let uri = text(rule, "jwksUri").or_else(|| text(rule, "jwks_uri"));
    let named = uri.clone().or_else(|| issuer.clone()).unwrap_or_default();
    let (cluster, host) = cluster_of(&named);
    let mut settings = Map::new();
    let timeout = text(rule, "timeout").and_then(|text| seconds(&text)).map(|timeout| timeout.clamp(1, 60));
    settings.extend(timeout.filter(|own| *own != 5).map(|own| ("timeout_seconds".to_owned(), own.into())));
    let keys = match (text(rule, "jwks"), uri) {
        (Some(set), _) => Keys::Inline(rule, set),
        (None, uri) => {
            carrier.differs(rule, format!("the proxy fetches the keys itself: it needs a ServiceEntry for {host}, cluster `{cluster}`"));
            match uri {
                Some(uri) => Keys::Remote { uri, cluster, settings },
                None => Keys::Discovery { cluster },
            }
        }
    };
    let list = |key: &str| rule.value.field(key).map(|node| node.value.items()).unwrap_or_default();
    let mut from: Vec<Value> = list("fromHeaders")
        .iter()
        .map(|place| json!({"header": text(place, "name"), "prefix": text(place, "prefix").unwrap_or_default()}))
        .collect();
    from.extend(strings(rule.value.field("fromParams")).into_iter().map(|name| json!({"query": name})));
    from.extend(strings(rule.value.field("fromCookies")).into_iter().map(|name| json!({"cookie": name})));
    let payload = text(rule, "outputPayloadToHeader");
    let pairs = list("outputClaimToHeaders").iter();
    let described = Described {
        name: host.split('.').next().unwrap_or_default(),
        node: rule,
        issuer: issuer.as_deref(),
        audiences: strings(rule.value.field("audiences")),
        keys,
        from,
        forwards: rule.value.field("forwardOriginalToken").is_some_and(|node| node.value.is_true()),
        claims_to_headers: pairs
            .filter_map(|pair| Some((text(pair, "claim")?, text(pair, "header")?)))
            .collect(),
        payload_header: payload.as_deref(),
        requires_expiration: false,
        spaced: strings(rule.value.field("spaceDelimitedClaims"))
            .into_iter()
            .chain(["scope".to_owned()])
            .collect(),
        skew: None,
    };
    provider(described, carrier)
}

/// A rule: `from`, `to` and `when`.
fn entry(rule: &Node, providers: &[Issuer], carrier: &mut Carrier) -> Vec<(Pattern, Who)> {
    let mut all = vec![(Pattern::any(), Who::anyone())];
    let list = |key: &str| rule.value.field(key).map(|node| node.value.items()).unwrap_or_default();
    let sources: Vec<_> = list("from").iter().filter_map(|item| item.value.field("source")).collect();
    if !sources.is_empty() {
        let some: Vec<_> = sources.iter().flat_map(|node| source(node, providers, carrier)).collect();
        all = product(&all, &some);
    }
    let operations: Vec<_> = list("to").iter().filter_map(|item| item.value.field("operation")).collect();
    if !operations.is_empty() {
        let some: Vec<_> = operations.iter().flat_map(|node| operation(node, carrier)).collect();
        all = product(&all, &some.into_iter().map(|own| (own, Who::anyone())).collect::<Vec<_>>());
    }
    for condition in list("when") {
        let key = text(condition, "key").unwrap_or_default();
        for (field, is_not) in [("values", false), ("notValues", true)] {
            // An empty list is none.
            let Some(node) = condition.value.field(field).filter(|node| !node.value.items().is_empty())
            else {
                continue;
            };
            all = product(&all, &when(&key, &strings(Some(node)), is_not, node, providers, carrier));
        }
    }
    all
}

fn unknown(node: &Node, what: &str, carrier: &mut Carrier) -> Vec<(Pattern, Who)> {
    if matches!(what, "ipBlocks" | "notIpBlocks" | "source.ip") {
        carrier.denies(
            node,
            format!("`{what}` is not carried over: it is the address of the connection, and `client` that of the caller, as \
                     `remoteIpBlocks`"),
        );
        return vec![(Pattern::any(), Who::Unknown)];
    }
    carrier.denies(node, format!("`{what}` is not carried over; keep an AuthorizationPolicy for it"));
    vec![(Pattern::any(), Who::Unknown)]
}

fn source(node: &Node, providers: &[Issuer], carrier: &mut Carrier) -> Vec<(Pattern, Who)> {
    let mut all = vec![(Pattern::any(), Who::anyone())];
    for (key, value) in node.value.members() {
        let values = strings(Some(value));
        if values.is_empty() && value.value.members().is_empty() {
            continue;
        }
        let own = match key.value.as_str() {
            "requestPrincipals" => when("request.auth.principal", &values, false, value, providers, carrier),
            "notRequestPrincipals" => {
                when("request.auth.principal", &values, true, value, providers, carrier)
            }
            "remoteIpBlocks" => when("remote.ip", &values, false, value, providers, carrier),
            "notRemoteIpBlocks" => when("remote.ip", &values, true, value, providers, carrier),
            other => unknown(value, other, carrier),
        };
        all = product(&all, &own);
    }
    all
}

/// The paths of Istio's pattern.
fn paths(pattern: &str, node: &Node, carrier: &mut Carrier) -> Pattern {
    if pattern.contains("{*}") || pattern.contains("{**}") {
        let regex = regex_escape(pattern).replace("\\{\\*\\*\\}", ".*").replace("\\{\\*\\}", "[^/]+");
        return by_regex(&regex, node, carrier);
    }
    match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(""), _) => Pattern::any(),
        (Some(prefix), _) => beginning(prefix, node, carrier),
        (None, Some(suffix)) => by_regex(&format!(".*{}", regex_escape(suffix)), node, carrier),
        (None, None) => exact(pattern, node, carrier),
    }
}

/// The hosts of Istio's pattern.
fn hosts(pattern: &str, node: &Node, carrier: &mut Carrier) -> Pattern {
    // With a port of any kind it is the host.
    let host = host_of(pattern);
    let inner = host.strip_prefix("*.").unwrap_or(&host);
    if host == "*" {
        return Pattern::any();
    }
    if inner.contains('*') {
        carrier.denies(node, format!("the host {pattern:?} is not carried over; write each host"));
        return Pattern::any().uncertain();
    }
    let is_any_port = pattern.ends_with(":*");
    by_hosts(&BTreeSet::from([if is_any_port { host } else { pattern.to_owned() }]), node, carrier)
}

fn operation(node: &Node, carrier: &mut Carrier) -> Vec<Pattern> {
    let mut all = vec![Pattern::any()];
    for (key, value) in node.value.members() {
        let values = strings(Some(value));
        if values.is_empty() && value.value.members().is_empty() {
            continue;
        }
        let (kind, is_not) = match key.value.strip_prefix("not") {
            Some(kind) => (kind.to_ascii_lowercase(), true),
            None => (key.value.clone(), false),
        };
        let own: Vec<Pattern> = match kind.as_str() {
            "paths" => values.iter().map(|pattern| paths(pattern, value, carrier)).collect(),
            "hosts" => values.iter().map(|pattern| hosts(pattern, value, carrier)).collect(),
            "methods" if values.iter().any(|method| method == "*") => vec![Pattern::any()],
            "methods" => vec![by_header(":method", values.into_iter().collect(), value, carrier)],
            _ => {
                carrier.denies(
                    value,
                    format!("`{}` is not carried over; keep an AuthorizationPolicy for it", key.value),
                );
                vec![Pattern::any().uncertain()]
            }
        };
        let own = if is_not { vec![Pattern::except(own)] } else { own };
        all = Pattern::product(&all, &own);
    }
    all
}

/// The steps of `request.auth.claims[a][b]`.
fn claim_steps(key: &str) -> Option<Vec<&str>> {
    let rest = key.strip_prefix("request.auth.claims")?.strip_prefix('[')?.strip_suffix(']')?;
    Some(rest.split("][").collect())
}

/// One condition.
fn when(
    key: &str,
    values: &[String],
    is_not: bool,
    node: &Node,
    providers: &[Issuer],
    carrier: &mut Carrier,
) -> Vec<(Pattern, Who)> {
    let requests = |pattern: Pattern| {
        let pattern = if is_not { Pattern::except(vec![pattern]) } else { pattern };
        vec![(pattern, Who::anyone())]
    };
    if key == "remote.ip" {
        return requests(by_networks(values, node, carrier));
    }
    if let Some(name) = key.strip_prefix("request.headers[").and_then(|rest| rest.strip_suffix(']')) {
        let name = name.to_ascii_lowercase();
        if carrier.is_own_header(&name, node) {
            return requests(Pattern::any().uncertain());
        }
        if values.iter().any(|value| value == "*") {
            let headers = BTreeMap::from([(name, Values::Present)]);
            return requests(Pattern::of(Region { headers, ..Region::any() }));
        }
        if values.iter().any(|value| value.contains('*')) {
            carrier.denies(
                node,
                format!("`{key}` with a part of a value is not carried over; write the values"),
            );
            return requests(Pattern::any().uncertain());
        }
        return requests(by_header(&name, values.iter().cloned().collect(), node, carrier));
    }
    let is_partial = |value: &String| value != "*" && value.contains('*');
    let mut needs = Needs::denied();
    if key == "request.auth.principal" {
        for value in values {
            needs = needs.or(&by_principal(value, providers));
        }
    } else if let Some(steps) = claim_steps(key).or(match key {
        "request.auth.audiences" => Some(vec!["aud"]),
        "request.auth.presenter" => Some(vec!["azp"]),
        _ => None,
    }) {
        if values.iter().any(is_partial) {
            carrier.denies(
                node,
                format!("`{key}` with a part of a value is not carried over; write the values"),
            );
            return vec![(Pattern::any(), Who::Unknown)];
        }
        for own in providers {
            needs = needs.or(&match values.iter().any(|value| value == "*") {
                true => own.provider.having(&steps),
                false => own.provider.holders(&steps, values.iter().cloned().collect()),
            });
        }
    } else {
        return unknown(node, key, carrier);
    }
    if !is_not {
        return vec![(Pattern::any(), Who::holders(needs))];
    }
    if needs.negated().is_none() && !needs.is_cut {
        return unknown(node, &format!("not {key}"), carrier);
    }
    vec![(Pattern::any(), Who::others(needs))]
}

/// `ISSUER/SUBJECT`, with a star for all.
fn by_principal(value: &str, providers: &[Issuer]) -> Needs {
    let mut needs = Needs::denied();
    for own in providers {
        let Some(issuer) = own.issuer.as_deref() else { continue };
        let rest = value.strip_prefix(issuer).and_then(|rest| rest.strip_prefix('/'));
        let of_own = match (value, rest, value.strip_prefix("*/")) {
            // A token without a subject is no principal.
            ("*", ..) | (_, Some("*"), _) => own.provider.having(&["sub"]),
            (_, Some(subject), _) | (_, None, Some(subject)) if !subject.contains('*') => {
                own.provider.holders(&["sub"], BTreeSet::from([subject.to_owned()]))
            }
            // A star within an issuer, or before a part of a subject.
            (_, None, None)
                if value.starts_with('*')
                    || value.strip_suffix('*').is_some_and(|head| format!("{issuer}/").starts_with(head)) =>
            {
                Needs::cut()
            }
            (_, None, None) => continue,
            (_, Some(_), _) | (_, None, Some(_)) => Needs::cut(),
        };
        needs = needs.or(&of_own);
    }
    needs
}
