//! A username and a password in, a verdict out: memory, throttle, budget, hash, in this order.

use std::cell::RefCell;

use super::budget::Budget;
use super::memory::Memory;
use super::throttle::Throttle;
use crate::config::PasswordSettings;
use crate::host::{Host, HostError};
use crate::identity::{User, UserDirectory};
use crate::metrics::{Event, PasswordCheck};

/// What a username and a password are worth.
#[derive(Debug)]
pub enum Outcome<'d> {
    /// They belong together. The user may still be switched off.
    Right(&'d User),
    /// They do not, or there is no such user.
    Wrong,
    /// Too many failures: to be tried again after so many seconds.
    Throttled(u64),
    /// This worker has hashed enough: to be tried again after so many seconds.
    Busy(u64),
    /// The host did not do its part.
    Failed(HostError),
}

/// Checks passwords for one worker.
pub struct PasswordChecker {
    throttle: Throttle,
    remember_seconds: i64,
    budget: RefCell<Budget>,
    memory: RefCell<Option<Memory>>,
}

impl PasswordChecker {
    /// A checker with these limits.
    #[must_use]
    pub fn new(settings: &PasswordSettings) -> Self {
        Self {
            throttle: Throttle { failures: settings.max_failures, window: settings.window_seconds },
            remember_seconds: settings.remember_seconds,
            budget: RefCell::new(Budget::new(settings.worker_share_percent)),
            memory: RefCell::new(None),
        }
    }

    /// Checks a login.
    pub fn log_in<'d>(
        &self,
        directory: &'d UserDirectory,
        username: &str,
        password: &[u8],
        host: &dyn Host,
    ) -> Outcome<'d> {
        let address = address_of(host);
        let outcome = self
            .throttled(username, &address, host)
            .and_then(|()| self.hash(directory, username, password, &address, host));
        let outcome = outcome.unwrap_or_else(|refusal| refusal);
        match outcome {
            Outcome::Throttled(_) => host.note(Event::Password(PasswordCheck::Throttled)),
            Outcome::Busy(_) => host.note(Event::Password(PasswordCheck::Busy)),
            // What was hashed is counted where it was.
            Outcome::Right(_) | Outcome::Wrong | Outcome::Failed(_) => {}
        }
        outcome
    }

    /// Checks a credential that comes with every request: one that was verified not long ago is
    /// not hashed again.
    pub fn check<'d>(
        &self,
        directory: &'d UserDirectory,
        username: &str,
        password: &[u8],
        host: &dyn Host,
    ) -> Outcome<'d> {
        if self.remember_seconds == 0 {
            return self.log_in(directory, username, password, host);
        }
        let mut memory = self.memory.borrow_mut();
        if memory.is_none() {
            let mut key = [0; 32];
            if let Err(error) = host.random(&mut key) {
                return Outcome::Failed(error);
            }
            *memory = Some(Memory::new(self.remember_seconds, key));
        }
        let Some(memory) = memory.as_mut() else { return Outcome::Wrong };
        // The memory is asked first, whoever it is: only for a user, its time would tell one.
        if memory.knows(directory.name(), username, password, host.about_now())
            && let Some(user) = directory.get(username)
        {
            host.note(Event::Password(PasswordCheck::Remembered));
            return Outcome::Right(user);
        }
        let outcome = self.log_in(directory, username, password, host);
        if let Outcome::Right(_) = outcome {
            memory.learn(directory.name(), username, password, host.now());
        }
        outcome
    }

    fn throttled(&self, username: &str, address: &str, host: &dyn Host) -> Result<(), Outcome<'static>> {
        match self.throttle.wait(host, username, address) {
            Ok(None) => Ok(()),
            Ok(Some(seconds)) => Err(Outcome::Throttled(seconds)),
            Err(error) => Err(Outcome::Failed(error)),
        }
    }

    fn hash<'d>(
        &self,
        directory: &'d UserDirectory,
        username: &str,
        password: &[u8],
        address: &str,
        host: &dyn Host,
    ) -> Result<Outcome<'d>, Outcome<'static>> {
        self.on_budget(host, || {
            host.note(Event::Password(PasswordCheck::Hashed));
            let (hash, user) = directory.hash_for(username);
            let verifies = hash.is_some_and(|hash| hash.verifies(password));
            let user = user.filter(|_| verifies);
            let counted = match user {
                Some(_) => self.throttle.succeed(host, username, address),
                None => self.throttle.fail(host, username, address),
            };
            match (counted, user) {
                (Err(error), _) => Outcome::Failed(error),
                (Ok(()), Some(user)) => Outcome::Right(user),
                (Ok(()), None) => Outcome::Wrong,
            }
        })
        .map_err(Outcome::Busy)
    }

    /// Does work that stops the worker, if the budget has room for it.
    ///
    /// # Errors
    /// The seconds to wait until it has.
    fn on_budget<T>(&self, host: &dyn Host, work: impl FnOnce() -> T) -> Result<T, u64> {
        self.budget.borrow_mut().ask(host.uptime())?;
        Ok(self.booked(host, work))
    }

    /// Does work that belongs to what was let through already: it is booked and not asked for.
    pub fn booked<T>(&self, host: &dyn Host, work: impl FnOnce() -> T) -> T {
        let start = host.uptime();
        let result = work();
        self.budget.borrow_mut().book(host.uptime().saturating_sub(start));
        result
    }
}

/// The client's address for the throttle. IPv6 clients choose the last 64 bits at will, so they
/// count for nothing; clients without an address count as one.
fn address_of(host: &dyn Host) -> String {
    let address = host.client_address().unwrap_or_default();
    match address.parse::<std::net::Ipv6Addr>() {
        Ok(ipv6) => match ipv6.to_ipv4_mapped() {
            Some(ipv4) => ipv4.to_string(),
            None => ipv6.segments().iter().take(4).map(|segment| format!("{segment:x}:")).collect(),
        },
        Err(_) => address,
    }
}

#[cfg(test)]
#[path = "checker_tests.rs"]
mod tests;
