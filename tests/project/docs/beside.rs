//! docs/beside.md: other filters before Lychgate and behind it.

use lychgate_tests::book::{blocks, read, run, try_out};
use lychgate_tests::demonstration::{Demonstration, beside};

pub const DOCUMENT: &str = "docs/beside.md";
pub const KEY: &str = "curl -s -o /dev/null -w '%{http_code}' -H 'X-API-Key: demo-key-please-change' http://127.0.0.1:10000/items/";
pub const HEALTH: &str = "curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:10000/health";
/// The route of the gate.
const ROUTE: &str = "                route: {cluster: upstream}\n";

/// envoy.yaml with more about that route.
fn with_route(envoy: &str, more: &str) -> String {
    assert!(envoy.contains(ROUTE));
    envoy.replacen(ROUTE, &format!("{ROUTE}{more}"), 1)
}

#[test]
fn the_filters_beside_it_do_what_is_shown() {
    let mut tried = 0;
    let mut filter = None;
    for block in blocks(DOCUMENT) {
        match (block.language.as_str(), &filter) {
            ("yaml", _) => filter = Some(block),
            ("console", Some(own)) => {
                let is_before = own.text.starts_with("# before");
                let demonstration = Demonstration::rewritten(|envoy| beside(envoy, &own.text, is_before));
                tried += try_out(DOCUMENT, &block, &demonstration);
            }
            _ => {}
        }
    }
    assert!(tried >= 8, "{tried}");
}

/// A route that is chosen by the identity.
#[test]
fn a_route_can_be_chosen_by_the_scheme() {
    let matcher = "match: {prefix: /, headers: [{name: x-auth-scheme, string_match: {exact: partner_key}}]}";
    assert!(read(DOCUMENT).contains(matcher));
    let route = format!("              - {matcher}\n                direct_response: {{status: 418}}\n");
    let routes = "              routes:\n";
    let demonstration =
        Demonstration::rewritten(|envoy| envoy.replacen(routes, &format!("{routes}{route}"), 1));
    assert_eq!(run(KEY, &demonstration), "418");
    assert_eq!(run(HEALTH, &demonstration), "200");
    let forged = HEALTH.replace("curl -s ", "curl -s -H 'x-auth-scheme: partner_key' ");
    assert_eq!(run(&forged, &demonstration), "200", "the header of a client does not choose it");
}

#[test]
fn a_generic_key_with_filter_state_is_one_bucket_for_all() {
    let filter = r#"name: envoy.filters.http.local_ratelimit
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
  stat_prefix: subjects
  filter_enabled: {default_value: {numerator: 100}}
  filter_enforced: {default_value: {numerator: 100}}
  token_bucket: {max_tokens: 1000, tokens_per_fill: 1000, fill_interval: 60s}
  rate_limits:
  - actions: [{generic_key: {descriptor_key: subject, descriptor_value: "%FILTER_STATE(wasm.lychgate.subject:PLAIN)%"}}]
  descriptors:
  - entries: [{key: subject, value: "%FILTER_STATE(wasm.lychgate.subject:PLAIN)%"}]
    token_bucket: {max_tokens: 1, tokens_per_fill: 1, fill_interval: 600s}
"#;
    let demonstration = Demonstration::rewritten(|envoy| beside(envoy, filter, false));
    assert_eq!(run(KEY, &demonstration), "200");
    assert_eq!(run(HEALTH, &demonstration), "429", "another caller, and the same bucket");
}

/// With `cors` behind Lychgate a page could not read why it was refused.
#[test]
fn a_page_reads_a_refusal_if_cors_is_before_it() {
    let blocks = blocks(DOCUMENT);
    let cors = blocks.iter().find(|block| block.text.contains("filters.http.cors")).expect("a block");
    let policy = r#"                typed_per_filter_config:
                  envoy.filters.http.cors:
                    "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy
                    allow_origin_string_match: [{exact: "https://app.example"}]
"#;
    for (is_before, is_told) in [(true, true), (false, false)] {
        let demonstration =
            Demonstration::rewritten(|envoy| beside(&with_route(envoy, policy), &cors.text, is_before));
        let get = "curl -s -i -H 'Origin: https://app.example' http://127.0.0.1:10000/items/";
        let seen = run(get, &demonstration);
        assert!(seen.starts_with("HTTP/1.1 401"), "{seen}");
        assert_eq!(seen.contains("access-control-allow-origin: https://app.example"), is_told, "{seen}");
    }
}

/// A route that disables the filter leaves in what a client says of itself.
#[test]
fn a_route_without_it_believes_forged_headers() {
    let off = r#"                typed_per_filter_config:
                  lychgate: {"@type": type.googleapis.com/envoy.config.route.v3.FilterConfig, disabled: true}
"#;
    let removed =
        "                request_headers_to_remove: [x-auth-subject, x-auth-scopes, x-auth-scheme]\n";
    let forged = "curl -s -H 'x-auth-subject: root' http://127.0.0.1:10000/items/";
    let (root, none) = ("\"subject\":\"root\"", "\"subject\":null");
    for (more, is_early, subject) in [("", true, none), ("", false, root), (removed, false, none)] {
        let demonstration = Demonstration::rewritten(|envoy| {
            assert!(envoy.contains("{remove: x-auth-subject}"), "it is removed early");
            let early = if is_early { "x-auth-subject" } else { "x-other" };
            let envoy = envoy.replace("{remove: x-auth-subject}", &format!("{{remove: {early}}}"));
            with_route(&envoy, &format!("{off}{more}"))
        });
        let seen = run(forged, &demonstration);
        assert!(seen.contains(subject), "{seen}");
    }
}

/// A second gate with this configuration.
fn second(configuration: &str) -> String {
    format!(
        r#"name: second
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
  config:
    name: second
    vm_config:
      vm_id: second
      runtime: envoy.wasm.runtime.v8
      code: {{local: {{filename: dist/lychgate.wasm}}}}
    configuration:
      "@type": type.googleapis.com/google.protobuf.Struct
      value: {{{configuration}}}
"#
    )
}

/// The second gate takes the first one's identity for a client's.
#[test]
fn a_second_gate_removes_the_identity_of_the_first() {
    let get = "curl -s -H 'X-API-Key: demo-key-please-change' http://127.0.0.1:10000/items/";
    let named = "security: [], identity_headers: {subject: x-second-subject, scopes: x-second-scopes, scheme: \
                 x-second-scheme}";
    for (configuration, subject) in
        [("security: []", "\"subject\":null"), (named, "\"subject\":\"demo-app\"")]
    {
        let demonstration = Demonstration::rewritten(|envoy| beside(envoy, &second(configuration), false));
        let seen = run(get, &demonstration);
        assert!(seen.contains(subject), "{configuration}: {seen}");
    }
}

/// The first gate takes out the credentials of its schemes, which the second one may need.
#[test]
fn a_second_gate_gets_a_credential_that_the_first_one_forwards() {
    let own = "type: apiKey, in: header, name: X-API-Key, api_keys: partners";
    let needs_it = second(&format!(
        "schemes: {{key: {{{own}}}}}, security: [{{key: []}}], api_keys: {{partners: [{{id: demo, sha256: \
         2a570fed1461570bf2a13db7f539939da4357b393cf9395c74c4e0a313a945a5}}]}}"
    ));
    for (more, status) in [("", "403"), (", forward: true", "200")] {
        let demonstration = Demonstration::rewritten(|envoy| {
            assert!(envoy.contains(own));
            beside(&envoy.replacen(own, &format!("{own}{more}"), 1), &needs_it, false)
        });
        assert_eq!(run(KEY, &demonstration), status, "{more}");
    }
}
