//! Not one function of the host, but one call of it: the first, the second, and so on to the last, in
//! every phase. What was half done by then must not be taken for done.

use std::time::Duration;

use lychgate_tests::keys;
use lychgate_tests::tokens::{Token, now};
use lychgate_tests::vm::{Failure, Image, Machine, Outcome, State};
use serde_json::json;

use super::{FORM, Try, image, is_fatal, policy, started, state, tries};

/// The statuses that the module distinguishes, and one that is unknown.
const STATUSES: [u32; 4] = [1, 2, 8, 9999];

/// Has `work` done on a machine whose first call fails, then on one whose second does, until there are no
/// more. How often it was done.
fn in_turn(mut work: impl FnMut((u64, u32)) -> Machine) -> u64 {
    let mut times = 0;
    for status in STATUSES {
        for number in 0_u64.. {
            let mut machine = work((number, status));
            times += 1;
            if machine.state().failed.is_none() {
                break;
            }
            assert!(number < 10_000, "it never ends");
        }
    }
    times
}

/// Which call failed, in words.
fn told(machine: &mut Machine) -> String {
    format!("where the one call of {} failed", machine.state().failed.unwrap_or("nothing"))
}

fn machine(image: &Image) -> Machine {
    started(image, vec![]).expect("a good configuration")
}

#[test]
fn one_call_that_fails_at_the_start_opens_nothing() {
    let image = image();
    let (mut refused, mut trapped, mut times) = (0, 0, 0);
    for status in STATUSES {
        for number in 0.. {
            times += 1;
            let mut state = state(vec![]);
            state.fault_after = Some((number, status));
            match image.start(state) {
                Ok(mut machine) => {
                    let when = told(&mut machine);
                    let failed = machine.state().failed.is_some();
                    machine.state().fault_after = None;
                    for one in tries() {
                        one.check(&machine.request(&one.headers()), &when);
                    }
                    if !failed {
                        break;
                    }
                }
                Err(Failure::Refused(_)) => refused += 1,
                // The module asks for randomness first, and refuses to start without. Where the host gives
                // it and withholds it the next moment, Rust's hash tables take that for a reason to
                // panic: it does not start either.
                Err(Failure::Trapped(trap)) if trap.contains("random_get") => trapped += 1,
                Err(failure) => panic!("call {number}, status {status}: {failure:?}"),
            }
        }
    }
    println!("{times} starts, {refused} refused, {trapped} trapped");
    assert!(refused > 0 && trapped <= STATUSES.len(), "{refused} {trapped}");
}

#[test]
fn one_call_that_fails_during_a_request_opens_nothing() {
    let image = image();
    let mut times = 0;
    for one in tries() {
        times += in_turn(|fault| {
            let mut machine = machine(&image);
            // Unknown at first, then known.
            for _ in 0..2 {
                machine.state().fault_after = Some(fault);
                let outcome = machine.request(&one.headers());
                let when = told(&mut machine);
                one.check(&outcome, &when);
                machine.state().fault_after = None;
                let healed = machine.request(&one.headers());
                one.check(&healed, &format!("after a request {when}"));
                assert_eq!(matches!(healed, Outcome::Passed(_)), one.good, "{}: {healed:?}", one.name);
            }
            machine
        });
    }
    println!("{times} machines, each with another call that fails");
    assert!(times > 200, "{times}");
}

#[test]
fn one_call_that_fails_where_signatures_are_checked_by_the_host_opens_nothing() {
    let image = image();
    let good = Token::new().claim("sub", "johndoe").sign("ES256");
    let forged = Token::new().claim("sub", "johndoe").claim("jti", "forged").sign_by_stranger("ES256");
    let text = |token: &str| token.rsplit_once('.').expect("a token").0.as_bytes().to_vec();
    let bad = text(&forged);
    for token in [&good, &forged] {
        let one = Try {
            name: "a token that the host judges",
            path: "/es256",
            header: Some(("authorization", format!("Bearer {token}"))),
            good: token == &good,
        };
        let judge = |bad: Vec<u8>| {
            // The module's own probe is the text of an RFC, and that text with an x.
            move |arguments: &[u8]| !arguments.ends_with(&bad) && !arguments.ends_with(b"x")
        };
        let mut asked = 0;
        in_turn(|fault| {
            let mut state = state(vec![]);
            state.judge = Some(Box::new(judge(bad.clone())));
            let mut machine = image.start(state).unwrap_or_else(|failure| panic!("{failure:?}"));
            assert!(machine.log().iter().any(|line| line.contains("natively")), "{:?}", machine.log());
            let before = machine.state().made["proxy_call_foreign_function"];
            machine.state().fault_after = Some(fault);
            let outcome = machine.request(&one.headers());
            let when = told(&mut machine);
            one.check(&outcome, &when);
            asked = asked.max(machine.state().made["proxy_call_foreign_function"] - before);
            machine.state().fault_after = None;
            let healed = machine.request(&one.headers());
            assert_eq!(matches!(healed, Outcome::Passed(_)), one.good, "{when}: {healed:?}");
            machine
        });
        assert_eq!(asked, 1, "the host is asked");
    }
}

#[test]
fn one_call_that_fails_during_a_login_gives_no_token_half_made() {
    let image = image();
    let head = [
        (":method", "POST"),
        (":path", "/token"),
        (":authority", "api.example"),
        ("authorization", "Basic Zm9yZ2VkOmZvcmdlZA=="),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    for (form, right) in [(FORM, true), ("username=johndoe&password=Secret", false)] {
        for trailers in [false, true] {
            let times = in_turn(|fault| {
                let mut machine = machine(&image);
                machine.state().fault_after = Some(fault);
                let (id, outcome) = machine.head(&head, false);
                let mut seen = vec![outcome];
                if seen == [Outcome::Waits] {
                    seen.push(machine.tick(Duration::from_millis(20)));
                    seen.push(machine.body(id, form.as_bytes(), !trailers));
                    if trailers {
                        seen.push(machine.trailers(id));
                    }
                }
                let when = told(&mut machine);
                for outcome in seen {
                    if is_over(&mut machine, &outcome, fault) {
                        return machine;
                    }
                    match outcome {
                        Outcome::Trapped(trap) => panic!("{when}: {trap}"),
                        // A clock that fails looks like a body that does not come: the head is let go,
                        // as it is to find out what the host can do. It takes nothing secret along.
                        Outcome::Passed(headers) => {
                            assert!(when.contains("clock_time_get"), "{when}: a login went on: {headers:?}");
                            assert!(!headers.iter().any(|(name, _)| name == "authorization"), "{when}");
                        }
                        Outcome::Answered(response) if response.status == 200 => {
                            assert!(right, "{when}: a token for a wrong password");
                            let token: serde_json::Value =
                                serde_json::from_slice(&response.body).expect("JSON");
                            assert!(token["access_token"].is_string(), "{when}: {token}");
                        }
                        Outcome::Answered(response) => assert!(response.status >= 400, "{response:?}"),
                        Outcome::Waits => {}
                    }
                }
                machine.end(id).unwrap_or_else(|trap| panic!("{when}: {trap}"));
                machine
            });
            assert!(times > 40, "{times}");
        }
    }
}

/// Whether the module is over, by one of the two calls whose failure it does not survive.
fn is_over(machine: &mut Machine, outcome: &Outcome, (_, status): (u64, u32)) -> bool {
    let failed = machine.state().failed;
    matches!(outcome, Outcome::Trapped(_)) && failed.is_some_and(|call| is_fatal((call, status)))
}

/// One request that waits for what is fetched, to its end, wherever that is.
fn fetch(machine: &mut Machine, one: &Try, answer: &str, hangs_up: bool, fault: (u64, u32)) {
    let (id, mut outcome) = machine.head(&one.headers(), true);
    for _ in 0..3 {
        if outcome == Outcome::Waits {
            outcome = machine.tick(Duration::from_millis(100));
        }
    }
    if is_over(machine, &outcome, fault) {
        return;
    }
    if hangs_up {
        let when = told(machine);
        machine.end(id).unwrap_or_else(|trap| panic!("{when}: {trap}"));
    }
    while let Some(call) = machine.state().calls.pop_front() {
        let later = machine.answer(call.id, &[(":status", "200")], answer.as_bytes());
        if is_over(machine, &later, fault) {
            return;
        }
        if let Outcome::Trapped(trap) = &later {
            panic!("{}: {trap}", told(machine));
        }
        if outcome == Outcome::Waits && !hangs_up {
            outcome = later;
        }
    }
    // A request that still waits is not left waiting.
    for _ in 0..40 {
        if outcome == Outcome::Waits && !hangs_up {
            outcome = machine.tick(Duration::from_secs(1));
        }
    }
    let when = told(machine);
    if !hangs_up {
        one.check(&outcome, &when);
        machine.end(id).unwrap_or_else(|trap| panic!("{when}: {trap}"));
    }
    let after = machine.tick(Duration::from_secs(1));
    let is_well = !matches!(after, Outcome::Trapped(_)) || is_over(machine, &after, fault);
    assert!(is_well, "{when}, or then where {}: {after:?}", told(machine));
}

#[test]
fn one_call_that_fails_while_something_is_fetched_opens_nothing() {
    let image = image();
    let jwks = json!({"keys": [keys::P256.jwk()]}).to_string();
    let active = json!({"active": true, "sub": "johndoe", "exp": now() + 600}).to_string();
    let inactive = json!({"active": false}).to_string();
    let token = Token::new().claim("sub", "johndoe");
    let (own, forged) = (token.sign("ES256"), token.sign_by_stranger("ES256"));
    for (path, answer, token, good) in [
        ("/fetched", &jwks, &own, true),
        ("/fetched", &jwks, &forged, false),
        ("/asked", &active, &own, true),
        ("/asked", &inactive, &own, false),
    ] {
        let header = Some(("authorization", format!("Bearer {token}")));
        let one = Try { name: path, path, header, good };
        for hangs_up in [false, true] {
            let times = in_turn(|fault| {
                let mut machine = machine(&image);
                machine.state().fault_after = Some(fault);
                fetch(&mut machine, &one, answer, hangs_up, fault);
                machine
            });
            println!("{path}, good: {good}, hangs up: {hangs_up}: {times} machines");
            assert!(times > 40, "{times}");
        }
    }
}

/// The policy with one more lock: what was public wants a key.
fn stricter() -> Vec<u8> {
    let mut policy = policy();
    let rules = policy["rules"].as_array_mut().expect("rules");
    rules.iter_mut().filter(|rule| rule["match"]["path"] == "/public").for_each(|rule| {
        rule["security"] = json!([{"key": []}]);
    });
    policy.to_string().into_bytes()
}

#[test]
fn one_call_that_fails_while_the_configuration_changes_leaves_the_old_or_the_new() {
    let image = image();
    let (mut old, mut new) = (0, 0);
    let times = in_turn(|fault| {
        let mut machine = machine(&image);
        machine.state().fault_after = Some(fault);
        let changed = machine.reconfigure(stricter());
        let when = told(&mut machine);
        machine.state().fault_after = None;
        let is_new = match changed {
            Ok(root) => {
                machine.end(root).unwrap_or_else(|trap| panic!("{when}: {trap}"));
                true
            }
            Err(Failure::Refused(_)) => false,
            Err(failure) => panic!("{when}: {failure:?}"),
        };
        old += usize::from(!is_new);
        new += usize::from(is_new);
        for mut one in tries() {
            if one.path == "/public" {
                one.good = !is_new;
            }
            let outcome = machine.request(&one.headers());
            one.check(&outcome, &when);
            assert_eq!(matches!(outcome, Outcome::Passed(_)), one.good, "{when}: {}", one.name);
        }
        machine
    });
    println!("{times} changes with a call that failed: {new} took the new configuration, {old} kept the old");
    assert!(old > 0 && new > 0, "{old} {new}");
}

#[test]
fn a_machine_without_a_configuration_refuses_whatever_comes() {
    // The host's call is refused, and it goes on calling.
    let image = image();
    let mut broken: State = state(vec![]);
    broken.configuration = b"{".to_vec();
    assert!(matches!(image.start(broken), Err(Failure::Refused(_))));
    let mut machine = machine(&image);
    assert!(matches!(machine.reconfigure(b"{".to_vec()), Err(Failure::Refused(_))));
    for one in tries() {
        let outcome = machine.request(&one.headers());
        assert_eq!(matches!(outcome, Outcome::Passed(_)), one.good, "the old policy stays: {}", one.name);
    }
}
