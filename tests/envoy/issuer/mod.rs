//! Keys from outside, in a real Envoy with a real OpenID provider (npm `oidc-provider`) behind a
//! proxy that fails as issuers do.

mod attacks;
mod faults;
mod introspection;
mod lists;
mod long_answers;
mod rotation;
mod slices;

use std::time::{Duration, Instant};

use lychgate_tests::configuration::with;
use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Envoy, Listener, Options};
use lychgate_tests::http::{Request, Response};
use lychgate_tests::issuer::Issuer;
use serde_json::{Value, json};

/// An Envoy with one listener `gate`, whose cluster `idp` is the issuer.
fn gate(issuer: &Issuer, policy: Value, concurrency: u32) -> (Envoy, Upstream) {
    let upstream = Upstream::start();
    let options = Options {
        concurrency,
        clusters: vec![("idp".into(), issuer.addr())],
        environment: vec![("GATE_SECRET".into(), "gate secret & more".into())],
        ..Options::default()
    };
    let envoy = Envoy::start(&[Listener::new("gate", policy)], upstream.addr(), &options);
    (envoy.unwrap_or_else(|failure| panic!("{}", failure.log)), upstream)
}

/// A policy whose one scheme is OpenID Connect at the issuer, with these settings besides.
fn oidc(issuer: &Issuer, settings: &Value) -> Value {
    let jwt = with(json!({"cluster": "idp", "audiences": ["https://api.example"]}), settings);
    let url = format!("{}/.well-known/openid-configuration", issuer.url());
    json!({
        "schemes": {"oidc": {"type": "openIdConnect", "openIdConnectUrl": url, "jwt": jwt}},
        "rules": [{"match": {"path": "/write"}, "security": [{"oidc": ["items:write"]}]},
                  {"match": {"path": "/public"}, "security": []}],
        "security": [{"oidc": []}],
    })
}

fn get(envoy: &Envoy, path: &str, token: &str) -> Response {
    envoy.send("gate", &Request::get(path).bearer(token))
}

/// Asks until the status is the wanted one; how long that took.
fn until(envoy: &Envoy, token: &str, status: u16, within: Duration) -> Duration {
    let start = Instant::now();
    loop {
        let answer = get(envoy, "/", token);
        if answer.status == status {
            return start.elapsed();
        }
        assert!(start.elapsed() < within, "still {} after {within:?}: {}", answer.status, answer.text());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_provider_is_discovered_and_its_tokens_open_the_gate() {
    let Some(issuer) = Issuer::start() else { return };
    let (envoy, _upstream) = gate(&issuer, oidc(&issuer, &json!({})), 2);
    // The very first request waits for the keys.
    let token = issuer.token("items:read", true);
    let first = get(&envoy, "/", &token);
    assert_eq!(first.status, 200, "{first:?}");
    let seen = first.json();
    let header = |name: &str| {
        let headers = seen["headers"].as_array().unwrap();
        headers.iter().find(|pair| pair[0] == name).map(|pair| pair[1].as_str().unwrap().to_owned())
    };
    assert_eq!(header("x-auth-subject").as_deref(), Some("machine"));
    assert_eq!(header("x-auth-scopes").as_deref(), Some("items:read"));
    assert_eq!(get(&envoy, "/write", &token).status, 403);
    assert_eq!(get(&envoy, "/write", &issuer.token("items:read items:write", true)).status, 200);

    // A person, by the authorization-code flow.
    let tokens = issuer.code_token();
    let person = get(&envoy, "/", tokens["access_token"].as_str().unwrap());
    assert_eq!(person.status, 200, "{person:?}");
    assert!(person.text().contains("\"alice\""), "{person:?}");
    // An ID token is for the client and not for the API: its audience says so.
    assert_eq!(get(&envoy, "/", tokens["id_token"].as_str().unwrap()).status, 401);
    // An opaque token says nothing here.
    assert_eq!(get(&envoy, "/", &issuer.token("items:read", false)).status, 401);
    assert_eq!(issuer.seen().most_at_once(), 1);
}
