//! Known answers: Project Wycheproof's vectors, through the importers and the checks that a token's
//! key and signature go through.
//!
//! | test | whose answer |
//! |---|---|
//! | the module's | `VerificationKey::verifies`, whose code is the module's, compiled natively |
//! | Envoy's | `verify_signature` in a real Envoy, asked as the module asks it |
//! | JWS | the verifier of tokens, as far as the signature |
//!
//! No vector is left out in silence: each is either run or counted under the reason why not, and a
//! reason to refuse what a vector calls valid is held to its word.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets the unexpected stops at once"
)]

mod jws;
mod oracle;
mod sets;
mod tally;

use lychgate::keys::VerificationKey;

use oracle::Oracle;
use sets::{Group, Loaded};
use tally::Tally;

/// What the forms in which a key was read say of a signature. They must agree.
fn verdict(group: &Group, says: impl Fn(&VerificationKey) -> bool) -> bool {
    let verdicts: Vec<_> = group.keys.iter().map(|(_, key)| key.as_ref().is_ok_and(&says)).collect();
    assert!(verdicts.iter().all(|verdict| *verdict == verdicts[0]), "{}: {:?}", group.set, group.keys);
    verdicts[0]
}

#[test]
fn the_module_s_own_checks_answer_every_wycheproof_vector_rightly() {
    let Loaded { groups, skipped } = sets::load();
    let mut tally = Tally::new("the module", skipped);
    for group in &groups {
        for vector in &group.vectors {
            let accepted = verdict(group, |key| key.verifies(&vector.message, &vector.signature));
            tally.count(vector, accepted);
        }
    }
    tally.finish(5000);
}

#[test]
fn envoy_s_verify_signature_answers_every_wycheproof_vector_rightly() {
    let Loaded { groups, .. } = sets::load();
    let mut oracle = Oracle::start();
    let mut tally = Tally::new("verify_signature in Envoy", Default::default());
    for group in &groups {
        let Some(key) = group.keys.iter().find_map(|(_, key)| key.as_ref().ok()) else {
            tally.skip("the key is refused, so Envoy is not asked", group.vectors.len());
            continue;
        };
        let Some(native) = key.native() else {
            tally.skip(
                &format!("{} is checked in the module only", key.algorithm().name()),
                group.vectors.len(),
            );
            continue;
        };
        for vector in &group.vectors {
            // What is no signature of this form is refused before Envoy is asked.
            let accepted = key
                .native_signature(&vector.signature)
                .is_some_and(|signature| oracle.says_valid(native, &signature, &vector.message));
            tally.count(vector, accepted);
            let module = key.verifies(&vector.message, &vector.signature);
            assert_eq!(accepted, module, "{}: Envoy and the module differ", vector.name);
        }
    }
    tally.finish(2000);
}
