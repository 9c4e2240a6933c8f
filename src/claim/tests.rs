#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]
use serde_json::{Value, json};

use super::{ClaimReference, Claims, Condition, Scalar};

fn claims(value: Value) -> Claims {
    let Value::Object(claims) = value else { panic!("an object") };
    claims
}

fn find(reference: &str, value: &Value) -> Option<Value> {
    let reference = ClaimReference::parse(reference).unwrap();
    reference.find(&claims(value.clone())).cloned()
}

#[test]
fn a_reference_is_a_name_then_steps_or_a_pointer() {
    let set = json!({
        "a": 1, "a.b": 2, "c": {"d": 3, "e.f": {"g": 4}}, "n": null, "n.m": null,
        "https://x.example/claims": {"user-id": 5}, "list": [6, {"x": 7}], "": 8, "t~/": 9, "deep": {"n": null},
    });
    for (reference, found) in [
        ("a", json!(1)),
        ("a.b", json!(2)),
        ("c.d", json!(3)),
        ("/c/e.f/g", json!(4)),
        ("https://x.example/claims", json!({"user-id": 5})),
        ("/https:~1~1x.example~1claims/user-id", json!(5)),
        ("/list/0", json!(6)),
        ("/list/1/x", json!(7)),
        ("/", json!(8)),
        ("/t~0~1", json!(9)),
    ] {
        assert_eq!(find(reference, &set), Some(found), "{reference}");
    }
    for reference in [
        "b", "n", "n.m", "/n", "c.e.f.g", "a.c", "list.0", "/list/00", "/list/2", "/list/-", "deep.n",
        "/a.b/c", "/a/b",
    ] {
        assert_eq!(find(reference, &set), None, "{reference}");
    }
}

#[test]
fn null_at_the_exact_name_leaves_the_steps() {
    assert_eq!(find("a.b", &json!({"a.b": null, "a": {"b": 1}})), Some(json!(1)));
}

#[test]
fn a_reference_that_cannot_match_is_refused() {
    for (reference, says) in [
        ("", "no name"),
        ("/a~2", "RFC 6901"),
        ("/a~", "RFC 6901"),
        ("$.realm_access.roles", "JSONPath"),
        ("a..b", "empty step"),
        (".a", "empty step"),
        ("sub.name", "has no members"),
        ("/exp/x", "has no members"),
    ] {
        let error = ClaimReference::parse(reference).unwrap_err();
        assert!(error.contains(says), "{reference}: {error}");
    }
    assert!(ClaimReference::parse(&"/a".repeat(33)).is_err());
}

fn one_of(values: &[Value]) -> Condition {
    let scalar = |value: &Value| match value {
        Value::String(text) => Scalar::Text(text.clone()),
        Value::Number(number) => Scalar::Number(number.clone()),
        Value::Bool(value) => Scalar::Bool(*value),
        _ => panic!("a scalar"),
    };
    Condition::OneOf(values.iter().map(scalar).collect())
}

#[test]
fn a_condition_on_a_claim_of_another_type_holds_neither_way() {
    for (values, claim, holds) in [
        (vec![json!("a")], Some(json!("a")), Some(true)),
        (vec![json!("a")], Some(json!("b")), Some(false)),
        (vec![json!("a")], Some(json!("A")), Some(false)),
        (vec![json!("a"), json!("b")], Some(json!("b")), Some(true)),
        (vec![json!("a")], None, Some(false)),
        (vec![json!("a")], Some(json!(["x", "a"])), Some(true)),
        (vec![json!("a")], Some(json!(["x", 1, "a"])), Some(true)),
        (vec![json!("a")], Some(json!(["x"])), Some(false)),
        (vec![json!("a")], Some(json!([])), Some(false)),
        (vec![json!("a")], Some(json!(["x", 1])), None),
        (vec![json!("a")], Some(json!([["a"]])), None),
        (vec![json!("a")], Some(json!({"a": 1})), None),
        (vec![json!("a")], Some(json!(1)), None),
        (vec![json!("1")], Some(json!(1)), None),
        (vec![json!(1)], Some(json!("1")), None),
        (vec![json!("true")], Some(json!(true)), None),
        (vec![json!(true)], Some(json!(true)), Some(true)),
        (vec![json!(true)], Some(json!(false)), Some(false)),
        (vec![json!(1)], Some(json!(1.0)), Some(true)),
        (vec![json!(1.0)], Some(json!(1)), Some(true)),
        (vec![json!(1)], Some(json!(2)), Some(false)),
        (vec![json!(9_007_199_254_740_993_i64)], Some(json!(9_007_199_254_740_992.0)), Some(false)),
        (vec![json!("a"), json!(1)], Some(json!(1)), Some(true)),
        (vec![json!("a"), json!(1)], Some(json!("b")), Some(false)),
    ] {
        let condition = one_of(&values);
        let negation = Condition::Not(Box::new(condition.clone()));
        assert_eq!(condition.holds(claim.as_ref()), holds == Some(true), "{values:?} {claim:?}");
        assert_eq!(negation.holds(claim.as_ref()), holds == Some(false), "not {values:?} {claim:?}");
    }
    assert!(Condition::Present.holds(Some(&json!({}))) && !Condition::Present.holds(None));
    assert!(Condition::Not(Box::new(Condition::Present)).holds(None));
}
