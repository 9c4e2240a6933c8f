//! One key, bound to one algorithm.

use std::any::Any;
use std::cell::OnceCell;
use std::fmt;

use hmac::{Hmac, Mac as _};
use ml_dsa::{MlDsa44, MlDsa65, MlDsa87};
use sha2::{Sha256, Sha384, Sha512};

use super::algorithm::{Algorithm, Hash};
use super::deferred::{MlDsa, Rsa};

/// A key that signatures are checked with.
///
/// It holds its algorithm: a token cannot choose another one (RFC 8725 section 3.1). Only the
/// importers of this module make one, so a weak or mismatched key does not exist.
pub struct VerificationKey {
    pub(super) kid: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) material: Material,
    pub(super) native: Option<NativeKey>,
    pub(super) parsed: Parsed,
}

/// A key as a host's own library has it, parsed once.
#[derive(Default)]
pub(super) struct Parsed(OnceCell<Box<dyn Any + Send>>);

/// What the host's native signature check needs of a key.
pub struct NativeKey {
    /// The hash of the algorithm.
    pub hash: Hash,
    /// DER of the SubjectPublicKeyInfo (RFC 5280 section 4.1).
    pub spki: Vec<u8>,
    /// Both in the host's own form.
    prepared: OnceCell<Vec<u8>>,
}

impl NativeKey {
    pub(super) fn new(hash: Hash, spki: Vec<u8>) -> Self {
        Self { hash, spki, prepared: OnceCell::new() }
    }

    /// The key in the host's own form, which is made once.
    pub fn prepared(&self, make: impl FnOnce(&Self) -> Vec<u8>) -> &[u8] {
        self.prepared.get_or_init(|| make(self))
    }
}

/// The key by the crate that computes with it, ready to be used: HMAC with its padded secret hashed,
/// curve points decompressed; RSA's Montgomery parameters and the matrix of ML-DSA when they are first needed.
pub(super) enum Material {
    Hs256(Hmac<Sha256>),
    Hs384(Hmac<Sha384>),
    Hs512(Hmac<Sha512>),
    Rsa(Rsa),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
    K256(k256::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
    MlDsa44(MlDsa<MlDsa44>),
    MlDsa65(MlDsa<MlDsa65>),
    MlDsa87(MlDsa<MlDsa87>),
}

impl VerificationKey {
    /// The one algorithm it verifies.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its key identifier (RFC 7517 section 4.5).
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// What the host's native check needs, for the algorithms it can check.
    #[must_use]
    pub fn native(&self) -> Option<&NativeKey> {
        self.native.as_ref()
    }

    /// The key as a host's own library has it. `parse` is called once, with the DER of its SubjectPublicKeyInfo (RFC
    /// 5280 section 4.1); `None`: it is neither RSA nor on a curve of NIST, or it is parsed as another type.
    pub fn parsed<T: Send + 'static>(&self, parse: impl FnOnce(&[u8]) -> Option<T>) -> Option<&T> {
        let parse = || -> Box<dyn Any + Send> {
            let spki = match (&self.native, &self.material) {
                (Some(native), _) => Some(native.spki.clone()),
                (None, Material::Rsa(key)) => key.spki(),
                (None, _) => None,
            };
            Box::new(spki.and_then(|spki| parse(&spki)))
        };
        self.parsed.0.get_or_init(parse).downcast_ref::<Option<T>>()?.as_ref()
    }

    /// Whether a token that the one verifies is verified by the other. The filter signs with no key of ML-DSA, and of those
    /// it is not told.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm
            && self.fingerprint().is_some_and(|own| other.fingerprint().is_some_and(|other| own == other))
    }

    /// What is the same for the same key of one algorithm, and tells nothing of a secret.
    fn fingerprint(&self) -> Option<Vec<u8>> {
        macro_rules! tag {
            ($key:expr) => {
                Some(
                    $key.clone()
                        .chain_update(b"lychgate: which key is this?")
                        .finalize()
                        .into_bytes()
                        .to_vec(),
                )
            };
        }
        match &self.material {
            Material::Hs256(key) => tag!(key),
            Material::Hs384(key) => tag!(key),
            Material::Hs512(key) => tag!(key),
            Material::Rsa(key) => Some(key.modulus().to_vec()),
            Material::P256(_) | Material::P384(_) | Material::P521(_) => {
                self.native.as_ref().map(|native| native.spki.clone())
            }
            Material::K256(key) => Some(key.to_sec1_point(true).as_bytes().to_vec()),
            Material::Ed25519(key) => Some(key.as_bytes().to_vec()),
            Material::MlDsa44(_) | Material::MlDsa65(_) | Material::MlDsa87(_) => None,
        }
    }

    /// Gives it another key identifier.
    #[must_use]
    pub fn with_kid(mut self, kid: Option<String>) -> Self {
        self.kid = kid;
        self
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
