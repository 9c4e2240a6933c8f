//! Taking a credential out of a request, and out of what goes upstream. The same reading serves
//! both, so that nothing is verified in one place and left standing in another.

pub mod basic;
mod cookie;
mod header;
mod loose;
mod query;

pub use cookie::without_cookies;
pub use header::after_prefix;
pub use query::without_parameters;

use std::borrow::Cow;
use std::rc::Rc;

use crate::http_syntax::is_same_header;
use crate::request::Request;

/// Where a credential may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialLocation {
    /// In a header, after a prefix such as `Bearer `.
    Header {
        /// Lower-case name.
        name: Rc<str>,
        /// What is before it, compared without regard to case (RFC 9110 section 11.1).
        prefix: String,
    },
    /// In a parameter of the query string.
    Query(String),
    /// In a cookie.
    Cookie(String),
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// Nothing, or an empty value.
    Nothing,
    /// One credential.
    One(Cow<'a, [u8]>),
    /// More than one: which of them counts is a matter on which two readers would differ.
    Several,
}

impl CredentialLocation {
    /// The credential of this source in `request`.
    #[must_use]
    pub fn find<'a>(&self, request: &Request<'a>) -> Found<'a> {
        match self {
            Self::Header { name, prefix } => header::find(request.values(name), prefix),
            Self::Query(name) => query::find(request.raw_query(), name),
            Self::Cookie(name) => cookie::find(request.values("cookie"), name),
        }
    }

    /// Whether anything stands there, be it empty, several, or no credential to anybody who reads strictly: in a header
    /// that an application may take for this one, or under a name that it may take for this one.
    #[must_use]
    pub fn is_present_in(&self, request: &Request<'_>) -> bool {
        match self {
            Self::Header { name, prefix } => request
                .headers()
                .any(|(own, value)| is_same_header(own, name.as_bytes()) && header::may_hold(value, prefix)),
            Self::Query(name) => query::may_hold(request.raw_query(), name),
            Self::Cookie(name) => cookie::may_hold(request.values("cookie"), name),
        }
    }
}

/// The one credential in several sources; found in two of them, it is there twice.
#[must_use]
pub fn find_in<'a>(locations: &[CredentialLocation], request: &Request<'a>) -> Found<'a> {
    let mut found = Found::Nothing;
    for location in locations {
        match (location.find(request), &found) {
            (Found::Nothing, _) => {}
            (Found::One(credential), Found::Nothing) => found = Found::One(credential),
            _ => return Found::Several,
        }
    }
    found
}

/// Adds one more value to what was found so far.
fn add<'a>(found: Found<'a>, value: Cow<'a, [u8]>) -> Found<'a> {
    match found {
        Found::Nothing => Found::One(value),
        _ => Found::Several,
    }
}

#[cfg(test)]
mod tests;
