//! One login and several directories, and what else is asked of a request that has half of what it needs.

use std::cell::Cell;
use std::rc::Rc;

use base64::Engine as _;
use serde_json::{Value, json};

use super::Engine;
use super::tests::{NOW, engine, introspection};
use crate::decision::Decision;
use crate::host::{Event, InMemoryHost, PasswordCheck};
use crate::request::Request;

/// `secret`.
const HASH: &str =
    "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$pbviq+1UUgwZCmLIr4Hgk7mEMsxnRLuOb2HfvIaBwGY";

fn policy(security: &Value) -> Value {
    let basic = |users: &str| json!({"type": "http", "scheme": "basic", "users": users});
    json!({
        "schemes": {
            "s": basic("staff"), "c": basic("customers"), "again": basic("staff"), "t": introspection(),
            "k": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "all"},
        },
        "users": {
            "staff": [{"username": "sam", "password": HASH}, {"username": "both", "password": HASH}],
            "customers": (0..30).map(|n| json!({"username": format!("c{n}"), "password": HASH}))
                .chain([json!({"username": "both", "password": HASH})]).collect::<Vec<_>>(),
        },
        "api_keys": {"all": []},
        "passwords": {"max_failures": 1, "window_seconds": 60, "worker_share_percent": 100},
        "security": security,
    })
}

/// An engine, its host, and how many passwords were hashed.
struct Bed {
    engine: Engine,
    host: InMemoryHost,
    hashed: Rc<Cell<u32>>,
}

impl Bed {
    fn new(security: &Value) -> Self {
        let (host, hashed) = (InMemoryHost::at(NOW), Rc::new(Cell::new(0_u32)));
        let count = Rc::clone(&hashed);
        *host.events.borrow_mut() = Some(Box::new(move |event| {
            if matches!(event, Event::Password(PasswordCheck::Hashed)) {
                count.set(count.get().saturating_add(1));
            }
        }));
        Self { engine: engine(&policy(security)), host, hashed }
    }

    /// By which scheme the login is allowed, or why not; and how many passwords were hashed for it.
    fn log_in(&self, login: &str) -> (String, u32) {
        let basic = base64::prelude::BASE64_STANDARD.encode(login);
        self.send(&[("authorization", &format!("Basic {basic}"))])
    }

    fn send(&self, more: &[(&str, &str)]) -> (String, u32) {
        let mut headers: Vec<(&[u8], &[u8])> =
            vec![(b":method", b"GET"), (b":path", b"/"), (b":authority", b"localhost")];
        headers.extend(more.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        self.hashed.set(0);
        let said = match self.engine.decide(&Request::new(&headers), &self.host, true) {
            Decision::Allow(allow) => allow.identity.unwrap().schemes.join(","),
            Decision::Deny(denial) => denial.reason.as_str().to_owned(),
            Decision::Pause(_) => "waits".to_owned(),
            other => panic!("{other:?}"),
        };
        (said, self.hashed.get())
    }
}

/// Every right login at the second directory was a failure at the first: the eleventh customer behind one
/// address was throttled.
#[test]
fn right_logins_of_many_customers_behind_one_address_lock_no_one_out() {
    let bed = Bed::new(&json!([{"s": []}, {"c": []}]));
    for customer in 0..30 {
        assert_eq!(bed.log_in(&format!("c{customer}:secret")), ("c".to_owned(), 2), "{customer}");
    }
    // What is known of both directories is not hashed again, and counts as nothing.
    for _ in 0..20 {
        assert_eq!(bed.log_in("c0:secret"), ("c".to_owned(), 0));
    }
    assert_eq!(bed.log_in("sam:secret"), ("s".to_owned(), 1));
    // The first that takes it counts, whatever is remembered.
    assert_eq!(bed.log_in("both:secret"), ("s".to_owned(), 1));
}

/// Without a memory each login is hashed anew, and is no failure all the same.
#[test]
fn logins_that_are_not_remembered_are_no_failures_either() {
    let mut policy = policy(&json!([{"s": []}, {"c": []}]));
    policy["passwords"]["remember_seconds"] = json!(0);
    let bed = Bed { engine: engine(&policy), ..Bed::new(&json!([{"s": []}])) };
    for customer in 0..30 {
        assert_eq!(bed.log_in(&format!("c{customer}:secret")), ("c".to_owned(), 2));
    }
}

/// A wrong password counts once for its address, however many directories and schemes it was meant for.
#[test]
fn a_wrong_password_is_one_failure_and_one_hash_of_each_directory() {
    for (security, hashes) in [
        (json!([{"s": []}, {"c": []}]), 2),
        (json!([{"s": []}, {"again": []}]), 1),
        (json!([{"s": []}, {"c": []}, {"again": []}]), 2),
        (json!([{"s": [], "again": []}]), 1),
    ] {
        let bed = Bed::new(&security);
        // An address may fail ten times as often as an account, which may fail once here.
        for guess in 0..10 {
            assert_eq!(
                bed.log_in(&format!("x{guess}:guess")),
                ("password_wrong".to_owned(), hashes),
                "{security}"
            );
        }
        assert_eq!(bed.log_in("x10:guess"), ("login_throttled".to_owned(), 0), "{security}");
    }
    // Each directory holds the name back by itself.
    let bed = Bed::new(&json!([{"s": []}, {"c": []}]));
    assert_eq!(bed.log_in("sam:guess").0, "password_wrong");
    assert_eq!(bed.log_in("sam:secret"), ("login_throttled".to_owned(), 0));
}

#[test]
fn an_and_of_two_directories_needs_both() {
    let bed = Bed::new(&json!([{"s": [], "c": []}]));
    assert_eq!(bed.log_in("both:secret"), ("c,s".to_owned(), 2));
    assert_eq!(bed.log_in("sam:secret").0, "password_wrong");
    assert_eq!(bed.log_in("c1:secret").0, "password_wrong");
}

/// An issuer was asked about every token that a client sent without the password that is needed besides.
#[test]
fn the_issuer_is_not_asked_about_the_token_of_a_client_that_lacks_the_password() {
    let mut policy = policy(&json!([{"t": [], "s": []}]));
    policy["schemes"]["t"]["introspection"]["from"] = json!([{"header": "X-Token"}]);
    let bed = Bed { engine: engine(&policy), ..Bed::new(&json!([{"s": []}])) };
    for number in 0..5 {
        let token = format!("opaque-{number}");
        let (said, _) = bed.send(&[("x-token", &token)]);
        assert_eq!(said, "credential_missing");
        // Neither is one that has no password in it.
        let (said, _) = bed.send(&[("x-token", &token), ("authorization", "Basic !")]);
        assert_eq!(said, "basic_malformed");
        let twice = [("x-token", token.as_str()), ("authorization", "Basic c2FtOnNlY3JldA==")];
        let (said, _) = bed.send(&[twice[0], twice[1], twice[1]]);
        assert_eq!(said, "credential_twice");
    }
    bed.engine.fetcher().tick(&bed.host);
    assert_eq!(bed.host.calls.borrow().len(), 0);
    let (said, hashed) = bed.send(&[("x-token", "opaque"), ("authorization", "Basic c2FtOnNlY3JldA==")]);
    assert_eq!((said.as_str(), hashed), ("waits", 0));
}
