//! Claims: times, issuer, audience and what must be there.

use lychgate_testkit::http::Request;
use lychgate_testkit::keys::SECRET;
use lychgate_testkit::tokens::{Token, compact, hs256, now};
use serde_json::{Value, json};

use super::{Row, allowed, allowed_as, invalid_token, row};

fn ask(token: &Token) -> Request {
    Request::get("/me").bearer(token.sign("HS256"))
}

/// A token whose `exp` is this raw JSON.
fn raw_exp(exp: &str) -> Request {
    let claims = format!(r#"{{"sub":"johndoe","exp":{exp}}}"#);
    Request::get("/me").bearer(compact(r#"{"alg":"HS256"}"#, claims, |input| hs256(SECRET.as_bytes(), input)))
}

fn claims_row(name: &'static str, path: &str, token: &Token, ok: bool) -> Row {
    let scheme = path.trim_start_matches('/');
    let expect = if ok { allowed_as("johndoe", scheme) } else { invalid_token() };
    row(name, "claims", Request::get(path).bearer(token.sign("HS256")), expect)
}

/// A token that `/strict` accepts.
fn complete() -> Token {
    Token::new().claim("iss", "https://idp.example/").claim("aud", "api").claim("jti", "1")
}

pub fn rows() -> Vec<Row> {
    let good = |name, token: Token| row(name, "api", ask(&token), allowed_as("johndoe", "oauth2"));
    let refused = |name, token: Token| row(name, "api", ask(&token), invalid_token());
    let raw = |name, exp: &str| row(name, "api", raw_exp(exp), invalid_token());
    let at = |claim: &str, offset: i64| Token::new().claim(claim, now() + offset);
    let aud = |value: Value| complete().claim("aud", value);
    let mut rows = vec![
        refused("expired", at("exp", -120)),
        good("expired within the leeway", at("exp", -30)),
        refused("not yet valid", at("nbf", 120)),
        good("not yet valid within the leeway", at("nbf", 30)),
        good("valid since long", at("nbf", -100_000)),
        refused("issued in the future", at("iat", 120)),
        good("issued in the future within the leeway", at("iat", 30)),
        good("without iat", Token::new().without("iat")),
        refused("without exp", Token::new().without("exp")),
        refused("without sub", Token::new().without("sub")),
        refused("exp null", Token::new().claim("exp", Value::Null)),
        refused("exp as a string", Token::new().claim("exp", (now() + 600).to_string())),
        refused("exp true", Token::new().claim("exp", true)),
        refused("exp in an array", Token::new().claim("exp", json!([now() + 600]))),
        refused("nbf as a string", Token::new().claim("nbf", "0")),
        refused("iat as a string", Token::new().claim("iat", "0")),
        refused("iat null", Token::new().claim("iat", json!({}))),
        raw("exp negative", "-1"),
        raw("exp negative and huge", "-1e300"),
        raw("exp huge", "1e300"),
        raw("exp more than a double holds", "1e999"),
        raw("exp beyond 64 bits", "99999999999999999999999999"),
        raw("exp zero", "0"),
        row(
            "exp with a fraction",
            "api",
            raw_exp(&format!("{}.75", now() + 600)),
            allowed_as("johndoe", "oauth2"),
        ),
        row("exp with an exponent", "api", raw_exp("4.1e9"), allowed_as("johndoe", "oauth2")),
        refused("sub empty", Token::new().claim("sub", "")),
        refused("sub null", Token::new().claim("sub", Value::Null)),
        refused("sub a number", Token::new().claim("sub", 42)),
        refused("sub an array", Token::new().claim("sub", json!(["johndoe"]))),
        refused("sub with a line feed", Token::new().claim("sub", "john\nx-admin: true")),
        refused("sub with a carriage return", Token::new().claim("sub", "john\rdoe")),
        refused("sub with NUL", Token::new().claim("sub", "john\0doe")),
        row(
            "sub in another script goes on as UTF-8",
            "api",
            ask(&Token::new().claim("sub", "Jürgen 名")),
            allowed_as("Jürgen 名", "oauth2"),
        ),
        refused("scopes with a line feed", Token::new().claim("scopes", json!(["a\nb"]))),
    ];
    rows.extend([
        claims_row("issuer, audience and required claims", "/strict", &complete(), true),
        claims_row("no issuer", "/strict", &complete().without("iss"), false),
        claims_row("another issuer", "/strict", &complete().claim("iss", "https://evil.example/"), false),
        claims_row(
            "the issuer without its slash",
            "/strict",
            &complete().claim("iss", "https://idp.example"),
            false,
        ),
        claims_row(
            "the issuer in another case",
            "/strict",
            &complete().claim("iss", "https://IDP.example/"),
            false,
        ),
        claims_row(
            "the issuer in an array",
            "/strict",
            &complete().claim("iss", json!(["https://idp.example/"])),
            false,
        ),
        claims_row("the other audience", "/strict", &aud(json!("admin-api")), true),
        claims_row("an audience in an array", "/strict", &aud(json!(["other", "api"])), true),
        claims_row("no audience", "/strict", &complete().without("aud"), false),
        claims_row("another audience", "/strict", &aud(json!("other")), false),
        claims_row("an audience that begins the same", "/strict", &aud(json!("api-v2")), false),
        claims_row("audiences in one string", "/strict", &aud(json!("api admin-api")), false),
        claims_row("an empty array of audiences", "/strict", &aud(json!([])), false),
        claims_row("an audience that is a number", "/strict", &aud(json!(1)), false),
        claims_row("an audience that is an object", "/strict", &aud(json!({"api": true})), false),
        claims_row("audiences that are not all strings", "/strict", &aud(json!(["api", 1])), false),
        claims_row("audience null", "/strict", &aud(Value::Null), false),
        claims_row("a required claim is missing", "/strict", &complete().without("jti"), false),
        claims_row("no leeway: good", "/exact", &Token::new(), true),
        claims_row("no leeway: expired", "/exact", &at("exp", -5), false),
        claims_row("no leeway: not yet valid", "/exact", &at("nbf", 30), false),
        claims_row("nothing required: expired all the same", "/lax", &at("exp", -120), false),
        claims_row("nothing required: without exp", "/lax", &Token::new().without("exp"), true),
        row(
            "nothing required: without sub",
            "claims",
            Request::get("/lax").bearer(Token::new().without("sub").sign("HS256")),
            allowed().with("x-auth-scheme", "lax").without(&["x-auth-subject"]),
        ),
        row(
            "nothing required: without sub, and one is forged",
            "claims",
            Request::get("/lax")
                .bearer(Token::new().without("sub").sign("HS256"))
                .header("x-auth-subject", "admin"),
            allowed().with("x-auth-scheme", "lax").without(&["x-auth-subject"]),
        ),
    ]);
    rows
}
