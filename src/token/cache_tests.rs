use std::rc::Rc;

use super::{CacheKey, TokenCache};
use crate::host::InMemoryHost;
use crate::token::verified::Verified;
use crate::token::verified::tests_support::verified;

fn key(scheme: usize) -> CacheKey {
    CacheKey { scheme, generation: 0 }
}

fn at(verified: &Verified, now: i64) -> bool {
    verified.is_valid_now(&InMemoryHost::at(now))
}

#[test]
fn a_token_is_found_by_every_byte_and_its_scheme() {
    let mut cache = TokenCache::new(4, 100);
    cache.put(key(0), b"token", &Rc::new(verified(0, 10)));
    assert!(cache.get(key(0), b"token", |verified| at(verified, 5)).is_some());
    for (scheme, token) in [(1, &b"token"[..]), (0, b"tokem"), (0, b"toke"), (0, b"tokens")] {
        assert!(cache.get(key(scheme), token, |verified| at(verified, 5)).is_none());
    }
}

#[test]
fn a_token_is_gone_at_its_exp_and_not_there_before_its_time() {
    let mut cache = TokenCache::new(4, 100);
    cache.put(key(0), b"token", &Rc::new(verified(3, 10)));
    assert!(cache.get(key(0), b"token", |verified| at(verified, 9)).is_some());
    assert!(cache.get(key(0), b"token", |verified| at(verified, 10)).is_none());
    assert!(cache.is_empty(), "an expired entry leaves at once");
    cache.put(key(0), b"token", &Rc::new(verified(3, 10)));
    assert!(cache.get(key(0), b"token", |verified| at(verified, 2)).is_none(), "the clock went back");
}

#[test]
fn a_time_that_was_read_lately_will_do_unless_it_is_near_a_border() {
    let host = InMemoryHost::at(0);
    host.cached_now.set(Some(100));
    let token = verified(100, 1000);
    assert!(token.is_valid_now(&host), "the clock itself says otherwise, and is not asked");
    host.cached_now.set(Some(99));
    assert!(!token.is_valid_now(&host), "it was before, so the clock is asked");
    host.now.set(100);
    assert!(token.is_valid_now(&host));
    host.cached_now.set(Some(999));
    host.now.set(1000);
    assert!(!token.is_valid_now(&host), "it is near its end, so the clock is asked");
}

#[test]
fn the_cache_is_bounded_in_entries_and_bytes() {
    let mut cache = TokenCache::new(2, 5);
    for token in [&b"a"[..], b"b", b"c", b"too long"] {
        cache.put(key(0), token, &Rc::new(verified(0, 10)));
    }
    assert_eq!(cache.len(), 2);
    assert!(cache.get(key(0), b"a", |verified| at(verified, 5)).is_none(), "what was not asked for leaves");
    assert!(cache.get(key(0), b"too long", |verified| at(verified, 5)).is_none());
    let mut none = TokenCache::new(0, 100);
    none.put(key(0), b"a", &Rc::new(verified(0, 10)));
    assert!(none.get(key(0), b"a", |verified| at(verified, 5)).is_none());
}

#[test]
fn a_token_of_the_greatest_length_is_remembered_and_a_longer_one_is_not() {
    let mut cache = TokenCache::new(2, 5);
    cache.put(key(0), b"longer", &Rc::new(verified(0, 10)));
    assert!(cache.is_empty());
    cache.put(key(0), b"right", &Rc::new(verified(0, 10)));
    assert!(!cache.is_empty());
    assert!(cache.get(key(0), b"right", |_| true).is_some());
}

#[test]
fn what_older_keys_verified_is_not_found_again() {
    let mut cache = TokenCache::new(4, 100);
    cache.put(CacheKey { scheme: 0, generation: 1 }, b"token", &Rc::new(verified(0, 10)));
    assert!(cache.get(CacheKey { scheme: 0, generation: 1 }, b"token", |verified| at(verified, 5)).is_some());
    assert!(cache.get(CacheKey { scheme: 0, generation: 2 }, b"token", |verified| at(verified, 5)).is_none());
}

#[test]
fn what_is_asked_for_outlives_what_is_not() {
    let mut cache = TokenCache::new(3, 100);
    for token in [&b"a"[..], b"b", b"c"] {
        cache.put(key(0), token, &Rc::new(verified(0, 10)));
    }
    assert!(cache.get(key(0), b"a", |_| true).is_some());
    for token in [&b"d"[..], b"e"] {
        cache.put(key(0), token, &Rc::new(verified(0, 10)));
    }
    assert_eq!(cache.len(), 3);
    assert!(cache.get(key(0), b"a", |_| true).is_some(), "it was asked for");
    assert!(cache.get(key(0), b"b", |_| true).is_none());
}

#[test]
fn a_cache_that_was_full_for_long_still_finds_what_it_holds() {
    let mut cache = TokenCache::new(50, 100);
    for number in 0..5000_u32 {
        let token = format!("token {number}");
        cache.put(key(0), token.as_bytes(), &Rc::new(verified(0, 10)));
        assert!(cache.get(key(0), token.as_bytes(), |_| number % 3 > 0).is_some() == (number % 3 > 0));
        assert!(cache.len() <= 50);
    }
}
