//! Lychgate as an Envoy dynamic module: the same filter without a Wasm VM, at the speed of Envoy's own, and
//! without its sandbox.
//!
//! The filter and all below it are crate `lychgate`, which knows no host. Here is a second host for it:
//!
//! | room | what it is for |
//! |---|---|
//! | [`abi`] | Envoy's functions and the module's, and all unsafe code |
//! | [`hooks`] | what Envoy tells, and where a panic ends |
//! | [`config`] | a configuration, and a route's own, on Envoy's main thread |
//! | [`local`] | what a thread has of a configuration: the engine, and the requests that wait |
//! | [`exchange`] | one request |
//! | [`host`] | what the filter asks of its host |
//! | [`shared`] | what the threads share: key sets, revocations, failures of logins |
//! | [`calls`] | calls of clusters, which Envoy's main thread makes |
//! | [`clock`] | ticks, which Envoy has not for filters: a thread that wakes others |
//! | [`signatures`] | signatures of RSA and of NIST's curves, by aws-lc |
//! | [`stats`] | stats with labels |
//! | [`pool`] | threads that hash passwords |
//! | [`logger`] | lines of Envoy's log |

#[expect(unsafe_code, reason = "declares Envoy's functions and the module's; see the room's header")]
mod abi;
mod calls;
mod clock;
mod config;
mod exchange;
mod hooks;
mod host;
mod local;
mod logger;
mod pool;
mod shared;
mod signatures;
mod stats;
mod system_time;
#[cfg(feature = "trap-for-tests")]
mod trap;
