//! The same requests to Lychgate in a real Envoy and to `oauth4webapi`: the same verdicts, or a difference that is
//! intended.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lychgate_tests::behaviour::PROOF_HOST as HOST;
use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Envoy, Listener, Options};
use lychgate_tests::http::Request;
use lychgate_tests::proofs::thumbprint;
use serde_json::{Value, json};

use super::asked::{AUDIENCE, Asked, ISSUER, bound, jwks, requests};
use super::{Maker, Wanted, script};

/// Where Lychgate takes what `oauth4webapi` refuses, and the reverse: a part of the name, whether Lychgate takes it,
/// and why.
const INTENDED: &[(&str, bool, &str)] = &[
    // Lychgate takes.
    (
        "htu encoded where it need not be",
        true,
        "RFC 9449 section 4.3 has both URIs normalized: `%7e` is `~` (RFC 3986)",
    ),
    ("token: nbf null", true, "null is a claim that is not there"),
    ("cnf: null", true, "null is a claim that is not there"),
    (
        "token: kid in the header",
        true,
        "the keys have no `kid` (RFC 7517 section 4.5: it is optional), so all are tried",
    ),
    (
        "token: client_id",
        true,
        "it is there, and the profile asks for no more; as a subject it would have to be text",
    ),
    (
        "header: an unbound token with Bearer and",
        true,
        "a bearer token is bound to no key: the header DPoP says nothing of it",
    ),
    ("Joserfc: ES256K", true, "oauth4webapi has no ES256K"),
    // Lychgate refuses.
    ("bad proof: exp past", false, "a proof that says when it ends is held to that, by the second"),
    ("bad proof: jti empty", false, "a proof is used once, by its `jti`: oauth4webapi keeps none"),
    ("bad proof: jti of 600 bytes", false, "what a client has stored is bounded"),
    ("bad proof: 20,000 bytes", false, "what a client has read is bounded"),
    ("bad proof: jwk for encryption", false, "`use` is held to (RFC 7517 section 4.2)"),
    ("bad proof: jwk for signing alone", false, "`key_ops` is held to (RFC 7517 section 4.3)"),
    ("payload not encoded", false, "`b64` is not understood, and not ignored (RFC 7797)"),
    ("token: b64 in the header", false, "`b64` is not understood, and not ignored (RFC 7797)"),
    ("bad proof: a claim twice", false, "two readers could read two claims (RFC 7519 section 4)"),
    ("token: iat in two minutes", false, "a token is not from the future"),
    ("cnf: empty", false, "a binding that names nothing is no proof, and no bearer token"),
];

/// Those that both have; a key of the set is for several of them.
const ALGORITHMS: [&str; 10] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

fn policy(required: bool) -> Value {
    let dpop = json!({"required": required, "max_age_seconds": 300});
    let jwt = json!({"jwks": jwks(), "algorithms": ALGORITHMS, "issuer": ISSUER, "audiences": [AUDIENCE],
        "profile": "rfc9068", "dpop": dpop});
    json!({
        "schemes": {"token": {"type": "http", "scheme": "bearer", "missing_status": 401, "jwt": jwt}},
        "security": [{"token": []}],
    })
}

fn start() -> (Envoy, Upstream) {
    let upstream = Upstream::start();
    let listeners = [Listener::new("free", policy(false)), Listener::new("required", policy(true))];
    let envoy = Envoy::start(&listeners, upstream.addr(), &Options::default());
    (envoy.unwrap_or_else(|failure| panic!("{}", failure.log)), upstream)
}

fn for_judge(asked: &Asked) -> Value {
    let headers = asked.request.headers.iter().filter(|(name, _)| name != "Host");
    let headers: Vec<_> = headers.map(|(name, value)| json!([name, BASE64_STANDARD.encode(value)])).collect();
    json!({
        "url": format!("http://{HOST}{}", asked.request.target),
        "method": asked.request.method,
        "headers": headers,
        "required": asked.required,
    })
}

/// Proofs by the libraries, for tokens bound to their keys: right ones, and ones for something else.
fn by_libraries() -> Option<Vec<Asked>> {
    let mut all = Vec::new();
    let uri = format!("http://{HOST}/");
    let other_uri = format!("http://{HOST}/other");
    for maker in Maker::ALL {
        let tokens: Vec<_> = maker.algorithms().iter().map(|alg| (*alg, bound(alg).sign("ES256"))).collect();
        let other = bound("ES256").claim("jti", "other").sign("ES256");
        let mut wanted = Vec::new();
        for (alg, token) in &tokens {
            wanted.push((
                "its request",
                "GET",
                token,
                Wanted { alg, uri: &uri, method: "GET", nonce: None, token: Some(token) },
            ));
            wanted.push((
                "a POST",
                "POST",
                token,
                Wanted { alg, uri: &uri, method: "POST", nonce: None, token: Some(token) },
            ));
            for (what, uri, method, of) in [
                ("another path", &other_uri, "GET", token),
                ("another method", &uri, "DELETE", token),
                ("another token", &uri, "GET", &other),
            ] {
                wanted.push((what, "GET", token, Wanted { alg, uri, method, nonce: None, token: Some(of) }));
            }
        }
        let (told, wanted): (Vec<_>, Vec<_>) =
            wanted.into_iter().map(|(what, method, token, wanted)| ((what, method, token), wanted)).unzip();
        for (((what, method, token), wanted), (proof, print)) in
            told.iter().zip(&wanted).zip(maker.make(&wanted)?)
        {
            assert_eq!(print, thumbprint(wanted.alg, false), "{maker:?} {}", wanted.alg);
            let request =
                Request::new(*method, "/").host(HOST).header("Authorization", format!("DPoP {token}"));
            let name = format!("{maker:?}: {} for {what}", wanted.alg);
            all.push(Asked { name, request: request.header("DPoP", proof), required: false });
        }
    }
    Some(all)
}

#[test]
fn oauth4webapi_and_lychgate_are_of_one_mind_about_tokens_and_proofs() {
    let Some(made) = by_libraries() else { return };
    let mut all = requests();
    all.extend(made);
    let (envoy, upstream) = start();
    let ours: Vec<bool> = all
        .iter()
        .map(|asked| {
            let hits = upstream.hits();
            let answer = envoy.send(if asked.required { "required" } else { "free" }, &asked.request);
            assert!(matches!(answer.status, 200 | 401), "{}: {answer:?}", asked.name);
            assert_eq!(upstream.hits() > hits, answer.status == 200, "{}", asked.name);
            answer.status == 200
        })
        .collect();
    let input = json!({"issuer": ISSUER, "audience": AUDIENCE, "jwks": jwks(),
        "requests": all.iter().map(for_judge).collect::<Vec<_>>()});
    let Some(theirs) = script("judge.mjs", &input) else { return };
    let theirs = theirs.as_array().expect("a verdict on each");
    assert_eq!(theirs.len(), all.len());
    let mut unforeseen = Vec::new();
    let mut met = vec![false; INTENDED.len()];
    let (mut taken, mut refused) = (0, 0);
    for ((asked, ours), theirs) in all.iter().zip(&ours).zip(theirs) {
        let intended = INTENDED.iter().position(|(part, _, _)| asked.name.contains(part));
        match (*ours == theirs.is_null(), intended) {
            (true, _) if *ours => taken += 1,
            (true, _) => refused += 1,
            (false, Some(at)) if INTENDED[at].1 == *ours => met[at] = true,
            (false, Some(_) | None) => {
                unforeseen.push(format!(
                    "{}: {} by Lychgate; {theirs}",
                    asked.name,
                    if *ours { "taken" } else { "refused" }
                ));
            }
        }
    }
    let differing = all.len() - taken - refused;
    println!(
        "{} requests: {taken} taken and {refused} refused by both, {differing} differ as intended",
        all.len()
    );
    assert!(unforeseen.is_empty(), "{} of {}:\n{}", unforeseen.len(), all.len(), unforeseen.join("\n"));
    for ((part, _, why), met) in INTENDED.iter().zip(met) {
        assert!(met, "{part} ({why}): there is no such difference any more");
    }
    assert!(taken >= 60 && refused >= 140, "{taken} and {refused}");
}
