//! What finding the rule for a request costs, in instructions of the module: at most ten times what it
//! costs for a short path, whatever rules there are, whatever the path, and however long it is.

use lychgate_tests::envoy::root;
use lychgate_tests::vm::{Image, Machine, Outcome, State};
use serde_json::{Value, json};

/// How many rules there are of each kind.
const RULES: usize = 1000;

fn start(image: &Image, policy: &Value) -> Machine {
    let mut state = State::default();
    state.configuration = policy.to_string().into_bytes();
    image.start(state).unwrap_or_else(|failure| panic!("{failure:?}"))
}

fn rules(of: impl Fn(usize) -> Value) -> Value {
    // None of them lets a path be done with early, because none is for its method.
    let rule = |number| {
        let mut condition = of(number);
        condition["methods"] = json!(["PUT"]);
        json!({"match": condition, "security": []})
    };
    json!({"rules": (0..RULES).map(rule).collect::<Vec<_>>()})
}

/// A document with as many paths as rules.
fn document(path: impl Fn(usize) -> String) -> Value {
    let item = || json!({"put": {"security": []}});
    let paths: serde_json::Map<_, _> = (0..RULES).map(|number| (path(number), item())).collect();
    json!({"openapi": {"document": {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}}})
}

fn kinds() -> Vec<(&'static str, Value)> {
    let path = |of: &dyn Fn(usize) -> String| rules(|number| json!({"path": of(number)}));
    let regex = |of: &dyn Fn(usize) -> String| rules(|number| json!({"regex": of(number)}));
    let parameters = |count: usize| (0..count).map(|number| format!("{{p{number}}}/")).collect::<String>();
    vec![
        ("Twilio's templates", document(|n| format!("/2010/Accounts/{{a}}/R{n}/{{s}}.json"))),
        ("beginnings of segments", path(&|n| format!("/{}{{x}}b{n}", "a".repeat(n % 30)))),
        ("ends of segments", path(&|n| format!("/a/{{x}}.{}{n}", "b".repeat(n % 30)))),
        ("between parameters", path(&|n| format!("/a{}/{{x}}-{{y}}.{}", n % 100, "b".repeat(1 + n / 100)))),
        ("templates", path(&|n| format!("/a/{{b}}/c{n}/{{d}}"))),
        ("deep templates", path(&|n| format!("/{}{n}", parameters(n % 20)))),
        ("prefixes", rules(|n| json!({"prefix": format!("/a/{}{n}", "a/".repeat(n % 20))}))),
        ("expressions", regex(&|n| format!(r"/api/v[0-9]+/r{n}/[^/]+/x\.json"))),
        ("expressions that go on", regex(&|n| format!("/r{n}/.*x"))),
        ("expressions that branch", regex(&|n| format!("/(a|aa)+/{n}"))),
    ]
}

/// Paths of so many bytes that lead far into the rules.
fn paths(length: usize) -> Vec<String> {
    let fill = |begin: &str, text: &str, end: &str| {
        let times = length.saturating_sub(begin.len() + end.len()) / text.len();
        format!("{begin}{}{end}", text.repeat(times))
    };
    vec![
        fill("/", "a", ""),
        fill("", "/a", ""),
        fill("/", "a", "b7"),
        fill("/2010/Accounts/", "a", ""),
        fill("/2010/Accounts/AC1/R7/", "a", ".jso"),
        fill("/2010/Accounts/AC1/R7/", ".json", ""),
        fill("/a7/", "-", ".bbb"),
        fill("/a7/", "x-y.b", "."),
        fill("/a/", "b", ".bbbb7"),
        fill("", "/a", "/b7"),
        fill("/api/v", "1", "/r7"),
        fill("/api/v1/r7/", "x", "/x.json"),
        fill("/r7/", "xy", "x"),
        fill("/", "a", "/7"),
        fill("/", "%61", ""),
        fill("", "/%61", ""),
        fill("/a7/", "a%61", ""),
        fill("/r7/", "a%61", ""),
        fill("/r7/", "%C3%A4", "x"),
        fill("/r7/", "\u{e4}", "x"),
        fill("/%61", "/a", ""),
        fill("/", ".a", ""),
    ]
}

/// The instructions of a request, and its status.
fn cost(machine: &mut Machine, path: &str) -> (u64, u32) {
    let headers = [(":method", "GET"), (":path", path), (":authority", "a.example")];
    // The first one makes what the others find ready.
    machine.request(&headers);
    let before = machine.instructions();
    let status = match machine.request(&headers) {
        Outcome::Answered(response) => response.status,
        other => panic!("{other:?}"),
    };
    (machine.instructions() - before, status)
}

#[test]
fn a_long_path_costs_at_most_ten_times_what_a_short_one_costs() {
    let image = Image::load(&root().join("dist/lychgate.wasm"), true);
    let (mut failures, mut worst) = (Vec::new(), 0);
    for (kind, policy) in kinds() {
        let mut machine = start(&image, &policy);
        let (short, status) = cost(&mut machine, "/a");
        assert_eq!(status, 403, "{kind}: no rule is for it");
        for length in [100, 300, 512, 768, 1024, 1536, 2048, 2560, 4096, 8192, 60_000] {
            for path in paths(length) {
                let (long, status) = cost(&mut machine, &path);
                worst = worst.max(long * 10 / short);
                let beginning: String = path.chars().take(40).collect();
                assert!(matches!(status, 403 | 414), "{kind}, {beginning}: {status}");
                assert!(length <= 2048 || status == 414, "{kind}, {length} bytes, {beginning}: {status}");
                if long > 10 * short {
                    failures.push(format!("{kind}, {length} bytes, {beginning}: {long} against {short}"));
                }
            }
        }
        println!("matching: {kind}: a short path costs {short} instructions");
    }
    println!("matching: the worst path costs {}.{} times as much", worst / 10, worst % 10);
    assert!(failures.is_empty(), "{failures:#?}");
}
