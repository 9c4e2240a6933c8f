//! Programs from npm that tests talk to, each set of packages pinned by a lock file of this repository
//! and installed under `.tools/`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::envoy::root;

/// The directory into which the packages of `source`, a folder of this repository with a package.json and
/// its lock, are installed. Made once; `None`, with a line that says why, where it cannot be made.
///
/// # Panics
/// If the folder has no lock, or a directory cannot be made.
#[must_use]
pub fn packages(source: &str) -> Option<PathBuf> {
    // Tests run beside one another, and each may be the first.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = root().join(source);
    let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
    let lock = fs::read_to_string(folder.join("package-lock.json")).expect("the packages are pinned");
    let digest = lock.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let tools = root().join(".tools");
    let target = tools.join(format!("{name}-{digest:016x}"));
    if target.exists() {
        return Some(target);
    }
    let staging = tools.join(format!("staging-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&staging);
    fs::create_dir_all(&staging).expect("a directory");
    for name in ["package.json", "package-lock.json"] {
        fs::copy(folder.join(name), staging.join(name)).expect("copied");
    }
    let installed = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--silent"])
        .current_dir(&staging)
        .stdin(Stdio::null())
        .output();
    match installed {
        Ok(output) if output.status.success() => {
            // The first to rename wins.
            let _ = fs::rename(&staging, &target);
            let _ = fs::remove_dir_all(&staging);
            Some(target)
        }
        Ok(output) => {
            println!("SKIPPED: npm ci in {source}: {}", String::from_utf8_lossy(&output.stderr));
            None
        }
        Err(error) => {
            println!("SKIPPED: npm is missing: {error}; install node and npm");
            None
        }
    }
}

/// The same, with the program `name` of that folder beside them, where it finds them: always the repository's. Another test may be
/// about to run it, so it is never there in part.
///
/// # Panics
/// As above, or if it cannot be copied.
#[must_use]
pub fn program(source: &str, name: &str) -> Option<PathBuf> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let modules = packages(source)?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let whole = modules.join(format!("{}-{number}-{name}", std::process::id()));
    fs::copy(root().join(source).join(name), &whole).expect("copied");
    fs::rename(&whole, modules.join(name)).expect("renamed");
    Some(modules)
}
