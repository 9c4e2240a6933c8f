//! Envoy's bootstrap configuration for the tests.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use super::{Artefact, ConfigForm, Listener, Options, is_envoy};

const TYPES: &str = "type.googleapis.com/envoy.extensions";

/// As [`bootstrap`], with the listeners in a file of their own that Envoy watches: the second.
/// A listener that is refused there does not keep Envoy from running.
pub fn dynamic(
    listeners: &[Listener],
    upstream: SocketAddr,
    options: &Options,
    module: &Path,
) -> (Value, Value) {
    let mut config = bootstrap(&[], upstream, options, module);
    config["node"] = json!({"id": "test", "cluster": "test"});
    config["dynamic_resources"] = json!({"lds_config": {"resource_api_version": "V3", "path_config_source": {"path": "@DIR@/lds.json"}}});
    (config, resources(listeners, options, module))
}

/// The listeners as the file that Envoy watches.
pub fn resources(listeners: &[Listener], options: &Options, module: &Path) -> Value {
    let resources: Vec<_> = listeners
        .iter()
        .map(|own| {
            let mut resource = listener(own, options, module);
            resource["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener".into();
            resource
        })
        .collect();
    json!({"version_info": "1", "resources": resources})
}

/// One listener for each policy, and the admin interface on a free port. Envoy's own path
/// normalisation is off: what is tried on the filter must reach it.
pub fn bootstrap(listeners: &[Listener], upstream: SocketAddr, options: &Options, module: &Path) -> Value {
    let mut clusters = vec![cluster("upstream", upstream)];
    for (name, address) in &options.clusters {
        let mut further = cluster(name, *address);
        if let Some(most) = options.breaker {
            let thresholds = json!({
                "max_connections": most, "max_pending_requests": most, "max_requests": most,
            });
            further["circuit_breakers"] = json!({"thresholds": [thresholds]});
        }
        clusters.push(further);
    }
    for (name, value) in options.cluster_members.as_object().into_iter().flatten() {
        clusters.iter_mut().for_each(|cluster| cluster[name] = value.clone());
    }
    json!({
        "admin": {"address": address(([127, 0, 0, 1], 0).into())},
        "stats_config": options.stats_config,
        "layered_runtime": {"layers": [{"name": "static", "static_layer": runtime(options)}]},
        "static_resources": {
            "listeners": listeners.iter().map(|l| listener(l, options, module)).collect::<Vec<_>>(),
            "clusters": clusters,
        },
    })
}

/// As in `envoy.native.yaml`: stats have the names of the Wasm module's. Envoy 1.37 names them so by itself.
fn runtime(options: &Options) -> Value {
    let mut values = options.runtime.as_object().cloned().unwrap_or_default();
    if Artefact::from_environment() == Artefact::Native && !is_envoy("1.37") {
        let name = "envoy.reloadable_features.dynamic_modules_strip_custom_stat_prefix";
        values.insert(name.to_owned(), true.into());
    }
    values.into()
}

fn cluster(name: &str, endpoint: SocketAddr) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(endpoint)}}]}],
        },
    })
}

fn address(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip().to_string(), "port_value": address.port()}})
}

/// The filter of a listener as the file of extension configurations that Envoy watches.
pub fn extension(listener: &Listener, options: &Options, module: &Path) -> Value {
    let filter = filter(listener, options, module);
    json!({"version_info": "1", "resources": [{
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": "lychgate", "typed_config": filter["typed_config"],
    }]})
}

fn discovery() -> Value {
    json!({"name": "lychgate", "config_discovery": {
        "config_source": {"resource_api_version": "V3", "path_config_source": {"path": "@DIR@/ecds.json"}},
        "type_urls": [
            format!("{TYPES}.filters.http.wasm.v3.Wasm"), format!("{TYPES}.filters.http.dynamic_modules.v3.DynamicModuleFilter"),
        ],
    }})
}

fn listener(listener: &Listener, options: &Options, module: &Path) -> Value {
    let mut filters = listener.before.clone();
    for (number, policy) in listener.earlier.iter().enumerate() {
        let (policy, vm_id) = (policy.clone(), format!("{} {number}", listener.vm_id));
        filters.push(filter(&Listener { policy, vm_id, ..listener.clone() }, options, module));
    }
    filters.push(if listener.discovered { discovery() } else { filter(listener, options, module) });
    filters.extend(listener.behind.iter().cloned());
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": format!("{TYPES}.filters.http.router.v3.Router")},
    }));
    let mut manager = json!({
        "@type": format!("{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": listener.name,
        "normalize_path": false,
        "merge_slashes": false,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "access_log": access_log(listener),
        "route_config": {"virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "routes": [{"match": {"prefix": ""}, "route": {"cluster": "upstream"}}],
        }]},
        "http_filters": filters,
    });
    for (name, value) in listener.manager.as_object().into_iter().flatten() {
        manager[name] = value.clone();
    }
    let mut chain = json!({"filters": [{
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": manager,
    }]});
    if !listener.transport_socket.is_null() {
        chain["transport_socket"] = listener.transport_socket.clone();
    }
    json!({
        "name": listener.name,
        "address": address(([127, 0, 0, 1], 0).into()),
        "filter_chains": [chain],
    })
}

fn access_log(listener: &Listener) -> Value {
    if !listener.access_log {
        return json!([]);
    }
    json!([{
        "name": "file",
        "typed_config": {
            "@type": format!("{TYPES}.access_loggers.file.v3.FileAccessLog"),
            "path": format!("@DIR@/{}.access.log", listener.name),
            "log_format": {"json_format": {
                "path": "%REQ(:PATH)%",
                "status": "%RESPONSE_CODE%",
                "details": "%RESPONSE_CODE_DETAILS%",
            }},
        },
    }])
}

fn filter(listener: &Listener, options: &Options, module: &Path) -> Value {
    match listener.artefact {
        Artefact::Wasm => wasm_filter(listener, options, module),
        Artefact::Native => native_filter(listener),
    }
}

fn native_filter(listener: &Listener) -> Value {
    json!({
        "name": "lychgate",
        "typed_config": {
            "@type": format!("{TYPES}.filters.http.dynamic_modules.v3.DynamicModuleFilter"),
            "dynamic_module_config": {"name": "lychgate", "do_not_close": true},
            "filter_name": "lychgate",
            "filter_config": configuration(listener),
        },
    })
}

/// The plugin's configuration, in the form in which it is handed over.
fn configuration(listener: &Listener) -> Value {
    let string =
        |text: String| json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text});
    match (&listener.text, listener.form) {
        (Some(text), _) => string(text.clone()),
        (None, ConfigForm::StringValue) => string(listener.policy.to_string()),
        (None, ConfigForm::Struct) => {
            json!({"@type": "type.googleapis.com/google.protobuf.Struct", "value": listener.policy})
        }
    }
}

fn wasm_filter(listener: &Listener, options: &Options, module: &Path) -> Value {
    let environment: serde_json::Map<_, _> =
        options.environment.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let capabilities: serde_json::Map<_, _> =
        listener.capabilities.iter().map(|name| (name.clone(), json!({}))).collect();
    let host_keys: Vec<_> = options.host_environment.iter().map(|(name, _)| name).collect();
    let mut filter = json!({
        "name": "lychgate",
        "typed_config": {
            "@type": format!("{TYPES}.filters.http.wasm.v3.Wasm"),
            "config": {
                "name": listener.name,
                "failure_policy": "FAIL_RELOAD",
                "allow_on_headers_stop_iteration": listener.holds_heads,
                "vm_config": {
                    "vm_id": listener.vm_id,
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": listener.module.as_deref().unwrap_or(module)}},
                    "environment_variables": {"key_values": environment, "host_env_keys": host_keys},
                },
                "configuration": configuration(listener),
            },
        },
    });
    if !listener.capabilities.is_empty() {
        // In `vm_config` from Envoy 1.40 on, which still knows it here; older ones know no other place.
        let restriction = json!({"allowed_capabilities": capabilities});
        filter["typed_config"]["config"]["capability_restriction_config"] = restriction;
    }
    filter
}
