//! A login's form is waited for too: whatever its form and its client's timing, the upstream hears nothing
//! of it.

use std::thread;
use std::time::{Duration, Instant};

use lychgate_tests::envoy::{Artefact, Envoy, Listener};
use lychgate_tests::h2;
use lychgate_tests::held::Held;
use lychgate_tests::http::{self, Request, Response};
use lychgate_tests::keys::{self, PASSWORD_HASH};
use lychgate_tests::witness::Witness;
use serde_json::{Value, json};

use super::bed::{is_alive, manager, until};
use super::client::Client;
use super::forms::{FORMS, Form, Message, WHENS, When};
use super::load;
use super::ways::{OUTCOMES, Outcome};

const SETTLED: Duration = Duration::from_millis(100);
const USERS: usize = 200;

fn policy(issue: &Value) -> Value {
    let users: Vec<_> = (0..USERS)
        .map(|number| json!({"username": format!("user{number}"), "password": PASSWORD_HASH}))
        .collect();
    json!({
        "schemes": {"login": {"type": "oauth2", "users": "staff", "issue": issue,
            "flows": {"password": {"tokenUrl": "/token", "scopes": {}}},
            "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]}}},
        "users": {"staff": users},
        "passwords": {"worker_share_percent": 100, "max_failures": 1000},
        "rules": [{"match": {"path": "/public"}, "security": []}],
        "security": [{"login": []}],
    })
}

/// A listener that holds the heads of logins alone; one that cannot, which refuses those whose body it does
/// not see; and one whose operator has it let the head go.
fn listeners() -> [Listener; 3] {
    let releasing = json!({"release_head": true});
    [("holds", json!({}), true), ("lets", json!({}), false), ("releases", releasing, false)].map(
        |(name, issue, holds_heads)| {
            let mut listener = Listener::new(name, policy(&issue)).manager(manager());
            listener.holds_heads = holds_heads;
            listener
        },
    )
}

fn start(listeners: &[Listener], witness: &Witness) -> Envoy {
    load::start(listeners, &Held::start(), witness)
}

fn login(username: &str, password: &str) -> Request {
    let form = format!("username={username}&password={password}");
    Request::post("/token").body("application/x-www-form-urlencoded", form)
}

/// Why there is no such login.
fn why_not(form: Form, when: When, outcome: Outcome) -> Option<&'static str> {
    match (form, outcome) {
        (Form::NoBody | Form::OneByte | Form::WebSocket | Form::Http2NoBody, _) => {
            Some("GET asks for no token")
        }
        (Form::GrpcUnary | Form::GrpcStreaming, _) => Some("a message of gRPC is no form"),
        (_, Outcome::FetchFails) => Some("a form is not fetched"),
        (_, Outcome::TimeRunsOut | Outcome::ClientGoesAway) if when == When::Before => {
            Some("all of it is there, and no wait is needed")
        }
        (
            Form::EmptyChunked
            | Form::Http2EmptyData
            | Form::Http2TrailersAlone
            | Form::Mebibyte
            | Form::OverTheBuffer,
            Outcome::Allowed,
        ) => Some("what is empty or too large is no login"),
        (Form::Mebibyte | Form::OverTheBuffer, Outcome::TimeRunsOut | Outcome::ClientGoesAway) => {
            Some("its head says that it is too large")
        }
        (
            Form::Length
            | Form::Chunked
            | Form::EmptyChunked
            | Form::Trailers
            | Form::Expect
            | Form::Mebibyte
            | Form::OverTheBuffer
            | Form::Http2Data
            | Form::Http2EmptyData
            | Form::Http2Trailers
            | Form::Http2TrailersAlone,
            Outcome::Allowed | Outcome::Refused | Outcome::TimeRunsOut | Outcome::ClientGoesAway,
        ) => None,
    }
}

struct Case {
    number: usize,
    form: Form,
    when: When,
    outcome: Outcome,
    listener: &'static str,
}

impl Case {
    fn name(&self) -> String {
        let Self { listener, form, when, outcome, .. } = self;
        format!("{listener}: {form:?}, body {when:?}, {outcome:?}")
    }

    /// Whether the filter never sees the form, because the host holds it back with the head.
    fn is_held_back(&self) -> bool {
        let is_told_by_its_head = matches!(self.form, Form::Mebibyte | Form::OverTheBuffer);
        Artefact::from_environment() == Artefact::Wasm && self.listener == "lets" && !is_told_by_its_head
    }

    fn expected(&self) -> &'static [u16] {
        match (self.outcome, self.form) {
            _ if self.is_held_back() => &[408],
            (_, Form::Mebibyte | Form::OverTheBuffer) => &[413],
            (Outcome::Refused, Form::EmptyChunked | Form::Http2EmptyData | Form::Http2TrailersAlone) => {
                &[400, 422]
            }
            (Outcome::Allowed, _) => &[200],
            (Outcome::Refused, _) => &[400, 401],
            (Outcome::TimeRunsOut, _) => &[408],
            (Outcome::FetchFails | Outcome::ClientGoesAway, _) => &[],
        }
    }

    fn run(&self, envoy: &Envoy) -> Result<(), String> {
        let user = format!("username=user{}&pass", self.number % USERS);
        let password = if self.outcome == Outcome::Refused { "word=wrong" } else { "word=secret" };
        let mut fields = vec![("X-Case".to_owned(), self.name())];
        if self.listener == "releases" {
            // Client credentials, which are the filter's to read.
            fields.push(("Authorization".to_owned(), "Basic cm9vdDpyb290".to_owned()));
        }
        let message = Message {
            path: "/token",
            fields: &fields,
            body: [&user, password],
            content_type: "application/x-www-form-urlencoded",
        };
        let script = self.form.script(self.when, &message);
        let mut client = Client::open(envoy.addr(self.listener), script.is_http2);
        let mut early = script.early.into_iter();
        if self.form == Form::Expect {
            client.send(early.by_ref().take(1).collect());
            client.await_continue()?;
        }
        client.send(early.collect());
        thread::sleep(SETTLED);
        match self.outcome {
            Outcome::Allowed | Outcome::Refused => client.send(script.late),
            Outcome::ClientGoesAway => {
                client.leave();
                return Ok(());
            }
            Outcome::TimeRunsOut | Outcome::FetchFails => {}
        }
        let begun = Instant::now();
        let answer = client.answer()?.ok_or("reset")?;
        self.check(&answer)?;
        if answer.status == 408 && begun.elapsed() > Duration::from_secs(18) {
            return Err(format!("408 after {:?}", begun.elapsed()));
        }
        Ok(())
    }

    fn check(&self, answer: &Response) -> Result<(), String> {
        let expected = self.expected();
        if !expected.contains(&answer.status) {
            return Err(format!("not {expected:?}: {} {:?}", answer.status, answer.text()));
        }
        if (answer.status == 200) != answer.text().contains("access_token") {
            return Err(format!("{} {:?}", answer.status, answer.text()));
        }
        Ok(())
    }
}

fn cases() -> (Vec<Case>, Vec<String>) {
    let (mut cases, mut skipped) = (Vec::new(), Vec::new());
    for listener in ["holds", "lets", "releases"] {
        for form in FORMS {
            for when in WHENS {
                for outcome in OUTCOMES {
                    let case = Case { number: cases.len(), form, when, outcome, listener };
                    let is_gone_on = listener == "releases" && outcome == Outcome::TimeRunsOut;
                    let timeout =
                        is_gone_on.then_some("its head has gone on, and Envoy's timeouts hold for it");
                    match form.why_not(when).or_else(|| why_not(form, when, outcome)).or(timeout) {
                        Some(reason) => skipped.push(format!("{}: {reason}", case.name())),
                        None => cases.push(case),
                    }
                }
            }
        }
    }
    (cases, skipped)
}

#[test]
fn a_form_in_every_form() {
    let witness = Witness::start();
    let envoy = start(&listeners(), &witness);
    let (cases, skipped) = cases();
    println!("cannot exist:\n  {}", skipped.join("\n  "));
    let mut faults = Vec::new();
    thread::scope(|scope| {
        let threads: Vec<_> = cases.iter().map(|case| (case, scope.spawn(|| case.run(&envoy)))).collect();
        for (case, thread) in threads {
            if let Err(fault) = thread.join().unwrap_or_else(|_| Err("panicked".into())) {
                faults.push(format!("{}: {fault}", case.name()));
            }
        }
    });
    thread::sleep(Duration::from_millis(500));
    for arrival in witness.arrivals() {
        let case = arrival.all("x-case").join(",");
        let body = String::from_utf8_lossy(&arrival.body).into_owned();
        let is_bare = !arrival.says("root") && arrival.all("authorization").is_empty() && body.is_empty();
        // The operator's choice: the head, of which nothing is the client's word for itself.
        if !(case.starts_with("releases: ") && is_bare) {
            faults.push(format!("{case}: the upstream saw {} {body:?}", arrival.start));
        }
    }
    println!("waiting, a login's form: {} combinations tried, {} cannot exist", cases.len(), skipped.len());
    // However all that went, the next login is one.
    for listener in ["holds", "releases"] {
        let answer = envoy.send(listener, &login("user0", "secret"));
        assert_eq!(answer.status, 200, "{listener}: {answer:?}");
    }
    assert!(is_alive(&envoy, &["holds", "lets", "releases"]), "{}", envoy.log());
    assert!(faults.is_empty(), "{} of {} went wrong:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

/// A first login whose body came 205 to 245 ms after its head taught its worker that bodies are held back:
/// from then on every login's head went upstream, and logins got 500.
#[test]
fn nothing_is_learnt_from_the_time_that_a_form_takes() {
    let witness = Witness::start();
    // Each listener is a worker that has not seen a login yet.
    let names: Vec<_> = (0..24).map(|number| format!("fresh{number}")).collect();
    let listeners: Vec<_> = names
        .iter()
        .map(|name| {
            let mut listener = Listener::new(name, policy(&json!({}))).manager(manager());
            listener.holds_heads = true;
            listener
        })
        .collect();
    let envoy = start(&listeners, &witness);
    let late = |name: &str, milliseconds: usize| {
        let form = "username=user1&password=secret";
        let head = format!(
            "POST /token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\n\r\n",
            form.len()
        );
        let mut client = Client::open(envoy.addr(name), false);
        client.send(vec![head.into_bytes()]);
        // The client sleeps for 8 ms after each piece.
        thread::sleep(Duration::from_millis(milliseconds as u64 - 8));
        client.send(vec![form.into()]);
        client.answer().unwrap().expect("an answer")
    };
    thread::scope(|scope| {
        for (number, name) in names.iter().enumerate() {
            let (envoy, late) = (&envoy, &late);
            scope.spawn(move || {
                for round in 0..4 {
                    let answer = late(name, 205 + (number * 4 + round) % 41);
                    assert_eq!(answer.status, 200, "{name}, round {round}: {answer:?}");
                    for _ in 0..3 {
                        let next = envoy.send(name, &login("user2", "secret"));
                        assert_eq!(next.status, 200, "{name}: the next login: {next:?}");
                    }
                }
            });
        }
    });
    let seen = witness.arrivals();
    assert!(seen.is_empty(), "the upstream never hears of logins: {seen:?}");
    assert!(!envoy.log().contains("Function: proxy_on_"), "{}", envoy.log());
}

/// Where the host holds the form back with the head, no login succeeds, and the log says what to do.
#[test]
fn where_the_form_is_held_back_with_the_head_the_log_says_what_to_do() {
    if Artefact::is_native_where("Envoy hands it the body of a head that is held back") {
        return;
    }
    let witness = Witness::start();
    let [_, lets, _] = listeners();
    let envoy = start(&[lets], &witness);
    let form = "username=user1&password=secret";
    let head = format!(
        "POST /token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n",
        form.len()
    );
    for pieces in [vec![format!("{head}{form}")], vec![head.clone(), form.to_owned()]] {
        let mut client = Client::open(envoy.addr("lets"), false);
        client.send(pieces.into_iter().map(String::into_bytes).collect());
        let answer = client.answer().unwrap().expect("an answer");
        assert_eq!(answer.status, 408, "{answer:?}");
    }
    assert!(witness.arrivals().is_empty(), "{:?}", witness.arrivals());
    assert!(envoy.log().contains("allow_on_headers_stop_iteration"), "{}", envoy.log());
}

/// The heads of many logins, and never a form: each is answered, on routes that answer by themselves too.
#[test]
fn many_slow_logins_at_once_get_an_answer_each() {
    const STREAMS: u32 = 340;
    let witness = Witness::start();
    let mut listeners = Vec::new();
    for (route, holds_heads) in [("direct", true), ("upstream", false)] {
        let mut listener = load::listener(route, policy(&json!({})));
        listener.holds_heads = holds_heads;
        listeners.push(listener);
    }
    let envoy = start(&listeners, &witness);
    thread::scope(|scope| {
        for route in ["direct", "upstream"] {
            let envoy = &envoy;
            scope.spawn(move || {
                let patience = Duration::from_secs(25);
                let mut connection = h2::Connection::open(envoy.addr(route), patience).unwrap();
                let request = h2::Request::new("POST", "/token")
                    .header("content-type", "application/x-www-form-urlencoded");
                let frames = (0..STREAMS).flat_map(|number| request.open_head(2 * number + 1));
                connection.write(&frames.collect::<Vec<_>>()).unwrap();
                for _ in 0..STREAMS {
                    let next = connection.next_answer().unwrap_or_else(|error| panic!("{route}: {error}"));
                    let answer = next.and_then(|(_, answer)| answer).expect("an answer");
                    assert!([408, 503].contains(&answer.status), "{route}: {answer:?}");
                }
            });
        }
    });
    assert!(witness.arrivals().is_empty());
    assert!(is_alive(&envoy, &["direct", "upstream"]), "{}", envoy.log());
}

/// Eight connections of each of two addresses, each with 64 heads of logins and no form: a third address was
/// answered 503 though it sent all of its form.
#[test]
fn two_addresses_do_not_take_every_place_of_logins() {
    let witness = Witness::start();
    let mut gate = load::listener("upstream", policy(&json!({})));
    // So that a test can come from another address.
    gate.manager["use_remote_address"] = false.into();
    let envoy = start(&[gate], &witness);
    let connections: Vec<_> = (0..16)
        .map(|number| {
            let address = format!("192.0.2.{}", number % 2);
            let mut connection =
                h2::Connection::open(envoy.addr("upstream"), Duration::from_secs(25)).unwrap();
            let request = h2::Request::new("POST", "/token")
                .header("content-type", "application/x-www-form-urlencoded")
                .header("x-forwarded-for", address);
            let frames = (0..64).flat_map(|number| request.open_head(2 * number + 1));
            connection.write(&frames.collect::<Vec<_>>()).unwrap();
            connection
        })
        .collect();
    until(|| envoy.stat("http.upstream.downstream_rq_total") >= 16 * 64, "all have come");
    let other = login("user1", "secret").header("X-Forwarded-For", "192.0.2.7");
    let answer = http::send(envoy.addr("upstream"), &other).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    drop(connections);
    assert!(witness.arrivals().is_empty());
    assert!(is_alive(&envoy, &["upstream"]), "{}", envoy.log());
}
