//! Project Wycheproof's vectors again, by `verify_signature` of a real Envoy, asked as the module asks it:
//! `core/vectors` has them, and the module's own answers.

mod oracle;
#[expect(dead_code, reason = "the names of the sets are printed by the other test")]
#[path = "../../core/vectors/sets.rs"]
mod sets;
#[path = "../../core/vectors/tally.rs"]
mod tally;

use lychgate_tests::envoy::Artefact;
use oracle::Oracle;
use sets::Loaded;
use tally::Tally;

#[test]
fn envoy_s_verify_signature_answers_every_wycheproof_vector_rightly() {
    if Artefact::is_native_where("it verifies by aws-lc: tests/core/vectors") {
        return;
    }
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
