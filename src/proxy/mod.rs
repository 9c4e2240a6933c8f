//! The only room that knows proxy-wasm: contexts on one side, the core on the other.
//!
//! The SDK's own host calls panic on a status they did not expect and on a header name that is not
//! UTF-8, and a panic takes the worker's VM with it. So the SDK drives the contexts, and every call
//! to the host goes through [`abi`], which has no way to panic.

#[expect(unsafe_code, reason = "declares the host's functions; see the module's header")]
mod abi;
mod body;
mod host;
mod http;
mod paused;
mod root;

pub use root::start;
