//! Keys that sign: for the tokens that the gate issues itself, and for test tokens.

use std::fmt;

use jwt_simple::algorithms::{
    ECDSAP256KeyPairLike as _, ECDSAP256kKeyPairLike as _, ECDSAP384KeyPairLike as _, ES256KeyPair,
    ES256kKeyPair, ES384KeyPair, Ed25519KeyPair, EdDSAKeyPairLike as _, HS256Key, HS384Key, HS512Key,
    MACLike as _, PS256KeyPair, PS384KeyPair, PS512KeyPair, RS256KeyPair, RS384KeyPair, RS512KeyPair,
    RSAKeyPairLike as _,
};
use jwt_simple::claims::JWTClaims;
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::import::import_pem;
use super::key::VerificationKey;

/// A key that signs tokens.
pub struct SigningKey {
    algorithm: Algorithm,
    material: Material,
}

/// The key by jwt-simple's type for it.
enum Material {
    Hs256(HS256Key),
    Hs384(HS384Key),
    Hs512(HS512Key),
    Rs256(RS256KeyPair),
    Rs384(RS384KeyPair),
    Rs512(RS512KeyPair),
    Ps256(PS256KeyPair),
    Ps384(PS384KeyPair),
    Ps512(PS512KeyPair),
    Es256(ES256KeyPair),
    Es384(ES384KeyPair),
    Es256k(ES256kKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl SigningKey {
    /// A shared secret; nothing if `algorithm` is no HMAC. Its length was judged when the
    /// verification key was imported.
    #[must_use]
    pub fn from_secret(algorithm: Algorithm, secret: &[u8], kid: Option<&str>) -> Option<Self> {
        let material = match algorithm {
            Algorithm::Hs256 => Material::Hs256(HS256Key::from_bytes(secret)),
            Algorithm::Hs384 => Material::Hs384(HS384Key::from_bytes(secret)),
            Algorithm::Hs512 => Material::Hs512(HS512Key::from_bytes(secret)),
            _ => return None,
        };
        Some(Self { algorithm, material: material.with_kid(kid) })
    }

    /// A private key in PEM (PKCS#8, or what jwt-simple reads besides), and the public key to it.
    ///
    /// # Errors
    /// If the text is no such key, or the algorithm cannot be signed with here.
    pub fn from_pem(
        algorithm: Algorithm,
        pem: &str,
        kid: Option<&str>,
    ) -> Result<(Self, VerificationKey), String> {
        let pem = pem.trim();
        let wrong = |_| format!("not the PEM (PKCS#8) of a private key for {}", algorithm.name());
        macro_rules! pair {
            ($variant:ident, $type:ident) => {{
                let pair = $type::from_pem(pem).map_err(wrong)?;
                let public = pair.public_key().to_pem().map_err(wrong)?;
                (Material::$variant(pair), public)
            }};
            ($variant:ident, $type:ident, infallible) => {{
                let pair = $type::from_pem(pem).map_err(wrong)?;
                let public = pair.public_key().to_pem();
                (Material::$variant(pair), public)
            }};
        }
        let (material, public) = match algorithm {
            Algorithm::Rs256 => pair!(Rs256, RS256KeyPair),
            Algorithm::Rs384 => pair!(Rs384, RS384KeyPair),
            Algorithm::Rs512 => pair!(Rs512, RS512KeyPair),
            Algorithm::Ps256 => pair!(Ps256, PS256KeyPair),
            Algorithm::Ps384 => pair!(Ps384, PS384KeyPair),
            Algorithm::Ps512 => pair!(Ps512, PS512KeyPair),
            Algorithm::Es256 => pair!(Es256, ES256KeyPair),
            Algorithm::Es384 => pair!(Es384, ES384KeyPair),
            Algorithm::Es256k => pair!(Es256k, ES256kKeyPair),
            Algorithm::EdDsa => pair!(EdDsa, Ed25519KeyPair, infallible),
            _ => {
                return Err(format!(
                    "tokens cannot be signed with {} here; use HS, RS, PS, ES256, ES384, ES256K or EdDSA",
                    algorithm.name()
                ));
            }
        };
        let verification = import_pem(algorithm, &public)?.with_kid(kid.map(str::to_owned));
        Ok((Self { algorithm, material: material.with_kid(kid) }, verification))
    }

    /// The algorithm it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// A compact JWT (RFC 7519) of exactly these claims.
    ///
    /// # Errors
    /// If the signature cannot be made.
    pub fn sign(&self, claims: &Map<String, Value>) -> Result<String, String> {
        // Times and identifiers are arguments: nothing is left to jwt-simple's own clock.
        let claims = JWTClaims {
            issued_at: None,
            expires_at: None,
            invalid_before: None,
            issuer: None,
            subject: None,
            audiences: None,
            jwt_id: None,
            nonce: None,
            custom: claims.clone(),
        };
        let token = match &self.material {
            Material::Hs256(key) => key.authenticate(claims),
            Material::Hs384(key) => key.authenticate(claims),
            Material::Hs512(key) => key.authenticate(claims),
            Material::Rs256(key) => key.sign(claims),
            Material::Rs384(key) => key.sign(claims),
            Material::Rs512(key) => key.sign(claims),
            Material::Ps256(key) => key.sign(claims),
            Material::Ps384(key) => key.sign(claims),
            Material::Ps512(key) => key.sign(claims),
            Material::Es256(key) => key.sign(claims),
            Material::Es384(key) => key.sign(claims),
            Material::Es256k(key) => key.sign(claims),
            Material::EdDsa(key) => key.sign(claims),
        };
        token.map_err(|error| error.to_string())
    }
}

impl Material {
    fn with_kid(self, kid: Option<&str>) -> Self {
        let Some(kid) = kid else { return self };
        match self {
            Self::Hs256(key) => Self::Hs256(key.with_key_id(kid)),
            Self::Hs384(key) => Self::Hs384(key.with_key_id(kid)),
            Self::Hs512(key) => Self::Hs512(key.with_key_id(kid)),
            Self::Rs256(key) => Self::Rs256(key.with_key_id(kid)),
            Self::Rs384(key) => Self::Rs384(key.with_key_id(kid)),
            Self::Rs512(key) => Self::Rs512(key.with_key_id(kid)),
            Self::Ps256(key) => Self::Ps256(key.with_key_id(kid)),
            Self::Ps384(key) => Self::Ps384(key.with_key_id(kid)),
            Self::Ps512(key) => Self::Ps512(key.with_key_id(kid)),
            Self::Es256(key) => Self::Es256(key.with_key_id(kid)),
            Self::Es384(key) => Self::Es384(key.with_key_id(kid)),
            Self::Es256k(key) => Self::Es256k(key.with_key_id(kid)),
            Self::EdDsa(key) => Self::EdDsa(key.with_key_id(kid)),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.algorithm.name())
    }
}

#[cfg(test)]
#[path = "signing_tests.rs"]
mod tests;
