//! Passwords that are hashed on another thread, one at a time for each worker: so that each is throttled, budgeted
//! and booked as it is in place, after the one before it. The others wait for their turn.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::admission::Attempt;
use super::checker::{Admitted, LoginOutcome, PasswordChecker};
use crate::host::{ClientAddress, Event, Host, PasswordCheck, Ticket, Verdict, Work, WorkDone};
use crate::identity::{User, UserDirectory};

/// How many logins may wait for their turn.
const MOST: usize = 1024;

/// The number of a login of a worker.
pub type LoginId = u64;

/// A login whose password is hashed elsewhere.
#[derive(Clone, Debug)]
pub struct Login {
    /// Its number.
    pub id: LoginId,
    verdict: Rc<Cell<Option<Verdict>>>,
}

impl Login {
    /// What the password is worth, once that is known.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        self.verdict.get()
    }

    /// Whether its request is gone, and nothing asks for it any more.
    fn is_left(&self) -> bool {
        Rc::strong_count(&self.verdict) == 1
    }
}

/// A login that waits for its turn.
struct Waiting {
    login: Login,
    directory: Rc<UserDirectory>,
    username: String,
    address: ClientAddress,
    password: Zeroizing<Vec<u8>>,
    /// Whether it is remembered if it is right.
    learns: bool,
}

/// The login whose password is being hashed.
struct Underway {
    ticket: Ticket,
    attempt: Attempt,
    waiting: Waiting,
}

/// Those of one worker.
#[derive(Default)]
pub(super) struct Away {
    last: LoginId,
    underway: Option<Underway>,
    waiting: VecDeque<Waiting>,
}

impl PasswordChecker {
    /// Begins a login on another thread.
    ///
    /// # Errors
    /// What it is worth at once: it is throttled, or there is no room for it.
    pub fn begin_log_in<'d>(
        &self,
        directory: &'d Rc<UserDirectory>,
        username: &str,
        password: &[u8],
        host: &dyn Host,
    ) -> Result<Login, LoginOutcome<&'d User>> {
        self.begin(directory, username, password, false, host)
    }

    /// Begins to check a credential that comes with every request.
    ///
    /// # Errors
    /// What it is worth at once: it is remembered, or as above.
    pub fn begin_check<'d>(
        &self,
        directory: &'d Rc<UserDirectory>,
        username: &str,
        password: &[u8],
        host: &dyn Host,
    ) -> Result<Login, LoginOutcome<&'d User>> {
        if self.remembers() {
            match self.recall(directory, username, password, host) {
                Ok(Some(user)) => return Err(LoginOutcome::Right(user)),
                Ok(None) => {}
                Err(error) => return Err(LoginOutcome::Failed(error)),
            }
        }
        self.begin(directory, username, password, self.remembers(), host)
    }

    fn begin<'d>(
        &self,
        directory: &'d Rc<UserDirectory>,
        username: &str,
        password: &[u8],
        learns: bool,
        host: &dyn Host,
    ) -> Result<Login, LoginOutcome<&'d User>> {
        let mut away = self.away.borrow_mut();
        if away.waiting.len() >= MOST {
            host.record(Event::Password(PasswordCheck::Busy));
            return Err(LoginOutcome::Busy(1));
        }
        away.last = away.last.wrapping_add(1);
        let login = Login { id: away.last, verdict: Rc::default() };
        away.waiting.push_back(Waiting {
            login: login.clone(),
            directory: Rc::clone(directory),
            username: username.to_owned(),
            address: ClientAddress::of(host),
            password: Zeroizing::new(password.to_vec()),
            learns,
        });
        drop(away);
        self.take_turns(host);
        match login.verdict() {
            None => Ok(login),
            Some(verdict) => Err(Self::outcome(verdict, directory, username)),
        }
    }

    /// Begins with the next one whose password is hashed, if none is underway; gives those that are not hashed.
    fn take_turns(&self, host: &dyn Host) -> Vec<LoginId> {
        let mut settled = Vec::new();
        let mut away = self.away.borrow_mut();
        while away.underway.is_none() {
            let Some(waiting) = away.waiting.pop_front() else { break };
            // Nobody learns what it is worth, so it need not be known.
            if waiting.login.is_left() {
                continue;
            }
            match self.hand_over(&waiting, host) {
                Ok((ticket, attempt)) => away.underway = Some(Underway { ticket, attempt, waiting }),
                Err(verdict) => {
                    waiting.login.verdict.set(Some(verdict));
                    settled.push(waiting.login.id);
                }
            }
        }
        settled
    }

    /// Has a password hashed, if it is admitted.
    fn hand_over(&self, waiting: &Waiting, host: &dyn Host) -> Result<(Ticket, Attempt), Verdict> {
        let Waiting { directory, username, address, password, .. } = waiting;
        let admitted =
            self.admit_from(directory, username, address.clone(), host).map_err(|refusal| match refusal {
                LoginOutcome::Throttled(seconds) => Verdict::Throttled(seconds),
                LoginOutcome::Busy(seconds) => Verdict::Busy(seconds),
                LoginOutcome::Failed(error) => Verdict::Failed(error),
                LoginOutcome::Right(_) | LoginOutcome::Wrong => Verdict::Wrong,
            })?;
        match host.take_over(self.work(&admitted, password)) {
            Some(ticket) => Ok((ticket, admitted.attempt)),
            None => {
                host.record(Event::Password(PasswordCheck::Busy));
                Err(Verdict::Busy(1))
            }
        }
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

    /// Books what came of a login that was hashed elsewhere, whether or not its request is still there. Gives the
    /// logins that are known of now: this one, and those whose turn came and that are not hashed.
    pub fn finish(&self, ticket: Ticket, done: WorkDone, host: &dyn Host) -> Vec<LoginId> {
        let underway = self.away.borrow_mut().underway.take_if(|underway| underway.ticket == ticket);
        let Some(Underway { attempt, waiting, .. }) = underway else { return Vec::new() };
        let WorkDone { verdict, cost } = done;
        let is_right = verdict == Verdict::Right;
        host.record(Event::Password(match verdict {
            Verdict::Throttled(_) => PasswordCheck::Throttled,
            Verdict::Busy(_) => PasswordCheck::Busy,
            Verdict::Right | Verdict::Wrong | Verdict::Failed(_) => PasswordCheck::Hashed,
        }));
        if cost > Duration::ZERO {
            self.admission.borrow_mut().book(attempt, is_right, cost, host.monotonic());
        }
        let Waiting { login, directory, username, password, learns, .. } = waiting;
        if is_right && learns {
            self.learn(directory.name(), &username, &password, host);
        }
        login.verdict.set(Some(verdict));
        let mut settled = vec![login.id];
        settled.extend(self.take_turns(host));
        settled
    }

    /// What a login is worth whose verdict is there.
    #[must_use]
    pub fn outcome<'d>(
        verdict: Verdict,
        directory: &'d UserDirectory,
        username: &str,
    ) -> LoginOutcome<&'d User> {
        match verdict {
            Verdict::Right => directory.get(username).map_or(LoginOutcome::Wrong, LoginOutcome::Right),
            Verdict::Wrong => LoginOutcome::Wrong,
            Verdict::Throttled(seconds) => LoginOutcome::Throttled(seconds),
            Verdict::Busy(seconds) => LoginOutcome::Busy(seconds),
            Verdict::Failed(error) => LoginOutcome::Failed(error),
        }
    }
}

#[cfg(test)]
#[path = "away_tests.rs"]
mod tests;
