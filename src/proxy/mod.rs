//! The only room that knows proxy-wasm: Envoy's callbacks on one side, the core on the other.
//!
//! It speaks the ABI itself. The SDK panics on a status that it did not expect and on a header that
//! is not UTF-8, and a panic takes the worker's VM with it; and it exports every callback there is,
//! each of which costs every request a way into the VM and back. So [`exports`] has the callbacks
//! that the gate needs and no others, and [`abi`] and [`wasi`] the host's functions, with no way to
//! panic.

#[expect(unsafe_code, reason = "declares the host's functions; see the module's header")]
mod abi;
#[expect(unsafe_code, reason = "exports the plugin's functions by name; see the module's header")]
mod exports;
mod host;
mod logger;
mod map;
mod plugin;
mod stream;
#[cfg(feature = "trap-for-tests")]
mod trap;
#[expect(unsafe_code, reason = "declares the host's functions; see the module's header")]
mod wasi;
