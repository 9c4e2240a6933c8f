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
    /// How the password is checked; without it no login as this user is possible.
    pub password: Option<PasswordHash>,
    /// What the upstream gets.
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
    /// The users, each with its mark.
    users: BTreeMap<String, (User, [u8; 32])>,
    /// The least mark of a user with a password: that of every name without one.
    least_mark: Option<[u8; 32]>,
    /// Users with a password: a login with an unknown name is hashed against one of theirs.
    with_password: Vec<String>,
}

impl UserDirectory {
    /// An empty directory of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What failures for `username` are counted under, together with that name. Of a user with a password: a
    /// digest of the directory's name, the username and the password hash. So a change of other users forgets
    /// no failure, and a directory of the same name with another user of that name counts for itself.
    ///
    /// A name without a password gets the least of these digests, so that it differs from directory to
    /// directory too, and is seldom changed by a change of the users.
    #[must_use]
    pub fn mark(&self, username: &str) -> [u8; 32] {
        let unknown = self.least_mark.unwrap_or_default();
        match self.users.get(username) {
            Some((User { password: Some(_), .. }, mark)) => *mark,
            Some((User { password: None, .. }, _)) | None => unknown,
        }
    }

    /// Adds a user; says whether the username was free.
    pub fn insert(&mut self, username: String, user: User) -> bool {
        if self.users.contains_key(&username) {
            return false;
        }
        let stored = user.password.as_ref().map(PasswordHash::stored).unwrap_or_default();
        let mark = crate::digest::of(&[b"users", self.name.as_bytes(), username.as_bytes(), stored]);
        if user.password.is_some() {
            self.with_password.push(username.clone());
            self.least_mark = Some(self.least_mark.map_or(mark, |least| least.min(mark)));
        }
        self.users.insert(username, (user, mark));
        true
    }

    /// The user of this name.
    #[must_use]
    pub fn get(&self, username: &str) -> Option<&User> {
        self.users.get(username).map(|(user, _)| user)
    }

    /// Whether any user can log in by password.
    #[must_use]
    pub fn has_passwords(&self) -> bool {
        !self.with_password.is_empty()
    }

    /// The hash that a password for `username` is checked against, and whose it is. A name that
    /// is unknown gets the hash of some user, always the same one for the same name, so that the
    /// time tells nothing; then the result has no user. The other user is looked up in any case: at ten
    /// thousand tries even that shows.
    #[must_use]
    pub fn hash_for(&self, username: &str) -> (Option<&PasswordHash>, Option<&User>) {
        let digest: [u8; 32] = Sha256::digest(username).into();
        let word = digest.first_chunk().map_or(0, |chunk| usize::from_le_bytes(*chunk));
        let index = word.checked_rem(self.with_password.len());
        let somebody = index.and_then(|index| self.get(self.with_password.get(index)?));
        match self.get(username) {
            Some(user) if user.password.is_some() => (user.password.as_ref(), Some(user)),
            _ => (somebody.and_then(|user| user.password.as_ref()), None),
        }
    }
}
