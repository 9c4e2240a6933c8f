//! An OpenAPI document, made into rules.

use lychgate::normal_path::NormalPath;
use lychgate::openapi::skeleton::skeleton;
use lychgate::policy::{Asked, Policy};
use serde_json::{Value, json};

use super::signed::SECRET;

/// What the document secures is not public afterwards.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let policy = json!({
        "schemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "all"},
            "token": {"type": "http", "scheme": "bearer", "jwt": {"keys": [{"alg": "HS256", "secret": SECRET}]}},
        },
        "api_keys": {"all": []},
        "openapi": {"document": text, "unsecured": "public"},
    });
    let compiled = Policy::compile(policy.to_string().as_bytes(), &|_| None);
    let Ok(document) = serde_json::from_str::<Value>(text) else { return };
    let outlined = skeleton(&document, true);
    let Ok(compiled) = compiled else { return };
    assert!(outlined.is_ok(), "taken as rules and refused as a skeleton: {:?}", outlined.err());
    // Servers put a base path before every path; what is asked here is the plain case.
    if document.get("servers").is_some() {
        return;
    }
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        let is_plain =
            path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'/');
        let Ok(normal) = NormalPath::new(path.as_bytes()) else { continue };
        if !is_plain || item.get("servers").is_some() || item.get("$ref").is_some() {
            continue;
        }
        for method in ["get", "put", "post", "delete", "options", "head", "patch", "trace"] {
            let Some(operation) = item.get(method) else { continue };
            let security = operation.get("security").or_else(|| document.get("security"));
            let secured = security.and_then(Value::as_array).is_some_and(|alternatives| {
                let asks = |one: &Value| one.as_object().is_some_and(|schemes| !schemes.is_empty());
                !alternatives.is_empty() && alternatives.iter().all(asks)
            });
            if secured && operation.get("servers").is_none() {
                let method = method.to_ascii_uppercase();
                let asked = Asked::of(method.as_bytes(), b"localhost", normal.as_str());
                let requirement = compiled.policy.requirement(&asked).ok().and_then(|(_, needed)| needed);
                let open = requirement.is_some_and(lychgate::policy::Requirement::allows_anonymous);
                assert!(!open, "{method} {path} is secured and public");
            }
        }
    }
}
