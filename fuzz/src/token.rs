//! A token in compact serialisation, through parser, signature and claims.

use lychgate::claim::ClaimReference;
use lychgate::fetch::Revocations;
use lychgate::host::InMemoryHost;
use lychgate::keys::{Algorithm as Own, KeySet, import_secret};
use lychgate::token::{
    HeaderOfClaim, Issuer, Keys, OnInvalid, ScopeSettings, TrustAnchor, Verifier, VerifierSettings,
};
use lychgate_tests::tokens::{b64, hs256};

use super::signed::{self, NOW, SECRET};

thread_local! {
    static VERIFIER: Verifier = verifier();
}

fn header((claim, header): (&str, &str)) -> HeaderOfClaim {
    let claim = ClaimReference::parse(claim).expect("a reference");
    HeaderOfClaim { claim, header: header.into(), on_invalid: OnInvalid::Refuse }
}

fn verifier() -> Verifier {
    let key = import_secret(Own::Hs256, SECRET.as_bytes()).expect("a key");
    let keys = Keys::Fixed(KeySet::new(vec![key]));
    let settings = VerifierSettings {
        audiences: None,
        required_claims: ["exp", "sub"].map(ClaimReference::named).into(),
        claims: Vec::new(),
        types: None,
        subject_claims: vec![ClaimReference::named("sub")],
        leeway_seconds: 60,
        max_token_bytes: 8192,
        scopes: ScopeSettings {
            claims: ["scopes", "scope", "scp"].map(ClaimReference::named).into(),
            ..ScopeSettings::default()
        },
        claims_to_headers: [("email", "x-email"), ("a.b", "x-a-b")].map(header).into(),
        payload_to_header: None,
        claims_to_metadata: Vec::new(),
        tells_issuer: false,
        revoked: Revocations::default(),
        revocation: None,
        possession: None,
    };
    Verifier::new(settings, TrustAnchor::Issuers(vec![Issuer { name: None, keys, algorithms: None }]))
}

/// A token that is accepted has a valid signature, and no claim of it can break a header.
pub fn run(data: &[u8]) {
    let Some(token) = signed::token(data) else { return };
    let verified = VERIFIER.with(|verifier| verifier.verify(&token, &InMemoryHost::at(NOW), false));
    let Ok(verified) = verified else { return };
    let text = std::str::from_utf8(&token).expect("base64url and dots");
    let (input, signature) = text.rsplit_once('.').expect("three parts");
    let good = b64(hs256(SECRET.as_bytes(), input.as_bytes()));
    assert_eq!(signature, good, "accepted without our signature: {text}");
    let subject = verified.subject().expect("`sub` is required");
    let scopes = verified.scopes().iter().map(String::as_bytes);
    let headers = verified.headers().iter().map(|(_, value)| value.as_slice());
    for value in scopes.chain(headers).chain([subject.as_bytes()]) {
        let breaks = |&byte: &u8| byte == b'\r' || byte == b'\n' || byte == 0;
        assert!(!value.iter().any(breaks), "{value:?} breaks a header");
    }
    assert!(!subject.is_empty());
    assert!(verified.is_valid_now(&InMemoryHost::at(NOW)), "accepted, and does not hold");
}
