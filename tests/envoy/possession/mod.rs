//! Tokens that are bound to a key or to a certificate, stolen, in a real Envoy.

pub mod certificates;
mod proofs;
