//! Proof of possession: whether a client may use a token that is bound to a key or to a certificate.

use super::dpop::{Dpop, Proof};
use super::error::TokenError;
use super::verified::Verified;
use crate::fetch::TokenDigests;
use crate::host::Host;
use crate::request::Request;

/// How possession of a token's key or certificate is proven.
#[derive(Debug)]
pub struct Possession {
    /// Proofs of a key.
    pub dpop: Dpop,
    /// Whether a token that is bound to no certificate is refused.
    pub needs_certificate: bool,
}

/// A token as it was presented.
#[derive(Clone, Copy)]
pub struct Presented<'r> {
    /// The token.
    pub token: &'r [u8],
    /// Whether it came with the scheme `DPoP`, and not as a bearer token.
    pub is_dpop: bool,
    /// The request that it came with.
    pub request: &'r Request<'r>,
    /// What that request proved when it was decided before.
    pub digests: &'r TokenDigests,
}

impl Possession {
    /// Whether a bearer token with these claims needs a proof.
    #[must_use]
    pub fn is_needed(&self, verified: &Verified) -> bool {
        let bound = verified.confirmation();
        bound.key.is_some() || bound.certificate.is_some() || self.needs_certificate || self.dpop.is_required
    }

    /// Whether the client that presents the token may use it. It is checked for each request, also if the token is cached.
    ///
    /// # Errors
    /// Why not.
    pub fn check(
        &self,
        verified: &Verified,
        presented: &Presented<'_>,
        host: &dyn Host,
    ) -> Result<(), TokenError> {
        let bound = verified.confirmation();
        match (&bound.certificate, self.needs_certificate) {
            (None, false) => {}
            (None, true) => return Err(TokenError::Unbound("to no certificate")),
            (Some(wanted), _) => {
                let own = host.peer_certificate().map(|certificate| certificate.sha256);
                if own.as_ref() != Some(wanted) {
                    return Err(TokenError::Certificate);
                }
            }
        }
        match (&bound.key, presented.is_dpop) {
            (Some(key), true) => self.dpop.check(&Proof { key: *key, presented }, host),
            // RFC 9449 section 7.2: a bound token is no bearer token.
            (Some(_), false) => Err(TokenError::ProofMissing),
            (None, true) => Err(TokenError::Unbound("to no key, and sent with the scheme DPoP")),
            (None, false) if self.dpop.is_required => Err(TokenError::Unbound("to no key")),
            (None, false) => Ok(()),
        }
    }
}
