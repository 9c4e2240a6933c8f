//! `lychgate import`: a configuration out of what other gateways are configured with.

#![expect(
    clippy::indexing_slicing,
    reason = "reading a member of a JSON value that is not there gives null, and what is written to is an object"
)]

mod around;
mod carry;
mod chain;
mod envoy;
mod gateway;
mod istio;
mod jwt_authn;
mod keyed;
mod manifest;
mod matching;
mod need;
mod providers;
mod rbac;
mod region;
mod targets;
mod text;
mod who;
mod yaml;

use std::collections::BTreeSet;
use std::process::ExitCode;

use serde_json::Value;

use crate::document::{self, Node};
pub use carry::snake_case;
use carry::{Carrier, Note};
use istio::Object;
use manifest::{extension_policy, value, wasm_filter, wasm_plugin};
use yaml::Part;

/// What is written, in the order of the documents.
#[derive(Default)]
struct Output {
    documents: Vec<Part>,
    notes: Vec<Note>,
}

/// Whether a file is one for this: an envoy.yaml, filters of it, or objects of Istio or Envoy Gateway.
pub fn is_for(documents: &[Node]) -> bool {
    documents.iter().any(|node| !is_empty(node) && kind_of(node) != Kind::Other)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// An Envoy with listeners, or a listener.
    Envoy,
    /// An HTTP filter, or a list of them.
    Filters,
    /// RequestAuthentication or AuthorizationPolicy.
    Istio,
    /// SecurityPolicy.
    Gateway,
    /// A Secret or a ConfigMap, which others may name.
    Named,
    /// Anything else.
    Other,
}

fn is_empty(node: &Node) -> bool {
    node.value.members().is_empty() && node.value.items().is_empty()
}

fn kind_of(node: &Node) -> Kind {
    match node.value.get("kind").and_then(|kind| kind.value.text()) {
        Some("RequestAuthentication" | "AuthorizationPolicy") => return Kind::Istio,
        Some("SecurityPolicy") => return Kind::Gateway,
        Some("Secret" | "ConfigMap") => return Kind::Named,
        Some(_) | None => {}
    }
    if !managers(node).is_empty() {
        return Kind::Envoy;
    }
    if filters_of(node).iter().any(|filter| envoy::kind_of(filter).is_some()) {
        return Kind::Filters;
    }
    Kind::Other
}

/// The connection managers in a document.
fn managers(node: &Node) -> Vec<&Node> {
    if node.value.field("http_filters").is_some() {
        return vec![node];
    }
    let members = node.value.members().iter().map(|(_, member)| member);
    members.chain(node.value.items()).flat_map(managers).collect()
}

/// A filter, or a list of filters.
fn filters_of(node: &Node) -> Vec<&Node> {
    if node.value.field("typed_config").is_some() { vec![node] } else { node.value.items().iter().collect() }
}

/// A list of files, read.
pub struct Read {
    /// Each with its documents.
    pub files: Vec<(String, Vec<Node>)>,
}

/// Prints the configuration, and a note for each thing that could not be carried over.
///
/// # Errors
/// If the result is not a configuration.
pub fn run(read: &Read) -> Result<ExitCode, String> {
    let mut output = Output::default();
    let all: Vec<Object<'_>> = read
        .files
        .iter()
        .flat_map(|(file, documents)| {
            documents.iter().flat_map(|node| objects(node)).map(move |node| (file.as_str(), node))
        })
        .filter(|(_, node)| !is_empty(node))
        .collect();
    for (file, node) in &all {
        match kind_of(node) {
            Kind::Envoy => whole_file(file, node, &mut output)?,
            Kind::Filters => {
                let mut carrier = Carrier { file: (*file).to_owned(), ..Carrier::default() };
                carrier.look_for_own_headers(node);
                let links = envoy::chain(&filters_of(node), &[], &mut carrier);
                output.add(carrier, &links, node, Part::Object)?;
            }
            Kind::Gateway => {
                let mut carrier = Carrier { file: (*file).to_owned(), ..Carrier::default() };
                let links = gateway::chain(node, &all, &mut carrier);
                output.add(carrier, &links, node, |sections| extension_policy(node, sections))?;
            }
            Kind::Istio | Kind::Named => {}
            Kind::Other => {
                let place = format!("{file}:{}", node.line);
                let text = "nothing that is carried over".to_owned();
                output.notes.push(Note { place, text, is_denied: false });
            }
        }
    }
    let of_istio: Vec<Object<'_>> =
        all.iter().copied().filter(|(_, node)| kind_of(node) == Kind::Istio).collect();
    let targets = targets::targets(&of_istio);
    for (number, target) in targets.iter().enumerate() {
        let Some((_, node)) = of_istio.iter().find(|(_, node)| targets::target(node) == *target) else {
            continue;
        };
        let mut carrier = Carrier::default();
        let links = istio::chain(&of_istio, target, &mut carrier);
        if number == 0 {
            targets::say_both_hold(&of_istio, &targets, &mut carrier);
        }
        let name = targets::name_of(&targets, number);
        output.add(carrier, &links, node, |sections| wasm_plugin(&name, target, sections))?;
    }
    output.print(read)
}

/// The objects of a document, which may be a List.
fn objects(node: &Node) -> Vec<&Node> {
    match node.value.get("kind").and_then(|kind| kind.value.text()) {
        Some("List") => {
            node.value.get("items").map(|items| items.value.items().iter().collect()).unwrap_or_default()
        }
        Some(_) | None => vec![node],
    }
}

/// A file, its filters replaced by one.
fn whole_file(file: &str, node: &Node, output: &mut Output) -> Result<(), String> {
    let mut configurations = Vec::new();
    for manager in managers(node) {
        let filters = manager.value.field("http_filters").map(|node| node.value.items()).unwrap_or_default();
        let filters: Vec<&Node> = filters.iter().collect();
        if filters.iter().all(|filter| envoy::kind_of(filter).is_none()) {
            configurations.push(None);
            continue;
        }
        let mut carrier = Carrier { file: file.to_owned(), ..Carrier::default() };
        if manager.value.field("rds").is_some() {
            carrier.differs(manager, "what routes of `rds` set for these filters is not seen here");
        }
        filters.iter().for_each(|filter| carrier.look_for_own_headers(filter));
        let routes = envoy::routes(manager, &mut carrier);
        let links = envoy::chain(&filters, &routes, &mut carrier);
        let mut sections = Vec::new();
        let mut single = Output::default();
        single.add(carrier, &links, manager, |own| {
            sections.clone_from(&own);
            Part::Object(own)
        })?;
        output.notes.append(&mut single.notes);
        configurations.push(Some(sections));
    }
    let mut configurations = configurations.into_iter();
    output.documents.push(replaced(node, &mut configurations));
    Ok(())
}

/// A part of a file, with the filters of each connection manager replaced.
fn replaced(node: &Node, configurations: &mut impl Iterator<Item = Option<Vec<(String, Part)>>>) -> Part {
    if let Some((key, list)) = node.value.member("http_filters") {
        let sections = configurations.next().flatten();
        let mut filters = Vec::new();
        let mut own = sections.map(wasm_filter);
        for filter in list.value.items() {
            match envoy::kind_of(filter) {
                Some(_) => filters.extend(own.take()),
                None => filters.push(Part::of(&filter.value)),
            }
        }
        let members = node.value.members().iter();
        let member = |(name, value): &(_, Node)| {
            let name: &document::Located<String> = name;
            let part =
                if name.value == key.value { Part::Array(filters.clone()) } else { without_overrides(value) };
            (name.value.clone(), part)
        };
        return Part::Object(members.map(member).collect());
    }
    match &node.value {
        document::Tree::Object(members) => {
            let member = |(name, value): &(document::Located<String>, Node)| {
                (name.value.clone(), replaced(value, configurations))
            };
            Part::Object(members.iter().map(member).collect())
        }
        document::Tree::Array(items) => {
            Part::Array(items.iter().map(|item| replaced(item, configurations)).collect())
        }
        document::Tree::Scalar(value) => Part::Value(value.clone()),
    }
}

/// The same without what routes set for the filters that are gone: Envoy refuses what no filter reads.
fn without_overrides(node: &Node) -> Part {
    match &node.value {
        document::Tree::Object(members) => {
            let mut parts = Vec::new();
            for (name, value) in members {
                if carry::snake_case(&name.value) != "typed_per_filter_config" {
                    parts.push((name.value.clone(), without_overrides(value)));
                    continue;
                }
                let kept: Vec<_> =
                    value.value.members().iter().filter(|(_, own)| !around::is_of_ours(own)).collect();
                if !kept.is_empty() {
                    let kept = kept.into_iter().map(|(key, own)| (key.value.clone(), Part::of(&own.value)));
                    parts.push((name.value.clone(), Part::Object(kept.collect())));
                }
            }
            Part::Object(parts)
        }
        document::Tree::Array(items) => Part::Array(items.iter().map(without_overrides).collect()),
        document::Tree::Scalar(value) => Part::Value(value.clone()),
    }
}

impl Output {
    fn add(
        &mut self,
        mut carrier: Carrier,
        links: &[chain::Link],
        node: &Node,
        document: impl FnOnce(Vec<(String, Part)>) -> Part,
    ) -> Result<(), String> {
        // What refuses a preflight there refuses it here.
        carrier.settings.entry("cors_preflight").or_insert_with(|| "check".into());
        let sections = carrier.configuration(links, node);
        let whole: serde_json::Map<String, Value> = sections.iter().cloned().collect();
        // Keys by `{env: NAME}` are not among what is written here.
        let compiled =
            lychgate::policy::Policy::compile(Value::Object(whole).to_string().as_bytes(), &|_| None);
        if let Err(errors) = compiled {
            let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
            return Err(format!(
                "{}: what comes of it is no configuration:\n{}",
                carrier.file,
                lines.join("\n")
            ));
        }
        let sections = sections.into_iter().map(|(name, own)| (name, value(own))).collect();
        self.documents.push(document(sections));
        self.notes.append(&mut carrier.notes);
        Ok(())
    }

    fn print(self, read: &Read) -> Result<ExitCode, String> {
        let files: Vec<&str> = read.files.iter().map(|(file, _)| file.as_str()).collect();
        if self.documents.is_empty() {
            return Err(format!("{}: nothing that can be carried over", files.join(", ")));
        }
        println!(
            "# Made by `lychgate import` from {}. Then: lychgate check, lychgate compare",
            files.join(", ")
        );
        let notes: BTreeSet<Note> = self.notes.into_iter().collect();
        for note in &notes {
            println!("# {}: {}", note.place, note.text);
            eprintln!("{}: {}", note.place, note.text);
        }
        for (number, part) in self.documents.iter().enumerate() {
            if number > 0 {
                println!("---");
            }
            println!("{}", yaml::text(part)?.trim_end());
        }
        Ok(if notes.iter().any(|note| note.is_denied) { ExitCode::from(1) } else { ExitCode::SUCCESS })
    }
}
