use super::{
    CredentialLocation, Found, FromOrder, Reading, SUBPROTOCOLS, find_in, without_cookies,
    without_parameters, without_subprotocols,
};
use crate::request::Request;
use std::borrow::Cow;

fn header(name: &str, prefix: &str) -> CredentialLocation {
    CredentialLocation::Header { name: name.into(), prefix: prefix.into() }
}

fn one(text: &str) -> Found<'_> {
    Found::One(Cow::Borrowed(text.as_bytes()))
}

#[test]
fn a_prefix_is_a_word_in_any_case_with_spaces_behind() {
    let location = header("authorization", "Bearer ");
    for (value, found) in [
        ("Bearer abc", one("abc")),
        ("bEARER   abc", one("abc")),
        ("Bearer", one("")),
        ("Bearerabc", Found::Nothing),
        ("Bearer\tabc", Found::Nothing),
        ("Bearer \tabc", one("\tabc")),
        ("Basic abc", Found::Nothing),
        ("", Found::Nothing),
        ("Basic abc,Bearer def", Found::Several),
    ] {
        let headers = [(&b"authorization"[..], value.as_bytes())];
        assert_eq!(location.find(&Request::new(&headers), false), found, "{value}");
    }
}

#[test]
fn credentials_in_two_places_are_several() {
    let locations =
        [header("x-a", ""), CredentialLocation::Query("a".into()), CredentialLocation::Cookie("a".into())];
    let path = (&b":path"[..], &b"/?a=1"[..]);
    let one_value = Reading { order: FromOrder::One, equal_is_one: true };
    let first = Reading { order: FromOrder::First, equal_is_one: true };
    let find = |reading, headers: &[(&'static [u8], &'static [u8])]| match find_in(
        &locations,
        reading,
        &Request::new(headers),
    ) {
        Found::One(value) => String::from_utf8(value.into_owned()).unwrap(),
        Found::Nothing => "nothing".into(),
        Found::Several => "several".into(),
    };
    for reading in [one_value, first] {
        assert_eq!(find(reading, &[path]), "1");
        assert_eq!(find(reading, &[path, (b"x-a", b"")]), "1");
        assert_eq!(find(reading, &[]), "nothing");
        assert_eq!(find(reading, &[path, (b"cookie", b"a=1; a=1")]), "1");
        assert_eq!(find(reading, &[(b"cookie", b"a=1; a=2")]), "several");
        assert_eq!(find(reading, &[path, (b"x-a", b"1"), (b"x-a", b"1")]), "several");
    }
    assert_eq!(find(one_value, &[path, (b"cookie", b"a=2")]), "several");
    assert_eq!(find(first, &[path, (b"cookie", b"a=2")]), "1");
    assert_eq!(find(Reading::default(), &[(b"cookie", b"a=1; a=1")]), "several");
}

#[test]
fn a_credential_is_behind_its_subprotocol() {
    let location = CredentialLocation::Subprotocol("bearer".into());
    let kubernetes = "base64url.bearer.authorization.k8s.io.YWJj";
    for (values, found, rest) in [
        (&["bearer, abc, graphql-ws"][..], one("abc"), Some("graphql-ws")),
        (&["graphql-ws,Bearer,abc"], one("abc"), Some("graphql-ws")),
        (&["bearer", "abc", "graphql-ws"], one("abc"), Some("graphql-ws")),
        (&[kubernetes, "v4.channel.k8s.io"], one("abc"), Some("v4.channel.k8s.io")),
        (&["bearer, abc, base64url.bearer.authorization.k8s.io.YWJj"], one("abc"), Some("")),
        (&["bearer, abc, bearer, def"], Found::Several, Some("")),
        (&["base64url.bearer.authorization.k8s.io.!, a"], one(""), Some("a")),
        (&["a, bearer"], one(""), Some("a")),
        (&["bearer, bearer"], one("bearer"), Some("")),
        (&["graphql-ws, bearers"], Found::Nothing, None),
        (&[], Found::Nothing, None),
    ] {
        let headers: Vec<_> =
            values.iter().map(|value| (SUBPROTOCOLS.as_bytes(), value.as_bytes())).collect();
        let request = Request::new(&headers);
        assert_eq!(location.find(&request, true), found, "{values:?}");
        assert_eq!(location.is_present_in(&request), rest.is_some(), "{values:?}");
        let left = without_subprotocols(request.values(SUBPROTOCOLS), &["bearer"]);
        assert_eq!(left.as_deref(), rest.map(str::as_bytes), "{values:?}");
    }
    let other = CredentialLocation::Subprotocol("token".into());
    let request = [(SUBPROTOCOLS.as_bytes(), format!("{kubernetes}, token, abc"))];
    let headers: Vec<_> = request.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    assert_eq!(other.find(&Request::new(&headers), true), one("abc"), "that form is of `bearer`");
}

#[test]
fn what_is_removed_is_what_was_read() {
    for (target, rest) in [
        ("/?a=1", Some("/")),
        ("/?b=2&%61=1&c", Some("/?b=2&c")),
        ("/?a", Some("/")),
        ("/?b=a", None),
        ("/", None),
        ("/?&a=1&", Some("/?&")),
    ] {
        let found = without_parameters(target.as_bytes(), &["a"]);
        assert_eq!(found.as_deref(), rest.map(str::as_bytes), "{target}");
    }
    let cookies = [&b"a=1; b=2"[..], b"a=\"3\";c"];
    assert_eq!(without_cookies(cookies.into_iter(), &["a"]).unwrap(), b"b=2; c");
    assert_eq!(without_cookies(cookies.into_iter(), &["d"]), None);
}

#[test]
fn a_credential_that_a_loose_reader_could_see_is_present() {
    let location = header("authorization", "Bearer ");
    for (value, stands) in [
        ("Bearer abc", true),
        ("Bearerabc", true),
        ("Bearer\tabc", true),
        ("Bearer:abc", true),
        ("\"Bearer abc\"", true),
        ("=Bearer abc", true),
        ("Basic eDp5, bearer abc", true),
        ("Basic eDp5,\t\"BEARER abc", true),
        ("Basic eDp5", false),
        ("Digest username=\"bearer\"", false),
        ("", false),
    ] {
        let headers = [(&b"authorization"[..], value.as_bytes())];
        assert_eq!(location.is_present_in(&Request::new(&headers)), stands, "{value}");
    }
}

/// A cookie was parsed to see its name, which took thirty million instructions for 60 KB of them.
#[test]
fn a_cookie_is_found_by_its_name_whatever_is_around_it() {
    let location = CredentialLocation::Cookie("ab".into());
    let holds = |header: &[u8], found: &Found<'_>| {
        location.find(&Request::new(&[(&b"cookie"[..], header)]), false) == *found
    };
    for header in
        ["ab=1", " ab =1", "a=2;ab=\"1\"", "\u{a0}ab\u{a0}= 1 ", "ab=1;ab=", ";;=;ab;ab=1", "ab=1;abc=2;Ab=3"]
    {
        assert!(holds(header.as_bytes(), &one("1")), "{header:?}");
    }
    for header in ["", "ab", "=ab", "a b=1", "ab\u{e9}=1", "ab=", "ab=\"\""] {
        assert!(holds(header.as_bytes(), &Found::Nothing), "{header:?}");
    }
    assert!(holds(b"ab=1;a=2;ab=1", &Found::Several));
    assert!(holds(b"ab=\xff", &one("\u{fffd}")), "mangled, it is still there");
}
