//! The module works in an Envoy that allows it what docs/operations.md lists, and nothing else.

use lychgate_tests::book::allowed_capabilities;
use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Artefact, Envoy, Listener, Options};
use lychgate_tests::http::Request;
use lychgate_tests::keys::{self, API_KEY as KEY, API_KEY_SHA256 as KEY_SHA256, PASSWORD_HASH as HASH};
use lychgate_tests::tokens::Token;
use serde_json::json;

fn start(capabilities: &[String], upstream: &Upstream) -> Result<Envoy, String> {
    let policy = json!({
        "schemes": {
            "oauth2": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/token", "scopes": {}}},
                "jwt": {"keys": [{"alg": "HS256", "secret": {"env": "SECRET"}}]},
                "users": "staff", "issue": {}},
            "es256": {"type": "http", "scheme": "bearer", "jwt": {"jwks": {"keys": [keys::P256.jwk()]}}},
            "fetched": {"type": "http", "scheme": "bearer", "jwt": {
                "remote_jwks": {"uri": "http://idp.example/jwks", "cluster": "upstream"}}},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"},
        },
        "users": {"staff": [{"username": "johndoe", "password": HASH}]},
        "api_keys": {"partners": [{"id": "partner", "sha256": KEY_SHA256}]},
        "rules": [
            {"match": {"path": "/es256"}, "security": [{"es256": []}]},
            {"match": {"path": "/fetched"}, "security": [{"fetched": []}]},
            {"match": {"path": "/key"}, "security": [{"key": []}]},
        ],
        "security": [{"oauth2": []}],
        "filter_state": true,
    });
    let listener = Listener::new("restricted", policy).restricted_to(capabilities);
    let environment = vec![("SECRET".to_owned(), keys::SECRET.to_owned())];
    let options = Options { environment, ..Options::default() };
    Envoy::start(&[listener], upstream.addr(), &options).map_err(|failure| failure.log)
}

#[test]
fn the_filter_works_in_an_envoy_that_allows_it_only_what_is_published() {
    if Artefact::is_native_where("nothing restricts it: it is code of Envoy's") {
        return;
    }
    let upstream = Upstream::start();
    let envoy = start(&allowed_capabilities(), &upstream).unwrap_or_else(|log| panic!("{log}"));
    let status = |request: Request| envoy.send("restricted", &request).status;
    let token = || Token::new().claim("sub", "johndoe");
    for _ in 0..2 {
        assert_eq!(status(Request::get("/")), 401);
        assert_eq!(status(Request::get("/").bearer(token().sign("HS256"))), 200);
        assert_eq!(status(Request::get("/").bearer(token().sign_by_stranger("HS256"))), 401);
        assert_eq!(status(Request::get("/es256").bearer(token().sign("ES256"))), 200);
        assert_eq!(status(Request::get("/es256").bearer(token().sign_by_stranger("ES256"))), 401);
        assert_eq!(status(Request::get("/key").header("X-API-Key", KEY)), 200);
        assert_eq!(status(Request::get("/key").header("X-API-Key", "another")), 403);
        // The upstream has no key set to give: the call is made, and its failure logged.
        assert_eq!(status(Request::get("/fetched").bearer(token().sign("ES256"))), 503);
    }
    let form = |password: &str| {
        let form = format!("username=johndoe&password={password}");
        Request::post("/token").body("application/x-www-form-urlencoded", form)
    };
    assert_eq!(status(form("guess")), 401);
    let answer = envoy.send("restricted", &form("secret"));
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(status(Request::get("/").bearer(token)), 200);
    assert!(envoy.log().contains("signatures are checked natively by Envoy"), "{}", envoy.log());
}

/// That the list means something: with one of it missing, this Envoy does not give what it gave.
#[test]
fn what_is_published_is_needed() {
    if Artefact::is_native_where("nothing restricts it: it is code of Envoy's") {
        return;
    }
    let upstream = Upstream::start();
    let without = |name: &str| {
        let rest: Vec<_> = allowed_capabilities().into_iter().filter(|own| own != name).collect();
        start(&rest, &upstream)
    };
    // No configuration can be read.
    assert!(without("proxy_get_buffer_bytes").is_err());
    // The secret cannot be read.
    assert!(without("environ_get").is_err_and(|log| log.contains("SECRET")));
    let envoy = without("proxy_call_foreign_function").unwrap_or_else(|log| panic!("{log}"));
    assert!(envoy.log().contains("signatures are checked in the module"), "{}", envoy.log());
    // No failure is counted, and no answer differs.
    let envoy = without("proxy_define_metric").unwrap_or_else(|log| panic!("{log}"));
    assert!(envoy.log().contains("stats cannot be had"), "{}", envoy.log());
    let good = Request::get("/key").header("X-API-Key", KEY);
    assert_eq!(envoy.send("restricted", &good).status, 200);
    assert_eq!(envoy.send("restricted", &Request::get("/key")).status, 403);
    // No request can be looked at, so none may pass.
    let envoy = without("proxy_get_header_map_pairs").unwrap_or_else(|log| panic!("{log}"));
    let token = Token::new().claim("sub", "johndoe").sign("HS256");
    assert!(envoy.send("restricted", &Request::get("/").bearer(token)).status >= 400);
}
