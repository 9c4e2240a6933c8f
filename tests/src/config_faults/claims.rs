//! Claims and proof of possession.

use serde_json::{Value, json};

use super::{Fault, json_fault, jwt, scheme, with_keys};
use crate::keys;

/// A scheme `s` with good keys.
fn good() -> Value {
    json!({"type": "http", "scheme": "bearer", "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]}})
}

/// A fault in what `security` asks of scheme `s`.
fn need(name: &'static str, need: Value, says: &[&'static str]) -> Fault {
    json_fault(name, json!({"schemes": {"s": good()}, "security": [{"s": need}]}), says)
}

fn setting(name: &'static str, key: &'static str, value: Value, says: &[&'static str]) -> Fault {
    jwt(name, with_keys(key, value), says)
}

pub fn faults() -> Vec<Fault> {
    let mut faults = of_claims();
    faults.extend(of_proofs());
    faults.extend(of_rules());
    faults.extend(of_resources());
    faults
}

fn of_resources() -> Vec<Fault> {
    let resource = |name, resource: Value, says| json_fault(name, json!({"resources": [resource]}), says);
    vec![
        resource(
            "a resource without an identifier",
            json!({"path": "/mcp"}),
            &["resources[0]: missing key `resource`"],
        ),
        resource(
            "a resource that is a path",
            json!({"resource": "/mcp"}),
            &["resources[0].resource: ", "no resource identifier"],
        ),
        resource(
            "a resource with a query",
            json!({"resource": "https://a/mcp?x"}),
            &["resources[0].resource: "],
        ),
        resource(
            "a resource with a fragment",
            json!({"resource": "https://a/mcp#x"}),
            &["resources[0].resource: "],
        ),
        resource(
            "a resource below no path",
            json!({"resource": "https://a/mcp", "path": "mcp"}),
            &["resources[0].path: ", "must begin with `/`"],
        ),
        resource(
            "a resource without a server",
            json!({"resource": "https://a/mcp", "authorization_servers": []}),
            &["authorization_servers: must not be empty"],
        ),
        resource(
            "an unknown key of a resource",
            json!({"resource": "https://a/mcp", "name": "x"}),
            &["resources[0].name: unknown key"],
        ),
        json_fault(
            "a resource twice",
            json!({"resources": [{"resource": "https://a/mcp"}, {"resource": "https://b/mcp", "path": "/x"}]}),
            &[
                "resources[1].resource: /.well-known/oauth-protected-resource/mcp is served from something else",
            ],
        ),
        json_fault(
            "two resources at one path",
            json!({"resources": [{"resource": "https://a/mcp"}, {"resource": "https://b/x", "path": "/mcp/"}]}),
            &["resources[1]: another resource has the same path"],
        ),
    ]
}

fn of_claims() -> Vec<Fault> {
    vec![
        setting(
            "a reference without a name",
            "scope_claims",
            json!([""]),
            &["scope_claims[0]: a claim has no name"],
        ),
        setting(
            "a JSON Pointer with a bad escape",
            "required_claims",
            json!(["exp", "/a~2b"]),
            &["required_claims[1]: ", "RFC 6901"],
        ),
        setting("a JSONPath", "subject_claims", json!(["$.sub"]), &["subject_claims[0]: ", "JSONPath"]),
        setting(
            "an empty step",
            "scope_claims",
            json!(["realm_access..roles"]),
            &["scope_claims[0]: ", "`/realm_access..roles`"],
        ),
        setting(
            "a step into sub",
            "claims",
            json!({"sub.name": "x"}),
            &["claims[\"sub.name\"]: ", "can never match"],
        ),
        setting("no subject claim", "subject_claims", json!([]), &["subject_claims: must not be empty"]),
        setting(
            "a condition without a value",
            "claims",
            json!({"a": []}),
            &["claims.a: an empty list is never met"],
        ),
        setting(
            "a condition of null",
            "claims",
            json!({"a": null}),
            &["claims.a: `null` is absence", "{not: {present: true}}"],
        ),
        setting(
            "a condition of a list in a list",
            "claims",
            json!({"a": [["b"]]}),
            &["claims.a[0]: expected a string"],
        ),
        setting(
            "a condition of an unknown word",
            "claims",
            json!({"a": {"equals": "b"}}),
            &["claims.a: one of `not`, `present` is needed"],
        ),
        setting(
            "a condition of two words",
            "claims",
            json!({"a": {"not": "b", "present": true}}),
            &["claims.a: only one of"],
        ),
        setting(
            "present: false",
            "claims",
            json!({"a": {"present": false}}),
            &["claims.a.present: write `{not: {present: true}}`"],
        ),
        setting(
            "a number that is not exact",
            "claims",
            json!({"a": 9_007_199_254_740_993_i64}),
            &["claims.a: a number beyond 2^53"],
        ),
        setting(
            "an unknown scope_mode",
            "scope_mode",
            json!("any"),
            &["scope_mode: unknown value \"any\"", "`first`, `all`"],
        ),
        setting(
            "roles without grants",
            "roles",
            json!({"claims": ["groups"]}),
            &["roles: missing key `grants`"],
        ),
        setting(
            "roles without claims",
            "roles",
            json!({"grants": {"a": ["b"]}}),
            &["roles: missing key `claims`"],
        ),
        setting(
            "roles that grant nothing",
            "roles",
            json!({"claims": ["groups"], "grants": {}}),
            &["roles.grants: grants no scope"],
        ),
        setting(
            "a role that grants what is no scope",
            "roles",
            json!({"claims": ["groups"], "grants": {"Domain Admins": ["two words"]}}),
            &["roles.grants[\"Domain Admins\"][0]: ", "is not a scope"],
        ),
        setting(
            "an unknown on_invalid",
            "claims_to_headers",
            json!({"a": {"header": "x-a", "on_invalid": "drop"}}),
            &["on_invalid: unknown value \"drop\""],
        ),
        setting(
            "a claim header without a header",
            "claims_to_headers",
            json!({"a": {"on_invalid": "omit"}}),
            &["claims_to_headers.a: missing key `header`"],
        ),
        setting(
            "the subject to the subject's header",
            "claims_to_headers",
            json!({"sub": "x-auth-subject"}),
            &["claims_to_headers.sub: ", "`identity_headers.subject`"],
        ),
        setting(
            "the payload to a header of Envoy's",
            "payload_to_header",
            json!("cookie"),
            &["payload_to_header: `cookie` has a meaning of its own"],
        ),
        setting(
            "the payload to the header of scopes",
            "payload_to_header",
            json!("X_Auth_Scopes"),
            &["payload_to_header: ", "`identity_headers.scopes`"],
        ),
        jwt(
            "the payload to the header of a claim",
            json!({"keys": [{"alg": "HS256", "secret": keys::SECRET}], "claims_to_headers": {"a": "x-a"}, "payload_to_header": "X-A"}),
            &["payload_to_header: the header `x-a` is set from something else"],
        ),
        setting("no type", "types", json!([]), &["types: must not be empty"]),
        setting(
            "an unknown profile",
            "profile",
            json!("rfc7519"),
            &["profile: unknown value \"rfc7519\"", "`rfc9068`"],
        ),
        setting("a profile without audiences", "profile", json!("rfc9068"), &["profile: ", "`audiences`"]),
        setting(
            "an issuer with an open placeholder",
            "issuer",
            json!("https://a/{tid"),
            &["issuer: ", "without its `}`"],
        ),
        setting(
            "an issuer with an empty placeholder",
            "issuer",
            json!("https://a/{}"),
            &["issuer: ", "no name"],
        ),
        jwt(
            "discovery at an issuer with a placeholder",
            json!({"cluster": "idp", "issuer": "https://a/{tid}/v2.0"}),
            &["jwt.cluster: ", "openIdConnectUrl"],
        ),
        scheme(
            "the payload of an introspected token",
            json!({"type": "http", "scheme": "bearer", "introspection": {
                "uri": "https://idp.example/i", "cluster": "idp", "client_id": "c", "client_secret": "s", "payload_to_header": "x-p"}}),
            &["introspection.payload_to_header: unknown key"],
        ),
        json_fault("an unknown key of scopes", json!({"scopes": {"a": ["b"]}}), &["scopes.a: unknown key"]),
        json_fault(
            "a scope that implies itself",
            json!({"scopes": {"implies": {"a": ["b"], "b": ["c"], "c": ["a"]}}}),
            &["scopes.implies: `a` implies itself in the end"],
        ),
        json_fault(
            "a scope that implies itself at once",
            json!({"scopes": {"implies": {"a": ["a"]}}}),
            &["`a` implies itself"],
        ),
        json_fault(
            "implied by what is no scope",
            json!({"scopes": {"implies": {"a b": ["c"]}}}),
            &["is not a scope"],
        ),
        json_fault(
            "what implies no scope",
            json!({"scopes": {"implies": {"a": []}}}),
            &["scopes.implies.a: must not be empty"],
        ),
    ]
}

fn of_proofs() -> Vec<Fault> {
    let issuing = |key: &str, value: Value| {
        let mut jwt = with_keys(key, value);
        jwt["audiences"] = json!(["api"]);
        json!({
            "schemes": {"s": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/token", "scopes": {}}}, "jwt": jwt,
                "users": "d", "issue": {}}},
            "users": {"d": [{"username": "a", "password": keys::PASSWORD_HASH}]},
        })
    };
    vec![
        setting(
            "an unknown cnf",
            "cnf",
            json!("off"),
            &["cnf: unknown value \"off\"", "`enforce`, `ignore`"],
        ),
        jwt(
            "proofs of tokens that need none",
            json!({"keys": [{"alg": "HS256", "secret": keys::SECRET}], "cnf": "ignore", "dpop": {"required": true}}),
            &["dpop: cannot be checked with `cnf: ignore`"],
        ),
        setting("an unknown key of dpop", "dpop", json!({"require": true}), &["dpop.require: unknown key"]),
        setting(
            "proofs that live an hour",
            "dpop",
            json!({"max_age_seconds": 3600}),
            &["dpop.max_age_seconds: expected a whole number from 1 to 600"],
        ),
        setting(
            "an origin without a scheme",
            "dpop",
            json!({"origins": ["api.example.com"]}),
            &["dpop.origins[0]: ", "is no origin"],
        ),
        setting(
            "an origin with a query",
            "dpop",
            json!({"origins": ["https://a/?x"]}),
            &["dpop.origins[0]: ", "is no origin"],
        ),
        setting("no origin", "dpop", json!({"origins": []}), &["dpop.origins: must not be empty"]),
        setting(
            "an unknown key of certificate_bound",
            "certificate_bound",
            json!({"x": 1}),
            &["certificate_bound.x: unknown key"],
        ),
        json_fault(
            "issued tokens without a key",
            issuing("dpop", json!({"required": true})),
            &["jwt.dpop: issued tokens are bound to no key"],
        ),
        json_fault(
            "issued tokens of another type",
            issuing("types", json!(["at+jwt"])),
            &["jwt.types: issued tokens have the type JWT"],
        ),
        json_fault(
            "issued tokens of a profile",
            issuing("profile", json!("rfc9068")),
            &["jwt.profile: issued tokens are not of this profile"],
        ),
        json_fault(
            "issued tokens without a claim",
            issuing("claims", json!({"tenant": "a"})),
            &["jwt.claims.tenant: issued tokens have no such claim"],
        ),
        json_fault(
            "issued tokens of a tenant",
            issuing("issuer", json!("https://a/{tid}")),
            &["jwt.issuer: `issue` signs tokens of one issuer"],
        ),
        scheme("mutualTLS without a list", json!({"type": "mutualTLS"}), &["schemes.s: missing key `allow`"]),
        scheme(
            "mutualTLS for nobody",
            json!({"type": "mutualTLS", "allow": []}),
            &["schemes.s.allow: must not be empty"],
        ),
        scheme(
            "a certificate by nothing",
            json!({"type": "mutualTLS", "allow": [{"id": "a"}]}),
            &["allow[0]: one of `uri`, `dns`, `subject`, `sha256` is needed"],
        ),
        scheme(
            "a certificate by two things",
            json!({"type": "mutualTLS", "allow": [{"uri": "spiffe://a/b", "dns": "a"}]}),
            &["allow[0]: only one of"],
        ),
        scheme(
            "a certificate by a part of a segment",
            json!({"type": "mutualTLS", "allow": [{"uri": "spiffe://a/b*"}]}),
            &["allow[0].uri: ", "one whole segment"],
        ),
        scheme(
            "a certificate of any trust domain",
            json!({"type": "mutualTLS", "allow": [{"uri": "spiffe://*/b"}]}),
            &["allow[0].uri: "],
        ),
        scheme(
            "a certificate by a path",
            json!({"type": "mutualTLS", "allow": [{"uri": "/ns/a"}]}),
            &["allow[0].uri: ", "no absolute URI"],
        ),
        scheme(
            "a certificate by a star in the middle",
            json!({"type": "mutualTLS", "allow": [{"dns": "a.*.example"}]}),
            &["allow[0].dns: ", "first label"],
        ),
        scheme(
            "a certificate by half a digest",
            json!({"type": "mutualTLS", "allow": [{"sha256": "00ff"}]}),
            &["allow[0].sha256: expected 64 hexadecimal digits"],
        ),
    ]
}

fn of_rules() -> Vec<Fault> {
    let basic = json!({
        "schemes": {"s": {"type": "http", "scheme": "basic", "users": "d"}},
        "users": {"d": [{"username": "a", "password": keys::PASSWORD_HASH}]},
        "security": [{"s": {"claims": {"a": "b"}}}],
    });
    vec![
        need(
            "what is needed as text",
            json!("items:read"),
            &["security[0].s: expected an array of scopes, or an object"],
        ),
        need("an unknown need", json!({"scope": ["a"]}), &["security[0].s.scope: unknown key"]),
        need(
            "a needed scope that is none",
            json!({"scopes": ["a b"]}),
            &["security[0].s.scopes[0]: ", "is not a scope"],
        ),
        need(
            "a needed claim without a value",
            json!({"claims": {"a": []}}),
            &["security[0].s.claims.a: an empty list"],
        ),
        need("a needed acr of two words", json!({"acr": ["a b"]}), &["security[0].s.acr[0]: ", "acr_values"]),
        need("no needed acr", json!({"acr": []}), &["security[0].s.acr: must not be empty"]),
        need(
            "a login of now",
            json!({"max_age_seconds": 0}),
            &["max_age_seconds: expected a whole number from 1"],
        ),
        json_fault("claims of a password", basic, &["security[0].s: has conditions on a token"]),
    ]
}
