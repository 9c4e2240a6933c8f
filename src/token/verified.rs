//! What a verified token says.

use std::rc::Rc;

use serde_json::Value;

use super::claims::Validity;
use super::confirmation::Confirmation;
use crate::host::Host;
use crate::identity::IdentityMemo;

/// A request header made of a claim.
pub type ClaimHeader = (Rc<str>, Vec<u8>);

/// A claim for dynamic metadata, by the name that it has in the configuration.
pub type ClaimMetadata = (Rc<str>, Value);

/// What a verified token says. Made by `Verifier::verify` alone.
#[derive(Debug, PartialEq, Eq)]
pub struct Verified {
    pub(super) subject: Option<String>,
    pub(super) is_client: bool,
    pub(super) issuer: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) headers: Vec<ClaimHeader>,
    pub(super) metadata: Vec<ClaimMetadata>,
    pub(super) validity: Validity,
    /// `jti`, for revocation.
    pub(super) id: Option<String>,
    /// `iat`, for revocation.
    pub(super) issued: Option<i64>,
    pub(super) authenticated: Option<i64>,
    pub(super) confirmation: Confirmation,
    /// Which conditions of rules hold, by their number.
    pub(super) meets: Box<[bool]>,
    pub(super) identity: IdentityMemo,
}

impl Verified {
    /// The first of the subject claims that is present.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The same. `None` if the claim names a client: it is not a username.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.subject().filter(|_| !self.is_client)
    }

    /// `iss`, if it is sent to the upstream.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// The scopes.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The request headers made of claims.
    #[must_use]
    pub fn headers(&self) -> &[ClaimHeader] {
        &self.headers
    }

    /// The claims for dynamic metadata.
    #[must_use]
    pub fn metadata(&self) -> &[ClaimMetadata] {
        &self.metadata
    }

    /// Whether condition number `condition` of `Verifier::set_conditions` holds. One that is not known does not.
    #[must_use]
    pub fn meets(&self, condition: usize) -> bool {
        self.meets.get(condition).copied().unwrap_or(false)
    }

    /// `auth_time`: when the user was authenticated, in Unix seconds.
    #[must_use]
    pub fn authenticated(&self) -> Option<i64> {
        self.authenticated
    }

    /// What it is bound to.
    #[must_use]
    pub fn confirmation(&self) -> &Confirmation {
        &self.confirmation
    }

    /// Whether the token may be accepted now. `nbf` is compared with a cached time, `exp` with the
    /// exact one.
    #[must_use]
    pub fn is_valid_now(&self, host: &dyn Host) -> bool {
        host.cached_now().is_some_and(|recent| self.validity.from <= recent)
            && host.is_before(self.validity.until)
            || self.validity.is_valid_at(host.now())
    }

    /// The identity that this token alone gives.
    #[must_use]
    pub fn identity(&self) -> &IdentityMemo {
        &self.identity
    }
}

/// Lets the tests of the cache make a proof without a token.
#[cfg(test)]
pub mod tests_support {
    use super::{Confirmation, Validity, Verified};

    pub fn verified(from: i64, until: i64) -> Verified {
        Verified {
            subject: None,
            is_client: false,
            issuer: None,
            scopes: vec![],
            headers: vec![],
            metadata: vec![],
            validity: Validity { from, until },
            id: None,
            issued: None,
            authenticated: None,
            confirmation: Confirmation::default(),
            meets: Box::default(),
            identity: super::IdentityMemo::default(),
        }
    }
}
