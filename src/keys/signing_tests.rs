use lychgate_testkit::keys;
use serde_json::{Value, json};

use super::SigningKey;
use crate::encoding::decode_base64url;
use crate::keys::NoRandomness;
use crate::keys::{Algorithm, import_secret};

fn claims() -> serde_json::Map<String, Value> {
    let claims = json!({"sub": "johndoe", "exp": 4_000_000_000_i64, "scopes": ["a"]});
    claims.as_object().unwrap().clone()
}

fn fill(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    getrandom::fill(bytes).map_err(|_| NoRandomness)
}

fn parts(token: &str) -> (Value, Value, &str, Vec<u8>) {
    let json = |text: &str| serde_json::from_slice(&decode_base64url(text.as_bytes()).unwrap()).unwrap();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = input.split_once('.').unwrap();
    (json(header), json(payload), input, decode_base64url(signature.as_bytes()).unwrap())
}

#[test]
fn every_private_key_signs_what_its_public_key_verifies() {
    for (algorithm, pair) in [
        (Algorithm::Rs256, keys::RSA),
        (Algorithm::Rs384, keys::RSA),
        (Algorithm::Rs512, keys::RSA),
        (Algorithm::Ps256, keys::RSA),
        (Algorithm::Ps384, keys::RSA),
        (Algorithm::Ps512, keys::RSA),
        (Algorithm::Es256, keys::P256),
        (Algorithm::Es384, keys::P384),
        (Algorithm::Es512, keys::P521),
        (Algorithm::Es256k, keys::SECP256K1),
        (Algorithm::EdDsa, keys::ED25519),
    ] {
        let (signing, verification) =
            SigningKey::from_pem(algorithm, pair.private_pem, Some("k1")).unwrap_or_else(|e| panic!("{e}"));
        let token = signing.sign(&claims(), &fill).unwrap();
        let (header, payload, input, signature) = parts(&token);
        assert_eq!(header["alg"], algorithm.name());
        assert_eq!(header["kid"], "k1");
        assert_eq!(payload, Value::Object(claims()), "exactly the claims that were asked for");
        assert!(verification.verifies(input.as_bytes(), &signature), "{algorithm:?}");
        assert_eq!(verification.kid(), Some("k1"));
    }
}

#[test]
fn a_secret_signs_with_its_hmac_only() {
    let secret = keys::SECRET.as_bytes();
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        let token = SigningKey::from_secret(algorithm, secret, None).unwrap().sign(&claims(), &fill).unwrap();
        let (header, _, input, signature) = parts(&token);
        assert_eq!(header["alg"], algorithm.name());
        assert!(header.get("kid").is_none());
        assert!(import_secret(algorithm, secret).unwrap().verifies(input.as_bytes(), &signature));
    }
    assert!(SigningKey::from_secret(Algorithm::Rs256, secret, None).is_none());
}

#[test]
fn what_is_no_private_key_is_refused_with_a_reason() {
    for (algorithm, pem, says) in [
        (Algorithm::Rs256, keys::RSA.public_pem, "private key for RS256"),
        (Algorithm::Rs256, keys::P256.private_pem, "private key for RS256"),
        (Algorithm::Rs256, keys::RSA_1024.private_pem, "private key for RS256"),
        (Algorithm::Es256, "nonsense", "private key for ES256"),
        (Algorithm::MlDsa44, keys::P521.private_pem, "cannot be signed with ML-DSA-44"),
        (Algorithm::Hs256, keys::RSA.private_pem, "cannot be signed with HS256"),
    ] {
        let error = SigningKey::from_pem(algorithm, pem, None).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
}

/// What the compiler knows: each kind of key material wipes itself when it is dropped.
#[test]
fn every_key_that_signs_is_wiped() {
    fn wiped<T: zeroize::ZeroizeOnDrop>() {}
    // Of a shared secret HMAC keeps two states of its hash and nothing else.
    wiped::<sha2::Sha256>();
    wiped::<sha2::Sha384>();
    wiped::<sha2::Sha512>();
    wiped::<rsa::PrivateKey>();
    wiped::<p256::ecdsa::SigningKey>();
    wiped::<p384::ecdsa::SigningKey>();
    wiped::<p521::ecdsa::SigningKey>();
    wiped::<k256::ecdsa::SigningKey>();
    wiped::<ed25519_dalek::SigningKey>();
}
