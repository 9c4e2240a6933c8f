//! Proof of possession, and client certificates.

use serde_json::{Value, json};

use super::claims::setting;
use super::{Fault, json_fault, jwt, scheme, with_keys};
use crate::keys;

pub fn faults() -> Vec<Fault> {
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
            "mutualTLS for no client",
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
