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

    /// Whether `name` is one of them. Underscores count as hyphens: servers that hand headers on as
    /// variables (RFC 3875 section 4.1.18) cannot tell them apart.
    pub fn contains(&self, name: &[u8]) -> bool {
        let same = |own: &str| {
            own.len() == name.len()
                && own.bytes().zip(name).all(|(a, &b)| {
                    a == b.to_ascii_lowercase() || (a == b'-' && b == b'_') || (a == b'_' && b == b'-')
                })
        };
        self.lengths & bit(name.len()) != 0 && self.names.iter().any(|own| same(own))
    }
}

/// The bit of a length; those beyond share the last one.
fn bit(length: usize) -> u64 {
    1 << length.min(63)
}
