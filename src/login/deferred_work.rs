//! What of a deferred login is done on another thread: its password is hashed, and what comes of it is counted where
//! all threads see it.

use std::time::Duration;

use smallvec::{SmallVec, smallvec};
use zeroize::Zeroizing;

use super::throttle::{Account, Throttle};
use crate::host::{ClientAddress, Host, PasswordVerdict, Verdict, WorkDone};
use crate::password::PasswordHash;

/// What it takes to hash a password at a directory.
pub(super) struct Hashing {
    pub account: Account,
    /// The hash that it is compared with: of the user, or of another one if there is no such user.
    pub hash: Option<PasswordHash>,
    /// Whether there is one.
    pub is_user: bool,
    /// Whether the account has logged in from this address before.
    pub is_known: bool,
}

/// What there is to do at a directory, for another thread.
pub(super) enum Job {
    /// Nothing: what the login is worth is known.
    Known(Verdict),
    /// The password is hashed.
    Hash(Hashing),
}

impl Job {
    /// The key of the work: its account.
    pub fn key(&self) -> Option<[u8; 32]> {
        match self {
            Self::Known(_) => None,
            Self::Hash(hashing) => Some(*hashing.account.digest()),
        }
    }
}

/// Each job after the other, up to the first one whose directory takes the login, or that fails.
pub(super) fn in_turn(
    jobs: impl IntoIterator<Item = Job>,
    mut hash: impl FnMut(usize, Hashing) -> Option<PasswordVerdict>,
) -> SmallVec<[Option<PasswordVerdict>; 1]> {
    let mut is_over = false;
    let check = |(at, job)| {
        if is_over {
            return None;
        }
        let check = match job {
            Job::Known(verdict) => Some(PasswordVerdict { verdict, cost: Duration::ZERO }),
            Job::Hash(hashing) => hash(at, hashing),
        };
        is_over = matches!(check, Some(PasswordVerdict { verdict: Verdict::Right | Verdict::Failed(_), .. }));
        check
    };
    jobs.into_iter().enumerate().map(check).collect()
}

/// All that it takes to hash a password, and to count what comes of it, and nothing of the worker's. Whether an account
/// is throttled is asked again: others of it may have failed since.
pub(super) fn run(
    throttle: Throttle,
    address: ClientAddress,
    jobs: SmallVec<[Job; 1]>,
    password: Zeroizing<Vec<u8>>,
) -> impl FnOnce(&dyn Host) -> WorkDone + Send {
    move |host| {
        let mut failed: SmallVec<[(usize, Account); 1]> = smallvec![];
        let is_known = jobs.iter().any(|job| matches!(job, Job::Known(Verdict::Right)));
        let mut checks = in_turn(jobs, |at, hashing| {
            let check = hash(&hashing, throttle, &address, &password, host);
            if check.verdict == Verdict::Wrong {
                failed.push((at, hashing.account));
            }
            Some(check)
        });
        let is_taken = checks.iter().flatten().any(|check| check.verdict == Verdict::Right);
        if is_taken || is_known {
            return WorkDone(checks);
        }
        // No directory took it: that is a failure of each account, and one of the address.
        let mut is_first = true;
        for (at, account) in failed {
            let counted = if std::mem::take(&mut is_first) {
                throttle.fail(host, account, &address)
            } else {
                throttle.fail_again(host, account, &address)
            };
            if let (Err(error), Some(Some(check))) = (counted, checks.get_mut(at)) {
                check.verdict = Verdict::Failed(error);
            }
        }
        WorkDone(checks)
    }
}

/// Hashes a password. That it is wrong is still to be counted.
fn hash(
    hashing: &Hashing,
    throttle: Throttle,
    address: &ClientAddress,
    password: &[u8],
    host: &dyn Host,
) -> PasswordVerdict {
    let unhashed = |verdict| PasswordVerdict { verdict, cost: Duration::ZERO };
    let Hashing { account, hash, is_user, is_known } = hashing;
    match throttle.wait(host, *account, address, *is_known) {
        Ok(None) => {}
        Ok(Some(seconds)) => return unhashed(Verdict::Throttled(seconds)),
        Err(error) => return unhashed(Verdict::Failed(error)),
    }
    let start = host.monotonic();
    let verifies = hash.as_ref().is_some_and(|hash| hash.verifies(password));
    let cost = host.monotonic().saturating_sub(start);
    let verdict = if verifies && *is_user {
        throttle.succeed(host, *account, address).map_or_else(Verdict::Failed, |()| Verdict::Right)
    } else {
        Verdict::Wrong
    };
    PasswordVerdict { verdict, cost }
}
