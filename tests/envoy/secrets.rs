//! Secrets: never in a log, a stat or a response, and not in `/config_dump` where they are given by the
//! environment of Envoy: a real Envoy that logs all that the module and its host say to each other.

use lychgate_tests::echo::{Reply, Upstream};
use lychgate_tests::envoy::{Artefact, Envoy, Listener, Options};
use lychgate_tests::http::{self, Request};
use lychgate_tests::keys;
use lychgate_tests::leaks::{Kept, found, kept};
use lychgate_tests::tokens::Token;
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse & battery";
/// [`PASSWORD`], as cheaply as PBKDF2 goes.
const HASH: &str =
    "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$69Tk6jxjFp3Reuwd1LLPFpSNGP4/GOYDUO8OpNEuDhM";
const WRONG_PASSWORD: &str = "wrong horse & battery";
const API_KEY: &str = "an API key of one's own";
const WRONG_KEY: &str = "an unknown API key...";
const CLIENT: &str = "a client secret by environment";
const WRONG_CLIENT: &str = "an unknown client secret...";
const ASKING: &str = "the secret for introspection";
const OPAQUE: &str = "an-opaque-token-of-a-user";
const UNASKABLE: &str = "an-opaque-token-that-fails";

fn sha256(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn policy() -> Value {
    let key =
        |at: &str, name: &str| json!({"type": "apiKey", "in": at, "name": name, "api_keys": "partners"});
    json!({
        "schemes": {
            "oauth2": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/token", "scopes": {"items:read": "Read"}}},
                "jwt": {"keys": [{"alg": "HS256", "secret": {"env": "GATE_SECRET"}}, {"alg": "ES256", "pem": {"env": "GATE_KEY"}}]},
                "users": "staff", "issue": {"clients": [{"client_id": "app", "client_secret": {"env": "GATE_CLIENT"}}]}},
            "header_key": key("header", "X-API-Key"),
            "query_key": key("query", "api_key"),
            "cookie_key": key("cookie", "session"),
            "basic": {"type": "http", "scheme": "basic", "users": "staff"},
            "opaque": {"type": "http", "scheme": "bearer", "introspection": {"uri": "http://idp.example/introspect",
                "cluster": "idp", "client_id": "gate", "client_secret": {"env": "GATE_ASKING"}}},
        },
        "users": {"staff": [{"username": "johndoe", "password": HASH, "scopes": ["items:read"]}]},
        "api_keys": {"partners": [{"id": "app", "sha256": sha256(API_KEY)}]},
        "passwords": {"worker_share_percent": 100, "max_failures": 3},
        "openapi": {"serve": "/openapi.json", "docs": "/docs"},
        "rules": [
            {"match": {"path": "/header-key"}, "security": [{"header_key": []}]},
            {"match": {"path": "/query-key"}, "security": [{"query_key": []}]},
            {"match": {"path": "/cookie-key"}, "security": [{"cookie_key": []}]},
            {"match": {"path": "/basic"}, "security": [{"basic": []}]},
            {"match": {"path": "/opaque"}, "security": [{"opaque": []}]},
            {"match": {"path": "/scope"}, "security": [{"oauth2": ["admin"]}]},
        ],
        "security": [{"oauth2": []}],
    })
}

fn basic(user: &str, password: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(format!("{user}:{password}")))
}

fn login(password: &str, client: &str) -> Request {
    let form = |text: &str| text.replace(' ', "+").replace('&', "%26").replace('\'', "%27");
    let body =
        format!("username=johndoe&password={}&client_id=app&client_secret={}", form(password), form(client));
    Request::post("/token").body("application/x-www-form-urlencoded", body)
}

/// Good and bad, each with the status that it gets.
fn requests(tokens: &[(&'static str, String, u16)]) -> Vec<(Request, u16)> {
    let key = |value: &str| Request::get("/header-key").header("X-API-Key", value);
    let query = |value: &str| Request::get(format!("/query-key?a=1&api_key={}", value.replace(' ', "%20")));
    let cookie = |value: &str| Request::get("/cookie-key").header("Cookie", format!("session={value}"));
    let person = |password: &str| Request::get("/basic").header("Authorization", basic("johndoe", password));
    let mut requests = vec![
        (key(API_KEY), 200),
        (key(WRONG_KEY), 403),
        (query(API_KEY), 200),
        (query(WRONG_KEY), 403),
        (cookie(&API_KEY.replace(' ', "%20")), 403),
        (cookie(WRONG_KEY), 403),
        (person(PASSWORD), 200),
        (person(PASSWORD), 200),
        (person(WRONG_PASSWORD), 401),
        (Request::get("/opaque").bearer(OPAQUE), 200),
        (Request::get("/opaque").bearer(UNASKABLE), 503),
        (login(WRONG_PASSWORD, CLIENT), 401),
        (login(PASSWORD, WRONG_CLIENT), 401),
        (Request::get("/openapi.json"), 200),
        (Request::get("/docs"), 200),
    ];
    for (_, token, status) in tokens {
        requests.push((Request::get("/me").bearer(token), *status));
        requests.push((Request::get("/scope").bearer(token), if *status == 200 { 403 } else { *status }));
        requests.push((Request::get("/a//b").bearer(token), 400));
        requests.push((Request::get("/me").bearer(token).bearer(token), 401));
    }
    requests
}

#[test]
fn neither_logs_nor_stats_nor_dumps_nor_answers_hold_a_secret() {
    let upstream = Upstream::start();
    let issuer = Upstream::serve(|request| match String::from_utf8_lossy(&request.body) {
        body if body.contains(OPAQUE) => Reply::json(&json!({"active": true, "sub": "a-user"})),
        _ => Reply::status(500),
    });
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let options = Options {
        host_environment: vec![
            own("GATE_SECRET", keys::SECRET),
            own("GATE_KEY", keys::P256.private_pem),
            own("GATE_CLIENT", CLIENT),
            own("GATE_ASKING", ASKING),
        ],
        clusters: vec![("idp".into(), issuer.addr())],
        arguments: vec!["--component-log-level".into(), "wasm:trace,dynamic_modules:trace".into()],
        ..Options::default()
    };
    let envoy = Envoy::start(&[Listener::new("gate", policy())], upstream.addr(), &options);
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));

    let answer = envoy.send("gate", &login(PASSWORD, CLIENT));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let issued = answer.json()["access_token"].as_str().unwrap().to_owned();
    let tokens = [
        ("the token that was issued", issued, 200),
        ("a token", Token::reader().sign("HS256"), 200),
        ("a token of a stranger", Token::reader().sign_by_stranger("HS256"), 401),
        ("a token past its time", Token::new().claim("exp", 1).sign("HS256"), 401),
        ("a token of an unknown user", Token::new().claim("sub", "mallory").sign("HS256"), 401),
        ("a token that is none", "not-a-token-but-kept-secret".into(), 401),
    ];
    let line = |pem: &str| pem.lines().nth(2).unwrap().to_owned();
    let mut secrets: Vec<Kept> = vec![
        kept("the HMAC secret", keys::SECRET),
        kept("the private key", line(keys::P256.private_pem)),
        kept("the client's secret", CLIENT),
        kept("a client's wrong secret", WRONG_CLIENT),
        kept("the filter's own secret", ASKING),
        kept("the password", PASSWORD),
        kept("a wrong password", WRONG_PASSWORD),
        kept("the API key", API_KEY),
        kept("a wrong API key", WRONG_KEY),
        kept("an opaque token", OPAQUE),
        kept("an opaque token that fails", UNASKABLE),
        kept("a Basic credential", basic("johndoe", PASSWORD)),
    ];
    for (of, token, _) in &tokens {
        // The signature alone would be worth as much with the rest, which is known.
        secrets.push(kept(of, token.rsplit('.').next().unwrap()));
    }

    let mut leaks = Vec::new();
    let requests = requests(&tokens);
    for (request, status) in &requests {
        let answer = envoy.send("gate", request);
        assert_eq!(answer.status, *status, "{request:?}: {}", answer.text());
        // Where it passed, that is what the upstream got.
        let shown = format!("{:?} {}", answer.headers, answer.text());
        leaks.extend(
            found(&secrets, &shown).into_iter().map(|leak| format!("{leak} in the answer to {request:?}")),
        );
    }
    for path in ["/config_dump", "/stats", "/stats/prometheus", "/clusters", "/listeners", "/server_info"] {
        let dump = http::send(envoy.admin(), &Request::get(path)).unwrap().text();
        assert!(!dump.is_empty(), "{path}");
        leaks.extend(found(&secrets, &dump).into_iter().map(|leak| format!("{leak} in {path}")));
    }
    let log = envoy.log();
    if Artefact::from_environment() == Artefact::Wasm {
        assert!(log.contains("proxy_on_request_headers"), "the log is as loud as it goes:\n{log:.3000}");
    }
    assert!(log.contains("token_bad_signature"), "and the filter gives its reasons:\n{log:.3000}");
    leaks.extend(found(&secrets, &log).into_iter().map(|leak| format!("{leak} in the log")));
    println!(
        "secrets: {} of them in {} requests, {} found in logs, stats, dumps and answers",
        secrets.len(),
        requests.len(),
        leaks.len()
    );
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

#[test]
fn a_secret_that_is_no_good_is_not_in_the_log_that_says_so() {
    let options = Options {
        host_environment: vec![("GATE_SECRET".into(), "too-short-a-secret".into())],
        arguments: vec!["--component-log-level".into(), "wasm:trace,dynamic_modules:trace".into()],
        ..Options::default()
    };
    let policy = json!({"schemes": {"s": {"type": "http", "scheme": "bearer",
        "jwt": {"keys": [{"alg": "HS256", "secret": {"env": "GATE_SECRET"}}]}}}, "security": [{"s": []}]});
    let upstream = Upstream::start();
    let failure = Envoy::start(&[Listener::new("gate", policy)], upstream.addr(), &options).err().unwrap();
    assert!(failure.log.contains("HS256 needs a secret of at least 32 bytes, got 18"), "{}", failure.log);
    assert_eq!(found(&[kept("it", "too-short-a-secret")], &failure.log), Vec::<String>::new());
}
