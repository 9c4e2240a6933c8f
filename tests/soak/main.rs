//! Full load for a long time: good and bad requests from several clients on two workers, each answer looked
//! at, what reaches the upstream counted, and the memory watched.
//!
//! `LYCHGATE_SOAK_SECONDS` says how long: 10 where it does not, half an hour by `make soak`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lychgate_tests::echo::{Reply, Upstream};
use lychgate_tests::envoy::{Envoy, Listener, Memory, Options};
use lychgate_tests::http::{Connection, Request};
use lychgate_tests::keys::{self, API_KEY as KEY, PASSWORD_HASH as HASH};
use lychgate_tests::tokens::{Token, now};
use serde_json::{Value, json};

const CLIENTS: u64 = 4;
const FORM: &str = "application/x-www-form-urlencoded";

fn policy() -> Value {
    let sha256 = {
        use sha2::{Digest as _, Sha256};
        Sha256::digest(KEY).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let rule = |path: &str, scheme: &str| json!({"match": {"path": path}, "security": [{scheme: []}]});
    json!({
        "schemes": {
            "token": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/token", "scopes": {"items:read": ""}}},
                "users": "staff", "issue": {},
                "jwt": {"leeway_seconds": 0, "keys": [
                    {"alg": "HS256", "secret": keys::SECRET},
                    {"alg": "RS256", "pem": keys::RSA.public_pem},
                    {"alg": "ES256", "pem": keys::P256.public_pem}]}},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"},
            "basic": {"type": "http", "scheme": "basic", "users": "staff"},
        },
        "users": {"staff": [{"username": "johndoe", "password": HASH, "scopes": ["items:read"]}]},
        "api_keys": {"partners": [{"id": "partner", "sha256": sha256}]},
        "passwords": {"max_failures": 1_000_000, "worker_share_percent": 100},
        "rules": [
            {"match": {"path": "/items/{id}"}, "security": [{"token": ["items:read"]}]},
            {"match": {"path": "/admin"}, "security": [{"token": ["admin"]}]},
            rule("/key", "key"), rule("/basic", "basic"),
            {"match": {"path": "/public"}, "security": []},
        ],
    })
}

/// A request and the answer that it must get.
struct Case {
    name: &'static str,
    request: Request,
    status: u16,
    /// Whether the answer is the upstream's.
    passes: bool,
}

fn case(name: &'static str, request: Request, status: u16) -> Case {
    Case { name, request, status, passes: status == 200 }
}

fn basic(pair: &str) -> Request {
    Request::get("/basic").header("Authorization", format!("Basic {}", BASE64_STANDARD.encode(pair)))
}

fn item(token: impl AsRef<str>) -> Request {
    Request::get("/items/7").bearer(token)
}

/// What is sent again and again. The tokens outlive the soak.
fn known(seconds: u64) -> Vec<Case> {
    let token = || Token::reader().claim("exp", now() + i64::try_from(seconds).unwrap() + 3600);
    let mut cases = Vec::new();
    for alg in ["HS256", "RS256", "ES256"] {
        // Some dozens of users with a token each.
        for number in 0..24 {
            cases.push(case(
                "a known token",
                item(token().claim("jti", format!("known-{number}")).sign(alg)),
                200,
            ));
        }
        cases.push(case("a forged token", item(token().sign_by_stranger(alg)), 401));
        cases.push(case("an expired token", item(Token::reader().claim("exp", 1000).sign(alg)), 401));
        let other = Request::get("/admin").bearer(token().sign(alg));
        cases.push(case("a token without the scope", other, 403));
        let twice = item(token().sign(alg)).bearer(token().sign(alg));
        cases.push(case("two tokens", twice, 401));
    }
    for _ in 0..8 {
        cases.push(case("a good key", Request::get("/key").header("X-API-Key", KEY), 200));
        cases.push(case("a wrong key", Request::get("/key").header("X-API-Key", "key-000001"), 403));
        cases.push(case("a good password", basic("johndoe:secret"), 200));
        cases.push(case("no credential", Request::get("/items/7"), 401));
        cases.push(case("a public path", Request::get("/public"), 200));
        cases.push(case("an ambiguous path", Request::get("/public/..%2f/items/7"), 400));
        cases.push(case("a path of no rule", Request::get("/other").bearer(token().sign("HS256")), 403));
    }
    cases.push(case("a wrong password", basic("johndoe:Secret"), 401));
    let login = Request::post("/token").body(FORM, "username=johndoe&password=secret");
    cases.push(Case { passes: false, ..case("a login", login, 200) });
    let failed = Request::post("/token").body(FORM, "username=johndoe&password=Secret");
    cases.push(case("a failed login", failed, 401));
    cases
}

/// What was never sent before: a good token and a forged one, of a user and a number of their own.
fn fresh(alg: &str, number: u64) -> [Case; 2] {
    let token = Token::reader().claim("jti", format!("new-{number}"));
    [
        case("a new token", item(token.sign(alg)), 200),
        case("a new forged token", item(token.sign_by_stranger(alg)), 401),
    ]
}

/// A token that is good, and expires while it is known: what it must be answered with at this moment,
/// if a moment close to its end does not leave it open.
struct Dying {
    request: Request,
    expires: i64,
}

impl Dying {
    fn new(number: u64) -> Self {
        let expires = now() + 4;
        let token = Token::reader().claim("jti", format!("dying-{number}")).claim("exp", expires);
        Self { request: item(token.sign("HS256")), expires }
    }

    fn status(&self) -> Option<u16> {
        // The module's clock may be a second old: that is how often it looks.
        match self.expires - now() {
            2.. => Some(200),
            ..=-2 => Some(401),
            _ => None,
        }
    }
}

/// What a client has seen.
#[derive(Default)]
struct Seen {
    sent: u64,
    passed: u64,
    mistakes: BTreeMap<(&'static str, u16), u64>,
    by_name: BTreeMap<&'static str, u64>,
}

struct Client {
    addr: SocketAddr,
    connection: Connection,
    seen: Seen,
}

impl Client {
    fn new(addr: SocketAddr) -> Self {
        Self { addr, connection: Connection::open(addr).expect("a connection"), seen: Seen::default() }
    }

    /// Sends a request; its answer's status, 0 if there is none.
    fn ask(&mut self, name: &'static str, request: &Request, passes: bool) -> u16 {
        self.seen.sent += 1;
        *self.seen.by_name.entry(name).or_default() += 1;
        let status = match self.connection.send(request) {
            Ok(response) => {
                if response.header("connection").is_some_and(|value| value == "close") {
                    self.connection = Connection::open(self.addr).expect("a connection");
                }
                response.status
            }
            Err(_) => {
                self.connection = Connection::open(self.addr).expect("a connection");
                0
            }
        };
        self.seen.passed += u64::from(status == 200 && passes);
        status
    }

    fn expect(&mut self, case: &Case) {
        let status = self.ask(case.name, &case.request, case.passes);
        if status != case.status {
            *self.seen.mistakes.entry((case.name, status)).or_default() += 1;
        }
    }

    fn run(mut self, client: u64, known: &[Case], stop: &AtomicBool, total: &AtomicU64) -> Seen {
        let mut dying = Dying::new(client);
        for turn in 0_u64.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let before = self.seen.sent;
            self.expect(&known[(turn.wrapping_mul(31) + client * 17) as usize % known.len()]);
            // New tokens are dear to make: of RSA, one in some hundred requests.
            let number = turn * CLIENTS + client;
            let alg = match turn % 256 {
                0 => Some("RS256"),
                64 | 192 => Some("ES256"),
                _ if turn % 8 == 3 => Some("HS256"),
                _ => None,
            };
            alg.into_iter().flat_map(|alg| fresh(alg, number)).for_each(|case| self.expect(&case));
            if turn % 32 == 5 {
                let expected = dying.status();
                let status = self.ask("a token about to expire", &dying.request, true);
                // It may be either at the very end, but must not change in between.
                let right = expected.map_or(status == 200 || status == 401, |expected| {
                    status == expected || dying.status() != Some(expected)
                });
                if !right {
                    *self.seen.mistakes.entry(("a token about to expire", status)).or_default() += 1;
                }
                if expected == Some(401) {
                    dying = Dying::new(number);
                }
            }
            if turn % 512 == 511 {
                // Now and then a new client connects.
                self.connection = Connection::open(self.addr).expect("a connection");
            }
            total.fetch_add(self.seen.sent - before, Ordering::Relaxed);
        }
        self.seen
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn line(when: &str, start: Instant, requests: u64, memory: &Memory) {
    println!(
        "soak: {when} at {:.0} s: {requests} requests, resident {:.1} MiB, allocated {:.1} MiB",
        start.elapsed().as_secs_f64(),
        mib(memory.resident),
        mib(memory.allocated)
    );
}

#[test]
fn good_and_bad_requests_at_full_load_without_a_mistake_and_in_flat_memory() {
    let seconds = std::env::var("LYCHGATE_SOAK_SECONDS").ok();
    let seconds: u64 = seconds.map_or(10, |text| text.parse().expect("LYCHGATE_SOAK_SECONDS is a number"));
    let upstream = Upstream::serve(|_| Reply::status(200));
    let options = Options { concurrency: 2, ..Options::default() };
    let mut listener = Listener::new("gate", policy());
    // An access log of millions of lines would be what fills the disk.
    listener.access_log = false;
    let envoy = Envoy::start(&[listener], upstream.addr(), &options);
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let known = known(seconds);
    let (stop, total) = (AtomicBool::new(false), AtomicU64::new(0));
    let start = Instant::now();
    let (seen, samples) = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let client = Client::new(envoy.addr("gate"));
                let (known, stop, total) = (&known, &stop, &total);
                scope.spawn(move || client.run(number, known, stop, total))
            })
            .collect();
        let mut samples = Vec::new();
        // Caches fill at first: what comes after a tenth of the time counts.
        for part in 1..=10_u64 {
            let due = Duration::from_millis(seconds * 100 * part);
            while start.elapsed() < due {
                thread::sleep(Duration::from_millis(50));
                if clients.iter().any(thread::ScopedJoinHandle::is_finished) {
                    break;
                }
            }
            let memory = envoy.memory();
            line(&format!("{part}0 %"), start, total.load(Ordering::Relaxed), &memory);
            samples.push(memory);
        }
        stop.store(true, Ordering::Relaxed);
        let seen: Vec<Seen> = clients.into_iter().map(|client| client.join().expect("a client")).collect();
        (seen, samples)
    });
    let took = start.elapsed();
    let sent: u64 = seen.iter().map(|seen| seen.sent).sum();
    let passed: u64 = seen.iter().map(|seen| seen.passed).sum();
    let (mut mistakes, mut by_name) = (BTreeMap::new(), BTreeMap::new());
    for own in &seen {
        own.mistakes.iter().for_each(|(what, count)| *mistakes.entry(*what).or_insert(0) += count);
        own.by_name.iter().for_each(|(name, count)| *by_name.entry(*name).or_insert(0_u64) += count);
    }
    by_name.iter().for_each(|(name, count)| println!("soak: {name}: {count}"));
    let reached = upstream.hits() as u64;
    println!("soak: {passed} answers were the upstream's, {reached} requests reached it");
    let (first, middle, last) = (&samples[0], &samples[samples.len() / 2], &samples[samples.len() - 1]);
    println!(
        "soak: {sent} requests, {} mistakes, memory {:.1} -> {:.1} MiB in {:.0} s ({:.0} a second)",
        mistakes.values().sum::<u64>(),
        mib(first.resident),
        mib(last.resident),
        took.as_secs_f64(),
        sent as f64 / took.as_secs_f64()
    );
    assert!(mistakes.is_empty(), "{mistakes:?}");
    assert_eq!(reached, passed, "the upstream saw exactly what was allowed");
    assert!(sent > seconds * 50, "hardly a load: {sent}");
    assert!(!envoy.log().contains("Function: proxy_on_"), "the VM crashed:\n{}", envoy.log());
    // By half time everything is as large as it gets.
    let growth = |from: &Memory| last.resident.saturating_sub(from.resident) >> 20;
    assert!(growth(middle) < 16, "{} MiB more since half time", growth(middle));
    assert!(growth(first) < 64, "{} MiB more since the start", growth(first));
}
