//! The module, `dist/lychgate.wasm`, under an emulated host.

mod cost;
mod fuzz_seeds;
mod host_failures;
mod interface;
mod many_rules;
mod matching;
mod streams;
