//! Nonces for DPoP proofs (RFC 9449 section 9), without a list of the issued ones: a nonce is its time and a MAC
//! of it. The secret is made by the first worker that needs it, and shared with the others.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::error::TokenError;
use crate::encoding::decode_base64url;
use crate::host::Host;

/// Where the secret is in shared data.
const SECRET: &str = "lychgate.dpop.nonce.1";
/// How long a nonce serves, in seconds.
const LIFETIME: i64 = 300;
/// How many bytes of the MAC a nonce has.
const TAG_BYTES: usize = 16;

/// A nonce of now.
///
/// # Errors
/// If there is no secret and none can be made.
pub fn current(host: &dyn Host) -> Result<String, TokenError> {
    let issued = host.now().to_be_bytes();
    let tag = mac(host, &issued)?.finalize().into_bytes();
    let bytes: Vec<u8> = issued.iter().chain(tag.iter().take(TAG_BYTES)).copied().collect();
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// Whether this filter issued `nonce`, and it has not expired.
///
/// # Errors
/// If there is no secret and none can be made.
pub fn is_valid(nonce: &str, now: i64, host: &dyn Host) -> Result<bool, TokenError> {
    let bytes = decode_base64url(nonce.as_bytes()).unwrap_or_default();
    let Some((issued, tag)) = bytes.split_first_chunk::<8>().filter(|(_, tag)| tag.len() == TAG_BYTES) else {
        return Ok(false);
    };
    let is_ours = mac(host, issued)?.verify_truncated_left(tag).is_ok();
    let age = now.saturating_sub(i64::from_be_bytes(*issued));
    Ok(is_ours && (0..=LIFETIME).contains(&age))
}

fn mac(host: &dyn Host, issued: &[u8; 8]) -> Result<Hmac<Sha256>, TokenError> {
    let secret = secret(host).ok_or(TokenError::ReplaysUnavailable)?;
    let mac = Hmac::<Sha256>::new_from_slice(&secret).map_err(|_| TokenError::ReplaysUnavailable)?;
    Ok(mac.chain_update(b"dpop nonce").chain_update(issued))
}

fn secret(host: &dyn Host) -> Option<[u8; 32]> {
    // A worker that loses the race takes the winner's.
    for _ in 0..2 {
        if let Some((secret, _)) = host.get_shared_data(SECRET).ok()? {
            return secret.try_into().ok();
        }
        let mut secret = [0; 32];
        host.random(&mut secret).ok()?;
        // Version 0 would overwrite what another worker writes now, so the value is made first and read again.
        host.set_shared_data(SECRET, &secret, 0).ok()?;
    }
    let (secret, _) = host.get_shared_data(SECRET).ok()??;
    secret.try_into().ok()
}
