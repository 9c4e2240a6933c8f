//! Users, API keys and client certificates; and the identity of a request.

mod api_keys;
mod certificates;
mod implied_scopes;
mod users;

pub use api_keys::{ApiKey, ApiKeyDirectory, ApiKeyError};
pub use certificates::{AllowedCertificate, AllowedCertificates, CertificatePattern};
pub use implied_scopes::ImpliedScopes;
pub use users::{User, UserDirectory};

use std::cell::OnceCell;
use std::rc::Rc;

use serde_json::Value;

use crate::request::HeaderMutation;

/// The identity of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The token's `sub`, the username, or the id of the API key. A token need not have one.
    pub subject: Option<String>,
    /// Granted scopes, each once, in the order granted.
    pub scopes: Vec<String>,
    /// The schemes that allowed the request, by name.
    pub schemes: Vec<String>,
    /// The headers that tell the upstream.
    pub headers: Vec<HeaderMutation>,
    /// Claims for dynamic metadata, by name.
    pub metadata: Vec<(Rc<str>, Value)>,
}

impl Identity {
    /// Sets a header; a header that was set before keeps its first value.
    pub fn set(&mut self, name: &Rc<str>, value: &[u8]) {
        if !self.sets(name.as_bytes()) {
            self.headers.push(HeaderMutation::Set(Rc::clone(name), value.into()));
        }
    }

    /// Whether it sets header `name`.
    #[must_use]
    pub fn sets(&self, name: &[u8]) -> bool {
        self.headers.iter().any(|edit| matches!(edit, HeaderMutation::Set(own, _) if own.as_bytes() == name))
    }
}

/// The identity that a credential alone gives by one scheme, made once: a request with the
/// same credential is the same.
#[derive(Clone, Debug, Default)]
pub struct IdentityMemo(OnceCell<(usize, Rc<Identity>)>);

impl IdentityMemo {
    /// The identity by scheme number `scheme`.
    pub fn get(&self, scheme: usize, make: impl Fn() -> Identity) -> Rc<Identity> {
        match self.0.get_or_init(|| (scheme, Rc::new(make()))) {
            (own, identity) if *own == scheme => Rc::clone(identity),
            _ => Rc::new(make()),
        }
    }
}

/// What was worked out before is no part of what a credential is.
impl PartialEq for IdentityMemo {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for IdentityMemo {}
