//! `paths`: each operation becomes a rule for every base path.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Map, Value};

use super::servers::base_paths;
use super::template::{self, Rank, Spanning};
use super::{Deeper, ImportedRule, METHODS, Reader, members, misplaced, reference, security};
use crate::config::node::Node;
use crate::config::openapi::Options;
use crate::config::{NeedConfig, PathConfig, SecurityConfig};

/// Rules with what orders them, and where each method and path is already.
#[derive(Default)]
struct Found {
    rules: Vec<(Rank, ImportedRule)>,
    numbers: HashMap<Box<str>, usize>,
}

/// Where an operation stands.
struct At<'a> {
    /// Its path in `paths`.
    path: &'a str,
    /// Its method in upper case.
    method: String,
    /// Its Path Item.
    item: &'a Map<String, Value>,
    /// The base paths of its Path Item.
    bases: &'a [String],
}

impl Reader<'_> {
    pub(super) fn operations(&self) -> Option<Vec<ImportedRule>> {
        let Some(paths) = self.document.get("paths") else { return Some(Vec::new()) };
        let place = self.node.path.key("paths");
        let root_bases = base_paths(self.node, self.document, &self.warnings)?;
        let root_bases = root_bases.unwrap_or_else(|| vec![String::new()]);
        let mut found = Found::default();
        let mut whole = true;
        for (path, item) in members(Node { path: &place, ..self.node }, paths)? {
            if path.starts_with("x-") {
                continue;
            }
            let place = place.key(path);
            let node = Node { path: &place, ..self.node };
            if !path.starts_with('/') {
                whole = false;
                let _: Option<()> = node.error("is not read: a path begins with `/`, an extension with `x-`");
                continue;
            }
            whole &= self.path_item(node, path, item, &root_bases, &mut found).is_some();
        }
        // Stable: operations of one path keep their order.
        found.rules.sort_by(|(left, _), (right, _)| left.cmp(right));
        whole.then(|| found.rules.into_iter().map(|(_, rule)| rule).collect())
    }

    fn path_item(
        &self,
        node: Node<'_>,
        path: &str,
        item: &Value,
        root_bases: &[String],
        found: &mut Found,
    ) -> Option<()> {
        let item = members(node, item)?;
        let mut is_whole = misplaced::check_path_item(node, item, self.has_later_methods);
        let item = self.follow(node, item, |pointer, item| {
            let place = reference::place(self.node.path, pointer);
            let place = crate::config::Path::Text(&place);
            let node = Node { path: &place, ..self.node };
            is_whole &= misplaced::check_path_item(node, item, self.has_later_methods);
        })?;
        let bases = base_paths(node, &item, &self.warnings)?;
        let bases = bases.as_deref().unwrap_or(root_bases);
        let mut read = |node: Node<'_>, method: String, operation: &Value| {
            self.operation(node, &At { path, method, item: &item, bases }, operation, found)
        };
        for method in METHODS.iter().chain(self.has_later_methods.then_some(&"query")) {
            let Some(operation) = item.get(*method) else { continue };
            let place = node.path.key(method);
            is_whole &= read(Node { path: &place, ..node }, method.to_ascii_uppercase(), operation).is_some();
        }
        let others = item.get("additionalOperations").filter(|_| self.has_later_methods);
        let place = node.path.key("additionalOperations");
        let node = Node { path: &place, ..node };
        for (method, operation) in
            others.map(|others| members(node, others)).unwrap_or_default().into_iter().flatten()
        {
            let place = place.key(method);
            let node = Node { path: &place, ..node };
            let lower = method.to_ascii_lowercase();
            if METHODS.contains(&lower.as_str()) || lower == "query" || !is_method(method) {
                is_whole = false;
                let message = "is not read: another method, in upper case, belongs here";
                let _: Option<()> = node.error(message);
                continue;
            }
            is_whole &= read(node, method.clone(), operation).is_some();
        }
        is_whole.then_some(())
    }

    fn operation(&self, node: Node<'_>, at: &At<'_>, operation: &Value, found: &mut Found) -> Option<()> {
        let written = members(node, operation)?;
        let mut is_whole = misplaced::check_operation(node, written);
        let operation =
            self.follow(node, written, |_, own| is_whole &= misplaced::check_operation(node, own))?;
        let own_bases = base_paths(node, &operation, &self.warnings)?;
        let own = security(node, node.path, &operation)?;
        let is_inherited = own.is_none();
        let (mut security, security_place) = match own.or_else(|| self.root_security.clone()) {
            Some((security, place)) => (Some(security), place),
            None => (None, String::new()),
        };
        if let Some(security) = &mut security {
            self.name_schemes(security);
            if self.is_combined(&operation) {
                combine(node, security)?;
            }
        }
        // What is behind it is no part of the path that a request has.
        let path = at.path.split(['?', '#']).next().unwrap_or_default();
        self.warn_of_odd_segments(node, path);
        let spanning = self.spanning(node, path, at.item, &operation)?;
        for base in own_bases.as_deref().unwrap_or(at.bases) {
            let read = template::read(node, &format!("{base}{path}"), &spanning)?;
            let deeper = match template::last_parameter(&read.text) {
                Some(true) => Deeper::Likely,
                Some(false) => Deeper::Possible,
                None => Deeper::No,
            };
            let rule = ImportedRule {
                methods: vec![at.method.clone()],
                path: PathConfig::Template(read.text),
                security: security.clone(),
                place: node.path.to_string(),
                security_place: security_place.clone(),
                is_inherited,
                deeper,
                operations: vec![(at.path.to_owned(), at.method.clone())],
            };
            found.add(node, read.rank, rule)?;
        }
        is_whole.then_some(())
    }

    /// Which parameters of a path stand for several segments.
    fn spanning(
        &self,
        node: Node<'_>,
        path: &str,
        item: &Map<String, Value>,
        operation: &Map<String, Value>,
    ) -> Option<Spanning> {
        const KEY: &str = "x-multi-segment";
        let says = |members: &Map<String, Value>| match members.get(KEY) {
            None => Some(false),
            Some(Value::Bool(says)) => Some(*says),
            Some(_) => node.error(format_args!("`{KEY}` is neither true nor false")),
        };
        let mut spanning = Spanning { is_last: says(item)? | says(operation)?, names: Vec::new() };
        let unnamed = template::without_names(path);
        for (number, own) in self.options.multi_segment.iter().enumerate() {
            if template::without_names(own) == unnamed {
                spanning.is_last = true;
                self.use_of("multi_segment", number);
            }
        }
        for parameters in [item.get("parameters"), operation.get("parameters")] {
            for parameter in parameters.and_then(Value::as_array).into_iter().flatten() {
                let Some(parameter) = parameter.as_object() else { continue };
                // A parameter in another file does not change the requirement.
                let parameter = reference::follow(self.node.value, parameter, |_, _| {})
                    .unwrap_or(Cow::Borrowed(parameter));
                let text = |key: &str| parameter.get(key).and_then(Value::as_str);
                if says(&parameter)? && text("in") == Some("path") {
                    spanning.names.extend(text("name").map(str::to_owned));
                }
            }
        }
        Some(spanning)
    }

    /// Whether an operation is among those that need all of their alternatives together.
    fn is_combined(&self, operation: &Map<String, Value>) -> bool {
        let id = operation.get("operationId");
        let tags = operation.get("tags").and_then(Value::as_array).into_iter().flatten();
        let mut is_combined = false;
        for name in tags.chain(id).filter_map(Value::as_str) {
            for (number, _) in self.options.combine.iter().enumerate().filter(|(_, own)| *own == name) {
                is_combined = true;
                self.use_of("combine", number);
            }
        }
        is_combined
    }

    /// Other frameworks' parameters, which a document would not match as such.
    fn warn_of_odd_segments(&self, node: Node<'_>, path: &str) {
        let is_odd =
            |segment: &str| (segment.len() > 1 && segment.starts_with(':')) || segment.contains(['*', '<']);
        if let Some(odd) = path.split('/').find(|segment| is_odd(segment) && !segment.contains('{')) {
            let message = format!("`{odd}` is matched as it is written; a parameter is written `{{name}}`");
            self.warnings.add(node.path, message);
        }
    }

    fn use_of(&self, key: &'static str, number: usize) {
        self.used.borrow_mut().push((key, number));
    }
}

impl Found {
    /// Adds a rule. One for a method and a path that is there already must need the same.
    fn add(&mut self, node: Node<'_>, rank: Rank, rule: ImportedRule) -> Option<()> {
        let PathConfig::Template(text) = &rule.path else { return None };
        let method = rule.methods.first().map(String::as_str).unwrap_or_default();
        let key = format!("{method} {}", template::without_names(text));
        let next = self.rules.len();
        let number = *self.numbers.entry(key.into()).or_insert(next);
        let Some((_, other)) = self.rules.get_mut(number) else {
            self.rules.push((rank, rule));
            return Some(());
        };
        let needs = |rule: &ImportedRule| rule.security.as_ref().map(|security| as_set(security.clone()));
        if needs(other) != needs(&rule) {
            return node.error(format_args!(
                "needs something else than {}, and a request cannot be told from one for that: a path has neither a \
                 query nor a fragment, nor have its parameters names; let both need the same",
                other.place
            ));
        }
        other.operations.extend(rule.operations);
        Some(())
    }
}

/// Alternatives in an order that is always the same.
fn as_set(mut security: SecurityConfig) -> SecurityConfig {
    let named = |(name, need): &'_ (String, NeedConfig)| (name.clone(), need.scopes.clone());
    crate::sort::insertion_sort(&mut security, |left, right| {
        left.iter().map(named).lt(right.iter().map(named))
    });
    security
}

/// Makes one AND of alternatives that have one scheme each.
fn combine(node: Node<'_>, security: &mut SecurityConfig) -> Option<()> {
    if security.iter().any(|schemes| schemes.len() != 1) {
        return node
            .error("cannot be combined: an alternative has not exactly one scheme; write a rule for it");
    }
    let mut all: Vec<(String, NeedConfig)> = Vec::new();
    for (name, need) in security.drain(..).flatten() {
        match all.iter_mut().find(|(own, _)| *own == name) {
            Some((_, own)) if own.has_conditions() || need.has_conditions() => {
                return node.error(
                    "cannot be combined: two alternatives of one scheme have conditions; write a rule for it",
                );
            }
            Some((_, own)) => own.scopes.extend(need.scopes),
            None => all.push((name, need)),
        }
    }
    crate::sort::insertion_sort(&mut all, |left, right| left.0 < right.0);
    security.extend((!all.is_empty()).then_some(all));
    Some(())
}

/// A method as rules name it (RFC 9110 section 9.1).
fn is_method(text: &str) -> bool {
    crate::http_syntax::is_token(text) && !text.bytes().any(|b| b.is_ascii_lowercase())
}

/// The options that are of use in a document.
pub fn unused<'o>(
    options: &Options<'o>,
    used: &[(&'static str, usize)],
) -> impl Iterator<Item = (&'static str, usize)> + use<'o> {
    let of = |key: &'static str, names: &[String]| {
        (0..names.len()).map(|number| (key, number)).collect::<Vec<_>>()
    };
    let mut all = of("multi_segment", options.multi_segment);
    all.extend(of("combine", options.combine));
    all.retain(|one| !used.contains(one));
    all.into_iter()
}
