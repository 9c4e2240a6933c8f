//! Tokens that no library would write, and the credential in more than one place.

use crate::http::Request;
use crate::keys;
use crate::tokens::{Token, b64, compact, hs256, now};

use super::{BEARER, BEARER_READ, Row, allowed, bad_token, refused};

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

fn claims() -> String {
    format!(r#"{{"sub":"johndoe","exp":{},"scopes":["items:read"]}}"#, now() + 600)
}

/// A token of raw parts with our own good signature.
fn ours(header: &str, payload: impl AsRef<[u8]>) -> String {
    compact(header, payload, |input| hs256(keys::SECRET.as_bytes(), input))
}

fn get(token: impl AsRef<str>) -> Request {
    Request::get("/").bearer(token)
}

pub fn rows() -> Vec<Row> {
    let mut rows = vec![allowed("a raw token as it should be", "token", get(ours(HEADER, claims())))];
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = format!(r#"{{"alg":"{alg}"}}"#);
        rows.push(bad_token(
            format!("alg {alg:?} without signature"),
            "token",
            get(compact(&header, claims(), |_| vec![])),
        ));
        rows.push(bad_token(
            format!("alg {alg:?} with our signature"),
            "token",
            get(ours(&header, claims())),
        ));
    }
    for (name, secret) in [
        ("PEM", keys::RSA.public_pem.to_owned()),
        ("PEM trimmed", keys::RSA.public_pem.trim().to_owned()),
        ("JWK", keys::RSA.jwk().to_string()),
    ] {
        let forged = compact(HEADER, claims(), |input| hs256(secret.as_bytes(), input));
        rows.push(bad_token(format!("the public key's {name} as HMAC secret"), "algorithms", get(forged)));
    }
    let header = |members: &str| ours(&format!(r#"{{"alg":"HS256",{members}}}"#), claims());
    let good = ours(HEADER, claims());
    let (signed, signature) = good.rsplit_once('.').expect("a dot");
    let (first, second) = signed.split_once('.').expect("a dot");
    let deep = format!(r#"{{"sub":"x","exp":9999999999,"a":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    // The last letter of a 32-byte signature carries two bits that mean nothing.
    let stray = match signature.chars().last() {
        Some('A'..='Z' | 'a'..='z' | '0'..='8') => {
            let last = signature.as_bytes()[signature.len() - 1];
            format!("{signed}.{}{}", &signature[..signature.len() - 1], char::from(last + 1))
        }
        _ => format!("{signed}.{signature}="),
    };
    for (name, token) in [
        ("crit with an unknown extension", header(r#""crit":["exp"],"exp":1"#)),
        ("crit empty", header(r#""crit":[]"#)),
        ("b64 false", header(r#""b64":false,"crit":["b64"]"#)),
        ("b64 false without crit", header(r#""b64":false"#)),
        ("kid as a number", header(r#""kid":7"#)),
        ("kid null", header(r#""kid":null"#)),
        ("duplicate alg", ours(r#"{"alg":"HS256","alg":"HS256"}"#, claims())),
        ("duplicate alg by escape", ours(r#"{"alg":"HS256","\u0061lg":"none"}"#, claims())),
        ("alg as an array", ours(r#"{"alg":["HS256"]}"#, claims())),
        ("alg in lower case", ours(r#"{"alg":"hs256"}"#, claims())),
        ("alg with a space", ours(r#"{"alg":"HS256 "}"#, claims())),
        ("no alg", ours("{}", claims())),
        ("header an array", ours(r#"["HS256"]"#, claims())),
        ("header not JSON", ours("HS256", claims())),
        ("header with text behind", ours(&format!("{HEADER}x"), claims())),
        ("header nested deeply", header(&format!(r#""x":{}{}"#, "[".repeat(60), "]".repeat(60)))),
        ("duplicate sub", ours(HEADER, r#"{"sub":"a","sub":"b","exp":9999999999}"#)),
        ("duplicate deep in a claim", ours(HEADER, r#"{"sub":"a","exp":9999999999,"x":{"y":1,"y":2}}"#)),
        ("claims an array", ours(HEADER, "[]")),
        ("claims a string", ours(HEADER, "\"johndoe\"")),
        ("claims empty", ours(HEADER, "")),
        ("claims not UTF-8", ours(HEADER, b"{\"sub\":\"\xff\",\"exp\":9999999999}")),
        ("claims nested deeply", ours(HEADER, deep)),
        ("exp 1e400", ours(HEADER, r#"{"sub":"a","exp":1e400}"#)),
        ("exp NaN", ours(HEADER, r#"{"sub":"a","exp":NaN}"#)),
        ("two parts", signed.to_owned()),
        ("four parts", format!("{good}.")),
        ("five parts", format!("{good}.a.b")),
        ("one part", first.to_owned()),
        ("dots only", "..".to_owned()),
        ("header empty", format!(".{second}.{signature}")),
        ("padding", format!("{good}=")),
        ("padding inside", format!("{first}=.{second}.{signature}")),
        ("stray bits in the signature", stray),
        ("a question mark in the signature", format!("{signed}.?{}", &signature[1..])),
        ("the other base64 alphabet", format!("{signed}.+/{}", &signature[2..])),
        ("a space inside", format!("{first}.{second} .{signature}")),
        ("a tab inside", format!("{first}\t.{second}.{signature}")),
        ("JSON serialisation", format!(r#"{{"payload":"{second}","signature":"{signature}"}}"#)),
        ("five parts like a JWE", format!("{}.a.b.c.d", b64(r#"{"alg":"dir","enc":"A128GCM"}"#))),
        ("two tokens with a comma", format!("{good}, {good}")),
        ("two tokens with a space", format!("{good} {good}")),
        ("longer than 8192 bytes", Token::new().claim("pad", "x".repeat(9000)).sign("HS256")),
        ("the API key's kind of text", "good-key".to_owned()),
    ] {
        rows.push(bad_token(name, "token", get(token)));
    }
    let zero = compact(r#"{"alg":"ES256"}"#, claims(), |_| vec![0; 64]);
    rows.push(bad_token("ES256 with r = s = 0", "algorithms", get(zero)));
    let long = compact(r#"{"alg":"ES256"}"#, claims(), |input| {
        let mut signature = crate::tokens::signature("ES256", false, input);
        signature.push(0);
        signature
    });
    rows.push(bad_token("ES256 with a byte too many", "algorithms", get(long)));
    let own_jwk =
        format!(r#"{{"alg":"RS256","jwk":{},"jku":"https://evil.example/"}}"#, keys::RSA_STRANGER.jwk());
    let embedded = compact(&own_jwk, claims(), |input| crate::tokens::signature("RS256", true, input));
    rows.push(bad_token("a key of its own in the header", "algorithms", get(embedded)));

    let stranger = Token::reader().sign_by_stranger("HS256");
    let plain = |value: String| Request::get("/").header("Authorization", value);
    rows.extend([
        bad_token("two Authorization headers, good then bad", "token", get(&good).bearer(&stranger)),
        bad_token("two Authorization headers, bad then good", "token", get(&stranger).bearer(&good)),
        bad_token("two Authorization headers, the same twice", "token", get(&good).bearer(&good)),
        bad_token(
            "two Authorization headers, Basic then Bearer",
            "token",
            plain("Basic eDp5".into()).bearer(&good),
        ),
        bad_token(
            "two Authorization headers in one, as Envoy joins them",
            "token",
            plain(format!("Basic eDp5,Bearer {good}")),
        ),
        allowed("bearer in lower case", "token", plain(format!("bearer {good}"))),
        allowed("BEARER in upper case and two spaces", "token", plain(format!("BEARER  {good}"))),
        bad_token("Bearer without a token", "token", plain("Bearer".into())),
        bad_token(
            "a value that is not UTF-8",
            "token",
            Request::get("/").header("Authorization", b"Bearer \xff\xfe"),
        ),
        refused("no Authorization", "token", Request::get("/"), 401, "Not authenticated", &[BEARER_READ]),
        refused(
            "Authorization empty",
            "token",
            plain(String::new()),
            401,
            "Not authenticated",
            &[BEARER_READ],
        ),
        refused(
            "Basic instead of Bearer",
            "token",
            plain("Basic eDp5".into()),
            401,
            "Not authenticated",
            &[BEARER_READ],
        ),
        refused(
            "Bearer glued to the token",
            "token",
            plain(format!("Bearer{good}")),
            401,
            "Not authenticated",
            &[BEARER_READ],
        ),
        refused("the token alone", "token", plain(good.clone()), 401, "Not authenticated", &[BEARER_READ]),
        refused(
            "the token in a query parameter that is not configured",
            "token",
            Request::get(format!("/?access_token={good}")),
            401,
            "Not authenticated",
            &[BEARER_READ],
        ),
    ]);

    let good = Token::new().sign("HS256");
    let from =
        |name: &str, request: Request| allowed(name, "sources", request).identity("johndoe", "", "token");
    rows.extend([
        from(
            "token from a header with its own prefix",
            Request::get("/").header("X-Token", format!("jwt {good}")),
        )
        .without("x-token"),
        from("token from a header without prefix", Request::get("/").header("X-Raw", &good)).without("x-raw"),
        from("token from the query", Request::get(format!("/?a=1&access_token={good}&b=%20")))
            .path("/?a=1&b=%20"),
        from("token from a cookie", Request::get("/").header("Cookie", format!("a=1; session={good}; b=2")))
            .with("cookie", "a=1; b=2"),
        from("token from Authorization as well", Request::get("/").bearer(&good)).without("authorization"),
        allowed("forward: the token stays", "sources", Request::get("/kept").bearer(&good))
            .with("authorization", &format!("Bearer {good}")),
        refused(
            "tokens in two places",
            "sources",
            Request::get(format!("/?access_token={good}")).bearer(Token::reader().sign("HS256")),
            401,
            "Could not validate credentials",
            &[super::INVALID_TOKEN],
        ),
        refused(
            "the wrong prefix is as good as no token",
            "sources",
            Request::get("/").header("X-Token", format!("Bearer {good}")),
            403,
            "Not authenticated",
            &[BEARER],
        ),
    ]);
    rows
}
