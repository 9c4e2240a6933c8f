//! One login and several directories that may know it: one attempt, whichever of them takes it.

use std::time::Duration;

use super::admission::Verdict;
use super::checker::{Admitted, LoginOutcome, PasswordChecker};
use super::verified_password_cache::VerifiedPasswordCache;
use crate::host::{Event, Host, HostError, PasswordCheck};
use crate::identity::{User, UserDirectory};

/// A login at one of several directories.
#[derive(Debug)]
pub struct Try<'d> {
    /// The directory.
    pub directory: &'d UserDirectory,
    /// What the login is worth there; `None` if it was not tried there, because another directory took it.
    pub outcome: Option<LoginOutcome<&'d User>>,
    /// Whether it is right, if that is remembered.
    known: Option<bool>,
    /// That the password may be hashed; and, when it was, how long that took and that it is wrong.
    admitted: Option<Admitted<'d>>,
    cost: Option<Duration>,
}

impl<'d> Try<'d> {
    /// A login at `directory` that is still to be tried.
    #[must_use]
    pub fn of(directory: &'d UserDirectory) -> Self {
        Self { directory, outcome: None, known: None, admitted: None, cost: None }
    }

    fn is_right(&self) -> bool {
        matches!(self.outcome, Some(LoginOutcome::Right(_)))
    }
}

impl PasswordChecker {
    /// Checks a credential that comes with every request at each directory, up to the first one that takes it. What was
    /// verified not long ago is not hashed again. Where one takes it the others have not failed; where none does, that is
    /// one failure of its address.
    pub fn check_each(&self, tries: &mut [Try<'_>], username: &str, password: &[u8], host: &dyn Host) {
        let mut verified = self.verified.borrow_mut();
        if let Err(error) = self.prepare(&mut verified, host) {
            tries.iter_mut().for_each(|own| own.outcome = Some(LoginOutcome::Failed(error)));
            return;
        }
        // The cache of verified passwords is asked first, for unknown names too: else its time would tell a user.
        if let Some(verified) = verified.as_mut() {
            let now = host.coarse_now();
            for own in &mut *tries {
                own.known = verified.contains(own.directory.name(), username, password, now);
            }
        }
        self.admit_each(tries, username, host);
        for own in &mut *tries {
            self.try_one(own, username, password, host);
            if let (true, None, Some(verified)) = (own.is_right(), own.known, verified.as_mut()) {
                verified.insert(own.directory.name(), username, password, true, host.now());
            }
            if matches!(own.outcome, Some(LoginOutcome::Right(_) | LoginOutcome::Failed(_))) {
                break;
            }
        }
        if !tries.iter().any(|own| own.is_right() || own.known == Some(true)) {
            self.fail_each(tries, host);
            return;
        }
        for own in tries {
            let (Some(admitted), Some(cost)) = (&own.admitted, own.cost) else { continue };
            let mut admission = self.admission.borrow_mut();
            admission.count(admitted.attempt, Verdict::RightElsewhere, cost, host.monotonic());
            if let Some(verified) = verified.as_mut() {
                verified.insert(own.directory.name(), username, password, false, host.now());
            }
        }
    }

    /// Makes the memory of what was verified, where there is to be one and is none yet.
    pub(super) fn prepare(
        &self,
        verified: &mut Option<VerifiedPasswordCache>,
        host: &dyn Host,
    ) -> Result<(), HostError> {
        if verified.is_none() && self.remember_seconds != 0 {
            let mut key = [0; 32];
            host.random(&mut key)?;
            *verified = Some(VerifiedPasswordCache::new(self.remember_seconds, key));
        }
        Ok(())
    }

    /// Asks for a hash at each directory of which nothing is known. It is one attempt: where the worker is too busy for one
    /// of them, none is made.
    fn admit_each(&self, tries: &mut [Try<'_>], username: &str, host: &dyn Host) {
        let mut busy = None;
        for own in tries.iter_mut().filter(|own| own.known.is_none()) {
            match self.admit(own.directory, username, host) {
                Ok(admitted) => own.admitted = Some(admitted),
                Err(refusal) => {
                    if matches!(refusal, LoginOutcome::Busy(_)) {
                        busy = Some(refusal);
                    }
                    own.outcome = Some(refusal);
                }
            }
        }
        if let Some(busy) = busy {
            for own in tries.iter_mut().filter(|own| own.admitted.is_some()) {
                (own.admitted, own.outcome) = (None, Some(busy));
            }
        }
    }

    /// Tries a login at a directory. A wrong one is still to be counted.
    fn try_one(&self, own: &mut Try<'_>, username: &str, password: &[u8], host: &dyn Host) {
        let outcome = match (own.known, own.admitted.take(), own.outcome) {
            (_, _, Some(refusal)) => refusal,
            (Some(true), _, None) => match own.directory.get(username) {
                Some(user) => {
                    host.record(Event::Password(PasswordCheck::Remembered));
                    LoginOutcome::Right(user)
                }
                None => LoginOutcome::Wrong,
            },
            (Some(false), _, None) | (None, None, None) => LoginOutcome::Wrong,
            (None, Some(admitted), None) => {
                let start = host.monotonic();
                let verifies = admitted.verifies(password);
                let cost = host.monotonic().saturating_sub(start);
                if admitted.user.is_some() && verifies {
                    self.settle(admitted, true, cost, host)
                } else {
                    // It costs the worker the same, whatever it comes to.
                    host.record(Event::Password(PasswordCheck::Hashed));
                    self.admission.borrow_mut().book_more(cost);
                    (own.admitted, own.cost) = (Some(admitted), Some(cost));
                    LoginOutcome::Wrong
                }
            }
        };
        own.outcome = Some(outcome);
    }

    /// Counts a login that no directory took: once for each account, and once for the address.
    fn fail_each(&self, tries: &mut [Try<'_>], host: &dyn Host) {
        let mut is_first = true;
        let mut failed = None;
        for own in &mut *tries {
            let (Some(admitted), Some(cost)) = (&own.admitted, own.cost) else { continue };
            self.admission.borrow_mut().count(admitted.attempt, Verdict::Wrong, cost, host.monotonic());
            let counted = if std::mem::take(&mut is_first) {
                self.throttle.fail(host, admitted.account, &admitted.address)
            } else {
                self.throttle.fail_again(host, admitted.account, &admitted.address)
            };
            failed = failed.or(counted.err());
        }
        if let Some(error) = failed {
            for own in tries.iter_mut().filter(|own| matches!(own.outcome, Some(LoginOutcome::Wrong))) {
                own.outcome = Some(LoginOutcome::Failed(error));
            }
        }
    }
}
