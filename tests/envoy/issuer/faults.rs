//! Issuers that are down, slow, cut short, flooding or babbling.

use std::time::{Duration, Instant};

use lychgate_tests::http::Request;
use lychgate_tests::issuer::{Behaviour, Issuer};
use serde_json::json;

use super::{gate, get, oidc, until};

const FAULTS: [Behaviour; 6] = [
    Behaviour::Down,
    Behaviour::Errors,
    Behaviour::Slow(Duration::from_secs(3)),
    Behaviour::CutsShort,
    Behaviour::Floods,
    Behaviour::Babbles,
];

#[test]
fn an_issuer_that_is_down_at_the_start_is_an_outage_and_no_401() {
    let Some(issuer) = Issuer::start() else { return };
    let token = issuer.token("items:read", true);
    for fault in FAULTS {
        issuer.behave(fault);
        let settings = json!({"refresh_seconds": 2, "timeout_seconds": 1});
        let (envoy, upstream) = gate(&issuer, oidc(&issuer, &settings), 1);
        let start = Instant::now();
        let answer = get(&envoy, "/", &token);
        assert_eq!(answer.status, 503, "{fault:?}: {answer:?}");
        assert_eq!(answer.json(), json!({"detail": "Signing keys are not available"}));
        let retry: u64 = answer.header("retry-after").expect("Retry-After").parse().unwrap();
        assert!((1..=4).contains(&retry), "{fault:?}: {retry}");
        assert!(start.elapsed() < Duration::from_secs(12), "{fault:?}: waited {:?}", start.elapsed());
        assert_eq!(envoy.send("gate", &Request::get("/public")).status, 200, "{fault:?}: others go on");
        assert_eq!(upstream.hits(), 1);
        // Without a credential it is no outage.
        assert_eq!(envoy.send("gate", &Request::get("/")).status, 401, "{fault:?}");

        issuer.behave(Behaviour::Passes);
        let took = until(&envoy, &token, 200, Duration::from_secs(12));
        println!("{fault:?}: 200 after {took:?} without a restart");
        assert!(envoy.log().contains("cannot be fetched"), "the log says why");
    }
}

#[test]
fn what_was_fetched_serves_while_the_issuer_fails_in_every_way() {
    let Some(issuer) = Issuer::start() else { return };
    let settings = json!({"refresh_seconds": 1, "refetch_seconds": 1, "timeout_seconds": 1});
    let (envoy, _upstream) = gate(&issuer, oidc(&issuer, &settings), 1);
    let token = issuer.token("items:read", true);
    until(&envoy, &token, 200, Duration::from_secs(10));
    for fault in FAULTS {
        issuer.behave(fault);
        let end = Instant::now() + Duration::from_secs(4);
        while Instant::now() < end {
            let answer = get(&envoy, "/", &token);
            assert_eq!(answer.status, 200, "{fault:?}: {answer:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    // An unknown key cannot be judged in an outage.
    issuer.behave(Behaviour::Down);
    std::thread::sleep(Duration::from_secs(3));
    issuer.rotate(false);
    let unknown = get(&envoy, "/", &issuer.token("items:read", true));
    assert_eq!(unknown.status, 503, "{unknown:?}");
    assert!(unknown.header("retry-after").is_some());
}

#[test]
fn stale_keys_serve_no_longer_than_they_may() {
    let Some(issuer) = Issuer::start() else { return };
    let settings = json!({"refresh_seconds": 1, "timeout_seconds": 1, "max_stale_seconds": 4});
    let (envoy, _upstream) = gate(&issuer, oidc(&issuer, &settings), 1);
    let token = issuer.token("items:read", true);
    until(&envoy, &token, 200, Duration::from_secs(10));
    issuer.behave(Behaviour::Down);
    let took = until(&envoy, &token, 503, Duration::from_secs(15));
    assert!(took > Duration::from_secs(2), "{took:?}");
    issuer.behave(Behaviour::Passes);
    until(&envoy, &token, 200, Duration::from_secs(15));
}

#[test]
fn a_discovery_document_of_another_issuer_is_not_believed() {
    let Some(issuer) = Issuer::start() else { return };
    let (envoy, _upstream) = gate(&issuer, oidc(&issuer, &json!({"issuer": "https://idp.example"})), 1);
    let answer = get(&envoy, "/", &issuer.token("items:read", true));
    assert_eq!(answer.status, 503, "{answer:?}");
    let log = envoy.log();
    assert!(log.contains("discovery: the issuer is") && log.contains("https://idp.example"), "{log}");
}

#[test]
fn a_cluster_that_is_not_there_is_an_outage_with_a_reason() {
    let Some(issuer) = Issuer::start() else { return };
    let (envoy, _upstream) = gate(&issuer, oidc(&issuer, &json!({"cluster": "nowhere"})), 1);
    assert_eq!(get(&envoy, "/", &issuer.token("items:read", true)).status, 503);
    assert!(envoy.log().contains("cluster \"nowhere\" cannot be called"), "{}", envoy.log());
}
