//! Python programs that tests compare with or drive a browser by, each set of packages in a venv
//! of its own under `.tools/`.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::envoy::root;

/// The Python of a venv with the packages of `requirements`, a file of this repository. Made once;
/// `None`, with a line that says why, where it cannot be made.
pub fn python(requirements: &str) -> Option<PathBuf> {
    let text = fs::read_to_string(root().join(requirements)).expect("the requirements are there");
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let tools = root().join(".tools");
    let venv = tools.join(format!("python-{:016x}", hasher.finish()));
    let python = venv.join("bin/python");
    if python.exists() {
        return Some(python);
    }
    match make(&tools, &venv, &text) {
        Ok(()) => Some(python),
        Err(reason) => {
            println!("SKIPPED: no Python with {requirements}: {reason}");
            None
        }
    }
}

/// Two tests may get here together: each makes a venv of its own, and the first to rename wins.
fn make(tools: &Path, venv: &Path, requirements: &str) -> Result<(), String> {
    let staging = tools.join(format!("staging-{}-{}", std::process::id(), venv.display().to_string().len()));
    let _ = fs::remove_dir_all(&staging);
    fs::create_dir_all(&staging).map_err(|error| error.to_string())?;
    let file = staging.join("requirements.txt");
    fs::write(&file, requirements).map_err(|error| error.to_string())?;
    let made = staging.join("venv");
    run(Command::new("python3").args(["-m", "venv"]).arg(&made))?;
    run(Command::new(made.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
        .arg(&file))?;
    let renamed = fs::rename(&made, venv);
    let _ = fs::remove_dir_all(&staging);
    if venv.join("bin/python").exists() { Ok(()) } else { renamed.map_err(|error| error.to_string()) }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
