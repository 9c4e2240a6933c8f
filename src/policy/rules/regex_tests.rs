use proptest::prelude::*;
use regex_lite::Regex;

use super::automaton::{Automaton, Reading};
use super::{MOST_CELLS, Nfa, Pattern, Regexes};

/// What the crate says whose syntax this is, anchored as a rule is.
fn said_by_the_crate(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()?;
    Regex::new(&format!("^(?:{pattern})$")).ok()
}

#[test]
fn what_people_write_means_what_it_does_elsewhere() {
    for (pattern, matches, others) in [
        ("/v[0-9]+/items/.*", &["/v1/items/", "/v12/items/a/b"][..], &["/v/items/", "/v1/items"][..]),
        ("^/a$", &["/a"], &["/ab", "/"]),
        ("/a|/b", &["/a", "/b"], &["/ab"]),
        ("(?i)/admin(/.*)?", &["/ADMIN", "/admin/", "/Admin/x"], &["/administrator"]),
        (r"/files/[^/]+\.(png|jpe?g)", &["/files/a.png", "/files/ä.jpg"], &["/files/.png", "/files/a/b.png"]),
        (r"/\d{4}-\d{2}", &["/2024-01"], &["/2024-1", "/20244-01"]),
        (r"/[[:alpha:]_-]{2,3}", &["/ab", "/a-_"], &["/a", "/abcd"]),
        (r"/\bfoo\b.*", &["/foo", "/foo-x"], &["/foobar"]),
        ("/.", &["/é", "/x"], &["/", "/éé"]),
        ("/(?P<id>[a-f0-9]+)(?:/edit)?", &["/ff", "/0/edit"], &["/g"]),
    ] {
        let own = Pattern::new(pattern).unwrap();
        let crates = said_by_the_crate(pattern).unwrap();
        for (paths, does) in [(matches, true), (others, false)] {
            for path in paths {
                assert_eq!(own.matches(path), does, "{pattern} {path}");
                assert_eq!(crates.is_match(path), does, "{pattern} {path}");
            }
        }
    }
}

#[test]
fn what_is_no_expression_is_refused() {
    for pattern in [
        "/a(",
        "/a)",
        "/a)|(/b",
        "*",
        "a|*",
        "(?)",
        "(?i",
        "(?q)a",
        "(?i-)a",
        "(?ii)a",
        "(?=a)",
        "(?<!a)",
        "[a",
        "[]",
        "[b-a]",
        "[a-\\d]",
        "[a&&b]",
        "[[a]]",
        "a{",
        "a{x}",
        "a{2,1}",
        "a{,3}",
        "\\",
        "\\1",
        "\\pL",
        "\\e",
        "\\x",
        "\\xg0",
        "\\x{}",
        "\\x{110000}",
        "(?P<a>x)(?P<a>y)",
        "(?P<1>x)",
        "(?P<a",
        "\\b{x}",
    ] {
        assert!(Regex::new(pattern).is_err(), "{pattern}");
        assert!(Pattern::new(pattern).is_err(), "{pattern}");
    }
    let deep = format!("{}a{}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(Pattern::new(&deep).err(), Some("too deep"));
    assert_eq!(Pattern::new(&format!("a{}", "*".repeat(10_000))).err(), Some("too deep"));
}

fn automaton(patterns: &[&str]) -> Option<Automaton> {
    let mut nfa = Nfa::default();
    for pattern in patterns {
        nfa.add(Pattern::new(pattern).unwrap().ast(), false).ok()?;
    }
    Automaton::new(&nfa, MOST_CELLS).ok()
}

#[test]
fn what_grows_beyond_all_bounds_is_refused_and_soon() {
    for pattern in
        ["(a{0,1000}){0,1000}", "(?:.{1000}){1000}", ".*[ab].{40}", "(){4000000000}{4000000000}x{200000}"]
    {
        assert!(automaton(&[pattern]).is_none(), "{pattern}");
        let pattern = Pattern::new(pattern).unwrap();
        assert_eq!(Regexes::new(&[(7, &pattern, false)]).err(), Some(7));
    }
}

#[test]
fn a_thousand_expressions_are_one_automaton() {
    let kinds: [&dyn Fn(usize) -> String; 4] = [
        &|n| format!(r"/api/v[0-9]+/r{n}/[^/]+/x\.json"),
        &|n| format!("/service-{n}/([a-z0-9-]+)/items/[0-9a-f]{{8}}-[0-9a-f]{{4}}(/.*)?"),
        &|n| format!("/r{n}/.*x"),
        &|n| format!("^/(a|aa)+/{n}$"),
    ];
    for kind in kinds {
        let patterns: Vec<_> = (0..1000).map(|n| Pattern::new(&kind(n)).unwrap()).collect();
        let numbered: Vec<_> = patterns.iter().enumerate().map(|(n, own)| (n, own, false)).collect();
        assert_eq!(Regexes::new(&numbered).unwrap().0.len(), 1, "{}", kind(0));
    }
}

#[test]
fn expressions_too_large_for_one_automaton_are_shared_out() {
    let patterns: Vec<_> = (0..24).map(|n| Pattern::new(&format!(".*/x{n}y/.*")).unwrap()).collect();
    let numbered =
        |settles| -> Vec<_> { patterns.iter().enumerate().map(|(n, own)| (n, own, settles)).collect() };
    // Each that was met before must be known, unless it leaves nothing to those behind it.
    assert_eq!(Regexes::new(&numbered(true)).unwrap().0.len(), 1);
    let shared = Regexes::new(&numbered(false)).unwrap();
    assert!(shared.0.len() > 1);
    let find = |path: &str| {
        let mut reading = Reading::of(path.len(), 2048);
        shared.find(path, usize::MAX, &mut reading, |number| number % 2 == 1).unwrap()
    };
    assert_eq!(find("/x20y/x3y/x12y/x21y/"), 3);
    assert_eq!(find("/x20y/x12y/x21y/"), 21);
    assert_eq!(find("/x20y/x12y/"), usize::MAX);
}

#[test]
fn what_is_not_decided_in_time_is_said_to_be_so() {
    let automaton = automaton(&["/files/.*", "/raw/[^/]+/x"]).unwrap();
    let long = "a".repeat(5000);
    let asked = |path: String| {
        let mut reading = Reading::of(path.len(), 2048);
        automaton.matches(&path, &mut reading).map(<[u32]>::to_vec)
    };
    assert_eq!(asked(format!("/files/{long}")), Ok(vec![0]));
    assert_eq!(asked(format!("/other/{long}")), Ok(vec![]));
    assert!(asked(format!("/raw/{long}/x")).is_err());
    assert_eq!(asked("/raw/a/x".into()), Ok(vec![1]));
}

/// Pieces of expressions, so that most of what comes of them is one.
fn pattern() -> impl Strategy<Value = String> {
    let pieces = vec![
        "a",
        "b",
        "/",
        "-",
        "é",
        ".",
        "ab",
        "[ab]",
        "[^/]",
        "[^a-c/]",
        "[-a]",
        "[]a]",
        "[a-]",
        "\\d",
        "\\w",
        "\\W",
        "\\s",
        "[\\w-]",
        "[[:digit:]a]",
        "[[:^alpha:]]",
        "^",
        "$",
        "\\b",
        "\\B",
        "\\<",
        "\\>",
        "\\b{start-half}",
        "\\b{end}",
        "\\A",
        "\\z",
        "(",
        ")",
        "(?:",
        "(?i)",
        "(?i:",
        "(?s-i:",
        "(?x) ",
        "(?P<n>",
        "|",
        "?",
        "*",
        "+",
        "*?",
        "{2}",
        "{0,2}",
        "{1,}",
        "{ 1 , 2 }",
        "\\x61",
        "\\x{e9}",
        "\\u0062",
        "\\.",
        "\\/",
        " ",
        "1",
        "_",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..9).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// The syntax and the meaning are those of the crate.
    #[test]
    fn an_expression_is_what_the_crate_says_it_is(
        pattern in pattern(),
        texts in prop::collection::vec("[ab/é1_ -]{0,5}", 12),
    ) {
        let crates = said_by_the_crate(&pattern);
        let own = Pattern::new(&pattern).ok();
        prop_assert_eq!(own.is_some(), crates.is_some(), "{}", pattern);
        if let (Some(own), Some(crates)) = (own, crates) {
            for text in texts {
                prop_assert_eq!(own.matches(&text), crates.is_match(&text), "{} {:?}", pattern, text);
            }
        }
    }
}

/// A rule without the slash, or with the query in it, was for no path at all, and was taken without a word.
#[test]
fn an_expression_that_no_path_can_match_is_told_apart() {
    for (pattern, can) in [
        ("/a", true),
        ("^/a$", true),
        ("(?:/a|b)", true),
        (".*", true),
        ("[^a]b", true),
        ("a?/b", true),
        ("(?:a{0})/b", true),
        (r"\b/a", true),
        ("a", false),
        ("a|b", false),
        ("(?:a|b)?c/d", false),
        ("[a-c]*d", false),
        ("^a/", false),
        ("", false),
        ("(?:/a){0}", false),
    ] {
        assert_eq!(Pattern::new(pattern).unwrap().can_begin_a_path(), can, "{pattern}");
    }
    for (pattern, names) in [
        (r"/a\?b=1", true),
        ("/a[?]b=1", true),
        (r"/a(?:\?.*)?", true),
        ("/ab?", false),
        ("/a.*", false),
        ("/a[^/]b", false),
    ] {
        assert_eq!(Pattern::new(pattern).unwrap().names_a_query(), names, "{pattern}");
    }
}
