//! Tokens that no issuer made, against keys that the policy holds.

use lychgate_tests::keys::{self, Pair};
use lychgate_tests::tokens::{b64, compact, signature};
use lychgate_tests::vm::Machine;
use serde_json::{Value, json};

use super::bed::{Bed, Row, Sent, Trial, policy};

/// The longest token that is looked at.
const LONGEST: usize = 8192;

pub fn bearer(jwt: &Value) -> Value {
    json!({"token": {"type": "http", "scheme": "bearer", "jwt": jwt}})
}

fn needs(jwt: &Value) -> Value {
    policy(&bearer(jwt), &json!([{"token": []}]))
}

/// JSON objects that take long to read, and fit into so many bytes.
fn objects(room: usize) -> Vec<(&'static str, String)> {
    let again = |text: &str| text.repeat(room / text.len());
    let members = (0..room / 4).map(|number| format!("\"{number:x}\":1,")).collect::<String>();
    vec![
        ("small values", format!("{{\"x\":[{}1]}}", again("1,"))),
        ("members", format!("{{{}\"x\":1}}", &members[..members[..room].rfind(',').unwrap() + 1])),
        ("objects", format!("{{\"x\":[{}{{}}]}}", again("{\"\":0},"))),
        ("escapes", format!("{{\"x\":\"{}\"}}", again("\\u0061"))),
        ("numbers", format!("{{\"x\":[{}1]}}", again("1e9,"))),
        ("text", format!("{{\"x\":\"{}\"}}", again("t"))),
        ("depth", format!("{{\"x\":[{}]}}", again("[[[[[[]]]]]],").trim_end_matches(','))),
    ]
}

/// Tokens with this header that take long to read, with this signature.
pub fn dear(header: &Value, signature: &[u8]) -> Vec<(String, Sent)> {
    let room = (LONGEST - b64(signature).len() - 2) / 4 * 3 - header.to_string().len() - 30;
    let mut tokens = Vec::new();
    for (name, object) in objects(room) {
        let more = header.to_string().replacen('{', &format!("{},", &object[..object.len() - 1]), 1);
        for (part, header, payload) in
            [("header", more.as_str(), "{}"), ("payload", header.to_string().as_str(), object.as_str())]
        {
            let token = compact(header, payload, |_| signature.to_vec());
            assert!(token.len() <= LONGEST, "{} bytes", token.len());
            tokens.push((format!("{name} in the {part}"), Sent::bearer(&token)));
        }
    }
    tokens
}

/// A signature by a stranger: as dear to check as a genuine one.
fn forged(alg: &str) -> Vec<u8> {
    signature(alg, true, b"something else")
}

fn rsa_4096(alg: &str, number: usize) -> Value {
    let mut modulus: Vec<u8> = (0..512).map(|at| u8::try_from((at * 7 + number) % 256).unwrap()).collect();
    (modulus[0], modulus[511]) = (0xc0, 0x01);
    json!({"kty": "RSA", "alg": alg, "e": "AQAB", "n": b64(modulus)})
}

pub fn rows(bed: &Bed) -> Vec<Row> {
    let mut rows = Vec::new();
    let hs256 = json!({"keys": [{"alg": "HS256", "secret": keys::SECRET, "kid": "one"}]});
    let mut machine = bed.start(&needs(&hs256));
    let mut trial = Trial::refused("a token that is none", 401, "token_malformed");
    rows.push(trial.send(&mut machine, malformed()).take());
    let mut trial = Trial::refused("a token by an unknown algorithm or key", 401, "token_no_matching_key");
    let header = json!({"alg": "HS256", "kid": "two"});
    rows.push(trial.send(&mut machine, dear(&header, &[0; 32])).take());
    let issuers = json!({"issuers": (0..100).map(|number| json!({
        "issuer": format!("https://{number}.example"),
        "keys": [{"alg": "HS256", "secret": format!("{number} {}", keys::SECRET)}]})).collect::<Vec<_>>()});
    let mut machine = bed.start(&needs(&issuers));
    let mut trial = Trial::refused("a token by an unknown issuer, of 100", 401, "token_");
    let unknown = dear(&json!({"alg": "HS256"}), &[0; 32]);
    rows.push(trial.send(&mut machine, unknown).take());
    let mut machine = bed.start(&needs(&hs256));
    let mut trial = Trial::refused("a forged token, HS256", 401, "token_bad_signature");
    rows.push(trial.send(&mut machine, dear(&json!({"alg": "HS256", "kid": "one"}), &[0; 32])).take());
    rows.extend(by_one_key(bed));
    rows.extend(by_eight_keys(bed));
    rows
}

fn malformed() -> Vec<(String, Sent)> {
    let token = |text: &str| Sent::bearer(text);
    let header = b64(json!({"alg": "HS256"}).to_string());
    let mut tokens: Vec<(String, Sent)> = [
        ("no dot", "a".repeat(LONGEST)),
        ("dots", ".".repeat(LONGEST)),
        ("a bad letter at the end", format!("{header}.{}.{}=", "a".repeat(4000), "a".repeat(4000))),
    ]
    .map(|(name, text)| (name.to_owned(), token(&text)))
    .into();
    for (name, object) in objects(LONGEST / 4 * 3 - 60) {
        // The fault comes last.
        let cut = object[..object.len() - 1].to_owned() + ",";
        tokens.push((format!("{name}, cut off"), token(&compact(&cut, "{}", |_| vec![0; 32]))));
    }
    tokens.push(("depth".to_owned(), token(&compact(&"[".repeat(6000), "{}", |_| vec![0; 32]))));
    tokens
}

/// Half of the requests that are dear to read will do: checking is what costs.
fn few(header: &Value, signature: &[u8]) -> Vec<(String, Sent)> {
    let is_tried =
        |(name, _): &(String, Sent)| name.starts_with("small") || name.starts_with("text in the p");
    dear(header, signature).into_iter().filter(is_tried).collect()
}

fn by_one_key(bed: &Bed) -> Vec<Row> {
    let pem = |alg: &str, pair: &Pair| json!({"keys": [{"alg": alg, "pem": pair.public_pem}]});
    let set = |jwk: Value| json!({"jwks": {"keys": [jwk]}});
    let kinds: [(&'static str, &str, Value, Vec<u8>, bool); 9] = [
        ("a forged token, RS256, 4,096 bits", "RS256", set(rsa_4096("RS256", 0)), vec![1; 512], true),
        ("a forged token, ES256", "ES256", pem("ES256", &keys::P256), forged("ES256"), true),
        (
            "a forged token, RS256, 4,096 bits, no native checks",
            "RS256",
            set(rsa_4096("RS256", 0)),
            vec![1; 512],
            false,
        ),
        (
            "a forged token, ES256, no native checks",
            "ES256",
            pem("ES256", &keys::P256),
            forged("ES256"),
            false,
        ),
        (
            "a forged token, ES384, no native checks",
            "ES384",
            pem("ES384", &keys::P384),
            forged("ES384"),
            false,
        ),
        ("a forged token, PS256, 4,096 bits", "PS256", set(rsa_4096("PS256", 0)), vec![1; 512], true),
        ("a forged token, EdDSA", "EdDSA", pem("EdDSA", &keys::ED25519), forged("EdDSA"), true),
        ("a forged token, ES512", "ES512", pem("ES512", &keys::P521), forged("ES512"), true),
        ("a forged token, ML-DSA-87", "ML-DSA-87", set(keys::ml_dsa_public("87")), forged("ML-DSA-87"), true),
    ];
    kinds
        .into_iter()
        .map(|(path, alg, jwt, signature, is_native)| forge(bed, path, alg, &jwt, &signature, is_native))
        .collect()
}

/// Against one key or several; each is first made ready.
fn forge(bed: &Bed, path: &'static str, alg: &str, jwt: &Value, signature: &[u8], is_native: bool) -> Row {
    let mut trial = Trial::refused(path, 401, "token_");
    let start =
        || -> Machine { if is_native { bed.start(&needs(jwt)) } else { bed.start_alone(&needs(jwt)) } };
    let mut machine = start();
    for request in few(&json!({"alg": alg}), signature) {
        // The first one has the keys made ready.
        if trial.is_new() {
            machine = start();
        }
        trial.send(&mut machine, [request]);
    }
    trial.take()
}

fn by_eight_keys(bed: &Bed) -> Vec<Row> {
    let eight = |jwk: &dyn Fn(usize) -> Value| json!({"jwks": {"keys": (0..8).map(jwk).collect::<Vec<_>>()}});
    let same = |mut jwk: Value, alg: &str| {
        jwk["alg"] = alg.into();
        jwk.as_object_mut().unwrap().remove("kid");
        eight(&|_| jwk.clone())
    };
    let kinds: [(&'static str, &str, Value, Vec<u8>, bool); 7] = [
        (
            "a forged token without `kid` against eight keys, RS256",
            "RS256",
            eight(&|n| rsa_4096("RS256", n)),
            vec![1; 512],
            true,
        ),
        (
            "a forged token without `kid` against eight keys, ES256",
            "ES256",
            same(keys::P256.jwk(), "ES256"),
            forged("ES256"),
            true,
        ),
        (
            "a forged token without `kid` against eight keys, ES256, no native checks",
            "ES256",
            same(keys::P256.jwk(), "ES256"),
            forged("ES256"),
            false,
        ),
        (
            "a forged token without `kid` against eight keys, PS256",
            "PS256",
            eight(&|n| rsa_4096("PS256", n)),
            vec![1; 512],
            true,
        ),
        (
            "a forged token without `kid` against eight keys, EdDSA",
            "EdDSA",
            same(keys::ED25519.jwk(), "EdDSA"),
            forged("EdDSA"),
            true,
        ),
        (
            "a forged token without `kid` against eight keys, ES512",
            "ES512",
            same(keys::P521.jwk(), "ES512"),
            forged("ES512"),
            true,
        ),
        (
            "a forged token without `kid` against eight keys, ML-DSA-87",
            "ML-DSA-87",
            same(keys::ml_dsa_public("87"), "ML-DSA-87"),
            forged("ML-DSA-87"),
            true,
        ),
    ];
    kinds
        .into_iter()
        .map(|(path, alg, jwt, signature, is_native)| forge(bed, path, alg, &jwt, &signature, is_native))
        .collect()
}
