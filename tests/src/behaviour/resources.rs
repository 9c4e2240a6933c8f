//! Protected resources (RFC 9728): metadata, challenges that lead to it, and tokens that are for another one.

use serde_json::{Value, json};

use super::{Expect, Row, allowed, refused};
use crate::http::Request;
use crate::keys;
use crate::tokens::Token;

const METADATA: &str =
    "resource_metadata=\"https://api.example.com/.well-known/oauth-protected-resource/mcp\"";

pub fn policies() -> Vec<(&'static str, Value)> {
    let bearer = |settings: Value| {
        let mut jwt =
            json!({"keys": [{"alg": "HS256", "secret": keys::SECRET}], "issuer": "https://idp.example"});
        if let (Value::Object(jwt), Value::Object(settings)) = (&mut jwt, settings) {
            jwt.extend(settings);
        }
        json!({"type": "http", "scheme": "bearer", "missing_status": 401, "jwt": jwt})
    };
    let odd = json!(["empty_segment", "semicolon", "encoded_slash"]);
    vec![
        (
            "resources behind odd paths",
            json!({
                "schemes": {"token": bearer(json!({}))},
                "resources": [
                    {"resource": "https://api.example.com/mcp"},
                    {"resource": "https://api.example.com/mcp/inner"},
                ],
                "rules": [{"match": {"prefix": "/", "allow": odd}, "security": [{"token": []}]}],
            }),
        ),
        (
            "resources",
            json!({
                "schemes": {"token": bearer(json!({})), "own": bearer(json!({"audiences": ["own"]}))},
                "resources": [
                    {"resource": "https://api.example.com/mcp", "resource_name": "Tools"},
                    {
                        "resource": "https://other.example.com",
                        "path": "/other",
                        "authorization_servers": ["https://elsewhere.example"],
                        "scopes_supported": [],
                    },
                ],
                "rules": [
                    {"match": {"path": "/mcp"}, "security": [{"token": ["mcp:use"]}]},
                    {"match": {"prefix": "/mcp/admin"}, "security": [{"token": ["mcp:use", "mcp:admin"]}]},
                    {"match": {"prefix": "/mcp/own"}, "security": [{"own": []}]},
                    {"match": {"prefix": "/mcp/any"}, "security": [{"token": []}, {}]},
                    {"match": {"prefix": "/other"}, "security": [{"token": []}]},
                    {"match": {"prefix": "/mcpx"}, "security": [{"token": []}]},
                ],
            }),
        ),
    ]
}

fn served(name: &str, request: Request, status: u16, body: Option<Value>) -> Row {
    let expect = Expect { status, body, ..Expect::default() };
    Row { name: name.into(), policy: "resources", request, expect }
        .answers("access-control-allow-origin", "*")
}

pub fn rows() -> Vec<Row> {
    const P: &str = "resources";
    let token = |aud: Value| {
        Token::new().claim("iss", "https://idp.example").claim("scope", "mcp:use").claim("aud", aud)
    };
    let send = |path: &str, aud: Value| Request::get(path).bearer(token(aud).sign("HS256"));
    let mcp = json!("https://api.example.com/mcp");
    let odd_path = |name: &str, path: &str| {
        let request = send(path, json!("https://other.example.com"));
        let name = format!("resource behind odd paths: {name}");
        refused(name, "resources behind odd paths", request, 400, "Ambiguous path", &[])
    };
    let well_known = "/.well-known/oauth-protected-resource";
    let algorithms: Vec<&str> =
        "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 ES256K EdDSA ML-DSA-44 ML-DSA-65 ML-DSA-87"
            .split(' ')
            .collect();
    let document = json!({
        "resource": "https://api.example.com/mcp",
        "authorization_servers": ["https://idp.example"],
        "scopes_supported": ["mcp:use", "mcp:admin"],
        "resource_name": "Tools",
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": algorithms,
    });
    let other = json!({
        "resource": "https://other.example.com",
        "authorization_servers": ["https://elsewhere.example"],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": algorithms,
    });
    let wrong = |name: &str, path: &str, aud: Value| {
        let challenge = format!("Bearer realm=\"lychgate\", error=\"invalid_token\", {METADATA}");
        refused(name, P, send(path, aud), 401, "Could not validate credentials", &[&challenge])
    };
    vec![
        served("resource: metadata", Request::get(format!("{well_known}/mcp")), 200, Some(document.clone())),
        served(
            "resource: nothing of the metadata is the client's",
            Request::get(format!("{well_known}/mcp?x=1"))
                .host("evil.example")
                .header("X-Forwarded-Host", "evil.example"),
            200,
            Some(document),
        ),
        served("resource: metadata of another", Request::get(well_known), 200, Some(other)),
        served(
            "resource: a preflight for the metadata",
            Request::new("OPTIONS", format!("{well_known}/mcp"))
                .header("Origin", "https://app.example")
                .header("Access-Control-Request-Method", "GET")
                .header("Access-Control-Request-Headers", "mcp-protocol-version"),
            204,
            None,
        )
        .answers("access-control-allow-headers", "*"),
        refused(
            "resource: metadata is not written",
            P,
            Request::post(format!("{well_known}/mcp")),
            405,
            "Method Not Allowed",
            &[],
        ),
        refused(
            "resource: no metadata below it",
            P,
            Request::get(format!("{well_known}/mcp/x")),
            403,
            "Forbidden",
            &[],
        ),
        refused(
            "resource: a missing token is led to the metadata",
            P,
            Request::get("/mcp").host("evil.example"),
            401,
            "Not authenticated",
            &[&format!("Bearer realm=\"lychgate\", scope=\"mcp:use\", {METADATA}")],
        ),
        refused(
            "resource: also without a scope",
            P,
            Request::get("/mcp/own/x"),
            401,
            "Not authenticated",
            &[&format!("Bearer realm=\"lychgate\", {METADATA}")],
        ),
        refused(
            "resource: a scope that lacks",
            P,
            send("/mcp/admin", mcp.clone()),
            403,
            "Not enough permissions",
            &[&format!(
                "Bearer realm=\"lychgate\", error=\"insufficient_scope\", scope=\"mcp:use mcp:admin\", {METADATA}"
            )],
        ),
        refused(
            "resource: a path that only begins like it",
            P,
            Request::get("/mcpx"),
            401,
            "Not authenticated",
            &["Bearer realm=\"lychgate\""],
        ),
        refused(
            "resource: another one",
            P,
            Request::get("/other/x"),
            401,
            "Not authenticated",
            &[
                "Bearer realm=\"lychgate\", resource_metadata=\"https://other.example.com/.well-known/oauth-protected-resource\"",
            ],
        ),
        allowed("resource: a token for it", P, send("/mcp", mcp.clone()))
            .identity("johndoe", "mcp:use", "token"),
        allowed("resource: a token for several", P, send("/mcp", json!(["x", mcp]))),
        wrong("resource: a token for another", "/mcp", json!("https://other.example.com")),
        wrong("resource: a token for the host", "/mcp", json!("https://api.example.com")),
        wrong("resource: a token with a slash more", "/mcp", json!("https://api.example.com/mcp/")),
        wrong("resource: a token for nothing", "/mcp", Value::Null),
        wrong("resource: a token for another where anonymous requests pass", "/mcp/any", json!("x")),
        allowed("resource: a scheme with audiences of its own", P, send("/mcp/own/x", json!("own"))),
        wrong("resource: a scheme with audiences of its own, and the resource", "/mcp/own/x", mcp.clone()),
        allowed(
            "resource: without a path, with its slash",
            P,
            send("/other", json!("https://other.example.com/")),
        ),
        allowed("resource: without a path", P, send("/other/x", json!("https://other.example.com"))),
        allowed("resource: no audience where there is no resource", P, send("/mcpx", Value::Null)),
        odd_path("an empty segment before it", "//mcp/tool"),
        odd_path("a parameter of its segment", "/mcp;v=1/tool"),
        odd_path("an encoded slash below it", "/mcp%2Ftool"),
        odd_path("an empty segment before an inner one", "/mcp//inner/tool"),
        allowed(
            "resource behind odd paths: every reading is for the same",
            "resources behind odd paths",
            send("/mcp/projects/group%2Fproject", mcp.clone()),
        ),
        allowed(
            "resource behind odd paths: every reading is for none",
            "resources behind odd paths",
            send("/files//a", json!("https://other.example.com")),
        ),
    ]
}
