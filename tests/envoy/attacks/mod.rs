//! Attacks, each with its story, through a real Envoy: what is sent, what comes back, and that
//! nothing reached the upstream, or what did.

mod claims;
mod credentials;
mod grpc;
mod guessers;
mod heads;
mod hosts;
mod http2;
mod identity;
mod introspected;
mod keys;
mod methods;
mod paths;
mod policies;
mod protocols;
mod shapes;
mod table;
mod tokens;
mod trailers;
mod trials;
mod waiting;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lychgate_tests::behaviour;
use lychgate_tests::echo::{Received, Reply, Upstream};
use lychgate_tests::envoy::{Artefact, Envoy, Options, is_envoy};
use lychgate_tests::h2;
use lychgate_tests::http::{self, Request};
use lychgate_tests::rows;
use table::{Answer, Attack, Sent, Story};

/// What reached the upstream, in order.
type Seen = Arc<Mutex<Vec<Received>>>;

fn take(seen: &Seen) -> Vec<Received> {
    std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner))
}

/// An upstream that answers with what it got, and writes it down.
fn recording() -> (Upstream, Seen) {
    let seen = Seen::default();
    let writer = Arc::clone(&seen);
    let upstream = Upstream::serve(move |request| {
        writer.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        Reply::json(&request.to_json())
    });
    (upstream, seen)
}

/// A server that attackers name as the place of their keys. A request there is a successful attack.
fn snare() -> (Upstream, Vec<(String, SocketAddr)>) {
    let snare = Upstream::serve(|_| {
        Reply::json(&serde_json::json!({"keys": [lychgate_tests::keys::RSA_STRANGER.jwk()]}))
    });
    let at = snare.addr();
    // Whatever a module could take for the name of a cluster leads there.
    let names = [at.to_string(), at.ip().to_string(), keys::SNARE.into(), "jku".into(), "x5u".into()];
    (snare, names.into_iter().map(|name| (name, at)).collect())
}

/// Sends it as it is to be sent. No answer at all is an answer too.
fn send(addr: SocketAddr, sent: &Sent) -> Option<Answer> {
    match sent {
        Sent::Request(request) => http::send(addr, request).ok().map(Answer::from),
        Sent::Bytes(bytes) => {
            let mut connection = http::Connection::open(addr).expect("a listener");
            connection.send_bytes(bytes, false).ok().map(Answer::from)
        }
        Sent::Steps(steps) => protocols::in_steps(addr, steps).map(Answer::from),
        Sent::Http2(request) => h2::send(addr, request).expect("HTTP/2").map(Answer::from),
        Sent::Curl(arguments) => grpc::curl(addr, arguments),
    }
}

fn is_module_alive(envoy: &Envoy) -> bool {
    let log = envoy.log();
    !["Function: proxy_on_", "Wasm VM failed", "RuntimeError"].iter().any(|sign| log.contains(sign))
}

/// What is tried: an attack of the stories here, or a row of the table of behaviours that is one.
#[expect(clippy::large_enum_variant, reason = "a few of them, for the time of the test")]
enum Try<'s> {
    Attack(&'static str, &'s Attack),
    Row(behaviour::Row),
}

impl Try<'_> {
    fn name(&self) -> String {
        match self {
            Self::Attack(_, attack) => attack.full_name(),
            Self::Row(row) => row.name.clone(),
        }
    }

    fn listener(&self) -> &str {
        match self {
            Self::Attack(_, attack) => attack.listener,
            Self::Row(row) => row.policy,
        }
    }
}

#[test]
fn every_attack_of_the_tables_is_refused_by_a_real_envoy() {
    let (upstream, seen) = recording();
    let (snare, clusters) = snare();
    let environment = behaviour::ENVIRONMENT.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let options = Options { environment: environment.to_vec(), clusters, ..Options::default() };
    let mut listeners = policies::listeners();
    if Artefact::from_environment() == Artefact::Native && is_envoy("1.37") {
        // It makes no calls for native modules, and refuses a policy that needs one.
        listeners.retain(|listener| !listener.policy.to_string().contains("\"cluster\""));
    }
    let is_there = |name: &str| listeners.iter().any(|listener| listener.name == name);
    let envoy = Envoy::start(&listeners, upstream.addr(), &options);
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));

    let stories = stories(snare.addr());
    let names: BTreeSet<_> = stories.iter().flat_map(|s| &s.attacks).map(Attack::full_name).collect();
    let rows: Vec<_> = stories.iter().flat_map(|s| s.attacks.iter().map(move |a| (s.what, a))).collect();
    assert_eq!(names.len(), rows.len(), "two attacks have the same name");
    // Those of the table of behaviours have their wording tested elsewhere.
    let of_behaviour = behaviour::bad_tokens().into_iter().filter(|row| row.expect.upstream.is_none());
    let tries =
        rows.into_iter().map(|(what, attack)| Try::Attack(what, attack)).chain(of_behaviour.map(Try::Row));
    let tries = tries.filter(|one| is_there(one.listener()));
    let tries = rows::chosen(tries.collect(), Try::name);

    let mut faults = Vec::new();
    let (mut tried, mut known, mut controls, mut let_in) = (0, 0, 0, 0);
    for one in &tries {
        let fault = match one {
            Try::Attack(what, attack) => {
                let answer = send(envoy.addr(attack.listener), &attack.sent);
                let reached = take(&seen);
                if attack.is_control() {
                    controls += 1;
                } else {
                    tried += 1;
                }
                attack
                    .check(answer.as_ref(), &reached)
                    .err()
                    .map(|fault| (format!("{what}\n  {fault}"), reached))
            }
            Try::Row(row) => {
                known += 1;
                let response = envoy.send(row.policy, &row.request);
                let reached = take(&seen);
                (response.status != row.expect.status || !reached.is_empty())
                    .then(|| (format!("{} [{}]: {response:?}, {reached:?}", row.name, row.policy), reached))
            }
        };
        if let Some((fault, reached)) = fault {
            let_in += usize::from(!reached.is_empty());
            faults.push(fault);
        }
    }
    // What comes late has come too.
    std::thread::sleep(Duration::from_millis(300));
    let late = take(&seen);
    println!(
        "attacks: {} tried through a real Envoy, {let_in} allowed ({} stories, {tried} attacks of tests/envoy/attacks \
         and {known} of tests/src/behaviour; {controls} legitimate requests between them, all served)",
        tried + known,
        stories.len(),
    );
    assert!(late.is_empty(), "{late:?}");
    assert_eq!(snare.hits(), 0, "the attacker was asked for keys");
    assert!(is_module_alive(&envoy), "{}", envoy.log());
    assert!(faults.is_empty(), "{} went wrong:\n{}", faults.len(), faults.join("\n"));
    let health = http::send(envoy.addr("raw"), &Request::get("/public/alive"));
    assert_eq!(health.expect("an answer").status, 200, "the filter still works");
}

fn stories(snare: SocketAddr) -> Vec<Story> {
    let mut stories = Vec::new();
    stories.extend(tokens::stories());
    stories.extend(shapes::stories());
    stories.extend(keys::stories(snare));
    stories.extend(claims::stories());
    stories.extend(credentials::stories());
    stories.extend(identity::stories());
    stories.extend(paths::stories());
    stories.extend(hosts::stories());
    stories.extend(methods::stories());
    stories.extend(protocols::stories());
    stories.extend(http2::stories());
    stories.extend(grpc::stories());
    stories
}
