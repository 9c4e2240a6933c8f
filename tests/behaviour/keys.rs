//! Which key a token is checked with: sets, `kid`, several keys, allow-lists.

use lychgate_testkit::http::Request;
use lychgate_testkit::tokens::Token;
use serde_json::{Value, json};

use super::{BEARER, Row, allowed_as, invalid_token, missing_403, row};

fn signed(kid: impl Into<Value>, alg: &str) -> String {
    Token::new().header("kid", kid).sign(alg)
}

pub fn rows() -> Vec<Row> {
    let ask = |name, scheme: &str, token: String, ok: bool| {
        let expect = if ok { allowed_as("johndoe", scheme) } else { invalid_token() };
        row(name, "keys", Request::get(format!("/{scheme}")).bearer(token), expect)
    };
    let set = |name, token, ok| ask(name, "set", token, ok);
    vec![
        set("the RSA key of the set by its kid", signed("rsa-1", "RS256"), true),
        set("the P-256 key of the set by its kid", signed("ec-1", "ES256"), true),
        set("one of two P-384 keys by its kid", signed("ec-2", "ES384"), true),
        set("the symmetric key of the set by its kid", signed("hs", "HS256"), true),
        set("a key of the set without kid in the token", Token::new().sign("RS256"), true),
        set("one of two keys without kid in the token", Token::new().sign("ES384"), true),
        set("the other of two keys without kid in the token", Token::new().sign_by_stranger("ES384"), true),
        set("a key without kid fits any kid", signed("whatever", "EdDSA"), true),
        set("a key without kid and a token without", Token::new().sign("EdDSA"), true),
        set(
            "the other P-384 key under this kid",
            Token::new().header("kid", "ec-2").sign_by_stranger("ES384"),
            false,
        ),
        set("an unknown kid", signed("rsa-2", "RS256"), false),
        set("the kid of another key", signed("ec-1", "RS256"), false),
        set("the kid of a key of another algorithm", signed("rsa-1", "HS256"), false),
        set("the kid in another case", signed("RSA-1", "RS256"), false),
        set("an empty kid", signed("", "RS256"), false),
        set("kid a number", signed(1, "RS256"), false),
        set("kid null", signed(Value::Null, "RS256"), false),
        set("kid in an array", signed(json!(["rsa-1"]), "RS256"), false),
        set("kid as a path", signed("../../dev/null", "RS256"), false),
        set(
            "a key for encryption signs nothing",
            Token::new().header("kid", "for-encryption").sign_by_stranger("RS256"),
            false,
        ),
        set("an RSA key with alg RS256 is for nothing else", signed("rsa-1", "PS256"), false),
        set("a stranger's without kid", Token::new().sign_by_stranger("RS256"), false),
        set("a stranger's by our kid", Token::new().header("kid", "ec-1").sign_by_stranger("ES256"), false),
        ask("the second of two keys", "pair", Token::new().sign("ES256"), true),
        ask("the first of two keys", "pair", Token::new().sign_by_stranger("ES256"), true),
        ask("two keys and a kid that neither has", "pair", signed("new", "ES256"), true),
        ask("two keys of another algorithm", "pair", Token::new().sign("ES384"), false),
        ask("an algorithm on the allow-list", "listed", Token::new().sign("RS256"), true),
        ask("a key whose algorithm is not on the allow-list", "listed", Token::new().sign("HS256"), false),
        ask("kid of a key written alone", "named", signed("one", "HS256"), true),
        ask("another kid than that of a key written alone", "named", signed("two", "HS256"), false),
        ask("no kid where the key has one", "named", Token::new().sign("HS256"), true),
        row("http bearer answers 403 to nothing", "keys", Request::get("/set"), missing_403(&[BEARER])),
    ]
}
