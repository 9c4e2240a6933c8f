//! What a flood of wrong passwords costs everybody else on the same worker: the throughput of an
//! authenticated route with the flood against the throughput without it, in one Envoy, in turns.
//!
//! `cargo bench --bench login` (Debian's wrk is installed where that may be done).

#![allow(
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a benchmark that cannot run should say so"
)]
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "figures of a benchmark")]

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lychgate_testkit::echo::Upstream;
use lychgate_testkit::envoy::{Envoy, Listener, Options};
use lychgate_testkit::programs::find_or_install;
use lychgate_testkit::{http, keys, tokens};
use serde_json::json;

const ROUNDS: usize = 5;
const SECONDS: u64 = 4;
/// argon2id as OWASP wants it, of `secret`.
const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$8qPpaWig0H31wvibKAgpght2Ry2M8rtRQYtZ93ooMus";

/// Requests in a second that wrk gets through.
fn throughput(wrk: &Path, addr: SocketAddr, token: &str) -> f64 {
    let output = Command::new(wrk)
        .args(["-t1", "-c16", &format!("-d{SECONDS}s"), "-H", &format!("Authorization: Bearer {token}")])
        .arg(format!("http://{addr}/x"))
        .output()
        .expect("wrk runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains("Non-2xx"), "{text}");
    let rate = text.split("Requests/sec:").nth(1).and_then(|rest| rest.split_whitespace().next());
    rate.and_then(|rate| rate.parse().ok()).unwrap_or_else(|| panic!("{text}"))
}

/// Sends a thousand wrong passwords a second until told to stop. Each is for another user, or all
/// are for one. Gives back how many were sent.
fn flood(addr: SocketAddr, stop: &AtomicBool, one_user: bool) -> usize {
    let sent = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4_usize {
            let sent = &sent;
            scope.spawn(move || {
                let start = Instant::now();
                let mut connection = http::Connection::open(addr).expect("a connection");
                for number in 0_usize.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let due = start + Duration::from_millis(4 * number as u64);
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    let user = if one_user { "ann".to_owned() } else { format!("user{thread}-{number}") };
                    let form = format!("username={user}&password=guess");
                    let request =
                        http::Request::post("/token").body("application/x-www-form-urlencoded", form);
                    if connection.send(&request).is_err() {
                        connection = http::Connection::open(addr).expect("a connection");
                    }
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    sent.into_inner()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let Some(wrk) = find_or_install("wrk", "wrk") else { return };
    // Not throttled at all, so that what is seen is the budget alone; and as it comes.
    for (name, passwords, one_user) in [
        ("budget alone, no throttle", json!({"max_failures": 1_000_000}), false),
        ("as it comes, another user each time", json!({}), false),
        ("as it comes, one user", json!({}), true),
    ] {
        let policy = json!({
            "schemes": {"login": {"type": "oauth2", "users": "staff", "issue": {},
                "flows": {"password": {"tokenUrl": "/token", "scopes": {}}},
                "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]}}},
            "users": {"staff": [{"username": "johndoe", "password": HASH}]},
            "passwords": passwords, "security": [{"login": []}],
        });
        let upstream = Upstream::start();
        let envoy = Envoy::start(&[Listener::new("gate", policy)], upstream.addr(), &Options::default());
        let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
        let addr = envoy.addr("gate");
        let token = tokens::Token::new().sign("HS256");
        throughput(&wrk, addr, &token);
        let mut ratios = Vec::new();
        let mut rate = Vec::new();
        for _ in 0..ROUNDS {
            let alone = throughput(&wrk, addr, &token);
            let stop = AtomicBool::new(false);
            let (flooded, sent) = std::thread::scope(|scope| {
                let flood = scope.spawn(|| flood(addr, &stop, one_user));
                let flooded = throughput(&wrk, addr, &token);
                stop.store(true, Ordering::Relaxed);
                // Wakes up a worker that is waiting for an answer.
                let _ = TcpStream::connect(addr).map(|mut stream| stream.write_all(b"\r\n"));
                (flooded, flood.join().expect("the flood ends"))
            });
            ratios.push(flooded / alone);
            rate.push(sent as f64 / SECONDS as f64);
        }
        let spread = |pick: fn(f64, f64) -> f64| ratios.iter().copied().reduce(pick).unwrap_or_default();
        println!(
            "{name}: {:.0} wrong passwords a second leave {:.2} of the throughput (from {:.2} to {:.2})",
            median(rate),
            median(ratios.clone()),
            spread(f64::min),
            spread(f64::max),
        );
    }
}
