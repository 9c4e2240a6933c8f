//! JSON Web Tokens (RFC 7519) in compact serialisation (RFC 7515 section 7.1): parsed strictly,
//! verified, remembered.
//!
//! Only [`Verifier`] makes a [`Verified`] value, so holding one is the proof.

mod cache;
mod claims;
mod compact;
mod error;
mod issuers;
mod scopes;
mod verify;

pub use cache::{CacheKey, TokenCache};
pub use error::TokenError;
pub use issuers::{Issuer, Keys};
pub use verify::{ClaimHeader, TrustAnchor, Verified, Verifier, VerifierSettings};
