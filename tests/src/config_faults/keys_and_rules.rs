//! Faults of keys, API keys, rules and settings, and several at once.

use crate::keys;
use serde_json::json;

use super::{Fault, api_key, json_fault, key, matching};

pub fn faults() -> Vec<Fault> {
    let digest = "0".repeat(64);
    let mut private = keys::P256.jwk();
    private["d"] = "AA".into();
    let mut other_alg = keys::RSA.jwk();
    other_alg["alg"] = "RS512".into();
    vec![
        key(
            "the contract's example",
            json!({"alg": "HS256", "secret": "too short"}),
            &["schemes.s.jwt.keys[0]: HS256 needs a secret of at least 32 bytes, got 9"],
        ),
        key(
            "HS384 too short",
            json!({"alg": "HS384", "secret": "x".repeat(47)}),
            &["schemes.s.jwt.keys[0]: HS384 needs a secret of at least 48 bytes, got 47"],
        ),
        key(
            "HS512 too short",
            json!({"alg": "HS512", "secret": {"base64": "c2hvcnQ="}}),
            &["schemes.s.jwt.keys[0]: HS512 needs a secret of at least 64 bytes, got 5"],
        ),
        key(
            "key without alg",
            json!({"secret": keys::SECRET}),
            &["schemes.s.jwt.keys[0]: missing key `alg`"],
        ),
        key(
            "unknown alg",
            json!({"alg": "HS1", "secret": keys::SECRET}),
            &["schemes.s.jwt.keys[0].alg: unknown algorithm \"HS1\"", "EdDSA"],
        ),
        key(
            "alg none",
            json!({"alg": "none", "secret": keys::SECRET}),
            &["schemes.s.jwt.keys[0].alg: `none` is never accepted"],
        ),
        key(
            "key of no kind",
            json!({"alg": "HS256"}),
            &["schemes.s.jwt.keys[0]: one of `secret`, `pem`, `jwk` is needed"],
        ),
        key(
            "key of two kinds",
            json!({"alg": "HS256", "secret": keys::SECRET, "pem": "x"}),
            &["schemes.s.jwt.keys[0]: only one of"],
        ),
        key(
            "variable that is not set",
            json!({"alg": "HS256", "secret": {"env": "NOT_SET"}}),
            &[
                "schemes.s.jwt.keys[0]: the environment variable NOT_SET is not set",
                "vm_config.environment_variables",
            ],
        ),
        key(
            "secret that is not base64",
            json!({"alg": "HS256", "secret": {"base64": "***"}}),
            &["schemes.s.jwt.keys[0].secret.base64: not base64"],
        ),
        key(
            "secret as a number",
            json!({"alg": "HS256", "secret": 7}),
            &["schemes.s.jwt.keys[0].secret: expected a string, {env: NAME}"],
        ),
        key(
            "secret for RSA",
            json!({"alg": "RS256", "secret": keys::SECRET}),
            &["schemes.s.jwt.keys[0]: RS256 needs a public key"],
        ),
        key(
            "PEM for HMAC",
            json!({"alg": "HS256", "pem": keys::RSA.public_pem}),
            &["schemes.s.jwt.keys[0]: HS256 needs a `secret`"],
        ),
        key(
            "PEM that is none",
            json!({"alg": "RS256", "pem": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"}),
            &["schemes.s.jwt.keys[0]: not a valid RSA public key"],
        ),
        key(
            "private PEM",
            json!({"alg": "RS256", "pem": keys::RSA.private_pem}),
            &["schemes.s.jwt.keys[0]: this is a private key"],
        ),
        key(
            "weak RSA in PEM",
            json!({"alg": "RS256", "pem": keys::RSA_1024.public_pem}),
            &["schemes.s.jwt.keys[0]: RSA keys need at least 2048 bits"],
        ),
        key(
            "weak RSA in JWK",
            json!({"alg": "PS256", "jwk": keys::RSA_1024.jwk()}),
            &["schemes.s.jwt.keys[0]: ", "2048 bits"],
        ),
        key(
            "PEM of another curve",
            json!({"alg": "ES384", "pem": keys::P256.public_pem}),
            &["schemes.s.jwt.keys[0]: not the PEM of a public key for ES384"],
        ),
        key(
            "JWK of another curve",
            json!({"alg": "ES256", "jwk": keys::P384.jwk()}),
            &["schemes.s.jwt.keys[0]: ", "ES256"],
        ),
        key(
            "private JWK",
            json!({"alg": "ES256", "jwk": private}),
            &["schemes.s.jwt.keys[0]: `jwk`: this is a private key"],
        ),
        key(
            "JWK with another alg",
            json!({"alg": "RS256", "jwk": other_alg}),
            &["schemes.s.jwt.keys[0]: `alg` is RS256 here and \"RS512\" in the JWK"],
        ),
        api_key("key without id", json!({"sha256": digest}), &["api_keys.d[0]: missing key `id`"]),
        api_key(
            "the key itself for its digest",
            json!({"id": "a", "sha256": "my-secret-key"}),
            &["api_keys.d[0].sha256: expected the SHA-256 of the key as 64 hex digits, got 13 characters"],
        ),
        api_key(
            "not_after that is no time",
            json!({"id": "a", "sha256": digest, "not_after": "tomorrow"}),
            &["api_keys.d[0].not_after: \"tomorrow\" is not an RFC 3339 time"],
        ),
        api_key(
            "an id that cannot be a header",
            json!({"id": "a\nb", "sha256": digest}),
            &["api_keys.d[0].id: cannot be a header value"],
        ),
        api_key(
            "a scope with a space",
            json!({"id": "a", "sha256": digest, "scopes": ["a b"]}),
            &["api_keys.d[0].scopes[0]: \"a b\" is not a scope"],
        ),
        json_fault(
            "one key twice",
            json!({"api_keys": {"d": [{"id": "a", "sha256": digest}, {"id": "b", "sha256": digest}]}}),
            &["api_keys.d[1].sha256: the key of `a` again"],
        ),
        json_fault(
            "a rule without match",
            json!({"rules": [{"security": []}]}),
            &["rules[0]: missing key `match`"],
        ),
        json_fault(
            "a rule without security",
            json!({"rules": [{"match": {"path": "/"}}]}),
            &["rules[0]: missing key `security`"],
        ),
        json_fault(
            "a rule that names an unknown scheme",
            json!({"rules": [{"match": {"path": "/"}, "security": [{"ouath2": []}]}]}),
            &["rules[0].security[0].ouath2: no such scheme"],
        ),
        json_fault(
            "a default that names an unknown scheme",
            json!({"security": [{"x": []}]}),
            &["security[0].x: no such scheme"],
        ),
        json_fault(
            "security as an object",
            json!({"security": {}}),
            &["security: expected an array, got an object"],
        ),
        json_fault(
            "a rule with a fault hides no other, nor its own second",
            json!({"rules": [
                {"match": {"path": "x"}, "security": [{"nobody": []}]},
                {"match": {"path": "/"}, "security": [{"nobody-else": ["a b"]}]},
            ]}),
            &[
                "rules[0].match.path: ",
                "rules[0].security[0].nobody: no such scheme",
                "rules[1].security[0].nobody-else: no such scheme",
                "rules[1].security[0].nobody-else[0]: \"a b\" is not a scope",
            ],
        ),
        matching(
            "prefix with a template",
            json!({"prefix": "/{a}"}),
            &["rules[0].match.prefix: a prefix has no template"],
        ),
        matching(
            "two parameters of one name",
            json!({"path": "/{a}/{a}"}),
            &["rules[0].match.path: two parameters are named `a`"],
        ),
        json_fault(
            "identity header Authorization",
            json!({"identity_headers": {"subject": "Authorization"}}),
            &["identity_headers.subject: `authorization` has a meaning of its own"],
        ),
        json_fault(
            "identity headers alike but for an underscore",
            json!({"identity_headers": {"subject": "X-Auth_Scopes"}}),
            &["identity_headers: two of them are named"],
        ),
        json_fault(
            "identity header that cannot be",
            json!({"identity_headers": {"subject": ""}}),
            &["identity_headers.subject: \"\" is not a header name"],
        ),
        json_fault(
            "identity headers of one name",
            json!({"identity_headers": {"subject": "x", "scheme": "X"}}),
            &["identity_headers: two of them are named `x`"],
        ),
        json_fault(
            "unknown error format",
            json!({"errors": {"format": "xml"}}),
            &["errors.format: unknown value \"xml\"", "`problem`"],
        ),
        json_fault("unknown mode", json!({"mode": "off"}), &["mode: unknown value \"off\"", "`dry_run`"]),
        json_fault(
            "cors_preflight as a boolean",
            json!({"cors_preflight": true}),
            &["cors_preflight: expected one of `pass`, `check`, got a boolean"],
        ),
        json_fault(
            "cache entries as text",
            json!({"cache": {"entries": "many"}}),
            &["cache.entries: expected a whole number, got a string"],
        ),
        json_fault(
            "too large a cache",
            json!({"cache": {"entries": 1e9}}),
            &["cache.entries: expected a whole number from 0 to 1000000"],
        ),
        json_fault(
            "three faults at once",
            json!({
                "mode": "off",
                "schemes": {"s": {"type": "http", "scheme": "bearer", "jwt": {"keys": [{"alg": "HS256", "secret": "short"}]}}},
                "rules": [{"match": {"path": "x"}, "security": [{"s": []}]}],
            }),
            &[
                "mode: unknown value",
                "schemes.s.jwt.keys[0]: HS256 needs",
                "rules[0].match.path: \"x\" must begin",
            ],
        ),
    ]
}
