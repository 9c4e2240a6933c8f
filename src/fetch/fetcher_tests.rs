use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use lychgate_testkit::keys;
use serde_json::{Value, json};

use super::Fetcher;
use crate::fetch::{
    Content, Discovery, FetchStatus, KeyFormat, RefreshPolicy, RemoteSource, SourceKind, Uri,
};
use crate::host::{CallResponse, Host, HostError, HttpCall, InMemoryHost, NativeVerdict};
use crate::keys::NativeKey;

const LIMITS: RefreshPolicy = RefreshPolicy { refresh: 60, refetch: 10, max_stale: 600, timeout: 5 };

fn uri(text: &str) -> Uri {
    Uri::parse(text, "idp").unwrap()
}

/// A worker's own view of the key set, by URI or by discovery.
pub(super) fn worker(discovery: bool) -> (Rc<RemoteSource>, Fetcher) {
    let kind = if discovery {
        let uri = uri("https://idp.example/.well-known/openid-configuration");
        let issuer = "https://idp.example".into();
        let discovery = Discovery { uri, fallback: None, issuer, jwks_cluster: None };
        SourceKind::Keys { uri: None, discovery: Some(discovery), allowed: None, format: KeyFormat::Jwks }
    } else {
        SourceKind::Keys {
            uri: Some(uri("https://idp.example/keys")),
            discovery: None,
            allowed: None,
            format: KeyFormat::Jwks,
        }
    };
    let source = RemoteSource::new("keys".into(), kind, LIMITS);
    (Rc::clone(&source), Fetcher::new(vec![source], Vec::new()))
}

pub(super) fn jwks() -> Value {
    json!({"keys": [keys::P256.jwk()]})
}

pub(super) fn response(status: u16, body: &Value) -> CallResponse {
    let headers = vec![(b":status".to_vec(), status.to_string().into_bytes())];
    CallResponse { headers, body: body.to_string().into_bytes() }
}

pub(super) fn has_keys(source: &RemoteSource, host: &InMemoryHost) -> bool {
    matches!(source.content(host.now.get()).as_deref(), Some(Content::Keys(_)))
}

#[test]
fn one_worker_fetches_and_the_other_takes_it_over() {
    let host = InMemoryHost::at(1000);
    let ((ours, fetcher), (theirs, other)) = (worker(false), worker(false));
    fetcher.begin(&host);
    fetcher.tick(&host);
    other.tick(&host);
    assert_eq!(host.calls.borrow().len(), 1, "the lease is taken");
    assert_eq!(host.calls.borrow()[0].headers[3], (":path".to_owned(), "/keys".to_owned()));
    assert_eq!(theirs.ask(1000, None), FetchStatus::InFlight);
    fetcher.on_http_call_response(0, &response(200, &jwks()), &host).unwrap();
    assert!(has_keys(&ours, &host) && !has_keys(&theirs, &host));
    other.tick(&host);
    assert!(has_keys(&theirs, &host));
    assert_eq!(ours.generation(), theirs.generation());
    assert_eq!(host.calls.borrow().len(), 1);
}

/// A host on which something happens just before the next value is shared.
struct Racing<'h> {
    host: &'h InMemoryHost,
    before: RefCell<Option<Box<dyn FnOnce() + 'h>>>,
}

impl Host for Racing<'_> {
    fn now(&self) -> i64 {
        self.host.now()
    }
    fn monotonic(&self) -> Duration {
        self.host.monotonic()
    }
    fn verify_signature(&self, key: &NativeKey, signature: &[u8], message: &[u8]) -> NativeVerdict {
        self.host.verify_signature(key, signature, message)
    }
    fn random(&self, bytes: &mut [u8]) -> Result<(), HostError> {
        self.host.random(bytes)
    }
    fn client_address(&self) -> Option<String> {
        self.host.client_address()
    }
    fn get_shared_data(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostError> {
        self.host.get_shared_data(key)
    }
    fn set_shared_data(&self, key: &str, value: &[u8], version: u32) -> Result<bool, HostError> {
        if let Some(before) = self.before.take() {
            before();
        }
        self.host.set_shared_data(key, value, version)
    }
    fn dispatch_http_call(&self, call: &HttpCall) -> Result<u32, HostError> {
        self.host.dispatch_http_call(call)
    }
}

/// Two workers met a new key in the same moment, and the one that was second to say so forgot it: until
/// its next tick it refused valid tokens as signed by an unknown key.
#[test]
fn a_worker_that_asked_second_refused_the_new_key_until_its_next_tick() {
    let host = InMemoryHost::at(1000);
    let ((ours, first), (theirs, second)) = (worker(false), worker(false));
    first.tick(&host);
    first.on_http_call_response(0, &response(200, &jwks()), &host).unwrap();
    second.tick(&host);
    for source in [&ours, &theirs] {
        assert_eq!(source.ask(1020, Some("new")), FetchStatus::InFlight);
    }
    host.now.set(1020);
    let race = || drop(first.tick(&host));
    second.tick(&Racing { host: &host, before: RefCell::new(Some(Box::new(race))) });
    assert_eq!(host.calls.borrow().len(), 2, "one of them fetches");
    assert_eq!(theirs.ask(1020, Some("new")), FetchStatus::InFlight, "and the other one waits for it");
    second.tick(&host);
    assert_eq!(theirs.ask(1020, Some("new")), FetchStatus::InFlight);
    assert_eq!(host.calls.borrow().len(), 2);
}

#[test]
fn a_fetcher_that_dies_is_followed_by_another() {
    let host = InMemoryHost::at(1000);
    let ((_, dead), (theirs, other)) = (worker(false), worker(false));
    dead.begin(&host);
    dead.tick(&host);
    drop(dead);
    other.tick(&host);
    assert_eq!(host.calls.borrow().len(), 1);
    host.now.set(1012);
    other.tick(&host);
    assert_eq!(host.calls.borrow().len(), 2);
    other.on_http_call_response(1, &response(200, &jwks()), &host).unwrap();
    assert!(has_keys(&theirs, &host));
}

#[test]
fn discovery_is_held_to_its_issuer_and_its_host() {
    let document = |issuer: &str, jwks_uri: &str| json!({"issuer": issuer, "jwks_uri": jwks_uri, "id_token_signing_alg_values_supported": ["ES256", "HS256", "X"]});
    for (answer, says) in [
        (response(200, &document("https://evil.example", "https://idp.example/keys")), "the issuer is"),
        (response(200, &document("https://idp.example", "https://evil.example/keys")), "another host"),
        (response(200, &document("https://idp.example", "keys")), "jwks_uri: "),
        (response(200, &json!({"issuer": "https://idp.example"})), "no `jwks_uri`"),
        (response(200, &json!([])), "not a JSON object"),
        (response(404, &json!({})), "status 404"),
        (CallResponse::default(), "no response"),
    ] {
        let host = InMemoryHost::at(1000);
        let (source, fetcher) = worker(true);
        fetcher.tick(&host);
        fetcher.on_http_call_response(0, &answer, &host).unwrap();
        let log = host.warnings.take().join("\n");
        assert!(log.contains(says), "{log}");
        assert_eq!(host.calls.borrow().len(), 1, "nothing else is fetched");
        assert!(matches!(source.ask(1000, None), FetchStatus::Failing(_)));
    }
    let host = InMemoryHost::at(1000);
    let (source, fetcher) = worker(true);
    fetcher.tick(&host);
    fetcher.on_http_call_response(
        0,
        &response(200, &document("https://idp.example", "https://idp.example/k?v=1")),
        &host,
    );
    assert_eq!(host.calls.borrow()[1].headers[3].1, "/k?v=1");
    fetcher.on_http_call_response(1, &response(200, &jwks()), &host);
    assert!(has_keys(&source, &host));
}

#[test]
fn what_is_no_key_set_is_a_failure_and_the_last_good_one_stays() {
    let secret =
        json!({"keys": [{"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "alg": "HS256"}]});
    let (host, (source, fetcher)) = (InMemoryHost::at(1000), worker(false));
    fetcher.tick(&host);
    fetcher.on_http_call_response(0, &response(200, &jwks()), &host);
    for (number, answer) in [
        response(200, &json!({"keys": []})),
        response(200, &secret),
        response(200, &json!({"keys": {}})),
        response(500, &jwks()),
        CallResponse { body: b"{\"keys\": [".to_vec(), ..response(200, &json!({})) },
        CallResponse { body: vec![b' '; 1_048_577], ..response(200, &json!({})) },
    ]
    .iter()
    .enumerate()
    {
        host.now.set(host.now.get() + 100);
        fetcher.tick(&host);
        let id = u32::try_from(number + 1).unwrap();
        fetcher.on_http_call_response(id, answer, &host).unwrap();
        let log = host.warnings.take().join("\n");
        assert!(log.contains("cannot be fetched"), "{log}");
        assert!(has_keys(&source, &host), "{log}");
    }
    host.now.set(1000 + 601);
    assert!(!has_keys(&source, &host), "too old");
}

#[test]
fn a_host_that_fails_leaves_the_filter_closed() {
    let (host, (source, fetcher)) = (InMemoryHost::at(1000), worker(false));
    host.works.set(false);
    for _ in 0..50 {
        fetcher.tick(&host);
    }
    assert_eq!(host.warnings.take().len(), 1, "the log says so, once");
    assert!(!has_keys(&source, &host));
}

/// Two workers asked for a key that was not there in the second in which the keys had been fetched. One fetched
/// the same keys again, within that second; to the other nothing had changed, and its requests waited until
/// their time was up.
#[test]
fn a_fetch_of_another_worker_within_one_second_ended_unseen() {
    let host = InMemoryHost::at(1000);
    let ((ours, fetcher), (theirs, other)) = (worker(false), worker(false));
    fetcher.begin(&host);
    fetcher.tick(&host);
    fetcher.on_http_call_response(0, &response(200, &jwks()), &host).unwrap();
    other.tick(&host);
    other.take_completed();
    assert_eq!(ours.ask(1000, Some("unknown")), FetchStatus::InFlight);
    assert_eq!(theirs.ask(1000, Some("another")), FetchStatus::InFlight);
    fetcher.tick(&host);
    fetcher.on_http_call_response(1, &response(200, &jwks()), &host).unwrap();
    other.tick(&host);
    assert_eq!(host.calls.borrow().len(), 2, "the limit holds");
    assert_eq!(other.take_completed().len(), 1, "the requests that wait are decided");
    assert_eq!(theirs.ask(1000, Some("another")), FetchStatus::Settled);
}

fn discovering(issuer: &str, fallback: bool) -> (Rc<RemoteSource>, Fetcher) {
    let fallback = fallback.then(|| uri("https://idp.example/.well-known/oauth-authorization-server/t"));
    let fallback = fallback.map(Box::new);
    let uri = uri("https://idp.example/t/.well-known/openid-configuration");
    let discovery = Discovery { uri, fallback, issuer: issuer.into(), jwks_cluster: None };
    let kind =
        SourceKind::Keys { uri: None, discovery: Some(discovery), allowed: None, format: KeyFormat::Jwks };
    let source = RemoteSource::new("keys".into(), kind, LIMITS);
    (Rc::clone(&source), Fetcher::new(vec![source], Vec::new()))
}

/// Auth0's issuer ends in a slash, and its discovery document was refused for ever.
#[test]
fn a_slash_at_the_end_of_the_issuer_makes_no_difference_to_the_document_and_the_token_has_it_as_the_document()
{
    for (configured, document) in [
        ("https://idp.example/t", "https://idp.example/t/"),
        ("https://idp.example/t/", "https://idp.example/t"),
        ("https://idp.example/t", "https://idp.example/t"),
        ("https://idp.example/{tid}/v2.0", "https://idp.example/{tenantid}/v2.0"),
    ] {
        let host = InMemoryHost::at(1000);
        let (source, fetcher) = discovering(configured, false);
        fetcher.tick(&host);
        let answer = json!({"issuer": document, "jwks_uri": "https://idp.example/k"});
        fetcher.on_http_call_response(0, &response(200, &answer), &host).unwrap();
        fetcher.on_http_call_response(1, &response(200, &jwks()), &host).unwrap();
        assert_eq!(source.content(1000).unwrap().issuer(), Some(document), "{configured}");
        // Another worker takes it over with the keys.
        let (theirs, other) = discovering(configured, false);
        other.tick(&host);
        assert_eq!(theirs.content(1000).unwrap().issuer(), Some(document));
    }
    for (configured, document) in [
        ("https://idp.example/t", "https://idp.example/t//"),
        ("https://idp.example/t", "https://idp.example/{tenantid}"),
        ("https://idp.example/{tid}/v2.0", "https://idp.example/t/v2.0"),
        ("https://idp.example/{tid}/v2.0", "https://idp.example/{tid}/v1.0"),
    ] {
        let host = InMemoryHost::at(1000);
        let (_, fetcher) = discovering(configured, false);
        fetcher.tick(&host);
        let answer = json!({"issuer": document, "jwks_uri": "https://idp.example/k"});
        fetcher.on_http_call_response(0, &response(200, &answer), &host).unwrap();
        assert!(host.warnings.take().join("").contains("the issuer is"), "{configured} {document}");
    }
}

/// `id_token_signing_alg_values_supported` is said of ID tokens: an ES256 access token was refused.
#[test]
fn what_discovery_says_of_id_tokens_narrows_no_access_token() {
    let host = InMemoryHost::at(1000);
    let (source, fetcher) = discovering("https://idp.example/t", false);
    fetcher.tick(&host);
    let named = json!(["RS256", "PS256"]);
    let answer = json!({"issuer": "https://idp.example/t", "jwks_uri": "https://idp.example/k",
        "id_token_signing_alg_values_supported": named});
    fetcher.on_http_call_response(0, &response(200, &answer), &host).unwrap();
    let set = json!({"keys": [keys::P256.jwk(), keys::RSA.jwk()]});
    fetcher.on_http_call_response(1, &response(200, &set), &host).unwrap();
    let content = source.content(1000).unwrap();
    let Content::Keys(found) = &*content else { panic!("keys") };
    let algorithms: Vec<_> = found.all().iter().map(|key| key.algorithm().name()).collect();
    assert_eq!(algorithms, ["ES256", "RS256", "PS256"]);
}

/// An authorization server that is no OpenID provider has its metadata elsewhere (RFC 8414 section 3.1).
#[test]
fn where_no_openid_configuration_is_the_metadata_of_rfc_8414_is_asked_for() {
    let host = InMemoryHost::at(1000);
    let (source, fetcher) = discovering("https://idp.example/t", true);
    fetcher.tick(&host);
    fetcher.on_http_call_response(0, &response(404, &json!({})), &host).unwrap();
    assert_eq!(host.calls.borrow()[1].headers[3].1, "/.well-known/oauth-authorization-server/t");
    let answer = json!({"issuer": "https://idp.example/t", "jwks_uri": "https://idp.example/k"});
    fetcher.on_http_call_response(1, &response(200, &answer), &host).unwrap();
    fetcher.on_http_call_response(2, &response(200, &jwks()), &host).unwrap();
    assert!(has_keys(&source, &host));
    // It is asked for once, and not where the server fails otherwise.
    for (first, calls) in [(404, 2), (400, 2), (500, 1), (302, 1)] {
        let host = InMemoryHost::at(1000);
        let (_, fetcher) = discovering("https://idp.example/t", true);
        fetcher.tick(&host);
        fetcher.on_http_call_response(0, &response(first, &json!({})), &host).unwrap();
        if calls > 1 {
            fetcher.on_http_call_response(1, &response(404, &json!({})), &host).unwrap();
        }
        assert_eq!(host.calls.borrow().len(), calls, "{first}");
        assert!(host.warnings.take().join("").contains("cannot be fetched"), "{first}");
    }
}

#[test]
fn urls_of_metadata() {
    for (issuer, openid, oauth) in [
        (
            "https://a",
            "https://a/.well-known/openid-configuration",
            "https://a/.well-known/oauth-authorization-server",
        ),
        (
            "https://a/",
            "https://a/.well-known/openid-configuration",
            "https://a/.well-known/oauth-authorization-server",
        ),
        (
            "https://a/b/c",
            "https://a/b/c/.well-known/openid-configuration",
            "https://a/.well-known/oauth-authorization-server/b/c",
        ),
    ] {
        assert_eq!(crate::fetch::metadata_urls(issuer), [openid, oauth]);
        for url in [openid, oauth] {
            assert_eq!(crate::fetch::issuer_of(url).unwrap(), issuer.trim_end_matches('/'));
        }
    }
    assert!(crate::fetch::issuer_of("https://a/.well-known/oauth-authorization-serverx").is_err());
    assert!(crate::fetch::issuer_of("https://a/keys").is_err());
}
