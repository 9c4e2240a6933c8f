//! The example as it is shipped.

use lychgate_tests::demonstration::Demonstration;
use lychgate_tests::echo::Reply;
use lychgate_tests::envoy::Artefact;
use lychgate_tests::held::Held;
use lychgate_tests::http::Request;
use serde_json::json;

/// A made-up token and a body of one byte, with a header of the client's about its identity: the request waited
/// for the provider's answer, its body did not, and the upstream got `root` and `admin`.
#[test]
fn the_example_refuses_what_waits_with_a_body() {
    if Artefact::is_native_where("the example runs the Wasm module") {
        return;
    }
    let provider = Held::start();
    for token in ["made-up", "made-up#2", "another"] {
        provider.release(token, Reply::json(&json!({"active": false})));
    }
    let environment = [("GATE_SECRET", "gate secret & more")];
    let example = Demonstration::of("examples/oidc/envoy.yaml", &environment, Some(provider.addr().port()));
    for (token, method) in [("made-up", "POST"), ("another", "GET")] {
        let request = Request::new(method, "/opaque/")
            .bearer(token)
            .header("x-auth-subject", "root")
            .header("x-auth-scopes", "items:read admin")
            .body("text/plain", "x");
        let answer = example.envoy().send("gate", &request);
        assert_eq!(answer.status, 401, "{method}: {answer:?}");
        assert!(!answer.text().contains("root"), "{answer:?}");
    }
    assert_eq!(example.envoy().stat("http.gate.downstream_rq_total"), 2);
    assert_eq!(example.envoy().stat("http.upstream.downstream_rq_total"), 0, "the upstream saw it");
    assert!(provider.questions() >= 2);
}
