use serde_json::{Value, json};

use super::{Imported, read};
use crate::config::node::Node;
use crate::config::{Errors, Path, PathConfig};

fn import(document: &Value) -> Result<Imported, Vec<String>> {
    let errors = Errors::default();
    let imported = read(Node { value: document, path: &Path::Root, errors: &errors });
    let errors: Vec<_> = errors.into_vec().iter().map(ToString::to_string).collect();
    if errors.is_empty() { Ok(imported.unwrap()) } else { Err(errors) }
}

fn paths(paths: Value) -> Value {
    json!({"openapi": "3.1.0", "info": {"title": "t", "version": "v"}, "paths": paths})
}

/// Method, path and security of each rule.
fn rules(document: &Value) -> Vec<(String, String, Option<usize>)> {
    let rules = import(document).unwrap().rules;
    let path = |config: &PathConfig| match config {
        PathConfig::Template(text) | PathConfig::Prefix(text) | PathConfig::Regex(text) => text.clone(),
    };
    rules
        .iter()
        .map(|rule| (rule.methods.join(","), path(&rule.path), rule.security.as_ref().map(Vec::len)))
        .collect()
}

#[test]
fn concrete_paths_come_before_templated_ones() {
    let get = || json!({"get": {}});
    let document = paths(json!({
        "/{a}/{b}": get(), "/{a}/x": get(), "/users/{id}": get(), "/users/me": get(), "/users/v{n}": get(), "/": get(),
    }));
    let order: Vec<_> = rules(&document).into_iter().map(|(_, path, _)| path).collect();
    assert_eq!(order, ["/", "/users/me", "/users/v{n}", "/users/{id}", "/{a}/x", "/{a}/{b}"]);
}

#[test]
fn an_operation_has_its_own_security_or_the_documents_or_none() {
    let mut document = paths(json!({"/a": {
        "get": {}, "post": {"security": [{"s": ["x"]}, {}]}, "delete": {"security": []}, "x-note": {}, "parameters": []
    }}));
    let own = |rules: &[(String, String, Option<usize>)], method: &str| {
        rules.iter().find(|(own, ..)| own == method).unwrap().2
    };
    let silent = rules(&document);
    assert_eq!(silent.len(), 3);
    assert_eq!(own(&silent, "GET"), None);
    assert_eq!(own(&silent, "POST"), Some(2));
    assert_eq!(own(&silent, "DELETE"), Some(0), "public by statement");
    document["security"] = json!([{"s": []}]);
    assert_eq!(own(&rules(&document), "GET"), Some(1));
    assert_eq!(own(&rules(&document), "DELETE"), Some(0));
}

#[test]
fn paths_begin_where_the_servers_say() {
    let mut document = paths(json!({"/a": {"get": {}}}));
    let bases =
        |document: &Value| -> Vec<_> { rules(document).into_iter().map(|(_, path, _)| path).collect() };
    for (servers, wanted) in [
        (json!([]), vec!["/a"]),
        (json!([{"url": "/"}]), vec!["/a"]),
        (json!([{"url": "https://x.example"}]), vec!["/a"]),
        (json!([{"url": "https://x.example/v1/"}, {"url": "http://y.example/v1"}]), vec!["/v1/a"]),
        (json!([{"url": "/v1"}, {"url": "v2"}]), vec!["/v1/a", "/v2/a"]),
        (json!([{"url": "/{v}/b", "variables": {"v": {"default": "v3"}}}]), vec!["/v3/b/a"]),
    ] {
        document["servers"] = servers;
        assert_eq!(bases(&document), wanted, "{}", document["servers"]);
    }
    document["paths"]["/a"]["servers"] = json!([{"url": "/item"}]);
    assert_eq!(bases(&document), ["/item/a"]);
    document["paths"]["/a"]["get"]["servers"] = json!([{"url": "/own"}]);
    assert_eq!(bases(&document), ["/own/a"]);
}

#[test]
fn a_path_item_may_stand_among_the_components() {
    let mut document = paths(json!({"/a": {"$ref": "#/components/pathItems/a"}}));
    document["components"] =
        json!({"pathItems": {"a": {"get": {"security": []}}, "b": {"$ref": "#/components/pathItems/a"}}});
    assert_eq!(rules(&document).len(), 1);
    for elsewhere in
        ["#/components/pathItems/b", "#/components/pathItems/c", "https://x.example/a", "#/paths/~1a"]
    {
        document["paths"]["/a"]["$ref"] = elsewhere.into();
        assert!(import(&document).unwrap_err()[0].contains("cannot be followed"), "{elsewhere}");
    }
}

#[test]
fn of_schemes_only_openapis_own_keys_are_taken() {
    let mut document = paths(json!({}));
    document["components"] = json!({"securitySchemes": {"s": {"type": "oauth2", "x-a": 1, "jwt": {},
        "flows": {"x-b": 1, "password": {"tokenUrl": "t", "scopes": {}, "x-c": 1}}}}});
    let imported = import(&document).unwrap();
    assert_eq!(
        imported.schemes,
        [("s".to_owned(), json!({"type": "oauth2", "flows": {"password": {"tokenUrl": "t", "scopes": {}}}}))]
    );
    assert_eq!((imported.title.as_deref(), imported.version.as_deref()), (Some("t"), Some("v")));
}

#[test]
fn encoded_and_odd_templates_are_read_as_requests_are() {
    let one = |path: &str| rules(&paths(json!({path: {"get": {}}})))[0].1.clone();
    assert_eq!(one("/caf%C3%A9/{id}"), "/café/{id}");
    assert_eq!(one("/a.b/{x}-{y}"), "/a.b/{x}-{y}");
    for never in ["/a//b", "/a/../b", "/a;b", "/a%2Fb", "/a{}", "/{a", "/a}/{b"] {
        assert!(import(&paths(json!({never: {"get": {}}}))).is_err(), "{never}");
    }
}
