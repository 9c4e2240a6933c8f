//! The form of a refusal, and preflights.

use lychgate_testkit::http::Request;
use lychgate_testkit::tokens::Token;

use super::{
    API_KEY, BEARER, Expect, Row, ambiguous, anonymous, denied, invalid_key, invalid_token, missing,
    missing_403, row, scope_lacking,
};

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";
const TEXT: &str = "text/plain";

fn preflight(path: &str) -> Request {
    Request::new("OPTIONS", path)
        .header("Origin", "https://app.example")
        .header("Access-Control-Request-Method", "PUT")
}

pub fn rows() -> Vec<Row> {
    let plain = Token::new().sign("HS256");
    let stranger = Token::new().sign_by_stranger("HS256");
    let get = Request::get;
    let typed = |expect: Expect, content_type| expect.answer("content-type", content_type);
    let gate = "Bearer realm=\"the gate\"";
    vec![
        row("JSON: missing", "api", get("/me"), typed(missing(&[BEARER]), JSON)),
        row("JSON: bad token", "api", get("/me").bearer(&stranger), typed(invalid_token(), JSON)),
        row(
            "JSON: scope lacking",
            "api",
            get("/superuser").bearer(&plain),
            typed(scope_lacking("admin"), JSON),
        ),
        row("JSON: bad key", "api", get("/key/header").header("X-API-Key", "x"), typed(invalid_key(), JSON)),
        row("JSON: ambiguous", "api", get("/a//b"), typed(ambiguous(), JSON)),
        row("JSON: no rule", "closed", get("/x"), typed(denied(403, "Forbidden"), JSON)),
        row("problem: missing", "problem", get("/me"), typed(missing(&[BEARER]), PROBLEM)),
        row("problem: bad token", "problem", get("/me").bearer(&stranger), typed(invalid_token(), PROBLEM)),
        row(
            "problem: scope lacking",
            "problem",
            get("/items").bearer(&plain),
            typed(scope_lacking("items:read"), PROBLEM),
        ),
        row("problem: no rule", "problem", get("/nowhere"), typed(denied(403, "Forbidden"), PROBLEM)),
        row("problem: ambiguous", "problem", get("/a/../b"), typed(ambiguous(), PROBLEM)),
        row("text: missing", "text", get("/items"), typed(missing(&[gate]), TEXT)),
        row("text: missing key", "text", get("/key"), typed(missing_403(&[API_KEY]), TEXT)),
        row("text: bad key", "text", get("/key").header("X-API-Key", "x"), typed(invalid_key(), TEXT)),
        row(
            "text: scope lacking",
            "text",
            get("/items").bearer(&plain),
            typed(
                denied(403, "Not enough permissions")
                    .challenges(&[&format!("{gate}, error=\"insufficient_scope\", scope=\"items:read\"")]),
                TEXT,
            ),
        ),
        row("text: ambiguous", "text", get("/a//b"), typed(ambiguous(), TEXT)),
        row(
            "a refusal of a request with a body",
            "api",
            Request::post("/items/1").body(JSON, "{}"),
            missing(&[BEARER]),
        ),
        row("preflight passes", "api", preflight("/me"), anonymous().with("origin", "https://app.example")),
        row("preflight passes where there is no rule", "closed", preflight("/x"), anonymous()),
        row(
            "preflight passes, and a token with it",
            "api",
            preflight("/me").bearer(&stranger),
            anonymous().with("authorization", format!("Bearer {stranger}")),
        ),
        row("preflight to an ambiguous path", "api", preflight("/me/../x"), ambiguous()),
        row(
            "OPTIONS without Origin is no preflight",
            "api",
            Request::new("OPTIONS", "/me").header("Access-Control-Request-Method", "PUT"),
            missing(&[BEARER]),
        ),
        row(
            "OPTIONS without a method asked for is no preflight",
            "api",
            Request::new("OPTIONS", "/me").header("Origin", "https://app.example"),
            missing(&[BEARER]),
        ),
        row(
            "GET with the headers of a preflight is none",
            "api",
            { Request { method: "GET".into(), ..preflight("/me") } },
            missing(&[BEARER]),
        ),
        row("preflight is checked where so said", "problem", preflight("/me"), missing(&[BEARER])),
        row("preflight is checked where so said, and public", "problem", preflight("/health"), anonymous()),
    ]
}
