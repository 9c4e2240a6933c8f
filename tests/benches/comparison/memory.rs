//! What the module takes of memory, and how long it takes to be configured: measured in wasmtime, where
//! the memory of its machine can be seen.

use std::path::Path;
use std::time::{Duration, Instant};

use lychgate_tests::keys;
use lychgate_tests::tokens::Token;
use lychgate_tests::vm::{Image, Machine, Outcome, State};
use serde_json::{Value, json};

use crate::contenders::{basic_policy, key_policy};
use crate::report::Figure;

const MIB: f64 = 1024.0 * 1024.0;
const NOW: i64 = 1_800_000_000;

fn start(image: &Image, policy: &Value) -> (Machine, f64) {
    let mut state = State::default();
    state.configuration = policy.to_string().into_bytes();
    state.now = Duration::from_secs(NOW.cast_unsigned());
    let start = Instant::now();
    let machine = image.start(state).unwrap_or_else(|failure| panic!("{failure:?}"));
    (machine, start.elapsed().as_secs_f64())
}

fn policy() -> Value {
    json!({
        "schemes": {"token": {"type": "http", "scheme": "bearer",
            "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]}}},
        "security": [{"token": []}],
    })
}

/// Sends tokens of 1 KiB, each another one.
fn send(machine: &mut Machine, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let token = Token::new()
            .claim("sub", format!("user-{number:07}"))
            .claim("exp", NOW + 3600)
            .claim("iat", NOW)
            .claim("pad", "x".repeat(620))
            .sign("HS256");
        let value = format!("Bearer {token}");
        let headers =
            [(":method", "GET"), (":path", "/"), (":authority", "a"), ("authorization", value.as_str())];
        let outcome = machine.request(&headers);
        assert!(matches!(outcome, Outcome::Passed(_)), "{outcome:?}");
    }
}

/// What one more request with a known token takes: Wasm instructions, and calls of the host.
fn known_token(module: &Path) -> (f64, f64) {
    let (mut machine, _) = start(&Image::load(module, true), &policy());
    // The first one is verified, the second makes what the others find ready.
    (0..2).for_each(|_| send(&mut machine, 0..1));
    let calls = |machine: &mut Machine| machine.state().made.values().sum::<u64>();
    let before = (machine.instructions(), calls(&mut machine));
    send(&mut machine, 0..1);
    let after = (machine.instructions(), calls(&mut machine));
    ((after.0 - before.0) as f64, (after.1 - before.1) as f64)
}

/// All of it. Of the million distinct tokens a quick run sends a twentieth.
pub fn figures(module: &Path, many_keys: &[String], quick: bool) -> Vec<Figure> {
    let figure = |title: &str, value, at_most| Figure { title: title.into(), value, at_most };
    let bytes = std::fs::metadata(module).expect("it is there").len();
    let compile = Instant::now();
    let image = Image::load(module, false);
    let compiled = compile.elapsed().as_secs_f64();
    let (mut machine, started) = start(&image, &policy());
    let mib = |machine: &Machine| machine.memory_bytes() as f64 / MIB;
    let at_start = mib(&machine);
    send(&mut machine, 0..5000);
    let full = mib(&machine);
    send(&mut machine, 5000..if quick { 50_000 } else { 1_000_000 });
    let later = mib(&machine);
    let (keys_machine, keys_seconds) = start(&image, &key_policy(many_keys.iter().cloned()));
    let users: Vec<_> = (0..10_000)
        .map(|number| json!({"username": format!("user-{number:05}"), "password": crate::HASH}))
        .collect();
    let mut many_users = basic_policy(crate::HASH);
    many_users["users"]["staff"] = users.into();
    let (users_machine, users_seconds) = start(&image, &many_users);
    let (instructions, calls) = known_token(module);
    vec![
        figure("Wasm instructions for a known token of 1 KiB", instructions, None),
        figure("host calls for it", calls, None),
        figure("module, MiB", bytes as f64 / MIB, Some(1.2)),
        figure("linear memory at the start, MiB", at_start, Some(6.0)),
        figure("linear memory with the cache full of 1 KiB tokens, MiB", full, Some(24.0)),
        figure("the same after a million distinct tokens, MiB", later, Some(24.0)),
        figure("compiled by Cranelift, once, seconds", compiled, None),
        figure("started and configured, milliseconds", started * 1000.0, None),
        figure("configured with 100,000 API keys, seconds", keys_seconds, Some(1.0)),
        figure("linear memory with them, MiB", mib(&keys_machine), None),
        figure("configured with 10,000 users, seconds", users_seconds, Some(1.0)),
        figure("linear memory with them, MiB ", mib(&users_machine), None),
    ]
}
