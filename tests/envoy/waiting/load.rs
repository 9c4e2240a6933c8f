//! Waiting requests take no worker down: as many as one connection and one address may have, all answered at
//! once, by every way to wait, on every kind of route.

use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lychgate_tests::echo::{Reply, Upstream};
use lychgate_tests::envoy::{Envoy, Listener, Options};
use lychgate_tests::h2;
use lychgate_tests::held::Held;
use lychgate_tests::http::{Connection, Request, Response};
use lychgate_tests::witness::Witness;
use serde_json::{Value, json};

use super::bed::{is_alive, manager, options, until};
use super::forms::Field;
use super::ways::{Outcome, Way};

/// What a connection has at most, by Envoy's default too.
const CROWD: usize = 1024;
/// Nothing takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What becomes of a request that is allowed: each is a listener of that name.
pub const ROUTES: [&str; 3] = ["upstream", "direct", "nowhere"];

pub fn listener(route: &str, policy: Value) -> Listener {
    let action = match route {
        "direct" => json!({"match": {"prefix": ""}, "direct_response": {"status": 200}}),
        "nowhere" => json!({"match": {"prefix": ""}, "route": {"cluster": "nowhere"}}),
        _ => json!({"match": {"prefix": ""}, "route": {"cluster": "upstream"}}),
    };
    let mut manager = manager();
    manager["route_config"] = json!({"validate_clusters": false, "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [action]}]});
    Listener::new(route, policy).manager(manager)
}

pub fn start(listeners: &[Listener], held: &Held, witness: &Witness) -> Envoy {
    let envoy = Envoy::start(listeners, witness.addr(), &options(held));
    envoy.unwrap_or_else(|failure| panic!("{}", failure.log))
}

/// Waits until this many requests are underway at a listener.
pub fn gathered(envoy: &Envoy, listener: &str, count: usize) {
    let stat = format!("http.{listener}.downstream_rq_active");
    until(|| envoy.stat(&stat) >= count as u64, "all have come");
}

/// Requests without a body, one on each stream of one connection, or each on a connection of its own.
pub enum Crowd {
    Http2(h2::Connection, usize),
    Http1(Vec<Connection>),
}

impl Crowd {
    pub fn http2(addr: SocketAddr, path: &str, fields: &[Vec<Field>]) -> Self {
        let connection = h2::Connection::open(addr, PATIENCE).unwrap();
        let writer = connection.writer();
        let mut frames = Vec::new();
        for (number, fields) in fields.iter().enumerate() {
            let mut request = h2::Request::new("GET", path);
            for (name, value) in fields {
                request = request.header(&name.to_ascii_lowercase(), value);
            }
            frames.extend(request.frames(u32::try_from(2 * number + 1).unwrap()));
        }
        // In a thread of its own: what is answered meanwhile is to be read.
        thread::spawn(move || writer.write(&frames));
        Self::Http2(connection, fields.len())
    }

    pub fn http1(addr: SocketAddr, path: &str, fields: &[Vec<Field>]) -> Self {
        let ask = |fields: &Vec<Field>| {
            let mut head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n");
            for (name, value) in fields {
                head += &format!("{name}: {value}\r\n");
            }
            let mut stream = TcpStream::connect(addr).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            std::io::Write::write_all(&mut stream, (head + "\r\n").as_bytes()).unwrap();
            Connection::over(stream, Vec::new())
        };
        Self::Http1(fields.iter().map(ask).collect())
    }

    /// All answers. An answer that does not come is one with the status 0.
    pub fn answers(self) -> Vec<Response> {
        let none = || Response { status: 0, headers: Vec::new(), body: Vec::new() };
        match self {
            Self::Http2(mut connection, count) => {
                let mut answers = Vec::new();
                while answers.len() < count {
                    match connection.next_answer() {
                        Ok(Some((_, answer))) => answers.push(answer.unwrap_or_else(none)),
                        // Nothing more will come.
                        Ok(None) | Err(_) => answers.resize_with(count, none),
                    }
                }
                answers
            }
            Self::Http1(connections) => {
                let receive = |mut connection: Connection| connection.receive(false);
                connections.into_iter().map(|own| receive(own).unwrap_or_else(|_| none())).collect()
            }
        }
    }
}

fn is_refusal(answer: &Response) -> bool {
    let is_json = || answer.text().starts_with("{\"detail\":");
    match answer.status {
        401 => is_json(),
        503 => is_json() && answer.header("retry-after").is_some(),
        _ => false,
    }
}

fn count(answers: &[Response], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

/// How long `/public` takes, in microseconds, asked one after the other until told to stop.
fn measure(addr: SocketAddr, stop: &AtomicBool) -> Vec<u128> {
    let mut connection = Connection::open(addr).unwrap();
    let mut took = Vec::new();
    while !stop.load(Ordering::Relaxed) || took.len() < 200 {
        let start = Instant::now();
        assert_eq!(connection.send(&Request::get("/public")).unwrap().status, 200);
        took.push(start.elapsed().as_micros());
        thread::sleep(Duration::from_millis(1));
    }
    took.sort_unstable();
    took
}

/// Refuses this crowd at once, whatever it waits for; what `/public` took meanwhile.
fn refuse_all(way: Way, envoy: &Envoy, held: &Held, route: &str, is_http2: bool) -> Vec<u128> {
    let case = usize::from(is_http2);
    let names: Vec<_> = (0..CROWD).map(|number| format!("made-up-{way:?}-{route}-{case}-{number}")).collect();
    let fields: Vec<_> =
        names.iter().map(|name| way.credentials_of(route, case, Outcome::Refused, name)).collect();
    let (addr, path) = (envoy.addr(route), format!("/case/{case}/x"));
    let what = format!("{way:?}, route {route}, HTTP/{}", if is_http2 { 2 } else { 1 });
    let stop = AtomicBool::new(false);
    let (answers, took) = thread::scope(|scope| {
        let public = scope.spawn(|| measure(envoy.addr("upstream"), &stop));
        let crowd =
            if is_http2 { Crowd::http2(addr, &path, &fields) } else { Crowd::http1(addr, &path, &fields) };
        gathered(envoy, route, CROWD);
        if way == Way::Introspection {
            names.iter().for_each(|name| held.release(name, Reply::json(&json!({"active": false}))));
        }
        for (question, answer) in way.questions(route, case) {
            let is_list = way == Way::RevocationList;
            let revoked = || Reply::json(&json!({"sub": ["johndoe"]}));
            let no = if way == Way::UnknownKid { way.no(route, case) } else { answer };
            held.release(&question, if is_list { revoked() } else { no });
        }
        let answers = crowd.answers();
        stop.store(true, Ordering::Relaxed);
        (answers, public.join().unwrap())
    });
    let refused = answers.iter().filter(|answer| is_refusal(answer)).count();
    let odd = answers.iter().find(|answer| !is_refusal(answer));
    assert_eq!(refused, CROWD, "{what}: {odd:?}\n{}", envoy.log());
    assert_eq!(count(&answers, 401), CROWD, "{what}: each has a token of its own, and a place to wait");
    took
}

fn crowd(way: Way) {
    let (held, witness) = (Held::start(), Witness::start());
    for route in ROUTES {
        way.prepare(&held, route, 2);
    }
    let envoy = start(&ROUTES.map(|route| listener(route, way.policy(route, 2))), &held, &witness);
    let stop = AtomicBool::new(true);
    let idle = {
        thread::sleep(Duration::from_millis(300));
        measure(envoy.addr("upstream"), &stop)
    };
    let mut took = Vec::new();
    for route in ROUTES {
        for is_http2 in [true, false] {
            took.extend(refuse_all(way, &envoy, &held, route, is_http2));
        }
        let log = envoy.access_log(route, "lychgate_denied");
        until(
            || envoy.access_log(route, "").matches("lychgate_denied{").count() >= 2 * CROWD,
            "each refusal is in the access log with its reason",
        );
        assert!(!log.contains("\"details\":null"), "{log}");
    }
    took.sort_unstable();
    let of = |took: &[u128]| {
        let part = |percent| took[(took.len() - 1) * percent / 100];
        format!("{}, {} and {} µs (median, p99, most)", part(50), part(99), part(100))
    };
    println!(
        "waiting, {way:?}: 6 × {CROWD} refused at once; /public takes {} while no request waits, {} meanwhile",
        of(&idle),
        of(&took),
    );
    let seen = witness.arrivals();
    assert!(seen.iter().all(|own| own.start.starts_with("GET /public ")), "{:?}", seen.last());
    assert!(is_alive(&envoy, &["upstream"]), "{}", envoy.log());
}

#[test]
fn a_thousand_are_refused_at_once_that_wait_for_the_first_keys() {
    crowd(Way::FirstKeys);
}

#[test]
fn a_thousand_are_refused_at_once_that_wait_for_an_unknown_key() {
    crowd(Way::UnknownKid);
}

#[test]
fn a_thousand_are_refused_at_once_that_wait_for_discovery() {
    crowd(Way::Discovery);
}

#[test]
fn a_thousand_are_refused_at_once_that_wait_for_introspection() {
    crowd(Way::Introspection);
}

#[test]
fn a_thousand_are_refused_at_once_that_wait_for_a_revocation_list() {
    crowd(Way::RevocationList);
}

/// A thousand requests that wait, each with another token of 8,000 bytes, and an issuer that takes its time: each
/// answer had every request decided anew and every token hashed again, and `/public` waited 9.8 s.
#[test]
fn a_thousand_long_tokens_are_answered_though_their_issuer_takes_a_second() {
    const TOKENS: usize = 1000;
    let issuer = Upstream::serve(|_| {
        thread::sleep(Duration::from_secs(1));
        Reply::json(&json!({"active": false}))
    });
    let witness = Witness::start();
    let options = Options { clusters: vec![("idp".into(), issuer.addr())], ..options(&Held::start()) };
    let listeners = [listener("upstream", Way::Introspection.policy("upstream", 1))];
    let envoy = Envoy::start(&listeners, witness.addr(), &options);
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let token = |number| format!("Bearer {number:04}{}", "x".repeat(7996));
    // Of several addresses: each has a share of the space in which tokens wait to be asked after.
    let fields = |number: usize| {
        let address = format!("192.0.2.{}", number % 8);
        vec![("Authorization".to_owned(), token(number)), ("X-Forwarded-For".to_owned(), address)]
    };
    let fields: Vec<_> = (0..TOKENS).map(fields).collect();
    let addr = envoy.addr("upstream");
    let stop = AtomicBool::new(false);
    let (answers, took) = thread::scope(|scope| {
        let public = scope.spawn(|| measure(addr, &stop));
        let answers = Crowd::http2(addr, "/case/0/x", &fields).answers();
        stop.store(true, Ordering::Relaxed);
        (answers, public.join().unwrap())
    });
    let odd = answers.iter().find(|answer| !is_refusal(answer));
    assert!(odd.is_none(), "{odd:?}\n{}", envoy.log());
    println!(
        "waiting, {TOKENS} tokens of 8,000 bytes, the issuer takes 1 s: {} times 401, {} times 503; /public takes \
         {} and {} µs (median, most)",
        count(&answers, 401),
        count(&answers, 503),
        took[took.len() / 2],
        took[took.len() - 1],
    );
    assert!(count(&answers, 401) >= TOKENS / 2, "the issuer is asked");
    assert_eq!(witness.arrivals().iter().filter(|own| !own.start.starts_with("GET /public ")).count(), 0);
    assert!(is_alive(&envoy, &["upstream"]), "{}", envoy.log());
}

/// All were answered within one callback, each answer within the one before it: the stack ran out at about
/// 305, and with it the worker.
#[test]
fn streams_of_one_connection_with_one_made_up_token_get_an_answer_each() {
    const STREAMS: usize = 340;
    for way in [Way::Introspection, Way::UnknownKid] {
        let (held, witness) = (Held::start(), Witness::start());
        way.prepare(&held, "upstream", 1);
        let envoy = start(&[listener("upstream", way.policy("upstream", 1))], &held, &witness);
        thread::sleep(Duration::from_millis(500));
        let fields = vec![way.credentials("upstream", 0, Outcome::Refused); STREAMS];
        let crowd = Crowd::http2(envoy.addr("upstream"), "/case/0/x", &fields);
        gathered(&envoy, "upstream", STREAMS);
        let (question, _) = way.questions("upstream", 0).pop().unwrap();
        held.release(&question, way.no("upstream", 0));
        assert_eq!(count(&crowd.answers(), 401), STREAMS, "{way:?}\n{}", envoy.log());
        assert!(witness.arrivals().is_empty());
        assert!(is_alive(&envoy, &["upstream"]), "{}", envoy.log());
    }
}

/// The same crash with valid tokens: a route that answers by itself answers within the callback that lets
/// the request go on.
#[test]
fn valid_requests_at_a_cold_start_get_an_answer_each_on_a_route_that_answers_by_itself() {
    const STREAMS: usize = 600;
    let (held, witness) = (Held::start(), Witness::start());
    let way = Way::FirstKeys;
    let listeners = ROUTES.map(|route| listener(route, way.policy(route, 1)));
    let envoy = start(&listeners, &held, &witness);
    for (route, status) in [("direct", 200), ("nowhere", 503), ("upstream", 200)] {
        let fields: Vec<_> = (0..STREAMS)
            .map(|number| way.credentials_of(route, 0, Outcome::Allowed, &format!("valid-{number}")))
            .collect();
        let crowd = Crowd::http2(envoy.addr(route), "/case/0/x", &fields);
        gathered(&envoy, route, STREAMS);
        let (question, answer) = way.questions(route, 0).pop().unwrap();
        held.release(&question, answer);
        let answers = crowd.answers();
        assert_eq!(count(&answers, status), STREAMS, "{route}\n{}", envoy.log());
        let by_the_gate = answers.iter().filter(|answer| answer.text().contains("detail")).count();
        assert_eq!(by_the_gate, 0, "{route}: no request is refused");
    }
    assert_eq!(witness.arrivals().len(), STREAMS);
    assert!(is_alive(&envoy, &["upstream"]), "{}", envoy.log());
}
