//! The module as its host sees it: what it asks for, what it offers, what it tells of who built it; and
//! that it works where the host allows it just that.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets the unexpected stops at once"
)]

use std::fs;

use lychgate_testkit::echo::Upstream;
use lychgate_testkit::envoy::{Envoy, Listener, Options, root};
use lychgate_testkit::http::Request;
use lychgate_testkit::keys::{self, API_KEY as KEY, API_KEY_SHA256 as KEY_SHA256, PASSWORD_HASH as HASH};
use lychgate_testkit::tokens::Token;
use lychgate_testkit::vm::Image;
use serde_json::json;

/// Everything that the module asks of its host. It must not need to be allowed more.
const IMPORTS: [&str; 26] = [
    "env.proxy_add_header_map_value",
    "env.proxy_call_foreign_function",
    "env.proxy_continue_stream",
    "env.proxy_define_metric",
    "env.proxy_get_buffer_bytes",
    "env.proxy_get_header_map_pairs",
    "env.proxy_get_log_level",
    "env.proxy_get_property",
    "env.proxy_get_shared_data",
    "env.proxy_http_call",
    "env.proxy_increment_metric",
    "env.proxy_log",
    "env.proxy_record_metric",
    "env.proxy_remove_header_map_value",
    "env.proxy_replace_header_map_value",
    "env.proxy_send_local_response",
    "env.proxy_set_effective_context",
    "env.proxy_set_property",
    "env.proxy_set_shared_data",
    "env.proxy_set_tick_period_milliseconds",
    "wasi_snapshot_preview1.clock_time_get",
    "wasi_snapshot_preview1.environ_get",
    "wasi_snapshot_preview1.environ_sizes_get",
    "wasi_snapshot_preview1.fd_write",
    "wasi_snapshot_preview1.proc_exit",
    "wasi_snapshot_preview1.random_get",
];

/// What the crate `proxy-wasm` could ask of its host beside that, had it a reason. A host links it or, where the
/// capability is not allowed, something that does nothing.
const NEVER_CALLED: [&str; 16] = [
    "env.proxy_close_stream",
    "env.proxy_dequeue_shared_queue",
    "env.proxy_done",
    "env.proxy_enqueue_shared_queue",
    "env.proxy_get_current_time_nanoseconds",
    "env.proxy_get_header_map_value",
    "env.proxy_get_status",
    "env.proxy_grpc_call",
    "env.proxy_grpc_cancel",
    "env.proxy_grpc_close",
    "env.proxy_grpc_send",
    "env.proxy_grpc_stream",
    "env.proxy_register_shared_queue",
    "env.proxy_resolve_shared_queue",
    "env.proxy_set_buffer_bytes",
    "env.proxy_set_header_map_pairs",
];

/// Everything that it offers. A callback that is not here costs no request anything.
const EXPORTS: [&str; 13] = [
    "_initialize",
    "memory",
    "proxy_abi_version_0_2_1",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_http_call_response",
    "proxy_on_memory_allocate",
    "proxy_on_request_body",
    "proxy_on_request_headers",
    "proxy_on_request_trailers",
    "proxy_on_response_headers",
    "proxy_on_tick",
];

/// What the C library calls when a panic cannot read its environment: the VM is lost with it or without.
const NEEDLESS: [&str; 1] = ["proc_exit"];

/// What every module must have, so that no host can deny it.
const ALWAYS: [&str; 4] = ["_initialize", "memory", "proxy_abi_version_0_2_1", "proxy_on_memory_allocate"];

fn image() -> Image {
    Image::load(&root().join("dist/lychgate.wasm"), false)
}

/// The capabilities that a document tells operators to allow.
fn allowed(document: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(document)).unwrap();
    let (_, list) = text.split_once("allowed_capabilities:").unwrap_or_else(|| panic!("{document} has none"));
    let list = list.split("vm_config").next().unwrap().split("```").next().unwrap();
    let name = |part: &str| {
        let name = part.trim_end().rsplit(|c: char| c != '_' && !c.is_ascii_lowercase()).next()?;
        (!name.is_empty()).then(|| name.to_owned())
    };
    // Behind the last one stands no other.
    let (listed, _) = list.rsplit_once(": {}").unwrap();
    let mut names: Vec<_> = listed.split(": {}").filter_map(name).collect();
    names.sort();
    names
}

/// What the page about operations tells them.
fn published() -> Vec<String> {
    allowed("docs/operations.md")
}

#[test]
fn the_module_asks_for_no_more_than_this() {
    let mut expected = [&IMPORTS[..], &NEVER_CALLED[..]].concat();
    expected.sort_unstable();
    assert_eq!(image().imports(), expected);
}

#[test]
fn the_module_offers_no_more_than_this() {
    assert_eq!(image().exports(), EXPORTS);
}

#[test]
fn the_module_begins_in_two_megabytes_and_leaves_the_limit_to_its_host() {
    let (pages, most) = image().memory_pages().expect("it has a memory");
    assert!(pages <= 32, "{pages} pages of 64 KiB");
    assert_eq!(most, None);
}

#[test]
fn the_documentation_lists_just_what_the_module_uses() {
    let imports = IMPORTS.map(|name| name.split_once('.').unwrap().1);
    let imports = imports.into_iter().filter(|name| !NEEDLESS.contains(name));
    let exports = EXPORTS.into_iter().filter(|name| !ALWAYS.contains(name));
    let mut used: Vec<_> = imports.chain(exports).collect();
    used.sort_unstable();
    let others = ["envoy.yaml", "docs/start.md", "examples/oidc/envoy.yaml", "deploy/istio/envoyfilter.yaml"];
    for document in ["docs/operations.md"].iter().chain(&others) {
        assert_eq!(allowed(document), used, "{document}");
    }
}

/// A panic's message names a file, and the file would name the builder's home.
#[test]
fn the_module_does_not_tell_where_it_was_built() {
    let module = fs::read(root().join("dist/lychgate.wasm")).unwrap();
    let home = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME")).unwrap_or_default();
    let checkout = root().canonicalize().unwrap();
    for place in [home.as_str(), checkout.to_str().unwrap(), ".cargo/registry", "/home/", "/Users/"] {
        // A home of `/` or none is in everything.
        if place.len() > 1 {
            let found = module.windows(place.len()).any(|window| window == place.as_bytes());
            assert!(!found, "{place} stands in the module: was it built by `make build`?");
        }
    }
}

fn start(capabilities: &[String], upstream: &Upstream) -> Result<Envoy, String> {
    let policy = json!({
        "schemes": {
            "oauth2": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/token", "scopes": {}}},
                "jwt": {"keys": [{"alg": "HS256", "secret": {"env": "SECRET"}}]},
                "users": "staff", "issue": {}},
            "es256": {"type": "http", "scheme": "bearer", "jwt": {"jwks": {"keys": [keys::P256.jwk()]}}},
            "fetched": {"type": "http", "scheme": "bearer", "jwt": {
                "remote_jwks": {"uri": "http://idp.example/jwks", "cluster": "upstream"}}},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"},
        },
        "users": {"staff": [{"username": "johndoe", "password": HASH}]},
        "api_keys": {"partners": [{"id": "partner", "sha256": KEY_SHA256}]},
        "rules": [
            {"match": {"path": "/es256"}, "security": [{"es256": []}]},
            {"match": {"path": "/fetched"}, "security": [{"fetched": []}]},
            {"match": {"path": "/key"}, "security": [{"key": []}]},
        ],
        "security": [{"oauth2": []}],
        "filter_state": true,
    });
    let listener = Listener::new("restricted", policy).restricted_to(capabilities);
    let environment = vec![("SECRET".to_owned(), keys::SECRET.to_owned())];
    let options = Options { environment, ..Options::default() };
    Envoy::start(&[listener], upstream.addr(), &options).map_err(|failure| failure.log)
}

#[test]
fn the_gate_works_in_an_envoy_that_allows_it_only_what_is_published() {
    let upstream = Upstream::start();
    let envoy = start(&published(), &upstream).unwrap_or_else(|log| panic!("{log}"));
    let status = |request: Request| envoy.send("restricted", &request).status;
    let token = || Token::new().claim("sub", "johndoe");
    for _ in 0..2 {
        assert_eq!(status(Request::get("/")), 401);
        assert_eq!(status(Request::get("/").bearer(token().sign("HS256"))), 200);
        assert_eq!(status(Request::get("/").bearer(token().sign_by_stranger("HS256"))), 401);
        assert_eq!(status(Request::get("/es256").bearer(token().sign("ES256"))), 200);
        assert_eq!(status(Request::get("/es256").bearer(token().sign_by_stranger("ES256"))), 401);
        assert_eq!(status(Request::get("/key").header("X-API-Key", KEY)), 200);
        assert_eq!(status(Request::get("/key").header("X-API-Key", "another")), 403);
        // The upstream has no key set to give: the call is made, and its failure told.
        assert_eq!(status(Request::get("/fetched").bearer(token().sign("ES256"))), 503);
    }
    let form = |password: &str| {
        let form = format!("username=johndoe&password={password}");
        Request::post("/token").body("application/x-www-form-urlencoded", form)
    };
    assert_eq!(status(form("guess")), 401);
    let answer = envoy.send("restricted", &form("secret"));
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(status(Request::get("/").bearer(token)), 200);
    assert!(envoy.log().contains("signatures are checked natively by Envoy"), "{}", envoy.log());
}

/// That the list means something: with one of it missing, this Envoy does not give what it gave.
#[test]
fn what_is_published_is_needed() {
    let upstream = Upstream::start();
    let without = |name: &str| {
        let rest: Vec<_> = published().into_iter().filter(|own| own != name).collect();
        start(&rest, &upstream)
    };
    // No configuration can be read.
    assert!(without("proxy_get_buffer_bytes").is_err());
    // The secret cannot be read.
    assert!(without("environ_get").is_err_and(|log| log.contains("SECRET")));
    let envoy = without("proxy_call_foreign_function").unwrap_or_else(|log| panic!("{log}"));
    assert!(envoy.log().contains("signatures are checked in the module"), "{}", envoy.log());
    // Nobody counts, and nothing else is different.
    let envoy = without("proxy_define_metric").unwrap_or_else(|log| panic!("{log}"));
    assert!(envoy.log().contains("stats cannot be had"), "{}", envoy.log());
    let good = Request::get("/key").header("X-API-Key", KEY);
    assert_eq!(envoy.send("restricted", &good).status, 200);
    assert_eq!(envoy.send("restricted", &Request::get("/key")).status, 403);
    // No request can be looked at, so none may pass.
    let envoy = without("proxy_get_header_map_pairs").unwrap_or_else(|log| panic!("{log}"));
    let token = Token::new().claim("sub", "johndoe").sign("HS256");
    assert!(envoy.send("restricted", &Request::get("/").bearer(token)).status >= 400);
}
