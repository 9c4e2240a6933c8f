//! Documents that are served are valid by the official JSON Schemas of their version, and have what each operation needs.

use jsonschema::Validator;
use lychgate::config::{Config, Errors};
use lychgate::openapi::export;
use lychgate_tests::behaviour;
use serde_json::{Value, json};

use super::corpus::schemas;

fn served(configuration: &Value) -> Value {
    export::document(&Config::read(configuration.to_string().as_bytes(), &Errors::default()))
}

/// The schema of a document's version.
fn schema_of<'s>(document: &Value, schemas: &'s [(&str, Validator)]) -> &'s Validator {
    let version = document["openapi"].as_str().expect("a version");
    let found = schemas.iter().find(|(own, _)| version.starts_with(own));
    &found.unwrap_or_else(|| panic!("no schema of {version}")).1
}

fn check(name: &str, document: &Value, schemas: &[(&str, Validator)]) {
    if let Err(error) = schema_of(document, schemas).validate(document) {
        panic!("{name}: {}: {error}\n{document:#}", error.instance_path());
    }
}

/// A document of this version with all that it can say of an operation and of a scheme.
fn whole(version: &str) -> Value {
    let operation = |security: Value| {
        json!({
            "operationId": "own", "tags": ["items"], "summary": "An operation", "deprecated": true, "security": security,
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
            "responses": {"200": {"description": "OK"}, "401": {"$ref": "#/components/responses/No"}},
        })
    };
    let mut document = json!({
        "openapi": version, "info": {"title": "Whole", "version": "1", "license": {"name": "MIT"}},
        "servers": [{"url": "https://{at}.example.com/{v}", "variables": {"at": {"default": "eu"}, "v": {"default": "v1", "enum": ["v1", "v2"]}}}],
        "tags": [{"name": "items"}],
        "externalDocs": {"url": "https://example.com/docs"},
        "security": [{"key": []}],
        "paths": {
            "/items/{id}": {"summary": "Items", "get": operation(json!([{"key": []}, {"oauth2": ["read"]}])), "post": operation(json!([]))},
            "/open/{id}": {"get": operation(json!([{}, {"key": []}]))},
            "/files/{id}": {"get": operation(json!([{"oidc": []}, {"http": []}]))},
        },
        "components": {
            "responses": {"No": {"description": "No"}},
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "http": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "oidc": {"type": "openIdConnect", "openIdConnectUrl": "https://idp.example/.well-known/openid-configuration"},
                "oauth2": {"type": "oauth2", "description": "A login", "flows": {
                    "implicit": {"authorizationUrl": "https://idp.example/authorize", "scopes": {"read": "Read"}},
                    "authorizationCode": {"authorizationUrl": "https://idp.example/authorize", "tokenUrl": "https://idp.example/token",
                        "refreshUrl": "https://idp.example/refresh", "scopes": {"read": "Read"}},
                }},
            },
        },
    });
    if version != "3.0.3" {
        document["jsonSchemaDialect"] = "https://spec.openapis.org/oas/3.1/dialect/base".into();
        document["paths"]["/again/{id}"] = json!({"$ref": "#/components/pathItems/again"});
        document["components"]["pathItems"] = json!({"again": {"get": operation(json!([{"key": []}]))}});
        document["components"]["securitySchemes"]["mutual"] = json!({"type": "mutualTLS"});
        document["webhooks"] = json!({"told": {"post": {"responses": {"200": {"description": "OK"}}}}});
    }
    if version == "3.2.0" {
        document["$self"] = "https://example.com/openapi.json".into();
        document["paths"]["/items/{id}"]["query"] = operation(json!([{"key": []}]));
        document["paths"]["/items/{id}"]["additionalOperations"] =
            json!({"COPY": operation(json!([{"key": []}]))});
        document["components"]["securitySchemes"]["oauth2"]["deprecated"] = true.into();
        document["components"]["securitySchemes"]["oauth2"]["oauth2MetadataUrl"] =
            "https://idp.example/.well-known/oauth-authorization-server".into();
        document["components"]["securitySchemes"]["oauth2"]["flows"]["deviceAuthorization"] = json!({
            "deviceAuthorizationUrl": "https://idp.example/device", "tokenUrl": "https://idp.example/token", "scopes": {"read": "Read"},
        });
    }
    document
}

#[test]
fn a_document_of_each_version_is_valid_when_it_is_served_and_says_what_holds() {
    let schemas = schemas();
    if schemas.is_empty() {
        return;
    }
    for version in ["3.0.3", "3.1.0", "3.2.0"] {
        let document = whole(version);
        check(version, &document, &schemas);
        let served = served(&json!({
            "openapi": {"document": document, "serve": "/openapi.json", "docs": "/docs", "multi_segment": ["/files/{id}"]},
            "schemes": {
                "key": {"api_keys": "k"}, "http": {"api_keys": "k"},
                "oidc": {"jwt": {"issuer": "https://idp.example", "keys": [{"alg": "HS256", "secret": lychgate_tests::keys::SECRET}]}},
                "oauth2": {"jwt": {"keys": [{"alg": "HS256", "secret": lychgate_tests::keys::SECRET}]}},
            },
            "api_keys": {"k": []},
            "rules": [{"match": {"path": "/v1/open/{id}", "methods": ["GET"]}, "security": [{"oauth2": ["read"]}]}],
            "security": [{"key": []}],
        }));
        check(version, &served, &schemas);
        assert_eq!(served["openapi"], version);
        let security = |path: &str, method: &str| served["paths"][path][method]["security"].clone();
        assert_eq!(security("/items/{id}", "get"), json!([{"key": []}, {"oauth2": ["read"]}]), "{version}");
        assert_eq!(security("/files/{id}", "get"), json!([{"oidc": []}, {"http": []}]), "{version}");
        if version == "3.2.0" {
            assert_eq!(security("/items/{id}", "query"), json!([{"key": []}]));
            let copy = &served["paths"]["/items/{id}"]["additionalOperations"]["COPY"];
            assert_eq!(copy["security"], json!([{"key": []}]), "{served:#}");
        }
        // That the schema says no where it should.
        let mut broken = served;
        broken["paths"]["/items/{id}"]["get"]["security"] = "key".into();
        assert!(!schema_of(&broken, &schemas).is_valid(&broken), "{version}");
    }
}

/// Those of the behaviour table, made of rules or of documents, as far as these are valid themselves.
#[test]
fn every_document_of_the_behaviour_table_is_valid_when_it_is_served() {
    let schemas = schemas();
    if schemas.is_empty() {
        return;
    }
    let mut checked = 0;
    for (name, policy) in behaviour::policies() {
        let openapi = &policy["openapi"];
        if openapi["serve"].is_null() && openapi["docs"].is_null() {
            continue;
        }
        let own = match &openapi["document"] {
            Value::String(text) => serde_json::from_str(text).expect("JSON"),
            own => own.clone(),
        };
        if own.is_null() || schema_of(&own, &schemas).is_valid(&own) {
            check(name, &served(&policy), &schemas);
            checked += 1;
        }
    }
    println!("{checked} served documents of the behaviour table are valid");
    assert!(checked >= 5, "{checked}");
}
