//! `POST tokenUrl`: the form, the clients, the token.

use crate::http::Request;
use crate::keys;
use serde_json::{Value, json};

use super::people::{patient, staff};
use super::{Expect, Row, answered, refused};

const P: &str = "login";
const FORM: &str = "application/x-www-form-urlencoded";

/// Policies with a token endpoint: one open to every client, one for two clients.
pub fn policies() -> Vec<(&'static str, Value)> {
    let policy = |scheme: Value| {
        json!({
            "schemes": {"login": scheme}, "users": {"staff": staff()}, "passwords": patient(),
            "security": [{"login": []}],
        })
    };
    let flows = |url: &str| json!({"password": {"tokenUrl": url, "scopes": {"items:read": "Read"}}});
    let hs256 = json!([{"alg": "HS256", "secret": keys::SECRET}]);
    vec![
        (
            P,
            policy(json!({"type": "oauth2", "flows": flows("/token"), "users": "staff",
                "jwt": {"keys": hs256, "issuer": "https://gate.example", "audiences": ["api"]},
                "issue": {"expires_in": 1800}})),
        ),
        (
            "login_clients",
            policy(json!({"type": "oauth2", "flows": flows("auth/token"), "users": "staff",
            "jwt": {"keys": [{"alg": "ES256", "pem": {"env": "TEST_PRIVATE_PEM"}, "kid": "k1"}]},
            "issue": {"clients": [
                {"client_id": "web", "client_secret": "s3cret & more"},
                {"client_id": "cli"},
            ]}})),
        ),
    ]
}

fn post(form: &str) -> Request {
    Request::post("/token").body(FORM, form)
}

/// A refusal with RFC 6749's `error` beside the detail.
fn bad_form(name: &str, form: &str, error: &str, detail: &str) -> Row {
    let body = Some(json!({"detail": detail, "error": error}));
    let expect = Expect { status: 400, body, ..Expect::default() };
    Row { name: format!("login: {name}"), policy: P, request: post(form), expect }
}

pub fn rows() -> Vec<Row> {
    const GOOD: &str = "username=johndoe&password=secret";
    let token = |name: &str, form: &str, says: &'static str| {
        answered(
            format!("login: {name}"),
            P,
            post(form),
            200,
            &["\"access_token\":\"ey", "\"token_type\":\"bearer\"", "\"expires_in\":1800", says],
        )
        .answers("cache-control", "no-store")
        .answers("content-type", "application/json")
    };
    let wrong = |name: &str, form: &str| {
        refused(format!("login: {name}"), P, post(form), 401, "Incorrect username or password", &["Bearer"])
    };
    let plain = |name: &str, request: Request, status: u16, detail: &str| {
        refused(format!("login: {name}"), P, request, status, detail, &[])
    };
    let mut rows = vec![
        token(
            "all of the user's scopes when none is asked for",
            GOOD,
            "\"scope\":\"items:read items:write\"",
        ),
        token(
            "grant_type and other parameters",
            "grant_type=password&username=johndoe&password=secret&client_id=x&client_secret=y&foo=bar&foo=baz",
            "\"scope\":\"items:read items:write\"",
        ),
        token("one scope", &format!("{GOOD}&scope=items%3Aread"), "\"scope\":\"items:read\""),
        token(
            "a scope that the user lacks",
            &format!("{GOOD}&scope=items:read+admin"),
            "\"scope\":\"items:read\"",
        ),
        token("only scopes that the user lacks", &format!("{GOOD}&scope=admin"), "\"scope\":\"\""),
        token(
            "empty parameters count as omitted",
            &format!("{GOOD}&grant_type=&scope="),
            "\"scope\":\"items:read items:write\"",
        ),
        token(
            "percent-encoding and plus",
            "username=zo%C3%AB&password=p%C3%A4%3Ass",
            "\"scope\":\"items:read\"",
        ),
        token("a user without scopes", "username=scrypt&password=secret", "\"scope\":\"\""),
        token(
            "bcrypt of 72 bytes",
            &format!("username=long-bcrypt&password={}", "a".repeat(72)),
            "\"scope\":\"\"",
        ),
        wrong(
            "bcrypt with a byte behind the 72 that it reads",
            &format!("username=long-bcrypt&password={}", "a".repeat(73)),
        ),
        wrong("a wrong password", "username=johndoe&password=guess"),
        wrong("an unknown user", "username=nobody&password=secret"),
        wrong("a disabled user with a wrong password", "username=gone&password=guess"),
        wrong("a user without a password", "username=token-only&password=secret"),
        wrong("bytes that are not UTF-8", "username=johndoe&password=%FF%FE"),
        plain(
            "a disabled user with the right one",
            post("username=gone&password=secret"),
            403,
            "Inactive user",
        ),
        bad_form("no password", "username=johndoe", "invalid_request", "username and password are required"),
        bad_form("no username", "password=secret", "invalid_request", "username and password are required"),
        bad_form("an empty body", "", "invalid_request", "username and password are required"),
        bad_form(
            "an empty password",
            "username=johndoe&password=",
            "invalid_request",
            "username and password are required",
        ),
        bad_form(
            "a parameter twice",
            "username=johndoe&password=secret&username=gone",
            "invalid_request",
            "A parameter is there twice",
        ),
        bad_form(
            "another grant",
            &format!("{GOOD}&grant_type=client_credentials"),
            "unsupported_grant_type",
            "grant_type must be password",
        ),
        bad_form(
            "a scope of no scope's characters",
            &format!("{GOOD}&scope=%22"),
            "invalid_scope",
            "scope holds characters that no scope has",
        ),
        plain("GET", Request::get("/token?username=johndoe&password=secret"), 405, "Method Not Allowed")
            .answers("allow", "POST"),
        plain("JSON", Request::post("/token").body("application/json", "{}"), 415, "Unsupported Media Type"),
        plain("no content type", Request::post("/token"), 415, "Unsupported Media Type"),
        plain(
            "multipart",
            Request::post("/token").body("multipart/form-data; boundary=x", "x"),
            415,
            "Unsupported Media Type",
        ),
        plain("a body over 8 KiB", post(&format!("{GOOD}&x={}", "x".repeat(8192))), 413, "Content Too Large"),
        token(
            "a body of exactly 8 KiB",
            &{
                let start = format!("{GOOD}&x=");
                let rest = 8192 - start.len();
                start + &"x".repeat(rest)
            },
            "\"scope\":\"items:read items:write\"",
        ),
        answered(
            "login: a media type with parameters, in any case",
            P,
            Request::post("/token").body("Application/X-WWW-Form-Urlencoded; charset=UTF-8", GOOD),
            200,
            &["access_token"],
        ),
        answered(
            "login: an Authorization header changes nothing",
            P,
            post(GOOD).header("Authorization", "Basic Og=="),
            200,
            &["access_token"],
        ),
        answered(
            "login: a query does not matter",
            P,
            Request::post("/token?x=1").body(FORM, GOOD),
            200,
            &["access_token"],
        ),
        refused(
            "login: the token endpoint is that path and no other",
            P,
            Request::post("/token/").body(FORM, GOOD),
            401,
            "Not authenticated",
            &[super::BEARER],
        ),
    ];
    rows.extend(client_rows());
    rows
}

fn client_rows() -> Vec<Row> {
    const C: &str = "login_clients";
    const GOOD: &str = "username=johndoe&password=secret";
    let post = |form: String| Request::post("/auth/token").body(FORM, form);
    let basic = |text: &str| {
        use base64::Engine as _;
        format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(text))
    };
    let good = |name: &str, request: Request| {
        answered(format!("clients: {name}"), C, request, 200, &["\"expires_in\":900", "access_token"])
    };
    let refused = |name: &str, request: Request| {
        let expect = Expect {
            status: 401,
            body: Some(json!({"detail": "Invalid client", "error": "invalid_client"})),
            challenges: vec!["Basic realm=\"lychgate\"".into()],
            ..Expect::default()
        };
        Row { name: format!("clients: {name}"), policy: C, request, expect }
    };
    let with = |text: &str| post(GOOD.into()).header("Authorization", basic(text));
    vec![
        good("in the body", post(format!("{GOOD}&client_id=web&client_secret=s3cret+%26+more"))),
        good("by Basic, form-encoded", with("web:s3cret+%26+more")),
        good("by Basic, percent-encoded", with("web:s3cret%20%26%20more")),
        good("a public client", post(format!("{GOOD}&client_id=cli"))),
        good("a public client by Basic", with("cli:")),
        good(
            "an empty Basic is none, as Swagger UI sends it",
            post(format!("{GOOD}&client_id=cli")).header("Authorization", "Basic Og=="),
        ),
        refused("none", post(GOOD.into())),
        refused("unknown", post(format!("{GOOD}&client_id=other"))),
        refused("a wrong secret", post(format!("{GOOD}&client_id=web&client_secret=guess"))),
        refused("no secret", post(format!("{GOOD}&client_id=web"))),
        refused("a secret for a public client", post(format!("{GOOD}&client_id=cli&client_secret=x"))),
        refused("a wrong secret by Basic", with("web:guess")),
        refused("Basic that is none", post(GOOD.into()).header("Authorization", "Basic !!")),
        Row {
            name: "clients: two ways at once".into(),
            policy: C,
            request: post(format!("{GOOD}&client_id=web&client_secret=x"))
                .header("Authorization", basic("web:x")),
            expect: Expect {
                status: 400,
                body: Some(
                    json!({"detail": "The client names itself in two ways", "error": "invalid_request"}),
                ),
                ..Expect::default()
            },
        },
    ]
}
