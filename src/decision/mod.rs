//! What becomes of a request, as a value: the core decides, the proxy carries out.

mod denial;
mod edits;

use crate::issue::TokenRequest;
pub use denial::{Challenge, Denial, Response};
pub use edits::{Edits, HeaderEdit, is_header_value};

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It goes on to the upstream, with these edits.
    Allow(Allow),
    /// It is refused here.
    Deny(Denial),
    /// It is answered here: a document.
    Answer(Response),
    /// It is answered here once its body is there.
    Token(TokenRequest),
    /// It waits: something is being fetched that it needs, and then it is decided anew.
    Await,
}

/// A request that goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    /// Who it comes from; nobody on public routes and for anonymous requests.
    pub identity: Option<Identity>,
    /// What is changed in its headers, in order.
    pub edits: Vec<HeaderEdit>,
    /// The refusal it was spared because the policy runs dry.
    pub spared: Option<Denial>,
}

/// Who a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The token's `sub`, the username, or the id of the API key. A token need not have one.
    pub subject: Option<String>,
    /// Granted scopes, each once, in the order granted.
    pub scopes: Vec<String>,
    /// The schemes that let the request in, by name.
    pub schemes: Vec<String>,
}
