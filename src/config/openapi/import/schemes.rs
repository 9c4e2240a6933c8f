//! `components.securitySchemes`: what of them is taken, and which are of a kind that is not checked here.

use serde_json::{Map, Value};

use super::{Reader, members};
use crate::config::node::Node;
use crate::config::rules::SecurityConfig;

/// A scheme of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedScheme {
    /// Its name.
    pub name: String,
    /// Its Security Scheme Object, of which only what `schemes` knows.
    pub description: Value,
    /// What it is, if no credential of this kind can be checked here: `http digest`.
    pub unverifiable: Option<String>,
    /// Its JSON path.
    pub place: String,
}

impl Reader<'_> {
    pub(super) fn schemes(&self) -> Option<Vec<ImportedScheme>> {
        let schemes =
            self.document.get("components").and_then(|components| components.get("securitySchemes"));
        let Some(schemes) = schemes else { return Some(Vec::new()) };
        let place = self.node.path.key("components");
        let place = place.key("securitySchemes");
        let node = Node { path: &place, ..self.node };
        let mut read = Vec::new();
        for (name, scheme) in members(node, schemes)? {
            let place = place.key(name);
            let node = Node { path: &place, ..self.node };
            let scheme = self.follow(node, members(node, scheme)?, |_, _| {})?;
            read.push(ImportedScheme {
                name: name.clone(),
                description: scheme_object(&scheme),
                unverifiable: unverifiable(&scheme),
                place: place.to_string(),
            });
        }
        Some(read)
    }

    /// A requirement may name a scheme by its URI (OpenAPI 3.2 section 4.30): one within the document is the scheme
    /// of that name.
    pub(super) fn name_schemes(&self, security: &mut SecurityConfig) {
        const SCHEMES: &str = "#/components/securitySchemes/";
        let declared = self.node.value.pointer("/components/securitySchemes");
        for (name, _) in security.iter_mut().flatten() {
            let is_declared = declared.is_some_and(|schemes| schemes.get(name.as_str()).is_some());
            if let Some(own) = name.strip_prefix(SCHEMES).filter(|_| !is_declared) {
                let own = percent_encoding::percent_decode_str(own).decode_utf8_lossy();
                *name = own.replace("~1", "/").replace("~0", "~");
            }
        }
    }
}

/// What `schemes` knows of a Security Scheme Object; extensions are left out at every level.
fn scheme_object(members: &Map<String, Value>) -> Value {
    const KNOWN: [&str; 10] = [
        "type",
        "description",
        "name",
        "in",
        "scheme",
        "bearerFormat",
        "flows",
        "openIdConnectUrl",
        "oauth2MetadataUrl",
        "deprecated",
    ];
    let mut known = Map::new();
    let members = members.iter().filter(|(key, _)| KNOWN.contains(&key.as_str()));
    known.extend(members.map(|(key, value)| (key.clone(), value.clone())));
    if let Some(Value::Object(flows)) = known.get_mut("flows") {
        flows.retain(|name, _| !name.starts_with("x-"));
        for flow in flows.values_mut().filter_map(Value::as_object_mut) {
            flow.retain(|name, _| !name.starts_with("x-"));
        }
    }
    Value::Object(known)
}

/// What a scheme is, if it is not of a kind that is checked here.
fn unverifiable(scheme: &Map<String, Value>) -> Option<String> {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or("none");
    let kind = text("type");
    let (key, known): (_, &[&str]) = match kind {
        "oauth2" | "openIdConnect" => return None,
        "http" => ("scheme", &["basic", "bearer"]),
        "apiKey" => ("in", &["header", "query", "cookie"]),
        _ => return Some(kind.to_owned()),
    };
    let own = text(key);
    (!known.iter().any(|known| known.eq_ignore_ascii_case(own))).then(|| format!("{kind} {own}"))
}
