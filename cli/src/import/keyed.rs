//! `api_key_auth` and `basic_auth`: credentials that are written in the configuration.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::carry::{Carrier, strings};
use super::chain::{Gate, Link};
use super::envoy::{Route, needs_of, overrides, unauthorised};
use super::need::Needs;
use super::providers::in_order;
use crate::document::Node;

/// A hash of a password that no one knows, for users whose own hash cannot be carried over. It was made of random bytes.
const LOCKED: &str = "$2b$10$lQqC2zy461Pg3xPl6TzsNu/FKxRpyuM5BiIcQP4Gh/2ELKNk2jPJW";

/// The SHA-256 of a key, as a configuration has it.
pub fn digest(key: &str) -> String {
    Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.value.field(key).and_then(|node| node.value.text()).filter(|text| !text.is_empty())
}

/// The keys of a list of `credentials`.
fn credentials(config: &Node, carrier: &mut Carrier) -> Option<Vec<Value>> {
    let node = config.value.field("credentials")?;
    let mut keys = Vec::new();
    for credential in node.value.items() {
        match (text(credential, "key"), text(credential, "client")) {
            (Some(key), Some(client)) => keys.push(json!({"id": client, "sha256": digest(key)})),
            _ => carrier.denies(
                credential,
                "a key that is not written here is not carried over; add its SHA-256 to `api_keys`",
            ),
        }
    }
    Some(keys)
}

/// The places of a list of `key_sources`.
fn places(config: &Node) -> Option<Vec<Value>> {
    let sources = config.value.field("key_sources")?;
    let mut places = Vec::new();
    for source in sources.value.items() {
        if let Some(header) = text(source, "header") {
            // The filter takes `Bearer ` off in any header.
            places.push(json!({"header": header, "prefix": "Bearer "}));
            places.push(json!({"header": header, "prefix": ""}));
        } else if let Some(query) = text(source, "query") {
            places.push(json!({"query": query}));
        } else if let Some(cookie) = text(source, "cookie") {
            places.push(json!({"cookie": cookie}));
        }
    }
    (!places.is_empty()).then_some(places)
}

/// A scheme of API keys in these places, and its directory.
pub fn key_scheme(
    name: &str,
    keys: Vec<Value>,
    places: Vec<Value>,
    forwards: bool,
    carrier: &mut Carrier,
) -> Needs {
    let directory = Carrier::add_directory(&mut carrier.api_keys, name, keys.into());
    let (places, _) = in_order(places);
    let kind =
        |place: &Value| ["header", "query", "cookie"].into_iter().find(|kind| place.get(kind).is_some());
    let first = places.first().and_then(|place| Some((kind(place)?, place.get(kind(place)?)?.clone())));
    let Some((kind, key_name)) = first else { return Needs::cut() };
    let mut scheme = json!({
        "type": "apiKey", "in": kind, "name": key_name, "api_keys": directory, "missing_status": unauthorised(),
        "from": places, "from_order": "first",
    });
    if forwards {
        scheme["forward"] = true.into();
    }
    needs_of(scheme, name, carrier)
}

/// `api_key_auth`.
pub fn api_key_auth(config: &Node, name: &str, routes: &[Route<'_>], carrier: &mut Carrier) -> Link {
    let mut keys = credentials(config, carrier).unwrap_or_default();
    let mut own_places = places(config).unwrap_or_default();
    let mut settings = Map::new();
    let forwarding = config.value.field("forwarding");
    let hides = |node: Option<&Node>| {
        node.and_then(|node| node.value.field("hide_credentials")).is_some_and(|node| node.value.is_true())
    };
    let hides = hides(forwarding);
    if let Some(header) = forwarding.and_then(|node| text(node, "header")) {
        settings.insert("subject".into(), header.to_ascii_lowercase().into());
    }
    let said = overrides(name, routes, carrier, |config, carrier| {
        let mut keys = credentials(config, carrier).unwrap_or_else(|| keys.clone());
        let places = places(config).unwrap_or_else(|| own_places.clone());
        let allowed = strings(config.value.field("allowed_clients"));
        if !allowed.is_empty() {
            keys.retain(|key| key["id"].as_str().is_some_and(|id| allowed.iter().any(|own| own == id)));
        }
        Some(key_scheme("api_key", keys, places, !hides, carrier))
    });
    let needs =
        key_scheme("api_key", std::mem::take(&mut keys), std::mem::take(&mut own_places), !hides, carrier);
    if !settings.is_empty() {
        carrier.settings.insert("identity_headers".into(), settings.into());
    }
    Link::Gate(Gate { routes: said, rules: Vec::new(), otherwise: Some(needs) })
}

/// `basic_auth`.
pub fn basic_auth(config: &Node, name: &str, routes: &[Route<'_>], carrier: &mut Carrier) -> Link {
    if let Some(header) = text(config, "forward_username_header") {
        carrier.settings.insert("identity_headers".into(), json!({"subject": header.to_ascii_lowercase()}));
    }
    let header = text(config, "authentication_header").map(str::to_owned);
    let said = overrides(name, routes, carrier, |config, carrier| {
        Some(basic_scheme(config, header.as_deref(), carrier))
    });
    let needs = basic_scheme(config, header.as_deref(), carrier);
    Link::Gate(Gate { routes: said, rules: Vec::new(), otherwise: Some(needs) })
}

fn basic_scheme(config: &Node, header: Option<&str>, carrier: &mut Carrier) -> Needs {
    let Some(users) = config.value.field("users") else { return Needs::cut() };
    let list = match (text(users, "inline_string"), text(users, "filename")) {
        (Some(list), _) => Some(list.to_owned()),
        (None, Some(file)) => {
            let near = std::path::Path::new(&carrier.file).parent().map(|folder| folder.join(file));
            let found = [Some(std::path::PathBuf::from(file)), near].into_iter().flatten();
            found.filter_map(|path| std::fs::read_to_string(path).ok()).next()
        }
        (None, None) => None,
    };
    let Some(list) = list else {
        carrier.denies(users, "the list of users is not there; add them to `users`");
        return Needs::cut();
    };
    basic_of_htpasswd(&list, header, users, carrier)
}

/// A scheme for the users of an htpasswd file.
pub fn basic_of_htpasswd(list: &str, header: Option<&str>, node: &Node, carrier: &mut Carrier) -> Needs {
    let mut people = Vec::new();
    let mut locked = Vec::new();
    for line in list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some((user, hash)) = line.split_once(':') else { continue };
        let is_kept = hash.starts_with("$2");
        if !is_kept {
            locked.push(user.to_owned());
        }
        people.push(json!({"username": user, "password": if is_kept { hash } else { LOCKED }}));
    }
    if !locked.is_empty() {
        carrier.denies(node, format!(
            "{{SHA}} has no salt, and no password of {} is carried over: `lychgate hash-password` makes a new one for each",
            locked.join(", ")
        ));
    }
    if people.is_empty() {
        return Needs::cut();
    }
    let directory = Carrier::add_directory(&mut carrier.users, "people", people.into());
    let mut scheme = json!({"type": "http", "scheme": "basic", "users": directory, "forward": true});
    if let Some(header) = header {
        scheme["from"] = json!([{"header": header, "prefix": "Basic "}]);
    }
    needs_of(scheme, "basic", carrier)
}
