//! What DPoP costs: the processor time of Envoy for requests with a proof by ES256 each, against requests with a new
//! unbound token by ES256 each. Processor time does not depend on what else the machine does.
//!
//! `cargo bench --bench possession`

use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Envoy, Listener, Options};
use lychgate_tests::http::{Connection, Request};
use lychgate_tests::keys;
use lychgate_tests::load::spread;
use lychgate_tests::proofs::{Proof, thumbprint};
use lychgate_tests::tokens::{Token, now};
use serde_json::json;

/// One key may use 65,536 proofs within the time that they are good for.
const REQUESTS: usize = 2000;
const ROUNDS: usize = 7;
const GOAL: f64 = 0.6;

/// The processor seconds that Envoy takes for a request of each of these.
fn cost(envoy: &Envoy, requests: &[Request]) -> f64 {
    let mut connection = Connection::open(envoy.addr("gate")).expect("a connection");
    let before = envoy.worker_time().as_secs_f64();
    for request in requests {
        let answer = connection.send(request).expect("an answer");
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    envoy.worker_time().as_secs_f64() - before
}

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let policy = json!({
        "schemes": {"token": {"type": "http", "scheme": "bearer", "jwt": {
            // They are signed ahead.
            "dpop": {"max_age_seconds": 300},
            "keys": [{"alg": "ES256", "pem": keys::P256.public_pem}]}}},
        "security": [{"token": []}],
    });
    let upstream = Upstream::start();
    let envoy = Envoy::start(&[Listener::new("gate", policy)], upstream.addr(), &Options::default());
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let unbound = |number: usize| {
        Token::new().claim("jti", format!("{}-{number}", now())).claim("pad", "x".repeat(200))
    };
    let bound = |number: usize| unbound(number).claim("cnf", json!({"jkt": thumbprint("ES256", false)}));
    let bearer = |number: usize| Request::get("/").bearer(unbound(number).sign("ES256"));
    let proven = |token: &str| {
        let proof = Proof::new("ES256", "GET", "http://localhost/", token).sign();
        Request::get("/").header("Authorization", format!("DPoP {token}")).header("DPoP", proof)
    };
    let (mut known_ratios, mut new_ratios) = (Vec::new(), Vec::new());
    let mut next = 0;
    for round in 0..=ROUNDS {
        let mut numbers = || {
            next += REQUESTS;
            next - REQUESTS..next
        };
        let plain: Vec<_> = numbers().map(bearer).collect();
        let known = bound(numbers().start).sign("ES256");
        let known: Vec<_> = (0..REQUESTS).map(|_| proven(&known)).collect();
        let new: Vec<_> = numbers().map(|number| proven(&bound(number).sign("ES256"))).collect();
        let [plain, known, new] = [plain, known, new].map(|requests| cost(&envoy, &requests));
        // The first round warms up.
        if round > 0 {
            known_ratios.push(plain / known);
            new_ratios.push(plain / new);
        }
        #[expect(clippy::cast_precision_loss, reason = "it is small")]
        let each = [plain, known, new].map(|seconds| seconds / REQUESTS as f64 * 1e6);
        println!(
            "microseconds for each request: {:.0} new token, {:.0} known token and proof, {:.0} both new",
            each[0], each[1], each[2]
        );
    }
    for (title, ratios, goal) in [
        ("known token with a new proof, ES256", known_ratios, Some(GOAL)),
        ("new token with a new proof, ES256", new_ratios, None),
    ] {
        let (middle, least, most) = spread(ratios);
        let verdict = goal.map_or("", |goal| if middle >= goal { " met" } else { " not met" });
        let goal = goal.map_or("–".to_owned(), |goal| format!("≥ {goal:.2}"));
        println!(
            "| {title} | new unbound token, ES256 | {goal} | **{middle:.2}** ({least:.2} … {most:.2}){verdict} |"
        );
    }
}
