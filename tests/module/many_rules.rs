//! What reading a configuration costs, in instructions of the module: in proportion to its rules, whatever they are.
//! Envoy reads it on its main thread, and each worker reads it again.

use lychgate_tests::envoy::root;
use lychgate_tests::vm::{Image, State};
use serde_json::{Value, json};

const FEW: usize = 500;

/// Four times as many may cost five times as much: tables grow by doubling, and lists are sorted.
const MORE: usize = 4 * FEW;

/// Rules, each for the path condition, the security and what else `of` says.
fn rules(count: usize, of: impl Fn(usize) -> (Value, Value)) -> Value {
    let rule = |number| {
        let (condition, security) = of(number);
        json!({"match": condition, "security": security})
    };
    let keys = json!({"partners": [{"id": "demo", "sha256": "00".repeat(32), "scopes": ["items:read"]}]});
    json!({
        "schemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"},
            "token": {"type": "http", "scheme": "bearer", "jwt": {
                "keys": [{"alg": "HS256", "secret": "a demonstration secret of 32 bytes or more"}],
            }},
        },
        "api_keys": keys,
        "rules": (0..count).map(rule).collect::<Vec<_>>(),
    })
}

/// Operations of a document that need a scheme of which no credential can be checked.
fn uncheckable(count: usize) -> Value {
    let operation = json!({"get": {"security": [{"digest": []}], "responses": {}}});
    let paths: serde_json::Map<_, _> =
        (0..count).map(|number| (format!("/service{number}/{{id}}"), operation.clone())).collect();
    json!({"openapi": {"document": {
        "openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths,
        "components": {"securitySchemes": {"digest": {"type": "http", "scheme": "digest"}}},
    }}})
}

type Kind = (&'static str, fn(usize) -> Value);

fn kinds() -> [Kind; 12] {
    [
        ("paths of services", |count| {
            rules(count, |n| {
                let path = match n % 4 {
                    0 => format!("/service{n}/items/{{id}}"),
                    1 => format!("/service{n}/items"),
                    2 => format!("/service{n}/{{a}}/parts/{{b}}"),
                    _ => format!("/{{tenant}}/service{n}"),
                };
                (json!({"path": path, "methods": ["GET"]}), json!([{"key": []}]))
            })
        }),
        ("prefixes", |count| {
            rules(count, |n| (json!({"prefix": format!("/service{n}/")}), json!([{"key": []}])))
        }),
        ("beginnings", |count| rules(count, |n| (json!({"prefix": format!("/service{n}-*")}), json!([])))),
        ("parts of a segment", |count| {
            rules(count, |n| (json!({"path": format!("/items/{{id}}.kind{n}")}), json!([{"key": []}])))
        }),
        ("one path, many hosts", |count| {
            rules(count, |n| {
                (json!({"prefix": "/", "hosts": [format!("tenant{n}.example")]}), json!([{"key": []}]))
            })
        }),
        ("one path, many headers", |count| {
            rules(count, |n| {
                let headers = json!({"x-tenant": format!("tenant{n}")});
                (json!({"prefix": "/", "headers": headers}), json!([{"key": []}]))
            })
        }),
        ("public ones, and one path for many hosts", |count| {
            rules(count, |n| match n % 2 {
                0 => (
                    json!({"prefix": "/", "methods": ["GET"], "hosts": [format!("tenant{n}.example")]}),
                    json!([]),
                ),
                _ => (json!({"path": format!("/service{n}"), "methods": ["GET"]}), json!([])),
            })
        }),
        ("rules that never match", |count| rules(count, |_| (json!({"prefix": "/"}), json!([{"key": []}])))),
        ("HEAD by itself", |count| {
            rules(count, |n| {
                let method = if n % 2 == 0 { "GET" } else { "HEAD" };
                (json!({"path": format!("/service{}", n / 2), "methods": [method]}), json!([{"key": []}]))
            })
        }),
        ("a condition on a claim in each", |count| {
            rules(count, |n| {
                let need = json!({"claims": {"tenant": format!("tenant{n}")}});
                (json!({"path": format!("/tenant{n}")}), json!([{"token": need}]))
            })
        }),
        ("the scopes of a resource", |count| {
            let mut policy = rules(count, |n| {
                (json!({"path": format!("/service{n}")}), json!([{"token": [format!("service{n}:read")]}]))
            });
            policy["resources"] =
                json!([{"resource": "https://api.example", "authorization_servers": ["https://i"]}]);
            policy
        }),
        ("operations that cannot be checked", uncheckable),
    ]
}

fn cost(image: &Image, policy: &Value) -> u64 {
    let mut state = State::default();
    state.configuration = policy.to_string().into_bytes();
    image.start(state).unwrap_or_else(|failure| panic!("{:.400}", format!("{failure:?}"))).instructions()
}

/// Each rule was compared with every one before it: 10,000 rules kept Envoy's main thread busy for 15 s, and 20,000 for a
/// minute.
#[test]
fn four_times_as_many_rules_cost_about_four_times_as_much() {
    let image = Image::load(&root().join("dist/lychgate.wasm"), true);
    let mut failures = Vec::new();
    for (kind, policy) in kinds() {
        let (few, more) = (cost(&image, &policy(FEW)), cost(&image, &policy(MORE)));
        let times = more * 10 / few;
        println!(
            "many rules: {kind}: {} instructions for each, {}.{} times as many for four times the rules",
            more / MORE as u64,
            times / 10,
            times % 10
        );
        if times > 50 {
            failures.push(format!("{kind}: {more} against {few}"));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
