//! Wycheproof's JWS and JWK vectors. They are in no crate, so they are read from a directory:
//! `$LYCHGATE_JWS_VECTORS`, else `../shared/vectors/wycheproof` beside the repository.
//!
//! None of their payloads is a JSON object, so that no whole token among them is good. The verifier
//! reads claims after it has checked the signature: that it complains of the claims is its word that
//! the signature is good.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use lychgate::fetch::Revocations;
use lychgate::host::InMemoryHost;
use lychgate::keys::{KeyOrigin, KeySet, import_jwks};
use lychgate::token::{Issuer, Keys, ScopeSettings, TokenError, TrustAnchor, Verifier, VerifierSettings};
use lychgate_tests::envoy::root;
use serde_json::Value;

use super::sets::{Says, Vector};
use super::tally::Tally;

/// Where the vectors and we differ, and why.
const DISPUTED: [(&str, u64, &str); 11] = [
    ("json_web_signature", 346, "a JWK for PS256 and a token with PS384"),
    ("json_web_signature", 347, "a JWK for ES521, which is no algorithm"),
    ("json_web_signature", 350, "a JWK for PS256 and a token with PS384"),
    ("json_web_signature", 351, "a JWK for ES521, which is no algorithm"),
    ("json_web_signature", 367, "the padding it speaks of is not in it: a good token"),
    ("json_web_signature", 370, "the padding it speaks of is not in it: a good token"),
    ("json_web_signature", 372, "a character that is not base64url"),
    ("json_web_signature", 373, "a character that is not base64url"),
    ("json_web_key", 1, "secrets and public keys in one set: each has its own algorithm"),
    ("json_web_key", 4, "two keys of the same kid: both are tried, as while keys rotate"),
    ("json_web_key", 7, "RSA keys of a kind that was found weak (ROCA) are not looked for"),
];

fn directory() -> PathBuf {
    let beside = || root().join("../shared/vectors/wycheproof");
    std::env::var_os("LYCHGATE_JWS_VECTORS").map_or_else(beside, PathBuf::from)
}

/// The public half of a JWK: a private one is refused as a mistake, which is not the point here.
fn public(jwk: &Value) -> Value {
    let mut jwk = jwk.clone();
    let members = jwk.as_object_mut().expect("a JWK");
    if members["kty"] != "oct" {
        ["d", "p", "q", "dp", "dq", "qi"].iter().for_each(|&name| drop(members.remove(name)));
    }
    jwk
}

fn verifier(group: &Value) -> Verifier {
    let key = group.get("public").unwrap_or(&group["private"]);
    let jwks: Vec<_> = match key["keys"].as_array() {
        Some(keys) => keys.iter().map(public).collect(),
        None => vec![public(key)],
    };
    let keys = import_jwks(&jwks, None, KeyOrigin::Configuration).keys;
    let issuer = Issuer { name: None, keys: Keys::Fixed(KeySet::new(keys)), algorithms: None };
    let settings = VerifierSettings {
        audiences: None,
        required_claims: Vec::new(),
        leeway_seconds: 0,
        max_token_bytes: 8192,
        claims: Vec::new(),
        types: None,
        subject_claims: Vec::new(),
        scopes: ScopeSettings::default(),
        claims_to_headers: Vec::new(),
        payload_to_header: None,
        claims_to_metadata: Vec::new(),
        tells_issuer: false,
        revoked: Revocations::default(),
        revocation: None,
        possession: None,
    };
    Verifier::new(settings, TrustAnchor::Issuers(vec![issuer]))
}

#[test]
fn the_verifier_answers_every_jws_and_jwk_vector_rightly() {
    let directory = directory();
    let mut tally = Tally::new("JWS and JWK", BTreeMap::new());
    for name in ["json_web_signature", "json_web_key"] {
        let file = directory.join(format!("{name}_test.json"));
        let Ok(text) = fs::read_to_string(&file) else {
            println!("SKIPPED: {} is missing; set LYCHGATE_JWS_VECTORS", file.display());
            return;
        };
        let set: Value = serde_json::from_str(&text).expect("JSON");
        for group in set["testGroups"].as_array().expect("groups") {
            let verifier = verifier(group);
            for test in group["tests"].as_array().expect("tests") {
                let id = test["tcId"].as_u64().expect("an id");
                // JSON serialisation is there as an object.
                let jws = test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned);
                let outcome = verifier.verify(jws.as_bytes(), &InMemoryHost::at(0), false);
                let accepted = match outcome {
                    Ok(_) => true,
                    Err(TokenError::Malformed(what)) => what == "payload is not a JSON object",
                    Err(_) => false,
                };
                let disputed =
                    DISPUTED.iter().find(|(set, number, _)| *set == name && *number == id).map(|d| d.2);
                let vector = Vector {
                    name: format!("{name} {id} ({})", test["comment"]),
                    message: Vec::new(),
                    signature: Vec::new(),
                    says: if test["result"] == "invalid" { Says::Invalid } else { Says::Valid },
                    stricter: disputed,
                    laxer: disputed,
                };
                tally.count(&vector, accepted);
            }
        }
    }
    tally.finish(400);
}
