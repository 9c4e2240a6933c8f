//! What is not seen in one request and its answer: what waits, what is remembered, what is logged.

use std::rc::Rc;
use std::time::Duration;

use lychgate_testkit::tokens::Token;
use serde_json::{Value, json};

use super::Engine;
use crate::decision::{Allow, Decision, Denial};
use crate::host::{CallResponse, InMemoryHost};
use crate::request::Request;

pub(super) const NOW: i64 = 1_800_000_000;
const UNAVAILABLE: u16 = 503;

pub(super) fn engine(policy: &Value) -> Engine {
    Engine::compile(policy.to_string().as_bytes(), &|_| None)
        .unwrap_or_else(|errors| panic!("{errors:?}"))
        .engine
}

/// An engine whose tokens are verified as `jwt` says.
pub(super) fn with_tokens(scheme: &Value) -> Engine {
    engine(&json!({"schemes": {"token": scheme}, "security": [{"token": []}]}))
}

fn token() -> String {
    Token::new().claim("sub", "johndoe").claim("exp", NOW + 600).claim("jti", "7").sign("HS256")
}

pub(super) fn decide(engine: &Engine, host: &InMemoryHost, token: &str, can_pause: bool) -> Decision {
    let authorization = format!("Bearer {token}");
    let headers: [(&[u8], &[u8]); 4] = [
        (b":method", b"GET"),
        (b":path", b"/"),
        (b":authority", b"localhost"),
        (b"authorization", authorization.as_bytes()),
    ];
    engine.decide(&Request::new(&headers), host, can_pause)
}

pub(super) fn allowed(decision: Decision) -> Allow {
    match decision {
        Decision::Allow(allow) => allow,
        other => panic!("{other:?}"),
    }
}

pub(super) fn denied(decision: Decision) -> Denial {
    match decision {
        Decision::Deny(denial) => denial,
        other => panic!("{other:?}"),
    }
}

fn secret() -> Value {
    json!({"keys": [{"alg": "HS256", "secret": lychgate_testkit::keys::SECRET}]})
}

pub(super) fn bearer(jwt: &Value) -> Value {
    json!({"type": "http", "scheme": "bearer", "jwt": jwt})
}

fn detail(denial: &Denial) -> (u16, Value, bool) {
    let response = denial.response(crate::decision::ErrorFormat::default());
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    let retries = response.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
    (response.status, body["detail"].clone(), retries)
}

#[test]
fn a_request_waits_for_what_was_never_fetched_and_is_refused_if_it_cannot_wait() {
    let introspection = json!({
        "uri": "http://idp.example/introspect", "cluster": "idp", "client_id": "gate", "client_secret": "secret",
    });
    let mut listed = secret();
    listed["revocation"] = json!({"uri": "http://idp.example/revoked", "cluster": "idp"});
    for (scheme, told) in [
        (
            bearer(&json!({"remote_jwks": {"uri": "http://idp.example/jwks", "cluster": "idp"}})),
            "Signing keys are not available",
        ),
        (
            json!({"type": "http", "scheme": "bearer", "introspection": introspection}),
            "Token introspection is not available",
        ),
        (bearer(&listed), "Revocation list is not available"),
    ] {
        let (engine, host) = (with_tokens(&scheme), InMemoryHost::at(NOW));
        assert!(matches!(decide(&engine, &host, &token(), true), Decision::Pause(_)), "{told}");
        let denial = denied(decide(&engine, &host, &token(), false));
        assert_eq!(detail(&denial), (UNAVAILABLE, told.into(), true));
        // Both are asked for at once, once.
        host.monotonic.set(Duration::from_secs(1));
        engine.fetcher().begin(&host);
        engine.fetcher().tick(&host);
        engine.fetcher().tick(&host);
        assert_eq!(host.calls.borrow().len(), 1, "{told}");
    }
}

pub(super) fn introspection() -> Value {
    json!({"type": "http", "scheme": "bearer", "introspection": {
        "uri": "http://idp.example/introspect", "cluster": "idp", "client_id": "gate", "client_secret": "secret",
    }})
}

/// What becomes of a request whose token the issuer says this of.
pub(super) fn introspected(engine: &Engine, answer: &Value) -> Decision {
    let host = InMemoryHost::at(NOW);
    let _ = decide(engine, &host, "opaque", true);
    engine.fetcher().tick(&host);
    let headers = vec![(b":status".to_vec(), b"200".to_vec())];
    let response = CallResponse { headers, body: answer.to_string().into_bytes() };
    engine.fetcher().on_http_call_response(0, &response, &host);
    decide(engine, &host, "opaque", true)
}

#[test]
fn what_the_issuer_answers_is_what_a_waiting_request_is_decided_by() {
    let mut scheme = introspection();
    scheme["introspection"]["required_claims"] = json!(["exp"]);
    for (answer, is_good) in [
        (json!({"active": true, "sub": "johndoe", "client_id": "shop", "exp": NOW + 600}), true),
        (json!({"active": true, "sub": "johndoe"}), false),
        (json!({"active": false}), false),
    ] {
        match introspected(&with_tokens(&scheme), &answer) {
            Decision::Allow(allow) if is_good => {
                assert_eq!(allow.identity.unwrap().subject.as_deref(), Some("johndoe"));
            }
            Decision::Deny(denial) if !is_good => assert_eq!(detail(&denial).0, 401),
            other => panic!("{answer}: {other:?}"),
        }
    }
}

#[test]
fn a_client_is_no_user_and_no_subject() {
    let answer = json!({"active": true, "client_id": "johndoe", "username": "johndoe", "scope": "admin"});
    let identity = allowed(introspected(&with_tokens(&introspection()), &answer)).identity.unwrap();
    assert_eq!((identity.subject.as_deref(), identity.scopes.as_slice()), (None, &["admin".to_owned()][..]));
    let mut scheme = introspection();
    scheme["users"] = "staff".into();
    let engine = engine(&json!({
        "schemes": {"token": scheme}, "security": [{"token": []}], "users": {"staff": [{"username": "johndoe"}]},
    }));
    assert_eq!(denied(introspected(&engine, &answer)).reason.as_str(), "user_unknown");
}

#[test]
fn a_token_that_its_issuer_calls_another_one_is_no_access_token() {
    for (claim, value) in [
        // Hydra, HubSpot, Cognito.
        ("token_use", json!("refresh_token")),
        ("token_use", json!("id")),
        // Keycloak.
        ("typ", json!("Refresh")),
        ("typ", json!("Offline")),
        ("typ", json!("ID")),
        ("typ", json!("Logout")),
        ("token_type", json!("Refresh")),
        // django-oauth-toolkit, and others.
        ("token_type", json!("refresh_token")),
        ("token_type", json!("RefreshToken")),
        ("token_type", json!("urn:ietf:params:oauth:token-type:id_token")),
        ("token_type", json!("N_A")),
        ("typ", json!("application/logout+jwt")),
        ("typ", json!("rt+jwt")),
        ("token_use", json!(["access_token", "refresh_token"])),
    ] {
        let answer = json!({"active": true, "sub": "johndoe", claim: value});
        let denial = denied(introspected(&with_tokens(&introspection()), &answer));
        assert_eq!((detail(&denial).0, denial.reason.as_str()), (401, "token_other_use"), "{answer}");
        assert!(denial.explanation.contains(claim), "{denial:?}");
    }
    for (claim, value) in [
        ("token_use", json!("access_token")),
        ("token_use", json!("access")),
        ("typ", json!("Bearer")),
        ("typ", json!("JWT")),
        ("typ", json!("at+jwt")),
        ("token_type", json!("Bearer")),
        ("token_type", json!("urn:ietf:params:oauth:token-type:access_token")),
        ("token_type", json!(null)),
    ] {
        let answer = json!({"active": true, "sub": "johndoe", claim: value});
        allowed(introspected(&with_tokens(&introspection()), &answer));
    }
}

#[test]
fn nobody_is_asked_after_what_is_no_token() {
    let (engine, host) = (with_tokens(&introspection()), InMemoryHost::at(NOW));
    for token in ["\topaque", "two words", "caf\u{e9}"] {
        assert_eq!(
            denied(decide(&engine, &host, token, true)).reason.as_str(),
            "token_malformed",
            "{token:?}"
        );
    }
    engine.fetcher().tick(&host);
    assert!(host.calls.borrow().is_empty());
}

#[test]
fn the_identity_of_a_known_token_is_made_once() {
    let (engine, host) = (with_tokens(&bearer(&secret())), InMemoryHost::at(NOW));
    let token = token();
    let identities: Vec<_> =
        (0..2).map(|_| allowed(decide(&engine, &host, &token, true)).identity.unwrap()).collect();
    assert!(Rc::ptr_eq(&identities[0], &identities[1]));
    assert_eq!(identities[0].subject.as_deref(), Some("johndoe"));
}

#[test]
fn the_identity_of_an_introspected_token_is_made_once() {
    let (engine, host) = (with_tokens(&introspection()), InMemoryHost::at(NOW));
    let answer = json!({"active": true, "sub": "johndoe", "scope": "a b"});
    let first = allowed(introspected(&engine, &answer)).identity.unwrap();
    let second = allowed(decide(&engine, &host, "opaque", true)).identity.unwrap();
    assert!(Rc::ptr_eq(&first, &second));
    assert_eq!(second.scopes, ["a", "b"]);
}

/// An answer with 13,000 scopes cost a third of a second of the worker, at each request.
#[test]
fn a_token_with_more_scopes_than_any_client_has_is_refused_and_said_so() {
    let scopes = |count: u32| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
    for (claim, good) in [
        (json!(scopes(1024)), true),
        (json!(scopes(1024).join(" ")), true),
        (json!([scopes(1024), scopes(1024)].concat()), true),
        (json!(scopes(1025)), false),
        (json!(scopes(1025).join(" ")), false),
    ] {
        let answer = json!({"active": true, "sub": "johndoe", "scope": claim});
        match introspected(&with_tokens(&introspection()), &answer) {
            Decision::Allow(allow) if good => assert_eq!(allow.identity.unwrap().scopes, scopes(1024)),
            Decision::Deny(denial) if !good => {
                assert_eq!(denial.reason.as_str(), "token_bad_claim");
                assert!(denial.explanation.contains("more than 1024 scopes"), "{denial:?}");
            }
            other => panic!("{good}: {other:?}"),
        }
    }
}

#[test]
fn the_log_says_why_a_token_is_bad_and_what_a_dry_run_does_not_refuse() {
    let forged = Token::new().claim("sub", "johndoe").claim("exp", NOW - 600).sign("HS256");
    let mut policy = json!({"schemes": {"token": bearer(&secret())}, "security": [{"token": []}]});
    let host = InMemoryHost::at(NOW);
    let denial = denied(decide(&engine(&policy), &host, &forged, true));
    assert_eq!(denial.reason.as_str(), "token_expired");
    assert!(!denial.explanation.is_empty());
    let nobody = Token::new().without("sub").claim("exp", NOW + 600).sign("HS256");
    for (token, explained) in [("no token", "three parts"), (&nobody, "sub")] {
        let denial = denied(decide(&engine(&policy), &host, token, true));
        assert!(denial.explanation.contains(explained), "{denial:?}");
    }
    policy["mode"] = "dry_run".into();
    let shadow_denial = allowed(decide(&engine(&policy), &host, &forged, true)).shadow_denial.unwrap();
    assert_eq!((shadow_denial.status(), shadow_denial.reason), (denial.status(), denial.reason));
}

#[test]
fn what_was_issued_before_a_moment_is_revoked_and_so_is_what_does_not_say_when() {
    let mut jwt = secret();
    jwt["revoked"] = json!({"issued_before": NOW - 100});
    let (engine, host) = (with_tokens(&bearer(&jwt)), InMemoryHost::at(NOW));
    let token = Token::new().claim("sub", "johndoe").claim("exp", NOW + 600);
    for (iat, is_revoked) in [(Some(NOW - 101), true), (Some(NOW - 100), false), (None, true)] {
        let token = match iat {
            Some(iat) => token.clone().claim("iat", iat),
            None => token.clone().without("iat"),
        };
        match decide(&engine, &host, &token.sign("HS256"), true) {
            Decision::Deny(denial) if is_revoked => assert_eq!(denial.reason.as_str(), "token_revoked"),
            Decision::Allow(_) if !is_revoked => {}
            other => panic!("{iat:?}: {other:?}"),
        }
    }
}

#[test]
fn a_token_of_the_greatest_length_is_read_and_a_longer_one_is_not() {
    let token = token();
    for (max, reason) in [(token.len(), None), (token.len().saturating_sub(1), Some("token_too_long"))] {
        let mut jwt = secret();
        jwt["max_token_bytes"] = max.into();
        match (decide(&with_tokens(&bearer(&jwt)), &InMemoryHost::at(NOW), &token, true), reason) {
            (Decision::Allow(_), None) => {}
            (Decision::Deny(denial), Some(reason)) => assert_eq!(denial.reason.as_str(), reason),
            (other, _) => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_token_is_held_to_the_keys_of_the_issuer_that_it_names() {
    let issuer = |name: &str, key: Value| json!({"issuer": name, "jwks": {"keys": [key]}});
    let key = |mut jwk: Value, alg: &str| {
        jwk["alg"] = alg.into();
        jwk
    };
    let engine = with_tokens(&bearer(&json!({"issuers": [
        issuer("https://one.example", key(lychgate_testkit::keys::P256.jwk(), "ES256")),
        issuer("https://two.example", key(lychgate_testkit::keys::ED25519.jwk(), "EdDSA")),
    ]})));
    for (name, alg, is_good) in [
        ("https://one.example", "ES256", true),
        ("https://two.example", "EdDSA", true),
        ("https://one.example", "EdDSA", false),
        ("https://two.example", "ES256", false),
        ("https://three.example", "ES256", false),
    ] {
        let token = Token::new().claim("sub", "johndoe").claim("exp", NOW + 600).claim("iss", name).sign(alg);
        let decision = decide(&engine, &InMemoryHost::at(NOW), &token, true);
        assert_eq!(matches!(decision, Decision::Allow(_)), is_good, "{name} {alg}: {decision:?}");
    }
}

/// Some servers behind HTTP/2 take `get` for GET: the default was less than the rule for GET asks.
#[test]
fn a_method_in_lower_case_does_not_get_past_the_rule_for_it() {
    let engine = engine(&json!({
        "schemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "all"}},
        "api_keys": {"all": []},
        "rules": [
            {"match": {"path": "/admin", "methods": ["GET"]}, "security": [{"key": []}]},
            {"match": {"path": "/open", "methods": ["GET"]}, "security": []},
        ],
        "security": [],
    }));
    let reason = |method: &[u8], path: &[u8]| {
        let headers: [(&[u8], &[u8]); 3] = [(b":method", method), (b":path", path), (b":authority", b"a")];
        match engine.decide(&Request::new(&headers), &InMemoryHost::at(NOW), false) {
            Decision::Deny(denial) => denial.reason.as_str(),
            Decision::Allow(_) => "allowed",
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(reason(b"GET", b"/admin"), "credential_missing");
    assert_eq!([b"get", b"gEt", b"Get"].map(|method| reason(method, b"/admin")), ["no_rule"; 3]);
    // HEAD goes where GET goes.
    assert_eq!(reason(b"head", b"/admin"), "no_rule");
    // Both are public here, and yet they are not the same rule.
    assert_eq!(reason(b"get", b"/open"), "no_rule");
    assert_eq!([b"put" as &[u8], b"PUT", b"FOO"].map(|method| reason(method, b"/admin")), ["allowed"; 3]);
}

/// What a rule asks of a login is judged by the time of the request, though the token is remembered.
#[test]
fn a_remembered_token_does_not_stay_fresh() {
    let engine = engine(&json!({
        "schemes": {"token": {"type": "http", "scheme": "bearer", "jwt": secret()}},
        "security": [{"token": {"max_age_seconds": 300}}],
    }));
    let token = Token::new().claim("auth_time", NOW).claim("exp", NOW + 3600).claim("iat", NOW).sign("HS256");
    let host = InMemoryHost::at(NOW);
    for (second, is_fresh) in [(0, true), (300, true), (301, false), (3000, false)] {
        host.now.set(NOW + second);
        match decide(&engine, &host, &token, true) {
            Decision::Allow(_) => assert!(is_fresh, "{second}"),
            Decision::Deny(denial) => assert_eq!((is_fresh, denial.status()), (false, 401), "{second}"),
            other => panic!("{other:?}"),
        }
    }
}
