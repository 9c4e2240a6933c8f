//! What becomes of a request, as a value: the core decides, the proxy carries out.

mod denial;
mod edits;
mod place;
mod token_request;

use std::rc::Rc;

use smallvec::SmallVec;

use crate::identity::Identity;
use crate::remote::Awaited;
use crate::request::HeaderEdit;
pub use denial::{Challenge, Denial, ErrorFormat, Response};
pub use edits::{Changes, Credentials, changes};
pub use place::{By, Place, RuleId};
pub use token_request::TokenRequest;

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
    Await(Await),
}

/// What a request waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Await {
    /// What is being fetched: each can make a difference.
    pub awaited: SmallVec<[Awaited; 1]>,
    /// A name for the credential that waits, so that one credential does not take every place.
    pub credential: u64,
    /// The rule it is judged by.
    pub rule: RuleId,
}

/// A request that goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    /// Who it comes from; nobody on public routes and for anonymous requests.
    pub identity: Option<Rc<Identity>>,
    /// What is taken away of what the client sent.
    pub changes: Changes,
    /// The refusal it was spared because the policy, or its rule, runs dry.
    pub spared: Option<Box<Denial>>,
    /// Where it was decided.
    pub place: Place,
}

impl Allow {
    /// What is changed in its headers, in order.
    pub fn edits(&self) -> impl Iterator<Item = &HeaderEdit> {
        self.changes.edits.iter().chain(self.identity.iter().flat_map(|identity| &identity.headers))
    }
}
