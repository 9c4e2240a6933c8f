//! The beginning of a configuration for an OpenAPI document: its rules written out, its schemes
//! waiting for their keys and people.

mod notes;

use serde_json::{Map, Value, json};

use crate::config::node::Node;
use crate::config::openapi::Options;
use crate::config::openapi::import::{self, Imported, ImportedScheme};
use crate::config::{ConfigError, Errors, NeedConfig, Path, PathConfig, SecurityConfig};

/// The beginning of a configuration.
#[derive(Debug)]
pub struct Skeleton {
    /// Its sections, in the order they are best read in.
    pub sections: Vec<(&'static str, Value)>,
    /// What was read by a guess or left out, and what is left to write, each with its place in the document.
    pub notes: Vec<ConfigError>,
}

/// The beginning of a configuration for `document`. Operations that the document does not secure are public if
/// `public`, and left out otherwise.
///
/// # Errors
/// The errors of the document.
pub fn skeleton(document: &Value, public: bool) -> Result<Skeleton, Vec<ConfigError>> {
    let errors = Errors::default();
    let node = Node { value: document, path: &Path::Root, errors: &errors };
    let imported = import::read(node, &Options::default());
    let imported = errors.finish(imported.unwrap_or_default())?;
    let mut notes = notes::of(document, &imported, public);
    let mut sections = vec![("schemes", schemes(&imported))];
    for (key, name, who) in [("users", "people", "user"), ("api_keys", "clients", "API key")] {
        if sections_need(&sections, key) {
            let message = format!("is empty: no {who} is accepted until you write one");
            notes.push(ConfigError { path: format!("{key}.{name}"), message });
            sections.push((key, json!({name: []})));
        }
    }
    sections.push(("rules", rules(&imported, public)));
    Ok(Skeleton { sections, notes })
}

/// Whether a scheme refers to a directory under `key`.
fn sections_need(sections: &[(&str, Value)], key: &str) -> bool {
    let schemes = sections.iter().filter_map(|(_, section)| section.as_object());
    schemes.flat_map(Map::values).any(|scheme| scheme.get(key).is_some())
}

fn schemes(imported: &Imported) -> Value {
    let scheme = |ImportedScheme { name, description: described, .. }: &ImportedScheme| {
        let mut scheme = described.clone();
        let text = |key: &str| described.get(key).and_then(Value::as_str).unwrap_or_default();
        let mut additions =
            json!({"jwt": {"keys": [{"alg": "HS256", "secret": {"env": "LYCHGATE_SECRET"}}]}});
        if text("type") == "apiKey" {
            additions = json!({"api_keys": "clients"});
        } else if text("scheme").eq_ignore_ascii_case("basic") {
            additions = json!({"users": "people"});
        } else if let Some(url) = described.pointer("/flows/password/tokenUrl").and_then(Value::as_str)
            && !url.contains("://")
            && let Some(additions) = additions.as_object_mut()
        {
            additions.insert("users".into(), "people".into());
            additions.insert("issue".into(), json!({}));
        }
        if let (Some(scheme), Value::Object(additions)) = (scheme.as_object_mut(), additions) {
            scheme.extend(additions);
        }
        (name.clone(), scheme)
    };
    let verifiable = imported.schemes.iter().filter(|scheme| scheme.unverifiable.is_none());
    Value::Object(verifiable.map(scheme).collect())
}

fn rules(imported: &Imported, public: bool) -> Value {
    // The requirement. `None`: every request is refused.
    let mut rules: Vec<(Value, Vec<String>, Option<SecurityConfig>)> = Vec::new();
    for rule in &imported.rules {
        let security = match &rule.security {
            Some(security) => {
                let left = imported.checkable(security, |_| false);
                // An empty list would be public.
                (security.is_empty() || !left.is_empty()).then_some(left)
            }
            None if public => Some(SecurityConfig::new()),
            None => continue,
        };
        let path = match &rule.path {
            PathConfig::Template(template) => json!({"path": template}),
            PathConfig::Prefix(prefix) => json!({"prefix": prefix}),
            PathConfig::Beginning(text) => json!({"prefix": format!("{text}*")}),
            PathConfig::Regex(regex) => json!({"regex": regex}),
        };
        match rules.last_mut() {
            // Operations of one path that need the same are one rule.
            Some((own, methods, needed)) if *own == path && *needed == security => {
                methods.extend(rule.methods.iter().cloned());
            }
            _ => rules.push((path, rule.methods.clone(), security)),
        }
    }
    let rule = |(mut matching, methods, security): (Value, Vec<String>, Option<SecurityConfig>)| {
        if let Some(matching) = matching.as_object_mut() {
            matching.insert("methods".into(), methods.into());
        }
        let alternative = |schemes: Vec<(String, NeedConfig)>| {
            Value::Object(schemes.into_iter().map(|(name, need)| (name, need.to_json())).collect())
        };
        let security: Value = match security {
            Some(security) => security.into_iter().map(alternative).collect(),
            None => "denied".into(),
        };
        json!({"match": matching, "security": security})
    };
    rules.into_iter().map(rule).collect()
}
