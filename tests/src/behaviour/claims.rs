//! Claims: times, issuer, audience, required ones, scopes, and headers made of them.

use crate::http::Request;
use crate::tokens::{Token, now};
use serde_json::{Value, json};

use super::{Row, allowed, bad_token, refused};

fn send(path: &str, token: &Token) -> Request {
    Request::get(path).bearer(token.sign("HS256"))
}

fn full() -> Token {
    Token::new().claim("iss", "https://idp.example").claim("aud", "api")
}

pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let token = Token::reader;
    for (name, claim, value) in [
        ("exp a minute ago is within the leeway", "exp", json!(now() - 30)),
        ("exp with a fraction", "exp", json!(now() as f64 + 600.5)),
        ("exp far away", "exp", json!(9_999_999_999_i64)),
        ("nbf within the leeway", "nbf", json!(now() + 30)),
        ("nbf past", "nbf", json!(now() - 1000)),
        ("iat within the leeway", "iat", json!(now() + 30)),
    ] {
        rows.push(allowed(name, "token", send("/", &token().claim(claim, value))));
    }
    for (name, claim, value) in [
        ("exp two minutes ago", "exp", json!(now() - 120)),
        ("exp as a string", "exp", json!((now() + 600).to_string())),
        ("exp negative", "exp", json!(-1)),
        ("exp beyond reckoning", "exp", json!(1e300)),
        ("exp null", "exp", Value::Null),
        ("exp true", "exp", json!(true)),
        ("exp zero", "exp", json!(0)),
        ("nbf in two minutes", "nbf", json!(now() + 120)),
        ("nbf as a string", "nbf", json!("0")),
        ("iat in two minutes", "iat", json!(now() + 120)),
        ("iat as an object", "iat", json!({})),
        ("sub as a number", "sub", json!(42)),
        ("sub empty", "sub", json!("")),
        ("sub null", "sub", Value::Null),
        ("sub with a line feed", "sub", json!("john\ndoe")),
        ("sub with a NUL", "sub", json!("john\0doe")),
        ("sub with a space at its end", "sub", json!("johndoe ")),
        ("scope with a carriage return", "scopes", json!(["items:read", "a\rb"])),
        ("scope with a line feed, in one text", "scopes", json!("items:read a\nb")),
    ] {
        rows.push(bad_token(name, "token", send("/", &token().claim(claim, value))));
    }
    rows.push(bad_token("no exp", "token", send("/", &token().without("exp"))));
    rows.push(bad_token("no sub", "token", send("/", &token().without("sub"))));
    rows.push(
        allowed(
            "nothing required: neither exp nor sub",
            "lenient",
            send("/", &Token::new().without("exp").without("sub")),
        )
        .without("x-auth-subject")
        .with("x-auth-scheme", "token"),
    );
    rows.push(bad_token(
        "no leeway: exp a second ago",
        "lenient",
        send("/", &Token::new().claim("exp", now() - 1)),
    ));
    rows.push(bad_token(
        "an algorithm that is not allowed",
        "lenient",
        Request::get("/").bearer(Token::new().sign("HS384")),
    ));
    rows.push(bad_token(
        "longer than max_token_bytes",
        "lenient",
        send("/", &Token::new().claim("pad", "x".repeat(300))),
    ));

    let scope = |claim: &str, value: Value| Token::new().claim(claim, value);
    for (name, token, scopes) in [
        ("scopes as an array", scope("scopes", json!(["a", "items:read"])), "a items:read"),
        ("scope as a string", scope("scope", json!("items:read  b")), "items:read b"),
        ("scp as an array", scope("scp", json!(["items:read"])), "items:read"),
        ("scopes before scope", scope("scopes", json!(["items:read"])).claim("scope", "other"), "items:read"),
        // Some readers split at any white space: two scopes, of which the issuer granted none.
        (
            "a tab in an item of scopes",
            scope("scopes", json!(["items:read", "Friends\tadmin", "\tadmin"])),
            "items:read",
        ),
        ("a tab in scope", scope("scope", json!("items:read read\tadmin")), "items:read"),
        (
            "spaces beyond ASCII in scope",
            scope("scope", json!("items:read read\u{a0}admin a\u{3000}admin a\u{2028}admin")),
            "items:read",
        ),
        (
            "quotes, backslashes and letters beyond ASCII in scope",
            scope("scope", json!("items:read \"admin\" a\\b caf\u{e9}")),
            "items:read",
        ),
        (
            "a scope that is there twice",
            scope("scopes", json!(["items:read", "a", "items:read"])),
            "items:read a",
        ),
    ] {
        rows.push(allowed(name, "token", send("/", &token)).identity("johndoe", scopes, "token"));
    }
    let lacking = |name: &str, path: &str, token: &Token, wanted: &str| {
        let challenge =
            format!("Bearer realm=\"lychgate\", error=\"insufficient_scope\", scope=\"{wanted}\"");
        refused(name, "token", send(path, token), 403, "Not enough permissions", &[&challenge])
    };
    rows.extend([
        lacking(
            "superadmin is not admin",
            "/admin",
            &scope("scopes", json!(["superadmin", "admin2"])),
            "admin",
        ),
        lacking("no scope claim at all", "/", &Token::new(), "items:read"),
        lacking(
            "an empty scopes hides scope",
            "/",
            &scope("scopes", json!([])).claim("scope", "items:read"),
            "items:read",
        ),
        lacking("a scopes of the wrong type grants nothing", "/", &scope("scopes", json!(7)), "items:read"),
        lacking(
            "a scopes with a number in it grants nothing",
            "/",
            &scope("scopes", json!(["items:read", 1])),
            "items:read",
        ),
        lacking(
            "scopes glued in one string of an array",
            "/",
            &scope("scopes", json!(["items:read items:write"])),
            "items:read",
        ),
        lacking("scopes are case-sensitive", "/", &scope("scopes", json!(["Items:Read"])), "items:read"),
        lacking("one of two scopes", "/both", &token(), "items:read items:write"),
        lacking(
            "comma is no separator",
            "/both",
            &scope("scope", json!("items:read,items:write")),
            "items:read items:write",
        ),
        allowed(
            "both of two scopes",
            "token",
            send("/both", &scope("scope", json!("items:write items:read"))),
        ),
        allowed("no scope needed", "token", send("/any", &Token::new())).identity("johndoe", "", "token"),
        allowed(
            "the claim named by scope_claims",
            "lenient",
            send("/scoped", &scope("permissions", json!("go"))),
        ),
        refused(
            "the usual claims when scope_claims names another",
            "lenient",
            send("/scoped", &scope("scopes", json!(["go"]))),
            403,
            "Not enough permissions",
            &["Bearer realm=\"lychgate\", error=\"insufficient_scope\", scope=\"go\""],
        ),
    ]);

    rows.extend([
        allowed("issuer and audience as wanted", "claims", send("/", &full())),
        allowed(
            "one audience of several",
            "claims",
            send("/", &full().claim("aud", json!(["x", "admin-api"]))),
        ),
        bad_token("another issuer", "claims", send("/", &full().claim("iss", "https://evil.example"))),
        bad_token(
            "an issuer with a slash more",
            "claims",
            send("/", &full().claim("iss", "https://idp.example/")),
        ),
        bad_token("no issuer", "claims", send("/", &full().without("iss"))),
        bad_token(
            "issuer as an array",
            "claims",
            send("/", &full().claim("iss", json!(["https://idp.example"]))),
        ),
        bad_token("another audience", "claims", send("/", &full().claim("aud", "apix"))),
        bad_token("no audience", "claims", send("/", &full().without("aud"))),
        bad_token("an empty list of audiences", "claims", send("/", &full().claim("aud", json!([])))),
        bad_token(
            "an audience list with a number in it",
            "claims",
            send("/", &full().claim("aud", json!(["api", 1]))),
        ),
    ]);
    let header = |name: &str, claim: &str, value: Value, header: &str, text: &str| {
        allowed(name, "claims", send("/", &full().claim(claim, value))).with(header, text)
    };
    rows.extend([
        header(
            "claim header: string",
            "email",
            json!("john@example.com"),
            "x-auth-email",
            "john@example.com",
        ),
        header("claim header: UTF-8", "n", json!("Jörg"), "x-auth-n", "Jörg"),
        header("claim header: number", "n", json!(1.5), "x-auth-n", "1.5"),
        header("claim header: boolean", "flag", json!(true), "x-auth-flag", "true"),
        header("claim header: array as CSV", "groups", json!(["a", "b c", 3]), "x-auth-groups", "a,b c,3"),
        header(
            "claim header: a comma in an item is quoted",
            "groups",
            json!(["a,b", "c"]),
            "x-auth-groups",
            "\"a,b\",c",
        ),
        header(
            "claim header: object as JSON",
            "address",
            json!({"city": "Bern"}),
            "x-auth-address",
            "{\"city\":\"Bern\"}",
        ),
        header("claim header: dotted path", "address", json!({"city": "Bern"}), "x-auth-city", "Bern"),
        header(
            "claim header: a name with dots of its own",
            "https://example.com/tier",
            json!("gold"),
            "x-auth-tier",
            "gold",
        ),
        allowed(
            "claim header: without the claim the client's own header goes too",
            "claims",
            send("/", &full()).header("X-Auth-Email", "forged@example.com").header("x_auth_city", "Forged"),
        )
        .without("x-auth-email")
        .without("x_auth_city"),
        allowed(
            "claim header: the claim replaces what the client sent",
            "claims",
            send("/", &full().claim("email", "a@b.c")).header("x-auth-email", "forged@example.com"),
        )
        .with("x-auth-email", "a@b.c"),
    ]);
    for (name, value) in [("CR", "a\rb"), ("LF", "a\nX-Auth-Subject: admin"), ("NUL", "a\0b")] {
        let request = send("/", &full().claim("email", value));
        rows.push(bad_token(format!("claim header: {name} in the claim"), "claims", request));
    }
    rows
}
