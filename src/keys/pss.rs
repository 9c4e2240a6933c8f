//! RSASSA-PSS (RFC 8017 section 8.1.2) with the public exponent 65537, which is the only one there is
//! (`checked_rsa`).
//!
//! The crate `rsa` does the same in more than twice the time: it raises to any power with a table of
//! fifteen powers, and keeps the exponent secret, which is public here. Envoy checks no
//! PSS signature for a module, so this one is met. The arithmetic is `crypto_bigint`'s.

use crypto_bigint::BoxedUint;
use crypto_bigint::modular::BoxedMontyForm;
use rsa::traits::PublicKeyParts as _;
use sha2::Digest;

/// Whether `signature` is that of `message`. The salt is as long as the hash (RFC 7518 section 3.5); any
/// other is refused.
pub fn verifies<D: Digest>(key: &rsa::PublicKey, message: &[u8], signature: &[u8]) -> bool {
    let Some(encoded) = recover(key, signature) else { return false };
    is_encoding_of::<D>(encoded, key.n().bit_width().saturating_sub(1), &D::digest(message))
}

/// RSAVP1 (section 5.2.2): the message representative, as long as the modulus is in memory.
fn recover(key: &rsa::PublicKey, signature: &[u8]) -> Option<Vec<u8>> {
    if signature.len() != key.size() {
        return None;
    }
    let signature = BoxedUint::from_be_slice(signature, key.n_bits_precision()).ok()?;
    if signature >= *key.n().as_ref() {
        return None;
    }
    let base = BoxedMontyForm::new(signature, key.n_params());
    // 65537 = 2^16 + 1
    let power = (0..16).fold(base.clone(), |power, _| power.square());
    Some(power.mul(&base).retrieve().to_be_bytes().into_vec())
}

/// EMSA-PSS-VERIFY (section 9.1.2) of an encoded message of `bits` bits, which is at the end of
/// `encoded`.
fn is_encoding_of<D: Digest>(mut encoded: Vec<u8>, bits: u32, digest: &[u8]) -> bool {
    const TRAILER: u8 = 0xbc;
    let length = usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX);
    let Some(ahead) = encoded.len().checked_sub(length) else { return false };
    let (zeros, encoded) = encoded.split_at_mut(ahead);
    let Some((&mut TRAILER, encoded)) = encoded.split_last_mut() else { return false };
    let Some(masked) = encoded.len().checked_sub(digest.len()) else { return false };
    let (block, hash) = encoded.split_at_mut(masked);

    // The bits that are beyond those of the modulus must be zero under the mask, and are without it.
    let unused = !0xff_u8.checked_shr(bits.wrapping_neg() % 8).unwrap_or(0);
    if zeros.iter().any(|&byte| byte != 0) || block.first().is_none_or(|first| first & unused != 0) {
        return false;
    }
    unmask::<D>(block, hash);
    if let Some(first) = block.first_mut() {
        *first &= !unused;
    }
    let Some(padding) = block.len().checked_sub(digest.len()) else { return false };
    let (padding, salt) = block.split_at(padding);
    let Some((1, padding)) = padding.split_last() else { return false };
    let expected = D::new().chain_update([0; 8]).chain_update(digest).chain_update(salt).finalize();
    padding.iter().all(|&byte| byte == 0) && expected.as_slice() == hash
}

/// Takes MGF1 (appendix B.2.1) of `seed` off `block`.
fn unmask<D: Digest>(block: &mut [u8], seed: &[u8]) {
    let size = <D as Digest>::output_size();
    for (counter, chunk) in (0_u32..).zip(block.chunks_mut(size)) {
        let mask = D::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize();
        for (byte, mask) in chunk.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
}

#[cfg(test)]
#[path = "pss_tests.rs"]
mod tests;
