//! Tokens that bring a key of their own, or say where to fetch one.

use std::net::SocketAddr;

use lychgate_tests::http::Request;
use lychgate_tests::keys;
use lychgate_tests::tokens::{compact, hs256, signature};
use serde_json::{Value, json};

use super::table::{Attack, Story, bad_token, legitimate, story};
use super::tokens::{claims, get, ours};

const ON: &str = "signed";

/// A name under which the attacker's server could be had.
pub const SNARE: &str = "keys.attacker.example";

pub fn stories(snare: SocketAddr) -> Vec<Story> {
    vec![
        story("A token that brings the key it is signed with, in `jwk` or `x5c`", embedded()),
        story(
            "A token that says where its key is to be had, in `jku` or `x5u`: nothing is ever fetched",
            fetched(snare),
        ),
        story("A `kid` that is a path, SQL, a command, over-long or no string", key_ids()),
        story("A header with unknown extensions: `crit` and `b64` (RFC 7515, RFC 7797)", extensions()),
    ]
}

/// A token with these header members, signed by a stranger with `alg`.
fn strange(alg: &str, members: &Value) -> String {
    let mut header = json!({"alg": alg, "typ": "JWT"});
    for (name, value) in members.as_object().unwrap() {
        header[name] = value.clone();
    }
    compact(&header.to_string(), claims(), |input| signature(alg, true, input))
}

/// Algorithm, path, and the stranger's key that would fit it.
fn kinds() -> Vec<(&'static str, &'static str, Value)> {
    let oct = json!({"kty": "oct", "k": lychgate_tests::tokens::b64(keys::SECRET_STRANGER)});
    vec![
        ("HS256", "/hs", oct),
        ("RS256", "/rs", keys::RSA_STRANGER.jwk()),
        ("ES256", "/es", keys::P256_STRANGER.jwk()),
        ("EdDSA", "/ed", keys::ED25519_STRANGER.jwk()),
        ("RS256", "/set", keys::RSA_STRANGER.jwk()),
    ]
}

fn embedded() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for (alg, path, jwk) in kinds() {
        for (name, members) in [
            ("jwk", json!({"jwk": jwk})),
            ("jwk and our kid", json!({"jwk": jwk, "kid": "rsa"})),
            ("jwk in an array", json!({"jwk": [jwk]})),
            ("jwks", json!({"jwks": {"keys": [jwk]}})),
            ("x5c", json!({"x5c": ["MIIBszCCAVmgAwIBAgIUXlhd"], "x5t": "AAAA"})),
            ("x5c that is a JWK", json!({"x5c": [jwk.to_string()]})),
            ("x5c that is the public key", json!({"x5c": [keys::RSA_STRANGER.public_pem]})),
        ] {
            attacks.push(bad_token(
                format!("{alg} at {path}: {name}"),
                ON,
                get(path, strange(alg, &members)),
            ));
        }
    }
    attacks
}

fn fetched(snare: SocketAddr) -> Vec<Attack> {
    let mut attacks = Vec::new();
    let hosts =
        [snare.to_string(), SNARE.to_owned(), format!("user@{snare}"), format!("idp.example@{snare}")];
    for (alg, path, _) in kinds() {
        for member in ["jku", "x5u"] {
            for host in &hosts {
                let url = format!("http://{host}/jwks.json");
                let token = strange(alg, &json!({member: url, "kid": "rsa"}));
                let name =
                    format!("{alg} at {path}: {member} {}", host.replace(&snare.to_string(), "ADDRESS"));
                attacks.push(bad_token(name, ON, get(path, token)));
            }
        }
        let everything = json!({"jku": format!("http://{snare}/"), "x5u": format!("http://{snare}/"), "iss": format!("http://{snare}")});
        attacks.push(bad_token(
            format!("{alg} at {path}: all of them"),
            ON,
            get(path, strange(alg, &everything)),
        ));
    }
    // An issuer that the filter does not know is not asked either.
    let claims = format!(r#"{{"sub":"x","exp":9999999999,"iss":"http://{snare}"}}"#);
    let token = compact(r#"{"alg":"RS256"}"#, claims, |input| signature("RS256", true, input));
    attacks.push(bad_token("an `iss` of the attacker's", ON, get("/rs", token.clone())));
    attacks.push(bad_token("an `iss` of the attacker's, where keys are in a set", ON, get("/set", token)));
    attacks
}

fn key_ids() -> Vec<Attack> {
    let mut attacks = Vec::new();
    let long = "k".repeat(5000);
    for (name, kid) in [
        ("a path", json!("../../../../../../dev/null")),
        ("an absolute path", json!("/etc/passwd")),
        ("a path of /proc", json!("/proc/sys/kernel/randomize_va_space")),
        ("a Windows path", json!("C:\\Windows\\win.ini")),
        ("a URL", json!("http://keys.attacker.example/")),
        ("SQL", json!("x' UNION SELECT 'AAAA' -- ")),
        ("SQL that is always true", json!("' OR '1'='1")),
        ("a command", json!("rsa;|/usr/bin/id")),
        ("a template", json!("{{7*7}}${7*7}")),
        ("a format string", json!("%s%s%s%n")),
        ("of 5000 letters", json!(long)),
        ("empty", json!("")),
        ("with a zero byte", json!("rsa\u{0}")),
        ("in another case", json!("RSA")),
        ("with a space", json!("rsa ")),
        ("of another key", json!("ec")),
        ("a pattern", json!("*")),
        ("a prototype", json!("__proto__")),
        ("a number", json!(1)),
        ("null", json!(null)),
        ("true", json!(true)),
        ("an array", json!(["rsa"])),
        ("an object", json!({"$ne": null})),
    ] {
        let header = json!({"alg": "RS256", "kid": kid});
        let ours = compact(&header.to_string(), claims(), |input| signature("RS256", false, input));
        attacks.push(bad_token(format!("kid {name}, well signed"), ON, get("/set", ours)));
        let empty = json!({"alg": "HS256", "kid": kid});
        let token = compact(&empty.to_string(), claims(), |input| hs256(b"", input));
        attacks.push(bad_token(format!("kid {name}, under an empty secret"), ON, get("/set", token)));
        let token = compact(&empty.to_string(), claims(), |input| hs256(b"", input));
        attacks.push(bad_token(
            format!("kid {name}, under an empty secret, for HMAC"),
            ON,
            get("/hs", token),
        ));
    }
    let header = json!({"alg": "RS256", "kid": "rsa"});
    let good = compact(&header.to_string(), claims(), |input| signature("RS256", false, input));
    attacks.push(legitimate("the kid of the key", ON, get("/set", good)));
    attacks
}

fn extensions() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for (name, members) in [
        ("crit with an unknown extension", r#""crit":["http://example.com/x"],"http://example.com/x":true"#),
        ("crit with exp", r#""crit":["exp"],"exp":9999999999"#),
        ("crit with what is not there", r#""crit":["b64"]"#),
        ("crit with alg", r#""crit":["alg"]"#),
        ("crit empty", r#""crit":[]"#),
        ("crit null", r#""crit":null"#),
        ("crit a string", r#""crit":"b64""#),
        ("crit false", r#""crit":false"#),
        ("crit with a number", r#""crit":[1]"#),
        ("crit by escape", r#""\u0063rit":["x"],"x":1"#),
        ("b64 false and critical", r#""b64":false,"crit":["b64"]"#),
        ("b64 true and critical", r#""b64":true,"crit":["b64"]"#),
        ("b64 false", r#""b64":false"#),
        ("b64 null", r#""b64":null"#),
        ("b64 a string", r#""b64":"false""#),
        ("b64 zero", r#""b64":0"#),
    ] {
        let token = ours(&format!(r#"{{"alg":"HS256",{members}}}"#), claims());
        attacks.push(bad_token(name, ON, get("/hs", token)));
    }
    // RFC 7797: the payload as it is, and a signature over just that.
    let header = r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#;
    let header = lychgate_tests::tokens::b64(header);
    let payload = r#"{"sub":"x","exp":9999999999}"#;
    let input = format!("{header}.{payload}");
    let signature = lychgate_tests::tokens::b64(hs256(keys::SECRET.as_bytes(), input.as_bytes()));
    for (name, token) in [
        ("an unencoded payload", format!("{input}.{signature}")),
        ("an unencoded payload, detached", format!("{header}..{signature}")),
    ] {
        let request = Request::get("/hs").header("Authorization", format!("Bearer {token}"));
        attacks.push(bad_token(name, ON, request));
    }
    attacks
}
