//! Faults in what is fetched from outside.

use crate::keys;
use serde_json::{Value, json};

use super::{Fault, json_fault, jwt, with_keys};

fn remote(name: &'static str, remote: Value, says: &[&'static str]) -> Fault {
    jwt(name, json!({"remote_jwks": remote}), says)
}

/// A fault in the OpenID Connect scheme `s` at this URL.
fn oidc(name: &'static str, url: &str, jwt: Value, says: &[&'static str]) -> Fault {
    json_fault(
        name,
        json!({"schemes": {"s": {"type": "openIdConnect", "openIdConnectUrl": url, "jwt": jwt}}}),
        says,
    )
}

fn introspection(name: &'static str, changes: Value, says: &[&'static str]) -> Fault {
    let mut introspection = json!({"uri": "https://idp.example/i", "cluster": "idp", "client_id": "gate", "client_secret": "my-secret-key"});
    for (key, value) in changes.as_object().expect("an object") {
        if value.is_null() {
            introspection.as_object_mut().expect("an object").remove(key);
        } else {
            introspection[key] = value.clone();
        }
    }
    let scheme = json!({"type": "http", "scheme": "bearer", "introspection": introspection});
    json_fault(name, json!({"schemes": {"s": scheme}}), says)
}

pub fn faults() -> Vec<Fault> {
    const URL: &str = "https://idp.example/.well-known/openid-configuration";
    let good = || json!({"uri": "https://idp.example/keys", "cluster": "idp"});
    let with = |key: &str, value: Value| {
        let mut remote = good();
        remote[key] = value;
        remote
    };
    let issuer = |name: &str| json!({"issuer": name, "keys": [{"alg": "HS256", "secret": keys::SECRET}]});
    vec![
        remote(
            "remote keys without a URI",
            json!({"cluster": "idp"}),
            &["schemes.s.jwt.remote_jwks: missing key `uri`"],
        ),
        remote(
            "remote keys without a cluster",
            json!({"uri": "https://idp.example/keys"}),
            &["schemes.s.jwt.remote_jwks: missing key `cluster`"],
        ),
        remote(
            "a header that the filter writes itself",
            with("headers", json!({"Accept": "*/*"})),
            &["schemes.s.jwt.remote_jwks.headers.Accept: `accept` is written by the filter itself"],
        ),
        remote(
            "a header with a name that is none",
            with("headers", json!({"X Token": "a"})),
            &["\"X Token\" is not a header name"],
        ),
        remote(
            "a header twice",
            with("headers", json!({"X-Token": "a", "x-token": "b"})),
            &["schemes.s.jwt.remote_jwks.headers: `x-token` is there twice"],
        ),
        remote(
            "a header with a line feed behind its value",
            with("headers", json!({"X-Token": "my-secret-key\n"})),
            &["schemes.s.jwt.remote_jwks.headers.x-token: empty, or no value of a header"],
        ),
        remote(
            "a header of a variable that is not set",
            with("headers", json!({"X-Token": {"env": "NOT_SET"}})),
            &["schemes.s.jwt.remote_jwks.headers.x-token: the environment variable NOT_SET is not set"],
        ),
        remote(
            "a format of a set that is unknown",
            with("format", json!("pem")),
            &["schemes.s.jwt.remote_jwks.format: unknown value \"pem\"", "`pem_map`"],
        ),
        remote(
            "a URI that is relative",
            with("uri", json!("/keys")),
            &["schemes.s.jwt.remote_jwks.uri: \"/keys\" is not an absolute URI"],
        ),
        remote(
            "a URI of another scheme",
            with("uri", json!("ftp://idp.example/keys")),
            &["schemes.s.jwt.remote_jwks.uri: "],
        ),
        remote(
            "a URI with a user in it",
            with("uri", json!("https://a@idp.example/keys")),
            &["schemes.s.jwt.remote_jwks.uri: "],
        ),
        remote(
            "a URI with a line feed",
            with("uri", json!("https://idp.example/keys\nx: y")),
            &["schemes.s.jwt.remote_jwks.uri: "],
        ),
        remote(
            "a refresh of no time",
            with("refresh_seconds", json!(0)),
            &["schemes.s.jwt.remote_jwks.refresh_seconds: expected a whole number from 1 to 86400, got 0"],
        ),
        remote(
            "an unknown key in remote keys",
            with("refresh", json!(1)),
            &["schemes.s.jwt.remote_jwks.refresh: unknown key", "refetch_seconds"],
        ),
        jwt(
            "a secret that is fetched",
            json!({"remote_jwks": good(), "algorithms": ["HS256"]}),
            &["schemes.s.jwt.algorithms: a secret that is fetched is none"],
        ),
        jwt(
            "discovery without an issuer",
            json!({"cluster": "idp"}),
            &["schemes.s.jwt.cluster: discovery needs `issuer`"],
        ),
        jwt(
            "keys and discovery",
            json!({"cluster": "idp", "remote_jwks": good()}),
            &["schemes.s.jwt: only one of"],
        ),
        oidc(
            "discovery at no well-known URL",
            "https://idp.example/config",
            json!({"cluster": "idp"}),
            &[
                "schemes.s.jwt.cluster: \"https://idp.example/config\" does not end in /.well-known/openid-configuration",
            ],
        ),
        oidc(
            "discovery at no URL",
            "idp",
            json!({"cluster": "idp", "issuer": "https://idp.example"}),
            &["schemes.s.jwt.cluster: \"idp\" is not an absolute URI"],
        ),
        oidc(
            "a cluster for keys without discovery",
            URL,
            json!({"remote_jwks": good(), "jwks_cluster": "x"}),
            &["schemes.s.jwt.jwks_cluster: unknown key"],
        ),
        jwt("no issuers", json!({"issuers": []}), &["schemes.s.jwt.issuers: must not be empty"]),
        jwt(
            "an issuer without a name",
            json!({"issuers": [{"keys": []}]}),
            &["schemes.s.jwt.issuers[0]: missing key `issuer`"],
        ),
        jwt(
            "an issuer without keys",
            json!({"issuers": [{"issuer": "a"}]}),
            &["schemes.s.jwt.issuers[0]: one of `keys`, `jwks`, `remote_jwks`, `cluster` is needed"],
        ),
        jwt(
            "an issuer twice",
            json!({"issuers": [issuer("a"), issuer("a")]}),
            &["schemes.s.jwt.issuers[1].issuer: \"a\" is there already"],
        ),
        jwt(
            "an issuer's weak key",
            json!({"issuers": [{"issuer": "a", "keys": [{"alg": "HS256", "secret": "short"}]}]}),
            &["schemes.s.jwt.issuers[0].keys[0]: HS256 needs a secret of at least 32 bytes"],
        ),
        jwt(
            "issuers and an issuer",
            json!({"issuers": [issuer("a")], "issuer": "b"}),
            &["schemes.s.jwt.issuer: with `issuers` each of them has its own"],
        ),
        introspection(
            "introspection without a client",
            json!({"client_id": null}),
            &["schemes.s.introspection: missing key `client_id`"],
        ),
        introspection(
            "introspection without a secret",
            json!({"client_secret": null}),
            &["schemes.s.introspection: missing key `client_secret`"],
        ),
        introspection(
            "introspection with a secret that is empty",
            json!({"client_secret": ""}),
            &["schemes.s.introspection.client_secret: the secret is empty"],
        ),
        introspection(
            "introspection with a secret that is not set",
            json!({"client_secret": {"env": "NOT_SET"}}),
            &["schemes.s.introspection.client_secret: the environment variable NOT_SET is not set"],
        ),
        introspection(
            "introspection by another method",
            json!({"auth_method": "private_key_jwt"}),
            &[
                "schemes.s.introspection.auth_method: unknown value \"private_key_jwt\"",
                "`client_secret_post`",
            ],
        ),
        introspection(
            "introspection at no URI",
            json!({"uri": "x"}),
            &["schemes.s.introspection.uri: \"x\" is not an absolute URI"],
        ),
        introspection(
            "an unknown key in introspection",
            json!({"keys": []}),
            &["schemes.s.introspection.keys: unknown key"],
        ),
        json_fault(
            "both jwt and introspection",
            json!({"schemes": {"s": {"type": "http", "scheme": "bearer", "jwt": {}, "introspection": {}}}}),
            &["schemes.s: only one of `jwt`, `introspection` may be given"],
        ),
        jwt(
            "a list of revoked tokens that is none",
            with_keys("revoked", json!(["a"])),
            &["schemes.s.jwt.revoked: expected an object"],
        ),
        jwt(
            "revoked by hash",
            with_keys("revoked", json!({"sha256": []})),
            &["schemes.s.jwt.revoked.sha256: unknown key; known here: jti, sub, issued_before"],
        ),
        jwt(
            "revoked before a day",
            with_keys("revoked", json!({"issued_before": "yesterday"})),
            &["schemes.s.jwt.revoked.issued_before: expected a whole number"],
        ),
        jwt(
            "revocation without a cluster",
            with_keys("revocation", json!({"uri": "https://x.example/"})),
            &["schemes.s.jwt.revocation: missing key `cluster`"],
        ),
        jwt(
            "revocation that opens in an outage without saying so",
            with_keys(
                "revocation",
                json!({"uri": "https://x.example/", "cluster": "x", "on_outage": "open"}),
            ),
            &["schemes.s.jwt.revocation.on_outage: unknown value \"open\"", "`accept`"],
        ),
    ]
}
