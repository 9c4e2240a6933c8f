//! What is around the plugin, as far as the file shows it: Envoy, Istio, Envoy Gateway.

use std::net::IpAddr;

use lychgate::config::Path;

use super::{Findings, Weight, schemes};
use crate::document::{Node, Tree};
use crate::find::{Found, Loader, other_plugins};

const OPEN: &str =
    "a crash of the plugin lets every request in unjudged, with the identity headers that its client wrote; ";
const CLOSED: &str =
    "a crash stops the plugin on its worker, which refuses every request until Envoy restarts; ";
const NO_DIGEST: &str = "missing: a push to the registry puts another module in the place of Lychgate; pin the module by its digest";
const LOGINS: &str =
    "the head of a login goes nowhere without its body here, so every login is refused with 408; ";

/// Judges what loads the plugin, and the connection manager that it is a filter of.
pub(super) fn judge(found: &Found<'_>, tree: &Tree, findings: &mut Findings) {
    let mut judge = Judge { found, findings };
    match found.loader {
        Loader::Unknown => {}
        Loader::Envoy { plugin, filter } => {
            judge.envoy(plugin, tree);
            judge.enabled(filter);
        }
        Loader::EnvoyNative { module, filter } => {
            judge.envoy_native(module);
            judge.enabled(filter);
        }
        Loader::Istio(spec) => judge.istio(spec, tree),
        Loader::EnvoyGateway(wasm) => judge.envoy_gateway(wasm, tree),
        // The operator's EnvoyProxy says where the file is.
        Loader::EnvoyGatewayNative => {}
    }
    if let Some(manager) = found.manager {
        judge.manager(manager);
    }
}

const DISABLED: &str = "the plugin is off here, so requests go on unjudged, with the identity headers that their clients wrote; \
    remove it, and let a rule with `security: []` pass what is public";

struct Judge<'f> {
    found: &'f Found<'f>,
    findings: &'f mut Findings,
}

impl Judge<'_> {
    fn warn(&mut self, node: &Node, path: &str, message: &str) {
        self.findings.outside(self.found, node, path, message, Weight::Warning);
    }

    fn note(&mut self, node: &Node, path: &str, message: &str) {
        self.findings.outside(self.found, node, path, message, Weight::Note);
    }

    /// `HttpFilter`.
    fn enabled(&mut self, filter: Option<&Node>) {
        if let Some(filter) = filter.filter(|filter| filter.value.field("disabled").is_some_and(is_true)) {
            self.warn(filter, "disabled", DISABLED);
        }
    }

    /// `DynamicModuleFilter`: a module that cannot be fetched lets requests through.
    fn envoy_native(&mut self, module: &Node) {
        let fields = &module.value;
        let is_fetched = fields.fields(&["dynamic_module_config", "module", "remote"]).is_some();
        let is_refused = fields.fields(&["dynamic_module_config", "nack_on_cache_miss"]).is_some_and(is_true);
        if is_fetched && !is_refused {
            self.warn(
                module,
                "dynamic_module_config.module.remote",
                "a module that Envoy cannot fetch lets every request in unjudged, with the identity headers that its \
                 client wrote; take a local file, or set `nack_on_cache_miss: true`",
            );
        }
    }

    /// `envoy.extensions.wasm.v3.PluginConfig`.
    fn envoy(&mut self, plugin: &Node, tree: &Tree) {
        let fields = &plugin.value;
        let policy = fields.field("failure_policy").and_then(|node| node.value.text());
        if fields.field("fail_open").is_some_and(is_true) {
            self.warn(plugin, "fail_open", &format!("{OPEN}take `failure_policy: FAIL_RELOAD`"));
        }
        match policy {
            Some("FAIL_OPEN") => self.warn(plugin, "failure_policy", &format!("{OPEN}take FAIL_RELOAD")),
            Some("FAIL_RELOAD") => {}
            Some(_) | None => self.note(plugin, "failure_policy", &format!("{CLOSED}take FAIL_RELOAD")),
        }
        if fields.fields(&["vm_config", "vm_id"]).is_none_or(|id| id.value.text() == Some("")) {
            self.warn(
                plugin,
                "vm_config.vm_id",
                "missing: every other plugin without one reads and writes the keys and counters that the workers share; \
                 give it a name of its own",
            );
        }
        if !fields.field("allow_on_headers_stop_iteration").is_some_and(is_true) {
            for issue in held_logins(tree) {
                let message = format!(
                    "{LOGINS}set it to true for `{issue}` (Envoy 1.35 and later), or `release_head` there"
                );
                self.warn(plugin, "allow_on_headers_stop_iteration", &message);
            }
        }
    }

    fn istio(&mut self, spec: &Node, tree: &Tree) {
        match spec.value.get("failStrategy").and_then(|node| node.value.text()) {
            Some("FAIL_OPEN") => self.warn(spec, "failStrategy", &format!("{OPEN}take FAIL_RELOAD")),
            Some("FAIL_RELOAD") => {}
            Some(_) | None => self.note(spec, "failStrategy", &format!("{CLOSED}take FAIL_RELOAD")),
        }
        let url = spec.value.get("url").and_then(|node| node.value.text()).unwrap_or_default();
        if spec.value.get("sha256").is_none() && !url.contains("@sha256:") && !url.starts_with("file:") {
            self.warn(spec, "sha256", NO_DIGEST);
        }
        self.held(
            tree,
            "take an EnvoyFilter with `allow_on_headers_stop_iteration: true`, or set it to true",
        );
    }

    fn envoy_gateway(&mut self, wasm: &Node, tree: &Tree) {
        if wasm.value.get("failOpen").is_some_and(is_true) {
            self.warn(wasm, "failOpen", &format!("{OPEN}remove it"));
        }
        for kind in ["image", "http"] {
            let code = wasm.value.at(&["code", kind]);
            let url = code.and_then(|code| code.value.get("url")).and_then(|node| node.value.text());
            let is_pinned = code.is_some_and(|code| code.value.get("sha256").is_some());
            if url.is_some_and(|url| !url.contains("@sha256:")) && !is_pinned {
                self.warn(wasm, &format!("code.{kind}.sha256"), NO_DIGEST);
            }
        }
        self.held(tree, "set it to true");
    }

    /// Logins where the host holds the body back with the head, and has no field that says otherwise.
    fn held(&mut self, tree: &Tree, remedy: &str) {
        for issue in held_logins(tree) {
            let path = Path::Text(&issue);
            self.findings.inside(self.found, &path.key("release_head"), format!("{LOGINS}{remedy}"));
        }
    }

    /// `HttpConnectionManager`: one reading of a path and of a header, for Lychgate and for the service.
    fn manager(&mut self, manager: &Node) {
        let fields = &manager.value;
        for (field, message) in [
            (
                "normalize_path",
                "not true: a path with `..` or escapes may be one thing to Lychgate and another to the service, which \
                 then serves what the rules keep closed; set it",
            ),
            (
                "merge_slashes",
                "not true: `//admin` may be one path to Lychgate and another to the service, which then serves what \
                 the rules keep closed; set it",
            ),
        ] {
            if !fields.field(field).is_some_and(is_true) {
                self.warn(manager, field, message);
            }
        }
        const ESCAPED: &str = "path_with_escaped_slashes_action";
        let action = fields.field(ESCAPED).and_then(|node| node.value.text());
        if !matches!(action, Some("REJECT_REQUEST" | "UNESCAPE_AND_REDIRECT" | "UNESCAPE_AND_FORWARD")) {
            self.warn(
                manager,
                ESCAPED,
                "keeps `%2F` in paths, which a service may take for a slash, and then serves what the rules keep closed; \
                 set it to REJECT_REQUEST",
            );
        }
        let options = ["common_http_protocol_options", "headers_with_underscores_action"];
        let action = fields.fields(&options).and_then(|node| node.value.text());
        if !matches!(action, Some("REJECT_REQUEST" | "DROP_HEADER")) {
            self.warn(
                manager,
                &options.join("."),
                "lets a client's `X_Auth_Subject` through, which many services take for `X-Auth-Subject`: the client is \
                 whom it says; set it to REJECT_REQUEST",
            );
        }
    }
}

/// Judges what a document has once.
pub(super) fn judge_document(document: &Node, found: &[Found<'_>], findings: &mut Findings) {
    let address = ["address", "socket_address", "address"];
    let admin = document.value.get("admin").filter(|_| !found.is_empty());
    if let Some(admin) = admin
        && let Some(address) = admin.value.fields(&address).and_then(|node| node.value.text())
        && !address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    {
        findings.outside_of_all(
            document,
            "admin.address.socket_address.address",
            "not a loopback address: a client that reaches it reads the configuration with its digests, and may stop \
             Envoy; bind it to 127.0.0.1",
        );
    }
    let id = |plugin: &Node| {
        let id = plugin.value.fields(&["vm_config", "vm_id"]);
        id.and_then(|id| id.value.text()).map(str::to_owned)
    };
    let others: Vec<_> = other_plugins(document).into_iter().filter_map(id).collect();
    for found in found {
        let (plugin, filter) = match found.loader {
            Loader::Envoy { plugin, filter } => (Some(plugin), filter),
            Loader::EnvoyNative { filter, .. } => (None, filter),
            Loader::Unknown | Loader::Istio(_) | Loader::EnvoyGateway(_) | Loader::EnvoyGatewayNative => {
                continue;
            }
        };
        if let Some(plugin) = plugin
            && id(plugin).is_some_and(|id| !id.is_empty() && others.contains(&id))
        {
            let message = "the name of another plugin's VM too, which so reads and writes the keys and counters that the \
                           workers share, and can forge them; give each a name of its own";
            findings.outside(found, plugin, "vm_config.vm_id", message, Weight::Warning);
        }
        let name = filter.and_then(|filter| filter.value.get("name")).and_then(|name| name.value.text());
        if let Some(name) = name {
            routes(document, name, found, findings);
        }
    }
}

/// Looks for routes on which the filter of this name is off.
fn routes(node: &Node, name: &str, found: &Found<'_>, findings: &mut Findings) {
    const FIELD: &str = "typed_per_filter_config";
    let tree = &node.value;
    let of_filter = tree.field(FIELD).and_then(|filters| filters.value.get(name));
    if of_filter.is_some_and(|of_filter| of_filter.value.get("disabled").is_some_and(is_true)) {
        let (field, of_filter) = (Path::Root.key(FIELD), name);
        let path = field.key(of_filter);
        let path = path.key("disabled").to_string();
        findings.outside(found, node, &path, DISABLED, Weight::Warning);
    }
    tree.members().iter().for_each(|(_, member)| routes(member, name, found, findings));
    tree.items().iter().for_each(|item| routes(item, name, found, findings));
}

/// Each `issue` that does not let the head of a login go.
fn held_logins(tree: &Tree) -> Vec<String> {
    let held = schemes(tree).filter(|(_, scheme)| {
        let issue = scheme.get("issue");
        issue.is_some_and(|issue| !issue.value.get("release_head").is_some_and(is_true))
    });
    let root = Path::Root.key("schemes");
    held.map(|(name, _)| format!("{}.issue", root.key(name))).collect()
}

fn is_true(node: &Node) -> bool {
    node.value.is_true()
}
