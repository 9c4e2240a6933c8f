//! The form of a token: what is not exactly a compact JWS of ours is refused.

use lychgate_testkit::http::Request;
use lychgate_testkit::keys::{SECRET, SECRET_STRANGER};
use lychgate_testkit::tokens::{Token, b64, compact, hs256, now};
use serde_json::json;

use super::{BEARER, Row, allowed_as, invalid_token, missing, row};

const HEADER: &str = r#"{"alg":"HS256"}"#;

fn ours(input: &[u8]) -> Vec<u8> {
    hs256(SECRET.as_bytes(), input)
}

fn claims() -> String {
    format!(r#"{{"sub":"johndoe","exp":{}}}"#, now() + 600)
}

/// A token with this raw header, signed by us.
fn with_header(header: &str) -> String {
    compact(header, claims(), ours)
}

/// A token with this raw claims set, signed by us.
fn with_claims(claims: impl AsRef<[u8]>) -> String {
    compact(HEADER, claims, ours)
}

/// A token with these raw members more in its claims set.
fn with_members(members: &str) -> String {
    with_claims(format!(r#"{{"sub":"johndoe","exp":{},{members}}}"#, now() + 600))
}

fn ask(token: impl AsRef<str>) -> Request {
    Request::get("/me").bearer(token)
}

fn authorization(value: impl AsRef<[u8]>) -> Request {
    Request::get("/me").header("Authorization", value)
}

/// The parts of a good token.
fn parts() -> [String; 3] {
    let token = Token::new().sign("HS256");
    let mut parts = token.split('.').map(str::to_owned);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// The same bytes in base64url whose unused bits are not zero.
fn with_stray_bits(part: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = part.split_at(part.len() - 1);
    let index = ALPHABET.find(last).expect("base64url");
    format!("{rest}{}", &ALPHABET[index + 1..index + 2])
}

/// Signed properly, though the parts are what they are.
fn sign_parts(header: &str, claims: &str) -> String {
    let input = format!("{header}.{claims}");
    format!("{input}.{}", b64(ours(input.as_bytes())))
}

pub fn rows() -> Vec<Row> {
    let refused = |name, request| row(name, "api", request, invalid_token());
    let good = |name, request| row(name, "api", request, allowed_as("johndoe", "oauth2"));
    let absent = |name, request| row(name, "api", request, missing(&[BEARER]));
    let token = Token::new().sign("HS256");
    let [header, payload, signature] = parts();
    let stranger = Token::new().sign_by_stranger("HS256");
    let mut rows = vec![
        good("a good token", ask(&token)),
        good("the smallest token", ask(with_claims(claims()))),
        good("scheme word in lower case", authorization(format!("bearer {token}"))),
        good("scheme word in upper case", authorization(format!("BEARER {token}"))),
        good("two spaces after the scheme word", authorization(format!("Bearer  {token}"))),
        good("typ is not looked at", ask(with_header(r#"{"typ":"at+jwt","alg":"HS256"}"#))),
        good("b64 true is the default", ask(with_header(r#"{"b64":true,"alg":"HS256"}"#))),
        good(
            "unknown header parameters are ignored",
            ask(with_header(r#"{"alg":"HS256","x-new":{"a":[1]}}"#)),
        ),
        good("unknown claims are ignored", ask(with_members(r#""new":{"a":[{"b":null}]}"#))),
        absent("nothing", Request::get("/me")),
        absent("an empty Authorization", authorization("")),
        absent("Basic where a token is asked for", authorization("Basic am9obmRvZTpzZWNyZXQ=")),
        absent("an unknown scheme", authorization("Digest username=\"johndoe\"")),
        absent("a token without scheme word", authorization(&token)),
        absent("a scheme word that only begins like Bearer", authorization(format!("Bearertoken {token}"))),
        refused("an empty bearer token", authorization("Bearer")),
        refused("signed by a stranger", ask(&stranger)),
        refused("two Authorization headers, good then bad", ask(&token).bearer(&stranger)),
        refused("two Authorization headers, bad then good", ask(&stranger).bearer(&token)),
        refused("two Authorization headers, the same", ask(&token).bearer(&token)),
        refused(
            "two Authorization headers, token and Basic",
            ask(&token).header("Authorization", "Basic YTpi"),
        ),
        refused("two Authorization headers, Basic and token", authorization("Basic YTpi").bearer(&token)),
        refused("two tokens in one header", authorization(format!("Bearer {token}, Bearer {token}"))),
        refused("not a token", ask("not-a-token")),
        refused("one part", ask(&header)),
        refused("two parts", ask(format!("{header}.{payload}"))),
        refused("four parts", ask(format!("{token}.{signature}"))),
        refused(
            "five parts, as of a JWE",
            ask(format!("{header}.{payload}.{signature}.{payload}.{signature}")),
        ),
        refused("a dot at the end", ask(format!("{token}."))),
        refused("dots only", ask("..")),
        refused("empty header", ask(sign_parts("", &payload))),
        refused("empty payload", ask(sign_parts(&header, ""))),
        refused("empty signature", ask(format!("{header}.{payload}."))),
        refused("the signature of another token", ask(format!("{header}.{payload}.{}", b64([0; 32])))),
        refused("a signature cut short", ask(format!("{header}.{payload}.{}", &signature[..40]))),
        refused("other claims under the signature", {
            let forged = b64(format!(r#"{{"sub":"admin","exp":{}}}"#, now() + 600));
            ask(format!("{header}.{forged}.{signature}"))
        }),
        refused("padding", ask(format!("{token}="))),
        refused(
            "padding in the header",
            ask(sign_parts(&format!("{}=", b64(r#"{"alg":"HS256" }"#)), &payload)),
        ),
        refused(
            "stray bits in the signature",
            ask(format!("{header}.{payload}.{}", with_stray_bits(&signature))),
        ),
        refused(
            "stray bits in the header",
            ask({
                // Sixteen bytes leave four unused bits.
                sign_parts(&with_stray_bits(&b64(r#"{"alg":"HS256" }"#)), &payload)
            }),
        ),
        refused("a space inside", ask(format!("{header}. {payload}.{signature}"))),
        refused("a tab inside", ask(format!("{header}.{payload}\t.{signature}"))),
        refused(
            "the alphabet of plain base64",
            ask(sign_parts(&header, &b64(r#"{"a":"??>>"}"#).replace(['-', '_'], "/"))),
        ),
        refused("a token that is not UTF-8", authorization(b"Bearer \xff\xfe.\xff.\xff")),
        refused("JWS as JSON", authorization(format!(r#"Bearer {{"payload":"{payload}","signatures":[]}}"#))),
        refused("a header that is not JSON", ask(with_header("HS256"))),
        refused("a header that is an array", ask(with_header(r#"["HS256"]"#))),
        refused("an empty header object", ask(with_header("{}"))),
        refused("a header with text behind", ask(with_header(r#"{"alg":"HS256"} {}"#))),
        refused("alg twice", ask(with_header(r#"{"alg":"HS256","alg":"HS256"}"#))),
        refused("alg twice, once escaped", ask(with_header(r#"{"alg":"HS256","\u0061lg":"none"}"#))),
        refused("crit with a known name", ask(with_header(r#"{"alg":"HS256","crit":["exp"],"exp":1}"#))),
        refused("crit with an unknown name", ask(with_header(r#"{"alg":"HS256","crit":["x"],"x":1}"#))),
        refused("crit empty", ask(with_header(r#"{"alg":"HS256","crit":[]}"#))),
        refused("b64 false", ask(with_header(r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#))),
        refused("b64 false without crit", ask(with_header(r#"{"alg":"HS256","b64":false}"#))),
        refused("claims that are an array", ask(with_claims(r#"["sub"]"#))),
        refused("claims that are a string", ask(with_claims(r#""johndoe""#))),
        refused("claims that are null", ask(with_claims("null"))),
        refused("claims that are not JSON", ask(with_claims("sub=johndoe"))),
        refused("claims with text behind", ask(with_claims(format!("{}x", claims())))),
        refused("claims with a byte order mark", ask(with_claims(format!("\u{feff}{}", claims())))),
        refused("claims that are not UTF-8", ask(with_claims(b"{\"sub\":\"\xff\",\"exp\":9999999999}"))),
        refused("claims in single quotes", ask(with_claims("{'sub':'johndoe','exp':9999999999}"))),
        refused("sub twice", ask(with_members(r#""sub":"admin""#))),
        refused("sub twice, once escaped", ask(with_members(r#""s\u0075b":"admin""#))),
        refused("exp twice", ask(with_members(r#""exp":9999999999"#))),
        refused("a member twice further down", ask(with_members(r#""a":{"b":1,"b":2}"#))),
        refused("NaN", ask(with_members(r#""a":NaN"#))),
        refused("half a surrogate", ask(with_members(r#""a":"\ud800""#))),
        refused(
            "nested deeply",
            ask(with_members(&format!(r#""a":{}{}"#, "[".repeat(200), "]".repeat(200)))),
        ),
        good(
            "nested as tokens are",
            ask(with_members(&format!(r#""a":{}{}"#, "[".repeat(10), "]".repeat(10)))),
        ),
        refused("more than 8192 bytes", ask(Token::new().claim("pad", "x".repeat(6100)).sign("HS256"))),
        good("less than 8192 bytes", ask(Token::new().claim("pad", "x".repeat(5900)).sign("HS256"))),
        row(
            "more than max_token_bytes",
            "claims",
            Request::get("/short").bearer(Token::new().claim("pad", "x".repeat(200)).sign("HS256")),
            invalid_token(),
        ),
        row(
            "less than max_token_bytes",
            "claims",
            Request::get("/short").bearer(&token),
            allowed_as("johndoe", "short"),
        ),
        refused("signed with the stranger's secret, its key in the header", {
            let own_key = json!({"kty": "oct", "k": b64(SECRET_STRANGER)});
            ask(Token::new().header("jwk", own_key).sign_by_stranger("HS256"))
        }),
        refused("keys named by URL are not fetched", {
            ask(Token::new().header("jku", "https://evil.example/jwks").sign_by_stranger("HS256"))
        }),
        good("a URL of keys in a good token is ignored", {
            ask(Token::new().header("jku", "https://evil.example/jwks").sign("HS256"))
        }),
    ];
    // The second time the answer may come from the cache; it must be the same.
    rows.push(good("a good token again", ask(&token)));
    rows.push(refused("a stranger's token again", ask(&stranger)));
    rows
}
