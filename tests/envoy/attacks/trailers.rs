//! Trailers of a request that does not wait: what its client says of itself there goes no further.

use std::time::Duration;

use lychgate_tests::envoy::{Envoy, Listener, Options};
use lychgate_tests::http::Connection;
use lychgate_tests::keys;
use lychgate_tests::witness::Witness;
use serde_json::{Value, json};

use super::credentials::reader;
use super::h2;

const HTTP: &str = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const ROUTER: &str = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

/// What a server could take for a header that was judged, or that the filter made.
const BARRED: [(&str, &str); 7] = [
    ("X-Auth-Subject", "root"),
    ("x_auth_subject", "root"),
    ("x.auth.scopes", "admin"),
    ("X-Auth-Scheme", "trusted"),
    ("Authorization", "Bearer x"),
    ("X-API-Key", "x"),
    ("Cookie", "session=x"),
];
const OTHERS: [(&str, &str); 3] = [("x-checksum", "1"), ("x-auth-subjects", "all"), ("grpc-message", "root")];

fn policy() -> Value {
    json!({
        "schemes": {
            "oauth2": {"type": "oauth2", "flows": {}, "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]}},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"},
        },
        "api_keys": {"partners": [{"id": "app", "sha256": keys::API_KEY_SHA256}]},
        "rules": [{"match": {"prefix": "/public"}, "security": []}],
        "security": [{"oauth2": []}, {"key": []}],
    })
}

/// A listener with the filter, and one without, both with trailers on both sides.
fn start(witness: &Witness) -> Envoy {
    let trailers = json!({"enable_trailers": true});
    let manager = json!({"http_protocol_options": trailers});
    let mut bare = manager.clone();
    bare["http_filters"] = json!([{"name": "router", "typed_config": {"@type": ROUTER}}]);
    let listeners =
        [Listener::new("gate", policy()).manager(manager), Listener::new("bare", policy()).manager(bare)];
    let upstream = json!({"@type": HTTP, "explicit_http_config": {"http_protocol_options": trailers}});
    let options = Options {
        cluster_members: json!({
            "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": upstream},
        }),
        ..Options::default()
    };
    let envoy = Envoy::start(&listeners, witness.addr(), &options);
    envoy.unwrap_or_else(|failure| panic!("{}", failure.log))
}

fn trailers() -> impl Iterator<Item = (&'static str, &'static str)> {
    BARRED.into_iter().chain(OTHERS)
}

/// Sends it with all trailers; the status.
fn send(envoy: &Envoy, listener: &str, path: &str, is_http2: bool) -> u16 {
    let case = format!("{listener}{path}{is_http2}");
    if is_http2 {
        let request = h2::Request::new("POST", path)
            .header("authorization", format!("Bearer {}", reader()))
            .header("x-case", case)
            .body(b"abc");
        let request = trailers()
            .fold(request, |request, (name, value)| request.trailer(&name.to_ascii_lowercase(), value));
        return h2::send(envoy.addr(listener), &request).unwrap().expect("an answer").status;
    }
    let lines: String = trailers().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nX-Case: {case}\r\nAuthorization: Bearer {}\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n{lines}\r\n",
        reader()
    );
    Connection::open(envoy.addr(listener)).unwrap().send_bytes(request.as_bytes(), false).unwrap().status
}

/// `X-Auth-Subject: root` behind the body of a request with a good token arrived at the upstream.
#[test]
fn trailers_of_a_request_that_does_not_wait_say_nothing_of_its_client() {
    let witness = Witness::start();
    let envoy = start(&witness);
    for (listener, path) in [("bare", "/me"), ("gate", "/me"), ("gate", "/public/x")] {
        for is_http2 in [false, true] {
            let case = format!("{listener}{path}{is_http2}");
            assert_eq!(send(&envoy, listener, path, is_http2), 200, "{case}");
            let is_whole = |found: &[lychgate_tests::witness::Arrival]| found.iter().any(|own| own.is_whole);
            let arrived = witness.wait_for("x-case", &case, Duration::from_secs(10), is_whole);
            let [arrival] = &arrived[..] else { panic!("{case}: {arrived:?}") };
            let passes = |(name, value): &(&str, &str)| arrival.trailer(name).as_deref() == Some(*value);
            for other in &OTHERS {
                assert!(passes(other), "{case}: {other:?} is not in {:?}", arrival.trailers);
            }
            let passed: Vec<_> = BARRED.iter().filter(|own| passes(own)).collect();
            if listener == "bare" {
                assert_eq!(passed.len(), BARRED.len(), "without the filter all of it arrives: {passed:?}");
                continue;
            }
            assert!(passed.is_empty(), "{case}: {passed:?}");
            assert_eq!(arrival.trailers.len(), OTHERS.len(), "{case}: {:?}", arrival.trailers);
            let subject = if path == "/me" { vec!["johndoe".to_owned()] } else { Vec::new() };
            assert_eq!(arrival.all("x-auth-subject"), subject, "{case}");
            assert_eq!(arrival.body, b"abc", "{case}");
        }
    }
    assert!(super::is_module_alive(&envoy), "{}", envoy.log());
}
