//! Keys that cost much to be made ready: RSA its Montgomery parameters, ML-DSA its matrix. That they are
//! valid is known when they are read; they are made ready when they are first used, so that a large set
//! is read at once and a key that the host checks natively is never made ready at all.

use std::cell::OnceCell;

use ml_dsa::{EncodedVerifyingKey, MlDsaParams};
use rsa::pkcs8::SubjectPublicKeyInfoRef;
use rsa::pkcs8::der::Encode as _;
use rsa::pkcs8::der::asn1::{BitStringRef, UintRef};
use rsa::traits::PublicKeyParts as _;

/// What is wrong with an RSA key.
pub(super) const NOT_RSA: &str = "not a valid RSA public key of 2048 to 4096 bits with exponent 65537";

/// 65537, big-endian.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// An RSA public key with the exponent 65537.
pub struct Rsa {
    /// The modulus, big-endian, without leading zeros.
    modulus: Box<[u8]>,
    ready: OnceCell<Option<Box<rsa::PublicKey>>>,
}

impl Rsa {
    /// The modulus, big-endian. The exponent is always 65537, so that it names the key.
    pub(super) fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// The key of a modulus and an exponent, both big-endian (RFC 7518 section 6.3.1).
    ///
    /// RFC 7518 section 3.3 wants 2048 bits; more than 4096 costs more than it protects, and with any
    /// exponent but the usual one a forger could make each check as long as he likes. An even modulus is
    /// none, and has no Montgomery form.
    pub(super) fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, String> {
        let modulus = without_zeros(modulus);
        let (Some(&first), Some(&last)) = (modulus.first(), modulus.last()) else {
            return Err(NOT_RSA.into());
        };
        let bits = modulus.len().saturating_mul(8).saturating_sub(first.leading_zeros() as usize);
        match bits {
            0..2048 => {
                Err(format!("RSA keys need at least 2048 bits, and this one has {bits}; make a new one"))
            }
            2048..=4096 if last & 1 == 1 && without_zeros(exponent) == EXPONENT => {
                Ok(Self { modulus: modulus.into(), ready: OnceCell::new() })
            }
            _ => Err(NOT_RSA.into()),
        }
    }

    /// The same for a key that is ready already.
    pub(super) fn from_ready(key: rsa::PublicKey) -> Result<Self, String> {
        let shortest = |number: &rsa::BoxedUint| number.to_be_bytes_trimmed_vartime();
        let own = Self::new(&shortest(key.n()), &shortest(key.e()))?;
        Ok(Self { ready: OnceCell::from(Some(Box::new(key))), ..own })
    }

    /// Bits of the modulus.
    pub(super) fn bits(&self) -> usize {
        let zeros = self.modulus.first().map_or(0, |first| first.leading_zeros());
        self.modulus.len().saturating_mul(8).saturating_sub(zeros as usize)
    }

    /// The key, ready to be used.
    pub(super) fn ready(&self) -> Option<&rsa::PublicKey> {
        let make = || {
            let number = |bytes: &[u8]| rsa::BoxedUint::from_be_slice_vartime(bytes);
            rsa::PublicKey::new(number(&self.modulus), number(&EXPONENT)).ok().map(Box::new)
        };
        self.ready.get_or_init(make).as_deref()
    }

    /// DER of its SubjectPublicKeyInfo (RFC 8017 appendix A.1.1, RFC 5280 section 4.1).
    pub(super) fn spki(&self) -> Option<Vec<u8>> {
        let modulus = UintRef::new(&self.modulus).ok()?;
        let public_exponent = UintRef::new(&EXPONENT).ok()?;
        let key = rsa::pkcs1::RsaPublicKey { modulus, public_exponent }.to_der().ok()?;
        let subject_public_key = BitStringRef::new(0, &key).ok()?;
        SubjectPublicKeyInfoRef { algorithm: rsa::pkcs1::ALGORITHM_ID, subject_public_key }.to_der().ok()
    }
}

/// A number without the zeros before it: RFC 7518 section 6.3.1 wants the shortest octets, and some write the sign of DER
/// along.
fn without_zeros(number: &[u8]) -> &[u8] {
    let start = number.iter().position(|&octet| octet != 0).unwrap_or(number.len());
    number.get(start..).unwrap_or_default()
}

/// An ML-DSA public key (FIPS 204): any bytes of the right length are one.
pub struct MlDsa<P: MlDsaParams> {
    encoded: Box<EncodedVerifyingKey<P>>,
    ready: OnceCell<Box<ml_dsa::VerifyingKey<P>>>,
}

impl<P: MlDsaParams> MlDsa<P> {
    /// The key of these bytes (FIPS 204 algorithm 22).
    pub(super) fn new(encoded: &[u8]) -> Option<Self> {
        let encoded = EncodedVerifyingKey::<P>::try_from(encoded).ok()?;
        Some(Self { encoded: Box::new(encoded), ready: OnceCell::new() })
    }

    /// The key, ready to be used.
    pub(super) fn ready(&self) -> &ml_dsa::VerifyingKey<P> {
        self.ready.get_or_init(|| Box::new(ml_dsa::VerifyingKey::decode(&self.encoded)))
    }
}

#[cfg(test)]
#[path = "deferred_tests.rs"]
mod tests;
