//! `openapi` and `import`.

use serde_json::Value;

use super::{SECRET, lychgate, stderr, stdout};

const DOCUMENT: &str = r##"{
  "openapi": "3.1.0", "info": {"title": "Shop", "version": "1"},
  "paths": {
    "/items/{id}": {"get": {"security": [{"OAuth2PasswordBearer": ["items:read"]}]}},
    "/items/": {"get": {"security": [{"OAuth2PasswordBearer": ["items:read"]}]}, "post": {"security": [{"OAuth2PasswordBearer": ["items:read"]}]}},
    "/keyed": {"get": {"security": [{"APIKeyHeader": []}, {}]}},
    "/basic": {"get": {"security": [{"HTTPBasic": []}]}},
    "/open": {"get": {}}
  },
  "components": {"securitySchemes": {
    "OAuth2PasswordBearer": {"type": "oauth2", "flows": {"password": {"scopes": {"items:read": "Read"}, "tokenUrl": "token"}}},
    "APIKeyHeader": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "HTTPBasic": {"type": "http", "scheme": "basic"}
  }}
}"##;

#[test]
fn the_document_of_envoy_yaml_has_its_schemes_and_paths() {
    let output = lychgate(&["openapi", "envoy.yaml"], "", &[SECRET]);
    assert!(output.status.success(), "{output:?}");
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(
        document["components"]["securitySchemes"]["partner_key"],
        serde_json::json!({"type": "apiKey", "in": "header", "name": "X-API-Key"})
    );
    assert_eq!(
        document["components"]["securitySchemes"]["oauth2"]["flows"]["password"]["tokenUrl"],
        "/token"
    );
    assert_eq!(document["paths"]["/items/"]["post"]["security"][0]["oauth2"][0], "items:write");
    assert!(document["paths"]["/token"]["post"].is_object());
    let text = stdout(&output);
    assert!(!text.contains("argon2") && !text.contains("sha256") && !text.contains(SECRET.1), "{text}");
    let faulty = lychgate(&["openapi", "envoy.yaml"], "", &[]);
    assert_eq!(faulty.status.code(), Some(2));
    assert!(stderr(&faulty).contains("LYCHGATE_SECRET is not set"), "{faulty:?}");
}

#[test]
fn an_imported_document_is_a_configuration_that_wants_people_and_keys() {
    let imported = stdout(&lychgate(&["import", "-"], DOCUMENT, &[]));
    let check = lychgate(&["check", "-"], &imported, &[SECRET]);
    // All that is left to write is how each scheme is verified.
    let faults = stdout(&check);
    assert!(
        faults.lines().all(|line| line.contains("has a password, so no login could succeed")),
        "{imported}\n{faults}"
    );
    assert!(!faults.is_empty());
    let hash = stdout(&lychgate(&["hash-password"], "secret", &[]));
    let filled =
        imported.replace("people: []", &format!("people: [{{username: ann, password: '{}'}}]", hash.trim()));
    let check = lychgate(&["check", "-"], &filled, &[SECRET]);
    assert_eq!(stdout(&check), "-: 1 configuration(s), no fault\n", "{filled}");

    let openapi = lychgate(&["openapi", "-"], &filled, &[SECRET]);
    let document: Value = serde_json::from_str(&stdout(&openapi)).unwrap();
    let original: Value = serde_json::from_str(DOCUMENT).unwrap();
    for (path, method) in [
        ("/items/", "get"),
        ("/items/", "post"),
        ("/items/{id}", "get"),
        ("/keyed", "get"),
        ("/basic", "get"),
    ] {
        assert_eq!(
            document["paths"][path][method]["security"], original["paths"][path][method]["security"],
            "{path}"
        );
    }
    assert!(document["paths"]["/open"].is_null(), "what is not secured is left out");
    assert_eq!(document["components"]["securitySchemes"], original["components"]["securitySchemes"]);
    let public = stdout(&lychgate(&["import", "--unsecured", "public", "-"], DOCUMENT, &[]));
    assert!(public.contains("/open"), "{public}");
}

#[test]
fn a_document_with_faults_is_not_imported() {
    for (text, says) in [
        ("{\n\"swagger\": \"2.0\"}", "-:1: (root): Swagger 2.0"),
        (
            "openapi: 3.1.0\npaths:\n  /a//b:\n    get: {}\n",
            "-:4: paths[\"/a//b\"].get: \"/a//b\" can never match",
        ),
        ("[]", "expected an object"),
        ("a: [", "not YAML or JSON"),
    ] {
        let output = lychgate(&["import", "-"], text, &[]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(stderr(&output).contains(says), "{text}: {}", stderr(&output));
    }
}
