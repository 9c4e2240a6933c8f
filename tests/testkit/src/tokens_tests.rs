use super::*;

const ALGORITHMS: [&str; 16] = [
    "HS256",
    "HS384",
    "HS512",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "EdDSA",
    "ES256",
    "ES384",
    "ES256K",
    "ML-DSA-44",
    "ML-DSA-65",
    "ML-DSA-87",
];

/// What is good here is good elsewhere, and a stranger's is not.
#[test]
fn our_tokens_are_what_jwt_simple_takes() {
    for alg in ALGORITHMS {
        let token = Token::reader().claim("aud", json!(["api"])).header("kid", "one");
        let claims = second_opinion(alg, &token.sign(alg)).unwrap_or_else(|why| panic!("{alg}: {why}"));
        assert_eq!(claims["sub"], "johndoe", "{alg}");
        assert_eq!(claims["scopes"], json!(["items:read"]), "{alg}");
        assert!(second_opinion(alg, &token.sign_by_stranger(alg)).is_err(), "{alg}");
        assert!(second_opinion(alg, &token.claim("exp", now() - 2).sign(alg)).is_err(), "{alg}");
    }
}

#[test]
fn base64url_comes_back() {
    for length in 0..9_u8 {
        let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(97)).collect();
        assert_eq!(unb64(&b64(&bytes)), bytes);
    }
}
