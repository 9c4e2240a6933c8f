//! What a flood of tokens with made-up `kid`s costs valid requests on the same worker, and the
//! issuer: against no flood, and against a flood of requests that are refused for another reason.
//!
//! `cargo bench --bench unknown_keys` (Debian's wrk is installed where that may be done).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lychgate_tests::echo::{Reply, Upstream};
use lychgate_tests::envoy::{Envoy, Listener, Options};
use lychgate_tests::http::Request;
use lychgate_tests::load::{beside_a_flood, spread, throughput};
use lychgate_tests::programs::find_or_install;
use lychgate_tests::{keys, tokens::Token};
use serde_json::json;

/// Each is answered at once, so that these bear a thousand a second.
const CONNECTIONS: usize = 4;
const ROUNDS: usize = 5;
const SECONDS: u64 = 5;

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let Some(wrk) = find_or_install("wrk", "wrk") else { return };
    let fetches = Arc::new(AtomicUsize::new(0));
    let mut jwk = keys::P256.jwk();
    if let Some(members) = jwk.as_object_mut() {
        members.insert("kid".into(), "good".into());
    }
    let issuer = Upstream::serve({
        let (fetches, jwks) = (Arc::clone(&fetches), json!({"keys": [jwk]}));
        move |_| {
            fetches.fetch_add(1, Ordering::SeqCst);
            Reply::json(&jwks)
        }
    });
    let policy = json!({
        "schemes": {"token": {"type": "http", "scheme": "bearer", "jwt": {"remote_jwks": {
            "uri": format!("http://{}/keys", issuer.addr()), "cluster": "idp", "refresh_seconds": 86_400}}}},
        "security": [{"token": []}],
    });
    let upstream = Upstream::start();
    let options = Options { clusters: vec![("idp".into(), issuer.addr())], ..Options::default() };
    let envoy = Envoy::start(&[Listener::new("gate", policy)], upstream.addr(), &options);
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let addr = envoy.addr("gate");
    let token = Token::new().header("kid", "good").sign("ES256");
    // Signing takes longer than sending, so all have one signature: it is never verified.
    let template = Token::new().header("kid", "0000000").sign("ES256");
    let payload = template.split_once('.').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
    let unknown = |number: usize| {
        let header = json!({"alg": "ES256", "kid": format!("made-up-{number}")}).to_string();
        let token = format!("{}.{payload}", lychgate_tests::tokens::b64(header));
        Request::get("/").bearer(token)
    };
    let _ = throughput(&wrk, addr, &token, SECONDS);
    let before = fetches.load(Ordering::SeqCst);
    let (mut against_none, mut against_bad, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let work = || throughput(&wrk, addr, &token, SECONDS);
        let alone = work();
        let (bad, _) = beside_a_flood(addr, CONNECTIONS, |_| Request::get("/").bearer("x.y.z"), work);
        let (flooded, rate) = beside_a_flood(addr, CONNECTIONS, unknown, work);
        against_none.push(flooded / alone);
        against_bad.push(flooded / bad);
        rates.push(rate);
    }
    let ((rate, ..), (none, none_least, none_most), (bad, bad_least, bad_most)) =
        (spread(rates), spread(against_none), spread(against_bad));
    println!(
        "{rate:.0} made-up keys a second leave {none:.2} of the throughput without a flood ({none_least:.2} to \
         {none_most:.2}), and {bad:.2} of that beside as many malformed tokens ({bad_least:.2} to {bad_most:.2}); \
         the issuer saw {} fetches",
        fetches.load(Ordering::SeqCst).saturating_sub(before)
    );
}
