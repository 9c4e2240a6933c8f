//! Nobody takes more than a share of the places there are to wait in.

use std::thread;
use std::time::Duration;

use lychgate_testkit::echo::Reply;
use lychgate_testkit::envoy::Envoy;
use lychgate_testkit::held::Held;
use lychgate_testkit::http::{self, Request, Response};
use lychgate_testkit::witness::Witness;
use serde_json::{Value, json};

use super::bed::{is_alive, until};
use super::load::{Crowd, gathered, listener, start};

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

/// A crowd with one made-up token, all of whom have come, and one honest request behind them. Nobody is
/// answered before they have all had the time to be refused.
fn beside_a_crowd(envoy: &Envoy, held: &Held) -> (Vec<Response>, Response) {
    let addr = envoy.addr("upstream");
    thread::scope(|scope| {
        let crowd = Crowd::http2(addr, "/x", &vec![bearer("made-up"); CROWD]);
        let crowd = scope.spawn(|| crowd.answers());
        let came = "http.upstream.downstream_rq_total";
        until(|| envoy.stat(came) >= CROWD as u64, "the crowd has come");
        let honest = scope.spawn(move || http::send(addr, &Request::get("/x").bearer("honest")).unwrap());
        until(|| envoy.stat(came) > CROWD as u64, "the honest one has come");
        thread::sleep(Duration::from_millis(500));
        held.release("honest", Reply::json(&json!({"active": true, "sub": "johndoe"})));
        held.release("made-up", Reply::json(&json!({"active": false})));
        (crowd.join().unwrap(), honest.join().unwrap())
    })
}

/// A thousand requests with one made-up token took every place, and whoever came with an honest one was
/// refused at once.
#[test]
fn one_made_up_token_does_not_take_every_place() {
    let (held, witness) = (Held::start(), Witness::start());
    let envoy = start(&[listener("upstream", policy("enforce"))], &held, &witness);
    let (answers, honest) = beside_a_crowd(&envoy, &held);
    assert_eq!(honest.status, 200, "{honest:?}");
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
fn a_dry_run_turns_nobody_away() {
    let (held, witness) = (Held::start(), Witness::start());
    let envoy = start(&[listener("upstream", policy("dry_run"))], &held, &witness);
    let (answers, honest) = beside_a_crowd(&envoy, &held);
    assert_eq!(honest.status, 200, "{honest:?}");
    let odd = answers.iter().find(|answer| answer.status != 200);
    assert!(odd.is_none(), "{odd:?}");
    assert_eq!(witness.arrivals().len(), CROWD + 1);
    assert!(is_alive(&envoy, &["upstream"]), "{}", envoy.log());
}

/// Several connections of one address have more than one has, and not all there are.
#[test]
fn one_address_does_not_take_every_place() {
    let (held, witness) = (Held::start(), Witness::start());
    let envoy = start(&[listener("upstream", policy("enforce"))], &held, &witness);
    let addr = envoy.addr("upstream");
    let crowds: Vec<_> = (0..4)
        .map(|connection| {
            let fields: Vec<_> =
                (0..1000).map(|number| bearer(&format!("made-up-{connection}-{number}"))).collect();
            Crowd::http2(addr, "/x", &fields)
        })
        .collect();
    let stat = "http.upstream.downstream_rq_total";
    until(|| envoy.stat(stat) >= 4000, "all have come");
    thread::sleep(Duration::from_millis(500));
    let waiting = envoy.stat("http.upstream.downstream_rq_active");
    println!("waiting: of 4000 of one address, {waiting} wait");
    assert!(waiting < 4000, "one address has its share, and no more");
    gathered(&envoy, "upstream", 1000);
    for connection in 0..4 {
        for number in 0..1000 {
            let no = Reply::json(&json!({"active": false}));
            held.release(&format!("made-up-{connection}-{number}"), no);
        }
    }
    for answer in crowds.into_iter().flat_map(Crowd::answers) {
        let is_so = match answer.status {
            401 => true,
            503 => answer.header("retry-after").is_some(),
            _ => false,
        };
        assert!(is_so, "{answer:?}\n{}", envoy.log());
    }
    assert!(witness.arrivals().is_empty());
    assert!(is_alive(&envoy, &["upstream"]), "{}", envoy.log());
}
