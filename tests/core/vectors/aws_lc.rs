//! The native module's checks: by aws-lc where it has the algorithm, and by the core where not. They are the module's own
//! file, for the module itself can be linked to nothing but Envoy.

#[path = "../../../module/src/signatures.rs"]
mod signatures;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use lychgate::host::NativeVerdict;
use lychgate::keys::{Algorithm, VerificationKey, import_pem};
use lychgate_tests::keys::{self, Pair};
use lychgate_tests::tokens::Token;

use super::sets::{self, Loaded};
use super::tally::Tally;
use super::verdict;

fn verifies(key: &VerificationKey, message: &[u8], signature: &[u8]) -> bool {
    match signatures::verify(key, signature, message) {
        NativeVerdict::Valid => true,
        NativeVerdict::Invalid => false,
        NativeVerdict::Unavailable => key.verifies(message, signature),
    }
}

#[test]
fn the_native_module_s_checks_answer_every_wycheproof_vector_rightly() {
    let Loaded { groups, skipped } = sets::load();
    let mut tally = Tally::new("the native module", skipped);
    for group in &groups {
        for vector in &group.vectors {
            let accepted = verdict(group, |key| verifies(key, &vector.message, &vector.signature));
            tally.count(vector, accepted);
        }
    }
    tally.finish(5000);
}

/// A small generator (xorshift), so that a difference that is found is found again.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }
}

/// A signature with something of it changed, in one of the ways in which libraries have differed.
fn mutated(signature: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut mutant = signature.to_vec();
    let half = mutant.len() / 2;
    match numbers.next(9) {
        0 => {
            let at = numbers.next(mutant.len());
            mutant[at] ^= 1 << numbers.next(8);
        }
        1 => {
            let at = numbers.next(mutant.len());
            mutant[at] = [0, 0xff, 0x80, 0x7f, 1][numbers.next(5)];
        }
        2 => mutant.truncate(numbers.next(mutant.len())),
        3 => mutant.push(numbers.next(256) as u8),
        4 => mutant.insert(0, 0),
        // The two halves of an ECDSA signature.
        5 => mutant.rotate_left(half),
        6 => {
            let from = if numbers.next(2) == 0 { 0 } else { half };
            mutant[from..from + half].fill([0, 0xff][numbers.next(2)]);
        }
        7 => {
            let last = mutant.len() - 1;
            mutant[last] = mutant[last].wrapping_add([1, 0xff][numbers.next(2)]);
        }
        _ => {}
    }
    mutant
}

/// How many mutants of each algorithm: a few thousand in all, or as many as `LYCHGATE_MUTANTS` says.
fn count(of: usize) -> usize {
    let all = std::env::var("LYCHGATE_MUTANTS").ok().and_then(|text| text.parse().ok());
    all.map_or(of, |all: usize| all / ALGORITHMS.len())
}

const ALGORITHMS: [(&str, Pair, usize); 9] = [
    ("RS256", keys::RSA, 500),
    ("RS384", keys::RSA, 300),
    ("RS512", keys::RSA, 300),
    ("PS256", keys::RSA, 500),
    ("PS384", keys::RSA, 300),
    ("PS512", keys::RSA, 300),
    ("ES256", keys::P256, 300),
    ("ES384", keys::P384, 150),
    ("ES512", keys::P521, 100),
];

/// Two libraries check the same tokens, so that a token which one artefact accepts and the other refuses would be found
/// here first.
#[test]
fn aws_lc_and_the_core_agree_on_mutated_signatures() {
    let (mut tried, mut accepted) = (0_usize, 0_usize);
    for (alg, pair, of) in ALGORITHMS {
        let algorithm = Algorithm::from_name(alg).unwrap();
        let key = import_pem(algorithm, pair.public_pem).unwrap();
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        for number in 0..count(of) {
            // The same token for some mutants: signing is the slowest part.
            let token = Token::new().claim("jti", (number / 50).to_string()).sign(alg);
            let (message, signature) = token.rsplit_once('.').unwrap();
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            let mutant = mutated(&signature, &mut numbers);
            let verdict = signatures::verify(&key, &mutant, message.as_bytes());
            assert_ne!(verdict, NativeVerdict::Unavailable, "{alg}: aws-lc has it");
            let own = key.verifies(message.as_bytes(), &mutant);
            assert_eq!(verdict == NativeVerdict::Valid, own, "{alg}: {message} {mutant:02x?}");
            tried += 1;
            accepted += usize::from(own);
        }
    }
    println!("{tried} signatures, {accepted} of them good; no difference");
    assert!(accepted > 0 && accepted < tried / 2, "{accepted} of {tried}: both kinds are among them");
}
