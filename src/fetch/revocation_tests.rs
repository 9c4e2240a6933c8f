use super::Revocations;

#[test]
fn lists_of_revoked_tokens_are_read_strictly() {
    let list = Revocations::parse(br#"{"jti": ["a", "a"], "sub": ["b"], "issued_before": 5}"#).unwrap();
    assert!(list.revokes(Some("a"), None, Some(9)) && list.revokes(None, Some("b"), Some(9)));
    assert!(list.revokes(None, None, Some(4)) && list.revokes(None, None, None));
    assert!(!list.revokes(Some("b"), Some("a"), Some(5)));
    assert_eq!(list.len(), 3);
    for text in [
        "[]",
        "\"jti\"",
        "null",
        "",
        "{",
        "{\"jti\": \"a\"}",
        "{\"jti\": null}",
        "{\"jti\": [1]}",
        "{\"jti\": [[]]}",
        "{\"jti\": {}}",
        "{\"issued_before\": \"x\"}",
        "{\"issued_before\": 1.5}",
        "{\"issued_before\": 1e400}",
        "{\"issued_before\": 99999999999999999999}",
        "{\"other\": []}",
        "{\"jti\": [], \"other\": []}",
        "{\"jti\": [\"a\"], \"jti\": []}",
        "{\"jti\": [\"a\"], \"\\u006ati\": []}",
        "{\"jti\": [\"a\"]} x",
        "{\"jti\": [\"a\"",
        "{\"jti\": [\"\\ud800\"]}",
    ] {
        assert!(Revocations::parse(text.as_bytes()).is_err(), "{text}");
    }
    let deep = format!("{{\"jti\": {}{}}}", "[".repeat(500_000), "]".repeat(500_000));
    assert!(Revocations::parse(deep.as_bytes()).is_err());
}

/// `{}` in place of a long list lifted all of it, and no line said so.
#[test]
fn a_list_that_says_nothing_is_none() {
    let error = Revocations::parse(b"{}").unwrap_err();
    assert!(error.contains("an empty list is {\"jti\": []}"), "{error}");
    for text in ["{\"jti\": []}", "{\"sub\": []}", "{\"jti\": [], \"sub\": []}"] {
        assert!(Revocations::parse(text.as_bytes()).unwrap().is_empty(), "{text}");
    }
}
