//! Guesses at a password in an Envoy that takes the address of a client from the client.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lychgate_tests::envoy::{Artefact, Envoy, Listener, Options};
use lychgate_tests::http::Request;
use lychgate_tests::keys;
use serde_json::{Value, json};

use super::recording;

/// `secret` by bcrypt, cost 8: some 20 ms.
const MIDDLING: &str = "$2b$08$abcdefghijklmnopqrstuuKxCcvB7KZ7.BpDoK0bh6qM7Dl1/xiJa";
/// Where the user is at home.
const HOME: &str = "198.51.100.7";

fn policy() -> Value {
    json!({
        "schemes": {"login": {"type": "oauth2", "users": "staff", "issue": {},
            "flows": {"password": {"tokenUrl": "/token", "scopes": {}}},
            "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]}}},
        "users": {"staff": [{"username": "ann", "password": MIDDLING}]},
        "security": [{"login": []}],
    })
}

fn log_in(envoy: &Envoy, address: &str, password: &str) -> u16 {
    let form = format!("username=ann&password={password}");
    let request = Request::post("/token").body("application/x-www-form-urlencoded", form);
    envoy.send("gate", &request.header("X-Forwarded-For", address)).status
}

/// With `use_remote_address` off, a guesser with another `X-Forwarded-For` each time was never
/// throttled, and got the whole budget for hashing. The filter cannot tell such addresses from valid ones;
/// but an address that the name has logged in from before comes first.
#[test]
fn made_up_addresses_of_guessers_do_not_keep_a_login_from_a_known_address_out() {
    let (upstream, _seen) = recording();
    let listener = Listener::new("gate", policy()).manager(json!({"use_remote_address": false}));
    let envoy = Envoy::start(&[listener], upstream.addr(), &Options::default());
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    assert_eq!(log_in(&envoy, HOME, "secret"), 200);
    let (stop, number) = (AtomicBool::new(false), AtomicU32::new(0));
    let (through, judged, busy) = thread::scope(|scope| {
        let flood = || {
            let (mut judged, mut busy) = (0, 0);
            while !stop.load(Ordering::Relaxed) {
                let [_, a, b, c] = number.fetch_add(1, Ordering::Relaxed).to_be_bytes();
                match log_in(&envoy, &format!("20.{a}.{b}.{c}"), "guess") {
                    401 => judged += 1,
                    503 => busy += 1,
                    other => panic!("a fresh address is never throttled: {other}"),
                }
            }
            (judged, busy)
        };
        let floods = [(); 3].map(|()| scope.spawn(flood));
        thread::sleep(Duration::from_secs(1));
        let mut through = 0;
        for _ in 0..20 {
            // A hash that another process holds up costs the budget what it took: then once more.
            let is_in = (0..4).any(|_| {
                thread::sleep(Duration::from_millis(200));
                log_in(&envoy, HOME, "secret") == 200
            });
            through += u32::from(is_in);
        }
        stop.store(true, Ordering::Relaxed);
        let counts = floods.map(|flood| flood.join().unwrap());
        let (judged, busy) = counts.iter().fold((0, 0), |all, own| (all.0 + own.0, all.1 + own.1));
        (through, judged, busy)
    });
    println!(
        "guessers with an address each: {judged} guesses judged, {busy} refused; {through} of 20 logins"
    );
    // A guess waits for its turn where threads hash, so that three guessers send no more than they get answers.
    let is_flood = busy > 100 || Artefact::from_environment() == Artefact::Native;
    assert!(is_flood, "a flood that was none: {busy}");
    assert!(judged > 10, "no address fails twice, so none is throttled: {judged}");
    assert!(through >= 18, "{through} of 20");
    assert!(super::is_module_alive(&envoy), "{}", envoy.log());
}

/// A guesser that resets its connection while its password is hashed on another thread was counted nowhere, though its guess
/// was made and the name was locked.
#[test]
fn a_guess_of_a_client_that_does_not_wait_for_the_answer_is_counted() {
    let (upstream, _seen) = recording();
    let mut policy = policy();
    policy["schemes"]["basic"] = json!({"type": "http", "scheme": "basic", "users": "staff"});
    policy["rules"] = json!([
        {"match": {"path": "/basic"}, "name": "basic", "security": [{"basic": []}]},
        {"match": {"path": "/dry"}, "name": "dry", "security": [{"basic": []}], "mode": "dry_run"},
    ]);
    let envoy = Envoy::start(&[Listener::new("gate", policy)], upstream.addr(), &Options::default());
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let guess = |path: &str, number: usize| {
        let head = if path == "/token" {
            let form = format!("username=user{number}&password=guess");
            let kind = "application/x-www-form-urlencoded";
            format!(
                "POST /token HTTP/1.1\r\nhost: a\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{form}",
                form.len()
            )
        } else {
            let login = STANDARD.encode(format!("user{number}:guess"));
            format!("GET {path} HTTP/1.1\r\nhost: a\r\nauthorization: Basic {login}\r\n\r\n")
        };
        let mut stream = TcpStream::connect(envoy.addr("gate")).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        // Its hash takes some 20 ms.
        thread::sleep(Duration::from_millis(4));
        drop(stream);
    };
    let artefact = Artefact::from_environment();
    let hashed = artefact.stat("lychgate_password_checks_total", &[("result", "hashed")]);
    let end = Instant::now() + Duration::from_secs(60);
    let wait_until = |is_so: &dyn Fn() -> bool| {
        while !is_so() && Instant::now() < end {
            // A worker of the native module hears what became of a hash when a request comes, at the latest.
            assert_eq!(envoy.send("gate", &Request::get("/")).status, 401);
            thread::sleep(Duration::from_millis(50));
        }
    };
    // One after the other: a guess that waits for its turn is not made if its client is gone.
    let paths = ["/basic", "/token", "/dry"];
    for number in 0..12 {
        guess(paths[number % 3], number);
        wait_until(&|| envoy.stat(&hashed) > number as u64);
    }
    let requests = |rule, scheme, decision| {
        artefact
            .stat("lychgate_requests_total", &[("rule", rule), ("scheme", scheme), ("decision", decision)])
    };
    let denials = |scheme, mode| {
        artefact.stat(
            "lychgate_denials_total",
            &[("scheme", scheme), ("mode", mode), ("reason", "password_wrong")],
        )
    };
    let expected = [
        requests("basic", "basic", "denied"),
        requests("token_endpoint", "none", "denied"),
        requests("dry", "basic", "would_deny"),
        denials("basic", "enforce"),
        denials("basic", "dry_run"),
    ];
    let counted = || expected.each_ref().map(|name| envoy.stat(name));
    wait_until(&|| counted() == [4; 5]);
    assert_eq!(counted(), [4; 5], "{expected:?}");
}
