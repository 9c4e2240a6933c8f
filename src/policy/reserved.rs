//! The headers in which the filter alone may speak.

use std::rc::Rc;

use crate::http_syntax::is_same_header;

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
    #[inline]
    pub fn contains(&self, name: &[u8]) -> bool {
        self.lengths & bit(name.len()) != 0
            && self.names.iter().any(|own| is_same_header(own.as_bytes(), name))
    }
}

/// The bit of a length; those beyond share the last one.
#[inline]
fn bit(length: usize) -> u64 {
    1 << length.min(63)
}

#[cfg(test)]
#[path = "reserved_tests.rs"]
mod tests;
