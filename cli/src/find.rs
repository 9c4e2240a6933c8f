//! Finding Lychgate's configurations in what people keep them in: an envoy.yaml, an Istio
//! WasmPlugin or EnvoyFilter, an EnvoyExtensionPolicy, or a file of their own.

use crate::document::{Node, Tree};

/// A configuration in a file.
pub struct Found<'a> {
    /// Whose it is, where the file may hold several.
    pub owner: Option<String>,
    /// The bytes that the plugin would get.
    pub text: String,
    /// Where its parts stand; for JSON text in a string, the string.
    pub node: &'a Node,
    /// Environment variables that the file gives the plugin.
    pub environment: Vec<(String, String)>,
    /// The connection manager that the plugin is a filter of, where the file shows it.
    pub manager: Option<&'a Node>,
}

/// Every configuration in a document. One that is no Envoy or Kubernetes object is a
/// configuration itself.
pub fn configurations(document: &Node) -> Vec<Found<'_>> {
    let tree = &document.value;
    let mut found = Vec::new();
    let is_object_of_others =
        ["static_resources", "dynamic_resources", "resources", "@type", "kind", "apiVersion"];
    if !is_object_of_others.iter().any(|key| tree.get(key).is_some()) {
        if !tree.members().is_empty() {
            found.push(Found {
                owner: None,
                text: tree.to_value().to_string(),
                node: document,
                environment: Vec::new(),
                manager: None,
            });
        }
        return found;
    }
    match tree.get("kind").and_then(|kind| kind.value.text()) {
        Some("WasmPlugin") => wasm_plugin(tree, &mut found),
        Some("EnvoyExtensionPolicy") => {
            for wasm in tree.at(&["spec", "wasm"]).map(|node| node.value.items()).unwrap_or_default() {
                if let Some(config) = wasm.value.get("config") {
                    found.push(of_struct(owner(&wasm.value), config));
                }
            }
        }
        _ => search(document, None, &mut found),
    }
    found
}

fn owner(tree: &Tree) -> Option<String> {
    tree.get("name").and_then(|name| name.value.text()).map(str::to_owned)
}

fn of_struct(owner: Option<String>, node: &Node) -> Found<'_> {
    Found { owner, text: node.value.to_value().to_string(), node, environment: Vec::new(), manager: None }
}

fn wasm_plugin<'a>(tree: &'a Tree, found: &mut Vec<Found<'a>>) {
    let Some(config) = tree.at(&["spec", "pluginConfig"]) else { return };
    let name = tree.at(&["metadata", "name"]).and_then(|name| name.value.text()).map(str::to_owned);
    let variables = tree.at(&["spec", "vmConfig", "env"]).map(|node| node.value.items()).unwrap_or_default();
    let variable = |node: &Node| {
        let text = |key| node.value.get(key).and_then(|value| value.value.text()).map(str::to_owned);
        Some((text("name")?, text("value")?))
    };
    let environment = variables.iter().filter_map(variable).collect();
    found.push(Found { environment, ..of_struct(name, config) });
}

/// Looks for Wasm plugins: what has both `vm_config` and `configuration`. `manager` is the connection
/// manager around `node`.
fn search<'a>(node: &'a Node, manager: Option<&'a Node>, found: &mut Vec<Found<'a>>) {
    let tree = &node.value;
    // Protobuf's JSON has both spellings of a field.
    let is_manager = tree.get("http_filters").or_else(|| tree.get("httpFilters")).is_some();
    let manager = if is_manager { Some(node) } else { manager };
    if let (Some(vm), Some(any)) = (tree.get("vm_config"), tree.get("configuration"))
        && let Some(config) = any.value.get("value")
        && is_ours(tree, &vm.value, &config.value)
    {
        let variables = vm.value.at(&["environment_variables", "key_values"]);
        let variables = variables.map(|node| node.value.members()).unwrap_or_default();
        let environment = variables
            .iter()
            .filter_map(|(key, value)| Some((key.value.clone(), value.value.text()?.to_owned())))
            .collect();
        let text = config.value.text().map(str::to_owned);
        let text = text.unwrap_or_else(|| config.value.to_value().to_string());
        found.push(Found { owner: owner(tree), text, node: config, environment, manager });
        return;
    }
    tree.members().iter().for_each(|(_, member)| search(member, manager, found));
    tree.items().iter().for_each(|item| search(item, manager, found));
}

/// Whether a Wasm plugin is Lychgate: by a name that says so, or by what it is configured with.
fn is_ours(plugin: &Tree, vm: &Tree, config: &Tree) -> bool {
    let names = [
        plugin.get("name"),
        plugin.get("root_id"),
        vm.get("vm_id"),
        vm.at(&["code", "local", "filename"]),
        vm.at(&["code", "remote", "http_uri", "uri"]),
    ];
    let is_named = names.into_iter().flatten().filter_map(|node| node.value.text());
    if is_named.into_iter().any(|name| name.to_ascii_lowercase().contains("lychgate")) {
        return true;
    }
    const OURS: [&str; 3] = ["schemes", "rules", "security"];
    match config.text() {
        Some(text) => OURS.iter().any(|key| text.contains(&format!("\"{key}\""))),
        None => OURS.iter().any(|key| config.get(key).is_some()),
    }
}
