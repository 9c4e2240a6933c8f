//! A real Envoy, scraped by a real Prometheus: the stats with their labels, every query of the
//! dashboard, every alert; and what Envoy's access log says.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lychgate_tests::echo::{Reply, Upstream};
use lychgate_tests::envoy::{Artefact, Envoy, Listener, Options, root};
use lychgate_tests::http::Request;
use lychgate_tests::keys;
use lychgate_tests::tokens::Token;
use serde_json::{Value, json};

use super::prometheus::{Prometheus, promtool, rules};
use super::{KEY, policy, text, yaml};

/// The name of the plugin, which is in the names of Envoy's own stats of it.
const PLUGIN: &str = "lychgate";

struct Setup {
    envoy: Envoy,
    _upstream: Upstream,
    _issuer: Upstream,
}

impl Setup {
    fn start(concurrency: u32) -> Self {
        let upstream = Upstream::start();
        let issuer = Upstream::serve(|_| Reply::json(&json!({"keys": [keys::P256.jwk()]})));
        let options = Options {
            concurrency,
            clusters: vec![("idp".to_owned(), issuer.addr())],
            stats_config: yaml("envoy.yaml")["stats_config"].clone(),
            ..Options::default()
        };
        let listener = Listener::new(PLUGIN, policy()).manager(json!({"access_log": access_log()}));
        let envoy = Envoy::start(&[listener], upstream.addr(), &options);
        let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
        Self { envoy, _upstream: upstream, _issuer: issuer }
    }

    fn status(&self, request: &Request) -> u16 {
        self.envoy.send(PLUGIN, request).status
    }

    /// Something of everything that is counted.
    fn work(&self) {
        let token = || Token::reader().claim("sub", "johndoe");
        let good = token().sign("HS256");
        let expired = token().claim("exp", 1000).sign("HS256");
        let items = || Request::get("/items/7");
        let basic = |credential: &str| {
            use base64::Engine as _;
            let credential = base64::prelude::BASE64_STANDARD.encode(credential);
            Request::get("/basic").header("Authorization", format!("Basic {credential}"))
        };
        let form = "username=johndoe&password=secret";
        for (request, status) in [
            (items().bearer(&good), 200),
            (items().bearer(&good), 200),
            (items().bearer(expired), 401),
            (items(), 401),
            (items().header("X-API-Key", KEY), 200),
            (items().header("X-API-Key", "guess"), 403),
            (Request::get("/health"), 200),
            (Request::get("/fetched").bearer(token().sign("ES256")), 200),
            (Request::get("/new"), 200),
            (Request::get("/nowhere"), 403),
            (Request::get("/openapi.json"), 200),
            (basic("johndoe:secret"), 200),
            (basic("johndoe:secret"), 200),
            (Request::post("/token").body("application/x-www-form-urlencoded", form), 200),
        ] {
            assert_eq!(self.status(&request), status, "{request:?}");
        }
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Every query of the dashboard, with the title of its panel, as Grafana would send it.
fn queries(dashboard: &Value) -> Vec<(String, String)> {
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let expression = target["expr"].as_str().unwrap().replace("$__rate_interval", "60s");
            let variables = dashboard["templating"]["list"].as_array().unwrap();
            let expression = variables.iter().fold(expression, |expression, variable| {
                expression.replace(&format!("${}", variable["name"].as_str().unwrap()), ".*")
            });
            assert!(!expression.contains('$'), "a variable that the dashboard does not have: {expression}");
            queries.push((panel["title"].as_str().unwrap().to_owned(), expression));
        }
    }
    queries
}

#[test]
fn a_real_prometheus_sees_every_refusal_and_the_dashboard_and_the_alerts_see_data() {
    let setup = Setup::start(2);
    let Some(prometheus) = Prometheus::start(setup.envoy.admin()) else { return };
    let scraped_after = |time: f64| {
        prometheus.wait_for("a scrape", || {
            prometheus.value("timestamp(up{job=\"envoy\"})").is_some_and(|scraped| scraped > time)
        });
    };
    scraped_after(0.0);
    let denials = |reason: &str| {
        format!("sum(lychgate_denials_total{{reason=\"{reason}\", mode=\"enforce\", scheme=\"oauth2\"}})")
    };
    if !Artefact::counts_with_requests_alone() {
        assert_eq!(prometheus.value(&denials("token_expired")), Some(0.0), "there, and zero");
    }

    // A refusal is there with the next scrape.
    let expired = Token::reader().claim("exp", 1000).sign("HS256");
    assert_eq!(setup.status(&Request::get("/items/7").bearer(expired)), 401);
    scraped_after(now());
    assert_eq!(prometheus.value(&denials("token_expired")), Some(1.0));

    // Both workers, for a few scrapes.
    for _ in 0..12 {
        (0..3).for_each(|_| setup.work());
        std::thread::sleep(Duration::from_millis(400));
    }
    for (expression, value) in [
        ("lychgate_requests_total{rule=\"health\", scheme=\"none\", decision=\"allowed\"}", 36.0),
        ("lychgate_requests_total{rule=\"GET /items/{id}\", scheme=\"oauth2\", decision=\"allowed\"}", 72.0),
        ("lychgate_requests_total{rule=\"GET /items/{id}\", scheme=\"oauth2\", decision=\"denied\"}", 37.0),
        ("lychgate_requests_total{rule=\"new\", scheme=\"none\", decision=\"would_deny\"}", 36.0),
        ("lychgate_requests_total{rule=\"token_endpoint\", scheme=\"none\", decision=\"answered\"}", 36.0),
        ("lychgate_denials_total{reason=\"credential_missing\", scheme=\"none\", mode=\"dry_run\"}", 36.0),
        ("lychgate_denials_total{reason=\"api_key_unknown\", scheme=\"key\", mode=\"enforce\"}", 36.0),
        ("lychgate_api_key_requests_total{client=\"mobile-app\"}", 36.0),
        ("sum(lychgate_password_checks_total{result=~\"hashed|remembered\"})", 108.0),
        ("sum(lychgate_key_fetches_total{result=\"success\"}) > bool 0", 1.0),
        ("sum(lychgate_signature_verifications_total{algorithm=\"ES256\", engine=\"native\"}) > bool 0", 1.0),
        // The two good tokens, known to one worker or to both.
        ("lychgate_token_cache_entries >= bool 2", 1.0),
        ("lychgate_token_cache_entries <= bool 80", 1.0),
        ("time() - lychgate_key_fetch_last_success_timestamp_seconds < bool 120", 1.0),
    ] {
        // What is allowed is counted by the next tick, and a busy machine ticks late.
        prometheus.wait_for(expression, || prometheus.value(expression) == Some(value));
    }

    let dashboard: Value = serde_json::from_str(&text("deploy/grafana/lychgate.json")).unwrap();
    let queries = queries(&dashboard);
    for (title, expression) in &queries {
        // A native module has no VM that crashes.
        if Artefact::from_environment() == Artefact::Native && expression.contains("envoy_wasm_") {
            continue;
        }
        let samples = prometheus.query(expression);
        assert!(samples.iter().any(|sample| sample.value.is_finite()), "{title}: no data: {expression}");
        if expression.contains("rate(") && !expression.contains("busy") {
            assert!(
                samples.iter().any(|sample| sample.value > 0.0),
                "{title}: nothing but zeros: {expression}"
            );
        }
    }
    println!("dashboard: {} queries have data", queries.len());
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        let Some(query) = variable["query"]["query"].as_str() else { continue };
        let inner = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')')).unwrap();
        let (metric, label) = inner.split_once(", ").unwrap();
        let values = prometheus.query(&format!("count by ({label}) ({metric})"));
        assert!(values.iter().all(|sample| sample.labels[label].is_string()), "{query}");
        assert!(!values.is_empty(), "{query}");
    }

    // Prometheus evaluates every alert, and Prometheus' own stats of them say without an error.
    prometheus.wait_for("every rule is evaluated", || {
        let groups = prometheus.ask("/api/v1/rules");
        let evaluated = groups["groups"][0]["rules"].as_array().unwrap().clone();
        evaluated.iter().all(|rule| rule["health"] == "ok")
    });
    let evaluated = prometheus.ask("/api/v1/rules")["groups"][0]["rules"].as_array().unwrap().clone();
    let written = yaml("deploy/prometheus/lychgate.rules.yaml");
    assert_eq!(evaluated.len(), written["groups"][0]["rules"].as_array().unwrap().len());
    for rule in &evaluated {
        assert_eq!((&rule["health"], rule["lastError"].as_str().unwrap_or("")), (&json!("ok"), ""), "{rule}");
    }
    // Each stat that an alert asks for is there, so that none is silent for want of it.
    for rule in written["groups"][0]["rules"].as_array().unwrap() {
        let expression = rule["expr"].as_str().unwrap();
        let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let is_native = Artefact::from_environment() == Artefact::Native;
        let is_there = |word: &str| !(is_native && word.starts_with("envoy_wasm_"));
        let is_stat = |word: &&str| word.starts_with("lychgate_") || word.starts_with("envoy_");
        for stat in words.filter(is_stat).filter(|word| is_there(word)) {
            assert!(prometheus.value(&format!("count({stat})")).is_some(), "{}: {stat}", rule["alert"]);
        }
    }
    assert!(!setup.envoy.log().contains("Function: proxy_on_"), "{}", setup.envoy.log());
}

#[test]
fn every_alert_is_a_rule_and_is_set_off_by_what_it_is_for() {
    let Some((good, text)) = promtool(&["check", "rules"], &rules()) else { return };
    assert!(good && text.contains("11 rules found"), "{text}");
    let tests = root().join("tests/envoy/observability/alerts.yaml");
    let Some((good, text)) = promtool(&["test", "rules"], &tests) else { return };
    assert!(good, "{text}");
    // No series is left out of the tests.
    let tried = super::text("tests/envoy/observability/alerts.yaml");
    for rule in yaml("deploy/prometheus/lychgate.rules.yaml")["groups"][0]["rules"].as_array().unwrap() {
        let name = rule["alert"].as_str().unwrap();
        assert!(tried.matches(name).count() >= 2, "{name}");
    }
}

#[test]
fn the_dashboard_is_whole() {
    let dashboard: Value = serde_json::from_str(&text("deploy/grafana/lychgate.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let place = |panel: &Value, side: &str| panel["gridPos"][side].as_u64().unwrap();
    for (number, panel) in panels.iter().enumerate() {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{panel}");
        assert!(place(panel, "x") + place(panel, "w") <= 24, "{}", panel["title"]);
        for other in &panels[..number] {
            assert_ne!(panel["id"], other["id"]);
            let apart = |side: &str, size: &str| {
                place(panel, side) + place(panel, size) <= place(other, side)
                    || place(other, side) + place(other, size) <= place(panel, side)
            };
            assert!(apart("x", "w") || apart("y", "h"), "{} lies on {}", panel["title"], other["title"]);
        }
    }
}

/// The access log of envoy.yaml, written into a file of the test.
fn access_log() -> Value {
    let file = match Artefact::from_environment() {
        Artefact::Wasm => "envoy.yaml",
        Artefact::Native => "envoy.native.yaml",
    };
    let mut log = yaml(file)["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
        ["typed_config"]["access_log"]
        .clone();
    let config = &mut log[0]["typed_config"];
    config["@type"] = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog".into();
    config["path"] = format!("@DIR@/{PLUGIN}.access.log").into();
    log
}

#[test]
fn the_access_log_of_envoy_yaml_says_who_called_and_why_not() {
    let setup = Setup::start(1);
    let wanted = [
        (
            Request::get("/items/7?page=1").header("X-API-Key", KEY),
            json!({"status": 200, "path": "/items/7", "rule": "GET /items/{id}", "scheme": "key", "reason": null,
                "subject": "mobile-app", "scopes": null, "details": "via_upstream"}),
        ),
        (
            Request::get("/items/7").bearer(Token::reader().claim("sub", "johndoe").sign("HS256")),
            json!({"status": 200, "path": "/items/7", "rule": "GET /items/{id}", "scheme": "oauth2", "reason": null,
                "subject": "johndoe", "scopes": "items:read", "details": "via_upstream"}),
        ),
        (
            Request::get("/items/7").header("X-API-Key", "a-key-that-is-wrong"),
            json!({"status": 403, "path": "/items/7", "rule": "GET /items/{id}", "scheme": "key", "subject": null,
                "scopes": null, "reason": "api_key_unknown", "details": "lychgate_denied{api_key_unknown}"}),
        ),
        (
            Request::get("/new"),
            json!({"status": 200, "path": "/new", "rule": "new", "scheme": null, "subject": null, "scopes": null,
                "reason": "credential_missing", "details": "via_upstream"}),
        ),
        (
            Request::get("/health"),
            json!({"status": 200, "path": "/health", "rule": "health", "scheme": null, "subject": null,
                "scopes": null, "reason": null, "details": "via_upstream"}),
        ),
    ];
    for (request, _) in &wanted {
        let _ = setup.status(request);
    }
    let log = setup.envoy.access_log(PLUGIN, "/health");
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    for (_, wanted) in wanted {
        let fits = |line: &Value| wanted.as_object().unwrap().iter().all(|(key, value)| line[key] == *value);
        assert!(lines.iter().any(fits), "{wanted}\nis not in\n{lines:#?}");
    }
    assert!(lines.iter().all(|line| line["request_id"].as_str().is_some_and(|id| id.len() == 36)), "{log}");
    assert!(!log.contains(KEY) && !log.contains("a-key-that-is-wrong"), "a key is in the log: {log}");
}

#[test]
fn a_dry_run_of_one_rule_is_seen_by_the_upstream_the_log_and_the_stats() {
    let setup = Setup::start(1);
    let echo = setup.envoy.send(PLUGIN, &Request::get("/new").header("x-auth-dry-run", "forged"));
    assert_eq!(echo.status, 200);
    let told: Vec<_> = echo.json()["headers"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|pair| pair[0] == "x-auth-dry-run")
        .map(|pair| pair[1].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told, ["401 credential_missing"]);
    let line = "dry run: rule \"new\" would refuse with 401 credential_missing";
    assert!(setup.envoy.log().contains(line), "{}", setup.envoy.log());
    let stats = || setup.envoy.ask_admin("/stats/prometheus").text();
    // The order of the labels is the host's.
    let labels = ["decision=\"would_deny\"", "rule=\"new\"", "scheme=\"none\""];
    let is_it = |line: &str| {
        line.starts_with("lychgate_requests_total{")
            && line.ends_with("} 1")
            && labels.iter().all(|label| line.contains(label))
    };
    eventually("it is counted", || stats().lines().any(is_it));
}

#[test]
fn a_refusal_names_its_request() {
    let setup = Setup::start(1);
    let answer = setup.envoy.send(PLUGIN, &Request::get("/items/7"));
    let id = answer.json()["request_id"].as_str().unwrap_or_default().to_owned();
    assert_eq!(id.len(), 36, "made by Envoy: {answer:?}");
    // A login is refused once its body is there, and its head is gone by then.
    let form = "username=johndoe&password=guess";
    let login = Request::post("/token").body("application/x-www-form-urlencoded", form);
    for request in [
        login.clone().header("x-request-id", "login-1"),
        Request::get("/token").header("x-request-id", "login-1"),
    ] {
        let answer = setup.envoy.send(PLUGIN, &request);
        assert!(answer.status >= 400);
        assert_eq!(answer.json()["request_id"], "login-1", "{answer:?}");
    }
    let too_long = Request::post("/token")
        .header("x-request-id", "login-2")
        .header("transfer-encoding", "chunked")
        .header("content-type", "application/x-www-form-urlencoded");
    let body = format!("4000\r\n{}\r\n0\r\n\r\n", "a".repeat(0x4000));
    let answer = setup.envoy.send(PLUGIN, &Request { body: body.into_bytes(), ..too_long });
    assert_eq!((answer.status, &answer.json()["request_id"]), (413, &json!("login-2")), "{answer:?}");
}

#[test]
fn an_update_of_the_policy_takes_what_was_remembered_along() {
    let upstream = Upstream::start();
    let arguments = ["--drain-time-s", "1", "--drain-strategy", "immediate"].map(str::to_owned).to_vec();
    let options = Options { arguments, ..Options::default() };
    let listener = |issuer: &str| {
        let policy = json!({
            "schemes": {"token": {"type": "http", "scheme": "bearer", "realm": issuer,
                "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]}}},
            "security": [{"token": []}],
        });
        Listener::new(PLUGIN, policy)
    };
    let envoy = Envoy::start_dynamic(&[listener("old")], upstream.addr(), &options);
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let remembered = || envoy.stat(&Artefact::from_environment().stat("lychgate_token_cache_entries", &[]));
    for number in 0..5 {
        let token = Token::new().claim("jti", format!("id-{number}")).sign("HS256");
        assert_eq!(envoy.send(PLUGIN, &Request::get("/").bearer(token)).status, 200);
    }
    eventually("five tokens are remembered", || remembered() == 5);
    envoy.replace(&[listener("new")], &options);
    eventually("they are forgotten", || {
        if Artefact::counts_with_requests_alone() {
            assert_eq!(envoy.send(PLUGIN, &Request::get("/")).status, 403);
        }
        remembered() == 0
    });
}
