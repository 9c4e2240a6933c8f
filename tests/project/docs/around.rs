//! docs/beside.md and docs/operations.md: what Envoy and its other filters make of what Lychgate decides.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lychgate_tests::book::{blocks, read, run};
use lychgate_tests::demonstration::{Demonstration, beside};
use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::root;

use super::beside::{DOCUMENT, HEALTH, KEY};

/// envoy.yaml with this before its first route.
fn with_first_route(envoy: &str, route: &str) -> String {
    let routes = "              routes:\n";
    assert!(envoy.contains(routes));
    envoy.replacen(routes, &format!("{routes}              - {route}\n"), 1)
}

/// envoy.yaml with a cluster on a port of this machine; `members` are those of the cluster besides.
fn with_cluster(envoy: &str, name: &str, port: u16, members: &str) -> String {
    let clusters = "\n  clusters:\n";
    assert!(envoy.contains(clusters));
    let own = format!(
        "  - name: {name}\n{members}    load_assignment: {{cluster_name: {name}, endpoints: [{{lb_endpoints: [{{endpoint: \
         {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}}}]}}]}}\n"
    );
    envoy.replacen(clusters, &format!("{clusters}{own}"), 1)
}

#[test]
fn a_route_can_be_chosen_by_filter_state() {
    let matcher =
        "match: {prefix: /, filter_state: [{key: wasm.lychgate.subject, string_match: {exact: demo-app}}]}";
    assert!(read(DOCUMENT).contains(matcher));
    let route = format!("{matcher}\n                direct_response: {{status: 418}}");
    let demonstration = Demonstration::rewritten(|envoy| with_first_route(envoy, &route));
    assert_eq!(run(KEY, &demonstration), "418");
    assert_eq!(run(HEALTH, &demonstration), "200");
}

#[test]
fn an_access_log_tells_the_subject_by_filter_state_and_by_header() {
    let text = read(DOCUMENT);
    let (state, header) = ("%FILTER_STATE(wasm.lychgate.subject:PLAIN)%", "%REQ(X-AUTH-SUBJECT)%");
    assert!(text.contains(state) && text.contains(header));
    let demonstration = Demonstration::rewritten(|envoy| {
        let subject = format!("                  subject: \"{state}\"\n");
        assert!(envoy.contains(&subject));
        envoy.replacen(&subject, &format!("{subject}                  told: \"{header}\"\n"), 1)
    });
    assert_eq!(run(KEY, &demonstration), "200");
    let forged = HEALTH.replace("curl -s ", "curl -s -H 'x-auth-subject: root' ");
    assert_eq!(run(&forged, &demonstration), "200");
    let deadline = Instant::now() + Duration::from_secs(15);
    let lines = loop {
        let log = demonstration.envoy().log();
        let lines: Vec<String> =
            log.lines().filter(|line| line.contains("\"told\":")).map(str::to_owned).collect();
        if lines.len() == 2 || Instant::now() > deadline {
            break lines;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let [known, anonymous] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(known.contains("\"subject\":\"demo-app\"") && known.contains("\"told\":\"demo-app\""), "{known}");
    let is_told = anonymous.contains("\"subject\":null") && anonymous.contains("\"told\":null");
    assert!(is_told, "the header of a client is gone: {anonymous}");
}

/// A rate limit service, ended when dropped.
struct Limits {
    child: Child,
    port: u16,
    said: BufReader<std::process::ChildStdout>,
}

impl Limits {
    fn start() -> Option<Self> {
        let mut node = Command::new("node");
        let node = node.arg(root().join("tests/limits/service.mjs")).stdin(Stdio::null());
        let Ok(mut child) = node.stdout(Stdio::piped()).spawn() else {
            println!("SKIPPED: node is missing");
            return None;
        };
        let mut own = Self { said: BufReader::new(child.stdout.take().expect("piped")), child, port: 0 };
        own.port = own.line().parse().expect("a port");
        Some(own)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("a line");
        line.trim().to_owned()
    }
}

impl Drop for Limits {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The global rate limit with these actions.
fn limited(envoy: &str, limits: &Limits, action: &str) -> String {
    let filter = r#"name: envoy.filters.http.ratelimit
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit
  domain: gate
  failure_mode_deny: true
  timeout: 20s
  rate_limit_service: {transport_api_version: V3, grpc_service: {envoy_grpc: {cluster_name: limits}}}
"#;
    let members = r#"    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}
"#;
    let envoy = with_cluster(envoy, "limits", limits.port, members);
    let route = "                route: {cluster: upstream}\n";
    assert!(envoy.contains(route));
    let limit = format!("                route: {{cluster: upstream, rate_limits: [{{{action}}}]}}\n");
    beside(&envoy.replacen(route, &limit, 1), filter, false)
}

#[test]
fn a_global_limit_counts_each_subject_by_its_header() {
    let Some(mut limits) = Limits::start() else { return };
    let action = "actions: [{request_headers: {header_name: x-auth-subject, descriptor_key: subject}}]";
    assert!(read(DOCUMENT).contains(action));
    let demonstration = Demonstration::rewritten(|envoy| limited(envoy, &limits, action));
    assert_eq!(run(KEY, &demonstration), "200");
    assert_eq!(run(KEY, &demonstration), "429", "the second request of this subject");
    assert_eq!([limits.line(), limits.line()], ["subject=demo-app", "subject=demo-app"]);
    // Without an identity there is no descriptor, and so no question.
    let forged = HEALTH.replace("curl -s ", "curl -s -H 'x-auth-subject: demo-app' ");
    assert_eq!(run(&forged, &demonstration), "200");
    // A refusal costs its sender nothing of another's limit.
    let refused = KEY.replace("demo-key-please-change", "guessed");
    assert_eq!(run(&refused, &demonstration), "403");
}

#[test]
fn a_global_generic_key_with_filter_state_is_one_bucket_for_all() {
    let Some(mut limits) = Limits::start() else { return };
    let literal = "%FILTER_STATE(wasm.lychgate.subject:PLAIN)%";
    let action =
        format!("actions: [{{generic_key: {{descriptor_key: subject, descriptor_value: \"{literal}\"}}}}]");
    let demonstration = Demonstration::rewritten(|envoy| limited(envoy, &limits, &action));
    assert_eq!(run(KEY, &demonstration), "200");
    assert_eq!(run(HEALTH, &demonstration), "429", "another caller, and the same bucket");
    assert_eq!(limits.line(), format!("subject={literal}"));
}

/// The first line and the headers that are of interest.
fn head(answer: &str) -> (&str, bool) {
    let status = answer.split(' ').nth(1).unwrap_or_default();
    (status, answer.to_lowercase().contains("content-encoding: gzip"))
}

#[test]
fn compression_is_of_refusals_too_if_it_is_before() {
    let gzip = |name: &str, direction: &str| {
        format!(
            r#"name: envoy.filters.http.{name}
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.{name}.v3.{direction}
  {name}_library: {{name: gzip, typed_config: {{"@type": type.googleapis.com/envoy.extensions.compression.gzip.{name}.v3.Gzip}}}}
"#
        )
    };
    let compressor = gzip("compressor", "Compressor")
        + "  response_direction_config: {common_config: {min_content_length: 1}}\n";
    let decompressor = gzip("decompressor", "Decompressor");
    for is_before in [true, false] {
        let demonstration = Demonstration::rewritten(|envoy| {
            beside(&beside(envoy, &compressor, is_before), &decompressor, is_before)
        });
        let ask = |more: &str| {
            let command = format!(
                "curl -s -D - -o /dev/null -H 'Accept-Encoding: gzip' {more} http://127.0.0.1:10000/items/"
            );
            run(&command, &demonstration)
        };
        assert_eq!(head(&ask("-H 'X-API-Key: demo-key-please-change'")), ("200", true));
        assert_eq!(head(&ask("")), ("401", is_before));
        let login = "printf 'username=johndoe&password=secret' | gzip | curl -s -o /dev/null -w '%{http_code}' -H \
                     'Content-Encoding: gzip' --data-binary @- http://127.0.0.1:10000/token";
        assert_eq!(run(login, &demonstration), if is_before { "200" } else { "400" });
    }
}

/// What costs, such as a question to another service, is not spent on requests that are refused.
#[test]
fn what_is_behind_it_is_not_asked_of_a_refused_request() {
    let other = Upstream::start();
    let port = other.addr().port();
    let filter = r#"name: envoy.filters.http.ext_authz
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
  transport_api_version: V3
  http_service:
    server_uri: {uri: "http://other.example", cluster: other, timeout: 5s}
"#;
    for (is_before, asked) in [(false, 0), (true, 1)] {
        let demonstration = Demonstration::rewritten(|envoy| {
            beside(&with_cluster(envoy, "other", port, ""), filter, is_before)
        });
        let before = other.hits();
        assert_eq!(run(&KEY.replace("demo-key-please-change", "guessed"), &demonstration), "403");
        assert_eq!(other.hits() - before, asked);
        assert_eq!(run(KEY, &demonstration), "200");
        assert_eq!(other.hits() - before, asked + 1);
    }
}

/// A path that is rewritten behind Lychgate is not the one that was looked at.
#[test]
fn what_changes_a_request_is_before_it() {
    let filter = r#"name: envoy.filters.http.lua
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
  default_source_code:
    inline_string: |
      function envoy_on_request(handle)
        local path = handle:headers():get("x-original-path")
        if path ~= nil then handle:headers():replace(":path", path) end
      end
"#;
    let request = HEALTH.replace("curl -s ", "curl -s -H 'x-original-path: /items/' ");
    for (is_before, status) in [(true, "401"), (false, "200")] {
        let demonstration = Demonstration::rewritten(|envoy| beside(envoy, filter, is_before));
        assert_eq!(run(&request, &demonstration), status);
    }
}

/// docs/operations.md: another body for a refusal.
#[test]
fn another_body_leaves_status_challenge_and_details() {
    let document = "docs/operations.md";
    let blocks = blocks(document);
    let block = blocks.iter().find(|block| block.text.contains("local_reply_config:")).expect("a block");
    let (_, from) = block.text.split_once("          local_reply_config:\n").expect("its place");
    let (own, _) = from.split_once("          route_config:\n").expect("its end");
    let demonstration = Demonstration::rewritten(|envoy| {
        let place = "          route_config:\n";
        envoy.replacen(place, &format!("          local_reply_config:\n{own}{place}"), 1)
    });
    let seen = run("curl -s -i http://127.0.0.1:10000/items/", &demonstration);
    assert!(seen.starts_with("HTTP/1.1 401"), "{seen}");
    for part in ["www-authenticate: APIKey realm=\"lychgate\"", "{\"error\":\"Please log in\",\"request\":\""]
    {
        assert!(seen.contains(part), "{seen}");
    }
    assert!(!seen.contains("Not authenticated"), "{seen}");
    // A status that it does not name keeps its body.
    let wrong = "curl -s -H 'X-API-Key: guessed' http://127.0.0.1:10000/items/";
    assert_eq!(run(wrong, &demonstration), "{\"detail\":\"Invalid API key\"}");
    let grpc = "curl -s -o /dev/null -w '%header{grpc-status} %header{grpc-message}' -X POST -H 'Content-Type: \
                application/grpc' http://127.0.0.1:10000/items/";
    let seen = run(grpc, &demonstration);
    assert!(seen.starts_with("16 {\"error\":\"Please log in\""), "{seen}");
    let deadline = Instant::now() + Duration::from_secs(15);
    while !demonstration.envoy().log().contains("\"details\":\"lychgate_denied{credential_missing}\"") {
        assert!(Instant::now() < deadline, "{}", demonstration.envoy().log());
        std::thread::sleep(Duration::from_millis(50));
    }
}
