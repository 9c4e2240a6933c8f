//! The table of behaviours through a real Envoy with the real module, and what only Envoy can show.

mod behaviour;

use behaviour::{Arrived, Observed, Row};
use lychgate_testkit::echo::Upstream;
use lychgate_testkit::envoy::{ConfigForm, Envoy, Listener, Options};
use lychgate_testkit::http::{Request, Response};
use lychgate_testkit::tokens::Token;

/// An Envoy with a listener for each policy, both forms of configuration in turn.
fn start(concurrency: u32, upstream: &Upstream) -> Envoy {
    let listeners: Vec<_> = behaviour::policies()
        .into_iter()
        .enumerate()
        .map(|(index, (name, policy))| {
            let form = if index % 2 == 0 { ConfigForm::Struct } else { ConfigForm::StringValue };
            Listener::new(name, policy).form(form)
        })
        .collect();
    let options = Options { concurrency, environment: behaviour::environment(), ..Options::default() };
    Envoy::start(&listeners, upstream.addr(), &options).unwrap_or_else(|failure| panic!("{}", failure.log))
}

fn strings(headers: &[(String, Vec<u8>)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned())).collect()
}

/// What reached the upstream, which is what the upstream answers.
fn arrived(response: &Response) -> Option<Arrived> {
    let echo: serde_json::Value = serde_json::from_slice(&response.body).ok()?;
    let headers = echo["headers"].as_array()?.iter();
    Some(Arrived {
        method: echo["method"].as_str()?.to_owned(),
        path: echo["path"].as_str()?.to_owned(),
        headers: headers
            .map(|pair| Some((pair[0].as_str()?.to_owned(), pair[1].as_str()?.to_owned())))
            .collect::<Option<_>>()?,
    })
}

fn observe(envoy: &Envoy, row: &Row) -> Observed {
    let response = envoy.send(row.policy, &row.request);
    Observed {
        status: response.status,
        headers: strings(&response.headers),
        upstream: arrived(&response),
        body: String::from_utf8_lossy(&response.body).into_owned(),
    }
}

#[test]
fn every_behaviour() {
    let upstream = Upstream::start();
    let envoy = start(1, &upstream);
    let rows = behaviour::rows();
    let mut failures = Vec::new();
    for row in &rows {
        let hits = upstream.hits();
        let observed = observe(&envoy, row);
        let result = behaviour::check(row, &observed).and_then(|()| {
            let reached = upstream.hits() - hits;
            let wanted = usize::from(row.expect.upstream.is_some());
            if reached == wanted { Ok(()) } else { Err(format!("the upstream was asked {reached} times")) }
        });
        if let Err(error) = result {
            let Row { name, policy, request, .. } = row;
            failures.push(format!("{policy}: {name}: {error}\n  {request:?}\n  {observed:?}"));
        }
    }
    println!("{} of {} behaviours as they should be", rows.len() - failures.len(), rows.len());
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
}

fn grpc(path: &str) -> Request {
    Request::post(path).header("te", "trailers").body("application/grpc", [0, 0, 0, 0, 0])
}

fn grpc_status(envoy: &Envoy, listener: &str, request: &Request) -> (u16, Option<String>) {
    let response = envoy.send(listener, request);
    (response.status, response.header("grpc-status"))
}

#[test]
fn a_refused_grpc_request_gets_a_grpc_status() {
    let upstream = Upstream::start();
    let envoy = start(1, &upstream);
    let reader = Token::new().claim("scope", "items:read");
    for (request, status) in [
        (grpc("/me"), "16"),
        (grpc("/me").bearer(Token::new().sign_by_stranger("HS256")), "16"),
        (grpc("/superuser").bearer(reader.sign("HS256")), "7"),
        (grpc("/key/header"), "7"),
        (grpc("/key/header").header("X-API-Key", "wrong-key"), "7"),
    ] {
        assert_eq!(grpc_status(&envoy, "api", &request), (200, Some(status.into())), "{request:?}");
    }
    assert_eq!(grpc_status(&envoy, "closed", &grpc("/x")), (200, Some("7".into())));
    assert_eq!(upstream.hits(), 0);
}

/// Bytes that are not UTF-8 took the worker's VM with them where the SDK read headers as text.
#[test]
fn a_header_that_is_not_utf8_kills_nothing() {
    let upstream = Upstream::start();
    let envoy = start(1, &upstream);
    let good = Request::get("/me").bearer(Token::new().sign("HS256"));
    for request in [
        Request::get("/me").header("Authorization", b"Bearer \xff\xfe\xfd"),
        Request::get("/me").header("Authorization", b"\xff"),
        Request::get("/me").header("User-Agent", b"\xc3\x28"),
        Request::get("/key/header").header("X-API-Key", b"\x80"),
        Request::get("/key/cookie").header("Cookie", b"api_key=\x80; a=\xff"),
        Request::get("/health").header("X-Auth-Subject", b"\xff"),
        Request::get("/me").host("\u{fffd}"),
    ] {
        let status = envoy.send("api", &request).status;
        assert!(matches!(status, 200 | 400 | 401 | 403), "{status}: {request:?}");
        assert_eq!(envoy.send("api", &good).status, 200, "after {request:?}");
    }
}

#[test]
fn the_access_log_names_the_reason() {
    let upstream = Upstream::start();
    let envoy = start(1, &upstream);
    for (request, reason) in [
        (Request::get("/me"), "credential_missing"),
        (Request::get("/me").bearer(Token::new().sign_by_stranger("HS256")), "token_bad_signature"),
        (Request::get("/me").bearer(Token::new().claim("exp", 1).sign("HS256")), "token_expired"),
        (Request::get("/superuser").bearer(Token::new().sign("HS256")), "scope_lacking"),
        (Request::get("/a//b"), "ambiguous_path"),
    ] {
        let _ = envoy.send("api", &request);
        let log = envoy.access_log("api", reason);
        assert!(log.contains(reason), "{reason} is not in the access log:\n{log}");
    }
    let token = Token::new().sign_by_stranger("HS256");
    let signature = token.rsplit('.').next().expect("a signature");
    assert_eq!(envoy.send("api", &Request::get("/me").bearer(&token)).status, 401);
    assert!(!envoy.log().contains(signature), "a token is in Envoy's log");
}

/// Each worker is a VM of its own, with its own cache: every one must say the same.
#[test]
fn two_workers_say_the_same() {
    let upstream = Upstream::start();
    let envoy = start(2, &upstream);
    let good = Request::get("/me").bearer(Token::new().sign("HS256"));
    let bad = Request::get("/me").bearer(Token::new().sign_by_stranger("HS256"));
    for _ in 0..25 {
        assert_eq!(envoy.send("api", &good).status, 200);
        assert_eq!(envoy.send("api", &bad).status, 401);
    }
}
