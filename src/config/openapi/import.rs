//! OpenAPI in: the operations of a document (OpenAPI 3.0 or 3.1) become rules, what it says of
//! security schemes completes `schemes`.
//!
//! It is another project's document: unknown members are ignored. What is read must have
//! its type, because a misread requirement would let requests in.

mod misplaced;
mod servers;
mod template;

use serde_json::{Map, Value};

use crate::config::error::Path;
use crate::config::node::Node;
use crate::config::rules::{PathConfig, SecurityConfig, read_security};
use servers::base_paths;

/// What a document says.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// Its operations, concrete paths before templated ones.
    pub rules: Vec<ImportedRule>,
    /// `components.securitySchemes`, OpenAPI's own keys only.
    pub schemes: Vec<(String, Value)>,
    /// `info.title`.
    pub title: Option<String>,
    /// `info.version`.
    pub version: Option<String>,
}

/// An operation as a rule.
#[derive(Clone, Debug)]
pub struct ImportedRule {
    /// Its method, in upper case.
    pub methods: Vec<String>,
    /// Its path.
    pub path: PathConfig,
    /// What it needs; nothing: the document does not secure it.
    pub security: Option<SecurityConfig>,
    /// The JSON path of the operation, for messages.
    pub place: String,
    /// The JSON path of what it needs, which may be that of the whole document.
    pub security_place: String,
}

/// The methods of a Path Item Object.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Reads a document.
pub fn read(node: Node<'_>) -> Option<Imported> {
    let document = members(node, node.value)?;
    match document.get("openapi").and_then(Value::as_str) {
        Some(version) if version.starts_with("3.") => {}
        Some(version) => {
            return node.error(format_args!("OpenAPI {version} is not supported; convert it to 3.1"));
        }
        None if document.contains_key("swagger") => {
            return node.error("Swagger 2.0 is not supported; convert it to OpenAPI 3.1");
        }
        None => return node.error("not an OpenAPI document: `openapi: 3.1.0` is missing"),
    }
    let is_good = misplaced::check_document(node, document);
    let reader = Reader { node, document, root_security: security(node, node.path, document)? };
    let info = document.get("info").and_then(Value::as_object);
    let text = |key: &str| info?.get(key)?.as_str().map(str::to_owned);
    let imported = Imported {
        rules: reader.operations()?,
        schemes: reader.schemes()?,
        title: text("title"),
        version: text("version"),
    };
    is_good.then_some(imported)
}

/// `security` of a document or an operation: outer nothing is an error, inner nothing is silence.
#[expect(clippy::option_option, reason = "an error, silence, or a list")]
fn security(
    node: Node<'_>,
    path: &Path<'_>,
    members: &Map<String, Value>,
) -> Option<Option<(SecurityConfig, String)>> {
    let Some(value) = members.get("security") else { return Some(None) };
    let path = path.key("security");
    let read = read_security(Node { value, path: &path, errors: node.errors })?;
    Some(Some((read, path.to_string())))
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
}

impl Reader<'_> {
    fn operations(&self) -> Option<Vec<ImportedRule>> {
        let Some(paths) = self.document.get("paths") else { return Some(Vec::new()) };
        let place = self.node.path.key("paths");
        let root_servers = base_paths(self.node, self.document)?;
        let mut found = Vec::new();
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
            match self.path_item(node, path, item, root_servers.as_deref()) {
                Some(rules) => found.extend(rules),
                None => whole = false,
            }
        }
        // Stable: operations of one path keep their order.
        found.sort_by(|(left, _), (right, _)| left.cmp(right));
        whole.then(|| found.into_iter().map(|(_, rule)| rule).collect())
    }

    fn path_item(
        &self,
        node: Node<'_>,
        path: &str,
        item: &Value,
        root_servers: Option<&[String]>,
    ) -> Option<Vec<(template::Rank, ImportedRule)>> {
        let item = members(node, item)?;
        let mut is_whole = misplaced::check_path_item(node, item);
        let item = self.resolve(node, item)?;
        let servers = base_paths(node, item)?;
        let mut rules = Vec::new();
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let place = node.path.key(method);
            let node = Node { path: &place, ..node };
            let operation = members(node, operation)?;
            is_whole &= misplaced::check_operation(node, operation);
            let own_servers = base_paths(node, operation)?;
            let security = security(node, &place, operation)?.or_else(|| self.root_security.clone());
            let (security, security_place) = match security {
                Some((security, place)) => (Some(security), place),
                None => (None, String::new()),
            };
            let root = [String::new()];
            let bases = own_servers.as_deref().or(servers.as_deref()).or(root_servers).unwrap_or(&root);
            for base in bases {
                let (rank, path) = template::read(node, &format!("{base}{path}"))?;
                rules.push((
                    rank,
                    ImportedRule {
                        methods: vec![method.to_ascii_uppercase()],
                        path,
                        security: security.clone(),
                        place: place.to_string(),
                        security_place: security_place.clone(),
                    },
                ));
            }
        }
        is_whole.then_some(rules)
    }

    /// A Path Item may stand elsewhere in the document.
    fn resolve<'v>(&'v self, node: Node<'_>, item: &'v Map<String, Value>) -> Option<&'v Map<String, Value>> {
        let Some(reference) = item.get("$ref") else { return Some(item) };
        let items = self.document.get("components").and_then(|components| components.get("pathItems"));
        let found = reference
            .as_str()
            .and_then(|reference| reference.strip_prefix("#/components/pathItems/"))
            .and_then(|name| Some((name, items?.get(name)?.as_object()?)))
            .filter(|(_, item)| !item.contains_key("$ref"));
        let Some((name, item)) = found else {
            return node.error(format_args!(
                "$ref {reference} cannot be followed; write the path item out, or in components.pathItems"
            ));
        };
        let place = self.node.path.key("components");
        let place = place.key("pathItems");
        let place = place.key(name);
        misplaced::check_path_item(Node { path: &place, ..self.node }, item).then_some(item)
    }

    fn schemes(&self) -> Option<Vec<(String, Value)>> {
        let schemes =
            self.document.get("components").and_then(|components| components.get("securitySchemes"));
        let Some(schemes) = schemes else { return Some(Vec::new()) };
        let place = self.node.path.key("components");
        let place = place.key("securitySchemes");
        let node = Node { path: &place, ..self.node };
        let mut read = Vec::new();
        for (name, scheme) in members(node, schemes)? {
            let place = place.key(name);
            let node = Node { path: &place, ..self.node };
            read.push((name.clone(), scheme_object(members(node, scheme)?)));
        }
        Some(read)
    }
}

/// What `schemes` knows of a Security Scheme Object; extensions are left out at every level.
fn scheme_object(members: &Map<String, Value>) -> Value {
    const KNOWN: [&str; 8] =
        ["type", "description", "name", "in", "scheme", "bearerFormat", "flows", "openIdConnectUrl"];
    let mut known = Map::new();
    let members = members.iter().filter(|(key, _)| KNOWN.contains(&key.as_str()));
    known.extend(members.map(|(key, value)| (key.clone(), value.clone())));
    if let Some(Value::Object(flows)) = known.get_mut("flows") {
        flows.retain(|name, _| !name.starts_with("x-"));
        for flow in flows.values_mut().filter_map(Value::as_object_mut) {
            flow.retain(|name, _| !name.starts_with("x-"));
        }
    }
    Value::Object(known)
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
