//! Users behind tokens, HTTP Basic (RFC 7617), and authentication that is optional.

use crate::http::Request;
use crate::tokens::Token;
use crate::{keys, tokens};
use serde_json::{Value, json};

use super::{BEARER, INVALID_TOKEN, Row, allowed, refused};

const P: &str = "people";
pub const BASIC: &str = "Basic realm=\"lychgate\", charset=\"UTF-8\"";

/// `secret`, hashed by Python's argon2-cffi, hashlib and bcrypt, as cheaply as they go.
const ARGON2ID: &str =
    "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$pbviq+1UUgwZCmLIr4Hgk7mEMsxnRLuOb2HfvIaBwGY";
const SCRYPT: &str =
    "$scrypt$ln=4,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gEeb/KeWbm5g+kBQOFr1yJbkjBxxxDOkhSmrSXFFwOg";
const PBKDF2: &str =
    "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$tiKWHy4FAGCWE8gn6GtKhaxD2OeeAUUWXFT/p1aaNl8";
const BCRYPT: &str = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
/// `pä:ss`.
const BCRYPT_ODD: &str = "$2b$04$abcdefghijklmnopqrstuuhC0bPoUtF5o8bp2gaL0R3/vQ51MSUoO";
/// 72 times `a`, by libxcrypt: all that bcrypt reads.
const BCRYPT_LONG: &str = "$2b$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe";
/// 129 times `a`: longer than a block of SHA-512.
const PBKDF2_LONG: &str =
    "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$8lJcJUG8i4nhFjQp5Xig5oJ4YI5nhNYTc+sWOtuvLm0";

/// A directory with a user of each kind.
pub fn staff() -> Value {
    json!([
        {"username": "johndoe", "email": "john@example.com", "password": ARGON2ID, "scopes": ["items:read", "items:write"]},
        {"username": "alice", "password": BCRYPT, "scopes": ["items:read"], "disabled": false},
        {"username": "scrypt", "password": SCRYPT},
        {"username": "pbkdf2", "password": PBKDF2},
        {"username": "long-bcrypt", "password": BCRYPT_LONG},
        {"username": "long-pbkdf2", "password": PBKDF2_LONG},
        {"username": "zoë", "password": BCRYPT_ODD, "scopes": ["items:read"]},
        {"username": "gone", "password": ARGON2ID, "scopes": ["items:read"], "disabled": true},
        {"username": "token-only", "scopes": ["items:read"]},
    ])
}

/// Settings under which a whole table of wrong passwords is let through.
pub fn patient() -> Value {
    json!({"worker_share_percent": 100, "max_failures": 100_000})
}

pub fn policies() -> Vec<(&'static str, Value)> {
    let jwt = json!({"keys": [{"alg": "HS256", "secret": keys::SECRET}]});
    let optional = json!([{"token": []}, {"key": []}, {}]);
    vec![(
        P,
        json!({
            "schemes": {
                "token": {"type": "oauth2", "flows": {}, "jwt": jwt, "users": "staff"},
                "basic": {"type": "http", "scheme": "Basic", "users": "staff"},
                "kept": {"type": "http", "scheme": "basic", "users": "staff", "forward": true, "realm": "my api"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"},
                "query_key": {"type": "apiKey", "in": "query", "name": "key", "api_keys": "partners"},
            },
            "users": {"staff": staff()},
            "api_keys": {"partners": [{"id": "app", "sha256": super::policies::sha256("good-key"), "scopes": ["items:read"]}]},
            "passwords": patient(),
            "rules": [
                {"match": {"path": "/basic"}, "security": [{"basic": []}]},
                {"match": {"path": "/write"}, "security": [{"basic": ["items:write"]}]},
                {"match": {"path": "/kept"}, "security": [{"kept": []}]},
                {"match": {"path": "/token"}, "security": [{"token": ["items:read"]}]},
                {"match": {"path": "/either"}, "security": [{"token": []}, {"basic": []}]},
                {"match": {"path": "/both"}, "security": [{"basic": [], "key": []}]},
                {"match": {"path": "/any-key"}, "security": [{"key": []}, {"query_key": []}]},
                {"match": {"path": "/optional"}, "security": optional},
                {"match": {"path": "/lenient"}, "security": optional, "optional": "ignore_invalid"},
                {"match": {"path": "/lenient-basic"}, "security": [{"basic": ["items:write"]}, {}], "optional": "ignore_invalid"},
                {"match": {"path": "/needed"}, "security": [{"token": []}], "optional": "ignore_invalid"},
            ],
        }),
    )]
}

fn basic_text(text: impl AsRef<[u8]>) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(text))
}

pub fn rows() -> Vec<Row> {
    let with = |path: &str, value: &str| Request::get(path).header("Authorization", value);
    let basic = |path: &str, text: &str| with(path, &basic_text(text));
    let wrong = |name: &str, request: Request| {
        refused(name, P, request, 401, "Incorrect username or password", &[BASIC])
    };
    let token = |sub: &str| Token::reader().claim("sub", sub).sign("HS256");
    let mut rows = vec![
        allowed("Basic: a user", P, basic("/basic", "johndoe:secret"))
            .identity("johndoe", "items:read items:write", "basic")
            .without("authorization"),
        allowed("Basic: again, remembered", P, basic("/basic", "johndoe:secret")).identity(
            "johndoe",
            "items:read items:write",
            "basic",
        ),
        allowed("Basic: bcrypt", P, basic("/basic", "alice:secret")).identity("alice", "items:read", "basic"),
        allowed("Basic: scrypt", P, basic("/basic", "scrypt:secret")).identity("scrypt", "", "basic"),
        allowed("Basic: pbkdf2", P, basic("/basic", "pbkdf2:secret")).identity("pbkdf2", "", "basic"),
        allowed("Basic: bcrypt of 72 bytes", P, basic("/basic", &format!("long-bcrypt:{}", "a".repeat(72))))
            .identity("long-bcrypt", "", "basic"),
        allowed(
            "Basic: pbkdf2 of 129 bytes",
            P,
            basic("/basic", &format!("long-pbkdf2:{}", "a".repeat(129))),
        )
        .identity("long-pbkdf2", "", "basic"),
        allowed("Basic: UTF-8, and the first colon splits", P, basic("/basic", "zoë:pä:ss"))
            .with("x-auth-scheme", "basic"),
        allowed(
            "Basic: the scheme in any case",
            P,
            with("/basic", &basic_text("alice:secret").replace("Basic", "bASIC")),
        ),
        allowed(
            "Basic: base64 without padding",
            P,
            with("/basic", basic_text("alice:secret").trim_end_matches('=')),
        ),
        allowed("Basic: forwarded where asked for", P, basic("/kept", "alice:secret"))
            .with("authorization", &basic_text("alice:secret")),
        allowed("Basic: scope granted", P, basic("/write", "johndoe:secret")),
        refused(
            "Basic: scope lacking",
            P,
            basic("/write", "alice:secret"),
            403,
            "Not enough permissions",
            &[
                "Basic realm=\"lychgate\", charset=\"UTF-8\", error=\"insufficient_scope\", scope=\"items:write\"",
            ],
        ),
        refused("Basic: missing", P, Request::get("/basic"), 401, "Not authenticated", &[BASIC]),
        refused(
            "Basic: a realm of its own",
            P,
            Request::get("/kept"),
            401,
            "Not authenticated",
            &["Basic realm=\"my api\", charset=\"UTF-8\""],
        ),
        refused("Basic: another scheme", P, with("/basic", "Bearer x"), 401, "Not authenticated", &[BASIC]),
        refused(
            "Basic: a disabled user with the right password",
            P,
            basic("/basic", "gone:secret"),
            403,
            "Inactive user",
            &[],
        ),
        wrong("Basic: a disabled user with a wrong password", basic("/basic", "gone:guess")),
        wrong("Basic: a user without a password", basic("/basic", "token-only:secret")),
        wrong(
            "Basic: twice, joined by Envoy with a comma",
            basic("/basic", "alice:secret").header("Authorization", basic_text("alice:secret")),
        ),
        refused(
            "Basic or token: nothing",
            P,
            Request::get("/either"),
            401,
            "Not authenticated",
            &[BEARER, BASIC],
        ),
        refused(
            "Basic or token: a wrong password",
            P,
            basic("/either", "alice:guess"),
            401,
            "Incorrect username or password",
            &[BEARER, BASIC],
        ),
        allowed("Basic or token: the token", P, with("/either", &format!("Bearer {}", token("alice"))))
            .identity("alice", "items:read", "token"),
        allowed("Basic and key", P, basic("/both", "alice:secret").header("X-API-Key", "good-key"))
            .identity("alice", "items:read", "basic,key")
            .without("x-api-key"),
        refused(
            "Basic and key: a wrong password speaks before a missing key",
            P,
            basic("/both", "alice:guess"),
            401,
            "Incorrect username or password",
            &[BASIC, super::API_KEY],
        ),
        // Users behind tokens.
        allowed("users: a token of a known user", P, Request::get("/token").bearer(token("johndoe")))
            .identity("johndoe", "items:read", "token"),
        allowed(
            "users: a token of a user without a password",
            P,
            Request::get("/token").bearer(token("token-only")),
        ),
        refused(
            "users: a token of a disabled user",
            P,
            Request::get("/token").bearer(token("gone")),
            403,
            "Inactive user",
            &[],
        ),
        refused(
            "users: inactive comes before a lacking scope",
            P,
            Request::get("/token").bearer(Token::new().claim("sub", "gone").sign("HS256")),
            403,
            "Inactive user",
            &[],
        ),
        refused(
            "users: a token of a stranger",
            P,
            Request::get("/token").bearer(token("mallory")),
            401,
            "Could not validate credentials",
            &[INVALID_TOKEN],
        ),
        refused(
            "users: names are compared exactly",
            P,
            Request::get("/token").bearer(token("Johndoe")),
            401,
            "Could not validate credentials",
            &[INVALID_TOKEN],
        ),
        // Optional.
        allowed("optional: no credential", P, Request::get("/optional").header("X-Auth-Subject", "admin"))
            .anonymous(),
        allowed("optional: a user", P, Request::get("/optional").bearer(token("alice"))).identity(
            "alice",
            "items:read",
            "token",
        ),
        allowed("optional: the other source", P, Request::get("/optional").header("X-API-Key", "good-key"))
            .identity("app", "items:read", "key"),
        refused(
            "optional: a bad token is refused all the same",
            P,
            Request::get("/optional").bearer("x.y.z"),
            401,
            "Could not validate credentials",
            &[INVALID_TOKEN, super::API_KEY],
        ),
        refused(
            "optional: a bad key",
            P,
            Request::get("/optional").header("X-API-Key", "x"),
            403,
            "Invalid API key",
            &[],
        ),
        refused(
            "optional: an inactive user",
            P,
            Request::get("/optional").bearer(token("gone")),
            403,
            "Inactive user",
            &[],
        ),
        allowed(
            "ignore_invalid: a bad token passes as anonymous, and goes no further",
            P,
            Request::get("/lenient").bearer("x.y.z"),
        )
        .anonymous()
        .without("authorization"),
        allowed("ignore_invalid: a bad key", P, Request::get("/lenient").header("X-API-Key", "x"))
            .anonymous()
            .without("x-api-key"),
        allowed("ignore_invalid: an inactive user", P, Request::get("/lenient").bearer(token("gone")))
            .anonymous(),
        allowed(
            "ignore_invalid: a bad token and a good key",
            P,
            Request::get("/lenient").bearer("x.y.z").header("X-API-Key", "good-key"),
        )
        .identity("app", "items:read", "key"),
        allowed("ignore_invalid: a good token", P, Request::get("/lenient").bearer(token("alice"))).identity(
            "alice",
            "items:read",
            "token",
        ),
        allowed("ignore_invalid: a wrong password", P, basic("/lenient-basic", "alice:guess"))
            .anonymous()
            .without("authorization"),
        allowed("ignore_invalid: a lacking scope", P, basic("/lenient-basic", "alice:secret")).anonymous(),
        refused(
            "ignore_invalid opens nothing that needs a user",
            P,
            Request::get("/needed").bearer("x.y.z"),
            401,
            "Could not validate credentials",
            &[INVALID_TOKEN],
        ),
        allowed("several sources: the header", P, Request::get("/any-key").header("X-API-Key", "good-key"))
            .with("x-auth-scheme", "key"),
        allowed("several sources: the query", P, Request::get("/any-key?key=good-key&page=2"))
            .with("x-auth-scheme", "query_key")
            .path("/any-key?page=2"),
        allowed(
            "a joined Authorization goes no further when a key lets the request in",
            P,
            with("/optional", "Basic eA==")
                .header("Authorization", "Bearer x")
                .header("X-API-Key", "good-key"),
        )
        .without("authorization"),
    ];
    for (name, user, length) in [
        ("bcrypt with a byte behind the 72 that it reads", "long-bcrypt", 73),
        ("bcrypt with much behind the 72 bytes that it reads", "long-bcrypt", 1000),
        ("bcrypt of 72 bytes, cut short", "long-bcrypt", 71),
        ("pbkdf2 with a byte less", "long-pbkdf2", 128),
        ("a credential over 8192 bytes", "long-pbkdf2", 6144),
    ] {
        rows.push(wrong(
            &format!("Basic: {name}"),
            basic("/basic", &format!("{user}:{}", "a".repeat(length))),
        ));
    }
    for (name, text) in [
        ("a wrong password", "johndoe:guess"),
        ("an unknown user", "nobody:secret"),
        ("a username in another case", "JohnDoe:secret"),
        ("no colon", "johndoe"),
        ("an empty password", "johndoe:"),
        ("an empty username", ":secret"),
        ("a space before the name", " johndoe:secret"),
        ("a control character", "johndoe:secret\n"),
        ("a NUL", "johndoe\0:secret"),
    ] {
        rows.push(wrong(&format!("Basic: {name}"), basic("/basic", text)));
    }
    for (name, value) in [
        ("not base64", "Basic !!!!".to_owned()),
        ("base64 cut short", "Basic am9obmRvZ".to_owned()),
        ("bare", "Basic".to_owned()),
        ("not UTF-8", basic_text(b"johndoe:\xff\xfe")),
        ("base64url of something else", format!("Basic {}", tokens::b64("johndoe"))),
        ("two words", "Basic am9obmRvZTpzZWNyZXQ= am9obmRvZTpzZWNyZXQ=".to_owned()),
    ] {
        rows.push(wrong(&format!("Basic: {name}"), with("/basic", &value)));
    }
    rows
}
