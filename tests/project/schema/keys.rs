//! Every key that the plugin knows is in the schema, and the reverse.
//!
//! The plugin says which keys it knows where it meets one that it does not. So an unknown one is put into
//! every object of every configuration there is, and the answers are compared with the schema.

use std::collections::{BTreeMap, BTreeSet};

use lychgate::policy::Policy;
use serde_json::{Map, Value, json};

use super::{CONFIGURATION, behaviour, config_faults, schema, validator};

const UNKNOWN: &str = "zzz_unknown";

/// The objects of an instance, each as a JSON pointer, with the definition that describes it.
struct Walk<'s> {
    root: &'s Value,
    found: Vec<(String, String)>,
}

impl Walk<'_> {
    fn fits(&self, schema: &Value, value: &Value) -> bool {
        let mut schema = schema.clone();
        schema["$defs"] = self.root["$defs"].clone();
        validator(&schema).is_valid(value)
    }

    fn walk(&mut self, schema: &Value, name: &str, value: &Value, at: &str) {
        if let Some(target) = schema["$ref"].as_str() {
            let name = target.trim_start_matches("#/$defs/").to_owned();
            let schema = self.root["$defs"][&name].clone();
            return self.walk(&schema, &name, value, at);
        }
        if let (Some(alternatives), None) = (schema["anyOf"].as_array(), schema.get("properties")) {
            if let Some(one) = alternatives.iter().find(|one| self.fits(one, value)) {
                self.walk(one, name, value, at);
            }
            return;
        }
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            self.walk(&schema["items"], name, item, &format!("{at}/{index}"));
        }
        let Some(members) = value.as_object() else { return };
        if schema["additionalProperties"] == json!(false) {
            self.found.push((name.to_owned(), at.to_owned()));
        }
        for (key, member) in members {
            let own = schema["properties"].get(key).unwrap_or(&schema["additionalProperties"]);
            if own.is_object() {
                self.walk(own, name, member, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")));
            }
        }
    }
}

/// A closed object of a configuration that fits the schema.
pub struct Place {
    /// The definition that describes it; `(root)` for the whole.
    pub name: String,
    /// The configuration.
    pub config: Value,
    /// Where it is there, as a JSON pointer.
    pub at: String,
}

/// Closed objects of every configuration there is. Of those in the same place with the same members, one.
pub fn places(root: &Value) -> Vec<Place> {
    let whole = validator(root);
    let mut configs: Vec<Value> = behaviour::policies().into_iter().map(|(_, policy)| policy).collect();
    configs.extend(config_faults::faults().iter().filter_map(|fault| serde_json::from_str(&fault.text).ok()));
    // What is faulty by the number of its rules has no other keys than the rest, and takes seconds to compile.
    let is_small = |config: &Value| config["rules"].as_array().is_none_or(|rules| rules.len() < 100);
    configs.retain(|config| is_small(config) && whole.is_valid(config));
    let more = further();
    for config in &more {
        assert!(whole.is_valid(config), "{config}");
    }
    configs.extend(more);
    let (mut seen, mut places) = (BTreeSet::new(), Vec::new());
    for config in configs {
        let mut walk = Walk { root, found: Vec::new() };
        walk.walk(root, "(root)", &config, "");
        for (name, at) in walk.found {
            let object = config.pointer(&at).and_then(Value::as_object).expect("an object");
            let members: Vec<_> = object.keys().cloned().collect();
            if seen.insert((name.clone(), at.clone(), members)) {
                places.push(Place { name, config: config.clone(), at });
            }
        }
    }
    places
}

/// What the plugin says it knows in the object at `at`.
fn known(config: &Value, at: &str) -> Vec<String> {
    let mut config = config.clone();
    let object = config.pointer_mut(at).and_then(Value::as_object_mut).expect("an object");
    object.insert(UNKNOWN.into(), true.into());
    let environment = |_: &str| Some(lychgate_tests::keys::SECRET.to_owned());
    let errors = Policy::compile(config.to_string().as_bytes(), &environment).err().unwrap_or_default();
    let marked = errors.iter().find(|error| error.path.ends_with(UNKNOWN));
    let list = marked.and_then(|error| error.message.strip_prefix("unknown key; known here: "));
    list.map(|list| list.split(", ").map(str::to_owned).collect()).unwrap_or_default()
}

/// Configurations with everything in them that others have not.
fn further() -> Vec<Value> {
    let mut all = Vec::new();
    let remote = json!({"uri": "https://idp.example/x", "cluster": "idp"});
    let introspection = json!({"uri": "https://idp.example/x", "cluster": "idp", "client_id": "a", "client_secret": "b",
        "revocation": remote, "from": [{"cookie": "c"}, {"query": "q"}, {"header": "h"}]});
    let flow = json!({"tokenUrl": "/t", "authorizationUrl": "/a", "scopes": {}});
    let without = |key: &str| {
        let mut flow = flow.clone();
        flow.as_object_mut().expect("an object").remove(key);
        flow
    };
    let flows = json!({"implicit": without("tokenUrl"), "password": without("authorizationUrl"),
        "clientCredentials": without("authorizationUrl"), "authorizationCode": flow});
    let key = |material: &str, value: Value| json!({"alg": "HS256", material: value});
    for (name, value) in [
        ("introspection", introspection),
        (
            "jwt",
            json!({"keys": [key("secret", json!("x")), key("secret", json!({"env": "E"})), key("secret", json!({"base64": "AAAA"})),
            key("pem", json!("x")), key("pem", json!({"env": "E"})), key("jwk", json!({}))], "revoked": {}}),
        ),
        ("jwt", json!({"jwks": {"keys": []}})),
        ("jwt", json!({"remote_jwks": remote})),
        ("jwt", json!({"cluster": "idp"})),
        (
            "jwt",
            json!({"issuers": [{"issuer": "a", "cluster": "c"}, {"issuer": "b", "remote_jwks": remote},
            {"issuer": "c", "jwks": {"keys": []}}, {"issuer": "d", "keys": [key("secret", json!("x"))]}]}),
        ),
    ] {
        all.push(json!({"schemes": {
            "a": {"type": "http", "scheme": "bearer", name: value},
            "b": {"type": "oauth2", "flows": flows, name: value, "issue": {"clients": [{"client_id": "c"}]}},
            "c": {"type": "openIdConnect", "openIdConnectUrl": "https://idp.example", "users": "u", name: value},
        }}));
        // The same, described by a document.
        let document = json!({"openapi": "3.1.0", "info": {}, "paths": {}, "components": {"securitySchemes": {
            "a": {"type": "http", "scheme": "bearer"}, "b": {"type": "oauth2", "flows": {}},
            "c": {"type": "openIdConnect", "openIdConnectUrl": "x"}, "d": {"type": "apiKey", "in": "query", "name": "k"}}}});
        all.push(json!({"openapi": {"document": document}, "schemes": {
            "a": {name: value}, "b": {name: value}, "c": {name: value}, "d": {"api_keys": "d"}}}));
    }
    let certificates = json!([{"uri": "spiffe://a/b"}, {"dns": "a.example"}, {"subject": "CN=a"}, {"sha256": "0".repeat(64)}]);
    all.push(json!({"schemes": {"m": {"type": "mutualTLS", "allow": certificates}}}));
    let rules = ["path", "prefix", "regex"].map(|kind| json!({"match": {kind: "/x"}, "security": []}));
    all.push(json!({
        "rules": rules,
        "errors": {}, "cache": {}, "passwords": {}, "identity_headers": {}, "openapi": {},
        "users": {"u": [{"username": "u"}]}, "api_keys": {"k": [{"id": "k", "sha256": "0".repeat(64)}]},
    }));
    all
}

#[test]
fn each_knows_the_keys_of_the_other() {
    let root = schema(CONFIGURATION);
    let asked = places(&root);
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for place in &asked {
        told.entry(place.name.clone()).or_default().extend(known(&place.config, &place.at));
    }
    let none = Map::new();
    let defs = root["$defs"].as_object().unwrap_or(&none);
    let mut count = 0;
    for (name, own) in defs.iter().map(|(name, own)| (name.as_str(), own)).chain([("(root)", &root)]) {
        if own["additionalProperties"] != json!(false) {
            continue;
        }
        let described: BTreeSet<_> =
            own["properties"].as_object().expect("properties").keys().cloned().collect();
        let known = told.get(name).cloned().unwrap_or_default();
        let known: BTreeSet<_> =
            known.into_iter().filter(|key| *key != "type" || described.contains("type")).collect();
        assert_eq!(described, known, "{name}: in the schema, and known to the plugin");
        count += described.len();
    }
    println!("{} objects asked about, {count} keys in the schema and in the plugin", asked.len());
    assert!(count > 150, "{count}");
}
