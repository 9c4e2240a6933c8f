//! `lychgate check --strict`: settings that the plugin takes and that open a way for an attacker. Each is printed
//! with its place, what it opens, and the remedy.

mod around;
mod document;
mod keys;
mod resources;
mod routes;
mod settings;
mod upstreams;

use std::fmt;

use crate::document::{Node, Tree, line_of};
use crate::find::Found;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It should be known, and may be meant.
    Note,
    /// It opens a way.
    Warning,
}

/// A setting that opens a way.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// The configuration that it belongs to, where the file may hold several.
    pub owner: Option<String>,
    /// The line of the setting, or of the part that lacks it.
    pub line: u64,
    /// Its JSON path, from the configuration or from the message of Envoy that it belongs to.
    pub path: String,
    /// What it opens, and the remedy.
    pub message: String,
    /// How much it weighs.
    pub weight: Weight,
}

/// What a variable holds, if that is known.
pub type Lookup<'a> = &'a dyn Fn(&Found<'_>, &str) -> Option<String>;

/// Every finding in the documents of a file. The configurations of each document have no fault.
pub fn findings(documents: &[(&Node, Vec<Found<'_>>)], lookup: Lookup<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    let mut holders = Vec::new();
    for (document, found) in documents {
        for found in found {
            let own = own_tree(found);
            let tree = own.as_ref().map_or(&found.node.value, |node| &node.value);
            settings::judge(found, tree, &mut findings);
            document::judge(found, lookup, &mut findings);
            keys::collect(found, tree, lookup, &mut holders);
            around::judge(found, tree, &mut findings);
            upstreams::judge(document, found, tree, &mut findings);
        }
        around::judge_document(document, found, &mut findings);
    }
    keys::judge(&holders, &mut findings);
    findings.0
}

/// The configuration that is JSON text in a string.
fn own_tree(found: &Found<'_>) -> Option<Node> {
    found.node.value.text().and_then(|text| crate::document::parse(text).ok()?.into_iter().next())
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    /// A finding in a plugin's configuration.
    fn inside(&mut self, found: &Found<'_>, path: &dyn fmt::Display, message: impl Into<String>) {
        let path = path.to_string();
        let line = line_of(found.node, &path);
        self.add(found.owner.clone(), line, path, message.into(), Weight::Warning);
    }

    /// A finding at a field of Envoy's, Istio's or Envoy Gateway's.
    fn outside(&mut self, found: &Found<'_>, node: &Node, path: &str, message: &str, weight: Weight) {
        self.add(found.owner.clone(), line_of(node, path), path.to_owned(), message.to_owned(), weight);
    }

    /// A finding that concerns every plugin of a document.
    fn outside_of_all(&mut self, document: &Node, path: &str, message: &str) {
        self.add(None, line_of(document, path), path.to_owned(), message.to_owned(), Weight::Warning);
    }

    /// Where several plugins are in one place, what is said of it is said once.
    fn add(&mut self, owner: Option<String>, line: u64, path: String, message: String, weight: Weight) {
        let finding = Finding { owner, line, path, message, weight };
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }
}

/// The tokens of a scheme: `jwt`, or `introspection` in its place.
fn tokens(scheme: &Tree) -> Option<(&'static str, &Tree)> {
    let of = |key: &'static str| scheme.get(key).map(|node| (key, &node.value));
    of("jwt").or_else(|| of("introspection"))
}

/// The schemes of a configuration, by name.
fn schemes(tree: &Tree) -> impl Iterator<Item = (&str, &Tree)> {
    let schemes = tree.get("schemes").map(|node| node.value.members()).unwrap_or_default();
    schemes.iter().map(|(name, node)| (name.value.as_str(), &node.value))
}

/// The items of a member that is a list.
fn items<'a>(tree: &'a Tree, key: &str) -> impl Iterator<Item = (usize, &'a Tree)> {
    let items = tree.get(key).map(|node| node.value.items()).unwrap_or_default();
    items.iter().map(|node| &node.value).enumerate()
}

/// The strings of a member that is a list of them.
fn strings<'a>(tree: &'a Tree, key: &str) -> Option<Vec<&'a str>> {
    tree.get(key).map(|node| node.value.items().iter().filter_map(|item| item.value.text()).collect())
}

/// A member that is a string.
fn string<'a>(tree: &'a Tree, key: &str) -> Option<&'a str> {
    tree.get(key).and_then(|node| node.value.text())
}
