//! A path, and how much looking its rule up takes, in steps that are counted: places of the tree, and
//! bytes that automata read.

use lychgate::config::PathConfig;
use lychgate::normal_path::NormalPath;
use lychgate::policy::{PathMatcher, Rule, Rules};

/// How many rules there are of each kind.
const RULES: usize = 1000;

thread_local! {
    static KINDS: Vec<Rules> = kinds();
}

fn kinds() -> Vec<Rules> {
    let template = |of: &dyn Fn(usize) -> String| rules(&|number| PathConfig::Template(of(number)));
    let regex = |of: &dyn Fn(usize) -> String| rules(&|number| PathConfig::Regex(of(number)));
    vec![
        template(&|number| format!("/2010/Accounts/{{a}}/R{number}/{{s}}.json")),
        template(&|number| format!("/a/{{b}}/c{}/{{d}}", "c".repeat(number % 40))),
        template(&|number| format!("/{}{{x}}b{number}", "a".repeat(number % 30))),
        template(&|number| format!("/a{}/{{x}}-{{y}}.{}", number % 100, "b".repeat(1 + number / 100))),
        rules(&|number| PathConfig::Prefix(format!("/a/b/{}{}", "a/".repeat(number % 20), number / 20))),
        regex(&|number| format!("/r{number}/[^/]+/x[0-9]{{2,4}}(/.*)?")),
        regex(&|number| format!("/(a|b)*/{number}")),
    ]
}

fn rules(of: &dyn Fn(usize) -> PathConfig) -> Rules {
    let rule = |number: usize| Rule {
        // None of them lets a path be done with early.
        methods: Some(vec!["NONE".into()]),
        ..Rule::new(PathMatcher::new(&of(number)).expect("a condition"))
    };
    Rules::new((0..RULES).map(rule).collect(), 8192).expect("not too many")
}

/// A few places for each segment, and each byte read once: whatever the rules are, a path costs what it is
/// long.
pub fn run(data: &[u8]) {
    let Ok(path) = NormalPath::of_target(data, 8192) else { return };
    let text = path.as_str();
    KINDS.with(|kinds| {
        for (kind, rules) in kinds.iter().enumerate() {
            let steps = rules.steps(b"GET", b"localhost", text);
            let most = 64 + 8 * text.matches('/').count().min(16) + text.len();
            assert!(steps <= most, "kind {kind}: {steps} steps for {} bytes, {text:?}", text.len());
        }
    });
}
