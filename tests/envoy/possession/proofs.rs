//! DPoP (RFC 9449) over HTTP/1.1 and HTTP/2, with several workers.

use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Envoy, Listener, Options};
use lychgate_tests::h2;
use lychgate_tests::http::Request;
use lychgate_tests::keys;
use lychgate_tests::proofs::{Proof, thumbprint};
use lychgate_tests::tokens::Token;
use serde_json::{Value, json};

fn policy(settings: Value) -> Value {
    let jwt = json!({"keys": [{"alg": "HS256", "secret": keys::SECRET}], "dpop": settings});
    json!({
        "schemes": {"token": {"type": "http", "scheme": "bearer", "missing_status": 401, "jwt": jwt}},
        "security": [{"token": []}],
    })
}

fn start(concurrency: u32) -> (Envoy, Upstream) {
    let upstream = Upstream::start();
    let listeners =
        [Listener::new("bound", policy(json!({}))), Listener::new("nonce", policy(json!({"nonce": true})))];
    let envoy = Envoy::start(&listeners, upstream.addr(), &Options { concurrency, ..Options::default() });
    (envoy.unwrap_or_else(|failure| panic!("{}", failure.log)), upstream)
}

fn token() -> String {
    Token::new().claim("cnf", json!({"jkt": thumbprint("ES256", false)})).sign("HS256")
}

fn proof(token: &str) -> Proof {
    Proof::new("ES256", "GET", "http://localhost/", token)
}

fn with(token: &str, proof: &str) -> Request {
    Request::get("/").header("Authorization", format!("DPoP {token}")).header("DPoP", proof)
}

#[test]
fn a_stolen_token_is_of_no_use_over_http_1_and_http_2() {
    let (envoy, upstream) = start(1);
    let token = token();
    let (at, own) = (envoy.addr("bound"), |proof: &str| envoy.send("bound", &with(&token, proof)).status);
    assert_eq!(own(&proof(&token).sign()), 200);
    // It was seen with its proof, which is used up.
    let seen = proof(&token).sign();
    assert_eq!(own(&seen), 200);
    let hits = upstream.hits();
    let stranger = proof(&token).header("jwk", keys::P256_STRANGER.jwk()).by_stranger().sign();
    for (name, scheme, proof) in [
        ("alone", "Bearer", None),
        ("without a proof", "DPoP", None),
        ("with the proof that was seen", "DPoP", Some(&seen)),
        ("with the proof that was seen, as a bearer token", "Bearer", Some(&seen)),
        ("with a proof of the thief's key", "DPoP", Some(&stranger)),
    ] {
        let authorization = format!("{scheme} {token}");
        let mut first = Request::get("/").header("Authorization", &authorization);
        let mut second = h2::Request::new("GET", "/").header("authorization", &authorization);
        if let Some(proof) = proof {
            first = first.header("DPoP", proof);
            second = second.header("dpop", proof);
        }
        let answer = envoy.send("bound", &first);
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
        let challenge = answer.header("www-authenticate").expect("a challenge");
        assert!(challenge.starts_with("DPoP ") && challenge.contains("invalid_dpop_proof"), "{challenge}");
        let answer = h2::send(at, &second).expect("HTTP/2").expect("an answer");
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
    }
    assert_eq!(upstream.hits(), hits, "nothing reached the upstream");
    let fresh = h2::Request::new("GET", "/")
        .header("authorization", format!("DPoP {token}"))
        .header("dpop", proof(&token).sign());
    assert_eq!(h2::send(at, &fresh).expect("HTTP/2").expect("an answer").status, 200);
}

#[test]
fn a_proof_that_one_worker_has_seen_is_used_up_for_the_others() {
    let (envoy, _upstream) = start(4);
    let token = token();
    for round in 0..20 {
        let proof = proof(&token).sign();
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let tries: Vec<_> =
                (0..6).map(|_| scope.spawn(|| envoy.send("bound", &with(&token, &proof)).status)).collect();
            tries.into_iter().map(|one| one.join().expect("an answer")).collect()
        });
        assert_eq!(
            statuses.iter().filter(|&&status| status == 200).count(),
            1,
            "round {round}: {statuses:?}"
        );
        assert!(statuses.iter().all(|status| matches!(status, 200 | 401)), "{statuses:?}");
    }
}

#[test]
fn a_nonce_is_given_out_and_taken_by_any_worker() {
    let (envoy, _upstream) = start(3);
    let token = token();
    let answer = envoy.send("nonce", &with(&token, &proof(&token).sign()));
    assert_eq!(answer.status, 401);
    let challenge = answer.header("www-authenticate").expect("a challenge");
    assert!(challenge.starts_with("DPoP ") && challenge.contains("use_dpop_nonce"), "{challenge}");
    let nonce = answer.header("dpop-nonce").expect("a nonce");
    for _ in 0..9 {
        let proof = proof(&token).claim("nonce", nonce.as_str()).sign();
        assert_eq!(envoy.send("nonce", &with(&token, &proof)).status, 200);
    }
    let forged = proof(&token).claim("nonce", format!("{nonce}x")).sign();
    assert_eq!(envoy.send("nonce", &with(&token, &forged)).status, 401);
}
