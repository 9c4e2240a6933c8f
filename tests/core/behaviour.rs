//! The core natively, held to the same table as the module in a real Envoy.

use std::collections::HashMap;

use lychgate::decision::Decision;
use lychgate::engine::Engine;
use lychgate::host::InMemoryHost;
use lychgate::request::{HeaderMutation, Request};
use lychgate_tests::behaviour::{self, ENVIRONMENT, Observed, Row};
use lychgate_tests::tokens;

fn engines() -> HashMap<&'static str, Engine> {
    let environment =
        |name: &str| ENVIRONMENT.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned());
    behaviour::policies()
        .into_iter()
        .map(|(name, policy)| match Engine::compile(policy.to_string().as_bytes(), &environment) {
            Ok(compiled) => (name, compiled.engine),
            Err(errors) => panic!("{name}: {errors:?}"),
        })
        .collect()
}

/// Lower-case names and trimmed values, as Envoy hands them over.
fn headers(row: &Row) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut headers: Vec<(Vec<u8>, Vec<u8>)> = vec![
        (b":method".to_vec(), row.request.method.clone().into_bytes()),
        (b":path".to_vec(), row.request.target.clone().into_bytes()),
    ];
    let mut host = b"localhost".to_vec();
    for (name, value) in &row.request.headers {
        if name.eq_ignore_ascii_case("host") {
            host.clone_from(value);
        } else {
            headers.push((name.to_ascii_lowercase().into_bytes(), value.trim_ascii().to_vec()));
        }
    }
    headers.push((b":authority".to_vec(), host));
    if !row.request.body.is_empty() {
        headers.push((b"content-length".to_vec(), row.request.body.len().to_string().into_bytes()));
    }
    headers
}

fn apply(mut headers: Vec<(Vec<u8>, Vec<u8>)>, edits: &[&HeaderMutation]) -> (String, Vec<(String, String)>) {
    for edit in edits {
        match edit {
            HeaderMutation::Remove(name) => headers.retain(|(own, _)| **own != **name),
            HeaderMutation::Set(name, value) => {
                headers.retain(|(own, _)| own != name.as_bytes());
                headers.push((name.as_bytes().to_vec(), value.to_vec()));
            }
        }
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let path = headers.iter().find(|(name, _)| name == b":path").map(|(_, value)| text(value));
    (path.unwrap_or_default(), headers.iter().map(|(name, value)| (text(name), text(value))).collect())
}

/// Counts what became of a request, once, and under what it is documented as.
fn count(engine: &Engine, decision: &Decision) {
    let metrics = engine.metrics();
    match decision {
        Decision::Allow(allow) => metrics.allowed(allow),
        Decision::Deny(denial) => drop(metrics.denied(denial)),
        Decision::LocalReply(response) => metrics.answered(response),
        Decision::AwaitBody(_) | Decision::Pause(_) => panic!("nothing is left to wait for"),
    }
    let mut counted = Vec::new();
    engine.measure(|slot, _| counted.push(metrics.definitions()[slot].name.clone()));
    let requests = counted.iter().filter(|name| name.ends_with("lychgate_requests_total")).count();
    assert_eq!(requests, 1, "{decision:?}: {counted:?}");
    assert!(!counted.iter().any(|name| name.contains("reason=.=other;")), "{decision:?}: {counted:?}");
}

#[test]
fn every_behaviour_of_the_table_in_the_core() {
    let engines = engines();
    // Without a native signature check: the module's own cryptography is what is tried.
    let host = InMemoryHost::at(tokens::now());
    behaviour::run(|row| {
        let engine = &engines[row.policy];
        host.now.set(tokens::now());
        let owned = headers(row);
        let borrowed: Vec<(&[u8], &[u8])> = owned.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
        let request = Request::new(&borrowed).whole(row.request.body.is_empty());
        let decision = match engine.decide(&request, &host, false) {
            Decision::AwaitBody(request) => engine.answer_token(&request, &row.request.body, &host),
            decision => decision,
        };
        count(engine, &decision);
        let response = match decision {
            Decision::Allow(allow) => {
                return Observed {
                    status: 200,
                    body: String::new(),
                    headers: Vec::new(),
                    upstream: Some(apply(owned, &allow.mutations().collect::<Vec<_>>())),
                };
            }
            Decision::Deny(denial) => denial.response(engine.policy().errors.format),
            Decision::LocalReply(response) => response,
            Decision::AwaitBody(_) | Decision::Pause(_) => panic!("nothing is left to wait for"),
        };
        Observed {
            status: response.status,
            headers: response.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            body: String::from_utf8_lossy(&response.body).into_owned(),
            upstream: None,
        }
    });
}
