//! Keys that sign: for the tokens that the filter issues itself, and for test tokens.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use p256::ecdsa::signature::Signer as _;
use p256::pkcs8::DecodePrivateKey as _;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use serde_json::{Map, Value, json};
use sha2::{Sha256, Sha384, Sha512};

use super::algorithm::Algorithm;
use super::deferred::Rsa;
use super::import::verification_key;
use super::key::{Material as Public, VerificationKey};
use super::random::{Fill, FilledBy};

/// A key that signs tokens.
pub struct SigningKey {
    algorithm: Algorithm,
    kid: Option<String>,
    material: Material,
}

/// The key by the crate that computes with it. Each wipes itself when it is dropped.
enum Material {
    Hs256(Hmac<Sha256>),
    Hs384(Hmac<Sha384>),
    Hs512(Hmac<Sha512>),
    Rsa(Box<rsa::PrivateKey>),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    K256(k256::ecdsa::SigningKey),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

impl SigningKey {
    /// A shared secret; `None` if `algorithm` is no HMAC. Its length was judged when the
    /// verification key was imported.
    #[must_use]
    pub fn from_secret(algorithm: Algorithm, secret: &[u8], kid: Option<&str>) -> Option<Self> {
        let material = match algorithm {
            Algorithm::Hs256 => Material::Hs256(Hmac::new_from_slice(secret).ok()?),
            Algorithm::Hs384 => Material::Hs384(Hmac::new_from_slice(secret).ok()?),
            Algorithm::Hs512 => Material::Hs512(Hmac::new_from_slice(secret).ok()?),
            _ => return None,
        };
        Some(Self { algorithm, kid: kid.map(str::to_owned), material })
    }

    /// A private key in PEM (PKCS#8, or PKCS#1 for RSA and SEC1 for ECDSA), and the public key to it.
    ///
    /// # Errors
    /// If the text is no such key, or the algorithm cannot be signed with here.
    pub fn from_pem(
        algorithm: Algorithm,
        pem: &str,
        kid: Option<&str>,
    ) -> Result<(Self, VerificationKey), String> {
        let pem = pem.trim();
        let wrong = || format!("not the PEM (PKCS#8) of a private key for {}", algorithm.name());
        macro_rules! curve {
            ($crate_name:ident, $variant:ident) => {{
                let secret = $crate_name::SecretKey::from_pkcs8_pem(pem).ok();
                let secret = secret.or_else(|| $crate_name::SecretKey::from_sec1_pem(pem).ok());
                let key = $crate_name::ecdsa::SigningKey::from(secret.ok_or_else(wrong)?);
                let public = Public::$variant(*key.verifying_key());
                (Material::$variant(key), public)
            }};
        }
        let (material, public) = match algorithm {
            algorithm if algorithm.is_rsa() => {
                let key = rsa::PrivateKey::from_pkcs8_pem(pem).ok();
                let key = key.or_else(|| rsa::PrivateKey::from_pkcs1_pem(pem).ok()).ok_or_else(wrong)?;
                let public = Rsa::from_ready(key.to_public_key())
                    .map_err(|reason| format!("{}: {reason}", wrong()))?;
                (Material::Rsa(Box::new(key)), Public::Rsa(public))
            }
            Algorithm::Es256 => curve!(p256, P256),
            Algorithm::Es384 => curve!(p384, P384),
            Algorithm::Es512 => curve!(p521, P521),
            Algorithm::Es256k => curve!(k256, K256),
            Algorithm::EdDsa => {
                let key = ed25519_dalek::SigningKey::from_pkcs8_pem(pem).map_err(|_| wrong())?;
                let public = Public::Ed25519(key.verifying_key());
                (Material::Ed25519(Box::new(key)), public)
            }
            _ => {
                return Err(format!(
                    "tokens cannot be signed with {} here; use HS, RS, PS, ES or EdDSA",
                    algorithm.name()
                ));
            }
        };
        let kid = kid.map(str::to_owned);
        let verification = verification_key(algorithm, public)?.with_kid(kid.clone());
        Ok((Self { algorithm, kid, material }, verification))
    }

    /// The algorithm it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// A compact JWT (RFC 7519) of exactly these claims. RSA takes what is random from `fill`: the salt
    /// of PSS, and what blinds the key against measurements.
    ///
    /// # Errors
    /// If the signature cannot be made.
    pub fn sign(&self, claims: &Map<String, Value>, fill: Fill<'_>) -> Result<String, String> {
        let mut header = json!({"alg": self.algorithm.name(), "typ": "JWT"});
        if let (Some(kid), Value::Object(members)) = (&self.kid, &mut header) {
            members.insert("kid".into(), kid.as_str().into());
        }
        let encode = |value: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(value);
        let claims = serde_json::to_vec(claims).map_err(|error| error.to_string())?;
        let mut token = format!("{}.{}", encode(header.to_string().as_bytes()), encode(&claims));
        let signature = self.signature(token.as_bytes(), fill)?;
        token.push('.');
        token.push_str(&encode(&signature));
        Ok(token)
    }

    fn signature(&self, message: &[u8], fill: Fill<'_>) -> Result<Vec<u8>, String> {
        macro_rules! ecdsa {
            ($crate_name:ident, $key:expr) => {{
                // Deterministic (RFC 6979): no randomness that could be bad.
                let signature: Result<$crate_name::ecdsa::Signature, _> = $key.try_sign(message);
                signature.map(|signature| signature.to_bytes().to_vec()).map_err(|error| error.to_string())
            }};
        }
        match &self.material {
            Material::Hs256(key) => Ok(key.clone().chain_update(message).finalize().into_bytes().to_vec()),
            Material::Hs384(key) => Ok(key.clone().chain_update(message).finalize().into_bytes().to_vec()),
            Material::Hs512(key) => Ok(key.clone().chain_update(message).finalize().into_bytes().to_vec()),
            Material::Rsa(key) => rsa_signature(self.algorithm, key, message, fill),
            Material::P256(key) => ecdsa!(p256, key),
            Material::P384(key) => ecdsa!(p384, key),
            Material::P521(key) => ecdsa!(p521, key),
            Material::K256(key) => ecdsa!(k256, key),
            Material::Ed25519(key) => Ok(key.sign(message).to_vec()),
        }
    }
}

fn rsa_signature(
    algorithm: Algorithm,
    key: &rsa::PrivateKey,
    message: &[u8],
    fill: Fill<'_>,
) -> Result<Vec<u8>, String> {
    let mut random = FilledBy(fill);
    let signature = match algorithm {
        Algorithm::Rs256 => key.pkcs1v15_sign_with_rng::<Sha256, _>(&mut random, message),
        Algorithm::Rs384 => key.pkcs1v15_sign_with_rng::<Sha384, _>(&mut random, message),
        Algorithm::Rs512 => key.pkcs1v15_sign_with_rng::<Sha512, _>(&mut random, message),
        Algorithm::Ps256 => key.pss_sign_with_rng::<Sha256, _>(&mut random, message),
        Algorithm::Ps384 => key.pss_sign_with_rng::<Sha384, _>(&mut random, message),
        Algorithm::Ps512 => key.pss_sign_with_rng::<Sha512, _>(&mut random, message),
        other => return Err(format!("{} is no algorithm of RSA", other.name())),
    };
    signature.map_err(|error| error.to_string())
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.algorithm.name())
    }
}

#[cfg(test)]
#[path = "signing_tests.rs"]
mod tests;
