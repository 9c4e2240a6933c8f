//! Workers that hear of an answer only when their next request comes.

use super::tests::{has_keys, jwks, response, worker};
use crate::fetch::FetchStatus;
use crate::host::{Hears, InMemoryHost};

/// A worker that no request kept awake had the lease for twelve seconds, and heard the answer when its next request came.
/// Requests on other workers waited for it until they were refused.
#[test]
fn a_worker_that_hears_late_does_not_keep_others_waiting() {
    let host = InMemoryHost::at(1000);
    let ((ours, fetcher), (theirs, other)) = (worker(false), worker(false));
    fetcher.begin(&host);
    host.hears.set(Hears::Later);
    fetcher.tick(&host);
    host.hears.set(Hears::AtOnce);
    host.now.set(1001);
    other.tick(&host);
    assert_eq!(host.calls.borrow().len(), 1, "the first may be heard soon");
    host.now.set(1002);
    other.tick(&host);
    assert_eq!(host.calls.borrow().len(), 2);
    other.on_http_call_response(1, &response(200, &jwks()), &host).unwrap();
    assert!(has_keys(&theirs, &host));
    // What is heard late counts all the same.
    fetcher.on_http_call_response(0, &response(200, &jwks()), &host).unwrap();
    assert!(has_keys(&ours, &host));
    assert_eq!(ours.generation(), theirs.generation());
}

#[test]
fn a_worker_whose_last_waiting_request_goes_does_not_keep_others_waiting() {
    let host = InMemoryHost::at(1000);
    let ((_, fetcher), (theirs, other)) = (worker(false), worker(false));
    fetcher.begin(&host);
    fetcher.tick(&host);
    host.now.set(1005);
    other.tick(&host);
    assert_eq!(host.calls.borrow().len(), 1, "the lease is taken");
    fetcher.stop_hearing(&host);
    host.now.set(1007);
    other.tick(&host);
    assert_eq!(host.calls.borrow().len(), 2);
    // Theirs is as long as it should be, whatever becomes of the other.
    assert_eq!(theirs.ask(1018, None), FetchStatus::InFlight);
}

#[test]
fn a_worker_that_hears_late_leaves_it_to_one_that_hears_at_once() {
    let host = InMemoryHost::at(1000);
    let ((ours, fetcher), (_, main)) = (worker(false), worker(false));
    fetcher.begin(&host);
    host.hears.set(Hears::Elsewhere);
    fetcher.tick(&host);
    assert_eq!(host.calls.borrow().len(), 0);
    host.hears.set(Hears::AtOnce);
    main.tick(&host);
    main.on_http_call_response(0, &response(200, &jwks()), &host).unwrap();
    host.hears.set(Hears::Elsewhere);
    fetcher.tick(&host);
    assert!(has_keys(&ours, &host));
    // That a key is unknown here is known here alone.
    host.now.set(1011);
    let _ = ours.ask(1011, Some("new"));
    fetcher.tick(&host);
    assert_eq!(host.calls.borrow().len(), 2);
}
