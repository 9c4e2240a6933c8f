//! Keys: what a signature is checked with or made with, and which token each key is for.

mod algorithm;
mod certificate;
mod cost;
mod deferred;
mod import;
mod jwk;
mod key;
mod pss;
mod random;
mod set;
mod signature;
mod signing;
mod thumbprint;

pub use algorithm::{Algorithm, Hash};
pub use import::{import_pem, import_secret};
pub use jwk::{Imported, JwkError, KeyOrigin, LeftOut, import_jwk, import_jwks, import_pem_map};
pub use key::{NativeKey, VerificationKey};
pub use random::{Fill, NoRandomness};
pub use set::{BUDGET, KeySet};
pub use signing::SigningKey;
pub use thumbprint::{is_private_jwk, thumbprint};
