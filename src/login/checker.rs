//! A username and a password in, a verdict out: memory, throttle, budget, hash, in this order.
//!
//! A login has three steps, so that the one in the middle can be done elsewhere: [`PasswordChecker::admit`]
//! decides whether the password is hashed, [`Admitted::verifies`] hashes it and touches nothing else, and
//! [`PasswordChecker::settle`] books what came of it. Where hashes run beside one another, so many more than
//! the throttle allows may be admitted before the first is booked.

use std::cell::RefCell;
use std::time::Duration;

use super::admission::{Admission, Attempt, LoginHistory};
use super::away::Away;
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
    /// Whether `password` is the one that was hashed: of the user, or of somebody else where there is no
    /// such user. Takes its time, and does nothing else.
    #[must_use]
    pub fn verifies(&self, password: &[u8]) -> bool {
        self.hash.is_some_and(|hash| hash.verifies(password))
    }
}

/// Checks passwords for one worker.
pub struct PasswordChecker {
    pub(super) throttle: Throttle,
    remember_seconds: i64,
    pub(super) admission: RefCell<Admission>,
    verified: RefCell<Option<VerifiedPasswordCache>>,
    pub(super) away: RefCell<Away>,
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
            away: RefCell::default(),
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
        let account = Account::new(directory.digest(), username.as_bytes());
        match self.throttle.wait(host, account, &address) {
            Ok(None) => {}
            Ok(Some(seconds)) => {
                host.record(Event::Password(PasswordCheck::Throttled));
                return Err(LoginOutcome::Throttled(seconds));
            }
            Err(error) => return Err(LoginOutcome::Failed(error)),
        }
        let attempt = attempt(account, &address);
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
        match self.throttle.wait(host, account, &address) {
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
        if !self.remembers() {
            return self.log_in(directory, username, password, host);
        }
        match self.recall(directory, username, password, host) {
            Ok(Some(user)) => return LoginOutcome::Right(user),
            Ok(None) => {}
            Err(error) => return LoginOutcome::Failed(error),
        }
        let outcome = self.log_in(directory, username, password, host);
        if let LoginOutcome::Right(_) = outcome {
            self.learn(directory.name(), username, password, host);
        }
        outcome
    }

    /// Whether credentials are remembered.
    pub(super) fn remembers(&self) -> bool {
        self.remember_seconds != 0
    }

    /// The user whose password this was not long ago. The memory is asked whoever it is: only for a user, its time
    /// would tell one.
    pub(super) fn recall<'d>(
        &self,
        directory: &'d UserDirectory,
        username: &str,
        password: &[u8],
        host: &dyn Host,
    ) -> Result<Option<&'d User>, HostError> {
        let mut cache = self.verified.borrow_mut();
        if cache.is_none() {
            let mut key = [0; 32];
            host.random(&mut key)?;
            *cache = Some(VerifiedPasswordCache::new(self.remember_seconds, key));
        }
        let knows = cache
            .as_mut()
            .is_some_and(|cache| cache.contains(directory.name(), username, password, host.coarse_now()));
        let user = directory.get(username).filter(|_| knows);
        if user.is_some() {
            host.record(Event::Password(PasswordCheck::Remembered));
        }
        Ok(user)
    }

    /// Remembers a password that was right.
    pub(super) fn learn(&self, directory: &str, username: &str, password: &[u8], host: &dyn Host) {
        if let Some(cache) = self.verified.borrow_mut().as_mut() {
            cache.insert(directory, username, password, host.now());
        }
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
        address: tag(&[address.as_str().as_bytes()]),
        site: address.site().map(|site| tag(&[site.as_bytes()])),
        name: tag(&[account.digest()]),
    }
}

#[cfg(test)]
#[path = "checker_tests.rs"]
mod tests;
