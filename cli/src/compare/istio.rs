//! Istio's policies as the filters of Envoy that Istio makes of them: another reading than that of `lychgate import`.

use serde_json::{Map, Value, json};

const TYPES: &str = "type.googleapis.com/envoy.extensions.filters.http";

fn list(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// An HTTP filter.
pub fn filter(name: &str, kind: &str, mut config: Value) -> Value {
    config["@type"] = format!("{TYPES}.{kind}").into();
    json!({"name": format!("envoy.filters.http.{name}"), "typed_config": config})
}

/// The filters for these objects.
pub fn filters(objects: &[Value]) -> Vec<Value> {
    let of_kind = |kind: &'static str| objects.iter().filter(move |object| object["kind"] == kind);
    let mut filters = Vec::new();
    let rules: Vec<&Value> =
        of_kind("RequestAuthentication").flat_map(|object| items(&object["spec"]["jwtRules"])).collect();
    if !rules.is_empty() {
        let mut providers = Map::new();
        let mut any = Vec::new();
        for (number, rule) in rules.iter().enumerate() {
            let name = format!("origins-{number}");
            any.push(json!({"provider_name": name}));
            providers.insert(name, provider(rule));
        }
        any.push(json!({"allow_missing": {}}));
        filters.push(filter(
            "jwt_authn",
            "jwt_authn.v3.JwtAuthentication",
            json!({
                "providers": providers,
                "rules": [{"match": {"prefix": "/"}, "requires": {"requires_any": {"requirements": any}}}],
                "bypass_cors_preflight": true,
            }),
        ));
    }
    for action in ["DENY", "ALLOW"] {
        let policies: Vec<&Value> = of_kind("AuthorizationPolicy")
            .filter(|object| object["spec"]["action"].as_str().unwrap_or("ALLOW") == action)
            .collect();
        if policies.is_empty() {
            continue;
        }
        let mut named = Map::new();
        for rule in policies.iter().flat_map(|object| items(&object["spec"]["rules"])) {
            named.insert(format!("policy-{}", named.len()), policy(rule));
        }
        filters.push(filter("rbac", "rbac.v3.RBAC", json!({"rules": {"action": action, "policies": named}})));
    }
    filters
}

fn provider(rule: &Value) -> Value {
    let mut provider = json!({
        "issuer": rule["issuer"], "local_jwks": {"inline_string": ""}, "payload_in_metadata": "payload",
        "normalize_payload_in_metadata": {"space_delimited_claims": ["scope", "permission"]},
        "forward": rule["forwardOriginalToken"].as_bool().unwrap_or(false),
    });
    let mut add = |key: &str, value: Value| {
        if value.as_array().is_some_and(|own| !own.is_empty()) {
            provider[key] = value;
        }
    };
    add("audiences", rule["audiences"].clone());
    add("from_params", rule["fromParams"].clone());
    add("from_cookies", rule["fromCookies"].clone());
    let headers = items(&rule["fromHeaders"])
        .map(|own| json!({"name": own["name"], "value_prefix": own["prefix"].as_str().unwrap_or("")}));
    add("from_headers", headers.collect());
    let claims = items(&rule["outputClaimToHeaders"])
        .map(|own| json!({"header_name": own["header"], "claim_name": own["claim"]}));
    add("claim_to_headers", claims.collect());
    provider
}

fn or(rules: Vec<Value>, kind: &str) -> Value {
    let inner = if kind == "ids" { "or_ids" } else { "or_rules" };
    json!({inner: {kind: rules}})
}

fn policy(rule: &Value) -> Value {
    let mut principals = Vec::new();
    let sources: Vec<&Value> = items(&rule["from"]).map(|own| &own["source"]).collect();
    if !sources.is_empty() {
        principals.push(or(sources.into_iter().map(source).collect(), "ids"));
    }
    for condition in items(&rule["when"]) {
        let key = condition["key"].as_str().unwrap_or_default();
        let any =
            |values: &Value| or(list(values).iter().map(|value| principal(key, value)).collect(), "ids");
        // An empty list is none.
        if !list(&condition["values"]).is_empty() {
            principals.push(any(&condition["values"]));
        }
        if !list(&condition["notValues"]).is_empty() {
            principals.push(json!({"not_id": any(&condition["notValues"])}));
        }
    }
    let mut permissions = Vec::new();
    let operations: Vec<&Value> = items(&rule["to"]).map(|own| &own["operation"]).collect();
    if !operations.is_empty() {
        permissions.push(or(operations.into_iter().map(operation).collect(), "rules"));
    }
    if principals.is_empty() {
        principals.push(json!({"any": true}));
    }
    if permissions.is_empty() {
        permissions.push(json!({"any": true}));
    }
    json!({
        "permissions": [{"and_rules": {"rules": permissions}}],
        "principals": [{"and_ids": {"ids": principals}}],
    })
}

fn source(source: &Value) -> Value {
    let mut all = Vec::new();
    for (key, values) in source.as_object().into_iter().flatten().filter(|(_, own)| !list(own).is_empty()) {
        let (name, is_not) = match key.as_str() {
            "requestPrincipals" => ("request.auth.principal", false),
            "notRequestPrincipals" => ("request.auth.principal", true),
            "remoteIpBlocks" => ("remote.ip", false),
            "notRemoteIpBlocks" => ("remote.ip", true),
            "ipBlocks" => ("source.ip", false),
            "notIpBlocks" => ("source.ip", true),
            // No mTLS is here: no caller has such a name.
            other => ("source.principal", other.starts_with("not")),
        };
        let any = or(list(values).iter().map(|value| principal(name, value)).collect(), "ids");
        all.push(if is_not { json!({"not_id": any}) } else { any });
    }
    if all.is_empty() {
        all.push(json!({"any": true}));
    }
    json!({"and_ids": {"ids": all}})
}

fn metadata(steps: &[&str], value: &str) -> Value {
    let path: Vec<Value> =
        std::iter::once("payload").chain(steps.iter().copied()).map(|key| json!({"key": key})).collect();
    let matcher = match (value, value.strip_suffix('*'), value.strip_prefix('*')) {
        ("*", ..) => json!({"present_match": true}),
        (_, Some(prefix), _) => any_of(&json!({"prefix": prefix})),
        (_, None, Some(suffix)) => any_of(&json!({"suffix": suffix})),
        (_, None, None) => any_of(&json!({"exact": value})),
    };
    json!({"metadata": {"filter": "envoy.filters.http.jwt_authn", "path": path, "value": matcher}})
}

fn any_of(text: &Value) -> Value {
    json!({"or_match": {"value_matchers": [{"string_match": text}, {"list_match": {"one_of": {"string_match": text}}}]}})
}

fn principal(key: &str, value: &str) -> Value {
    if key == "request.auth.principal" {
        if value == "*" {
            return json!({"and_ids": {"ids": [metadata(&["iss"], "*"), metadata(&["sub"], "*")]}});
        }
        let (issuer, subject) = value.rsplit_once('/').unwrap_or((value, ""));
        return json!({"and_ids": {"ids": [metadata(&["iss"], issuer), metadata(&["sub"], subject)]}});
    }
    if let Some(rest) = key.strip_prefix("request.auth.claims[").and_then(|rest| rest.strip_suffix(']')) {
        return metadata(&rest.split("][").collect::<Vec<_>>(), value);
    }
    if let Some(name) = key.strip_prefix("request.headers[").and_then(|rest| rest.strip_suffix(']')) {
        return json!({"header": header(name, value)});
    }
    let network = || {
        let (address, bits) = value.split_once('/').unwrap_or((value, "32"));
        json!({"address_prefix": address, "prefix_len": bits.parse::<u32>().unwrap_or(32)})
    };
    match key {
        "request.auth.audiences" => metadata(&["aud"], value),
        "request.auth.presenter" => metadata(&["azp"], value),
        "remote.ip" => json!({"remote_ip": network()}),
        "source.ip" => json!({"direct_remote_ip": network()}),
        _ => json!({"authenticated": {"principal_name": {"exact": format!("spiffe://{value}")}}}),
    }
}

fn header(name: &str, value: &str) -> Value {
    match (value, value.strip_suffix('*'), value.strip_prefix('*')) {
        ("*", ..) => json!({"name": name, "present_match": true}),
        (_, Some(prefix), _) => json!({"name": name, "string_match": {"prefix": prefix}}),
        (_, None, Some(suffix)) => json!({"name": name, "string_match": {"suffix": suffix}}),
        (_, None, None) => json!({"name": name, "string_match": {"exact": value}}),
    }
}

fn permission(kind: &str, value: &str) -> Value {
    let path = |matcher: Value| json!({"url_path": {"path": matcher}});
    match kind {
        "paths" if value.contains("{*") => {
            let regex = value.replace('.', "\\.").replace("{**}", ".*").replace("{*}", "[^/]+");
            path(json!({"safe_regex": {"regex": regex}}))
        }
        "paths" => match (value, value.strip_suffix('*'), value.strip_prefix('*')) {
            ("*", ..) => json!({"any": true}),
            (_, Some(prefix), _) => path(json!({"prefix": prefix})),
            (_, None, Some(suffix)) => path(json!({"suffix": suffix})),
            (_, None, None) => path(json!({"exact": value})),
        },
        "methods" => json!({"header": header(":method", value)}),
        "hosts" => {
            let mut own = header(":authority", value);
            if let Some(matcher) = own.get_mut("string_match").and_then(Value::as_object_mut) {
                matcher.insert("ignore_case".into(), true.into());
            }
            json!({"header": own})
        }
        _ => json!({"destination_port": value.parse::<u32>().unwrap_or(0)}),
    }
}

fn operation(operation: &Value) -> Value {
    let mut all = Vec::new();
    for (key, values) in operation.as_object().into_iter().flatten().filter(|(_, own)| !list(own).is_empty())
    {
        let (kind, is_not) = match key.strip_prefix("not") {
            Some(kind) => (kind.to_ascii_lowercase(), true),
            None => (key.clone(), false),
        };
        let any = or(list(values).iter().map(|value| permission(&kind, value)).collect(), "rules");
        all.push(if is_not { json!({"not_rule": any}) } else { any });
    }
    if all.is_empty() {
        all.push(json!({"any": true}));
    }
    json!({"and_rules": {"rules": all}})
}
