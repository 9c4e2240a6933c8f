//! All that the filter and the core ask of their host, as two traits: Envoy implements them through `src/proxy/`, a
//! test through a few lines of its own.

mod call;
mod client_address;
mod in_memory;
pub mod in_memory_stream;
mod stats;
mod stream;
mod work;

pub use call::{CallResponse, HttpCall, MAX_BODY_BYTES};
pub use client_address::ClientAddress;
pub use in_memory::InMemoryHost;
pub use in_memory_stream::InMemoryStream;
pub use stats::{Event, PasswordCheck, StatDefinition, StatId, StatKind, StatUpdate, label_value};
pub use stream::{Headers, LocalReply, Metadata, Stream};
pub use work::{IS_NATIVE, PasswordVerdict, Ticket, Verdict, Work, WorkDone};

use std::fmt;
use std::time::Duration;

use crate::keys::{NativeKey, VerificationKey};

/// A client certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerCertificate {
    /// The SHA-256 of its DER.
    pub sha256: [u8; 32],
    /// Whether the host has validated its chain. A host that does not tell says no.
    pub is_validated: bool,
    /// The first URI among its subject alternative names.
    pub uri: Option<String>,
    /// The first DNS name among them.
    pub dns: Option<String>,
    /// Its subject (RFC 2253), as the host writes it.
    pub subject: Option<String>,
}

/// What the host says of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeVerdict {
    /// It is good.
    Valid,
    /// It is not, or the host failed half-way: never a pass.
    Invalid,
    /// This host cannot check it; the module does.
    Unavailable,
}

/// How soon an answer is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hears {
    /// When it comes.
    AtOnce,
    /// When the next request comes.
    Later,
    /// The same, and there is another worker of this policy that hears at once.
    Elsewhere,
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

/// [`Host::cached_now`] may be stale by up to this many seconds: it is trusted only for deadlines further away. A
/// host renews it every second; the rest is for a worker that is held up.
const NEAR: i64 = 60;

/// What the core asks of its host.
pub trait Host {
    /// Unix time in seconds.
    fn now(&self) -> i64;

    /// Unix time in seconds as it was read about a second ago; `None` if the host keeps no such time. It costs
    /// less than a look at the clock.
    fn cached_now(&self) -> Option<i64> {
        None
    }

    /// Unix time in seconds, where a second or so does not matter.
    fn coarse_now(&self) -> i64 {
        self.cached_now().unwrap_or_else(|| self.now())
    }

    /// Whether it is before `end`, in Unix seconds: exactly, for the clock is asked when `end` is near.
    fn is_before(&self, end: i64) -> bool {
        self.cached_now().is_some_and(|recent| recent.saturating_add(NEAR) < end) || self.now() < end
    }

    /// A monotonic clock, from any start.
    fn monotonic(&self) -> Duration;

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

    /// How soon the answer to a call that is made now is heard.
    fn hears(&self) -> Hears {
        Hears::AtOnce
    }

    /// Fills `bytes` from a cryptographic source of randomness.
    ///
    /// # Errors
    /// If there is none.
    fn random(&self, bytes: &mut [u8]) -> Result<(), HostError>;

    /// The address of the client whose request is being decided, without port: as the host sees
    /// it, trusted proxies taken into account.
    fn client_address(&self) -> Option<String>;

    /// The certificate that the client of the connection presented, and proved to have the key of; `None` if it presented
    /// none, or the host does not tell.
    fn peer_certificate(&self) -> Option<PeerCertificate> {
        None
    }

    /// A value that all workers share, and its version (`proxy_get_shared_data`).
    ///
    /// # Errors
    /// If shared data cannot be read.
    fn get_shared_data(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostError>;

    /// Writes a value that all workers share, if its version is still `version` (compare and swap,
    /// `proxy_set_shared_data`); returns whether it was written.
    ///
    /// # Errors
    /// If shared data cannot be written.
    fn set_shared_data(&self, key: &str, value: &[u8], version: u32) -> Result<bool, HostError>;

    /// Hears of something that an operator should look into.
    fn warn(&self, _line: &str) {}

    /// Records something that is counted.
    fn record(&self, _event: Event<'_>) {}

    /// Keeps the time for [`Host::cached_now`] until the next tick, if one is to come.
    fn cache_now(&self, _is_ticking: bool) {}

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
    fn define_stats(&self, _definitions: &[StatDefinition]) {}

    /// Carries a change to the stat at this place in the order they were defined in.
    fn update_stat(&self, _slot: usize, _update: StatUpdate) {}

    /// Says which names of filter state hold text.
    fn declare_filter_state(&self, _names: &[&str]) {}

    /// Dispatches an HTTP call; its response comes with the number that is returned here.
    ///
    /// # Errors
    /// If the call cannot be made.
    fn dispatch_http_call(&self, call: &HttpCall) -> Result<u32, HostError>;
}
