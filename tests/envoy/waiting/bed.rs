//! What the tests of waiting have in common: an Envoy that passes trailers and upgrades on.

use std::thread;
use std::time::{Duration, Instant};

use lychgate_tests::envoy::{Envoy, Options};
use lychgate_tests::held::Held;
use lychgate_tests::http::{self, Request};
use serde_json::{Value, json};

/// Trailers and upgrades go through.
pub fn manager() -> Value {
    json!({
        "codec_type": "AUTO",
        "http_protocol_options": {"enable_trailers": true},
        "upgrade_configs": [{"upgrade_type": "websocket"}],
    })
}

/// With the cluster `idp`, which is `held`.
pub fn options(held: &Held) -> Options {
    let most = json!({"max_connections": 8192, "max_pending_requests": 8192, "max_requests": 8192});
    Options {
        clusters: vec![("idp".into(), held.addr())],
        cluster_members: json!({
            "circuit_breakers": {"thresholds": [most]},
            "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http_protocol_options": {"enable_trailers": true}},
            }},
        }),
        ..Options::default()
    }
}

/// Waits for what is sure to come.
pub fn until(is_so: impl Fn() -> bool, what: &str) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}: not within 30 seconds");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether the modules of these listeners work, and none has crashed meanwhile.
pub fn is_alive(envoy: &Envoy, listeners: &[&str]) -> bool {
    let log = envoy.log();
    let signs = ["Function: proxy_on_", "Wasm VM failed", "RuntimeError"];
    let is_up = |listener: &&str| {
        let answer = http::send(envoy.addr(listener), &Request::get("/public"));
        answer.is_ok_and(|answer| answer.status == 200)
    };
    !signs.iter().any(|sign| log.contains(sign)) && listeners.iter().all(is_up)
}
