//! Tokens of npm `oidc-provider`: bound to a key, bound to a certificate, of a stronger login, for a resource. Each
//! opens the gate for its client, and for no one who stole it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Envoy, Listener, Options};
use lychgate_tests::h2;
use lychgate_tests::http::{Request, Response};
use lychgate_tests::issuer::Issuer;
use lychgate_tests::keys;
use lychgate_tests::programs::find_or_install;
use lychgate_tests::proofs::Proof;
use serde_json::{Value, json};

use super::{Maker, Wanted};
use crate::possession::certificates::Certificates;

const URI: &str = "http://localhost/";
/// The body of a request for a token for the API.
const FOR_THE_API: &str = "grant_type=client_credentials&scope=items:read&resource=https%3A%2F%2Fapi.example";

/// A policy with the provider as OpenID Connect, and these members of `jwt`.
fn oidc(issuer: &Issuer, members: &Value) -> Value {
    let mut jwt = json!({"cluster": "idp"});
    for (name, value) in members.as_object().expect("an object") {
        jwt[name] = value.clone();
    }
    let url = format!("{}/.well-known/openid-configuration", issuer.url());
    json!({
        "schemes": {"oidc": {"type": "openIdConnect", "openIdConnectUrl": url, "jwt": jwt}},
        "security": [{"oidc": []}],
    })
}

fn start(issuer: &Issuer, listeners: &[Listener]) -> (Envoy, Upstream) {
    let upstream = Upstream::start();
    let options = Options { clusters: vec![("idp".into(), issuer.addr())], ..Options::default() };
    let envoy = Envoy::start(listeners, upstream.addr(), &options);
    (envoy.unwrap_or_else(|failure| panic!("{}", failure.log)), upstream)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// The value of a parameter of the one challenge.
fn parameter(answer: &Response, name: &str) -> String {
    let challenge = answer.header("www-authenticate").unwrap_or_else(|| panic!("no challenge: {answer:?}"));
    let found = challenge.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
    found.unwrap_or_else(|| panic!("no {name} in {challenge}")).to_owned()
}

/// A proof by npm `dpop`, and the thumbprint of its key.
fn proof(uri: &str, method: &str, nonce: Option<&str>, token: Option<&str>) -> Option<(String, String)> {
    Some(Maker::Dpop.make(&[Wanted { alg: "ES256", uri, method, nonce, token }])?.remove(0))
}

/// The client makes its proofs with npm `dpop`, and the provider binds the token to its key.
#[test]
fn a_token_that_oidc_provider_bound_to_a_key_is_of_no_use_to_a_thief() {
    let Some(issuer) = Issuer::start() else { return };
    let token_uri = format!("{}/token", issuer.url());
    let Some((first, print)) = proof(&token_uri, "POST", None, None) else { return };
    let answer =
        issuer.post_with("/token", FOR_THE_API, "machine", "machine-secret", &[("DPoP", &first)]).json();
    assert_eq!(answer["token_type"], "DPoP", "{answer}");
    let token = text(&answer["access_token"]).to_owned();
    let audiences = json!({"audiences": ["https://api.example"], "profile": "rfc9068"});
    let mut nonce = audiences.clone();
    nonce["dpop"] = json!({"nonce": true});
    let listeners =
        [Listener::new("bound", oidc(&issuer, &audiences)), Listener::new("nonce", oidc(&issuer, &nonce))];
    let (envoy, upstream) = start(&issuer, &listeners);
    let with = |proof: &str| {
        Request::get("/").header("Authorization", format!("DPoP {token}")).header("DPoP", proof)
    };
    let own = |nonce: Option<&str>| proof(URI, "GET", nonce, Some(&token)).expect("a proof").0;

    // The client's own proofs, the second one over HTTP/2.
    let seen = own(None);
    assert_eq!(envoy.send("bound", &with(&seen)).status, 200);
    let second = h2::Request::new("GET", "/")
        .header("authorization", format!("DPoP {token}"))
        .header("dpop", own(None));
    let at = envoy.addr("bound");
    assert_eq!(h2::send(at, &second).expect("HTTP/2").expect("an answer").status, 200);

    // The thief's: with the proof that was seen, with one of a key of its own, with none.
    let strange =
        Proof::new("ES256", "GET", URI, &token).header("jwk", keys::P256_STRANGER.jwk()).by_stranger().sign();
    let hits = upstream.hits();
    for (scheme, proof) in [
        ("Bearer", None),
        ("DPoP", None),
        ("DPoP", Some(&seen)),
        ("Bearer", Some(&seen)),
        ("DPoP", Some(&strange)),
    ] {
        let authorization = format!("{scheme} {token}");
        let mut first = Request::get("/").header("Authorization", &authorization);
        let mut second = h2::Request::new("GET", "/").header("authorization", &authorization);
        if let Some(proof) = proof {
            (first, second) = (first.header("DPoP", proof), second.header("dpop", proof));
        }
        assert_eq!(envoy.send("bound", &first).status, 401, "{scheme} {proof:?}");
        assert_eq!(
            h2::send(at, &second).expect("HTTP/2").expect("an answer").status,
            401,
            "{scheme} {proof:?}"
        );
    }
    assert_eq!(upstream.hits(), hits, "nothing reached the upstream");

    // With a nonce of the gate, which the first answer has.
    let answer = envoy.send("nonce", &with(&own(None)));
    assert_eq!((answer.status, parameter(&answer, "error").as_str()), (401, "use_dpop_nonce"));
    let nonce = answer.header("dpop-nonce").expect("a nonce");
    assert_eq!(envoy.send("nonce", &with(&own(Some(&nonce)))).status, 200);
    assert_eq!(print, lychgate_tests::proofs::thumbprint("ES256", false));
}

/// The token says nothing itself: the provider tells of its key when it is asked (RFC 7662).
#[test]
fn an_opaque_token_that_oidc_provider_bound_to_a_key_is_of_no_use_to_a_thief() {
    let Some(issuer) = Issuer::start() else { return };
    let Some((first, _)) = proof(&format!("{}/token", issuer.url()), "POST", None, None) else { return };
    let form = "grant_type=client_credentials&scope=items:read";
    let answer = issuer.post_with("/token", form, "machine", "machine-secret", &[("DPoP", &first)]).json();
    let token = text(&answer["access_token"]);
    assert!(answer["token_type"] == "DPoP" && !token.contains('.'), "{answer}");
    let introspection = json!({"uri": format!("{}/token/introspection", issuer.url()), "cluster": "idp",
        "client_id": "gate", "client_secret": "gate secret & more"});
    let policy = json!({
        "schemes": {"opaque": {"type": "http", "scheme": "bearer", "missing_status": 401, "introspection": introspection}},
        "security": [{"opaque": ["items:read"]}],
    });
    let (envoy, upstream) = start(&issuer, &[Listener::new("gate", policy)]);
    let send = |scheme: &str, proof: Option<&str>| {
        let request = Request::get("/").header("Authorization", format!("{scheme} {token}"));
        envoy.send("gate", &proof.iter().fold(request, |request, proof| request.header("DPoP", proof))).status
    };
    let own = || proof(URI, "GET", None, Some(token)).expect("a proof").0;
    let seen = own();
    assert_eq!(send("DPoP", Some(&seen)), 200);
    assert_eq!(send("DPoP", Some(&own())), 200);
    let hits = upstream.hits();
    for (scheme, proof) in
        [("Bearer", None), ("DPoP", None), ("DPoP", Some(&*seen)), ("Bearer", Some(&*seen))]
    {
        assert_eq!(send(scheme, proof), 401, "{scheme} {proof:?}");
    }
    assert_eq!(upstream.hits(), hits);
}

#[test]
fn a_token_that_oidc_provider_bound_to_a_certificate_is_of_no_use_over_another_connection() {
    let Some(issuer) = Issuer::start() else { return };
    if find_or_install("openssl", "openssl").is_none() || find_or_install("curl", "curl").is_none() {
        return;
    }
    let certificates = Certificates::new();
    let der = BASE64_STANDARD.encode(certificates.der("client"));
    let answer = issuer
        .post_with("/token", FOR_THE_API, "bound", "bound-secret", &[("x-client-certificate", &der)])
        .json();
    let token = text(&answer["access_token"]);
    let policy = oidc(&issuer, &json!({"audiences": ["https://api.example"]}));
    let listener = Listener::new("gate", policy).transport_socket(certificates.transport_socket(false));
    let (envoy, upstream) = start(&issuer, &[listener]);
    for version in ["--http1.1", "--http2"] {
        for (certificate, status) in [(Some("client"), 200), (Some("other"), 401), (None, 401)] {
            let hits = upstream.hits();
            let (seen, _) = certificates.get(envoy.addr("gate"), version, "/", certificate, Some(token));
            assert_eq!(seen, status, "{version} {certificate:?}");
            assert_eq!(upstream.hits() > hits, status == 200, "{version} {certificate:?}");
        }
    }
}

/// The client does what the challenge says: it logs in again with the `acr_values` that it names.
#[test]
fn a_login_that_is_too_weak_is_asked_for_again_and_the_stronger_one_passes() {
    let Some(issuer) = Issuer::start() else { return };
    let mut policy = oidc(&issuer, &json!({"audiences": ["https://api.example"]}));
    policy["rules"] = json!([
        {"match": {"path": "/pay"}, "security": [{"oidc": {"scopes": ["items:read"], "acr": ["mfa"]}}]},
        {"match": {"path": "/fresh"}, "security": [{"oidc": {"max_age_seconds": 300}}]},
    ]);
    let (envoy, upstream) = start(&issuer, &[Listener::new("gate", policy)]);
    let get = |path: &str, tokens: &Value| {
        envoy.send("gate", &Request::get(path).bearer(text(&tokens["access_token"])))
    };
    let weak = issuer.code_token_with("&acr_values=pwd");
    assert_eq!(get("/", &weak).status, 200);
    let hits = upstream.hits();
    let answer = get("/pay", &weak);
    assert_eq!((answer.status, upstream.hits()), (401, hits), "{answer:?}");
    assert_eq!(parameter(&answer, "error"), "insufficient_user_authentication");
    let strong = issuer.code_token_with(&format!("&acr_values={}", parameter(&answer, "acr_values")));
    assert_eq!(get("/pay", &strong).status, 200);
    // It says when alice logged in; a machine's token says nothing of the kind.
    assert_eq!(get("/fresh", &weak).status, 200);
    let machine = json!({"access_token": issuer.token("items:read", true)});
    let answer = get("/fresh", &machine);
    assert_eq!((answer.status, parameter(&answer, "max_age").as_str()), (401, "300"));
}

/// RFC 8707: the provider writes the resource that the client named into `aud`.
#[test]
fn a_token_for_another_resource_of_the_same_provider_is_refused() {
    let Some(issuer) = Issuer::start() else { return };
    let mut policy = oidc(&issuer, &json!({}));
    policy["resources"] = json!([{"resource": "https://api.example"}]);
    let (envoy, upstream) = start(&issuer, &[Listener::new("gate", policy)]);
    let other = issuer
        .post("/token", &FOR_THE_API.replace("api.example", "other.example"), "machine", "machine-secret")
        .json();
    let status = |token: &str| envoy.send("gate", &Request::get("/").bearer(token)).status;
    assert_eq!(status(&issuer.token("items:read", true)), 200);
    let hits = upstream.hits();
    assert_eq!(status(text(&other["access_token"])), 401);
    assert_eq!(status(&issuer.token("items:read", false)), 401);
    assert_eq!(upstream.hits(), hits);
    let document = envoy.send("gate", &Request::get("/.well-known/oauth-protected-resource")).json();
    assert_eq!(document["resource"], "https://api.example");
    assert_eq!(document["authorization_servers"], json!([issuer.url()]));
}
