//! SHA-256 of several parts.

use sha2::{Digest as _, Sha256};

/// The digest of `parts`, and of no other division of the same bytes.
#[inline(never)]
pub fn of(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        // Lengths keep `a` + `bc` apart from `ab` + `c`.
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
