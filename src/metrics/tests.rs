use serde_json::{Value, json};

use super::Metrics;
use crate::decision::{Attribution, DecidedBy, Denial, RuleId};
use crate::engine::Engine;
use crate::host::{Event, InMemoryHost, PasswordCheck, StatDefinition, StatKind, StatUpdate, label_value};
use crate::keys::Algorithm;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::request::Request;

fn engine(policy: &Value) -> Engine {
    let compiled = Engine::compile(policy.to_string().as_bytes(), &|_| None);
    compiled.unwrap_or_else(|errors| panic!("{errors:?}")).engine
}

fn keys() -> Value {
    json!({
        "schemes": {"key": {"type": "apiKey", "in": "header", "name": "x-api-key", "api_keys": "partners"}},
        "api_keys": {"partners": [
            // SHA-256 of `secret`.
            {"id": "mobile;app", "sha256": "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"},
        ]},
    })
}

/// Everything that was counted, by name.
fn counted(engine: &Engine) -> Vec<(String, StatUpdate)> {
    let mut counted = Vec::new();
    engine.measure(|slot, update| {
        counted.push((engine.metrics().definitions()[slot].name.clone(), update));
    });
    counted
}

fn decide(engine: &Engine, path: &str, key: Option<&str>) {
    use crate::decision::Decision;
    let mut headers: Vec<(&[u8], &[u8])> = vec![(b":method", b"GET"), (b":path", path.as_bytes())];
    headers.extend(key.map(|key| (&b"x-api-key"[..], key.as_bytes())));
    match engine.decide(&Request::new(&headers), &InMemoryHost::at(0), true) {
        Decision::Allow(allow) => engine.metrics().allowed(&allow),
        Decision::Deny(denial) => drop(engine.metrics().denied(&denial)),
        Decision::LocalReply(response) => engine.metrics().answered(&response),
        Decision::AwaitBody(_) | Decision::Pause(_) => panic!("nothing to wait for"),
    }
}

#[test]
fn a_label_is_short_and_holds_no_separator() {
    for (text, expected) in [
        ("GET /items/{id}", "GET /items/{id}"),
        ("schemes.x.jwt.issuers[0].cluster", "schemes.x.jwt.issuers[0].cluster"),
        ("a=.=b;.;c", "a_.=b"),
        ("x\ny:z|#\"'é", "x_y_z_____"),
        ("..", "__"),
        ("a.", "a"),
        ("", "_"),
    ] {
        let made = label_value(text);
        assert!(!made.contains([';', '=', ':', '|', '\n', '"']), "{made}");
        if text != "a=.=b;.;c" {
            assert_eq!(made, expected);
        }
    }
    assert_eq!(label_value(&"x".repeat(1000)).len(), 64);
}

#[test]
fn a_request_is_counted_under_its_rule_its_scheme_and_its_reason() {
    let mut policy = keys();
    policy["rules"] = json!([
        {"match": {"path": "/named"}, "security": [{"key": []}], "name": "items"},
        {"match": {"path": "/shared"}, "security": [{"key": []}], "name": "items"},
        {"match": {"prefix": "/any", "methods": ["GET", "HEAD"], "hosts": ["a.example"]}, "security": []},
        {"match": {"path": "/dry"}, "security": [{"key": []}], "mode": "dry_run"},
        {"match": {"path": "/scoped"}, "security": [{"key": ["admin"]}]},
    ]);
    let engine = engine(&policy);
    let requests = |rule: &str, scheme: &str, decision: &str| {
        format!("rule=.={rule};.;scheme=.={scheme};.;decision=.={decision};.;lychgate_requests_total")
    };
    let denials = |scheme: &str, mode: &str, reason: &str| {
        format!("scheme=.={scheme};.;mode=.={mode};.;reason=.={reason};.;lychgate_denials_total")
    };
    let client = "client=.=mobile_app;.;lychgate_api_key_requests_total".to_owned();
    for (path, key, expected) in [
        ("/named", Some("secret"), vec![requests("items", "key", "allowed"), client.clone()]),
        ("/shared", Some("secret"), vec![requests("items", "key", "allowed"), client]),
        (
            "/named",
            Some("guess"),
            vec![requests("items", "key", "denied"), denials("key", "enforce", "api_key_unknown")],
        ),
        (
            "/named",
            None,
            vec![requests("items", "none", "denied"), denials("none", "enforce", "credential_missing")],
        ),
        (
            "/dry",
            Some("guess"),
            vec![requests("/dry", "key", "would_deny"), denials("key", "dry_run", "api_key_unknown")],
        ),
        (
            "/scoped",
            Some("secret"),
            vec![requests("/scoped", "key", "denied"), denials("key", "enforce", "scope_lacking")],
        ),
        ("/nowhere", None, vec![requests("none", "none", "denied"), denials("none", "enforce", "no_rule")]),
        (
            "/a//b",
            None,
            vec![requests("unknown", "none", "denied"), denials("none", "enforce", "ambiguous_path")],
        ),
    ] {
        decide(&engine, path, key);
        let seen = counted(&engine);
        assert!(seen.iter().all(|(_, update)| *update == StatUpdate::Add(1)), "{seen:?}");
        let mut names: Vec<_> = seen.into_iter().map(|(name, _)| name).collect();
        let mut expected = expected;
        names.sort();
        expected.sort();
        assert_eq!(names, expected, "{path}");
        assert!(counted(&engine).is_empty(), "once");
    }
    let has = |name: &str| engine.metrics().definitions().iter().any(|own| own.name == name);
    assert!(
        has(&requests("GET,HEAD a.example/any", "none", "allowed")),
        "{:?}",
        engine.metrics().definitions()
    );
}

#[test]
fn what_else_happens_is_counted_and_gauges_tell_what_changed() {
    let mut policy = keys();
    policy["schemes"]["fetched"] = json!({"type": "http", "scheme": "bearer",
        "jwt": {"remote_jwks": {"uri": "http://idp.example/jwks", "cluster": "idp"}}});
    let compiled = Policy::compile(policy.to_string().as_bytes(), &|_| None).unwrap();
    let metrics = Metrics::new(&compiled.policy);
    let source = "schemes.fetched.jwt.remote_jwks";
    for event in [
        Event::TokenCache { hit: true },
        Event::TokenCache { hit: false },
        Event::Signature { algorithm: Algorithm::Rs256, native: true },
        Event::Signature { algorithm: Algorithm::EdDsa, native: false },
        Event::Password(PasswordCheck::Hashed),
        Event::Password(PasswordCheck::Busy),
        Event::Fetch { source, succeeded: true },
        Event::Fetch { source, succeeded: false },
        Event::Fetch { source: "gone", succeeded: false },
    ] {
        metrics.record(event);
    }
    let take = |remembered: usize, fetched: i64| {
        let mut seen = Vec::new();
        metrics.remember(remembered);
        metrics.take([fetched].into_iter(), |slot, update| {
            let name = &metrics.definitions()[slot].name;
            let short: Vec<_> = name.split(";.;").map(|part| part.rsplit("=.=").next().unwrap()).collect();
            seen.push((short.join(" "), update));
        });
        seen.sort_by(|left, right| left.0.cmp(&right.0));
        seen
    };
    let one = |name: &str| (name.to_owned(), StatUpdate::Add(1));
    let entries = |change| ("lychgate_token_cache_entries".to_owned(), StatUpdate::Add(change));
    assert_eq!(
        take(3, 1000),
        [
            one("EdDSA wasm lychgate_signature_verifications_total"),
            one("RS256 native lychgate_signature_verifications_total"),
            one("busy lychgate_password_checks_total"),
            one("hashed lychgate_password_checks_total"),
            one("hit lychgate_token_cache_lookups_total"),
            entries(3),
            one("miss lychgate_token_cache_lookups_total"),
            one(&format!("{source} failure lychgate_key_fetches_total")),
            (format!("{source} lychgate_key_fetch_last_success_timestamp_seconds"), StatUpdate::Set(1000)),
            one(&format!("{source} success lychgate_key_fetches_total")),
        ]
    );
    assert_eq!(take(3, 1000), []);
    assert_eq!(take(1, 1000), [entries(-2)]);
    assert_eq!(take(0, 1000), [entries(-1)]);
}

#[test]
fn the_stats_are_bounded_whatever_the_policy() {
    let mut policy = keys();
    policy["api_keys"]["partners"] = (0..1000)
        .map(|number| json!({"id": format!("client-{number}"), "sha256": format!("{number:064}")}))
        .collect();
    policy["rules"] = (0..1000)
        .map(|number| json!({"match": {"path": format!("/{number}")}, "security": [{"key": []}]}))
        .collect();
    let engine = engine(&policy);
    let all = engine.metrics().definitions();
    let with = |part: &str| all.iter().filter(|own| own.name.contains(part)).count();
    // Allowed, denied by the scheme, denied without a credential.
    assert_eq!(
        with("lychgate_requests_total"),
        3 * 257 + 7,
        "256 rules, the others, and what no rule is for"
    );
    assert_eq!(with("lychgate_api_key_requests_total"), 257);
    decide(&engine, "/999", None);
    let counted = counted(&engine);
    assert!(counted.iter().any(|(name, _)| name.starts_with("rule=.=other;.;")), "{counted:?}");
    let gauges = all.iter().filter(|StatDefinition { kind, .. }| *kind == StatKind::Gauge).count();
    assert_eq!(gauges, 1);
}

#[test]
fn a_reason_without_a_stat_is_counted_all_the_same() {
    let engine = engine(&keys());
    let attribution = Attribution { rule: RuleId::Unknown, by: DecidedBy::Nothing, client: None };
    drop(engine.metrics().denied(&Denial::new(Reason::TokenExpired).at(attribution)));
    assert!(counted(&engine).iter().any(|(name, _)| name.contains("reason=.=other;.;")));
}

/// A host with labels makes its stats from the families alone, before it knows a route's policy.
#[test]
fn every_stat_is_of_a_family_and_has_its_labels() {
    let mut policy = keys();
    policy["schemes"]["fetched"] = json!({"type": "http", "scheme": "bearer",
        "jwt": {"remote_jwks": {"uri": "http://idp.example/jwks", "cluster": "idp"}}});
    let compiled = Policy::compile(policy.to_string().as_bytes(), &|_| None).unwrap();
    let metrics = Metrics::new(&compiled.policy);
    let mut seen: Vec<_> = metrics.definitions().iter().map(|own| own.family).collect();
    seen.dedup();
    assert_eq!(seen.len(), super::FAMILIES.len());
    for StatDefinition { kind, name, family, labels } in metrics.definitions() {
        let labels: Vec<_> = labels.iter().map(|(key, _)| *key).collect();
        let found = super::FAMILIES.iter().find(|(_, own, _)| own == family);
        assert_eq!(found, Some(&(*kind, *family, labels.as_slice())), "{name}");
    }
}
