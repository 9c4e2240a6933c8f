//! Key sets by URI, several issuers, and lists of revoked tokens.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lychgate_tests::configuration::hs256;
use lychgate_tests::echo::{Reply, Upstream};
use lychgate_tests::envoy::{Envoy, Listener, Options};
use lychgate_tests::issuer::Issuer;
use lychgate_tests::keys;
use lychgate_tests::tokens::{Token, now};
use serde_json::{Value, json};

use super::{gate, get, until};

#[test]
fn several_issuers_each_with_their_own_keys_and_no_others() {
    let Some(issuer) = Issuer::start() else { return };
    let policy = json!({
        "schemes": {"token": {"type": "http", "scheme": "bearer", "jwt": {"issuers": [
            {"issuer": issuer.url(), "remote_jwks": {"uri": format!("{}/jwks", issuer.url()), "cluster": "idp"}},
            {"issuer": "https://other.example", "keys": [{"alg": "RS256", "pem": keys::RSA.public_pem}]},
            {"issuer": "https://third.example", "keys": [{"alg": "HS256", "secret": keys::SECRET}]},
        ]}}},
        "security": [{"token": []}],
    });
    let (envoy, _upstream) = gate(&issuer, policy, 1);
    assert_eq!(get(&envoy, "/", &issuer.token("items:read", true)).status, 200);
    let token = |issuer: &str, alg: &str| Token::new().claim("iss", issuer).sign(alg);
    assert_eq!(get(&envoy, "/", &token("https://other.example", "RS256")).status, 200);
    assert_eq!(get(&envoy, "/", &token("https://third.example", "HS256")).status, 200);
    for (name, token) in [
        ("another issuer's key", token("https://other.example", "HS256")),
        ("another issuer's key, the other way", token("https://third.example", "RS256")),
        ("a key of ours for the fetched issuer", token(&issuer.url(), "RS256")),
        ("an unknown issuer", token("https://fourth.example", "RS256")),
        ("no issuer", Token::new().sign("RS256")),
        ("an issuer that is no string", Token::new().claim("iss", 7).sign("RS256")),
    ] {
        assert_eq!(get(&envoy, "/", &token).status, 401, "{name}");
    }
}

/// A list of revoked tokens that the test writes; `None`: the server fails.
fn list_server(list: &Arc<Mutex<Option<Value>>>) -> Upstream {
    let list = Arc::clone(list);
    Upstream::serve(move |_| match &*list.lock().unwrap() {
        Some(list) => Reply::json(list),
        None => Reply::status(500),
    })
}

fn revoking(settings: Value, lists: &Upstream) -> (Envoy, Upstream) {
    let jwt = hs256(&settings);
    let policy = json!({
        "schemes": {"token": {"type": "http", "scheme": "bearer", "jwt": jwt}}, "security": [{"token": []}],
    });
    let upstream = Upstream::start();
    let options = Options { clusters: vec![("lists".into(), lists.addr())], ..Options::default() };
    let envoy = Envoy::start(&[Listener::new("gate", policy)], upstream.addr(), &options);
    (envoy.unwrap_or_else(|failure| panic!("{}", failure.log)), upstream)
}

#[test]
fn revoked_tokens_are_refused_by_identifier_subject_and_time() {
    let list = Arc::new(Mutex::new(Some(json!({"jti": []}))));
    let lists = list_server(&list);
    let inline = json!({"revoked": {"jti": ["stolen"], "sub": ["mallory"], "issued_before": now() - 100}});
    let (envoy, _upstream) = revoking(inline, &lists);
    let token = |jti: &str| Token::new().claim("jti", jti);
    assert_eq!(get(&envoy, "/", &token("fine").sign("HS256")).status, 200);
    for (name, token) in [
        ("its identifier", token("stolen")),
        ("its subject", token("fine").claim("sub", "mallory")),
        ("its time", token("fine").claim("iat", now() - 200)),
        ("no time", token("fine").without("iat")),
    ] {
        let answer = get(&envoy, "/", &token.sign("HS256"));
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
    }
}

#[test]
fn a_polled_list_takes_effect_on_tokens_that_were_accepted_before() {
    let list = Arc::new(Mutex::new(Some(json!({"jti": []}))));
    let lists = list_server(&list);
    let uri = format!("http://{}/revoked.json", lists.addr());
    let polled = json!({"revocation": {"uri": uri, "cluster": "lists", "refresh_seconds": 1}});
    let (envoy, _upstream) = revoking(polled, &lists);
    let stolen = Token::new().claim("jti", "stolen").sign("HS256");
    let fine = Token::new().claim("jti", "fine").sign("HS256");
    assert_eq!(get(&envoy, "/", &stolen).status, 200);
    *list.lock().unwrap() = Some(json!({"jti": ["stolen"]}));
    until(&envoy, &stolen, 401, Duration::from_secs(5));
    assert_eq!(get(&envoy, "/", &fine).status, 200);
    // While the list cannot be had, the last one holds.
    *list.lock().unwrap() = None;
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(get(&envoy, "/", &stolen).status, 401);
    assert_eq!(get(&envoy, "/", &fine).status, 200);
    // A list that is half understood is none.
    *list.lock().unwrap() = Some(json!({"jti": [], "users": ["mallory"]}));
    // After failures the next fetch takes its time.
    let deadline = Instant::now() + Duration::from_secs(15);
    while !envoy.log().contains("unknown key") {
        assert!(Instant::now() < deadline, "{}", envoy.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(get(&envoy, "/", &stolen).status, 401);
}

#[test]
fn without_a_list_from_the_start_the_configuration_says_what_holds() {
    let list = Arc::new(Mutex::new(None));
    let lists = list_server(&list);
    let uri = format!("http://{}/revoked.json", lists.addr());
    let polled = |on_outage: &str| json!({"revocation": {"uri": uri, "cluster": "lists", "refresh_seconds": 1, "on_outage": on_outage}});
    let token = Token::new().sign("HS256");
    let (envoy, _upstream) = revoking(polled("refuse"), &lists);
    let answer = get(&envoy, "/", &token);
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.json(), json!({"detail": "Revocation list is not available"}));
    *list.lock().unwrap() = Some(json!({"jti": []}));
    until(&envoy, &token, 200, Duration::from_secs(8));
    *list.lock().unwrap() = None;
    let (envoy, _upstream) = revoking(polled("accept"), &lists);
    assert_eq!(get(&envoy, "/", &token).status, 200);
}

/// A list over 1 MiB was not applied, `{}` in place of a long one lifted every revocation, and no line said
/// of either.
#[test]
fn a_list_that_cannot_be_meant_is_reported_and_the_last_good_one_holds() {
    let list = Arc::new(Mutex::new(Some(json!({"jti": ["stolen"]}))));
    let lists = list_server(&list);
    let uri = format!("http://{}/revoked.json", lists.addr());
    let polled = json!({"revocation": {"uri": uri, "cluster": "lists", "refresh_seconds": 1}});
    let (envoy, _upstream) = revoking(polled, &lists);
    let stolen = Token::new().claim("jti", "stolen").sign("HS256");
    until(&envoy, &stolen, 401, Duration::from_secs(5));
    let long: Vec<_> = (0..40_000).map(|number| format!("{number:036}")).collect();
    for (refused, says) in [
        (json!({}), "an empty list is {\"jti\": []}"),
        (json!({"jti": long}), "a body of more than 1048576 bytes"),
    ] {
        *list.lock().unwrap() = Some(refused);
        let deadline = Instant::now() + Duration::from_secs(10);
        while !envoy.log().contains(says) {
            assert!(Instant::now() < deadline, "{says}: {}", envoy.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = envoy.log();
        let line = log.lines().find(|line| line.contains(says)).unwrap();
        assert!(line.contains("[warning]") && line.contains("what was fetched before holds on"), "{line}");
        assert_eq!(get(&envoy, "/", &stolen).status, 401);
    }
    // An explicit empty list is believed, and reported.
    *list.lock().unwrap() = Some(json!({"jti": []}));
    until(&envoy, &stolen, 200, Duration::from_secs(10));
    assert!(envoy.log().contains("the list is empty now; of 1 revocations none is left"), "{}", envoy.log());
}
