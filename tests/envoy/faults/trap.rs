//! A module that traps: Envoy loads it anew (`FAIL_RELOAD`), and until then no request passes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use lychgate_tests::echo::{Reply, Upstream};
use lychgate_tests::envoy::{Artefact, Envoy, Options, root};
use lychgate_tests::http::{self, Request};
use lychgate_tests::keys;
use lychgate_tests::tokens::Token;
use serde_json::json;

use super::traffic::{Kind, beside};
use super::{either, gate, good_and_bad, released, watchful};

const VM_ALONE: &str = "a VM traps; a panic of the native module is in native.rs";
const TRIGGER: &str = "x-lychgate-trap";

/// The module with the trigger, built apart from the one that is released, which it must never be taken
/// for. It need not be small or fast, so it is linked without LTO, in a third of the time.
pub fn module() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("trap");
        let built = Command::new(env!("CARGO"))
            .args([
                "rustc",
                "--quiet",
                "--locked",
                "--release",
                "--target",
                "wasm32-wasip1",
                "-p",
                "lychgate",
                "--lib",
                "--crate-type",
                "cdylib",
            ])
            .args(["--features", "trap-for-tests", "--target-dir"])
            .arg(&target)
            .current_dir(root())
            .envs([("CARGO_PROFILE_RELEASE_LTO", "off"), ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")])
            // `scripts/test` allows the test harness its unstable options. The compiler is not meant.
            .env_remove("RUSTC_BOOTSTRAP")
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the module with the trigger does not build");
        target.join("wasm32-wasip1/release/lychgate.wasm")
    })
}

fn holds_trigger(module: &Path) -> bool {
    let bytes = std::fs::read(module).unwrap();
    bytes.windows(TRIGGER.len()).any(|window| window == TRIGGER.as_bytes())
}

/// Has the worker that takes the request trap.
fn trap(envoy: &Envoy, how: &str) {
    let answer = envoy.send("gate", &Request::get("/public").header(TRIGGER, how));
    assert_eq!(answer.status, 503, "{answer:?}");
}

/// Waits until every worker works again: many good requests in a row, each on a connection of its own.
fn recovered(envoy: &Envoy, good: &Kind) -> Duration {
    let start = Instant::now();
    let mut right = 0;
    while right < 50 {
        let status = envoy.send("gate", &good.request).status;
        right = if status == 200 { right + 1 } else { 0 };
        assert!(start.elapsed() < Duration::from_secs(20), "still {status}");
        if status != 200 {
            thread::sleep(Duration::from_millis(20));
        }
    }
    start.elapsed()
}

#[test]
fn the_module_that_is_released_has_no_trigger() {
    if Artefact::is_native_where(VM_ALONE) {
        return;
    }
    assert!(!holds_trigger(&released()), "dist/lychgate.wasm can be made to trap");
    assert!(holds_trigger(module()), "the test looks for what is not there in any module");
    let upstream = Upstream::start();
    let envoy = gate(either(), None, &upstream, &Options::default());
    for how in ["now", "memory"] {
        for kind in good_and_bad(&[]) {
            let status = envoy.send("gate", &kind.request.clone().header(TRIGGER, how)).status;
            assert_eq!(status, kind.may[0], "{}", kind.name);
        }
    }
    assert!(!envoy.log().contains("Function: proxy_on_"), "the VM crashed:\n{}", envoy.log());
}

/// The module with the trigger is as the linker wrote it: `scripts/build` has not gone over its exports.
#[test]
fn a_module_that_was_not_finished_says_so_and_waits_all_the_same() {
    if Artefact::is_native_where(VM_ALONE) {
        return;
    }
    const WARNING: &str = "this module was not finished by scripts/build";
    let upstream = Upstream::start();
    let issuer = Upstream::serve(|_| Reply::json(&json!({"keys": [keys::RSA.jwk()]})));
    let policy = json!({
        "schemes": {"token": {"type": "http", "scheme": "bearer", "jwt": {
            "remote_jwks": {"uri": "http://idp.example/jwks", "cluster": "idp"}}}},
        "security": [{"token": []}],
    });
    let options = Options { clusters: vec![("idp".into(), issuer.addr())], ..Options::default() };
    for (linked, warns) in [(Some(module()), true), (None, false)] {
        let envoy = gate(policy.clone(), linked, &upstream, &options);
        let post = Request::post("/").body("text/plain", "a body behind a head that waits");
        assert_eq!(
            envoy.send("gate", &post.clone().bearer(Token::new().sign_by_stranger("RS256"))).status,
            401
        );
        assert_eq!(envoy.send("gate", &post.bearer(Token::new().sign("RS256"))).status, 200);
        assert_eq!(envoy.log().contains(WARNING), warns, "{}", envoy.log());
    }
}

#[test]
fn a_worker_that_traps_refuses_every_request_until_it_is_loaded_anew() {
    if Artefact::is_native_where(VM_ALONE) {
        return;
    }
    for workers in [1, 2, 8] {
        let (upstream, bad) = watchful();
        let options = Options { concurrency: workers, ..Options::default() };
        let envoy = gate(either(), Some(module()), &upstream, &options);
        let kinds = good_and_bad(&[503]);
        let (took, traffic) = beside(envoy.addr("gate"), &kinds, || {
            let mut took = Vec::new();
            for _ in 0..3 {
                trap(&envoy, "now");
                thread::sleep(Duration::from_millis(300));
                took.push(recovered(&envoy, &kinds[0]));
                // Envoy does not load a module anew that it has just loaded.
                thread::sleep(Duration::from_millis(1100));
            }
            took
        });
        let when = format!("{workers} workers, three traps, recovered after {took:?}");
        let seen = traffic.check(&kinds, &when);
        assert!(seen.get(&503).is_some_and(|&count| count > 0), "{when}: the traps went unnoticed");
        assert_eq!(bad.load(Ordering::SeqCst), 0, "{when}: what is bad reached the upstream");
        let after = upstream.hits();
        let good: Vec<_> = (0..20).map(|_| envoy.send("gate", &kinds[0].request).status).collect();
        assert_eq!(good, [200; 20], "{when}");
        assert_eq!(upstream.hits(), after + 20);
        // The policy is the same as before, to the letter.
        for kind in good_and_bad(&[]) {
            assert_eq!(envoy.send("gate", &kind.request).status, kind.may[0], "{when}: {}", kind.name);
        }
        assert!(envoy.log().contains("Function: proxy_on_request_headers failed"), "{}", envoy.log());
    }
}

#[test]
fn requests_that_wait_for_keys_when_their_worker_traps_do_not_pass() {
    if Artefact::is_native_where(VM_ALONE) {
        return;
    }
    let upstream = Upstream::start();
    let issuer = Upstream::serve(|_| {
        thread::sleep(Duration::from_secs(3));
        Reply::json(&json!({"keys": [keys::RSA.jwk()]}))
    });
    let policy = json!({
        "schemes": {"token": {"type": "http", "scheme": "bearer", "jwt": {
            "remote_jwks": {"uri": "http://idp.example/jwks", "cluster": "idp", "timeout_seconds": 10}}}},
        "rules": [{"match": {"path": "/public"}, "security": []}],
        "security": [{"token": []}],
    });
    let options = Options { clusters: vec![("idp".into(), issuer.addr())], ..Options::default() };
    let envoy = gate(policy, Some(module()), &upstream, &options);
    let addr = envoy.addr("gate");
    let good = Request::get("/").bearer(Token::new().sign("RS256"));
    let forged = Request::get("/").bearer(Token::new().sign_by_stranger("RS256"));
    thread::scope(|scope| {
        let waiting: Vec<_> = [&good, &forged, &good, &forged]
            .map(|request| scope.spawn(move || http::send(addr, request)))
            .into_iter()
            .collect();
        thread::sleep(Duration::from_millis(500));
        trap(&envoy, "now");
        for client in waiting {
            // An answer, or none, but no way through.
            match client.join().unwrap() {
                Ok(answer) => assert_eq!(answer.status, 503, "{answer:?}"),
                Err(error) => println!("no answer: {error}"),
            }
        }
    });
    assert_eq!(upstream.hits(), 0);
    // The worker that was loaded anew fetches the keys anew.
    let start = Instant::now();
    while envoy.send("gate", &good).status != 200 {
        assert!(start.elapsed() < Duration::from_secs(20), "the keys are not fetched anew");
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(envoy.send("gate", &forged).status, 401);
}
