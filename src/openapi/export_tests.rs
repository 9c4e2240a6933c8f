use serde_json::{Value, json};

use super::document;
use crate::config::{Config, Errors};

fn export(config: &Value) -> Value {
    let errors = Errors::default();
    let config = Config::read(config.to_string().as_bytes(), &errors);
    assert_eq!(errors.into_vec(), []);
    document(&config)
}

fn schemes() -> Value {
    let jwt = json!({"keys": [{"alg": "HS256", "secret": "never to be seen, thirty-two bytes"}]});
    json!({
        "OAuth2PasswordBearer": {"type": "oauth2", "jwt": jwt, "users": "u", "issue": {},
            "flows": {"password": {"tokenUrl": "token", "scopes": {"items:read": "Read items."}}}},
        "HTTPBearer": {"type": "http", "scheme": "bearer", "jwt": jwt},
        "Described": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token.", "jwt": jwt},
        "HTTPBasic": {"type": "http", "scheme": "basic", "users": "u"},
        "APIKeyHeader": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "k"},
        "APIKeyQuery": {"type": "apiKey", "in": "query", "name": "api_key", "api_keys": "k"},
        "APIKeyCookie": {"type": "apiKey", "in": "cookie", "name": "session", "api_keys": "k"},
        "OpenIdConnect": {"type": "openIdConnect", "openIdConnectUrl": "https://x.example/c", "jwt": jwt},
    })
}

#[test]
fn security_schemes_have_fastapis_shapes() {
    let document = export(&json!({"schemes": schemes()}));
    assert_eq!(
        document["components"]["securitySchemes"],
        json!({
            "OAuth2PasswordBearer": {"type": "oauth2",
                "flows": {"password": {"scopes": {"items:read": "Read items."}, "tokenUrl": "token"}}},
            "HTTPBearer": {"type": "http", "scheme": "bearer"},
            "Described": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token."},
            "HTTPBasic": {"type": "http", "scheme": "basic"},
            "APIKeyHeader": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "APIKeyQuery": {"type": "apiKey", "in": "query", "name": "api_key"},
            "APIKeyCookie": {"type": "apiKey", "in": "cookie", "name": "session"},
            "OpenIdConnect": {"type": "openIdConnect", "openIdConnectUrl": "https://x.example/c"},
        })
    );
    assert!(!document.to_string().contains("never to be seen"));
    let form = &document["paths"]["/token"]["post"]["requestBody"]["content"];
    assert!(form["application/x-www-form-urlencoded"]["schema"]["properties"]["username"].is_object());
}

#[test]
fn rules_become_paths_and_the_first_that_matches_wins() {
    let document = export(&json!({
        "schemes": schemes(),
        "rules": [
            {"match": {"path": "/items/{id}", "methods": ["GET"]}, "security": [{"HTTPBearer": ["a"]}, {}]},
            {"match": {"path": "/items/{id}"}, "security": []},
            {"match": {"prefix": "/files/"}, "security": [{"APIKeyHeader": []}]},
            {"match": {"regex": "/x.*"}, "security": []},
        ],
    }));
    let item = &document["paths"]["/items/{id}"];
    assert_eq!(item["get"]["security"], json!([{"HTTPBearer": ["a"]}, {}]));
    for status in ["200", "401", "403", "429"] {
        assert!(item["get"]["responses"][status]["description"].is_string(), "{status}");
    }
    assert!(item["get"]["responses"]["401"]["headers"]["WWW-Authenticate"].is_object());
    assert!(item["post"]["security"].is_null(), "public");
    assert!(item["post"]["responses"]["401"].is_null());
    assert_eq!(item["get"]["parameters"][0]["name"], "id");
    let file = &document["paths"]["/files/{path}"]["get"];
    assert_eq!(file["parameters"][0]["description"], "One or more segments");
    let names: Vec<_> = document["paths"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["/files/{path}", "/items/{id}", "/token"], "a regular expression is no path");
    assert_eq!(document["openapi"], "3.1.0");
}

#[test]
fn a_document_keeps_what_is_its_own_and_gets_the_security_that_holds() {
    let own = json!({
        "openapi": "3.0.3", "info": {"title": "Shop", "version": "2", "contact": {"name": "x"}}, "security": [{"HTTPBearer": []}],
        "paths": {
            "/a": {"get": {"operationId": "a", "x-own": 1, "responses": {"401": {"description": "mine"}}},
                   "post": {"security": []}},
            "/b": {"get": {"security": [{"HTTPBearer": ["b"]}]}, "parameters": [1]},
        },
        "components": {"schemas": {"S": {}}, "securitySchemes": {"Other": {"type": "mutualTLS"}}},
    });
    let document = export(&json!({
        "openapi": {"document": own, "title": "Better"}, "schemes": schemes(),
        "rules": [{"match": {"path": "/b"}, "security": [{"APIKeyHeader": []}]}],
    }));
    assert_eq!(document["info"], json!({"title": "Better", "version": "2", "contact": {"name": "x"}}));
    assert_eq!(document["paths"]["/a"]["get"]["security"], json!([{"HTTPBearer": []}]));
    assert_eq!(document["paths"]["/a"]["get"]["x-own"], 1);
    assert_eq!(document["paths"]["/a"]["get"]["responses"]["401"], json!({"description": "mine"}));
    assert!(document["paths"]["/a"]["get"]["responses"]["403"].is_object());
    assert!(
        document["paths"]["/a"]["post"].get("security").is_none(),
        "public: nothing is inherited any more"
    );
    assert!(document.get("security").is_none());
    assert_eq!(document["paths"]["/b"]["get"]["security"], json!([{"APIKeyHeader": []}]), "rules come first");
    assert_eq!(document["components"]["schemas"], json!({"S": {}}));
    assert_eq!(document["components"]["securitySchemes"]["Other"]["type"], "mutualTLS");
}

/// OpenAPI has no word for a condition, so it is beside the requirement; and is read from there.
#[test]
fn conditions_go_out_and_come_in_again() {
    let need = json!({"scopes": ["a"], "claims": {"/x/y": {"not": "z"}, "n": 7}, "max_age_seconds": 60});
    let rules = json!([
        {"match": {"path": "/a", "methods": ["GET"]}, "security": [{"HTTPBearer": need}, {"APIKeyHeader": []}]},
        {"match": {"path": "/b", "methods": ["GET"]}, "security": [{"HTTPBearer": ["a"]}]},
    ]);
    let exported = export(&json!({"schemes": schemes(), "rules": rules}));
    let operation = &exported["paths"]["/a"]["get"];
    assert_eq!(operation["security"], json!([{"HTTPBearer": ["a"]}, {"APIKeyHeader": []}]));
    assert_eq!(operation["x-lychgate"]["security"], json!([{"HTTPBearer": need}, {"APIKeyHeader": []}]));
    assert!(exported["paths"]["/b"]["get"].get("x-lychgate").is_none());
    let again = export(&json!({"schemes": schemes(), "openapi": {"document": exported}}));
    assert_eq!(again["paths"]["/a"]["get"]["security"], operation["security"]);
    assert_eq!(again["paths"]["/a"]["get"]["x-lychgate"], operation["x-lychgate"]);
}

/// A rule that is not for GET is not for HEAD either, and the served document told HEAD to be public.
#[test]
fn an_exception_of_get_is_one_of_head_in_the_document_too() {
    let document = export(&json!({
        "schemes": schemes(),
        "rules": [
            {"match": {"prefix": "/x", "not": {"methods": ["GET"]}}, "security": []},
            {"match": {"prefix": "/x"}, "security": [{"APIKeyHeader": []}]},
        ],
        "openapi": {"document": {"openapi": "3.1.0", "info": {"title": "t", "version": "v"},
            "paths": {"/x": {"get": {}, "head": {}, "post": {}}}}},
    }));
    let security = |method: &str| document["paths"]["/x"][method]["security"].clone();
    assert_eq!(security("get"), json!([{"APIKeyHeader": []}]));
    assert_eq!(security("head"), json!([{"APIKeyHeader": []}]));
    assert_eq!(security("post"), Value::Null, "public");
}
