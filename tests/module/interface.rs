//! The module as its host sees it: what it asks for, what it offers, what it reveals of its build.
//! `envoy/capabilities.rs` shows that it works where the host allows it just that.

use std::fs;

use lychgate_tests::book::allowed_capabilities_in;
use lychgate_tests::envoy::root;
use lychgate_tests::vm::Image;

/// Everything that the module asks of its host.
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

/// What the crate `proxy-wasm` could ask of its host beside that, and has no reason to. A host links it or, where
/// the capability is not allowed, something that does nothing.
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
    for document in [
        "docs/operations.md",
        "docs/start.md",
        "envoy.yaml",
        "examples/mcp/envoy.yaml",
        "examples/oidc/envoy.yaml",
        "deploy/istio/envoyfilter.yaml",
    ] {
        assert_eq!(allowed_capabilities_in(document), used, "{document}");
    }
}

/// A panic's message names a file, and the file would name the builder's home.
#[test]
fn the_module_does_not_tell_where_it_was_built() {
    let module = fs::read(root().join("dist/lychgate.wasm")).unwrap();
    let home = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME")).unwrap_or_default();
    let checkout = root().canonicalize().unwrap();
    let dirs =
        [home.as_str(), checkout.to_str().unwrap()].map(|dir| format!("{}/", dir.trim_end_matches('/')));
    for place in dirs.iter().map(String::as_str).chain([".cargo/registry", "/home/", "/Users/"]) {
        // A home of `/` or none is in everything.
        if place.len() > 1 {
            let found = module.windows(place.len()).any(|window| window == place.as_bytes());
            assert!(!found, "{place} is in the module: was it built by `make build`?");
        }
    }
}
