//! One notion of a claim, for every option that names one: what it is called, and what it must be.

mod condition;
mod reference;

pub use condition::{ClaimCondition, Condition, Scalar};
pub use reference::ClaimReference;

use serde_json::{Map, Value};

/// A claims set (RFC 7519 section 4).
pub type Claims = Map<String, Value>;

#[cfg(test)]
mod tests;
