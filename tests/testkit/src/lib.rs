//! What the tests share: a real Envoy, an echoing upstream, a raw HTTP client, and tokens made
//! independently of the code under test.

pub mod book;
pub mod demonstration;
pub mod echo;
pub mod envoy;
pub mod h2;
pub mod held;
pub mod hpack;
pub mod http;
pub mod issuer;
pub mod keys;
pub mod load;
pub mod node;
pub mod programs;
pub mod python;
pub mod schedule;
pub mod tokens;
pub mod vm;
mod wire;
pub mod witness;
