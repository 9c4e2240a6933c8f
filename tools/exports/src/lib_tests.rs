#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that meets the unexpected stops at once"
)]

use super::{CALLBACKS, Error, finish};
use wasmparser::{Parser, Payload};

/// A module with all callbacks, each with its own number as its answer, and `more`.
fn module(callbacks: &[&str], more: &str) -> Vec<u8> {
    let callbacks = callbacks
        .iter()
        .enumerate()
        .map(|(number, name)| format!("(func (export {name:?}) (result i32) i32.const {number})"));
    let text = format!("(module (memory (export \"memory\") 1) {} {more})", callbacks.collect::<String>());
    wat::parse_str(text).unwrap()
}

fn exports(module: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ExportSection(section) = payload.unwrap() {
            names.extend(section.into_iter().map(|export| export.unwrap().name.to_owned()));
        }
    }
    names
}

fn bodies(module: &[u8]) -> Vec<usize> {
    let sizes = Parser::new(0).parse_all(module).filter_map(|payload| match payload.unwrap() {
        Payload::CodeSectionEntry(body) => Some(body.range().count()),
        _ => None,
    });
    sizes.collect()
}

const MORE: &str = r#"
    (func (export "_initialize"))
    (func (export "proxy_abi_version_0_2_1"))
    (func $log (export "proxy_on_log") (result i32) call $only_log)
    (func $only_log (result i32) i32.const 1 i32.const 2 i32.add)
    (func $shared (result i32) i32.const 1 i32.const 2 i32.add)
    (func (export "proxy_on_done") (result i32) call $shared)
    (func (export "lychgate_on_request_headers") (result i32) call $crate)
    (func $crate (result i32) call $shared)
    (table funcref (elem $by_place))
    (func $by_place (result i32) i32.const 1 i32.const 2 i32.add)"#;

#[test]
fn what_stays_is_what_is_needed_by_the_names_that_the_host_calls() {
    let finished = finish(&module(&CALLBACKS, MORE)).unwrap();
    let mut expected: Vec<_> = CALLBACKS.to_vec();
    expected.extend(["memory", "_initialize", "proxy_abi_version_0_2_1"]);
    expected.sort_unstable();
    assert_eq!(exports(&finished), expected);
}

#[test]
fn an_export_of_lychgate_takes_the_place_of_the_callback() {
    let before = module(&CALLBACKS, MORE);
    let after = finish(&before).unwrap();
    let number = |module: &[u8], wanted: &str| {
        let mut found = None;
        for payload in Parser::new(0).parse_all(module) {
            if let Payload::ExportSection(section) = payload.unwrap() {
                let own = section.into_iter().map(Result::unwrap).find(|export| export.name == wanted);
                found = found.or(own.map(|export| export.index));
            }
        }
        found.expect("it is exported")
    };
    let own = number(&before, "lychgate_on_request_headers");
    assert_ne!(number(&before, "proxy_on_request_headers"), own);
    assert_eq!(number(&after, "proxy_on_request_headers"), own);
    assert_eq!(number(&after, "proxy_on_tick"), number(&before, "proxy_on_tick"));
}

#[test]
fn what_nothing_reaches_any_more_is_emptied_and_nothing_else() {
    let before = module(&CALLBACKS, MORE);
    let (old, new) = (bodies(&before), bodies(&finish(&before).unwrap()));
    assert_eq!(old.len(), new.len(), "each keeps its number");
    let emptied = old.iter().zip(&new).map(|(old, new)| new < old);
    // In the order of the text: the callbacks, the two that stay, then `log` and what only it calls, `done`,
    // and the crate's callback that was replaced, which nothing in this text calls.
    let place = |name: &str| CALLBACKS.iter().position(|own| *own == name).unwrap();
    let (log, only_log, done) = (CALLBACKS.len() + 2, CALLBACKS.len() + 3, CALLBACKS.len() + 5);
    let expected = [place("proxy_on_request_headers"), log, only_log, done];
    let emptied: Vec<_> = emptied.enumerate().filter_map(|(place, is)| is.then_some(place)).collect();
    assert_eq!(emptied, expected);
}

#[test]
fn the_same_in_is_the_same_out_and_a_second_time_changes_nothing() {
    let before = module(&CALLBACKS, MORE);
    let once = finish(&before).unwrap();
    assert_eq!(once, finish(&before).unwrap());
    assert_eq!(once, finish(&once).unwrap());
}

#[test]
fn a_module_that_is_not_what_it_should_be_is_refused() {
    let (_, rest) = CALLBACKS.split_first().unwrap();
    assert!(matches!(finish(&module(rest, MORE)), Err(Error::NoCallback("proxy_on_configure"))));
    let stray = r#"(func (export "lychgate_on_nothing"))"#;
    let refused = finish(&module(&CALLBACKS, stray)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the module has lychgate_on_nothing, and no proxy_on_nothing whose place it could take"
    );
    assert!(matches!(finish(b"not a module"), Err(Error::Invalid(_))));
    // Without names, which stand at the end and may be missing.
    let whole = module(&CALLBACKS, "");
    for length in 0..whole.len() {
        assert!(finish(whole.get(..length).unwrap()).is_err(), "{length} bytes of it");
    }
}
