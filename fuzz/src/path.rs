//! A path, and the rule that is for it.

use std::cell::RefCell;

use lychgate::config::PathConfig;
use lychgate::normal_path::NormalPath;
use lychgate::policy::{HostPattern, PathMatcher, Rule, Rules};

/// Rules that overlap in every way that rules can.
const RULES: [(&str, &str, &str); 32] = [
    ("/health", "", ""),
    ("/items/{id}", "GET", ""),
    ("/items/{id}", "", "api.example.com"),
    ("/items/special", "", ""),
    ("/items/{id}/parts/{part}", "", ""),
    ("/items/{id}/parts/first", "", ""),
    ("/{any}", "DELETE", ""),
    ("prefix /admin", "", "*.example.com"),
    ("prefix /admin/", "", ""),
    ("prefix /items", "POST", ""),
    ("/items/", "", ""),
    ("regex /v[0-9]+/.*", "", ""),
    ("/v1/{x}", "", ""),
    ("/v2/{x}/y", "", "localhost"),
    ("/{a}/{b}/{c}", "PUT", ""),
    ("/a/b/c", "", ""),
    ("regex /(a|b)*/c", "", ""),
    ("prefix /a/b", "", "[::1]"),
    ("/", "", ""),
    ("/öffentlich/{id}", "", ""),
    ("prefix /", "GET", "example.org"),
    ("regex /.*", "TRACE", ""),
    ("/items/{id}.json", "", ""),
    ("prefix /it*", "PATCH", ""),
    ("prefix /items/*", "LOCK", ""),
    ("/items/{rest:path}", "PUT", ""),
    ("/items/{rest:path}/end", "DELETE", ""),
    ("/items/{id}:{verb}", "", ""),
    ("/items/v{major}.{minor}", "POST", ""),
    ("/items/v{major}.{minor}.json", "", ""),
    ("/{a}{b}/{c}é", "", ""),
    ("regex (?i)/ADMIN/[^/]+/x{2,3}", "", ""),
];

thread_local! {
    static ALL: Rules = Rules::new((0..RULES.len()).map(rule).collect(), 2048).expect("few rules");
    static EACH: RefCell<Vec<Rules>> =
        RefCell::new((0..RULES.len()).map(|number| Rules::new(vec![rule(number)], 2048).expect("one rule")).collect());
}

fn rule(number: usize) -> Rule {
    let (path, method, host) = RULES[number];
    let condition = match path.split_once(' ') {
        Some(("prefix", prefix)) => match prefix.strip_suffix('*') {
            Some(text) => PathConfig::Beginning(text.into()),
            None => PathConfig::Prefix(prefix.into()),
        },
        Some((_, regex)) => PathConfig::Regex(regex.into()),
        None => PathConfig::Template(path.into()),
    };
    let hosts = (!host.is_empty()).then(|| vec![HostPattern::new(host)]);
    let methods = (!method.is_empty()).then(|| vec![method.to_owned()]);
    let path = PathMatcher::new(&condition).expect("a condition");
    Rule { methods, hosts, ..Rule::new(path) }
}

/// A path that is taken has one reading, and the tree of rules finds what a walk along them does.
pub fn run(data: &[u8]) {
    let mut words = data.splitn(3, |&byte| byte == b' ');
    let (Some(method), Some(host), Some(raw)) = (words.next(), words.next(), words.next()) else { return };
    let Ok(path) = NormalPath::new(raw) else { return };
    let text = path.as_str();
    let segments: Vec<_> = text.split('/').collect();
    assert!(text.starts_with('/'), "{text:?}");
    assert!(!segments.iter().any(|&segment| segment == "." || segment == ".."), "{text:?}");
    assert!(!segments[1..segments.len() - 1].contains(&""), "{text:?}");
    assert!(!text.chars().any(|c| matches!(c, '\\' | ';' | '#' | '%' | '\0'..='\x1f' | '\x7f')), "{text:?}");
    let slashes = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte == b'/').count();
    assert_eq!(slashes(raw), slashes(text.as_bytes()), "{text:?}");
    let again = NormalPath::new(text.as_bytes()).expect("a normal path stays one");
    assert_eq!(again.as_str(), text);

    let name = |(_, rule): (usize, &Rule)| format!("{rule:?}");
    let Ok(by_tree) = ALL.with(|rules| rules.find(method, host, text).map(|found| found.map(name))) else {
        assert!(text.len() > 128, "{text:?} is too long");
        return;
    };
    let by_walk = EACH.with_borrow(|each| {
        each.iter().find_map(|rules| rules.find(method, host, text).ok().flatten()).map(name)
    });
    assert_eq!(by_tree, by_walk, "{text:?}");
}
