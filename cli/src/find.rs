//! Finding Lychgate's configurations in what people keep them in: an envoy.yaml, an Istio
//! WasmPlugin or EnvoyFilter, an EnvoyExtensionPolicy, or a file of their own; for the Wasm module and for the native one.

use crate::document::{Node, Tree};

/// A configuration in a file.
pub struct Found<'a> {
    /// Whose it is, where the file may hold several.
    pub owner: Option<String>,
    /// The bytes that the plugin would get.
    pub text: String,
    /// Where its parts are; for JSON text in a string, the string.
    pub node: &'a Node,
    /// Environment variables that the file gives the plugin.
    pub environment: Vec<(String, String)>,
    /// The connection manager that the plugin is a filter of, where the file shows it.
    pub manager: Option<&'a Node>,
    /// What loads the plugin, where the file shows it.
    pub loader: Loader<'a>,
}

/// What loads a plugin.
#[derive(Clone, Copy)]
pub enum Loader<'a> {
    /// The file does not show it.
    Unknown,
    /// Envoy, by this `config` of a Wasm filter, which is in this HTTP filter.
    Envoy {
        /// `envoy.extensions.wasm.v3.PluginConfig`.
        plugin: &'a Node,
        /// `HttpFilter`.
        filter: Option<&'a Node>,
    },
    /// Envoy, by this `DynamicModuleFilter`, or `DynamicModuleFilterPerRoute`, of the native module.
    EnvoyNative {
        /// The filter's `typed_config`.
        module: &'a Node,
        /// `HttpFilter`.
        filter: Option<&'a Node>,
    },
    /// Istio, by this `spec` of a WasmPlugin.
    Istio(&'a Node),
    /// Envoy Gateway, by this item of an EnvoyExtensionPolicy's `wasm`.
    EnvoyGateway(&'a Node),
    /// Envoy Gateway, by an item of an EnvoyExtensionPolicy's `dynamicModules`.
    EnvoyGatewayNative,
}

/// Every configuration in a document. One that is no Envoy or Kubernetes object is a
/// configuration itself.
pub fn configurations(document: &Node) -> Vec<Found<'_>> {
    let tree = &document.value;
    let mut found = Vec::new();
    let of_others = ["static_resources", "dynamic_resources", "@type", "kind", "apiVersion"];
    // What Envoy watches for has `resources` too; in a configuration they are protected resources.
    let is_discovery = tree.get("resources").is_some_and(|resources| {
        resources.value.items().iter().any(|resource| resource.value.get("@type").is_some())
    });
    if !is_discovery && !of_others.iter().any(|key| tree.field(key).is_some()) {
        if !tree.members().is_empty() {
            found.push(Found {
                owner: None,
                text: tree.to_value().to_string(),
                node: document,
                environment: Vec::new(),
                manager: None,
                loader: Loader::Unknown,
            });
        }
        return found;
    }
    match tree.get("kind").and_then(|kind| kind.value.text()) {
        Some("WasmPlugin") => wasm_plugin(tree, &mut found),
        Some("EnvoyExtensionPolicy") => {
            for wasm in tree.at(&["spec", "wasm"]).map(|node| node.value.items()).unwrap_or_default() {
                let url = |kind| wasm.value.at(&["code", kind, "url"]);
                let names = [wasm.value.get("name"), wasm.value.get("rootID"), url("image"), url("http")];
                if let Some(config) = wasm.value.get("config").filter(|config| is_ours(&names, &config.value))
                {
                    found.push(of_struct(owner(&wasm.value), config, Loader::EnvoyGateway(wasm)));
                }
            }
            let modules = tree.at(&["spec", "dynamicModules"]).map(|node| node.value.items());
            for module in modules.unwrap_or_default() {
                let names = [module.value.get("name"), module.value.get("filterName")];
                let config = module.value.get("config").filter(|config| is_ours(&names, &config.value));
                found.extend(
                    config.map(|config| of_struct(owner(&module.value), config, Loader::EnvoyGatewayNative)),
                );
            }
        }
        Some("ConfigMap") => {
            for (_, text) in tree.get("data").map(|data| data.value.members()).unwrap_or_default() {
                found.extend(documents_in(text).iter().flat_map(embedded));
            }
        }
        // `kubectl get -o yaml` gives a List, a client library a WasmPluginList.
        Some(kind) if kind.ends_with("List") => {
            let items = tree.get("items").map(|items| items.value.items()).unwrap_or_default();
            found.extend(items.iter().flat_map(configurations));
        }
        _ => {
            let mut plugins = Vec::new();
            search(document, Surroundings::default(), &mut plugins);
            found.extend(plugins.iter().filter_map(Plugin::configuration));
        }
    }
    found
}

/// The documents in a text that is the value of a member, such as a file in a ConfigMap. The lines are those of the whole
/// file, where the text is written line by line. They live as long as the command, which ends soon.
fn documents_in(text: &Node) -> &'static [Node] {
    let documents = text.value.text().and_then(|text| crate::document::parse(text).ok());
    let mut documents = documents.unwrap_or_default();
    for document in &mut documents {
        document.move_down(text.line.saturating_sub(1));
    }
    Box::leak(documents.into_boxed_slice())
}

/// The configurations in a document of a ConfigMap. One that is no object of Envoy or Kubernetes may be anything, so it
/// is one only if it looks like one.
fn embedded(document: &Node) -> Vec<Found<'_>> {
    let mut found = configurations(document);
    found.retain(|found| !matches!(found.loader, Loader::Unknown) || is_ours(&[], &found.node.value));
    found
}

/// The `config` of every Wasm plugin in a document that is not Lychgate.
pub fn other_plugins(document: &Node) -> Vec<&Node> {
    let mut plugins = Vec::new();
    search(document, Surroundings::default(), &mut plugins);
    let is_other = |plugin: &&Plugin<'_>| plugin.vm.is_some() && plugin.configuration().is_none();
    plugins.iter().filter(is_other).map(|plugin| plugin.config).collect()
}

fn owner(tree: &Tree) -> Option<String> {
    tree.get("name").and_then(|name| name.value.text()).map(str::to_owned)
}

fn of_struct<'a>(owner: Option<String>, node: &'a Node, loader: Loader<'a>) -> Found<'a> {
    let text = node.value.to_value().to_string();
    Found { owner, text, node, environment: Vec::new(), manager: None, loader }
}

fn wasm_plugin<'a>(tree: &'a Tree, found: &mut Vec<Found<'a>>) {
    let Some(spec) = tree.get("spec") else { return };
    let Some(config) = spec.value.get("pluginConfig") else { return };
    let code = spec.value.get("url");
    let names = [tree.at(&["metadata", "name"]), code, spec.value.get("pluginName")];
    // Without its code it may be ours.
    if code.is_some() && !is_ours(&names, &config.value) {
        return;
    }
    let name = tree.at(&["metadata", "name"]).and_then(|name| name.value.text()).map(str::to_owned);
    let variables = tree.at(&["spec", "vmConfig", "env"]).map(|node| node.value.items()).unwrap_or_default();
    let variable = |node: &Node| {
        let text = |key| node.value.get(key).and_then(|value| value.value.text()).map(str::to_owned);
        Some((text("name")?, text("value")?))
    };
    let environment = variables.iter().filter_map(variable).collect();
    found.push(Found { environment, ..of_struct(name, config, Loader::Istio(spec)) });
}

/// What is around a part of an Envoy's configuration.
#[derive(Clone, Copy, Default)]
struct Surroundings<'a> {
    manager: Option<&'a Node>,
    filter: Option<&'a Node>,
}

/// A Wasm plugin of Envoy, or a native module.
struct Plugin<'a> {
    config: &'a Node,
    /// `vm_config` of a Wasm plugin.
    vm: Option<&'a Node>,
    around: Surroundings<'a>,
}

/// Looks for Wasm plugins, which have `vm_config`, and for native modules, which have `dynamic_module_config`.
fn search<'a>(node: &'a Node, mut around: Surroundings<'a>, found: &mut Vec<Plugin<'a>>) {
    let tree = &node.value;
    if tree.field("http_filters").is_some() {
        around.manager = Some(node);
    }
    if tree.get("name").is_some() && tree.field("typed_config").is_some() {
        around.filter = Some(node);
    }
    let vm = tree.field("vm_config");
    if vm.is_some() || tree.field("dynamic_module_config").is_some() {
        found.push(Plugin { config: node, vm, around });
        return;
    }
    tree.members().iter().for_each(|(_, member)| search(member, around, found));
    tree.items().iter().for_each(|item| search(item, around, found));
}

impl<'a> Plugin<'a> {
    /// Its configuration, if it is Lychgate.
    fn configuration(&self) -> Option<Found<'a>> {
        let Some(vm) = self.vm else { return self.native_configuration() };
        let tree = &self.config.value;
        let config = tree.fields(&["configuration", "value"])?;
        if !is_ours(&names_of(tree, &vm.value), &config.value) {
            return None;
        }
        let variables = vm.value.fields(&["environment_variables", "key_values"]);
        let variables = variables.map(|node| node.value.members()).unwrap_or_default();
        let environment = variables
            .iter()
            .filter_map(|(key, value)| Some((key.value.clone(), value.value.text()?.to_owned())))
            .collect();
        let Surroundings { manager, filter } = self.around;
        let loader = Loader::Envoy { plugin: self.config, filter };
        Some(Found { environment, manager, ..of_any(owner(tree), config, loader) })
    }

    /// The same of a native module, whose environment is Envoy's own.
    fn native_configuration(&self) -> Option<Found<'a>> {
        let tree = &self.config.value;
        let config = tree.fields(&["filter_config", "value"])?;
        let own = tree.field("filter_name").or_else(|| tree.field("per_route_config_name"));
        let names = [tree.fields(&["dynamic_module_config", "name"]), own];
        if !is_ours(&names, &config.value) {
            return None;
        }
        let Surroundings { manager, filter } = self.around;
        let loader = Loader::EnvoyNative { module: self.config, filter };
        let owner = own.and_then(|name| name.value.text()).map(str::to_owned);
        Some(Found { manager, ..of_any(owner, config, loader) })
    }
}

/// A Struct, or a StringValue with JSON text.
fn of_any<'a>(owner: Option<String>, node: &'a Node, loader: Loader<'a>) -> Found<'a> {
    match node.value.text() {
        Some(text) => {
            let text = text.to_owned();
            Found { owner, text, node, environment: Vec::new(), manager: None, loader }
        }
        None => of_struct(owner, node, loader),
    }
}

/// Whether a plugin is Lychgate: by a name that says so, or by what it is configured with.
fn is_ours(names: &[Option<&Node>], config: &Tree) -> bool {
    let mut texts = names.iter().flatten().filter_map(|node| node.value.text());
    if texts.any(|name| name.to_ascii_lowercase().contains("lychgate")) {
        return true;
    }
    const OURS: [&str; 3] = ["schemes", "rules", "security"];
    match config.text() {
        Some(text) => OURS.iter().any(|key| text.contains(&format!("\"{key}\""))),
        None => OURS.iter().any(|key| config.get(key).is_some()),
    }
}

/// What Envoy's configuration calls a plugin.
fn names_of<'a>(plugin: &'a Tree, vm: &'a Tree) -> [Option<&'a Node>; 3] {
    let code = vm.fields(&["code", "local", "filename"]);
    let code = code.or_else(|| vm.fields(&["code", "remote", "http_uri", "uri"]));
    // Another module may have been given our `vm_id`.
    [plugin.get("name"), plugin.field("root_id"), code.or_else(|| vm.field("vm_id"))]
}
