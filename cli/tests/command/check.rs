//! `check`: what is wrong, and on which line.

use super::{SECRET, lychgate, stderr, stdout};

#[test]
fn envoy_yaml_is_checked_with_the_environment() {
    let good = lychgate(&["check", "envoy.yaml"], "", &[SECRET]);
    assert_eq!(good.status.code(), Some(0), "{good:?}");
    assert_eq!(stdout(&good), "envoy.yaml: 1 configuration(s), no fault\n");
    let bad = lychgate(&["check", "envoy.yaml"], "", &[("LYCHGATE_SECRET", "short")]);
    assert_eq!(bad.status.code(), Some(1));
    let yaml = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../envoy.yaml")).unwrap();
    let line = yaml.lines().position(|line| line.contains("keys: [{alg: HS256")).unwrap() + 1;
    let wanted = format!(
        "envoy.yaml:{line}: lychgate: schemes.oauth2.jwt.keys[0]: HS256 needs a secret of at least 32 bytes, got 5\n"
    );
    assert_eq!(stdout(&bad), wanted);
    let unset = lychgate(&["check", "envoy.yaml"], "", &[]);
    assert!(stdout(&unset).contains("LYCHGATE_SECRET is not set"), "{unset:?}");
    assert_eq!(lychgate(&["check", "--assume-env", "envoy.yaml"], "", &[]).status.code(), Some(0));
}

/// Input, exit status, and what is said: on standard output, or on standard error for status 2.
fn table(rows: &[(&str, i32, &[&str])]) {
    for (text, code, says) in rows {
        let output = lychgate(&["check", "-"], text, &[]);
        assert_eq!(output.status.code(), Some(*code), "{text}\n{output:?}");
        let told = if *code == 2 { stderr(&output) } else { stdout(&output) };
        for said in *says {
            assert!(told.contains(said), "{text}\n{told}\nlacks {said}");
        }
    }
}

#[test]
fn every_fault_is_printed_with_its_line() {
    table(&[
        ("{\"rules\": []}", 0, &["no fault"]),
        ("mode: enforce\nrule: []", 1, &["-:2: rule: unknown key"]),
        (
            "{\n  \"mode\": \"never\",\n  \"schemes\": {\n    \"a\": {}\n  }\n}",
            1,
            &["-:2: mode: ", "-:4: schemes.a: missing key `type`"],
        ),
        (
            "schemes:\n  a b:\n    type: apiKey\n    in: header\n    name: X-Key\n    api_keys: nowhere\n",
            1,
            &["-:6: schemes[\"a b\"].api_keys: no directory"],
        ),
        (
            "rules:\n- match: {path: /a}\n  security: []\n- match:\n    path: /b\n  security:\n  - {}\n  - nobody: []\n",
            1,
            &["-:8: rules[1].security[1].nobody: no such scheme"],
        ),
        (
            "# nothing\n\nusers:\n  staff:\n  - username: ann\n    password: secret\n",
            1,
            &["-:6: users.staff[0].password: not a password hash"],
        ),
    ]);
}

#[test]
fn what_istio_and_envoy_gateway_hold_is_found() {
    table(&[
        (
            "kind: WasmPlugin\nmetadata: {name: gate}\nspec:\n  pluginConfig:\n    mode: never\n",
            1,
            &["-:5: gate: mode: unknown value"],
        ),
        (
            "kind: Service\n---\nkind: WasmPlugin\nmetadata: {name: gate}\nspec:\n  vmConfig:\n    env:\n    - {name: S, value: 'a secret of 32 bytes, at the very least'}\n  pluginConfig:\n    schemes:\n      t:\n        type: http\n        scheme: bearer\n        jwt: {keys: [{alg: HS256, secret: {env: S}}]}\n",
            0,
            &["1 configuration(s), no fault"],
        ),
        (
            "kind: EnvoyExtensionPolicy\nspec:\n  wasm:\n  - name: gate\n    config:\n      rules: 7\n",
            1,
            &["-:6: gate: rules: expected an array"],
        ),
        (
            "kind: EnvoyExtensionPolicy\nspec:\n  dynamicModules:\n  - name: lychgate\n    config:\n      rules: 7\n",
            1,
            &["-:6: lychgate: rules: expected an array"],
        ),
        ("kind: Service\nspec: {}\n", 2, &["no Lychgate configuration in it"]),
    ]);
}

#[test]
fn the_native_module_is_found_in_a_filter_and_in_a_route() {
    let module = |name: &str, own: &str, value: &str| {
        format!(
            "static_resources:\n  filter:\n    dynamic_module_config: {{name: {name}}}\n    {own}\n    filter_config:\n      '@type': type.googleapis.com/google.protobuf.Struct\n      value: {value}\n"
        )
    };
    table(&[
        (
            &module("lychgate", "filter_name: lychgate", "{mode: never}"),
            1,
            &["-:7: lychgate: mode: unknown value"],
        ),
        (
            &module("lychgate", "per_route_config_name: partners", "{mode: never}"),
            1,
            &["-:7: partners: mode: unknown value"],
        ),
        (
            &module("lychgate", "filter_name: partners", "{mode: never}"),
            1,
            &["-:7: partners: mode: unknown value"],
        ),
        (
            &module("auth", "filter_name: gate", "'{\"rules\": 7}'"),
            1,
            &["-:7: gate: rules: expected an array"],
        ),
        (
            &module("coraza", "filter_name: coraza", "{directives: x}"),
            2,
            &["no Lychgate configuration in it"],
        ),
    ]);
}

#[test]
fn only_our_own_plugins_are_judged() {
    let plugin = |name: &str, file: &str, config: &str| {
        format!(
            "static_resources:\n  filter:\n    config:\n      name: {name}\n      vm_config:\n        code: {{local: {{filename: {file}}}}}\n        environment_variables: {{key_values: {{S: 'a secret of 32 bytes, at the very least'}}}}\n      configuration:\n        '@type': type.googleapis.com/google.protobuf.Struct\n        value: {config}\n"
        )
    };
    let other = plugin("coraza", "coraza.wasm", "{directives: x}");
    let named = plugin("gate", "/etc/lychgate.wasm", "{directives: x}");
    let by_content = plugin("gate", "/etc/auth.wasm", "{rules: 7}");
    let text = plugin("gate", "/etc/auth.wasm", "'{\"rules\": 7}'");
    let with_secret = plugin(
        "gate",
        "/etc/auth.wasm",
        "{schemes: {t: {type: http, scheme: bearer, jwt: {keys: [{alg: HS256, secret: {env: S}}]}}}}",
    );
    table(&[
        (&other, 2, &["no Lychgate configuration in it"]),
        (&named, 1, &["-:10: gate: directives: unknown key"]),
        (&by_content, 1, &["-:10: gate: rules: expected an array"]),
        (&text, 1, &["-:10: gate: rules: expected an array"]),
        (&with_secret, 0, &["no fault"]),
    ]);
}

/// What people keep configurations in, and what else is there.
#[test]
fn lists_config_maps_and_other_plugins_are_read_as_what_they_are() {
    let gate = "kind: WasmPlugin\n  metadata: {name: gate}\n  spec:\n    url: oci://example/lychgate:1\n    pluginConfig:\n      mode: never\n";
    let other = "kind: WasmPlugin\n  metadata: {name: coraza}\n  spec:\n    url: oci://example/coraza\n    pluginConfig: {mode: never}\n";
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {other}- {gate}");
    let map = "apiVersion: v1\nkind: ConfigMap\ndata:\n  readme: |\n    mode: never\n  envoy.yaml: |\n    static_resources:\n      filter:\n        name: lychgate\n        vm_config: {vm_id: x}\n        configuration:\n          value:\n            rules: 7\n  bare.json: '{\"rules\": [7]}'\n";
    let alone = "kind: WasmPlugin\nmetadata: {name: coraza}\nspec:\n  url: oci://example/coraza\n  pluginConfig: {mode: never}\n";
    table(&[
        (&list, 1, &["-:14: gate: mode: unknown value"]),
        (&list.replace("kind: List", "kind: WasmPluginList"), 1, &["-:14: gate: mode: unknown value"]),
        (map, 1, &["-:13: lychgate: rules: expected an array", "-:14: rules[0]: expected an object"]),
        (alone, 2, &["no Lychgate configuration in it"]),
        (
            "kind: EnvoyExtensionPolicy\nspec:\n  wasm:\n  - name: coraza\n    code: {image: {url: example/coraza}}\n    config: {mode: never}\n",
            2,
            &["no Lychgate configuration in it"],
        ),
    ]);
    let output = lychgate(&["check", "-"], &list, &[]);
    assert!(!stdout(&output).contains("coraza"), "{output:?}");
}

#[test]
fn templates_and_keys_that_are_there_twice_are_told_in_plain_words() {
    table(&[
        (
            "{{- if .Values.gate }}\nmode: enforce\n{{- end }}\n",
            2,
            &["a Helm template", "helm template . | lychgate check -"],
        ),
        ("mode: {{ .Values.mode }}\n", 2, &["a Helm template"]),
        ("mode: \"{{ .Values.mode }}\"\n", 1, &["mode: unknown value", "helm template . | lychgate check -"]),
        (
            "mode: enforce\nmode: dry_run\n",
            2,
            &["line 2", "duplicate key `mode`: one of the two would be lost"],
        ),
        ("{\"mode\": \"enforce\",\n \"mode\": \"dry_run\"}", 2, &["duplicate key `mode`", "line 2"]),
        ("\u{feff}{\"rules\": []}", 0, &["no fault"]),
    ]);
}

#[test]
fn what_cannot_be_read_is_no_fault_of_the_configuration() {
    table(&[
        ("static_resources: {}", 2, &["no Lychgate configuration in it"]),
        ("a: [", 2, &["not YAML or JSON"]),
        ("", 2, &["no Lychgate configuration in it"]),
    ]);
    let missing = lychgate(&["check", "no-such-file.yaml"], "", &[]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(stderr(&missing).contains("no-such-file.yaml: "), "{missing:?}");
}

#[test]
fn several_files_are_checked_and_one_fault_is_enough() {
    let output = lychgate(&["check", "envoy.yaml", "-"], "mode: never", &[SECRET]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("envoy.yaml: 1 configuration(s), no fault"), "{output:?}");
    assert!(stdout(&output).contains("-:1: mode: "), "{output:?}");
}

/// Sixty wrong passwords, each with an `X-Forwarded-For` of its own, were sixty guesses: the plugin cannot
/// see that the connection manager believes the header, but the file shows it.
#[test]
fn a_connection_manager_that_takes_addresses_from_clients_is_a_warning() {
    let hash = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
    let file = |manager: &str, filters: &str, scheme: &str| {
        format!(
            "static_resources:\n  listeners:\n  - filter_chains:\n    - filters:\n      - typed_config:\n          stat_prefix: x\n{manager}          {filters}:\n          - name: lychgate\n            typed_config:\n              config:\n                name: gate\n                vm_config: {{vm_id: lychgate}}\n                configuration:\n                  value:\n                    schemes: {{s: {scheme}}}\n                    users: {{staff: [{{username: ann, password: {hash}}}]}}\n                    api_keys: {{partners: []}}\n"
        )
    };
    let basic = "{type: http, scheme: basic, users: staff}";
    let key = "{type: apiKey, in: header, name: X-Key, api_keys: partners}";
    let warns = |manager: &str, filters: &str, scheme: &str| {
        let text = file(manager, filters, scheme);
        let output = lychgate(&["check", "-"], &text, &[]);
        assert_eq!(output.status.code(), Some(0), "{text}\n{output:?}");
        // At the setting, or where the manager begins that lacks it.
        let line =
            text.lines().position(|line| line.contains("ddress: false")).map_or(6, |before| before + 1);
        let wanted = format!(
            "-:{line}: gate: warning: use_remote_address: not true, so the client's address is taken"
        );
        stdout(&output).contains(&wanted)
    };
    assert!(warns("", "http_filters", basic));
    assert!(warns("          use_remote_address: false\n", "http_filters", basic));
    assert!(warns("          useRemoteAddress: false\n", "httpFilters", basic));
    assert!(warns("          xff_num_trusted_hops: 1\n", "http_filters", basic));
    assert!(!warns("          use_remote_address: true\n", "http_filters", basic));
    assert!(!warns("          useRemoteAddress: true\n", "httpFilters", basic));
    let extensions = "          original_ip_detection_extensions: [{name: x}]\n";
    assert!(!warns(extensions, "http_filters", basic), "addresses come from elsewhere");
    assert!(!warns("", "http_filters", key), "nothing is counted by address");
}
