use serde_json::{Value, json};

use super::tell;
use crate::host::InMemoryStream;
use crate::identity::Identity;

fn told(metadata: &[(&str, Value)]) -> Vec<(String, String)> {
    let stream = InMemoryStream::default();
    let metadata = metadata.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
    let identity = Identity {
        subject: Some("alice".into()),
        schemes: vec!["token".into()],
        scopes: vec!["items:read".into()],
        metadata,
        ..Identity::default()
    };
    tell(&stream, Some(&identity));
    stream.metadata.into_inner()
}

#[test]
fn an_identity_and_its_claims_are_told_as_what_they_are() {
    let claims = [
        ("email", json!("alice@example.com")),
        ("level", json!(3)),
        ("staff", json!(true)),
        ("realm_access.roles", json!(["a", "b"])),
        ("mixed", json!(["a", 1])),
        ("address", json!({"city": "Bath"})),
        ("absent", Value::Null),
    ];
    let told = told(&claims);
    let told: Vec<_> = told.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        told,
        [
            ("subject", r#"Text("alice")"#),
            ("scheme", r#"Text("token")"#),
            ("scopes", r#"List(["items:read"])"#),
            ("email", r#"Text("alice@example.com")"#),
            ("level", "Number(3.0)"),
            ("staff", "Bool(true)"),
            ("realm_access.roles", r#"List(["a", "b"])"#),
            ("mixed", r#"Text("[\"a\",1]")"#),
            ("address", r#"Text("{\"city\":\"Bath\"}")"#),
        ]
    );
}
