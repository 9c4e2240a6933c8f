//! The module in a real Envoy.

use lychgate_tests::behaviour::{self, ENVIRONMENT, Observed, Row};
use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Artefact, ConfigForm, Envoy, Listener, Options};
use lychgate_tests::http::{Request, Response};
use lychgate_tests::tokens::Token;

/// An Envoy with a listener for each policy of the table, handed over in either form in turn.
fn start(concurrency: u32) -> (Envoy, Upstream) {
    let upstream = Upstream::start();
    let forms = [ConfigForm::Struct, ConfigForm::StringValue].into_iter().cycle();
    let listeners: Vec<_> = behaviour::policies()
        .into_iter()
        .zip(forms)
        .map(|((name, policy), form)| Listener::new(name, policy).form(form))
        .collect();
    let environment = ENVIRONMENT.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let envoy = Envoy::start(
        &listeners,
        upstream.addr(),
        &Options { concurrency, environment, ..Options::default() },
    );
    (envoy.unwrap_or_else(|failure| panic!("{}", failure.log)), upstream)
}

fn observe(response: &Response) -> Observed {
    // The upstream answers with what it received, the filter with a detail.
    let echo: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let upstream = echo["headers"].as_array().map(|headers| {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let headers = headers.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
        (text(&echo["path"]), headers)
    });
    Observed {
        status: response.status,
        body: response.text(),
        headers: response
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned()))
            .collect(),
        upstream,
    }
}

#[test]
fn every_behaviour_of_the_table_in_a_real_envoy() {
    let (envoy, _upstream) = start(1);
    behaviour::run(|row: &Row| {
        let mut seen = observe(&envoy.send(row.policy, &row.request));
        if row.request.method == "HEAD" && seen.status == 200 && row.expect.upstream.is_some() {
            // An answer to HEAD has no body to tell what arrived.
            seen.upstream = Some((row.request.target.clone(), Vec::new()));
        }
        seen
    });
}

#[test]
fn two_workers_answer_alike_and_survive_what_is_not_utf8() {
    let (envoy, _upstream) = start(2);
    let good = Request::get("/").bearer(Token::reader().sign("RS256"));
    for round in 0..20 {
        let odd = Request::get("/").header("User-Agent", b"\xff\xfe\xfd").header("Authorization", b"\xff");
        assert_eq!(envoy.send("algorithms", &odd).status, 401, "round {round}");
        assert_eq!(envoy.send("algorithms", &good).status, 200, "round {round}");
    }
    assert!(!envoy.log().contains("Function: proxy_on_"), "the VM crashed:\n{}", envoy.log());
}

#[test]
fn a_refused_grpc_request_gets_a_grpc_status() {
    let (envoy, _upstream) = start(1);
    let grpc = |request: Request| request.header("content-type", "application/grpc");
    let scopeless = Token::new().sign("HS256");
    for (request, policy, status) in [
        (Request::post("/"), "token", ("16", "Not authenticated")),
        (Request::post("/").bearer(&scopeless), "token", ("7", "Not enough permissions")),
        (Request::post("/nowhere"), "keys", ("7", "Forbidden")),
        (Request::post("/a//b"), "token", ("3", "Ambiguous path")),
    ] {
        let (status, message) = status;
        let response = envoy.send(policy, &grpc(request));
        assert_eq!(response.header("grpc-message").as_deref(), Some(message), "plain text: {response:?}");
        assert_eq!(response.header("grpc-status").as_deref(), Some(status), "{response:?}");
        assert_eq!(response.status, 200, "gRPC tells in its own status");
    }
}

#[test]
fn response_code_details_name_the_reason() {
    let (envoy, _upstream) = start(1);
    let expired = Token::new().claim("exp", 1).sign("HS256");
    for (policy, request, reason) in [
        ("token", Request::get("/"), "credential_missing"),
        ("token", Request::get("/").bearer(expired), "token_expired"),
        ("token", Request::get("/").bearer(Token::new().sign_by_stranger("HS256")), "token_bad_signature"),
        ("keys", Request::get("/header").header("x-api-key", "x"), "api_key_unknown"),
        ("routing", Request::get("/nowhere"), "no_rule"),
        ("routing", Request::get("/a//b"), "ambiguous_path}:empty_segment"),
        ("routing", Request::get("/a%2Fb"), "ambiguous_path}:encoded_slash"),
        ("routing", Request::get("/a%252Fb"), "ambiguous_path}:double_percent-encoding"),
        ("routing", Request::get("/a/../b"), "ambiguous_path}:dot_segment"),
    ] {
        assert_ne!(envoy.send(policy, &request).status, 200);
        // In braces; what is ambiguous comes behind them.
        let details = format!("\"lychgate_denied{{{reason}{}\"", if reason.contains('}') { "" } else { "}" });
        let log = envoy.access_log(policy, &details);
        assert!(log.contains(&details), "{details} is not in\n{log}");
    }
}

#[test]
fn rsa_and_ecdsa_are_checked_natively() {
    let (envoy, _upstream) = start(1);
    let by = match Artefact::from_environment() {
        Artefact::Wasm => "Envoy",
        Artefact::Native => "aws-lc",
    };
    assert!(envoy.log().contains(&format!("signatures are checked natively by {by}")), "{}", envoy.log());
}
