//! What checking a signature costs, so that what a stranger can have computed is bounded by time.

use super::algorithm::Algorithm;
use super::key::{Material, VerificationKey};

impl VerificationKey {
    /// What one check of a message of so many bytes costs, in microseconds of a worker's time, rounded up:
    /// `native` if the host computes it. Fixed figures, so that a decision is the same wherever it is made.
    #[must_use]
    pub fn cost(&self, native: bool, message: usize) -> u32 {
        let check = match (self.algorithm, native) {
            (Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512, _) => 10,
            (Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512, true) => self.by_bits(60, 120),
            (Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512, false) => self.by_bits(700, 2500),
            (Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512, _) => self.by_bits(350, 1100),
            (Algorithm::Es256, true) => 120,
            (Algorithm::Es384, true) => 800,
            (Algorithm::Es512, _) => 1800,
            (Algorithm::Es256, false) => 2000,
            (Algorithm::Es384, false) => 6000,
            (Algorithm::Es256k | Algorithm::EdDsa, _) => 300,
            (Algorithm::MlDsa44 | Algorithm::MlDsa65 | Algorithm::MlDsa87, _) => 1500,
        };
        // Hashing, and carrying the message to the host.
        check.saturating_add(u32::try_from(message / 100).unwrap_or(u32::MAX))
    }

    /// One figure for RSA of up to 2,048 bits, another for up to 4,096.
    fn by_bits(&self, small: u32, large: u32) -> u32 {
        match &self.material {
            Material::Rsa(key) if key.bits() <= 2048 => small,
            _ => large,
        }
    }
}
