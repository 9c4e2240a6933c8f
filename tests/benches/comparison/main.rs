//! Lychgate against Envoy's own filters, in one Envoy with one worker, taking turns.
//!
//! `cargo bench --bench comparison` measures everything; `-- --quick` takes less than two minutes;
//! `-- --only TEXT` measures what has TEXT in its name. Results go to `target/bench/`. What is
//! compared is the ratio of each round, because the machine is never alone.

mod contenders;
mod loads;
mod measure;
mod memory;
mod report;

use std::collections::HashMap;
use std::fs;

use contenders::Place;
use loads::{Duel, Load};
use lychgate_tests::echo::{Reply, Upstream};
use lychgate_tests::envoy::{Envoy, root};
use lychgate_tests::programs::find_or_install;
use measure::Tools;
use report::Row;

/// argon2id (19 MiB, two passes) of `secret`; only the first request pays for it.
const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$8qPpaWig0H31wvibKAgpght2Ry2M8rtRQYtZ93ooMus";

struct Plan {
    rounds: usize,
    seconds: u64,
    quick: bool,
    only: Option<String>,
}

impl Plan {
    fn read() -> Self {
        let arguments: Vec<String> = std::env::args().collect();
        let quick = arguments.iter().any(|argument| argument == "--quick");
        let after = |name: &str| {
            arguments
                .iter()
                .position(|argument| argument == name)
                .and_then(|at| arguments.get(at + 1).cloned())
        };
        let number = |name: &str, default: u64| after(name).and_then(|n| n.parse().ok()).unwrap_or(default);
        Self {
            rounds: number("--rounds", if quick { 1 } else { 9 }) as usize,
            seconds: number("--seconds", 1),
            quick,
            only: after("--only"),
        }
    }

    fn takes(&self, duel: &Duel) -> bool {
        (duel.quick || !self.quick)
            && self
                .only
                .as_ref()
                .is_none_or(|only| format!("{} / {}", duel.title, duel.against).contains(only))
    }
}

/// Where each contender is in each file of values.
#[derive(Default)]
struct Positions(HashMap<String, usize>);

impl Positions {
    fn rate(&mut self, tools: &Tools, envoy: &Envoy, listener: &str, load: &Load, seconds: u64) -> f64 {
        let position = self.0.entry(format!("{listener} {}", load.values.display())).or_default();
        let run = tools.throughput(envoy.addr(listener), load, seconds, *position);
        *position += run.requests;
        run.rate
    }
}

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let plan = Plan::read();
    let Some(wrk) = find_or_install("wrk", "wrk") else { return };
    let Some(h2load) = find_or_install("h2load", "nghttp2-client") else { return };
    let dir = root().join("target/bench");
    fs::create_dir_all(&dir).expect("a directory");
    let module = root().join("dist/lychgate.wasm").canonicalize().expect("`make build` was run");
    let empty = measure::empty_module(&dir).canonicalize().expect("written");
    let authz = Upstream::serve(|_| Reply::status(200));
    let many_keys: Vec<String> = (0..100_000).map(contenders::api_key).collect();
    let password_hash = HASH;
    println!("signing tokens, unless they are in {}", dir.display());
    let start = |config: serde_json::Value| {
        Envoy::start_with(1, &config.to_string(), "json", &[])
            .unwrap_or_else(|failure| panic!("{}", failure.log))
    };
    let behind = start(contenders::upstream());
    let tools = Tools { wrk, h2load, dir: dir.clone() };
    let mut rows: Vec<Row> = Vec::new();
    for upstream in [Some(behind.addr("upstream")), None] {
        if upstream.is_none() && plan.quick {
            break;
        }
        let authz = authz.addr();
        let place =
            Place { module: &module, empty: &empty, authz, many_keys: &many_keys, password_hash, upstream };
        println!("{}", if upstream.is_some() { "with an upstream" } else { "with nothing behind" });
        let envoy = start(contenders::bootstrap(&place));
        let duels = loads::duels(&dir).into_iter().filter(|duel| plan.takes(duel)).collect();
        let measured = measure(&plan, &tools, &envoy, duels);
        if upstream.is_some() {
            rows = measured;
        } else {
            rows.iter_mut().zip(measured).for_each(|(row, bare)| row.bare = bare.ratios);
        }
    }
    println!("memory and times, in a machine of its own");
    let figures = memory::figures(&module, &many_keys, plan.quick);
    let table = report::table(&rows, &figures);
    println!("\n{table}");
    fs::write(dir.join("table.md"), &table).expect("written");
    let document = format!("{:#}\n", report::document(&rows, &figures));
    fs::write(dir.join("results.json"), document).expect("written");
    fs::write(dir.join("plot.svg"), report::plot(&rows)).expect("written");
    println!("table.md, results.json and plot.svg are in {}", dir.display());
}

/// Every duel in each round, and the order within a duel the other way round in every other one.
fn measure(plan: &Plan, tools: &Tools, envoy: &Envoy, duels: Vec<Duel>) -> Vec<Row> {
    let mut positions = Positions::default();
    let mut ratios = vec![Vec::new(); duels.len()];
    let (mut medians, mut tails, mut peak) = (Vec::new(), Vec::new(), f64::MAX);
    // The first round is warm-up: V8 compiles in the background, caches fill.
    for round in 0..=plan.rounds {
        let seconds = if round == 0 { 1 } else { plan.seconds };
        for (duel, ratios) in duels.iter().zip(&mut ratios) {
            let their_load = duel.their_load.as_ref().unwrap_or(&duel.load);
            let mut rate = |listener, load| positions.rate(tools, envoy, listener, load, seconds);
            let (ours, theirs) = if round % 2 == 0 {
                let ours = rate(&duel.ours, &duel.load);
                (ours, rate(&duel.theirs, their_load))
            } else {
                let theirs = rate(&duel.theirs, their_load);
                (rate(&duel.ours, &duel.load), theirs)
            };
            if duel.title == "known token, RS256" {
                peak = peak.min(ours).min(theirs);
            }
            if round > 0 {
                ratios.push(ours / theirs);
            }
        }
        println!("round {round} of {} is done", plan.rounds);
        if round > 0
            && let Some(duel) = duels.iter().find(|duel| duel.title == "known token, RS256")
        {
            let of =
                |listener: &str| tools.latency(envoy.addr(listener), &duel.load, peak / 2.0, plan.seconds);
            let ((ours, our_tail), (theirs, their_tail)) = (of(&duel.ours), of(&duel.theirs));
            medians.push(ours / theirs);
            tails.push(our_tail / their_tail);
        }
    }
    let mut rows: Vec<Row> = duels
        .into_iter()
        .zip(ratios)
        .map(|(Duel { title, against, goal, .. }, ratios)| Row {
            title,
            against: against.to_owned(),
            ratios,
            bare: Vec::new(),
            goal,
            less_is_better: false,
        })
        .collect();
    for (title, ratios, goal) in [
        ("p50 at half the peak load, known token", medians, None),
        ("p99 at half the peak load, known token", tails, Some(1.1)),
    ] {
        if !ratios.is_empty() {
            let (title, against) = (title.to_owned(), "jwt_authn with cache".to_owned());
            rows.push(Row { title, against, ratios, bare: Vec::new(), goal, less_is_better: true });
        }
    }
    rows
}
