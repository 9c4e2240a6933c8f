#![no_main]

use lychgate_fuzz::schedule::run;

// The first run compiles the Wasm module, for longer than an input may take.
libfuzzer_sys::fuzz_target!(init: run(&[]), |data: &[u8]| run(data));
