//! What kind of token a token says it is, and whose.

use serde_json::{Value, json};

use super::conditions::send;
use super::{Row, allowed, bad_token};
use crate::http::Request;
use crate::tokens::{Token, now};

pub fn rows() -> Vec<Row> {
    let mut rows = types();
    rows.extend(issuers());
    rows
}

fn types() -> Vec<Row> {
    let typed = |typ: Value| Token::reader().header("typ", typ);
    let mut rows = Vec::new();
    for typ in [
        "logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "token-introspection+jwt",
        "application/logout+jwt",
        "Logout+JWT",
        "logout+jwt;v=1",
        "logout+jwt ",
        "oauth-authz-req+jwt",
        "kb+jwt",
        "dc+sd-jwt",
        "entity-statement+jwt",
        "refresh+jwt",
        "Refresh",
        "passport",
        "client-authentication+jwt",
        "txntoken+jwt",
    ] {
        rows.push(bad_token(format!("typ: {typ}"), "token", send("/", &typed(json!(typ)))));
    }
    for typ in ["JWT", "at+jwt", "application/at+jwt", "AT+JWT", "jwt", "Bearer", "id_token+jwt"] {
        rows.push(allowed(format!("typ: {typ}"), "token", send("/", &typed(json!(typ)))));
    }
    let profiled = || {
        typed(json!("at+jwt"))
            .claim("iss", "https://idp.example")
            .claim("aud", "api")
            .claim("client_id", "c")
            .claim("jti", "1")
    };
    // OpenID Connect Back-Channel Logout 1.0 section 2.4; `typ` is no duty there.
    let events = |events: Value| Token::reader().claim("sid", "s").claim("events", events);
    let logout = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    rows.extend([
        bad_token("typ: a logout token that does not say so", "token", send("/", &events(logout.clone()))),
        allowed("typ: events that are none of RFC 8417", "token", send("/", &events(json!(["created"])))),
        allowed(
            "types: one that is named, whatever its events",
            "types",
            send("/", &events(logout).header("typ", "at+jwt")),
        ),
        bad_token("typ: a number", "token", send("/", &typed(json!(1)))),
        bad_token("typ: null", "token", send("/", &typed(Value::Null))),
        allowed("types: one that is named", "types", send("/", &typed(json!("application/AT+jwt")))),
        allowed("types: another that is named", "types", send("/", &typed(json!("JWT")))),
        bad_token("types: one that is not", "types", send("/", &typed(json!("Bearer")))),
        bad_token(
            "types: none at all",
            "types",
            Request::get("/").bearer({
                crate::tokens::compact(
                    "{\"alg\":\"HS256\"}",
                    json!({"sub": "x", "exp": now() + 60}).to_string(),
                    |input| crate::tokens::signature("HS256", false, input),
                )
            }),
        ),
        allowed("RFC 9068: all of it", "rfc9068", send("/", &profiled())),
        bad_token("RFC 9068: another type", "rfc9068", send("/", &profiled().header("typ", "JWT"))),
    ]);
    for claim in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        rows.push(bad_token(
            format!("RFC 9068: no {claim}"),
            "rfc9068",
            send("/", &profiled().without(claim)),
        ));
    }
    rows
}

fn issuers() -> Vec<Row> {
    let of = |issuer: &str, tid: Value| Token::new().claim("iss", issuer).claim("tid", tid);
    let t1 = "https://login.example/t1/v2.0";
    let mut rows = vec![
        allowed("issuer: a tenant", "tenants", send("/", &of(t1, json!("t1")))),
        bad_token(
            "issuer: a tenant that is not allowed",
            "tenants",
            send("/", &of("https://login.example/t3/v2.0", json!("t3"))),
        ),
        bad_token("issuer: of another tenant than tid", "tenants", send("/", &of(t1, json!("t2")))),
        bad_token(
            "issuer: the placeholder itself",
            "tenants",
            send("/", &of("https://login.example/{tid}/v2.0", json!("t1"))),
        ),
        bad_token("issuer: tid a list", "tenants", send("/", &of(t1, json!(["t1"])))),
        bad_token("issuer: no tid", "tenants", send("/", &of(t1, Value::Null))),
        bad_token(
            "issuer: a slash more than configured",
            "tenants",
            send("/", &of("https://login.example/t1/v2.0/", json!("t1"))),
        ),
        allowed(
            "issuer: a tenant of one of several issuers",
            "tenants of several issuers",
            send("/", &of(t1, json!("t1"))),
        ),
        bad_token(
            "issuer: a tenant of one of several issuers, not its own",
            "tenants of several issuers",
            send("/", &of(t1, json!("t2"))),
        ),
        bad_token(
            "issuer: a tid that is a path",
            "tenants of several issuers",
            send("/", &of("https://login.example/a/b/v2.0", json!("a/b"))),
        ),
    ];
    rows.push(allowed(
        "issuer: the other of several",
        "tenants of several issuers",
        Request::get("/").bearer(Token::new().claim("iss", "https://idp.example").sign("HS384")),
    ));
    rows
}
