//! Why a token is not accepted. The reason is in the log and in the response-code details. The response to the client is
//! the same for all reasons.

use std::fmt;

use crate::fetch::PendingFetch;
use crate::reason::Reason;

/// Why a token is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// Longer than `max_token_bytes`.
    TooLong,
    /// Not three parts of strict base64url holding what RFC 7515 asks for.
    Malformed(&'static str),
    /// A critical header parameter, of which none is understood (RFC 7515 section 4.1.11).
    Critical,
    /// No key for its `alg` and `kid`.
    NoKey,
    /// The key that it names was left out of the set.
    KeyUnusable,
    /// It names no key, and there are more candidates than are tried.
    TooManyKeys,
    /// Signed by an unknown key.
    Signature,
    /// Past its `exp`.
    Expired,
    /// Before its `nbf`.
    NotYetValid,
    /// Issued in the future.
    IssuedInFuture,
    /// Another `iss`.
    Issuer,
    /// For another audience.
    Audience,
    /// A required claim is missing.
    MissingClaim(String),
    /// A claim has the wrong type or an impossible value.
    BadClaim(String),
    /// Says in this claim that it is no access token.
    OtherUse(&'static str),
    /// Of a type (`typ`) that is not accepted.
    Type,
    /// A condition on this claim does not hold.
    ClaimRefused(String),
    /// Bound by a confirmation method that is not known here.
    UnknownConfirmation,
    /// It has no `cnf`, and the configuration requires one.
    Unbound(&'static str),
    /// Bound to a key, and there is no proof of it.
    ProofMissing,
    /// The proof is invalid, for this reason.
    ProofInvalid(&'static str),
    /// The proof was used before.
    ProofReplayed,
    /// The proof has no nonce that this filter issued.
    NonceWanted,
    /// There is no place to remember the proof.
    ReplaysFull,
    /// The earlier proofs cannot be read.
    ReplaysUnavailable,
    /// Bound to another certificate than that of the connection.
    Certificate,
    /// The issuer says that it is not active.
    Inactive,
    /// It was revoked.
    Revoked,
    /// It is not known yet: this is being fetched.
    Pending(PendingFetch),
    /// The keys cannot be fetched. To be retried after so many seconds.
    KeysUnavailable(u64),
    /// The introspection endpoint cannot be reached. To be retried after so many seconds.
    IntrospectionUnavailable(u64),
    /// The list of revoked tokens cannot be fetched. To be retried after so many seconds.
    RevocationUnavailable(u64),
}

impl TokenError {
    /// The reason of the refusal; `None` while it is not known.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        Some(match self {
            Self::TooLong => Reason::TokenTooLong,
            Self::Malformed(_) => Reason::TokenMalformed,
            Self::Critical => Reason::TokenCriticalExtension,
            Self::NoKey => Reason::TokenNoMatchingKey,
            Self::KeyUnusable => Reason::TokenKeyUnusable,
            Self::TooManyKeys => Reason::TokenTooManyKeys,
            Self::Signature => Reason::TokenBadSignature,
            Self::Expired => Reason::TokenExpired,
            Self::NotYetValid => Reason::TokenNotYetValid,
            Self::IssuedInFuture => Reason::TokenIssuedInFuture,
            Self::Issuer => Reason::TokenWrongIssuer,
            Self::Audience => Reason::TokenWrongAudience,
            Self::MissingClaim(_) => Reason::TokenMissingClaim,
            Self::BadClaim(_) => Reason::TokenBadClaim,
            Self::OtherUse(_) => Reason::TokenOtherUse,
            Self::Type => Reason::TokenWrongType,
            Self::ClaimRefused(_) => Reason::TokenClaimRefused,
            Self::UnknownConfirmation => Reason::TokenConfirmationUnknown,
            Self::Unbound(_) => Reason::TokenUnbound,
            Self::ProofMissing => Reason::DpopProofMissing,
            Self::ProofInvalid(_) => Reason::DpopProofInvalid,
            Self::ProofReplayed => Reason::DpopProofReplayed,
            Self::NonceWanted => Reason::DpopNonceWanted,
            Self::ReplaysFull => Reason::DpopReplaysFull,
            Self::ReplaysUnavailable => Reason::HostFailure,
            Self::Certificate => Reason::TokenCertificateMismatch,
            Self::Inactive => Reason::TokenInactive,
            Self::Revoked => Reason::TokenRevoked,
            Self::Pending(_) => return None,
            Self::KeysUnavailable(_) => Reason::KeysUnavailable,
            Self::IntrospectionUnavailable(_) => Reason::IntrospectionUnavailable,
            Self::RevocationUnavailable(_) => Reason::RevocationUnavailable,
        })
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason().map_or("token_pending", Reason::as_str))?;
        match self {
            Self::Malformed(what) | Self::OtherUse(what) | Self::Unbound(what) | Self::ProofInvalid(what) => {
                write!(f, ": {what}")
            }
            Self::MissingClaim(name) | Self::BadClaim(name) | Self::ClaimRefused(name) => {
                write!(f, ": {name}")
            }
            _ => Ok(()),
        }
    }
}
