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

/// An ML-DSA key pair of `keys/`: OpenSSL's PEM of it is not common yet, so it is a JWK alone.
#[derive(Clone, Copy, Debug)]
pub struct LatticePair(&'static str);

impl LatticePair {
    /// The public key as a JWK of type AKP.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let mut jwk: Value = serde_json::from_str(self.0).expect("keys/ holds JSON");
        jwk.as_object_mut().expect("a JWK is an object").remove("priv");
        jwk
    }

    /// The seed of the private key in base64url.
    #[must_use]
    pub fn seed(&self) -> String {
        let jwk: Value = serde_json::from_str(self.0).expect("keys/ holds JSON");
        jwk["priv"].as_str().expect("a private JWK").to_owned()
    }
}

macro_rules! lattice_pair {
    ($(#[$doc:meta])* $name:ident, $file:literal) => {
        $(#[$doc])*
        pub const $name: LatticePair =
            LatticePair(include_str!(concat!("../keys/", $file, ".private.jwk.json")));
    };
}

lattice_pair!(
    /// ML-DSA-44.
    MLDSA44, "mldsa44"
);
lattice_pair!(
    /// A stranger's ML-DSA-44 key.
    MLDSA44_STRANGER, "mldsa44-stranger"
);
lattice_pair!(
    /// ML-DSA-65.
    MLDSA65, "mldsa65"
);
lattice_pair!(
    /// A stranger's ML-DSA-65 key.
    MLDSA65_STRANGER, "mldsa65-stranger"
);
lattice_pair!(
    /// ML-DSA-87.
    MLDSA87, "mldsa87"
);
lattice_pair!(
    /// A stranger's ML-DSA-87 key.
    MLDSA87_STRANGER, "mldsa87-stranger"
);

/// An HMAC secret, long enough for SHA-512.
pub const SECRET: &str = "a secret for tests that is long enough for every HMAC there is: 64+";
/// A stranger's HMAC secret.
pub const SECRET_STRANGER: &str = "another secret of a stranger, and long enough for every HMAC too, 64+";
