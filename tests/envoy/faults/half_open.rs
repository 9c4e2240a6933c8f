//! Ten thousand connections that stay half open: half a head, or a login whose form never comes. Of the logins some
//! hundred on each worker wait for their form; the others are refused with 503, and Envoy closes them a second later.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Envoy, Options};
use lychgate_tests::http::Request;

use super::traffic::beside;
use super::{either, gate, good_and_bad};

const WANTED: usize = 10_000;
/// Beside the connections: files, the other clients, the upstream.
const OTHERS: usize = 1_000;

/// What is sent at first, and what never comes: a forged token, and a login.
const HALVES: [(&str, &str); 2] = [
    (
        "GET /good HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bear",
        "er eyJhbGciOiJIUzI1NiJ9.e30.AAAA\r\n\r\n",
    ),
    (
        "POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 32\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\nusername=",
        "johndoe&password=secret",
    ),
];

/// Lets this process, and so Envoy, have as many connections as are wanted, or as the system allows.
fn raise_limit() -> usize {
    let own = std::process::id().to_string();
    let limit = |arguments: &[&str]| {
        let output = Command::new("prlimit").args(["--pid", &own]).args(arguments).output();
        let output = output.expect("prlimit, of util-linux");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let most = limit(&["--nofile", "--output", "HARD", "--noheadings", "--raw"]);
    let most = most.parse().unwrap_or(usize::MAX).min(WANTED + OTHERS);
    let _ = limit(&[&format!("--nofile={most}:")]);
    let now = limit(&["--nofile", "--output", "SOFT", "--noheadings", "--raw"]);
    now.parse::<usize>().expect("a limit").min(WANTED + OTHERS) - OTHERS
}

fn open(addr: SocketAddr, count: usize) -> Vec<TcpStream> {
    let one = |(first, _): (&str, &str)| {
        let mut stream = TcpStream::connect(addr).expect("a connection");
        stream.write_all(first.as_bytes()).expect("sent");
        stream
    };
    HALVES.into_iter().cycle().take(count).map(one).collect()
}

/// Sends the other half; the answer's status.
fn finish((mut stream, (_, second)): (TcpStream, (&str, &str))) -> u16 {
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
    stream.write_all(second.as_bytes()).expect("sent");
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("an answer");
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

fn until(envoy: &Envoy, stat: &str, holds: impl Fn(u64) -> bool) {
    let start = Instant::now();
    while !holds(envoy.stat(stat)) {
        assert!(start.elapsed() < Duration::from_secs(30), "{stat}: {}", envoy.stat(stat));
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn ten_thousand_half_open_connections_keep_no_valid_client_out_and_let_no_other_pass() {
    let count = raise_limit();
    let upstream = Upstream::start();
    let options = Options { concurrency: 2, ..Options::default() };
    let envoy = gate(either(), None, &upstream, &options);
    let kinds = good_and_bad(&[]);
    // Twice: what the first round leaves behind in pools and caches, the second uses again.
    let mut rounds = Vec::new();
    for round in 1..=2 {
        let ((full, answers), traffic) = beside(envoy.addr("gate"), &kinds, || {
            let before = envoy.stat("http.gate.downstream_cx_total");
            let mut half = open(envoy.addr("gate"), count);
            until(&envoy, "http.gate.downstream_cx_total", |total| total - before >= count as u64);
            let heads = count as u64 / 2;
            until(&envoy, "http.gate.downstream_cx_active", |active| active >= heads);
            thread::sleep(Duration::from_secs(1));
            let full = envoy.memory();
            // Some make up their minds, and are judged like all others.
            let answers = half.drain(..20).zip(HALVES.into_iter().cycle()).map(finish).collect::<Vec<_>>();
            drop(half);
            until(&envoy, "http.gate.downstream_cx_active", |active| active < 50);
            (full, answers)
        });
        assert_eq!(answers, [401, 200].repeat(10), "a forged token, and a login");
        let rest = envoy.memory();
        let mib = |bytes: u64| bytes >> 20;
        let when = format!(
            "round {round}: {count} half open; resident {} MiB full, {} at rest; allocated {} MiB full, {} at rest",
            mib(full.resident),
            mib(rest.resident),
            mib(full.allocated),
            mib(rest.allocated)
        );
        traffic.check(&kinds, &when);
        assert!(rest.allocated < full.allocated, "{when}");
        rounds.push((full, rest));
    }
    // What the allocator and V8 keep for the next time is kept once, not once more each time.
    let [first, second] = rounds.as_slice() else { panic!("two rounds") };
    let growth = |from: u64, to: u64| to.saturating_sub(from) >> 20;
    assert!(growth(first.1.allocated, second.1.allocated) < 8, "{first:?} {second:?}");
    assert!(growth(first.0.resident, second.0.resident) < 64, "{first:?} {second:?}");
    until(&envoy, "http.gate.downstream_rq_active", |active| active == 0);
    assert_eq!(envoy.send("gate", &Request::get("/good").header("X-API-Key", super::KEY)).status, 200);
    assert!(!envoy.log().contains("Function: proxy_on_"), "the VM crashed:\n{}", envoy.log());
}
