//! Which Envoy `make run` and the tests take: `scripts/envoy`, with programs on the PATH that only say
//! that they were asked; and that `func-e run -c envoy.yaml` serves the demonstration.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use lychgate_tests::demonstration::secret;
use lychgate_tests::envoy::root;

/// A folder of programs, gone when dropped.
struct Programs(PathBuf);

impl Programs {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("lychgate-which-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn add(&self, name: &str, script: &str) -> PathBuf {
        let file = self.0.join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("set");
        file
    }

    fn path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.0.display())
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What `scripts/envoy --which` says with this PATH.
fn which(path: &str, environment: &[(&str, &Path)]) -> Result<String, String> {
    let mut command = Command::new(root().join("scripts/envoy"));
    let command =
        command.arg("--which").env("PATH", path).env_remove("ENVOY_PATH").env_remove("ENVOY_VERSION");
    let output = command.envs(environment.iter().copied()).output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

#[test]
fn func_e_is_preferred_to_an_envoy_on_the_path_and_envoy_path_to_both() {
    let programs = Programs::new("order");
    let named = programs.add("named", "exit 0");
    let plain = programs.add("envoy", "exit 0");
    assert_eq!(which(&programs.path(), &[]).as_deref(), Ok(&*plain.to_string_lossy()));

    // As func-e does: what it fetches it tells before the path.
    let fetched = programs.add("of-func-e", "exit 0");
    let asked = programs.0.join("asked");
    let script = format!(
        "echo \"$ENVOY_VERSION $*\" > '{}'\necho looking up\necho '{}'",
        asked.display(),
        fetched.display()
    );
    programs.add("func-e", &script);
    assert_eq!(which(&programs.path(), &[]).as_deref(), Ok(&*fetched.to_string_lossy()));
    // The version that everything is tested with, unless another is asked for.
    assert_eq!(fs::read_to_string(&asked).expect("it was asked"), "1.40.0 which\n");
    assert_eq!(
        which(&programs.path(), &[("ENVOY_VERSION", Path::new("1.36.2"))]).as_deref(),
        Ok(&*fetched.to_string_lossy())
    );
    assert_eq!(fs::read_to_string(&asked).expect("it was asked"), "1.36.2 which\n");

    assert_eq!(which(&programs.path(), &[("ENVOY_PATH", &named)]).as_deref(), Ok(&*named.to_string_lossy()));
    let missing = which(&programs.path(), &[("ENVOY_PATH", Path::new("/no/such/envoy"))]);
    assert!(
        missing.as_ref().is_err_and(|text| text.contains("ENVOY_PATH=/no/such/envoy cannot be run")),
        "{missing:?}"
    );
}

#[test]
fn a_func_e_without_an_envoy_is_reported_and_nothing_else_taken() {
    let programs = Programs::new("empty");
    programs.add("envoy", "exit 0");
    programs.add("func-e", "echo /no/such/envoy");
    let said = which(&programs.path(), &[]);
    assert!(said.as_ref().is_err_and(|text| text.contains("func-e has no Envoy 1.40.0")), "{said:?}");
}

/// func-e runs Envoy in the directory where it was called, with its environment and arguments, and adds
/// `--admin-address-path`, and `-- --run-id ID`, which Envoy leaves unread. Validating is enough: that envoy.yaml works is tested with the README.
#[test]
fn envoy_yaml_works_from_the_root_with_what_func_e_adds() {
    let envoy = Command::new(root().join("scripts/envoy")).arg("--which").output().expect("it runs").stdout;
    let envoy = String::from_utf8(envoy).expect("a path");
    let programs = Programs::new("run");
    let admin = programs.0.join("admin-address.txt");
    let script = format!(
        "[ \"$1\" = run ] || exit 64\nshift\nexec '{}' \"$@\" --admin-address-path '{}' -- --run-id 1",
        envoy.trim(),
        admin.display()
    );
    let func_e = programs.add("func-e", &script);
    let ran = Command::new(func_e)
        .args(["run", "-c", "envoy.yaml", "--mode", "validate"])
        .current_dir(root())
        .env("LYCHGATE_SECRET", secret())
        .output()
        .expect("it runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}
