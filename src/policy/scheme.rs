//! Security schemes, ready to verify.

use std::rc::Rc;

use crate::config::UsersScopes;
use crate::credential::{CredentialLocation, Reading};
use crate::decision::Challenge;
use crate::identity::{ApiKeyDirectory, UserDirectory};
use crate::keys::SigningKey;
use crate::token::Verifier;

/// A scheme of a policy, by its place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

    /// Its challenge, with `error` and further parameters if something was presented; `None`: it has none.
    #[must_use]
    pub fn challenge(&self, error: Option<String>) -> Option<Challenge> {
        let scheme = self.challenged_as?;
        let always = match self.kind {
            // RFC 7617 section 2.1.
            SchemeKind::Basic(_) => Some("charset=\"UTF-8\"".to_owned()),
            SchemeKind::Token { .. } | SchemeKind::ApiKey(_) => None,
        };
        let parameters = match (always, error) {
            (Some(always), Some(error)) => Some(format!("{always}, {error}")),
            (always, error) => always.or(error),
        };
        Some(Challenge { scheme, realm: Some(self.realm.clone()), parameters })
    }

    /// Where the subject of an AND comes from: the lowest precedence speaks.
    #[must_use]
    pub fn precedence(&self) -> u8 {
        match self.kind {
            SchemeKind::Token { .. } => 0,
            SchemeKind::Basic(_) => 1,
            SchemeKind::ApiKey(_) => Self::PRECEDENCE_OF_KEYS,
        }
    }
}
