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
        openapi("an unknown key in openapi", json!({"path": "/x"}), &["openapi.path: unknown key", "serve"]),
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
            &["openapi.unsecured: needs `document`"],
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
            "a path with a query, which needs something else than the path",
            json!({"paths": {"/a?b=c": {"get": {"security": [{"s": []}]}}, "/a": {"get": {"security": []}}}}),
            &[
                "openapi.document.paths[\"/a?b=c\"].get: needs something else than openapi.document.paths[\"/a\"].get",
                "let both need the same",
            ],
        ),
        document(
            "two paths that differ in a parameter's name",
            json!({"paths": {"/a/{b}": {"get": {"security": [{"s": []}]}}, "/a/{c}": {"get": {}}}}),
            &["openapi.document.paths[\"/a/{c}\"].get: needs something else than"],
        ),
        document(
            "an operation in another file",
            json!({"paths": {"/x": {"get": {"$ref": "x.yml"}}}}),
            &[
                "openapi.document.paths[\"/x\"].get: $ref \"x.yml\" cannot be followed: it is in another file; \
                 `lychgate bundle`",
            ],
        ),
        document(
            "path items that lead to each other",
            json!({"paths": {"/a": {"$ref": "#/paths/~1b"}, "/b": {"$ref": "#/paths/~1a"}}}),
            &[
                "openapi.document.paths[\"/a\"]: $ref \"#/paths/~1b\" cannot be followed: it leads back to itself",
            ],
        ),
        document(
            "a scheme that leads to itself",
            json!({"components": {"securitySchemes": {"a": {"$ref": "#/components/securitySchemes/a"}}}}),
            &["openapi.document.components.securitySchemes.a: $ref", "leads back to itself"],
        ),
        document(
            "a method beside a reference to one that has it",
            json!({
                "paths": {"/y": {"$ref": "#/components/pathItems/p", "get": {"security": [{"s": []}]}}},
                "components": {"pathItems": {"p": {"get": {}}}},
            }),
            &["openapi.document.paths[\"/y\"]: `get` is beside `$ref` and also where that leads to"],
        ),
        document(
            "an operation of OpenAPI 3.2 in a document of 3.1",
            json!({"paths": {"/a": {"additionalOperations": {"COPY": {}}}}}),
            &[
                "openapi.document.paths[\"/a\"].additionalOperations: is of OpenAPI 3.2 and not read; say `openapi: 3.2.0`",
            ],
        ),
        document(
            "a method in lower case among the others of OpenAPI 3.2",
            json!({"openapi": "3.2.0", "paths": {"/a": {"additionalOperations": {"copy": {}}}}}),
            &[
                "openapi.document.paths[\"/a\"].additionalOperations.copy: is not read: another method, in upper case",
            ],
        ),
        document(
            "an operation of a method that OpenAPI does not have",
            json!({"paths": {"/a": {"link": {"responses": {}}}}}),
            &["openapi.document.paths[\"/a\"].link: is no method of a path item"],
        ),
        document(
            "a requirement by a URI",
            json!({"openapi": "3.2.0", "paths": {"/a": {"get": {"security": [{"https://x.example/schemes#a": []}]}}}}),
            &["no such scheme", "a URI is not followed"],
        ),
        document(
            "a scheme that the document describes",
            json!({
                "paths": {"/a": {"get": {"security": [{"key": []}]}}},
                "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X"}}},
            }),
            &["[\"/a\"].get.security[0].key: no such scheme", "`schemes` has to say how it is verified"],
        ),
        document(
            "a server with more URLs than are read",
            json!({"servers": [{"url": "/{a}/{b}", "variables": {
                "a": {"default": "0", "enum": ["0", "1", "2", "3", "4", "5", "6", "7", "8"]},
                "b": {"default": "0", "enum": ["0", "1", "2", "3", "4", "5", "6", "7", "8"]},
            }}]}),
            &["openapi.document.servers[0]: \"/{a}/{b}\": its variables make more than 64 URLs"],
        ),
        document(
            "several segments, neither true nor false",
            json!({"paths": {"/a/{b}": {"get": {"x-multi-segment": "yes"}}}}),
            &["openapi.document.paths[\"/a/{b}\"].get: `x-multi-segment` is neither true nor false"],
        ),
        openapi(
            "several segments of a path that is not there",
            json!({"document": {"openapi": "3.1.0", "paths": {}}, "multi_segment": ["/files/{path}"]}),
            &["openapi.multi_segment[0]: the document has no operation of this path"],
        ),
        openapi(
            "several segments of a path without a parameter",
            json!({"document": {"openapi": "3.1.0", "paths": {}}, "multi_segment": ["/files"]}),
            &["openapi.multi_segment[0]: \"/files\" has no parameter"],
        ),
        openapi(
            "a combined operation that is not there",
            json!({"document": {"openapi": "3.1.0", "paths": {}}, "combine": {"all": ["read"]}}),
            &["openapi.combine.all[0]: no operation of the document has this `operationId` or tag"],
        ),
        openapi(
            "a combined operation with an alternative of two schemes",
            json!({
                "document": {"openapi": "3.1.0", "paths": {"/a": {"get": {
                    "operationId": "read", "security": [{"s": [], "t": []}, {"u": []}]}}}},
                "combine": {"all": ["read"]},
            }),
            &["openapi.document.paths[\"/a\"].get: cannot be combined"],
        ),
        openapi(
            "an unknown word for neighbours",
            json!({"document": {"openapi": "3.1.0", "paths": {}}, "neighbours": "public"}),
            &["openapi.neighbours: unknown value \"public\"", "`same`", "`default`"],
        ),
        openapi(
            "neighbours without a document",
            json!({"neighbours": "same"}),
            &["openapi.neighbours: needs `document`"],
        ),
        openapi(
            "a login of a page that is not there",
            json!({"docs_oauth": {"client_id": "docs"}}),
            &["openapi.docs_oauth: needs `docs`"],
        ),
        openapi(
            "a login without a client",
            json!({"docs": "/docs", "docs_oauth": {"pkce": true}}),
            &["openapi.docs_oauth: missing key `client_id`"],
        ),
        json_fault(
            "a token endpoint that asks for its own token",
            json!({
                "openapi": {"document": {"openapi": "3.1.0", "paths": {"/token": {"post": {"security": [{"o": []}]}}}}},
                "schemes": {"o": {"type": "oauth2", "flows": {"password": {"tokenUrl": "token", "scopes": {}}},
                    "jwt": {"keys": [{"alg": "HS256", "secret": crate::keys::SECRET}]}, "users": "u", "issue": {}}},
                "users": {"u": [{"username": "a", "password": "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"}]},
            }),
            &["openapi.document.paths[\"/token\"].post.security: asks for a token where tokens are issued"],
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
