#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]
use serde_json::{Value, json};

use super::{is_private_jwk, thumbprint};
use crate::encoding::decode_base64url;

fn of(jwk: Value) -> Option<[u8; 32]> {
    let Value::Object(jwk) = jwk else { panic!("an object") };
    thumbprint(&jwk)
}

/// RFC 7638 section 3.1, and RFC 8037 appendix A.3.
#[test]
fn thumbprints_of_the_rfcs() {
    let rsa = json!({
        "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    });
    let expected = decode_base64url(b"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs").unwrap();
    assert_eq!(of(rsa).unwrap().to_vec(), expected);
    let ed25519 = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let expected = decode_base64url(b"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k").unwrap();
    assert_eq!(of(ed25519).unwrap().to_vec(), expected);
}

#[test]
fn what_is_no_public_key_has_none() {
    for jwk in [
        json!({"kty": "oct", "k": "AAAA"}),
        json!({"kty": "EC", "crv": "P-256", "x": "AA"}),
        json!({"kty": 1}),
        json!({}),
    ] {
        assert_eq!(of(jwk), None);
    }
    let Value::Object(private) = json!({"kty": "EC", "d": null}) else { panic!("an object") };
    assert!(is_private_jwk(&private), "also where it says nothing");
}
