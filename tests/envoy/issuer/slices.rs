//! What reading things from outside costs, in instructions of the module: each is read in one callback, and
//! other clients on that worker wait for it.

use std::time::Duration;

use lychgate::keys::{Algorithm, import_pem};
use lychgate_tests::envoy::{Artefact, root};
use lychgate_tests::keys::{self, Pair};
use lychgate_tests::tokens::{Token, b64, now};
use lychgate_tests::vm::{Image, Judge, Machine, Outcome, State};
use serde_json::{Value, json};

const COUNTED: &str = "instructions are counted in the Wasm module";

/// A host that checks signatures and finds none good but the one it is probed with (RFC 7515 appendix A.3).
fn judge(arguments: &[u8]) -> bool {
    arguments.ends_with(b"cnVlfQ")
}

fn machine(image: &Image, scheme: &Value, is_native: bool) -> Machine {
    let policy = json!({"schemes": {"token": scheme}, "security": [{"token": []}]});
    let mut state = State::default();
    state.configuration = policy.to_string().into_bytes();
    state.now = Duration::from_secs(now().cast_unsigned());
    state.judge = is_native.then(|| Box::new(judge) as Judge);
    image.start(state).unwrap_or_else(|failure| panic!("{failure:?}"))
}

fn metered() -> Image {
    Image::load(&root().join("dist/lychgate.wasm"), true)
}

fn bearer(jwt: &Value) -> Value {
    json!({"type": "http", "scheme": "bearer", "jwt": jwt})
}

fn remote(jwt: &str) -> Value {
    bearer(&json!({jwt: {"uri": "http://idp.example/x", "cluster": "idp"}}))
}

/// The instructions that an answer costs.
fn answered(machine: &mut Machine, body: &str) -> u64 {
    machine.tick(Duration::from_secs(70));
    let call = machine.state().calls.pop_back().expect("a call");
    let before = machine.instructions();
    let outcome = machine.answer(call.id, &[(":status", "200")], body.as_bytes());
    assert!(!matches!(outcome, Outcome::Trapped(_)), "{outcome:?}");
    machine.instructions() - before
}

fn rsa_4096(number: usize) -> Value {
    let mut modulus: Vec<u8> = (0..512).map(|at| u8::try_from((at * 7 + number) % 256).unwrap()).collect();
    (modulus[0], modulus[511]) = (0xc0, 0x01);
    json!({"kty": "RSA", "alg": "RS256", "use": "sig", "kid": format!("key-{number}"), "e": "AQAB", "n": b64(modulus)})
}

fn numbered(jwk: &Value, count: usize) -> String {
    let with_kid = |number: usize| {
        let mut jwk = jwk.clone();
        jwk["kid"] = format!("key-{number}").into();
        jwk
    };
    json!({"keys": (0..count).map(with_kid).collect::<Vec<_>>()}).to_string()
}

/// 1,382 RSA keys of 4096 bits, just under 1 MiB, and `/public` waited half a second.
#[test]
fn a_key_set_does_not_hold_a_worker_up() {
    if Artefact::is_native_where(COUNTED) {
        return;
    }
    let image = metered();
    let ml_dsa = keys::ml_dsa_public("87");
    let strings = |bytes: usize| {
        format!("{{\"keys\": [{}], \"x\": [{}\"\"]}}", keys::P256.jwk(), "\"\",".repeat(bytes / 3))
    };
    for (name, body, is_taken) in [
        ("1,382 RSA-4096", json!({"keys": (0..1382).map(rsa_4096).collect::<Vec<_>>()}).to_string(), false),
        ("300 RSA-4096", json!({"keys": (0..300).map(rsa_4096).collect::<Vec<_>>()}).to_string(), true),
        ("100 P-256", numbered(&keys::P256.jwk(), 100), true),
        ("100 P-521", numbered(&keys::P521.jwk(), 100), true),
        ("100 Ed25519", numbered(&keys::ED25519.jwk(), 100), true),
        ("70 ML-DSA-87", numbered(&ml_dsa, 70), true),
        ("1,700 P-256", numbered(&keys::P256.jwk(), 1000), true),
        ("nothing but small values", strings(250_000), true),
        ("1 MiB of small values", strings(1_040_000), false),
    ] {
        let mut machine = machine(&image, &remote("remote_jwks"), true);
        let instructions = answered(&mut machine, &body);
        let log = machine.log().join("\n");
        println!("{name}, {} bytes: {} thousand instructions", body.len(), instructions / 1000);
        assert_eq!(log.contains("version 1 fetched"), is_taken, "{name}: {log}");
        assert!(instructions < 60_000_000, "{name}: {instructions}");
    }
}

#[test]
fn a_list_of_revocations_does_not_hold_a_worker_up() {
    if Artefact::is_native_where(COUNTED) {
        return;
    }
    let image = metered();
    let ids: Vec<_> = (0..26_000).map(|number| format!("{number:036}")).collect();
    for (name, body) in [
        ("26,000 identifiers", json!({"jti": ids}).to_string()),
        ("100,000 short ones", {
            let ids: Vec<_> = (0..100_000).map(|number| format!("{number:x}")).collect();
            json!({"jti": ids}).to_string()
        }),
        ("262,000 of one character", format!("{{\"jti\": [{}\"\"]}}", "\"a\",".repeat(262_000))),
    ] {
        let list = json!({"uri": "http://idp.example/x", "cluster": "idp"});
        let jwt = json!({"keys": [{"alg": "HS256", "secret": keys::SECRET}], "revocation": list});
        let mut machine = machine(&image, &bearer(&jwt), true);
        let instructions = answered(&mut machine, &body);
        println!("{name}, {} bytes: {} thousand instructions", body.len(), instructions / 1000);
        let is_taken = machine.log().join("\n").contains("version 1 fetched");
        assert_eq!(is_taken, !name.starts_with("262,000"), "{name}: {:?}", machine.log());
        assert!(instructions < 250_000_000, "{name}: {instructions}");
    }
}

/// Eight keys of P-521, and each forged token without `kid` was checked against all of them.
#[test]
fn a_forged_token_without_kid_is_tried_by_what_it_costs() {
    if Artefact::is_native_where(COUNTED) {
        return;
    }
    let image = metered();
    let fixed = |alg: &str, pair: &Pair, count: usize| {
        bearer(&json!({"keys": vec![json!({"alg": alg, "pem": pair.public_pem}); count]}))
    };
    for (alg, pair, keys, tries, reason) in [
        ("ES512", keys::P521, 8, 3, "token_too_many_keys"),
        ("ES512", keys::P521, 3, 3, "token_bad_signature"),
        ("RS256", keys::RSA, 30, 30, "token_bad_signature"),
        ("ES256", keys::P256, 20, 20, "token_bad_signature"),
        ("ES256", keys::P256, 100, 34, "token_too_many_keys"),
    ] {
        let mut machine = machine(&image, &fixed(alg, &pair, keys), true);
        let log = machine.log().join("\n");
        assert_eq!(
            log.contains("a token without `kid` is tried against"),
            tries < keys as u64,
            "{alg}: {log}"
        );
        let token = format!("Bearer {}", Token::new().sign_by_stranger(alg));
        let asked = |machine: &mut Machine| machine.state().made["proxy_call_foreign_function"];
        let before = asked(&mut machine);
        let outcome = machine.request(&[
            (":method", "GET"),
            (":path", "/"),
            (":authority", "api.example"),
            ("authorization", &token),
        ]);
        assert_eq!(asked(&mut machine) - before, tries, "{alg} with {keys} keys");
        let Outcome::Answered(answer) = outcome else { panic!("{outcome:?}") };
        assert_eq!((answer.status, answer.details.contains(reason)), (401, true), "{alg}: {answer:?}");
    }
}

/// What checks cost in the module, against the figures that the bound is counted by: V8 runs some 15,000 of
/// these instructions in a microsecond of such work.
#[test]
fn the_figures_of_the_bound_are_those_of_the_module() {
    if Artefact::is_native_where(COUNTED) {
        return;
    }
    let image = metered();
    for (alg, pair) in [
        ("PS256", keys::RSA),
        ("RS256", keys::RSA),
        ("ES256", keys::P256),
        ("ES384", keys::P384),
        ("ES512", keys::P521),
        ("ES256K", keys::SECP256K1),
        ("EdDSA", keys::ED25519),
    ] {
        let algorithm = Algorithm::from_name(alg).unwrap();
        let counted = u64::from(import_pem(algorithm, pair.public_pem).unwrap().cost(false, 0));
        let jwt = json!({"keys": [{"alg": alg, "pem": pair.public_pem}]});
        let mut machine = machine(&image, &bearer(&jwt), false);
        let mut send = |sub: &str| {
            let token = format!("Bearer {}", Token::new().claim("sub", sub).sign(alg));
            let before = machine.instructions();
            let outcome = machine.request(&[
                (":method", "GET"),
                (":path", "/"),
                (":authority", "api.example"),
                ("authorization", &token),
            ]);
            assert!(matches!(outcome, Outcome::Passed(_)), "{alg}: {outcome:?}");
            machine.instructions() - before
        };
        let first = send("a");
        let instructions = send("b");
        println!("{alg}: {instructions} instructions, the first {first}; counted as {counted} us");
        assert!(instructions / 15_000 <= counted, "{alg} costs more than it is counted as: {instructions}");
        assert!(counted <= instructions / 5_000, "{alg} costs less than it is counted as: {instructions}");
    }
}
