//! Every algorithm of the contract: ours, a stranger's, with and without scope; and attempts to have
//! a token checked by another algorithm than its key's.

use lychgate_testkit::http::Request;
use lychgate_testkit::keys::{ED25519, P256, RSA, SECRET};
use lychgate_testkit::tokens::{Token, b64, compact, hs256, now, signature};

use super::{BEARER, Row, allowed_as, invalid_token, missing, row, scope_lacking};

const NEEDED: &str = "items:read";

macro_rules! rows_for {
    ($($alg:literal),+ $(,)?) => {
        vec![$(
            row(concat!($alg, ": ours, with the scope"), "algorithms",
                ask($alg, Token::reader().sign($alg)),
                allowed_as("johndoe", $alg).with("x-auth-scopes", NEEDED).without(&["authorization"])),
            row(concat!($alg, ": ours, without the scope"), "algorithms",
                ask($alg, Token::new().claim("scope", "items:readonly").sign($alg)), scope_lacking(NEEDED)),
            row(concat!($alg, ": a stranger's, with the scope"), "algorithms",
                ask($alg, Token::reader().sign_by_stranger($alg)), invalid_token()),
            row(concat!($alg, ": ours, one bit of the claims changed"), "algorithms",
                ask($alg, tampered(&Token::reader().sign($alg))), invalid_token()),
            row(concat!($alg, ": unsigned"), "algorithms",
                ask($alg, unsigned(&Token::reader().sign($alg))), invalid_token()),
            row(concat!($alg, ": nothing"), "algorithms", Request::get(concat!("/", $alg)), missing(&[BEARER])),
        )+]
    };
}

fn ask(alg: &str, token: String) -> Request {
    Request::get(format!("/{alg}")).bearer(token)
}

/// The same signature over claims that differ in one letter of base64url.
fn tampered(token: &str) -> String {
    let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    let last = if parts[1].ends_with("A") { "Q" } else { "A" };
    let end = parts[1].len() - 4;
    parts[1].replace_range(end..=end, last);
    parts.join(".")
}

fn unsigned(token: &str) -> String {
    let end = token.rfind('.').expect("a token");
    token[..=end].to_owned()
}

fn claims() -> String {
    format!(r#"{{"sub":"johndoe","scopes":["items:read"],"exp":{}}}"#, now() + 600)
}

/// A token that says `says` of its algorithm and was signed by `sign`.
fn says(says: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    compact(&format!(r#"{{"alg":{says}}}"#), claims(), sign)
}

/// `r || s` as DER, which JOSE does not know.
fn der(raw: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let start = bytes.iter().position(|&byte| byte != 0).unwrap_or(0);
        let mut value = bytes[start..].to_vec();
        if value[0] & 0x80 != 0 {
            value.insert(0, 0);
        }
        let mut der = vec![2, u8::try_from(value.len()).expect("short")];
        der.extend(value);
        der
    };
    let (r, s) = raw.split_at(raw.len() / 2);
    let body = [integer(r), integer(s)].concat();
    [vec![0x30, u8::try_from(body.len()).expect("short")], body].concat()
}

pub fn rows() -> Vec<Row> {
    let mut rows = rows_for![
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
    rows.extend(confusions());
    rows
}

fn confusions() -> Vec<Row> {
    let refused = |name, alg: &str, token| row(name, "algorithms", ask(alg, token), invalid_token());
    let nothing = |_: &[u8]| Vec::new();
    let by = |alg: &'static str| move |input: &[u8]| signature(alg, false, input);
    let keyed = |key: &'static str| move |input: &[u8]| hs256(key.as_bytes(), input);
    vec![
        refused("none, unsigned", "HS256", says(r#""none""#, nothing)),
        refused("None, unsigned", "HS256", says(r#""None""#, nothing)),
        refused("NONE, unsigned", "RS256", says(r#""NONE""#, nothing)),
        refused("nOnE, unsigned", "ES256", says(r#""nOnE""#, nothing)),
        refused("none with our signature", "HS256", says(r#""none""#, by("HS256"))),
        refused("an empty alg", "HS256", says(r#""""#, by("HS256"))),
        refused("alg in lower case", "HS256", says(r#""hs256""#, by("HS256"))),
        refused("alg with a space", "HS256", says(r#""HS256 ""#, by("HS256"))),
        refused("alg null", "HS256", says("null", by("HS256"))),
        refused("alg a number", "HS256", says("256", by("HS256"))),
        refused("alg in an array", "HS256", says(r#"["HS256"]"#, by("HS256"))),
        refused("alg true", "HS256", says("true", by("HS256"))),
        refused("an unknown alg", "HS256", says(r#""HS1024""#, by("HS256"))),
        refused("an algorithm of encryption", "HS256", says(r#""dir""#, by("HS256"))),
        refused("no alg", "HS256", compact(r#"{"typ":"JWT"}"#, claims(), by("HS256"))),
        refused("HS256 with the RSA key as secret", "RS256", says(r#""HS256""#, keyed(RSA.public_pem))),
        refused(
            "HS256 with the RSA key as secret, trimmed",
            "RS256",
            says(r#""HS256""#, |input| hs256(RSA.public_pem.trim().as_bytes(), input)),
        ),
        refused("HS256 with the P-256 key as secret", "ES256", says(r#""HS256""#, keyed(P256.public_pem))),
        refused(
            "HS256 with the Ed25519 key as secret",
            "EdDSA",
            says(r#""HS256""#, |input| {
                hs256(ED25519.jwk()["x"].as_str().unwrap_or_default().as_bytes(), input)
            }),
        ),
        refused("HS256 with an empty secret", "RS256", says(r#""HS256""#, keyed(""))),
        refused("HS384 said and done where HS256 is asked", "HS256", says(r#""HS384""#, by("HS384"))),
        refused("HS512 said, HS256 done", "HS256", says(r#""HS512""#, by("HS256"))),
        refused("RS384 where RS256 is asked", "RS256", says(r#""RS384""#, by("RS384"))),
        refused("PS256 where RS256 is asked", "RS256", says(r#""PS256""#, by("PS256"))),
        refused("RS256 where PS256 is asked", "PS256", says(r#""RS256""#, by("RS256"))),
        refused("PS256 said, RS256 done", "PS256", says(r#""PS256""#, by("RS256"))),
        refused("RS256 said, PS256 done", "RS256", says(r#""RS256""#, by("PS256"))),
        refused("ES256K said and done where ES256 is asked", "ES256", says(r#""ES256K""#, by("ES256K"))),
        refused("ES256 said, ES256K done", "ES256", says(r#""ES256""#, by("ES256K"))),
        refused("ES384 where ES256 is asked", "ES256", says(r#""ES384""#, by("ES384"))),
        refused("ES256 as DER", "ES256", says(r#""ES256""#, |input| der(&signature("ES256", false, input)))),
        refused("ES256 of zeros", "ES256", says(r#""ES256""#, |_| vec![0; 64])),
        refused("ES384 of zeros", "ES384", says(r#""ES384""#, |_| vec![0; 96])),
        refused("ES512 of zeros", "ES512", says(r#""ES512""#, |_| vec![0; 132])),
        refused("EdDSA of zeros", "EdDSA", says(r#""EdDSA""#, |_| vec![0; 64])),
        refused("RS256 of zeros", "RS256", says(r#""RS256""#, |_| vec![0; 256])),
        refused(
            "ES256 one byte short",
            "ES256",
            says(r#""ES256""#, |input| {
                let mut signature = signature("ES256", false, input);
                signature.truncate(63);
                signature
            }),
        ),
        refused(
            "RS256 one byte long",
            "RS256",
            says(r#""RS256""#, |input| [signature("RS256", false, input), vec![0]].concat()),
        ),
        refused(
            "HS256 cut to half",
            "HS256",
            says(r#""HS256""#, |input| hs256(SECRET.as_bytes(), input)[..16].to_vec()),
        ),
        refused(
            "HS256 over the claims alone",
            "HS256",
            says(r#""HS256""#, |input| {
                let dot = input.iter().position(|&byte| byte == b'.').unwrap_or(0);
                hs256(SECRET.as_bytes(), &input[dot + 1..])
            }),
        ),
        refused(
            "HS256 in base64url twice",
            "HS256",
            says(r#""HS256""#, |input| b64(hs256(SECRET.as_bytes(), input)).into_bytes()),
        ),
        row(
            "Ed25519 is another name of EdDSA",
            "algorithms",
            ask("EdDSA", says(r#""Ed25519""#, by("EdDSA"))),
            allowed_as("johndoe", "EdDSA"),
        ),
    ]
}
