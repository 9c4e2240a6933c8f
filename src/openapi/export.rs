//! OpenAPI out: a policy as an OpenAPI 3.1 document, with FastAPI's shapes for the security
//! schemes. Where the configuration holds a document, that one with the security parts merged in.

mod operation;
mod scheme;

pub use scheme::security_scheme;

use serde_json::{Map, Value, json};

use crate::config::{
    Config, ConfigError, ErrorSettings, Errors, OAuth2Config, PathConfig, SchemeKind, SecurityConfig,
    Unsecured,
};
use crate::decision::ErrorFormat;
use crate::policy::{Environment, PathMatcher, Policy};
use operation::{Described, operation, token_operation};

/// The methods a rule without `methods` is described by.
const USUAL_METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];
/// The methods of a Path Item Object (OpenAPI 3.1 section 4.8.9).
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The document of a plugin configuration.
///
/// # Errors
/// The errors of the configuration.
pub fn describe(bytes: &[u8], environment: Environment<'_>) -> Result<Value, Vec<ConfigError>> {
    let errors = Errors::default();
    let config = Config::read(bytes, &errors);
    let document = document(&config);
    Policy::of(config, environment, errors)?;
    Ok(document)
}

/// One rule as far as a document can tell it.
struct Rule<'a> {
    path: &'a PathConfig,
    matcher: Option<PathMatcher>,
    methods: Option<&'a [String]>,
    anywhere: bool,
    /// What it needs; nothing: what a request needs that no rule speaks of.
    security: Option<&'a SecurityConfig>,
}

/// The document of a configuration that was read.
#[must_use]
pub fn document(config: &Config) -> Value {
    let public = SecurityConfig::new();
    let rules = rules(config, &public);
    let token_urls = token_urls(config);
    let mut document = match &config.openapi.document {
        Some((_, document)) => merged(config, document, &rules),
        None => json!({
            "openapi": "3.1.0",
            "info": {"title": "Lychgate", "version": "1"},
            "paths": paths(config, &rules),
        }),
    };
    for (key, text) in [("title", &config.openapi.title), ("version", &config.openapi.version)] {
        if let (Some(text), Some(info)) = (text, object(&mut document, "info")) {
            info.insert(key.into(), text.as_str().into());
        }
    }
    if let Some(paths) = object(&mut document, "paths") {
        for url in token_urls {
            let item = paths.entry(url.clone()).or_insert_with(|| json!({}));
            if let Some(item) = item.as_object_mut() {
                item.entry("post").or_insert_with(|| token_operation(&url, config.errors));
            }
        }
    }
    if let Some(components) = object(&mut document, "components") {
        let schemes = components.entry("securitySchemes").or_insert_with(|| json!({}));
        if let Some(schemes) = schemes.as_object_mut() {
            for (name, scheme) in &config.schemes {
                if let Some(scheme) = scheme {
                    schemes.insert(name.clone(), security_scheme(scheme));
                }
            }
        }
    }
    document
}

/// The member `key` of a document, made where it is missing.
fn object<'v>(document: &'v mut Value, key: &str) -> Option<&'v mut Map<String, Value>> {
    document.as_object_mut()?.entry(key).or_insert_with(|| json!({})).as_object_mut()
}

fn rules<'a>(config: &'a Config, public: &'a SecurityConfig) -> Vec<Rule<'a>> {
    let written = config.rules.iter().flatten().filter_map(|rule| {
        let matching = rule.matcher.as_ref()?;
        let hosts = matching.hosts.as_deref().unwrap_or_default();
        Some(Rule {
            path: &matching.path,
            matcher: PathMatcher::new(&matching.path).ok(),
            methods: matching.methods.as_deref(),
            anywhere: hosts.is_empty(),
            security: rule.security.as_ref(),
        })
    });
    let document = config.openapi.document.as_ref();
    let imported = document.into_iter().flat_map(|(imported, _)| &imported.rules).map(|rule| Rule {
        path: &rule.path,
        matcher: PathMatcher::new(&rule.path).ok(),
        methods: Some(&rule.methods),
        anywhere: true,
        security: match (&rule.security, config.openapi.unsecured) {
            (Some(security), _) => Some(security),
            (None, Unsecured::Public) => Some(public),
            (None, Unsecured::Default) => None,
        },
    });
    written.chain(imported).collect()
}

fn token_urls(config: &Config) -> Vec<String> {
    let schemes = config.schemes.iter().filter_map(|(_, scheme)| match &scheme.as_ref()?.kind {
        SchemeKind::OAuth2(OAuth2Config { flows, issue: Some(_), .. }) => {
            let (_, flow) = flows.flows.iter().find(|(name, _)| *name == "password")?;
            crate::config::issue::served_path(flow.token_url.as_deref()?).ok()
        }
        _ => None,
    });
    schemes.collect()
}

/// Paths of the rules written by hand. A regular expression is no path, and is left out.
fn paths(config: &Config, rules: &[Rule<'_>]) -> Value {
    let mut paths = Map::new();
    for rule in rules {
        let path = match rule.path {
            PathConfig::Template(template) => template.clone(),
            PathConfig::Prefix(prefix) => format!("{}/{{path}}", prefix.trim_end_matches('/')),
            PathConfig::Regex(_) => continue,
        };
        let methods: Vec<String> = match rule.methods {
            Some(methods) => methods.iter().map(|method| method.to_ascii_lowercase()).collect(),
            None => USUAL_METHODS.map(str::to_owned).to_vec(),
        };
        let item = paths.entry(path.clone()).or_insert_with(|| json!({}));
        let Some(item) = item.as_object_mut() else { continue };
        for method in methods.iter().filter(|method| METHODS.contains(&method.as_str())) {
            // The first rule that matches wins here too.
            item.entry(method.clone()).or_insert_with(|| {
                let described = Described {
                    method,
                    path: &path,
                    is_prefix: matches!(rule.path, PathConfig::Prefix(_)),
                    security: rule.security.or(config.security.as_ref()),
                };
                operation(&described, config.errors)
            });
        }
    }
    Value::Object(paths)
}

/// The configuration's own document, every operation with what it really needs.
fn merged(config: &Config, document: &Value, rules: &[Rule<'_>]) -> Value {
    let mut document = document.clone();
    let Some(members) = document.as_object_mut() else { return document };
    // Each operation says its own.
    members.remove("security");
    let Some(paths) = members.get_mut("paths").and_then(Value::as_object_mut) else { return document };
    for (path, item) in paths {
        let Some(item) = item.as_object_mut() else { continue };
        for method in METHODS {
            let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) else { continue };
            let security = rules
                .iter()
                .find(|rule| rule.describes(&method.to_ascii_uppercase(), path))
                .and_then(|rule| rule.security)
                .or(config.security.as_ref());
            operation::secure(operation, security, config.errors);
        }
    }
    document
}

impl Rule<'_> {
    /// Whether it is the rule of an operation: its template is matched as if it were a path.
    fn describes(&self, method: &str, template: &str) -> bool {
        let speaks_of_method = self.methods.is_none_or(|methods| methods.iter().any(|own| own == method));
        self.anywhere && speaks_of_method && self.matcher.as_ref().is_some_and(|own| own.matches(template))
    }
}

/// How an error looks in the configured format: its media type and its schema.
fn error_content(errors: ErrorSettings) -> Value {
    let mut detail =
        json!({"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]});
    if errors.request_id
        && let Some(Value::Object(properties)) = detail.get_mut("properties")
    {
        properties.insert("request_id".into(), json!({"type": "string"}));
    }
    match errors.format {
        ErrorFormat::FastApi => json!({"application/json": {"schema": detail}}),
        ErrorFormat::Problem => json!({"application/problem+json": {"schema": detail}}),
        ErrorFormat::Text => json!({"text/plain": {"schema": {"type": "string"}}}),
    }
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
