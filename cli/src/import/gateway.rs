//! Envoy Gateway's SecurityPolicy.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::carry::{Carrier, strings, text};
use super::chain::{Action, Gate, Link, Ordered, Pattern, Policies};
use super::istio::Object;
use super::keyed::{basic_of_htpasswd, digest, key_scheme};
use super::matching::{by_header, by_networks};
use super::need::Needs;
use super::providers::{Described, Keys, Provider, provider};
use super::region::{Region, Values};
use super::text::seconds;
use super::who::Who;
use crate::document::Node;

fn items<'a>(node: &'a Node, key: &str) -> &'a [Node] {
    node.value.field(key).map(|node| node.value.items()).unwrap_or_default()
}

/// The chain of a policy; `objects` may have the Secrets and ConfigMaps that it names.
pub fn chain(policy: &Node, objects: &[Object<'_>], carrier: &mut Carrier) -> Vec<Link> {
    let Some(spec) = policy.value.get("spec") else { return Vec::new() };
    for key in ["cors", "oidc", "extAuth"] {
        if let Some(node) = spec.value.get(key) {
            carrier.differs(node, format!("`{key}` is not carried over; keep it in this SecurityPolicy"));
        }
    }
    carrier.look_for_own_headers(spec);
    let mut links = Vec::new();
    let mut providers = BTreeMap::new();
    if let Some(jwt) = spec.value.get("jwt") {
        for own in items(jwt, "providers") {
            let name = text(own, "name").unwrap_or_default();
            providers.insert(name, of_policy(policy, own, objects, carrier));
        }
        if providers.len() > 1 {
            carrier.takes_any(jwt);
        }
        let mut needs = providers.values().fold(Needs::denied(), |some, own| some.or(&own.needs()));
        if jwt.value.field("optional").is_some_and(|node| node.value.is_true()) {
            needs = needs.or(&Needs::absence(providers.values().filter_map(|own| own.scheme.clone())));
        }
        links.push(Link::Gate(Gate { otherwise: Some(needs), ..Gate::default() }));
    }
    if let Some(node) = spec.value.get("apiKeyAuth") {
        links.extend(tells_client(spec, node, "forwardClientIDHeader", carrier));
        let needs = api_keys(policy, node, objects, carrier);
        links.push(Link::Gate(Gate { otherwise: Some(needs), ..Gate::default() }));
    }
    if let Some(node) = spec.value.get("basicAuth") {
        links.extend(tells_client(spec, node, "forwardUsernameHeader", carrier));
        let secret = node.value.at(&["users", "name"]).and_then(|node| node.value.text()).unwrap_or_default();
        let users = node.value.get("users");
        let list = users
            .and_then(|users| secret_of(policy, objects, users))
            .and_then(|mut found| found.remove(".htpasswd"));
        let needs = match list {
            Some(list) => basic_of_htpasswd(&list, None, node, carrier),
            None => {
                carrier.denies(
                    node,
                    format!("the Secret {secret:?} is not among these files; add its users to `users`"),
                );
                Needs::cut()
            }
        };
        links.push(Link::Gate(Gate { otherwise: Some(needs), ..Gate::default() }));
    }
    if let Some(node) = spec.value.get("authorization") {
        links.push(Link::Ordered(authorization(node, &providers, carrier)));
    }
    links
}

/// The header that tells the upstream the name of a client. Beside other credentials Lychgate would tell theirs in it: the
/// upstream gets none then, and a request that brings its own is refused.
fn tells_client(spec: &Node, node: &Node, key: &str, carrier: &mut Carrier) -> Option<Link> {
    let header = text(node, key)?.to_ascii_lowercase();
    let kinds = ["jwt", "apiKeyAuth", "basicAuth"];
    if kinds.iter().filter(|kind| spec.value.get(kind).is_some()).count() < 2 {
        carrier.settings.insert("identity_headers".into(), json!({"subject": header}));
        return None;
    }
    carrier.denies(
        node,
        format!(
            "a request with its own `{header}`: `{key}` beside another credential is not carried over, and the upstream gets no \
             such header (`identity_headers` tells the subject of either credential)"
        ),
    );
    let headers = BTreeMap::from([(header, Values::Present)]);
    let entries = vec![(Pattern::of(Region { headers, ..Region::any() }), Who::anyone())];
    Some(Link::Policies(Policies { action: Action::Deny, scope: None, elsewhere: Vec::new(), entries }))
}

/// The texts of the Secret or the ConfigMap that `reference` names, in its own namespace or that of the policy.
fn secret_of(policy: &Node, objects: &[Object<'_>], reference: &Node) -> Option<BTreeMap<String, String>> {
    let of = |node: &'_ Node, way: &[&str]| {
        node.value.at(way).and_then(|node| node.value.text()).map(str::to_owned)
    };
    let name = of(reference, &["name"])?;
    let namespace = of(reference, &["namespace"]).or_else(|| of(policy, &["metadata", "namespace"]));
    let is_named = |node: &Node| {
        let own = of(node, &["metadata", "namespace"]);
        // What has no namespace is applied where the policy is.
        let is_near = own.is_none() || namespace.is_none() || own == namespace;
        of(node, &["metadata", "name"]).as_deref() == Some(name.as_str()) && is_near
    };
    let kind = |node: &Node| node.value.get("kind").and_then(|node| node.value.text()).map(str::to_owned);
    let (kind, node) = objects.iter().find_map(|(_, node)| match kind(node)?.as_str() {
        kind @ ("Secret" | "ConfigMap") if is_named(node) => Some((kind.to_owned(), *node)),
        _ => None,
    })?;
    let mut found = BTreeMap::new();
    for (key, is_encoded) in [("data", kind == "Secret"), ("stringData", false)] {
        for (name, value) in node.value.get(key).map(|node| node.value.members()).unwrap_or_default() {
            let text = value.value.text().unwrap_or_default();
            let decoded = || String::from_utf8(BASE64_STANDARD.decode(text).ok()?).ok();
            found.extend(
                if is_encoded { decoded() } else { Some(text.to_owned()) }
                    .map(|text| (name.value.clone(), text)),
            );
        }
    }
    Some(found)
}

fn of_policy(policy: &Node, own: &Node, objects: &[Object<'_>], carrier: &mut Carrier) -> Provider {
    let name = text(own, "name").unwrap_or_default();
    let keys = match (own.value.get("remoteJWKS"), own.value.get("localJWKS")) {
        (Some(remote), _) => {
            let uri = text(remote, "uri").unwrap_or_default();
            let host = uri.split_once("://").map_or(uri.as_str(), |(_, rest)| rest);
            let host = host.split(['/', '?', ':']).next().unwrap_or_default().to_owned();
            carrier.differs(remote, format!("the filter fetches the keys itself: Envoy needs a cluster `{host}`, by a route or an EnvoyPatchPolicy"));
            let mut settings = Map::new();
            let refresh =
                text(remote, "cacheDuration").and_then(|text| seconds(&text)).map(|own| own.clamp(1, 86_400));
            settings.extend(
                refresh.filter(|own| *own != 600).map(|own| ("refresh_seconds".to_owned(), own.into())),
            );
            Keys::Remote { uri, cluster: host, settings }
        }
        (None, Some(local)) => {
            let referred = local
                .value
                .at(&["valueRef"])
                .and_then(|reference| secret_of(policy, objects, reference))
                .and_then(|found| found.get("jwks").or_else(|| found.values().next()).cloned());
            match text(local, "inline").or(referred) {
                Some(set) => Keys::Inline(local, set),
                None => {
                    carrier.denies(
                        local,
                        "the ConfigMap with the keys is not among these files; write the set into `jwks`",
                    );
                    Keys::Lost
                }
            }
        }
        (None, None) => {
            carrier.denies(own, "the provider has no keys; give it `jwks` or `remote_jwks`");
            Keys::Lost
        }
    };
    let mut from = Vec::new();
    if let Some(places) = own.value.get("extractFrom") {
        from.extend(items(places, "headers").iter().map(|place| {
            json!({"header": text(place, "name"), "prefix": text(place, "valuePrefix").unwrap_or_default()})
        }));
        from.extend(strings(places.value.field("cookies")).into_iter().map(|name| json!({"cookie": name})));
        from.extend(strings(places.value.field("params")).into_iter().map(|name| json!({"query": name})));
    }
    let issuer = text(own, "issuer");
    let pairs = items(own, "claimToHeaders").iter();
    let described = Described {
        name: &name,
        node: own,
        issuer: issuer.as_deref(),
        audiences: strings(own.value.field("audiences")),
        keys,
        from,
        // Envoy Gateway sets it for its providers.
        forwards: true,
        claims_to_headers: pairs
            .filter_map(|pair| Some((text(pair, "claim")?, text(pair, "header")?)))
            .collect(),
        payload_header: None,
        requires_expiration: false,
        spaced: BTreeSet::from(["scope".to_owned()]),
        skew: None,
    };
    provider(described, carrier)
}

fn api_keys(policy: &Node, node: &Node, objects: &[Object<'_>], carrier: &mut Carrier) -> Needs {
    let mut keys = Vec::new();
    for reference in items(node, "credentialRefs") {
        let name = text(reference, "name").unwrap_or_default();
        match secret_of(policy, objects, reference) {
            Some(found) => {
                keys.extend(found.iter().map(|(client, key)| json!({"id": client, "sha256": digest(key)})));
            }
            None => carrier.denies(
                reference,
                format!(
                    "the Secret {name:?} is not among these files; add the SHA-256 of its keys to `api_keys`"
                ),
            ),
        }
    }
    let mut places: Vec<Value> = Vec::new();
    for source in items(node, "extractFrom") {
        for header in strings(source.value.field("headers")) {
            places.push(json!({"header": header, "prefix": "Bearer "}));
            places.push(json!({"header": header, "prefix": ""}));
        }
        places.extend(strings(source.value.field("params")).into_iter().map(|name| json!({"query": name})));
        places.extend(strings(source.value.field("cookies")).into_iter().map(|name| json!({"cookie": name})));
    }
    let hides = node.value.field("sanitize").is_some_and(|node| node.value.is_true());
    key_scheme("api_key", keys, places, !hides, carrier)
}

fn action_of(text: Option<&str>) -> Action {
    if text == Some("Allow") { Action::Allow } else { Action::Deny }
}

fn authorization(node: &Node, providers: &BTreeMap<String, Provider>, carrier: &mut Carrier) -> Ordered {
    let default = action_of(text(node, "defaultAction").as_deref());
    let mut entries = Vec::new();
    for rule in items(node, "rules") {
        let action = action_of(text(rule, "action").as_deref());
        let mut pattern = Pattern::any();
        let mut who = Who::anyone();
        let mut meet =
            |own: Pattern| pattern = pattern.and(&own).unwrap_or_else(|| Pattern::any().uncertain());
        if let Some(operation) = rule.value.get("operation") {
            if !carrier.unknown_fields(operation, &["methods"]) {
                who = Who::Unknown;
            }
            let methods: BTreeSet<String> = strings(operation.value.field("methods")).into_iter().collect();
            if !methods.is_empty() {
                meet(by_header(":method", methods, operation, carrier));
            }
        }
        let Some(principal) = rule.value.get("principal") else {
            entries.push((pattern, action, who));
            continue;
        };
        for (key, value) in principal.value.members() {
            match key.value.as_str() {
                "clientCIDRs" => meet(by_networks(&strings(Some(value)), value, carrier)),
                "headers" => {
                    for header in value.value.items() {
                        let values: BTreeSet<String> =
                            strings(header.value.field("values")).into_iter().collect();
                        let name = text(header, "name").unwrap_or_default();
                        meet(by_header(&name, values, header, carrier));
                    }
                }
                "jwt" => {
                    for claim in items(value, "claims") {
                        carrier.counts_alike(claim);
                    }
                    if !carrier.unknown_fields(value, &["provider", "scopes", "claims"]) {
                        who = Who::Unknown;
                        continue;
                    }
                    who = who.and(&Who::holders(holders(value, providers)));
                }
                other => {
                    carrier.denies(
                        value,
                        format!("the principal `{other}` is not carried over; write a rule by hand"),
                    );
                    who = Who::Unknown;
                }
            }
        }
        entries.push((pattern, action, who));
    }
    Ordered { entries, default }
}

fn holders(node: &Node, providers: &BTreeMap<String, Provider>) -> Needs {
    let name = text(node, "provider").unwrap_or_default();
    let Some(provider) = providers.get(&name) else { return Needs::cut() };
    let mut all = provider.needs();
    for scope in strings(node.value.field("scopes")) {
        all = all.and(&provider.holders(&["scope"], BTreeSet::from([scope])));
    }
    for claim in items(node, "claims") {
        let name = text(claim, "name").unwrap_or_default();
        let steps: Vec<&str> = name.split('.').collect();
        all = all.and(&provider.holders(&steps, strings(claim.value.field("values")).into_iter().collect()));
    }
    all
}
