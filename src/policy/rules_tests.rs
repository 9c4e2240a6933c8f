use super::{HostPattern, PathMatcher, host_of};

#[test]
fn a_regex_is_anchored_whatever_it_holds() {
    let regex = PathMatcher::regex("/a|/b").unwrap();
    assert!(regex.matches("/a") && regex.matches("/b"));
    assert!(!regex.matches("/ab") && !regex.matches("x/b") && !regex.matches("/a\n"));
    // A group closed early would leave the second half without anchors.
    assert!(PathMatcher::regex("/a)|(/b").is_err());
}

#[test]
fn a_host_is_compared_without_case_port_and_root() {
    for (authority, host) in [
        ("Example.COM", "example.com"),
        ("example.com:443", "example.com"),
        ("example.com.:443", "example.com"),
        ("[::1]:80", "[::1]"),
        ("[::1]", "[::1]"),
        ("example.com:", "example.com"),
        ("example.com:x", "example.com:x"),
        ("", ""),
    ] {
        assert_eq!(host_of(authority.as_bytes()), host);
    }
    let wild = HostPattern::new("*.example.com");
    assert!(wild.matches("a.example.com") && !wild.matches("example.com") && !wild.matches(".example.com"));
}
