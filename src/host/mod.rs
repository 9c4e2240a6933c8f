//! The seam: all that the core asks of whoever runs it. Envoy through `src/proxy/`, a test through
//! a few lines of its own.

mod call;
mod client_address;
mod local;
mod stats;
mod stream;
mod work;

pub use call::{CallResponse, HttpCall, MAX_BODY_BYTES};
pub use client_address::ClientAddress;
pub use local::LocalHost;
pub use stats::{Definition, Event, Kind, PasswordCheck, Slot, Update, label};
pub use stream::{Headers, LocalReply, Stream};
pub use work::{Ticket, Verdict, Work, WorkDone};

use std::fmt;
use std::time::Duration;

use crate::keys::{NativeKey, VerificationKey};

/// What the host says of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeVerdict {
    /// It is good.
    Valid,
    /// It is not, or the host failed half-way: never an open gate.
    Invalid,
    /// This host cannot check it; the module does.
    Unavailable,
}

/// The host did not do what it was asked; the text says what that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostError(pub &'static str);

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for HostError {}

/// A time that was read not long ago tells that a moment is still ahead only if that is further off
/// than this, in seconds. Whoever keeps such a time renews it every second; the rest is for a worker
/// that is held up.
const NEAR: i64 = 60;

/// What the core asks of its host.
pub trait Host {
    /// Unix time in seconds.
    fn now(&self) -> i64;

    /// Unix time in seconds as it was read about a second ago, if it is kept: for less than a look at
    /// the clock costs.
    fn recent(&self) -> Option<i64> {
        None
    }

    /// Unix time in seconds, where a second or so does not matter.
    fn about_now(&self) -> i64 {
        self.recent().unwrap_or_else(|| self.now())
    }

    /// Whether it is before `end`, in Unix seconds: exactly, for the clock is asked when `end` is near.
    fn is_before(&self, end: i64) -> bool {
        self.recent().is_some_and(|recent| recent.saturating_add(NEAR) < end) || self.now() < end
    }

    /// A clock that never goes back, from any start.
    fn uptime(&self) -> Duration;

    /// Checks a signature by the host's own library, as it stands in the token (RFC 7515 section 5.2): asked first, of
    /// every public key.
    fn verify(&self, _key: &VerificationKey, _signature: &[u8], _message: &[u8]) -> NativeVerdict {
        NativeVerdict::Unavailable
    }

    /// Checks a signature natively. `signature` is in the host's form: ECDSA as DER.
    fn verify_signature(&self, key: &NativeKey, signature: &[u8], message: &[u8]) -> NativeVerdict;

    /// Whether there are threads for [`Work`]. Where there are none, a worker does it in place.
    fn has_threads(&self) -> bool {
        false
    }

    /// Has work done on another thread; what comes of it is told by the number that is given here. `None`: there is
    /// no room for more.
    fn take_over(&self, _work: Work) -> Option<Ticket> {
        None
    }

    /// Fills `bytes` from a cryptographic source of randomness.
    ///
    /// # Errors
    /// If there is none.
    fn random(&self, bytes: &mut [u8]) -> Result<(), HostError>;

    /// The address of the client whose request is being decided, without port: as the host sees
    /// it, trusted proxies taken into account.
    fn client_address(&self) -> Option<String>;

    /// A value that all workers share, and its version.
    ///
    /// # Errors
    /// If shared data cannot be read.
    fn shared(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostError>;

    /// Writes a value that all workers share, unless its version is no longer `version`. Says
    /// whether it was written.
    ///
    /// # Errors
    /// If shared data cannot be written.
    fn share(&self, key: &str, value: &[u8], version: u32) -> Result<bool, HostError>;

    /// Hears of something that an operator should look into.
    fn warn(&self, _line: &str) {}

    /// Hears of something that is counted.
    fn note(&self, _event: Event<'_>) {}

    /// Keeps the time for [`Host::recent`] until the next tick, if one is to come.
    fn keep_time(&self, _is_ticking: bool) {}

    /// Has ticks come every so many milliseconds.
    ///
    /// # Errors
    /// If the host does not.
    fn set_tick_period(&self, _milliseconds: u32) -> Result<(), HostError> {
        Err(HostError("this host has no ticks"))
    }

    /// Whether ticks come.
    fn has_ticks(&self) -> bool {
        false
    }

    /// Makes the host's stats, in this order. What the host does not take is lost, and changes nothing else.
    fn define_stats(&self, _definitions: &[Definition]) {}

    /// Carries a change to the stat at this place in the order they were defined in.
    fn update_stat(&self, _slot: usize, _update: Update) {}

    /// Says which names of filter state hold text.
    fn declare_filter_state(&self, _names: &[&str]) {}

    /// Begins an HTTP call; what comes back bears the number that is given here.
    ///
    /// # Errors
    /// If the call cannot be made.
    fn call(&self, call: &HttpCall) -> Result<u32, HostError>;
}
