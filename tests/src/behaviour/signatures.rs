//! Every algorithm, by us and by strangers, and which key may have signed.

use crate::http::Request;
use crate::tokens::{Token, with_other_s};
use serde_json::json;

use super::{Row, allowed, bad_token, refused};

const ALGORITHMS: [&str; 17] = [
    "HS256",
    "HS384",
    "HS512",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "ES256K",
    "EdDSA",
    "ML-DSA-44",
    "ML-DSA-65",
    "ML-DSA-87",
];

pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let get = |token: String| Request::get("/").bearer(token);
    for alg in ALGORITHMS {
        let good = Token::reader().sign(alg);
        rows.push(
            allowed(
                format!("{alg}: our signature and the right scope pass"),
                "algorithms",
                get(good.clone()),
            )
            .identity("johndoe", "items:read", "token")
            .without("authorization"),
        );
        rows.push(allowed(format!("{alg}: the same token again"), "algorithms", get(good.clone())));
        rows.push(bad_token(
            format!("{alg}: a stranger's signature"),
            "algorithms",
            get(Token::reader().sign_by_stranger(alg)),
        ));
        rows.push(refused(
            format!("{alg}: without the scope"),
            "algorithms",
            get(Token::new().claim("scopes", json!(["items:write"])).sign(alg)),
            403,
            "Not enough permissions",
            &["Bearer realm=\"lychgate\", error=\"insufficient_scope\", scope=\"items:read\""],
        ));
        let (signed, signature) = good.rsplit_once('.').expect("a dot");
        let first = if signature.starts_with('A') { 'B' } else { 'A' };
        rows.push(bad_token(
            format!("{alg}: the signature changed in its first letter"),
            "algorithms",
            get(format!("{signed}.{first}{}", &signature[1..])),
        ));
        rows.push(bad_token(
            format!("{alg}: the signature cut off"),
            "algorithms",
            get(format!("{signed}.")),
        ));
    }
    let kid = |token: Token, kid: &str, alg: &str| get(token.header("kid", kid).sign(alg));
    rows.extend([
        allowed(
            "EdDSA by its newer name Ed25519",
            "algorithms",
            get(Token::reader().header("alg", "Ed25519").sign("EdDSA")),
        ),
        allowed(
            "ES256K: half of OpenSSL's signatures, which have a high s, were refused",
            "algorithms",
            get(with_other_s(&Token::reader().sign("ES256K"))),
        ),
        allowed("kid of the set's EC key", "key_set", kid(Token::new(), "ec", "ES256")),
        allowed("kid of the set's RSA key, which has no alg", "key_set", kid(Token::new(), "rsa", "RS256")),
        allowed("kid of the set's Ed25519 key", "key_set", kid(Token::new(), "ed", "EdDSA")),
        allowed("no kid: the key is found by trying", "key_set", get(Token::new().sign("ES256"))),
        bad_token("kid of another key", "key_set", kid(Token::new(), "rsa", "ES256")),
        bad_token("kid of no key", "key_set", kid(Token::new(), "unknown", "ES256")),
        bad_token("kid of a key that only encrypts", "key_set", kid(Token::new(), "enc", "RS256")),
        bad_token("an algorithm that no key of the set has", "key_set", get(Token::new().sign("PS256"))),
        allowed(
            "a key without kid serves a token with one",
            "token",
            get(Token::reader().header("kid", "any").sign("HS256")),
        ),
    ]);
    rows
}
