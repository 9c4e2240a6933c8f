//! A SecurityPolicy as the filters of Envoy that do what Envoy Gateway makes of it: another reading than that of
//! `lychgate import`.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::istio::filter;

fn list(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// The texts of a Secret.
fn secret(objects: &[Value], name: &str) -> Vec<(String, String)> {
    let own = objects.iter().find(|object| object["kind"] == "Secret" && object["metadata"]["name"] == name);
    let mut found = Vec::new();
    for (key, value) in own.and_then(|own| own["data"].as_object()).into_iter().flatten() {
        let decoded = BASE64_STANDARD.decode(value.as_str().unwrap_or_default()).unwrap_or_default();
        found.push((key.clone(), String::from_utf8_lossy(&decoded).into_owned()));
    }
    for (key, value) in own.and_then(|own| own["stringData"].as_object()).into_iter().flatten() {
        found.push((key.clone(), value.as_str().unwrap_or_default().to_owned()));
    }
    found
}

/// The filters for a policy; `objects` may have the Secrets that it names.
pub fn filters(policy: &Value, objects: &[Value]) -> Vec<Value> {
    let spec = &policy["spec"];
    let mut filters = Vec::new();
    if spec.get("apiKeyAuth").is_some() {
        let own = &spec["apiKeyAuth"];
        let keys =
            items(&own["credentialRefs"]).flat_map(|reference| secret(objects, text(reference, "name")));
        let credentials: Vec<Value> =
            keys.map(|(client, key)| json!({"key": key, "client": client})).collect();
        let mut sources = Vec::new();
        for source in items(&own["extractFrom"]) {
            sources.extend(list(&source["headers"]).iter().map(|name| json!({"header": name})));
            sources.extend(list(&source["params"]).iter().map(|name| json!({"query": name})));
            sources.extend(list(&source["cookies"]).iter().map(|name| json!({"cookie": name})));
        }
        let mut config = json!({"credentials": credentials, "key_sources": sources});
        if own.get("forwardClientIDHeader").is_some() {
            config["forwarding"] = json!({"header": own["forwardClientIDHeader"]});
        }
        filters.push(filter("api_key_auth", "api_key_auth.v3.ApiKeyAuth", config));
    }
    if spec.get("basicAuth").is_some() {
        let found = secret(objects, text(&spec["basicAuth"]["users"], "name"));
        let users =
            found.into_iter().find(|(name, _)| name == ".htpasswd").map(|(_, list)| list).unwrap_or_default();
        let mut config = json!({"users": {"inline_string": users}});
        if spec["basicAuth"].get("forwardUsernameHeader").is_some() {
            config["forward_username_header"] = spec["basicAuth"]["forwardUsernameHeader"].clone();
        }
        filters.push(filter("basic_auth", "basic_auth.v3.BasicAuth", config));
    }
    if spec.get("jwt").is_some() {
        let mut providers = Map::new();
        let mut any = Vec::new();
        for own in items(&spec["jwt"]["providers"]) {
            any.push(json!({"provider_name": own["name"]}));
            providers.insert(text(own, "name").to_owned(), provider(own));
        }
        if spec["jwt"]["optional"] == true {
            any.push(json!({"allow_missing": {}}));
        }
        let requires = match any.as_slice() {
            [one] => one.clone(),
            several => json!({"requires_any": {"requirements": several}}),
        };
        filters.push(filter(
            "jwt_authn",
            "jwt_authn.v3.JwtAuthentication",
            json!({
                "providers": providers,
                "rules": [{"match": {"prefix": "/"}, "requires": requires}],
            }),
        ));
    }
    if spec.get("authorization").is_some() {
        filters.push(authorization(&spec["authorization"]));
    }
    filters
}

fn provider(own: &Value) -> Value {
    let mut provider = json!({
        "local_jwks": {"inline_string": ""}, "payload_in_metadata": own["name"], "forward": true,
        "normalize_payload_in_metadata": {"space_delimited_claims": ["scope"]},
    });
    if own.get("issuer").is_some() {
        provider["issuer"] = own["issuer"].clone();
    }
    if own.get("audiences").is_some() {
        provider["audiences"] = own["audiences"].clone();
    }
    let from = &own["extractFrom"];
    let headers: Vec<Value> = items(&from["headers"])
        .map(|place| json!({"name": place["name"], "value_prefix": text(place, "valuePrefix")}))
        .collect();
    for (key, value) in [
        ("from_headers", Value::from(headers)),
        ("from_cookies", from["cookies"].clone()),
        ("from_params", from["params"].clone()),
    ] {
        if value.as_array().is_some_and(|own| !own.is_empty()) {
            provider[key] = value;
        }
    }
    provider
}

/// Rules of which the first that matches counts, as policies that allow: each but those before it that deny.
fn authorization(own: &Value) -> Value {
    let mut policies = Map::new();
    let mut denied: Vec<Value> = Vec::new();
    let add = |policies: &mut Map<String, Value>, rule: Value, denied: &[Value]| {
        let mut all = vec![rule];
        all.extend(denied.iter().map(|own| json!({"not_id": own})));
        let name = format!("policy-{}", policies.len());
        policies
            .insert(name, json!({"permissions": [{"any": true}], "principals": [{"and_ids": {"ids": all}}]}));
    };
    for rule in items(&own["rules"]) {
        let principal = principal(rule);
        if rule["action"] == "Allow" {
            add(&mut policies, principal, &denied);
        } else {
            denied.push(principal);
        }
    }
    if own["defaultAction"] == "Allow" {
        add(&mut policies, json!({"any": true}), &denied);
    }
    filter("rbac", "rbac.v3.RBAC", json!({"rules": {"action": "ALLOW", "policies": policies}}))
}

fn principal(rule: &Value) -> Value {
    let any = |ids: Vec<Value>| json!({"or_ids": {"ids": ids}});
    let header =
        |name: &str, value: &str| json!({"header": {"name": name, "string_match": {"exact": value}}});
    let mut all = vec![json!({"any": true})];
    let methods = list(&rule["operation"]["methods"]);
    if !methods.is_empty() {
        all.push(any(methods.iter().map(|method| header(":method", method)).collect()));
    }
    let principal = &rule["principal"];
    let networks = list(&principal["clientCIDRs"]);
    if !networks.is_empty() {
        let network = |text: &&str| {
            let (address, bits) = text.split_once('/').unwrap_or((text, "32"));
            json!({"remote_ip": {"address_prefix": address, "prefix_len": bits.parse::<u32>().unwrap_or(32)}})
        };
        all.push(any(networks.iter().map(network).collect()));
    }
    for own in items(&principal["headers"]) {
        all.push(any(list(&own["values"]).iter().map(|value| header(text(own, "name"), value)).collect()));
    }
    if let Some(jwt) = principal.get("jwt") {
        let metadata = |steps: Vec<&str>, matcher: Value| {
            let path: Vec<Value> =
                std::iter::once(text(jwt, "provider")).chain(steps).map(|key| json!({"key": key})).collect();
            json!({"metadata": {"filter": "envoy.filters.http.jwt_authn", "path": path, "value": matcher}})
        };
        let one_of = |value: &str| json!({"list_match": {"one_of": {"string_match": {"exact": value}}}});
        all.push(metadata(Vec::new(), json!({"present_match": true})));
        all.extend(list(&jwt["scopes"]).iter().map(|scope| metadata(vec!["scope"], one_of(scope))));
        for claim in items(&jwt["claims"]) {
            let steps: Vec<&str> = text(claim, "name").split('.').collect();
            let is_array = claim["valueType"] == "StringArray";
            let values = list(&claim["values"]);
            let values = values.iter().map(|value| {
                metadata(
                    steps.clone(),
                    if is_array { one_of(value) } else { json!({"string_match": {"exact": value}}) },
                )
            });
            all.push(any(values.collect()));
        }
    }
    json!({"and_ids": {"ids": all}})
}
