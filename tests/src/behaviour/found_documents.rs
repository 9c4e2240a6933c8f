//! What of public OpenAPI documents was once ignored, and left an operation open: each with `unsecured: public` and a
//! public default, as the recipe for FastAPI has it.

use crate::http::Request;
use crate::keys;
use serde_json::{Value, json};

use super::people::{patient, staff};
use super::{API_KEY, Row, allowed, answered, refused, sha256};

/// A document with these members besides, by the name of the policy.
fn documents() -> Vec<(&'static str, Value)> {
    let admin = || json!({"security": [{"key": ["admin"]}], "responses": {}});
    let get = || json!({"get": admin()});
    let path_items = |paths: Value, items: Value| json!({"paths": paths, "components": {"pathItems": items}});
    let based = |servers: Value| json!({"servers": servers, "paths": {"/x": get()}});
    vec![
        (
            "found: references",
            json!({
                "paths": {
                    "/operation": {"get": {"$ref": "#/components/x-operations/one"}},
                    "/item": {"$ref": "#/paths/~1x"},
                    "/x": get(),
                },
                "components": {"x-operations": {"one": admin()}},
            }),
        ),
        (
            "found: siblings",
            path_items(
                json!({"/y": {"$ref": "#/components/pathItems/p", "post": admin()}}),
                json!({"p": get()}),
            ),
        ),
        ("found: network-path", based(json!([{"url": "//api.example.com/v1"}]))),
        (
            "found: enum",
            based(json!([{"url": "/{v}", "variables": {"v": {"default": "v1", "enum": ["v1", "v2"]}}}])),
        ),
        (
            "found: host in a variable",
            based(
                json!([{"url": "{endpoint}/v1", "variables": {"endpoint": {"default": "https://a.example"}}}]),
            ),
        ),
        ("found: several servers", based(json!([{"url": "https://a.example/one"}, {"url": "two"}]))),
        ("found: query", json!({"paths": {"/x?op=1": get(), "/y#one": get(), "/y#two": get(), "/y": get()}})),
        (
            "found: later methods",
            json!({"openapi": "3.2.0", "paths": {"/x": {"query": admin(), "additionalOperations": {"COPY": admin()}}}}),
        ),
        (
            "found: by URI",
            json!({"openapi": "3.2.0", "paths": {"/x": {"get": {
                "security": [{"#/components/securitySchemes/key": ["admin"]}]}}}}),
        ),
        ("found: neighbours", json!({"paths": {"/x": get(), "/Reports/{id}/": get()}})),
        (
            "found: several segments",
            json!({"paths": {
                "/proxy/{proxy+}": get(),
                "/starlette/{rest:path}": get(),
                "/hapi/{rest*}": get(),
                "/said/{name}": {"get": admin(), "parameters": [
                    {"name": "name", "in": "path", "required": true, "x-multi-segment": true}]},
                "/between/{rest:path}/meta": get(),
                "/files/{file_path}": get(),
                "/users/{id}": get(),
            }}),
        ),
        (
            "found: unverifiable",
            json!({
                "paths": {
                    "/either": {"get": {"security": [{"digest": []}, {"key": ["admin"]}]}},
                    "/both": {"get": {"security": [{"digest": [], "key": []}]}},
                    "/alone": {"get": {"security": [{"mutual": []}]}},
                },
                "components": {"securitySchemes": {
                    "digest": {"type": "http", "scheme": "digest"}, "mutual": {"type": "http", "scheme": "mutual"},
                }},
            }),
        ),
        (
            "found: login",
            json!({"paths": {"/login": {"post": {"security": [{"key": ["admin"]}]}}}, "components": {"securitySchemes": {
                "o": {"type": "oauth2", "deprecated": true, "oauth2MetadataUrl": "https://idp.example/meta", "flows": {
                    "password": {"tokenUrl": "login", "scopes": {}},
                    "deviceAuthorization": {
                        "deviceAuthorizationUrl": "https://idp.example/device", "tokenUrl": "https://idp.example/token",
                        "scopes": {},
                    },
                }},
            }}}),
        ),
    ]
}

fn policy(document: &Value, openapi: Value) -> Value {
    let mut whole = json!({"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {}});
    for (key, value) in document.as_object().expect("an object") {
        whole[key] = value.clone();
    }
    let mut policy = json!({
        "openapi": {"document": whole, "unsecured": "public"},
        "schemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"}},
        "api_keys": {"partners": [
            {"id": "app", "sha256": sha256("good-key")},
            {"id": "root", "sha256": sha256("admin-key"), "scopes": ["admin"]},
        ]},
        "security": [],
    });
    for (key, value) in openapi.as_object().expect("an object") {
        policy["openapi"][key] = value.clone();
    }
    policy
}

/// Each policy by its name.
pub fn policies() -> Vec<(&'static str, Value)> {
    let documents = documents();
    let of = |name: &str| documents.iter().find(|(own, _)| *own == name).expect("a document").1.clone();
    let mut policies: Vec<_> =
        documents.iter().map(|(name, document)| (*name, policy(document, json!({})))).collect();
    for (name, own) in &mut policies {
        if *name == "found: login" {
            own["schemes"]["o"] = json!({"jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]}, "users": "staff", "issue": {}});
            own["users"] = json!({"staff": staff()});
            own["passwords"] = patient();
            own["openapi"]["serve"] = json!("/openapi.json");
        }
    }
    policies.push((
        "found: neighbours left out",
        policy(&of("found: neighbours"), json!({"neighbours": "default"})),
    ));
    let mut keyed = policy(&of("found: several segments"), json!({}));
    keyed["security"] = json!([{"key": []}]);
    policies.push(("found: deeper, default locked", keyed.clone()));
    keyed["openapi"]["multi_segment"] = json!(["/files/{file_path}"]);
    keyed["security"] = json!([]);
    policies.push(("found: deeper, said", keyed));
    let both = json!({"paths": {
        "/by-id": {"get": {"operationId": "read", "security": [{"key": ["admin"]}, {"other": []}]}},
        "/by-tag": {"get": {"tags": ["strict"], "security": [{"key": []}, {"other": []}]}},
        "/either": {"get": {"operationId": "either", "security": [{"key": []}, {"other": []}]}},
    }});
    let mut combined = policy(&both, json!({"combine": {"all": ["read", "strict"]}}));
    combined["schemes"]["other"] =
        json!({"type": "apiKey", "in": "header", "name": "X-Other", "api_keys": "partners"});
    policies.push(("found: combined", combined));
    let mut served = policy(
        &json!({
            "servers": [{"url": "/api/v3"}],
            "paths": {"/x": {"get": {"security": [{"key": ["admin"]}], "responses": {}}}, "/y": {"$ref": "#/paths/~1x"}},
        }),
        json!({"serve": "/openapi.json", "docs": "/docs", "docs_oauth": {"client_id": "page", "scopes": ["admin"]}}),
    );
    served["rules"] = json!([{"match": {"path": "/api/v3/y"}, "security": [{"key": ["other"]}]}]);
    policies.push(("found: served", served));
    policies
}

/// Whether without a key and with one that lacks the scope a request is refused, and with the right one is not.
fn secured(policy: &'static str, method: &str, path: &str) -> Vec<Row> {
    let request = || Request::new(method, path);
    let name = |how: &str| format!("{policy}: {method} {path} {how}");
    let mut rows = vec![
        refused(name("without a key"), policy, request(), 403, "Not authenticated", &[API_KEY]),
        refused(
            name("with a key that lacks the scope"),
            policy,
            request().header("X-API-Key", "good-key"),
            403,
            "Not enough permissions",
            &["APIKey realm=\"lychgate\", error=\"insufficient_scope\", scope=\"admin\""],
        ),
        allowed(name("with the right key"), policy, request().header("X-API-Key", "admin-key")),
    ];
    for row in &mut rows {
        // An answer to HEAD has no body.
        if method == "HEAD" {
            row.expect.body = None;
        }
    }
    rows
}

pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (policy, method, path) in [
        ("found: references", "GET", "/operation"),
        ("found: references", "GET", "/item"),
        ("found: siblings", "GET", "/y"),
        ("found: siblings", "POST", "/y"),
        ("found: network-path", "GET", "/v1/x"),
        ("found: enum", "GET", "/v1/x"),
        ("found: enum", "GET", "/v2/x"),
        ("found: host in a variable", "GET", "/v1/x"),
        ("found: several servers", "GET", "/one/x"),
        ("found: several servers", "GET", "/two/x"),
        ("found: query", "GET", "/x?op=1"),
        ("found: query", "GET", "/x"),
        ("found: query", "GET", "/y"),
        ("found: later methods", "QUERY", "/x"),
        ("found: later methods", "COPY", "/x"),
        ("found: by URI", "GET", "/x"),
        ("found: neighbours", "HEAD", "/x"),
        ("found: neighbours", "GET", "/x/"),
        ("found: neighbours", "GET", "/X"),
        ("found: neighbours", "HEAD", "/X/"),
        ("found: neighbours", "GET", "/reports/A"),
        ("found: neighbours left out", "HEAD", "/x"),
        ("found: several segments", "GET", "/proxy/a/b"),
        ("found: several segments", "GET", "/starlette/a/b"),
        ("found: several segments", "GET", "/hapi/a/b/c"),
        ("found: several segments", "GET", "/said/a/b"),
        ("found: several segments", "GET", "/between/a/b/meta"),
        ("found: several segments", "GET", "/files/a"),
        ("found: several segments", "GET", "/files/a/b"),
        ("found: several segments", "GET", "/users/a/b"),
        ("found: deeper, default locked", "GET", "/files/a/b"),
        ("found: deeper, said", "GET", "/files/a/b"),
        ("found: unverifiable", "GET", "/either"),
    ] {
        rows.extend(secured(policy, method, path));
    }
    let get = Request::get;
    let key = |request: Request| request.header("X-API-Key", "admin-key");
    for (path, policy) in [
        ("/x/", "found: neighbours left out"),
        ("/X", "found: neighbours left out"),
        ("/other", "found: neighbours"),
        ("/proxy", "found: several segments"),
    ] {
        rows.push(allowed(format!("{policy}: {path} is not that operation"), policy, get(path)).anonymous());
    }
    let denied = |path: &'static str| {
        refused(
            format!("found: {path} is refused to everyone"),
            "found: unverifiable",
            key(get(path)),
            403,
            "Forbidden",
            &[],
        )
    };
    rows.extend([denied("/both"), denied("/alone")]);
    rows.push(
        allowed(
            "found: a name that is none of a path, where the default asks for a key",
            "found: deeper, default locked",
            get("/users/a/b").header("X-API-Key", "good-key"),
        )
        .identity("app", "", "key"),
    );
    for path in ["/by-id", "/by-tag"] {
        rows.push(refused(
            format!("found: {path} with one of two that are needed together"),
            "found: combined",
            key(get(path)),
            403,
            "Not authenticated",
            &[API_KEY],
        ));
        let request = key(get(path)).header("X-Other", "good-key");
        rows.push(allowed(format!("found: {path} with both"), "found: combined", request));
    }
    rows.push(allowed("found: alternatives that are left", "found: combined", key(get("/either"))));
    let form = |request: Request| {
        request.body("application/x-www-form-urlencoded", "username=alice&password=secret")
    };
    rows.push(refused(
        "found: the security of the login is its own",
        "found: login",
        form(Request::post("/login")),
        403,
        "Not authenticated",
        &[API_KEY],
    ));
    rows.push(answered(
        "found: and holds",
        "found: login",
        form(key(Request::post("/login"))),
        200,
        &["access_token"],
    ));
    rows.push(answered(
        "found: what OpenAPI 3.2 says of a scheme is served",
        "found: login",
        get("/openapi.json"),
        200,
        &[
            "\"deviceAuthorizationUrl\":\"https://idp.example/device\"",
            "\"deprecated\":true",
            "oauth2MetadataUrl",
        ],
    ));
    rows.push(answered(
        "found: the document keeps its security below a server's path",
        "found: served",
        get("/openapi.json"),
        200,
        &[
            "\"security\":[{\"key\":[\"admin\"]}]",
            "\"security\":[{\"key\":[\"other\"]}]",
            "error=\\\"insufficient_scope\\\", scope=\\\"admin\\\"",
        ],
    ));
    rows.push(answered(
        "found: what a login of the page begins with",
        "found: served",
        get("/docs/initializer.js"),
        200,
        &["ui.initOAuth({\"clientId\":\"page\",\"scopes\":[\"admin\"],\"usePkceWithAuthorizationCodeGrant\":true});"],
    ));
    rows
}
