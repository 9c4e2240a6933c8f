//! Tokens: unsigned, signed with what is public, malformed, too long.

use lychgate_tests::http::Request;
use lychgate_tests::keys;
use lychgate_tests::tokens::{Token, compact, hs256, now, signature};

use super::table::{Attack, Story, bad_token, legitimate, story};

const ON: &str = "signed";

/// Claims that any scheme here is content with.
pub fn claims() -> String {
    format!(r#"{{"sub":"johndoe","exp":{},"scopes":["items:read","admin"]}}"#, now() + 600)
}

/// A token of these raw parts with a good signature under the shared secret.
pub fn ours(header: &str, claims: impl AsRef<[u8]>) -> String {
    compact(header, claims, |input| hs256(keys::SECRET.as_bytes(), input))
}

pub fn get(path: &str, token: impl AsRef<str>) -> Request {
    Request::get(path).bearer(token)
}

/// Every way to write a word in upper and lower case.
fn casings(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    let cased = |bits: usize| {
        let letter = |(index, letter): (usize, &char)| {
            if bits >> index & 1 == 1 { letter.to_ascii_uppercase() } else { *letter }
        };
        letters.iter().enumerate().map(letter).collect()
    };
    (0..1 << letters.len()).map(cased).collect()
}

pub fn stories() -> Vec<Story> {
    vec![
        story("A token that says of itself that it needs no signature (RFC 8725 section 2.1)", unsigned()),
        story("A token signed by HMAC with the public key as the secret (RFC 8725 section 2.1)", confused()),
        story("A token whose algorithm is not the one of the key it is for", crossed()),
        story("Signatures that a careless check takes: zero, in DER, of another length", signatures()),
    ]
}

fn unsigned() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for alg in casings("none") {
        let header = format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#);
        for path in ["/hs", "/rs", "/es"] {
            let token = compact(&header, claims(), |_| vec![]);
            attacks.push(bad_token(format!("alg {alg} at {path}"), ON, get(path, token)));
        }
        let (name, token) = (format!("alg {alg} with a good signature"), ours(&header, claims()));
        attacks.push(bad_token(name, ON, get("/hs", token)));
    }
    for (name, alg) in [
        ("with a space before", "\" none\""),
        ("with a space behind", "\"none \""),
        ("with a zero byte", "\"none\\u0000\""),
        ("escaped", "\"\\u006eone\""),
        ("with a long s nowhere and a full-width n", "\"\u{ff4e}one\""),
        ("null", "null"),
        ("false", "false"),
        ("zero", "0"),
        ("an object", "{}"),
        ("an array of none", "[\"none\"]"),
        ("empty", "\"\""),
    ] {
        let token = compact(&format!(r#"{{"alg":{alg}}}"#), claims(), |_| vec![]);
        attacks.push(bad_token(format!("alg none {name}"), ON, get("/hs", token)));
    }
    let cut = |alg: &str, path: &str| {
        let whole = Token::reader().sign(alg);
        let (signed, _) = whole.rsplit_once('.').unwrap();
        bad_token(format!("{alg} with its signature cut off"), ON, get(path, format!("{signed}.")))
    };
    attacks.extend(
        [("HS256", "/hs"), ("RS256", "/rs"), ("ES256", "/es"), ("EdDSA", "/ed")].map(|(a, p)| cut(a, p)),
    );
    for (alg, path) in [
        ("HS256", "/hs"),
        ("RS256", "/rs"),
        ("PS256", "/ps"),
        ("ES256", "/es"),
        ("ES384", "/es384"),
        ("ES256K", "/es256k"),
        ("EdDSA", "/ed"),
    ] {
        attacks.push(legitimate(format!("{alg} as it should be"), ON, get(path, Token::reader().sign(alg))));
    }
    attacks
}

/// What of a public key an attacker may have at hand.
fn public_bytes(pem: &str, jwk: &serde_json::Value) -> Vec<(&'static str, Vec<u8>)> {
    use base64::Engine as _;
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::prelude::BASE64_STANDARD.decode(&body).unwrap();
    let member = |name: &str| jwk[name].as_str().unwrap_or_default().as_bytes().to_vec();
    let raw = |name: &str| base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(member(name)).unwrap();
    let first = if jwk["kty"] == "RSA" { "n" } else { "x" };
    vec![
        ("PEM", pem.as_bytes().to_vec()),
        ("PEM without its last line feed", pem.trim_end().as_bytes().to_vec()),
        ("PEM with CRLF", pem.replace('\n', "\r\n").into_bytes()),
        ("PEM's base64", body.into_bytes()),
        ("DER", der),
        ("JWK text", jwk.to_string().into_bytes()),
        ("JWK text, indented", serde_json::to_string_pretty(jwk).unwrap().into_bytes()),
        ("first number in base64url", member(first)),
        ("first number", raw(first)),
        ("nothing", Vec::new()),
    ]
}

fn confused() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for (alg, path, pair) in [
        ("RS256", "/rs", keys::RSA),
        ("PS256", "/ps", keys::RSA),
        ("ES256", "/es", keys::P256),
        ("a key set", "/set", keys::RSA),
    ] {
        for (form, secret) in public_bytes(pair.public_pem, &pair.jwk()) {
            for kid in ["", r#","kid":"rsa""#] {
                if !kid.is_empty() && path != "/set" {
                    continue;
                }
                let header = format!(r#"{{"alg":"HS256","typ":"JWT"{kid}}}"#);
                let token = compact(&header, claims(), |input| hs256(&secret, input));
                let name = format!("{alg}: the public key as HMAC secret, its {form}{kid}");
                attacks.push(bad_token(name, ON, get(path, token)));
            }
        }
    }
    attacks
}

fn crossed() -> Vec<Attack> {
    let mut attacks = Vec::new();
    let paths = [
        ("HS256", "/hs"),
        ("RS256", "/rs"),
        ("PS256", "/ps"),
        ("ES256", "/es"),
        ("ES384", "/es384"),
        ("ES256K", "/es256k"),
        ("EdDSA", "/ed"),
    ];
    for (alg, _) in paths {
        for (own, path) in paths.into_iter().filter(|(own, _)| *own != alg) {
            let name = format!("our own {alg} at {own}");
            attacks.push(bad_token(name, ON, get(path, Token::reader().sign(alg))));
            // The signature of one algorithm under the name of another.
            let token =
                compact(&format!(r#"{{"alg":"{own}"}}"#), claims(), |input| signature(alg, false, input));
            attacks.push(bad_token(format!("our own {alg} called {own}"), ON, get(path, token)));
        }
    }
    for (alg, path) in paths {
        let name = format!("{alg} signed by a stranger");
        attacks.push(bad_token(name, ON, get(path, Token::reader().sign_by_stranger(alg))));
    }
    for alg in ["HS384", "HS512", "RS384", "RS512", "PS384", "PS512", "ES512"] {
        let path = match &alg[..2] {
            "HS" => "/hs",
            "RS" => "/rs",
            "PS" => "/ps",
            _ => "/es",
        };
        attacks.push(bad_token(
            format!("{alg} where its shorter sister is asked for"),
            ON,
            get(path, Token::reader().sign(alg)),
        ));
    }
    attacks
}

/// DER of an ECDSA signature (RFC 3279 section 2.2.3), out of r and s.
fn der(raw: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let mut number: Vec<u8> = number.iter().copied().skip_while(|&byte| byte == 0).collect();
        if number.first().is_none_or(|&byte| byte > 0x7F) {
            number.insert(0, 0);
        }
        [vec![2, u8::try_from(number.len()).unwrap()], number].concat()
    };
    let (r, s) = raw.split_at(raw.len() / 2);
    let body = [integer(r), integer(s)].concat();
    [vec![0x30, u8::try_from(body.len()).unwrap()], body].concat()
}

fn signatures() -> Vec<Attack> {
    let mut attacks = Vec::new();
    let with = |alg: &str, made: &dyn Fn(&[u8]) -> Vec<u8>| {
        compact(&format!(r#"{{"alg":"{alg}"}}"#), claims(), made)
    };
    for (alg, path, half) in [("ES256", "/es", 32), ("ES384", "/es384", 48), ("ES256K", "/es256k", 32)] {
        let good = |input: &[u8]| signature(alg, false, input);
        let one = |place: usize| {
            move |_: &[u8]| {
                let mut bytes = vec![0; half * 2];
                bytes[place] = 1;
                bytes
            }
        };
        let tokens = [
            ("r = s = 0", with(alg, &|_| vec![0; half * 2])),
            ("r = 1, s = 0", with(alg, &one(half - 1))),
            ("r = 0, s = 1", with(alg, &one(half * 2 - 1))),
            ("r and s beyond the order", with(alg, &|_| vec![0xFF; half * 2])),
            ("DER", with(alg, &|input| der(&good(input)))),
            ("DER of r = s = 0", with(alg, &|_| vec![0x30, 6, 2, 1, 0, 2, 1, 0])),
            ("a byte too few", with(alg, &|input| good(input)[1..].to_vec())),
            ("a byte too many in front", with(alg, &|input| [vec![0], good(input)].concat())),
            ("a byte too many behind", with(alg, &|input| [good(input), vec![0]].concat())),
            ("r alone", with(alg, &|input| good(input)[..half].to_vec())),
            ("twice", with(alg, &|input| [good(input), good(input)].concat())),
            (
                "r and s swapped",
                with(alg, &|input| {
                    let good = good(input);
                    [&good[half..], &good[..half]].concat()
                }),
            ),
            ("empty", with(alg, &|_| vec![])),
        ];
        attacks.extend(tokens.map(|(name, token)| bad_token(format!("{alg}: {name}"), ON, get(path, token))));
    }
    for (alg, path, length) in
        [("HS256", "/hs", 32), ("RS256", "/rs", 256), ("PS256", "/ps", 256), ("EdDSA", "/ed", 64)]
    {
        let good = |input: &[u8]| signature(alg, false, input);
        let tokens = [
            ("zeros", with(alg, &|_| vec![0; length])),
            ("one", with(alg, &|_| [vec![0; length - 1], vec![1]].concat())),
            ("ones", with(alg, &|_| vec![0xFF; length])),
            ("the first half", with(alg, &|input| good(input)[..length / 2].to_vec())),
            ("the first byte", with(alg, &|input| good(input)[..1].to_vec())),
            ("a byte too many", with(alg, &|input| [good(input), vec![0]].concat())),
            ("a byte too many in front", with(alg, &|input| [vec![0], good(input)].concat())),
            (
                "of the claims alone",
                with(alg, &|input| {
                    let dot = input.iter().position(|&byte| byte == b'.').unwrap();
                    good(&input[dot + 1..])
                }),
            ),
        ];
        attacks.extend(tokens.map(|(name, token)| bad_token(format!("{alg}: {name}"), ON, get(path, token))));
    }
    // The neutral element as R, which a key of small order would accept for anything.
    let neutral = with("EdDSA", &|_| [vec![1], vec![0; 63]].concat());
    attacks.push(bad_token("EdDSA: R the neutral element, S zero", ON, get("/ed", neutral)));
    attacks
}
