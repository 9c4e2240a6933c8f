//! Tokens made without the code under test: by the crate `jsonwebtoken`, and by OpenSSL-compatible
//! primitives where that crate lacks an algorithm.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, crypto};
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

/// A signature of `input` with `alg` by our key or a stranger's, in the form of RFC 7518.
#[must_use]
pub fn signature(alg: &str, stranger: bool, input: &[u8]) -> Vec<u8> {
    let pick = |ours: Pair, theirs: Pair| if stranger { theirs.private_pem } else { ours.private_pem };
    let rsa = || pick(keys::RSA, keys::RSA_STRANGER);
    match alg {
        "ES512" => {
            use p521::ecdsa::signature::Signer as _;
            use p521::pkcs8::DecodePrivateKey as _;
            let key = p521::SecretKey::from_pkcs8_pem(pick(keys::P521, keys::P521_STRANGER)).expect("a key");
            let signature: p521::ecdsa::Signature = p521::ecdsa::SigningKey::from(key).sign(input);
            return signature.to_bytes().to_vec();
        }
        "ES256K" => {
            use k256::ecdsa::signature::Signer as _;
            use k256::pkcs8::DecodePrivateKey as _;
            let pem = pick(keys::SECP256K1, keys::SECP256K1_STRANGER);
            let key = k256::SecretKey::from_pkcs8_pem(pem).expect("a key");
            let signature: k256::ecdsa::Signature = k256::ecdsa::SigningKey::from(key).sign(input);
            return signature.to_bytes().to_vec();
        }
        _ => {}
    }
    if let Some(bits) = alg.strip_prefix("ML-DSA-") {
        return ml_dsa_signature(bits, stranger, input);
    }
    let algorithm: Algorithm = alg.parse().expect("an algorithm of jsonwebtoken");
    let key = match alg.get(..2) {
        Some("HS") => {
            EncodingKey::from_secret(if stranger { keys::SECRET_STRANGER } else { keys::SECRET }.as_bytes())
        }
        Some("RS" | "PS") => EncodingKey::from_rsa_pem(rsa().as_bytes()).expect("a key"),
        Some("Ed") => {
            EncodingKey::from_ed_pem(pick(keys::ED25519, keys::ED25519_STRANGER).as_bytes()).expect("a key")
        }
        _ if alg == "ES384" => {
            EncodingKey::from_ec_pem(pick(keys::P384, keys::P384_STRANGER).as_bytes()).expect("a key")
        }
        _ => EncodingKey::from_ec_pem(pick(keys::P256, keys::P256_STRANGER).as_bytes()).expect("a key"),
    };
    let text = crypto::sign(input, &key, algorithm).expect("a signature");
    unb64(&text)
}

fn ml_dsa_signature(bits: &str, stranger: bool, input: &[u8]) -> Vec<u8> {
    use ml_dsa::signature::Signer as _;
    use ml_dsa::{MlDsa44, MlDsa65, MlDsa87, SigningKey};
    let jwk = keys::ml_dsa(bits, stranger);
    let seed = unb64(jwk["priv"].as_str().expect("a seed"));
    let seed = seed.as_slice().try_into().expect("a seed of 32 bytes");
    match bits {
        "44" => SigningKey::<MlDsa44>::from_seed(seed).sign(input).encode().to_vec(),
        "65" => SigningKey::<MlDsa65>::from_seed(seed).sign(input).encode().to_vec(),
        _ => SigningKey::<MlDsa87>::from_seed(seed).sign(input).encode().to_vec(),
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
    unb64(&crypto::sign(input, &EncodingKey::from_secret(secret), Algorithm::HS256).expect("a signature"))
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
