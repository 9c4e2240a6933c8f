//! Requests that wait for an answer from outside, with a head that is held back and a body that is not.

use std::time::Duration;

use lychgate_tests::echo::{Reply, Upstream};
use lychgate_tests::envoy::{Envoy, Listener, Options};
use lychgate_tests::http::{Connection, Request};
use serde_json::{Value, json};

use super::{h2, recording, take};

fn introspecting() -> Value {
    json!({
        "schemes": {"opaque": {"type": "http", "scheme": "bearer", "missing_status": 401, "introspection": {
            "uri": "http://idp.example/introspect", "cluster": "idp",
            "client_id": "gate", "client_secret": "secret of the gate"}}},
        "rules": [{"match": {"path": "/public"}, "security": []}],
        "security": [{"opaque": ["admin"]}],
    })
}

/// An issuer that vouches for no token, and takes its time.
fn doubting() -> Upstream {
    Upstream::serve(|_| {
        std::thread::sleep(Duration::from_millis(300));
        Reply::json(&json!({"active": false}))
    })
}

fn gate(upstream: &Upstream, issuer: &Upstream) -> Envoy {
    let options = Options { clusters: vec![("idp".into(), issuer.addr())], ..Options::default() };
    let envoy = Envoy::start(&[Listener::new("gate", introspecting())], upstream.addr(), &options);
    envoy.unwrap_or_else(|failure| panic!("{}", failure.log))
}

/// The head was held back and the body was let go, and the head with it: whatever waited was open to all.
#[test]
fn a_request_that_waits_does_not_reach_the_upstream_with_its_body() {
    let (upstream, seen) = recording();
    let issuer = doubting();
    let envoy = gate(&upstream, &issuer);
    // Each with a token of its own, so that each has to wait.
    for attempt in 0..3 {
        let forged = |request: Request, kind: &str| {
            request
                .bearer(format!("{kind}-{attempt}"))
                .header("x-auth-subject", "root")
                .header("x-auth-scopes", "admin")
        };
        let post = forged(Request::post("/admin"), "post").body("text/plain", "x");
        assert_eq!(envoy.send("gate", &post).status, 401, "{attempt}");
        let get = forged(Request::get("/admin"), "get").body("text/plain", "x");
        assert_eq!(envoy.send("gate", &get).status, 401, "{attempt}: GET with one byte");
        for body in ["0\r\n\r\n", "1\r\nx\r\n0\r\nX-Auth-Subject: root\r\n\r\n"] {
            let request = format!(
                "POST /admin HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer chunked-{attempt}-{}\r\n\
                 X-Auth-Subject: root\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let mut connection = Connection::open(envoy.addr("gate")).unwrap();
            let answer = connection.send_bytes(request.as_bytes(), false).unwrap();
            assert_eq!(answer.status, 401, "{attempt}: {body:?}");
        }
    }
    let seen = take(&seen);
    assert!(seen.is_empty(), "reached the upstream unjudged: {seen:?}");
}

/// All requests that waited were answered in one callback, each answer within the one before: the stack ran out at
/// about 305, and with it the worker.
#[test]
fn many_streams_with_one_made_up_token_do_not_exhaust_the_stack() {
    let (upstream, _seen) = recording();
    let issuer = doubting();
    let envoy = gate(&upstream, &issuer);
    let request = h2::Request::new("GET", "/admin").header("authorization", "Bearer made-up");
    let statuses = h2::send_many(envoy.addr("gate"), &request, 340).unwrap();
    assert_eq!(statuses.len(), 340, "{statuses:?}\n{}", envoy.log());
    assert!(statuses.iter().all(|&status| status == 401), "{statuses:?}");
    assert_eq!(envoy.send("gate", &Request::get("/public")).status, 200);
    assert!(!envoy.log().contains("Function: proxy_on_"), "the VM crashed:\n{}", envoy.log());
}
