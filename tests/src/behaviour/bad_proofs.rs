//! Proofs by strangers, malformed ones, and tokens without theirs.

use serde_json::{Value, json};

use super::proofs::{ALGS, HOST, bad, bad_token, challenge, get, proof, with};
use super::{INVALID_TOKEN, Row, refused};
use crate::keys;
use crate::proofs::{Proof, digest, thumbprint};
use crate::tokens::{Token, b64, hs256, now};

pub fn rows(token: &str) -> Vec<Row> {
    let mut rows = by_strangers(token);
    rows.extend(malformed(token));
    rows
}

fn by_strangers(token: &str) -> Vec<Row> {
    let plain = || proof("/", token);
    let stranger = || plain().header("jwk", keys::P256_STRANGER.jwk()).by_stranger();
    let good = plain().sign();
    let (input, _) = good.rsplit_once('.').expect("a proof");
    let by_name = plain().header("jwk", json!({"kty": "oct", "k": b64("k")})).header("alg", "HS256");
    vec![
        bad(
            "bad proof: signed by a stranger in our name",
            "bound",
            with(get("/"), token, plain().by_stranger().sign()),
        ),
        bad("bad proof: by a stranger's own key", "bound", with(get("/"), token, stranger().sign())),
        bad("bad proof: without signature", "bound", with(get("/"), token, format!("{input}."))),
        bad(
            "bad proof: another signature",
            "bound",
            with(get("/"), token, format!("{input}.{}", b64([7_u8; 64]))),
        ),
        bad(
            "bad proof: a signature in DER",
            "bound",
            with(get("/"), token, format!("{input}.{}", b64([0x30, 0x06, 2, 1, 1, 2, 1, 1]))),
        ),
        bad(
            "bad proof: a signature of zeros",
            "bound",
            with(get("/"), token, format!("{input}.{}", b64([0_u8; 64]))),
        ),
        bad("bad proof: an HMAC by a key of its own", "bound", {
            let header = by_name.header_text();
            let proof = crate::tokens::compact(&header, by_name.claims(), |input| hs256(b"k", input));
            with(get("/"), token, proof)
        }),
        bad("bad proof: another key of ours", "bound", {
            with(get("/"), token, Proof::new("EdDSA", "GET", &format!("http://{HOST}/"), token).sign())
        }),
    ]
}

fn malformed(token: &str) -> Vec<Row> {
    let plain = proof("/", token);
    let good = plain.sign();
    let [header, claims, signature] =
        <[&str; 3]>::try_from(good.split('.').collect::<Vec<_>>()).expect("three parts");
    let doubled = plain.claims().replacen('{', "{\"htm\":\"POST\",", 1);
    let texts: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("no JWT", b"proof".to_vec()),
        ("two parts", format!("{header}.{claims}").into_bytes()),
        ("four parts", format!("{good}.x").into_bytes()),
        ("five parts, as if encrypted", format!("{good}.x.y").into_bytes()),
        ("padded", format!("{header}.{claims}=.{signature}").into_bytes()),
        ("a space in it", format!("{header}. {claims}.{signature}").into_bytes()),
        ("quoted", format!("\"{good}\"").into_bytes()),
        ("with a scheme", format!("DPoP {good}").into_bytes()),
        ("no UTF-8", b"\xff.\xfe.\xfd".to_vec()),
        ("a payload that is no object", plain.sign_as(&plain.header_text(), "[]").into_bytes()),
        ("a payload that is no JSON", plain.sign_as(&plain.header_text(), "{").into_bytes()),
        ("a claim twice", plain.sign_as(&plain.header_text(), &doubled).into_bytes()),
        ("a header that is no object", plain.sign_as("[]", &plain.claims()).into_bytes()),
        ("20,000 bytes", plain.clone().claim("pad", "x".repeat(20_000)).sign().into_bytes()),
        ("two in one line", format!("{good},{good}").into_bytes()),
        ("the access token", token.as_bytes().to_vec()),
    ];
    texts
        .into_iter()
        .map(|(name, text)| bad(format!("bad proof: {name}"), "bound", with(get("/"), token, text)))
        .collect()
}

/// Tokens without their proof, and proofs without their token.
pub fn misplaced(token: &str) -> Vec<Row> {
    let plain = || proof("/", token);
    let unbound = Token::reader().sign("HS256");
    let other = Token::reader().claim("cnf", json!({"jkt": thumbprint("ES256", true)})).sign("HS256");
    let cnf = |value: Value| Token::reader().claim("cnf", value).sign("HS256");
    let jkt = thumbprint("ES256", false);
    let expired = Token::reader().claim("cnf", json!({"jkt": jkt})).claim("exp", now() - 120).sign("HS256");
    let invalid_dpop = challenge("invalid_token");
    let needs_dpop = |policy, request, name: &str| {
        bad_token(format!("bound token: {name}"), policy, request, &invalid_dpop)
    };
    let bearer_row = |name: &str, token: &str| {
        bad_token(format!("bound token: {name}"), "bound", get("/").bearer(token), INVALID_TOKEN)
    };
    let mut rows = vec![
        bad("bound token: as a bearer token, without proof", "bound", get("/").bearer(token)),
        bad(
            "bound token: as a bearer token, with its proof",
            "bound",
            get("/").bearer(token).header("DPoP", plain().sign()),
        ),
        bad("bound token: without proof", "bound", get("/").header("Authorization", format!("DPoP {token}"))),
        bad(
            "bound token: two proofs",
            "bound",
            with(get("/"), token, plain().sign()).header("DPoP", plain().sign()),
        ),
        bad("bound token: of another key", "bound", with(get("/"), &other, proof("/", &other).sign())),
        bad(
            "bound token: the proof of another token",
            "bound",
            with(get("/"), token, proof("/", &other).sign()),
        ),
        bad(
            "bound token: as a bearer token where an anonymous request passes",
            "bound",
            get("/public").bearer(token),
        ),
        bad(
            "bound token: a host in the proof that is not among the origins",
            "bound origins",
            with(get("/"), token, plain().sign()),
        ),
        needs_dpop(
            "bound",
            with(get("/"), &unbound, proof("/", &unbound).sign()),
            "an unbound one with the scheme DPoP",
        ),
        needs_dpop("bound", with(get("/"), &expired, proof("/", &expired).sign()), "an expired one"),
        needs_dpop("bound required", get("/").bearer(&unbound), "an unbound one where a key is required"),
        bad_token(
            "bound token: with either scheme at once",
            "bound",
            get("/")
                .header("Authorization", format!("DPoP {token}"))
                .header("Authorization", format!("Bearer {token}")),
            INVALID_TOKEN,
        ),
        bearer_row("by a key that stands in it", &cnf(json!({"jwk": keys::P256.jwk()}))),
        bearer_row("by a method that is not known", &cnf(json!({"jkt": jkt, "kid": "k"}))),
        bearer_row("by an empty confirmation", &cnf(json!({}))),
        bearer_row("by a confirmation that is text", &cnf(json!(jkt))),
        bearer_row("by a thumbprint that is none", &cnf(json!({"jkt": "short"}))),
        bearer_row("by what it does not say", &Token::reader().claim("token_type", "DPoP").sign("HS256")),
        bearer_row("by a list of thumbprints", &cnf(json!({"jkt": [jkt]}))),
        bearer_row("by a certificate, without one", &cnf(json!({"x5t#S256": digest("certificate")}))),
        bearer_row("by a certificate whose digest is none", &cnf(json!({"x5t#S256": "00"}))),
        bad_token(
            "bound token: to no certificate, where one is required",
            "bound certificate",
            get("/").bearer(&unbound),
            INVALID_TOKEN,
        ),
    ];
    let both = cnf(json!({"jkt": jkt, "x5t#S256": digest("certificate")}));
    rows.push(needs_dpop(
        "bound",
        with(get("/"), &both, proof("/", &both).sign()),
        "by a key and a certificate, with the key alone",
    ));
    let missing = |name: &str, policy, path: &str, challenge: &str| {
        refused(name, policy, get(path), 401, "Not authenticated", &[challenge])
    };
    rows.push(missing(
        "bound token: none where a key is required",
        "bound required",
        "/",
        &format!("DPoP realm=\"lychgate\", {ALGS}"),
    ));
    rows.push(missing(
        "bound token: none where a key and a scope are required",
        "bound required",
        "/scoped",
        &format!("DPoP realm=\"lychgate\", scope=\"items:read\", {ALGS}"),
    ));
    rows
}
