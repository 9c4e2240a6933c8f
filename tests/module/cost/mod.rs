//! What a request without a credential can cost, in instructions of the module: for each path through the
//! filter, the dearest request that was found. SECURITY.md has the figures in a table, and this test holds
//! them to what it measures: no more than is stated, and no less than a third of it.
//!
//! Where it fails it prints the table as it is to be; put that in place of the one in SECURITY.md, in the
//! commit that changed what is measured, whose message says why. `cargo test -p lychgate-tests --test module cost:: -- --nocapture`
//! prints it also where nothing is wrong, and which request was the dearest.

mod bed;
mod heads;
mod known;
mod logins;
mod remote;
mod tokens;

use std::collections::BTreeMap;
use std::fs;

use bed::{Bed, Row};
use lychgate_tests::envoy::root;

/// What the page states: of each path, instructions and native checks.
fn stated() -> BTreeMap<String, (u64, u64)> {
    let page = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let (_, section) =
        page.split_once("## What a request without a credential can cost").expect("the section");
    let section = section.split("\n## ").next().unwrap();
    let lines = section.lines().skip_while(|line| !line.starts_with("| path |")).skip(2);
    let number =
        |text: &str| text.trim().replace(',', "").parse().unwrap_or_else(|_| panic!("{text:?} is no number"));
    let row = |line: &str| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        (cells[0].to_owned(), (number(cells[1]), number(cells[2])))
    };
    lines.take_while(|line| line.starts_with('|')).map(row).collect()
}

/// A quarter more than was measured, in two digits.
fn to_state(measured: u64) -> u64 {
    let most = measured + measured / 4;
    let unit = 10_u64.pow(most.max(10).ilog10() - 1);
    most.div_ceil(unit) * unit
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let group = |(place, digit): (usize, char)| {
        let comma = (place > 0 && (digits.len() - place).is_multiple_of(3)).then_some(',');
        comma.into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(group).collect()
}

#[test]
fn a_request_without_a_credential_costs_at_most_what_the_table_states() {
    let bed = Bed::new();
    let rows: Vec<Row> = [heads::rows(&bed), tokens::rows(&bed), remote::rows(&bed), logins::rows(&bed)]
        .into_iter()
        .flatten()
        .collect();
    println!("| path | at most (instructions) | native checks of the host |\n|---|---|---|");
    for Row { path, instructions, native, .. } in &rows {
        println!("| {path} | {} | {native} |", grouped(to_state(*instructions)));
    }
    let mut stated = stated();
    let mut wrong = Vec::new();
    for Row { path, instructions, native, dearest, unexpected } in &rows {
        wrong.extend(unexpected.iter().cloned());
        println!("{path}: {}, by {dearest}", grouped(*instructions));
        match stated.remove(*path) {
            Some((most, natively))
                if *instructions <= most && most / 3 <= *instructions && *native == natively => {}
            Some((most, natively)) => wrong
                .push(format!("{path}: {instructions} and {native}, where {most} and {natively} are stated")),
            None => wrong.push(format!("{path}: {instructions}, and nothing is stated")),
        }
    }
    wrong.extend(stated.into_keys().map(|path| format!("{path}: stated, and not measured")));
    assert!(wrong.is_empty(), "{wrong:#?}");
}
