//! Work that takes a worker's time and touches nothing of it: a host that has threads does it on another one.

use std::fmt;
use std::time::Duration;

use smallvec::SmallVec;

use super::{Host, HostError};

/// Whether hosts of this target may have threads and take dynamic metadata. Those of Wasm modules do neither, and
/// what would serve them is left out there.
pub const IS_NATIVE: bool = !cfg!(target_family = "wasm");

/// The number of work that was taken over. No other work of the process has it.
pub type Ticket = u64;

/// What does work.
pub type Run = dyn FnOnce(&dyn Host) -> WorkDone + Send;

/// Work of this kind: a login's password is hashed, at one directory or at several, one after the other.
pub struct Work {
    /// Of work with a key in common one is done at a time: what comes of the first may decide the second.
    pub keys: SmallVec<[[u8; 32]; 1]>,
    /// Does it. The host that it is given has the time and shared data, and no request.
    pub run: Box<Run>,
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Work")
    }
}

/// What came of it: for each directory in turn, `None` where another one had taken the login before. Those that are
/// not there failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkDone(pub SmallVec<[Option<PasswordVerdict>; 1]>);

/// What came of a password at a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordVerdict {
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
