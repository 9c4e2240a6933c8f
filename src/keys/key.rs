//! One key, bound to one algorithm.

use std::fmt;

use jwt_simple::algorithms::{
    Edwards25519PublicKey, HS256Key, HS384Key, HS512Key, K256PublicKey, MLDSAPublicKey, P256PublicKey,
    P384PublicKey,
};

use super::algorithm::{Algorithm, Hash};

/// A key that signatures are checked with.
///
/// It holds its algorithm: a token cannot choose another one (RFC 8725 section 3.1). Only the
/// importers of this room make one, so a weak or mismatched key does not exist.
pub struct VerificationKey {
    pub(super) kid: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) material: Material,
    pub(super) native: Option<NativeKey>,
}

/// What the host's native signature check needs of a key.
pub struct NativeKey {
    /// The hash of the algorithm.
    pub hash: Hash,
    /// DER of the SubjectPublicKeyInfo (RFC 5280 section 4.1).
    pub spki: Vec<u8>,
}

/// The key by the crate that computes with it.
pub(super) enum Material {
    Hs256(HS256Key),
    Hs384(HS384Key),
    Hs512(HS512Key),
    Rsa(rsa::PublicKey),
    P256(P256PublicKey),
    P384(P384PublicKey),
    P521(p521::ecdsa::VerifyingKey),
    K256(K256PublicKey),
    Ed25519(Edwards25519PublicKey),
    MlDsa(MLDSAPublicKey),
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
