//! The headers in which the gate alone may speak.

use std::rc::Rc;

/// Names of headers, in lower case.
#[derive(Debug)]
pub struct Reserved {
    names: Vec<Rc<str>>,
    /// A bit for each length that one of them has: every header of every request is asked after, and
    /// hardly any has the length of one of these.
    lengths: u64,
}

impl Reserved {
    /// These names.
    pub fn new(names: Vec<Rc<str>>) -> Self {
        let lengths = names.iter().fold(0, |lengths, name| lengths | bit(name.len()));
        Self { names, lengths }
    }

    /// Whether `name` is one of them, or an application could take it for one.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.lengths & bit(name.len()) != 0
            && self.names.iter().any(|own| is_same_header(own.as_bytes(), name))
    }
}

/// Whether an application that gets headers as variables could take the two for one. CGI makes an underscore of a
/// hyphen (RFC 3875 section 4.1.18), PHP of a dot too, and older servers of every sign that is neither letter nor
/// digit.
#[must_use]
pub fn is_same_header(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| {
            left.eq_ignore_ascii_case(right)
                || !(left.is_ascii_alphanumeric() || right.is_ascii_alphanumeric())
        })
}

/// The bit of a length; those beyond share the last one.
fn bit(length: usize) -> u64 {
    1 << length.min(63)
}

#[cfg(test)]
#[path = "reserved_tests.rs"]
mod tests;
