//! `lychgate compare`: two policies side by side, each in a real Envoy, and the same requests to both.

#![expect(
    clippy::indexing_slicing,
    reason = "reading a member of a JSON value that is not there gives null, and what is written to is an object"
)]

mod bed;
mod envoy;
mod gateway;
mod hints;
mod istio;
mod requests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use serde_json::Value;

use crate::document::{self, Node};
use crate::find::configurations;
use bed::{Bed, Keyring, PASSED, bootstrap, snake, wasm_filter, with_own_secrets};
use hints::Hints;

/// What is compared.
#[derive(Args)]
#[command(
    after_help = "Files are an envoy.yaml, HTTP filters of one, a configuration of Lychgate, or objects of Istio or Envoy
Gateway, which are read as the filters that these make of them. Of other filters nothing is seen, and no upstream is needed.
Requests are made of both policies: every path, method, host, header, address and kind of credential that they speak of. Keys of
tokens and passwords are made for the run.

The exit status is 1 if a request passes the second that the first refuses.

Examples:
  lychgate import envoy.yaml > envoy.new.yaml
  lychgate compare --before envoy.yaml --after envoy.new.yaml"
)]
pub struct Arguments {
    /// The policy that is in force; may be given several times, with as many `--after`. Files that belong together are
    /// separated by commas
    #[arg(long, required = true, value_name = "FILES")]
    before: Vec<String>,
    /// The policy that is to come
    #[arg(long, required = true, value_name = "FILES")]
    after: Vec<String>,
    /// How many requests at most, for each pair
    #[arg(long, default_value_t = 2000)]
    requests: usize,
    /// The Envoy; by default that of ENVOY_PATH, of scripts/envoy, or of PATH
    #[arg(long)]
    envoy: Option<PathBuf>,
    /// The plugin
    #[arg(long, default_value = "dist/lychgate.wasm")]
    module: PathBuf,
}

/// A file's documents.
fn read(files: &str) -> Result<Vec<Node>, String> {
    let mut all = Vec::new();
    for file in files.split(',') {
        let text = crate::read_text(file)?;
        all.extend(document::parse(&text).map_err(|error| format!("{file}: not YAML or JSON: {error}"))?);
    }
    Ok(all)
}

/// The filters that decide, of those in a list.
fn deciding(filters: &Value) -> Vec<Value> {
    const KINDS: [&str; 5] = ["JwtAuthentication", "ApiKeyAuth", "BasicAuth", "rbac.v3.RBAC", "wasm.v3.Wasm"];
    let is_one = |filter: &&Value| {
        let kind = filter["typed_config"]["@type"].as_str().unwrap_or_default();
        KINDS.iter().any(|own| kind.ends_with(own))
    };
    filters.as_array().into_iter().flatten().filter(is_one).cloned().collect()
}

/// The connection managers in a value.
fn managers<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    if value.get("http_filters").is_some() {
        found.push(value);
        return;
    }
    match value {
        Value::Object(members) => members.values().for_each(|own| managers(own, found)),
        Value::Array(items) => items.iter().for_each(|own| managers(own, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The beds of a list of documents.
fn beds(documents: &[Node]) -> Vec<Bed> {
    let values: Vec<Value> = documents.iter().map(|node| node.value.to_value()).collect();
    let objects: Vec<Value> = values
        .iter()
        .flat_map(|value| match value["kind"].as_str() {
            Some("List") => value["items"].as_array().cloned().unwrap_or_default(),
            Some(_) | None => vec![value.clone()],
        })
        .collect();
    let mut beds = Vec::new();
    for policy in objects.iter().filter(|object| object["kind"] == "SecurityPolicy") {
        beds.push(Bed { filters: gateway::filters(policy, &objects), ..Bed::default() });
    }
    let is_of_istio = |object: &&Value| {
        object["kind"] == "RequestAuthentication" || object["kind"] == "AuthorizationPolicy"
    };
    if objects.iter().any(|object| is_of_istio(&object)) {
        beds.push(Bed { filters: istio::filters(&objects), ..Bed::default() });
    }
    for node in documents {
        let value = snake_outside_of_ours(&node.value.to_value());
        let mut own = Vec::new();
        managers(&value, &mut own);
        for manager in &own {
            let filters = deciding(&manager["http_filters"]);
            if !filters.is_empty() {
                beds.push(Bed { filters, routes: manager.get("route_config").cloned(), ..Bed::default() });
            }
        }
        let list = if value.get("typed_config").is_some() {
            Value::from(vec![value.clone()])
        } else {
            value.clone()
        };
        let filters = deciding(&list);
        if !filters.is_empty() {
            beds.push(Bed { filters, ..Bed::default() });
        } else if own.is_empty() {
            for found in configurations(node) {
                if let Ok(configuration) = serde_json::from_str::<Value>(&found.text) {
                    beds.push(Bed { filters: vec![wasm_filter(&configuration)], ..Bed::default() });
                }
            }
        }
    }
    beds
}

/// Fields of Envoy as its documentation has them; the configuration of a plugin stays as it is.
fn snake_outside_of_ours(value: &Value) -> Value {
    let is_object = |key: &str| value.get(key).is_some();
    if is_object("kind") || is_object("schemes") || is_object("rules") && !is_object("@type") {
        return value.clone();
    }
    match value {
        Value::Object(members) if members.contains_key("@type") && members.contains_key("value") => {
            value.clone()
        }
        Value::Object(members) => {
            let mut own = serde_json::Map::new();
            for (key, member) in members {
                let shallow = snake(&serde_json::json!({key: null}));
                let name = shallow.as_object().and_then(|own| own.keys().next()).cloned().unwrap_or_default();
                own.insert(name, snake_outside_of_ours(member));
            }
            own.into()
        }
        Value::Array(items) => items.iter().map(snake_outside_of_ours).collect(),
        other => other.clone(),
    }
}

/// What came of the requests of one pair.
#[derive(Default)]
struct Tally {
    both: usize,
    neither: usize,
    only_before: BTreeMap<String, (String, usize)>,
    only_after: Vec<String>,
    /// What the upstream gets otherwise, with an example, and how often.
    told: BTreeMap<String, (String, usize)>,
}

/// Starts both, sends the requests, and prints the differences.
///
/// # Errors
/// If a file cannot be read, or an Envoy does not start.
pub fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    if arguments.before.len() != arguments.after.len() {
        return Err("as many --before as --after are needed".into());
    }
    let module = std::path::absolute(&arguments.module).map_err(|error| error.to_string())?;
    if !module.exists() {
        return Err(format!("{}: not there; make build, or name it with --module", module.display()));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
    let now = i64::try_from(now.as_secs()).map_err(|error| error.to_string())?;
    let mut keyring = Keyring::default();
    let (mut before, mut after, mut sets, mut names) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (old, new) in arguments.before.iter().zip(&arguments.after) {
        let (olds, news) = (beds(&read(old)?), beds(&read(new)?));
        if olds.is_empty() || olds.len() != news.len() {
            return Err(format!(
                "{old} has {} policies and {new} has {}; give as many, and at least one",
                olds.len(),
                news.len()
            ));
        }
        for (mut one, mut other) in olds.into_iter().zip(news) {
            let mut hints = Hints::default();
            for filter in one.filters.iter_mut().chain(&mut other.filters) {
                hints.add(filter);
                with_own_secrets(filter, &mut keyring, &module.to_string_lossy())?;
            }
            one.routes.iter().chain(&other.routes).for_each(|routes| hints.add(routes));
            one.watched = hints.told.union(&hints.with_credentials()).cloned().collect();
            other.watched.clone_from(&one.watched);
            sets.push(requests::requests(&hints, arguments.requests, &mut keyring, now)?);
            names.push((format!("{old} and {new}"), hints.with_credentials()));
            before.push(one);
            after.push(other);
        }
    }
    let path = envoy::path(arguments.envoy.as_deref());
    let old = envoy::Envoy::start(&path, "before", &bootstrap(&before))?;
    let new = envoy::Envoy::start(&path, "after", &bootstrap(&after))?;
    let mut is_weaker = false;
    for (number, (set, (name, credentials))) in sets.iter().zip(&names).enumerate() {
        let listener = format!("bed-{number}");
        let (mut old, mut new) = (old.client(&listener)?, new.client(&listener)?);
        let mut tally = Tally::default();
        for request in set {
            let one = old.send(&request.method, &request.target, &request.headers)?;
            let other = new.send(&request.method, &request.target, &request.headers)?;
            let passes = |answer: &envoy::Answer| {
                answer.status == 200 && (answer.body == PASSED || request.method == "HEAD")
            };
            match (passes(&one), passes(&other)) {
                (true, true) => {
                    tally.both = tally.both.saturating_add(1);
                    tally.told(&one, &other, credentials, &request.name);
                }
                (false, false) => tally.neither = tally.neither.saturating_add(1),
                (false, true) => tally.only_after.push(format!("{}: {} before", request.name, one.status)),
                (true, false) => {
                    let kind = request.name.split_once(", ").map_or("", |(_, kind)| kind);
                    let entry = tally.only_before.entry(format!("{kind}: {} now", other.status));
                    let entry = entry.or_insert_with(|| (request.name.clone(), 0));
                    entry.1 = entry.1.saturating_add(1);
                }
            }
        }
        is_weaker |= !tally.only_after.is_empty();
        tally.print(name, set.len());
    }
    Ok(if is_weaker { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

impl Tally {
    /// Counts the headers that came through otherwise. That a credential is removed also where none is needed is no fault.
    fn told(
        &mut self,
        one: &envoy::Answer,
        other: &envoy::Answer,
        credentials: &BTreeSet<String>,
        name: &str,
    ) {
        for (header, value) in &one.upstream {
            let now = other.upstream.get(header).map_or("-", String::as_str);
            let is_removed = now == "-" && credentials.contains(header);
            if value != now && !is_removed {
                let short = |text: &str| text.chars().take(60).collect::<String>();
                let example = format!("{:?} before, {:?} now: {name}", short(value), short(now));
                let entry = self.told.entry(header.clone()).or_insert_with(|| (example, 0));
                entry.1 = entry.1.saturating_add(1);
            }
        }
    }

    fn print(&self, name: &str, requests: usize) {
        let only_before: usize = self.only_before.values().map(|(_, count)| *count).sum();
        println!(
            "{name}: {requests} requests: {} let in by both, {} refused by both, {only_before} let in by the first alone, {} by the \
             second alone",
            self.both,
            self.neither,
            self.only_after.len()
        );
        for line in self.only_after.iter().take(20) {
            println!("  let in by the second alone: {line}");
        }
        for (kind, (example, count)) in self.only_before.iter().take(20) {
            println!("  let in by the first alone: {kind} ({count} requests, such as {example})");
        }
        for (header, (example, count)) in &self.told {
            println!("  let in by both, with another {header} ({count} requests, such as {example})");
        }
    }
}
