//! Signatures of RSA and of ECDSA on NIST's curves, by aws-lc: two to five times as fast as the core's own, which
//! checks the rest. Each key is parsed once.

use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use lychgate::host::NativeVerdict;
use lychgate::keys::{Algorithm, VerificationKey};

/// aws-lc's of an algorithm. The core holds RSA keys to 2048 to 4096 bits.
fn of(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
        Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::Es384 => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::Es512 => &signature::ECDSA_P521_SHA512_FIXED,
        // No faster there, less strict, or not there at all.
        Algorithm::Hs256
        | Algorithm::Hs384
        | Algorithm::Hs512
        | Algorithm::Es256k
        | Algorithm::EdDsa
        | Algorithm::MlDsa44
        | Algorithm::MlDsa65
        | Algorithm::MlDsa87 => return None,
    })
}

/// Whether `signature`, as it stands in a token, is the key's signature of `message`.
pub fn verify(key: &VerificationKey, signature: &[u8], message: &[u8]) -> NativeVerdict {
    let Some(algorithm) = of(key.algorithm()) else { return NativeVerdict::Unavailable };
    let parsed = key.parsed(|spki| ParsedPublicKey::new(algorithm, spki).ok());
    match parsed.map(|parsed| parsed.verify_sig(message, signature)) {
        Some(Ok(())) => NativeVerdict::Valid,
        Some(Err(_)) => NativeVerdict::Invalid,
        None => NativeVerdict::Unavailable,
    }
}
