//! A key is revoked by a change of the configuration: docs/beside.md says when it no longer passes.

use std::time::{Duration, Instant};

use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Envoy, Listener, Options};
use lychgate_tests::http::{Connection, Request};
use serde_json::{Value, json};

use super::{KEY, KEY_SHA256};

/// How long Envoy drains connections of a listener that was replaced.
const DRAIN: Duration = Duration::from_secs(10);

fn policy(keys: &Value) -> Value {
    json!({
        "schemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners", "missing_status": 401}},
        "api_keys": {"partners": keys},
        "security": [{"key": []}],
    })
}

fn before() -> Listener {
    Listener::new("gate", policy(&json!([{"id": "partner", "sha256": KEY_SHA256}])))
}

fn after() -> Listener {
    Listener::new("gate", policy(&json!([{"id": "partner", "sha256": KEY_SHA256, "disabled": true}])))
}

fn options() -> Options {
    let arguments = ["--drain-time-s".to_owned(), DRAIN.as_secs().to_string()].to_vec();
    Options { arguments, ..Options::default() }
}

fn start(listener: &Listener, upstream: &Upstream) -> Envoy {
    let envoy = Envoy::start_dynamic(std::slice::from_ref(listener), upstream.addr(), &options());
    envoy.unwrap_or_else(|failure| panic!("{}", failure.log))
}

fn with_key() -> Request {
    Request::get("/").header("X-API-Key", KEY)
}

/// Waits until the key is refused on new connections.
fn until_revoked(envoy: &Envoy) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while envoy.send("gate", &with_key()).status != 403 {
        assert!(Instant::now() < deadline, "the policy does not arrive: {}", envoy.log());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn by_lds_a_revoked_key_passes_on_an_open_connection_until_it_is_drained() {
    let upstream = Upstream::start();
    let envoy = start(&before(), &upstream);
    let mut open = Connection::open(envoy.addr("gate")).expect("a connection");
    assert_eq!(open.send(&with_key()).expect("an answer").status, 200);
    envoy.replace(&[after()], &options());
    until_revoked(&envoy);
    assert_eq!(open.send(&with_key()).expect("an answer").status, 200, "the old policy");
    std::thread::sleep(DRAIN + Duration::from_secs(2));
    // At the latest now Envoy has closed it.
    let answer = open.send(&with_key());
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(envoy.send("gate", &with_key()).status, 403);
}

#[test]
fn by_ecds_a_revoked_key_is_refused_on_an_open_connection() {
    let upstream = Upstream::start();
    let envoy = start(&before().discovered(), &upstream);
    let mut open = Connection::open(envoy.addr("gate")).expect("a connection");
    assert_eq!(open.send(&with_key()).expect("an answer").status, 200);
    envoy.replace_filter(&after(), &options());
    until_revoked(&envoy);
    let answer = open.send(&with_key()).expect("the connection is open");
    assert_eq!((answer.status, answer.text().as_str()), (403, "{\"detail\":\"Invalid API key\"}"));
    assert_eq!(envoy.stat("listener_manager.listener_modified"), 0, "the listener stayed");
}
