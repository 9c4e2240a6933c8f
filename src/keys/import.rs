//! Keys as they are written down (secret, PEM, JWK, JWK Set) turned into keys that can verify.
//!
//! jwt-simple reads the key material and holds each key type to its policy: RSA of 2048 to 4096
//! bits with exponent 65537, points on their curve, no weak Ed25519 points. What a JWK says about
//! its own use (`alg`, `use`, `key_ops`) is judged here, where the message can say what to do.

use jwt_simple::algorithms::{
    ECDSAP256PublicKeyLike as _, ECDSAP256kPublicKeyLike as _, ECDSAP384PublicKeyLike as _, ES256PublicKey,
    ES256kPublicKey, ES384PublicKey, Ed25519PublicKey, EdDSAPublicKeyLike as _, Edwards25519PublicKey,
    HS256Key, HS384Key, HS512Key, K256PublicKey, MLDSA44PublicKey, MLDSA65PublicKey, MLDSA87PublicKey,
    MLDSAPublicKeyLike as _, P256PublicKey, P384PublicKey, RS256PublicKey, RSAPublicKey,
    RSAPublicKeyLike as _,
};
use p521::pkcs8::{DecodePublicKey as _, EncodePublicKey as _};
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
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
    let (least, material) = match algorithm {
        Algorithm::Hs256 => (32, Material::Hs256(HS256Key::from_bytes(secret))),
        Algorithm::Hs384 => (48, Material::Hs384(HS384Key::from_bytes(secret))),
        Algorithm::Hs512 => (64, Material::Hs512(HS512Key::from_bytes(secret))),
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
    let wrong = |_: jwt_simple::Error| not_a_public_key(algorithm);
    let material = match algorithm {
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
            return Err(format!("{} needs a `secret`, not a `pem`", algorithm.name()));
        }
        Algorithm::Es256 => Material::P256(P256PublicKey::from_pem(pem).map_err(wrong)?),
        Algorithm::Es384 => Material::P384(P384PublicKey::from_pem(pem).map_err(wrong)?),
        Algorithm::Es256k => Material::K256(K256PublicKey::from_pem(pem).map_err(wrong)?),
        Algorithm::EdDsa => Material::Ed25519(Edwards25519PublicKey::from_pem(pem).map_err(wrong)?),
        Algorithm::Es512 => {
            let key = p521::PublicKey::from_public_key_pem(pem);
            let key = key.map_err(|_| not_a_public_key(algorithm))?;
            Material::P521(p521::ecdsa::VerifyingKey::from(&key))
        }
        Algorithm::MlDsa44 | Algorithm::MlDsa65 | Algorithm::MlDsa87 => {
            return Err(format!("{} keys are given as `jwk`", algorithm.name()));
        }
        _ => return import_rsa(algorithm, &RSAPublicKey::from_pem(pem).map_err(rsa_reason)?),
    };
    Ok(with_native(algorithm, material))
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
    let Value::Object(members) = jwk else {
        return Err(invalid("a JWK is an object"));
    };
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
pub fn import_jwks(
    jwks: &[Value],
    allowed: Option<&[Algorithm]>,
) -> (Vec<VerificationKey>, Vec<(usize, JwkError)>) {
    let mut keys = Vec::new();
    let mut left_out = Vec::new();
    for (index, jwk) in jwks.iter().enumerate() {
        match import_jwk(jwk, allowed) {
            Ok(found) => keys.extend(found),
            Err(error) => left_out.push((index, error)),
        }
    }
    (keys, left_out)
}

/// RFC 7517 sections 4.2 and 4.3.
fn check_use(members: &Map<String, Value>) -> Result<(), JwkError> {
    match members.get("use") {
        None => {}
        Some(Value::String(purpose)) if purpose == "sig" => {}
        Some(_) => return Err(JwkError::NotForUs("`use` is not `sig`".into())),
    }
    match members.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) if operations.iter().any(|op| op == "verify") => Ok(()),
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
        let secret = secret.and_then(decode_base64url).ok_or("`k` is not base64url")?;
        return import_secret(algorithm, &secret);
    }
    // Only the material goes on: its metadata was judged already.
    let material: Map<_, _> = ["kty", "crv", "x", "y", "n", "e", "pub"]
        .iter()
        .filter_map(|&name| Some((name.to_owned(), members.get(name)?.clone())))
        .chain(algorithm.is_ml_dsa().then(|| ("alg".into(), algorithm.name().into())))
        .collect();
    let jwk = Value::Object(material).to_string();
    let material = match algorithm {
        Algorithm::Es256 => {
            Material::P256(ES256PublicKey::from_jwk(&jwk).map_err(|_| wrong())?.public_key().clone())
        }
        Algorithm::Es384 => {
            Material::P384(ES384PublicKey::from_jwk(&jwk).map_err(|_| wrong())?.public_key().clone())
        }
        Algorithm::Es256k => {
            Material::K256(ES256kPublicKey::from_jwk(&jwk).map_err(|_| wrong())?.public_key().clone())
        }
        Algorithm::EdDsa => {
            Material::Ed25519(Ed25519PublicKey::from_jwk(&jwk).map_err(|_| wrong())?.public_key().clone())
        }
        Algorithm::Es512 => Material::P521(p521_from_jwk(kty, members).ok_or_else(wrong)?),
        Algorithm::MlDsa44 => {
            Material::MlDsa(MLDSA44PublicKey::from_jwk(&jwk).map_err(|_| wrong())?.public_key().clone())
        }
        Algorithm::MlDsa65 => {
            Material::MlDsa(MLDSA65PublicKey::from_jwk(&jwk).map_err(|_| wrong())?.public_key().clone())
        }
        Algorithm::MlDsa87 => {
            Material::MlDsa(MLDSA87PublicKey::from_jwk(&jwk).map_err(|_| wrong())?.public_key().clone())
        }
        _ => {
            let key = RS256PublicKey::from_jwk(&jwk).map_err(rsa_reason)?;
            return import_rsa(algorithm, key.public_key());
        }
    };
    Ok(with_native(algorithm, material))
}

/// jwt-simple has no P-521: the coordinates have full length (RFC 7518 section 6.2.1.2).
fn p521_from_jwk(kty: &str, members: &Map<String, Value>) -> Option<p521::ecdsa::VerifyingKey> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    if kty != "EC" || text("crv") != Some("P-521") {
        return None;
    }
    let mut point = vec![4];
    for name in ["x", "y"] {
        let coordinate = decode_base64url(text(name)?.as_bytes())?;
        if coordinate.len() != 66 {
            return None;
        }
        point.extend(coordinate);
    }
    p521::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()
}

fn import_rsa(algorithm: Algorithm, key: &RSAPublicKey) -> Result<VerificationKey, String> {
    let parts = key.to_components();
    let number = |bytes: &[u8]| rsa::BoxedUint::from_be_slice_vartime(bytes);
    let public_key = rsa::PublicKey::new(number(&parts.n), number(&parts.e))
        .map_err(|error| format!("not a usable RSA key: {error}"))?;
    // The host's check knows PKCS#1 padding only.
    let pkcs1 = matches!(algorithm, Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512);
    let spki = if pkcs1 { key.to_der().ok() } else { None };
    Ok(VerificationKey {
        kid: None,
        algorithm,
        material: Material::Rsa(public_key),
        native: native_key(algorithm, spki),
    })
}

fn rsa_reason(error: jwt_simple::Error) -> String {
    match error.downcast_ref::<jwt_simple::JWTError>() {
        Some(jwt_simple::JWTError::WeakKey) => "RSA keys need at least 2048 bits; make a new one".into(),
        _ => "not a valid RSA public key of 2048 to 4096 bits with exponent 65537".into(),
    }
}

/// Adds what the host needs to check ECDSA on the NIST curves.
fn with_native(algorithm: Algorithm, material: Material) -> VerificationKey {
    let spki = match &material {
        Material::P256(key) => key.to_der().ok(),
        Material::P384(key) => key.to_der().ok(),
        Material::P521(key) => p521::PublicKey::from(key).to_public_key_der().ok().map(|der| der.into_vec()),
        _ => None,
    };
    VerificationKey { kid: None, algorithm, material, native: native_key(algorithm, spki) }
}

fn native_key(algorithm: Algorithm, spki: Option<Vec<u8>>) -> Option<NativeKey> {
    Some(NativeKey { hash: algorithm.hash()?, spki: spki? })
}
