//! Key sets as they are published: JWK (RFC 7517), JWK Set, and maps of PEM, turned into keys that can verify.
//!
//! Forms that issuers really use and that change no key are read: padding, base64 in place of base64url, zeros before a
//! number, `null` for what is not there, a number for a `kid`. What a JWK says about its own use (`alg`, `use`,
//! `key_ops`) is judged here, where the message can say what to do.

use std::fmt;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::algorithm::Algorithm;
use super::certificate::{KeyType, public_key_in, public_key_of, type_of};
use super::deferred::{MlDsa, NOT_RSA, Rsa};
use super::import::{PRIVATE_PEM, import_secret, import_spki, verification_key};
use super::key::{Material, VerificationKey};
use crate::encoding::decode_any_base64;

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

/// A key of a set that is left out.
#[derive(Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its place in the set.
    pub place: usize,
    /// Its key identifier.
    pub kid: Option<String>,
    /// Why.
    pub error: JwkError,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {}", self.place)?;
        if let Some(kid) = &self.kid {
            // It is the issuer's, and may be long.
            let short: String = kid.chars().take(80).collect();
            write!(f, " ({short:?})")?;
        }
        write!(f, " is left out: {}", self.error.reason())
    }
}

/// The usable keys of a set, and why each other one is not.
#[derive(Debug, Default)]
pub struct Imported {
    /// Keys.
    pub keys: Vec<VerificationKey>,
    /// The others.
    pub left_out: Vec<LeftOut>,
}

/// A member; `null` is absence.
fn member<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    members.get(name).filter(|value| !value.is_null())
}

/// The key identifier of a JWK (RFC 7517 section 4.5); some write it as a number.
fn kid_of(members: &Map<String, Value>) -> Result<Option<String>, JwkError> {
    match member(members, "kid") {
        None => Ok(None),
        Some(Value::String(kid)) => Ok(Some(kid.clone())),
        Some(Value::Number(kid)) => Ok(Some(kid.to_string())),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
            Err(JwkError::Invalid("`kid` must be a string".into()))
        }
    }
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
    let text = |name: &str| member(members, name).and_then(Value::as_str);
    let certified = certified_key(members)?;
    let kty = match (text("kty"), &certified) {
        (Some(kty), _) => kty,
        (None, Some(_)) => "",
        (None, None) => return Err(invalid("a JWK needs `kty`")),
    };
    check_use(members)?;
    let algorithms = match (member(members, "alg"), &certified) {
        (Some(name), _) => {
            let name = name.as_str().ok_or_else(|| invalid("`alg` must be a string"))?;
            let known = Algorithm::from_name(name);
            vec![known.ok_or_else(|| {
                let name: String = name.chars().take(40).collect();
                JwkError::NotForUs(format!("`alg` {name:?} is not a known signature algorithm"))
            })?]
        }
        (None, Some(spki)) => algorithms_of_key(spki, allowed)?,
        (None, None) => algorithms_of_type(kty, text("crv"), allowed)?,
    };
    if kty != "oct" && ["d", "priv"].iter().any(|&name| member(members, name).is_some()) {
        return Err(invalid("this is a private key; leave out its private members"));
    }
    let kid = kid_of(members)?;
    let import = |algorithm| {
        let key = match &certified {
            Some(spki) => import_spki(algorithm, spki),
            None => import_material(algorithm, kty, members),
        };
        Ok(key.map_err(JwkError::Invalid)?.with_kid(kid.clone()))
    };
    algorithms.into_iter().map(import).collect()
}

/// Where a set comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOrigin {
    /// It is written in the configuration.
    Configuration,
    /// It was fetched.
    Fetch,
}

/// The usable keys of a JWK Set, and why each other one is not.
#[must_use]
pub fn import_jwks<'j>(
    jwks: impl IntoIterator<Item = &'j Value>,
    allowed: Option<&[Algorithm]>,
    origin: KeyOrigin,
) -> Imported {
    let mut imported = Imported::default();
    for (place, jwk) in jwks.into_iter().enumerate() {
        let kid = || jwk.as_object().and_then(|members| kid_of(members).ok().flatten());
        imported.add(place, kid, of_fetched(import_jwk(jwk, allowed), origin, allowed));
    }
    imported
}

/// The same of a map that was fetched, from key identifiers to PEM of certificates or public keys: what Google publishes
/// beside its sets.
#[must_use]
pub fn import_pem_map<'m>(
    map: impl IntoIterator<Item = (&'m String, &'m Value)>,
    allowed: Option<&[Algorithm]>,
) -> Imported {
    let mut imported = Imported::default();
    for (place, (kid, pem)) in map.into_iter().enumerate() {
        let keys = import_any_pem(pem, allowed);
        let keys = keys.map(|keys| keys.into_iter().map(|key| key.with_kid(Some(kid.clone()))).collect());
        imported.add(place, || Some(kid.clone()), of_fetched(keys, KeyOrigin::Fetch, allowed));
    }
    imported
}

fn import_any_pem(pem: &Value, allowed: Option<&[Algorithm]>) -> Result<Vec<VerificationKey>, JwkError> {
    let invalid = |reason: &str| JwkError::Invalid(reason.into());
    let pem = pem.as_str().ok_or_else(|| invalid("not the text of a PEM"))?;
    if pem.contains("PRIVATE KEY-----") {
        return Err(invalid(PRIVATE_PEM));
    }
    let spki = public_key_in(pem).ok_or_else(|| invalid("not the PEM of a certificate or a public key"))?;
    let algorithms = algorithms_of_key(&spki, allowed)?;
    algorithms.into_iter().map(|algorithm| import_spki(algorithm, &spki).map_err(JwkError::Invalid)).collect()
}

impl Imported {
    fn add(
        &mut self,
        place: usize,
        kid: impl FnOnce() -> Option<String>,
        outcome: Result<Vec<VerificationKey>, JwkError>,
    ) {
        let error = match outcome {
            Ok(keys) if !keys.is_empty() => return self.keys.extend(keys),
            Ok(_) => JwkError::NotForUs("none of `algorithms` is for a key of its type".into()),
            Err(error) => error,
        };
        self.left_out.push(LeftOut { place, kid: kid(), error });
    }
}

/// The keys of one entry of a set that was fetched: a secret that any client can fetch is none, and what `algorithms`
/// does not have is not accepted.
fn of_fetched(
    keys: Result<Vec<VerificationKey>, JwkError>,
    origin: KeyOrigin,
    allowed: Option<&[Algorithm]>,
) -> Result<Vec<VerificationKey>, JwkError> {
    let mut keys = keys?;
    match origin {
        KeyOrigin::Configuration => return Ok(keys),
        KeyOrigin::Fetch => {}
    }
    let reason = keys.first().map(|key| match key.algorithm() {
        algorithm if algorithm.is_hmac() => "a secret that any client can fetch is none".to_owned(),
        algorithm => format!("its algorithm {} is not among those that are accepted", algorithm.name()),
    });
    keys.retain(|key| {
        let algorithm = key.algorithm();
        !algorithm.is_hmac() && allowed.is_none_or(|allowed| allowed.contains(&algorithm))
    });
    match reason {
        Some(reason) if keys.is_empty() => Err(JwkError::NotForUs(reason)),
        Some(_) | None => Ok(keys),
    }
}

/// RFC 7517 sections 4.2 and 4.3. SPIFFE has a word of its own for the keys of tokens (SPIFFE Trust Domain and Bundle
/// section 4.2.2).
fn check_use(members: &Map<String, Value>) -> Result<(), JwkError> {
    match member(members, "use") {
        None => {}
        Some(Value::String(purpose)) if matches!(purpose.as_str(), "" | "sig" | "jwt-svid") => {}
        Some(_) => return Err(JwkError::NotForUs("`use` is not `sig`".into())),
    }
    match member(members, "key_ops") {
        None => Ok(()),
        Some(Value::Array(operations))
            if operations.is_empty() || operations.iter().any(|op| op == "verify") =>
        {
            Ok(())
        }
        Some(_) => Err(JwkError::NotForUs("`key_ops` does not hold `verify`".into())),
    }
}

/// DER of the public key of a JWK that has no key of its own, and a certificate (RFC 7517 section 4.7).
fn certified_key(members: &Map<String, Value>) -> Result<Option<Vec<u8>>, JwkError> {
    if ["n", "x", "k", "pub"].iter().any(|&name| member(members, name).is_some()) {
        return Ok(None);
    }
    let Some(chain) = member(members, "x5c") else { return Ok(None) };
    let certificate = chain.get(0).and_then(Value::as_str).and_then(decode_any_base64);
    let key = certificate.as_deref().and_then(public_key_of).map(<[u8]>::to_vec);
    key.map(Some).ok_or_else(|| JwkError::Invalid("`x5c` does not begin with a certificate in base64".into()))
}

/// The algorithms of `allowed` that fit, or the usual one where nothing is said.
fn among_allowed(
    allowed: Option<&[Algorithm]>,
    fits: fn(Algorithm) -> bool,
    default: Algorithm,
) -> Vec<Algorithm> {
    match allowed {
        None => vec![default],
        Some(allowed) => allowed.iter().copied().filter(|&algorithm| fits(algorithm)).collect(),
    }
}

fn algorithms_of_key(spki: &[u8], allowed: Option<&[Algorithm]>) -> Result<Vec<Algorithm>, JwkError> {
    match type_of(spki) {
        Some(KeyType::Rsa) => Ok(among_allowed(allowed, Algorithm::is_rsa, Algorithm::Rs256)),
        Some(KeyType::One(algorithm)) => Ok(vec![algorithm]),
        None => Err(JwkError::NotForUs("the type of its public key is not known".into())),
    }
}

fn algorithms_of_type(
    kty: &str,
    crv: Option<&str>,
    allowed: Option<&[Algorithm]>,
) -> Result<Vec<Algorithm>, JwkError> {
    Ok(match (kty, crv) {
        ("RSA", _) => among_allowed(allowed, Algorithm::is_rsa, Algorithm::Rs256),
        ("oct", _) => among_allowed(allowed, Algorithm::is_hmac, Algorithm::Hs256),
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
    let text = |name: &str| member(members, name).and_then(Value::as_str);
    if algorithm.is_hmac() {
        if kty != "oct" {
            return Err(wrong());
        }
        let secret = text("k").and_then(decode_any_base64).map(Zeroizing::new);
        let secret = secret.ok_or("`k` is not base64url")?;
        return import_secret(algorithm, &secret);
    }
    let bytes = |name: &str| decode_any_base64(text(name)?);
    let is = |wanted: &str, crv: Option<&str>| kty == wanted && crv == text("crv");
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

/// RFC 7518 section 6.3.1.
fn rsa_from_jwk(kty: &str, n: Option<Vec<u8>>, e: Option<Vec<u8>>) -> Result<Material, String> {
    match (n, e) {
        (Some(n), Some(e)) if kty == "RSA" => Rsa::new(&n, &e).map(Material::Rsa),
        _ => Err(NOT_RSA.into()),
    }
}

#[cfg(test)]
#[path = "jwk_tests.rs"]
mod tests;
