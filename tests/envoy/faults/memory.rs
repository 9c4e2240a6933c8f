//! Memory that cannot grow: in an emulated host that caps it, and in the real one, where V8 gives a module
//! 1 GiB and no more.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use lychgate_tests::envoy::{Artefact, Options};
use lychgate_tests::http::Request;
use lychgate_tests::tokens::{Token, now};
use lychgate_tests::vm::{Failure, Image, Machine, Outcome, State};

use super::traffic::beside;
use super::trap::module;
use super::{KEY, either, gate, good_and_bad, released, watchful};

const VM_ALONE: &str = "the memory of a VM; that of the native module is in native.rs";
const PAGE: usize = 64 * 1024;

fn state(cap: Option<usize>) -> State {
    let mut state = State::default();
    state.configuration = either().to_string().into_bytes();
    state.now = Duration::from_secs(now().cast_unsigned());
    state.memory_cap = cap;
    state
}

/// A request with this token, and whether the machine is still whole.
fn ask(machine: &mut Machine, token: &str, good: bool) -> bool {
    let authorization = format!("Bearer {token}");
    let headers = [
        (":method", "GET"),
        (":path", "/"),
        (":authority", "api.example"),
        ("x-auth-subject", "root"),
        ("authorization", &authorization),
    ];
    match machine.request(&headers) {
        Outcome::Passed(headers) => {
            assert!(good, "a forged token passed");
            let subject: Vec<_> = headers.iter().filter(|(name, _)| name == "x-auth-subject").collect();
            assert_eq!(subject, [&("x-auth-subject".to_owned(), "johndoe".to_owned())]);
            assert!(!headers.iter().any(|(name, _)| name == "authorization"), "the credential went on");
            true
        }
        Outcome::Answered(response) => {
            assert!(response.status >= 400 && !good, "{response:?}");
            true
        }
        Outcome::Waits => panic!("no answer to wait for"),
        Outcome::Trapped(_) => false,
    }
}

/// A good token of about so many bytes that was not seen before, and one that is forged.
fn pair(number: usize, bytes: usize) -> [String; 2] {
    let token = Token::new().claim("jti", number.to_string()).claim("padding", "x".repeat(bytes * 3 / 4));
    [token.sign("HS256"), token.sign_by_stranger("HS256")]
}

#[test]
fn too_little_memory_to_start_with_opens_nothing() {
    if Artefact::is_native_where(VM_ALONE) {
        return;
    }
    let image = Image::load(&released(), false);
    let whole = image.start(state(None)).unwrap_or_else(|failure| panic!("{failure:?}")).memory_bytes();
    let (mut stillborn, mut alive) = (0, 0);
    for pages in 0..=whole / PAGE + 4 {
        match image.start(state(Some(pages * PAGE))) {
            Err(Failure::Unborn(_) | Failure::Trapped(_) | Failure::Refused(_)) => stillborn += 1,
            Ok(mut machine) => {
                alive += 1;
                for number in 0..20 {
                    let [good, forged] = pair(number, 3000);
                    if !ask(&mut machine, &forged, false) || !ask(&mut machine, &good, true) {
                        break;
                    }
                }
            }
        }
    }
    println!("{whole} bytes at the start: {stillborn} smaller ones do not start, {alive} do");
    assert!(stillborn > 0 && alive > 0, "{stillborn} {alive}");
}

#[test]
fn memory_that_cannot_grow_under_load_allows_no_forged_request() {
    if Artefact::is_native_where(VM_ALONE) {
        return;
    }
    let image = Image::load(&released(), false);
    // Without a cap, to see that so much is asked for at all.
    let mut free = image.start(state(None)).unwrap_or_else(|failure| panic!("{failure:?}"));
    let start = free.memory_bytes();
    let pairs: Vec<_> = (0..3000).map(|number| pair(number, 3000)).collect();
    for [good, forged] in &pairs {
        assert!(ask(&mut free, forged, false) && ask(&mut free, good, true), "no cap, no trap");
    }
    let grown = free.memory_bytes() - start;
    assert!(grown > 8 * PAGE, "the load takes memory: {grown}");
    let mut trapped = 0;
    for room in [0, 1, 2, 3, 5, 8] {
        let mut machine = image.start(state(None)).unwrap_or_else(|failure| panic!("{failure:?}"));
        let cap = machine.memory_bytes() + room * PAGE;
        machine.cap(cap);
        let whole = pairs
            .iter()
            .all(|[good, forged]| ask(&mut machine, forged, false) && ask(&mut machine, good, true));
        assert!(machine.memory_bytes() <= cap);
        trapped += usize::from(!whole);
    }
    println!(
        "{grown} bytes wanted; with less, {trapped} of 6 machines trapped, and no forged request passed"
    );
    assert_eq!(trapped, 6);
}

#[test]
fn headers_larger_than_the_memory_left_allow_no_forged_request() {
    if Artefact::is_native_where(VM_ALONE) {
        return;
    }
    let image = Image::load(&released(), false);
    let [good, forged] = pair(0, 1000);
    for size in [1 << 10, 1 << 16, 1 << 20, 1 << 24] {
        let mut machine = image.start(state(None)).unwrap_or_else(|failure| panic!("{failure:?}"));
        machine.cap(machine.memory_bytes());
        for (token, may_pass) in [(&forged, false), (&good, true)] {
            let (authorization, filler) = (format!("Bearer {token}"), "x".repeat(size));
            let headers = [
                (":method", "GET"),
                (":path", "/"),
                (":authority", "api.example"),
                ("x-filler", &filler),
                ("x-api-key", if may_pass { KEY } else { "key-000001" }),
                ("authorization", &authorization),
            ];
            let outcome = machine.request(&headers);
            match &outcome {
                Outcome::Passed(_) => assert!(may_pass, "{size}"),
                Outcome::Answered(response) => assert!(response.status >= 400, "{size}: {response:?}"),
                Outcome::Trapped(_) => break,
                Outcome::Waits => panic!("{size}: no answer to wait for"),
            }
        }
    }
}

#[test]
fn a_worker_that_takes_all_the_memory_there_is_refuses_until_it_is_loaded_anew() {
    if Artefact::is_native_where(VM_ALONE) {
        return;
    }
    let (upstream, bad) = watchful();
    let options = Options { concurrency: 2, ..Options::default() };
    let envoy = gate(either(), Some(module()), &upstream, &options);
    let kinds = good_and_bad(&[503]);
    let before = envoy.memory();
    let (fullest, traffic) = beside(envoy.addr("gate"), &kinds, || {
        let mut fullest = 0;
        for _ in 0..3 {
            let exhaust = Request::get("/public").header("x-lychgate-trap", "memory");
            assert_eq!(envoy.send("gate", &exhaust).status, 503);
            fullest = fullest.max(envoy.memory().resident);
            thread::sleep(Duration::from_millis(1500));
        }
        fullest
    });
    let after = envoy.memory();
    let mib = |bytes: u64| bytes >> 20;
    let when = format!(
        "memory exhausted three times: {} MiB before, {} at the most, {} after",
        mib(before.resident),
        mib(fullest),
        mib(after.resident)
    );
    let seen = traffic.check(&kinds, &when);
    assert!(seen.get(&503).is_some_and(|&count| count > 0), "{when}: went unnoticed");
    // The answers to some that had passed went down with the worker.
    assert!(upstream.hits() >= traffic.passed(&kinds), "{when}");
    assert_eq!(bad.load(Ordering::SeqCst), 0, "{when}: what is bad reached the upstream");
    assert!(after.resident < before.resident + (256 << 20), "{when}: it is not given back");
    for _ in 0..20 {
        assert_eq!(envoy.send("gate", &kinds[0].request).status, 200, "{when}");
    }
}
