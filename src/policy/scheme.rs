//! Security schemes, ready to verify.

use std::rc::Rc;

use crate::credential::Source;
use crate::decision::Challenge;
use crate::identity::ApiKeyDirectory;
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
    pub sources: Vec<Source>,
    /// The realm of its challenge.
    pub realm: String,
    /// The status when its credential is missing.
    pub missing_status: u16,
    /// Whether the upstream gets to see the credential.
    pub forward: bool,
}

/// How a credential is verified.
#[derive(Debug)]
pub enum SchemeKind {
    /// A JSON Web Token.
    Token(Box<Verifier>),
    /// An API key.
    ApiKey(Rc<ApiKeyDirectory>),
}

impl Scheme {
    /// Its challenge, with `error` and further parameters if something was presented.
    #[must_use]
    pub fn challenge(&self, error: Option<String>) -> Challenge {
        let scheme = match self.kind {
            SchemeKind::Token(_) => "Bearer",
            SchemeKind::ApiKey(_) => "APIKey",
        };
        Challenge { scheme, realm: self.realm.clone(), error }
    }

    /// Where the subject of an AND comes from: the lowest precedence speaks.
    #[must_use]
    pub fn precedence(&self) -> u8 {
        match self.kind {
            SchemeKind::Token(_) => 0,
            SchemeKind::ApiKey(_) => 2,
        }
    }
}
