//! Passwords, keys and tokens.

use std::process::Command;

use jwt_simple::prelude::{HS256Key, MACLike as _, VerificationOptions};
use lychgate::password::PasswordHash;
use sha2::{Digest as _, Sha256};

use super::{SECRET, lychgate, stderr, stdout};

#[test]
fn a_password_is_hashed_so_that_the_plugin_takes_it() {
    for (algorithm, begins) in [
        ("argon2id", "$argon2id$v=19$m=19456,t=2,p=1$"),
        ("bcrypt", "$2b$10$"),
        ("scrypt", "$scrypt$ln=14,r=8,p=1$"),
        ("pbkdf2-sha256", "$pbkdf2-sha256$i=600000,l=32$"),
    ] {
        let hash = |input: &str| {
            let output = lychgate(&["hash-password", "--algorithm", algorithm], input, &[]);
            assert!(output.status.success(), "{output:?}");
            stdout(&output).trim().to_owned()
        };
        let text = hash("pä ss\n");
        assert!(text.starts_with(begins), "{text}");
        let parsed = PasswordHash::parse(&text).unwrap();
        assert!(parsed.verifies("pä ss".as_bytes()) && !parsed.verifies(b"other"));
        assert_ne!(text, hash("pä ss"), "a salt of its own each time");
    }
    let default = lychgate(&["hash-password"], "secret", &[]);
    assert!(stdout(&default).starts_with("$argon2id$"));
    assert_eq!(lychgate(&["hash-password"], "\n", &[]).status.code(), Some(2));
    let long = lychgate(&["hash-password", "--algorithm", "bcrypt"], &"x".repeat(73), &[]);
    assert!(stderr(&long).contains("72 bytes"), "{long:?}");
    // An argument would be visible to all users.
    assert_eq!(lychgate(&["hash-password", "secret"], "", &[]).status.code(), Some(2));
}

#[test]
fn a_terminal_is_asked_twice_and_shows_nothing() {
    const SCRIPT: &str = r#"
import os, pty, sys, time
def run(first, second):
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(sys.argv[1], [sys.argv[1], "hash-password"])
    seen = b""
    answers = [first, second]
    while True:
        try:
            part = os.read(fd, 4096)
        except OSError:
            break
        if not part:
            break
        seen += part
        if answers and seen.count(b": ") > 2 - len(answers):
            time.sleep(0.3)  # the prompt comes a moment before the echo goes
            os.write(fd, answers.pop(0) + b"\n")
    return seen.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
seen, code = run(b"my-secret", b"my-secret")
assert code == 0 and "$argon2id$" in seen and "my-secret" not in seen, (seen, code)
seen, code = run(b"my-secret", b"another")
assert code == 2 and "not the same" in seen and "my-secret" not in seen, (seen, code)
"#;
    let output = Command::new("python3").args(["-c", SCRIPT, env!("CARGO_BIN_EXE_lychgate")]).output();
    match output {
        Ok(output) => assert!(output.status.success(), "{}", stderr(&output)),
        Err(error) => println!("SKIPPED: python3 is missing: {error}"),
    }
}

#[test]
fn a_key_is_hashed_from_standard_input() {
    let output = lychgate(&["hash-key"], "demo-key-please-change\n", &[]);
    let digest = stdout(&output);
    let yaml = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../envoy.yaml")).unwrap();
    assert!(yaml.contains(digest.trim()));
    assert_eq!(lychgate(&["hash-key"], "", &[]).status.code(), Some(2));
}

#[test]
fn a_made_key_belongs_to_its_digest() {
    let make = || stdout(&lychgate(&["hash-key", "--generate", "--prefix", "shop_"], "", &[]));
    let text = make();
    let key = text.split_whitespace().find(|word| word.starts_with("shop_")).unwrap();
    assert_eq!(key.len(), "shop_".len() + 43);
    let digest: String = Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(text.contains(&format!("sha256: {digest}")), "{text}");
    assert_ne!(text, make());
    assert_eq!(lychgate(&["hash-key", "--prefix", "x"], "", &[]).status.code(), Some(2));
}

#[test]
fn a_minted_token_opens_the_policy_it_was_minted_for() {
    let mint = |arguments: &[&str]| lychgate(&[&["mint", "envoy.yaml"], arguments].concat(), "", &[SECRET]);
    let output = mint(&[
        "--subject",
        "johndoe",
        "--scope",
        "items:read",
        "--claim",
        "groups=[\"a\"]",
        "--claim",
        "team=red",
        "--audience",
        "api",
        "--issuer",
        "me",
        "--expires-in",
        "60",
    ]);
    assert!(output.status.success(), "{output:?}");
    let options = VerificationOptions {
        allowed_audiences: Some(["api".to_owned()].into()),
        allowed_issuers: Some(["me".to_owned()].into()),
        ..VerificationOptions::default()
    };
    let key = HS256Key::from_bytes(SECRET.1.as_bytes());
    let token = key.verify_token::<serde_json::Map<_, _>>(stdout(&output).trim(), Some(options));
    let claims = serde_json::to_value(token.expect("a good token")).unwrap();
    assert_eq!(claims["sub"], "johndoe");
    assert_eq!(claims["scopes"], serde_json::json!(["items:read"]));
    assert_eq!(claims["groups"], serde_json::json!(["a"]));
    assert_eq!(claims["team"], "red");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);
    let unknown = mint(&["--subject", "x", "--scheme", "partner_key"]);
    assert!(stderr(&unknown).contains("no key that can sign; there are: [oauth2]"), "{unknown:?}");
    let faulty = lychgate(&["mint", "-", "--subject", "x"], "mode: never", &[]);
    assert!(stderr(&faulty).contains("mode: unknown value"), "{faulty:?}");
}
