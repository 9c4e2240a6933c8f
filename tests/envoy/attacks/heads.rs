//! A token endpoint whose Envoy cannot hold heads back: what is said in the head that is let go.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lychgate_tests::envoy::{Envoy, Options};

use super::credentials::basic;
use super::identity::NAMES;
use super::policies;
use super::table::FORGED;

/// An upstream that reads and never answers: it sees heads whose body never comes.
fn listening() -> (SocketAddr, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let heard = Arc::clone(&all);
            std::thread::spawn(move || listen(stream, &heard));
        }
    });
    (addr, heard)
}

fn listen(mut stream: TcpStream, heard: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(size @ 1..) = stream.read(&mut buffer) {
        heard.lock().unwrap().extend_from_slice(&buffer[..size]);
    }
}

/// Without `allow_on_headers_stop_iteration` the head of a request for a token has to be let go for its body to
/// come, if the operator wants it so, and reaches the upstream. It said there whatever the client had said of itself.
#[test]
fn a_head_that_is_let_go_for_its_body_takes_no_forged_identity_along() {
    let (upstream, heard) = listening();
    let listeners: Vec<_> = policies::listeners().into_iter().filter(|own| own.name == "old").collect();
    let envoy = Envoy::start(&listeners, upstream, &Options::default());
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let body = "username=johndoe&password=secret";
    for (_, names) in NAMES {
        let forged: String = names.iter().map(|name| format!("{name}: {FORGED}\r\n")).collect();
        let head = format!(
            "POST /token HTTP/1.1\r\nHost: localhost\r\n{forged}Authorization: {}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
            basic("a client:a client's secret"),
            body.len()
        );
        let mut stream = TcpStream::connect(envoy.addr("old")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        // Longer than the filter is patient.
        std::thread::sleep(Duration::from_millis(500));
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("access_token"), "{answer}");
    }
    let heard = String::from_utf8_lossy(&heard.lock().unwrap()).to_ascii_lowercase();
    assert!(heard.contains("post /token"), "the heads were let go: {heard}");
    for never in [FORGED, "authorization", "access_token", "password"] {
        assert!(!heard.contains(never), "{never} in {heard}");
    }
}
