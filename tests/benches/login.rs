//! What a flood of wrong passwords costs other clients on the same worker: the throughput of an
//! authenticated route with the flood against the throughput without it, in one Envoy, in turns.
//!
//! `cargo bench --bench login` (Debian's wrk is installed where that may be done); with `LYCHGATE_ARTEFACT=native` of the
//! native module, which hashes on threads of its own.

use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Artefact, Envoy, Listener, Options};
use lychgate_tests::http::Request;
use lychgate_tests::load::{beside_a_flood, spread, throughput};
use lychgate_tests::programs::find_or_install;
use lychgate_tests::{keys, tokens};
use serde_json::json;

const ROUNDS: usize = 9;
const SECONDS: u64 = 2;
/// argon2id as OWASP wants it, of `secret`.
const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$8qPpaWig0H31wvibKAgpght2Ry2M8rtRQYtZ93ooMus";

/// What is sent a thousand times a second.
#[derive(Clone, Copy)]
enum Flood {
    /// Wrong passwords, each for another user.
    Users,
    /// Wrong passwords of one user.
    OneUser,
    /// What is refused without a look at any password: so much does a flood of anything cost.
    NoCredential,
}

/// A request whose password is hashed on another thread waits for its turn, so it takes more of them to send a thousand
/// a second.
fn connections() -> usize {
    match Artefact::from_environment() {
        Artefact::Wasm => 4,
        Artefact::Native => 256,
    }
}

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let Some(wrk) = find_or_install("wrk", "wrk") else { return };
    // Not throttled at all, so that what is seen is the budget alone; and as it comes.
    for (name, passwords, flood) in [
        ("budget alone, no throttle", json!({"max_failures": 1_000_000}), Flood::Users),
        ("as it comes, another user each time", json!({}), Flood::Users),
        ("as it comes, one user", json!({}), Flood::OneUser),
        ("for comparison, requests without a credential", json!({}), Flood::NoCredential),
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
        let login = |number: usize| {
            let user = match flood {
                Flood::Users => format!("user{number}"),
                Flood::OneUser => "ann".to_owned(),
                Flood::NoCredential => return Request::get("/"),
            };
            let form = format!("username={user}&password=guess");
            Request::post("/token").body("application/x-www-form-urlencoded", form)
        };
        // The throughput, and what the worker takes of a processor for each request: also of the flood.
        let work = || {
            let before = envoy.worker_time();
            let rate = throughput(&wrk, addr, &token, SECONDS);
            let time = envoy.worker_time().saturating_sub(before);
            (rate, time.as_secs_f64() * 1e6 / (rate * SECONDS as f64))
        };
        let _ = work();
        let (mut ratios, mut rates) = (Vec::new(), Vec::new());
        let (mut least_alone, mut least_flooded) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..ROUNDS {
            let (alone, cost_alone) = work();
            let ((flooded, cost_flooded), rate) = beside_a_flood(addr, connections(), login, work);
            ratios.push(flooded / alone);
            rates.push(rate);
            least_alone = least_alone.min(cost_alone);
            least_flooded = least_flooded.min(cost_flooded);
        }
        let ((rate, ..), (ratio, least, most)) = (spread(rates), spread(ratios));
        println!(
            "{name}: {rate:.0} of them a second leave {ratio:.2} of the throughput ({least:.2} to {most:.2}), \
             and {:.2} of what a worker can do ({least_alone:.1} and {least_flooded:.1} µs for a request)",
            least_alone / least_flooded,
        );
    }
}
