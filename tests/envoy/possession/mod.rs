//! Tokens that are bound to a key or to a certificate, stolen, in a real Envoy.

mod certificates;
mod proofs;
