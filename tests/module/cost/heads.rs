//! Paths on which no credential is looked at, or none is there.

use lychgate_tests::vm::Headers;
use serde_json::{Value, json};

use super::bed::{Bed, Row, Sent, Trial, policy, schemes, security};

/// Everything in a head that could make it dearer but long paths, which have a row of their own.
fn everything(sent: &Sent) -> Vec<(String, Sent)> {
    [sent.fills(), sent.paths()[..1].to_vec()].concat()
}

/// A policy with everything in `security` that a credential may be, and something added.
fn with(add: &[(&str, Value)]) -> Value {
    let mut policy = policy(&schemes(), &security());
    for (key, value) in add {
        policy[*key] = value.clone();
    }
    policy
}

pub fn rows(bed: &Bed) -> Vec<Row> {
    let get = Sent::new("GET", "/");
    let mut rows = Vec::new();

    let mut machine = bed.start(&policy(&schemes(), &json!([])));
    let mut trial = Trial::passed("public");
    rows.push(trial.send(&mut machine, everything(&get)).take());
    let mut trial = Trial::passed("public, by a long path");
    rows.push(trial.send(&mut machine, get.paths()).take());
    let mut trial = Trial::passed("public, with trailers");
    rows.push(trial.send(&mut machine, trailers(&get)).take());
    let mut trial = Trial::passed("public, a body in 1,000 pieces");
    let pieces = Sent::new("POST", "/").body(&"b".repeat(1000), 1);
    rows.push(trial.send(&mut machine, [("bare".to_owned(), pieces)]).take());
    let mut trial = Trial::refused("a path with two readings", 400, "ambiguous_path");
    rows.push(trial.send(&mut machine, ambiguous(&get)).take());
    let mut trial = Trial::refused("a path over its bound", 414, "path_too_long");
    rows.push(trial.send(&mut machine, too_long()).take());

    let mut none = policy(&schemes(), &json!([]));
    none["rules"].as_array_mut().unwrap().pop();
    let mut machine = bed.start(&none);
    let mut trial = Trial::refused("no rule", 403, "no_rule");
    rows.push(trial.send(&mut machine, everything(&get)).take());

    let mut machine = bed.start(&with(&[]));
    let mut trial = Trial::refused("no credential", 401, "credential");
    // What is no credential to any of the schemes.
    let is_bare = |(name, _): &(String, Sent)| {
        !["api_key", "pi_key", "session=a", "x-api-key", "authorization"].iter().any(|own| name.contains(own))
    };
    rows.push(trial.send(&mut machine, everything(&get).into_iter().filter(is_bare)).take());
    let mut trial = Trial::refused("no credential, gRPC", 401, "credential");
    let grpc = get.clone().with("content-type", "application/grpc").with("te", "trailers");
    rows.push(trial.send(&mut machine, [("bare".to_owned(), grpc)]).take());
    let mut trial = Trial::refused("a credential twice", 403, "credential_twice");
    let twice = ["a", "b"].map(|key| ("x-api-key".to_owned(), key.repeat(25_000)));
    let keys = Sent { head: [get.head.clone(), twice.to_vec()].concat(), ..get.clone() };
    let cookies = get.clone().with("cookie", &"session=aaaa;".repeat(4000));
    let query = Sent::new("GET", &format!("/?{}", "%61pi_key=%61&".repeat(4000)));
    let twice = [("keys", keys), ("cookies", cookies), ("parameters", query)];
    rows.push(trial.send(&mut machine, twice.map(|(name, sent)| (name.to_owned(), sent))).take());
    let preflight =
        Sent::new("OPTIONS", "/").with("origin", "https://x").with("access-control-request-method", "PUT");
    let mut trial = Trial::passed("CORS preflight");
    rows.push(trial.send(&mut machine, everything(&preflight).into_iter().filter(is_bare)).take());

    let mut anonymous = security();
    anonymous.as_array_mut().unwrap().push(json!({}));
    let mut lenient = policy(&schemes(), &anonymous);
    lenient["rules"][1024]["optional"] = json!("ignore_invalid");
    let mut machine = bed.start(&lenient);
    let mut trial = Trial::passed("anonymous, whatever the credential (`ignore_invalid`)");
    let bad = get.clone().with("x-api-key", "wrong");
    rows.push(trial.send(&mut machine, [everything(&get), bad.fills()].concat()).take());

    let mut machine = bed.start(&with(&[("mode", json!("dry_run"))]));
    let mut trial = Trial::passed("dry run");
    rows.push(trial.send(&mut machine, [everything(&get), bad.fills()].concat()).take());

    rows.extend(served(bed));
    rows
}

fn ambiguous(get: &Sent) -> Vec<(String, Sent)> {
    let paths = get.paths().into_iter().map(|(name, sent)| (name, at(&sent, "/..")));
    let late = ["%2f", "%", ";", "\\"]
        .map(|end| (format!("{end:?} at the end"), at(&Sent::new("GET", &"/%61".repeat(510)), end)));
    paths.chain(late).collect()
}

fn too_long() -> Vec<(String, Sent)> {
    let path = |text: &str| {
        (format!("{text:?}"), Sent::new("GET", &format!("/{}", text.repeat(58_000 / text.len()))))
    };
    ["a", "/a", "/%61", "/../"].map(path).to_vec()
}

fn at(sent: &Sent, end: &str) -> Sent {
    let mut sent = sent.clone();
    sent.head[3].1 += end;
    sent
}

fn trailers(get: &Sent) -> Vec<(String, Sent)> {
    let with = |sent: &Sent| Sent {
        trailers: Some(sent.head.iter().skip(5).cloned().collect::<Headers>()),
        ..get.clone()
    };
    let named = |(name, _): &(String, Sent)| name.contains("headers");
    get.fills()
        .iter()
        .filter(|fill| named(fill))
        .map(|(name, sent)| (name.replace("headers", "trailers"), with(sent)))
        .collect()
}

/// What the filter serves itself.
fn served(bed: &Bed) -> Vec<Row> {
    let openapi = json!({"serve": "/openapi.json", "docs": "/docs"});
    let mut machine = bed.start(&with(&[("openapi", openapi)]));
    let mut rows = Vec::new();
    for (path, target, method, status, reason) in [
        ("the page with the documentation", "/docs", "GET", 200, ""),
        ("the OpenAPI document", "/openapi.json", "GET", 200, ""),
        ("the page with the documentation, by another method", "/docs", "POST", 405, "method_not_allowed"),
    ] {
        let mut trial = Trial::refused(path, status, reason);
        rows.push(trial.send(&mut machine, Sent::new(method, target).fills()).take());
    }
    rows
}
