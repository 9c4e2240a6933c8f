//! Keys that are fetched: when a token waits for them, when it does not, and when they no longer count.

use lychgate_testkit::keys;
use lychgate_testkit::tokens::Token;
use serde_json::{Value, json};

use super::Engine;
use super::tests::{NOW, allowed, bearer, decide, denied, with_tokens};
use crate::decision::Decision;
use crate::host::{CallResponse, InMemoryHost, StatUpdate};

fn fetching(algorithms: Option<&[&str]>) -> Engine {
    let mut jwt = json!({"remote_jwks": {"uri": "http://idp.example/jwks", "cluster": "idp"}});
    if let Some(algorithms) = algorithms {
        jwt["algorithms"] = json!(algorithms);
    }
    with_tokens(&bearer(&jwt))
}

fn key(kid: &str) -> Value {
    let mut jwk = keys::P256.jwk();
    jwk["kid"] = kid.into();
    jwk["alg"] = "ES256".into();
    jwk
}

fn token(kid: &str, alg: &str) -> String {
    Token::new().claim("sub", "johndoe").claim("exp", NOW + 1_000_000).header("kid", kid).sign(alg)
}

/// What is wanted is fetched, and these keys come back.
fn answer(engine: &Engine, host: &InMemoryHost, kids: &[&str]) {
    engine.fetcher().tick(host);
    let number = u32::try_from(host.calls.borrow().len()).unwrap().checked_sub(1).unwrap();
    let keys: Vec<_> = kids.iter().map(|kid| key(kid)).collect();
    let body = json!({"keys": keys}).to_string().into_bytes();
    let headers = vec![(b":status".to_vec(), b"200".to_vec())];
    engine.fetcher().on_http_call_response(number, &CallResponse { headers, body }, host);
}

/// One key was fetched.
fn ready(algorithms: Option<&[&str]>) -> (Engine, InMemoryHost) {
    let (engine, host) = (fetching(algorithms), InMemoryHost::at(NOW));
    assert!(matches!(decide(&engine, &host, &token("one", "ES256"), true), Decision::Pause(_)));
    answer(&engine, &host, &["one"]);
    (engine, host)
}

#[test]
fn fetched_keys_verify_a_token() {
    let (engine, host) = ready(None);
    let allow = allowed(decide(&engine, &host, &token("one", "ES256"), true));
    assert_eq!(allow.identity.unwrap().subject.as_deref(), Some("johndoe"));
    assert_eq!(host.calls.borrow().len(), 1);
}

#[test]
fn only_a_token_that_an_issuer_could_have_signed_waits_for_a_new_key() {
    // No secret is ever published, and what is not accepted need not be.
    for (algorithms, alg) in [(None, "HS256"), (Some(&["ES256"][..]), "RS256")] {
        let (engine, host) = ready(algorithms);
        host.now.set(NOW + 60);
        let denial = denied(decide(&engine, &host, &token("two", alg), true));
        assert_eq!(denial.reason.as_str(), "token_no_matching_key", "{alg}");
        engine.fetcher().tick(&host);
        assert_eq!(host.calls.borrow().len(), 1, "no call before a request");
        assert!(matches!(decide(&engine, &host, &token("two", "ES256"), true), Decision::Pause(_)));
        answer(&engine, &host, &["one", "two"]);
        assert_eq!(host.calls.borrow().len(), 2);
        allowed(decide(&engine, &host, &token("two", "ES256"), true));
    }
}

#[test]
fn a_token_of_a_withdrawn_key_is_forgotten_with_it() {
    let (engine, host) = ready(None);
    let withdrawn = token("one", "ES256");
    allowed(decide(&engine, &host, &withdrawn, true));
    host.now.set(NOW + 60);
    assert!(matches!(decide(&engine, &host, &token("two", "ES256"), true), Decision::Pause(_)));
    answer(&engine, &host, &["two"]);
    let denial = denied(decide(&engine, &host, &withdrawn, true));
    assert_eq!(denial.reason.as_str(), "token_no_matching_key");
}

#[test]
fn keys_that_are_too_old_verify_no_token_not_even_a_known_one() {
    let (engine, host) = ready(None);
    let token = token("one", "ES256");
    allowed(decide(&engine, &host, &token, true));
    host.now.set(NOW + 86_400 + 600);
    let denial = denied(decide(&engine, &host, &token, false));
    assert_eq!(denial.reason.as_str(), "keys_unavailable");
}

#[test]
fn a_list_of_revoked_tokens_refuses_those_on_it_and_no_others() {
    let jwt = json!({
        "keys": [{"alg": "HS256", "secret": keys::SECRET}],
        "revocation": {"uri": "http://idp.example/revoked", "cluster": "idp"},
    });
    let (engine, host) = (with_tokens(&bearer(&jwt)), InMemoryHost::at(NOW));
    let token = |jti: &str| {
        Token::new().claim("sub", "johndoe").claim("exp", NOW + 600).claim("jti", jti).sign("HS256")
    };
    assert!(matches!(decide(&engine, &host, &token("7"), true), Decision::Pause(_)));
    engine.fetcher().tick(&host);
    let body = br#"{"jti": ["7"]}"#.to_vec();
    engine.fetcher().on_http_call_response(
        0,
        &CallResponse { headers: vec![(b":status".to_vec(), b"200".to_vec())], body },
        &host,
    );
    assert_eq!(denied(decide(&engine, &host, &token("7"), true)).reason.as_str(), "token_revoked");
    allowed(decide(&engine, &host, &token("8"), true));
}

#[test]
fn tokens_are_accepted_without_a_list_only_where_that_was_chosen() {
    for (on_outage, is_accepted) in [("refuse", false), ("accept", true)] {
        let jwt = json!({
            "keys": [{"alg": "HS256", "secret": keys::SECRET}],
            "revocation": {"uri": "http://idp.example/revoked", "cluster": "idp", "on_outage": on_outage},
        });
        let (engine, host) = (with_tokens(&bearer(&jwt)), InMemoryHost::at(NOW));
        let token = Token::new().claim("sub", "johndoe").claim("exp", NOW + 600).sign("HS256");
        assert!(matches!(decide(&engine, &host, &token, true), Decision::Pause(_)));
        engine.fetcher().tick(&host);
        let headers = vec![(b":status".to_vec(), b"500".to_vec())];
        engine.fetcher().on_http_call_response(0, &CallResponse { headers, body: Vec::new() }, &host);
        let decision = decide(&engine, &host, &token, false);
        assert_eq!(matches!(decision, Decision::Allow(_)), is_accepted, "{on_outage}: {decision:?}");
    }
}

/// The engine of the next configuration may have fetched them since.
#[test]
fn an_engine_that_is_retired_does_not_tell_when_keys_were_fetched() {
    let (engine, _) = ready(None);
    engine.retire(|_, update| assert!(!matches!(update, StatUpdate::Set(_)), "{update:?}"));
    let (engine, _) = ready(None);
    let mut told = Vec::new();
    engine.measure(|_, update| told.push(update));
    assert!(told.contains(&StatUpdate::Set(u64::try_from(NOW).unwrap())), "{told:?}");
}
