//! Key sets as issuers publish them: which forms are read, and what is said of a key that is left out.

use lychgate_testkit::keys::{self, certificates};
use lychgate_testkit::tokens::Token;
use serde_json::{Value, json};

use super::Engine;
use super::tests::{NOW, allowed, bearer, decide, denied, with_tokens};
use crate::host::{CallResponse, InMemoryHost};
use crate::reason::Reason;

fn token(kid: &str, alg: &str) -> String {
    Token::new().claim("sub", "johndoe").claim("exp", NOW + 1_000_000).header("kid", kid).sign(alg)
}

fn fetching(changes: Value) -> Engine {
    let mut remote = json!({"uri": "http://idp.example/jwks", "cluster": "idp"});
    for (key, value) in changes.as_object().unwrap() {
        remote[key] = value.clone();
    }
    with_tokens(&bearer(&json!({"remote_jwks": remote})))
}

/// What was fetched last comes back so. Returns the lines of the log.
fn answer(engine: &Engine, host: &InMemoryHost, headers: &[(&str, &str)], body: &[u8]) -> Vec<String> {
    engine.fetcher().tick(host);
    let number = u32::try_from(host.calls.borrow().len()).unwrap().checked_sub(1).unwrap();
    let headers = headers.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
    let response = CallResponse { headers: headers.collect(), body: body.to_vec() };
    engine.fetcher().on_http_call_response(number, &response, host);
    host.warnings.take()
}

fn fetched(changes: Value, body: &[u8]) -> (Engine, InMemoryHost, Vec<String>) {
    let (engine, host) = (fetching(changes), InMemoryHost::at(NOW));
    let log = answer(&engine, &host, &[(":status", "200")], body);
    (engine, host, log)
}

fn with_kid(mut jwk: Value, kid: &str) -> Value {
    jwk["kid"] = kid.into();
    jwk
}

#[test]
fn a_set_with_a_mark_before_it_is_read() {
    let set = json!({"keys": [with_kid(keys::P256.jwk(), "one")]}).to_string();
    let (engine, host, log) = fetched(json!({}), format!("\u{feff}{set}").as_bytes());
    assert_eq!(log, [""; 0]);
    allowed(decide(&engine, &host, &token("one", "ES256"), true));
}

#[test]
fn each_key_that_is_left_out_is_named_with_its_reason_once_for_each_change() {
    let set = json!({"keys": [
        with_kid(keys::RSA_1024.jwk(), "short"),
        with_kid(keys::P256.jwk(), "one"),
        {"kty": "RSA", "use": "enc", "kid": "enc", "n": "AQAB", "e": "AQAB"},
    ]});
    let (engine, host, log) = fetched(json!({}), set.to_string().as_bytes());
    assert_eq!(
        log,
        [
            "schemes.token.jwt.remote_jwks: key 0 (\"short\") is left out: RSA keys need at least 2048 bits, and this \
             one has 1024; make a new one",
            "schemes.token.jwt.remote_jwks: key 2 (\"enc\") is left out: `use` is not `sig`",
        ]
    );
    host.now.set(NOW + 700);
    let again = answer(&engine, &host, &[(":status", "200")], set.to_string().as_bytes());
    assert_eq!(again, [""; 0], "nothing changed");
    assert_eq!(host.calls.borrow().len(), 2);
}

/// A token of such a key was refused as signed by an unknown key, and no line said what was wrong with the key.
#[test]
fn a_token_whose_key_was_left_out_has_a_reason_of_its_own() {
    let set = json!({"keys": [with_kid(keys::RSA_1024.jwk(), "short"), with_kid(keys::P256.jwk(), "one")]});
    let (engine, host, _) = fetched(json!({}), set.to_string().as_bytes());
    host.now.set(NOW + 1);
    let reason = |kid: &str| denied(decide(&engine, &host, &token(kid, "RS256"), false)).reason;
    // It is asked for once more, since it may have been mended.
    assert_eq!(reason("short"), Reason::KeysUnavailable);
    answer(&engine, &host, &[(":status", "200")], set.to_string().as_bytes());
    assert_eq!(reason("short"), Reason::TokenKeyUnusable);
    assert_eq!(reason("other"), Reason::TokenNoMatchingKey);
}

#[test]
fn a_key_that_is_left_out_of_an_inline_set_has_that_reason_too() {
    let enc = json!({"kty": "RSA", "use": "enc", "kid": "enc", "n": keys::RSA.jwk()["n"], "e": "AQAB"});
    let engine = with_tokens(&bearer(&json!({"jwks": {"keys": [with_kid(keys::P256.jwk(), "one"), enc]}})));
    let host = InMemoryHost::at(NOW);
    let denial = denied(decide(&engine, &host, &token("enc", "RS256"), true));
    assert_eq!(denial.reason, Reason::TokenKeyUnusable);
}

#[test]
fn a_map_of_certificates_is_a_set() {
    let map = json!({"one": certificates::P256, "two": certificates::RSA}).to_string();
    let (engine, host, log) = fetched(json!({"format": "pem_map"}), map.as_bytes());
    assert_eq!(log, [""; 0]);
    allowed(decide(&engine, &host, &token("one", "ES256"), true));
    allowed(decide(&engine, &host, &token("two", "RS256"), true));
    denied(decide(&engine, &host, &token("two", "ES256"), false));
    let (_, _, log) = fetched(json!({}), map.as_bytes());
    assert!(log.join("").contains("not a JWK Set but a map of PEM: say `format: pem_map`"), "{log:?}");
}

#[test]
fn a_set_is_asked_for_with_the_headers_that_are_configured_and_uncompressed() {
    let engine = fetching(json!({"headers": {"Authorization": "Bearer of-kubernetes"}}));
    let host = InMemoryHost::at(NOW);
    engine.fetcher().tick(&host);
    let headers = host.calls.borrow()[0].headers.clone();
    for (name, value) in [("authorization", "Bearer of-kubernetes"), ("accept-encoding", "identity")] {
        let found: Vec<_> =
            headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect();
        assert_eq!(found, [value]);
    }
}

/// A policy with another token would have had the set of the one before.
#[test]
fn a_set_that_is_asked_for_with_another_token_is_another_set() {
    let host = InMemoryHost::at(NOW);
    for (number, token) in ["a", "b", "a"].into_iter().enumerate() {
        let engine = fetching(json!({"headers": {"Authorization": token}}));
        engine.fetcher().tick(&host);
        assert_eq!(host.calls.borrow().len(), [1, 2, 2][number]);
        let stored = format!("{:?}", engine.policy());
        assert!(!stored.contains("Authorization\", \"a"), "{stored}");
    }
}

#[test]
fn what_is_not_a_set_is_told_with_what_to_do() {
    for (headers, body, says) in [
        (
            &[(":status", "302"), ("location", "https://login.example/keys")][..],
            &b""[..],
            "status 302: a redirect to \"https://login.example/keys\", which is not followed",
        ),
        (
            &[(":status", "200"), ("content-encoding", "gzip")],
            b"\x1f\x8b",
            "the content-encoding \"gzip\", which is not read",
        ),
        (&[(":status", "200")], b"{}", "not a JWK Set: no array `keys`"),
        (
            &[(":status", "200")],
            br#"{"keys": [{"kid": "a", "kty": "new"}]}"#,
            "no usable key in the set. key 0 (\"a\") is left out: key type \"new\"",
        ),
    ] {
        let (engine, host) = (fetching(json!({})), InMemoryHost::at(NOW));
        let log = answer(&engine, &host, headers, body).join("");
        assert!(log.contains(says), "{log}");
    }
}
