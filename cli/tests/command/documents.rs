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

/// A document with what an author should look at, and what was lost between `import` and `openapi`.
const ODD: &str = r##"{
  "openapi": "3.1.0", "info": {"title": "Odd", "version": "1", "description": "\u007f\u0080\ufffe"},
  "servers": [{"url": "https://api.example.com/v1"}],
  "paths": {
    "/Accounts/{Sid}.json": {"get": {"security": [{"key": []}]}},
    "/files/{file_path}": {"get": {"security": [{"key": []}]}},
    "/proxy/{proxy+}": {"get": {"security": [{"key": []}]}},
    "/both": {"get": {"security": [{"key": []}, {"token": ["admin"]}]}},
    "/alone": {"get": {"security": [{"digest": []}]}},
    "/open": {"get": {}, "put": {}}
  },
  "components": {"securitySchemes": {
    "key": {"$ref": "#/components/x-schemes/key"},
    "token": {"type": "oauth2", "flows": {"password": {"scopes": {"admin": "All"}, "tokenUrl": "login"}}},
    "digest": {"type": "http", "scheme": "digest"}
  }, "x-schemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}}}
}"##;

#[test]
fn what_an_import_guesses_or_leaves_out_is_told() {
    let output = lychgate(&["import", "-"], ODD, &[]);
    let told = stderr(&output);
    for said in [
        "-:9: warning: paths[\"/open\"].get: left out, because the document does not secure them: GET /open, PUT /open;",
        "warning: paths[\"/both\"].get: any one of key, token is enough; FastAPI writes so where all of them are needed",
        "warning: paths[\"/files/{file_path}\"].get: its last parameter looks as if it stood for several segments",
        "warning: components.securitySchemes.token: `issue` serves POST login in the place of the application's own login",
        "warning: components.securitySchemes.digest: `http digest` cannot be checked here",
        "warning: servers[0].url: \"https://api.example.com/v1\" looks like a placeholder",
        "warning: users.people: is empty: no user is accepted until you write one",
        "warning: api_keys.clients: is empty: no API key is accepted until you write one",
    ] {
        // The line depends on nothing that is of interest here, but for the first.
        let said = said.split_once("warning: ").map_or(said, |(_, said)| said);
        assert!(told.contains(said), "{told}\nlacks {said}");
    }
}

#[test]
fn nothing_is_lost_between_import_and_openapi() {
    let imported = stdout(&lychgate(&["import", "--unsecured", "public", "-"], ODD, &[]));
    let hash = stdout(&lychgate(&["hash-password"], "secret", &[]));
    let filled =
        imported.replace("people: []", &format!("people: [{{username: ann, password: '{}'}}]", hash.trim()));
    let output = lychgate(&["openapi", "-"], &filled, &[SECRET]);
    let document: Value =
        serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{imported}\n{output:?}"));
    let key = serde_json::json!([{"key": []}]);
    for path in ["/v1/Accounts/{Sid}.json", "/v1/files/{file_path}", "/v1/proxy/{proxy}"] {
        assert_eq!(document["paths"][path]["get"]["security"], key, "{path}");
    }
    let parameter = &document["paths"]["/v1/proxy/{proxy}"]["get"]["parameters"][0];
    assert_eq!(parameter["x-multi-segment"], true);
    assert!(document["paths"]["/v1/open"]["put"].is_object());
    assert_eq!(document["paths"]["/v1/both"]["get"]["security"].as_array().map(Vec::len), Some(2));
    // Refused to everyone, it is no operation; `import` says why.
    assert!(imported.contains("security: denied"), "{imported}");
}

/// A document and files of its own in a folder that is gone afterwards.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("lychgate-{name}-{}", std::process::id()));
        for (file, text) in files {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn files_that_a_document_refers_to_become_one_document() {
    let folder = Folder::new(
        "bundle",
        &[
            (
                "api/index.yaml",
                "openapi: 3.1.0\ninfo: {title: x, version: '1'}\npaths:\n  /x: {get: {$ref: ../operations/x.yml}}\n  /y: {$ref: 'items.yaml#/paths/~1y'}\ncomponents:\n  securitySchemes: {key: {$ref: 'schemes.json#/key'}}\n  schemas: {Own: {type: object}}\n",
            ),
            (
                "operations/x.yml",
                "security: [{key: []}]\nresponses: {}\nrequestBody: {$ref: '../api/index.yaml#/components/schemas/Own'}\n",
            ),
            (
                "api/items.yaml",
                "paths:\n  /y: {post: {$ref: '#/other'}}\nother: {security: [{key: []}], responses: {}}\n",
            ),
            (
                "api/schemes.json",
                "{\"key\": {\"type\": \"apiKey\", \"in\": \"header\", \"name\": \"X-Key\"}}",
            ),
            ("remote.yaml", "openapi: 3.1.0\npaths: {/x: {$ref: 'https://example.com/x.yaml'}}\n"),
            ("missing.yaml", "openapi: 3.1.0\npaths: {/x: {$ref: 'nowhere.yaml'}}\n"),
        ],
    );
    let bundled = lychgate(&["bundle", &folder.file("api/index.yaml")], "", &[]);
    assert!(bundled.status.success(), "{bundled:?}");
    let text = stdout(&bundled);
    assert!(text.contains("\"$ref\": \"#/components/schemas/Own\""), "what leads back stays: {text}");
    // The plugin reads it alone, and `import` reads the files itself.
    let imported = stdout(&lychgate(&["import", "-"], &text, &[]));
    for said in ["path: /x", "path: /y", "key: []", "name: X-Key"] {
        assert!(imported.contains(said), "{imported}");
    }
    let rules = |text: &str| text.split_once('\n').unwrap().1.to_owned();
    let direct = stdout(&lychgate(&["import", &folder.file("api/index.yaml")], "", &[]));
    assert_eq!(rules(&direct), rules(&imported));
    for (file, says) in
        [("remote.yaml", "is a URL; save what it names to a file"), ("missing.yaml", "nowhere.yaml")]
    {
        let output = lychgate(&["bundle", &folder.file(file)], "", &[]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(says), "{output:?}");
    }
}

/// A document of 250,000 parts was refused by the command line and taken by the plugin.
#[test]
fn a_large_document_is_read_in_json_and_in_yaml() {
    let schema = |number: usize| {
        format!(
            "\"S{number}\": {{\"type\": \"object\", \"properties\": {{\"a\": {{\"type\": \"string\"}}}}}}"
        )
    };
    let schemas: Vec<_> = (0..60_000).map(schema).collect();
    let json = format!(
        "{{\"openapi\": \"3.1.0\", \"paths\": {{\"/x\": {{\"get\": {{\"security\": []}}}}}}, \"components\": {{\"schemas\": {{{}}}}}}}",
        schemas.join(",\n")
    );
    for text in [json.clone(), format!("# YAML\n{json}")] {
        let output = lychgate(&["import", "-"], &text, &[]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(stdout(&output).contains("path: /x"));
    }
}
