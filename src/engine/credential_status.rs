//! What a request presents for a scheme, and why that may not be enough.

use std::collections::HashSet;
use std::rc::Rc;

use crate::decision::Denial;
use crate::fetch::PendingFetch;
use crate::identity::{AllowedCertificate, ApiKey, Identity, User};
use crate::login::LoginId;
use crate::policy::{Scheme, SchemeId};
use crate::reason::Reason;
use crate::token::{TokenError, Verified};

/// A credential that was verified.
pub enum Authenticated<'p> {
    Token {
        token: Rc<Verified>,
        /// The scopes beyond which the token's do not count, if there are any.
        at_most: Option<&'p [String]>,
    },
    Basic {
        username: String,
        user: &'p User,
    },
    Key(&'p ApiKey),
    Certificate {
        id: String,
        allowed: &'p AllowedCertificate,
    },
}

impl Authenticated<'_> {
    /// Whose it is.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::Token { token, .. } => token.subject(),
            Self::Basic { username, .. } => Some(username),
            Self::Key(key) => Some(&key.id),
            Self::Certificate { id, .. } => Some(id),
        }
    }

    /// Where the subject of an AND comes from: the lowest precedence speaks.
    pub fn precedence(&self, scheme: &Scheme) -> u8 {
        match self {
            // Also where the scheme has tokens too.
            Self::Key(_) => Scheme::PRECEDENCE_OF_KEYS,
            Self::Token { .. } | Self::Basic { .. } | Self::Certificate { .. } => scheme.precedence(),
        }
    }

    /// The identity that this alone gives by scheme number `scheme`, remembered where it can be.
    pub fn identity(&self, scheme: usize, make: impl Fn() -> Identity) -> Rc<Identity> {
        match self {
            Self::Token { token, .. } => token.identity().get(scheme, make),
            Self::Basic { user, .. } => user.identity.get(scheme, make),
            Self::Key(key) => match &key.identity {
                Some(identity) => identity.get(scheme, make),
                None => Rc::new(make()),
            },
            Self::Certificate { .. } => Rc::new(make()),
        }
    }

    /// The client, if it is an API key.
    pub fn client(&self) -> Option<u8> {
        match self {
            Self::Key(key) => key.client,
            Self::Token { .. } | Self::Basic { .. } | Self::Certificate { .. } => None,
        }
    }

    /// The scopes that come with it.
    pub fn scopes(&self) -> impl Iterator<Item = &String> {
        let (scopes, at_most) = self.granted();
        // A token and a user may have many.
        let at_most: Option<HashSet<&str>> = at_most.map(|most| most.iter().map(String::as_str).collect());
        scopes.iter().filter(move |scope| at_most.as_ref().is_none_or(|most| most.contains(scope.as_str())))
    }

    /// Whether `scope` is one of them.
    pub fn grants(&self, scope: &String) -> bool {
        let (scopes, at_most) = self.granted();
        scopes.contains(scope) && at_most.is_none_or(|most| most.contains(scope))
    }

    /// The scopes that it says, and those beyond which they do not count, if there are any.
    fn granted(&self) -> (&[String], Option<&[String]>) {
        match self {
            Self::Token { token, at_most } => (token.scopes(), *at_most),
            Self::Basic { user, .. } => (user.scopes(), None),
            Self::Key(key) => (key.scopes.as_slice(), None),
            Self::Certificate { allowed, .. } => (allowed.scopes.as_slice(), None),
        }
    }

    /// Its issuer, if it names one.
    pub fn issuer(&self) -> Option<&str> {
        match self {
            Self::Token { token, .. } => token.issuer(),
            Self::Basic { .. } | Self::Key(_) | Self::Certificate { .. } => None,
        }
    }
}

/// What a request presents for one scheme.
pub enum CredentialStatus<'p> {
    Missing,
    Bad {
        reason: Reason,
        explanation: String,
    },
    /// It was not checked, and this is why: too many failures, or what is needed for it cannot be had.
    Unchecked(Box<Denial>),
    /// It cannot be judged yet: this is being fetched.
    Pending {
        fetch: PendingFetch,
        /// A name for the credential.
        credential: u64,
    },
    /// It is good, and its user is disabled.
    Inactive,
    Authenticated(Authenticated<'p>),
}

impl CredentialStatus<'_> {
    /// What a token is that is not accepted.
    pub fn of(error: &TokenError, token: &[u8]) -> Self {
        let reason = error.reason().unwrap_or(Reason::Other);
        match error {
            TokenError::Pending(fetch) => Self::Pending { fetch: *fetch, credential: name_of(token) },
            TokenError::KeysUnavailable(seconds)
            | TokenError::IntrospectionUnavailable(seconds)
            | TokenError::RevocationUnavailable(seconds) => {
                Self::unchecked(Denial::new(reason).retry_after(*seconds))
            }
            TokenError::ReplaysFull => Self::unchecked(Denial::new(reason).retry_after(1)),
            TokenError::ReplaysUnavailable => {
                Self::unchecked(Denial::host_failure("proofs cannot be remembered in shared data"))
            }
            TokenError::TooLong
            | TokenError::Malformed(_)
            | TokenError::Critical
            | TokenError::NoKey
            | TokenError::KeyUnusable
            | TokenError::TooManyKeys
            | TokenError::Signature
            | TokenError::Expired
            | TokenError::NotYetValid
            | TokenError::IssuedInFuture
            | TokenError::Issuer
            | TokenError::Audience
            | TokenError::MissingClaim(_)
            | TokenError::BadClaim(_)
            | TokenError::Inactive
            | TokenError::OtherUse(_)
            | TokenError::Type
            | TokenError::ClaimRefused(_)
            | TokenError::UnknownConfirmation
            | TokenError::Unbound(_)
            | TokenError::ProofMissing
            | TokenError::ProofInvalid(_)
            | TokenError::ProofReplayed
            | TokenError::NonceWanted
            | TokenError::Certificate
            | TokenError::Revoked => Self::bad(reason, error.to_string()),
        }
    }

    /// Its password is being hashed on another thread.
    pub fn pending(login: LoginId, credential: &[u8]) -> Self {
        Self::Pending { fetch: PendingFetch::Login(login), credential: name_of(credential) }
    }

    /// It cannot be judged now, for this reason.
    pub fn unchecked(denial: Denial) -> Self {
        Self::Unchecked(Box::new(denial))
    }

    /// It is not good, for this reason.
    pub fn bad(reason: Reason, explanation: impl Into<String>) -> Self {
        Self::Bad { reason, explanation: explanation.into() }
    }
}

/// A name for a credential: the same for the same bytes. It need not be secret, and is no proof of anything:
/// a client that finds another credential of the same name shares that one's places.
fn name_of(credential: &[u8]) -> u64 {
    // FNV-1a.
    credential.iter().fold(0xcbf2_9ce4_8422_2325, |name, &byte| {
        (name ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Why an alternative does not allow a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    Missing,
    Bad(SchemeId),
    Inactive(SchemeId),
    Scope(SchemeId),
    /// A condition on the token does not hold.
    Claims(SchemeId),
    /// The user was authenticated in another way, or too long ago.
    StepUp(SchemeId),
    /// Not known yet.
    Pending,
}

impl Failure {
    /// How near it came; among equals the first counts.
    pub fn precedence(self) -> u8 {
        match self {
            Self::Missing => 0,
            Self::Bad(_) => 1,
            Self::Inactive(_) => 2,
            Self::Scope(_) | Self::Claims(_) => 3,
            Self::StepUp(_) => 4,
            // No status before it is known.
            Self::Pending => 5,
        }
    }
}
