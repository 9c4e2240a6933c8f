//! What ends a Wasm VM and must not end Envoy: a panic, and memory that grows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use lychgate_tests::echo::{Reply, Upstream};
use lychgate_tests::envoy::{Envoy, Options, is_before, root};
use lychgate_tests::http::{self, Request};
use lychgate_tests::keys;
use lychgate_tests::tokens::Token;
use serde_json::json;

use super::{is_unknown, native, policy};

const TRIGGER: &str = "x-lychgate-trap";

/// The module with the trigger, in a directory of its own: it must never be taken for the one that is released.
fn module_with_trigger() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(build_with_trigger)
}

fn build_with_trigger() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "-p", "lychgate-module", "--features", "trap-for-tests"])
        .current_dir(root())
        // `scripts/test` allows the test harness its unstable options. The compiler is not meant.
        .env_remove("RUSTC_BOOTSTRAP")
        .status()
        .expect("cargo runs");
    assert!(built.success(), "the module with the trigger does not build");
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("native-trap");
    fs::create_dir_all(&dir).unwrap();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    fs::copy(target.join("debug/liblychgate_module.so"), dir.join("liblychgate.so")).unwrap();
    dir
}

fn with_trigger() -> Options {
    let path = module_with_trigger().to_string_lossy().into_owned();
    Options {
        concurrency: 2,
        host_environment: vec![("ENVOY_DYNAMIC_MODULES_SEARCH_PATH".into(), path)],
        ..Options::default()
    }
}

fn holds_trigger(module: &Path) -> bool {
    let bytes = fs::read(module).unwrap();
    bytes.windows(TRIGGER.len()).any(|window| window == TRIGGER.as_bytes())
}

/// Unwound into Envoy, a panic would end all of it.
#[test]
fn a_panic_ends_in_500_for_its_request_and_for_no_other() {
    if is_unknown() {
        return;
    }
    let dir = module_with_trigger();
    assert!(holds_trigger(&dir.join("liblychgate.so")));
    assert!(!holds_trigger(&root().join("dist/liblychgate.so")), "dist/ holds a module for tests");
    let upstream = Upstream::start();
    let envoy = Envoy::start(&[native("gate", policy("token"))], upstream.addr(), &with_trigger());
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let good = Token::reader().sign("HS256");
    for round in 0..50 {
        let trapped = envoy.send("gate", &Request::get("/public").header(TRIGGER, "now"));
        assert_eq!(trapped.status, 500, "round {round}: {trapped:?}");
        assert_eq!(trapped.json(), json!({"detail": "Internal Server Error"}));
        let body = Request::post("/").bearer(&good).header(TRIGGER, "now").body("text/plain", "a body");
        assert_eq!(envoy.send("gate", &body).status, 500, "round {round}, with a body");
        assert_eq!(envoy.send("gate", &Request::get("/").bearer(&good)).status, 200, "round {round}");
        assert_eq!(envoy.send("gate", &Request::get("/")).status, 403, "round {round}");
    }
    assert_eq!(upstream.hits(), 50, "what panicked went no further");
}

/// A VM that traps takes those that wait in it along.
#[test]
fn those_who_wait_for_keys_when_another_request_panics_get_their_answers() {
    if is_before(38, "1.37 has no calls and no metadata lists for native modules") {
        return;
    }
    let upstream = Upstream::start();
    let issuer = Upstream::serve(|_| {
        thread::sleep(Duration::from_secs(2));
        Reply::json(&json!({"keys": [keys::RSA.jwk()]}))
    });
    let mut fetching = policy("token");
    fetching["schemes"]["token"]["jwt"] =
        json!({"remote_jwks": {"uri": "http://idp.example/jwks", "cluster": "idp", "timeout_seconds": 10}});
    let options = Options { clusters: vec![("idp".into(), issuer.addr())], ..with_trigger() };
    let envoy = Envoy::start(&[native("gate", fetching)], upstream.addr(), &options);
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let addr = envoy.addr("gate");
    let good = Request::get("/").bearer(Token::new().sign("RS256"));
    let forged = Request::get("/").bearer(Token::new().sign_by_stranger("RS256"));
    thread::scope(|scope| {
        let waiting = [(&good, 200), (&forged, 401), (&good, 200), (&forged, 401)];
        let waiting =
            waiting.map(|(request, status)| (scope.spawn(move || http::send(addr, request)), status));
        thread::sleep(Duration::from_millis(300));
        for _ in 0..10 {
            assert_eq!(envoy.send("gate", &Request::get("/public").header(TRIGGER, "now")).status, 500);
        }
        for (client, status) in waiting {
            assert_eq!(client.join().unwrap().expect("an answer").status, status);
        }
    });
}

/// No VM bounds it: what clients can make grow is bounded by the module itself.
#[test]
fn tokens_names_and_paths_without_end_do_not_make_it_grow() {
    if is_unknown() {
        return;
    }
    let upstream = Upstream::start();
    let options = Options { concurrency: 1, ..Options::default() };
    let envoy = Envoy::start(&[native("gate", policy("token"))], upstream.addr(), &options);
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let mut connection = http::Connection::open(envoy.addr("gate")).unwrap();
    let mut send = |request: &Request| {
        if let Ok(answer) = connection.send(request) {
            return answer.status;
        }
        connection = http::Connection::open(envoy.addr("gate")).unwrap();
        connection.send(request).expect("an answer").status
    };
    let mut flood = |from: usize| {
        for number in from..from + 8_000 {
            let token = Token::new().claim("jti", number.to_string()).claim("padding", "x".repeat(1_000));
            assert_eq!(send(&Request::get("/").bearer(token.sign("HS256"))), 200);
            let forged = Request::get(format!("/{number}?{number}")).bearer(format!("a.b.{number}"));
            assert_eq!(send(&forged.header("X-API-Key", number.to_string())), 401);
        }
        envoy.memory().allocated >> 20
    };
    // As many as are remembered, and more.
    let full = flood(0);
    let later = flood(8_000);
    assert!(later <= full + 8, "{full} MiB allocated, then {later}");
}
