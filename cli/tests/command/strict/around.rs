//! What Envoy, Istio and Envoy Gateway leave open.

use super::{ENVOY, check, told};

#[test]
fn what_envoy_itself_leaves_open_is_a_warning() {
    told(
        ENVOY,
        "warning",
        &[
            ("          use_remote_address: true\n", "", "stat_prefix: gate", "use_remote_address: not true"),
            ("          normalize_path: true\n", "", "stat_prefix: gate", "normalize_path: not true"),
            ("normalize_path: true", "normalizePath: false", "normalizePath", "normalize_path: not true"),
            ("          merge_slashes: true\n", "", "stat_prefix: gate", "merge_slashes: not true"),
            (
                "path_with_escaped_slashes_action: REJECT_REQUEST",
                "path_with_escaped_slashes_action: KEEP_UNCHANGED",
                "KEEP_UNCHANGED",
                "path_with_escaped_slashes_action: keeps `%2F`",
            ),
            (
                "{headers_with_underscores_action: REJECT_REQUEST}",
                "{idle_timeout: 60s}",
                "idle_timeout",
                "common_http_protocol_options.headers_with_underscores_action: lets a client's",
            ),
            (
                "failure_policy: FAIL_RELOAD",
                "failure_policy: FAIL_OPEN",
                "FAIL_OPEN",
                "failure_policy: a crash of the plugin lets every request in",
            ),
            (
                "failure_policy: FAIL_RELOAD",
                "failurePolicy: FAIL_OPEN",
                "FAIL_OPEN",
                "failure_policy: a crash of the plugin lets every request in",
            ),
            (
                "                allow_on_headers_stop_iteration: true\n",
                "",
                "name: gate\n",
                "allow_on_headers_stop_iteration: the head of a login",
            ),
            ("                  vm_id: lychgate\n", "", "vm_config:", "vm_config.vm_id: missing"),
            (
                "vm_id: other",
                "vm_id: lychgate",
                "  vm_id: lychgate",
                "vm_config.vm_id: the name of another plugin's VM too",
            ),
            (
                "{other: {disabled: true}}",
                "{gate-filter: {disabled: true}}",
                "gate-filter: {",
                "typed_per_filter_config.gate-filter.disabled: the plugin is off here",
            ),
            (
                "- name: gate-filter\n",
                "- name: gate-filter\n            disabled: true\n",
                "disabled: true\n",
                "disabled: the plugin is off here",
            ),
        ],
    );
    told(
        ENVOY,
        "note",
        &[
            (
                "failure_policy: FAIL_RELOAD",
                "failure_policy: FAIL_CLOSED",
                "FAIL_CLOSED",
                "failure_policy: a crash stops the plugin",
            ),
            (
                "                failure_policy: FAIL_RELOAD\n",
                "",
                "name: gate\n",
                "failure_policy: a crash stops the plugin",
            ),
        ],
    );
    // It is printed once, of no plugin in particular.
    for address in ["0.0.0.0", "192.0.2.1", "'::'"] {
        let open = ENVOY.replace(
            "{socket_address: {address: 127.0.0.1",
            &format!("{{socket_address: {{address: {address}"),
        );
        let (code, said) = check(&["--strict"], &open);
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.starts_with("-:2: warning: admin.address.socket_address.address: not a loopback address"),
            "{said}"
        );
    }
    let both = ENVOY.replace(
        "failure_policy: FAIL_RELOAD",
        "failure_policy: FAIL_RELOAD\n                fail_open: true",
    );
    assert!(check(&["--strict"], &both).1.contains("warning: fail_open: a crash"), "{both}");
    let released = ENVOY
        .replace("                allow_on_headers_stop_iteration: true\n", "")
        .replace("expires_in: 86400", "expires_in: 86400, release_head: true");
    assert_eq!(check(&["--strict"], &released).0, Some(0));
}

/// Envoy kept 32 MiB of each answer of a broken introspection server, of 256 at once.
#[test]
fn a_bootstrap_that_does_not_bound_answers_is_a_warning() {
    let value = "http.async_response_buffer_limit: 1114112";
    let (code, said) = check(&["--strict"], &ENVOY.replace(value, "other: 1"));
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("warning: layered_runtime: no layer has `http.async_response_buffer_limit`"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 2, "{said}");
    let nested = "http: {async_response_buffer_limit: 2000000}";
    let elsewhere = ENVOY.replace(&format!("static_layer: {{{value}}}"), "rtds_layer: {name: r}");
    for text in [ENVOY.replace(value, nested), elsewhere] {
        let (code, said) = check(&["--strict"], &text);
        assert_eq!(code, Some(0), "{said}");
    }
}

#[test]
fn keys_that_an_attacker_on_the_way_could_replace_are_a_warning() {
    let tls = "{typed_config: {common_tls_context: {validation_context: {trusted_ca: {filename: a.pem}}}}}";
    for (good, bad, count, says) in [
        (format!("    transport_socket: {tls}\n"), "", 3, "the cluster idp has no TLS"),
        (
            tls.to_owned(),
            "{typed_config: {common_tls_context: {}}}",
            3,
            "the cluster idp takes any certificate",
        ),
        ("'https://idp.example/keys'".to_owned(), "'http://idp.example/keys'", 1, "is fetched in clear"),
        (
            "'https://idp.example/keys'".to_owned(),
            "'http://127.0.0.1.example/keys'",
            1,
            "is fetched in clear",
        ),
        ("'https://idp.example/keys'".to_owned(), "'http://127.0.0.1:9000/keys'", 0, "is fetched in clear"),
        ("'https://idp.example/keys'".to_owned(), "'http://[::1]:9000/keys'", 0, "is fetched in clear"),
    ] {
        let text = ENVOY.replace(&good, bad);
        assert_ne!(text, ENVOY);
        let (code, said) = check(&["--strict"], &text);
        assert_eq!(said.matches(says).count(), count, "{bad}\n{said}");
        assert_eq!(code, Some(i32::from(count > 0)), "{said}");
    }
    let text = ENVOY.replace(&format!("    transport_socket: {tls}\n"), "");
    let (_, said) = check(&["--strict"], &text);
    for place in ["fetched.jwt.remote_jwks", "fetched.jwt.revocation", "opaque.introspection"] {
        assert!(said.contains(&format!("warning: schemes.{place}.cluster: ")), "{said}");
    }
}

#[test]
fn what_istio_and_envoy_gateway_leave_open_is_a_warning() {
    let istio = "kind: WasmPlugin\nmetadata: {name: gate}\nspec:\n  url: oci://registry/x\n  sha256: '00'\n  failStrategy: FAIL_RELOAD\n  vmConfig: {env: [{name: LYCHGATE_SECRET, valueFrom: HOST}]}\n  pluginConfig:\n    schemes:\n      oauth2:\n        type: oauth2\n        flows: {password: {tokenUrl: /token, scopes: {}}}\n        jwt: {keys: [{alg: HS256, secret: {env: LYCHGATE_SECRET}}], audiences: [a]}\n        users: staff\n        issue: {release_head: true}\n    users:\n      staff:\n      - {username: ann, password: $2b$10$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW}\n";
    told(
        istio,
        "warning",
        &[
            (
                "failStrategy: FAIL_RELOAD",
                "failStrategy: FAIL_OPEN",
                "FAIL_OPEN",
                "failStrategy: a crash of the plugin lets",
            ),
            ("  sha256: '00'\n", "", "url:", "sha256: missing: a push to the registry"),
            (
                "issue: {release_head: true}",
                "issue: {expires_in: 60}",
                "issue:",
                "schemes.oauth2.issue.release_head: the head of a login",
            ),
        ],
    );
    told(
        istio,
        "note",
        &[(
            "failStrategy: FAIL_RELOAD",
            "failStrategy: FAIL_CLOSE",
            "FAIL_CLOSE",
            "failStrategy: a crash stops the plugin",
        )],
    );
    let pinned = istio.replace("  sha256: '00'\n", "").replace("registry/x", "registry/x@sha256:00");
    assert_eq!(check(&["--strict"], &pinned).0, Some(0), "{pinned}");
    let gateway = "kind: EnvoyExtensionPolicy\nspec:\n  wasm:\n  - name: gate\n    failOpen: false\n    code: {type: Image, image: {url: registry/x, sha256: '00'}}\n    config: {rules: []}\n";
    told(
        gateway,
        "warning",
        &[
            ("failOpen: false", "failOpen: true", "failOpen", "failOpen: a crash of the plugin lets"),
            (", sha256: '00'", "", "image", "code.image.sha256: missing"),
        ],
    );
    let list = format!(
        "kind: List\nitems:\n- {}",
        istio.replace("FAIL_RELOAD", "FAIL_OPEN").trim_end().replace('\n', "\n  ")
    );
    assert!(check(&["--strict"], &list).1.starts_with("-:8: gate: warning: failStrategy: "), "{list}");
}

/// Protobuf's JSON has two spellings of each field.
#[test]
fn an_envoy_in_the_other_spelling_is_found_and_judged() {
    let mut text = ENVOY.to_owned();
    for (snake, camel) in [
        ("typed_config", "typedConfig"),
        ("http_filters", "httpFilters"),
        ("vm_config", "vmConfig"),
        ("vm_id", "vmId"),
        ("failure_policy", "failurePolicy"),
        ("allow_on_headers_stop_iteration", "allowOnHeadersStopIteration"),
        ("use_remote_address", "useRemoteAddress"),
        ("normalize_path", "normalizePath"),
        ("merge_slashes", "mergeSlashes"),
        ("path_with_escaped_slashes_action", "pathWithEscapedSlashesAction"),
        ("common_http_protocol_options", "commonHttpProtocolOptions"),
        ("headers_with_underscores_action", "headersWithUnderscoresAction"),
        ("typed_per_filter_config", "typedPerFilterConfig"),
        ("socket_address", "socketAddress"),
        ("static_resources", "staticResources"),
        ("transport_socket", "transportSocket"),
        ("common_tls_context", "commonTlsContext"),
        ("validation_context", "validationContext"),
        ("environment_variables", "environmentVariables"),
        ("host_env_keys", "hostEnvKeys"),
    ] {
        assert!(text.contains(snake), "{snake}");
        text = text.replace(snake, camel);
    }
    told(
        &text,
        "warning",
        &[
            ("normalizePath: true", "normalizePath: false", "normalizePath", "normalize_path: not true"),
            (
                "failurePolicy: FAIL_RELOAD",
                "failurePolicy: FAIL_OPEN",
                "FAIL_OPEN",
                "failure_policy: a crash",
            ),
            (
                "{other: {disabled: true}}",
                "{gate-filter: {disabled: true}}",
                "gate-filter: {",
                "typed_per_filter_config",
            ),
        ],
    );
}

/// Envoy starts without a module that it cannot fetch.
#[test]
fn a_native_module_that_is_fetched_and_may_be_missing_is_a_warning() {
    let with = |module: &str, filter: &str| {
        format!(
            "static_resources:\n  http_filters:\n  - name: gate\n{filter}    typed_config:\n      dynamic_module_config:\n        {module}\n      filter_name: lychgate\n      filter_config:\n        value: {{security: []}}\n"
        )
    };
    let says = |text: &str| {
        let (_, told) = check(&["--strict"], text);
        [
            "dynamic_module_config.module.remote: a module that Envoy cannot fetch",
            "disabled: the plugin is off here",
        ]
        .map(|what| told.contains(what))
    };
    let remote = "module: {remote: {http_uri: {uri: x}}}";
    assert_eq!(says(&with(remote, "")), [true, false]);
    assert_eq!(says(&with(&format!("{remote}\n        nack_on_cache_miss: true"), "")), [false, false]);
    assert_eq!(says(&with("name: lychgate", "")), [false, false]);
    assert_eq!(says(&with("name: lychgate", "    disabled: true\n")), [false, true]);
}
