//! DPoP proofs (RFC 9449), made without the code under test.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::keys;
use crate::tokens::{b64, compact, now, signature};

/// A proof in the making: of a key of ours, for one request with one token.
#[derive(Clone, Debug)]
pub struct Proof {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    alg: String,
    is_strange: bool,
}

/// A number that no other proof of this program has.
fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The SHA-256 of `text`, base64url.
#[must_use]
pub fn digest(text: &str) -> String {
    b64(Sha256::digest(text))
}

/// The public JWK of our key, or of a stranger's, for `alg`.
///
/// # Panics
/// For an algorithm without such a key.
#[must_use]
pub fn jwk(alg: &str, is_strange: bool) -> Value {
    let pick = |ours: keys::Pair, theirs: keys::Pair| if is_strange { theirs.jwk() } else { ours.jwk() };
    match alg {
        "ES256" => pick(keys::P256, keys::P256_STRANGER),
        "ES384" => pick(keys::P384, keys::P384_STRANGER),
        "ES512" => pick(keys::P521, keys::P521_STRANGER),
        "ES256K" => pick(keys::SECP256K1, keys::SECP256K1_STRANGER),
        "EdDSA" => pick(keys::ED25519, keys::ED25519_STRANGER),
        "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => pick(keys::RSA, keys::RSA_STRANGER),
        "ML-DSA-44" => keys::ml_dsa_public("44"),
        "ML-DSA-65" => keys::ml_dsa_public("65"),
        "ML-DSA-87" => keys::ml_dsa_public("87"),
        _ => panic!("no key for {alg}"),
    }
}

/// The thumbprint (RFC 7638) of our key, or of a stranger's, for `alg`.
#[must_use]
pub fn thumbprint(alg: &str, is_strange: bool) -> String {
    let jwk = jwk(alg, is_strange);
    let members: &[&str] = match jwk["kty"].as_str() {
        Some("EC") => &["crv", "kty", "x", "y"],
        Some("RSA") => &["e", "kty", "n"],
        Some("OKP") => &["crv", "kty", "x"],
        _ => &["alg", "kty", "pub"],
    };
    let members: Vec<_> = members.iter().map(|name| format!("\"{name}\":{}", jwk[name])).collect();
    digest(&format!("{{{}}}", members.join(",")))
}

impl Proof {
    /// A good proof by our key for `alg`.
    #[must_use]
    pub fn new(alg: &str, method: &str, uri: &str, token: &str) -> Self {
        let header = json!({"typ": "dpop+jwt", "alg": alg, "jwk": jwk(alg, false)});
        let id = format!("proof-{}-{}", std::process::id(), unique());
        let claims = json!({"jti": id, "htm": method, "htu": uri, "iat": now(), "ath": digest(token)});
        let (Value::Object(header), Value::Object(claims)) = (header, claims) else {
            unreachable!("objects")
        };
        Self { header, claims, alg: alg.into(), is_strange: false }
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

    /// Without this header parameter.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Signed by a stranger's key; what the header says of it stays.
    #[must_use]
    pub fn by_stranger(mut self) -> Self {
        self.is_strange = true;
        self
    }

    /// The claims as JSON text.
    #[must_use]
    pub fn claims(&self) -> String {
        Value::Object(self.claims.clone()).to_string()
    }

    /// The header as JSON text.
    #[must_use]
    pub fn header_text(&self) -> String {
        Value::Object(self.header.clone()).to_string()
    }

    /// Signed.
    #[must_use]
    pub fn sign(&self) -> String {
        self.sign_as(&self.header_text(), &self.claims())
    }

    /// Signed with these parts in place of its own: for what no library would write.
    #[must_use]
    pub fn sign_as(&self, header: &str, claims: &str) -> String {
        compact(header, claims, |input| signature(&self.alg, self.is_strange, input))
    }
}
