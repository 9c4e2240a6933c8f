//! Logins whose heads go on by the setting of the operator, on routes that answer before the form is there.

use std::thread;
use std::time::Duration;

use lychgate_tests::envoy::Listener;
use lychgate_tests::h2;
use lychgate_tests::held::Held;
use lychgate_tests::http::Response;
use lychgate_tests::keys::{self, PASSWORD_HASH};
use lychgate_tests::witness::Witness;
use serde_json::{Value, json};

use super::bed::is_alive;
use super::load::{self, ROUTES};

/// Of which every other one has a wrong password.
const STREAMS: u32 = 300;
const PATIENCE: Duration = Duration::from_secs(25);

fn policy() -> Value {
    json!({
        "schemes": {"login": {"type": "oauth2", "users": "staff", "issue": {"release_head": true},
            "flows": {"password": {"tokenUrl": "/token", "scopes": {}}},
            "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]}}},
        "users": {"staff": [{"username": "johndoe", "password": PASSWORD_HASH}]},
        "passwords": {"worker_share_percent": 100, "max_failures": 1_000_000},
        "rules": [{"match": {"path": "/public"}, "security": []}],
        "security": [{"login": []}],
    })
}

fn login(number: u32) -> h2::Request {
    let password = if number.is_multiple_of(2) { "secret" } else { "wrong" };
    h2::Request::new("POST", "/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("username=johndoe&password={password}").as_bytes())
}

/// The answer of each login, by its number: sent whole, or first all heads and then all forms.
fn answers(addr: std::net::SocketAddr, is_whole: bool) -> Vec<(u32, Response)> {
    let mut connection = h2::Connection::open(addr, PATIENCE).unwrap();
    let writer = connection.writer();
    let (mut heads, mut forms) = (Vec::new(), Vec::new());
    for number in 0..STREAMS {
        let (stream, login) = (2 * number + 1, login(number));
        let (head, whole) = (login.open_head(stream), login.frames(stream));
        if is_whole {
            heads.extend(whole);
        } else {
            forms.extend(&whole[head.len()..]);
            heads.extend(head);
        }
    }
    thread::spawn(move || {
        let _ = writer.write(&heads);
        thread::sleep(Duration::from_millis(300));
        let _ = writer.write(&forms);
    });
    let mut answers = Vec::new();
    while answers.len() < STREAMS as usize {
        let next = connection.next_answer().unwrap_or_else(|error| panic!("{error}: {}", answers.len()));
        let (stream, answer) = next.unwrap_or_else(|| panic!("closed after {} answers", answers.len()));
        answers.push((stream / 2, answer.unwrap_or_else(|| panic!("stream {stream} was reset"))));
    }
    answers
}

/// The answer of a route that answers by itself, or that leads nowhere, comes within the callback that lets
/// the head go. Each of them is taken for the upstream's word, which has no say in a login: one answer more.
#[test]
fn many_logins_whose_heads_are_let_go_get_an_answer_each_on_routes_that_answer_at_once() {
    let witness = Witness::start();
    let listeners: Vec<Listener> = ROUTES
        .iter()
        .flat_map(|route| {
            [("", true), ("-held", false)].map(|(suffix, holds_heads)| {
                let mut listener = load::listener(route, policy());
                listener.name = format!("{route}{suffix}");
                listener.vm_id.clone_from(&listener.name);
                listener.holds_heads = holds_heads;
                listener
            })
        })
        .collect();
    let envoy = load::start(&listeners, &Held::start(), &witness);
    let names: Vec<_> = listeners.iter().map(|listener| listener.name.as_str()).collect();
    for name in &names {
        for is_whole in [true, false] {
            let mut tokens = 0;
            for (number, answer) in answers(envoy.addr(name), is_whole) {
                let what = format!("{name}, whole {is_whole}, login {number}: {answer:?}");
                let has_token = answer.text().contains("access_token");
                assert_eq!(has_token, answer.status == 200, "{what}");
                match (name.starts_with("upstream"), number.is_multiple_of(2)) {
                    // A login is answered by the filter, whatever the upstream does with its head.
                    (true, true) => assert_eq!(answer.status, 200, "{what}"),
                    (true, false) => assert_eq!(answer.status, 401, "{what}"),
                    // It was answered before its form was there.
                    (false, _) => assert_eq!(answer.status, 500, "{what}"),
                }
                tokens += u32::from(has_token);
            }
            println!("logins whose heads are let go, {name}, whole {is_whole}: {tokens} of {STREAMS} tokens");
        }
    }
    for arrival in witness.arrivals() {
        assert!(arrival.body.is_empty(), "no form goes upstream: {arrival:?}");
    }
    let alive: Vec<_> = names.iter().filter(|name| name.starts_with("upstream")).copied().collect();
    assert!(is_alive(&envoy, &alive), "{}", envoy.log());
}
