//! Faults of what is reported: names of rules, dry runs, filter state, errors.

use serde_json::{Value, json};

use super::{Fault, json_fault};

/// A fault in the one rule.
fn rule(name: &'static str, key: &str, value: Value, says: &[&'static str]) -> Fault {
    let mut rule = json!({"match": {"path": "/"}, "security": []});
    rule[key] = value;
    json_fault(name, json!({"rules": [rule]}), says)
}

pub fn faults() -> Vec<Fault> {
    let plain = "rules[0].name: a name has at most 64 letters, digits and signs of `_-./`";
    vec![
        rule("a rule without a name to its name", "name", json!(""), &["rules[0].name: must not be empty"]),
        rule(
            "a rule named by a number",
            "name",
            json!(7),
            &["rules[0].name: expected a string, got a number"],
        ),
        rule("a rule with a separator in its name", "name", json!("a;b"), &[plain]),
        rule("a rule with a line feed in its name", "name", json!("a\nb"), &[plain]),
        rule("a rule with a long name", "name", json!("x".repeat(65)), &[plain]),
        rule(
            "a rule with the name of none",
            "name",
            json!("default"),
            &[
                "rules[0].name: `default` is what requests are counted under that no rule is for; choose another",
            ],
        ),
        rule(
            "a rule of an unknown mode",
            "mode",
            json!("dry"),
            &["rules[0].mode: unknown value \"dry\"; known: `enforce`, `dry_run`"],
        ),
        json_fault(
            "filter state as a word",
            json!({"filter_state": "on"}),
            &["filter_state: expected true or false, got a string"],
        ),
        json_fault(
            "request id as a name",
            json!({"errors": {"request_id": "x-request-id"}}),
            &["errors.request_id: expected true or false, got a string"],
        ),
        json_fault(
            "errors with an unknown key",
            json!({"errors": {"requestId": true}}),
            &["errors.requestId: unknown key; known here: format, request_id"],
        ),
        json_fault(
            "a dry run in the header of the subject",
            json!({"identity_headers": {"dry_run": "X-Auth-Subject"}}),
            &["identity_headers: two of them are named `x-auth-subject`"],
        ),
        json_fault(
            "a dry run in a header that has a meaning",
            json!({"identity_headers": {"dry_run": "Host"}}),
            &["identity_headers.dry_run: `host` has a meaning of its own"],
        ),
    ]
}
