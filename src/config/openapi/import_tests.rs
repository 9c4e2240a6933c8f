use serde_json::{Value, json};

use super::{Imported, Options, read};
use crate::config::node::Node;
use crate::config::{Errors, Path, PathConfig};

fn import(document: &Value) -> Result<Imported, Vec<String>> {
    let errors = Errors::default();
    let imported = read(Node { value: document, path: &Path::Root, errors: &errors }, &Options::default());
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
        PathConfig::Template(text)
        | PathConfig::Prefix(text)
        | PathConfig::Beginning(text)
        | PathConfig::Regex(text) => text.clone(),
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
        (json!([{"url": "//x.example/v1"}]), vec!["/v1/a"]),
        (json!([{"url": "./v1/"}, {"url": "../v2"}, {"url": "."}]), vec!["/a", "/v1/a", "/v2/a"]),
        (json!([{"url": "x.example/v1"}]), vec!["/v1/a", "/x.example/v1/a"]),
        (json!([{"url": "{e}/v1", "variables": {"e": {"default": "https://x.example"}}}]), vec!["/v1/a"]),
        (json!([{"url": "https://{unknown}.example:{port}/v1"}]), vec!["/v1/a"]),
        (
            json!([{"url": "/{v}", "variables": {"v": {"default": "v1", "enum": ["v1", "v2"]}}}]),
            vec!["/v1/a", "/v2/a"],
        ),
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
    document["paths"]["/a"]["$ref"] = "#/components/pathItems/b".into();
    assert_eq!(rules(&document).len(), 1, "one leads to the other");
    for elsewhere in ["#/components/pathItems/c", "https://x.example/a", "#/paths/~1a", "#/info/title"] {
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
    let schemes: Vec<_> =
        imported.schemes.into_iter().map(|scheme| (scheme.name, scheme.description)).collect();
    assert_eq!(
        schemes,
        [("s".to_owned(), json!({"type": "oauth2", "flows": {"password": {"tokenUrl": "t", "scopes": {}}}}))]
    );
    assert_eq!((imported.title.as_deref(), imported.version.as_deref()), (Some("t"), Some("v")));
}

#[test]
fn encoded_and_odd_templates_are_read_as_requests_are() {
    let one = |path: &str| rules(&paths(json!({path: {"get": {}}})))[0].1.clone();
    assert_eq!(one("/caf%C3%A9/{id}"), "/café/{id}");
    assert_eq!(one("/a.b/{x}-{y}"), "/a.b/{x}-{y}");
    for never in ["/a%23b", "/a//b", "/a/../b", "/a;b", "/a%2Fb", "/a{}", "/{a", "/a}/{b"] {
        assert!(import(&paths(json!({never: {"get": {}}}))).is_err(), "{never}");
    }
}

/// `/f/%7Bid%7D`, public, became `/f/{id}`, and stood beside the one that was secured.
#[test]
fn an_encoded_brace_became_a_parameter() {
    for odd in ["/f/%7Bid%7D", "/f/%7bid}", "/f/{id%7D", "/f/a%7D"] {
        let document =
            paths(json!({odd: {"get": {"security": []}}, "/f/{id}": {"get": {"security": [{"s": []}]}}}));
        let errors = import(&document).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains(&format!("paths[{odd:?}].get: {odd:?}: `%7B` and `%7D`")), "{errors:?}");
    }
    let mut document = paths(json!({"/a": {"get": {}}}));
    document["servers"] = json!([{"url": "/%7Bany%7D"}]);
    assert!(import(&document).is_err());
    document["servers"] = json!([{"url": "/{v}", "variables": {"v": {"default": "{any}"}}}]);
    assert!(import(&document).is_err());
}

/// `https://h/v1?x=y` made rules that no request could ever match.
#[test]
fn a_server_with_a_query_made_rules_that_never_match() {
    let mut document = paths(json!({"/a": {"get": {}}}));
    let variable = json!({"v": {"default": "v1?x=y"}});
    for server in [
        json!({"url": "https://h/v1?x=y"}),
        json!({"url": "https://h?x=/v1"}),
        json!({"url": "/v1#top"}),
        json!({"url": "/{v}", "variables": variable}),
    ] {
        document["servers"] = json!([server]);
        let errors = import(&document).unwrap_err();
        assert!(errors[0].starts_with("servers[0]: "), "{errors:?}");
    }
}

/// `security` at a Path Item was left out, and its operations were what the document's default made of them.
#[test]
fn a_requirement_where_openapi_has_none_was_left_out() {
    let good = paths(json!({"/a": {"get": {"security": [], "responses": {"200": {"description": "x"}}}}}));
    import(&good).unwrap();
    let required = json!([{"s": []}]);
    for place in [
        "/paths/~1a/security",
        "/paths/~1a/Security",
        "/paths/~1a/get/Security",
        "/paths/~1a/get/security_requirements",
        "/paths/~1a/get/responses/security",
        "/paths/~1a/get/responses/200/security",
        "/paths/~1a/get/requestBody/security",
        "/paths/~1a/get/parameters/0/security",
        "/paths/~1a/parameters/0/security",
        "/paths/~1a/servers/0/security",
        "/paths/security",
        "/SECURITY",
        "/info/security",
        "/servers/0/security",
        "/tags/0/security",
        "/components/security",
        "/components/securitySchemes/s/security",
        "/webhooks/w/security",
    ] {
        let mut document = good.clone();
        let mut at = &mut document;
        for step in place.split('/').skip(1).map(|step| step.replace("~1", "/")) {
            if step == "0" {
                *at = json!([{"url": "/"}]);
                at = &mut at[0];
            } else {
                at = &mut at[step];
            }
        }
        *at = required.clone();
        let errors = import(&document).unwrap_err();
        assert!(errors.iter().all(|error| error.contains("is not read")), "{place}: {errors:?}");
    }
    // What a document names so is no requirement.
    let mut named = good;
    named["components"] =
        json!({"schemas": {"security": {"properties": {"security": {}}}}, "x-security": []});
    named["x-security"] = required;
    named["components"]["responses"] = json!({"security": {"description": "a name"}});
    import(&named).unwrap();
}

/// An operation that is not read leaves its path to another one, such as `/users/{id}` for `/users/me`.
#[test]
fn an_operation_where_it_is_not_read_is_a_fault() {
    let operation = || json!({"security": [{"s": []}]});
    for (item, says) in [
        (json!({"GET": operation()}), "paths[\"/a\"].GET: is not read: write the method in lower case"),
        (json!({"query": operation()}), "paths[\"/a\"].query: is of OpenAPI 3.2"),
        (json!({"additionalOperations": {"COPY": operation()}}), "additionalOperations: is of OpenAPI 3.2"),
        (
            json!({"$ref": "#/components/pathItems/a", "get": {}}),
            "[\"/a\"]: `get` is beside `$ref` and also where that leads to",
        ),
        (json!({"purge": {"responses": {}}}), "].purge: is no method of a path item"),
        (json!({"$ref": "#/components/pathItems/b"}), "components.pathItems.b.security: is not read"),
    ] {
        let mut document = paths(json!({"/a": item}));
        document["components"] =
            json!({"pathItems": {"a": {"get": operation()}, "b": {"security": [], "get": {}}}});
        let errors = import(&document).unwrap_err();
        assert!(errors.len() == 1 && errors[0].contains(says), "{errors:?}");
    }
    let errors = import(&paths(json!({"users": {"get": operation()}}))).unwrap_err();
    assert!(errors[0].contains("paths.users: is not read: a path begins with `/`"), "{errors:?}");
}

fn with_security(members: Value) -> Value {
    json!({"openapi": "3.1.0", "info": {"title": "t", "version": "v"}, "paths": {"/a": {"get": members}}})
}

#[test]
fn conditions_are_beside_the_requirement_that_they_are_of() {
    let full = json!([{"s": {"scopes": ["a"], "claims": {"tenant": ["x", "y"]}, "acr": ["mfa"]}}, {}]);
    let document = with_security(json!({"security": [{"s": ["a"]}, {}], "x-lychgate": {"security": full}}));
    let imported = import(&document).unwrap();
    let security = imported.rules[0].security.as_ref().unwrap();
    let (name, need) = &security[0][0];
    assert_eq!((name.as_str(), need.has_conditions(), security.len()), ("s", true, 2));
    assert_eq!(need.to_json(), full[0]["s"]);
    for (members, says) in [
        (json!({"security": [{"s": ["b"]}, {}], "x-lychgate": {"security": full}}), "let both say the same"),
        (json!({"security": [{"s": ["a"]}], "x-lychgate": {"security": full}}), "let both say the same"),
        (json!({"x-lychgate": {"security": full}}), "has no `security` beside it"),
        (json!({"security": [], "x-lychgate": {"secure": full}}), "unknown key"),
        (json!({"security": [], "x-lychgate": []}), "expected an object"),
        (json!({"security": [{"s": {"scopes": ["a"]}}]}), "expected an array"),
    ] {
        let errors = import(&with_security(members)).unwrap_err().join("\n");
        assert!(errors.contains(says), "{errors}");
    }
}

#[test]
fn an_operation_by_query_is_a_rule_for_that_method() {
    let mut document = paths(json!({"/x": {"query": {"security": []}}}));
    document["openapi"] = json!("3.2.0");
    assert_eq!(rules(&document), [("QUERY".to_owned(), "/x".to_owned(), Some(0))]);
}
