//! Keys for tests, and tokens made of them independently of the code under test. It is small, so that the
//! core's unit tests can take it: what needs a real Envoy or a Wasm machine is in `lychgate-tests`.

pub mod keys;
pub mod proofs;
pub mod tokens;
