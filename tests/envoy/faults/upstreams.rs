//! Upstreams that hang up.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use lychgate_tests::envoy::{Envoy, Listener, Options};

use super::traffic::{Kind, beside};
use super::{either, good_and_bad};

/// When an upstream hangs up.
#[derive(Clone, Copy, Debug)]
enum HangsUp {
    /// Before it has read anything: the connection is reset.
    Unread,
    /// When it has read the request.
    BeforeTheAnswer,
    /// In the middle of the answer's head.
    InTheHead,
    /// In the middle of the answer's body.
    InTheBody,
}

/// Serves in turn: each connection is hung up on in one of the ways. Counts what came of requests that
/// should not have: their paths begin with `/bad`.
fn serve(bad: Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        let ways = [HangsUp::Unread, HangsUp::BeforeTheAnswer, HangsUp::InTheHead, HangsUp::InTheBody];
        for (stream, way) in listener.incoming().flatten().zip(ways.into_iter().cycle()) {
            let bad = Arc::clone(&bad);
            thread::spawn(move || {
                let mut stream = stream;
                if matches!(way, HangsUp::Unread) {
                    // Something is there to be read by then, and closing resets the connection.
                    thread::sleep(Duration::from_millis(2));
                    return;
                }
                let mut head = [0; 4096];
                let size = stream.read(&mut head).unwrap_or(0);
                if head[..size].windows(5).any(|window| window == b" /bad") {
                    bad.fetch_add(1, Ordering::SeqCst);
                }
                let answer: &[u8] = match way {
                    HangsUp::InTheHead => b"HTTP/1.1 200 OK\r\nx-half: ",
                    HangsUp::InTheBody => b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf",
                    HangsUp::Unread | HangsUp::BeforeTheAnswer => b"",
                };
                let _ = stream.write_all(answer);
            });
        }
    });
    addr
}

#[test]
fn an_upstream_that_hangs_up_is_a_503_for_the_good_and_nothing_to_the_bad() {
    let bad = Arc::new(AtomicUsize::new(0));
    let upstream = serve(Arc::clone(&bad));
    let options = Options { concurrency: 2, ..Options::default() };
    let envoy = Envoy::start(&[Listener::new("gate", either())], upstream, &options);
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    // Cut off in the body there is no answer to be had: that one is the client's 0.
    let may = |kind: Kind| if kind.passes { Kind { may: vec![502, 503, 0], ..kind } } else { kind };
    let kinds: Vec<_> = good_and_bad(&[]).into_iter().map(may).collect();
    let ((), traffic) = beside(envoy.addr("gate"), &kinds, || thread::sleep(Duration::from_secs(3)));
    let seen = traffic.check(&kinds, "an upstream that hangs up");
    assert!(seen.get(&503).is_some_and(|&count| count > 10), "{seen:?}");
    assert_eq!(bad.load(Ordering::SeqCst), 0, "what was refused reached the upstream");
    assert!(!envoy.log().contains("Function: proxy_on_"), "the VM crashed:\n{}", envoy.log());
    assert_eq!(envoy.stat("http.gate.downstream_rq_active"), 0, "a request is stuck");
}
