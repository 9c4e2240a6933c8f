//! What the tests share: a real Envoy, an emulated host of the module, an echoing upstream, a raw HTTP client;
//! and the two tables that several suites are held to, [`behaviour`] and [`config_faults`].
//!
//! Keys and tokens are those of `lychgate-testkit`, which do not come from the code under test.

pub mod behaviour;
pub mod book;
pub mod config_faults;
pub mod configuration;
pub mod corpus;
pub mod demonstration;
pub mod echo;
pub mod envoy;
pub mod h2;
pub mod held;
pub mod hpack;
pub mod http;
pub mod issuer;
pub mod leaks;
pub mod load;
pub mod node;
pub mod programs;
pub mod python;
pub mod rows;
pub mod schedule;
pub mod vm;
mod wire;
pub mod witness;

pub use lychgate_testkit::{keys, proofs, tokens};
