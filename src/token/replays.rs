//! DPoP proofs that were used (RFC 9449 section 11.1), in shared data, so that every worker knows them.
//!
//! The store is bounded. It is a table of slots by the digest of a proof, each a list of entries. An entry is dropped when
//! its proof is too old to be accepted, and at no other time: a slot that is full takes no further proof, and the request is
//! refused. One key fills at most half of a slot, so that a single client does not block the others.
//!
//! Envoy writes a value that does not exist without looking at its version, so that two workers would both use up a proof.
//! So all slots are made before the first request, and one that is not there is not made later.

use super::confirmation::Digest;
use super::error::TokenError;
use crate::host::Host;

/// How many slots there are.
const SLOTS: u64 = 128;
/// How many entries a slot has at most: 131,072 proofs in all, or 3.5 MiB.
const ENTRIES: usize = 1024;
/// How many of them are of one key.
const ENTRIES_OF_KEY: usize = ENTRIES / 2;
/// How often a write that another worker overtook is tried again.
const TRIES: u32 = 16;
const ENTRY_BYTES: usize = 28;

/// Makes the slots that do not exist yet. What cannot be made refuses the proofs that belong there.
pub fn begin(host: &dyn Host) {
    for name in (0..SLOTS).map(name) {
        if matches!(host.get_shared_data(&name), Ok(None)) {
            let _ = host.set_shared_data(&name, &[], 0);
        }
    }
}

fn name(slot: u64) -> String {
    format!("lychgate.dpop.1.{slot}")
}

#[derive(Clone, Copy)]
struct Entry {
    /// Half of the proof's digest.
    tag: [u8; 16],
    /// The beginning of the key's thumbprint.
    key: [u8; 4],
    /// Until when the proof would be accepted, in Unix seconds.
    until: i64,
}

/// Uses up the proof of this digest, which no request may have used before `until`.
///
/// # Errors
/// If it was used, or if it cannot be remembered.
pub fn use_up(proof: &Digest, key: &Digest, until: i64, now: i64, host: &dyn Host) -> Result<(), TokenError> {
    let (Some((tag, rest)), Some(key)) = (proof.split_first_chunk::<16>(), key.first_chunk::<4>()) else {
        return Err(TokenError::ReplaysUnavailable);
    };
    let slot = rest.first_chunk().map_or(0, |word| u64::from_le_bytes(*word)) % SLOTS;
    let name = name(slot);
    for _ in 0..TRIES {
        let Ok(Some((bytes, version))) = host.get_shared_data(&name) else {
            return Err(TokenError::ReplaysUnavailable);
        };
        // An entry that cannot be read may be this proof.
        if bytes.len().checked_rem(ENTRY_BYTES) != Some(0) {
            return Err(TokenError::ReplaysUnavailable);
        }
        let mut kept = Vec::with_capacity(bytes.len().saturating_add(ENTRY_BYTES));
        let mut of_key = 0_usize;
        for chunk in bytes.chunks_exact(ENTRY_BYTES) {
            let Some(entry) = Entry::from_bytes(chunk) else { return Err(TokenError::ReplaysUnavailable) };
            if entry.tag == *tag {
                return Err(TokenError::ProofReplayed);
            }
            if now < entry.until {
                kept.extend_from_slice(chunk);
                of_key = of_key.saturating_add(usize::from(entry.key == *key));
            }
        }
        if kept.len() >= ENTRIES.saturating_mul(ENTRY_BYTES) || of_key >= ENTRIES_OF_KEY {
            return Err(TokenError::ReplaysFull);
        }
        kept.extend(Entry { tag: *tag, key: *key, until }.to_bytes());
        match host.set_shared_data(&name, &kept, version) {
            Ok(true) => return Ok(()),
            // Another worker wrote: it may have been this very proof.
            Ok(false) => {}
            Err(_) => return Err(TokenError::ReplaysUnavailable),
        }
    }
    Err(TokenError::ReplaysFull)
}

impl Entry {
    fn to_bytes(self) -> Vec<u8> {
        [&self.tag[..], &self.key, &self.until.to_le_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (tag, rest) = bytes.split_first_chunk()?;
        let (key, rest) = rest.split_first_chunk()?;
        let (until, _) = rest.split_first_chunk()?;
        Some(Self { tag: *tag, key: *key, until: i64::from_le_bytes(*until) })
    }
}
