//! Security schemes, ready to verify.

use std::rc::Rc;

use crate::config::UsersScopes;
use crate::credential::CredentialLocation;
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
    /// Where its credential may stand.
    pub locations: Vec<CredentialLocation>,
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
    /// Its challenge, with `error` and further parameters if something was presented.
    #[must_use]
    pub fn challenge(&self, error: Option<String>) -> Challenge {
        let (scheme, always) = match self.kind {
            SchemeKind::Token { .. } => ("Bearer", None),
            // RFC 7617 section 2.1.
            SchemeKind::Basic(_) => ("Basic", Some("charset=\"UTF-8\"".to_owned())),
            SchemeKind::ApiKey(_) => ("APIKey", None),
        };
        let parameters = match (always, error) {
            (Some(always), Some(error)) => Some(format!("{always}, {error}")),
            (always, error) => always.or(error),
        };
        Challenge { scheme, realm: Some(self.realm.clone()), parameters }
    }

    /// Where the subject of an AND comes from: the lowest precedence speaks.
    #[must_use]
    pub fn precedence(&self) -> u8 {
        match self.kind {
            SchemeKind::Token { .. } => 0,
            SchemeKind::Basic(_) => 1,
            SchemeKind::ApiKey(_) => 2,
        }
    }
}
