//! Why a token is not accepted. The client learns none of it: the reason goes to the log and to
//! the response-code details, the answer is the same for all.

use std::fmt;

use crate::fetch::PendingFetch;

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
    /// It names no key, and by more keys than are tried it may be signed.
    TooManyKeys,
    /// Signed by nobody we know.
    Signature,
    /// Past its `exp`.
    Expired,
    /// Before its `nbf`.
    NotYetValid,
    /// Issued in the future.
    IssuedInFuture,
    /// Another `iss`.
    Issuer,
    /// For somebody else.
    Audience,
    /// A required claim is missing.
    MissingClaim(String),
    /// A claim has the wrong type or a value that cannot be.
    BadClaim(String),
    /// Says in this claim that it is no access token.
    OtherUse(&'static str),
    /// The issuer does not vouch for it.
    Inactive,
    /// It was revoked.
    Revoked,
    /// It cannot be told yet: this is being fetched.
    Pending(PendingFetch),
    /// The keys cannot be had; worth another try after so many seconds.
    KeysUnavailable(u64),
    /// The issuer cannot be asked; worth another try after so many seconds.
    IntrospectionUnavailable(u64),
    /// The list of revoked tokens cannot be had; worth another try after so many seconds.
    RevocationUnavailable(u64),
}

impl TokenError {
    /// The reason as one word, for response-code details and counters.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TooLong => "token_too_long",
            Self::Malformed(_) => "token_malformed",
            Self::Critical => "token_critical_extension",
            Self::NoKey => "token_no_matching_key",
            Self::TooManyKeys => "token_too_many_keys",
            Self::Signature => "token_bad_signature",
            Self::Expired => "token_expired",
            Self::NotYetValid => "token_not_yet_valid",
            Self::IssuedInFuture => "token_issued_in_future",
            Self::Issuer => "token_wrong_issuer",
            Self::Audience => "token_wrong_audience",
            Self::MissingClaim(_) => "token_missing_claim",
            Self::BadClaim(_) => "token_bad_claim",
            Self::OtherUse(_) => "token_other_use",
            Self::Inactive => "token_inactive",
            Self::Revoked => "token_revoked",
            Self::Pending(_) => "token_pending",
            Self::KeysUnavailable(_) => "keys_unavailable",
            Self::IntrospectionUnavailable(_) => "introspection_unavailable",
            Self::RevocationUnavailable(_) => "revocation_unavailable",
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => write!(f, "{}: {what}", self.reason()),
            Self::OtherUse(name) => write!(f, "{}: {name}", self.reason()),
            Self::MissingClaim(name) | Self::BadClaim(name) => {
                write!(f, "{}: {name}", self.reason())
            }
            _ => f.write_str(self.reason()),
        }
    }
}
