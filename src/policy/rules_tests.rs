use proptest::prelude::*;

use super::{Asked, HostPattern, Narrowing, PathMatcher, Rule, Rules, Undecided, host_of};
use crate::host::InMemoryHost;
use crate::policy::Requirement;

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
    let segment = prop_oneof![
        3 => Just("a".to_owned()), 3 => Just("b".to_owned()), 2 => Just("c".to_owned()), 1 => Just(String::new()),
        3 => "[abé.]{1,6}",
    ];
    prop::collection::vec(segment, 0..4).prop_map(|segments| format!("/{}", segments.join("/")))
}

/// Segments of templates that begin, end and go on alike.
const SEGMENTS: [&str; 24] = [
    "a",
    "b",
    "{x}",
    "",
    "a{x}",
    "ab{x}",
    "aa{x}",
    "{x}b",
    "{x}ab",
    "{x}.b",
    "a{x}b",
    "ab{x}ba",
    "{x}{y}",
    "a{x}{y}b",
    "{x}b{y}",
    "{x}.{y}",
    "a{x}b{y}",
    "{x}é{y}a{z}",
    "{x}b{y}{z}b",
    "{x}bb{y}",
    "aa{x}a{y}aa",
    // The rest of the path, or where another segment comes behind it, as many as it takes.
    "{x:path}",
    "{x:path}",
    "a{x:path}b",
];

fn rule() -> impl Strategy<Value = Rule> {
    let template = prop::collection::vec(prop::sample::select(SEGMENTS.as_slice()), 1..4)
        .prop_map(|segments| PathMatcher::template(&format!("/{}", segments.join("/"))).unwrap());
    let regex = prop_oneof![Just("/a.*"), Just("/b|/c"), Just("/.*/c"), Just("/[ab]+(/.*)?"), Just(".*b")]
        .prop_map(|pattern| PathMatcher::regex(pattern).unwrap());
    let path =
        prop_oneof![4 => template, 2 => path().prop_map(|path| PathMatcher::prefix(&path)), 1 => regex];
    let methods = prop::option::of(prop_oneof![Just(vec!["GET".to_owned()]), Just(vec!["PUT".to_owned()])]);
    let hosts = prop::option::of(prop_oneof![Just("a.example"), Just("*.example")])
        .prop_map(|host| host.map(|host| vec![HostPattern::new(host)]));
    (path, methods, hosts).prop_map(|(path, methods, hosts)| Rule { methods, hosts, ..Rule::new(path) })
}

#[test]
fn parameters_within_a_segment_are_not_empty_and_share_nothing() {
    for (template, matches, others) in [
        ("/{a}.json", &["/x.json", "/.json.json", "/é.json"][..], &["/.json", "/x.jso", "/x/y.json"][..]),
        ("/v{n}", &["/v1", "/vv"], &["/v", "/x1"]),
        ("/aa{x}aa", &["/aaxaa", "/aaaaa"], &["/aaaa", "/aaa"]),
        ("/{a}-{b}", &["/a-b", "/a--", "/---", "/a-b-c"], &["/-b", "/a-", "/--", "/ab"]),
        ("/{a}{b}", &["/ab", "/aé"], &["/a", "/é"]),
        ("/{z}@{scale}x.{format}", &["/7@2x.png", "/7@@2x..x.png"], &["/7@x.png", "/@2x.png", "/7@2x."]),
        ("/f(a={a},b={b})", &["/f(a=1,b=2)"], &["/f(a=,b=2)", "/f(a=1,b=2", "/f(a=1)"]),
    ] {
        let rules = Rules::new(vec![Rule::new(PathMatcher::template(template).unwrap())], 2048).unwrap();
        for (paths, does) in [(matches, true), (others, false)] {
            for path in paths {
                assert_eq!(PathMatcher::template(template).unwrap().matches(path), does, "{template} {path}");
                assert_eq!(rules.find(b"GET", b"", path).unwrap().is_some(), does, "{template} {path}");
            }
        }
    }
}

#[test]
fn rules_that_one_path_could_match_in_too_many_ways_are_refused() {
    // Each segment this or anything: as many ways through them as there are rules.
    let rule = |number: usize| {
        let segments: Vec<_> = (0..10).map(|bit| if number >> bit & 1 == 1 { "a" } else { "{x}" }).collect();
        Rule::new(PathMatcher::template(&format!("/{}/{number}", segments.join("/"))).unwrap())
    };
    assert!(Rules::new((0..32).map(rule).collect(), 2048).is_ok());
    let refused = Rules::new((0..1024).map(rule).collect(), 2048).unwrap_err();
    assert!(refused.why.contains("too many templates"), "{refused:?}");
    // Whatever is between two parameters may be in any segment.
    let rule = |number: usize| Rule::new(PathMatcher::template(&format!("/{{a}}x{number}y{{b}}")).unwrap());
    assert!(Rules::new((0..8).map(rule).collect(), 2048).is_ok());
    let refused = Rules::new((0..100).map(rule).collect(), 2048).unwrap_err();
    assert!(refused.why.contains("several parameters"), "{refused:?}");
}

#[test]
fn a_rule_that_needs_more_reading_than_there_may_be_is_not_passed_over() {
    let rule = |pattern: &str| Rule::new(PathMatcher::regex(pattern).unwrap());
    let rules = vec![
        Rule::new(PathMatcher::prefix("/public")),
        rule(".*/secret"),
        Rule::new(PathMatcher::prefix("/")),
    ];
    let rules = Rules::new(rules, 2048).unwrap();
    let long = "a".repeat(5000);
    let find = |path: String| rules.find(b"GET", b"", &path).map(|found| found.unwrap().0);
    assert_eq!(find(format!("/public/{long}")), Ok(0), "no rule before it matters");
    assert_eq!(find(format!("/{long}/secret")), Err(Undecided::Reading));
    assert_eq!(find(format!("/{long}")), Err(Undecided::Reading));
    let rules = Rules::new(vec![Rule::new(PathMatcher::template("/{a}-{b}").unwrap())], 2048).unwrap();
    assert_eq!(rules.find(b"GET", b"", &format!("/{long}")).err(), Some(Undecided::Reading));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Tree and automaton are for speed: what they find is what trying every rule in order finds.
    #[test]
    fn the_tree_finds_the_first_rule_that_matches(
        rules in prop::collection::vec(rule(), 0..12),
        asked in prop::collection::vec((path(), prop_oneof![Just("GET"), Just("PUT")],
                                        prop_oneof![Just("a.example"), Just("b.example"), Just("x")]), 12),
    ) {
        let rules = Rules::new(rules, 2048).unwrap();
        for (path, method, host) in asked {
            let scanned = rules.rules.iter().position(|rule| {
                rule.path.matches(&path)
                    && rule.methods.as_ref().is_none_or(|own| own.iter().any(|own| own == method))
                    && rule.hosts.as_ref().is_none_or(|own| own.iter().any(|own| own.matches(host)))
            });
            let found = rules.find(method.as_bytes(), host.as_bytes(), &path);
            let found = found.map(|found| found.map(|(number, _)| number));
            prop_assert_eq!(found, Ok(scanned), "{} {} {}", method, host, path);
        }
    }
}

/// A deny for a network would have been passed over for a client whose address the host does not tell.
#[test]
fn a_rule_for_networks_is_not_passed_over_where_the_client_is_unknown() {
    let inside = || {
        let client = Some(vec!["10.0.0.0/8".parse().unwrap()]);
        Some(Box::new(Narrowing { client, ..Narrowing::default() }))
    };
    let rule = |path: &str, narrowing| Rule { narrowing, ..Rule::new(PathMatcher::prefix(path)) };
    let rules = vec![rule("/open", None), rule("/", inside()), rule("/", None)];
    let rules = Rules::new(rules, 2048).unwrap();
    let find = |path: &str, client: Option<&str>| {
        let host = InMemoryHost::at(0);
        *host.address.borrow_mut() = client.map(str::to_owned);
        let asked = Asked { host: Some(&host), ..Asked::of(b"GET", b"", path) };
        rules.find_for(&asked).map(|found| found.unwrap().0)
    };
    assert_eq!(find("/x", Some("10.1.2.3")), Ok(1));
    assert_eq!(find("/x", Some("11.1.2.3")), Ok(2));
    assert_eq!(find("/x", None), Err(Undecided::Client));
    assert_eq!(find("/open/x", None), Ok(0), "it is not asked after");
}

/// A public operation gave its neighbour's path to requests that meant a secured one, which came after it by name.
#[test]
fn of_two_neighbours_the_one_that_needs_a_credential_comes_first() {
    let rule = |path: &str, requirement: Requirement| Rule {
        requirement: Some(requirement),
        ..Rule::new(PathMatcher::template(path).unwrap())
    };
    let (public, secured) = (Requirement::new(Vec::new()), Requirement::denied());
    let rules = vec![rule("/A/B", public.clone()), rule("/a/b", secured), rule("/c", public)];
    let rules = Rules::with_beyond(rules, 3, Some(0), 2048).unwrap();
    let find = |path: &str| rules.find(b"GET", b"", path).unwrap().map(|(number, _)| number);
    for (path, number) in [("/A/B", 0), ("/a/b", 1), ("/a/b/", 1), ("/A/b", 1), ("/C/", 2)] {
        assert_eq!(find(path), Some(number), "{path}");
    }
}
