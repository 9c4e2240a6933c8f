//! `check --strict`: each setting that opens a way is printed, and the file without it is good.

mod around;
mod document;
mod keys;
mod routes;

use super::{SECRET, lychgate, stderr, stdout};

/// A whole Envoy with nothing to warn of. Each row of a table changes one thing in it.
const ENVOY: &str = "\
admin:
  address: {socket_address: {address: 127.0.0.1, port_value: 9901}}
layered_runtime: {layers: [{name: static, static_layer: {http.async_response_buffer_limit: 1114112}}]}
static_resources:
  listeners:
  - filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          stat_prefix: gate
          normalize_path: true
          merge_slashes: true
          path_with_escaped_slashes_action: REJECT_REQUEST
          common_http_protocol_options: {headers_with_underscores_action: REJECT_REQUEST}
          use_remote_address: true
          route_config:
            virtual_hosts:
            - routes:
              - match: {prefix: /}
                typed_per_filter_config: {other: {disabled: true}}
          http_filters:
          - name: gate-filter
            typed_config:
              config:
                name: gate
                failure_policy: FAIL_RELOAD
                allow_on_headers_stop_iteration: true
                vm_config:
                  vm_id: lychgate
                  environment_variables: {host_env_keys: [LYCHGATE_SECRET]}
                configuration:
                  value:
                    schemes:
                      oauth2:
                        type: oauth2
                        flows: {password: {tokenUrl: /token, scopes: {}}}
                        jwt: # of oauth2
                          keys: [{alg: HS256, secret: {env: LYCHGATE_SECRET}}]
                          audiences: [items]
                          required_claims: [sub, exp]
                        users: staff
                        issue: {expires_in: 86400, clients: [{client_id: web, client_secret: {env: LYCHGATE_SECRET}}]}
                      fetched:
                        type: http
                        scheme: bearer
                        jwt: # of fetched
                          remote_jwks: {uri: 'https://idp.example/keys', cluster: idp}
                          issuer: https://idp.example
                          audiences: [orders]
                          revocation: {uri: 'https://idp.example/revoked', cluster: idp, on_outage: refuse}
                      opaque:
                        type: http
                        scheme: bearer
                        introspection:
                          uri: https://idp.example/introspect
                          cluster: idp
                          client_id: gate
                          client_secret: {env: LYCHGATE_SECRET}
                          audiences: [files]
                    users:
                      staff:
                      - {username: ann, password: $2b$10$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW}
                    rules:
                    - match: {path: /health}
                      security: []
                    - match: {prefix: /items}
                      optional: refuse_invalid
                      mode: enforce
                      security: [{oauth2: []}, {fetched: []}, {opaque: []}]
                    security: [{oauth2: []}]
                    optional: refuse_invalid
                    mode: enforce
                    openapi: {document: {openapi: 3.1.0, paths: {}}, unsecured: default}
          - name: other
            typed_config: {config: {name: other, vm_config: {vm_id: other, code: {local: {filename: o.wasm}}}, configuration: {value: {a: b}}}}
  clusters:
  - name: idp
    transport_socket: {typed_config: {common_tls_context: {validation_context: {trusted_ca: {filename: a.pem}}}}}
";

fn check(arguments: &[&str], text: &str) -> (Option<i32>, String) {
    let output = lychgate(&[&["check"], arguments, &["-"]].concat(), text, &[SECRET]);
    assert_eq!(stderr(&output), "", "{text}");
    (output.status.code(), stdout(&output))
}

/// The line on which `part` is.
fn line_of(text: &str, part: &str) -> usize {
    text.split_inclusive('\n')
        .position(|line| line.contains(part))
        .unwrap_or_else(|| panic!("no {part} in\n{text}"))
        + 1
}

/// What is there, what takes its place, a part of the line that is told, and what is told of it. `kind` is
/// `warning` with exit status 1, or `note` with 0.
fn told(base: &str, kind: &str, rows: &[(&str, &str, &str, &str)]) {
    let (code, said) = check(&["--strict"], base);
    assert_eq!((code, said.as_str()), (Some(0), "-: 1 configuration(s), no fault\n"), "{base}");
    for (good, bad, line, says) in rows {
        assert_eq!(base.matches(good).count(), 1, "{good}");
        let text = base.replace(good, bad);
        let wanted = format!("-:{}: gate: {kind}: {says}", line_of(&text, line));
        let (code, said) = check(&["--strict"], &text);
        assert_eq!(said.lines().count(), 2, "{bad}\n{said}");
        assert!(said.starts_with(&wanted), "{bad}\n{said}\nlacks {wanted}");
        let (strict, count) = if kind == "warning" { (1, ", 1 warning(s)") } else { (0, "") };
        assert!(said.ends_with(&format!("-: 1 configuration(s), no fault{count}\n")), "{bad}\n{said}");
        assert_eq!(code, Some(strict), "{bad}\n{said}");
        let (code, said) = check(&[], &text);
        assert_eq!(code, Some(0), "{bad}: no fault without --strict\n{said}");
        let is_of_today = says.starts_with("use_remote_address");
        assert_eq!(said == "-: 1 configuration(s), no fault\n", !is_of_today, "{bad}\n{said}");
    }
}

#[test]
fn a_token_or_a_secret_that_serves_elsewhere_too_is_a_warning() {
    const JWT: &str = "schemes.oauth2.jwt";
    told(
        ENVOY,
        "warning",
        &[
            (
                "                          audiences: [items]\n",
                "",
                "# of oauth2",
                "schemes.oauth2.jwt.audiences: missing: a token that was signed with the same key",
            ),
            (
                "                          audiences: [orders]\n",
                "",
                "# of fetched",
                "schemes.fetched.jwt.audiences: missing: a token that its issuer made for another service",
            ),
            (
                "                          audiences: [files]\n",
                "",
                "introspection:",
                "schemes.opaque.introspection.audiences: missing",
            ),
            (
                "                          issuer: https://idp.example\n",
                "",
                "# of fetched",
                "schemes.fetched.jwt.issuer: missing: a token by any issuer",
            ),
            (
                "keys: [{alg: HS256, secret: {env: LYCHGATE_SECRET}}]",
                "keys: [{alg: HS256, secret: a secret of 32 bytes or more is here}]",
                "a secret of 32 bytes",
                &format!("{JWT}.keys[0].secret: the secret is in the file"),
            ),
            (
                "keys: [{alg: HS256, secret: {env: LYCHGATE_SECRET}}]",
                "keys: [{alg: HS256, secret: {base64: YSBzZWNyZXQgb2YgMzIgYnl0ZXMgb3IgbW9yZSBpcyBoZXJl}}]",
                "base64:",
                &format!("{JWT}.keys[0].secret: the secret is in the file"),
            ),
            (
                "client_secret: {env: LYCHGATE_SECRET}}]",
                "client_secret: inline}]",
                "client_secret: inline",
                "schemes.oauth2.issue.clients[0].client_secret: the secret is in the file",
            ),
            (
                "                          client_secret: {env: LYCHGATE_SECRET}\n",
                "                          client_secret: inline\n",
                "client_secret: inline",
                "schemes.opaque.introspection.client_secret: the secret is in the file",
            ),
        ],
    );
    // A JWK may be a secret.
    for (keys, place) in
        [("keys: [{alg: HS256, jwk: JWK}]", "keys[0].jwk.k"), ("jwks: {keys: [JWK]}", "jwks.keys[0].k")]
    {
        let keys = keys
            .replace("JWK", "{kty: oct, alg: HS256, k: YSBzZWNyZXQgb2YgMzIgYnl0ZXMgb3IgbW9yZSBpcyBoZXJl}");
        let text = format!(
            "schemes:\n  t:\n    type: http\n    scheme: bearer\n    jwt:\n      audiences: [a]\n      {keys}\n"
        );
        let (code, said) = check(&["--strict"], &text);
        let wanted = format!("-:7: warning: schemes.t.jwt.{place}: the secret is in the file");
        assert!(code == Some(1) && said.starts_with(&wanted), "{text}\n{said}");
    }
    // A variable whose value the file gives is no better: each place that takes it is printed.
    let given = ENVOY.replace(
        "{host_env_keys: [LYCHGATE_SECRET]}",
        &format!("{{key_values: {{LYCHGATE_SECRET: {}}}}}", SECRET.1),
    );
    let (code, said) = check(&["--strict"], &given);
    assert_eq!((code, said.matches("env: the secret is in the file").count()), (Some(1), 3), "{said}");
    // So may a PEM, if it is a private one.
    let private = ENVOY
        .replace(
            "keys: [{alg: HS256, secret: {env: LYCHGATE_SECRET}}]",
            "keys: [{alg: ES256, pem: {env: SIGNING}}]",
        )
        .replace(
            "{host_env_keys: [LYCHGATE_SECRET]}",
            "{host_env_keys: [LYCHGATE_SECRET], key_values: {SIGNING: \"PEM\"}}",
        )
        .replace("PEM", PRIVATE);
    let (code, said) = check(&["--strict"], &private);
    let line = line_of(&private, "pem: {env: SIGNING}");
    let wanted =
        format!("-:{line}: gate: warning: schemes.oauth2.jwt.keys[0].pem.env: the secret is in the file");
    assert!(code == Some(1) && said.starts_with(&wanted) && said.lines().count() == 2, "{said}");
}

/// Made for this test.
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg32Diz8gC51SKnrj+\\ngMEgXlur6byyqFADqZz+KD2nJUahRANCAAT4wfO7ZduKWlxQBsbSoGYbbCS0ew95\\ns3u9zmNhV7GR5uWFFi/Ce8OZPmOUOrQAKyp1BQ+d4KVRUi1koASn7pnQ\\n-----END PRIVATE KEY-----\\n";

#[test]
fn what_lets_requests_in_or_keeps_access_is_a_warning() {
    told(
        ENVOY,
        "warning",
        &[
            (
                "                    mode: enforce\n                    openapi",
                "                    mode: dry_run\n                    openapi",
                "dry_run",
                "mode: no request is refused here",
            ),
            (
                "                      mode: enforce\n                      security",
                "                      mode: dry_run\n                      security",
                "dry_run",
                "rules[1].mode: no request is refused here",
            ),
            (
                "                    optional: refuse_invalid\n                    mode",
                "                    optional: ignore_invalid\n                    mode",
                "ignore_invalid",
                "optional: a forged or revoked credential",
            ),
            (
                "                      optional: refuse_invalid\n                      mode",
                "                      optional: ignore_invalid\n                      mode",
                "ignore_invalid",
                "rules[1].optional: a forged or revoked credential",
            ),
            (
                "                    security: [{oauth2: []}]\n",
                "                    security: [] # all\n",
                "# all",
                "security: a path that no rule names",
            ),
            (
                "                    security: [{oauth2: []}]\n",
                "                    security: [{oauth2: []}, {}] # all\n",
                "# all",
                "security: a path that no rule names",
            ),
            (
                "match: {prefix: /items}\n                      optional: refuse_invalid\n                      mode: enforce\n                      security: [{oauth2: []}, {fetched: []}, {opaque: []}]",
                "match: {prefix: /}\n                      security: [{}] # all",
                "# all",
                "rules[1].security: every path that no rule above names",
            ),
            (
                "unsecured: default",
                "unsecured: public",
                "unsecured: public",
                "openapi.unsecured: an operation whose `security` was forgotten",
            ),
            (
                "required_claims: [sub, exp]",
                "required_claims: [sub]",
                "required_claims",
                "schemes.oauth2.jwt.required_claims: without `exp`",
            ),
            (
                "expires_in: 86400",
                "expires_in: 86401",
                "expires_in",
                "schemes.oauth2.issue.expires_in: more than a day",
            ),
            (
                "on_outage: refuse",
                "on_outage: accept",
                "on_outage",
                "schemes.fetched.jwt.revocation.on_outage: a revoked token is accepted",
            ),
        ],
    );
}

#[test]
fn a_warning_of_the_plugin_itself_counts_too() {
    let text = "openapi: {serve: /openapi.json}\nschemes:\n  k: {type: apiKey, in: header, name: X-Key, api_keys: p}\napi_keys: {p: []}\nrules:\n- match: {prefix: /}\n  security: [{k: []}]\n";
    let (code, said) = check(&[], text);
    assert!(code == Some(0) && said.contains("warning: openapi.serve: "), "{said}");
    let (code, said) = check(&["--strict"], text);
    assert!(code == Some(1) && said.ends_with("no fault, 1 warning(s)\n"), "{said}");
    // With a fault nothing more is said than the fault.
    let (code, said) = check(&["--strict"], "mode: never\nsecurity: []\n");
    assert_eq!((code, said.lines().count()), (Some(1), 1), "{said}");
}

/// JSON text in a `StringValue` has no lines of its own.
#[test]
fn a_configuration_in_a_string_is_looked_into() {
    let text = ENVOY.replace(
        "                  value:\n",
        "                  value: '{\"security\": []}'\n                unused:\n",
    );
    let (code, said) = check(&["--strict"], &text);
    let line = line_of(&text, "value: '{");
    assert!(
        code == Some(1)
            && said.starts_with(&format!("-:{line}: gate: warning: security: a path that no rule")),
        "{said}"
    );
}

/// A token for a protected resource names it in `aud`; where the scheme is used elsewhere too, it need not.
#[test]
fn tokens_for_a_protected_resource_need_no_audiences() {
    let said = |more: &str| {
        let text = format!(
            "schemes:\n  t: {{type: openIdConnect, openIdConnectUrl: https://i.example/.well-known/openid-configuration, jwt: {{cluster: i}}}}\n\
             resources: [{{resource: https://a.example/mcp}}]\nrules:\n- match: {{prefix: /mcp}}\n  security: [{{t: []}}]\n{more}"
        );
        check(&["--strict"], &text).1.contains("jwt.audiences: missing")
    };
    assert!(!said(""));
    assert!(said("- match: {prefix: /mcps}\n  security: [{t: []}]\n"));
    assert!(said("security: [{t: []}]\n"));
}

/// The warnings for the files of this repository, each on purpose.
#[test]
fn the_repository_s_own_files_pass_but_for_what_they_demonstrate() {
    for (file, wanted) in [
        // Tokens of `curl` and `lychgate mint` go in without an audience.
        ("envoy.yaml", &["lychgate: warning: schemes.oauth2.jwt.audiences: missing"] as &[&str]),
        ("examples/mcp/envoy.yaml", &[]),
        // The provider's opaque tokens are for every service that it knows.
        ("examples/oidc/envoy.yaml", &["lychgate: warning: schemes.opaque.introspection.audiences: missing"]),
        ("deploy/istio/gateway.yaml", &[]),
        ("deploy/istio/workload.yaml", &[]),
        ("deploy/istio/envoyfilter.yaml", &[]),
        ("deploy/envoy-gateway/extension-policy.yaml", &[]),
    ] {
        let output = lychgate(&["check", "--strict", "--assume-env", file], "", &[]);
        let said = stdout(&output);
        assert_eq!(output.status.code(), Some(i32::from(!wanted.is_empty())), "{said}");
        assert_eq!(said.lines().count(), wanted.len() + 1, "{said}");
        for (line, wanted) in said.lines().zip(wanted) {
            assert!(line.contains(wanted), "{said}");
        }
    }
}
