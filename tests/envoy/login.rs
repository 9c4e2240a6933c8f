//! The token endpoint and HTTP Basic in a real Envoy: what the table cannot show, because it takes
//! time, several workers or a body that comes in pieces.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Artefact, Envoy, Listener, Options};
use lychgate_tests::http::{Request, Response};
use lychgate_tests::keys;
use lychgate_tests::tokens::second_opinion;
use serde_json::{Value, json};

/// `secret`: argon2id as cheap as it goes, and as dear as OWASP wants it.
const CHEAP: &str =
    "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$pbviq+1UUgwZCmLIr4Hgk7mEMsxnRLuOb2HfvIaBwGY";
const DEAR: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$8qPpaWig0H31wvibKAgpght2Ry2M8rtRQYtZ93ooMus";

/// The same by bcrypt, cost 8: some 20 ms. A machine that is busy with other things too has room for 20 such
/// in a quarter of 8 s, and a flood of them is no matter for the throttle.
const MIDDLING: &str = "$2b$08$abcdefghijklmnopqrstuuKxCcvB7KZ7.BpDoK0bh6qM7Dl1/xiJa";

fn policy(hash: &str, passwords: &Value) -> Value {
    json!({
        "schemes": {
            "login": {"type": "oauth2", "users": "staff", "issue": {"expires_in": 600},
                "flows": {"password": {"tokenUrl": "/token", "scopes": {}}},
                "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}], "audiences": ["api"]}},
            "basic": {"type": "http", "scheme": "basic", "users": "staff"},
        },
        "users": {"staff": [{"username": "ann", "password": hash, "scopes": ["a", "b"]},
                            {"username": "bob", "password": hash}]},
        "passwords": passwords,
        "rules": [{"match": {"path": "/basic"}, "security": [{"basic": []}]},
                  {"match": {"path": "/public"}, "security": []}],
        "security": [{"login": ["a"]}],
    })
}

/// The same where the operator lets the heads of requests for tokens go.
fn releasing(hash: &str, passwords: &Value) -> Value {
    let mut policy = policy(hash, passwords);
    policy["schemes"]["login"]["issue"]["release_head"] = true.into();
    policy
}

fn start(listeners: &[Listener], concurrency: u32) -> (Envoy, Upstream) {
    let upstream = Upstream::start();
    let options = Options { concurrency, ..Options::default() };
    let envoy = Envoy::start(listeners, upstream.addr(), &options);
    (envoy.unwrap_or_else(|failure| panic!("{}", failure.log)), upstream)
}

fn login(username: &str, password: &str) -> Request {
    let form = format!("username={username}&password={password}");
    Request::post("/token").body("application/x-www-form-urlencoded", form)
}

fn basic(username: &str, password: &str) -> Request {
    use base64::Engine as _;
    let credential = base64::prelude::BASE64_STANDARD.encode(format!("{username}:{password}"));
    Request::get("/basic").header("Authorization", format!("Basic {credential}"))
}

fn seconds(response: &Response) -> u64 {
    response.header("retry-after").expect("Retry-After").parse().expect("seconds")
}

#[test]
fn a_token_from_the_gate_opens_the_gate() {
    let (envoy, upstream) = start(&[Listener::new("gate", policy(CHEAP, &json!({})))], 1);
    let answer = envoy.send("gate", &login("ann", "secret"));
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = answer.json();
    assert_eq!(token["scope"], "a b");
    let token = token["access_token"].as_str().unwrap();

    // Read by another implementation.
    let claims = second_opinion("HS256", token).expect("a good token");
    assert_eq!(claims["aud"], "api");
    assert_eq!(claims["sub"], "ann");
    assert_eq!(claims["scopes"], json!(["a", "b"]));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
    assert!(claims["jti"].as_str().unwrap().len() >= 16);
    let second = envoy.send("gate", &login("ann", "secret")).json();
    assert_ne!(second["access_token"], token, "no two tokens are the same");

    assert_eq!(upstream.hits(), 0, "the upstream never hears of logins");
    let allowed = envoy.send("gate", &Request::get("/x").bearer(token));
    assert_eq!(allowed.status, 200);
    assert_eq!(envoy.send("gate", &Request::get("/x").bearer(format!("{token}x"))).status, 401);
}

/// Sends the pieces with a pause between, and gives back all that comes.
fn in_pieces(envoy: &Envoy, listener: &str, pieces: &[&str]) -> String {
    let mut stream = TcpStream::connect(envoy.addr(listener)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            std::thread::sleep(Duration::from_millis(600));
        }
        stream.write_all(piece.as_bytes()).unwrap();
    }
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    text
}

const HEAD: &str = "POST /token HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Basic eDp5\r\n\
                    content-type: application/x-www-form-urlencoded\r\n";

#[test]
fn a_body_that_comes_late_in_pieces_or_in_chunks_is_waited_for() {
    for holding in [true, false] {
        let passwords = json!({"max_failures": 1000});
        let listener = if holding {
            Listener::new("gate", policy(CHEAP, &passwords))
        } else {
            Listener::new("gate", releasing(CHEAP, &passwords)).without_holding_heads()
        };
        let (envoy, upstream) = start(&[listener], 1);
        let sized = format!("{HEAD}content-length: 28\r\n\r\n");
        let chunked = format!("{HEAD}transfer-encoding: chunked\r\n\r\n");
        for (name, pieces) in [
            ("late", vec![sized.as_str(), "username=ann&password=secret"]),
            ("at once", vec![&format!("{sized}username=ann&password=secret")]),
            ("late again", vec![&sized, "username=ann", "&password=", "secret"]),
            ("chunks", vec![&chunked, "c\r\nusername=ann\r\n", "10\r\n&password=secret\r\n0\r\n\r\n"]),
            ("trailers", vec![&chunked, "1c\r\nusername=ann&password=secret\r\n0\r\nx-t: 1\r\n\r\n"]),
        ] {
            let answer = in_pieces(&envoy, "gate", &pieces);
            // Without holding, the upstream's own answer may come first; it is never passed on.
            assert!(!answer.contains("\"headers\""), "{name}, holding {holding}: {answer}");
            if holding {
                assert!(answer.contains("access_token"), "{name}: {answer}");
            }
        }
        let huge = format!("{HEAD}transfer-encoding: chunked\r\n\r\n");
        let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
        let answer = in_pieces(&envoy, "gate", &[&huge, &chunk]);
        if holding {
            assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
            assert_eq!(upstream.hits(), 0, "the upstream never hears of logins");
        }
        // A client that goes away while its body is awaited leaves nothing behind.
        drop(TcpStream::connect(envoy.addr("gate")).unwrap().write_all(sized.as_bytes()));
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(envoy.send("gate", &login("ann", "secret")).status, 200, "holding {holding}");
        assert!(!envoy.log().contains("Function: proxy_on_"), "the VM crashed:\n{}", envoy.log());
    }
}

/// The first login of a worker is watched, lest its body never come. One whose form came in two parts was
/// let go all the same: the upstream saw half the form, and the filter took the rest for all of it.
#[test]
fn a_first_login_whose_form_comes_in_two_parts_is_one_login_and_stays_here() {
    let (envoy, upstream) = start(&[Listener::new("gate", policy(CHEAP, &json!({})))], 1);
    let answer = in_pieces(
        &envoy,
        "gate",
        &[&format!("{HEAD}content-length: 28\r\n\r\nusername=ann"), "&password=secret"],
    );
    assert!(answer.contains("access_token"), "{answer}");
    assert_eq!(upstream.hits(), 0, "the upstream never hears of logins");
}

/// Whether heads can be held back was learnt from how soon a body came, which a client could move.
#[test]
fn without_holding_heads_a_login_is_refused_at_once_and_the_log_names_the_remedies() {
    if Artefact::is_native_where("Envoy hands it the body of a head that is held back") {
        return;
    }
    let listener = Listener::new("gate", policy(CHEAP, &json!({}))).without_holding_heads();
    let (envoy, upstream) = start(&[listener], 1);
    let start = Instant::now();
    for _ in 0..3 {
        let answer = envoy.send("gate", &login("ann", "secret"));
        assert_eq!(answer.status, 408, "{answer:?}");
        assert_eq!(answer.json(), json!({"detail": "Request Timeout"}));
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(upstream.hits(), 0, "the upstream never hears of logins");
    for remedy in ["allow_on_headers_stop_iteration: true", "release_head: true"] {
        assert_eq!(envoy.log().matches(remedy).count(), 1, "{remedy}");
    }
}

#[test]
fn where_the_operator_lets_heads_go_logins_are_answered() {
    let listener = Listener::new("gate", releasing(CHEAP, &json!({}))).without_holding_heads();
    let (envoy, _upstream) = start(&[listener], 1);
    let start = Instant::now();
    for _ in 0..20 {
        assert_eq!(envoy.send("gate", &login("ann", "secret")).status, 200);
    }
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn failures_are_counted_across_workers_and_forgiven_after_the_window() {
    let passwords = json!({"max_failures": 5, "window_seconds": 4, "worker_share_percent": 100});
    let (envoy, _upstream) = start(&[Listener::new("gate", policy(CHEAP, &passwords))], 2);
    let first = Instant::now();
    // A connection for each request, so that both workers get some.
    for attempt in 0..5 {
        let answer = if attempt % 2 == 0 {
            envoy.send("gate", &login("ann", "guess"))
        } else {
            envoy.send("gate", &basic("ann", "guess"))
        };
        assert_eq!(answer.status, 401, "attempt {attempt}: {answer:?}");
    }
    for request in [login("ann", "secret"), basic("ann", "secret"), login("ann", "guess")] {
        for _ in 0..6 {
            let answer = envoy.send("gate", &request);
            assert_eq!(answer.status, 429, "{answer:?}");
            assert_eq!(answer.json(), json!({"detail": "Too many failed logins"}));
            assert!((1..=4).contains(&seconds(&answer)), "{answer:?}");
        }
    }
    assert_eq!(envoy.send("gate", &login("bob", "secret")).status, 200, "bob has done nothing");
    std::thread::sleep((Duration::from_millis(5100)).saturating_sub(first.elapsed()));
    assert_eq!(envoy.send("gate", &login("ann", "secret")).status, 200, "the window is over");
    assert!(!envoy.log().contains("guess"), "no password is logged");
}

#[test]
fn hashing_has_a_budget_and_a_remembered_credential_does_not_need_it() {
    let passwords = json!({"max_failures": 100_000, "worker_share_percent": 10});
    let (envoy, _upstream) = start(&[Listener::new("gate", policy(DEAR, &passwords))], 1);
    assert_eq!(envoy.send("gate", &basic("ann", "secret")).status, 200);
    // A few may log in at once.
    for _ in 0..2 {
        assert_eq!(envoy.send("gate", &login("bob", "secret")).status, 200);
    }
    let mut busy = None;
    for _ in 0..200 {
        let answer = envoy.send("gate", &login("bob", "guess"));
        match answer.status {
            401 => {}
            503 => {
                busy = Some(answer);
                break;
            }
            _ => panic!("{answer:?}"),
        }
    }
    let answer = busy.expect("the budget is used up at last");
    assert_eq!(answer.json(), json!({"detail": "Too many logins at once"}));
    assert!(seconds(&answer) >= 1);
    assert_eq!(envoy.send("gate", &basic("ann", "secret")).status, 200, "verified before, not hashed again");
    assert_eq!(envoy.send("gate", &Request::get("/public")).status, 200);
    std::thread::sleep(Duration::from_secs(seconds(&answer)));
    assert_eq!(envoy.send("gate", &login("ann", "secret")).status, 200, "after Retry-After there is room");
}

/// Through a proxy that says where its clients are, as `X-Forwarded-For`.
fn behind_a_proxy(policy: Value) -> Listener {
    let trusted = json!({"use_remote_address": true, "xff_num_trusted_hops": 1});
    Listener::new("gate", policy).manager(trusted)
}

fn from(address: &str, request: Request) -> Request {
    request.header("X-Forwarded-For", address)
}

/// Three addresses post wrong passwords for made-up users as fast as they are answered. Of 20 right logins
/// in 8 s none got through: the budget for hashing went to the client that asked most often.
#[test]
fn a_right_login_gets_through_a_flood_from_three_addresses() {
    let (envoy, upstream) = start(&[behind_a_proxy(policy(MIDDLING, &json!({})))], 1);
    let stop = AtomicBool::new(false);
    let (through, busy, wrong) = std::thread::scope(|scope| {
        let flood = |number: u8| {
            let (envoy, stop) = (&envoy, &stop);
            scope.spawn(move || {
                let (mut busy, mut wrong) = (0, 0);
                for count in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let guess = login(&format!("made-up-{number}-{count}"), "guess");
                    match envoy.send("gate", &from(&format!("192.0.2.{number}"), guess)).status {
                        503 => busy += 1,
                        401 | 429 => wrong += 1,
                        other => panic!("{other}"),
                    }
                }
                (busy, wrong)
            })
        };
        let floods: Vec<_> = (1..=3).map(flood).collect();
        std::thread::sleep(Duration::from_secs(1));
        let start = Instant::now();
        let mut through = 0;
        for number in 1..=20 {
            let log_in = || envoy.send("gate", &from("198.51.100.7", login("ann", "secret"))).status == 200;
            // A hash that another process holds up costs the budget what it took: then once more.
            let again = || {
                std::thread::sleep(Duration::from_millis(150));
                log_in()
            };
            through += u32::from(log_in() || again());
            std::thread::sleep((Duration::from_millis(400) * number).saturating_sub(start.elapsed()));
        }
        stop.store(true, Ordering::Relaxed);
        let counts = floods.into_iter().map(|flood| flood.join().unwrap());
        let (busy, wrong) = counts.fold((0, 0), |all, own| (all.0 + own.0, all.1 + own.1));
        (through, busy, wrong)
    });
    println!("{through} of 20 right logins, {wrong} wrong passwords judged, {busy} refused unhashed");
    // In place a flood is refused as fast as it comes. On another thread each login waits for its turn first.
    let flood = if Artefact::from_environment() == Artefact::Wasm { busy } else { busy + wrong };
    assert!(
        flood > if Artefact::from_environment() == Artefact::Wasm { 100 } else { 50 },
        "a flood that was none: {busy}"
    );
    assert!(through >= 18, "{through} of 20");
    assert_eq!(upstream.hits(), 0, "the upstream never hears of logins");
}

/// A list of clients was no throttle: 300 wrong secrets in 0.4 s were all judged.
#[test]
fn three_hundred_wrong_client_secrets_were_all_judged() {
    let mut policy = policy(CHEAP, &json!({"max_failures": 5, "worker_share_percent": 100}));
    policy["schemes"]["login"]["issue"]["clients"] = json!([{"client_id": "web", "client_secret": "s3cret"}, {"client_id": "app", "client_secret": "s3cret"}]);
    let (envoy, _upstream) = start(&[behind_a_proxy(policy)], 2);
    let by_form = |client: &str, secret: &str| {
        let form = format!("username=ann&password=secret&client_id={client}&client_secret={secret}");
        Request::post("/token").body("application/x-www-form-urlencoded", form)
    };
    let by_header = |client: &str, secret: &str| {
        use base64::Engine as _;
        let credential = base64::prelude::BASE64_STANDARD.encode(format!("{client}:{secret}"));
        login("ann", "secret").header("Authorization", format!("Basic {credential}"))
    };
    let send = |address: &str, request: Request| envoy.send("gate", &from(address, request));
    let (guesser, other) = ("192.0.2.1", "192.0.2.2");
    let mut judged = 0;
    for attempt in 0..300 {
        let request = if attempt % 2 == 0 { by_form("web", "guess") } else { by_header("web", "guess") };
        let answer = send(guesser, request);
        match answer.status {
            401 => judged += 1,
            429 => assert!((1..=60).contains(&seconds(&answer)), "{answer:?}"),
            _ => panic!("{answer:?}"),
        }
    }
    assert_eq!(judged, 5, "in the form and in the header together");
    let answer = send(guesser, by_form("web", "s3cret"));
    assert_eq!(answer.status, 429, "not even the right one: {answer:?}");
    assert_eq!(answer.json(), json!({"detail": "Too many failed logins"}));
    assert_eq!(send(guesser, by_form("app", "s3cret")).status, 200, "another client");
    assert_eq!(send(other, by_header("web", "s3cret")).status, 200, "another address");
}

/// Wrong passwords at one directory, and a login of one's own under the same name at another, every eight
/// guesses: the counters knew no directory, and a hundred guesses went through in place of ten.
#[test]
fn a_login_at_another_directory_was_a_fresh_start_for_the_guesser() {
    let mut policy = policy(CHEAP, &json!({"max_failures": 10, "worker_share_percent": 100}));
    let people = |password: &str| json!([{"username": "ann", "password": password}]);
    policy["users"]["customers"] = people(keys::PASSWORD_HASH);
    policy["users"]["partners"] = people(CHEAP);
    for name in ["customers", "partners"] {
        policy["schemes"][name] = json!({"type": "http", "scheme": "basic", "users": name});
        let rule = json!({"match": {"path": format!("/{name}")}, "security": [{name: []}]});
        policy["rules"].as_array_mut().unwrap().push(rule);
    }
    let (envoy, _upstream) = start(&[Listener::new("gate", policy)], 2);
    let at = |path: &str, password: &str| {
        use base64::Engine as _;
        let credential = base64::prelude::BASE64_STANDARD.encode(format!("ann:{password}"));
        envoy.send("gate", &Request::get(path).header("Authorization", format!("Basic {credential}"))).status
    };
    let mut judged = 0;
    for attempt in 0..100 {
        match at("/basic", &format!("guess{attempt}")) {
            401 => judged += 1,
            429 => {}
            other => panic!("{other}"),
        }
        if attempt % 8 == 7 {
            assert_eq!(at("/customers", "secret"), 200, "attempt {attempt}");
            assert_eq!(at("/partners", "secret"), 200, "attempt {attempt}");
        }
    }
    assert_eq!(judged, 10);
    assert_eq!(
        envoy.send("gate", &login("ann", "secret")).status,
        429,
        "the same directory by another scheme"
    );
}
