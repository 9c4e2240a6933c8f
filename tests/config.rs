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

/// The fault as the configuration of a listener.
fn listener(name: &str, fault: &Fault) -> Listener {
    let mut listener = Listener::new(name, serde_json::Value::Null).form(ConfigForm::Struct);
    match serde_json::from_str::<serde_json::Map<_, _>>(&fault.text) {
        Ok(config) if fault.name != "a key twice" => listener.policy = config.into(),
        _ => listener.text = Some(fault.text.clone()),
    }
    listener
}

#[test]
fn every_fault_is_refused_by_a_real_envoy_with_its_path() {
    let upstream = Upstream::start();
    let faults = faults();
    let name = |index: usize| format!("fault-{index}");
    // First one that is good: while it runs, the others need not compile the module again.
    let mut listeners = vec![Listener::new("good", serde_json::json!({"rules": []}))];
    listeners.extend(faults.iter().enumerate().map(|(index, fault)| listener(&name(index), fault)));
    let envoy = Envoy::start_dynamic(&listeners, upstream.addr(), &Options::default());
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    assert_eq!(envoy.listeners(), ["good"], "no listener with a fault is there");
    let log = envoy.log();
    let failures: Vec<_> = faults
        .iter()
        .enumerate()
        .filter_map(|(index, fault)| {
            let mark = format!("wasm log {}: lychgate: configuration refused: ", name(index));
            let own: Vec<_> = log.lines().filter_map(|line| Some(line.split_once(&mark)?.1)).collect();
            missing(fault, &own.join("\n"))
        })
        .collect();
    println!("configuration faults in Envoy: {} tried, {} failed", faults.len(), failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn an_envoy_whose_configuration_holds_a_fault_does_not_start() {
    let upstream = Upstream::start();
    for fault in faults().iter().step_by(40) {
        let listener = listener("refused", fault);
        match Envoy::start(&[listener], upstream.addr(), &Options::default()) {
            Ok(_) => panic!("{}: Envoy started", fault.name),
            Err(failure) => {
                assert!(failure.log.contains("lychgate: configuration refused: "), "{}", failure.log);
            }
        }
    }
}
