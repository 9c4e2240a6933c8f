//! Tokens made without the code under test, and a second opinion on tokens that it makes: by the keys of the
//! crate `jwt-simple`.
//!
//! | algorithm | signed by | shared with the code under test |
//! |---|---|---|
//! | HS256, HS384, HS512 | `jwt-simple` (`hmac-sha256`, `hmac-sha512`) | nothing |
//! | RS\*, PS\* | the RSA that `jwt-simple` has (`superboring`), which signs no bytes but a token's by itself | nothing: `rsa` 0.9 for 0.10 |
//! | EdDSA | `jwt-simple` (`ed25519-compact`) | nothing |
//! | ES256, ES384, ES256K | `p256`, `p384`, `k256`, which `jwt-simple` has too | the curve; it is held to Wycheproof and to Envoy's BoringSSL |
//! | ES512 | `p521`: `jwt-simple` has no ES512 | the curve, as above |
//! | ML-DSA | `jwt-simple` (`ml-dsa`) | the arithmetic; it is held to Wycheproof |

use std::time::{SystemTime, UNIX_EPOCH};

use jwt_simple::prelude::*;
use serde_json::{Map, Value, json};

use crate::keys::{self, Pair};

/// Unix time in seconds.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(since.as_secs()).expect("a clock of this age")
}

/// Base64url without padding.
#[must_use]
pub fn b64(bytes: impl AsRef<[u8]>) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.as_ref().chunks(3) {
        let group =
            chunk.iter().fold(0_u32, |group, &byte| group << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for index in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(group >> (18 - 6 * index)) as usize & 63]));
        }
    }
    text
}

/// A token in the making. Its claims: `sub` johndoe, issued now, ten minutes to live.
#[derive(Clone, Debug)]
pub struct Token {
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Default for Token {
    fn default() -> Self {
        Self::new()
    }
}

impl Token {
    /// The plain token.
    #[must_use]
    pub fn new() -> Self {
        let claims = json!({"sub": "johndoe", "iat": now(), "exp": now() + 600});
        let Value::Object(claims) = claims else { unreachable!("an object") };
        Self { header: Map::new(), claims }
    }

    /// With `scopes: [items:read]`.
    #[must_use]
    pub fn reader() -> Self {
        Self::new().claim("scopes", json!(["items:read"]))
    }

    /// With this claim.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Without this claim.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// With this header parameter.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), value.into());
        self
    }

    /// Signed by us with `alg`.
    #[must_use]
    pub fn sign(&self, alg: &str) -> String {
        self.sign_as(alg, false)
    }

    /// Signed by a stranger with `alg`.
    #[must_use]
    pub fn sign_by_stranger(&self, alg: &str) -> String {
        self.sign_as(alg, true)
    }

    fn sign_as(&self, alg: &str, stranger: bool) -> String {
        let mut header = self.header.clone();
        header.entry("alg").or_insert_with(|| alg.into());
        header.entry("typ").or_insert_with(|| "JWT".into());
        let claims = Value::Object(self.claims.clone()).to_string();
        compact(&Value::Object(header).to_string(), claims, |input| signature(alg, stranger, input))
    }
}

/// A token of these raw parts: for what no library would write.
#[must_use]
pub fn compact(header: &str, payload: impl AsRef<[u8]>, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let input = format!("{}.{}", b64(header), b64(payload));
    let signature = sign(input.as_bytes());
    format!("{input}.{}", b64(signature))
}

/// A signature by the private key of this curve.
macro_rules! ec_signature {
    ($curve:ident, $pem:expr, $input:expr) => {{
        use $curve::ecdsa::signature::Signer as _;
        use $curve::pkcs8::DecodePrivateKey as _;
        let key = $curve::SecretKey::from_pkcs8_pem($pem).expect("a key");
        let signature: $curve::ecdsa::Signature = $curve::ecdsa::SigningKey::from(key).sign($input);
        signature.to_bytes().to_vec()
    }};
}

/// A signature of `input` with `alg` by our key or a stranger's, in the form of RFC 7518.
///
/// # Panics
/// For an algorithm that is not in the table above.
#[must_use]
pub fn signature(alg: &str, stranger: bool, input: &[u8]) -> Vec<u8> {
    let pick = |ours: Pair, theirs: Pair| if stranger { theirs.private_pem } else { ours.private_pem };
    let secret = if stranger { keys::SECRET_STRANGER } else { keys::SECRET }.as_bytes();
    let ml_dsa = |bits| keys::ml_dsa(bits, stranger).to_string();
    match alg {
        "HS256" => HS256Key::from_bytes(secret).authentication_tag(input),
        "HS384" => HS384Key::from_bytes(secret).authentication_tag(input),
        "HS512" => HS512Key::from_bytes(secret).authentication_tag(input),
        "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => {
            rsa_signature(alg, pick(keys::RSA, keys::RSA_STRANGER), input)
        }
        "EdDSA" => {
            let key = Ed25519KeyPair::from_pem(pick(keys::ED25519, keys::ED25519_STRANGER)).expect("a key");
            key.key_pair().as_ref().sk.sign(input, None).to_vec()
        }
        "ES256" => ec_signature!(p256, pick(keys::P256, keys::P256_STRANGER), input),
        "ES384" => ec_signature!(p384, pick(keys::P384, keys::P384_STRANGER), input),
        "ES512" => ec_signature!(p521, pick(keys::P521, keys::P521_STRANGER), input),
        "ES256K" => ec_signature!(k256, pick(keys::SECP256K1, keys::SECP256K1_STRANGER), input),
        "ML-DSA-44" => {
            let key = MLDSA44KeyPair::from_jwk(&ml_dsa("44")).expect("a key");
            key.key_pair().as_ref().sign(input).expect("a signature")
        }
        "ML-DSA-65" => {
            let key = MLDSA65KeyPair::from_jwk(&ml_dsa("65")).expect("a key");
            key.key_pair().as_ref().sign(input).expect("a signature")
        }
        "ML-DSA-87" => {
            let key = MLDSA87KeyPair::from_jwk(&ml_dsa("87")).expect("a key");
            key.key_pair().as_ref().sign(input).expect("a signature")
        }
        _ => panic!("no key for {alg}"),
    }
}

fn rsa_signature(alg: &str, pem: &str, input: &[u8]) -> Vec<u8> {
    use superboring::hash::MessageDigest;
    use superboring::pkey::PKey;
    use superboring::rsa::{Padding, Rsa};
    use superboring::sign::Signer;
    let hash = match &alg[2..] {
        "256" => MessageDigest::sha256(),
        "384" => MessageDigest::sha384(),
        _ => MessageDigest::sha512(),
    };
    let padding = if alg.starts_with("PS") { Padding::PKCS1_PSS } else { Padding::PKCS1 };
    let key = PKey::from_rsa(Rsa::private_key_from_pem(pem.as_bytes()).expect("a key")).expect("a key");
    let mut signer = Signer::new(hash, &key).expect("a signer");
    signer.set_rsa_padding(padding).expect("a padding");
    signer.update(input).expect("input");
    signer.sign_to_vec().expect("a signature")
}

macro_rules! opinion {
    ($key:expr, $token:expr) => {{
        let options = VerificationOptions {
            time_tolerance: Some(Duration::from_secs(0)),
            ..VerificationOptions::default()
        };
        let claims = $key.verify_token::<Map<String, Value>>($token, Some(options));
        let claims = claims.map_err(|error| error.to_string())?;
        match serde_json::to_value(claims) {
            Ok(Value::Object(claims)) => Ok(claims),
            other => Err(format!("claims that are no object: {other:?}")),
        }
    }};
}

/// What `jwt-simple` says of a token of now that we are said to have signed with `alg`: its claims, or why it
/// does not take it. Times are held to the second.
///
/// # Errors
/// Its complaint.
///
/// # Panics
/// For an algorithm that it does not have: ES512.
pub fn second_opinion(alg: &str, token: &str) -> Result<Map<String, Value>, String> {
    let ml_dsa = |bits| keys::ml_dsa_public(bits).to_string();
    match alg {
        "HS256" => opinion!(HS256Key::from_bytes(keys::SECRET.as_bytes()), token),
        "HS384" => opinion!(HS384Key::from_bytes(keys::SECRET.as_bytes()), token),
        "HS512" => opinion!(HS512Key::from_bytes(keys::SECRET.as_bytes()), token),
        "RS256" => opinion!(RS256PublicKey::from_pem(keys::RSA.public_pem).expect("a key"), token),
        "RS384" => opinion!(RS384PublicKey::from_pem(keys::RSA.public_pem).expect("a key"), token),
        "RS512" => opinion!(RS512PublicKey::from_pem(keys::RSA.public_pem).expect("a key"), token),
        "PS256" => opinion!(PS256PublicKey::from_pem(keys::RSA.public_pem).expect("a key"), token),
        "PS384" => opinion!(PS384PublicKey::from_pem(keys::RSA.public_pem).expect("a key"), token),
        "PS512" => opinion!(PS512PublicKey::from_pem(keys::RSA.public_pem).expect("a key"), token),
        "EdDSA" => opinion!(Ed25519PublicKey::from_pem(keys::ED25519.public_pem).expect("a key"), token),
        "ES256" => opinion!(ES256PublicKey::from_pem(keys::P256.public_pem).expect("a key"), token),
        "ES384" => opinion!(ES384PublicKey::from_pem(keys::P384.public_pem).expect("a key"), token),
        "ES256K" => opinion!(ES256kPublicKey::from_pem(keys::SECP256K1.public_pem).expect("a key"), token),
        "ML-DSA-44" => opinion!(MLDSA44PublicKey::from_jwk(&ml_dsa("44")).expect("a key"), token),
        "ML-DSA-65" => opinion!(MLDSA65PublicKey::from_jwk(&ml_dsa("65")).expect("a key"), token),
        "ML-DSA-87" => opinion!(MLDSA87PublicKey::from_jwk(&ml_dsa("87")).expect("a key"), token),
        _ => panic!("jwt-simple has no {alg}"),
    }
}

/// The same ES256K token with the other of the two signatures that are valid whenever one is: `n - s`
/// in place of `s`. Ours have the low one; half of those of most libraries have the high one.
///
/// # Panics
/// If it is no such token.
#[must_use]
pub fn with_other_s(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').expect("a token");
    let signature = k256::ecdsa::Signature::from_slice(&unb64(signature)).expect("a signature");
    let (r, s) = signature.split_scalars();
    let other = k256::ecdsa::Signature::from_scalars(r, -s).expect("a signature");
    format!("{input}.{}", b64(other.to_bytes()))
}

/// HMAC-SHA256 of `input` under any key, as an attacker would make it.
#[must_use]
pub fn hs256(secret: &[u8], input: &[u8]) -> Vec<u8> {
    HS256Key::from_bytes(secret).authentication_tag(input)
}

fn unb64(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'-' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for chunk in text.as_bytes().chunks(4) {
        let group =
            chunk.iter().fold(0_u32, |group, &c| group << 6 | u32::from(value(c))) << (6 * (4 - chunk.len()));
        bytes.extend(&group.to_be_bytes()[1..chunk.len()]);
    }
    bytes
}

#[cfg(test)]
#[path = "tokens_tests.rs"]
mod tests;
