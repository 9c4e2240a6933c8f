//! The filter natively, over a host in memory, held to the same table as the module in a real Envoy.

use std::collections::HashMap;
use std::rc::Rc;

use lychgate::filter::{Action, HttpFilter, WakeBudget, Worker};
use lychgate::host::{InMemoryHost, InMemoryStream};
use lychgate::login::LoginHistory;
use lychgate_tests::behaviour::{self, ENVIRONMENT, Observed, Row};
use lychgate_tests::tokens;

/// A worker for each policy, each with a host of its own. None checks signatures: the filter's own
/// cryptography is what is tried.
fn workers() -> HashMap<&'static str, (Rc<InMemoryHost>, Rc<Worker>)> {
    let environment =
        |name: &str| ENVIRONMENT.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned());
    behaviour::policies()
        .into_iter()
        .map(|(name, policy)| {
            let host = Rc::new(InMemoryHost::at(tokens::now()));
            let worker = Worker::configured(
                policy.to_string().as_bytes(),
                &environment,
                LoginHistory::default(),
                |_| host.clone(),
            );
            (name, (host, worker.unwrap_or_else(|| panic!("{name}: the configuration is refused"))))
        })
        .collect()
}

/// Lower-case names and trimmed values, as Envoy hands them over.
fn headers(row: &Row) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut headers: Vec<(Vec<u8>, Vec<u8>)> = vec![
        (b":method".to_vec(), row.request.method.clone().into_bytes()),
        (b":path".to_vec(), row.request.target.clone().into_bytes()),
        (b":scheme".to_vec(), b"http".to_vec()),
    ];
    let mut host = b"localhost".to_vec();
    for (name, value) in &row.request.headers {
        if name.eq_ignore_ascii_case("host") {
            host.clone_from(value);
        } else {
            headers.push((name.to_ascii_lowercase().into_bytes(), value.trim_ascii().to_vec()));
        }
    }
    headers.push((b":authority".to_vec(), host));
    if !row.request.body.is_empty() {
        headers.push((b"content-length".to_vec(), row.request.body.len().to_string().into_bytes()));
    }
    headers
}

/// Gives the request to the filter as a host does, and takes what becomes of it.
fn observe(worker: &Rc<Worker>, row: &Row) -> Observed {
    let stream = InMemoryStream::default();
    *stream.headers.borrow_mut() = headers(row);
    let body = &row.request.body;
    let mut filter = HttpFilter::new(1, Rc::clone(worker));
    let mut action = filter.on_request_headers(&stream, body.is_empty());
    if action != Action::Hold && stream.replies.borrow().is_empty() && !body.is_empty() {
        stream.body.borrow_mut().extend_from_slice(body);
        action = filter.on_request_body(&stream, body.len(), true);
    }
    filter.on_delete();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if action == Action::Continue {
        assert!(stream.replies.borrow().is_empty(), "{}: answered, and let go", row.name);
        let headers: Vec<_> =
            stream.headers.borrow().iter().map(|(name, value)| (text(name), text(value))).collect();
        let path = headers.iter().find(|(name, _)| name == ":path").map(|(_, value)| value.clone());
        let upstream = Some((path.unwrap_or_default(), headers));
        return Observed { status: 200, body: String::new(), headers: Vec::new(), upstream };
    }
    let replies = stream.replies.take();
    let [reply] = <[_; 1]>::try_from(replies)
        .unwrap_or_else(|replies| panic!("{}: one answer, and not {}", row.name, replies.len()));
    Observed { status: reply.status, headers: reply.headers, body: text(&reply.body), upstream: None }
}

/// The request was counted, once, and under what it is documented as.
fn check_counts(host: &InMemoryHost, worker: &Worker, row: &Row) {
    worker.on_tick(&WakeBudget::default(), &mut |_| false);
    let definitions = worker.engine().metrics().definitions();
    let updated = host.updated_stats.take();
    let counted: Vec<&str> = updated.iter().map(|slot| definitions[*slot].name.as_str()).collect();
    let requests = counted.iter().filter(|name| name.ends_with("lychgate_requests_total")).count();
    assert_eq!(requests, 1, "{}: {counted:?}", row.name);
    assert!(!counted.iter().any(|name| name.contains("reason=.=other;")), "{}: {counted:?}", row.name);
}

#[test]
fn every_behaviour_of_the_table_in_the_core() {
    let workers = workers();
    behaviour::run(|row| {
        let (host, worker) = &workers[row.policy];
        host.now.set(tokens::now());
        let observed = observe(worker, row);
        check_counts(host, worker, row);
        observed
    });
}
