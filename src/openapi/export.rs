//! OpenAPI out: a policy as an OpenAPI 3.1 document, with FastAPI's shapes for the security
//! schemes. Where the configuration holds a document, that one with the security parts merged in.

mod operation;
mod scheme;

pub use scheme::security_scheme;

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::config::openapi::import::{Imported, ImportedRule, METHODS, reference};

use crate::config::template::SPANNING;
use crate::config::{
    Config, ConfigError, ErrorSettings, Errors, OAuth2Config, PathConfig, RuleSecurity, SchemeKind,
    SecurityConfig, Unsecured,
};
use crate::decision::ErrorFormat;
use crate::policy::{Environment, Narrowing, PathMatcher, Policy, names};
use operation::{Described, operation, token_operation};

/// The methods a rule without `methods` is described by.
const USUAL_METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

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

/// One rule, as far as a document can describe it.
struct Rule<'a> {
    path: &'a PathConfig,
    matcher: Option<PathMatcher>,
    methods: Option<&'a [String]>,
    anywhere: bool,
    /// Its other conditions.
    narrowing: Option<Narrowing>,
    /// The requirement. `None`: it has an error, or every request is refused.
    security: Option<&'a SecurityConfig>,
    is_denied: bool,
}

/// The document of a configuration that was read.
#[must_use]
pub fn document(config: &Config) -> Value {
    let rules = rules(config);
    let token_urls = token_urls(config);
    let mut document = match &config.openapi.document {
        Some((imported, document)) => merged(config, imported, document, &rules),
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
    let has_servers = document.get("servers").is_some();
    if let Some(paths) = object(&mut document, "paths") {
        for (url, _) in token_urls {
            let mut imported = config.openapi.document.iter().flat_map(|(imported, _)| &imported.rules);
            let is_described = |rule: &ImportedRule| {
                let is_post = rule.methods.iter().any(|method| method == "POST");
                is_post && matches!(&rule.path, PathConfig::Template(path) if *path == url)
            };
            if imported.any(is_described) {
                continue;
            }
            let mut own = token_operation(&url, config.errors);
            if let (true, Some(own)) = (has_servers, own.as_object_mut()) {
                // The servers of the document have the paths of the document.
                own.insert("servers".into(), json!([{"url": "/"}]));
            }
            let item = paths.entry(url).or_insert_with(|| json!({}));
            if let Some(item) = item.as_object_mut() {
                item.entry("post").or_insert(own);
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

fn rules(config: &Config) -> Vec<Rule<'_>> {
    let written = config.rules.iter().flatten().filter_map(|rule| {
        let matching = rule.matcher.as_ref()?;
        let hosts = matching.hosts.as_deref().unwrap_or_default();
        let narrowing = Narrowing::of(matching);
        Some(Rule {
            path: &matching.path,
            matcher: PathMatcher::new(&matching.path).ok(),
            methods: matching.methods.as_deref(),
            anywhere: hosts.is_empty() && narrowing.as_ref().is_none_or(Narrowing::is_of_operations),
            narrowing,
            security: rule.security.as_ref().and_then(RuleSecurity::required),
            is_denied: matches!(rule.security, Some(RuleSecurity::Denied)),
        })
    });
    written.collect()
}

/// The path of each token endpoint, and its scheme.
fn token_urls(config: &Config) -> Vec<(String, &str)> {
    let schemes = config.schemes.iter().filter_map(|(name, scheme)| match &scheme.as_ref()?.kind {
        SchemeKind::OAuth2(OAuth2Config { flows, issue: Some(_), .. }) => {
            let (_, flow) = flows.flows.iter().find(|(name, _)| *name == "password")?;
            let url = crate::config::issue::served_path(flow.token_url.as_deref()?).ok()?;
            Some((url, name.as_str()))
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
            // A converter is no part of a parameter's name.
            PathConfig::Template(template) => template.replace(SPANNING, "}"),
            PathConfig::Prefix(prefix) => format!("{}/{{path}}", prefix.trim_end_matches('/')),
            PathConfig::Beginning(text) => format!("{text}{{path}}"),
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
                if rule.is_denied {
                    return Value::Null;
                }
                let described = Described {
                    method,
                    path: &path,
                    template: match rule.path {
                        PathConfig::Template(template) => template,
                        PathConfig::Prefix(_) | PathConfig::Beginning(_) | PathConfig::Regex(_) => &path,
                    },
                    is_prefix: matches!(rule.path, PathConfig::Prefix(_) | PathConfig::Beginning(_)),
                    security: rule.security.or(config.security.as_ref()),
                };
                operation(&described, config.errors)
            });
        }
    }
    // An operation that refuses every request is left out.
    for item in paths.values_mut().filter_map(Value::as_object_mut) {
        item.retain(|_, operation| !operation.is_null());
    }
    paths.retain(|_, item| item.as_object().is_some_and(|item| !item.is_empty()));
    Value::Object(paths)
}

/// The configuration's own document, with the effective requirement of every operation.
fn merged(config: &Config, imported: &Imported, document: &Value, rules: &[Rule<'_>]) -> Value {
    let mut merged = document.clone();
    let Some(members) = merged.as_object_mut() else { return merged };
    // Each operation says its own.
    members.remove("security");
    // The rules of each operation: one for each path that its servers give it.
    let mut of_operation: HashMap<String, Vec<&ImportedRule>> = HashMap::new();
    for rule in &imported.rules {
        for (path, method) in &rule.operations {
            of_operation.entry(format!("{method} {path}")).or_default().push(rule);
        }
    }
    let Some(paths) = members.get_mut("paths").and_then(Value::as_object_mut) else { return merged };
    for (path, item) in paths.iter_mut() {
        let Some(item) = item.as_object_mut() else { continue };
        written_out(document, item);
        let secure = |method: &str, operation: &mut Value| {
            let Some(operation) = operation.as_object_mut() else { return };
            written_out(document, operation);
            let own = of_operation.get(&format!("{method} {path}")).into_iter().flatten();
            let needed: Vec<_> = own.map(|rule| needed(config, imported, rule, method, rules)).collect();
            // Where its servers give it several paths that need different things, the document does not say that it is public.
            let is_told =
                |needed: &&Option<SecurityConfig>| needed.as_ref().is_none_or(|own| !own.is_empty());
            if let Some(security) = needed.iter().find(is_told).or(needed.first()) {
                operation::secure(operation, security.as_ref(), config.errors);
            }
        };
        for method in METHODS.iter().chain(&["query"]) {
            if let Some(operation) = item.get_mut(*method) {
                secure(&method.to_ascii_uppercase(), operation);
            }
        }
        let others = item.get_mut("additionalOperations").and_then(Value::as_object_mut);
        for (method, operation) in others.into_iter().flatten() {
            secure(method, operation);
        }
    }
    merged
}

/// What an operation needs at the path of `own`; `None`: it is refused.
fn needed(
    config: &Config,
    imported: &Imported,
    own: &ImportedRule,
    method: &str,
    rules: &[Rule<'_>],
) -> Option<SecurityConfig> {
    let PathConfig::Template(path) = &own.path else { return None };
    let is_login = |(url, scheme): &(String, &str)| {
        let mut named = own.security.iter().flatten().flatten();
        method == "POST" && url == path && own.is_inherited && named.any(|(name, _)| name == scheme)
    };
    if token_urls(config).iter().any(is_login) {
        // A client cannot need a token to get its first token.
        return Some(SecurityConfig::new());
    }
    if let Some(rule) = rules.iter().find(|rule| rule.describes(method, path)) {
        if rule.is_denied {
            // Refused to everyone, it keeps what it was meant to need.
            return own.security.clone().or_else(|| config.security.clone());
        }
        return rule.security.or(config.security.as_ref()).cloned();
    }
    let Some(security) = &own.security else {
        return match config.openapi.unsecured {
            Unsecured::Public => Some(SecurityConfig::new()),
            Unsecured::Default => config.security.clone(),
        };
    };
    let left = imported.checkable(security, |name| config.schemes.iter().any(|(own, _)| own == name));
    // Refused to everyone, it keeps what it was meant to need.
    Some(if left.is_empty() { security.clone() } else { left })
}

/// Puts what `$ref` leads to in the place of an object that has one.
fn written_out(document: &Value, members: &mut Map<String, Value>) {
    if members.contains_key("$ref") {
        let written = reference::follow(document, members, |_, _| {}).map(Cow::into_owned);
        *members = written.unwrap_or_else(|_| members.clone());
    }
}
impl Rule<'_> {
    /// Whether it is the rule of an operation: its template is matched as if it were a path.
    fn describes(&self, method: &str, template: &str) -> bool {
        // Whether a rule that names HEAD comes before is not known here: where GET has an operation, it is its HEAD too.
        let (method, covers_head) = (method.as_bytes(), true);
        let speaks_of_method = self.methods.is_none_or(|methods| names(methods, method, covers_head));
        let is_excepted =
            self.narrowing.as_ref().is_some_and(|own| own.excepts(method, covers_head, template));
        self.anywhere
            && speaks_of_method
            && !is_excepted
            && self.matcher.as_ref().is_some_and(|own| own.matches(template))
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
