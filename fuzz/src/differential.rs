//! The same token before our verifier and before the crate `jwt-simple`: they must agree, unless
//! the difference is one of those explained here.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jwt_simple::prelude::{
    Duration, ECDSAP256PublicKeyLike as _, ES256PublicKey, Ed25519PublicKey, EdDSAPublicKeyLike as _,
    HS256Key, JWTClaims, MACLike as _, UnixTimeStamp, VerificationOptions,
};
use lychgate::claim::ClaimReference;
use lychgate::fetch::Revocations;
use lychgate::host::InMemoryHost;
use lychgate::keys::{Algorithm, KeySet, VerificationKey, import_pem, import_secret};
use lychgate::token::{Issuer, Keys, ScopeSettings, TokenError, TrustAnchor, Verifier, VerifierSettings};
use lychgate_tests::keys::{ED25519, P256};
use serde_json::{Map, Value};

use super::signed::{self, NOW, SECRET};

const LEEWAY: i64 = 60;

type Claims = JWTClaims<Map<String, Value>>;

/// The other side of one algorithm.
type Theirs = fn(&str, VerificationOptions) -> Option<Claims>;

thread_local! {
    static PAIRS: [(Verifier, Theirs); 3] = [
        (ours(import_secret(Algorithm::Hs256, SECRET.as_bytes())), |token, options| {
            HS256Key::from_bytes(SECRET.as_bytes()).verify_token(token, Some(options)).ok()
        }),
        (ours(import_pem(Algorithm::Es256, P256.public_pem)), |token, options| {
            ES256PublicKey::from_pem(P256.public_pem).expect("a key").verify_token(token, Some(options)).ok()
        }),
        (ours(import_pem(Algorithm::EdDsa, ED25519.public_pem)), |token, options| {
            Ed25519PublicKey::from_pem(ED25519.public_pem).expect("a key").verify_token(token, Some(options)).ok()
        }),
    ];
}

fn ours(key: Result<VerificationKey, String>) -> Verifier {
    let keys = Keys::Fixed(KeySet::new(vec![key.expect("a key")]));
    let settings = VerifierSettings {
        audiences: Some(vec!["api".into()]),
        required_claims: ["exp", "sub", "aud"].map(ClaimReference::named).into(),
        claims: Vec::new(),
        types: None,
        subject_claims: vec![ClaimReference::named("sub")],
        leeway_seconds: LEEWAY,
        max_token_bytes: 8192,
        scopes: ScopeSettings { claims: vec![ClaimReference::named("scopes")], ..ScopeSettings::default() },
        claims_to_headers: Vec::new(),
        payload_to_header: None,
        claims_to_metadata: Vec::new(),
        tells_issuer: false,
        revoked: Revocations::default(),
        revocation: None,
        possession: None,
    };
    Verifier::new(settings, TrustAnchor::Issuers(vec![Issuer { name: None, keys, algorithms: None }]))
}

/// Its verdict, with what it cannot be asked to require: that `exp` and `sub` are there.
fn theirs(token: &[u8], verify: Theirs) -> Option<Claims> {
    let options = VerificationOptions {
        time_tolerance: Some(Duration::from_secs(LEEWAY.unsigned_abs())),
        allowed_audiences: Some(["api".to_owned()].into()),
        artificial_time: Some(UnixTimeStamp::from_secs(NOW.unsigned_abs())),
        max_token_length: None,
        ..VerificationOptions::default()
    };
    let claims = verify(std::str::from_utf8(token).ok()?, options)?;
    (claims.expires_at.is_some() && claims.subject.is_some()).then_some(claims)
}

/// Verdicts agree, or it is known why not. `e` and `d` ahead of a token ask for ES256 and EdDSA.
pub fn run(data: &[u8]) {
    let Some(token) = signed::token(data) else { return };
    let index = match data[0] {
        b'e' => 1,
        b'd' => 2,
        _ => 0,
    };
    PAIRS.with(|pairs| {
        let (ours, verify) = &pairs[index];
        let ours = ours.verify(&token, &InMemoryHost::at(NOW), false);
        let theirs = theirs(&token, *verify);
        let explained = match (&ours, &theirs) {
            (Ok(_), Some(_)) | (Err(_), None) => true,
            (Err(error), Some(_)) => stricter(error, &Parts::of(&token)),
            (Ok(_), None) => laxer(&Parts::of(&token)),
        };
        assert!(
            explained,
            "{}\nours {:?}\ntheirs {}",
            String::from_utf8_lossy(&token),
            ours.as_ref().err(),
            if theirs.is_some() { "good" } else { "bad" }
        );
    });
}

/// What is in a token, read leniently.
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

    fn date(&self, name: &str) -> Option<f64> {
        self.claims.get(name).and_then(Value::as_f64)
    }

    /// Whether a date is within a second of `edge`, where rounding decides: fractions we round towards a
    /// shorter life, the other side cuts off.
    fn is_near(&self, name: &str, edge: i64) -> bool {
        self.date(name).is_some_and(|date| (date - edge as f64).abs() <= 1.0)
    }

    /// Whether a date is one that the other side reads as another: it counts seconds in 32 bits, modulo
    /// 2^32, and takes a negative fraction for 1970.
    fn is_misread(&self, name: &str) -> bool {
        self.date(name).is_some_and(|date| !(0.0..4_294_967_296.0).contains(&date))
    }
}

/// Why we refuse what `jwt-simple` accepts.
fn stricter(error: &TokenError, parts: &Parts) -> bool {
    let claim = |name: &str| parts.claims.get(name);
    match error {
        // A bound on what is looked at: `max_token_bytes`.
        TokenError::TooLong => parts.length > 8192,
        // RFC 7515 section 4.1.11 and RFC 7797: no extension is understood here.
        TokenError::Critical => parts.header.contains_key("crit") || parts.header.contains_key("b64"),
        // RFC 9864's name of EdDSA with this curve, which is in no configuration.
        TokenError::NoKey => parts.header.get("alg").is_some_and(|alg| alg == "Ed25519"),
        // RFC 7515 section 4 and RFC 7519 section 4 let us refuse a name that occurs twice; and depth is
        // bounded, to 8 and 32 levels. It takes an array for a header, by position.
        TokenError::Malformed("header is not a JSON object") => {
            twice(&parts.header_text)
                || depth(&Value::Object(parts.header.clone())) > 8
                || parts.header_text.trim_ascii_start().starts_with(b"[")
        }
        TokenError::Malformed("payload is not a JSON object") => {
            twice(&parts.claims_text) || depth(&Value::Object(parts.claims.clone())) > 32
        }
        // `null` is no string.
        TokenError::Malformed("`kid` is not a string") => parts.header.get("kid") == Some(&Value::Null),
        // What is said to be no access token.
        TokenError::OtherUse("typ") => parts.header.contains_key("typ"),
        TokenError::OtherUse(name) => claim(name).is_some(),
        TokenError::Type => parts.header.contains_key("typ"),
        // It knows no proof of possession.
        TokenError::UnknownConfirmation => claim("cnf").is_some(),
        TokenError::IssuedInFuture => parts.is_near("iat", NOW + LEEWAY) || parts.is_misread("iat"),
        TokenError::Expired => parts.is_near("exp", NOW - LEEWAY) || parts.is_misread("exp"),
        TokenError::NotYetValid => parts.is_near("nbf", NOW + LEEWAY) || parts.is_misread("nbf"),
        TokenError::BadClaim(name) => match name.as_str() {
            "exp" | "nbf" | "iat" => parts.is_misread(name),
            // What becomes a header must be fit for one.
            "sub" => claim("sub").and_then(Value::as_str).is_some_and(unfit),
            "scopes" | "cnf" => true,
            _ => false,
        },
        _ => false,
    }
}

/// Why we accept what `jwt-simple` refuses.
fn laxer(parts: &Parts) -> bool {
    // It gives types to header parameters and claims that are not read here (RFC 7515 section 4: those that
    // are not understood are ignored).
    const TYPED: [&str; 7] = ["cty", "jku", "jwk", "x5u", "x5t", "x5t#S256", "salt"];
    let typed = |of: &Map<String, Value>, name: &str| of.get(name).is_some_and(|value| !value.is_string());
    let media_type = |typ: &Value| {
        let typ = typ.as_str().unwrap_or_default().to_ascii_uppercase();
        typ != "JWT" && !typ.ends_with("+JWT")
    };
    TYPED.iter().any(|name| typed(&parts.header, name))
        || parts.header.contains_key("x5c")
        // A salt is a thing of its own.
        || parts.header.contains_key("salt")
        || parts.header.get("typ").is_some_and(media_type)
        || ["iss", "nonce"].iter().any(|name| typed(&parts.claims, name))
        || ["exp", "nbf", "iat"].iter().any(|name| parts.is_misread(name))
        // Absence, to us.
        || ["nbf", "iat", "jti"].iter().any(|name| parts.claims.get(*name) == Some(&Value::Null))
        || parts.is_near("exp", NOW - LEEWAY)
        || parts.is_near("nbf", NOW + LEEWAY)
        || parts.is_near("iat", NOW + LEEWAY)
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

/// Whether a name occurs twice in some object: then writing it down again loses a colon.
fn twice(text: &[u8]) -> bool {
    super::config::has_twins(text, &serde_json::from_slice(text).unwrap_or_default())
}
