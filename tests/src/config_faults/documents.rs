//! Faults in OpenAPI documents and in what is served.

use serde_json::{Value, json};

use super::{Fault, json_fault};

/// A fault in `openapi`.
fn openapi(name: &'static str, openapi: Value, says: &[&'static str]) -> Fault {
    json_fault(name, json!({"openapi": openapi}), says)
}

/// A fault in a document with these members besides.
fn document(name: &'static str, members: Value, says: &[&'static str]) -> Fault {
    let mut document = json!({"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {}});
    for (key, value) in members.as_object().expect("an object") {
        document[key] = value.clone();
    }
    openapi(name, json!({"document": document}), says)
}

fn get(operation: Value) -> Value {
    json!({"paths": {"/a": {"get": operation}}})
}

pub fn faults() -> Vec<Fault> {
    vec![
        openapi(
            "a key nobody knows in openapi",
            json!({"path": "/x"}),
            &["openapi.path: unknown key", "serve"],
        ),
        openapi(
            "serve without a slash",
            json!({"serve": "openapi.json"}),
            &["openapi.serve: \"openapi.json\" must begin with `/`"],
        ),
        openapi("docs at the root", json!({"docs": "/"}), &["openapi.docs: \"/\": give a plain path"]),
        openapi(
            "docs with markup",
            json!({"docs": "/<docs>"}),
            &["openapi.docs: \"/<docs>\": give a plain path"],
        ),
        openapi(
            "docs and serve in one place",
            json!({"docs": "/x", "serve": "/x"}),
            &["openapi: `docs` and `serve` are the same path"],
        ),
        openapi(
            "unsecured without a document",
            json!({"unsecured": "public"}),
            &["openapi.unsecured: speaks of a `document`"],
        ),
        openapi(
            "an unknown word for unsecured",
            json!({"unsecured": "open"}),
            &["openapi.unsecured: unknown value \"open\"", "`public`"],
        ),
        openapi("a document of no type", json!({"document": 7}), &["openapi.document: expected an object"]),
        openapi(
            "a document of text that is no JSON",
            json!({"document": "openapi: 3.1.0"}),
            &["openapi.document: not the JSON text of a document"],
        ),
        openapi(
            "a document that is none",
            json!({"document": {"paths": {}}}),
            &["openapi.document: not an OpenAPI document"],
        ),
        openapi(
            "Swagger 2.0",
            json!({"document": {"swagger": "2.0"}}),
            &["openapi.document: Swagger 2.0 is not supported"],
        ),
        openapi(
            "OpenAPI 4",
            json!({"document": {"openapi": "4.0.0"}}),
            &["openapi.document: OpenAPI 4.0.0 is not supported"],
        ),
        document("paths of no type", json!({"paths": []}), &["openapi.document.paths: expected an object"]),
        document(
            "an operation of no type",
            get(json!([])),
            &["openapi.document.paths[\"/a\"].get: expected an object"],
        ),
        document(
            "security of no type",
            get(json!({"security": {}})),
            &["openapi.document.paths[\"/a\"].get.security: expected an array"],
        ),
        document(
            "root security of no type",
            json!({"security": "x"}),
            &["openapi.document.security: expected an array"],
        ),
        document(
            "a scheme that is not under schemes",
            get(json!({"security": [{"OAuth2": []}]})),
            &["openapi.document.paths[\"/a\"].get.security[0].OAuth2: no such scheme"],
        ),
        document(
            "a scheme of the whole document that is not under schemes",
            json!({"security": [{"OAuth2": []}], "paths": {"/a": {"get": {}}}}),
            &["openapi.document.security[0].OAuth2: no such scheme"],
        ),
        document(
            "a reference to elsewhere",
            json!({"paths": {"/a": {"$ref": "other.json#/a"}}}),
            &["openapi.document.paths[\"/a\"]: $ref \"other.json#/a\" cannot be followed"],
        ),
        document(
            "a path that can never match",
            json!({"paths": {"/a//b": {"get": {}}}}),
            &["openapi.document.paths[\"/a//b\"].get: \"/a//b\" can never match: empty segment"],
        ),
        document(
            "an encoded brace",
            json!({"paths": {"/f/%7Bid%7D": {"get": {}}}}),
            &["openapi.document.paths[\"/f/%7Bid%7D\"].get: \"/f/%7Bid%7D\": `%7B` and `%7D` are no braces"],
        ),
        document(
            "a path with a query",
            json!({"paths": {"/a?b=c": {"get": {}}}}),
            &["openapi.document.paths[\"/a?b=c\"].get: \"/a?b=c\" can never match: a path has no query"],
        ),
        document(
            "a server with a query",
            json!({"servers": [{"url": "https://h/v1?x=y"}], "paths": {"/a": {"get": {}}}}),
            &["openapi.document.servers[0]: \"https://h/v1?x=y\": no path begins with it"],
        ),
        document(
            "a requirement of a path item",
            json!({"paths": {"/a": {"security": [{"s": []}], "get": {}}}}),
            &[
                "openapi.document.paths[\"/a\"].security: is not read: `security` belongs to operations or to the document",
            ],
        ),
        document(
            "a requirement of a tag",
            json!({"tags": [{"name": "a", "security": [{"s": []}]}]}),
            &["openapi.document.tags[0].security: is not read"],
        ),
        document(
            "a method in upper case",
            json!({"paths": {"/a": {"GET": {}}}}),
            &["openapi.document.paths[\"/a\"].GET: is not read: write the method in lower case"],
        ),
        document(
            "a path without its slash",
            json!({"paths": {"users": {"get": {}}}}),
            &["openapi.document.paths.users: is not read: a path begins with `/`"],
        ),
        document(
            "braces that do not fit",
            json!({"paths": {"/a}b{c": {"get": {}}}}),
            &["openapi.document.paths[\"/a}b{c\"].get: \"/a}b{c\" is not a path template"],
        ),
        document(
            "a server variable without a default",
            json!({"servers": [{"url": "/{base}"}]}),
            &["openapi.document.servers[0]: \"/{base}\": the variable \"base\" has no `default`"],
        ),
        document(
            "servers of no type",
            json!({"servers": [7]}),
            &["openapi.document.servers[0]: expected an object with `url`"],
        ),
        json_fault(
            "a described scheme whose verifier is missing",
            json!({
                "openapi": {"document": {"openapi": "3.0.3", "paths": {}, "components": {"securitySchemes":
                    {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}}},
                "schemes": {"key": {}},
            }),
            &["schemes.key: missing key `api_keys`"],
        ),
    ]
}
