use proptest::prelude::*;

use super::{HostPattern, PathMatcher, Rule, Rules, host_of};

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

/// Few words, so that rules overlap.
fn path() -> impl Strategy<Value = String> {
    let segment = prop_oneof![Just("a"), Just("b"), Just("c"), Just("")];
    prop::collection::vec(segment, 0..4).prop_map(|segments| format!("/{}", segments.join("/")))
}

fn rule() -> impl Strategy<Value = Rule> {
    let template = prop::collection::vec(prop_oneof![Just("a"), Just("b"), Just("{x}"), Just("")], 1..4)
        .prop_map(|segments| PathMatcher::template(&format!("/{}", segments.join("/"))));
    let regex = prop_oneof![Just("/a.*"), Just("/b|/c"), Just("/.*/c")]
        .prop_map(|pattern| PathMatcher::regex(pattern).unwrap());
    let path =
        prop_oneof![4 => template, 2 => path().prop_map(|path| PathMatcher::prefix(&path)), 1 => regex];
    let methods = prop::option::of(prop_oneof![Just(vec!["GET".to_owned()]), Just(vec!["PUT".to_owned()])]);
    let hosts = prop::option::of(prop_oneof![Just("a.example"), Just("*.example")])
        .prop_map(|host| host.map(|host| vec![HostPattern::new(host)]));
    (path, methods, hosts).prop_map(|(path, methods, hosts)| Rule {
        path,
        methods,
        hosts,
        requirement: None,
        name: String::new(),
        is_named: false,
        mode: None,
    })
}

proptest! {
    /// The index is for speed: what it finds is what trying every rule in order finds.
    #[test]
    fn the_index_finds_the_first_rule_that_matches(
        rules in prop::collection::vec(rule(), 0..12),
        asked in prop::collection::vec((path(), prop_oneof![Just("GET"), Just("PUT")],
                                        prop_oneof![Just("a.example"), Just("b.example"), Just("x")]), 12),
    ) {
        let rules = Rules::new(rules);
        for (path, method, host) in asked {
            let scanned = rules.rules.iter().position(|rule| {
                rule.path.matches(&path)
                    && rule.methods.as_ref().is_none_or(|own| own.iter().any(|own| own == method))
                    && rule.hosts.as_ref().is_none_or(|own| own.iter().any(|own| own.matches(host)))
            });
            let found = rules.find(method.as_bytes(), host.as_bytes(), &path);
            let found = found.map(|(number, _)| number);
            prop_assert_eq!(found, scanned, "{} {} {}", method, host, path);
        }
    }
}
