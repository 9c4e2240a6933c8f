//! A host that fails: each host call in turn, with every kind of status, in every phase. Whatever it is,
//! the filter stays shut: what is bad never passes, what is good passes whole or is refused, and the
//! module never traps.

mod in_turn;

use std::collections::BTreeSet;
use std::time::Duration;

use lychgate_tests::envoy::root;
use lychgate_tests::keys::{self, API_KEY as KEY, API_KEY_SHA256 as KEY_SHA256, PASSWORD_HASH as HASH};
use lychgate_tests::tokens::{Token, now};
use lychgate_tests::vm::{Failure, Fault, Image, Machine, Outcome, State};
use serde_json::{Value, json};

/// Every function of the host that the module imports, but for the one that ends it.
const CALLS: [&str; 24] = [
    "proxy_add_header_map_value",
    "proxy_call_foreign_function",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_get_buffer_bytes",
    "proxy_get_header_map_pairs",
    "proxy_get_log_level",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_record_metric",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_send_local_response",
    "proxy_set_effective_context",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "random_get",
];

/// The two rows that the module does not survive: the crate `proxy-wasm` panics there, and its dispatcher serves
/// callouts in no other way. Envoy gives the status of neither row. What the panic leaves is a VM that is over:
/// whatever waited is answered by Envoy with 503, and nothing goes on (tests/faults).
/// - A callout that is refused with a status other than `BadArgument` (no such cluster) and `InternalFailure` (no
///   healthy host, or the capability is not allowed).
/// - A callout's response for a root context that the host does not take for one.
fn is_fatal((call, status): Fault) -> bool {
    match call {
        "proxy_http_call" => !matches!(status, 2 | 10),
        "proxy_set_effective_context" => true,
        _ => false,
    }
}

/// The statuses of the ABI that are not OK, and one that is unknown.
const STATUSES: [u32; 9] = [1, 2, 3, 6, 7, 8, 10, 12, 9999];

const FORM: &str = "username=johndoe&password=secret";
const CLAIMED: &str = "x-auth-subject";

fn policy() -> Value {
    let fetched = |cluster: &str| {
        json!({"type": "http", "scheme": "bearer", "jwt": {
            "remote_jwks": {"uri": "http://idp.example/jwks", "cluster": cluster}}})
    };
    let rule = |path: &str, scheme: &str| json!({"match": {"path": path}, "security": [{scheme: []}]});
    json!({
        "schemes": {
            "oauth2": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/token", "scopes": {}}},
                "jwt": {"keys": [{"alg": "HS256", "secret": {"env": "SECRET"}}]},
                "users": "staff", "issue": {}},
            "es256": {"type": "http", "scheme": "bearer", "jwt": {"jwks": {"keys": [keys::P256.jwk()]}}},
            "fetched": fetched("idp"),
            "asked": {"type": "http", "scheme": "bearer", "introspection": {
                "uri": "http://idp.example/introspect", "cluster": "idp",
                "client_id": "gate", "client_secret": "secret of the gate"}},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"},
            "basic": {"type": "http", "scheme": "basic", "users": "staff"},
        },
        "users": {"staff": [{"username": "johndoe", "password": HASH}]},
        "api_keys": {"partners": [{"id": "partner", "sha256": KEY_SHA256}]},
        "rules": [
            rule("/oauth2", "oauth2"), rule("/es256", "es256"), rule("/fetched", "fetched"),
            rule("/asked", "asked"), rule("/key", "key"), rule("/basic", "basic"),
            {"match": {"path": "/public"}, "security": []},
        ],
        "filter_state": true,
    })
}

fn state(faults: Vec<Fault>) -> State {
    let mut state = State::default();
    state.faults = faults;
    state.configuration = policy().to_string().into_bytes();
    state.environment = vec![("SECRET".into(), keys::SECRET.into())];
    state.now = Duration::from_secs(now().cast_unsigned());
    state
}

/// What is sent, and whether it may pass where nothing fails.
struct Try {
    name: &'static str,
    path: &'static str,
    header: Option<(&'static str, String)>,
    good: bool,
}

fn tries() -> Vec<Try> {
    let bearer = |token: String| Some(("authorization", format!("Bearer {token}")));
    let good = |alg| bearer(Token::new().claim("sub", "johndoe").sign(alg));
    let forged = |alg| bearer(Token::new().claim("sub", "johndoe").sign_by_stranger(alg));
    let basic = |pair: &str| {
        use base64::Engine as _;
        Some(("authorization", format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair))))
    };
    let expired = Token::new().claim("sub", "johndoe").claim("exp", 1000).sign("HS256");
    let one = |name, path, header, good| Try { name, path, header, good };
    vec![
        one("a good token", "/oauth2", good("HS256"), true),
        one("a forged token", "/oauth2", forged("HS256"), false),
        one("an expired token", "/oauth2", bearer(expired), false),
        one("no token", "/oauth2", None, false),
        one("a good ES256 token", "/es256", good("ES256"), true),
        one("a forged ES256 token", "/es256", forged("ES256"), false),
        one("a good key", "/key", Some(("x-api-key", KEY.into())), true),
        one("a wrong key", "/key", Some(("x-api-key", "key-000001".into())), false),
        one("a good password", "/basic", basic("johndoe:secret"), true),
        one("a wrong password", "/basic", basic("johndoe:Secret"), false),
        one("a public path", "/public", None, true),
        one("a path of no rule", "/other", good("HS256"), false),
        one("an ambiguous path", "/public/../oauth2", None, false),
    ]
}

impl Try {
    fn headers(&self) -> Vec<(&str, &str)> {
        let mut headers = vec![
            (":method", "GET"),
            (":path", self.path),
            (":authority", "api.example"),
            // Forged by the client.
            (CLAIMED, "root"),
        ];
        headers.extend(self.header.iter().map(|(name, value)| (*name, value.as_str())));
        headers
    }

    /// Holds an outcome against what may be.
    fn check(&self, outcome: &Outcome, when: &str) {
        let name = self.name;
        match outcome {
            Outcome::Passed(headers) => {
                assert!(self.good, "{name} passed {when}");
                let seen = |wanted: &str| headers.iter().any(|(name, _)| name == wanted);
                assert!(
                    !seen("authorization") && !seen("x-api-key"),
                    "{name}: the credential went on {when}"
                );
                let forged = headers.iter().any(|(name, value)| name == CLAIMED && value == "root");
                assert!(!forged, "{name}: a forged identity went on {when}");
            }
            Outcome::Answered(response) => assert!(response.status >= 400, "{name} {when}: {response:?}"),
            // The answer could not be sent: Envoy's timeout ends what goes no further.
            Outcome::Waits => assert!(when.contains("proxy_send_local_response"), "{name} waits {when}"),
            Outcome::Trapped(trap) => panic!("{name} trapped {when}: {trap}"),
        }
    }
}

fn image() -> Image {
    Image::load(&root().join("dist/lychgate.wasm"), false)
}

fn started(image: &Image, faults: Vec<Fault>) -> Option<Machine> {
    match image.start(state(faults)) {
        Ok(machine) => Some(machine),
        Err(Failure::Refused(_)) => None,
        Err(failure) => panic!("trapped at start: {failure:?}"),
    }
}

fn faults() -> impl Iterator<Item = Fault> {
    CALLS.into_iter().flat_map(|call| STATUSES.map(|status| (call, status)))
}

#[test]
fn nothing_fails_and_everything_is_as_it_should_be() {
    let image = image();
    let mut machine = started(&image, vec![]).expect("a good configuration");
    for one in tries() {
        let outcome = machine.request(&one.headers());
        one.check(&outcome, "");
        assert_eq!(matches!(outcome, Outcome::Passed(_)), one.good, "{}: {outcome:?}", one.name);
    }
}

#[test]
fn a_host_call_that_fails_at_the_start_opens_nothing() {
    let image = image();
    for fault in faults() {
        // It fails for good, or it works again once requests come.
        for lasts in [true, false] {
            let Some(mut machine) = started(&image, vec![fault]) else { continue };
            if !lasts {
                machine.state().faults.clear();
            }
            for one in tries() {
                one.check(&machine.request(&one.headers()), &format!("where {fault:?} failed at the start"));
            }
        }
    }
}

#[test]
fn a_host_call_that_fails_during_a_request_opens_nothing() {
    let image = image();
    let mut machine = started(&image, vec![]).expect("a good configuration");
    for fault in faults() {
        for one in tries() {
            let when = format!("while {fault:?} fails");
            machine.state().faults = vec![fault];
            one.check(&machine.request(&one.headers()), &when);
            // Known by then, it is found in what is remembered.
            machine.state().faults.clear();
            let healed = machine.request(&one.headers());
            one.check(&healed, "after it failed");
            machine.state().faults = vec![fault];
            one.check(&machine.request(&one.headers()), &when);
            machine.state().faults.clear();
            machine.tick(Duration::from_secs(61));
        }
    }
}

fn post_token(machine: &mut Machine, fault: Option<Fault>, phase: &str) -> Vec<Outcome> {
    let fails = |machine: &mut Machine, now: &str| {
        machine.state().faults = fault.filter(|_| now == phase).into_iter().collect();
    };
    let head = [
        (":method", "POST"),
        (":path", "/token"),
        (":authority", "api.example"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    fails(machine, "head");
    let (id, outcome) = machine.head(&head, false);
    let mut seen = vec![outcome];
    if seen == [Outcome::Waits] {
        fails(machine, "body");
        seen.push(machine.body(id, FORM.as_bytes(), phase != "trailers"));
        if phase == "trailers" {
            fails(machine, "trailers");
            seen.push(machine.trailers(id));
        }
    }
    fails(machine, "response");
    seen.push(machine.response(id));
    fails(machine, "end");
    machine.end(id).unwrap_or_else(|trap| panic!("trapped: {trap}"));
    machine.state().faults.clear();
    seen
}

#[test]
fn a_host_call_that_fails_during_a_login_gives_no_token_half_made() {
    let image = image();
    let mut machine = started(&image, vec![]).expect("a good configuration");
    let answers = post_token(&mut machine, None, "none");
    let Some(Outcome::Answered(response)) = answers.get(1) else { panic!("{answers:?}") };
    assert_eq!(response.status, 200, "{response:?}");
    for fault in faults() {
        for phase in ["head", "body", "trailers", "response", "end"] {
            // A machine of its own: a failure may be counted against the client.
            let mut machine = started(&image, vec![]).expect("a good configuration");
            for outcome in post_token(&mut machine, Some(fault), phase) {
                match outcome {
                    Outcome::Trapped(trap) => panic!("{fault:?} in {phase}: {trap}"),
                    Outcome::Answered(response) if response.status == 200 => {
                        let token: Value = serde_json::from_slice(&response.body).expect("JSON");
                        assert!(token["access_token"].is_string(), "{fault:?} in {phase}: {token}");
                    }
                    Outcome::Answered(response) => assert!(response.status >= 400, "{response:?}"),
                    // Only the answer to a head that was let go comes by here.
                    Outcome::Passed(_) => {}
                    Outcome::Waits => {}
                }
            }
        }
    }
}

#[test]
fn a_host_call_that_fails_while_keys_are_fetched_opens_nothing() {
    let image = image();
    let jwks = json!({"keys": [keys::P256.jwk()]}).to_string();
    let active = json!({"active": true, "sub": "johndoe", "exp": now() + 600}).to_string();
    let token = |stranger: bool| {
        let token = Token::new().claim("sub", "johndoe");
        if stranger { token.sign_by_stranger("ES256") } else { token.sign("ES256") }
    };
    let (mut passed, mut trapped) = (0, BTreeSet::new());
    for fault in faults().map(Some).chain([None]) {
        for (path, answer, stranger) in
            [("/fetched", &jwks, false), ("/fetched", &jwks, true), ("/asked", &active, false)]
        {
            for phase in ["head", "tick", "answer"] {
                let one = Try {
                    name: path,
                    path,
                    header: Some(("authorization", format!("Bearer {}", token(stranger)))),
                    good: !stranger,
                };
                let mut machine = started(&image, vec![]).expect("a good configuration");
                let fails = |machine: &mut Machine, now: &str| {
                    machine.state().faults = fault.filter(|_| now == phase).into_iter().collect();
                };
                fails(&mut machine, "head");
                let (id, mut outcome) = machine.head(&one.headers(), true);
                fails(&mut machine, "tick");
                for _ in 0..3 {
                    if outcome == Outcome::Waits {
                        outcome = machine.tick(Duration::from_millis(100));
                    }
                }
                fails(&mut machine, "answer");
                while let Some(call) = machine.state().calls.pop_front() {
                    let later = machine.answer(call.id, &[(":status", "200")], answer.as_bytes());
                    if matches!(later, Outcome::Trapped(_)) || outcome == Outcome::Waits {
                        outcome = later;
                    }
                }
                if matches!(outcome, Outcome::Trapped(_)) && phase != "head" && fault.is_some_and(is_fatal) {
                    trapped.insert(fault.map(|(call, _)| (call, phase)));
                    continue;
                }
                // A request that still waits is not left waiting.
                machine.state().faults.clear();
                for _ in 0..40 {
                    if outcome == Outcome::Waits {
                        outcome = machine.tick(Duration::from_secs(1));
                    }
                }
                let when = format!("where {fault:?} failed in {phase}");
                passed += usize::from(matches!(outcome, Outcome::Passed(_)));
                one.check(&outcome, &when);
                machine.end(id).unwrap_or_else(|trap| panic!("trapped {when}: {trap}"));
            }
        }
    }
    let expected = [("proxy_http_call", "tick"), ("proxy_set_effective_context", "answer")];
    assert_eq!(trapped, expected.map(Some).into(), "two rows, each in its phase");
    assert!(passed > 100, "what is good passes where the failure does not matter: {passed}");
}
