//! A document that is made of the input, with references, servers and templates, before the importer and before a
//! second reading: what was put in is what must hold.

use lychgate::normal_path::NormalPath;
use lychgate::policy::{Asked, Policy, Requirement};
use serde_json::{Map, Value, json};

/// Servers, and the base paths that they give.
const SERVERS: [(&str, &[&str]); 8] = [
    ("/", &[""]),
    ("https://api.example.com/v1/", &["/v1"]),
    ("//api.example.com/v1", &["/v1"]),
    ("/{version}", &["/v1", "/v2"]),
    ("{endpoint}/deep/er", &["/deep/er"]),
    ("https://{unknown}.example.com:{port}/v3", &["/v3"]),
    ("relative", &["/relative"]),
    ("./v4/", &["/v4"]),
];

/// Segments of templates, a segment that each matches, and how much each leaves open.
const SEGMENTS: [(&str, &str, u8); 8] = [
    ("a", "a", 0),
    ("b", "b", 0),
    ("b.json", "b.json", 0),
    ("{x}", "q", 2),
    ("{y}", "q", 2),
    ("{x}.json", "q.json", 1),
    ("c-{x}", "c-q", 1),
    ("{rest+}", "q/q", 3),
];

/// Requirements, and what they are called here: their number; the one behind them is none.
const NEEDS: [&str; 5] =
    ["[]", r#"[{"key": []}]"#, r#"[{"key": ["admin"]}]"#, r#"[{"key": ["admin"]}, {"other": []}]"#, "[{}]"];

const METHODS: [&str; 4] = ["get", "put", "head", "delete"];

/// The bytes of the input, one after the other, and zeros behind them.
struct Choices<'d>(&'d [u8]);

impl Choices<'_> {
    fn below(&mut self, bound: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % bound
    }
}

/// An operation as it was put in.
struct Operation {
    method: String,
    /// Segments, each with how much it leaves open.
    template: Vec<(String, u8)>,
    /// A path of it.
    sample: String,
    need: usize,
}

/// What is put in is what holds.
pub fn run(data: &[u8]) {
    let mut choices = Choices(data);
    let (document, operations) = document(&mut choices);
    let configuration = json!({
        "schemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "all"},
            "other": {"type": "apiKey", "in": "header", "name": "X-Other", "api_keys": "all"},
        },
        "api_keys": {"all": []},
        "openapi": {"document": document, "unsecured": "public"},
        "security": [],
    });
    let compiled = Policy::compile(configuration.to_string().as_bytes(), &|_| None);
    let clash = operations.iter().enumerate().find(|(number, own)| {
        let is_other = |other: &&Operation| other.is_alike(own) && other.need != own.need;
        operations.iter().take(*number).any(|other| is_other(&other))
    });
    let policy = match (compiled, clash) {
        (Ok(compiled), None) => compiled.policy,
        (Err(errors), Some(_)) => {
            assert!(
                errors.iter().all(|error| error.message.contains("needs something else")),
                "{document}: {errors:?}"
            );
            return;
        }
        (Ok(_), Some((_, own))) => panic!("{document}: two needs of {} {} are taken", own.method, own.sample),
        (Err(errors), None) => panic!("{document}: {errors:?}"),
    };
    for asked in &operations {
        let method = asked.method.to_ascii_uppercase();
        let path = NormalPath::new(asked.sample.as_bytes()).expect("plain");
        // GET covers HEAD at a path that names none.
        let covers = |own: &Operation| {
            own.method == "get"
                && asked.method == "head"
                && !operations.iter().any(|other| other.method == "head" && other.unnamed() == own.unnamed())
        };
        let matching = operations
            .iter()
            .filter(|own| (own.method == asked.method || covers(own)) && own.matches(&asked.sample));
        let first = matching.min_by_key(|own| own.template.iter().map(|(_, open)| *open).collect::<Vec<_>>());
        let need = first.expect("its own").need;
        let request = Asked::of(method.as_bytes(), b"localhost", path.as_str());
        let (_, found) = policy.requirement(&request).expect("decided without a request");
        assert_eq!(
            told(found.expect("a default is there")),
            told_of(need),
            "{document}: {method} {}",
            asked.sample
        );
    }
}

/// Whether a request without a credential passes, and the scheme and scopes of each term of each alternative.
type Told = (bool, Vec<Vec<(usize, Vec<String>)>>);

/// What a compiled requirement is.
fn told(requirement: &Requirement) -> Told {
    let alternatives = requirement.alternatives().iter();
    let terms =
        alternatives.map(|own| own.terms.iter().map(|term| (term.scheme.0, term.scopes.clone())).collect());
    (requirement.allows_anonymous(), terms.collect())
}

/// The same of a requirement as it was put in.
fn told_of(need: usize) -> Told {
    let admin = || vec![(0, vec!["admin".to_owned()])];
    match need {
        // `[]` and `[{}]` let the same requests pass, and what nothing is said of is public here.
        0 | 4 | 5 => (true, Vec::new()),
        1 => (false, vec![vec![(0, Vec::new())]]),
        2 => (false, vec![admin()]),
        _ => (false, vec![admin(), vec![(1, Vec::new())]]),
    }
}

impl Operation {
    fn matches(&self, path: &str) -> bool {
        let mut asked = path.split('/').skip(1);
        for (segment, open) in &self.template {
            if *open == 3 {
                return asked.next().is_some();
            }
            let Some(own) = asked.next() else { return false };
            let fits = match (segment.split_once('{'), *open) {
                (Some((before, after)), 1) => {
                    let behind = after.split_once('}').expect("a brace").1;
                    own.len() > before.len() + behind.len()
                        && own.starts_with(before)
                        && own.ends_with(behind)
                }
                (Some(_), _) => !own.is_empty(),
                (None, _) => own == segment,
            };
            if !fits {
                return false;
            }
        }
        asked.next().is_none()
    }

    /// Whether the same requests are for both.
    fn is_alike(&self, other: &Self) -> bool {
        self.method == other.method && self.unnamed() == other.unnamed()
    }

    /// Its template without the names of parameters.
    fn unnamed(&self) -> Vec<(String, u8)> {
        let segment = |(text, open): &(String, u8)| match text.split_once('{') {
            Some((before, after)) => {
                (format!("{before}*{}", after.split_once('}').expect("a brace").1), *open)
            }
            None => (text.clone(), *open),
        };
        self.template.iter().map(segment).collect()
    }
}

fn document(choices: &mut Choices<'_>) -> (Value, Vec<Operation>) {
    let mut operations = Vec::new();
    let (mut paths, mut items, mut elsewhere) = (Map::new(), Map::new(), Map::new());
    let root_need = choices.below(NEEDS.len() + 1);
    let (root_servers, root_bases) = servers(choices);
    for number in 0..=choices.below(5) {
        let (path, template, sample) = template(choices);
        // A query or a fragment is no part of it.
        let path = format!("{path}{}", ["", "?a=b", "#two"][choices.below(3)]);
        if paths.contains_key(&path) {
            continue;
        }
        let mut item = Map::new();
        let (item_servers, item_bases) = if choices.below(4) == 0 { servers(choices) } else { (None, None) };
        item.extend(item_servers.map(|servers| ("servers".to_owned(), servers)));
        for _ in 0..=choices.below(2) {
            let method = METHODS[choices.below(METHODS.len())];
            if item.contains_key(method) {
                continue;
            }
            let mut operation = Map::from_iter([("responses".to_owned(), json!({}))]);
            let need = choices.below(NEEDS.len() + 1);
            if need < NEEDS.len() {
                operation.insert("security".into(), serde_json::from_str(NEEDS[need]).expect("JSON"));
            }
            let (own_servers, own_bases) =
                if choices.below(5) == 0 { servers(choices) } else { (None, None) };
            operation.extend(own_servers.map(|servers| ("servers".to_owned(), servers)));
            let need = [need, root_need].into_iter().find(|need| *need < NEEDS.len()).unwrap_or(NEEDS.len());
            let bases = [own_bases, item_bases, root_bases].into_iter().flatten().next().unwrap_or(&[""]);
            for base in bases {
                let steps = base.split('/').skip(1).map(|step| (step.to_owned(), 0));
                operations.push(Operation {
                    method: method.to_owned(),
                    template: steps.chain(template.iter().cloned()).collect(),
                    sample: format!("{base}{sample}"),
                    need,
                });
            }
            let operation = if choices.below(4) == 0 {
                let name = format!("{number}-{method}");
                elsewhere.insert(name.clone(), operation.into());
                json!({"$ref": format!("#/x-operations/{name}")})
            } else {
                operation.into()
            };
            item.insert(method.into(), operation);
        }
        let item = match choices.below(4) {
            0 => {
                items.insert(format!("i/{number}"), item.into());
                json!({"$ref": format!("#/components/pathItems/i~1{number}"), "summary": "beside"})
            }
            1 => {
                // One part here, and one where it leads to.
                let there: Map<_, _> =
                    item.iter().take(1).map(|(key, own)| (key.clone(), own.clone())).collect();
                let mut here: Map<_, _> = item.into_iter().skip(1).collect();
                items.insert(format!("i/{number}"), there.into());
                here.insert("$ref".into(), format!("#/components/pathItems/i%7E1{number}").into());
                here.into()
            }
            _ => item.into(),
        };
        paths.insert(path, item);
    }
    let mut document = json!({
        "openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": paths, "x-operations": elsewhere,
        "components": {"pathItems": items},
    });
    if root_need < NEEDS.len() {
        document["security"] = serde_json::from_str(NEEDS[root_need]).expect("JSON");
    }
    if let Some(servers) = root_servers {
        document["servers"] = servers;
    }
    (document, operations)
}

fn servers(choices: &mut Choices<'_>) -> (Option<Value>, Option<&'static [&'static str]>) {
    let chosen = choices.below(SERVERS.len() + 1);
    let Some((url, bases)) = SERVERS.get(chosen) else { return (None, None) };
    let variables = json!({
        "version": {"default": "v1", "enum": ["v1", "v2"]}, "endpoint": {"default": "https://a.example"},
    });
    (Some(json!([{"url": url, "variables": variables}])), Some(bases))
}

fn template(choices: &mut Choices<'_>) -> (String, Vec<(String, u8)>, String) {
    let (mut path, mut template, mut sample) = (String::new(), Vec::new(), String::new());
    for _ in 0..=choices.below(3) {
        let (text, own, open) = SEGMENTS[choices.below(SEGMENTS.len())];
        path.push('/');
        path.push_str(text);
        sample.push('/');
        sample.push_str(own);
        template.push((text.to_owned(), open));
        if open == 3 {
            break;
        }
    }
    (path, template, sample)
}
