//! A faulty configuration is refused by the core, and the refusal says where and what to do. What is odd
//! in one that is taken is reported.

use lychgate::policy::Policy;
use lychgate_tests::config_faults::{chosen, distinguishable};
use lychgate_tests::keys;

#[test]
fn every_fault_is_named_with_its_path_by_the_core() {
    let faults = chosen();
    let mut failures = Vec::new();
    for fault in &faults {
        match Policy::compile(fault.text.as_bytes(), &|_| None) {
            Ok(_) => failures.push(format!("{}: accepted", fault.name)),
            Err(errors) => {
                let log: Vec<_> = errors.iter().map(ToString::to_string).collect();
                failures.extend(fault.missing(&log.join("\n")));
            }
        }
    }
    println!("configuration faults: {} tried, {} failed", faults.len(), failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn schemes_whose_tokens_are_distinguishable_may_share_a_key() {
    for (how, config) in distinguishable() {
        let compiled = Policy::compile(config.to_string().as_bytes(), &|_| None);
        assert!(compiled.is_ok(), "{how}: {:?}", compiled.err());
    }
}

/// What is odd in `rules` beside a document, a page and a token endpoint below `/internal`.
fn warnings(rules: serde_json::Value, security: serde_json::Value) -> Vec<String> {
    let config = serde_json::json!({
        "openapi": {"serve": "/internal/openapi.json", "docs": "/internal/docs"},
        "schemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "k"},
            "token": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/internal/token", "scopes": {}}}, "users": "u",
                "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]}, "issue": {}},
        },
        "api_keys": {"k": []},
        "users": {"u": [{"username": "a", "password": "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"}]},
        "rules": rules, "security": security,
    });
    let compiled = Policy::compile(config.to_string().as_bytes(), &|_| None).expect("no fault");
    compiled.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_route_of_the_filter_s_own_that_is_public_below_a_rule_that_is_not_is_reported() {
    use serde_json::json;
    let rule =
        |matching: serde_json::Value, scheme: &str| json!({"match": matching, "security": [{scheme: []}]});
    let everything = rule(json!({"prefix": "/"}), "key");
    let told = warnings(json!([everything]), json!([]));
    let paths: Vec<_> = told.iter().map(|line| line.split(':').next().unwrap_or_default()).collect();
    assert_eq!(paths, ["openapi.serve", "openapi.docs", "schemes.token.issue"], "{told:?}");
    assert!(
        told[0].contains("/internal/openapi.json is public, though the rule `/` that covers it is not"),
        "{told:?}"
    );
    let template = warnings(json!([rule(json!({"path": "/{a}/{b}"}), "key")]), json!([]));
    assert_eq!(template.len(), 3, "{template:?}");
    // A login cannot be asked for what it asks for.
    assert_eq!(warnings(json!([rule(json!({"prefix": "/"}), "token")]), json!([])).len(), 2);
    for (why, rules, security) in [
        ("the default is no rule", json!([]), json!([{"key": []}])),
        ("everything is public", json!([{"match": {"prefix": "/"}, "security": []}]), json!([])),
        (
            "a rule speaks of them",
            json!([rule(json!({"prefix": "/internal"}), "key"), everything]),
            json!([]),
        ),
        (
            "it is said to be meant",
            json!([
                {"match": {"path": "/internal/openapi.json"}, "security": []}, {"match": {"path": "/internal/docs"}, "security": []},
                {"match": {"path": "/internal/token"}, "security": []}, everything,
            ]),
            json!([]),
        ),
    ] {
        assert!(warnings(rules.clone(), security).is_empty(), "{why}: {rules}");
    }
}

/// What is odd in a document, its policy public for the rest.
fn warnings_of(document: serde_json::Value, openapi: serde_json::Value) -> Vec<String> {
    use serde_json::json;
    let mut whole = json!({"openapi": "3.2.0", "paths": {}});
    for (key, value) in document.as_object().expect("an object") {
        whole[key] = value.clone();
    }
    let mut config = json!({
        "openapi": {"document": whole},
        "schemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "k"}},
        "api_keys": {"k": []}, "security": [],
    });
    for (key, value) in openapi.as_object().expect("an object") {
        config["openapi"][key] = value.clone();
    }
    let compiled = Policy::compile(config.to_string().as_bytes(), &|_| None).expect("no fault");
    compiled.warnings.iter().map(ToString::to_string).collect()
}

/// `/files/secret/` went to a public operation that spans segments, and nothing was said, because the default is closed.
#[test]
fn a_public_operation_beside_a_secured_one_is_told_where_the_default_is_closed() {
    use serde_json::json;
    let document = |tail: &str| {
        json!({
            "openapi": "3.1.0",
            "paths": {
                "/files/secret": {"get": {"security": [{"key": []}], "responses": {}}},
                (format!("/files/{tail}")): {"get": {"security": [], "responses": {}}},
                "/other": {"get": {"security": [{"key": []}], "responses": {}}},
            },
        })
    };
    let warnings = |openapi: serde_json::Value, security: serde_json::Value| {
        let config = json!({
            "openapi": openapi,
            "schemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "k"}},
            "api_keys": {"k": []}, "security": security,
        });
        let compiled = Policy::compile(config.to_string().as_bytes(), &|_| None).expect("no fault");
        compiled.warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let said = json!({"document": document("{file_path}"), "multi_segment": ["/files/{file_path}"]});
    let mut same = said.clone();
    same["neighbours"] = "same".into();
    for openapi in [said, same, json!({"document": document("{file_path:path}")})] {
        let told = warnings(openapi.clone(), json!([{"key": []}]));
        let wanted = "openapi.document.paths[\"/files/secret\"].get: needs a credential, and these need none, which the \
                      application may take for it: /files/secret/, /files/SECRET; ";
        assert!(told.len() == 1 && told[0].starts_with(wanted), "{openapi}: {told:?}");
        assert!(told[0].ends_with("and a rule in `rules` where one has"), "{told:?}");
    }
    // One segment is not the path with a slash at its end.
    let told = warnings(json!({"document": document("{name}")}), json!([{"key": []}]));
    assert!(told.len() == 1 && told[0].contains("may take for it: /files/SECRET; "), "{told:?}");
}

#[test]
fn what_of_a_document_is_read_by_a_guess_or_not_at_all_is_told() {
    use serde_json::json;
    let get = || json!({"get": {"security": [{"key": []}]}});
    for (document, openapi, told) in [
        (json!({"paths": {"/x": get(), "/Y/{id}": get()}}), json!({}), vec![]),
        (
            json!({"paths": {"/x": get(), "/Y/{id}": get()}}),
            json!({"neighbours": "default"}),
            vec![
                "openapi.document.paths[\"/Y/{id}\"].get: needs a credential, and these need none, which the application may take for it: /Y/{id}/, /y/{id}; ",
                "openapi.document.paths[\"/x\"].get: needs a credential, and these need none, which the application may take for it: /x/, /X; ",
            ],
        ),
        (
            json!({"paths": {"/me": get(), "/{user}": {"get": {"security": []}}}}),
            json!({}),
            vec![
                "openapi.document.paths[\"/me\"].get: needs a credential, and these need none, which the application may take for it: /ME; ",
            ],
        ),
        (
            json!({"servers": [{"url": "v1"}], "paths": {"/x": get()}}),
            json!({}),
            vec![
                "openapi.document.servers[0]: \"v1\" is relative to where the document is; it is read as /v1",
            ],
        ),
        (
            json!({"servers": [{"url": "api.example.com/v1"}], "paths": {"/x": get()}}),
            json!({}),
            vec![
                "openapi.document.servers[0]: \"api.example.com/v1\" is a host or a path, and is read as both",
            ],
        ),
        (
            json!({"servers": [{"url": "/{v}", "variables": {"v": {"default": "v1"}}}], "paths": {"/x": get()}}),
            json!({}),
            vec![
                "openapi.document.servers[0]: \"/{v}\": `v` has no `enum`; no value of it but its `default` is read",
            ],
        ),
        (
            json!({"servers": [{"url": "https://{region}.example.com/"}], "paths": {"/x": get()}}),
            json!({}),
            vec![],
        ),
        (
            json!({"paths": {"/users/:id": get()}}),
            json!({}),
            vec![
                "openapi.document.paths[\"/users/:id\"].get: `:id` is matched as it is written; a parameter is written `{name}`",
            ],
        ),
        (
            json!({
                "paths": {"/x": {"get": {"security": [{"d": []}]}, "put": {"security": [{"d": []}, {"key": []}]}}},
                "components": {"securitySchemes": {"d": {"type": "http", "scheme": "Digest"}}},
            }),
            json!({}),
            vec![
                "openapi.document.components.securitySchemes.d: `http Digest` cannot be checked here: where it is one of several alternatives, it is left out",
                "openapi.document.paths[\"/x\"].get.security: is refused to everyone: none of its alternatives can be checked here",
            ],
        ),
    ] {
        let mut warnings = warnings_of(document.clone(), openapi);
        warnings.sort();
        let begins = warnings.len() == told.len()
            && warnings.iter().zip(&told).all(|(own, told)| own.starts_with(told));
        assert!(begins, "{document}: {warnings:#?}");
    }
}
