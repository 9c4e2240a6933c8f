//! Lychgate against Envoy's own filters, in one Envoy with one worker, taking turns.
//!
//! `cargo bench --bench comparison` measures everything; `-- --quick` takes less than two minutes;
//! `-- --only TEXT` measures what has TEXT in its name. Results go to `target/bench/`. What is compared is the processor
//! time that Envoy takes for a request, the least of all rounds, and the ratio of throughput in each round: the machine is
//! never alone.

mod contenders;
mod loads;
mod measure;
mod memory;
mod report;

use std::collections::HashMap;
use std::fs;

use contenders::{Artefact, Place};
use loads::{Duel, Load};
use lychgate_tests::echo::{Reply, Upstream};
use lychgate_tests::envoy::{Envoy, root};
use lychgate_tests::programs::find_or_install;
use measure::{Run, Tools};
use report::{Latency, Results, Row, Side};

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
    fn run(&mut self, tools: &Tools, envoy: &Envoy, listener: &str, load: &Load, seconds: u64) -> Run {
        let position = self.0.entry(format!("{listener} {}", load.values.display())).or_default();
        let run = (0..10).find_map(|_| tools.throughput(envoy, listener, load, seconds, *position));
        let run = run.unwrap_or_else(|| panic!("{listener} answers nothing"));
        *position += run.requests;
        run
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
    assert!(root().join("dist/liblychgate.so").exists(), "`make module` was run");
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
    let mut results = Results::default();
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
        if upstream.is_some() {
            (results.rows, results.latencies) = measure(&plan, &tools, &envoy, duels);
        } else {
            (results.bare, _) = measure(&plan, &tools, &envoy, duels);
        }
    }
    println!("memory and times, in a machine of its own");
    results.figures = memory::figures(&module, &many_keys, plan.quick);
    let table = results.table();
    println!("\n{table}");
    fs::write(dir.join("table.md"), &table).expect("written");
    fs::write(dir.join("results.json"), format!("{:#}\n", results.document())).expect("written");
    fs::write(dir.join("plot.svg"), results.plot()).expect("written");
    println!("table.md, results.json and plot.svg are in {}", dir.display());
}

/// The load whose latency is measured, and whose peak says how fast it is sent then.
const KNOWN: &str = "known token, RS256";

/// Every duel in each round, and the order within a duel the other way round in every other one.
fn measure(plan: &Plan, tools: &Tools, envoy: &Envoy, duels: Vec<Duel>) -> (Vec<Row>, Vec<Latency>) {
    let mut positions = Positions::default();
    let mut runs: Vec<HashMap<String, Vec<Run>>> = vec![HashMap::new(); duels.len()];
    let mut latencies = [const { (Vec::new(), Vec::new()) }; 2];
    let mut peak = f64::MAX;
    // The first round is warm-up: V8 compiles in the background, caches fill.
    for round in 0..=plan.rounds {
        let seconds = if round == 0 { 1 } else { plan.seconds };
        for (duel, runs) in duels.iter().zip(&mut runs) {
            let mut contenders = duel.contenders();
            if round % 2 == 1 {
                contenders.reverse();
            }
            for (name, load) in contenders {
                let run = positions.run(tools, envoy, &name, load, seconds);
                if duel.title == KNOWN {
                    peak = peak.min(run.rate);
                }
                if round > 0 {
                    runs.entry(name).or_default().push(run);
                }
            }
        }
        println!("round {round} of {} is done", plan.rounds);
        if round > 0
            && let Some(duel) = duels.iter().find(|duel| duel.title == KNOWN)
        {
            let of =
                |listener: &str| tools.latency(envoy.addr(listener), &duel.load, peak / 2.0, plan.seconds);
            for (artefact, (medians, tails)) in Artefact::BOTH.into_iter().zip(&mut latencies) {
                let ((ours, our_tail), (theirs, their_tail)) =
                    (of(&duel.ours(artefact)), of(&duel.theirs(artefact)));
                medians.push(ours / theirs);
                tails.push(our_tail / their_tail);
            }
        }
    }
    let row = |(duel, runs): (Duel, HashMap<String, Vec<Run>>)| Row {
        sides: Artefact::BOTH.map(|artefact| Side {
            ours: runs[&duel.ours(artefact)].clone(),
            theirs: runs[&duel.theirs(artefact)].clone(),
            goal: duel.goal(artefact),
        }),
        title: duel.title,
        against: duel.against,
    };
    let rows = duels.into_iter().zip(runs).map(row).collect();
    let latency = |(artefact, (medians, tails)): (Artefact, (Vec<f64>, Vec<f64>))| {
        let title = |part: &str| format!("{part}, known token, {artefact:?}");
        [
            Latency { title: title("p50"), ratios: medians, at_most: None },
            Latency { title: title("p99"), ratios: tails, at_most: Some(1.1) },
        ]
    };
    let latencies = Artefact::BOTH.into_iter().zip(latencies).flat_map(latency);
    (rows, latencies.filter(|latency| !latency.ratios.is_empty()).collect())
}
