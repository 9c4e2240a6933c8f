//! A listener of an Envoy: which artefact runs there, and how it is configured.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Artefact;

/// How a configuration is handed to the plugin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConfigForm {
    /// `google.protobuf.Struct`, written as YAML by most users.
    #[default]
    Struct,
    /// `google.protobuf.StringValue` holding JSON text.
    StringValue,
}

/// A listener with the filter before the upstream.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Its name.
    pub name: String,
    /// The plugin configuration.
    pub policy: Value,
    /// How it is handed over.
    pub form: ConfigForm,
    /// The text handed over instead of `policy`, to try what is not JSON.
    pub text: Option<String>,
    /// `allow_on_headers_stop_iteration`, as it should be set.
    pub holds_heads: bool,
    /// `capability_restriction_config`: all that the module may use of its host; empty: everything.
    pub capabilities: Vec<String>,
    /// Members of the connection manager that take the place of the usual ones.
    pub manager: Value,
    /// Which artefact runs.
    pub artefact: Artefact,
    /// The HTTP filters before it.
    pub before: Vec<Value>,
    /// The HTTP filters behind it.
    pub behind: Vec<Value>,
    /// The policies of further filters of the same artefact, between those before it and it.
    pub earlier: Vec<Value>,
    /// The module, where it is another than `dist/lychgate.wasm`.
    pub module: Option<PathBuf>,
    /// Whether an access log is written, as it is from the start.
    pub access_log: bool,
    /// `vm_config.vm_id`, which is the listener's name from the start.
    pub vm_id: String,
    /// `transport_socket` of its filter chain.
    pub transport_socket: Value,
    /// Whether the filter is found by extension config discovery, in a file that Envoy watches.
    pub discovered: bool,
}

impl Listener {
    /// A listener with this plugin configuration, as a Struct.
    #[must_use]
    pub fn new(name: &str, policy: Value) -> Self {
        Self {
            name: name.into(),
            policy,
            form: ConfigForm::Struct,
            text: None,
            holds_heads: true,
            capabilities: Vec::new(),
            manager: Value::Null,
            artefact: Artefact::from_environment(),
            before: Vec::new(),
            behind: Vec::new(),
            earlier: Vec::new(),
            module: None,
            access_log: true,
            vm_id: name.into(),
            transport_socket: Value::Null,
            discovered: false,
        }
    }

    /// Finds the filter by extension config discovery (ECDS).
    #[must_use]
    pub fn discovered(mut self) -> Self {
        self.discovered = true;
        self
    }

    /// Speaks TLS as this transport socket does.
    #[must_use]
    pub fn transport_socket(mut self, transport_socket: Value) -> Self {
        self.transport_socket = transport_socket;
        self
    }

    /// Leaves `allow_on_headers_stop_iteration` out, as older Envoys and Istio do.
    #[must_use]
    pub fn without_holding_heads(mut self) -> Self {
        self.holds_heads = false;
        self
    }

    /// Lets the module use and be called by this alone.
    #[must_use]
    pub fn restricted_to(mut self, capabilities: &[String]) -> Self {
        self.capabilities = capabilities.to_vec();
        self
    }

    /// Sets members of the connection manager.
    #[must_use]
    pub fn manager(mut self, members: Value) -> Self {
        self.manager = members;
        self
    }

    /// Runs this artefact.
    #[must_use]
    pub fn artefact(mut self, artefact: Artefact) -> Self {
        self.artefact = artefact;
        self
    }

    /// Runs another module.
    #[must_use]
    pub fn module(mut self, module: &Path) -> Self {
        self.module = Some(module.to_owned());
        self
    }

    /// Hands the configuration over in `form`.
    #[must_use]
    pub fn form(mut self, form: ConfigForm) -> Self {
        self.form = form;
        self
    }
}
