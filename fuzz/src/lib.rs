//! What is fuzzed, and what must hold for every input: each target is a function of bytes that
//! panics where it does not.
//!
//! cargo-fuzz runs them without end (`fuzz_targets/`), `tests/module/fuzz_seeds.rs` for a while on every
//! change, from the inputs in `seeds/` on.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "a target that meets the unexpected stops at once"
)]

pub mod config;
pub mod differential;
pub mod form;
pub mod headers;
pub mod jwk;
pub mod openapi;
pub mod openapi_differential;
pub mod path;
pub mod pem;
pub mod request;
pub mod schedule;
pub mod signed;
pub mod slow_path;
pub mod stream;
pub mod token;

/// A target: its name, which is that of its directory of seeds, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 14] = [
    ("token", token::run),
    ("jwk", jwk::run),
    ("pem", pem::run),
    ("config", config::run),
    ("form", form::run),
    ("path", path::run),
    ("slow_path", slow_path::run),
    ("headers", headers::run),
    ("openapi", openapi::run),
    ("openapi_differential", openapi_differential::run),
    ("request", request::run),
    ("differential", differential::run),
    ("schedule", schedule::run),
    ("stream", stream::run),
];
