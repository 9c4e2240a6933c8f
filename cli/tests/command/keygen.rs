//! `keygen`: what it prints goes into a policy, and a token of its key opens that policy.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jwt_simple::algorithms::{MLDSA44KeyPair, MLDSA65KeyPair, MLDSA87KeyPair, MLDSAKeyPairLike as _};
use jwt_simple::claims::Claims;
use jwt_simple::prelude::Duration;
use lychgate::decision::Decision;
use lychgate::engine::Engine;
use lychgate::host::InMemoryHost;
use lychgate::keys::Algorithm;
use lychgate::request::Request;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{lychgate, stderr, stdout};

/// A directory that is gone when the test is over.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("lychgate-keygen-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(unix)]
fn mode(file: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(Path::new(file)).unwrap().permissions().mode() & 0o777
}

/// The `keys:` of what was printed: the verifier's, and the issuer's if it has its own.
fn entries(text: &str) -> Vec<Value> {
    let parts = text.split("\nkeys:\n").skip(1);
    parts
        .map(|part| {
            let lines: Vec<_> = part.lines().take_while(|line| !line.is_empty()).collect();
            serde_saphyr::from_str::<Value>(&lines.join("\n")).unwrap()
        })
        .collect()
}

fn jwk(text: &str) -> Option<Value> {
    let line = text.lines().find(|line| line.starts_with('{'))?;
    Some(serde_json::from_str(line).unwrap())
}

/// RFC 7638 section 3, written here on its own.
fn thumbprint(jwk: &Value) -> String {
    let members: &[&str] = match jwk["kty"].as_str().unwrap() {
        "EC" => &["crv", "kty", "x", "y"],
        "RSA" => &["e", "kty", "n"],
        "OKP" => &["crv", "kty", "x"],
        "AKP" => &["alg", "kty", "pub"],
        other => panic!("{other}"),
    };
    let members: Vec<_> = members.iter().map(|member| format!("\"{member}\":{}", jwk[*member])).collect();
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{{{}}}", members.join(","))))
}

#[test]
fn thumbprints_are_those_of_rfc_7638_and_rfc_8037() {
    let rsa = json!({"kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29", "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"});
    assert_eq!(thumbprint(&rsa), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    let ed25519 = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    assert_eq!(thumbprint(&ed25519), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

/// A token of the private key: by the command itself, or of ML-DSA by the crate, for Lychgate does not sign with it.
fn token(alg: Algorithm, place: &Place, private: &str, issuer: Option<&Value>) -> String {
    if let Some(keys) = issuer {
        let example = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../envoy.yaml")).unwrap();
        let hash = example.split_whitespace().find(|part| part.starts_with("$argon2id$")).unwrap();
        let flows = json!({"password": {"tokenUrl": "/token", "scopes": {}}});
        let config = json!({
            "schemes": {"own": {"type": "oauth2", "flows": flows, "jwt": {"keys": keys}, "users": "staff", "issue": {}}},
            "users": {"staff": [{"username": "johndoe", "password": hash}]},
            "security": [{"own": []}],
        });
        let file = place.file("issuer.json");
        fs::write(&file, config.to_string()).unwrap();
        let minted =
            lychgate(&["mint", &file, "--subject", "johndoe"], "", &[("LYCHGATE_SIGNING_KEY", private)]);
        assert_eq!(minted.status.code(), Some(0), "{alg:?}: {minted:?}");
        return stdout(&minted).trim().to_owned();
    }
    let claims = Claims::create(Duration::from_mins(5)).with_subject("johndoe");
    match alg {
        Algorithm::MlDsa44 => MLDSA44KeyPair::from_jwk(private.trim()).unwrap().sign(claims),
        Algorithm::MlDsa65 => MLDSA65KeyPair::from_jwk(private.trim()).unwrap().sign(claims),
        Algorithm::MlDsa87 => MLDSA87KeyPair::from_jwk(private.trim()).unwrap().sign(claims),
        other => panic!("{other:?} has no entry for an issuer"),
    }
    .unwrap()
}

/// Whether a policy with these keys lets a request with this token in.
fn opens(keys: &Value, token: &str, secret: &str) -> bool {
    let config = json!({
        "schemes": {"own": {"type": "http", "scheme": "bearer", "jwt": {"keys": keys}}},
        "security": [{"own": []}],
    });
    let environment = |name: &str| (name == "LYCHGATE_SIGNING_KEY").then(|| secret.to_owned());
    let engine = Engine::compile(config.to_string().as_bytes(), &environment).unwrap().engine;
    let bearer = format!("Bearer {token}");
    let headers =
        [(":method", "GET"), (":path", "/"), (":authority", "h"), ("authorization", bearer.as_str())];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let host = InMemoryHost::at(i64::try_from(now).unwrap());
    matches!(engine.decide(&Request::new(&headers), &host, true), Decision::Allow(_))
}

#[test]
fn a_token_of_every_key_opens_the_policy_with_its_entry() {
    for alg in Algorithm::ALL.into_iter().filter(|&alg| alg != Algorithm::Es512) {
        let place = Place::new(alg.name());
        let file = place.file("key");
        // 2048 bits are quick to find; the default is tried once.
        let bits: &[&str] = if alg.is_rsa() && alg != Algorithm::Ps256 { &["--bits", "2048"] } else { &[] };
        let output = lychgate(&[&["keygen", "--alg", alg.name(), "--out", &file], bits].concat(), "", &[]);
        assert_eq!(output.status.code(), Some(0), "{alg:?}: {output:?}");
        #[cfg(unix)]
        assert_eq!(mode(&file), 0o600, "{alg:?}");
        let private = fs::read_to_string(&file).unwrap();
        let text = stdout(&output);
        for secret in private.lines().filter(|line| !line.starts_with("-----")) {
            assert!(!text.contains(secret), "{alg:?}: the private key is printed");
        }
        let entries = entries(&text);
        let verifier = &entries[0];
        let kid = verifier[0]["kid"].as_str().unwrap();
        if let Some(jwk) = jwk(&text) {
            assert_eq!((jwk["kid"].as_str(), jwk["alg"].as_str()), (Some(kid), Some(alg.name())));
            assert_eq!(kid, thumbprint(&jwk), "{alg:?}");
            assert_eq!(verifier[0]["jwk"], jwk, "{alg:?}");
            assert!(["d", "p", "k", "priv"].iter().all(|member| jwk[*member].is_null()), "{jwk}");
            let is_pem = private.starts_with("-----BEGIN PRIVATE KEY-----\n");
            assert!(is_pem || alg.name().starts_with("ML-DSA"), "{alg:?}: PKCS#8");
            let bits = jwk["n"].as_str().map(|n| BASE64_URL_SAFE_NO_PAD.decode(n).unwrap().len() * 8);
            let wanted = if alg == Algorithm::Ps256 { 3072 } else { 2048 };
            assert!(bits.is_none_or(|bits| bits == wanted), "{alg:?}: {bits:?}");
        } else {
            let bytes = BASE64_STANDARD.decode(&private).unwrap().len();
            assert_eq!(Some(bytes), alg.name()[2..].parse::<usize>().ok().map(|bits| bits / 8), "{alg:?}");
        }
        if !private.starts_with("-----") && jwk(&text).is_some() {
            let private: Value = serde_json::from_str(&private).unwrap();
            assert_eq!(private["kid"].as_str(), Some(kid), "{alg:?}: the issuer names the key");
        }
        let is_akp = alg.name().starts_with("ML-DSA");
        let token = token(alg, &place, &private, (!is_akp).then(|| entries.last().unwrap()));
        assert!(opens(verifier, &token, &private), "{alg:?}");
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        assert!(
            !opens(verifier, &format!("{signed}.{other}{}", &signature[1..]), &private),
            "{alg:?}: forged"
        );
    }
}

#[test]
fn a_key_is_not_written_over_another_unless_that_is_wanted() {
    let place = Place::new("force");
    let file = place.file("key.pem");
    fs::write(&file, "another's").unwrap();
    let keygen = |more: &[&str]| {
        lychgate(
            &[&["keygen", "--alg", "es256", "--kid", "one: \"two\"", "--out", &file], more].concat(),
            "",
            &[],
        )
    };
    let refused = keygen(&[]);
    assert_eq!((refused.status.code(), stdout(&refused).as_str()), (Some(2), ""));
    assert!(
        stderr(&refused).contains("is there already") && stderr(&refused).contains("--force"),
        "{refused:?}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "another's");
    let replaced = keygen(&["--force"]);
    assert_eq!(replaced.status.code(), Some(0), "{replaced:?}");
    assert!(fs::read_to_string(&file).unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));
    #[cfg(unix)]
    assert_eq!(mode(&file), 0o600, "the mode of the file that was there does not stay");
    assert_eq!(fs::read_dir(&place.0).unwrap().count(), 1, "nothing is left beside it");
    let kids: Vec<_> = entries(&stdout(&replaced)).iter().map(|entry| entry[0]["kid"].clone()).collect();
    assert_eq!(kids, ["one: \"two\"", "one: \"two\""]);
}

#[test]
fn on_standard_output_is_the_private_key_and_nothing_else() {
    let output = lychgate(&["keygen", "--alg", "EdDSA", "--out", "-"], "", &[]);
    let private = stdout(&output);
    assert!(
        private.starts_with("-----BEGIN PRIVATE KEY-----\n")
            && private.ends_with("-----END PRIVATE KEY-----\n")
    );
    assert_eq!(entries(&stderr(&output)).len(), 2, "{output:?}");
}

#[test]
fn what_cannot_be_made_is_refused_with_the_remedy() {
    let place = Place::new("refused");
    let file = place.file("key");
    for (arguments, part) in [
        (&["--alg", "ES512"] as &[&str], "openssl genpkey"),
        (&["--alg", "none"], "is not one of HS256"),
        (&["--alg", "ES256", "--bits", "2048"], "--bits is for RSA"),
        (&["--alg", "RS256", "--bits", "1024"], "2048"),
        (&["--alg", "ES256", "--kid", ""], "leave it out"),
    ] {
        let output = lychgate(&[&["keygen", "--out", &file], arguments].concat(), "", &[]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(stderr(&output).contains(part), "{arguments:?}: {output:?}");
        assert!(!Path::new(&file).exists(), "{arguments:?}");
    }
    let nowhere = lychgate(&["keygen", "--alg", "ES256", "--out", "no/such/directory/key"], "", &[]);
    assert!(stderr(&nowhere).contains("no/such/directory/key: "), "{nowhere:?}");
}
