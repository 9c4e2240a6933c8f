//! The keys of one issuer, and which of them may have signed a token.

use super::key::VerificationKey;

/// How many keys are tried on one token. Each try costs a signature check, and a token without
/// `kid` fits every key of its algorithm: an issuer with more than this many names them.
const MAX_TRIES: usize = 8;

/// The keys of one issuer.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<VerificationKey>,
}

impl KeySet {
    /// A set of these keys, tried in this order.
    #[must_use]
    pub fn new(keys: Vec<VerificationKey>) -> Self {
        Self { keys }
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[VerificationKey] {
        &self.keys
    }

    /// The keys that may have signed a token with this `alg` and `kid` header.
    ///
    /// A key is bound to its algorithm, so `alg` selects and never decides. A `kid` on both sides
    /// must be the same (RFC 7515 section 4.1.4); where either side has none, the signature tells.
    pub fn candidates<'a>(
        &'a self,
        alg: &'a str,
        kid: Option<&'a str>,
    ) -> impl Iterator<Item = &'a VerificationKey> {
        let algorithm = super::Algorithm::from_name(alg);
        let kid_fits = move |key: &&VerificationKey| match (key.kid(), kid) {
            (Some(own), Some(asked)) => own == asked,
            _ => true,
        };
        self.keys
            .iter()
            .filter(move |key| Some(key.algorithm()) == algorithm)
            .filter(kid_fits)
            .take(MAX_TRIES)
    }
}
