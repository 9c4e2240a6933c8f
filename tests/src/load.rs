//! Load for benchmarks: wrk for throughput, a paced flood beside it, and medians of ratios.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::http::{Connection, Request};

/// Requests in a second that wrk gets through with this token, all of which must be allowed.
///
/// # Panics
/// If wrk fails, or a request is refused.
#[must_use]
pub fn throughput(wrk: &Path, addr: SocketAddr, token: &str, seconds: u64) -> f64 {
    let output = Command::new(wrk)
        .args(["-t1", "-c16", &format!("-d{seconds}s"), "-H", &format!("Authorization: Bearer {token}")])
        .arg(format!("http://{addr}/x"))
        .output()
        .expect("wrk runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains("Non-2xx"), "{text}");
    let rate = text.split("Requests/sec:").nth(1).and_then(|rest| rest.split_whitespace().next());
    rate.and_then(|rate| rate.parse().ok()).unwrap_or_else(|| panic!("{text}"))
}

/// What `work` gives while a thousand requests a second are sent beside it over so many connections, made of their
/// number by `request`; and how many were sent in a second. Fewer are sent where answers take longer than the
/// connections bear.
pub fn beside_a_flood<T>(
    addr: SocketAddr,
    connections: usize,
    request: impl Fn(usize) -> Request + Sync,
    work: impl FnOnce() -> T,
) -> (T, f64) {
    let (stop, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    let start = Instant::now();
    let result = thread::scope(|scope| {
        for thread in 0..connections {
            let (stop, sent, request) = (&stop, &sent, &request);
            scope.spawn(move || {
                let mut connection = Connection::open(addr).expect("a connection");
                for number in 0_usize.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let due = start + Duration::from_millis((connections * number + thread) as u64);
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    if connection.send(&request(connections * number + thread)).is_err() {
                        connection = Connection::open(addr).expect("a connection");
                    }
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let result = work();
        stop.store(true, Ordering::Relaxed);
        result
    });
    (result, sent.into_inner() as f64 / start.elapsed().as_secs_f64())
}

/// The median, the least and the most of some figures.
///
/// # Panics
/// If there are none.
#[must_use]
pub fn spread(mut figures: Vec<f64>) -> (f64, f64, f64) {
    figures.sort_by(f64::total_cmp);
    (figures[figures.len() / 2], figures[0], figures[figures.len() - 1])
}
