//! Checking a signature in the module itself, and bringing one into the form the host wants.

use hmac::Mac;
use ml_dsa::MlDsaParams;
use p256::ecdsa::signature::Verifier;
use sha2::{Sha256, Sha384, Sha512};

use super::algorithm::Algorithm;
use super::key::{Material, VerificationKey};
use super::pss;

impl VerificationKey {
    /// Whether `signature` is this key's signature of `message` (RFC 7515 section 5.2).
    ///
    /// ECDSA signatures are `r || s` of fixed length (RFC 7518 section 3.4).
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Hs256(key) => hmac_verifies(key, message, signature),
            Material::Hs384(key) => hmac_verifies(key, message, signature),
            Material::Hs512(key) => hmac_verifies(key, message, signature),
            Material::Rsa(key) => {
                key.ready().is_some_and(|key| rsa_verifies(self.algorithm, key, message, signature))
            }
            Material::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Material::P384(key) => p384::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Material::P521(key) => p521::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            // A high s is as good as a low one (RFC 8812 section 3.2 asks for no particular one), and half
            // of the signatures of most libraries have it; the crate refuses it, as Bitcoin does.
            Material::K256(key) => k256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature.normalize_s()).is_ok()),
            // Strict: no point of small order, so that a signature has one message and one key.
            Material::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Material::MlDsa44(key) => ml_dsa_verifies(key.ready(), message, signature),
            Material::MlDsa65(key) => ml_dsa_verifies(key.ready(), message, signature),
            Material::MlDsa87(key) => ml_dsa_verifies(key.ready(), message, signature),
        }
    }

    /// The signature as the host's native check wants it: RSA as it is, ECDSA as DER. `None` if
    /// it cannot be a signature of this key.
    #[must_use]
    pub fn native_signature(&self, signature: &[u8]) -> Option<Vec<u8>> {
        match &self.material {
            Material::Rsa(_) => Some(signature.to_vec()),
            Material::P256(_) => p256::ecdsa::Signature::from_slice(signature)
                .ok()
                .map(|signature| signature.to_der().as_bytes().to_vec()),
            Material::P384(_) => p384::ecdsa::Signature::from_slice(signature)
                .ok()
                .map(|signature| signature.to_der().as_bytes().to_vec()),
            Material::P521(_) => p521::ecdsa::Signature::from_slice(signature)
                .ok()
                .map(|signature| signature.to_der().as_bytes().to_vec()),
            _ => None,
        }
    }
}

/// In constant time (`CtOutput`), and only a tag of full length.
fn hmac_verifies<M: Mac + Clone>(key: &M, message: &[u8], signature: &[u8]) -> bool {
    key.clone().chain_update(message).verify_slice(signature).is_ok()
}

fn ml_dsa_verifies<P: MlDsaParams>(key: &ml_dsa::VerifyingKey<P>, message: &[u8], signature: &[u8]) -> bool {
    ml_dsa::Signature::<P>::try_from(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok())
}

fn rsa_verifies(algorithm: Algorithm, key: &rsa::PublicKey, message: &[u8], signature: &[u8]) -> bool {
    match algorithm {
        Algorithm::Rs256 => key.pkcs1v15_verify::<Sha256>(message, signature).is_ok(),
        Algorithm::Rs384 => key.pkcs1v15_verify::<Sha384>(message, signature).is_ok(),
        Algorithm::Rs512 => key.pkcs1v15_verify::<Sha512>(message, signature).is_ok(),
        Algorithm::Ps256 => pss::verifies::<Sha256>(key, message, signature),
        Algorithm::Ps384 => pss::verifies::<Sha384>(key, message, signature),
        Algorithm::Ps512 => pss::verifies::<Sha512>(key, message, signature),
        _ => false,
    }
}
