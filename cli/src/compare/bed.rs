//! What the two Envoys are started with: the filters of a policy before an answer that says what came through, with keys and
//! passwords of this run in the place of those of the policy.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::keygen::pair::Pair;

/// The password of every user, and its hashes.
pub const PASSWORD: &str = "secret";
const SHA1: &str = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";
const BCRYPT: &str = "$2b$04$MDEyMzQ1Njc4OWFiY2RlZee1DOydA/ZkGCG28Q.kqqJg4KKyFCMQa";

/// A key for each issuer.
#[derive(Default)]
pub struct Keyring(BTreeMap<String, Pair>);

impl Keyring {
    /// The key of an issuer; that of tokens without one has no name.
    ///
    /// # Errors
    /// If none can be made.
    pub fn of(&mut self, issuer: &str) -> Result<&Pair, String> {
        if !self.0.contains_key(issuer) {
            let number = self.0.len();
            let pair =
                Pair::generate(lychgate::keys::Algorithm::Es256, 0, Some(&format!("compare-{number}")))?;
            self.0.insert(issuer.to_owned(), pair);
        }
        self.0.get(issuer).ok_or_else(|| "no key".to_owned())
    }

    fn set(&mut self, issuer: Option<&str>) -> Result<Value, String> {
        let pair = self.of(issuer.unwrap_or_default())?;
        Ok(json!({"keys": [pair.public]}))
    }
}

/// The filters of a policy, and its routes.
#[derive(Clone, Debug, Default)]
pub struct Bed {
    /// HTTP filters.
    pub filters: Vec<Value>,
    /// `route_config`.
    pub routes: Option<Value>,
    /// Headers of which the answer says how they came through.
    pub watched: BTreeSet<String>,
}

/// How the name of such a header of an answer begins.
pub const UPSTREAM: &str = "x-upstream-";

/// Writes fields of protobuf's JSON as Envoy's documentation has them.
pub fn snake(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let is_free = |key: &str| key.contains(|letter: char| !letter.is_ascii_alphanumeric());
            members
                .iter()
                .map(|(key, own)| {
                    let key = if is_free(key) { key.clone() } else { crate::import::snake_case(key) };
                    (key, snake(own))
                })
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        Value::Array(items) => items.iter().map(snake).collect(),
        other => other.clone(),
    }
}

fn is_of(filter: &Value, kind: &str) -> bool {
    filter["typed_config"]["@type"].as_str().is_some_and(|own| own.ends_with(kind))
}

/// Puts keys and passwords of this run into a filter.
///
/// # Errors
/// If no key can be made.
pub fn with_own_secrets(filter: &mut Value, keyring: &mut Keyring, module: &str) -> Result<(), String> {
    if is_of(filter, "jwt_authn.v3.JwtAuthentication") {
        let providers = filter.pointer_mut("/typed_config/providers").and_then(Value::as_object_mut);
        for (_, provider) in providers.into_iter().flatten() {
            let set = keyring.set(provider["issuer"].as_str())?.to_string();
            if let Some(provider) = provider.as_object_mut() {
                provider.remove("remote_jwks");
                provider.insert("local_jwks".into(), json!({"inline_string": set}));
            }
        }
    } else if is_of(filter, "basic_auth.v3.BasicAuth") {
        let list = filter["typed_config"]["users"]["inline_string"].as_str().unwrap_or_default();
        let users =
            list.lines().filter_map(|line| line.split_once(':')).map(|(user, _)| format!("{user}:{SHA1}"));
        filter["typed_config"]["users"] = json!({"inline_string": users.collect::<Vec<_>>().join("\n")});
    } else if is_of(filter, "wasm.v3.Wasm") {
        let config = &mut filter["typed_config"]["config"];
        config["vm_config"]["code"] = json!({"local": {"filename": module}});
        config["vm_config"]["vm_id"] = "lychgate".into();
        let value = &mut config["configuration"]["value"];
        if let Some(text) = value.as_str() {
            *value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        }
        configured(value, keyring)?;
    }
    Ok(())
}

/// The same for a configuration of Lychgate.
fn configured(value: &mut Value, keyring: &mut Keyring) -> Result<(), String> {
    for (_, scheme) in value.get_mut("schemes").and_then(Value::as_object_mut).into_iter().flatten() {
        let Some(jwt) = scheme.get_mut("jwt").and_then(Value::as_object_mut) else { continue };
        for issuer in jwt.get_mut("issuers").and_then(Value::as_array_mut).into_iter().flatten() {
            let set = keyring.set(issuer["issuer"].as_str())?;
            *issuer = json!({"issuer": issuer["issuer"], "jwks": set});
        }
        if !jwt.contains_key("issuers") {
            let set = keyring.set(jwt.get("issuer").and_then(Value::as_str))?;
            for key in [
                "keys",
                "remote_jwks",
                "cluster",
                "jwks_cluster",
                "timeout_seconds",
                "refresh_seconds",
                "algorithms",
            ] {
                jwt.remove(key);
            }
            jwt.insert("jwks".into(), set);
        }
    }
    for (_, directory) in value.get_mut("users").and_then(Value::as_object_mut).into_iter().flatten() {
        for user in
            directory.as_array_mut().into_iter().flatten().filter(|user| user.get("password").is_some())
        {
            user["password"] = BCRYPT.into();
        }
    }
    Ok(())
}

/// The wasm filter for a configuration.
pub fn wasm_filter(configuration: &Value) -> Value {
    json!({"name": "lychgate", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": "lychgate", "allow_on_headers_stop_iteration": true,
            "vm_config": {"vm_id": "lychgate", "runtime": "envoy.wasm.runtime.v8"},
            "configuration": {"@type": "type.googleapis.com/google.protobuf.Struct", "value": configuration},
        },
    }})
}

/// The answer of a request that passes.
pub const PASSED: &str = "passed";

fn answering(route: &mut Value) {
    if let Some(route) = route.as_object_mut() {
        for action in [
            "route",
            "redirect",
            "non_forwarding_action",
            "filter_action",
            "decorator",
            "request_headers_to_add",
        ] {
            route.remove(action);
        }
        route.insert("direct_response".into(), json!({"status": 200, "body": {"inline_string": PASSED}}));
    }
}

/// A whole Envoy with a listener for each bed, all on free ports.
pub fn bootstrap(beds: &[Bed]) -> Value {
    const TYPES: &str = "type.googleapis.com/envoy.extensions.filters";
    let address = json!({"socket_address": {"address": "127.0.0.1", "port_value": 0}});
    let listener = |(number, bed): (usize, &Bed)| {
        let mut routes = bed.routes.clone().unwrap_or_else(|| {
            json!({"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}}]}]})
        });
        for host in routes.get_mut("virtual_hosts").and_then(Value::as_array_mut).into_iter().flatten() {
            host.get_mut("routes").and_then(Value::as_array_mut).into_iter().flatten().for_each(answering);
        }
        let watched = bed.watched.iter().map(
            |name| json!({"header": {"key": format!("{UPSTREAM}{name}"), "value": format!("%REQ({name})%")}}),
        );
        match routes.get_mut("response_headers_to_add").and_then(Value::as_array_mut) {
            Some(own) => own.extend(watched),
            None => routes["response_headers_to_add"] = watched.collect(),
        }
        let mut filters = bed.filters.clone();
        filters.push(json!({"name": "envoy.filters.http.router", "typed_config": {"@type": format!("{TYPES}.http.router.v3.Router")}}));
        json!({
            "name": format!("bed-{number}"), "address": address,
            "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": {
                    "@type": format!("{TYPES}.network.http_connection_manager.v3.HttpConnectionManager"),
                    "stat_prefix": format!("bed_{number}"), "use_remote_address": true, "xff_num_trusted_hops": 1,
                    "normalize_path": true, "route_config": routes, "http_filters": filters,
                },
            }]}],
        })
    };
    json!({
        "admin": {"address": address},
        "static_resources": {"listeners": beds.iter().enumerate().map(listener).collect::<Vec<_>>()},
    })
}
