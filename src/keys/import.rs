//! Secrets and PEM turned into keys that can verify.
//!
//! RustCrypto's crates read the key material and see that points are on their curve; what is weak
//! though well-formed is refused here: RSA of other than 2048 to 4096 bits or with an exponent other
//! than 65537, Ed25519 points of small order.

use hmac::KeyInit;
use p256::pkcs8::{DecodePublicKey as _, EncodePublicKey};
use rsa::pkcs8::SubjectPublicKeyInfoRef;
use rsa::pkcs8::der::Decode as _;
use rsa::pkcs8::der::asn1::UintRef;

use super::algorithm::Algorithm;
use super::certificate::{der_in, public_key_in};
use super::deferred::{NOT_RSA, Rsa};
use super::key::{Material, NativeKey, Parsed, VerificationKey};

/// What is wrong with a private key in the place of a public one.
pub(super) const PRIVATE_PEM: &str = "this is a private key; give the public one: openssl pkey -pubout";

/// A shared secret for an HMAC algorithm.
///
/// # Errors
/// If `algorithm` is none, or the secret is shorter than its hash (RFC 7518 section 3.2).
pub fn import_secret(algorithm: Algorithm, secret: &[u8]) -> Result<VerificationKey, String> {
    let unusable = |_| format!("{} cannot use this secret", algorithm.name());
    let (least, material) = match algorithm {
        Algorithm::Hs256 => (32, KeyInit::new_from_slice(secret).map(Material::Hs256).map_err(unusable)?),
        Algorithm::Hs384 => (48, KeyInit::new_from_slice(secret).map(Material::Hs384).map_err(unusable)?),
        Algorithm::Hs512 => (64, KeyInit::new_from_slice(secret).map(Material::Hs512).map_err(unusable)?),
        other => {
            return Err(format!("{} needs a public key: give `pem` or `jwk`, not `secret`", other.name()));
        }
    };
    if secret.len() < least {
        return Err(format!(
            "{} needs a secret of at least {least} bytes, got {}",
            algorithm.name(),
            secret.len()
        ));
    }
    Ok(VerificationKey { kid: None, algorithm, material, native: None, parsed: Parsed::default() })
}

/// A public key in PEM: SubjectPublicKeyInfo (RFC 7468 section 13), PKCS#1 for RSA, or a certificate, whose key is taken
/// and of which no more is judged.
///
/// # Errors
/// If the text is not such a key, or not one of `algorithm`.
pub fn import_pem(algorithm: Algorithm, pem: &str) -> Result<VerificationKey, String> {
    if pem.contains("PRIVATE KEY-----") {
        return Err(PRIVATE_PEM.into());
    }
    match algorithm {
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
            return Err(format!("{} needs a `secret`, not a `pem`", algorithm.name()));
        }
        Algorithm::MlDsa44 | Algorithm::MlDsa65 | Algorithm::MlDsa87 => {
            return Err(format!("{} keys are given as `jwk`", algorithm.name()));
        }
        Algorithm::Rs256
        | Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512
        | Algorithm::Es256
        | Algorithm::Es384
        | Algorithm::Es512
        | Algorithm::Es256k
        | Algorithm::EdDsa => {}
    }
    if algorithm.is_rsa()
        && let Some(key) = der_in(pem, "RSA PUBLIC KEY")
    {
        return verification_key(algorithm, Material::Rsa(rsa_of(&key)?));
    }
    import_spki(algorithm, &public_key_in(pem).ok_or_else(|| not_a_public_key(algorithm))?)
}

/// A public key as DER of its SubjectPublicKeyInfo (RFC 5280 section 4.1), for an algorithm of a public key.
pub(super) fn import_spki(algorithm: Algorithm, spki: &[u8]) -> Result<VerificationKey, String> {
    let material = match algorithm {
        Algorithm::Es256 => {
            p256::PublicKey::from_public_key_der(spki).ok().map(|key| Material::P256(key.into()))
        }
        Algorithm::Es384 => {
            p384::PublicKey::from_public_key_der(spki).ok().map(|key| Material::P384(key.into()))
        }
        Algorithm::Es512 => {
            p521::PublicKey::from_public_key_der(spki).ok().map(|key| Material::P521(key.into()))
        }
        Algorithm::Es256k => {
            k256::PublicKey::from_public_key_der(spki).ok().map(|key| Material::K256(key.into()))
        }
        Algorithm::EdDsa => ed25519_dalek::VerifyingKey::from_public_key_der(spki)
            .ok()
            .filter(|key| !key.is_weak())
            .map(Material::Ed25519),
        Algorithm::Rs256
        | Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512 => {
            let key = SubjectPublicKeyInfoRef::from_der(spki).ok();
            let key = key.filter(|key| key.algorithm.oid == rsa::pkcs1::ALGORITHM_OID);
            let key = key.and_then(|key| key.subject_public_key.as_bytes()).ok_or(NOT_RSA)?;
            Some(Material::Rsa(rsa_of(key)?))
        }
        Algorithm::Hs256
        | Algorithm::Hs384
        | Algorithm::Hs512
        | Algorithm::MlDsa44
        | Algorithm::MlDsa65
        | Algorithm::MlDsa87 => None,
    };
    verification_key(algorithm, material.ok_or_else(|| not_a_public_key(algorithm))?)
}

/// RFC 8017 appendix A.1.1.
fn rsa_of(key: &[u8]) -> Result<Rsa, String> {
    let key = rsa::pkcs1::RsaPublicKey::<UintRef<'_>>::from_der(key).map_err(|_| NOT_RSA)?;
    Rsa::new(key.modulus.as_bytes(), key.public_exponent.as_bytes())
}

fn not_a_public_key(algorithm: Algorithm) -> String {
    format!("not the PEM of a public key for {}", algorithm.name())
}

/// The key, and what the host needs to check its signatures where it can.
pub(super) fn verification_key(algorithm: Algorithm, material: Material) -> Result<VerificationKey, String> {
    let spki = match &material {
        // The host's check knows PKCS#1 padding only.
        Material::Rsa(key) if !algorithm.is_pss() => key.spki(),
        Material::P256(key) => der(&p256::PublicKey::from(key)),
        Material::P384(key) => der(&p384::PublicKey::from(key)),
        Material::P521(key) => der(&p521::PublicKey::from(key)),
        _ => {
            return Ok(VerificationKey {
                kid: None,
                algorithm,
                material,
                native: None,
                parsed: Parsed::default(),
            });
        }
    };
    let spki = spki.ok_or_else(|| not_a_public_key(algorithm))?;
    let native = algorithm.hash().map(|hash| NativeKey::new(hash, spki));
    Ok(VerificationKey { kid: None, algorithm, material, native, parsed: Parsed::default() })
}

fn der(key: &impl EncodePublicKey) -> Option<Vec<u8>> {
    key.to_public_key_der().ok().map(rsa::pkcs8::Document::into_vec)
}
