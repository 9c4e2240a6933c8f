use std::sync::OnceLock;

use crypto_bigint::BoxedUint;
use crypto_bigint::modular::BoxedMontyForm;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use sha2::{Sha256, Sha384, Sha512};

use super::{recover, verifies};
use crate::keys::random::{FilledBy, NoRandomness};

fn fill(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    getrandom::fill(bytes).map_err(|_| NoRandomness)
}

/// Keys whose lengths end differently within a byte.
fn pairs() -> &'static [(rsa::PrivateKey, rsa::PublicKey)] {
    static PAIRS: OnceLock<Vec<(rsa::PrivateKey, rsa::PublicKey)>> = OnceLock::new();
    PAIRS.get_or_init(|| {
        [2048, 2049, 2050, 2055]
            .map(|bits| {
                let private = rsa::PrivateKey::new(&mut FilledBy(&fill), bits).unwrap();
                let public = private.to_public_key();
                (private, public)
            })
            .to_vec()
    })
}

/// What the private key makes of any representative (RFC 8017 section 5.2.1), sound or not.
fn sign_raw(private: &rsa::PrivateKey, representative: &[u8]) -> Vec<u8> {
    let precision = private.n_bits_precision();
    let number = BoxedUint::from_be_slice(representative, precision).unwrap();
    let bytes = BoxedMontyForm::new(number, private.n_params()).pow(private.d()).retrieve().to_be_bytes();
    bytes.rchunks(private.size()).next().unwrap().to_vec()
}

macro_rules! for_each_hash {
    ($run:ident) => {
        $run!(Sha256);
        $run!(Sha384);
        $run!(Sha512);
    };
}

#[test]
fn what_the_crate_signs_is_verified_and_nothing_else_with_it() {
    for (private, public) in pairs() {
        macro_rules! run {
            ($hash:ty) => {
                let signature = private.pss_sign_with_rng::<$hash, _>(&mut FilledBy(&fill), b"text").unwrap();
                assert!(verifies::<$hash>(public, b"text", &signature));
                assert!(!verifies::<$hash>(public, b"Text", &signature));
                assert!(!verifies::<$hash>(public, b"text", &signature[1..]));
                assert!(!verifies::<$hash>(public, b"text", &[&[0], &signature[..]].concat()));
                let mut other = signature.clone();
                other[7] ^= 1;
                assert!(!verifies::<$hash>(public, b"text", &other));
            };
        }
        for_each_hash!(run);
    }
}

#[test]
fn an_encoding_with_any_byte_changed_is_judged_as_the_crate_judges_it() {
    let (mut same, mut refused) = (0, 0);
    for (private, public) in pairs() {
        macro_rules! run {
            ($hash:ty) => {
                let signature = private.pss_sign_with_rng::<$hash, _>(&mut FilledBy(&fill), b"text").unwrap();
                let encoded = recover(public, &signature).unwrap();
                let start = encoded.len() - public.size();
                for (step, place) in (start..encoded.len()).enumerate() {
                    // All of what is around the borders, and a part of the rest.
                    if step > 2 && place + 2 < encoded.len() && step % 11 != 0 {
                        continue;
                    }
                    for change in [0x01, 0x80] {
                        let mut encoded = encoded.clone();
                        encoded[place] ^= change;
                        if BoxedUint::from_be_slice(&encoded, public.n_bits_precision()).unwrap()
                            >= *public.n().as_ref()
                        {
                            continue;
                        }
                        let signature = sign_raw(private, &encoded);
                        assert_eq!(recover(public, &signature).as_ref(), Some(&encoded));
                        let verdict = verifies::<$hash>(public, b"text", &signature);
                        let crates = public.pss_verify::<$hash>(b"text", &signature).is_ok();
                        assert_eq!(verdict, crates, "byte {place} of {encoded:02x?}");
                        same += 1;
                        refused += usize::from(!verdict);
                    }
                }
            };
        }
        for_each_hash!(run);
    }
    assert!(same > 500 && refused == same, "{refused} of {same}");
}

#[test]
fn a_salt_of_another_length_is_refused() {
    use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _};
    let (private, public) = &pairs()[3];
    for salt in [0, 16, 31, 33, 40] {
        let signer = rsa::pss::SigningKey::<Sha256>::new_with_salt_len(private.clone(), salt);
        let signature = signer.try_sign_with_rng(&mut FilledBy(&fill), b"text").unwrap().to_vec();
        assert!(!verifies::<Sha256>(public, b"text", &signature), "{salt}");
    }
}

#[test]
fn a_representative_beyond_the_modulus_is_refused() {
    let (_, public) = &pairs()[0];
    let mut modulus = public.n().to_be_bytes().into_vec();
    modulus.drain(..modulus.len() - public.size());
    assert_eq!(recover(public, &modulus), None);
    assert_eq!(recover(public, &vec![0xff; public.size()]), None);
    assert!(!verifies::<Sha256>(public, b"text", &vec![0; public.size()]));
}
