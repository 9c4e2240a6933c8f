use super::parse_strict;

#[test]
fn duplicate_names_are_refused_at_every_level_and_after_unescaping() {
    for text in
        [r#"{"a":1,"a":1}"#, r#"{"x":{"a":1,"a":2}}"#, r#"[{"a":1,"a":2}]"#, r#"{"kid":1,"k\u0069d":2}"#]
    {
        let error = parse_strict(text.as_bytes(), 8).unwrap_err().to_string();
        assert!(error.contains("duplicate key"), "{text}: {error}");
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(parse_strict(nested(4).as_bytes(), 4).is_ok());
    assert!(parse_strict(nested(5).as_bytes(), 4).is_err());
    assert!(parse_strict(nested(10_000).as_bytes(), 100_000).is_err());
}

#[test]
fn what_is_not_json_is_refused() {
    for text in [
        "",
        "{",
        "{} {}",
        "{}x",
        "NaN",
        "{\"a\":NaN}",
        "{\"a\":1e400}",
        "\u{feff}{}",
        "{'a':1}",
        "{\"a\":01}",
    ] {
        assert!(parse_strict(text.as_bytes(), 8).is_err(), "{text}");
    }
    assert!(parse_strict(b"{\"a\":\"\xff\"}", 8).is_err());
}
