//! What a request costs that most requests are like: its token was verified before.

use std::time::Duration;

use lychgate_tests::keys;
use lychgate_tests::tokens::{Token, now};
use lychgate_tests::vm::{Machine, State};
use serde_json::json;

use super::bed::Bed;

/// Wasm instructions of all of its callbacks. A copy counts as one for each byte.
const MOST_INSTRUCTIONS: u64 = 9_000;
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
        assert!(matches!(outcome, lychgate_tests::vm::Outcome::Passed(_)), "{outcome:?}");
        let instructions = machine.instructions() - before.0;
        let calls = calls(&mut machine) - before.1;
        println!("request {number}: {instructions} instructions, {calls} calls of the host");
        if number > 1 {
            assert!(instructions <= MOST_INSTRUCTIONS, "{instructions}");
            assert_eq!(calls, HOST_CALLS);
        }
    }
}
