//! Security schemes, ready to verify.

use std::rc::Rc;

use crate::config::UsersScopes;
use crate::credential::CredentialLocation;
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
    /// Where its credential may stand.
    pub locations: Vec<CredentialLocation>,
    /// Where a token stands that comes with a DPoP proof, if such a token is taken.
    pub dpop_location: Option<CredentialLocation>,
    /// The realm of its challenge.
    pub realm: String,
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
    /// A JSON Web Token.
    Token {
        /// Checks the token.
        verifier: Box<Verifier>,
        /// Those who must know its subject, if it must be known.
        users: Option<TokenUsers>,
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
    /// Its credentials in a request.
    #[must_use]
    pub fn credentials(&self) -> Credentials<'_> {
        let Self { locations, dpop_location, forward, .. } = self;
        Credentials { locations, dpop: dpop_location.as_ref(), forward: *forward }
    }

    /// Its challenge, with further parameters, such as `error` if something was presented.
    #[must_use]
    pub fn challenge(&self, parameters: Option<String>) -> Challenge {
        let (scheme, always) = match self.kind {
            SchemeKind::Token { .. } if self.needs_dpop() => return self.dpop_challenge(parameters),
            SchemeKind::Token { .. } => ("Bearer", None),
            // RFC 7617 section 2.1.
            SchemeKind::Basic(_) => ("Basic", Some("charset=\"UTF-8\"".to_owned())),
            SchemeKind::ApiKey(_) => ("APIKey", None),
            SchemeKind::MutualTls(_) => ("ClientCertificate", None),
        };
        Challenge { scheme, realm: Some(self.realm.clone()), parameters: joined(always, parameters) }
    }

    /// The same for a token that is or must be bound to a key (RFC 9449 section 7.1).
    #[must_use]
    pub fn dpop_challenge(&self, parameters: Option<String>) -> Challenge {
        let algorithms = Some(format!("algs=\"{}\"", dpop_algorithms()));
        Challenge {
            scheme: "DPoP",
            realm: Some(self.realm.clone()),
            parameters: joined(parameters, algorithms),
        }
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
            SchemeKind::ApiKey(_) => 2,
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
