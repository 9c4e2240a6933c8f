//! `lychgate-exports IN OUT`: finishes the module that the linker wrote.

use std::process::ExitCode;
use std::{env, fs};

fn run(input: &str, output: &str) -> Result<(), String> {
    let module = fs::read(input).map_err(|error| format!("{input}: {error}"))?;
    let finished = lychgate_exports::finish(&module).map_err(|error| format!("{input}: {error}"))?;
    fs::write(output, finished).map_err(|error| format!("{output}: {error}"))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [input, output] = arguments.as_slice() else {
        eprintln!("usage: lychgate-exports IN OUT");
        return ExitCode::from(2);
    };
    match run(input, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lychgate-exports: {error}");
            ExitCode::FAILURE
        }
    }
}
