//! A request for a token, until its body is there.

use crate::secret::Secret;

/// A request for a token whose body is still to come: which endpoint it is for, and what of its
/// head matters. The head itself is gone when the body is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// Which endpoint of the policy, by its place there.
    pub endpoint: usize,
    /// The value of `Authorization`, where a client may name itself.
    pub authorization: Option<Secret>,
    /// The id of the request, if the client gets it.
    pub request_id: Option<String>,
}
