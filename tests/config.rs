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

#[test]
fn schemes_whose_tokens_are_told_apart_may_share_a_key() {
    for (how, config) in config_faults::told_apart() {
        let compiled = Policy::compile(config.to_string().as_bytes(), &|_| None);
        assert!(compiled.is_ok(), "{how}: {:?}", compiled.err());
    }
}

/// What is odd in `rules` beside a document, a page and a token endpoint below `/internal`.
fn warnings(rules: serde_json::Value, security: serde_json::Value) -> Vec<String> {
    let config = serde_json::json!({
        "openapi": {"serve": "/internal/openapi.json", "docs": "/internal/docs"},
        "schemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "k"},
            "token": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/internal/token", "scopes": {}}}, "users": "u",
                "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]}, "issue": {}},
        },
        "api_keys": {"k": []},
        "users": {"u": [{"username": "a", "password": "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"}]},
        "rules": rules, "security": security,
    });
    let compiled = Policy::compile(config.to_string().as_bytes(), &|_| None).expect("no fault");
    compiled.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_route_of_the_filter_s_own_that_is_public_below_a_rule_that_is_not_is_told() {
    use serde_json::json;
    let rule =
        |matching: serde_json::Value, scheme: &str| json!({"match": matching, "security": [{scheme: []}]});
    let everything = rule(json!({"prefix": "/"}), "key");
    let told = warnings(json!([everything]), json!([]));
    let paths: Vec<_> = told.iter().map(|line| line.split(':').next().unwrap_or_default()).collect();
    assert_eq!(paths, ["openapi.serve", "openapi.docs", "schemes.token.issue"], "{told:?}");
    assert!(
        told[0].contains("/internal/openapi.json is public, though the rule `/` that covers it is not"),
        "{told:?}"
    );
    let template = warnings(json!([rule(json!({"path": "/{a}/{b}"}), "key")]), json!([]));
    assert_eq!(template.len(), 3, "{template:?}");
    // A login cannot be asked for what it asks for.
    assert_eq!(warnings(json!([rule(json!({"prefix": "/"}), "token")]), json!([])).len(), 2);
    for (why, rules, security) in [
        ("the default is no rule", json!([]), json!([{"key": []}])),
        ("everything is public", json!([{"match": {"prefix": "/"}, "security": []}]), json!([])),
        (
            "a rule speaks of them",
            json!([rule(json!({"prefix": "/internal"}), "key"), everything]),
            json!([]),
        ),
        (
            "it is said to be meant",
            json!([
                {"match": {"path": "/internal/openapi.json"}, "security": []}, {"match": {"path": "/internal/docs"}, "security": []},
                {"match": {"path": "/internal/token"}, "security": []}, everything,
            ]),
            json!([]),
        ),
    ] {
        assert!(warnings(rules.clone(), security).is_empty(), "{why}: {rules}");
    }
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
