//! The module under an emulated host: what a request costs in calls of the host, and what a host is given.

use std::time::Duration;

use lychgate_tests::envoy::root;
use lychgate_tests::tokens::{Token, now};
use lychgate_tests::vm::{Image, Machine, Outcome, State};
use serde_json::Value;

use super::{KEY, policy};

fn machine(metered: bool, change: impl FnOnce(&mut Value)) -> Machine {
    let mut policy = policy();
    change(&mut policy);
    let mut state = State::default();
    state.configuration = policy.to_string().into_bytes();
    state.now = Duration::from_secs(now().cast_unsigned());
    let image = Image::load(&root().join("dist/lychgate.wasm"), metered);
    image.start(state).unwrap_or_else(|failure| panic!("{failure:?}"))
}

fn send(machine: &mut Machine, path: &str, header: Option<(&str, &str)>) -> Outcome {
    let mut headers = vec![(":method", "GET"), (":path", path), (":authority", "api.example")];
    headers.extend(header);
    machine.request(&headers)
}

fn bearer() -> String {
    format!("Bearer {}", Token::reader().claim("sub", "johndoe").sign("HS256"))
}

/// Calls of the host, by name, for one more request with a known token; and its instructions.
fn known_token(filter_state: bool) -> (Vec<(&'static str, u64)>, u64) {
    let mut machine = machine(true, |policy| policy["filter_state"] = filter_state.into());
    let bearer = bearer();
    let one = |machine: &mut Machine| {
        let outcome = send(machine, "/items/7", Some(("authorization", &bearer)));
        assert!(matches!(outcome, Outcome::Passed(_)), "{outcome:?}");
    };
    (0..3).for_each(|_| one(&mut machine));
    machine.tick(Duration::from_secs(1));
    let before = machine.state().made.clone();
    let instructions = machine.instructions();
    one(&mut machine);
    let instructions = machine.instructions() - instructions;
    let made = machine.state().made.clone();
    let calls = made.into_iter().filter_map(|(name, count)| {
        let more = count - before.get(name).copied().unwrap_or_default();
        (more > 0).then_some((name, more))
    });
    (calls.collect(), instructions)
}

#[test]
fn a_known_token_is_counted_without_a_call_of_the_host() {
    let (calls, instructions) = known_token(false);
    println!("known token: {instructions} instructions, {calls:?}");
    assert!(
        !calls.iter().any(|(name, _)| name.ends_with("_metric") || *name == "proxy_set_property"),
        "{calls:?}"
    );
    let (calls, instructions) = known_token(true);
    println!("known token, filter state set: {instructions} instructions, {calls:?}");
    assert!(calls.contains(&("proxy_set_property", 4)), "{calls:?}");
}

#[test]
fn what_is_allowed_is_counted_within_a_second_and_a_refusal_at_once() {
    let mut machine = machine(false, |_| {});
    let requests = |rule: &str, scheme: &str, decision: &str| {
        format!("rule=.={rule};.;scheme=.={scheme};.;decision=.={decision};.;lychgate_requests_total")
    };
    let denials = |scheme: &str, mode: &str, reason: &str| {
        format!("scheme=.={scheme};.;mode=.={mode};.;reason=.={reason};.;lychgate_denials_total")
    };
    let items = "GET /items/{id}";
    assert_eq!(machine.stat(&requests(items, "oauth2", "allowed")), Some(0), "defined, and zero");
    let expired = Token::reader().claim("sub", "johndoe").claim("exp", 1000).sign("HS256");
    send(&mut machine, "/items/7", Some(("authorization", &format!("Bearer {expired}"))));
    assert_eq!(machine.stat(&requests(items, "oauth2", "denied")), Some(1));
    assert_eq!(machine.stat(&denials("oauth2", "enforce", "token_expired")), Some(1));
    let bearer = bearer();
    for _ in 0..3 {
        send(&mut machine, "/items/7", Some(("authorization", &bearer)));
    }
    send(&mut machine, "/items/7", Some(("x-api-key", KEY)));
    send(&mut machine, "/new", None);
    assert_eq!(machine.stat(&requests(items, "oauth2", "allowed")), Some(0));
    machine.tick(Duration::from_secs(1));
    for (stat, value) in [
        (requests(items, "oauth2", "allowed"), 3),
        (requests(items, "key", "allowed"), 1),
        (requests("new", "none", "would_deny"), 1),
        (denials("none", "dry_run", "credential_missing"), 1),
        ("client=.=mobile-app;.;lychgate_api_key_requests_total".into(), 1),
        ("result=.=hit;.;lychgate_token_cache_lookups_total".into(), 2),
        ("result=.=miss;.;lychgate_token_cache_lookups_total".into(), 2),
        ("lychgate_token_cache_entries".into(), 1),
        ("algorithm=.=HS256;.;engine=.=wasm;.;lychgate_signature_verifications_total".into(), 2),
    ] {
        assert_eq!(machine.stat(&stat), Some(value), "{stat}");
    }
    // A new configuration begins with an empty cache, and the old one takes its share along.
    let configuration = machine.state().configuration.clone();
    let old = machine.reconfigure(configuration).unwrap_or_else(|failure| panic!("{failure:?}"));
    send(&mut machine, "/items/7", Some(("authorization", &bearer)));
    machine.end(old).unwrap();
    assert_eq!(machine.stat("lychgate_token_cache_entries"), Some(0));
    machine.tick(Duration::from_secs(1));
    assert_eq!(machine.stat("lychgate_token_cache_entries"), Some(1));
    assert_eq!(machine.stat(&requests(items, "oauth2", "allowed")), Some(4));
}

#[test]
fn without_ticks_everything_is_counted_at_once() {
    let mut machine = machine(false, |_| {});
    machine.state().faults = vec![("proxy_set_tick_period_milliseconds", 12)];
    let configuration = machine.state().configuration.clone();
    machine.reconfigure(configuration).unwrap_or_else(|failure| panic!("{failure:?}"));
    send(&mut machine, "/health", None);
    let stat = "rule=.=health;.;scheme=.=none;.;decision=.=allowed;.;lychgate_requests_total";
    assert_eq!(machine.stat(stat), Some(1));
}

#[test]
fn filter_state_tells_who_calls_and_why_not() {
    let mut machine = machine(false, |_| {});
    let long = "s".repeat(300);
    let mut told = |path: &str, header: Option<(&str, &str)>| {
        machine.state().properties.clear();
        send(&mut machine, path, header);
        let told: Vec<_> = machine.state().properties.clone().into_iter().collect();
        told.into_iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
    };
    let items = "lychgate.rule: GET /items/{id}";
    let bearer = bearer();
    assert_eq!(
        told("/items/7", Some(("authorization", &bearer))),
        [items, "lychgate.scheme: oauth2", "lychgate.scopes: items:read", "lychgate.subject: johndoe"]
    );
    assert_eq!(told("/items/7", None), ["lychgate.reason: credential_missing", items]);
    assert_eq!(
        told("/items/7", Some(("x-api-key", "guess"))),
        ["lychgate.reason: api_key_unknown", items, "lychgate.scheme: key"]
    );
    let scopeless = format!("Bearer {}", Token::new().claim("sub", "johndoe").sign("HS256"));
    assert_eq!(
        told("/items/7", Some(("authorization", &scopeless))),
        ["lychgate.reason: scope_lacking", items, "lychgate.scheme: oauth2", "lychgate.subject: johndoe"]
    );
    assert_eq!(told("/new", None), ["lychgate.reason: credential_missing", "lychgate.rule: new"]);
    assert_eq!(told("/health", None), ["lychgate.rule: health"]);
    assert_eq!(told("/a//b", None), ["lychgate.reason: ambiguous_path", "lychgate.rule: unknown"]);
    let scopes = Token::new().claim("sub", "johndoe").claim("scopes", format!("items:read {long}"));
    let long = told("/items/7", Some(("authorization", &format!("Bearer {}", scopes.sign("HS256")))));
    assert!(long.iter().any(|line| line.len() == "lychgate.scopes: ".len() + 256), "{long:?}");
}
