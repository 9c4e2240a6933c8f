//! Keys as they are written down (secret, PEM, JWK, JWK Set) turned into keys that can verify.
//!
//! RustCrypto's crates read the key material and see that points are on their curve; what is weak
//! though well-formed is refused here: RSA of other than 2048 to 4096 bits or with an exponent other
//! than 65537, Ed25519 points of small order. What a JWK says about its own use (`alg`, `use`,
//! `key_ops`) is judged here too, where the message can say what to do.

use std::borrow::Cow;

use hmac::KeyInit;
use p256::pkcs8::{DecodePublicKey as _, EncodePublicKey};
use rsa::pkcs1::DecodeRsaPublicKey as _;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::algorithm::Algorithm;
use super::deferred::{MlDsa, NOT_RSA, Rsa};
use super::key::{Material, NativeKey, VerificationKey};
use crate::encoding::decode_base64url;

/// Why a JWK is not among the keys.
#[derive(Debug, PartialEq, Eq)]
pub enum JwkError {
    /// It is for something else or of a type not known here; a JWK Set may hold such keys
    /// (RFC 7517 section 5).
    NotForUs(String),
    /// It claims to be usable and is not.
    Invalid(String),
}

impl JwkError {
    /// The reason in words.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::NotForUs(reason) | Self::Invalid(reason) => reason,
        }
    }
}

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
    Ok(VerificationKey { kid: None, algorithm, material, native: None })
}

/// A public key in PEM: SubjectPublicKeyInfo (RFC 7468 section 13), or PKCS#1 for RSA.
///
/// # Errors
/// If the text is not such a key, or not one of `algorithm`.
pub fn import_pem(algorithm: Algorithm, pem: &str) -> Result<VerificationKey, String> {
    let pem = pem.trim();
    if pem.contains("PRIVATE KEY-----") {
        return Err("this is a private key; give the public one: openssl pkey -pubout".into());
    }
    let wrong = || not_a_public_key(algorithm);
    let material = match algorithm {
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
            return Err(format!("{} needs a `secret`, not a `pem`", algorithm.name()));
        }
        Algorithm::Es256 => {
            p256::PublicKey::from_public_key_pem(pem).ok().map(|key| Material::P256(key.into()))
        }
        Algorithm::Es384 => {
            p384::PublicKey::from_public_key_pem(pem).ok().map(|key| Material::P384(key.into()))
        }
        Algorithm::Es512 => {
            p521::PublicKey::from_public_key_pem(pem).ok().map(|key| Material::P521(key.into()))
        }
        Algorithm::Es256k => {
            k256::PublicKey::from_public_key_pem(pem).ok().map(|key| Material::K256(key.into()))
        }
        Algorithm::EdDsa => ed25519_dalek::VerifyingKey::from_public_key_pem(pem)
            .ok()
            .filter(|key| !key.is_weak())
            .map(Material::Ed25519),
        Algorithm::MlDsa44 | Algorithm::MlDsa65 | Algorithm::MlDsa87 => {
            return Err(format!("{} keys are given as `jwk`", algorithm.name()));
        }
        _ => {
            let key = rsa::PublicKey::from_public_key_pem(pem).ok();
            let key = key.or_else(|| rsa::PublicKey::from_pkcs1_pem(pem).ok()).ok_or(NOT_RSA)?;
            return verification_key(algorithm, Material::Rsa(Rsa::from_ready(key)?));
        }
    };
    verification_key(algorithm, material.ok_or_else(wrong)?)
}

fn not_a_public_key(algorithm: Algorithm) -> String {
    format!("not the PEM of a public key for {}", algorithm.name())
}

/// The keys in one JWK: one for each algorithm it may be used with.
///
/// Without `alg`, an RSA key or a symmetric one is for those of `allowed` that fit its type, or
/// for RS256 or HS256 where nothing is said; the type of any other key settles the algorithm.
///
/// # Errors
/// Why the JWK is not used.
pub fn import_jwk(jwk: &Value, allowed: Option<&[Algorithm]>) -> Result<Vec<VerificationKey>, JwkError> {
    let invalid = |reason: &str| JwkError::Invalid(reason.into());
    let Value::Object(written) = jwk else {
        return Err(invalid("a JWK is an object"));
    };
    let members = &without_nulls(written);
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let kty = text("kty").ok_or_else(|| invalid("a JWK needs `kty`"))?;
    check_use(members)?;
    let algorithms = match members.get("alg") {
        None => algorithms_of_type(kty, text("crv"), allowed)?,
        Some(name) => {
            let name = name.as_str().ok_or_else(|| invalid("`alg` must be a string"))?;
            let known = Algorithm::from_name(name);
            vec![known.ok_or_else(|| {
                JwkError::NotForUs(format!("`alg` {name:?} is not a known signature algorithm"))
            })?]
        }
    };
    if kty != "oct" && ["d", "priv"].iter().any(|&name| members.contains_key(name)) {
        return Err(invalid("this is a private key; leave out its private members"));
    }
    let kid = match members.get("kid") {
        None => None,
        Some(kid) => Some(kid.as_str().ok_or_else(|| invalid("`kid` must be a string"))?.to_owned()),
    };
    algorithms
        .into_iter()
        .map(|algorithm| {
            let key = import_material(algorithm, kty, members).map_err(JwkError::Invalid)?;
            Ok(key.with_kid(kid.clone()))
        })
        .collect()
}

/// The usable keys of a JWK Set, and why each other one is not.
#[must_use]
pub fn import_jwks<'j>(
    jwks: impl IntoIterator<Item = &'j Value>,
    allowed: Option<&[Algorithm]>,
) -> (Vec<VerificationKey>, Vec<(usize, JwkError)>) {
    let mut keys = Vec::new();
    let mut left_out = Vec::new();
    for (index, jwk) in jwks.into_iter().enumerate() {
        match import_jwk(jwk, allowed) {
            Ok(found) => keys.extend(found),
            Err(error) => left_out.push((index, error)),
        }
    }
    (keys, left_out)
}

/// The members without those that are `null`, which is absence to the libraries that write it.
fn without_nulls(members: &Map<String, Value>) -> Cow<'_, Map<String, Value>> {
    if members.values().all(|value| !value.is_null()) {
        return Cow::Borrowed(members);
    }
    let present = members.iter().filter(|(_, value)| !value.is_null());
    let mut copy = Map::new();
    copy.extend(present.map(|(name, value)| (name.clone(), value.clone())));
    Cow::Owned(copy)
}

/// RFC 7517 sections 4.2 and 4.3. An empty list of operations says none, as if it were not there.
fn check_use(members: &Map<String, Value>) -> Result<(), JwkError> {
    match members.get("use") {
        None => {}
        Some(Value::String(purpose)) if purpose == "sig" => {}
        Some(_) => return Err(JwkError::NotForUs("`use` is not `sig`".into())),
    }
    match members.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations))
            if operations.is_empty() || operations.iter().any(|op| op == "verify") =>
        {
            Ok(())
        }
        Some(_) => Err(JwkError::NotForUs("`key_ops` does not hold `verify`".into())),
    }
}

fn algorithms_of_type(
    kty: &str,
    crv: Option<&str>,
    allowed: Option<&[Algorithm]>,
) -> Result<Vec<Algorithm>, JwkError> {
    let among_allowed = |fits: fn(Algorithm) -> bool, default| match allowed {
        None => vec![default],
        Some(allowed) => allowed.iter().copied().filter(|&algorithm| fits(algorithm)).collect(),
    };
    Ok(match (kty, crv) {
        ("RSA", _) => among_allowed(Algorithm::is_rsa, Algorithm::Rs256),
        ("oct", _) => among_allowed(Algorithm::is_hmac, Algorithm::Hs256),
        ("EC", Some("P-256")) => vec![Algorithm::Es256],
        ("EC", Some("P-384")) => vec![Algorithm::Es384],
        ("EC", Some("P-521")) => vec![Algorithm::Es512],
        ("EC", Some("secp256k1")) => vec![Algorithm::Es256k],
        ("OKP", Some("Ed25519")) => vec![Algorithm::EdDsa],
        ("AKP", _) => return Err(JwkError::Invalid("an AKP key needs `alg`".into())),
        _ => {
            return Err(JwkError::NotForUs(format!("key type {kty:?} with curve {crv:?} is not known")));
        }
    })
}

fn import_material(
    algorithm: Algorithm,
    kty: &str,
    members: &Map<String, Value>,
) -> Result<VerificationKey, String> {
    let wrong = || format!("not a valid {kty} key for {}", algorithm.name());
    if algorithm.is_hmac() {
        if kty != "oct" {
            return Err(wrong());
        }
        let secret = members.get("k").and_then(Value::as_str).map(str::as_bytes);
        let secret = secret.and_then(decode_base64url).map(Zeroizing::new);
        let secret = secret.ok_or("`k` is not base64url")?;
        return import_secret(algorithm, &secret);
    }
    let bytes = |name: &str| decode_base64url(members.get(name)?.as_str()?.as_bytes());
    let is =
        |wanted: &str, crv: Option<&str>| kty == wanted && crv == members.get("crv").and_then(Value::as_str);
    // Coordinates have full length (RFC 7518 section 6.2.1.2).
    let point = |crv: &str, length: usize| {
        let full = |name| bytes(name).filter(|coordinate| coordinate.len() == length);
        is("EC", Some(crv)).then(|| Some([vec![4], full("x")?, full("y")?].concat())).flatten()
    };
    let material = match algorithm {
        Algorithm::Es256 => point("P-256", 32)
            .and_then(|point| p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok())
            .map(Material::P256),
        Algorithm::Es384 => point("P-384", 48)
            .and_then(|point| p384::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok())
            .map(Material::P384),
        Algorithm::Es512 => point("P-521", 66)
            .and_then(|point| p521::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok())
            .map(Material::P521),
        Algorithm::Es256k => point("secp256k1", 32)
            .and_then(|point| k256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok())
            .map(Material::K256),
        Algorithm::EdDsa => bytes("x")
            .filter(|_| is("OKP", Some("Ed25519")))
            .and_then(|x| ed25519_dalek::VerifyingKey::try_from(x.as_slice()).ok())
            .filter(|key| !key.is_weak())
            .map(Material::Ed25519),
        Algorithm::MlDsa44 => ml_dsa_key(kty, bytes("pub")).map(Material::MlDsa44),
        Algorithm::MlDsa65 => ml_dsa_key(kty, bytes("pub")).map(Material::MlDsa65),
        Algorithm::MlDsa87 => ml_dsa_key(kty, bytes("pub")).map(Material::MlDsa87),
        _ => return verification_key(algorithm, rsa_from_jwk(kty, bytes("n"), bytes("e"))?),
    };
    verification_key(algorithm, material.ok_or_else(wrong)?)
}

/// RFC 9964: `pub` is the encoded public key of FIPS 204.
fn ml_dsa_key<P: ml_dsa::MlDsaParams>(kty: &str, key: Option<Vec<u8>>) -> Option<MlDsa<P>> {
    MlDsa::new(&key.filter(|_| kty == "AKP")?)
}

/// RFC 7518 section 6.3.1: the shortest octets of each number.
fn rsa_from_jwk(kty: &str, n: Option<Vec<u8>>, e: Option<Vec<u8>>) -> Result<Material, String> {
    match (n, e) {
        (Some(n), Some(e)) if kty == "RSA" => Rsa::new(&n, &e).map(Material::Rsa),
        _ => Err(NOT_RSA.into()),
    }
}

/// The key, and what the host needs to check its signatures where it can.
pub(super) fn verification_key(algorithm: Algorithm, material: Material) -> Result<VerificationKey, String> {
    let spki = match &material {
        // The host's check knows PKCS#1 padding only.
        Material::Rsa(key) if !algorithm.is_pss() => key.spki(),
        Material::P256(key) => der(&p256::PublicKey::from(key)),
        Material::P384(key) => der(&p384::PublicKey::from(key)),
        Material::P521(key) => der(&p521::PublicKey::from(key)),
        _ => return Ok(VerificationKey { kid: None, algorithm, material, native: None }),
    };
    let spki = spki.ok_or_else(|| not_a_public_key(algorithm))?;
    let native = algorithm.hash().map(|hash| NativeKey::new(hash, spki));
    Ok(VerificationKey { kid: None, algorithm, material, native })
}

fn der(key: &impl EncodePublicKey) -> Option<Vec<u8>> {
    key.to_public_key_der().ok().map(rsa::pkcs8::Document::into_vec)
}
