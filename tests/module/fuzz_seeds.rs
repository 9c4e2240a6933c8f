//! The fuzz targets on a stable compiler: every input that is kept, and a bounded number of
//! mutations of each. `make fuzz` goes on without end.

#[path = "../../fuzz/src/lib.rs"]
mod fuzz;

use std::fs;
use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use lychgate_tests::envoy::root;

/// How long each target is mutated, and how often at most.
const TIME: Duration = Duration::from_secs(3);
const MOST: usize = 20_000;

/// Bytes that mean something to some target.
const WORDS: [&str; 24] = [
    "\"",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "null",
    "1e400",
    "-1",
    "\\u0000",
    ".",
    "..",
    "/",
    "%2F",
    "%25",
    ";",
    "&",
    "=",
    "\n",
    "\"alg\":\"none\"",
    "\"exp\":0",
    "\u{ff0f}",
    "-----",
];

/// A small generator (xorshift), so that a failure comes again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % (bound.max(1) as u64)) as usize
    }
}

fn mutate(input: &[u8], others: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len() + 1);
        let until = (at + dice.below(12)).min(bytes.len());
        match dice.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 if at < bytes.len() => bytes[at] = dice.below(256) as u8,
            2 => drop(bytes.drain(at..until)),
            3 => {
                let copy = bytes[at..until].to_vec();
                bytes.splice(at..at, copy);
            }
            4 => drop(bytes.splice(at..until, WORDS[dice.below(WORDS.len())].bytes())),
            5 => {
                let other = &others[dice.below(others.len())];
                let from = dice.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let directory = root().join("fuzz/seeds").join(target);
    let mut files: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

#[test]
fn every_fuzz_target_holds_for_the_kept_inputs_and_mutations_of_them() {
    for (name, run) in fuzz::TARGETS {
        let seeds = seeds(name);
        assert!(seeds.len() >= 10, "{name} has {} inputs", seeds.len());
        let mut runs = 0;
        let mut attempt = |input: &[u8]| {
            runs += 1;
            let outcome = catch_unwind(|| run(input));
            assert!(outcome.is_ok(), "{name} fails for {:?}", String::from_utf8_lossy(input));
        };
        seeds.iter().for_each(|seed| attempt(seed));
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
        let start = Instant::now();
        for round in 0..MOST {
            attempt(&mutate(&seeds[round % seeds.len()], &seeds, &mut dice));
            if start.elapsed() > TIME {
                break;
            }
        }
        println!("fuzz: {name}: {} inputs, {runs} runs", seeds.len());
    }
}
