//! What a request can wait for, by name: so that a fetch that completes wakes the requests that wait for it, and no
//! others.

use std::cell::RefCell;

use sha2::{Digest as _, Sha256};
use smallvec::SmallVec;

/// The SHA-256 of a token: a name for it that cannot be used in its place.
pub type TokenDigest = [u8; 32];

/// A fetch that a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PendingFetch {
    /// The next fetch of this source, by its number in the policy.
    Source(usize),
    /// What the issuer says of a token.
    Introspection {
        /// The introspection, by its number in the policy.
        number: usize,
        /// The token.
        token: TokenDigest,
    },
    /// What a password is worth, that is hashed on another thread.
    Login(u64),
}

/// The digests of the tokens of one request, each computed once, however often the request is decided; and what it has
/// proven, which is used up then.
#[derive(Debug, Default)]
pub struct TokenDigests {
    tokens: RefCell<SmallVec<[(usize, TokenDigest); 1]>>,
    proofs: RefCell<Vec<TokenDigest>>,
}

impl TokenDigests {
    /// The digest of `token`, which the request presents to introspection `number`. A request presents the
    /// same token each time.
    #[must_use]
    pub fn of(&self, number: usize, token: &[u8]) -> TokenDigest {
        let mut digests = self.tokens.borrow_mut();
        if let Some((_, digest)) = digests.iter().find(|(own, _)| *own == number) {
            return *digest;
        }
        let digest = Sha256::digest(token).into();
        digests.push((number, digest));
        digest
    }

    /// Whether this request has used up the proof of this digest.
    #[must_use]
    pub fn has_proven(&self, proof: &TokenDigest) -> bool {
        self.proofs.borrow().contains(proof)
    }

    /// This request has used it up.
    pub fn proves(&self, proof: TokenDigest) {
        self.proofs.borrow_mut().push(proof);
    }
}
