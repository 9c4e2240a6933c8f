use std::cell::Cell;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Introspection, IntrospectionResult, IntrospectionSettings, Introspector};
use crate::fetch::{TokenDigests, Uri};
use crate::host::{CallResponse, Host, HostError, HttpCall, InMemoryHost, NativeVerdict};
use crate::keys::NativeKey;
use crate::secret::Secret;

fn introspector(in_body: bool) -> Introspection {
    Introspector::new(IntrospectionSettings {
        uri: Uri::parse("https://idp.example/introspect", "idp").unwrap(),
        client_id: "gate & co".into(),
        client_secret: Secret::new(b"s:cret".to_vec()),
        in_body,
        cache_seconds: 60,
        timeout: Duration::from_secs(5),
    })
}

fn ask_from(address: &str, asked: &Introspection, token: &[u8], now: i64) -> IntrospectionResult {
    let host = InMemoryHost::at(now);
    *host.address.borrow_mut() = Some(address.into());
    asked.ask(token, TokenDigests::default().of(0, token), now, &host)
}

fn ask(asked: &Introspection, token: &[u8], now: i64) -> IntrospectionResult {
    ask_from("192.0.2.1", asked, token, now)
}

fn answer(body: &Value) -> CallResponse {
    CallResponse {
        headers: vec![(b":status".to_vec(), b"200".to_vec())],
        body: body.to_string().into_bytes(),
    }
}

#[test]
fn a_token_is_asked_after_once_and_remembered_to_the_earlier_of_its_times() {
    for (body, active_at, forgotten_at) in [
        (json!({"active": true, "exp": 1030}), Some(1029), 1030),
        (json!({"active": true, "exp": 5000}), Some(1059), 1060),
        (json!({"active": true}), Some(1059), 1060),
        (json!({"active": false}), None, 1010),
    ] {
        let (host, asked) = (InMemoryHost::at(1000), introspector(false));
        for _ in 0..3 {
            assert!(matches!(ask(&asked, b"token", 1000), IntrospectionResult::Pending));
        }
        asked.tick(&host);
        asked.tick(&host);
        assert_eq!(host.calls.borrow().len(), 1);
        assert!(!asked.on_http_call_response(7, &answer(&body), &host), "an answer to another caller");
        assert!(asked.on_http_call_response(0, &answer(&body), &host));
        match active_at {
            Some(at) => {
                assert!(matches!(ask(&asked, b"token", at), IntrospectionResult::Active(_)), "{body}")
            }
            None => assert!(matches!(ask(&asked, b"token", 1009), IntrospectionResult::Inactive)),
        }
        assert!(matches!(ask(&asked, b"token", forgotten_at), IntrospectionResult::Pending), "{body}");
    }
}

#[test]
fn the_client_names_itself_as_rfc_6749_has_it() {
    let host = InMemoryHost::at(1000);
    for in_body in [false, true] {
        let asked = introspector(in_body);
        let _ = ask(&asked, b"a+b&c", 1000);
        asked.tick(&host);
    }
    let calls = host.calls.borrow();
    let body = |index: usize| String::from_utf8(calls[index].body.clone()).unwrap();
    assert_eq!(body(0), "token=a%2Bb%26c&token_type_hint=access_token");
    // gate+%26+co:s%3Acret
    let basic = ("authorization".to_owned(), "Basic Z2F0ZSslMjYrY286cyUzQWNyZXQ=".to_owned());
    assert!(calls[0].headers.contains(&basic), "{:?}", calls[0].headers);
    assert!(body(1).ends_with("&client_id=gate+%26+co&client_secret=s%3Acret"), "{}", body(1));
    assert!(calls[1].headers.iter().all(|(name, _)| name != "authorization"));
}

#[test]
fn an_answer_that_is_none_is_an_outage_for_a_moment() {
    for body in [json!({}), json!({"active": "true"}), json!([]), json!("x")] {
        let (host, asked) = (InMemoryHost::at(1000), introspector(false));
        let _ = ask(&asked, b"token", 1000);
        asked.tick(&host);
        assert!(asked.on_http_call_response(0, &answer(&body), &host));
        assert!(matches!(ask(&asked, b"token", 1000), IntrospectionResult::Unavailable(_)), "{body}");
        assert!(matches!(ask(&asked, b"token", 1001), IntrospectionResult::Pending), "{body}");
    }
}

fn ask_many(asked: &Introspection, numbers: std::ops::Range<u32>, now: i64) -> usize {
    numbers
        .filter(|number| {
            matches!(ask(asked, format!("token{number}").as_bytes(), now), IntrospectionResult::Pending)
        })
        .count()
}

#[test]
fn a_flood_of_made_up_tokens_is_bounded() {
    let asked = introspector(false);
    assert_eq!(ask_many(&asked, 0..5000, 1000), 1024);
    let long = |number: u32| format!("{number:08}").repeat(1024);
    let asked = introspector(false);
    let pending = (0..1000)
        .filter(|number| matches!(ask(&asked, long(*number).as_bytes(), 1000), IntrospectionResult::Pending));
    assert_eq!(pending.count(), 336, "2,688 KiB");
    // One address has a share of the space, and another finds some.
    assert!(matches!(ask_from("192.0.2.2", &asked, b"another", 1000), IntrospectionResult::Pending));
}

#[test]
fn so_many_calls_are_underway_and_the_rest_follows_in_order() {
    let (host, asked) = (InMemoryHost::at(1000), introspector(false));
    assert_eq!(ask_many(&asked, 0..600, 1000), 600);
    asked.tick(&host);
    assert_eq!(host.calls.borrow().len(), 64, "a slice in one callback");
    for _ in 0..20 {
        asked.tick(&host);
    }
    assert_eq!(host.calls.borrow().len(), 192, "one client leaves some to others");
    for id in 0..600 {
        assert!(asked.on_http_call_response(id, &answer(&json!({"active": true})), &host));
        assert!(host.calls.borrow().len() <= 192 + usize::try_from(id).unwrap() + 1, "192 at once");
    }
    let calls = host.calls.borrow();
    let tokens: Vec<_> = calls.iter().map(|call| String::from_utf8(call.body.clone()).unwrap()).collect();
    let expected: Vec<_> =
        (0..600).map(|number| format!("token=token{number}&token_type_hint=access_token")).collect();
    assert_eq!(tokens, expected);
    assert!((0..600).all(|number| {
        matches!(ask(&asked, format!("token{number}").as_bytes(), 1000), IntrospectionResult::Active(_))
    }));
}

/// Tokens were asked after in the order in which they came, so that one client with many of them had all others
/// wait until their patience was over.
#[test]
fn clients_take_turns_whatever_one_of_them_brings() {
    let (host, asked) = (InMemoryHost::at(1000), introspector(false));
    assert_eq!(ask_many(&asked, 0..800, 1000), 800);
    for _ in 0..10 {
        asked.tick(&host);
    }
    assert_eq!(host.calls.borrow().len(), 192);
    for token in [&b"one"[..], b"two", b"three"] {
        assert!(matches!(ask_from("198.51.100.1", &asked, token, 1000), IntrospectionResult::Pending));
    }
    // An IPv6 client is one, whatever address it chooses in its site.
    for number in 0..500 {
        let address = format!("2001:db8:7:{number:x}::1");
        let token = format!("of the site {number}");
        assert!(matches!(ask_from(&address, &asked, token.as_bytes(), 1000), IntrospectionResult::Pending));
    }
    asked.tick(&host);
    let calls = host.calls.borrow();
    let asked_after: Vec<_> =
        calls.iter().skip(192).map(|call| String::from_utf8(call.body.clone()).unwrap()).collect();
    assert_eq!(asked_after.len(), 49, "15 of 256 are left to others");
    let of_client = |name: &str| asked_after.iter().filter(|body| body.contains(name)).count();
    assert_eq!((of_client("token=one"), of_client("token=two"), of_client("token=three")), (1, 1, 1));
    assert!(asked_after.iter().take(6).any(|body| body.contains("token=three")), "in turns: {asked_after:?}");
}

/// One client had 192 of the 256 calls, and a second one the rest: a third one waited until one of them was
/// answered.
#[test]
fn two_addresses_took_every_call() {
    let (host, asked) = (InMemoryHost::at(1000), introspector(false));
    for address in ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"] {
        for number in 0..300 {
            let token = format!("{number} of {address}");
            assert!(matches!(
                ask_from(address, &asked, token.as_bytes(), 1000),
                IntrospectionResult::Pending
            ));
        }
    }
    for _ in 0..10 {
        asked.tick(&host);
    }
    let underway = host.calls.borrow().len();
    assert!((230..=240).contains(&underway), "{underway}");
    assert!(matches!(ask_from("198.51.100.1", &asked, b"another", 1000), IntrospectionResult::Pending));
    asked.tick(&host);
    assert_eq!(host.calls.borrow().len(), underway + 1, "at once");
}

/// A host whose cluster lets no more than so many calls through at once.
struct Breaker {
    host: InMemoryHost,
    free: Cell<u32>,
}

impl Host for Breaker {
    fn now(&self) -> i64 {
        self.host.now()
    }
    fn monotonic(&self) -> Duration {
        self.host.monotonic()
    }
    fn verify_signature(&self, key: &NativeKey, signature: &[u8], message: &[u8]) -> NativeVerdict {
        self.host.verify_signature(key, signature, message)
    }
    fn random(&self, bytes: &mut [u8]) -> Result<(), HostError> {
        self.host.random(bytes)
    }
    fn client_address(&self) -> Option<String> {
        self.host.client_address()
    }
    fn get_shared_data(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostError> {
        self.host.get_shared_data(key)
    }
    fn set_shared_data(&self, key: &str, value: &[u8], version: u32) -> Result<bool, HostError> {
        self.host.set_shared_data(key, value, version)
    }
    fn warn(&self, line: &str) {
        self.host.warn(line);
    }
    fn dispatch_http_call(&self, call: &HttpCall) -> Result<u32, HostError> {
        let Some(free) = self.free.get().checked_sub(1) else { return Err(HostError("overflow")) };
        self.free.set(free);
        self.host.dispatch_http_call(call)
    }
}

/// Calls in one tick met a circuit breaker of 100, and the tokens beyond counted as failures.
#[test]
fn calls_that_a_circuit_breaker_holds_back_are_made_later() {
    let host = Breaker { host: InMemoryHost::at(1000), free: Cell::new(100) };
    let asked = introspector(false);
    assert_eq!(ask_many(&asked, 0..800, 1000), 800);
    let mut id = 0;
    while asked.has_queued() || id < 800 {
        asked.tick(&host);
        host.free.set(host.free.get() + 1);
        assert!(asked.on_http_call_response(id, &answer(&json!({"active": true})), &host), "{id}");
        id += 1;
    }
    assert!((0..800).all(|number| {
        matches!(ask(&asked, format!("token{number}").as_bytes(), 1000), IntrospectionResult::Active(_))
    }));
    assert!(host.host.warnings.take().is_empty());
}

/// Envoy says by an answer too that its circuit breaker is full, and that was taken for the issuer's: 503 for
/// tokens that were never asked after.
#[test]
fn an_overflow_of_the_circuit_breaker_was_taken_for_an_answer_of_the_issuer() {
    let (host, asked) = (InMemoryHost::at(1000), introspector(false));
    assert_eq!(ask_many(&asked, 0..200, 1000), 200);
    for _ in 0..4 {
        asked.tick(&host);
    }
    let overflow = CallResponse {
        headers: [(":status", "503"), ("x-envoy-overloaded", "true")]
            .map(|(name, value)| (name.into(), value.into()))
            .to_vec(),
        body: b"upstream connect error or disconnect/reset before headers".to_vec(),
    };
    // Each time 20 are let through, by which as many follow in the end, and no more.
    let mut answered = 0;
    let mut rounds = 0;
    let mut underway: Vec<u32> = (0..u32::try_from(host.calls.borrow().len()).unwrap()).collect();
    assert_eq!(underway.len(), 192);
    while answered < 200 {
        let before = host.calls.borrow().len();
        for (number, id) in underway.iter().enumerate() {
            let response = if number < 20 { &answer(&json!({"active": true})) } else { &overflow };
            answered += u32::from(number < 20);
            assert!(asked.on_http_call_response(*id, response, &host));
        }
        assert_eq!(host.warnings.take(), [""; 0]);
        asked.tick(&host);
        let follow = host.calls.borrow().len();
        host.monotonic.set(host.monotonic.get() + Duration::from_millis(50));
        asked.tick(&host);
        rounds += 1;
        let calls = host.calls.borrow().len();
        assert!(rounds == 1 || calls - before <= 64, "{} calls in round {rounds}", calls - before);
        underway = (u32::try_from(before).unwrap()..u32::try_from(calls).unwrap()).collect();
        assert!(follow <= calls && rounds < 100, "{answered} after {rounds} rounds");
    }
    assert!((0..200).all(|number| {
        matches!(ask(&asked, format!("token{number}").as_bytes(), 1000), IntrospectionResult::Active(_))
    }));
    let made = host.calls.borrow().len();
    assert!(made < 192 + 600, "{made} calls for 200 tokens");
    // One that is never let through is given up when its request has waited long enough.
    ask_many(&asked, 900..901, 1000);
    asked.tick(&host);
    assert!(asked.on_http_call_response(u32::try_from(made).unwrap(), &overflow, &host));
    host.now.set(1011);
    asked.tick(&host);
    assert!(!asked.has_queued());
}

#[test]
fn a_cluster_that_cannot_be_called_at_all_is_known_as_a_failure_at_once() {
    let host = Breaker { host: InMemoryHost::at(1000), free: Cell::new(0) };
    let asked = introspector(false);
    ask_many(&asked, 0..10, 1000);
    assert!(asked.tick(&host), "something is known now");
    for number in 0..10 {
        assert!(matches!(
            ask(&asked, format!("token{number}").as_bytes(), 1000),
            IntrospectionResult::Unavailable(_)
        ));
    }
    assert_eq!(host.host.warnings.take().len(), 1, "one line");
}

/// 20 made-up tokens that the issuer answered with 400 were 20 lines in the log.
#[test]
fn an_issuer_that_fails_again_and_again_wrote_a_line_for_each_token() {
    let (host, asked) = (InMemoryHost::at(1000), introspector(false));
    ask_many(&asked, 0..20, 1000);
    asked.tick(&host);
    let bad = CallResponse { headers: vec![(b":status".to_vec(), b"400".to_vec())], body: Vec::new() };
    for id in 0..20 {
        assert!(asked.on_http_call_response(id, &bad, &host));
    }
    assert_eq!(host.warnings.take(), ["introspection: status 400"]);
    host.now.set(1010);
    asked.tick(&host);
    let lines = host.warnings.take();
    assert!(
        matches!(lines.as_slice(), [line] if line.contains("(19 lines of this kind were left out")),
        "{lines:?}"
    );
}

#[test]
fn what_the_host_forgets_is_given_up() {
    let (host, asked) = (InMemoryHost::at(1000), introspector(false));
    ask_many(&asked, 0..300, 1000);
    for _ in 0..5 {
        asked.tick(&host);
    }
    assert_eq!(host.calls.borrow().len(), 192);
    // The rest waited as long as requests do; those that were asked after were never answered.
    host.now.set(1011);
    assert!(asked.tick(&host));
    assert!(!asked.has_queued());
    assert!(matches!(ask(&asked, b"token0", 1011), IntrospectionResult::Unavailable(_)));
    assert!(
        matches!(ask(&asked, b"token299", 1011), IntrospectionResult::Pending),
        "it may be asked after anew"
    );
    asked.tick(&host);
    assert_eq!(host.calls.borrow().len(), 193);
    assert!(!asked.on_http_call_response(0, &answer(&json!({"active": true})), &host), "too late");
}

#[test]
fn an_answer_that_is_too_long_or_deep_is_none() {
    let long = format!("{{\"active\": true, \"x\": \"{}\"}}", "x".repeat(65_536));
    let deep = format!("{{\"active\": true, \"x\": {}1{}}}", "[".repeat(40), "]".repeat(40));
    let twice = r#"{"active": false, "active": true}"#;
    for body in [long.as_str(), deep.as_str(), twice, r#"{"active": true, "exp": 1e999}"#] {
        let (host, asked) = (InMemoryHost::at(1000), introspector(false));
        ask_many(&asked, 0..1, 1000);
        asked.tick(&host);
        let response = CallResponse {
            headers: vec![(b":status".to_vec(), b"200".to_vec())],
            body: body.as_bytes().to_vec(),
        };
        assert!(asked.on_http_call_response(0, &response, &host));
        assert!(matches!(ask(&asked, b"token0", 1000), IntrospectionResult::Unavailable(_)), "{body}");
    }
}
