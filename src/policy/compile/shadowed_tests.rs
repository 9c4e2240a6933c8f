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

/// Rules are not compared one by one with those before them. What is warned of is what comparing them says: the first
/// of those before a rule with which alone there is a warning.
#[test]
fn many_rules_are_warned_of_as_if_each_were_compared_with_every_one_before_it() {
    let paths = [
        json!({"prefix": "/"}),
        json!({"prefix": "/a"}),
        json!({"prefix": "/a/b"}),
        json!({"prefix": "/*"}),
        json!({"prefix": "/a*"}),
        json!({"prefix": "/a/*"}),
        json!({"prefix": "/ab"}),
        json!({"path": "/"}),
        json!({"path": "/a"}),
        json!({"path": "/a/"}),
        json!({"path": "/a/{id}"}),
        json!({"path": "/a/{id}/b"}),
        json!({"path": "/{x}/{y}"}),
        json!({"path": "/a/{rest:path}"}),
        json!({"path": "/{rest:path}"}),
        json!({"path": "/a/{rest:path}/b"}),
        json!({"path": "/a/{name}.json"}),
        json!({"path": "/a/b{name}.json"}),
        json!({"path": "/a/b.json"}),
        json!({"path": "/a/{x}-{y}"}),
        json!({"path": "/a/{x}{y}"}),
        json!({"path": "/{x}{y}/b"}),
        json!({"regex": ".*"}),
        json!({"regex": "/.*"}),
        json!({"regex": "/a/[0-9]+"}),
    ];
    let others = [
        json!({}),
        json!({"methods": ["GET"]}),
        json!({"methods": ["GET", "PUT"]}),
        json!({"hosts": ["x.example"]}),
        json!({"hosts": ["x.example", "*.example"]}),
        json!({"methods": ["PUT"], "hosts": ["*.example"]}),
        json!({"client": ["10.0.0.0/8"]}),
        json!({"headers": {"x-probe": "kubelet"}}),
        json!({"not": {"methods": ["PUT"]}}),
    ];
    let securities = [json!([{"key": []}]), json!([]), json!([{}, {"key": []}]), json!("denied")];
    let mut random = 1_u64;
    let mut pick = |count: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % count
    };
    let mut warned_of = [0; 2];
    for _ in 0..400 {
        let rules: Vec<Value> = (0..12)
            .map(|_| {
                let mut matching = paths[pick(paths.len())].clone();
                let other = others[pick(others.len())].clone();
                matching.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
                rule(&matching, &securities[pick(securities.len())])
            })
            .collect();
        let alone = |earlier: usize, later: usize| {
            let warned = warnings(&json!([rules[earlier], rules[later]]));
            let of_pair = warned.first()?.strip_prefix("rules[1].match: ")?;
            let of_pair = of_pair.replace("rules[0]", &format!("rules[{earlier}]"));
            Some(format!("rules[{later}].match: {of_pair}"))
        };
        let expected: Vec<String> = (0..rules.len())
            .filter_map(|later| (0..later).find_map(|earlier| alone(earlier, later)))
            .collect();
        let warned = warnings(&json!(rules));
        assert_eq!(warned, expected, "{}", json!(rules));
        warned_of[0] += warned.iter().filter(|text| text.contains("never matches")).count();
        warned_of[1] += warned.iter().filter(|text| text.contains("is public in part")).count();
    }
    assert!(warned_of.iter().all(|&count| count > 100), "{warned_of:?}");
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
