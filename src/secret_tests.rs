use serde_json::json;

use super::{Secret, SecretJson, wipe};

#[test]
fn neither_shows_what_it_holds() {
    let text = "a secret that must not be seen";
    assert_eq!(format!("{:?}", Secret::new(text.into())), "Secret(..)");
    assert_eq!(format!("{:#?}", SecretJson::new(json!({"k": text}))), "SecretJson(..)");
}

#[test]
fn every_text_of_a_value_is_wiped() {
    let mut value = json!({"keys": [{"k": "one", "n": 7}, ["two", {"deep": "three"}]], "other": "four"});
    wipe(&mut value);
    assert_eq!(value, json!({"keys": [{"k": "", "n": 7}, ["", {"deep": ""}]], "other": ""}));
}

#[test]
fn secrets_are_compared_as_a_whole() {
    let secret = |text: &str| Secret::new(text.into());
    assert_eq!(secret("same"), secret("same"));
    assert_ne!(secret("same"), secret("samf"));
    assert_ne!(secret("same"), secret("sam"));
}
