//! Configurations, as Envoy makes and ends them.

use std::sync::OnceLock;

use lychgate_tests::keys::{API_KEY_SHA256, PASSWORD_HASH, SECRET};
use serde_json::{Value, json};

use super::envoy::{Bytes, Envoy, Own};
use super::hooks::{
    envoy_dynamic_module_on_http_filter_config_destroy, envoy_dynamic_module_on_http_filter_config_new,
};

pub(super) fn policy(with_calls: bool) -> Value {
    let mut policy = json!({
        "schemes": {
            "token": {
                "type": "oauth2", "users": "staff", "issue": {},
                "flows": {"password": {"tokenUrl": "/token", "scopes": {}}},
                "jwt": {"keys": [{"alg": "HS256", "secret": SECRET}], "claims_to_metadata": ["aud", "scope"]},
            },
            "basic": {"type": "http", "scheme": "basic", "users": "staff"},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"},
        },
        "users": {"staff": [{"username": "johndoe", "password": PASSWORD_HASH}]},
        "api_keys": {"partners": [{"id": "partner", "sha256": API_KEY_SHA256}]},
        "passwords": {"max_failures": 1_000_000, "worker_share_percent": 100},
        "filter_state": true,
        "rules": [{"match": {"path": "/public"}, "security": []}],
        "security": [{"token": []}, {"key": []}, {"basic": []}],
    });
    if with_calls {
        policy["schemes"]["opaque"] = json!({"type": "http", "scheme": "bearer", "introspection": {
            "uri": "http://idp.example/introspect", "cluster": "idp", "cache_seconds": 1,
            "client_id": "gate", "client_secret": "secret"}});
        let opaque = json!({"match": {"path": "/opaque"}, "security": [{"opaque": []}]});
        policy["rules"].as_array_mut().unwrap().push(opaque);
    }
    policy
}

/// A configuration in force, or one that is replaced and whose requests are not all over.
pub(super) struct Config {
    pub(super) envoy: Envoy,
    pub(super) own: Own,
    pub(super) requests: usize,
    pub(super) is_replaced: bool,
}

pub(super) fn config(text: &str) -> Option<Config> {
    let envoy: Envoy = Box::into_raw(Box::new(0_u64)).cast();
    let bytes: Box<[u8]> = text.as_bytes().into();
    // SAFETY: name and text are there for the call, and the object until the configuration is over.
    let own = unsafe {
        envoy_dynamic_module_on_http_filter_config_new(envoy, Bytes::of(b"lychgate"), Bytes::of(&bytes))
    };
    if own.is_null() {
        // SAFETY: it is the one from above.
        drop(unsafe { Box::from_raw(envoy.cast::<u64>()) });
        return None;
    }
    Some(Config { envoy, own, requests: 0, is_replaced: false })
}

/// Whether this executable offers the module calls. It is asked once.
pub(super) fn has_calls() -> bool {
    static HAS_CALLS: OnceLock<bool> = OnceLock::new();
    *HAS_CALLS.get_or_init(|| config(&policy(true).to_string()).map(end_config).is_some())
}

pub(super) fn end_config(config: Config) {
    // SAFETY: Envoy ends it once, and its object after that.
    unsafe {
        envoy_dynamic_module_on_http_filter_config_destroy(config.own);
        drop(Box::from_raw(config.envoy.cast::<u64>()));
    }
}
