//! What a request costs that most requests are like: its token was verified before.

use std::time::Duration;

use lychgate_tests::keys;
use lychgate_tests::tokens::{Token, now};
use lychgate_tests::vm::{Machine, Outcome, State};
use serde_json::{Value, json};

use super::bed::Bed;

/// Wasm instructions of all of its callbacks. A copy counts as one for each byte.
const MOST_INSTRUCTIONS: u64 = 9_250;
/// Calls of the host: all headers are read, the token is removed, three headers are added.
const HOST_CALLS: u64 = 5;

fn start(bed: &Bed) -> Machine {
    let policy = json!({
        "schemes": {"token": {"type": "http", "scheme": "bearer",
            "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]}}},
        "security": [{"token": []}],
    });
    let mut state = State::default();
    state.configuration = policy.to_string().into_bytes();
    state.now = Duration::from_secs(now().cast_unsigned());
    bed.load(state)
}

/// A token of 1 KiB, in a request as small as may be and one as a browser sends it through a proxy.
#[test]
fn a_known_token_of_a_kibibyte_costs_at_most_this() {
    let bed = Bed::new();
    let mut machine = start(&bed);
    let token = Token::new().claim("sub", "user-0000000").claim("iat", now()).claim("pad", "x".repeat(620));
    let value = format!("Bearer {}", token.sign("HS256"));
    let headers =
        [(":method", "GET"), (":path", "/"), (":authority", "a"), ("authorization", value.as_str())];
    let calls = |machine: &mut Machine| machine.state().made.values().sum::<u64>();
    // The first one is verified, the second makes what the others find ready.
    for number in 0..4 {
        let before = (machine.instructions(), calls(&mut machine));
        let outcome = machine.request(&headers);
        assert!(matches!(outcome, Outcome::Passed(_)), "{outcome:?}");
        let instructions = machine.instructions() - before.0;
        let calls = calls(&mut machine) - before.1;
        println!("request {number}: {instructions} instructions, {calls} calls of the host");
        if number > 1 {
            assert!(instructions <= MOST_INSTRUCTIONS, "{instructions}");
            assert_eq!(calls, HOST_CALLS);
        }
    }
}

/// Instructions of a request whose token was verified before, by this `jwt` beside its key and this requirement.
fn known(bed: &Bed, jwt: &Value, requirement: Value) -> u64 {
    let mut members = json!({"keys": [{"alg": "HS256", "secret": keys::SECRET}]});
    for (name, value) in jwt.as_object().expect("an object") {
        members[name] = value.clone();
    }
    let policy = json!({
        "schemes": {"token": {"type": "http", "scheme": "bearer", "jwt": members}},
        "security": [{"token": requirement}],
    });
    let mut state = State::default();
    state.configuration = policy.to_string().into_bytes();
    state.now = Duration::from_secs(now().cast_unsigned());
    let mut machine = bed.load(state);
    let token = Token::new()
        .claim("scope", "items:read items:write")
        .claim("client_id", "app1")
        .claim("token_use", "access")
        .claim("acr", "mfa")
        .claim("auth_time", now())
        .claim("realm_access", json!({"roles": ["staff", "admin"]}))
        .claim("pad", "x".repeat(480));
    let value = format!("Bearer {}", token.sign("HS256"));
    let headers =
        [(":method", "GET"), (":path", "/"), (":authority", "a"), ("authorization", value.as_str())];
    let mut cost = || {
        let before = machine.instructions();
        let outcome = machine.request(&headers);
        assert!(matches!(outcome, Outcome::Passed(_)), "{outcome:?}");
        machine.instructions() - before
    };
    // The first one is verified, the second makes what the others find ready.
    cost();
    cost();
    cost()
}

/// Conditions of a scheme are looked at when its token is verified, and those of a rule are remembered with it.
#[test]
fn a_known_token_with_conditions_costs_at_most_a_twentieth_more_than_without() {
    let bed = Bed::new();
    let bare = known(&bed, &json!({}), json!(["items:read"]));
    let of_scheme = json!({"claims": {"client_id": ["app1", "app2"], "token_use": "access",
        "realm_access.roles": "staff", "blocked": {"not": true}}});
    let claims =
        json!({"client_id": ["app1", "app2"], "realm_access.roles": "admin", "blocked": {"not": true}});
    let of_rule = json!({"scopes": ["items:read"], "claims": claims});
    let step_up =
        json!({"scopes": ["items:read"], "claims": claims, "acr": ["mfa"], "max_age_seconds": 3600});
    for (name, jwt, requirement) in [
        ("of the scheme", &of_scheme, json!(["items:read"])),
        ("of the rule", &json!({}), of_rule.clone()),
        ("of both", &of_scheme, of_rule),
        ("of both, and of the login", &of_scheme, step_up),
    ] {
        let cost = known(&bed, jwt, requirement);
        println!("conditions {name}: {cost} instructions, {bare} without");
        assert!(cost * 100 <= bare * 105, "conditions {name}: {cost} instructions, {bare} without");
    }
}
