//! The configuration changes by a file that Envoy watches, under load.

use std::thread;
use std::time::{Duration, Instant};

use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Envoy, Listener, Options};
use lychgate_tests::http::Request;
use lychgate_tests::tokens::Token;
use serde_json::{Value, json};

use super::traffic::{Kind, Traffic, beside};
use super::{KEY, policy};

/// The two policies: a token opens the one, a key the other.
pub const OPENS: [&str; 2] = ["token", "key"];

pub fn only(scheme: &str) -> Value {
    policy(&json!([{scheme: []}]))
}

/// What both policies agree on, and last what each says something else of: by the token alone, and by the
/// key alone.
pub fn kinds() -> Vec<Kind> {
    let good = || Token::reader().sign("HS256");
    let kind =
        |name, request, may: &[u16]| Kind { name, request, may: may.to_vec(), passes: may.contains(&200) };
    let forged = Token::reader().sign_by_stranger("HS256");
    // Which of the two is missing or wrong makes the answer 401 or 403.
    vec![
        kind("both", Request::get("/good").bearer(good()).header("X-API-Key", KEY), &[200]),
        kind(
            "both wrong",
            Request::get("/bad").bearer(&forged).header("X-API-Key", "key-000001"),
            &[401, 403],
        ),
        kind("neither", Request::get("/bad"), &[401, 403]),
        kind("a public path", Request::get("/public"), &[200]),
        kind("an ambiguous path", Request::get("/public/..//bad"), &[400]),
        kind("the token alone", Request::get("/good").bearer(good()), &[200, 403]),
        kind("the key alone", Request::get("/good").header("X-API-Key", KEY), &[200, 401]),
    ]
}

/// Waits until new connections meet the policy that `scheme` opens; how many of its own requests passed.
pub fn arrived(envoy: &Envoy, scheme: &str) -> usize {
    let kinds = kinds();
    let start = Instant::now();
    let [.., token, key] = kinds.as_slice() else { panic!("two of them") };
    let (yes, no) = if scheme == "token" { (token, key) } else { (key, token) };
    let (mut right, mut passed) = (0, 0);
    while right < 30 {
        let opens = envoy.send("gate", &yes.request).status == 200;
        let shut = envoy.send("gate", &no.request).status != 200;
        right = if opens && shut { right + 1 } else { 0 };
        passed += usize::from(opens) + usize::from(!shut);
        assert!(start.elapsed() < Duration::from_secs(20), "the policy of the {scheme} does not arrive");
    }
    passed
}

/// While one policy alone is in force, each request on a connection of its own is judged by it. (A
/// connection that is kept belongs to the listener that it was accepted by.) How many there were.
fn judged_by(traffic: &Traffic, kinds: &[Kind], policy: usize, from: Instant, to: Instant) -> usize {
    let mut judged = 0;
    for answer in traffic.answers.iter().filter(|a| a.fresh && a.began >= from && a.ended <= to) {
        let opens = match kinds[answer.kind].name {
            "the token alone" => OPENS[policy] == "token",
            "the key alone" => OPENS[policy] == "key",
            _ => continue,
        };
        assert_eq!(answer.status == 200, opens, "{}: {answer:?}", kinds[answer.kind].name);
        judged += 1;
    }
    judged
}

#[test]
fn a_policy_that_changes_under_load_refuses_and_passes_no_request_wrongly() {
    for workers in [1, 2, 8] {
        let upstream = Upstream::start();
        let options = Options { concurrency: workers, ..Options::default() };
        let listener = |policy: usize| Listener::new("gate", only(OPENS[policy]));
        let envoy = Envoy::start_dynamic(&[listener(0)], upstream.addr(), &options);
        let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
        let kinds = kinds();
        arrived(&envoy, OPENS[0]);
        let before = upstream.hits();
        let ((spans, probes), traffic) = beside(envoy.addr("gate"), &kinds, || {
            let (mut spans, mut probes) = (Vec::new(), 0);
            for round in 1..=8 {
                let policy = round % 2;
                envoy.replace(&[listener(policy)], &options);
                probes += arrived(&envoy, OPENS[policy]);
                let from = Instant::now();
                thread::sleep(Duration::from_millis(500));
                spans.push((policy, from, Instant::now()));
            }
            (spans, probes)
        });
        let when = format!("{workers} workers, the policy changed 8 times");
        traffic.check(&kinds, &when);
        let judged: usize =
            spans.iter().map(|&(policy, from, to)| judged_by(&traffic, &kinds, policy, from, to)).sum();
        println!("{when}: {judged} answers by the one policy in force");
        assert!(judged > 50, "{when}: {judged}");
        assert_eq!(upstream.hits() - before, traffic.passed(&kinds) + probes, "{when}");
        assert_eq!(envoy.stat("listener_manager.lds.update_rejected"), 0);
        assert!(!envoy.log().contains("Function: proxy_on_"), "the VM crashed:\n{}", envoy.log());
    }
}

#[test]
fn a_broken_update_is_refused_with_its_path_and_the_old_policy_stays() {
    let upstream = Upstream::start();
    let options = Options { concurrency: 2, ..Options::default() };
    let good = Listener::new("gate", only("token"));
    let envoy = Envoy::start_dynamic(std::slice::from_ref(&good), upstream.addr(), &options);
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let mut kinds = kinds();
    // The old policy stays in force: only it counts.
    kinds.iter_mut().find(|kind| kind.name == "the token alone").unwrap().may = vec![200];
    kinds.iter_mut().find(|kind| kind.name == "the key alone").unwrap().may = vec![401];
    arrived(&envoy, "token");

    let mut weak = only("key");
    weak["schemes"]["token"]["jwt"]["keys"][0]["secret"] = "short".into();
    let mut unknown = only("key");
    unknown["schemas"] = json!({});
    let mut dangling = only("key");
    dangling["security"] = json!([{"nobody": []}]);
    let mut text = good.clone();
    text.text = Some("{\"security\": [".into());
    let broken = [
        (Listener::new("gate", weak), "configuration refused: schemes.token.jwt.keys[0]"),
        (Listener::new("gate", unknown), "configuration refused: schemas"),
        (Listener::new("gate", dangling), "configuration refused: security[0]"),
        (text, "configuration refused: "),
    ];
    let ((), traffic) = beside(envoy.addr("gate"), &kinds, || {
        for (number, (listener, says)) in (1..).zip(&broken) {
            envoy.replace(std::slice::from_ref(listener), &options);
            let start = Instant::now();
            while envoy.stat("listener_manager.lds.update_rejected") < number {
                assert!(start.elapsed() < Duration::from_secs(20), "not refused: {says}\n{}", envoy.log());
                thread::sleep(Duration::from_millis(20));
            }
            assert!(envoy.log().contains(says), "{says} is not in\n{}", envoy.log());
            thread::sleep(Duration::from_millis(500));
        }
        // What is no file of listeners at all.
        for text in ["", "{", "{\"resources\": 1}"] {
            envoy.replace_text(text);
            thread::sleep(Duration::from_millis(300));
        }
    });
    traffic.check(&kinds, "seven broken updates");
    // And it was no accident: a good one is taken.
    envoy.replace(&[Listener::new("gate", only("key"))], &options);
    arrived(&envoy, "key");
}
