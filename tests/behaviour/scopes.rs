//! Scopes: whole words, out of the first claim that is there.

use lychgate_testkit::http::Request;
use lychgate_testkit::tokens::Token;
use serde_json::{Value, json};

use super::{Row, allowed_as, key_scope_lacking, row, scope_lacking};

fn with(claim: &str, value: impl Into<Value>) -> Token {
    Token::new().claim(claim, value)
}

/// Asks `/superuser`, which needs `admin`.
fn admin(name: &'static str, token: &Token, ok: bool) -> Row {
    let expect = if ok { allowed_as("johndoe", "oauth2") } else { scope_lacking("admin") };
    row(name, "api", Request::get("/superuser").bearer(token.sign("HS256")), expect)
}

/// Asks `/scoped`, whose scopes stand in `permissions`.
fn permission(name: &'static str, token: &Token, ok: bool) -> Row {
    let expect = if ok { allowed_as("johndoe", "permissions") } else { scope_lacking("admin") };
    row(name, "claims", Request::get("/scoped").bearer(token.sign("HS256")), expect)
}

pub fn rows() -> Vec<Row> {
    let post = |token: &Token| Request::post("/items/1").bearer(token.sign("HS256"));
    let key = |key: &str| Request::get("/key/scoped").header("X-API-Key", key);
    vec![
        admin("scopes as an array", &with("scopes", json!(["items:read", "admin"])), true),
        admin("scopes as a string", &with("scopes", "items:read admin"), true),
        admin("scope as a string", &with("scope", "admin items:read"), true),
        admin("scope as an array", &with("scope", json!(["admin"])), true),
        admin("scp as an array", &with("scp", json!(["admin"])), true),
        admin("scp as a string", &with("scp", "admin"), true),
        admin("spaces around and between", &with("scope", "  items:read   admin "), true),
        admin("no scopes", &Token::new(), false),
        admin("scopes empty", &with("scopes", json!([])), false),
        admin("scopes an empty string", &with("scopes", ""), false),
        admin("another scope", &with("scopes", json!(["items:read"])), false),
        admin("a scope that ends the same", &with("scopes", json!(["superadmin"])), false),
        admin("a scope that begins the same", &with("scopes", json!(["administrator"])), false),
        admin("a scope that holds it", &with("scope", "superadmin:all not-admin-at-all"), false),
        admin("a scope in another case", &with("scopes", json!(["Admin"])), false),
        admin("scopes with commas between", &with("scope", "items:read,admin"), false),
        admin("an item with a space in it", &with("scopes", json!(["items:read admin"])), false),
        admin("scopes a number", &with("scopes", 1), false),
        admin("scopes true", &with("scopes", true), false),
        admin("scopes an object", &with("scopes", json!({"admin": true})), false),
        admin("an item that is no string", &with("scopes", json!(["admin", 1])), false),
        admin("an array in the array", &with("scopes", json!([["admin"]])), false),
        admin("a wildcard is a word like any", &with("scopes", json!(["*"])), false),
        admin(
            "the first claim counts",
            &with("scopes", json!(["items:read"])).claim("scope", "admin"),
            false,
        ),
        admin(
            "the first claim counts, empty",
            &with("scopes", json!([])).claim("scp", json!(["admin"])),
            false,
        ),
        admin("scope before scp", &with("scope", "admin").claim("scp", "items:read"), true),
        admin("roles are not scopes", &with("roles", json!(["admin"])), false),
        permission("a claim of one's own", &with("permissions", json!(["admin"])), true),
        permission("a claim of one's own instead of the usual", &with("scopes", json!(["admin"])), false),
        row(
            "two scopes are needed: both",
            "api",
            post(&with("scope", "items:write items:read")),
            allowed_as("johndoe", "oauth2").with("x-auth-scopes", "items:write items:read"),
        ),
        row(
            "two scopes are needed: one",
            "api",
            post(&with("scope", "items:read")),
            scope_lacking("items:read items:write"),
        ),
        row(
            "scopes of an API key",
            "api",
            key("admin-tool-key"),
            allowed_as("admin-tool", "header_key").with("x-auth-scopes", "items:read items:write admin"),
        ),
        row(
            "an API key lacks one of two",
            "api",
            key("mobile-app-key"),
            key_scope_lacking("items:read admin"),
        ),
        row("an API key without scopes", "api", key("plain-key"), key_scope_lacking("items:read admin")),
    ]
}
