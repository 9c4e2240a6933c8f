//! What a client says of itself, and credentials that go no further: on every way that a request goes on.

use crate::http::Request;
use crate::keys;
use crate::tokens::Token;
use serde_json::{Value, json};

use super::{API_KEY, BEARER, INVALID_TOKEN, Row, allowed, refused, sha256};

const P: &str = "credentials that stay";

/// Each policy by its name.
pub fn policies() -> Vec<(&'static str, Value)> {
    let jwt = json!({"keys": [{"alg": "HS256", "secret": keys::SECRET}], "claims_to_headers": {"email": "x-auth-email"}});
    let key = |place: &str, name: &str| json!({"type": "apiKey", "in": place, "name": name, "api_keys": "partners"});
    let mut kept = key("header", "X-Kept-Key");
    kept["forward"] = true.into();
    vec![(
        P,
        json!({
            "schemes": {
                "token": {"type": "http", "scheme": "bearer", "missing_status": 401, "jwt": jwt},
                "key": key("header", "X-API-Key"), "query_key": key("query", "api_key"), "cookie_key": key("cookie", "session"),
                "kept": kept,
            },
            "api_keys": {"partners": [{"id": "app", "sha256": sha256("good-key")}, {"id": "other", "sha256": sha256("other-key")}]},
            "rules": [
                {"match": {"path": "/both"}, "security": [{"token": [], "key": []}, {}]},
                {"match": {"path": "/places"}, "security": [{"token": [], "query_key": [], "cookie_key": []}, {}]},
                {"match": {"path": "/perhaps"}, "security": [{"token": []}, {}]},
                {"match": {"path": "/key"}, "security": [{"key": []}]},
                {"match": {"path": "/kept"}, "security": [{"kept": []}]},
                {"match": {"path": "/public"}, "security": []},
            ],
            "security": [{"token": []}],
            "identity_headers": {"issuer": "x-auth-issuer"},
        }),
    )]
}

fn spelt() -> Vec<Row> {
    let forged = |name: &str| Request::get("/public").header(name, "root");
    let mut rows = Vec::new();
    for (how, name) in [
        ("dots, as PHP reads them", "x.auth.subject"),
        ("other signs, as older servers read them", "x~auth*subject"),
        ("the issuer, where its header is configured", "X-Auth-Issuer"),
        ("the issuer with underscores", "x_auth_issuer"),
        ("a claim with dots", "X.Auth.Email"),
    ] {
        rows.push(allowed(format!("forged: {how}"), P, forged(name)).without(&name.to_ascii_lowercase()));
    }
    rows.push(
        allowed("forged: what only begins so is another header", P, forged("x-auth-subject-2"))
            .with("x-auth-subject-2", "root"),
    );
    // What an application would take for the credential that was judged.
    rows.extend([
        allowed(
            "a key in a header of the same variable",
            P,
            Request::get("/key").header("X-API-Key", "good-key").header("x_api_key", "other-key"),
        )
        .identity("app", "", "key")
        .without("x_api_key")
        .without("x-api-key"),
        allowed(
            "a key in a header of the same variable, where keys are forwarded",
            P,
            Request::get("/kept").header("X-Kept-Key", "good-key").header("X_Kept.Key", "other-key"),
        )
        .with("x-kept-key", "good-key")
        .without("x_kept.key"),
    ]);
    rows
}

fn anonymous() -> Vec<Row> {
    let token = Token::new().sign("HS256");
    let bearer = |path: &str| Request::get(path).bearer(&token);
    let with = |value: String| Request::get("/perhaps").header("Authorization", value);
    let malformed = |name: &str, value: String| {
        refused(name, P, with(value), 401, "Could not validate credentials", &[INVALID_TOKEN])
    };
    vec![
        allowed(
            "anonymous: half of an AND, the key",
            P,
            Request::get("/both").header("X-API-Key", "good-key"),
        )
        .anonymous()
        .without("x-api-key"),
        allowed("anonymous: half of an AND, the token", P, bearer("/both"))
            .anonymous()
            .without("authorization"),
        allowed(
            "anonymous: half of an AND, in the query and in a cookie",
            P,
            Request::get("/places?a=1&api_key=good-key").header("Cookie", "session=good-key; b=2"),
        )
        .anonymous()
        .path("/places?a=1")
        .with("cookie", "b=2"),
        allowed(
            "anonymous: a credential of a scheme that the rule does not name is not ours",
            P,
            Request::get("/perhaps").header("X-API-Key", "good-key").header("Authorization", "Basic eDp5"),
        )
        .anonymous()
        .with("x-api-key", "good-key")
        .with("authorization", "Basic eDp5"),
        malformed("anonymous: a space and a tab behind Bearer", format!("Bearer \t{token}")),
        malformed(
            "anonymous: Bearer joined to something else by a comma",
            format!("Basic eDp5,Bearer {token}"),
        ),
        allowed("anonymous: a tab behind Bearer", P, with(format!("Bearer\t{token}")))
            .anonymous()
            .without("authorization"),
        allowed("anonymous: a colon behind Bearer", P, with(format!("Bearer:{token}")))
            .anonymous()
            .without("authorization"),
        allowed("anonymous: the token glued to Bearer", P, with(format!("Bearer{token}")))
            .anonymous()
            .without("authorization"),
        allowed("anonymous: Bearer in quotes", P, with(format!("\"Bearer {token}\"")))
            .anonymous()
            .without("authorization"),
    ]
}

/// What an application could take for a credential that goes no further, where the filter reads none.
fn loosely_read() -> Vec<Row> {
    let places = |target: &str| Request::get(format!("/places{target}"));
    let mut rows = Vec::new();
    for (target, rest) in [
        ("?x=1;api_key=good-key", "?x=1"),
        ("?x=1;api_key=good-key;y=2&z", "?x=1;y=2&z"),
        ("?a=1&api.key=good-key", "?a=1"),
        ("?api_key[]=good-key&a=1", "?a=1"),
        ("?api_key%5B%5D=good-key", ""),
        ("?api_key[a][b]=good-key", ""),
        ("?api[key=good-key", ""),
        ("?+api_key=good-key", ""),
        ("?%20%09api+key=good-key", ""),
        ("?api_key%00x=good-key", ""),
        ("?API_Key=good-key", ""),
        ("?a=1&%61pi%2ekey=good-key;b=2", "?a=1&b=2"),
    ] {
        let row = allowed(format!("loosely read: a key in {target}"), P, places(target)).anonymous();
        rows.push(row.path(&format!("/places{rest}")));
    }
    for target in [
        "?api_keys=1&my_api_key=2&q=api_key&a[api_key]=1",
        "?api[key]=1",
        "?q=a;b=2;;c&%zz&=&&x=%",
        "?redirect=/places?x=1%26api_key%3D1",
    ] {
        rows.push(
            allowed(format!("loosely read: none in {target}"), P, places(target))
                .path(&format!("/places{target}")),
        );
    }
    let cookie = |value: &str| places("").header("Cookie", value);
    for (value, rest) in [
        ("a=b,session=good-key", "a=b"),
        ("a=b session=good-key", "a=b"),
        ("a=b ,\tsession = good-key; c=d", "a=b; c=d"),
        ("\"session\"=good-key; c=d", "c=d"),
        ("ses%73ion=good-key; c=d", "c=d"),
        ("Session=good-key; c=d", "c=d"),
        ("session[]=good-key; c=d", "c=d"),
    ] {
        rows.push(
            allowed(format!("loosely read: a key in Cookie: {value}"), P, cookie(value))
                .anonymous()
                .with("cookie", rest),
        );
    }
    for value in ["sessions=1; my-session=2; a=session, b; q=\"a, b\"", "a=b,c=d e=f; g"] {
        rows.push(
            allowed(format!("loosely read: none in Cookie: {value}"), P, cookie(value)).with("cookie", value),
        );
    }
    rows
}

fn preflights() -> Vec<Row> {
    let preflight = |path: &str| {
        Request::new("OPTIONS", path)
            .header("Origin", "https://app.example")
            .header("Access-Control-Request-Method", "POST")
    };
    let token = Token::new().sign("HS256");
    let missing =
        |name: &str, request: Request| refused(name, P, request, 401, "Not authenticated", &[BEARER]);
    let with = |origin: &str, method: &str| {
        Request::new("OPTIONS", "/x").header("Origin", origin).header("Access-Control-Request-Method", method)
    };
    vec![
        allowed("preflight: without a credential", P, preflight("/x")).anonymous(),
        missing("preflight: an empty origin makes none", with("", "POST")),
        missing("preflight: an empty method makes none", with("https://app.example", "")),
        allowed("preflight: with a good token it is a request", P, preflight("/x").bearer(&token))
            .identity("johndoe", "", "token")
            .without("authorization"),
        refused(
            "preflight: with a bad token it is a request",
            P,
            preflight("/x").bearer("x.y.z"),
            401,
            "Could not validate credentials",
            &[INVALID_TOKEN],
        ),
        missing(
            "preflight: with a credential of another scheme",
            preflight("/x").header("Authorization", "Basic eDp5"),
        ),
        missing("preflight: with a key", preflight("/x").header("X-API-Key", "good-key")),
        missing("preflight: with a key in the query", preflight("/x?api_key=good-key")),
        missing("preflight: with a key in a cookie", preflight("/x").header("Cookie", "session=good-key")),
        missing(
            "preflight: with a key in a header of the same variable",
            preflight("/x").header("X_API.Key", "good-key"),
        ),
        missing(
            "preflight: with a proxy's credential in a header of the same variable",
            preflight("/x").header("Proxy_Authorization", "Basic eDp5"),
        ),
        missing(
            "preflight: with a key that is loosely read in the query",
            preflight("/x?a=1;api.key[]=good-key"),
        ),
        missing(
            "preflight: with a key that is loosely read in a cookie",
            preflight("/x").header("Cookie", "a=b, session=good-key"),
        ),
        allowed("preflight: with a valid query", P, preflight("/x?a=1;b=api_key")).path("/x?a=1;b=api_key"),
        missing("preflight: with a body", preflight("/x").body("text/plain", "x")),
        refused(
            "preflight: a key where the rule asks for one",
            P,
            preflight("/key").header("X-API-Key", "x"),
            403,
            "Invalid API key",
            &[],
        ),
        refused(
            "preflight: a body where the rule asks for a key",
            P,
            preflight("/key").body("text/plain", "x"),
            403,
            "Not authenticated",
            &[API_KEY],
        ),
    ]
}

pub fn rows() -> Vec<Row> {
    [spelt(), anonymous(), loosely_read(), preflights()].into_iter().flatten().collect()
}
