#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, reason = "a test")]
//! What a table of single requests cannot show: proofs that come again, stores that are full, nonces that grow old.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use lychgate_testkit::proofs::{Proof, thumbprint};
use lychgate_testkit::tokens;

use super::Dpop;
use crate::claim::{ClaimReference, Claims};
use crate::encoding::decode_base64url;
use crate::fetch::TokenDigests;
use crate::host::{Host, HostError, HttpCall, InMemoryHost, NativeVerdict};
use crate::keys::NativeKey;
use crate::request::Request;
use crate::token::dpop;
use crate::token::possession::Presented;
use crate::token::replays::{begin, use_up};
use crate::token::{TokenError, nonce};

fn settings() -> Dpop {
    Dpop { is_required: false, max_age_seconds: 60, needs_nonce: false, origins: vec!["http://a".into()] }
}

fn key(alg: &str) -> [u8; 32] {
    decode_base64url(thumbprint(alg, false).as_bytes()).unwrap().try_into().unwrap()
}

fn check(dpop: &Dpop, proof: &str, digests: &TokenDigests, host: &dyn Host) -> Result<(), TokenError> {
    let headers: [(&[u8], &[u8]); 4] =
        [(b":method", b"GET"), (b":path", b"/"), (b":authority", b"a"), (b"dpop", proof.as_bytes())];
    let request = Request::new(&headers);
    let presented = Presented { token: b"token", is_dpop: true, request: &request, digests };
    dpop.check(&dpop::Proof { key: key("ES256"), presented: &presented }, host)
}

fn proof() -> Proof {
    Proof::new("ES256", "GET", "http://a/", "token")
}

fn host() -> InMemoryHost {
    let host = InMemoryHost::at(tokens::now());
    begin(&host);
    host
}

#[test]
fn a_proof_is_used_up_by_a_request_and_not_by_a_decision() {
    let (host, dpop, first) = (host(), settings(), TokenDigests::default());
    let text = proof().sign();
    check(&dpop, &text, &first, &host).unwrap();
    // The same request waited for something, and is decided anew.
    check(&dpop, &text, &first, &host).unwrap();
    assert_eq!(check(&dpop, &text, &TokenDigests::default(), &host), Err(TokenError::ProofReplayed));
    // The same id in another proof of the key is the same.
    let again = proof().claim("jti", "x");
    check(&dpop, &again.sign(), &TokenDigests::default(), &host).unwrap();
    let other = proof().claim("jti", "x").claim("iat", tokens::now() - 1).sign();
    assert_eq!(check(&dpop, &other, &TokenDigests::default(), &host), Err(TokenError::ProofReplayed));
}

#[test]
fn a_proof_that_is_refused_is_not_used_up() {
    let (host, dpop) = (host(), settings());
    let wrong = proof().claim("htm", "POST").claim("jti", "x").sign();
    assert!(check(&dpop, &wrong, &TokenDigests::default(), &host).is_err());
    check(&dpop, &proof().claim("jti", "x").sign(), &TokenDigests::default(), &host).unwrap();
}

#[test]
fn a_proof_is_remembered_for_as_long_as_it_would_be_accepted() {
    let (host, dpop) = (host(), settings());
    let start = host.now.get();
    // From ahead of time: it is accepted for two minutes.
    let text = proof().claim("iat", start + 60).sign();
    check(&dpop, &text, &TokenDigests::default(), &host).unwrap();
    for second in 0..=121 {
        host.now.set(start + second);
        let outcome = check(&dpop, &text, &TokenDigests::default(), &host);
        let wanted = match second {
            0..=120 => TokenError::ProofReplayed,
            _ => TokenError::ProofInvalid("iat"),
        };
        assert_eq!(outcome, Err(wanted), "{second}");
    }
}

#[test]
fn a_store_that_is_full_refuses_and_forgets_nothing() {
    let host = host();
    let now = host.now.get();
    // All in one slot: the eight bytes behind the tag choose it.
    let digest = |number: u32| {
        let mut digest = [0_u8; 32];
        digest[..4].copy_from_slice(&number.to_le_bytes());
        digest
    };
    let key = |number: u32| {
        let mut key = [0_u8; 32];
        key[..4].copy_from_slice(&number.to_le_bytes());
        key
    };
    let add = |number: u32, owner: u32, until: i64| {
        use_up(&digest(number), &key(owner), until, host.now.get(), &host)
    };
    for number in 0..512 {
        add(number, 1, now + 60).unwrap();
    }
    assert_eq!(add(512, 1, now + 60), Err(TokenError::ReplaysFull), "one key has half of a slot");
    for number in 512..1024 {
        add(number, 2 + number % 4, now + 60).unwrap();
    }
    assert_eq!(add(1024, 9, now + 60), Err(TokenError::ReplaysFull));
    for number in 0..1024 {
        assert_eq!(add(number, 9, now + 60), Err(TokenError::ProofReplayed), "{number}");
    }
    host.now.set(now + 60);
    add(1024, 9, now + 120).unwrap();
    assert_eq!(add(1024, 9, now + 120), Err(TokenError::ProofReplayed));
}

#[test]
fn without_shared_data_no_proof_is_taken() {
    let dpop = settings();
    let bare = InMemoryHost::at(tokens::now());
    let outcome = check(&dpop, &proof().sign(), &TokenDigests::default(), &bare);
    assert_eq!(outcome, Err(TokenError::ReplaysUnavailable), "the slots were never made");
    let broken = host();
    broken.works.set(false);
    let outcome = check(&dpop, &proof().sign(), &TokenDigests::default(), &broken);
    assert_eq!(outcome, Err(TokenError::ReplaysUnavailable));
}

/// A worker whose write another worker overtakes once, with the same proof.
struct Overtaken<'h> {
    host: &'h InMemoryHost,
    proof: RefCell<Option<([u8; 32], [u8; 32])>>,
    writes: Cell<u32>,
}

impl Host for Overtaken<'_> {
    fn now(&self) -> i64 {
        self.host.now()
    }
    fn monotonic(&self) -> Duration {
        self.host.monotonic()
    }
    fn verify_signature(&self, _: &NativeKey, _: &[u8], _: &[u8]) -> NativeVerdict {
        NativeVerdict::Unavailable
    }
    fn random(&self, bytes: &mut [u8]) -> Result<(), HostError> {
        self.host.random(bytes)
    }
    fn client_address(&self) -> Option<String> {
        None
    }
    fn get_shared_data(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostError> {
        self.host.get_shared_data(key)
    }
    fn set_shared_data(&self, key: &str, value: &[u8], version: u32) -> Result<bool, HostError> {
        self.writes.set(self.writes.get() + 1);
        if let Some((proof, owner)) = self.proof.take() {
            use_up(&proof, &owner, self.now() + 60, self.now(), self.host).unwrap();
        }
        self.host.set_shared_data(key, value, version)
    }
    fn dispatch_http_call(&self, _: &HttpCall) -> Result<u32, HostError> {
        Err(HostError("none"))
    }
}

#[test]
fn of_two_workers_with_the_same_proof_one_has_it() {
    let host = host();
    let other =
        Overtaken { host: &host, proof: RefCell::new(Some(([1; 32], [2; 32]))), writes: Cell::new(0) };
    let outcome = use_up(&[1; 32], &[2; 32], host.now.get() + 60, host.now.get(), &other);
    assert_eq!(outcome, Err(TokenError::ProofReplayed));
    assert_eq!(other.writes.get(), 1);
    // Another proof in the same slot is no obstacle.
    let mut third = [1; 32];
    third[0] = 9;
    let other = Overtaken { host: &host, proof: RefCell::new(Some((third, [2; 32]))), writes: Cell::new(0) };
    let mut own = [1; 32];
    own[0] = 8;
    use_up(&own, &[2; 32], host.now.get() + 60, host.now.get(), &other).unwrap();
    assert_eq!(other.writes.get(), 2);
}

#[test]
fn a_nonce_is_of_this_process_and_of_the_last_five_minutes() {
    let host = host();
    let start = host.now.get();
    let dpop = Dpop { needs_nonce: true, ..settings() };
    let with = |nonce: &str| {
        check(
            &dpop,
            &proof().claim("nonce", nonce).claim("iat", host.now.get()).sign(),
            &TokenDigests::default(),
            &host,
        )
    };
    assert_eq!(check(&dpop, &proof().sign(), &TokenDigests::default(), &host), Err(TokenError::NonceWanted));
    for forged in ["", "x", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        assert_eq!(with(forged), Err(TokenError::NonceWanted), "{forged}");
    }
    let nonce = nonce::current(&host).unwrap();
    with(&nonce).unwrap();
    with(&nonce).unwrap();
    let elsewhere = InMemoryHost::at(start + 1);
    elsewhere.set_shared_data("lychgate.dpop.nonce.1", &[9; 32], 0).unwrap();
    assert_eq!(
        with(&nonce::current(&elsewhere).unwrap()),
        Err(TokenError::NonceWanted),
        "of another process"
    );
    host.now.set(start + 300);
    with(&nonce).unwrap();
    host.now.set(start + 301);
    assert_eq!(with(&nonce), Err(TokenError::NonceWanted));
    host.now.set(start - 1);
    assert_eq!(with(&nonce), Err(TokenError::NonceWanted), "of times to come");
    assert_eq!(
        check(
            &dpop,
            &proof().claim("nonce", 7).claim("iat", start - 1).sign(),
            &TokenDigests::default(),
            &host
        ),
        Err(TokenError::ProofInvalid("`nonce`"))
    );
    // What is wrong otherwise gets no nonce.
    let wrong = proof().claim("htm", "POST").sign();
    assert_eq!(check(&dpop, &wrong, &TokenDigests::default(), &host), Err(TokenError::ProofInvalid("htm")));
}

#[test]
fn a_host_that_says_no_of_the_signature_is_believed() {
    let (host, dpop) = (host(), settings());
    host.verdict.set(NativeVerdict::Invalid);
    let outcome = check(&dpop, &proof().sign(), &TokenDigests::default(), &host);
    assert_eq!(outcome, Err(TokenError::ProofInvalid("signature")));
}

#[test]
fn names_of_the_code_are_references() {
    assert_eq!(ClaimReference::parse("sub").unwrap(), ClaimReference::named("sub"));
    assert!(ClaimReference::named("sub").find(&Claims::new()).is_none());
}
