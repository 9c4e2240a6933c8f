//! Tokens of another shape: serialised otherwise, too long, too deep, of bytes that are no text.

use lychgate_tests::http::Request;
use lychgate_tests::tokens::{Token, b64, compact};

use super::table::{Attack, Story, bad_token, legitimate, refused, story};
use super::tokens::{claims, get, ours};

const ON: &str = "signed";

pub fn stories() -> Vec<Story> {
    vec![
        story("A token in another serialisation, or one that is encrypted", serialisations()),
        story("A token so long that reading it stops the filter", lengths()),
        story("A token nested so deeply that reading it overflows the stack", nesting()),
        story("A token with bytes that are no UTF-8, or no base64url", bytes()),
    ]
}

fn serialisations() -> Vec<Attack> {
    let good = ours(r#"{"alg":"HS256"}"#, claims());
    let parts: Vec<_> = good.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    let jwe = |alg: &str| b64(format!(r#"{{"alg":"{alg}","enc":"A256GCM","cty":"JWT"}}"#));
    let tokens = [
        (
            "JSON, flattened",
            format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#),
        ),
        (
            "JSON, general",
            format!(
                r#"{{"payload":"{payload}","signatures":[{{"protected":"{header}","signature":"{signature}"}}]}}"#
            ),
        ),
        (
            "JSON, general, one signature good and one not",
            format!(
                r#"{{"payload":"{payload}","signatures":[{{"protected":"{header}","signature":"AAAA"}},{{"protected":"{header}","signature":"{signature}"}}]}}"#
            ),
        ),
        (
            "JSON in base64url",
            b64(format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#)),
        ),
        ("JWE, direct", format!("{}..AAAA.AAAA.AAAA", jwe("dir"))),
        ("JWE, RSA-OAEP", format!("{}.AAAA.AAAA.AAAA.AAAA", jwe("RSA-OAEP"))),
        ("JWE, by password", format!("{}.AAAA.AAAA.AAAA.AAAA", jwe("PBES2-HS256+A128KW"))),
        ("a good token and two parts more", format!("{good}.AAAA.AAAA")),
        ("a good token and an empty part", format!("{good}.")),
        ("a good token behind an empty part", format!(".{good}")),
        ("detached", format!("{header}..{signature}")),
        ("two parts", format!("{header}.{payload}")),
        ("the payload alone", payload.to_owned()),
        ("dots", "...".to_owned()),
    ];
    let mut attacks: Vec<_> =
        tokens.into_iter().map(|(name, token)| bad_token(name, ON, get("/hs", token))).collect();
    let zipped = ours(r#"{"alg":"HS256","zip":"DEF"}"#, [0x2B_u8, 0x4E, 0x05, 0x00]);
    attacks.push(bad_token("a payload that is deflated", ON, get("/hs", zipped)));
    let nested = ours(r#"{"alg":"HS256","cty":"JWT"}"#, ours(r#"{"alg":"HS256"}"#, claims()));
    attacks.push(bad_token("a token in a token", ON, get("/hs", nested)));
    attacks
}

fn lengths() -> Vec<Attack> {
    const SIZE: usize = 100 * 1024;
    let long = "x".repeat(SIZE);
    let padded = |path: &str| get(path, Token::reader().claim("pad", long.as_str()).sign("HS256"));
    vec![
        bad_token("100 KiB of claims, well signed", ON, padded("/hs")),
        legitimate("100 KiB of claims where that is allowed", ON, padded("/large"))
            .with("x-auth-subject", "johndoe"),
        bad_token(
            "100 KiB of claims, ill signed",
            ON,
            get("/large", Token::reader().claim("pad", long.as_str()).sign_by_stranger("HS256")),
        ),
        bad_token("100 KiB of one letter", ON, get("/large", &long)),
        bad_token("100 KiB of dots", ON, get("/large", ".".repeat(SIZE))),
        bad_token(
            "100 KiB of header",
            ON,
            get("/large", ours(&format!(r#"{{"alg":"HS256","x":"{long}x"}}"#), "{}")),
        ),
        bad_token(
            "100 KiB of signature",
            ON,
            get("/large", format!("{}.{}", b64("{}"), b64(long.as_bytes()))),
        ),
        bad_token(
            "100 KiB of alg",
            ON,
            get("/large", compact(&format!(r#"{{"alg":"{long}"}}"#), claims(), |_| vec![])),
        ),
        bad_token(
            "100 KiB of spaces before the claims",
            ON,
            get("/large", ours(r#"{"alg":"HS256"}"#, " ".repeat(SIZE))),
        ),
        bad_token(
            "100 KiB of one number",
            ON,
            get("/large", ours(r#"{"alg":"HS256"}"#, format!(r#"{{"exp":{}}}"#, "9".repeat(SIZE)))),
        ),
        bad_token(
            "20,000 claims of one name",
            ON,
            get(
                "/large",
                ours(r#"{"alg":"HS256"}"#, format!("{{{}\"sub\":\"x\"}}", "\"a\":1,".repeat(20_000))),
            ),
        ),
        // Envoy's own limit applies before the filter unless it was raised.
        refused("100 KiB at Envoy's own limit", "normalised", get("/me", &long), 431),
    ]
}

fn nesting() -> Vec<Attack> {
    const DEEP: usize = 10_000;
    let (open, close) = ("[".repeat(DEEP), "]".repeat(DEEP));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(DEEP), "}".repeat(DEEP));
    let header = r#"{"alg":"HS256"}"#;
    let deep = |name: &str, token: String| bad_token(name, ON, get("/large", token));
    vec![
        deep(
            "10,000 arrays as a claim",
            ours(header, format!(r#"{{"sub":"x","exp":9999999999,"a":{open}{close}}}"#)),
        ),
        deep(
            "10,000 arrays as the scopes",
            ours(header, format!(r#"{{"sub":"x","exp":9999999999,"scopes":{open}{close}}}"#)),
        ),
        deep("10,000 arrays as the claims", ours(header, format!("{open}{close}"))),
        deep("10,000 arrays never closed", ours(header, &open)),
        deep("10,000 objects", ours(header, &objects)),
        deep(
            "10,000 arrays in the header",
            ours(&format!(r#"{{"alg":"HS256","x":{open}{close}}}"#), claims()),
        ),
        deep("10,000 arrays for a header", ours(&format!("{open}{close}"), claims())),
        deep("10,000 objects for a header", compact(&objects, claims(), |_| vec![])),
        bad_token(
            "10,000 arrays where tokens are short",
            ON,
            get("/hs", ours(header, format!("{open}{close}"))),
        ),
    ]
}

fn bytes() -> Vec<Attack> {
    let header = r#"{"alg":"HS256"}"#;
    let plain =
        |value: &[u8]| Request::get("/hs").header("Authorization", [b"Bearer ".as_slice(), value].concat());
    let good = ours(header, claims());
    let mut attacks = vec![
        bad_token("a token of bytes that are no UTF-8", ON, plain(b"\xff\xfe.\xc0\xaf.\x80")),
        bad_token("a good token with such a byte behind", ON, plain(&[good.as_bytes(), b"\xff"].concat())),
        bad_token("a good token with an overlong dot", ON, plain(&[good.as_bytes(), b"\xc0\xae"].concat())),
    ];
    for (name, claims) in [
        ("a stray byte", b"{\"sub\":\"\xff\",\"exp\":9999999999}".as_slice()),
        ("an overlong slash", b"{\"sub\":\"\xc0\xaf\",\"exp\":9999999999}"),
        ("half a surrogate in UTF-8", b"{\"sub\":\"\xed\xa0\x80\",\"exp\":9999999999}"),
        ("half a surrogate escaped", br#"{"sub":"\ud800","exp":9999999999}"#),
        ("a zero byte as the subject", br#"{"sub":"\u0000","exp":9999999999}"#),
        ("line feeds in the subject", br#"{"sub":"a\r\nx-auth-scopes: admin","exp":9999999999}"#),
        ("a byte order mark", b"\xef\xbb\xbf{\"sub\":\"x\",\"exp\":9999999999}"),
        ("UTF-16", b"\xff\xfe{\0\"\0s\0u\0b\0\"\0:\0\"\0x\0\"\0}\0"),
    ] {
        attacks.push(bad_token(format!("claims with {name}"), ON, get("/hs", ours(header, claims))));
    }
    for (name, token) in [
        ("padded", format!("{good}==")),
        ("with a line feed escaped as %0A", format!("{good}%0A")),
        ("percent-encoded", good.replace('.', "%2E")),
        ("in quotes", format!("\"{good}\"")),
        ("in angle brackets", format!("<{good}>")),
        ("with a semicolon", format!("{good};")),
    ] {
        attacks.push(bad_token(format!("a good token {name}"), ON, get("/hs", token)));
    }
    attacks
}
