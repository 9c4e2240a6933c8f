//! The seam: all that the core asks of whoever runs it. Envoy through `src/proxy/`, a test through
//! a few lines of its own.

use crate::keys::NativeKey;

/// What the host says of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeVerdict {
    /// It is good.
    Valid,
    /// It is not, or the host failed half-way: never an open gate.
    Invalid,
    /// This host cannot check it; the module does.
    Unavailable,
}

/// What the core asks of its host.
pub trait Host {
    /// Unix time in seconds.
    fn now(&self) -> i64;

    /// Checks a signature natively. `signature` is in the host's form: ECDSA as DER.
    fn verify_signature(&self, key: &NativeKey, signature: &[u8], message: &[u8]) -> NativeVerdict;
}
