//! The same token before our verifier and before the crate `jsonwebtoken`: they must agree, unless
//! the difference is one of those explained here.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use lychgate::fetch::Revocations;
use lychgate::host::InMemoryHost;
use lychgate::keys::{Algorithm as Own, KeySet, import_pem, import_secret};
use lychgate::token::{Issuer, Keys, TokenError, TrustAnchor, Verifier, VerifierSettings};
use serde_json::{Map, Value};

use super::signed::{self, SECRET};

const LEEWAY: i64 = 60;

const P256: &str = include_str!("../../tests/testkit/keys/p256.pub.pem");
const ED25519: &str = include_str!("../../tests/testkit/keys/ed25519.pub.pem");

/// Both sides of one algorithm.
struct Pair {
    ours: Verifier,
    key: DecodingKey,
    validation: Validation,
}

thread_local! {
    static PAIRS: [Pair; 3] = [
        pair(import_secret(Own::Hs256, SECRET.as_bytes()), DecodingKey::from_secret(SECRET.as_bytes()), Algorithm::HS256),
        pair(import_pem(Own::Es256, P256), DecodingKey::from_ec_pem(P256.as_bytes()).expect("a key"), Algorithm::ES256),
        pair(import_pem(Own::EdDsa, ED25519), DecodingKey::from_ed_pem(ED25519.as_bytes()).expect("a key"), Algorithm::EdDSA),
    ];
}

fn pair(
    own: Result<lychgate::keys::VerificationKey, String>,
    key: DecodingKey,
    algorithm: Algorithm,
) -> Pair {
    let keys = Keys::Fixed(KeySet::new(vec![own.expect("a key")]));
    let settings = VerifierSettings {
        audiences: Some(vec!["api".into()]),
        required_claims: vec!["exp".into(), "sub".into(), "aud".into()],
        leeway_seconds: LEEWAY,
        max_token_bytes: 8192,
        scope_claims: vec!["scopes".into()],
        claims_to_headers: Vec::new(),
        tells_issuer: false,
        revoked: Revocations::default(),
        revocation: None,
    };
    let issuer = Issuer { name: None, keys, algorithms: None };
    let mut validation = Validation::new(algorithm);
    validation.leeway = LEEWAY.unsigned_abs();
    validation.validate_nbf = true;
    validation.set_audience(&["api"]);
    validation.set_required_spec_claims(&["exp", "sub", "aud"]);
    Pair { ours: Verifier::new(settings, TrustAnchor::Issuers(vec![issuer])), key, validation }
}

/// Verdicts agree, or it is known why not. `e` and `d` ahead of a token ask for ES256 and EdDSA.
pub fn run(data: &[u8]) {
    let Some(token) = signed::token(data) else { return };
    let index = match data[0] {
        b'e' => 1,
        b'd' => 2,
        _ => 0,
    };
    // The other side reads the clock itself.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs() as i64;
    PAIRS.with(|pairs| {
        let Pair { ours, key, validation } = &pairs[index];
        let ours = ours.verify(&token, &InMemoryHost::at(now), false);
        let theirs = decode::<Map<String, Value>>(&token, key, validation);
        let explained = match (&ours, &theirs) {
            (Ok(_), Ok(_)) | (Err(_), Err(_)) => true,
            (Err(error), Ok(_)) => stricter(error, &Parts::of(&token), now),
            (Ok(_), Err(_)) => laxer(&Parts::of(&token), now),
        };
        assert!(
            explained,
            "{}\nours {:?}\ntheirs {:?}",
            String::from_utf8_lossy(&token),
            ours.as_ref().err(),
            theirs.as_ref().err()
        );
    });
}

/// What stands in a token, read leniently.
struct Parts {
    length: usize,
    header_text: Vec<u8>,
    claims_text: Vec<u8>,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Parts {
    fn of(token: &[u8]) -> Self {
        let mut parts = token.split(|&byte| byte == b'.');
        let mut text = || BASE64_URL_SAFE_NO_PAD.decode(parts.next().unwrap_or_default()).unwrap_or_default();
        let (header_text, claims_text) = (text(), text());
        let object = |text: &[u8]| serde_json::from_slice(text).unwrap_or_default();
        let (header, claims) = (object(&header_text), object(&claims_text));
        Self { length: token.len(), header_text, claims_text, header, claims }
    }

    /// Whether a date stands within a second of `edge`, where rounding and a clock that is read twice
    /// decide; fractions we round towards a shorter life, the other side to the nearest second.
    fn is_near(&self, name: &str, edge: i64) -> bool {
        let date = self.claims.get(name).and_then(Value::as_f64);
        date.is_some_and(|date| (date - edge as f64).abs() <= 2.0)
    }
}

/// Why we refuse what `jsonwebtoken` accepts.
fn stricter(error: &TokenError, parts: &Parts, now: i64) -> bool {
    let claim = |name: &str| parts.claims.get(name);
    match error {
        // A bound on what is looked at: `max_token_bytes`.
        TokenError::TooLong => parts.length > 8192,
        // RFC 7515 section 4.1.11 and RFC 7797: no extension is understood here.
        TokenError::Critical => parts.header.contains_key("crit") || parts.header.contains_key("b64"),
        // RFC 7515 section 4 and RFC 7519 section 4 let us refuse a name that stands twice; and depth is
        // bounded, to 8 and 32 levels.
        TokenError::Malformed("header is not a JSON object") => {
            twice(&parts.header_text) || depth(&Value::Object(parts.header.clone())) > 8
        }
        TokenError::Malformed("payload is not a JSON object") => {
            twice(&parts.claims_text) || depth(&Value::Object(parts.claims.clone())) > 32
        }
        // `null` is no string.
        TokenError::Malformed("`kid` is not a string") => parts.header.get("kid") == Some(&Value::Null),
        // The other side does not look at `iat`.
        TokenError::IssuedInFuture => claim("iat").is_some(),
        TokenError::Expired => parts.is_near("exp", now - LEEWAY),
        TokenError::NotYetValid => parts.is_near("nbf", now + LEEWAY),
        TokenError::BadClaim(name) => match name.as_str() {
            // Beyond 2^53, where doubles have gaps.
            "exp" => claim("exp").and_then(Value::as_f64).is_some_and(|date| date > 9e15),
            // `null` is no date.
            "nbf" => {
                claim("nbf").is_none_or(|nbf| nbf.is_null() || nbf.as_f64().is_some_and(|date| date > 9e15))
            }
            // These the other side does not read.
            "iat" | "jti" => claim(name).is_some(),
            // What becomes a header must be fit for one.
            "sub" => claim("sub").and_then(Value::as_str).is_some_and(unfit),
            "scopes" => true,
            _ => false,
        },
        _ => false,
    }
}

/// Why we accept what `jsonwebtoken` refuses.
fn laxer(parts: &Parts, now: i64) -> bool {
    // It gives types to header parameters that nobody here reads (RFC 7515 section 4: those that are not
    // understood are ignored).
    const TYPED: [&str; 11] =
        ["typ", "cty", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "enc", "zip", "url"];
    TYPED.iter().chain(&["nonce"]).any(|name| parts.header.get(*name).is_some_and(|value| !value.is_string()))
        || parts.header.contains_key("jwk")
        || parts.is_near("exp", now - LEEWAY)
        || parts.is_near("nbf", now + LEEWAY)
}

fn unfit(text: &str) -> bool {
    text.is_empty()
        || text.starts_with([' ', '\t'])
        || text.ends_with([' ', '\t'])
        || text.chars().any(|c| c.is_ascii_control())
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Whether a name stands twice in some object: then writing it down again loses a colon.
fn twice(text: &[u8]) -> bool {
    super::config::has_twins(text, &serde_json::from_slice(text).unwrap_or_default())
}
