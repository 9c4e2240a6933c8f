//! Faults of the document, of schemes and of `jwt`.

use crate::keys;
use serde_json::json;

use super::{Fault, json_fault, jwt, raw, scheme, with_keys};

pub fn faults() -> Vec<Fault> {
    vec![
        raw("nothing", "", &["(root): the plugin has no configuration"]),
        raw("not JSON", "schemes: {}", &["(root): not a JSON object"]),
        raw("JSON cut short", "{\"schemes\": ", &["(root): not a JSON object"]),
        raw("an array", "[]", &["(root): expected an object, got an array"]),
        raw("a key twice", r#"{"rules": [], "rules": []}"#, &["(root): ", "duplicate key `rules`"]),
        json_fault("unknown key at the root", json!({"shemes": {}}), &["shemes: unknown key", "schemes"]),
        json_fault(
            "schemes of the wrong type",
            json!({"schemes": []}),
            &["schemes: expected an object, got an array"],
        ),
        json_fault(
            "rules of the wrong type",
            json!({"rules": {}}),
            &["rules: expected an array, got an object"],
        ),
        scheme(
            "a key in a header that HTTP works by",
            json!({"type": "apiKey", "in": "header", "name": "Host", "api_keys": "d"}),
            &["schemes.s.name: `host` has a meaning of its own in HTTP; no credential is there"],
        ),
        scheme(
            "a key in the header of cookies",
            json!({"type": "apiKey", "in": "header", "name": "Cookie", "api_keys": "d"}),
            &["schemes.s.name: a cookie is named by itself: `in: cookie`"],
        ),
        jwt(
            "a token in a header of the connection",
            with_keys("from", json!([{"header": "Connection"}])),
            &["schemes.s.jwt.from[0].header: `connection` has a meaning of its own in HTTP"],
        ),
        jwt(
            "a token in the length",
            with_keys("from", json!([{"header": "content-length"}])),
            &["schemes.s.jwt.from[0].header: `content-length` has a meaning"],
        ),
        scheme("scheme without type", json!({}), &["schemes.s: missing key `type`"]),
        scheme(
            "scheme of an unknown type",
            json!({"type": "kerberos"}),
            &["schemes.s.type: unknown value \"kerberos\"", "`openIdConnect`", "`mutualTLS`"],
        ),
        scheme(
            "http without scheme",
            json!({"type": "http", "jwt": with_keys("issuer", json!("x"))}),
            &["schemes.s: missing key `scheme`"],
        ),
        scheme(
            "http digest",
            json!({"type": "http", "scheme": "digest", "jwt": {"jwks": {"keys": []}}}),
            &["schemes.s.scheme: unknown value \"digest\""],
        ),
        scheme(
            "bearer without jwt",
            json!({"type": "http", "scheme": "bearer"}),
            &["schemes.s: missing key `jwt`"],
        ),
        scheme(
            "oauth2 without flows",
            json!({"type": "oauth2", "jwt": with_keys("issuer", json!("x"))}),
            &["schemes.s: missing key `flows`"],
        ),
        scheme(
            "password flow without tokenUrl",
            json!({"type": "oauth2", "flows": {"password": {"scopes": {}}}, "jwt": with_keys("issuer", json!("x"))}),
            &["schemes.s.flows.password: missing key `tokenUrl`"],
        ),
        scheme(
            "an unknown flow",
            json!({"type": "oauth2", "flows": {"device": {}}, "jwt": with_keys("issuer", json!("x"))}),
            &["schemes.s.flows.device: unknown key", "authorizationCode"],
        ),
        scheme(
            "openIdConnect without its URL",
            json!({"type": "openIdConnect", "jwt": with_keys("issuer", json!("x"))}),
            &["schemes.s: missing key `openIdConnectUrl`"],
        ),
        scheme(
            "missing_status 402",
            json!({"type": "apiKey", "in": "query", "name": "k", "api_keys": "d", "missing_status": 402}),
            &["schemes.s.missing_status: must be 401 or 403, got 402"],
        ),
        scheme(
            "realm with a quote",
            json!({"type": "apiKey", "in": "query", "name": "k", "api_keys": "d", "realm": "a\"b"}),
            &["schemes.s.realm: ", "without quotes"],
        ),
        scheme(
            "forward as text",
            json!({"type": "apiKey", "in": "query", "name": "k", "api_keys": "d", "forward": "no"}),
            &["schemes.s.forward: expected true or false, got a string"],
        ),
        scheme(
            "apiKey in the body",
            json!({"type": "apiKey", "in": "body", "name": "k", "api_keys": "d"}),
            &["schemes.s.in: unknown value \"body\"", "`cookie`"],
        ),
        scheme(
            "apiKey without name",
            json!({"type": "apiKey", "in": "header", "api_keys": "d"}),
            &["schemes.s: missing key `name`"],
        ),
        scheme(
            "apiKey in a header that cannot be",
            json!({"type": "apiKey", "in": "header", "name": "X Key", "api_keys": "d"}),
            &["schemes.s.name: \"X Key\" is not a header"],
        ),
        scheme(
            "apiKey without a directory",
            json!({"type": "apiKey", "in": "header", "name": "k", "api_keys": "other"}),
            &["schemes.s.api_keys: no directory `other`", "[d]"],
        ),
        scheme(
            "a key of another type of scheme",
            json!({"type": "apiKey", "in": "header", "name": "k", "api_keys": "d", "bearerFormat": "JWT"}),
            &["schemes.s.bearerFormat: unknown key"],
        ),
        jwt(
            "no source of keys",
            json!({}),
            &["schemes.s.jwt: one of `keys`, `jwks`, `remote_jwks`, `cluster`, `issuers` is needed"],
        ),
        jwt(
            "two sources of keys",
            json!({"keys": [{"alg": "HS256", "secret": keys::SECRET}], "jwks": {"keys": []}}),
            &["schemes.s.jwt: only one of `keys`, `jwks`, `remote_jwks`, `cluster`, `issuers` may be given"],
        ),
        jwt("no keys in the list", json!({"keys": []}), &["schemes.s.jwt.keys: must not be empty"]),
        jwt(
            "a set without usable key",
            json!({"jwks": {"keys": [{"kty": "RSA", "use": "enc"}]}}),
            &["schemes.s.jwt.jwks.keys: no usable key"],
        ),
        jwt(
            "a set with a weak key",
            json!({"jwks": {"keys": [keys::P256.jwk(), keys::RSA_1024.jwk()]}}),
            &[
                "schemes.s.jwt.jwks.keys[1]: ",
                "at least 2048 bits, and this one has 1024",
                "or leave the key out of the set",
            ],
        ),
        jwt(
            "prefixes that overlap",
            with_keys(
                "from",
                json!([{"header": "Authorization"}, {"header": "authorization", "prefix": ""}]),
            ),
            &["schemes.s.jwt.from[1]: its prefix and that of [0] both fit one value", "`from_order: first`"],
        ),
        jwt(
            "a subprotocol with a space",
            with_keys("from", json!([{"subprotocol": "a b"}])),
            &["schemes.s.jwt.from[0].subprotocol: \"a b\" is not the name of a subprotocol"],
        ),
        scheme(
            "places beside `jwt` and in it",
            json!({"type": "http", "scheme": "bearer", "from": [{"query": "a"}], "jwt": with_keys("from", json!([{"query": "b"}]))}),
            &["schemes.s.from: the tokens of this scheme have a `from` too"],
        ),
        scheme(
            "the shorter prefix first",
            json!({"type": "http", "scheme": "bearer", "from_order": "first", "jwt": with_keys("issuer", json!("x")),
                "from": [{"header": "X-Token"}, {"header": "X-Token", "prefix": "Bearer "}]}),
            &[
                "schemes.s.from[1]: its prefix and that of [0] both fit one value",
                "put the longer prefix first",
            ],
        ),
        scheme(
            "an order of no places",
            json!({"type": "http", "scheme": "bearer", "from_order": "first", "jwt": with_keys("issuer", json!("x"))}),
            &["schemes.s.from_order: speaks of the places in `from`, and there is none"],
        ),
        scheme(
            "a place named twice",
            json!({"type": "apiKey", "in": "query", "name": "k", "api_keys": "d", "from": [{"query": "k"}, {"query": "k"}]}),
            &["schemes.s.from: one place is named twice"],
        ),
        json_fault(
            "users of tokens, and keys alone",
            json!({"schemes": {"s": {"type": "http", "scheme": "bearer", "api_keys": "d", "users": "u"}},
                "api_keys": {"d": []}, "users": {"u": []}}),
            &["schemes.s.users: says which users tokens may be of; with `api_keys` alone there is no token"],
        ),
        scheme(
            "keys of a directory that is not there",
            json!({"type": "http", "scheme": "bearer", "api_keys": "nowhere"}),
            &["schemes.s.api_keys: no directory `nowhere`"],
        ),
        json_fault(
            "a status of all schemes that is none",
            json!({"errors": {"missing_status": 400}}),
            &["errors.missing_status: must be 401 or 403, got 400"],
        ),
        jwt(
            "an algorithm that no key has",
            with_keys("algorithms", json!(["RS256"])),
            &["schemes.s.jwt.algorithms: no key has any of them", "HS256"],
        ),
        jwt(
            "algorithm none",
            with_keys("algorithms", json!(["HS256", "None"])),
            &["schemes.s.jwt.algorithms[1]: `none` is never accepted"],
        ),
        jwt(
            "no algorithms",
            with_keys("algorithms", json!([])),
            &["schemes.s.jwt.algorithms: must not be empty"],
        ),
        jwt(
            "one place named twice",
            with_keys("from", json!([{"query": "t"}, {"query": "t"}])),
            &["schemes.s.jwt.from: one place is named twice"],
        ),
        jwt(
            "a cookie that cannot be",
            with_keys("from", json!([{"cookie": "a b"}])),
            &["schemes.s.jwt.from[0].cookie: \"a b\" is not a cookie name"],
        ),
        jwt(
            "metadata under a name of the filter's own",
            with_keys("claims_to_metadata", json!(["scopes"])),
            &[
                "schemes.s.jwt.claims_to_metadata[0]: the filter sets `scopes` itself: write the claim as `/scopes`",
            ],
        ),
        jwt(
            "a claim without name",
            with_keys("claims_to_headers", json!({"": "x-a"})),
            &["schemes.s.jwt.claims_to_headers[\"\"]: a claim has no name"],
        ),
        jwt(
            "two claims to headers alike but for an underscore",
            with_keys("claims_to_headers", json!({"a": "x-a", "b": "x_a"})),
            &["schemes.s.jwt.claims_to_headers.b: the header `x_a` is set from something else"],
        ),
        jwt(
            "a faulty key hides no other",
            json!({"keys": [{"alg": "HS256"}, {"alg": "HS256", "secret": "short"}]}),
            &["schemes.s.jwt.keys[0]: one of", "schemes.s.jwt.keys[1]: HS256 needs"],
        ),
        jwt(
            "negative leeway",
            with_keys("leeway_seconds", json!(-1)),
            &["schemes.s.jwt.leeway_seconds: expected a whole number from 0 to 86400, got -1"],
        ),
        jwt(
            "leeway with a fraction",
            with_keys("leeway_seconds", json!(1.5)),
            &["schemes.s.jwt.leeway_seconds: expected a whole number", "1.5"],
        ),
        jwt(
            "audiences as text",
            with_keys("audiences", json!("api")),
            &["schemes.s.jwt.audiences: expected an array, got a string"],
        ),
        jwt(
            "a token source of no kind",
            with_keys("from", json!([{"body": "token"}])),
            &["schemes.s.jwt.from[0]: one of `header`, `query`, `cookie`, `subprotocol` is needed"],
        ),
        jwt(
            "the scheme of bound tokens as a prefix",
            with_keys("from", json!([{"header": "Authorization", "prefix": "DPoP "}])),
            &[
                "schemes.s.jwt.from[0].prefix: `DPoP` is a scheme of its own (RFC 9449)",
                "leave this place out",
            ],
        ),
        jwt(
            "prefix for a query parameter",
            with_keys("from", json!([{"query": "t", "prefix": "x"}])),
            &["schemes.s.jwt.from[0].prefix: unknown key"],
        ),
        jwt(
            "a claim to a header that cannot be",
            with_keys("claims_to_headers", json!({"a.b": "X Y"})),
            &["schemes.s.jwt.claims_to_headers[\"a.b\"]: \"X Y\" is not a header name"],
        ),
        jwt(
            "a claim to the subject's header",
            with_keys("claims_to_headers", json!({"email": "X-Auth-Subject"})),
            &[
                "schemes.s.jwt.claims_to_headers.email: the header `x-auth-subject` is set from something else",
            ],
        ),
        jwt(
            "a claim to Authorization",
            with_keys("claims_to_headers", json!({"email": "Authorization"})),
            &["schemes.s.jwt.claims_to_headers.email: `authorization` has a meaning of its own"],
        ),
    ]
}
