//! What several workers make of shared data: also where a worker died half-way, and where another plugin
//! wrote in it.

#![allow(clippy::arithmetic_side_effects, reason = "tests count")]

use std::rc::Rc;

use lychgate_testkit::keys;
use serde_json::{Value, json};

use super::{digest, slot};
use crate::fetch::{
    Content, FetchState, FetchStatus, Fetcher, KeyFormat, RefreshPolicy, RemoteSource, SourceKind, Uri,
};
use crate::host::{CallResponse, Host as _, InMemoryHost};

const LIMITS: RefreshPolicy = RefreshPolicy { refresh: 60, refetch: 10, max_stale: 600, timeout: 5 };

pub(super) struct Worker {
    pub source: Rc<RemoteSource>,
    pub fetcher: Fetcher,
}

impl Worker {
    fn of(kind: SourceKind) -> Self {
        let source = RemoteSource::new("keys".into(), kind, LIMITS);
        Self { source: Rc::clone(&source), fetcher: Fetcher::new(vec![source], Vec::new()) }
    }

    pub(super) fn new() -> Self {
        let uri = Uri::parse("https://idp.example/keys", "idp").unwrap();
        Self::of(SourceKind::Keys { uri: Some(uri), discovery: None, allowed: None, format: KeyFormat::Jwks })
    }

    fn lists() -> Self {
        Self::of(SourceKind::Revocations { uri: Uri::parse("https://idp.example/revoked", "idp").unwrap() })
    }

    /// The `kid`s that serve.
    pub(super) fn kids(&self, host: &InMemoryHost) -> Option<Vec<String>> {
        let content = self.source.content(host.now())?;
        let Content::Keys(keys) = content.as_ref() else { panic!("keys") };
        Some(keys.candidates("ES256", None).map(|(_, key)| key.kid().unwrap().to_owned()).collect())
    }

    fn revoked(&self, host: &InMemoryHost) -> Option<usize> {
        match self.source.content(host.now()).as_deref() {
            Some(Content::Revocations(list)) => Some(list.len()),
            _ => None,
        }
    }
}

pub(super) fn jwks(kid: &str) -> Value {
    let mut jwk = keys::P256.jwk();
    jwk["kid"] = kid.into();
    json!({"keys": [jwk]})
}

pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> CallResponse {
    let own = |(name, value): &(&str, &str)| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
    let mut headers: Vec<_> = headers.iter().map(own).collect();
    headers.push((b":status".to_vec(), status.to_string().into_bytes()));
    CallResponse { headers, body: body.into() }
}

fn last_call(host: &InMemoryHost) -> u32 {
    u32::try_from(host.calls.borrow().len()).unwrap() - 1
}

/// Keys that were fetched by a first worker.
fn fetched(host: &InMemoryHost, kid: &str) -> Worker {
    let worker = Worker::new();
    worker.fetcher.begin(host);
    worker.fetcher.tick(host);
    worker.fetcher.on_http_call_response(
        last_call(host),
        &answer(200, &[("etag", "\"1\"")], jwks(kid).to_string()),
        host,
    );
    assert_eq!(worker.kids(host).unwrap(), [kid]);
    worker
}

pub(super) fn overwrite(host: &InMemoryHost, key: &str, value: &[u8]) {
    let version = host.get_shared_data(key).unwrap().map_or(0, |(_, version)| version);
    assert!(host.set_shared_data(key, value, version).unwrap());
}

fn record(host: &InMemoryHost, worker: &Worker) -> FetchState {
    FetchState::from_bytes(&host.get_shared_data(&worker.source.key).unwrap().unwrap().0).unwrap()
}

/// A worker wrote what it had fetched, died before it wrote the record, and the issuer said to the others that
/// nothing had changed: a worker that was started anew had no keys for as long as that went on.
#[test]
fn a_worker_that_died_between_body_and_record_kept_keys_from_those_that_came_later() {
    let host = InMemoryHost::at(1000);
    let first = fetched(&host, "one");
    for version in [0, 1] {
        overwrite(&host, &slot(&first.source, version), b"null\n{\"keys\": []}");
    }
    let late = Worker::new();
    late.fetcher.begin(&host);
    late.fetcher.tick(&host);
    assert_eq!(late.kids(&host), None, "what is not the record's is not believed");
    assert_eq!(host.calls.borrow().len(), 1, "another worker may be about to write it");
    host.now.set(1001);
    late.fetcher.tick(&host);
    assert_eq!(late.source.ask(1001, None), FetchStatus::InFlight);
    let calls = host.calls.borrow().clone();
    assert_eq!(calls.len(), 2, "it is fetched");
    assert!(
        calls[1].headers.iter().all(|(name, _)| name != "if-none-match"),
        "whole: {:?}",
        calls[1].headers
    );
    late.fetcher.on_http_call_response(1, &answer(200, &[("etag", "\"1\"")], jwks("one").to_string()), &host);
    assert_eq!(late.kids(&host).unwrap(), ["one"]);
    let third = Worker::new();
    third.fetcher.tick(&host);
    assert_eq!(third.kids(&host).unwrap(), ["one"], "and it is shared again");
    assert_eq!(first.kids(&host).unwrap(), ["one"]);
    assert_eq!(host.calls.borrow().len(), 2);
}

/// A body that is newer than its record: the record's own is in the other slot, and serves on.
#[test]
fn a_body_without_its_record_is_not_used() {
    let host = InMemoryHost::at(1000);
    let first = fetched(&host, "one");
    let next = record(&host, &first).version + 1;
    overwrite(
        &host,
        &slot(&first.source, next),
        &RemoteSource::envelope(jwks("two").to_string().as_bytes(), None),
    );
    let late = Worker::new();
    late.fetcher.tick(&host);
    assert_eq!(late.kids(&host).unwrap(), ["one"]);
    host.now.set(1060);
    late.fetcher.tick(&host);
    late.fetcher.on_http_call_response(last_call(&host), &answer(200, &[], jwks("two").to_string()), &host);
    first.fetcher.tick(&host);
    assert_eq!(
        (late.kids(&host).unwrap(), first.kids(&host).unwrap()),
        (vec!["two".into()], vec!["two".into()])
    );
}

/// A 304 that speaks of an older set than the one that another worker published meanwhile made the newer one
/// count as what the older entity tag means.
#[test]
fn an_answer_that_nothing_changed_says_nothing_of_what_another_worker_fetched() {
    let host = InMemoryHost::at(1000);
    let slow = fetched(&host, "one");
    let quick = Worker::new();
    quick.fetcher.tick(&host);
    host.now.set(1060);
    slow.fetcher.tick(&host);
    let asked = last_call(&host);
    assert!(host.calls.borrow()[1].headers.contains(&("if-none-match".into(), "\"1\"".into())));
    // It is not heard of for longer than its lease.
    host.now.set(1080);
    quick.fetcher.tick(&host);
    quick.fetcher.on_http_call_response(
        last_call(&host),
        &answer(200, &[("etag", "\"2\"")], jwks("two").to_string()),
        &host,
    );
    slow.fetcher.on_http_call_response(asked, &answer(304, &[("etag", "\"1\"")], ""), &host);
    assert_eq!(record(&host, &slow).etag.as_deref(), Some("\"2\""));
    slow.fetcher.tick(&host);
    assert_eq!(
        (slow.kids(&host).unwrap(), quick.kids(&host).unwrap()),
        (vec!["two".into()], vec!["two".into()])
    );
}

/// A worker that had an older set, and could not read the newer one, asked whether the newer one was still
/// the same; it was, and the older one counted as that.
#[test]
fn a_worker_with_an_older_set_asks_for_the_whole_of_the_newer_one() {
    let host = InMemoryHost::at(1000);
    let (quick, late) = (fetched(&host, "one"), Worker::new());
    late.fetcher.tick(&host);
    host.now.set(1060);
    quick.fetcher.tick(&host);
    quick.fetcher.on_http_call_response(
        last_call(&host),
        &answer(200, &[("etag", "\"2\"")], jwks("two").to_string()),
        &host,
    );
    overwrite(&host, &slot(&quick.source, record(&host, &quick).version), b"torn");
    drop(quick);
    host.now.set(1120);
    late.fetcher.tick(&host);
    assert_eq!(late.kids(&host).unwrap(), ["one"]);
    let headers = host.calls.borrow()[2].headers.clone();
    assert!(headers.iter().all(|(name, _)| name != "if-none-match"), "{headers:?}");
    late.fetcher.on_http_call_response(2, &answer(200, &[("etag", "\"2\"")], jwks("two").to_string()), &host);
    assert_eq!(late.kids(&host).unwrap(), ["two"]);
}

#[test]
fn a_304_to_a_worker_that_has_nothing_is_a_failure() {
    let host = InMemoryHost::at(1000);
    let worker = Worker::new();
    worker.fetcher.tick(&host);
    worker.fetcher.on_http_call_response(0, &answer(304, &[], ""), &host);
    assert_eq!(worker.kids(&host), None);
    assert!(host.warnings.take().join("").contains("status 304"));
}

/// Another plugin with the same `vm_id` writes what it likes. Whatever it is, no worker is held up for long,
/// and it is said.
#[test]
fn what_another_plugin_wrote_in_shared_data_does_not_hold_workers_up() {
    let digest = "0".repeat(32);
    for alien in [
        "counter: 7".to_owned(),
        "\u{0}\u{0}".to_owned(),
        "[]".to_owned(),
        format!("[9, 1000, {0}, {0}, {0}, 0, null, \"{digest}\"]", i64::MAX),
        format!("[1, {0}, {0}, {0}, {0}, 0, null, \"{digest}\"]", 1_000_000),
    ] {
        let host = InMemoryHost::at(1000);
        let worker = fetched(&host, "one");
        overwrite(&host, &worker.source.key, alien.as_bytes());
        host.now.set(1020);
        worker.fetcher.tick(&host);
        assert!(host.warnings.take().join("").contains("same vm_id"), "{alien}");
        assert_eq!(host.calls.borrow().len(), 2, "fetched at once: {alien}");
        worker.fetcher.on_http_call_response(1, &answer(200, &[], jwks("two").to_string()), &host);
        assert_eq!(worker.kids(&host).unwrap(), ["two"], "{alien}");
        let other = Worker::new();
        other.fetcher.tick(&host);
        assert_eq!(other.kids(&host).unwrap(), ["two"], "{alien}");
    }
}

/// The same version of something else: it differs by its digest, and what was verified by the keys
/// before is forgotten.
#[test]
fn a_version_that_begins_again_is_another_one() {
    let host = InMemoryHost::at(1000);
    let worker = fetched(&host, "one");
    let generation = worker.source.generation();
    let envelope = RemoteSource::envelope(jwks("two").to_string().as_bytes(), None);
    let again = FetchState { digest: digest(&envelope), ..record(&host, &worker) };
    overwrite(&host, &slot(&worker.source, again.version), &envelope);
    overwrite(&host, &worker.source.key, &again.to_bytes());
    worker.fetcher.tick(&host);
    assert_eq!(worker.kids(&host).unwrap(), ["two"]);
    assert_ne!(worker.source.generation(), generation);
}

/// A forged token named the `kid` that the issuer was to publish next; the genuine key was kept out for three
/// times `refetch_seconds`.
#[test]
fn a_guessed_kid_kept_the_genuine_key_out() {
    let host = InMemoryHost::at(1000);
    let worker = fetched(&host, "one");
    host.now.set(1010);
    assert_eq!(worker.source.ask(1010, Some("next")), FetchStatus::InFlight);
    let log = worker.fetcher.tick(&host);
    assert!(log.join("").contains("unknown key \"next\""), "{log:?}");
    worker.fetcher.on_http_call_response(last_call(&host), &answer(200, &[], jwks("one").to_string()), &host);
    for now in 1011..1020 {
        assert_eq!(
            worker.source.ask(now, Some("next")),
            FetchStatus::Settled,
            "the issuer is not asked each time"
        );
    }
    // As soon as any key may be asked for, this one may.
    host.now.set(1020);
    assert_eq!(worker.source.ask(1020, Some("next")), FetchStatus::InFlight);
    worker.fetcher.tick(&host);
    worker.fetcher.on_http_call_response(
        last_call(&host),
        &answer(200, &[], jwks("next").to_string()),
        &host,
    );
    assert_eq!(worker.kids(&host).unwrap(), ["next"]);
}

#[test]
fn a_set_of_too_many_keys_counts_as_far_as_the_bound_and_says_what_is_left_out() {
    let host = InMemoryHost::at(1000);
    let worker = Worker::new();
    worker.fetcher.tick(&host);
    let keys: Vec<_> = (0..130).map(|number| jwks(&format!("k{number}"))["keys"][0].clone()).collect();
    worker.fetcher.on_http_call_response(0, &answer(200, &[], json!({"keys": keys}).to_string()), &host);
    assert_eq!(worker.kids(&host).unwrap().len(), 100);
    let warnings = host.warnings.take().join("\n");
    assert!(warnings.contains("130 keys, of which the first 100 count"), "{warnings}");
    assert!(
        warnings.contains("\"k100\", \"k101\"") && warnings.contains("of 100 keys for ES256"),
        "{warnings}"
    );
}

#[test]
fn a_set_that_is_too_long_is_refused_and_the_last_one_holds() {
    let host = InMemoryHost::at(1000);
    let worker = fetched(&host, "one");
    host.now.set(1060);
    worker.fetcher.tick(&host);
    let long = format!("{}{}", jwks("two"), " ".repeat(262_144));
    worker.fetcher.on_http_call_response(last_call(&host), &answer(200, &[], long), &host);
    assert_eq!(worker.kids(&host).unwrap(), ["one"]);
    let warnings = host.warnings.take().join("\n");
    assert!(
        warnings.contains("more than 262144 bytes") && warnings.contains("fetched before holds on"),
        "{warnings}"
    );
}

/// A list over the bound was no failure in any log, and `{}` lifted every revocation.
#[test]
fn a_list_that_is_refused_is_reported_and_the_last_one_holds() {
    let host = InMemoryHost::at(1000);
    let worker = Worker::lists();
    worker.fetcher.tick(&host);
    let log =
        worker.fetcher.on_http_call_response(0, &answer(200, &[], r#"{"jti": ["a", "b"]}"#), &host).unwrap();
    assert!(log.join("").ends_with("version 1 fetched: 2 revocations"), "{log:?}");
    assert!(host.warnings.take().is_empty());
    let long = format!("{{\"jti\": [\"{}\"]}}", "x".repeat(1_048_576));
    for (body, says) in [("{}", "an empty list is"), ("", "EOF"), (long.as_str(), "more than 1048576 bytes")]
    {
        host.now.set(host.now() + 100);
        worker.fetcher.tick(&host);
        worker.fetcher.on_http_call_response(last_call(&host), &answer(200, &[], body), &host);
        let warnings = host.warnings.take().join("\n");
        assert!(warnings.contains(says) && warnings.contains("cannot be fetched"), "{warnings}");
        assert_eq!(worker.revoked(&host), Some(2));
    }
    for (body, says) in [
        (r#"{"jti": []}"#, "the list is empty now; of 2 revocations none is left"),
        (r#"{"issued_before": 1700000000000}"#, "it revokes all tokens"),
    ] {
        host.now.set(host.now() + 100);
        worker.fetcher.tick(&host);
        worker.fetcher.on_http_call_response(last_call(&host), &answer(200, &[], body), &host);
        let warnings = host.warnings.take().join("\n");
        assert!(warnings.contains(says), "{warnings}");
    }
    assert_eq!(worker.revoked(&host), Some(1));
}
