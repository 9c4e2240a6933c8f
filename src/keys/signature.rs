//! Checking a signature in the module itself, and bringing one into the form the host wants.
//!
//! The keys are jwt-simple's; the check is made by the primitives that jwt-simple uses, on exactly
//! the bytes that were parsed, instead of by its `verify_token`, which would parse the token again
//! by its own rules. RSA goes to RustCrypto's `rsa` 0.10, which keeps each key's Montgomery
//! parameters and is several times faster in Wasm than the 0.9 below jwt-simple.

use jwt_simple::algorithms::MACLike as _;
use p256::ecdsa::signature::Verifier as _;
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq as _;

use super::algorithm::Algorithm;
use super::key::{Material, VerificationKey};

impl VerificationKey {
    /// Whether `signature` is this key's signature of `message` (RFC 7515 section 5.2).
    ///
    /// ECDSA signatures are `r || s` of fixed length (RFC 7518 section 3.4).
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Hs256(key) => equal(&key.authentication_tag(message), signature),
            Material::Hs384(key) => equal(&key.authentication_tag(message), signature),
            Material::Hs512(key) => equal(&key.authentication_tag(message), signature),
            Material::Rsa(key) => rsa_verifies(self.algorithm, key, message, signature),
            Material::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.as_ref().verify(message, &signature).is_ok()),
            Material::P384(key) => p384::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.as_ref().verify(message, &signature).is_ok()),
            Material::P521(key) => p521::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            // jwt-simple accepts high-s signatures of secp256k1 as RFC 8812 does.
            Material::K256(key) => k256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.as_ref().verify(message, &signature).is_ok()),
            Material::Ed25519(key) => ed25519_compact::Signature::from_slice(signature)
                .is_ok_and(|signature| key.as_ref().verify(message, &signature).is_ok()),
            Material::MlDsa(key) => key.as_ref().verify(message, signature).is_ok(),
        }
    }

    /// The signature as the host's native check wants it: RSA as it is, ECDSA as DER. Nothing if
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

fn equal(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

fn rsa_verifies(algorithm: Algorithm, key: &rsa::PublicKey, message: &[u8], signature: &[u8]) -> bool {
    match algorithm {
        Algorithm::Rs256 => key.pkcs1v15_verify::<Sha256>(message, signature),
        Algorithm::Rs384 => key.pkcs1v15_verify::<Sha384>(message, signature),
        Algorithm::Rs512 => key.pkcs1v15_verify::<Sha512>(message, signature),
        // The salt is as long as the hash (RFC 7518 section 3.5); any other is refused.
        Algorithm::Ps256 => key.pss_verify::<Sha256>(message, signature),
        Algorithm::Ps384 => key.pss_verify::<Sha384>(message, signature),
        Algorithm::Ps512 => key.pss_verify::<Sha512>(message, signature),
        _ => return false,
    }
    .is_ok()
}
