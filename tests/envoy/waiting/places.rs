//! No client takes more than a share of the places to wait in.

use std::thread;
use std::time::Duration;

use lychgate_tests::echo::Reply;
use lychgate_tests::envoy::Envoy;
use lychgate_tests::held::Held;
use lychgate_tests::http::{self, Request, Response};
use lychgate_tests::witness::Witness;
use serde_json::{Value, json};

use super::bed::{is_alive, until};
use super::load::{Crowd, listener, start};
use super::ways::{Outcome, Way};

/// More than one token may have of the places.
const CROWD: usize = 1024;

fn policy(mode: &str) -> Value {
    json!({
        "schemes": {"opaque": {"type": "http", "scheme": "bearer", "introspection": {
            "uri": "http://idp.example/introspection", "cluster": "idp", "timeout_seconds": 60,
            "client_id": "gate", "client_secret": "a secret of the gate"}}},
        "rules": [{"match": {"path": "/public"}, "security": []}],
        "security": [{"opaque": []}],
        "errors": {"request_id": true},
        "mode": mode,
    })
}

fn bearer(token: &str) -> Vec<(String, String)> {
    vec![("Authorization".to_owned(), format!("Bearer {token}"))]
}

/// A crowd with one made-up token, all of whom have come, and one valid request behind them. No request is
/// answered before they have all had the time to be refused.
fn beside_a_crowd(envoy: &Envoy, held: &Held) -> (Vec<Response>, Response) {
    let addr = envoy.addr("upstream");
    thread::scope(|scope| {
        let crowd = Crowd::http2(addr, "/x", &vec![bearer("made-up"); CROWD]);
        let crowd = scope.spawn(|| crowd.answers());
        let came = "http.upstream.downstream_rq_total";
        until(|| envoy.stat(came) >= CROWD as u64, "the crowd has come");
        let valid = scope.spawn(move || http::send(addr, &Request::get("/x").bearer("valid")).unwrap());
        until(|| envoy.stat(came) > CROWD as u64, "the valid one has come");
        thread::sleep(Duration::from_millis(500));
        held.release("valid", Reply::json(&json!({"active": true, "sub": "johndoe"})));
        held.release("made-up", Reply::json(&json!({"active": false})));
        (crowd.join().unwrap(), valid.join().unwrap())
    })
}

/// A thousand requests with one made-up token took every place, and a request with a valid one was
/// refused at once.
#[test]
fn one_made_up_token_does_not_take_every_place() {
    let (held, witness) = (Held::start(), Witness::start());
    let envoy = start(&[listener("upstream", policy("enforce"))], &held, &witness);
    let (answers, valid) = beside_a_crowd(&envoy, &held);
    assert_eq!(valid.status, 200, "{valid:?}");
    let (mut refused, mut turned_away) = (0, 0);
    for answer in &answers {
        assert!(answer.text().contains("\"request_id\":\""), "{answer:?}");
        match answer.status {
            401 => refused += 1,
            503 => {
                assert!(answer.header("retry-after").is_some(), "{answer:?}");
                turned_away += 1;
            }
            _ => panic!("{answer:?}"),
        }
    }
    println!("waiting: of {CROWD} with one token, {refused} waited, {turned_away} were turned away at once");
    assert!(turned_away >= CROWD / 4, "one token has its share, and no more");
    assert!(refused >= CROWD / 8, "and its share is one");
    let arrivals = witness.arrivals();
    assert_eq!(arrivals.len(), 1, "{:?}", arrivals.last());
    assert!(is_alive(&envoy, &["upstream"]), "{}", envoy.log());
}

/// A dry run refuses nothing, not for want of a place either.
#[test]
fn a_dry_run_turns_no_request_away() {
    let (held, witness) = (Held::start(), Witness::start());
    let envoy = start(&[listener("upstream", policy("dry_run"))], &held, &witness);
    let (answers, valid) = beside_a_crowd(&envoy, &held);
    assert_eq!(valid.status, 200, "{valid:?}");
    let odd = answers.iter().find(|answer| answer.status != 200);
    assert!(odd.is_none(), "{odd:?}");
    assert_eq!(witness.arrivals().len(), CROWD + 1);
    assert!(is_alive(&envoy, &["upstream"]), "{}", envoy.log());
}

/// Several connections of one address have more than one has, and not all there are: a request from another
/// address finds a place.
#[test]
fn one_address_does_not_take_every_place() {
    const OF_EACH: usize = 900;
    let (held, witness, way) = (Held::start(), Witness::start(), Way::FirstKeys);
    let mut gate = listener("upstream", way.policy("upstream", 1));
    // So that a test can come from another address.
    gate.manager["use_remote_address"] = false.into();
    let envoy = start(&[gate], &held, &witness);
    let addr = envoy.addr("upstream");
    let fields = |name: String, outcome, address: &str| {
        let mut fields = way.credentials_of("upstream", 0, outcome, &name);
        fields.push(("X-Forwarded-For".to_owned(), address.to_owned()));
        fields
    };
    // Signed before any request is sent: none waits for longer than ten seconds.
    let signed = |connection: usize| {
        let own = |number| fields(format!("{connection}-{number}"), Outcome::Refused, "192.0.2.1");
        (0..OF_EACH).map(own).collect::<Vec<_>>()
    };
    let signed: Vec<_> = (0..4).map(signed).collect();
    let crowds: Vec<_> = signed.iter().map(|fields| Crowd::http2(addr, "/case/0/x", fields)).collect();
    let came = || envoy.stat("http.upstream.downstream_rq_total");
    until(|| came() >= 4 * OF_EACH as u64, "all have come");
    let other = Crowd::http1(addr, "/case/0/x", &[fields("other".into(), Outcome::Allowed, "192.0.2.2")]);
    until(|| came() > 4 * OF_EACH as u64, "and another");
    // Requests that are turned away are answered.
    thread::sleep(Duration::from_millis(500));
    let waiting = envoy.stat("http.upstream.downstream_rq_active");
    println!("waiting: of {} of one address and 1 of another, {waiting} wait", 4 * OF_EACH);
    assert!(
        (1025..=2049).contains(&waiting),
        "more than a connection has, and less than there is: {waiting}"
    );
    let (question, answer) = way.questions("upstream", 0).pop().unwrap();
    held.release(&question, answer);
    let served = other.answers();
    assert_eq!(served[0].status, 200, "{served:?}");
    for answer in crowds.into_iter().flat_map(Crowd::answers) {
        let is_so = match answer.status {
            401 => true,
            503 => answer.header("retry-after").is_some(),
            _ => false,
        };
        assert!(is_so, "{answer:?}\n{}", envoy.log());
    }
    assert_eq!(witness.arrivals().len(), 1);
    assert!(is_alive(&envoy, &["upstream"]), "{}", envoy.log());
}
