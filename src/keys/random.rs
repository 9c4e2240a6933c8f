//! Randomness that is given, as the crates that sign want it.

use std::fmt;

use rand_core::{TryCryptoRng, TryRng};

/// The source of randomness did not fill the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRandomness;

impl fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no randomness")
    }
}

impl std::error::Error for NoRandomness {}

/// Fills bytes from a cryptographic source of randomness.
pub type Fill<'a> = &'a dyn Fn(&mut [u8]) -> Result<(), NoRandomness>;

/// A generator that takes its bytes from the host.
pub struct FilledBy<'a>(pub Fill<'a>);

impl TryRng for FilledBy<'_> {
    type Error = NoRandomness;

    fn try_next_u32(&mut self) -> Result<u32, NoRandomness> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, NoRandomness> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        (self.0)(bytes)
    }
}

impl TryCryptoRng for FilledBy<'_> {}
