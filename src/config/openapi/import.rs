//! OpenAPI in: the operations of a document (OpenAPI 3.0, 3.1 or 3.2) become rules, what it says of
//! security schemes completes `schemes`.
//!
//! It is another project's document: unknown members are ignored. What is read must have
//! its type, because a misread requirement would let requests in; and what could carry a route or a requirement is
//! read, or is an error or a warning.

mod misplaced;
mod operations;
pub mod reference;
mod schemes;
mod servers;
pub mod template;

use std::borrow::Cow;
use std::cell::RefCell;

use serde_json::{Map, Value};

use super::Options;
use crate::config::error::{ConfigError, Errors, Path};
use crate::config::node::Node;
use crate::config::rules::{read_document_security, read_security};
use crate::config::{NeedConfig, PathConfig, SecurityConfig};
pub use schemes::ImportedScheme;

/// What a document says.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// Its operations, concrete paths before templated ones.
    pub rules: Vec<ImportedRule>,
    /// `components.securitySchemes`, OpenAPI's own keys only.
    pub schemes: Vec<ImportedScheme>,
    /// `info.title`.
    pub title: Option<String>,
    /// `info.version`.
    pub version: Option<String>,
    /// What is odd in it, each with its JSON path.
    pub warnings: Vec<ConfigError>,
    /// The options that match no part of the document: the key, and the number of the entry.
    pub unused: Vec<(&'static str, usize)>,
}

/// An operation as a rule.
#[derive(Clone, Debug)]
pub struct ImportedRule {
    /// Its method, in upper case.
    pub methods: Vec<String>,
    /// Its path.
    pub path: PathConfig,
    /// Its requirement. `None`: the document does not secure it.
    pub security: Option<SecurityConfig>,
    /// The JSON path of the operation, for messages.
    pub place: String,
    /// The JSON path of its requirement, which may be that of the whole document.
    pub security_place: String,
    /// Whether it has no requirement of its own and takes that of the document.
    pub is_inherited: bool,
    /// Whether its last parameter may stand for several segments in the application.
    pub deeper: Deeper,
    /// The operations that it stands for: their paths in `paths` and their methods.
    pub operations: Vec<(String, String)>,
}

/// Whether the last parameter of a path may stand for several segments in the application, which the
/// document does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deeper {
    /// The path does not end in a parameter, or the document says so.
    No,
    /// It is named as any other.
    Possible,
    /// It has the name of a path.
    Likely,
}

impl Imported {
    /// The scheme of this name, if no credential of its kind can be checked here. `is_known` are those that `schemes`
    /// says more of.
    pub fn unverifiable(&self, name: &str, is_known: impl Fn(&str) -> bool) -> Option<&ImportedScheme> {
        let scheme = self.schemes.iter().find(|scheme| scheme.name == name && scheme.unverifiable.is_some());
        scheme.filter(|_| !is_known(name))
    }

    /// The alternatives that can be checked here.
    #[must_use]
    pub fn checkable(&self, security: &SecurityConfig, is_known: impl Fn(&str) -> bool) -> SecurityConfig {
        let is_checkable = |name: &str| self.unverifiable(name, &is_known).is_none();
        let mut left = security.clone();
        left.retain(|schemes| schemes.iter().all(|(name, _)| is_checkable(name)));
        left
    }
}

/// The methods of a Path Item Object.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Reads a document.
pub fn read(node: Node<'_>, options: &Options<'_>) -> Option<Imported> {
    let document = members(node, node.value)?;
    let version = match document.get("openapi").and_then(Value::as_str) {
        Some(version) if version.starts_with("3.") => version,
        Some(version) => {
            return node.error(format_args!("OpenAPI {version} is not supported; convert it to 3.1"));
        }
        None if document.contains_key("swagger") => {
            return node.error("Swagger 2.0 is not supported; convert it to OpenAPI 3.1");
        }
        None => return node.error("not an OpenAPI document: `openapi: 3.1.0` is missing"),
    };
    let is_good = misplaced::check_document(node, document);
    let reader = Reader {
        node,
        document,
        root_security: security(node, node.path, document)?,
        has_later_methods: !version.starts_with("3.0") && !version.starts_with("3.1"),
        options,
        warnings: Errors::default(),
        used: RefCell::default(),
    };
    let info = document.get("info").and_then(Value::as_object);
    let text = |key: &str| info?.get(key)?.as_str().map(str::to_owned);
    let (rules, schemes) = (reader.operations()?, reader.schemes()?);
    let imported = Imported {
        rules,
        schemes,
        title: text("title"),
        version: text("version"),
        unused: operations::unused(options, &reader.used.borrow()).collect(),
        warnings: reader.warnings.into_vec(),
    };
    is_good.then_some(imported)
}

/// `security` of a document or an operation: `None` is an error, `Some(None)` means that it is absent.
#[expect(clippy::option_option, reason = "an error, silence, or a list")]
fn security(
    node: Node<'_>,
    path: &Path<'_>,
    members: &Map<String, Value>,
) -> Option<Option<(SecurityConfig, String)>> {
    let extension = members.get(EXTENSION);
    let Some(value) = members.get("security") else {
        return match extension {
            Some(_) => {
                let path = path.key(EXTENSION);
                Node { path: &path, ..node }
                    .error("has no `security` beside it, which it would add conditions to")
            }
            None => Some(None),
        };
    };
    let place = path.key("security");
    let read = read_document_security(Node { value, path: &place, errors: node.errors })?;
    let read = match extension {
        Some(value) => {
            with_conditions(Node { value, path: &path.key(EXTENSION), errors: node.errors }, &read)?
        }
        None => read,
    };
    Some(Some((read, place.to_string())))
}

/// What Lychgate adds to an operation, or to a document: conditions, which OpenAPI cannot say.
pub const EXTENSION: &str = "x-lychgate";

/// `security` with its conditions, as `x-lychgate` has it. Without them it must be what the document says, for that is what
/// others read.
fn with_conditions(node: Node<'_>, security: &SecurityConfig) -> Option<SecurityConfig> {
    let object = node.object()?;
    let full = object.required("security", read_security);
    object.finish();
    let full = full?;
    let scopes = |security: &SecurityConfig| -> Vec<Vec<(String, Vec<String>)>> {
        let of = |(name, need): &(String, NeedConfig)| (name.clone(), need.scopes.clone());
        security.iter().map(|schemes| schemes.iter().map(of).collect()).collect()
    };
    if scopes(&full) != scopes(security) {
        return node.error(
            "its `security` without conditions is not the `security` beside it; let both say the same",
        );
    }
    Some(full)
}

fn members<'v>(node: Node<'_>, value: &'v Value) -> Option<&'v Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        _ => node.error("expected an object"),
    }
}

struct Reader<'a> {
    node: Node<'a>,
    document: &'a Map<String, Value>,
    root_security: Option<(SecurityConfig, String)>,
    /// Whether its version has `query` and `additionalOperations`.
    has_later_methods: bool,
    options: &'a Options<'a>,
    warnings: Errors,
    /// The options that were of use.
    used: RefCell<Vec<(&'static str, usize)>>,
}

impl Reader<'_> {
    /// Follows `$ref`.
    fn follow<'v>(
        &'v self,
        node: Node<'_>,
        members: &'v Map<String, Value>,
        each: impl FnMut(&str, &'v Map<String, Value>),
    ) -> Option<Cow<'v, Map<String, Value>>> {
        node.errors.check(node.path, reference::follow(self.node.value, members, each))
    }
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
