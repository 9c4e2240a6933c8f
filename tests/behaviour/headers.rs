//! Headers towards the upstream: the gate alone says who somebody is.

use lychgate_testkit::http::Request;
use lychgate_testkit::tokens::Token;
use serde_json::{Value, json};

use super::{BEARER_INVALID, Expect, Row, allowed, allowed_as, anonymous, denied, invalid_token, row};

/// Claims to be somebody, in every way of writing the names.
fn forged(request: Request) -> Request {
    request
        .header("x-auth-subject", "admin")
        .header("X-Auth-Scopes", "admin")
        .header("X-AUTH-SCHEME", "oauth2")
        .header("x_auth_subject", "admin")
        .header("X_Auth_Scopes", "admin")
        .header("x-auth_scheme", "oauth2")
}

const UNDERSCORED: [&str; 3] = ["x_auth_subject", "x_auth_scopes", "x-auth_scheme"];

fn mapped(
    name: &'static str,
    claim: &str,
    value: impl Into<Value>,
    header: &'static str,
    expected: &str,
) -> Row {
    let token = Token::new().claim(claim, value).sign("HS256");
    row(
        name,
        "claims",
        Request::get("/mapped").bearer(token),
        allowed_as("johndoe", "mapped").with(header, expected),
    )
}

fn unmapped(name: &'static str, claim: &str, value: impl Into<Value>, header: &'static str) -> Row {
    let token = Token::new().claim(claim, value).sign("HS256");
    let request = Request::get("/mapped").bearer(token).header(header, "forged");
    row(name, "claims", request, allowed_as("johndoe", "mapped").without(&[header]))
}

fn refused(name: &'static str, claim: &str, value: impl Into<Value>) -> Row {
    let token = Token::new().claim(claim, value).sign("HS256");
    row(name, "claims", Request::get("/mapped").bearer(token), invalid_token())
}

pub fn rows() -> Vec<Row> {
    let plain = Token::new().sign("HS256");
    let reader = Token::reader().sign("HS256");
    let stranger = Token::new().sign_by_stranger("HS256");
    let api = |name, request, expect| row(name, "api", request, expect);
    let mut rows = vec![
        api(
            "forged identity on a public route",
            forged(Request::get("/health")),
            anonymous().without(&UNDERSCORED),
        ),
        api(
            "forged identity, anonymous",
            forged(Request::get("/optional")),
            anonymous().without(&UNDERSCORED),
        ),
        api(
            "forged identity, only anonymous",
            forged(Request::get("/anyone")),
            anonymous().without(&UNDERSCORED),
        ),
        api(
            "forged identity and a good token",
            forged(Request::get("/me")).bearer(&reader),
            allowed_as("johndoe", "oauth2").with("x-auth-scopes", "items:read").without(&UNDERSCORED),
        ),
        api(
            "forged scopes and a token without",
            forged(Request::get("/me")).bearer(&plain),
            allowed_as("johndoe", "oauth2").without(&["x-auth-scopes"]).without(&UNDERSCORED),
        ),
        api(
            "forged identity and a good key",
            forged(Request::get("/key/header")).header("X-API-Key", "plain-key"),
            allowed_as("plain", "header_key").without(&["x-auth-scopes"]).without(&UNDERSCORED),
        ),
        api(
            "forged identity twice",
            forged(forged(Request::get("/health"))),
            anonymous().without(&UNDERSCORED),
        ),
        api(
            "forged identity that is not UTF-8",
            Request::get("/health").header("x-auth-subject", b"\xff\xfe"),
            anonymous(),
        ),
        api("forged identity alone", forged(Request::get("/me")), super::missing(&[super::BEARER])),
        api(
            "forged identity on a preflight",
            forged(preflight(Request::new("OPTIONS", "/me"))),
            anonymous().without(&UNDERSCORED),
        ),
        api(
            "other headers stay",
            Request::get("/health").header("X-Auth", "1").header("X-Auth-Subject-Id", "2"),
            anonymous().with("x-auth", "1").with("x-auth-subject-id", "2"),
        ),
        api(
            "a header that is not UTF-8 stays",
            Request::get("/me").bearer(&plain).header("X-Other", b"\xc3\x28"),
            allowed_as("johndoe", "oauth2"),
        ),
        row(
            "names of one's own",
            "problem",
            Request::get("/me").bearer(&reader),
            allowed()
                .with("x-user", "johndoe")
                .with("x-user-scopes", "items:read")
                .with("x-user-scheme", "oauth2")
                .without(&["x-auth-subject", "x-auth-scopes", "x-auth-scheme"]),
        ),
        row(
            "names of one's own, forged",
            "problem",
            Request::get("/health")
                .header("x-user", "admin")
                .header("X-USER-SCOPES", "admin")
                .header("X_User_Scheme", "a"),
            allowed().without(&["x-user", "x-user-scopes", "x-user-scheme", "x_user_scheme"]),
        ),
        row(
            "names of one's own leave the usual ones alone",
            "problem",
            Request::get("/health").header("x-auth-subject", "1"),
            allowed().with("x-auth-subject", "1"),
        ),
    ];
    rows.extend([
        mapped("a string", "email", "john@example.com", "x-user-email", "john@example.com"),
        mapped("a string in another script", "email", "джон@example.com", "x-user-email", "джон@example.com"),
        mapped("a number", "age", 42, "x-user-age", "42"),
        mapped("a number with a fraction", "age", 1.5, "x-user-age", "1.5"),
        mapped("true", "verified", true, "x-user-verified", "true"),
        mapped("false", "verified", false, "x-user-verified", "false"),
        mapped("an array", "groups", json!(["staff", "ops", 3]), "x-user-groups", "staff,ops,3"),
        mapped("an array of one", "groups", json!(["staff"]), "x-user-groups", "staff"),
        mapped(
            "an array with a comma in an item",
            "groups",
            json!(["a,b", "c"]),
            "x-user-groups",
            "\"a,b\",c",
        ),
        mapped("an object", "address", json!({"city": "Kyiv"}), "x-user-address", "{\"city\":\"Kyiv\"}"),
        mapped("a dotted path", "profile", json!({"nick": {"short": "jd"}}), "x-user-nick", "jd"),
        mapped("a name with dots in it", "https://example.com/tenant", "blue", "x-tenant", "blue"),
        mapped("a name that is the dotted path", "profile.nick.short", "jd", "x-user-nick", "jd"),
        unmapped("an absent claim", "other", "x", "x-user-email"),
        unmapped("a claim that is null", "email", Value::Null, "x-user-email"),
        unmapped("a dotted path that ends early", "profile", json!({"nick": "jd"}), "x-user-nick"),
        unmapped("a dotted path through an array", "profile", json!({"nick": ["jd"]}), "x-user-nick"),
        refused("a line feed in a claim", "email", "a\nx-admin: 1"),
        refused("a carriage return in a claim", "email", "a\r\nb"),
        refused("NUL in a claim", "email", "a\0b"),
        refused("a line feed in an array", "groups", json!(["a", "b\nc"])),
        row(
            "a claim header of the client is replaced",
            "claims",
            Request::get("/mapped")
                .bearer(Token::new().claim("email", "john@example.com").sign("HS256"))
                .header("X-User-Email", "admin@example.com")
                .header("x_user_email", "admin@example.com"),
            allowed_as("johndoe", "mapped")
                .with("x-user-email", "john@example.com")
                .without(&["x_user_email"]),
        ),
        row(
            "a claim header of the client on a public route",
            "claims",
            Request::get("/public").header("X-User-Email", "admin@example.com").header("x-tenant", "red"),
            anonymous().without(&["x-user-email", "x-tenant"]),
        ),
        row(
            "a claim header of another scheme",
            "claims",
            Request::get("/lax").bearer(&plain).header("X-User-Email", "admin@example.com"),
            allowed_as("johndoe", "lax").without(&["x-user-email"]),
        ),
    ]);
    rows.extend(dry_run(&plain, &reader, &stranger));
    rows
}

fn preflight(request: Request) -> Request {
    request.header("Origin", "https://app.example").header("Access-Control-Request-Method", "PUT")
}

/// Nothing is refused, and nobody is believed who was not proven.
fn dry_run(plain: &str, reader: &str, stranger: &str) -> Vec<Row> {
    let dry = |name, request, expect: Expect| row(name, "dry_run", request, expect);
    let bearer = |token: &str| format!("Bearer {token}");
    vec![
        dry("dry run: nothing", forged(Request::get("/items")), anonymous().without(&UNDERSCORED)),
        dry(
            "dry run: a bad token stays",
            forged(Request::get("/items")).bearer(stranger),
            anonymous().without(&UNDERSCORED).with("authorization", bearer(stranger)),
        ),
        dry(
            "dry run: a token without scope stays",
            Request::get("/items").bearer(plain),
            anonymous().with("authorization", bearer(plain)),
        ),
        dry(
            "dry run: a bad key stays",
            Request::get("/key").header("X-API-Key", "wrong-key"),
            anonymous().with("x-api-key", "wrong-key"),
        ),
        dry(
            "dry run: a good token",
            Request::get("/items").bearer(reader),
            allowed_as("johndoe", "oauth2").with("x-auth-scopes", "items:read").without(&["authorization"]),
        ),
        dry(
            "dry run: a good key",
            Request::get("/key").header("X-API-Key", "plain-key"),
            allowed_as("plain", "header_key").without(&["x-api-key"]),
        ),
        dry("dry run: no rule", forged(Request::get("/no/rule")), anonymous().without(&UNDERSCORED)),
        dry(
            "dry run: an ambiguous path",
            forged(Request::get("/items//x")),
            anonymous().without(&UNDERSCORED),
        ),
        row(
            "enforced, the same is refused",
            "text",
            Request::get("/items").bearer(stranger),
            denied(401, "Could not validate credentials")
                .challenges(&[&BEARER_INVALID.replace("lychgate", "the gate")]),
        ),
    ]
}
