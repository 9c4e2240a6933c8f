//! Rotations and outages under load, and floods of unknown keys.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant};

use lychgate_tests::http::{Connection, Request};
use lychgate_tests::issuer::{Behaviour, Issuer};
use lychgate_tests::tokens::Token;
use serde_json::json;

use super::{gate, get, oidc, until};

/// How long a withdrawn key may still be accepted: a refresh every two seconds, and a tick.
const REFRESH: Duration = Duration::from_millis(4500);

#[test]
fn ten_thousand_requests_over_three_rotations_and_two_outages() {
    let Some(issuer) = Issuer::start() else { return };
    let settings = json!({"refresh_seconds": 2, "refetch_seconds": 1, "timeout_seconds": 1});
    let (envoy, _upstream) = gate(&issuer, oidc(&issuer, &settings), 2);
    let current = RwLock::new(issuer.token("items:read", true));
    let (sent, refused) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let withdrawn_accepted = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut connection = Connection::open(envoy.addr("gate")).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    let token = current.read().unwrap().clone();
                    let answer = connection.send(&Request::get("/").bearer(&token)).unwrap();
                    // One that was on its way while the key was withdrawn may be refused.
                    if answer.status != 200 && *current.read().unwrap() == token {
                        refused.lock().unwrap().push(answer.text());
                    }
                    sent.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(2));
                }
            });
        }
        for round in 0..3 {
            std::thread::sleep(Duration::from_millis(1500));
            let old = current.read().unwrap().clone();
            {
                // Between the rotation and the new token there is no valid one to be sent.
                let mut current = current.write().unwrap();
                issuer.rotate(false);
                // Valid from the first moment on, though its key was not fetched yet.
                *current = issuer.token("items:read", true);
            }
            std::thread::sleep(REFRESH);
            for _ in 0..20 {
                if get(&envoy, "/", &old).status == 200 {
                    withdrawn_accepted.fetch_add(1, Ordering::Relaxed);
                }
            }
            if round < 2 {
                issuer.behave(if round == 0 { Behaviour::Down } else { Behaviour::Errors });
                std::thread::sleep(Duration::from_secs(4));
                issuer.behave(Behaviour::Passes);
                // Fetching fails no more, before the next rotation.
                std::thread::sleep(Duration::from_secs(5));
            }
        }
        while sent.load(Ordering::Relaxed) < 10_000 {
            std::thread::sleep(Duration::from_millis(50));
        }
        stop.store(true, Ordering::Relaxed);
    });
    let refused = refused.into_inner().unwrap();
    let seen = issuer.seen();
    println!(
        "rotation: {} requests, {} valid tokens refused, {} of a withdrawn key accepted after a refresh, \
         {} fetches of keys, {} at once at most, {} answered by 304",
        sent.load(Ordering::Relaxed),
        refused.len(),
        withdrawn_accepted.load(Ordering::Relaxed),
        seen.key_fetches.load(Ordering::SeqCst),
        seen.most_at_once(),
        seen.not_modified.load(Ordering::SeqCst),
    );
    assert!(refused.is_empty(), "{:?}", refused.first());
    assert_eq!(withdrawn_accepted.load(Ordering::Relaxed), 0);
    assert_eq!(seen.most_at_once(), 1);
    assert!(seen.not_modified.load(Ordering::SeqCst) > 0, "what is the same is not sent again");
}

#[test]
fn a_flood_of_unknown_keys_costs_the_issuer_what_the_limit_says() {
    let Some(issuer) = Issuer::start() else { return };
    let settings = json!({"refresh_seconds": 3600, "refetch_seconds": 3});
    let (envoy, _upstream) = gate(&issuer, oidc(&issuer, &settings), 2);
    let good = issuer.token("items:read", true);
    assert_eq!(get(&envoy, "/", &good).status, 200);
    let before = issuer.seen().key_fetches.load(Ordering::SeqCst);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let envoy = &envoy;
            scope.spawn(move || {
                let mut connection = Connection::open(envoy.addr("gate")).unwrap();
                for number in 0..1250 {
                    let token = Token::reader().header("kid", format!("{thread}-{number}")).sign("ES256");
                    let answer = connection.send(&Request::get("/").bearer(token)).unwrap();
                    assert_eq!(answer.status, 401, "{}", answer.text());
                }
            });
        }
    });
    let took = start.elapsed();
    let fetches = issuer.seen().key_fetches.load(Ordering::SeqCst) - before;
    // One at once, and one for each interval that went by.
    let most = 1 + usize::try_from(took.as_secs() / 3).unwrap() + 1;
    println!("unknown keys: 5000 in {took:?}, {fetches} fetches, at most {most} may be");
    assert!((1..=most).contains(&fetches), "{fetches} in {took:?}");
    assert_eq!(get(&envoy, "/", &good).status, 200);
    // After a flood a rotation is seen as soon as the limit allows.
    issuer.rotate(false);
    until(&envoy, &issuer.token("items:read", true), 200, Duration::from_secs(8));
}

#[test]
fn overlapping_keys_are_both_accepted_and_a_key_beside_the_old_one_is_found() {
    let Some(issuer) = Issuer::start() else { return };
    let (envoy, _upstream) = gate(&issuer, oidc(&issuer, &json!({"refetch_seconds": 1})), 1);
    let old = issuer.token("items:read", true);
    assert_eq!(get(&envoy, "/", &old).status, 200);
    issuer.rotate(true);
    assert_eq!(get(&envoy, "/", &issuer.token("items:read", true)).status, 200, "fetched while it waits");
    assert_eq!(get(&envoy, "/", &old).status, 200);
}
