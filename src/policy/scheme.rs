//! Security schemes, ready to verify.

use std::rc::Rc;

use crate::config::UsersScopes;
use crate::credential::{CredentialLocation, Reading};
use crate::decision::{Challenge, Credentials};
use crate::identity::{AllowedCertificates, ApiKeyDirectory, UserDirectory};
use crate::keys::SigningKey;
use crate::token::{Verifier, dpop_algorithms};

/// A scheme of a policy, by its place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemeId(pub usize);

/// A security scheme.
#[derive(Debug)]
pub struct Scheme {
    /// Its name.
    pub name: String,
    /// How its credential is verified.
    pub kind: SchemeKind,
    /// Where its credential may be.
    pub locations: Vec<CredentialLocation>,
    /// Where a token stands that comes with a DPoP proof, if such a token is taken.
    pub dpop_location: Option<CredentialLocation>,
    /// How several credentials in them are read.
    pub reading: Reading,
    /// The realm of its challenge.
    pub realm: String,
    /// The authentication scheme of its challenge (RFC 9110 section 11.1); `None`: it has no challenge.
    pub challenged_as: Option<&'static str>,
    /// The status when its credential is missing.
    pub missing_status: u16,
    /// Whether the upstream gets to see the credential.
    pub forward: bool,
    /// The first of its keys that can sign.
    pub signer: Option<Rc<SigningKey>>,
}

/// How a credential is verified.
#[derive(Debug)]
pub enum SchemeKind {
    /// A token.
    Token {
        /// Checks the token.
        verifier: Box<Verifier>,
        /// The directory that must have its subject, if one is configured.
        users: Option<TokenUsers>,
        /// API keys that are accepted in the place of a token.
        api_keys: Option<Rc<ApiKeyDirectory>>,
    },
    /// A username and a password (RFC 7617).
    Basic(Rc<UserDirectory>),
    /// An API key.
    ApiKey(Rc<ApiKeyDirectory>),
    /// A client certificate.
    MutualTls(AllowedCertificates),
}

impl SchemeKind {
    /// Whether its credential is a token.
    #[must_use]
    pub fn is_token(&self) -> bool {
        match self {
            Self::Token { .. } => true,
            Self::Basic(_) | Self::ApiKey(_) | Self::MutualTls(_) => false,
        }
    }
}

/// The users behind the tokens of a scheme.
#[derive(Debug)]
pub struct TokenUsers {
    /// The directory.
    pub directory: Rc<UserDirectory>,
    /// Which scopes of a token count.
    pub scopes: UsersScopes,
}

impl Scheme {
    /// The precedence of API keys.
    pub const PRECEDENCE_OF_KEYS: u8 = 2;

    /// Its credentials in a request.
    #[must_use]
    pub fn credentials(&self) -> Credentials<'_> {
        let Self { locations, dpop_location, forward, .. } = self;
        Credentials { locations, dpop: dpop_location.as_ref(), forward: *forward }
    }

    /// Its challenge, with further parameters, such as `error` if something was presented; `None`: it has none.
    #[must_use]
    pub fn challenge(&self, parameters: Option<String>) -> Option<Challenge> {
        let scheme = self.challenged_as?;
        let always = match self.kind {
            SchemeKind::Token { .. } if self.needs_dpop() => return self.dpop_challenge(parameters),
            // RFC 7617 section 2.1.
            SchemeKind::Basic(_) => Some("charset=\"UTF-8\"".to_owned()),
            SchemeKind::Token { .. } | SchemeKind::ApiKey(_) | SchemeKind::MutualTls(_) => None,
        };
        Some(Challenge { scheme, realm: Some(self.realm.clone()), parameters: joined(always, parameters) })
    }

    /// The same for a token that is or must be bound to a key (RFC 9449 section 7.1).
    #[must_use]
    pub fn dpop_challenge(&self, parameters: Option<String>) -> Option<Challenge> {
        self.challenged_as?;
        let algorithms = Some(format!("algs=\"{}\"", dpop_algorithms()));
        let (realm, parameters) = (Some(self.realm.clone()), joined(parameters, algorithms));
        Some(Challenge { scheme: "DPoP", realm, parameters })
    }

    /// Whether its tokens must be bound to a key.
    #[must_use]
    pub fn needs_dpop(&self) -> bool {
        match &self.kind {
            SchemeKind::Token { verifier, .. } => {
                verifier.possession().is_some_and(|possession| possession.dpop.is_required)
            }
            SchemeKind::Basic(_) | SchemeKind::ApiKey(_) | SchemeKind::MutualTls(_) => false,
        }
    }

    /// Where the subject of an AND comes from: the lowest precedence speaks.
    #[must_use]
    pub fn precedence(&self) -> u8 {
        match self.kind {
            SchemeKind::Token { .. } => 0,
            SchemeKind::Basic(_) => 1,
            SchemeKind::ApiKey(_) => Self::PRECEDENCE_OF_KEYS,
            SchemeKind::MutualTls(_) => 3,
        }
    }
}

/// Parameters of a challenge, in a row.
fn joined(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{first}, {second}")),
        (first, second) => first.or(second),
    }
}
