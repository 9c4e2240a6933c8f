use lychgate_testkit::keys::{self, Pair};

use super::{BUDGET, KeySet};
use crate::keys::{Algorithm, VerificationKey, import_pem};

fn key(algorithm: Algorithm, pair: &Pair, kid: Option<&str>) -> VerificationKey {
    import_pem(algorithm, pair.public_pem).unwrap().with_kid(kid.map(str::to_owned))
}

fn order(set: &KeySet, alg: &str, kid: Option<&str>) -> Vec<usize> {
    set.candidates(alg, kid).map(|(place, _)| place).collect()
}

#[test]
fn the_key_that_is_named_comes_first_and_then_the_one_that_verified_last_time() {
    let set = KeySet::new(vec![
        key(Algorithm::Es256, &keys::P256, None),
        key(Algorithm::Es256, &keys::P256, Some("a")),
        key(Algorithm::Rs256, &keys::RSA, Some("b")),
        key(Algorithm::Es256, &keys::P256, None),
        key(Algorithm::Es256, &keys::P256, Some("b")),
    ]);
    assert_eq!(order(&set, "ES256", Some("b")), [4, 0, 3], "and never one of another name");
    assert_eq!(order(&set, "ES256", Some("c")), [0, 3]);
    assert_eq!(order(&set, "ES256", None), [0, 1, 3, 4]);
    assert_eq!(order(&set, "RS256", None), [2]);
    assert!(order(&set, "none", None).is_empty() && order(&set, "ES384", Some("b")).is_empty());
    set.verified(3);
    set.verified(2);
    assert_eq!(order(&set, "ES256", None), [3, 0, 1, 4]);
    assert_eq!(order(&set, "ES256", Some("b")), [4, 3, 0]);
    set.verified(99);
}

#[test]
fn a_set_with_more_keys_than_are_tried_says_so() {
    for (algorithm, pair, few, many) in [
        (Algorithm::Es512, &keys::P521, 3, 8),
        (Algorithm::Ps512, &keys::RSA, 8, 40),
        (Algorithm::Rs256, &keys::RSA, 20, 100),
        (Algorithm::Es256, &keys::P256, 20, 100),
        (Algorithm::EdDsa, &keys::ED25519, 4, 20),
    ] {
        let set = |count| KeySet::new((0..count).map(|_| key(algorithm, pair, Some("k"))).collect());
        assert!(set(few).beyond_budget().is_empty(), "{algorithm:?}");
        let lines = set(many).beyond_budget();
        assert!(matches!(lines.as_slice(), [line] if line.contains(algorithm.name())), "{lines:?}");
    }
}

/// No single check is so dear that two of them would be beyond reason.
#[test]
fn what_one_token_can_cost_is_bounded() {
    for (algorithm, pair) in [
        (Algorithm::Es512, &keys::P521),
        (Algorithm::Es384, &keys::P384),
        (Algorithm::Ps512, &keys::RSA),
        (Algorithm::EdDsa, &keys::ED25519),
        (Algorithm::Es256k, &keys::SECP256K1),
    ] {
        let key = key(algorithm, pair, None);
        let cost = key.cost(key.native().is_some(), 8192);
        assert!(cost > 0 && cost < BUDGET, "{algorithm:?}: {cost}");
    }
}
