use proptest::prelude::*;

use super::{AmbiguousPath, NormalPath, PathError};

#[test]
fn a_path_is_decoded_once() {
    for (raw, path) in [
        ("/", "/"),
        ("/a/", "/a/"),
        ("/a%20b/%C3%A9", "/a b/é"),
        ("/%61", "/a"),
        ("/a:b@c,d=e&f", "/a:b@c,d=e&f"),
    ] {
        assert_eq!(NormalPath::new(raw.as_bytes()).unwrap().as_str(), path);
    }
}

#[test]
fn a_path_with_two_readings_is_refused() {
    for raw in [
        "", "a", "*", "//", "/a//b", "/.", "/..", "/a/../b", "/%2e", "/a%2fb", "/a%5cb", "/a\\b", "/a;b",
        "/a%3Bb", "/a#b", "/%23", "/%00", "/%", "/%4", "/%4g", "/%25", "/%2541", "/%80", "/%0d", "/\u{7f}",
    ] {
        assert!(NormalPath::new(raw.as_bytes()).is_err(), "{raw}");
    }
}

#[test]
fn a_path_ends_where_its_query_begins_and_is_so_long_at_most() {
    let path = |target: &[u8]| NormalPath::of_target(target, 300).map(|path| path.as_str().to_owned());
    assert_eq!(path(b"/a?b%zz//..").as_deref(), Ok("/a"));
    assert_eq!(path(b"/?").as_deref(), Ok("/"));
    assert_eq!(path(b"/%61?%61").as_deref(), Ok("/a"));
    assert_eq!(path(b"/a%3Fb?c").as_deref(), Ok("/a?b"));
    assert_eq!(path(b"?/a"), Err(PathError::Ambiguous("does not begin with a slash")));
    let longest = format!("/{}", "a".repeat(299));
    assert_eq!(path(longest.as_bytes()).as_ref(), Ok(&longest));
    assert_eq!(path(format!("{longest}?{longest}").as_bytes()).as_ref(), Ok(&longest));
    assert_eq!(path(format!("{longest}a").as_bytes()), Err(PathError::TooLong));
    assert_eq!(path(format!("{longest}a?b").as_bytes()), Err(PathError::TooLong));
}

/// What [`NormalPath::new`] does in one look, step by step.
fn step_by_step(raw: &[u8]) -> Option<String> {
    let parts: Vec<_> = raw.split(|&b| b == b'%').skip(1).collect();
    let is_encoded =
        |part: &&[u8]| part.get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    let decoded: Vec<u8> = percent_encoding::percent_decode(raw).collect();
    let slashes = |path: &[u8]| path.iter().filter(|&&b| b == b'/').count();
    let text = String::from_utf8(decoded.clone()).ok()?;
    let inner = text.strip_prefix('/')?.strip_suffix('/').unwrap_or(&text[1..]);
    let is_good = parts.iter().all(is_encoded)
        && slashes(raw) == slashes(&decoded)
        && !text.contains(|c| matches!(c, '%' | '\\' | ';' | '#' | '\0'..='\x1F' | '\x7F'))
        && text.split('/').all(|segment| !matches!(segment, "." | ".."))
        && (text == "/" || inner.split('/').all(|segment| !segment.is_empty()));
    is_good.then_some(text)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn one_look_sees_what_many_see(raw in "(/|//|/\\.|/\\.\\.|%2[eEfF5]|%[0-9a-fA-F]{2}|[.a?;#\\\\%é]){0,8}") {
        let read = NormalPath::new(raw.as_bytes()).map(|path| path.as_str().to_owned());
        prop_assert_eq!(read.map_err(|AmbiguousPath(_)| ()), step_by_step(raw.as_bytes()).ok_or(()), "{}", raw);
    }
}
