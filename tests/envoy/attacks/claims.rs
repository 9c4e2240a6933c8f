//! Claims that two readers could read differently, and times that are none. All of them well signed:
//! an issuer may be made to sign what it did not mean.

use lychgate_tests::tokens::now;

use super::table::{Attack, Story, bad_token, legitimate, story};
use super::tokens::{get, ours};

const ON: &str = "signed";
const HEADER: &str = r#"{"alg":"HS256"}"#;

pub fn stories() -> Vec<Story> {
    vec![
        story("A member twice: which of the two counts is up to the reader", duplicates()),
        story("Times that are no times: a comparison with them is never true, or always", times()),
        story("Claims of a type that a reader bends until it fits", types()),
        story("JSON that is none (RFC 8259)", not_json()),
    ]
}

fn duplicates() -> Vec<Attack> {
    let claims = format!(r#"{{"sub":"x","exp":{}}}"#, now() + 600);
    let mut attacks = Vec::new();
    for (name, header) in [
        ("alg none, then ours", r#"{"alg":"none","alg":"HS256"}"#),
        ("alg ours, then none", r#"{"alg":"HS256","alg":"none"}"#),
        ("alg twice alike", r#"{"alg":"HS256","alg":"HS256"}"#),
        ("alg by escape", r#"{"alg":"HS256","\u0061\u006c\u0067":"HS256"}"#),
        ("kid twice", r#"{"alg":"HS256","kid":"a","kid":"b"}"#),
        ("typ twice", r#"{"alg":"HS256","typ":"JWT","typ":"JWT"}"#),
        ("twice in a jwk", r#"{"alg":"HS256","jwk":{"kty":"oct","kty":"RSA"}}"#),
    ] {
        attacks.push(bad_token(format!("header: {name}"), ON, get("/hs", ours(header, &claims))));
    }
    let until = now() + 600;
    for (name, claims) in [
        ("sub twice", format!(r#"{{"sub":"johndoe","exp":{until},"sub":"admin"}}"#)),
        ("sub twice, by escape", format!(r#"{{"sub":"johndoe","exp":{until},"s\u0075b":"admin"}}"#)),
        ("exp past, then future", format!(r#"{{"sub":"x","exp":1,"exp":{until}}}"#)),
        ("exp future, then past", format!(r#"{{"sub":"x","exp":{until},"exp":1}}"#)),
        ("scopes twice", format!(r#"{{"sub":"x","exp":{until},"scopes":[],"scopes":["admin"]}}"#)),
        ("twice deep down", format!(r#"{{"sub":"x","exp":{until},"a":[{{"b":1,"b":2}}]}}"#)),
        ("the empty name twice", format!(r#"{{"sub":"x","exp":{until},"":1,"":2}}"#)),
    ] {
        attacks.push(bad_token(format!("claims: {name}"), ON, get("/hs", ours(HEADER, claims))));
    }
    let twins = format!(r#"{{"sub":"x","exp":{until},"Sub":"admin","SUB":"admin"}}"#);
    attacks.push(
        legitimate("names in another case are other names", ON, get("/hs", ours(HEADER, twins)))
            .with("x-auth-subject", "x"),
    );
    attacks
}

fn times() -> Vec<Attack> {
    let mut attacks = Vec::new();
    let with = |claim: &str, value: &str| {
        let exp = if claim == "exp" { String::new() } else { format!(r#","exp":{}"#, now() + 600) };
        ours(HEADER, format!(r#"{{"sub":"x"{exp},"{claim}":{value}}}"#))
    };
    for claim in ["exp", "nbf", "iat"] {
        for value in [
            "NaN",
            "nan",
            "Infinity",
            "-Infinity",
            "1e400",
            "-1e400",
            "1e309",
            "-1",
            "-1.5",
            "-9999999999",
            "9007199254740994",
            "18446744073709551616",
            "1e30",
            "0x7fffffff",
            "09999999999",
            "+9999999999",
            "9999999999.",
            ".5",
            "1_000",
            "\"9999999999\"",
            "\"1\"",
            "\"\"",
            "\"NaN\"",
            "\"2999-01-01T00:00:00Z\"",
            "null",
            "true",
            "false",
            "[]",
            "[9999999999]",
            "{}",
        ] {
            // `null` is absence: `nbf` and `iat` may be absent, and `exp` where it is not required.
            if value == "null" && claim != "exp" {
                continue;
            }
            let name = format!("{claim} {value}");
            attacks.push(bad_token(&name, ON, get("/hs", with(claim, value))));
            if value == "null" {
                continue;
            }
            attacks.push(bad_token(
                format!("{name}, where no claim is asked for"),
                ON,
                get("/bare", with(claim, value)),
            ));
        }
    }
    let now = now();
    for (name, claim, value) in [
        ("exp a fraction, past", "exp", format!("{}.999", now - 10)),
        ("exp now, and the second is not over", "exp", format!("{now}.0")),
        ("exp zero", "exp", "0".into()),
        ("exp minus zero", "exp", "-0".into()),
        ("exp minus zero point zero", "exp", "-0.0".into()),
        ("nbf a fraction, to come", "nbf", format!("{}.001", now + 30)),
        ("iat a fraction, to come", "iat", format!("{}.5", now + 30)),
        ("nbf to come, as an exponent", "nbf", "9.9e9".into()),
        ("exp past, as an exponent", "exp", "1e9".into()),
    ] {
        attacks.push(bad_token(name, ON, get("/bare", with(claim, &value))));
    }
    for (name, claim, value) in [
        ("exp a fraction, to come", "exp", format!("{}.5", now + 600)),
        ("exp an exponent, to come", "exp", "9.9e9".into()),
        ("nbf a fraction, past", "nbf", format!("{}.5", now - 30)),
    ] {
        attacks.push(legitimate(name, ON, get("/hs", with(claim, &value))));
    }
    attacks
}

fn types() -> Vec<Attack> {
    let until = now() + 600;
    let mut attacks = Vec::new();
    for sub in [
        "1",
        "true",
        "null",
        "[]",
        r#"["admin"]"#,
        r#"{"$gt":""}"#,
        r#""""#,
        r#"" admin""#,
        r#""admin ""#,
        r#""a\tb\n""#,
    ] {
        let token = ours(HEADER, format!(r#"{{"sub":{sub},"exp":{until}}}"#));
        attacks.push(bad_token(format!("sub {sub}"), ON, get("/hs", token)));
    }
    for scopes in [r#"["items:read","a\r\nx-auth-subject: admin"]"#, r#"["a\u0000b"]"#, "\"a\u{7f}\""] {
        let token = ours(HEADER, format!(r#"{{"sub":"x","exp":{until},"scopes":{scopes}}}"#));
        attacks.push(bad_token(format!("scopes {scopes:?}"), ON, get("/hs", token)));
    }
    attacks.push(bad_token("no claims", ON, get("/hs", ours(HEADER, "{}"))));
    attacks.push(bad_token("no exp", ON, get("/hs", ours(HEADER, r#"{"sub":"x"}"#))));
    attacks
}

fn not_json() -> Vec<Attack> {
    let until = now() + 600;
    let whole = format!(r#"{{"sub":"x","exp":{until}}}"#);
    let mut attacks = Vec::new();
    for (name, claims) in [
        ("a comma at the end", format!(r#"{{"sub":"x","exp":{until},}}"#)),
        ("single quotes", format!("{{'sub':'x','exp':{until}}}")),
        ("names without quotes", format!("{{sub:\"x\",exp:{until}}}")),
        ("a comment", format!(r#"{{"sub":"x",/* admin */"exp":{until}}}"#)),
        ("text behind", format!("{whole}x")),
        ("a second object behind", format!(r#"{whole}{{"sub":"admin"}}"#)),
        ("a zero byte behind", format!("{whole}\0")),
        ("text before", format!("x{whole}")),
        ("an array around", format!("[{whole}]")),
        ("quotes around", format!("{whole:?}")),
        ("a line feed in a string", format!("{{\"sub\":\"x\ny\",\"exp\":{until}}}")),
        ("cut short", whole[..whole.len() - 1].to_owned()),
        ("nothing", String::new()),
        ("null", "null".into()),
    ] {
        attacks.push(bad_token(format!("claims: {name}"), ON, get("/hs", ours(HEADER, &claims))));
    }
    attacks
}
