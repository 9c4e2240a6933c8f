//! The shell: the only module that knows proxy-wasm. It is made with the crate `proxy-wasm`: its [`main!`], a
//! [`RootContext`](proxy_wasm::traits::RootContext) with the worker of a configuration, an
//! [`HttpContext`](proxy_wasm::traits::HttpContext) for each request. What happens in them is decided in
//! [`crate::filter`].
//!
//! Beside the crate there are [`hostcalls`] and [`wasi`], with no way to panic, and [`exports`], two callbacks that
//! answer what the crate's cannot. RATIONALE.md says why.
//!
//! [`main!`]: proxy_wasm::main

#[expect(unsafe_code, reason = "exports callbacks by name; see the module's header")]
mod exports;
mod header_map;
mod host;
#[expect(unsafe_code, reason = "declares the host's functions; see the module's header")]
mod hostcalls;
mod http_context;
mod logger;
mod root_context;
mod stream;
#[cfg(feature = "trap-for-tests")]
mod trap;
#[expect(unsafe_code, reason = "declares the host's functions; see the module's header")]
mod wasi;

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|id| Box::new(root_context::Root::new(id)));
}}
