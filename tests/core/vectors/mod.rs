//! Known answers: Project Wycheproof's vectors, through the importers and the checks that a token's
//! key and signature go through.
//!
//! | test | whose answer |
//! |---|---|
//! | the module's | `VerificationKey::verifies`, whose code is the module's, compiled natively |
//! | the native module's | the same by aws-lc where it has the algorithm: `aws_lc` |
//! | Envoy's | `verify_signature` in a real Envoy, asked as the module asks it: `envoy/vectors` |
//! | JWS | the verifier of tokens, as far as the signature |
//!
//! No vector is left out in silence: each is either run or counted under the reason why not, and a
//! reason to refuse what a vector calls valid is held to its word.

mod aws_lc;
mod jws;
mod sets;
#[expect(dead_code, reason = "only Envoy leaves whole sets out")]
mod tally;

use lychgate::keys::VerificationKey;

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
