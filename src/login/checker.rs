//! A username and a password in, a verdict out: memory, throttle, budget, hash, in this order.
//!
//! A login has three steps, so that the one in the middle can be done elsewhere: [`PasswordChecker::admit`]
//! decides whether the password is hashed, [`Admitted::verifies`] hashes it and touches nothing else, and
//! [`PasswordChecker::settle`] books what came of it. Where hashes run beside one another, so many more than
//! the throttle allows may be admitted before the first is booked.

use std::cell::RefCell;
use std::time::Duration;

use super::admission::{Admission, Attempt, LoginHistory};
use super::deferred::Deferred;
use super::each::Try;
use super::settings::PasswordSettings;
use super::throttle::{Account, Throttle, tags};
use super::verified_password_cache::VerifiedPasswordCache;
use crate::host::{ClientAddress, Event, Host, HostError, PasswordCheck};
use crate::identity::{User, UserDirectory};
use crate::password::PasswordHash;

/// What a name and a secret are worth.
#[derive(Clone, Copy, Debug)]
pub enum LoginOutcome<T> {
    /// They belong together. A user may still be switched off.
    Right(T),
    /// They do not, or there is no such name.
    Wrong,
    /// Too many failures: to be tried again after so many seconds.
    Throttled(u64),
    /// This worker has hashed enough: to be tried again after so many seconds.
    Busy(u64),
    /// The host did not do its part.
    Failed(HostError),
}

/// A login whose password is to be hashed: it was neither throttled nor was the worker busy.
#[derive(Debug)]
pub struct Admitted<'d> {
    pub(super) account: Account,
    pub(super) address: ClientAddress,
    pub(super) attempt: Attempt,
    pub(super) hash: Option<&'d PasswordHash>,
    pub(super) user: Option<&'d User>,
}

impl Admitted<'_> {
    /// Whether `password` is the one that was hashed: of the user, or of another user if there is no
    /// such user. Takes its time, and does nothing else.
    #[must_use]
    pub fn verifies(&self, password: &[u8]) -> bool {
        self.hash.is_some_and(|hash| hash.verifies(password))
    }
}

/// Checks passwords for one worker.
pub struct PasswordChecker {
    pub(super) throttle: Throttle,
    pub(super) remember_seconds: i64,
    pub(super) admission: RefCell<Admission>,
    pub(super) verified: RefCell<Option<VerifiedPasswordCache>>,
    pub(super) deferred: RefCell<Deferred>,
}

impl PasswordChecker {
    /// A checker with these limits.
    #[must_use]
    pub fn new(settings: &PasswordSettings, known: LoginHistory) -> Self {
        Self {
            throttle: Throttle { failures: settings.max_failures, window: settings.window_seconds },
            remember_seconds: settings.remember_seconds,
            admission: RefCell::new(Admission::new(settings.worker_share_percent, known)),
            verified: RefCell::new(None),
            deferred: RefCell::default(),
        }
    }

    /// Checks a login.
    pub fn log_in<'d>(
        &self,
        directory: &'d UserDirectory,
        username: &str,
        password: &[u8],
        host: &dyn Host,
    ) -> LoginOutcome<&'d User> {
        match self.admit(directory, username, host) {
            Ok(admitted) => {
                let start = host.monotonic();
                let verifies = admitted.verifies(password);
                self.settle(admitted, verifies, host.monotonic().saturating_sub(start), host)
            }
            Err(refusal) => refusal,
        }
    }

    /// Decides whether a password for `username` is hashed.
    ///
    /// # Errors
    /// The refusal.
    pub fn admit<'d>(
        &self,
        directory: &'d UserDirectory,
        username: &str,
        host: &dyn Host,
    ) -> Result<Admitted<'d>, LoginOutcome<&'d User>> {
        self.admit_from(directory, username, ClientAddress::of(host), host)
    }

    /// The same for a client at this address.
    pub(super) fn admit_from<'d>(
        &self,
        directory: &'d UserDirectory,
        username: &str,
        address: ClientAddress,
        host: &dyn Host,
    ) -> Result<Admitted<'d>, LoginOutcome<&'d User>> {
        let account = Account::new(&directory.mark(username), username.as_bytes());
        let attempt = attempt(account, &address);
        let is_known = self.admission.borrow().knows(attempt);
        match self.throttle.wait(host, account, &address, is_known) {
            Ok(None) => {}
            Ok(Some(seconds)) => {
                host.record(Event::Password(PasswordCheck::Throttled));
                return Err(LoginOutcome::Throttled(seconds));
            }
            Err(error) => return Err(LoginOutcome::Failed(error)),
        }
        if let Err(seconds) = self.admission.borrow_mut().ask(attempt, host.monotonic()) {
            host.record(Event::Password(PasswordCheck::Busy));
            return Err(LoginOutcome::Busy(seconds));
        }
        let (hash, user) = directory.hash_for(username);
        Ok(Admitted { account, address, attempt, hash, user })
    }

    /// Books what came of an admitted login, and the time that its hash took.
    pub fn settle<'d>(
        &self,
        admitted: Admitted<'d>,
        verifies: bool,
        cost: Duration,
        host: &dyn Host,
    ) -> LoginOutcome<&'d User> {
        host.record(Event::Password(PasswordCheck::Hashed));
        let user = admitted.user.filter(|_| verifies);
        self.admission.borrow_mut().book(admitted.attempt, user.is_some(), cost, host.monotonic());
        let counted = match user {
            Some(_) => self.throttle.succeed(host, admitted.account, &admitted.address),
            None => self.throttle.fail(host, admitted.account, &admitted.address),
        };
        match (counted, user) {
            (Err(error), _) => LoginOutcome::Failed(error),
            (Ok(()), Some(user)) => LoginOutcome::Right(user),
            (Ok(()), None) => LoginOutcome::Wrong,
        }
    }

    /// Checks a secret that costs nothing to check, such as a client's: throttled as passwords are.
    pub fn check_secret(
        &self,
        account: Account,
        host: &dyn Host,
        is_right: impl FnOnce() -> bool,
    ) -> LoginOutcome<()> {
        let address = ClientAddress::of(host);
        match self.throttle.wait(host, account, &address, false) {
            Ok(None) => {}
            Ok(Some(seconds)) => return LoginOutcome::Throttled(seconds),
            Err(error) => return LoginOutcome::Failed(error),
        }
        let (outcome, counted) = if is_right() {
            (LoginOutcome::Right(()), self.throttle.succeed(host, account, &address))
        } else {
            (LoginOutcome::Wrong, self.throttle.fail(host, account, &address))
        };
        counted.map_or_else(LoginOutcome::Failed, |()| outcome)
    }

    /// Checks a credential that comes with every request: one that was verified not long ago is
    /// not hashed again.
    pub fn check<'d>(
        &self,
        directory: &'d UserDirectory,
        username: &str,
        password: &[u8],
        host: &dyn Host,
    ) -> LoginOutcome<&'d User> {
        let mut tries = [Try::of(directory)];
        self.check_each(&mut tries, username, password, host);
        let [Try { outcome, .. }] = tries;
        outcome.unwrap_or(LoginOutcome::Wrong)
    }

    /// Does work that belongs to what was let through already: it is booked and not asked for.
    pub fn booked<T>(&self, host: &dyn Host, work: impl FnOnce() -> T) -> T {
        let start = host.monotonic();
        let result = work();
        self.admission.borrow_mut().book_more(host.monotonic().saturating_sub(start));
        result
    }
}

fn attempt(account: Account, address: &ClientAddress) -> Attempt {
    let tag = |parts: &[&[u8]]| {
        let [tag, _] = tags(parts);
        tag
    };
    Attempt {
        address: tag(&[address.as_str().unwrap_or_default().as_bytes()]),
        site: address.site().map(|site| tag(&[site.as_bytes()])),
        name: tag(&[account.digest()]),
    }
}

#[cfg(test)]
#[path = "checker_tests.rs"]
mod tests;
