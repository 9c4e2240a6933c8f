//! Every way to wait × every form of a request × whether the host holds heads alone × what comes of it, in
//! a real Envoy, judged by what the upstream saw and when.

use std::thread;
use std::time::{Duration, Instant};

use lychgate_tests::echo::Reply;
use lychgate_tests::envoy::{Envoy, Listener};
use lychgate_tests::held::Held;
use lychgate_tests::http::Response;
use lychgate_tests::rows;
use lychgate_tests::witness::{Arrival, Witness};

use super::bed::{self, is_alive, manager, options};
use super::client::Client;
use super::forms::{FORMS, Form, Message, WHENS, When};
use super::ways::{OUTCOMES, Outcome, WAYS, Way};

/// What would slip through has slipped through by then; nothing is right because of it.
const SETTLED: Duration = Duration::from_millis(80);
/// How long something may take that is sure to come.
const SURE: Duration = Duration::from_secs(20);

/// One combination.
#[derive(Clone, Copy, Debug)]
struct Case {
    number: usize,
    form: Form,
    when: When,
    outcome: Outcome,
}

impl Case {
    fn name(&self) -> String {
        format!("{:?}, body {:?}, {:?}", self.form, self.when, self.outcome)
    }
}

/// What there is of one way on one listener, and what there cannot be, by name.
fn cases() -> (Vec<Case>, Vec<String>) {
    let (mut cases, mut skipped) = (Vec::new(), Vec::new());
    for form in FORMS {
        for when in WHENS {
            for outcome in OUTCOMES {
                if let Some(reason) = form.why_not(when).or_else(|| why_not(form, when, outcome)) {
                    skipped.push(format!("{form:?}, body {when:?}, {outcome:?}: {reason}"));
                } else {
                    cases.push(Case { number: cases.len(), form, when, outcome });
                }
            }
        }
    }
    (cases, skipped)
}

fn why_not(form: Form, when: When, outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::ClientGoesAway if form == Form::OverTheBuffer && when == When::Before => {
            Some("Envoy does not read on, so it cannot see that the client is gone")
        }
        Outcome::Allowed
        | Outcome::Refused
        | Outcome::FetchFails
        | Outcome::TimeRunsOut
        | Outcome::ClientGoesAway => None,
    }
}

/// One case, with all that it needs.
struct Run<'t> {
    case: Case,
    listener: &'t str,
    way: Way,
    envoy: &'t Envoy,
    held: &'t Held,
    witness: &'t Witness,
}

impl Run<'_> {
    fn name(&self) -> String {
        format!("{}-{}", self.listener, self.case.number)
    }

    fn arrivals(&self) -> Vec<Arrival> {
        self.witness.with("x-case", &self.name())
    }

    fn nothing_has_arrived(&self, when: &str) -> Result<(), String> {
        let arrivals = self.arrivals();
        if arrivals.is_empty() { Ok(()) } else { Err(format!("{when}, the upstream saw {arrivals:?}")) }
    }

    fn run(&self) -> Result<(), String> {
        let Case { number, form, when, outcome } = self.case;
        let mut fields = self.way.credentials(self.listener, number, outcome);
        fields.push(("X-Case".into(), self.name()));
        let message = Message {
            path: &format!("/case/{number}/x"),
            fields: &fields,
            body: ["one part, ", "and another"],
            content_type: "text/plain",
        };
        let script = form.script(when, &message);
        let begun = Instant::now();
        let mut client = Client::open(self.envoy.addr(self.listener), script.is_http2);
        let mut early = script.early.into_iter();
        if form == Form::Expect {
            client.send(early.by_ref().take(1).collect());
            client.await_continue()?;
        }
        client.send(early.collect());

        let mut questions = self.way.questions(self.listener, number);
        let (last, yes) = questions.pop().ok_or("nothing to wait for")?;
        for (question, answer) in questions {
            self.is_asked(&question)?;
            thread::sleep(SETTLED);
            self.nothing_has_arrived(&format!("before {question} was answered"))?;
            self.held.release(&question, answer);
        }
        self.is_asked(&last)?;
        thread::sleep(SETTLED);
        self.nothing_has_arrived("while it waited")?;

        match outcome {
            Outcome::Allowed => {
                let released = Instant::now();
                self.held.release(&last, yes);
                client.send(script.late);
                self.is_served(&mut client, &script.body, script.has_trailers, released)?;
                return Ok(());
            }
            Outcome::Refused => self.held.release(&last, self.way.no(self.listener, number)),
            Outcome::FetchFails if number.is_multiple_of(2) => self.held.hang_up(&last),
            Outcome::FetchFails => self.held.release(&last, Reply::status(500)),
            Outcome::TimeRunsOut => {}
            Outcome::ClientGoesAway => {
                client.leave();
                // Envoy has seen it.
                let path = format!("\"{}\"", message.path);
                if !self.envoy.access_log(self.listener, &path).contains(&path) {
                    return Err("Envoy does not see that the client is gone".into());
                }
                self.held.release(&last, yes);
                thread::sleep(SETTLED);
                return self.nothing_has_arrived("after the client had gone");
            }
        }
        let answer = client.answer()?.ok_or("reset")?;
        self.is_refusal(&answer)?;
        if outcome == Outcome::TimeRunsOut {
            let took = begun.elapsed();
            expect(&answer, &format!("after ten seconds, but {took:?}"), (10..20).contains(&took.as_secs()))?;
            // What comes too late wakes nothing.
            self.held.release(&last, yes);
        }
        client.send(script.late);
        thread::sleep(SETTLED);
        self.nothing_has_arrived("though it was refused")
    }

    fn is_asked(&self, question: &str) -> Result<(), String> {
        if self.held.is_asked(question, SURE) { Ok(()) } else { Err(format!("{question} is never asked")) }
    }

    /// What is allowed arrives once, whole, with its identity and none of the client's.
    fn is_served(
        &self,
        client: &mut Client,
        body: &[u8],
        has_trailers: bool,
        released: Instant,
    ) -> Result<(), String> {
        let Case { form, .. } = self.case;
        let is_upgrade = form == Form::WebSocket;
        let answer = client.answer()?.ok_or("reset")?;
        expect(&answer, "served", answer.status == if is_upgrade { 101 } else { 200 })?;
        if form.is_grpc() {
            expect(&answer, "grpc-status 0", answer.header("grpc-status").as_deref() == Some("0"))?;
        }
        if is_upgrade {
            let echo = client.upgraded(body.len())?;
            expect(&answer, &format!("{echo:?} comes back"), echo == body)?;
        }
        let is_enough = |arrivals: &[Arrival]| {
            arrivals.first().is_some_and(|own| own.is_whole || (is_upgrade && own.body.len() >= body.len()))
        };
        let arrivals = self.witness.wait_for("x-case", &self.name(), SURE, is_enough);
        let [arrival] = arrivals.as_slice() else { return Err(format!("arrived: {arrivals:?}")) };
        let mut faults = Vec::new();
        let mut check = |what: &str, is_so: bool| {
            if !is_so {
                faults.push(what.to_owned());
            }
        };
        check("it arrived before it was allowed", arrival.at >= released);
        check("it did not arrive whole", is_enough(&arrivals) && arrival.body == body);
        check("its identity", arrival.all("x-auth-subject") == ["johndoe"]);
        check("the client's word for itself", !arrival.says("root"));
        check(
            "the credential",
            arrival.all("authorization").is_empty() && arrival.all("x-second").is_empty(),
        );
        let checksum = arrival.trailer("x-checksum");
        check("its trailers", checksum.as_deref() == has_trailers.then_some("7"));
        if faults.is_empty() { Ok(()) } else { Err(format!("{}: {}", faults.join(", "), short(arrival))) }
    }

    fn is_refusal(&self, answer: &Response) -> Result<(), String> {
        let (status, code) = match self.case.outcome {
            Outcome::Refused => (401, "16"),
            Outcome::FetchFails | Outcome::TimeRunsOut => (503, "14"),
            Outcome::Allowed | Outcome::ClientGoesAway => return Err("is not refused".into()),
        };
        if self.case.form.is_grpc() {
            let is_so = answer.status == 200 && answer.header("grpc-status").as_deref() == Some(code);
            return expect(answer, &format!("grpc-status {code}"), is_so);
        }
        expect(answer, &status.to_string(), answer.status == status)?;
        expect(answer, "JSON", answer.text().starts_with("{\"detail\":"))?;
        let wants_retry = status == 503;
        expect(answer, "Retry-After", answer.header("retry-after").is_some() == wants_retry)
    }
}

fn expect(answer: &Response, what: &str, is_so: bool) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(format!("not {what}: {} {:?}", answer.status, answer.text())) }
}

fn short(arrival: &Arrival) -> String {
    let Arrival { start, headers, body, trailers, is_whole, .. } = arrival;
    let text = |fields: &[(String, Vec<u8>)]| {
        let fields = fields.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)));
        fields.collect::<Vec<_>>().join(", ")
    };
    format!("{start} [{}] {} bytes [{}] whole: {is_whole}", text(headers), body.len(), text(trailers))
}

/// All cases of one way, all at the same time.
fn table(way: Way) {
    let (held, witness) = (Held::start(), Witness::start());
    let names = [("holds", true), ("lets", false)];
    let listeners = names.map(|(name, holds_heads)| {
        let (cases, _) = cases();
        way.prepare(&held, name, cases.len());
        let mut listener = Listener::new(name, way.policy(name, cases.len())).manager(manager());
        listener.holds_heads = holds_heads;
        listener
    });
    let envoy = Envoy::start(&listeners, witness.addr(), &options(&held));
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let at_start = names.len() * way.asked_at_start(cases().0.len());
    bed::until(|| held.questions() >= at_start, "the sources are asked at the start");
    // What was answered at once is there.
    thread::sleep(Duration::from_millis(500));

    let mut faults = Vec::new();
    let (mut tried, mut left_out) = (0, 0);
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for (listener, _) in names {
            let (cases, skipped) = cases();
            tried += cases.len();
            left_out += skipped.len();
            for case in rows::chosen(cases, Case::name) {
                let run = Run { case, listener, way, envoy: &envoy, held: &held, witness: &witness };
                let builder = thread::Builder::new().stack_size(256 * 1024);
                threads.push((listener, case, builder.spawn_scoped(scope, move || run.run()).unwrap()));
            }
        }
        for (listener, case, thread) in threads {
            if let Err(fault) = thread.join().unwrap_or_else(|_| Err("panicked".into())) {
                faults.push(format!("{listener}: {}: {fault}", case.name()));
            }
        }
    });
    // What comes late has come too.
    thread::sleep(Duration::from_millis(300));
    for (listener, _) in names {
        for case in cases().0 {
            let run = Run { case, listener, way, envoy: &envoy, held: &held, witness: &witness };
            let arrivals = run.arrivals().len();
            if arrivals > usize::from(case.outcome == Outcome::Allowed) {
                faults.push(format!("{listener}: {}: arrived {arrivals} times in the end", case.name()));
            }
        }
    }
    println!("waiting, {way:?}: {tried} combinations tried, {left_out} cannot exist");
    assert!(is_alive(&envoy, &["holds", "lets"]), "{}", envoy.log());
    assert!(faults.is_empty(), "{way:?}: {} of {tried} went wrong:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn first_fetch_of_keys() {
    table(Way::FirstKeys);
}

#[test]
fn unknown_key() {
    table(Way::UnknownKid);
}

#[test]
fn discovery() {
    table(Way::Discovery);
}

#[test]
fn introspection() {
    table(Way::Introspection);
}

#[test]
fn revocation_list() {
    table(Way::RevocationList);
}

#[test]
fn two_at_once() {
    table(Way::TwoAtOnce);
}

#[test]
fn one_after_another() {
    table(Way::OneAfterAnother);
}

#[test]
fn the_table_says_what_it_leaves_out() {
    let (cases, skipped) = cases();
    println!("cannot exist:\n  {}", skipped.join("\n  "));
    assert_eq!(cases.len() + skipped.len(), FORMS.len() * WHENS.len() * OUTCOMES.len());
    let tried = 2 * cases.len() * WAYS.len();
    println!("waiting: {tried} combinations of what is fetched; a login's form has a table of its own");
}
