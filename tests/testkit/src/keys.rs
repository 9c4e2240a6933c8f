//! Fixed keys, made with OpenSSL for these tests and for nothing else.

use serde_json::Value;

/// A key pair of `keys/`.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The private key, PKCS#8 PEM.
    pub private_pem: &'static str,
    /// The public key, SubjectPublicKeyInfo PEM.
    pub public_pem: &'static str,
    jwk: &'static str,
}

impl Pair {
    /// The public key as a JWK.
    #[must_use]
    pub fn jwk(&self) -> Value {
        serde_json::from_str(self.jwk).expect("keys/ holds JSON")
    }
}

macro_rules! pair {
    ($(#[$doc:meta])* $name:ident, $file:literal) => {
        $(#[$doc])*
        pub const $name: Pair = Pair {
            private_pem: include_str!(concat!("../keys/", $file, ".pem")),
            public_pem: include_str!(concat!("../keys/", $file, ".pub.pem")),
            jwk: include_str!(concat!("../keys/", $file, ".jwk.json")),
        };
    };
}

pair!(
    /// RSA of 2048 bits.
    RSA, "rsa"
);
pair!(
    /// A stranger's RSA key.
    RSA_STRANGER, "rsa-stranger"
);
pair!(
    /// RSA of 1024 bits: too weak.
    RSA_1024, "rsa1024"
);
pair!(
    /// NIST P-256.
    P256, "p256"
);
pair!(
    /// A stranger's P-256 key.
    P256_STRANGER, "p256-stranger"
);
pair!(
    /// NIST P-384.
    P384, "p384"
);
pair!(
    /// A stranger's P-384 key.
    P384_STRANGER, "p384-stranger"
);
pair!(
    /// NIST P-521.
    P521, "p521"
);
pair!(
    /// A stranger's P-521 key.
    P521_STRANGER, "p521-stranger"
);
pair!(
    /// secp256k1.
    SECP256K1, "secp256k1"
);
pair!(
    /// A stranger's secp256k1 key.
    SECP256K1_STRANGER, "secp256k1-stranger"
);
pair!(
    /// Ed25519.
    ED25519, "ed25519"
);
pair!(
    /// A stranger's Ed25519 key.
    ED25519_STRANGER, "ed25519-stranger"
);

/// Certificates of keys above, signed by themselves: of version 3, and the one of [`P256`] of version 1.
pub mod certificates {
    /// Of [`super::RSA`].
    pub const RSA: &str = include_str!("../keys/rsa.cert.pem");
    /// Of [`super::RSA_1024`].
    pub const RSA_1024: &str = include_str!("../keys/rsa1024.cert.pem");
    /// Of [`super::P256`].
    pub const P256: &str = include_str!("../keys/p256.cert.pem");
    /// Of [`super::ED25519`].
    pub const ED25519: &str = include_str!("../keys/ed25519.cert.pem");
}

/// An HMAC secret, long enough for SHA-512.
pub const SECRET: &str = "a secret for tests that is long enough for every HMAC there is: 64+";
/// A stranger's HMAC secret.
pub const SECRET_STRANGER: &str = "another secret of a stranger, and long enough for every HMAC too, 64+";

/// An API key.
pub const API_KEY: &str = "key-000000-f3a9c1d27be84055";
/// Its SHA-256, as a configuration has it.
pub const API_KEY_SHA256: &str = "1754ebd2517ddb3e1dbead32e69d0f03eb87f8e0621d5f911f708fb605cf708b";
/// bcrypt of `secret`, as cheap as is accepted.
pub const PASSWORD_HASH: &str = "$2b$04$MDEyMzQ1Njc4OWFiY2RlZee1DOydA/ZkGCG28Q.kqqJg4KKyFCMQa";

/// A private ML-DSA key as a JWK of key type AKP, for `bits` 44, 65 or 87.
///
/// # Panics
/// For any other parameter set.
#[must_use]
pub fn ml_dsa(bits: &str, stranger: bool) -> Value {
    let text = match (bits, stranger) {
        ("44", false) => include_str!("../keys/mldsa44.private.jwk.json"),
        ("44", true) => include_str!("../keys/mldsa44-stranger.private.jwk.json"),
        ("65", false) => include_str!("../keys/mldsa65.private.jwk.json"),
        ("65", true) => include_str!("../keys/mldsa65-stranger.private.jwk.json"),
        ("87", false) => include_str!("../keys/mldsa87.private.jwk.json"),
        ("87", true) => include_str!("../keys/mldsa87-stranger.private.jwk.json"),
        _ => panic!("no ML-DSA-{bits}"),
    };
    serde_json::from_str(text).expect("keys/ holds JSON")
}

/// The public half of [`ml_dsa()`].
#[must_use]
pub fn ml_dsa_public(bits: &str) -> Value {
    let mut jwk = ml_dsa(bits, false);
    if let Some(members) = jwk.as_object_mut() {
        members.remove("priv");
    }
    jwk
}
