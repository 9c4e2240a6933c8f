//! Configurations that come and go.

use std::thread;
use std::time::{Duration, Instant};

use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Envoy, Options};
use lychgate_tests::http::Request;
use lychgate_tests::tokens::Token;
use serde_json::json;

use super::{KEY, is_unknown, native, policy};
use crate::faults::traffic::beside;
use crate::faults::update::{OPENS, arrived, kinds, only};

#[test]
fn a_wrong_configuration_is_refused_at_the_start_and_by_xds_the_old_policy_serves_on() {
    if is_unknown() {
        return;
    }
    let mut wrong = policy("token");
    wrong["securty"] = json!([]);
    let upstream = Upstream::start();
    let options = Options { concurrency: 2, ..Options::default() };
    let refused = Envoy::start(&[native("gate", wrong.clone())], upstream.addr(), &options);
    let log = refused.err().expect("Envoy does not start").log;
    assert!(log.contains("lychgate: configuration refused: securty"), "{log}");

    let envoy = Envoy::start_dynamic(&[native("gate", policy("token"))], upstream.addr(), &options);
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let good = Token::reader().sign("HS256");
    let by = |scheme: &str| match scheme {
        "token" => Request::get("/").bearer(&good),
        _ => Request::get("/").header("X-API-Key", KEY),
    };
    let holds = |scheme: &str| {
        let other = if scheme == "token" { "key" } else { "token" };
        envoy.send("gate", &by(scheme)).status == 200 && envoy.send("gate", &by(other)).status != 200
    };
    let arrives = |scheme: &str| {
        let start = Instant::now();
        while !holds(scheme) {
            assert!(start.elapsed() < Duration::from_secs(20), "{scheme} does not arrive: {}", envoy.log());
        }
    };
    arrives("token");
    let rejected = || envoy.stat("listener_manager.lds.update_rejected");
    for round in 0..30_u64 {
        envoy.replace(&[native("gate", wrong.clone())], &options);
        let start = Instant::now();
        while rejected() <= round {
            assert!(start.elapsed() < Duration::from_secs(20), "it is not looked at: {}", envoy.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        let scheme = if round % 2 == 0 { "token" } else { "key" };
        assert!(holds(scheme), "round {round}: the old policy serves on");
        let next = if scheme == "token" { "key" } else { "token" };
        envoy.replace(&[native("gate", policy(next))], &options);
        arrives(next);
    }
}

/// Each reload is a policy that is compiled on every thread, and one that is given up: a leak or a pointer that is used
/// too late would show in a hundred of them.
#[test]
fn a_hundred_reloads_under_load_pass_no_request_wrongly_and_leave_nothing_behind() {
    if is_unknown() {
        return;
    }
    const RELOADS: usize = 100;
    let upstream = Upstream::start();
    // A listener that was replaced is there, with its policy, as long as it drains: ten minutes if not told otherwise.
    let arguments = ["--drain-time-s", "1"].map(str::to_owned).to_vec();
    let options = Options { concurrency: 2, arguments, ..Options::default() };
    let listener = |policy: usize| native("gate", only(OPENS[policy]));
    let envoy = Envoy::start_dynamic(&[listener(0)], upstream.addr(), &options);
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let kinds = kinds();
    arrived(&envoy, OPENS[0]);
    let (sizes, traffic) = beside(envoy.addr("gate"), &kinds, || {
        let mut sizes = Vec::new();
        for round in 1..=RELOADS {
            envoy.replace(&[listener(round % 2)], &options);
            let updates = |stat: &str| envoy.stat(&format!("listener_manager.lds.{stat}"));
            let start = Instant::now();
            while updates("update_success") <= round as u64 {
                assert!(start.elapsed() < Duration::from_secs(20), "round {round}: it is not taken");
                thread::sleep(Duration::from_millis(5));
            }
            if round % 25 == 0 {
                arrived(&envoy, OPENS[round % 2]);
                let start = Instant::now();
                let draining =
                    |what: &str| envoy.stat(&format!("listener_manager.total_{what}_draining")) > 0;
                while draining("listeners") || draining("filter_chains") {
                    assert!(
                        start.elapsed() < Duration::from_secs(20),
                        "round {round}: some are never drained"
                    );
                    thread::sleep(Duration::from_millis(5));
                }
                sizes.push(envoy.memory().allocated >> 20);
            }
        }
        sizes
    });
    let when = format!("{RELOADS} reloads; allocated at each quarter {sizes:?} MiB");
    traffic.check(&kinds, &when);
    assert_eq!(envoy.stat("listener_manager.lds.update_rejected"), 0);
    let [first, .., last] = sizes.as_slice() else { panic!("four quarters") };
    assert!(*last <= first + 4, "{when}");
}
