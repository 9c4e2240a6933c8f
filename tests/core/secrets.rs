//! What is read of a configuration is not shown, and what is wrong with it is said without it.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use lychgate::config::{Config, Errors};
use lychgate::policy::Policy;
use lychgate_tests::keys;
use lychgate_tests::leaks::{Kept, found, kept};
use serde_json::{Value, json};

const BY_ENV: &str = "an HMAC secret by environment, long enough for HS512: 0123456789 abcdef";
const CLIENT_BY_ENV: &str = "a client secret by environment";
const INLINE: &str = "an HMAC secret in the configuration, 0123456789";
const IN_BASE64: &str = "an HMAC secret in base64 there, 0123456789 ab";
const IN_JWK: &str = "an HMAC secret in a JWK, 0123456789 abcdefgh";
const IN_SET: &str = "an HMAC secret in a JWK Set, 0123456789 abcd";
const CLIENT: &str = "a client secret & more";
const ASKING: &str = "the secret for introspection";
const BCRYPT: &str = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

fn environment(name: &str) -> Option<String> {
    let value = match name {
        "SECRET" => BY_ENV,
        "CLIENT_SECRET" => CLIENT_BY_ENV,
        "PRIVATE_KEY" => keys::P256.private_pem,
        "PRIVATE_RSA" => keys::RSA.private_pem,
        "PRIVATE_ED" => keys::ED25519.private_pem,
        _ => return None,
    };
    Some(value.to_owned())
}

/// A policy with a secret of every kind.
fn policy() -> Value {
    let oct =
        |secret: &str| json!({"kty": "oct", "alg": "HS256", "k": BASE64_URL_SAFE_NO_PAD.encode(secret)});
    let issuing = |path: &str, key: Value, clients: Value| {
        json!({"type": "oauth2", "flows": {"password": {"tokenUrl": path, "scopes": {}}}, "users": "staff",
            "jwt": {"keys": [key]}, "issue": {"clients": clients}})
    };
    let clients = json!([{"client_id": "a", "client_secret": CLIENT}, {"client_id": "b", "client_secret": {"env": "CLIENT_SECRET"}}]);
    let bearer = |jwt: Value| json!({"type": "http", "scheme": "bearer", "jwt": jwt});
    json!({
        "schemes": {
            "env": issuing("/a", json!({"alg": "HS512", "secret": {"env": "SECRET"}}), clients.clone()),
            "ec": issuing("/b", json!({"alg": "ES256", "pem": {"env": "PRIVATE_KEY"}}), clients.clone()),
            "rsa": issuing("/c", json!({"alg": "PS256", "pem": {"env": "PRIVATE_RSA"}}), clients.clone()),
            "ed": issuing("/d", json!({"alg": "EdDSA", "pem": {"env": "PRIVATE_ED"}}), clients),
            "inline": bearer(json!({"keys": [{"alg": "HS256", "secret": INLINE}, {"alg": "HS256", "secret": {"base64": BASE64_STANDARD.encode(IN_BASE64)}}, {"alg": "HS256", "jwk": oct(IN_JWK)}]})),
            "set": bearer(json!({"jwks": {"keys": [oct(IN_SET)]}})),
            "asked": {"type": "http", "scheme": "bearer", "introspection": {"uri": "http://idp.example/introspect", "cluster": "idp", "client_id": "gate", "client_secret": ASKING}},
            "basic": {"type": "http", "scheme": "basic", "users": "staff"},
        },
        "users": {"staff": [{"username": "johndoe", "password": BCRYPT}]},
        "security": [{"env": []}],
    })
}

/// The bytes of a private key in PKCS #8: the octets after the head of the innermost OCTET STRING.
fn private_bytes(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = BASE64_STANDARD.decode(body).unwrap();
    let start = der.windows(2).rposition(|pair| pair == [4, 32]).unwrap() + 2;
    der[start..start + 32].to_vec()
}

fn secrets() -> Vec<Kept> {
    // A line of the PEM's inside, where no head of ASN.1 is left.
    let line = |pem: &str| pem.lines().nth(2).unwrap().to_owned();
    vec![
        kept("the HMAC secret by environment", BY_ENV),
        kept("the client secret by environment", CLIENT_BY_ENV),
        kept("the HMAC secret", INLINE),
        kept("the HMAC secret in base64", IN_BASE64),
        kept("the HMAC secret in a JWK", IN_JWK),
        kept("the HMAC secret in a JWK Set", IN_SET),
        kept("the client secret", CLIENT),
        kept("the secret for introspection", ASKING),
        kept("the password hash", &BCRYPT[29..]),
        kept("the private key of P-256", private_bytes(keys::P256.private_pem)),
        kept("the private key of Ed25519", private_bytes(keys::ED25519.private_pem)),
        kept("the private key of RSA", line(keys::RSA.private_pem)),
    ]
}

#[test]
fn neither_configuration_nor_policy_shows_a_secret() {
    let bytes = policy().to_string();
    let errors = Errors::default();
    let config = Config::read(bytes.as_bytes(), &errors);
    assert_eq!(errors.into_vec(), []);
    let compiled = Policy::compile(bytes.as_bytes(), &environment).unwrap();
    for shown in
        [format!("{config:?}"), format!("{config:#?}"), format!("{compiled:?}"), format!("{compiled:#?}")]
    {
        assert!(shown.contains("inline"), "it shows the scheme at least");
        assert_eq!(found(&secrets(), &shown), Vec::<String>::new(), "{shown}");
    }
}

/// A secret that was written where it does not belong, or that is no good.
const MISPLACED: &str = "sw0rdfish-Sw0rdfish-sw0rdfish-Sw0rdfish";

#[test]
fn the_text_of_an_error_holds_no_secret() {
    let jwt = |jwt: Value| json!({"schemes": {"s": {"type": "http", "scheme": "bearer", "jwt": jwt}}, "security": [{"s": []}]});
    let key = |key: Value| jwt(json!({"keys": [key]}));
    let user = |user: Value| json!({"users": {"staff": [user]}, "security": []});
    let partner = |key: Value| json!({"api_keys": {"partners": [key]}, "security": []});
    let issue = |clients: Value| {
        json!({"schemes": {"s": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/token", "scopes": {}}},
            "jwt": {"keys": [{"alg": "HS256", "secret": INLINE}]}, "users": "staff", "issue": {"clients": clients}}},
            "users": {"staff": [{"username": "x", "password": BCRYPT}]}})
    };
    let asked = |member: &str, value: Value| {
        let mut asked = json!({"uri": "http://idp.example/", "cluster": "idp", "client_id": "gate", "client_secret": "x"});
        asked[member] = value;
        json!({"schemes": {"s": {"type": "http", "scheme": "bearer", "introspection": asked}}})
    };
    let faults = [
        ("a secret too short for its algorithm", key(json!({"alg": "HS512", "secret": MISPLACED}))),
        ("a secret for an algorithm without one", key(json!({"alg": "RS256", "secret": MISPLACED}))),
        ("a secret as the name of a variable", key(json!({"alg": "HS256", "secret": {"env": MISPLACED}}))),
        ("a secret as base64", key(json!({"alg": "HS256", "secret": {"base64": format!("{MISPLACED}!")}}))),
        ("a secret in an array", key(json!({"alg": "HS256", "secret": [MISPLACED]}))),
        ("a secret under another name", key(json!({"alg": "HS256", "secret": {"text": MISPLACED}}))),
        ("a secret as the algorithm", key(json!({"alg": MISPLACED, "secret": "HS256"}))),
        ("a secret as PEM", key(json!({"alg": "ES256", "pem": MISPLACED}))),
        ("a secret as PEM's variable", key(json!({"alg": "ES256", "pem": {"env": MISPLACED}}))),
        ("a secret as a JWK", key(json!({"alg": "HS256", "jwk": MISPLACED}))),
        (
            "a secret as a JWK's text",
            key(json!({"alg": "HS256", "jwk": {"kty": "oct", "k": format!("{MISPLACED}!")}})),
        ),
        ("a JWK too short", key(json!({"alg": "HS512", "jwk": {"kty": "oct", "k": MISPLACED}}))),
        ("a JWK of another type", key(json!({"alg": "ES256", "jwk": {"kty": "oct", "k": MISPLACED}}))),
        (
            "a private JWK",
            key(
                json!({"alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "d": MISPLACED}}),
            ),
        ),
        (
            "a JWK Set with a secret too short",
            jwt(json!({"jwks": {"keys": [{"kty": "oct", "alg": "HS512", "k": MISPLACED}]}})),
        ),
        ("a JWK Set of secrets", jwt(json!({"jwks": {"keys": [MISPLACED]}}))),
        ("a secret for keys", jwt(json!({"keys": MISPLACED}))),
        ("a secret for all of it", jwt(json!(MISPLACED))),
        ("a password for its hash", user(json!({"username": "x", "password": MISPLACED}))),
        (
            "a password in place of a hash",
            user(json!({"username": "x", "password": format!("$argon2id${MISPLACED}")})),
        ),
        (
            "a password for bcrypt's",
            user(json!({"username": "x", "password": format!("$2b$12${MISPLACED}")})),
        ),
        ("a password in an object", user(json!({"username": "x", "password": {"plain": MISPLACED}}))),
        ("a password beside its user", user(json!({"username": format!("x:{MISPLACED}")}))),
        ("an API key for its hash", partner(json!({"id": "x", "sha256": MISPLACED}))),
        ("an API key for its whole entry", partner(json!(MISPLACED))),
        (
            "a client's secret as the name of a variable",
            issue(json!([{"client_id": "a", "client_secret": {"env": MISPLACED}}])),
        ),
        ("a client's secret in an array", issue(json!([{"client_id": "a", "client_secret": [MISPLACED]}]))),
        ("a client's secret for the clients", issue(json!({"a": MISPLACED}))),
        ("a secret to introspect with, in an array", asked("client_secret", json!([MISPLACED]))),
        ("a password in a URI", asked("uri", json!(format!("https://gate:{MISPLACED}@idp.example/")))),
        (
            "a password in a URI without its scheme",
            asked("uri", json!(format!("gate:{MISPLACED}@idp.example/"))),
        ),
    ];
    let secret = [kept("it", MISPLACED)];
    let mut leaks = Vec::new();
    for (name, policy) in &faults {
        let errors = Policy::compile(policy.to_string().as_bytes(), &environment);
        let errors = errors.err().unwrap_or_else(|| panic!("{name} is no fault"));
        for error in errors {
            let text = format!("{error} {error:?}");
            leaks.extend(found(&secret, &text).into_iter().map(|how| format!("{name}: {how} in {text}")));
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    println!("secrets: {} faulty configurations, none quoted", faults.len());
}

#[test]
fn text_that_is_no_configuration_is_not_quoted() {
    let secret = [kept("it", MISPLACED)];
    for text in [
        MISPLACED.to_owned(),
        format!("\"{MISPLACED}\""),
        format!("{{\"schemes\": {MISPLACED}}}"),
        format!("{{\"schemes\": {{\"s\": \"{MISPLACED}\\x\"}}}}"),
        format!("{{\"schemes\": \"{MISPLACED}"),
        format!("\n{MISPLACED}"),
    ] {
        let errors = Policy::compile(text.as_bytes(), &environment).unwrap_err();
        let said = format!("{errors:?}");
        assert_eq!(found(&secret, &said), Vec::<String>::new(), "{said}");
    }
}
