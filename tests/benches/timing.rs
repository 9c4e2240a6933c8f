//! Whether the time that a refusal takes distinguishes a user that exists from one that does not: wrong
//! passwords for either, in turns drawn by lot, at a hash so cheap that what is around it shows.
//!
//! `cargo bench --bench timing` prints it. It is a measurement and fails no build: the machine has other
//! things to do. A difference is real where both figures are beyond 5 or so; it is of use to an
//! attacker where it stands out from the tens of milliseconds of an honest hash, and from the network.

use std::time::Instant;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lychgate::decision::{Decision, TokenRequest};
use lychgate::engine::Engine;
use lychgate::host::InMemoryHost;
use lychgate::request::Request;
use lychgate_tests::keys;
use serde_json::json;

const SAMPLES: usize = 10_000;
/// scrypt of `secret`, N = 16.
const HASH: &str = "$scrypt$ln=4,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gEeb/KeWbm5g+kBQOFr1yJbkjBxxxDOkhSmrSXFFwOg";
/// Of the same length, so that they differ in nothing but existence.
const USERS: [&str; 2] = ["johndoe", "nobody7"];

fn engine() -> Engine {
    let policy = json!({
        "schemes": {
            "login": {"type": "oauth2", "users": "staff", "issue": {},
                "flows": {"password": {"tokenUrl": "/token", "scopes": {}}},
                "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]}},
            "basic": {"type": "http", "scheme": "basic", "users": "staff"},
        },
        "users": {"staff": [
            {"username": USERS[0], "password": HASH},
            {"username": "ann", "password": HASH},
            {"username": "zoe", "password": HASH},
        ]},
        "passwords": {"max_failures": 1_000_000, "worker_share_percent": 100},
        "security": [{"basic": []}],
    });
    let compiled = Engine::compile(policy.to_string().as_bytes(), &|_| None);
    compiled.unwrap_or_else(|errors| panic!("{errors:?}")).engine
}

/// Nanoseconds of `attempt` for either user, in turns that are drawn by lot.
fn measure(mut attempt: impl FnMut(&str)) -> [Vec<f64>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    let mut dice = 0x9E37_79B9_7F4A_7C15_u64;
    for round in 0..SAMPLES {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        let first = usize::from(dice & 1 == 1);
        for which in [first, 1 - first] {
            let start = Instant::now();
            attempt(USERS[which]);
            let nanoseconds = start.elapsed().as_nanos() as f64;
            // The first ones warm up what there is to warm.
            if round >= SAMPLES / 20 {
                times[which].push(nanoseconds);
            }
        }
    }
    times
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Welch's t, without the slowest twentieth on either side, which are the machine's.
fn welch(times: &[Vec<f64>; 2]) -> f64 {
    let moments = |times: &[f64]| {
        let mut sorted = times.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted.truncate(sorted.len() * 19 / 20);
        let count = sorted.len() as f64;
        let mean = sorted.iter().sum::<f64>() / count;
        (mean, sorted.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0) / count)
    };
    let ((one, one_error), (two, two_error)) = (moments(&times[0]), moments(&times[1]));
    (one - two) / (one_error + two_error).sqrt()
}

/// Mann and Whitney's U as a standard normal z; ties get their mean rank.
fn mann_whitney(times: &[Vec<f64>; 2]) -> f64 {
    let mut all: Vec<(f64, usize)> = Vec::new();
    for (which, times) in times.iter().enumerate() {
        all.extend(times.iter().map(|&time| (time, which)));
    }
    all.sort_by(|one, two| one.0.total_cmp(&two.0));
    let mut ranks = 0.0;
    let mut from = 0;
    while from < all.len() {
        let ties = all[from..].iter().take_while(|(time, _)| time.to_bits() == all[from].0.to_bits()).count();
        let rank = from as f64 + (ties as f64 + 1.0) / 2.0;
        ranks += rank * all[from..from + ties].iter().filter(|(_, which)| *which == 0).count() as f64;
        from += ties;
    }
    let (one, two) = (times[0].len() as f64, times[1].len() as f64);
    let u = ranks - one * (one + 1.0) / 2.0;
    (u - one * two / 2.0) / (one * two * (one + two + 1.0) / 12.0).sqrt()
}

fn report(what: &str, times: &[Vec<f64>; 2]) {
    println!(
        "{what}: {SAMPLES} wrong passwords each, median {:.2} us for a user, {:.2} us for an unknown user; \
         Welch's t {:+.1}, Mann-Whitney z {:+.1}",
        median(&times[0]) / 1e3,
        median(&times[1]) / 1e3,
        welch(times),
        mann_whitney(times)
    );
}

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let (engine, host) = (engine(), InMemoryHost::at(1_700_000_000));
    let request = TokenRequest { endpoint: 0, authorization: None, request_id: None };
    let token = measure(|user| {
        let body = format!("username={user}&password=guess");
        let decision = engine.answer_token(&request, body.as_bytes(), &host);
        assert!(matches!(&decision, Decision::Deny(denial) if denial.status() == 401), "{decision:?}");
    });
    report("token endpoint", &token);
    let basic = measure(|user| {
        let authorization = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:guess")));
        let headers: [(&[u8], &[u8]); 4] = [
            (b":method", b"GET"),
            (b":path", b"/"),
            (b":authority", b"localhost"),
            (b"authorization", authorization.as_bytes()),
        ];
        let decision = engine.decide(&Request::new(&headers), &host, true);
        assert!(matches!(&decision, Decision::Deny(denial) if denial.status() == 401), "{decision:?}");
    });
    report("Basic", &basic);
    // The same user on both sides: what these figures are where there is nothing to see.
    let same = measure(|_| {
        let body = format!("username={}&password=guess", USERS[0]);
        let _ = engine.answer_token(&request, body.as_bytes(), &host);
    });
    report("for comparison, one user twice", &same);
}
