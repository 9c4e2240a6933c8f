//! A faulty configuration is refused by a real Envoy, which does not start, and its log says where and
//! what to do.

use lychgate_tests::config_faults::{Fault, chosen, faults};
use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Artefact, ConfigForm, Envoy, Listener, Options};

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
    let faults = chosen();
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
            // A native module's lines do not say whose they are: each fault is looked for among all of them.
            let mark = match Artefact::from_environment() {
                Artefact::Wasm => format!("wasm log {}: lychgate: configuration refused: ", name(index)),
                Artefact::Native => "lychgate: configuration refused: ".to_owned(),
            };
            let own: Vec<_> = log.lines().filter_map(|line| Some(line.split_once(&mark)?.1)).collect();
            fault.missing(&own.join("\n"))
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
