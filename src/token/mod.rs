//! JSON Web Tokens (RFC 7519) in compact serialisation (RFC 7515 section 7.1): parsed strictly,
//! verified, cached.
//!
//! Only [`Verifier`] makes a [`Verified`] value, so holding one is the proof.

mod cache;
mod claims;
mod compact;
mod confirmation;
mod dpop;
mod error;
mod issuer_name;
mod issuers;
mod nonce;
mod possession;
mod replays;
mod scopes;
mod types;
mod verified;
mod verify;

pub use cache::{CacheKey, TokenCache};
pub use dpop::{Dpop, algorithms as dpop_algorithms};
pub use error::TokenError;
pub use issuer_name::IssuerName;
pub use issuers::{Issuer, Keys};
pub use nonce::current as dpop_nonce;
pub use possession::{Possession, Presented};
pub use replays::begin as begin_replays;
pub use scopes::ScopeSettings;
pub use types::plain_type;
pub use verified::{ClaimHeader, Verified};
pub use verify::{HeaderOfClaim, OnInvalid, TrustAnchor, Verifier, VerifierSettings};
