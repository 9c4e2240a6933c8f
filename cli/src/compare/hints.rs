//! What two policies speak of: the paths, methods, hosts, headers, addresses and credentials that requests are made of.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What is spoken of.
#[derive(Debug, Default)]
pub struct Hints {
    /// Paths.
    pub paths: BTreeSet<String>,
    /// Methods.
    pub methods: BTreeSet<String>,
    /// Hosts.
    pub hosts: BTreeSet<String>,
    /// Headers and their values.
    pub headers: BTreeMap<String, BTreeSet<String>>,
    /// Addresses of clients.
    pub clients: BTreeSet<String>,
    /// Issuers, each with the audiences of its tokens.
    pub issuers: BTreeMap<String, BTreeSet<String>>,
    /// Claims, by their steps, and their values.
    pub claims: BTreeMap<Vec<String>, BTreeSet<String>>,
    /// Scopes.
    pub scopes: BTreeSet<String>,
    /// API keys.
    pub keys: BTreeSet<String>,
    /// Users.
    pub users: BTreeSet<String>,
    /// Places of credentials: the kind, the name and what stands before the credential.
    pub places: BTreeSet<(String, String, String)>,
    /// Headers in which the filters tell the upstream something.
    pub told: BTreeSet<String>,
}

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

impl Hints {
    /// Adds what a part of a policy speaks of. It may be a filter of Envoy or a configuration of Lychgate.
    pub fn add(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add_text(text),
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::Object(members) => {
                for (key, member) in members {
                    self.add_member(key, member);
                    self.add(member);
                }
                self.add_object(value);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn add_text(&mut self, text: &str) {
        if METHODS.contains(&text) {
            self.methods.insert(text.to_owned());
        }
        if text.starts_with('/') && !text.contains(' ') && !text.ends_with(".wasm") {
            self.paths.insert(text.to_owned());
        }
    }

    fn add_member(&mut self, key: &str, member: &Value) {
        match key {
            "hosts" | "domains" => self.hosts.extend(texts(member)),
            "client" => self.clients.extend(texts(member)),
            "scopes" if member.is_array() => self.scopes.extend(texts(member)),
            "username" => self.users.extend(texts(member)),
            "claims" => {
                for (reference, condition) in member.as_object().into_iter().flatten() {
                    let steps = match reference.strip_prefix('/') {
                        Some(pointer) => pointer.split('/').map(str::to_owned).collect(),
                        None => reference.split('.').map(str::to_owned).collect(),
                    };
                    self.claims.entry(steps).or_default().extend(texts(condition));
                }
            }
            "security" => {
                for (_, need) in
                    member.as_array().into_iter().flatten().filter_map(Value::as_object).flatten()
                {
                    if need.is_array() {
                        self.scopes.extend(texts(need));
                    }
                }
            }
            "headers" => {
                // Of a rule of Lychgate: names and conditions.
                for (name, condition) in member.as_object().into_iter().flatten() {
                    self.headers.entry(name.clone()).or_default().extend(texts(condition));
                }
            }
            _ => {}
        }
    }

    fn add_object(&mut self, value: &Value) {
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        if let Some(issuer) = text("issuer") {
            self.issuers.entry(issuer).or_default().extend(texts(&value["audiences"]));
        } else if value.get("jwks").is_some() || value.get("local_jwks").is_some() {
            self.issuers.entry(String::new()).or_default().extend(texts(&value["audiences"]));
        }
        if let (Some(key), Some(_)) = (text("key"), text("client")) {
            self.keys.insert(key);
        }
        if let Some(address) = text("address_prefix") {
            self.clients.insert(address);
        }
        let told = [
            text("header_name"),
            text("forward_payload_header"),
            text("payload_to_header"),
            text("forward_username_header"),
        ];
        self.told.extend(told.into_iter().flatten().map(|name| name.to_ascii_lowercase()));
        self.told.extend(value["forwarding"]["header"].as_str().map(str::to_ascii_lowercase));
        if let (Some(name), Some(matcher)) = (text("name"), value.get("string_match")) {
            match name.as_str() {
                ":authority" => self.hosts.extend(texts(matcher)),
                name if !name.starts_with(':') => {
                    self.headers.entry(name.to_owned()).or_default().extend(texts(matcher));
                }
                _ => {}
            }
        }
        if value["filter"] == "envoy.filters.http.jwt_authn" {
            let path = value["path"].as_array().into_iter().flatten().filter_map(|step| step["key"].as_str());
            let steps: Vec<String> = path.skip(1).map(str::to_owned).collect();
            if !steps.is_empty() {
                self.claims.entry(steps).or_default().extend(texts(&value["value"]));
            }
        }
        for (kind, key) in [("header", "header"), ("query", "query"), ("cookie", "cookie")] {
            if let Some(name) = text(key).filter(|_| value.as_object().is_some_and(|own| own.len() <= 2)) {
                self.places.insert((kind.to_owned(), name, text("prefix").unwrap_or_default()));
            }
        }
        if let (Some(kind), Some(name)) = (text("in"), text("name")) {
            self.places.insert((kind, name, String::new()));
        }
        for place in value["from_headers"].as_array().into_iter().flatten() {
            let own = |key: &str| place[key].as_str().unwrap_or_default().to_owned();
            self.places.insert(("header".into(), own("name"), own("value_prefix")));
        }
        for (kind, key) in [("query", "from_params"), ("cookie", "from_cookies")] {
            self.places
                .extend(texts(&value[key]).into_iter().map(|name| (kind.to_owned(), name, String::new())));
        }
        let source = |key: &str| text(key).filter(|_| value.as_object().is_some_and(|own| own.len() == 1));
        if let Some(list) = source("inline_string") {
            let users = list.lines().filter_map(|line| line.split_once(':'));
            self.users.extend(
                users
                    .filter(|(_, hash)| hash.starts_with('{') || hash.starts_with('$'))
                    .map(|(user, _)| user.to_owned()),
            );
        }
    }

    /// The headers that may have a credential.
    pub fn with_credentials(&self) -> BTreeSet<String> {
        let places = self.places.iter().filter(|(kind, ..)| kind == "header");
        let names = places.map(|(_, name, _)| name.to_ascii_lowercase());
        names.chain(["authorization".to_owned()]).filter(|name| !name.starts_with(':')).collect()
    }

    /// The paths to ask for: each that is spoken of, what lies below and beside it, and some of each expression.
    pub fn paths_to_ask(&self) -> BTreeSet<String> {
        let mut paths = BTreeSet::from(["/".to_owned(), "/elsewhere".to_owned()]);
        for path in &self.paths {
            let samples = if path.contains(['*', '+', '[', '(', '\\', '{', '|', '?', '$']) {
                samples(path)
            } else {
                vec![path.clone()]
            };
            for own in samples {
                let bare = own.trim_end_matches('/');
                if !bare.is_empty() {
                    paths.insert(bare.to_owned());
                }
                paths.extend([own.clone(), format!("{own}x"), format!("{bare}/x"), format!("{bare}/x/y")]);
            }
        }
        // Of such paths one filter thinks otherwise than the other, and Lychgate refuses them.
        paths.retain(|path| {
            path.starts_with('/') && !path.contains("//") && path.bytes().all(|b| b.is_ascii_graphic())
        });
        paths
    }
}

/// Some paths that an expression or a template may match.
fn samples(pattern: &str) -> Vec<String> {
    let mut text = pattern.trim_start_matches('^').trim_end_matches('$').to_owned();
    for (from, to) in [
        ("{**}", "a/b"),
        ("{*}", "a"),
        ("[^/]+", "a"),
        ("[^/]*", "a"),
        ("[0-9]+", "7"),
        ("\\d+", "7"),
        ("[a-z]+", "a"),
        ("[a-z0-9-]+", "a7"),
        ("\\w+", "a"),
        (".*", "a"),
        (".+", "a"),
        ("(?:", "("),
        ("/?", "/"),
    ] {
        text = text.replace(from, to);
    }
    // Each choice of a group without groups in it.
    let mut some = vec![text];
    while let Some(position) = some.iter().position(|own| own.contains('(')) {
        let own = some.swap_remove(position);
        let Some((before, rest)) = own.rsplit_once('(') else { break };
        let Some((inner, after)) = rest.split_once(')') else { break };
        let after = after.trim_start_matches(['?', '+', '*']);
        some.extend(inner.split('|').map(|choice| format!("{before}{choice}{after}")));
        if some.len() > 40 {
            break;
        }
    }
    let mut plain = Vec::new();
    for own in some {
        let mut own = own.replace('\\', "");
        while let (Some(start), Some(end)) = (own.find('{'), own.find('}')) {
            if start > end {
                break;
            }
            own.replace_range(start..=end, "a");
        }
        own.retain(|letter| !"[]+?()*$^".contains(letter));
        plain.push(own);
    }
    plain
}
