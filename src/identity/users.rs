//! Directories of users.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::identity::IdentityMemo;
use crate::password::PasswordHash;

/// What is known of a user.
#[derive(Clone, Debug)]
pub struct User {
    /// Whether the user is switched off.
    pub disabled: bool,
    /// What the user may do, if that is said.
    pub scopes: Option<Vec<String>>,
    /// How the password is checked; without it nobody can log in as this user.
    pub password: Option<PasswordHash>,
    /// What the upstream is told.
    pub identity: IdentityMemo,
}

impl User {
    /// What the user may do.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        self.scopes.as_deref().unwrap_or_default()
    }

    /// The same, if it is said at all.
    #[must_use]
    pub fn listed_scopes(&self) -> Option<&[String]> {
        self.scopes.as_deref()
    }
}

/// One directory of `users`.
#[derive(Debug, Default)]
pub struct UserDirectory {
    name: String,
    digest: [u8; 32],
    users: BTreeMap<String, User>,
    /// Users with a password, for who asks for one that does not exist.
    with_password: Vec<String>,
}

impl UserDirectory {
    /// An empty directory of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let digest = crate::digest::of(&[b"users", name.as_bytes()]);
        Self { name: name.to_owned(), digest, ..Self::default() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A digest of its name and of the names and password hashes in it: no other directory has it, also
    /// where its name is the same.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Adds a user; says whether the username was free.
    pub fn insert(&mut self, username: String, user: User) -> bool {
        if self.users.contains_key(&username) {
            return false;
        }
        let stored = user.password.as_ref().map(PasswordHash::stored).unwrap_or_default();
        self.digest = crate::digest::of(&[&self.digest, username.as_bytes(), stored]);
        if user.password.is_some() {
            self.with_password.push(username.clone());
        }
        self.users.insert(username, user);
        true
    }

    /// The user of this name.
    #[must_use]
    pub fn get(&self, username: &str) -> Option<&User> {
        self.users.get(username)
    }

    /// Whether anybody can log in by password.
    #[must_use]
    pub fn has_passwords(&self) -> bool {
        !self.with_password.is_empty()
    }

    /// The hash that a password for `username` is checked against, and whose it is. A name that
    /// nobody has gets the hash of somebody, always the same one for the same name, so that the
    /// time tells nothing; then there is no user to it. Somebody is looked for in any case: at ten
    /// thousand tries even that shows.
    #[must_use]
    pub fn hash_for(&self, username: &str) -> (Option<&PasswordHash>, Option<&User>) {
        let digest: [u8; 32] = Sha256::digest(username).into();
        let word = digest.first_chunk().map_or(0, |chunk| usize::from_le_bytes(*chunk));
        let index = word.checked_rem(self.with_password.len());
        let somebody = index.and_then(|index| self.users.get(self.with_password.get(index)?));
        match self.users.get(username) {
            Some(user) if user.password.is_some() => (user.password.as_ref(), Some(user)),
            _ => (somebody.and_then(|user| user.password.as_ref()), None),
        }
    }
}
