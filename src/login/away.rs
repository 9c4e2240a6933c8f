//! Passwords that are hashed on another thread. What decides whether one is hashed, and what is booked for it, is
//! the same as in place; what is not known before the hash is done is reserved, and counted where it is done.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::admission::Attempt;
use super::checker::{Admitted, Outcome, PasswordChecker};
use crate::host::{Event, Host, PasswordCheck, Ticket, Verdict, Work, WorkDone};
use crate::identity::{User, UserDirectory};

/// How many passwords of one worker may be on their way at once. Each has its cost reserved.
const MOST: usize = 16;
/// What a hash is taken to cost until one was done.
const FIRST_COST: Duration = Duration::from_millis(50);

/// A login whose password is hashed elsewhere.
#[derive(Clone, Debug)]
pub struct Login {
    /// The number of the work.
    pub ticket: Ticket,
    verdict: Rc<Cell<Option<Verdict>>>,
}

impl Login {
    /// What the password is worth, once that is known.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        self.verdict.get()
    }
}

/// A password that is on its way.
struct Underway {
    login: Login,
    attempt: Attempt,
    reserved: Duration,
    /// Whom to remember it of: the directory's name, the username, the password.
    learns: Option<(String, String, Zeroizing<Vec<u8>>)>,
}

/// Those of one worker.
pub(super) struct Away {
    underway: HashMap<Ticket, Underway>,
    /// What the last one cost.
    cost: Duration,
}

impl Default for Away {
    fn default() -> Self {
        Self { underway: HashMap::new(), cost: FIRST_COST }
    }
}

impl PasswordChecker {
    /// Begins a login on another thread.
    ///
    /// # Errors
    /// What it is worth at once: it is throttled, or there is no room for it.
    pub fn begin_log_in<'d>(
        &self,
        directory: &'d UserDirectory,
        username: &str,
        password: &[u8],
        host: &dyn Host,
    ) -> Result<Login, Outcome<&'d User>> {
        self.begin(directory, username, password, false, host)
    }

    /// Begins to check a credential that comes with every request.
    ///
    /// # Errors
    /// What it is worth at once: it is remembered, or as above.
    pub fn begin_check<'d>(
        &self,
        directory: &'d UserDirectory,
        username: &str,
        password: &[u8],
        host: &dyn Host,
    ) -> Result<Login, Outcome<&'d User>> {
        if self.remembers() {
            match self.recall(directory, username, password, host) {
                Ok(Some(user)) => return Err(Outcome::Right(user)),
                Ok(None) => {}
                Err(error) => return Err(Outcome::Failed(error)),
            }
        }
        self.begin(directory, username, password, self.remembers(), host)
    }

    fn begin<'d>(
        &self,
        directory: &'d UserDirectory,
        username: &str,
        password: &[u8],
        learns: bool,
        host: &dyn Host,
    ) -> Result<Login, Outcome<&'d User>> {
        let admitted = self.admit(directory, username, host)?;
        let mut away = self.away.borrow_mut();
        let attempt = admitted.attempt;
        let ticket = (away.underway.len() < MOST)
            .then(|| host.take_over(self.work(&admitted, password)))
            .flatten();
        let Some(ticket) = ticket else {
            host.record(Event::Password(PasswordCheck::Busy));
            return Err(Outcome::Busy(1));
        };
        let reserved = away.cost;
        self.admission.borrow_mut().reserve(reserved);
        let login = Login { ticket, verdict: Rc::default() };
        let learns = learns.then(|| {
            (directory.name().to_owned(), username.to_owned(), Zeroizing::new(password.to_vec()))
        });
        away.underway.insert(ticket, Underway { login: login.clone(), attempt, reserved, learns });
        Ok(login)
    }

    /// All that it takes to hash a password and to count what comes of it, and nothing of the worker's. Whether the
    /// account is throttled is asked again: others of it may have failed since.
    fn work(&self, admitted: &Admitted<'_>, password: &[u8]) -> Work {
        let (throttle, account, address) = (self.throttle, admitted.account, admitted.address.clone());
        let (hash, is_user) = (admitted.hash.cloned(), admitted.user.is_some());
        let password = Zeroizing::new(password.to_vec());
        let run = move |host: &dyn Host| {
            let unhashed = |verdict| WorkDone { verdict, cost: Duration::ZERO };
            match throttle.wait(host, account, &address) {
                Ok(None) => {}
                Ok(Some(seconds)) => return unhashed(Verdict::Throttled(seconds)),
                Err(error) => return unhashed(Verdict::Failed(error)),
            }
            let start = host.monotonic();
            let verifies = hash.is_some_and(|hash| hash.verifies(&password));
            let cost = host.monotonic().saturating_sub(start);
            let is_right = verifies && is_user;
            let counted = if is_right {
                throttle.succeed(host, account, &address)
            } else {
                throttle.fail(host, account, &address)
            };
            let verdict = match (counted, is_right) {
                (Err(error), _) => Verdict::Failed(error),
                (Ok(()), true) => Verdict::Right,
                (Ok(()), false) => Verdict::Wrong,
            };
            WorkDone { verdict, cost }
        };
        Work { key: *account.digest(), run: Box::new(run) }
    }

    /// Books what came of a login that was hashed elsewhere, whether or not anybody waits for it.
    pub fn finish(&self, ticket: Ticket, done: WorkDone, host: &dyn Host) {
        let mut away = self.away.borrow_mut();
        let Some(Underway { login, attempt, reserved, learns }) = away.underway.remove(&ticket) else { return };
        let mut admission = self.admission.borrow_mut();
        admission.release(reserved);
        let is_right = done.verdict == Verdict::Right;
        let note = match done.verdict {
            Verdict::Throttled(_) => PasswordCheck::Throttled,
            Verdict::Right | Verdict::Wrong | Verdict::Failed(_) => PasswordCheck::Hashed,
        };
        host.record(Event::Password(note));
        if done.cost > Duration::ZERO {
            away.cost = done.cost;
            admission.book(attempt, is_right, done.cost, host.monotonic());
        }
        if let Some((directory, username, password)) = learns.filter(|_| is_right) {
            self.learn(&directory, &username, &password, host);
        }
        login.verdict.set(Some(done.verdict));
    }

    /// What a login is worth whose verdict is there.
    #[must_use]
    pub fn outcome<'d>(verdict: Verdict, directory: &'d UserDirectory, username: &str) -> Outcome<&'d User> {
        match verdict {
            Verdict::Right => directory.get(username).map_or(Outcome::Wrong, Outcome::Right),
            Verdict::Wrong => Outcome::Wrong,
            Verdict::Throttled(seconds) => Outcome::Throttled(seconds),
            Verdict::Failed(error) => Outcome::Failed(error),
        }
    }
}

#[cfg(test)]
#[path = "away_tests.rs"]
mod tests;
