//! The requests that Lychgate and `oauth4webapi` are both asked about: tokens, proofs and headers, good and wrong.

use lychgate_tests::behaviour::{PROOF_HOST as HOST, bad_proofs_for, good_proofs_for};
use lychgate_tests::http::Request;
use lychgate_tests::keys;
use lychgate_tests::proofs::{Proof, digest, thumbprint};
use lychgate_tests::tokens::{Token, b64, compact, hs256, now, signature};
use serde_json::{Value, json};

/// The issuer of the tokens.
pub const ISSUER: &str = "https://idp.example";
/// Their audience.
pub const AUDIENCE: &str = "https://api.example.com";

/// A request, and whether a proof is required of it.
pub struct Asked {
    pub name: String,
    pub request: Request,
    pub required: bool,
}

fn asked(name: impl Into<String>, request: Request) -> Asked {
    Asked { name: name.into(), request, required: false }
}

/// An access token as RFC 9068 has it.
pub fn token() -> Token {
    Token::new()
        .header("typ", "at+jwt")
        .claim("iss", ISSUER)
        .claim("aud", AUDIENCE)
        .claim("client_id", "client")
        .claim("jti", "token")
}

/// The same, bound to our key for `alg`.
pub fn bound(alg: &str) -> Token {
    token().claim("cnf", json!({"jkt": thumbprint(alg, false)}))
}

/// The key set of the issuer.
pub fn jwks() -> Value {
    let pairs = [keys::RSA, keys::P256, keys::P384, keys::P521, keys::ED25519];
    let bare = |pair: keys::Pair| {
        let mut jwk = pair.jwk();
        for name in ["alg", "kid", "use"] {
            jwk.as_object_mut().expect("an object").remove(name);
        }
        jwk
    };
    json!({"keys": pairs.map(bare)})
}

fn get() -> Request {
    Request::get("/").host(HOST)
}

/// A request with a token and a good proof for it.
pub fn proven(token: &str) -> Request {
    let proof = Proof::new("ES256", "GET", &format!("http://{HOST}/"), token).sign();
    get().header("Authorization", format!("DPoP {token}")).header("DPoP", proof)
}

/// All of them.
pub fn requests() -> Vec<Asked> {
    let mut all = Vec::new();
    let token = bound("ES256").sign("ES256");
    let proofs = good_proofs_for(&token).into_iter().chain(bad_proofs_for(&token));
    all.extend(proofs.map(|row| asked(row.name, row.request)));
    all.extend(signed());
    all.extend(claims());
    all.extend(confirmations());
    all.extend(shapes());
    all.extend(headers());
    all.extend(required());
    all
}

/// By each algorithm, and by none that is right.
fn signed() -> Vec<Asked> {
    let mut all = Vec::new();
    for alg in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"] {
        all.push(asked(format!("token: {alg}"), get().bearer(token().sign(alg))));
        all.push(asked(format!("token: {alg} by a stranger"), get().bearer(token().sign_by_stranger(alg))));
        all.push(asked(format!("token: {alg}, with a proof"), proven(&bound("ES256").sign(alg))));
    }
    let claims = json!({"sub": "johndoe", "iat": now(), "exp": now() + 600, "iss": ISSUER, "aud": AUDIENCE,
        "client_id": "client", "jti": "token"})
    .to_string();
    let typed = |alg: &str| json!({"alg": alg, "typ": "at+jwt"}).to_string();
    let pem = keys::RSA.public_pem.as_bytes();
    for (name, text) in [
        ("alg none", compact(&typed("none"), &claims, |_| Vec::new())),
        ("alg None", compact(&typed("None"), &claims, |_| Vec::new())),
        ("an HMAC by the public key", compact(&typed("HS256"), &claims, |input| hs256(pem, input))),
        ("an HMAC by nothing", compact(&typed("HS256"), &claims, |input| hs256(b"", input))),
        ("no alg", compact("{\"typ\":\"at+jwt\"}", &claims, |input| signature("ES256", false, input))),
        ("alg of another curve", compact(&typed("ES384"), &claims, |input| signature("ES256", false, input))),
        ("alg in lower case", compact(&typed("es256"), &claims, |input| signature("ES256", false, input))),
        (
            "PSS said to be PKCS 1",
            compact(&typed("RS256"), &claims, |input| signature("PS256", false, input)),
        ),
        ("a signature of zeros", compact(&typed("ES256"), &claims, |_| vec![0; 64])),
        ("no signature", compact(&typed("ES256"), &claims, |_| Vec::new())),
        (
            "half a signature",
            compact(&typed("ES256"), &claims, |input| signature("ES256", false, input)[..32].to_vec()),
        ),
    ] {
        all.push(asked(format!("token: {name}"), get().bearer(text)));
    }
    let stranger = || token().header("jwk", keys::P256_STRANGER.jwk()).sign_by_stranger("ES256");
    all.push(asked("token: its own key in the header", get().bearer(stranger())));
    for (name, value) in [
        ("kid", json!("unknown")),
        ("crit", json!(["x"])),
        ("b64", json!(false)),
        ("jku", json!("https://evil.example/jwks")),
        ("cty", json!("JWT")),
    ] {
        all.push(asked(
            format!("token: {name} in the header"),
            get().bearer(token().header(name, value).sign("ES256")),
        ));
    }
    for typ in ["JWT", "at+jwt", "application/at+jwt", "AT+JWT", "logout+jwt", "dpop+jwt", "id_token+jwt", ""]
    {
        all.push(asked(
            format!("token: typ {typ:?}"),
            get().bearer(token().header("typ", typ).sign("ES256")),
        ));
    }
    all
}

/// What the claims say.
fn claims() -> Vec<Asked> {
    let mut all = Vec::new();
    let now = now();
    let values: Vec<(&str, &str, Value)> = vec![
        ("iss of another", "iss", json!("https://evil.example")),
        ("iss with a slash more", "iss", json!(format!("{ISSUER}/"))),
        ("iss in upper case", "iss", json!("HTTPS://IDP.EXAMPLE")),
        ("iss a number", "iss", json!(1)),
        ("iss a list", "iss", json!([ISSUER])),
        ("iss null", "iss", Value::Null),
        ("aud a list with it", "aud", json!(["https://other.example", AUDIENCE])),
        ("aud a list without it", "aud", json!(["https://other.example"])),
        ("aud an empty list", "aud", json!([])),
        ("aud of another", "aud", json!("https://other.example")),
        ("aud that begins like it", "aud", json!(format!("{AUDIENCE}.evil.example"))),
        ("aud with a slash more", "aud", json!(format!("{AUDIENCE}/"))),
        ("aud a number", "aud", json!(1)),
        ("aud null", "aud", Value::Null),
        ("aud an object", "aud", json!({AUDIENCE: true})),
        ("exp two minutes ago", "exp", json!(now - 120)),
        ("exp half a minute ago", "exp", json!(now - 30)),
        ("exp with a fraction", "exp", json!(now as f64 + 60.5)),
        ("exp as text", "exp", json!((now + 600).to_string())),
        ("exp null", "exp", Value::Null),
        ("exp zero", "exp", json!(0)),
        ("nbf in two minutes", "nbf", json!(now + 120)),
        ("nbf in half a minute", "nbf", json!(now + 30)),
        ("nbf past", "nbf", json!(now - 120)),
        ("nbf as text", "nbf", json!("0")),
        ("nbf null", "nbf", Value::Null),
        ("iat in two minutes", "iat", json!(now + 120)),
        ("iat an hour ago", "iat", json!(now - 3600)),
        ("iat as text", "iat", json!(now.to_string())),
        ("iat null", "iat", Value::Null),
        ("sub a number", "sub", json!(7)),
        ("sub a list", "sub", json!(["johndoe"])),
        ("sub null", "sub", Value::Null),
        ("jti a number", "jti", json!(7)),
        ("jti null", "jti", Value::Null),
        ("client_id a number", "client_id", json!(7)),
        ("client_id a list", "client_id", json!(["client"])),
        ("client_id null", "client_id", Value::Null),
        ("an unknown claim", "x", json!({"y": [1]})),
    ];
    for (name, claim, value) in values {
        all.push(asked(
            format!("token: {name}"),
            get().bearer(token().claim(claim, value.clone()).sign("ES256")),
        ));
        // The proof that comes with it is good, and makes no difference.
        all.push(asked(
            format!("token: {name}, with a proof"),
            proven(&bound("ES256").claim(claim, value).sign("ES256")),
        ));
    }
    for claim in ["iss", "aud", "exp", "iat", "sub", "jti", "client_id"] {
        all.push(asked(format!("token: no {claim}"), get().bearer(token().without(claim).sign("ES256"))));
    }
    all
}

/// Tokens bound to other things than our key, and to none.
fn confirmations() -> Vec<Asked> {
    let jkt = thumbprint("ES256", false);
    let mut all = Vec::new();
    for (name, value) in [
        ("null", Value::Null),
        ("empty", json!({})),
        ("text", json!(jkt)),
        ("a list", json!([{"jkt": jkt}])),
        ("a thumbprint that is a number", json!({"jkt": 7})),
        ("a thumbprint that is null", json!({"jkt": null})),
        ("a thumbprint that is too short", json!({"jkt": "short"})),
        ("a thumbprint that is padded", json!({"jkt": format!("{jkt}=")})),
        ("another thumbprint", json!({"jkt": thumbprint("ES256", true)})),
        ("a list of thumbprints", json!({"jkt": [jkt]})),
        ("a certificate", json!({"x5t#S256": digest("certificate")})),
        ("a key and a certificate", json!({"jkt": jkt, "x5t#S256": digest("certificate")})),
        ("the key itself", json!({"jwk": keys::P256.jwk()})),
        ("a name", json!({"kid": "k"})),
        ("a key and a name", json!({"jkt": jkt, "kid": "k"})),
    ] {
        let token = token().claim("cnf", value).sign("ES256");
        all.push(asked(format!("cnf: {name}"), get().bearer(&token)));
        all.push(asked(format!("cnf: {name}, with a proof"), proven(&token)));
    }
    all
}

/// Texts that are no token.
fn shapes() -> Vec<Asked> {
    let good = token().sign("ES256");
    let [header, claims, signature] =
        <[&str; 3]>::try_from(good.split('.').collect::<Vec<_>>()).expect("three parts");
    let made = |header: &str, claims: &str| {
        compact(header, claims, |input| lychgate_tests::tokens::signature("ES256", false, input))
    };
    let typed = "{\"alg\":\"ES256\",\"typ\":\"at+jwt\"}";
    [
        ("text", "made-up".to_owned()),
        ("two parts", format!("{header}.{claims}")),
        ("four parts", format!("{good}.x")),
        ("five parts", format!("{good}.x.y")),
        ("padded", format!("{good}=")),
        ("a tab in it", format!("{header}.\t{claims}.{signature}")),
        ("quoted", format!("\"{good}\"")),
        ("a comma behind it", format!("{good},")),
        ("a payload that is a list", made(typed, "[]")),
        ("a payload that is no JSON", made(typed, "{")),
        ("an empty payload", made(typed, "")),
        ("a header that is a list", made("[]", "{}")),
        ("a header that is no JSON", made("{", "{}")),
        ("a dot alone", "..".to_owned()),
        ("a letter that is none", format!("{header}.{claims}.{}!", &signature[..85])),
    ]
    .into_iter()
    .map(|(name, text)| asked(format!("token: {name}"), get().bearer(text)))
    .collect()
}

/// How token and proof are sent.
fn headers() -> Vec<Asked> {
    let plain = token().sign("ES256");
    let bound = bound("ES256").sign("ES256");
    let with = |value: String| get().header("Authorization", value);
    let proof = || Proof::new("ES256", "GET", &format!("http://{HOST}/"), &bound).sign();
    let unbound_proof = Proof::new("ES256", "GET", &format!("http://{HOST}/"), &plain).sign();
    vec![
        asked("header: none", get()),
        asked("header: the scheme alone", with("Bearer".into())),
        asked("header: bearer in lower case", with(format!("bearer {plain}"))),
        asked("header: BEARER in upper case", with(format!("BEARER {plain}"))),
        asked("header: two spaces", with(format!("Bearer  {plain}"))),
        asked("header: a word behind the token", with(format!("Bearer {plain} x"))),
        asked("header: two in one line", with(format!("Bearer {plain}, Bearer {plain}"))),
        asked("header: two lines", get().bearer(&plain).bearer(&plain)),
        asked("header: the token alone", with(plain.clone())),
        asked("header: Basic", with(format!("Basic {}", b64("johndoe:secret")))),
        asked("header: another scheme", with(format!("Token {plain}"))),
        asked("header: a colon behind the scheme", with(format!("Bearer: {plain}"))),
        asked("header: dpop in lower case", with(format!("dpop {bound}")).header("DPoP", proof())),
        asked("header: DPOP in upper case", with(format!("DPOP {bound}")).header("DPoP", proof())),
        asked("header: DPoP without a proof", with(format!("DPoP {bound}"))),
        asked("header: Bearer with a proof", get().bearer(&bound).header("DPoP", proof())),
        asked("header: Bearer without a proof", get().bearer(&bound)),
        asked(
            "header: two proofs",
            with(format!("DPoP {bound}")).header("DPoP", proof()).header("DPoP", proof()),
        ),
        asked(
            "header: an unbound token with DPoP",
            with(format!("DPoP {plain}")).header("DPoP", &unbound_proof),
        ),
        asked("header: an unbound token with DPoP and no proof", with(format!("DPoP {plain}"))),
        asked(
            "header: an unbound token with Bearer and a proof",
            get().bearer(&plain).header("DPoP", unbound_proof),
        ),
        asked(
            "header: an unbound token with Bearer and text as proof",
            get().bearer(&plain).header("DPoP", "x"),
        ),
    ]
}

/// Where a proof is required.
fn required() -> Vec<Asked> {
    let plain = token().sign("ES256");
    let bound = bound("ES256").sign("ES256");
    let one = |name: &str, request| Asked { name: format!("required: {name}"), request, required: true };
    vec![
        one("a bound token with its proof", proven(&bound)),
        one("a bound token without", get().bearer(&bound)),
        one("an unbound token", get().bearer(&plain)),
        one("an unbound token with a proof", proven(&plain)),
        one("a stranger's token with a proof", proven(&self::bound("ES256").sign_by_stranger("ES256"))),
        one("nothing", get()),
    ]
}
