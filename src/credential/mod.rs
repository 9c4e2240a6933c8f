//! Taking a credential out of a request, and out of what goes upstream. The same reading serves
//! both, so that a credential cannot be verified in one place and left in another.

pub mod basic;
mod cookie;
mod header;
mod loose;
mod query;
mod subprotocol;

pub use cookie::without_cookies;
pub use header::after_prefix;
pub use query::without_parameters;
pub use subprotocol::without_subprotocols;

use std::borrow::Cow;
use std::rc::Rc;

use crate::http_syntax::is_same_header;
use crate::request::Request;
use crate::setting::words;

/// Where a credential may be.
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
    /// In the list of a WebSocket's subprotocols, behind this name.
    Subprotocol(String),
}

words! {
    /// Which place counts if a request has credentials in several of `from`.
    #[derive(Default)]
    pub enum FromOrder {
        /// All of them: they must be equal.
        #[default]
        One = "one",
        /// The first place of the list that has one. The others are not looked at, and are removed all the same.
        First = "first",
    }
}

/// How several credentials of one scheme are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Which place counts.
    pub order: FromOrder,
    /// Whether equal values in one cookie or parameter that is there several times are one. A header that is there several
    /// times never is.
    pub equal_is_one: bool,
}

/// The header with the list of a WebSocket's subprotocols.
pub const SUBPROTOCOLS: &str = "sec-websocket-protocol";

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
    pub fn find<'a>(&self, request: &Request<'a>, equal_is_one: bool) -> Found<'a> {
        match self {
            Self::Header { name, prefix } => header::find(request.values(name), prefix),
            Self::Query(name) => query::find(request.raw_query(), name, equal_is_one),
            Self::Cookie(name) => cookie::find(request.values("cookie"), name, equal_is_one),
            Self::Subprotocol(name) => subprotocol::find(request.values(SUBPROTOCOLS), name, equal_is_one),
        }
    }

    /// Whether anything is there, be it empty, several, or no credential to a strict reader: in a header
    /// that an application may take for this one, or under a name that it may take for this one.
    #[must_use]
    pub fn is_present_in(&self, request: &Request<'_>) -> bool {
        match self {
            Self::Header { name, prefix } => request
                .headers()
                .any(|(own, value)| is_same_header(own, name.as_bytes()) && header::may_hold(value, prefix)),
            Self::Query(name) => query::may_hold(request.raw_query(), name),
            Self::Cookie(name) => cookie::may_hold(request.values("cookie"), name),
            Self::Subprotocol(name) => subprotocol::may_hold(request.values(SUBPROTOCOLS), name),
        }
    }
}

/// The one credential in several places. Different ones are several, unless the first place counts.
#[must_use]
pub fn find_in<'a>(locations: &[CredentialLocation], reading: Reading, request: &Request<'a>) -> Found<'a> {
    let mut found = Found::Nothing;
    for location in locations {
        match (location.find(request, reading.equal_is_one), &found) {
            (Found::Nothing, _) => {}
            (Found::Several, _) => return Found::Several,
            (own @ Found::One(_), Found::Nothing) => match reading.order {
                FromOrder::First => return own,
                FromOrder::One => found = own,
            },
            (Found::One(own), Found::One(other)) if own == *other => {}
            (Found::One(_), Found::One(_) | Found::Several) => return Found::Several,
        }
    }
    found
}

/// Adds one more value to what was found so far.
fn add<'a>(found: Found<'a>, value: Cow<'a, [u8]>, equal_is_one: bool) -> Found<'a> {
    match found {
        Found::Nothing => Found::One(value),
        Found::One(other) if equal_is_one && other == value => Found::One(other),
        Found::One(_) | Found::Several => Found::Several,
    }
}

#[cfg(test)]
mod tests;
