//! Operation Objects (OpenAPI 3.1 section 4.8.10).

use serde_json::{Map, Value, json};

use super::error_content;
use crate::config::matching::parameters as names;
use crate::config::openapi::import::EXTENSION;
use crate::config::{ErrorSettings, NeedConfig, SecurityConfig};
use crate::json::object;

/// An operation that a rule describes.
pub struct Described<'a> {
    /// The method in lower case.
    pub method: &'a str,
    /// The path template.
    pub path: &'a str,
    /// The same with `:path` behind the names of parameters that match several segments.
    pub template: &'a str,
    /// Whether its last segment matches several.
    pub is_prefix: bool,
    /// The requirement. `None`: the operation is refused.
    pub security: Option<&'a SecurityConfig>,
}

/// The Operation Object of a rule.
pub fn operation(described: &Described<'_>, errors: ErrorSettings) -> Value {
    let Described { method, path, template, is_prefix, security } = described;
    let mut operation = Map::new();
    operation.insert("operationId".into(), operation_id(method, path).into());
    operation.insert("summary".into(), format!("{} {path}", method.to_ascii_uppercase()).into());
    let parameters = parameters(template, *is_prefix);
    if !parameters.is_empty() {
        operation.insert("parameters".into(), parameters.into());
    }
    operation.insert("responses".into(), json!({"200": {"description": "Successful Response"}}));
    secure(&mut operation, *security, errors);
    Value::Object(operation)
}

/// Adds the requirement of an operation, and the responses of its refusals.
pub fn secure(operation: &mut Map<String, Value>, security: Option<&SecurityConfig>, errors: ErrorSettings) {
    operation.remove(EXTENSION);
    let Some(security) = security else {
        // Every request is refused, whatever its credential.
        operation.remove("security");
        add_response(operation, "403", "Forbidden", errors);
        return;
    };
    if security.is_empty() {
        operation.remove("security");
        return;
    }
    let alternatives: Vec<Value> = security
        .iter()
        .map(|schemes| {
            let schemes = schemes.iter().map(|(name, need)| (name.clone(), need.scopes.as_slice().into()));
            object(schemes)
        })
        .collect();
    operation.insert("security".into(), alternatives.into());
    if security.iter().flatten().any(|(_, need)| need.has_conditions()) {
        let alternative = |schemes: &Vec<(String, NeedConfig)>| {
            object(schemes.iter().map(|(name, need)| (name.clone(), need.to_json())))
        };
        let full: Vec<Value> = security.iter().map(alternative).collect();
        operation.insert(EXTENSION.into(), json!({"security": full}));
    }
    add_response(operation, "401", "Not authenticated, or the credential is not valid", errors);
    let is_new = add_response(operation, "403", "Not enough permissions", errors);
    let scopes: Vec<_> = security.iter().filter_map(|schemes| challenged_scopes(schemes)).collect();
    if is_new
        && !scopes.is_empty()
        && let Some(Value::Object(response)) =
            operation.get_mut("responses").and_then(|own| own.get_mut("403"))
    {
        let header = json!({"description": scopes.join(", or "), "schema": {"type": "string"}});
        response.insert("headers".into(), json!({"WWW-Authenticate": header}));
    }
    add_response(operation, "429", "Too many failed logins", errors);
}

/// What the challenge says to a client that lacks the scopes of an alternative, if that has some.
fn challenged_scopes(schemes: &[(String, NeedConfig)]) -> Option<String> {
    let scopes: Vec<_> = schemes.iter().flat_map(|(_, need)| &need.scopes).map(String::as_str).collect();
    (!scopes.is_empty()).then(|| format!("error=\"insufficient_scope\", scope=\"{}\"", scopes.join(" ")))
}

/// Adds a response where the operation has none of this status; says whether it had none.
fn add_response(
    operation: &mut Map<String, Value>,
    status: &str,
    description: &str,
    errors: ErrorSettings,
) -> bool {
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    let Some(responses) = responses.as_object_mut() else { return false };
    if responses.contains_key(status) {
        return false;
    }
    responses.entry(status).or_insert_with(|| {
        let mut response = json!({"description": description, "content": error_content(errors)});
        let header = match status {
            "401" => Some(("WWW-Authenticate", "Each scheme that would have let the request in")),
            "429" => Some(("Retry-After", "Seconds to wait")),
            _ => None,
        };
        if let (Some((name, description)), Some(response)) = (header, response.as_object_mut()) {
            let header = json!({"description": description, "schema": {"type": "string"}});
            response.insert("headers".into(), json!({name: header}));
        }
        response
    });
    true
}

fn operation_id(method: &str, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<_> = words.chain([method]).collect();
    words.join("_")
}

fn parameters(path: &str, is_prefix: bool) -> Vec<Value> {
    let names: Vec<_> = names(path).collect();
    let last = names.len().saturating_sub(1);
    let parameter = |(index, own): (usize, &&str)| {
        let name = own.strip_suffix(":path").unwrap_or(own);
        let mut parameter =
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
        if is_prefix
            && index == last
            && let Some(members) = parameter.as_object_mut()
        {
            members.insert("description".into(), "One or more segments".into());
        }
        if let (true, Some(members)) = (name.len() < own.len(), parameter.as_object_mut()) {
            members.insert("x-multi-segment".into(), true.into());
        }
        parameter
    };
    names.iter().enumerate().map(parameter).collect()
}

/// The operation of the token endpoint.
pub fn token_operation(path: &str, errors: ErrorSettings) -> Value {
    let text = json!({"type": "string"});
    let form = json!({
        "type": "object",
        "required": ["username", "password"],
        "properties": {
            "grant_type": {"type": "string", "enum": ["password"]},
            "username": text,
            "password": {"type": "string", "format": "password"},
            "scope": {"type": "string", "default": ""},
            "client_id": text,
            "client_secret": {"type": "string", "format": "password"},
        },
    });
    let token = json!({
        "type": "object",
        "required": ["access_token", "token_type", "expires_in", "scope"],
        "properties": {
            "access_token": text,
            "token_type": {"type": "string", "enum": ["bearer"]},
            "expires_in": {"type": "integer"},
            "scope": text,
        },
    });
    let mut operation = Map::new();
    operation.insert("operationId".into(), operation_id("post", path).into());
    operation.insert("summary".into(), "Log in for an access token".into());
    operation.insert("tags".into(), json!(["login"]));
    operation.insert(
        "requestBody".into(),
        json!({"required": true, "content": {"application/x-www-form-urlencoded": {"schema": form}}}),
    );
    operation.insert(
        "responses".into(),
        json!({"200": {"description": "An access token", "content": {"application/json": {"schema": token}}}}),
    );
    add_response(&mut operation, "400", "The form is not right (RFC 6749 section 5.2)", errors);
    add_response(&mut operation, "401", "Incorrect username or password", errors);
    add_response(&mut operation, "403", "Inactive user", errors);
    add_response(&mut operation, "429", "Too many failed logins", errors);
    Value::Object(operation)
}
