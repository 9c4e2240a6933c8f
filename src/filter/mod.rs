//! What happens to a request and to a worker, without a host: head, body, trailers, waiting, waking, ticks,
//! callouts.
//!
//! A host's shell (`crate::proxy` for proxy-wasm) owns a [`Worker`] for each configuration and an
//! [`HttpFilter`] for each request, hands them its callbacks, and carries the [`Action`] of each back. What
//! the filter asks of the host goes through [`crate::host::Host`] and [`crate::host::Stream`].
//!
//! The rule that everything here serves: **a request reaches the upstream after it was allowed, and not
//! before.** Its state ([`HttpFilter`]) is an enum with the data of each state in it, every callback
//! matches on it and names all of its arms, and only an allowed request is answered [`Action::Continue`].

mod counting;
mod filter_state;
mod forward;
mod http_filter;
mod metadata;
mod pending;
mod rate_limit;
mod token_request;
mod worker;

pub use http_filter::{HttpFilter, refuse_unannounced};
pub use pending::StreamId;
pub use worker::{WakeBudget, Worker};

/// What becomes of a request after a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It goes on.
    Continue,
    /// It waits, or was answered.
    Pause,
    /// It waits for something that is not of the request: the host holds all of it, what is yet to come
    /// included.
    Hold,
}
