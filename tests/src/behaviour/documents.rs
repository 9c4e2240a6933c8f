//! OpenAPI in and out: rules that come from a document, and the document that is served.

use crate::http::Request;
use crate::keys;
use crate::tokens::Token;
use serde_json::{Value, json};

use super::people::{patient, staff};
use super::{API_KEY, BEARER_READ, Row, allowed, answered, refused};

const P: &str = "document";
const SCOPE: &str = "Bearer realm=\"lychgate\", error=\"insufficient_scope\", scope=\"items:write\"";

/// A document as FastAPI writes it.
fn document() -> Value {
    let ok = json!({"200": {"description": "Successful Response", "content": {"application/json": {"schema": {}}}}});
    let operation = |id: &str, security: Value| {
        let mut operation = json!({"summary": id, "operationId": id, "responses": ok});
        if !security.is_null() {
            operation["security"] = security;
        }
        operation
    };
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "0.1.0"},
        "paths": {
            "/items/{item_id}": {"get": operation("read_item", json!([{"OAuth2PasswordBearer": ["items:read"]}]))},
            "/items/special": {"get": operation("special", json!([{"APIKeyHeader": []}]))},
            "/items/": {
                "get": operation("read_items", json!([{"OAuth2PasswordBearer": ["items:read"]}])),
                "post": operation("create_item", json!([{"OAuth2PasswordBearer": ["items:write"]}])),
            },
            "/files/{name}.json": {"get": operation("file", json!([{"APIKeyHeader": []}]))},
            "/maybe": {"get": operation("maybe", json!([{"APIKeyHeader": []}, {}]))},
            "/stated": {"get": operation("stated", json!([]))},
            "/unsecured": {"get": operation("unsecured", Value::Null)},
        },
        "components": {"securitySchemes": {
            "OAuth2PasswordBearer": {"type": "oauth2", "x-extension": 1,
                "flows": {"password": {"scopes": {"items:read": "Read items.", "items:write": "Write items."}, "tokenUrl": "token"}}},
            "APIKeyHeader": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }},
    })
}

/// The document dropped in: all that is written besides is how each scheme is verified.
fn dropped_in(openapi: Value) -> Value {
    json!({
        "openapi": openapi,
        "schemes": {
            "OAuth2PasswordBearer": {"jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]}, "users": "staff", "issue": {}},
            "APIKeyHeader": {"api_keys": "partners"},
        },
        "users": {"staff": staff()},
        "api_keys": {"partners": [{"id": "app", "sha256": super::policies::sha256("good-key")}]},
        "passwords": patient(),
    })
}

pub fn policies() -> Vec<(&'static str, Value)> {
    let text = document().to_string();
    let mut based = document();
    based["servers"] =
        json!([{"url": "https://shop.example/api/{version}/", "variables": {"version": {"default": "v1"}}}]);
    let mut ruled = dropped_in(json!({"document": document(), "unsecured": "public"}));
    ruled["rules"] = json!([{"match": {"path": "/items/{id}"}, "security": []}]);
    ruled["security"] = json!([{"APIKeyHeader": []}]);
    let mut twins = document();
    twins["paths"]["/twins/{id}"] = json!({"get": {"security": [], "responses": {}}});
    twins["paths"]["/twins/{twin_id}"] =
        json!({"head": {"security": [{"APIKeyHeader": []}], "responses": {}}});
    vec![
        (
            P,
            dropped_in(
                json!({"document": document(), "serve": "/openapi.json", "docs": "/docs", "title": "The Shop"}),
            ),
        ),
        ("document_public", dropped_in(json!({"document": text, "unsecured": "public"}))),
        ("document_based", dropped_in(json!({"document": based}))),
        ("document_ruled", ruled),
        ("document_twins", dropped_in(json!({"document": twins, "unsecured": "public"}))),
        (
            "served",
            json!({
                "openapi": {"serve": "/api/openapi.json", "docs": "/api/docs", "version": "7"},
                "schemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"}},
                "api_keys": {"partners": [{"id": "app", "sha256": super::policies::sha256("good-key")}]},
                "rules": [
                    {"match": {"path": "/api/openapi.json"}, "security": [{"key": []}]},
                    {"match": {"path": "/things/{id}"}, "security": [{"key": ["things:read"]}]},
                    {"match": {"prefix": "/"}, "security": [{"key": []}]},
                ],
            }),
        ),
    ]
}

pub fn rows() -> Vec<Row> {
    let reader = || Token::reader().sign("HS256");
    let get = |path: &str| Request::get(path);
    let key = |request: Request| request.header("X-API-Key", "good-key");
    let mut head_of_twin = refused(
        "document: HEAD of a path is HEAD, whatever its parameters are called",
        "document_twins",
        Request::new("HEAD", "/twins/7"),
        403,
        "Not authenticated",
        &[API_KEY],
    );
    // An answer to HEAD has no body.
    head_of_twin.expect.body = None;
    let mut rows = vec![
        head_of_twin,
        allowed("document: GET beside HEAD of such a path", "document_twins", get("/twins/7")),
        allowed("document: an operation", P, get("/items/").bearer(reader())).identity(
            "johndoe",
            "items:read",
            "OAuth2PasswordBearer",
        ),
        refused(
            "document: an operation without a credential",
            P,
            get("/items/"),
            401,
            "Not authenticated",
            &[BEARER_READ],
        ),
        refused(
            "document: another method needs another scope",
            P,
            Request::post("/items/").bearer(reader()),
            403,
            "Not enough permissions",
            &[SCOPE],
        ),
        allowed("document: a templated path", P, get("/items/7").bearer(reader())),
        refused(
            "document: a concrete path comes before a templated one",
            P,
            get("/items/special").bearer(reader()),
            403,
            "Not authenticated",
            &[API_KEY],
        ),
        allowed("document: the concrete path", P, key(get("/items/special"))).identity(
            "app",
            "",
            "APIKeyHeader",
        ),
        allowed("document: part of a segment", P, key(get("/files/report.json"))),
        refused(
            "document: part of a segment that does not fit",
            P,
            key(get("/files/report-json")),
            403,
            "Forbidden",
            &[],
        ),
        refused("document: the part is not empty", P, key(get("/files/.json")), 403, "Forbidden", &[]),
        allowed("document: optional", P, get("/maybe")).anonymous(),
        allowed("document: stated to be public", P, get("/stated")).anonymous(),
        refused(
            "document: not secured, and not said to be public",
            P,
            get("/unsecured"),
            403,
            "Forbidden",
            &[],
        ),
        refused("document: a path it does not have", P, get("/other"), 403, "Forbidden", &[]),
        refused(
            "document: a method it does not have",
            P,
            Request::new("DELETE", "/items/").bearer(reader()),
            403,
            "Forbidden",
            &[],
        ),
        answered(
            "document: its relative tokenUrl is served",
            P,
            Request::post("/token")
                .body("application/x-www-form-urlencoded", "username=alice&password=secret"),
            200,
            &["access_token", "\"scope\":\"items:read\""],
        ),
        allowed("unsecured: public", "document_public", get("/unsecured")).anonymous(),
        refused(
            "unsecured: public says nothing of other paths",
            "document_public",
            get("/other"),
            403,
            "Forbidden",
            &[],
        ),
        refused(
            "unsecured: public says nothing of other methods",
            "document_public",
            Request::post("/unsecured"),
            403,
            "Forbidden",
            &[],
        ),
        allowed(
            "servers: paths begin where the server says",
            "document_based",
            key(get("/api/v1/items/special")),
        ),
        refused(
            "servers: and nowhere else",
            "document_based",
            key(get("/items/special")),
            403,
            "Forbidden",
            &[],
        ),
        allowed("rules come before the document", "document_ruled", get("/items/special")).anonymous(),
        refused(
            "what neither speaks of needs the default",
            "document_ruled",
            get("/other"),
            403,
            "Not authenticated",
            &[API_KEY],
        ),
        // Out.
        answered(
            "serve: the document",
            P,
            get("/openapi.json"),
            200,
            &[
                "\"title\":\"The Shop\"",
                "\"version\":\"0.1.0\"",
                "\"operationId\":\"read_item\"",
                "\"tokenUrl\":\"token\"",
                "\"429\"",
            ],
        )
        .answers("content-type", "application/json"),
        answered(
            "serve: docs",
            P,
            get("/docs"),
            200,
            &["<title>The Shop - Swagger UI</title>", "/docs/swagger-ui-bundle.js"],
        )
        .answers("content-type", "text/html; charset=utf-8"),
        answered("serve: the initializer", P, get("/docs/initializer.js"), 200, &["url: \"/openapi.json\""]),
        answered("serve: the bundle", P, get("/docs/swagger-ui-bundle.js?v=1"), 200, &[])
            .answers("content-encoding", "gzip"),
        answered("serve: the style", P, get("/docs/swagger-ui.css"), 200, &[])
            .answers("content-encoding", "gzip"),
        answered(
            "serve: where other flows come back to",
            P,
            get("/docs/oauth2-redirect.html"),
            200,
            &["oauth2-redirect.js"],
        ),
        refused("serve: nothing else below docs", P, get("/docs/other.js"), 403, "Forbidden", &[]),
        refused("serve: read only", P, Request::post("/openapi.json"), 405, "Method Not Allowed", &[])
            .answers("allow", "GET, HEAD"),
        answered(
            "serve: docs is public though a prefix covers it",
            "served",
            get("/api/docs"),
            200,
            &["Lychgate - Swagger UI"],
        ),
        refused(
            "serve: a rule that names the path is kept",
            "served",
            get("/api/openapi.json"),
            403,
            "Not authenticated",
            &[API_KEY],
        ),
        answered(
            "serve: and opens to a request that satisfies it",
            "served",
            key(get("/api/openapi.json")),
            200,
            &["\"/things/{id}\"", "\"things:read\"", "\"version\":\"7\"", "\"name\":\"X-API-Key\""],
        ),
    ];
    // What a document must never say.
    let secrets = ["sha256", "argon2", keys::SECRET];
    rows.push(answered("serve: a HEAD request", P, Request::new("HEAD", "/openapi.json"), 200, &[]));
    for row in &mut rows {
        row.expect.never.extend(secrets);
    }
    rows
}
