use super::normalized;

#[test]
fn uris_that_are_the_same_have_one_form() {
    for (uri, normal) in [
        ("https://api.example.com/items", Some("https://api.example.com/items")),
        ("HTTPS://API.Example.com:443/items?a=b#c", Some("https://api.example.com/items")),
        ("http://api.example.com:80", Some("http://api.example.com/")),
        ("http://api.example.com:443/", Some("http://api.example.com:443/")),
        ("https://api.example.com?x", Some("https://api.example.com/")),
        ("https://[2001:DB8::1]:8443/a", Some("https://[2001:db8::1]:8443/a")),
        ("https://a/%7euser/%c3%a9", Some("https://a/~user/%C3%A9")),
        ("https://a/Items", Some("https://a/Items")),
        ("https://a/items/", Some("https://a/items/")),
        ("https://user@a/items", None),
        ("ftp://a/items", None),
        ("/items", None),
        ("https:///items", None),
        ("https://a/%4", None),
        ("https://a/%zz", None),
        ("https://a/\u{e9}", None),
        ("https://a/b c", None),
        ("", None),
    ] {
        assert_eq!(normalized(uri).as_deref(), normal, "{uri}");
    }
}
