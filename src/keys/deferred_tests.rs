use lychgate_testkit::keys;
use rsa::pkcs8::{DecodePublicKey as _, EncodePublicKey as _};
use rsa::traits::PublicKeyParts as _;

use super::Rsa;

fn modulus(pem: &str) -> (rsa::PublicKey, Vec<u8>) {
    let key = rsa::PublicKey::from_public_key_pem(pem.trim()).unwrap();
    let modulus = key.n().to_be_bytes_trimmed_vartime();
    (key, modulus.into())
}

#[test]
fn a_key_that_is_made_ready_later_is_the_key_that_it_was() {
    for pem in [keys::RSA.public_pem, keys::RSA_STRANGER.public_pem] {
        let (key, modulus) = modulus(pem);
        let own = Rsa::new(&modulus, &[1, 0, 1]).unwrap();
        assert_eq!(own.spki().unwrap(), key.to_public_key_der().unwrap().as_bytes());
        assert_eq!(own.bits(), usize::try_from(key.n().bit_width()).unwrap());
        assert_eq!(*own.ready().unwrap(), key);
        let ready = Rsa::from_ready(key.clone()).unwrap();
        assert_eq!((ready.spki(), ready.bits()), (own.spki(), own.bits()));
    }
}

/// What is said to be valid before it is made ready must be what the crate makes ready.
#[test]
fn what_is_valid_when_read_can_be_made_ready_and_nothing_else_is_valid() {
    let (_, good) = modulus(keys::RSA.public_pem);
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut modulus = good.clone();
        change(&mut modulus);
        modulus
    };
    let even = changed(&|modulus| *modulus.last_mut().unwrap() &= 0xfe);
    let of_2047_bits = changed(&|modulus| modulus[0] = 0x7f);
    let of_2048_bits = changed(&|modulus| modulus[0] = 0x80);
    let of_4096_bits = [good.clone(), good.clone()].concat();
    let of_4097_bits = [vec![1], of_4096_bits.clone()].concat();
    let padded = [vec![0], good.clone()].concat();
    for (name, modulus, exponent, is_valid) in [
        ("good", &good, &[1, 0, 1][..], true),
        ("2048 bits", &of_2048_bits, &[1, 0, 1], true),
        ("4096 bits", &of_4096_bits, &[1, 0, 1], true),
        ("even", &even, &[1, 0, 1], false),
        ("2047 bits", &of_2047_bits, &[1, 0, 1], false),
        ("4097 bits", &of_4097_bits, &[1, 0, 1], false),
        ("padded", &padded, &[1, 0, 1], true),
        ("nothing", &Vec::new(), &[1, 0, 1], false),
        ("exponent 3", &good, &[3], false),
        ("exponent 65539", &good, &[1, 0, 3], false),
        ("no exponent", &good, &[], false),
        ("exponent padded", &good, &[0, 1, 0, 1], true),
    ] {
        let key = Rsa::new(modulus, exponent);
        assert_eq!(key.is_ok(), is_valid, "{name}");
        assert!(key.is_err() || key.unwrap().ready().is_some(), "{name}");
    }
}
