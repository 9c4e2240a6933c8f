//! Headers that a source wants to be asked with, such as a token: their values are secrets.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::secret::Secret;

/// Names in lower case, and values.
#[derive(Clone, Default)]
pub struct FetchHeaders(Vec<(String, Secret)>);

impl FetchHeaders {
    /// These headers. Values are valid in a header.
    #[must_use]
    pub fn new(headers: Vec<(String, Secret)>) -> Self {
        Self(headers)
    }

    /// Each, for the request.
    pub fn iter(&self) -> impl Iterator<Item = (String, String)> {
        let text = |value: &Secret| String::from_utf8_lossy(value.expose()).into_owned();
        self.0.iter().map(move |(name, value)| (name.clone(), text(value)))
    }

    /// What tells them from others and nothing of the values: another client may be given another document.
    #[must_use]
    pub fn identity(&self) -> String {
        let of = |(name, value): &(String, Secret)| {
            let digest =
                Sha256::new_with_prefix(name).chain_update([0]).chain_update(value.expose()).finalize();
            digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        self.0.iter().map(of).collect()
    }
}

impl fmt::Debug for FetchHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
