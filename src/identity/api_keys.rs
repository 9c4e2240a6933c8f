//! Directories of API keys. A key is found by its SHA-256, so neither the keys nor the time a
//! lookup takes tell anything of what is stored.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use crate::identity::IdentityMemo;
use crate::reason::Reason;

/// The longest key that is looked at, in bytes, as of other credentials: it is hashed at every request.
const MAX_BYTES: usize = 8192;

/// What is known of an API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its owner.
    pub id: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Unix time in seconds from which it is refused.
    pub not_after: Option<i64>,
    /// Whether it is switched off.
    pub disabled: bool,
    /// What the upstream gets; kept for small directories only, because it takes memory.
    pub identity: Option<IdentityMemo>,
    /// The number of the client in its policy; `None`: it is one of many.
    pub client: Option<u8>,
}

/// Why an API key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyError {
    /// Of no client.
    Unknown,
    /// Past its `not_after`.
    Expired,
    /// Switched off.
    Disabled,
}

impl ApiKeyError {
    /// The reason of the refusal.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::Unknown => Reason::ApiKeyUnknown,
            Self::Expired => Reason::ApiKeyExpired,
            Self::Disabled => Reason::ApiKeyDisabled,
        }
    }
}

/// One directory of `api_keys`.
#[derive(Debug, Default)]
pub struct ApiKeyDirectory {
    keys: HashMap<[u8; 32], ApiKey>,
}

impl ApiKeyDirectory {
    /// Adds a key by its digest. Two keys may share an id, so that one can replace the other.
    ///
    /// # Errors
    /// The id of the key that has this digest already.
    pub fn insert(&mut self, sha256: [u8; 32], key: ApiKey) -> Result<(), String> {
        match self.keys.entry(sha256) {
            std::collections::hash_map::Entry::Occupied(entry) => Err(entry.get().id.clone()),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(key);
                Ok(())
            }
        }
    }

    /// The key `presented`, if it is accepted. `is_before` tells whether a Unix time is ahead.
    ///
    /// # Errors
    /// Why it is not.
    pub fn verify(
        &self,
        presented: &[u8],
        is_before: impl FnOnce(i64) -> bool,
    ) -> Result<&ApiKey, ApiKeyError> {
        if presented.len() > MAX_BYTES {
            return Err(ApiKeyError::Unknown);
        }
        let digest: [u8; 32] = Sha256::digest(presented).into();
        let key = self.keys.get(&digest).ok_or(ApiKeyError::Unknown)?;
        if key.disabled {
            return Err(ApiKeyError::Disabled);
        }
        if key.not_after.is_some_and(|end| !is_before(end)) {
            return Err(ApiKeyError::Expired);
        }
        Ok(key)
    }
}

#[cfg(test)]
#[path = "api_keys_tests.rs"]
mod tests;
