use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use lychgate_testkit::keys::{self, certificates};
use serde_json::{Map, Value, json};

use super::{KeyOrigin, import_jwk, import_jwks, import_pem_map};
use crate::encoding::decode_any_base64;
use crate::keys::{Algorithm, VerificationKey, import_pem};

fn one(jwk: &Value) -> Result<VerificationKey, String> {
    let keys = import_jwk(jwk, None).map_err(|error| error.reason().to_owned())?;
    Ok(keys.into_iter().next().unwrap())
}

fn changed(name: &str, value: Value) -> Value {
    let mut jwk = keys::RSA.jwk();
    jwk[name] = value;
    jwk
}

/// DER of a certificate in base64, as `x5c` has it.
fn x5c(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

#[test]
fn a_key_as_issuers_write_it_is_the_key_that_it_is() {
    let own = one(&keys::RSA.jwk()).unwrap();
    let n = decode_any_base64(keys::RSA.jwk()["n"].as_str().unwrap()).unwrap();
    let zero = [vec![0], n.clone()].concat();
    for (name, jwk) in [
        ("n padded", changed("n", BASE64_URL_SAFE.encode(&n).into())),
        ("n in standard base64", changed("n", BASE64_STANDARD.encode(&n).into())),
        ("n with the zero of DER", changed("n", BASE64_URL_SAFE.encode(zero).into())),
        ("e with a zero", changed("e", "AAEAAQ".into())),
        ("`use` of SPIFFE", changed("use", "jwt-svid".into())),
        ("`use` empty", changed("use", "".into())),
        ("`use` null", changed("use", Value::Null)),
        ("`alg` null", changed("alg", Value::Null)),
        ("`key_ops` empty", changed("key_ops", json!([]))),
        ("`key_ops` null", changed("key_ops", Value::Null)),
        ("`x5c` beside it", changed("x5c", json!(["not read"]))),
        ("a private member that is null", changed("d", Value::Null)),
    ] {
        let key = one(&jwk).unwrap_or_else(|reason| panic!("{name}: {reason}"));
        assert!(key.is_same(&own), "{name}");
    }
    assert_eq!(one(&changed("kid", json!(7))).unwrap().kid(), Some("7"));
    assert_eq!(one(&changed("kid", Value::Null)).unwrap().kid(), None);
}

#[test]
fn what_protects_stays_refused_and_says_why() {
    for (jwk, reason) in [
        (keys::RSA_1024.jwk(), "at least 2048 bits, and this one has 1024"),
        (changed("use", "enc".into()), "`use` is not `sig`"),
        (changed("key_ops", json!(["encrypt"])), "`key_ops` does not hold `verify`"),
        (changed("d", "AQAB".into()), "this is a private key"),
        (changed("kid", json!(["a"])), "`kid` must be a string"),
        (changed("e", "Aw".into()), "exponent 65537"),
        (changed("n", "!".into()), "exponent 65537"),
        (json!({"kty": "RSA", "x5c": ["AAAA"]}), "`x5c` does not begin with a certificate"),
        (json!({"kty": "RSA", "x5c": []}), "`x5c` does not begin with a certificate"),
        (json!({"kty": "RSA", "x5c": [x5c(certificates::RSA_1024)]}), "this one has 1024"),
        (
            json!({"kty": "EC", "alg": "ES256", "x5c": [x5c(certificates::RSA)]}),
            "not the PEM of a public key for ES256",
        ),
    ] {
        let found = one(&jwk).expect_err(reason);
        assert!(found.contains(reason), "{found}");
    }
}

#[test]
fn a_certificate_gives_its_key() {
    for (pair, pem, algorithm) in [
        (keys::RSA, certificates::RSA, Algorithm::Rs256),
        (keys::RSA, certificates::RSA, Algorithm::Ps384),
        (keys::P256, certificates::P256, Algorithm::Es256),
        (keys::ED25519, certificates::ED25519, Algorithm::EdDsa),
    ] {
        let own = import_pem(algorithm, pair.public_pem).unwrap();
        assert!(import_pem(algorithm, pem).unwrap().is_same(&own));
        // With text around it and indented, as `openssl x509 -text` and YAML leave it.
        let indented = format!("Certificate:\n  Data\n{}", pem.replace('\n', "\n   "));
        assert!(import_pem(algorithm, &indented).unwrap().is_same(&own));
        for kty in [json!("RSA"), json!("EC"), Value::Null] {
            let jwk = json!({"kty": kty, "kid": "c", "alg": algorithm.name(), "x5c": [x5c(pem), "the rest of the chain"]});
            let key = one(&jwk).unwrap();
            assert!(key.is_same(&own) && key.kid() == Some("c"));
        }
    }
    assert!(import_pem(Algorithm::Es384, certificates::P256).is_err());
    assert!(import_pem(Algorithm::Rs256, &certificates::RSA[..600]).is_err());
    assert!(import_pem(Algorithm::Rs256, certificates::RSA_1024).unwrap_err().contains("this one has 1024"));
}

#[test]
fn a_certificate_that_is_cut_short_anywhere_has_no_key() {
    let der = decode_any_base64(&x5c(certificates::RSA)).unwrap();
    for end in 0..der.len() {
        assert!(super::public_key_of(&der[..end]).is_none(), "{end}");
    }
}

#[test]
fn a_map_of_pem_gives_a_key_for_each_kid() {
    let map: Map<String, Value> = [
        ("1", certificates::RSA),
        ("2", certificates::P256),
        ("3", keys::ED25519.public_pem),
        ("4", certificates::RSA_1024),
        ("5", keys::RSA.private_pem),
        ("6", "no PEM"),
    ]
    .into_iter()
    .map(|(kid, pem)| (kid.to_owned(), pem.into()))
    .collect();
    let imported = import_pem_map(&map, None);
    let found: Vec<_> =
        imported.keys.iter().map(|key| (key.kid().unwrap(), key.algorithm().name())).collect();
    assert_eq!(found, [("1", "RS256"), ("2", "ES256"), ("3", "EdDSA")]);
    let reasons: Vec<_> = imported.left_out.iter().map(ToString::to_string).collect();
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert!(
        reasons[0].starts_with("key 3 (\"4\") is left out: RSA keys need at least 2048 bits"),
        "{reasons:?}"
    );
    assert!(reasons[1].contains("private key"), "{reasons:?}");
    let imported = import_pem_map(&map, Some(&[Algorithm::Ps256]));
    assert_eq!(imported.keys.len(), 1);
    assert_eq!(imported.keys[0].algorithm(), Algorithm::Ps256);
}

#[test]
fn every_key_of_a_set_is_taken_or_named() {
    let set = [
        keys::RSA.jwk(),
        json!({"kty": "oct", "k": "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3JldA", "kid": "shared"}),
        json!({"kty": "RSA", "kid": "for-ps", "alg": "PS256", "n": keys::RSA.jwk()["n"], "e": "AQAB"}),
        json!({"kty": "EC", "crv": "P-256", "kid": "curve"}),
        json!("no object"),
        json!({"kty": "oct", "k": "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3JldA", "kid": "named", "alg": "HS256"}),
    ];
    let imported = import_jwks(&set, Some(&[Algorithm::Rs256]), KeyOrigin::Fetch);
    assert_eq!(imported.keys.len(), 1);
    let reasons: Vec<_> = imported.left_out.iter().map(ToString::to_string).collect();
    assert_eq!(
        reasons,
        [
            "key 1 (\"shared\") is left out: none of `algorithms` is for a key of its type",
            "key 2 (\"for-ps\") is left out: its algorithm PS256 is not among those that are accepted",
            "key 3 (\"curve\") is left out: not a valid EC key for ES256",
            "key 4 is left out: a JWK is an object",
            "key 5 (\"named\") is left out: a secret that any client can fetch is none",
        ]
    );
}
