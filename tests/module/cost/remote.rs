//! Tokens for which an issuer is asked: for its keys, or after the token.

use std::time::Duration;

use lychgate_tests::keys;
use lychgate_tests::vm::Machine;
use serde_json::{Value, json};

use super::bed::{Bed, Row, Sent, Trial, open, policy, tick};
use super::tokens::{bearer, dear};

const SOON: Duration = Duration::from_millis(50);

/// All calls are answered with this.
fn answer(machine: &mut Machine, body: &Value) {
    let headers = [(":status", "200")].map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    while !machine.host().calls.is_empty() {
        machine.respond(0, headers.clone(), body.to_string().as_bytes()).unwrap();
    }
}

/// The issuer's keys: a hundred, the most that count.
fn set() -> Value {
    let mut jwk = keys::P256.jwk();
    let numbered = |number: usize| {
        jwk["kid"] = format!("key-{number}").into();
        jwk.clone()
    };
    json!({"keys": (0..100).map(numbered).collect::<Vec<_>>()})
}

pub fn rows(bed: &Bed) -> Vec<Row> {
    let mut rows = keys_rows(bed);
    rows.extend(asked(bed));
    rows
}

fn keys_rows(bed: &Bed) -> Vec<Row> {
    let jwt = json!({"remote_jwks": {"uri": "http://idp.example/jwks", "cluster": "idp"}});
    let policy = policy(&bearer(&jwt), &json!([{"token": []}]));
    let unknown = dear(&json!({"alg": "ES256", "kid": "unknown"}), &[1; 64]);
    let mut machine = bed.start(&policy);
    tick(&mut machine, SOON);
    answer(&mut machine, &set());
    let mut fetched = Trial::refused(
        "a token by a key that is fetched for it and not there, 100 keys",
        401,
        "token_no_matching_key",
    );
    let mut asked =
        Trial::refused("a token by a key that is not there, fetched lately", 401, "token_no_matching_key");
    for (name, sent) in &unknown {
        machine.wait(Duration::from_secs(120));
        fetched.send_and(name, &mut machine, sent, |machine| {
            tick(machine, SOON);
            assert_eq!(machine.host().calls.len(), 1, "the keys are fetched");
            answer(machine, &set());
            tick(machine, SOON);
        });
        asked.send_and(name, &mut machine, sent, |_| {});
    }
    vec![fetched.take(), asked.take()]
}

/// Tokens that only their issuer can read.
fn opaque(number: usize) -> [(String, Sent); 2] {
    let token = |fill: &str| Sent::bearer(&format!("{number:04}{}", fill.repeat(8188)));
    [("8,192 letters".to_owned(), token("t")), ("8,192 signs".to_owned(), token("%"))]
}

fn asked(bed: &Bed) -> Vec<Row> {
    let scheme = json!({"token": {"type": "http", "scheme": "bearer", "introspection": {
        "uri": "http://idp.example/introspect", "cluster": "idp", "client_id": "gate", "client_secret": "secret"}}});
    let policy = policy(&scheme, &json!([{"token": []}]));
    let mut machine = bed.start(&policy);
    let mut asked = Trial::refused("an opaque token that its issuer says no to", 401, "token_inactive");
    let mut known = Trial::refused("an opaque token that its issuer said no to", 401, "token_inactive");
    for (name, sent) in opaque(0) {
        asked.send_and(&name, &mut machine, &sent, |machine| {
            tick(machine, SOON);
            assert_eq!(machine.host().calls.len(), 1, "the issuer is asked");
            answer(machine, &json!({"active": false}));
        });
        known.send_and(&name, &mut machine, &sent, |_| {});
    }
    let mut rows = vec![asked.take(), known.take()];

    // Until the bytes are used up that one address may have in the queue.
    let mut machine = bed.start(&policy);
    (0..336).for_each(|number| _ = open(&mut machine, &opaque(number)[1].1));
    let mut full = Trial::refused(
        "an opaque token for which there is no place in the queue",
        503,
        "introspection_unavailable",
    );
    rows.push(full.send(&mut machine, opaque(336)).take());

    // Until the places are used up that one credential may have.
    let mut machine = bed.start(&policy);
    let [_, (name, sent)] = opaque(0);
    (0..512).for_each(|_| _ = open(&mut machine, &sent));
    let mut full = Trial::refused("a request for which there is no place to wait", 503, "too_many_waiting");
    rows.push(full.send(&mut machine, [(name, sent)]).take());
    rows
}
