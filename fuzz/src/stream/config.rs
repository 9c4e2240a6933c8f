//! Configurations and the policies of routes, as Envoy makes and ends them.

use lychgate_tests::keys::{API_KEY_SHA256, P256, PASSWORD_HASH, SECRET};
use serde_json::{Value, json};

use super::envoy::{Bytes, ConfigObject, Envoy, Own};
use super::hooks::{
    envoy_dynamic_module_on_http_filter_config_destroy, envoy_dynamic_module_on_http_filter_config_new,
    envoy_dynamic_module_on_http_filter_per_route_config_destroy,
    envoy_dynamic_module_on_http_filter_per_route_config_new,
};
use super::number;
use super::requests::Input;
use super::threads::on_main;

/// How many places a key set may be at. What is fetched is shared by all that runs in the process, and stays.
const KEY_SETS: u64 = 4096;
/// Where key sets are.
pub(super) const KEYS: &str = "/keys/";

/// A policy; `with_calls`: one that asks others.
pub(super) fn policy(with_calls: bool) -> String {
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
        let uri = format!("http://idp.example{KEYS}{}", number() % KEY_SETS);
        policy["schemes"]["fetched"] = json!({"type": "http", "scheme": "bearer", "jwt": {
            "remote_jwks": {"uri": uri, "cluster": "idp"}}});
        let rules = policy["rules"].as_array_mut().expect("a list");
        rules.push(json!({"match": {"path": "/opaque"}, "security": [{"opaque": []}]}));
        rules.push(json!({"match": {"path": "/fetched"}, "security": [{"fetched": []}]}));
    }
    policy.to_string()
}

/// The key set that is fetched.
pub(super) fn key_set() -> Box<[u8]> {
    let mut key: Value = P256.jwk();
    key["kid"] = "ec".into();
    json!({"keys": [key]}).to_string().into_bytes().into()
}

/// What is lent to the module for a call.
fn lent(text: &[u8]) -> Box<[u8]> {
    text.into()
}

/// A configuration in force, or one that is replaced and whose requests are not all over.
pub(super) struct Config {
    /// Its number: the place of one that is over may be that of another one later.
    pub(super) id: u64,
    pub(super) envoy: Envoy,
    pub(super) own: Own,
    pub(super) has_calls: bool,
}

impl Config {
    pub(super) fn good(has_calls: bool) -> Self {
        let config = Self::of(b"lychgate", policy(has_calls).as_bytes(), has_calls);
        config.expect("the policy is good; are calls on offer?")
    }

    /// Envoy makes one on its main thread; `None`: the module refuses it.
    pub(super) fn of(name: &[u8], text: &[u8], has_calls: bool) -> Option<Self> {
        let id = number();
        let envoy: Envoy = Box::into_raw(Box::new(ConfigObject { id })).cast();
        let (name, text) = (lent(name), lent(text));
        // SAFETY: name and text are there for the call, and the object until the configuration is over.
        let own = on_main(|| unsafe {
            envoy_dynamic_module_on_http_filter_config_new(envoy, Bytes::of(&name), Bytes::of(&text))
        });
        if own.is_null() {
            // SAFETY: it is the one from above.
            drop(unsafe { Box::from_raw(envoy.cast::<ConfigObject>()) });
            return None;
        }
        Some(Self { id, envoy, own, has_calls })
    }

    /// Envoy ends it on the thread that was the last to hold it.
    pub(super) fn end(self, on_worker: bool) {
        // SAFETY: Envoy ends it once, and its object after that.
        let end = || unsafe {
            envoy_dynamic_module_on_http_filter_config_destroy(self.own);
            drop(Box::from_raw(self.envoy.cast::<ConfigObject>()));
        };
        if on_worker { end() } else { on_main(end) }
    }
}

/// The policy of a route.
pub(super) struct Route {
    pub(super) own: Own,
    pub(super) has_calls: bool,
}

impl Route {
    pub(super) fn good(has_calls: bool) -> Self {
        Self::of(policy(has_calls).as_bytes(), has_calls).expect("the policy is good")
    }

    /// As [`Config::of`].
    pub(super) fn of(text: &[u8], has_calls: bool) -> Option<Self> {
        let (name, text) = (lent(b"route"), lent(text));
        // SAFETY: both are there for the call.
        let own = on_main(|| unsafe {
            envoy_dynamic_module_on_http_filter_per_route_config_new(Bytes::of(&name), Bytes::of(&text))
        });
        (!own.is_null()).then_some(Self { own, has_calls })
    }

    /// As [`Config::end`].
    pub(super) fn end(self, on_worker: bool) {
        // SAFETY: it is ended once.
        let end = || unsafe { envoy_dynamic_module_on_http_filter_per_route_config_destroy(self.own) };
        if on_worker { end() } else { on_main(end) }
    }
}

/// A configuration, or the policy of a route, that the module refuses.
pub(super) fn refuse(input: &mut Input<'_>) {
    let how = input.next();
    let mut text = policy(true).into_bytes();
    match how & 3 {
        0 => text.truncate(text.len() / 2),
        1 => text = b"schemes: [".to_vec(),
        2 => text.insert(text.len() / 3, 0xff),
        _ => text = br#"{"security": [{"unknown": []}]}"#.to_vec(),
    }
    if how & 4 == 0 {
        assert!(Config::of(b"lychgate", &text, true).is_none(), "the policy is not good");
        assert!(Config::of(b"another", policy(true).as_bytes(), true).is_none(), "the name is not good");
    } else {
        assert!(Route::of(&text, true).is_none(), "the policy is not good");
    }
}

/// What has its time until it is replaced and the last request that it holds for is over.
pub(super) struct Held<T> {
    all: Vec<Entry<T>>,
}

struct Entry<T> {
    what: Option<T>,
    requests: usize,
    is_replaced: bool,
}

impl<T> Held<T> {
    pub(super) const fn new() -> Self {
        Self { all: Vec::new() }
    }

    /// How many there were.
    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// Puts another one, or none, in the place of the one in force.
    pub(super) fn replace(&mut self, what: Option<T>) {
        if let Some(last) = self.all.last_mut() {
            last.is_replaced = true;
        }
        self.all.push(Entry { what, requests: 0, is_replaced: false });
    }

    /// The one in force.
    pub(super) fn current(&self) -> Option<&T> {
        self.all.last()?.what.as_ref()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.all.iter().filter_map(|entry| entry.what.as_ref())
    }

    /// A request comes under the one in force; gives its place.
    pub(super) fn hold(&mut self) -> usize {
        let place = self.all.len() - 1;
        self.all[place].requests += 1;
        place
    }

    /// A request is over.
    pub(super) fn release(&mut self, place: usize) {
        self.all[place].requests -= 1;
    }

    /// Those that are over now.
    pub(super) fn over(&mut self) -> Vec<T> {
        let entries = self.all.iter_mut().filter(|entry| entry.is_replaced && entry.requests == 0);
        entries.filter_map(|entry| entry.what.take()).collect()
    }
}
