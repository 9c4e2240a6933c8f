//! A real Envoy that is asked after signatures by HTTP.
//!
//! The vectors sign messages that are no tokens, so they cannot go through the filter. A module of a
//! few lines takes its place: it hands a request's body to `verify_signature` and answers with the
//! result. Key and signature are in the form that the filter's own code brings them into.

use std::fs;
use std::path::Path;

use lychgate::keys::NativeKey;
use lychgate_tests::envoy::Envoy;
use lychgate_tests::http::{Connection, Request};
use prost::Message;
use serde_json::{Value, json};

/// Envoy's `VerifySignatureArguments` (source/extensions/common/wasm/ext/verify_signature.proto).
#[derive(Message)]
struct Arguments {
    #[prost(string, tag = "1")]
    hash_function: String,
    #[prost(bytes = "vec", tag = "2")]
    public_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    signature: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    text: Vec<u8>,
}

pub struct Oracle {
    connection: Connection,
    _envoy: Envoy,
}

impl Oracle {
    pub fn start() -> Self {
        let module = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oracle.wasm");
        let text = wat::parse_str(include_str!("oracle.wat")).expect("WebAssembly text");
        fs::write(&module, text).expect("written");
        let config = bootstrap(&module).to_string();
        let envoy = Envoy::start_with(1, &config, "json", &[]).unwrap_or_else(|why| panic!("{}", why.log));
        Self { connection: Connection::open(envoy.addr("oracle")).expect("it listens"), _envoy: envoy }
    }

    /// What Envoy says. Only an explicit yes counts, as in the filter.
    pub fn says_valid(&mut self, key: &NativeKey, signature: &[u8], message: &[u8]) -> bool {
        let arguments = Arguments {
            hash_function: key.hash.name().into(),
            public_key: key.spki.clone(),
            signature: signature.into(),
            text: message.into(),
        };
        let request = Request::post("/").body("application/octet-stream", arguments.encode_to_vec());
        let answer = self.connection.send(&request).expect("an answer");
        // A key that passed our import is one that Envoy can read.
        assert_eq!(answer.status, 200, "the call failed: {}", answer.text());
        assert!(!answer.body.is_empty(), "the call has no result");
        answer.body == [0x08, 0x01]
    }
}

fn bootstrap(module: &Path) -> Value {
    let types = "type.googleapis.com/envoy.extensions.filters";
    let manager = json!({
        "@type": format!("{types}.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "oracle",
        "route_config": {"virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "routes": [{"match": {"prefix": ""}, "direct_response": {"status": 500}}],
        }]},
        "http_filters": [
            {
                "name": "oracle",
                "typed_config": {
                    "@type": format!("{types}.http.wasm.v3.Wasm"),
                    "config": {
                        "name": "oracle",
                        "allow_on_headers_stop_iteration": true,
                        "vm_config": {
                            "vm_id": "oracle",
                            "runtime": "envoy.wasm.runtime.v8",
                            "code": {"local": {"filename": module}},
                        },
                    },
                },
            },
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": format!("{types}.http.router.v3.Router")},
            },
        ],
    });
    let any_port = json!({"socket_address": {"address": "127.0.0.1", "port_value": 0}});
    json!({
        "admin": {"address": any_port},
        "static_resources": {"listeners": [{
            "name": "oracle",
            "address": any_port,
            "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": manager,
            }]}],
        }]},
    })
}
