//! Header edits: what the client must not have said goes, what the gate found out comes in.

use std::rc::Rc;

use crate::credential::{Source, without_cookies, without_parameters};
use crate::request::Request;

/// One change of the request headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderEdit {
    /// Every header of this name goes. Names are in lower case.
    Remove(Vec<u8>),
    /// The header has this value and no other.
    Set(Rc<str>, Vec<u8>),
}

/// Whether `value` can be a header value as it is (RFC 9110 section 5.5): no control characters,
/// and no space at the ends, which recipients cut off.
#[must_use]
pub fn is_header_value(value: &[u8]) -> bool {
    let is_space = |b: Option<&u8>| matches!(b, Some(b' ' | b'\t'));
    !is_space(value.first())
        && !is_space(value.last())
        && value.iter().all(|&b| b == b'\t' || (b >= b' ' && b != 0x7F))
}

/// Collects the edits of a request. Credentials of several schemes may share a header, so what
/// goes is gathered first and worked out once.
#[derive(Debug, Default)]
pub struct Edits<'p> {
    removed: Vec<&'p Source>,
    set: Vec<(Rc<str>, Vec<u8>)>,
}

impl<'p> Edits<'p> {
    /// Removes the credential from where `source` says it stands.
    pub fn remove(&mut self, source: &'p Source) {
        self.removed.push(source);
    }

    /// Sets a header; a header that was set before keeps its first value.
    pub fn set(&mut self, name: &Rc<str>, value: Vec<u8>) {
        if self.set.iter().all(|(own, _)| own != name) {
            self.set.push((Rc::clone(name), value));
        }
    }

    /// The edits for `request`, where the gate alone may speak in headers that `is_reserved`.
    #[must_use]
    pub fn finish(self, request: &Request<'_>, is_reserved: impl Fn(&[u8]) -> bool) -> Vec<HeaderEdit> {
        let mut edits = Vec::new();
        let mut query = Vec::new();
        let mut cookies = Vec::new();
        for source in self.removed {
            match source {
                Source::Header { name, .. } => {
                    let removal = HeaderEdit::Remove(name.as_bytes().to_vec());
                    if source.stands_in(request) && !edits.contains(&removal) {
                        edits.push(removal);
                    }
                }
                Source::Query(name) => query.push(name.as_str()),
                Source::Cookie(name) => cookies.push(name.as_str()),
            }
        }
        if !query.is_empty()
            && let Some(target) = without_parameters(request.target(), &query)
        {
            edits.push(HeaderEdit::Set(":path".into(), target));
        }
        if !cookies.is_empty()
            && let Some(rest) = without_cookies(request.values("cookie"), &cookies)
        {
            edits.push(if rest.is_empty() {
                HeaderEdit::Remove(b"cookie".to_vec())
            } else {
                HeaderEdit::Set("cookie".into(), rest)
            });
        }
        for (name, _) in request.headers().filter(|(name, _)| is_reserved(name)) {
            let removal = HeaderEdit::Remove(name.to_vec());
            let will_be_set = self.set.iter().any(|(own, _)| own.as_bytes() == name);
            if !will_be_set && !edits.contains(&removal) {
                edits.push(removal);
            }
        }
        edits.extend(self.set.into_iter().map(|(name, value)| HeaderEdit::Set(name, value)));
        edits
    }
}

#[cfg(test)]
#[path = "edits_tests.rs"]
mod tests;
