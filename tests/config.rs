//! A faulty configuration is refused, and the refusal says where and what to do: by the core, and
//! by a real Envoy that does not start.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets the unexpected stops at once"
)]

mod config_faults;

use std::sync::atomic::{AtomicUsize, Ordering};

use config_faults::{Fault, faults};
use lychgate::policy::Policy;
use lychgate_testkit::echo::Upstream;
use lychgate_testkit::envoy::{ConfigForm, Envoy, Listener, Options};
use lychgate_testkit::keys;

/// What the refusal does not say, or says and must not.
fn missing(fault: &Fault, log: &str) -> Option<String> {
    let silent: Vec<_> = fault.says.iter().filter(|text| !log.contains(**text)).collect();
    let secret = ["my-secret-key", keys::SECRET].into_iter().find(|secret| log.contains(secret));
    if silent.is_empty() && secret.is_none() {
        return None;
    }
    Some(format!("{}: {silent:?} not in, or {secret:?} in\n{log}", fault.name))
}

#[test]
fn every_fault_is_named_with_its_path_by_the_core() {
    let faults = faults();
    let mut failures = Vec::new();
    for fault in &faults {
        match Policy::compile(fault.text.as_bytes(), &|_| None) {
            Ok(_) => failures.push(format!("{}: accepted", fault.name)),
            Err(errors) => {
                let log: Vec<_> = errors.iter().map(ToString::to_string).collect();
                failures.extend(missing(fault, &log.join("\n")));
            }
        }
    }
    println!("configuration faults: {} tried, {} failed", faults.len(), failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_fault_keeps_a_real_envoy_from_starting() {
    let upstream = Upstream::start();
    let faults = faults();
    let next = AtomicUsize::new(0);
    let failures = std::sync::Mutex::new(Vec::new());
    // Each start compiles the module anew: two at a time.
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut listener = Listener::new("refused", serde_json::Value::Null);
                    match serde_json::from_str::<serde_json::Map<_, _>>(&fault.text) {
                        Ok(config) if fault.name != "a key twice" => listener.policy = config.into(),
                        _ => listener.text = Some(fault.text.clone()),
                    }
                    let listener = listener.form(ConfigForm::Struct);
                    let failure = match Envoy::start(&[listener], upstream.addr(), &Options::default()) {
                        Ok(_) => Some(format!("{}: Envoy started", fault.name)),
                        Err(failure) if failure.log.contains("lychgate: configuration refused: ") => {
                            missing(fault, &failure.log)
                        }
                        Err(failure) => Some(format!("{}: no refusal in\n{}", fault.name, failure.log)),
                    };
                    failures.lock().unwrap().extend(failure);
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    println!("configuration faults in Envoy: {} tried, {} failed", faults.len(), failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
