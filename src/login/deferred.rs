//! Logins whose password is hashed on another thread, one at a time for each worker: so that each is throttled,
//! budgeted and booked as it is in place, after the one before it. The others wait for their turn.
//!
//! As in place, a login at several directories is one attempt: see [`each`](super::each).

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use smallvec::SmallVec;
use zeroize::Zeroizing;

use super::admission::{self, Attempt};
use super::checker::{Admitted, LoginOutcome, PasswordChecker};
use super::deferred_work::{Hashing, Job, in_turn, run};
use crate::host::{
    ClientAddress, Event, Host, HostError, PasswordCheck, PasswordVerdict, Ticket, Verdict, Work, WorkDone,
};
use crate::identity::{User, UserDirectory};

/// How many logins may wait for their turn.
const MOST: usize = 1024;

/// The number of a login of a worker.
pub type LoginId = u64;

/// What a login is worth at each of its directories; `None`: another one took it first.
type Verdicts = SmallVec<[Option<Verdict>; 1]>;

/// A login whose password may be hashed on another thread.
#[derive(Clone, Debug)]
pub struct DeferredLogin {
    /// Its number.
    pub id: LoginId,
    directories: Rc<[Rc<UserDirectory>]>,
    verdicts: Rc<OnceCell<Verdicts>>,
}

impl DeferredLogin {
    /// Whether it is known what it is worth.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.verdicts.get().is_some()
    }

    /// What `username` and its password are worth at `directory`; `None`: that is not known yet, or it was not tried
    /// there.
    #[must_use]
    pub fn outcome<'d>(
        &self,
        directory: &'d UserDirectory,
        username: &str,
    ) -> Option<LoginOutcome<&'d User>> {
        let place = self.directories.iter().position(|own| std::ptr::eq(&raw const **own, directory))?;
        let verdict = (*self.verdicts.get()?.get(place)?)?;
        Some(match verdict {
            Verdict::Right => directory.get(username).map_or(LoginOutcome::Wrong, LoginOutcome::Right),
            Verdict::Wrong => LoginOutcome::Wrong,
            Verdict::Throttled(seconds) => LoginOutcome::Throttled(seconds),
            Verdict::Busy(seconds) => LoginOutcome::Busy(seconds),
            Verdict::Failed(error) => LoginOutcome::Failed(error),
        })
    }

    /// What it is worth at all of its directories together; `None`: that is not known yet.
    #[must_use]
    pub fn worth(&self) -> Option<Verdict> {
        self.verdicts.get().map(|verdicts| worth(verdicts))
    }

    /// Whether its request is gone, and asks for it no more.
    fn is_abandoned(&self) -> bool {
        Rc::strong_count(&self.verdicts) == 1
    }

    fn settle(&self, verdicts: Verdicts) {
        self.verdicts.get_or_init(|| verdicts);
    }

    fn settle_all(&self, verdict: Verdict) {
        self.settle(self.directories.iter().map(|_| Some(verdict)).collect());
    }
}

/// Right at one of them is right; what is not wrong is more than a wrong password.
fn worth(verdicts: &[Option<Verdict>]) -> Verdict {
    let known = || verdicts.iter().flatten();
    let first = known().find(|verdict| **verdict == Verdict::Right);
    *first.or_else(|| known().find(|verdict| **verdict != Verdict::Wrong)).unwrap_or(&Verdict::Wrong)
}

/// A login that is known of now, and what it is worth; `None`: its request was gone, and it was not tried.
pub type Settled = (LoginId, Option<Verdict>);

/// What is left to do at a directory.
enum Step {
    /// Nothing, for this is known.
    Known(Verdict),
    /// The password is hashed.
    Hash(Attempt),
}

/// A login that waits for its turn.
struct Waiting {
    login: DeferredLogin,
    username: String,
    address: ClientAddress,
    password: Zeroizing<Vec<u8>>,
    /// Whether what comes of it is remembered, and what is remembered of it counts.
    remembers: bool,
}

/// The login whose password is being hashed.
struct Underway {
    ticket: Ticket,
    steps: SmallVec<[Step; 1]>,
    waiting: Waiting,
}

/// Those of one worker.
#[derive(Default)]
pub(super) struct Deferred {
    last: LoginId,
    underway: Option<Underway>,
    waiting: VecDeque<Waiting>,
}

impl PasswordChecker {
    /// Begins a login.
    pub fn begin_log_in(
        &self,
        directory: &Rc<UserDirectory>,
        username: &str,
        password: &[u8],
        host: &dyn Host,
    ) -> DeferredLogin {
        self.begin(Rc::from([Rc::clone(directory)]), username, password, false, host)
    }

    /// Begins to check a credential that comes with every request, at each directory up to the first one that takes
    /// it.
    pub fn begin_check(
        &self,
        directories: &[Rc<UserDirectory>],
        username: &str,
        password: &[u8],
        host: &dyn Host,
    ) -> DeferredLogin {
        self.begin(Rc::from(directories), username, password, self.remember_seconds != 0, host)
    }

    fn begin(
        &self,
        directories: Rc<[Rc<UserDirectory>]>,
        username: &str,
        password: &[u8],
        remembers: bool,
        host: &dyn Host,
    ) -> DeferredLogin {
        let mut deferred = self.deferred.borrow_mut();
        deferred.last = deferred.last.wrapping_add(1);
        let login = DeferredLogin { id: deferred.last, directories, verdicts: Rc::default() };
        let waiting = Waiting {
            login: login.clone(),
            username: username.to_owned(),
            address: ClientAddress::of(host),
            password: Zeroizing::new(password.to_vec()),
            remembers,
        };
        // What is remembered waits for no turn.
        if remembers {
            match self.recall(&waiting, host) {
                Ok(known) if known.first() == Some(&Some(true)) => {
                    host.record(Event::Password(PasswordCheck::Remembered));
                    let rest = known.iter().skip(1).map(|_| None);
                    login.settle(std::iter::once(Some(Verdict::Right)).chain(rest).collect());
                    return login;
                }
                Ok(_) => {}
                Err(error) => {
                    login.settle_all(Verdict::Failed(error));
                    return login;
                }
            }
        }
        if deferred.waiting.len() >= MOST {
            host.record(Event::Password(PasswordCheck::Busy));
            login.settle_all(Verdict::Busy(1));
            return login;
        }
        deferred.waiting.push_back(waiting);
        drop(deferred);
        self.take_turns(host);
        login
    }

    /// What is remembered of a login at each directory. All are asked, for every name: only for a user, the time would
    /// tell one.
    fn recall(&self, waiting: &Waiting, host: &dyn Host) -> Result<SmallVec<[Option<bool>; 1]>, HostError> {
        let directories = waiting.login.directories.iter();
        if !waiting.remembers {
            return Ok(directories.map(|_| None).collect());
        }
        let mut verified = self.verified.borrow_mut();
        self.prepare(&mut verified, host)?;
        let now = host.coarse_now();
        let recall = |directory: &Rc<UserDirectory>| {
            let (name, user) = (directory.name(), waiting.username.as_str());
            let known = verified.as_mut()?.contains(name, user, &waiting.password, now)?;
            Some(known && directory.get(user).is_some())
        };
        Ok(directories.map(recall).collect())
    }

    /// Begins with the next one whose password is hashed, if none is underway; gives those that are not hashed.
    fn take_turns(&self, host: &dyn Host) -> Vec<Settled> {
        let mut settled = Vec::new();
        let mut deferred = self.deferred.borrow_mut();
        while deferred.underway.is_none() {
            let Some(waiting) = deferred.waiting.pop_front() else { break };
            // No request learns what it is worth, so it need not be known.
            if waiting.login.is_abandoned() {
                settled.push((waiting.login.id, None));
                continue;
            }
            match self.hand_over(&waiting, host) {
                Ok((ticket, steps)) => deferred.underway = Some(Underway { ticket, steps, waiting }),
                Err(verdicts) => {
                    settled.push((waiting.login.id, Some(worth(&verdicts))));
                    waiting.login.settle(verdicts);
                }
            }
        }
        settled
    }

    /// Has a password hashed where it is admitted.
    fn hand_over(
        &self,
        waiting: &Waiting,
        host: &dyn Host,
    ) -> Result<(Ticket, SmallVec<[Step; 1]>), Verdicts> {
        let directories = &*waiting.login.directories;
        let all = |verdict: Verdict| -> Verdicts { directories.iter().map(|_| Some(verdict)).collect() };
        let known = self.recall(waiting, host).map_err(|error| all(Verdict::Failed(error)))?;
        let (mut steps, mut jobs) = (SmallVec::new(), SmallVec::<[Job; 1]>::new());
        for (directory, known) in directories.iter().zip(known) {
            let step = match known {
                Some(true) => Step::Known(Verdict::Right),
                Some(false) => Step::Known(Verdict::Wrong),
                None => match self.admit_from(directory, &waiting.username, waiting.address.clone(), host) {
                    Ok(admitted) => {
                        jobs.push(Job::Hash(self.hashing(&admitted)));
                        steps.push(Step::Hash(admitted.attempt));
                        continue;
                    }
                    // It is one attempt: where the worker is too busy for one of them, none is made.
                    Err(LoginOutcome::Busy(seconds)) => return Err(all(Verdict::Busy(seconds))),
                    Err(LoginOutcome::Throttled(seconds)) => Step::Known(Verdict::Throttled(seconds)),
                    Err(LoginOutcome::Failed(error)) => Step::Known(Verdict::Failed(error)),
                    Err(LoginOutcome::Right(_) | LoginOutcome::Wrong) => Step::Known(Verdict::Wrong),
                },
            };
            if let Step::Known(verdict) = step {
                jobs.push(Job::Known(verdict));
            }
            steps.push(step);
        }
        if !jobs.iter().any(|job| matches!(job, Job::Hash(_))) {
            let checked = in_turn(jobs, |_, _| None);
            let verdicts = checked.into_iter().map(|check| check.map(|check| check.verdict));
            return Err(verdicts.collect());
        }
        let keys = jobs.iter().filter_map(Job::key).collect();
        let run = run(self.throttle, waiting.address.clone(), jobs, waiting.password.clone());
        match host.take_over(Work { keys, run: Box::new(run) }) {
            Some(ticket) => Ok((ticket, steps)),
            None => {
                host.record(Event::Password(PasswordCheck::Busy));
                Err(all(Verdict::Busy(1)))
            }
        }
    }

    fn hashing(&self, admitted: &Admitted<'_>) -> Hashing {
        Hashing {
            account: admitted.account,
            hash: admitted.hash.cloned(),
            is_user: admitted.user.is_some(),
            is_known: self.admission.borrow().knows(admitted.attempt),
        }
    }

    /// Books what came of a login that was hashed elsewhere, whether or not its request is still there. Gives the
    /// logins that are known of now: this one, and those whose turn came and that are not hashed.
    pub fn finish(&self, ticket: Ticket, done: WorkDone, host: &dyn Host) -> Vec<Settled> {
        let underway = self.deferred.borrow_mut().underway.take_if(|underway| underway.ticket == ticket);
        let Some(Underway { steps, waiting, .. }) = underway else { return Vec::new() };
        let WorkDone(checks) = done;
        let is_taken = checks.iter().flatten().any(|check| check.verdict == Verdict::Right);
        let is_taken = is_taken || steps.iter().any(|step| matches!(step, Step::Known(Verdict::Right)));
        for ((step, check), directory) in steps.iter().zip(&checks).zip(&*waiting.login.directories) {
            match (step, check) {
                (_, None) | (Step::Known(_), Some(_)) => {}
                (Step::Hash(attempt), Some(check)) => {
                    self.book(*attempt, *check, is_taken, directory, &waiting, host);
                }
            }
        }
        let failed = Some(Verdict::Failed(HostError("a password was not hashed")));
        let known = checks.iter().map(|check| check.map(|check| check.verdict));
        let verdicts = known.chain(std::iter::repeat(failed)).take(waiting.login.directories.len());
        let verdicts: Verdicts = verdicts.collect();
        // It is looked for where nothing was hashed for it.
        let is_recalled = |(step, verdict): (&Step, &Option<Verdict>)| {
            matches!((step, verdict), (Step::Known(Verdict::Right), Some(Verdict::Right)))
        };
        if steps.iter().zip(&verdicts).any(is_recalled) {
            host.record(Event::Password(PasswordCheck::Remembered));
        }
        let mut settled = vec![(waiting.login.id, Some(worth(&verdicts)))];
        waiting.login.settle(verdicts);
        settled.extend(self.take_turns(host));
        settled
    }

    fn book(
        &self,
        attempt: Attempt,
        check: PasswordVerdict,
        is_taken: bool,
        directory: &UserDirectory,
        waiting: &Waiting,
        host: &dyn Host,
    ) {
        let PasswordVerdict { verdict, cost } = check;
        host.record(Event::Password(match verdict {
            Verdict::Throttled(_) => PasswordCheck::Throttled,
            Verdict::Busy(_) => PasswordCheck::Busy,
            Verdict::Right | Verdict::Wrong | Verdict::Failed(_) => PasswordCheck::Hashed,
        }));
        if cost > Duration::ZERO {
            let counted = match verdict {
                Verdict::Right => admission::Verdict::Right,
                Verdict::Wrong if is_taken => admission::Verdict::RightElsewhere,
                Verdict::Wrong | Verdict::Failed(_) | Verdict::Throttled(_) | Verdict::Busy(_) => {
                    admission::Verdict::Wrong
                }
            };
            let mut admission = self.admission.borrow_mut();
            admission.book_more(cost);
            admission.count(attempt, counted, cost, host.monotonic());
        }
        let is_right = match verdict {
            Verdict::Right => true,
            Verdict::Wrong if is_taken => false,
            Verdict::Wrong | Verdict::Throttled(_) | Verdict::Busy(_) | Verdict::Failed(_) => return,
        };
        if waiting.remembers
            && let Some(verified) = self.verified.borrow_mut().as_mut()
        {
            let Waiting { username, password, .. } = waiting;
            verified.insert(directory.name(), username, password, is_right, host.now());
        }
    }
}

#[cfg(test)]
#[path = "deferred_tests.rs"]
mod tests;
