use std::rc::Rc;
use std::time::Duration;

use serde_json::json;

use crate::filter::{Action, HttpFilter, WakeBudget, Worker};
use crate::host::in_memory_stream::pairs;
use crate::host::{CallResponse, Host, InMemoryHost, InMemoryStream, StatUpdate};
use crate::login::LoginHistory;
use crate::metrics::Metrics;

fn policy() -> serde_json::Value {
    json!({
        "schemes": {
            "opaque": {"type": "http", "scheme": "bearer", "introspection": {
                "uri": "http://idp.example/introspect", "cluster": "idp",
                "client_id": "gate", "client_secret": "secret of the gate"}},
            "session": {"type": "http", "scheme": "bearer", "introspection": {
                "uri": "http://idp.example/sessions", "cluster": "idp", "from": [{"cookie": "session"}],
                "client_id": "gate", "client_secret": "secret of the gate"}},
            "basic": {"type": "http", "scheme": "basic", "users": "staff"},
            "login": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/token", "scopes": {}}},
                "jwt": {"keys": [{"alg": "HS256", "secret": "a secret of at least thirty-two bytes"}]},
                "users": "staff", "issue": {}},
            "released": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/released", "scopes": {}}},
                "jwt": {"keys": [{"alg": "HS256", "secret": "another secret of thirty-two bytes"}],
                    "issuer": "released"},
                "users": "staff", "issue": {"release_head": true}},
        },
        "users": {"staff": [{"username": "johndoe",
            "password": "$2b$04$MDEyMzQ1Njc4OWFiY2RlZee1DOydA/ZkGCG28Q.kqqJg4KKyFCMQa"}]},
        "openapi": {"serve": "/openapi.json"},
        "rules": [
            {"match": {"path": "/public"}, "security": []},
            {"match": {"path": "/opaque"}, "security": [{"opaque": []}]},
            {"match": {"path": "/dry"}, "security": [{"opaque": []}], "mode": "dry_run"},
            {"match": {"path": "/either"}, "security": [{"basic": []}, {"session": []}]},
        ],
    })
}

struct Setup {
    host: Rc<InMemoryHost>,
    worker: Rc<Worker>,
}

impl Setup {
    fn new() -> Self {
        let host = Rc::new(InMemoryHost::at(1_000));
        let configuration = policy().to_string();
        let made = Rc::clone(&host);
        let counting = move |metrics: &Rc<Metrics>| -> Rc<dyn Host> {
            let metrics = Rc::clone(metrics);
            *made.events.borrow_mut() = Some(Box::new(move |event| metrics.record(event)));
            made
        };
        let logins = LoginHistory::default();
        let worker = Worker::configured(configuration.as_bytes(), &|_| None, logins, counting);
        Self { host, worker: worker.expect("a good policy") }
    }

    fn filter(&self, id: u32) -> HttpFilter {
        HttpFilter::new(id, Rc::clone(&self.worker))
    }

    fn stream(path: &str, headers: &[(&str, &str)]) -> InMemoryStream {
        let own = [(":method", "POST"), (":path", path), (":authority", "localhost")];
        InMemoryStream::new(&[&own[..], headers].concat())
    }

    fn tick(&self) -> Vec<u32> {
        let mut woken = Vec::new();
        self.worker.on_tick(&WakeBudget::default(), &mut |id| {
            woken.push(id);
            true
        });
        woken
    }

    /// Answers the last call.
    fn answer(&self, body: &serde_json::Value) -> Vec<u32> {
        let response = CallResponse {
            headers: vec![(b":status".to_vec(), b"200".to_vec())],
            body: body.to_string().into_bytes(),
        };
        let id = u32::try_from(self.host.calls.borrow().len().checked_sub(1).unwrap()).unwrap();
        let mut woken = Vec::new();
        self.worker.on_http_call_response(id, &response, &WakeBudget::default(), &mut |id| {
            woken.push(id);
            true
        });
        woken
    }
}

const TOKEN: (&str, &str) = ("authorization", "Bearer opaque");
const FORGED: (&str, &str) = ("x-auth-subject", "root");

#[test]
fn a_request_that_waits_is_held_in_every_callback_and_goes_on_once_when_it_is_allowed() {
    let setup = Setup::new();
    let (mut filter, stream) = (setup.filter(2), Setup::stream("/opaque", &[TOKEN, FORGED]));
    assert_eq!(filter.on_request_headers(&stream, false), Action::Hold);
    *stream.trailers.borrow_mut() = pairs(&[FORGED, ("x-other", "stays")]);
    assert_eq!(filter.on_request_body(&stream, 1, false), Action::Pause);
    assert_eq!(filter.on_request_trailers(&stream), Action::Pause);
    assert_eq!(*stream.trailers.borrow(), pairs(&[("x-other", "stays")]));
    assert_eq!(setup.tick(), Vec::<u32>::new());
    assert_eq!(setup.answer(&json!({"active": true, "sub": "alice"})), [2]);
    filter.on_wake(&stream);
    assert_eq!((stream.resumed.get(), stream.replies.borrow().len()), (1, 0));
    assert_eq!(stream.header("x-auth-subject").as_deref(), Some("alice"));
    // Woken once more by mistake, it is not answered or resumed again.
    filter.on_wake(&stream);
    assert_eq!((stream.resumed.get(), stream.replies.borrow().len()), (1, 0));
    assert_eq!(filter.on_request_body(&stream, 1, true), Action::Continue);
}

#[test]
fn a_request_that_is_refused_stays_in_every_callback() {
    let setup = Setup::new();
    let (mut filter, stream) = (setup.filter(2), Setup::stream("/opaque", &[TOKEN]));
    assert_eq!(filter.on_request_headers(&stream, false), Action::Hold);
    setup.tick();
    assert_eq!(setup.answer(&json!({"active": false})), [2]);
    filter.on_wake(&stream);
    assert_eq!(stream.replies.borrow()[0].details, "lychgate_denied{token_inactive}");
    assert_eq!(filter.on_response_headers(&stream), Action::Continue, "its own answer goes out");
    assert_eq!(filter.on_request_body(&stream, 1, true), Action::Pause);
    assert_eq!(filter.on_request_trailers(&stream), Action::Pause);
    assert_eq!(filter.on_request_headers(&stream, true), Action::Pause);
    assert_eq!((stream.resumed.get(), stream.replies.borrow().len()), (0, 1));
}

#[test]
fn a_request_that_is_answered_here_goes_nowhere() {
    let setup = Setup::new();
    let (mut filter, stream) = (setup.filter(2), Setup::stream("/openapi.json", &[]));
    stream.headers.borrow_mut().retain(|(name, _)| name != b":method");
    stream.headers.borrow_mut().extend(pairs(&[(":method", "GET")]));
    assert_eq!(filter.on_request_headers(&stream, false), Action::Pause);
    assert_eq!(stream.replies.borrow()[0].status, 200);
    assert_eq!(filter.on_request_body(&stream, 1, true), Action::Pause);
    assert_eq!(filter.on_request_trailers(&stream), Action::Pause);
    assert_eq!(stream.replies.borrow().len(), 1);
}

#[test]
fn an_answer_that_cannot_be_sent_opens_nothing() {
    let setup = Setup::new();
    let (mut filter, stream) = (setup.filter(2), Setup::stream("/nowhere", &[]));
    stream.fails.set("send_local_reply");
    assert_eq!(filter.on_request_headers(&stream, false), Action::Pause);
    assert_eq!(filter.on_request_body(&stream, 1, true), Action::Pause);
    assert_eq!(filter.on_request_trailers(&stream), Action::Pause);
}

#[test]
fn body_and_trailers_before_a_head_are_refused() {
    for trailers in [false, true] {
        let setup = Setup::new();
        let (mut filter, stream) = (setup.filter(2), Setup::stream("/public", &[]));
        let action = if trailers {
            filter.on_request_trailers(&stream)
        } else {
            filter.on_request_body(&stream, 1, true)
        };
        assert_eq!(action, Action::Pause);
        assert_eq!(stream.replies.borrow().len(), 1);
        assert_eq!(filter.on_request_headers(&stream, true), Action::Pause, "what follows opens nothing");
    }
}

#[test]
fn a_second_head_does_not_pass_by_what_the_first_was_allowed() {
    let setup = Setup::new();
    let (mut filter, stream) = (setup.filter(2), Setup::stream("/public", &[]));
    assert_eq!(filter.on_request_headers(&stream, false), Action::Continue);
    assert_eq!(filter.on_request_headers(&stream, false), Action::Pause);
    assert_eq!(filter.on_request_body(&stream, 1, true), Action::Pause);
}

#[test]
fn a_filter_that_is_lent_and_does_not_come_back_refuses() {
    let setup = Setup::new();
    let (mut filter, stream) = (setup.filter(2), Setup::stream("/public", &[]));
    assert_eq!(filter.take().on_request_headers(&stream, false), Action::Continue);
    assert_eq!(filter.on_request_body(&stream, 1, true), Action::Pause);
}

#[test]
fn trailers_take_no_identity_along_and_are_refused_where_it_cannot_be_removed() {
    let setup = Setup::new();
    for (fails, action, replies) in [
        ("", Action::Continue, 0),
        ("read_request_trailers", Action::Pause, 1),
        ("remove_request_trailer", Action::Pause, 1),
    ] {
        let (mut filter, stream) = (setup.filter(2), Setup::stream("/public", &[]));
        assert_eq!(filter.on_request_headers(&stream, false), Action::Continue);
        *stream.trailers.borrow_mut() = pairs(&[FORGED, ("x_auth_subject", "root"), ("grpc-x", "y")]);
        stream.fails.set(fails);
        assert_eq!(filter.on_request_trailers(&stream), action, "{fails}");
        assert_eq!(stream.replies.borrow().len(), replies, "{fails}");
        if replies == 0 {
            assert_eq!(*stream.trailers.borrow(), pairs(&[("grpc-x", "y")]));
        }
    }
}

#[test]
fn patience_ends_and_a_dry_run_refuses_no_request() {
    for (path, resumed, refused) in [("/opaque", 0, Some(503)), ("/dry", 1, None)] {
        let setup = Setup::new();
        let (mut filter, stream) = (setup.filter(2), Setup::stream(path, &[TOKEN]));
        assert_eq!(filter.on_request_headers(&stream, true), Action::Hold, "{path}");
        setup.tick();
        setup.host.monotonic.set(Duration::from_secs(9));
        assert_eq!(setup.tick(), Vec::<u32>::new());
        setup.host.monotonic.set(Duration::from_secs(10));
        assert_eq!(setup.tick(), [2]);
        filter.on_wake(&stream);
        assert_eq!(stream.resumed.get(), resumed, "{path}");
        assert_eq!(stream.replies.borrow().first().map(|reply| reply.status), refused, "{path}");
    }
}

#[test]
fn a_place_that_is_refused_is_refused_as_the_mode_says() {
    for (path, last) in [("/opaque", Action::Pause), ("/dry", Action::Continue)] {
        let setup = Setup::new();
        let mut refused = 0;
        for id in 2..1_000 {
            let stream = Setup::stream(path, &[TOKEN]);
            let action = setup.filter(id).on_request_headers(&stream, true);
            if action == Action::Continue || !stream.replies.borrow().is_empty() {
                assert_eq!(action, last, "{path}");
                refused += 1;
            }
        }
        assert_eq!(refused, 998 - 512, "{path}: one credential has 512 places");
        // Another one has a place all the same.
        let other = Setup::stream(path, &[("authorization", "Bearer another")]);
        assert_eq!(setup.filter(1_000).on_request_headers(&other, true), Action::Hold);
        assert!(other.replies.borrow().is_empty());
    }
}

/// A dry run lets a request go on, and not as the identity that its client sent.
#[test]
fn a_dry_run_refuses_where_the_host_cannot_edit_headers() {
    for (fails, status) in
        [("", None), ("read_request_headers", Some(500)), ("remove_request_header", Some(500))]
    {
        let setup = Setup::new();
        let (mut filter, stream) = (setup.filter(2), Setup::stream("/dry", &[FORGED]));
        stream.fails.set(fails);
        let action = if status.is_some() { Action::Pause } else { Action::Continue };
        assert_eq!(filter.on_request_headers(&stream, false), action, "{fails}");
        assert_eq!(stream.replies.borrow().first().map(|reply| reply.status), status, "{fails}");
        assert_eq!(filter.on_request_body(&stream, 1, true), action, "{fails}");
    }
}

#[test]
fn many_are_woken_in_slices() {
    let setup = Setup::new();
    for id in 2..402 {
        let stream = Setup::stream("/opaque", &[TOKEN]);
        assert_eq!(setup.filter(id).on_request_headers(&stream, true), Action::Hold);
    }
    setup.tick();
    let mut woken = setup.answer(&json!({"active": false}));
    assert_eq!(woken.len(), 32);
    while setup.host.tick.get() == 10 {
        let more = setup.tick();
        assert!(more.len() <= 32 && !more.is_empty());
        woken.extend(more);
    }
    assert_eq!(woken, (2..402).collect::<Vec<_>>(), "each once, in order");
}

#[test]
fn a_request_that_is_over_leaves_its_place() {
    let setup = Setup::new();
    let (mut filter, stream) = (setup.filter(2), Setup::stream("/opaque", &[TOKEN]));
    assert_eq!(filter.on_request_headers(&stream, true), Action::Hold);
    assert!(!setup.worker.is_idle());
    filter.on_delete();
    assert!(setup.worker.is_idle());
    // One that the host answers itself does too, and is not answered again.
    let (mut filter, stream) = (setup.filter(3), Setup::stream("/opaque", &[TOKEN]));
    assert_eq!(filter.on_request_headers(&stream, true), Action::Hold);
    assert_eq!(filter.on_response_headers(&stream), Action::Continue);
    assert!(setup.worker.is_idle());
    filter.on_wake(&stream);
    assert_eq!((stream.resumed.get(), stream.replies.borrow().len()), (0, 0));
}

/// One typo of a user beside waiting strangers was hashed and counted at each answer to any of them.
#[test]
fn a_password_beside_a_token_that_is_awaited_is_hashed_once() {
    let setup = Setup::new();
    let hashed = || {
        let mut hashed = 0;
        let metrics = setup.worker.engine().metrics();
        setup.worker.engine().measure(|slot, update| {
            if metrics.definitions()[slot].name.contains("result=.=hashed") {
                hashed += if let StatUpdate::Add(change) = update { change } else { 0 };
            }
        });
        hashed
    };
    let strangers: Vec<_> = (2..6)
        .map(|id| {
            let stream = Setup::stream("/either", &[("cookie", &format!("session=stranger-{id}"))]);
            let mut filter = setup.filter(id);
            assert_eq!(filter.on_request_headers(&stream, true), Action::Hold);
            (filter, stream)
        })
        .collect();
    let wrong = [("authorization", "Basic am9obmRvZTp3cm9uZw=="), ("cookie", "session=mine")];
    let (mut filter, stream) = (setup.filter(9), Setup::stream("/either", &wrong));
    assert_eq!(filter.on_request_headers(&stream, true), Action::Hold);
    // A tick takes what was counted along.
    assert_eq!(hashed(), 0, "not while a token is awaited");
    setup.tick();
    for (mut filter, stream) in strangers {
        setup.host.monotonic.set(setup.host.monotonic.get() + Duration::from_millis(1));
        filter.on_wake(&stream);
    }
    assert_eq!(hashed(), 0, "not while a token is awaited");
    assert_eq!(setup.answer(&json!({"active": false})), [9]);
    filter.on_wake(&stream);
    assert_eq!(stream.replies.borrow().len(), 1);
    assert_eq!(hashed(), 1);
}

#[test]
fn a_login_whose_body_the_host_holds_back_is_refused_and_nothing_goes_upstream() {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for (received, at, status) in
        [(Some(300), 250, Some(408)), (Some(100), 250, None), (Some(100), 15_000, Some(408))]
    {
        let setup = Setup::new();
        let (mut filter, stream) = (setup.filter(2), Setup::stream("/token", &form));
        stream.received.set(Some(100));
        assert_eq!(filter.on_request_headers(&stream, false), Action::Pause);
        setup.host.monotonic.set(Duration::from_millis(250));
        assert_eq!(setup.tick(), [2]);
        stream.received.set(received);
        if at > 250 {
            filter.on_wake(&stream);
            setup.host.monotonic.set(Duration::from_millis(at));
            assert_eq!(setup.tick(), [2]);
        }
        filter.on_wake(&stream);
        assert_eq!(stream.replies.borrow().first().map(|reply| reply.status), status);
        assert_eq!(stream.resumed.get(), 0);
    }
}

#[test]
fn a_login_whose_body_comes_in_pieces_is_read_to_its_end() {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for trailers in [false, true] {
        let setup = Setup::new();
        let (mut filter, stream) = (setup.filter(2), Setup::stream("/token", &form));
        assert_eq!(filter.on_request_headers(&stream, false), Action::Pause);
        *stream.body.borrow_mut() = b"username=johndoe&password=wrong".to_vec();
        assert_eq!(filter.on_request_body(&stream, 10, false), Action::Pause);
        assert!(stream.replies.borrow().is_empty());
        let last = if trailers {
            filter.on_request_trailers(&stream)
        } else {
            filter.on_request_body(&stream, 31, true)
        };
        assert_eq!(last, Action::Pause);
        assert_eq!(stream.replies.borrow()[0].status, 401);
        assert!(setup.worker.is_idle());
    }
}

#[test]
fn a_head_that_the_operator_lets_go_takes_nothing_along_and_its_body_stays() {
    let setup = Setup::new();
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("authorization", "Basic Y2xpZW50OnNlY3JldA=="),
        FORGED,
    ];
    let (mut filter, stream) = (setup.filter(2), Setup::stream("/released", &headers));
    assert_eq!(filter.on_request_headers(&stream, false), Action::Continue);
    assert_eq!((stream.header("authorization"), stream.header("x-auth-subject")), (None, None));
    assert_eq!(filter.on_request_body(&stream, 10, false), Action::Pause);
    assert_eq!(filter.on_response_headers(&stream), Action::Pause, "the upstream has no say");
    assert_eq!(stream.replies.borrow()[0].status, 500);
    assert_eq!(filter.on_request_body(&stream, 31, true), Action::Pause);
    assert_eq!(stream.replies.borrow().len(), 1);
}
