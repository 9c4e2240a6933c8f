//! Error formats, realm, preflights, dry run, names of identity headers.

use crate::http::Request;
use crate::tokens::Token;
use serde_json::{Value, json};

use super::{BEARER_READ, Expect, INVALID_TOKEN, Row, allowed, refused};

fn preflight(path: &str) -> Request {
    Request::new("OPTIONS", path)
        .header("Origin", "https://app.example")
        .header("Access-Control-Request-Method", "POST")
}

fn body(
    name: &str,
    policy: &'static str,
    request: Request,
    status: u16,
    body: Value,
    challenge: &str,
) -> Row {
    let expect = Expect { status, body: Some(body), challenges: vec![challenge.into()], ..Expect::default() };
    Row { name: name.into(), policy, request, expect }
}

pub fn rows() -> Vec<Row> {
    let reader = Token::reader().sign("HS256");
    let stranger = Token::reader().sign_by_stranger("HS256");
    let scopeless = Token::new().sign("HS256");
    let get = Request::get;
    vec![
        body(
            "problem details: missing",
            "problem",
            get("/"),
            401,
            json!({"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "Not authenticated"}),
            BEARER_READ,
        ),
        body(
            "problem details: scope",
            "problem",
            get("/").bearer(&scopeless),
            403,
            json!({"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "Not enough permissions"}),
            "Bearer realm=\"lychgate\", error=\"insufficient_scope\", scope=\"items:read\"",
        ),
        body("plain text: missing", "text", get("/"), 401, json!("Not authenticated"), BEARER_READ),
        body(
            "plain text: bad token",
            "text",
            get("/").bearer(&stranger),
            401,
            json!("Could not validate credentials"),
            INVALID_TOKEN,
        ),
        refused(
            "a realm of its own",
            "lenient",
            get("/realm"),
            401,
            "Not authenticated",
            &["Bearer realm=\"my api\""],
        ),
        refused(
            "a realm of its own with an error",
            "lenient",
            get("/realm").bearer("x"),
            401,
            "Could not validate credentials",
            &["Bearer realm=\"my api\", error=\"invalid_token\""],
        ),
        allowed(
            "preflight passes, without forged identity",
            "token",
            preflight("/").header("X-Auth-Subject", "admin"),
        )
        .anonymous(),
        allowed("preflight passes where no rule matches", "routing", preflight("/nowhere")).anonymous(),
        refused("preflight with an ambiguous path", "token", preflight("/a//b"), 400, "Ambiguous path", &[]),
        refused(
            "OPTIONS without Origin is no preflight",
            "token",
            Request::new("OPTIONS", "/").header("Access-Control-Request-Method", "POST"),
            401,
            "Not authenticated",
            &[BEARER_READ],
        ),
        refused(
            "OPTIONS without a method asked for is no preflight",
            "token",
            Request::new("OPTIONS", "/").header("Origin", "https://app.example"),
            401,
            "Not authenticated",
            &[BEARER_READ],
        ),
        refused(
            "GET with the headers of a preflight is none",
            "token",
            get("/").header("Origin", "x").header("Access-Control-Request-Method", "POST"),
            401,
            "Not authenticated",
            &[BEARER_READ],
        ),
        body(
            "preflight is checked when asked for",
            "text",
            preflight("/"),
            401,
            json!("Not authenticated"),
            BEARER_READ,
        ),
        allowed(
            "identity headers by other names",
            "text",
            get("/").bearer(&reader).header("x-user", "admin").header("X-Auth-Subject", "kept"),
        )
        .with("x-user", "johndoe")
        .with("x-user-scopes", "items:read")
        .with("x-user-scheme", "token")
        .with("x-auth-subject", "kept"),
        allowed("without a cache the same token again", "text", get("/").bearer(&reader)),
        allowed("dry run: a bad token passes and stays", "dry", get("/token").bearer(&stranger))
            .anonymous()
            .with("authorization", &format!("Bearer {stranger}")),
        allowed("dry run: no credential passes", "dry", get("/token").header("X-Auth-Subject", "admin"))
            .anonymous(),
        allowed("dry run: a good token passes as ever", "dry", get("/token").bearer(&reader))
            .identity("johndoe", "items:read", "token")
            .without("authorization"),
        allowed("dry run: a bad key passes and stays", "dry", get("/key?api_key=x&a=1"))
            .anonymous()
            .path("/key?api_key=x&a=1"),
        allowed("dry run: an ambiguous path passes", "dry", get("/a//b").header("x-auth-scopes", "admin"))
            .anonymous()
            .path("/a//b"),
        allowed("dry run: no rule passes", "dry", get("/nowhere")).anonymous(),
    ]
}
