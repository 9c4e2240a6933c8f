//! Answers that are longer than Lychgate reads them. Envoy reads an answer before Lychgate sees it, as far as its runtime
//! value `http.async_response_buffer_limit` lets it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use lychgate_tests::configuration::hs256;
use lychgate_tests::echo::{Reply, Upstream};
use lychgate_tests::envoy::{Envoy, Listener, Options, root};
use lychgate_tests::tokens::Token;
use serde_json::{Value, json};

use super::{get, until};

/// How many tokens are made up.
const TOKENS: u64 = 40;

/// How long the answer to each is.
const ANSWER: usize = 8 << 20;

/// What `envoy.yaml` sets the value to.
fn limit() -> u64 {
    let text = std::fs::read_to_string(root().join("envoy.yaml")).expect("readable");
    let (_, behind) = text.split_once("http.async_response_buffer_limit: ").expect("the value");
    let digits: String = behind.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("a number")
}

fn start(policy: Value, cluster: (&str, SocketAddr)) -> (Envoy, Upstream) {
    let upstream = Upstream::start();
    let runtime = json!({"http.async_response_buffer_limit": limit()});
    let clusters = vec![(cluster.0.to_owned(), cluster.1)];
    let options = Options { clusters, runtime, ..Options::default() };
    let envoy = Envoy::start(&[Listener::new("gate", policy)], upstream.addr(), &options);
    (envoy.unwrap_or_else(|failure| panic!("{}", failure.log)), upstream)
}

/// An introspection server that sends all of a long answer but its last byte.
fn broken_issuer() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || answer(stream));
        }
    });
    address
}

fn answer(mut stream: TcpStream) {
    let (mut asked, mut piece) = (Vec::new(), [0; 4096]);
    while !asked.windows(6).any(|window| window == b"token=") {
        match stream.read(&mut piece) {
            Ok(length @ 1..) => asked.extend_from_slice(&piece[..length]),
            Ok(0) | Err(_) => return,
        }
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        ANSWER + 1
    );
    // Envoy hangs up where it has enough.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&vec![b' '; ANSWER]));
    thread::sleep(Duration::from_secs(3));
}

/// 250 made-up tokens and answers of 200 MB took 3.4 GB of Envoy's memory.
#[test]
fn made_up_tokens_filled_envoys_memory_with_the_answers_of_a_broken_issuer() {
    let introspection = json!({"uri": "http://idp.example/introspect", "cluster": "idp", "client_id": "gate", "client_secret": "x"});
    let policy = json!({
        "schemes": {"opaque": {"type": "http", "scheme": "bearer", "introspection": introspection}},
        "security": [{"opaque": []}],
    });
    let (envoy, _upstream) = start(policy, ("idp", broken_issuer()));
    let before = envoy.memory().allocated;
    let is_over = AtomicBool::new(false);
    let most = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut most = before;
            while !is_over.load(Ordering::SeqCst) {
                most = most.max(envoy.memory().allocated);
                thread::sleep(Duration::from_millis(20));
            }
            most
        });
        let ask = |number| get(&envoy, "/", &format!("made-up-{number}"));
        let asked: Vec<_> = (0..TOKENS).map(|number| scope.spawn(move || ask(number))).collect();
        let answers: Vec<_> = asked.into_iter().map(|asked| asked.join().expect("an answer")).collect();
        is_over.store(true, Ordering::SeqCst);
        for answer in answers {
            assert_eq!(answer.status, 503, "{answer:?}");
            assert_eq!(answer.json(), json!({"detail": "Token introspection is not available"}));
            assert!(answer.header("retry-after").is_some(), "{answer:?}");
        }
        watch.join().expect("a figure")
    });
    let grown = most.saturating_sub(before);
    println!("long answers: {TOKENS} of {ANSWER} bytes took {grown} bytes of Envoy's memory at most");
    // What Envoy reads at once comes on top of the value.
    let bound = TOKENS * (limit() + (1 << 20));
    assert!(bound < TOKENS * ANSWER as u64 / 2, "a bound that says something");
    assert!(grown < bound, "{grown} bytes, and {bound} are the bound");
}

/// A list of revoked tokens that has so many bytes.
fn list(length: usize) -> Vec<u8> {
    let mut text = r#"{"jti":["stolen""#.to_owned();
    while text.len() + 200 < length {
        text.push_str(&format!(",\"{:0100}\"", text.len()));
    }
    let rest = length - text.len() - r#",""]}"#.len();
    text.push_str(&format!(",\"{}\"]}}", "x".repeat(rest)));
    text.into_bytes()
}

#[test]
fn the_longest_list_of_revoked_tokens_is_read_and_a_longer_one_is_refused() {
    let served = Arc::new(Mutex::new(list(1 << 20)));
    let lists = {
        let served = Arc::clone(&served);
        Upstream::serve(move |_| Reply { body: served.lock().unwrap().clone(), ..Reply::json(&Value::Null) })
    };
    let uri = format!("http://{}/revoked.json", lists.addr());
    let jwt = hs256(&json!({"revocation": {"uri": uri, "cluster": "lists", "refresh_seconds": 1}}));
    let policy = json!({
        "schemes": {"token": {"type": "http", "scheme": "bearer", "jwt": jwt}}, "security": [{"token": []}],
    });
    let (envoy, _upstream) = start(policy, ("lists", lists.addr()));
    let token = |jti: &str| Token::new().claim("jti", jti).sign("HS256");
    assert_eq!(get(&envoy, "/", &token("fine")).status, 200, "{}", envoy.log());
    assert_eq!(get(&envoy, "/", &token("stolen")).status, 401);
    for (length, says) in [((1 << 20) + 1, "a body of more than 1048576 bytes"), (2 << 20, "no response")] {
        *served.lock().unwrap() = list(length);
        let deadline = Instant::now() + Duration::from_secs(20);
        while !envoy.log().contains(says) {
            assert!(Instant::now() < deadline, "{says}: {}", envoy.log());
            thread::sleep(Duration::from_millis(50));
        }
        let log = envoy.log();
        let line = log.lines().find(|line| line.contains(says)).unwrap_or_default();
        assert!(line.contains("[warning]") && line.contains("what was fetched before holds on"), "{line}");
        assert_eq!(get(&envoy, "/", &token("stolen")).status, 401);
    }
    *served.lock().unwrap() = br#"{"jti": []}"#.to_vec();
    until(&envoy, &token("stolen"), 200, Duration::from_secs(20));
}
