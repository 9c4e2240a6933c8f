//! What becomes of a request, as a value: the core decides, the proxy carries out.

mod attribution;
mod denial;
mod header_mutations;
mod token_request;

use std::rc::Rc;

use smallvec::SmallVec;

use crate::fetch::PendingFetch;
use crate::identity::Identity;
use crate::request::HeaderMutation;
pub use attribution::{Attribution, DecidedBy, RuleId};
pub use denial::{Challenge, Denial, ErrorFormat, Response};
pub use header_mutations::{Credentials, HeaderMutations, header_mutations};
pub use token_request::TokenRequest;

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It goes on to the upstream, with these edits.
    Allow(Allow),
    /// It is refused here.
    Deny(Denial),
    /// It is answered here: a document, or a token.
    LocalReply(Response),
    /// It asks for a token: its body is awaited, and then it is answered here.
    AwaitBody(TokenRequest),
    /// It waits: something is being fetched that it needs, and then it is decided anew.
    Pause(Pause),
}

/// What a request waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// What is being fetched: each can make a difference.
    pub fetches: SmallVec<[PendingFetch; 1]>,
    /// A name for the credential that waits, so that one credential does not take every place.
    pub credential: u64,
    /// The rule it is judged by.
    pub rule: RuleId,
}

/// A request that goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    /// Its identity; `None` on public routes and for anonymous requests.
    pub identity: Option<Rc<Identity>>,
    /// What is taken away of what the client sent.
    pub mutations: HeaderMutations,
    /// The refusal that was not carried out because the policy, or its rule, is a dry run.
    pub shadow_denial: Option<Box<Denial>>,
    /// Where it was decided.
    pub attribution: Attribution,
}

impl Allow {
    /// What is changed in its headers, in order.
    pub fn mutations(&self) -> impl Iterator<Item = &HeaderMutation> {
        self.mutations.list.iter().chain(self.identity.iter().flat_map(|identity| &identity.headers))
    }
}
