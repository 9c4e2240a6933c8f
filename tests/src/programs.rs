//! System programs that a test needs: found, else installed where that may be done, else the test
//! is skipped with a line that names what is missing.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// The path of `program`, installed from Debian's `package` if need be and if this is Debian's root.
pub fn find_or_install(program: &str, package: &str) -> Option<PathBuf> {
    // Two tests that install at the same time would be in each other's way.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    if let Some(path) = find(program) {
        return Some(path);
    }
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    if is_root && find("apt-get").is_some() {
        let quietly = |arguments: &[&str]| {
            let mut command = Command::new("apt-get");
            let command = command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
            command.stdin(Stdio::null()).stdout(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        let _ = quietly(&["install", "-y", "-q", package])
            || (quietly(&["update", "-q"]) && quietly(&["install", "-y", "-q", package]));
    }
    let found = find(program);
    if found.is_none() {
        println!("SKIPPED: {program} is missing; install it (Debian: apt-get install {package})");
    }
    found
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file())
}
