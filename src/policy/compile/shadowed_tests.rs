use serde_json::{Value, json};

use crate::policy::Policy;

fn warnings(rules: &Value) -> Vec<String> {
    let policy = json!({
        "schemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"}},
        "api_keys": {"partners": [{"id": "a", "sha256": "00".repeat(32)}]},
        "rules": rules,
    });
    let compiled = Policy::compile(policy.to_string().as_bytes(), &|_| None).expect("a good policy");
    compiled.warnings.iter().map(ToString::to_string).collect()
}

fn rule(matching: &Value, security: &Value) -> Value {
    json!({"match": matching, "security": security})
}

/// A public rule for much, before one for less, opened what the other was written for, and no word was said.
#[test]
fn a_rule_that_an_earlier_one_keeps_from_being_asked_is_a_warning() {
    let (open, needs) = (json!([]), json!([{"key": []}]));
    for (first, second, says) in [
        (json!({"prefix": "/"}), json!({"prefix": "/admin"}), Some("never matches: rules[0]")),
        (json!({"regex": ".*"}), json!({"path": "/admin"}), Some("never matches: rules[0]")),
        (json!({"path": "/a"}), json!({"path": "/a"}), Some("never matches: rules[0]")),
        // One path, whatever its parameters are called, and what is part of it.
        (json!({"path": "/a/{id}"}), json!({"path": "/a/{item}"}), Some("never matches: rules[0]")),
        (json!({"path": "/a/{x}-{y}"}), json!({"path": "/a/{from}-{to}"}), Some("never matches: rules[0]")),
        (json!({"path": "/a/{id}"}), json!({"path": "/a/special"}), Some("never matches: rules[0]")),
        (json!({"path": "/a/{id}"}), json!({"path": "/a/{name}.json"}), Some("never matches: rules[0]")),
        (json!({"path": "/a/{name}.json"}), json!({"path": "/a/b.json"}), Some("never matches: rules[0]")),
        (json!({"prefix": "/a/"}), json!({"prefix": "/a"}), Some("never matches: rules[0]")),
        (json!({"prefix": "/a/"}), json!({"path": "/a/{id}"}), Some("never matches: rules[0]")),
        (json!({"path": "/a/{name}.json"}), json!({"path": "/a/{id}"}), None),
        (json!({"path": "/a/special"}), json!({"path": "/a/{id}"}), None),
        (json!({"path": "/a/{id}"}), json!({"path": "/a/"}), None),
        (json!({"path": "/a/{id}"}), json!({"path": "/a/{id}/b"}), None),
        (json!({"prefix": "/a/b"}), json!({"path": "/a/{id}"}), None),
        (
            json!({"prefix": "/", "methods": ["GET"]}),
            json!({"prefix": "/admin"}),
            Some("is public in part: rules[0]"),
        ),
        (
            json!({"prefix": "/a", "hosts": ["x"]}),
            json!({"path": "/a/b"}),
            Some("is public in part: rules[0]"),
        ),
        (json!({"prefix": "/", "methods": ["GET"]}), json!({"prefix": "/a", "methods": ["PUT"]}), None),
        (json!({"prefix": "/admin"}), json!({"prefix": "/administration"}), None),
        (json!({"prefix": "/admin"}), json!({"prefix": "/"}), None),
        (json!({"path": "/a", "hosts": ["x"]}), json!({"path": "/a", "hosts": ["y"]}), None),
        // Exceptions, which would never match if they were behind.
        (json!({"prefix": "/a", "methods": ["GET"]}), json!({"prefix": "/a"}), None),
        (json!({"prefix": "/", "client": ["10.0.0.0/8"]}), json!({"prefix": "/a"}), None),
        (json!({"prefix": "/", "headers": {"x-probe": "kubelet"}}), json!({"path": "/a/{id}"}), None),
    ] {
        let warned = warnings(&json!([rule(&first, &open), rule(&second, &needs)]));
        match says {
            Some(says) => {
                assert!(warned.len() == 1 && warned[0].contains(says), "{first} {second}: {warned:?}")
            }
            None => assert!(warned.is_empty(), "{first} {second}: {warned:?}"),
        }
    }
    // What is no less strict in front opens nothing, and is a warning only where the other is never asked.
    let warned = warnings(&json!([
        rule(&json!({"prefix": "/", "methods": ["GET"]}), &needs),
        rule(&json!({"prefix": "/admin"}), &needs)
    ]));
    assert!(warned.is_empty(), "{warned:?}");
}

/// The path that is matched has no query, and an expression for both was for requests that hardly anyone sends.
#[test]
fn an_expression_for_a_query_is_warned_of() {
    let needs = json!([{"key": []}]);
    let warned = warnings(&json!([rule(&json!({"regex": r"/search\?q=.*"}), &needs)]));
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].starts_with("rules[0].match.regex: the query is no part of the path"), "{warned:?}");
    assert!(warnings(&json!([rule(&json!({"regex": "/search.?"}), &needs)])).is_empty());
}
