//! Randomness that is given, as the crates that sign want it.

use rand_core::{TryCryptoRng, TryRng};

use crate::host::HostError;

/// Fills bytes from a cryptographic source of randomness.
pub type Fill<'a> = &'a dyn Fn(&mut [u8]) -> Result<(), HostError>;

/// A generator that takes everything from whoever fills.
pub struct FilledBy<'a>(pub Fill<'a>);

impl TryRng for FilledBy<'_> {
    type Error = HostError;

    fn try_next_u32(&mut self) -> Result<u32, HostError> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, HostError> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), HostError> {
        (self.0)(bytes)
    }
}

impl TryCryptoRng for FilledBy<'_> {}
