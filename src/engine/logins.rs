//! A username and a password in a request, and the directories that may know them.

use smallvec::SmallVec;
use zeroize::Zeroizing;

use super::credential_status::{Authenticated, CredentialStatus};
use super::evaluation::Evaluation;
use crate::credential::{Found, basic};
use crate::decision::Denial;
use crate::host::HostError;
use crate::identity::{User, UserDirectory};
use crate::login::{LoginOutcome, Try};
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
    pub(super) fn verify_basic(&self, id: SchemeId, users: &'a UserDirectory) -> CredentialStatus<'a> {
        let Some(login) = self.login(id) else {
            return CredentialStatus::bad(
                Reason::BasicMalformed,
                "not base64 of user-id:password (RFC 7617)",
            );
        };
        match self.outcome(id, login, users) {
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
    fn outcome(&self, id: SchemeId, login: &Login, users: &'a UserDirectory) -> LoginOutcome<&'a User> {
        if !self.is_tried.replace(true) {
            self.try_each(login);
        }
        let (username, password) = login;
        match self.look(id).and_then(|look| look.outcome.get()) {
            Some(outcome) => *outcome,
            // Another one took it, and this one is needed besides.
            None => self.engine.passwords.check(users, username, password, self.host),
        }
    }

    /// Tries `login` at each directory of the requirement, up to the first one that takes it.
    fn try_each(&self, login: &Login) {
        let schemes = || self.requirement.schemes().filter(|own| self.login(*own) == Some(login));
        let mut tries: SmallVec<[Try<'a>; 1]> = SmallVec::new();
        for directory in schemes().filter_map(|own| self.directory(own)) {
            // Schemes may share one.
            if !tries.iter().any(|own| std::ptr::eq(own.directory, directory)) {
                tries.push(Try::of(directory));
            }
        }
        self.engine.passwords.check_each(&mut tries, &login.0, &login.1, self.host);
        for scheme in schemes() {
            let is_its = |own: &&Try<'a>| {
                self.directory(scheme).is_some_and(|directory| std::ptr::eq(own.directory, directory))
            };
            let outcome = tries.iter().find(is_its).and_then(|own| own.outcome);
            if let (Some(look), Some(outcome)) = (self.look(scheme), outcome) {
                look.outcome.get_or_init(|| outcome);
            }
        }
    }

    fn directory(&self, id: SchemeId) -> Option<&'a UserDirectory> {
        match &self.scheme(id)?.kind {
            SchemeKind::Basic(users) => Some(users),
            SchemeKind::Token { .. } | SchemeKind::ApiKey(_) | SchemeKind::MutualTls(_) => None,
        }
    }
}
