//! Work that takes a worker's time and touches nothing of it: a host that has threads does it on another one.

use std::fmt;
use std::time::Duration;

use super::{Host, HostError};

/// The number of work that was taken over. No other work of the process has it.
pub type Ticket = u64;

/// What does work.
pub type Run = dyn FnOnce(&dyn Host) -> WorkDone + Send;

/// Work of this kind: a password is hashed.
pub struct Work {
    /// Of work with the same key one is done at a time: what comes of the first may decide the second.
    pub key: [u8; 32],
    /// Does it. The host that it is given has the time and shared data, and no request.
    pub run: Box<Run>,
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Work")
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkDone {
    /// What the password is worth.
    pub verdict: Verdict,
    /// How long it was hashed; zero: it was not.
    pub cost: Duration,
}

/// What a password is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the user's.
    Right,
    /// It is not, or there is no such user.
    Wrong,
    /// It was not hashed: too many failures, to be tried again after so many seconds.
    Throttled(u64),
    /// It was not hashed: the worker has hashed enough, to be tried again after so many seconds.
    Busy(u64),
    /// The host did not do its part.
    Failed(HostError),
}
