//! Whose a credential is, and what it may do: users behind tokens, credentials that are needed together, issuers.

use crate::configuration::hs256;
use crate::http::Request;
use crate::keys;
use crate::tokens::Token;
use serde_json::{Value, json};

use super::{Row, allowed, bad_token, refused, sha256};

const P: &str = "whose";
const SCOPE: &str = "Bearer realm=\"lychgate\", error=\"insufficient_scope\", scope=\"admin\"";

/// Each policy by its name.
pub fn policies() -> Vec<(&'static str, Value)> {
    let jwt = |settings: Value| hs256(&settings);
    let bearer = |jwt: Value| json!({"type": "http", "scheme": "bearer", "jwt": jwt});
    let users = |scopes: Option<&str>| {
        let mut scheme = bearer(jwt(json!({})));
        scheme["users"] = "staff".into();
        if let Some(scopes) = scopes {
            scheme["users_scopes"] = scopes.into();
        }
        scheme
    };
    let issuer = |name: &str| json!({"issuer": name, "keys": [{"alg": "HS256", "secret": keys::SECRET}]});
    vec![(
        P,
        json!({
            "schemes": {
                "cut": users(None), "cut_by_name": users(Some("cut")), "whole": users(Some("token")),
                "first": bearer(jwt(json!({"required_claims": [], "claims_to_headers": {"email": "x-auth-email", "team": "x-first-team"}}))),
                "second": bearer(jwt(json!({"from": [{"header": "X-Second"}],
                    "claims_to_headers": {"email": "x-auth-email", "team": "x-second-team"}}))),
                "issuers": bearer(json!({"issuers": [issuer("https://one.example"), issuer("https://two.example")]})),
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "services"},
            },
            "users": {"staff": [
                {"username": "johndoe", "scopes": ["items:read"]},
                {"username": "nothing", "scopes": []},
                {"username": "unsaid"},
            ]},
            "api_keys": {"services": [{"id": "svc", "sha256": sha256("good-key"), "scopes": ["admin"]}]},
            "rules": [
                {"match": {"path": "/cut"}, "security": [{"cut": []}]},
                {"match": {"path": "/cut-by-name"}, "security": [{"cut_by_name": []}]},
                {"match": {"path": "/cut-admin"}, "security": [{"cut": ["admin"]}]},
                {"match": {"path": "/whole-admin"}, "security": [{"whole": ["admin"]}]},
                {"match": {"path": "/and"}, "security": [{"first": [], "key": []}]},
                {"match": {"path": "/and-admin"}, "security": [{"first": [], "key": ["admin"]}]},
                {"match": {"path": "/two"}, "security": [{"first": [], "second": []}]},
                {"match": {"path": "/issuers"}, "security": [{"issuers": []}]},
                {"match": {"path": "/first"}, "security": [{"first": []}]},
                {"match": {"path": "/key"}, "security": [{"key": []}]},
            ],
            "identity_headers": {"issuer": "X-Auth-Issuer"},
        }),
    )]
}

fn users() -> Vec<Row> {
    let get = |path: &str, sub: &str, scopes: Value| {
        Request::get(path).bearer(Token::new().claim("sub", sub).claim("scopes", scopes).sign("HS256"))
    };
    let both = || json!(["admin", "items:read"]);
    vec![
        allowed("users_scopes: cut to what the user has", P, get("/cut", "johndoe", both())).identity(
            "johndoe",
            "items:read",
            "cut",
        ),
        allowed("users_scopes: cut by name", P, get("/cut-by-name", "johndoe", both())).identity(
            "johndoe",
            "items:read",
            "cut_by_name",
        ),
        allowed("users_scopes: again, remembered", P, get("/cut", "johndoe", both())).identity(
            "johndoe",
            "items:read",
            "cut",
        ),
        allowed("users_scopes: not widened to what the user has", P, get("/cut", "johndoe", json!([])))
            .identity("johndoe", "", "cut"),
        allowed("users_scopes: a user with an empty list has nothing", P, get("/cut", "nothing", both()))
            .identity("nothing", "", "cut"),
        allowed("users_scopes: a user without a list is not cut", P, get("/cut", "unsaid", both())).identity(
            "unsaid",
            "admin items:read",
            "cut",
        ),
        refused(
            "users_scopes: what was taken from a user is gone from an old token",
            P,
            get("/cut-admin", "johndoe", both()),
            403,
            "Not enough permissions",
            &[SCOPE],
        ),
        allowed("users_scopes: token", P, get("/whole-admin", "johndoe", both())).identity(
            "johndoe",
            "admin items:read",
            "whole",
        ),
    ]
}

fn together() -> Vec<Row> {
    let token = |claims: &[(&str, &str)]| {
        let token = Token::new().claim("scopes", json!(["items:read"]));
        claims.iter().fold(token, |token, (name, value)| token.claim(name, *value)).sign("HS256")
    };
    let key = |path: &str, token: String| Request::get(path).bearer(token).header("X-API-Key", "good-key");
    let nameless = || Token::new().without("sub").claim("scopes", json!(["items:read"])).sign("HS256");
    let two = |first: String, second: String| Request::get("/two").bearer(first).header("X-Second", second);
    vec![
        allowed("AND: the key's scopes are not the subject's", P, key("/and", token(&[]))).identity(
            "johndoe",
            "items:read",
            "first,key",
        ),
        allowed("AND: each scheme is asked for its own scopes", P, key("/and-admin", token(&[]))).identity(
            "johndoe",
            "items:read",
            "first,key",
        ),
        allowed("AND: a token without a subject leaves the word to the key", P, key("/and", nameless()))
            .identity("svc", "admin", "first,key"),
        allowed(
            "AND: a claim that only the second token has is not the first one's",
            P,
            two(token(&[]), token(&[("sub", "other"), ("email", "other@example.com"), ("team", "b")])),
        )
        .identity("johndoe", "items:read", "first,second")
        .without("x-auth-email")
        .with("x-second-team", "b")
        .without("x-first-team"),
        allowed(
            "AND: the issuer is that of the subject",
            P,
            two(token(&[]), token(&[("sub", "other"), ("iss", "https://other.example")])),
        )
        .without("x-auth-issuer"),
    ]
}

fn issuers() -> Vec<Row> {
    let by = |path: &str, issuer: Value| {
        Request::get(path).bearer(Token::new().claim("iss", issuer).sign("HS256"))
    };
    vec![
        allowed("issuer: one of several is sent", P, by("/issuers", json!("https://one.example")))
            .with("x-auth-issuer", "https://one.example"),
        allowed(
            "issuer: so is the other, for the same subject",
            P,
            by("/issuers", json!("https://two.example")),
        )
        .identity("johndoe", "", "issuers")
        .with("x-auth-issuer", "https://two.example"),
        allowed(
            "issuer: a client does not say it",
            P,
            by("/issuers", json!("https://one.example")).header("X-Auth-Issuer", "https://two.example"),
        )
        .with("x-auth-issuer", "https://one.example"),
        allowed(
            "issuer: nor where a token has none",
            P,
            Request::get("/first")
                .bearer(Token::new().sign("HS256"))
                .header("x_auth_issuer", "https://one.example")
                .header("X-Auth-Issuer", "x"),
        )
        .without("x-auth-issuer")
        .without("x_auth_issuer"),
        allowed(
            "issuer: a key has none",
            P,
            Request::get("/key").header("X-API-Key", "good-key").header("X-Auth-Issuer", "x"),
        )
        .without("x-auth-issuer"),
        bad_token(
            "issuer: one that breaks out of its header",
            P,
            by("/first", json!("https://one.example\r\nx-auth-subject: root")),
        ),
        bad_token("issuer: one that is no text", P, by("/first", json!(7))),
    ]
}

pub fn rows() -> Vec<Row> {
    [users(), together(), issuers()].into_iter().flatten().collect()
}
