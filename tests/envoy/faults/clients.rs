//! Clients that hang up while the keys to judge them by are awaited.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lychgate_tests::echo::{Reply, Upstream};
use lychgate_tests::envoy::{Envoy, Options};
use lychgate_tests::http::{self, Request};
use lychgate_tests::keys;
use lychgate_tests::tokens::Token;
use serde_json::json;

use super::gate;

/// An issuer that answers when it is let.
struct Issuer {
    upstream: Upstream,
    open: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    fn start() -> Self {
        let (open, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let upstream = Upstream::serve({
            let (open, asked) = (Arc::clone(&open), Arc::clone(&asked));
            move |_| {
                asked.fetch_add(1, Ordering::SeqCst);
                let start = Instant::now();
                while !open.load(Ordering::SeqCst) && start.elapsed() < Duration::from_secs(30) {
                    thread::sleep(Duration::from_millis(10));
                }
                Reply::json(&json!({"keys": [keys::RSA.jwk()]}))
            }
        });
        Self { upstream, open, asked }
    }
}

fn waiting(envoy: &Envoy, wanted: u64) {
    let start = Instant::now();
    loop {
        let active = envoy.stat("http.gate.downstream_rq_active");
        if active == wanted {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(8), "{active} requests wait, not {wanted}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// More clients than may wait at once, one after the other: a client that hangs up frees its place.
#[test]
fn clients_that_hang_up_while_keys_are_awaited_leave_no_trace() {
    for workers in [1, 2] {
        let issuer = Issuer::start();
        let upstream = Upstream::start();
        let policy = json!({
            "schemes": {"token": {"type": "http", "scheme": "bearer", "jwt": {
                "remote_jwks": {"uri": "http://idp.example/jwks", "cluster": "idp", "timeout_seconds": 60}}}},
            "security": [{"token": []}],
        });
        let options = Options {
            concurrency: workers,
            clusters: vec![("idp".into(), issuer.upstream.addr())],
            ..Options::default()
        };
        let envoy = gate(policy, None, &upstream, &options);
        let addr = envoy.addr("gate");
        let good = Request::get("/").bearer(Token::reader().sign("RS256"));
        let forged = Request::get("/").bearer(Token::reader().sign_by_stranger("RS256"));
        let token = Token::reader().sign("RS256");
        let bytes = format!("GET /gone HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
        // As many as may wait with one credential, and more in all than there are places.
        for _ in 0..10 {
            let clients: Vec<_> = (0..500)
                .map(|_| {
                    let mut stream = TcpStream::connect(addr).unwrap();
                    stream.write_all(bytes.as_bytes()).unwrap();
                    stream
                })
                .collect();
            waiting(&envoy, 500);
            drop(clients);
            waiting(&envoy, 0);
        }
        let answers: Vec<_> = thread::scope(|scope| {
            let staying: Vec<_> = (0..40)
                .map(|n| {
                    let request = if n % 2 == 0 { &good } else { &forged };
                    scope.spawn(move || http::send(addr, request).map(|answer| answer.status).unwrap_or(0))
                })
                .collect();
            waiting(&envoy, 40);
            issuer.open.store(true, Ordering::SeqCst);
            staying.into_iter().map(|client| client.join().unwrap()).collect()
        });
        let right = [200, 401].repeat(20);
        assert_eq!(
            answers, right,
            "{workers} workers: those that stayed are judged by the keys that arrived"
        );
        assert_eq!(upstream.hits(), 20, "{workers} workers: no request of a client that left went on");
        let asked = issuer.asked.load(Ordering::SeqCst);
        println!("{workers} workers: 5000 clients hung up, 40 stayed, {asked} requests for keys");
        assert!(asked <= 2 * workers as usize, "{asked} requests for keys");
        assert!(!envoy.log().contains("Function: proxy_on_"), "the VM crashed:\n{}", envoy.log());
    }
}
