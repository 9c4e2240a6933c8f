//! Memories of what an issuer said.

#![allow(clippy::arithmetic_side_effects, reason = "tests count")]

use std::collections::HashMap;
use std::rc::Rc;

use proptest::prelude::*;

use super::{ACTIVE_BYTES, CachedAnswer, Digest, Introspected, IntrospectionCache};

fn token(number: u32) -> Digest {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&number.to_be_bytes());
    digest
}

fn yes(bytes: usize) -> CachedAnswer {
    CachedAnswer::Active(Rc::new(Introspected::default()), bytes)
}

/// 4,160 made-up tokens pushed the good ones out, and with the issuer away those were answered 503.
#[test]
fn made_up_tokens_made_good_ones_be_forgotten() {
    let mut memory = IntrospectionCache::new();
    for number in 0..100 {
        memory.put(token(number), yes(200), 4600);
    }
    for number in 1000..10_000 {
        memory.put(token(number), CachedAnswer::Inactive, 1010);
        memory.put(token(number + 10_000), CachedAnswer::Failed, 1001);
    }
    for number in 0..100 {
        assert!(matches!(memory.get(&token(number), 1000), Some(CachedAnswer::Active(..))), "{number}");
    }
    assert!(
        matches!(memory.get(&token(9_999), 1000), Some(CachedAnswer::Inactive)),
        "noes are remembered too"
    );
    assert!(memory.get(&token(1_000), 1000).is_none(), "and bounded");
    assert!(memory.inactive.len() <= 4096 && memory.failed.len() <= 1024);
}

#[test]
fn long_answers_take_bounded_memory() {
    let mut memory = IntrospectionCache::new();
    for number in 0..4000 {
        memory.put(token(number), yes(65_536), 4600);
        assert!(memory.bytes <= ACTIVE_BYTES);
    }
    assert_eq!(memory.active.len(), 64);
    assert!(memory.get(&token(3_999), 1000).is_some(), "the latest are kept");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever the order of answers: the last one about a token is what is known of it, to its time, and
    /// the bytes add up.
    #[test]
    fn the_last_answer_counts(answers in prop::collection::vec((0..20_u32, 0..3_u8, 1..50_i64), 1..200)) {
        let mut memory = IntrospectionCache::new();
        let mut model = HashMap::new();
        for (now, (number, kind, lasts)) in (0_i64..).zip(&answers) {
            let known = match kind { 0 => yes(100), 1 => CachedAnswer::Inactive, _ => CachedAnswer::Failed };
            memory.put(token(*number), known, now + lasts);
            model.insert(*number, (*kind, now + lasts));
            for number in 0..20 {
                let expected = model.get(&number).filter(|(_, until)| now < *until).map(|(kind, _)| *kind);
                let found = memory.get(&token(number), now).map(|known| match known {
                    CachedAnswer::Active(..) => 0,
                    CachedAnswer::Inactive => 1,
                    CachedAnswer::Failed => 2,
                });
                prop_assert_eq!(found, expected);
            }
            prop_assert_eq!(memory.bytes, memory.active.len() * 100);
        }
    }
}
