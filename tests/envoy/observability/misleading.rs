//! What a client has written into its token, in a log that is text.

use lychgate_tests::echo::{Reply, Upstream};
use lychgate_tests::envoy::{Artefact, Envoy, Listener, Options};
use lychgate_tests::http::Request;
use lychgate_tests::keys;
use lychgate_tests::tokens::Token;
use serde_json::json;

/// A C1 control that begins an escape sequence, a line separator, an override of the direction, an isolate.
const SUBJECT: &str = "ann\u{9B}2J\u{85}\u{2028}bob\u{202E}nimda\u{2066}";

fn text_log() -> serde_json::Value {
    let prefix = match Artefact::from_environment() {
        Artefact::Wasm => "wasm.",
        Artefact::Native => "",
    };
    let format = format!(
        "%REQ(:PATH)% [%FILTER_STATE({prefix}lychgate.subject:PLAIN)%] \
         [%FILTER_STATE({prefix}lychgate.scopes:PLAIN)%]\n"
    );
    json!([{"name": "file", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
        "path": "@DIR@/gate.access.log",
        "log_format": {"text_format_source": {"inline_string": format}},
    }}])
}

/// C1 controls and bidirectional marks in a `sub` went into a text log as they came.
#[test]
fn what_a_token_says_does_not_mislead_the_reader_of_an_access_log() {
    let upstream = Upstream::start();
    let issuer = Upstream::serve(|_| {
        let mut jwk = keys::P256.jwk();
        jwk["kid"] = "one".into();
        Reply::json(&json!({"keys": [jwk]}))
    });
    let fetched = json!({"uri": "http://idp.example/jwks", "cluster": "idp"});
    let policy = json!({
        "schemes": {"fetched": {"type": "http", "scheme": "bearer", "jwt": {"remote_jwks": fetched}}, "token": {"type": "http", "scheme": "bearer",
            "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]}}},
        "rules": [{"match": {"path": "/lacking"}, "security": [{"token": ["admin"]}]},
                  {"match": {"path": "/fetched"}, "security": [{"fetched": []}]}],
        "security": [{"token": []}],
        "filter_state": true,
    });
    let listener = Listener::new("gate", policy).manager(json!({"access_log": text_log()}));
    let arguments = ["--component-log-level", "wasm:debug,dynamic_modules:debug"].map(str::to_owned).to_vec();
    let clusters = vec![("idp".to_owned(), issuer.addr())];
    let options = Options { arguments, clusters, ..Options::default() };
    let envoy = Envoy::start(&[listener], upstream.addr(), &options);
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    // These are no scope-tokens, so no scopes.
    let scopes = json!("a\u{202E}b c\u{9C}d");
    let token = Token::new().claim("sub", SUBJECT).claim("scopes", scopes).sign("HS256");

    let answer = envoy.send("gate", &Request::get("/good").bearer(&token));
    assert_eq!(answer.status, 200, "{answer:?}");
    // The upstream gets what the token says.
    let told =
        answer.json()["headers"].as_array().unwrap().iter().find(|pair| pair[0] == "x-auth-subject").cloned();
    assert_eq!(told.expect("a subject")[1], SUBJECT);
    assert_eq!(envoy.send("gate", &Request::get("/lacking").bearer(&token)).status, 403);

    let log = envoy.access_log("gate", "/lacking");
    let subject = "ann\u{FFFD}2J\u{FFFD}\u{FFFD}bob\u{FFFD}nimda\u{FFFD}";
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines, [format!("/good [{subject}] [-]"), format!("/lacking [{subject}] [-]")]);
    // The filter's own log names a key that a token asks for, and escapes what it says.
    let unknown = Token::new().header("kid", SUBJECT).sign_by_stranger("ES256");
    assert_eq!(envoy.send("gate", &Request::get("/fetched").bearer(unknown)).status, 401);
    let own = envoy.log();
    assert!(own.contains(r#"unknown key "ann\u{9b}2J\u{85}\u{2028}bob\u{202e}nimda\u{2066}""#), "{own}");
    for part in [SUBJECT, "\u{9B}", "\u{85}", "\u{202E}", "\u{2028}", "\u{2066}"] {
        assert!(!own.contains(part), "{part:?} in {own}");
    }
}
