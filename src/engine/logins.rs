//! A username and a password in a request, and the directories that may know them.

use std::rc::Rc;

use smallvec::SmallVec;
use zeroize::Zeroizing;

use super::credential_status::{Authenticated, CredentialStatus};
use super::evaluation::Evaluation;
use crate::credential::{Found, basic};
use crate::decision::Denial;
use crate::host::{HostError, IS_NATIVE};
use crate::identity::{User, UserDirectory};
use crate::login::{DeferredLogin, LoginOutcome, Try};
use crate::policy::{SchemeId, SchemeKind};
use crate::reason::Reason;

/// A username and a password.
pub(super) type Login = (String, Zeroizing<Vec<u8>>);

impl<'a> Evaluation<'a> {
    /// What the request presents for a scheme of HTTP Basic, if it is a login.
    pub(super) fn login(&self, id: SchemeId) -> Option<&Login> {
        let look = self.look(id)?;
        let read = || match self.found(id)? {
            Found::One(credential) => basic::decode(credential),
            Found::Nothing | Found::Several => None,
        };
        look.login.get_or_init(read).as_ref()
    }

    /// What the request presents for a scheme of HTTP Basic, whose users are `users`.
    pub(super) fn verify_basic(&self, id: SchemeId, users: &'a Rc<UserDirectory>) -> CredentialStatus<'a> {
        let Some(login) = self.login(id) else {
            return CredentialStatus::bad(
                Reason::BasicMalformed,
                "not base64 of user-id:password (RFC 7617)",
            );
        };
        let outcome = match self.outcome(id, login, users) {
            Ok(outcome) => outcome,
            Err(pending) => return pending,
        };
        match outcome {
            LoginOutcome::Right(user) if user.disabled => CredentialStatus::Inactive,
            LoginOutcome::Right(user) => {
                CredentialStatus::Authenticated(Authenticated::Basic { username: login.0.clone(), user })
            }
            LoginOutcome::Wrong => CredentialStatus::bad(Reason::PasswordWrong, ""),
            LoginOutcome::Throttled(seconds) => CredentialStatus::unchecked(Denial::throttled(seconds)),
            LoginOutcome::Busy(seconds) => CredentialStatus::unchecked(Denial::busy(seconds)),
            LoginOutcome::Failed(HostError(what)) => CredentialStatus::unchecked(Denial::host_failure(what)),
        }
    }

    /// What `login` is worth at `users`. It is one attempt for all directories of the requirement: a right login at one of
    /// them is no failure at the others.
    ///
    /// # Errors
    /// The password is being hashed on another thread.
    fn outcome(
        &self,
        id: SchemeId,
        login: &Login,
        users: &'a Rc<UserDirectory>,
    ) -> Result<LoginOutcome<&'a User>, CredentialStatus<'a>> {
        // A request that waits is what it takes for its password to be hashed elsewhere.
        if IS_NATIVE && (self.memo.login(id).is_some() || (self.can_pause && self.host.has_threads())) {
            return self.deferred_outcome(id, login, users);
        }
        if !self.is_tried.replace(true) {
            self.try_each(login);
        }
        let (username, password) = login;
        Ok(match self.look(id).and_then(|look| look.outcome.get()) {
            Some(outcome) => *outcome,
            // Another one took it, and this one is needed besides.
            None => self.engine.passwords.check(users, username, password, self.host),
        })
    }

    /// The same where passwords are hashed on other threads.
    fn deferred_outcome(
        &self,
        id: SchemeId,
        login: &Login,
        users: &'a Rc<UserDirectory>,
    ) -> Result<LoginOutcome<&'a User>, CredentialStatus<'a>> {
        let (username, password) = login;
        let begun = match self.memo.login(id) {
            Some(begun) => begun,
            None if self.memo.has_no_login() => {
                let (schemes, directories) = self.directories(login);
                let begun = self.engine.passwords.begin_check(&directories, username, password, self.host);
                schemes.iter().for_each(|own| self.memo.set_login(*own, begun.clone()));
                begun
            }
            None => self.begin_alone(id, login, users),
        };
        // Another directory took it, and this one is needed besides.
        let begun = if begun.is_settled() && begun.outcome(users, username).is_none() {
            self.begin_alone(id, login, users)
        } else {
            begun
        };
        match begun.outcome(users, username) {
            Some(outcome) => Ok(outcome),
            None if self.can_pause => Err(CredentialStatus::pending(begun.id, username.as_bytes())),
            None => Ok(LoginOutcome::Busy(1)),
        }
    }

    fn begin_alone(&self, id: SchemeId, login: &Login, users: &Rc<UserDirectory>) -> DeferredLogin {
        let (username, password) = login;
        let users = std::slice::from_ref(users);
        let begun = self.engine.passwords.begin_check(users, username, password, self.host);
        self.memo.set_login(id, begun.clone());
        begun
    }

    /// The schemes of the requirement that `login` is for, and their directories, each once.
    fn directories(&self, login: &Login) -> (SmallVec<[SchemeId; 1]>, SmallVec<[Rc<UserDirectory>; 1]>) {
        let schemes: SmallVec<[SchemeId; 1]> =
            self.requirement.schemes().filter(|own| self.login(*own) == Some(login)).collect();
        let mut directories: SmallVec<[Rc<UserDirectory>; 1]> = SmallVec::new();
        for directory in schemes.iter().filter_map(|own| self.directory(*own)) {
            if !directories.iter().any(|own| Rc::ptr_eq(own, directory)) {
                directories.push(Rc::clone(directory));
            }
        }
        (schemes, directories)
    }

    /// Tries `login` at each directory of the requirement, up to the first one that takes it.
    fn try_each(&self, login: &Login) {
        let schemes = || self.requirement.schemes().filter(|own| self.login(*own) == Some(login));
        let mut tries: SmallVec<[Try<'a>; 1]> = SmallVec::new();
        for directory in schemes().filter_map(|own| self.directory(own)) {
            // Schemes may share one.
            if !tries.iter().any(|own| std::ptr::eq(own.directory, &raw const **directory)) {
                tries.push(Try::of(directory));
            }
        }
        self.engine.passwords.check_each(&mut tries, &login.0, &login.1, self.host);
        for scheme in schemes() {
            let is_its = |own: &&Try<'a>| {
                self.directory(scheme)
                    .is_some_and(|directory| std::ptr::eq(own.directory, &raw const **directory))
            };
            let outcome = tries.iter().find(is_its).and_then(|own| own.outcome);
            if let (Some(look), Some(outcome)) = (self.look(scheme), outcome) {
                look.outcome.get_or_init(|| outcome);
            }
        }
    }

    fn directory(&self, id: SchemeId) -> Option<&'a Rc<UserDirectory>> {
        match &self.scheme(id)?.kind {
            SchemeKind::Basic(users) => Some(users),
            SchemeKind::Token { .. } | SchemeKind::ApiKey(_) | SchemeKind::MutualTls(_) => None,
        }
    }
}
