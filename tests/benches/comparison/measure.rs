//! Measuring: wrk for throughput, h2load at a fixed rate for latency.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use lychgate_tests::envoy::Envoy;
use serde_json::Value;

use crate::loads::Load;

/// The programs, and a directory to work in.
pub struct Tools {
    /// wrk.
    pub wrk: PathBuf,
    /// h2load.
    pub h2load: PathBuf,
    /// The directory.
    pub dir: PathBuf,
}

/// What one run showed.
#[derive(Clone, Copy)]
pub struct Run {
    /// Requests in a second.
    pub rate: f64,
    /// Requests.
    pub requests: usize,
    /// The processor time that Envoy took for each, in microseconds.
    pub cost: f64,
}

/// Connections at once.
const CONNECTIONS: usize = 16;

const REPORT: &str = r#"
function done(summary, latency, requests)
  io.write(string.format('REPORT {"requests": %d, "micros": %d, "refused": %d, "broken": %d}\n',
    summary.requests, summary.duration, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"#;

/// Sends the lines of a file in turn, from the one on that the last run ended with.
const IN_TURN: &str = r#"
local requests, sent = {}, 0
function init(arguments)
  for line in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("GET", arguments[3], {[arguments[2]] = line})
  end
  sent = tonumber(arguments[4])
end
function request()
  sent = sent + 1
  return requests[sent % #requests + 1]
end
"#;

impl Tools {
    /// Sends `load` to a listener of `envoy` for so many seconds, from value number `from` on.
    ///
    /// `None`: none of them was answered in this time, as when a password is hashed anew on a machine that is full.
    ///
    /// # Panics
    /// If a request is not answered as it must be.
    pub fn throughput(
        &self,
        envoy: &Envoy,
        listener: &str,
        load: &Load,
        seconds: u64,
        from: usize,
    ) -> Option<Run> {
        let addr = envoy.addr(listener);
        let text = fs::read_to_string(&load.values).expect("the values are there");
        let in_turn = load.header.is_some() && text.lines().nth(1).is_some();
        let script = self.dir.join("wrk.lua");
        fs::write(&script, if in_turn { format!("{IN_TURN}{REPORT}") } else { REPORT.to_owned() })
            .expect("written");
        let mut command = Command::new(&self.wrk);
        command.args(["-t1", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}s"), "-s"]).arg(script);
        if let (Some(header), false) = (load.header, in_turn) {
            command.arg("-H").arg(format!("{header}: {}", text.trim()));
        }
        command.arg(format!("http://{addr}{}", load.path)).arg("--");
        if let (Some(header), true) = (load.header, in_turn) {
            command.arg(&load.values).args([header, load.path, &from.to_string()]);
        }
        let before = envoy.processor_time();
        let output = command.output().expect("wrk runs");
        let time = envoy.processor_time().saturating_sub(before);
        let output = String::from_utf8_lossy(&output.stdout);
        let report = output.split("REPORT ").nth(1).unwrap_or_else(|| panic!("{output}"));
        let report: Value = serde_json::from_str(report.trim()).expect("JSON");
        let figure = |name: &str| report[name].as_f64().expect("a figure");
        let (requests, refused) = (figure("requests"), figure("refused"));
        if requests == 0.0 {
            return None;
        }
        let expected = if load.passes { 0.0 } else { requests };
        assert!(
            (refused - expected).abs() < f64::EPSILON && figure("broken") == 0.0,
            "{listener}: {report} where {expected} should be refused"
        );
        let cost = time.as_secs_f64() * 1e6 / requests;
        Some(Run { rate: requests * 1e6 / figure("micros"), requests: requests as usize, cost })
    }

    /// The median and the 99th percentile of the time to an answer, in microseconds, at so many
    /// requests a second.
    ///
    /// # Panics
    /// If h2load does not do its work.
    pub fn latency(&self, addr: SocketAddr, load: &Load, rate: f64, seconds: u64) -> (f64, f64) {
        let value = fs::read_to_string(&load.values).expect("the values are there");
        let log = self.dir.join("h2load.log");
        let _ = fs::remove_file(&log);
        let status = Command::new(&self.h2load)
            .args(["--h1", "-t1", "-c", &CONNECTIONS.to_string(), "-D", &seconds.to_string()])
            .args(["--rps", &format!("{:.0}", rate / CONNECTIONS as f64)])
            .arg(format!("--log-file={}", log.display()))
            .arg("-H")
            .arg(format!("{}: {}", load.header.expect("a header"), value.trim()))
            .arg(format!("http://{addr}{}", load.path))
            .output()
            .expect("h2load runs");
        assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
        let text = fs::read_to_string(log).expect("h2load logs");
        let mut micros: Vec<f64> = text
            .lines()
            .map(|line| {
                let mut fields = line.split_whitespace();
                assert_eq!(fields.nth(1), Some("200"), "{line}");
                fields.next().and_then(|field| field.parse().ok()).expect("microseconds")
            })
            .collect();
        micros.sort_by(f64::total_cmp);
        let at = |share: f64| micros[(micros.len() as f64 * share) as usize];
        (at(0.5), at(0.99))
    }
}

/// A module that does nothing with a request: what any Wasm filter costs at least.
pub fn empty_module(dir: &Path) -> PathBuf {
    let file = dir.join("empty.wasm");
    fs::write(&file, wat::parse_str(EMPTY).expect("WebAssembly text")).expect("written");
    file
}

const EMPTY: &str = r#"(module
  (memory (export "memory") 1)
  (func (export "_initialize"))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) i32.const 1024)
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) i32.const 1)
  (func (export "proxy_on_configure") (param i32 i32) (result i32) i32.const 1)
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_done") (param i32) (result i32) i32.const 1)
  (func (export "proxy_on_delete") (param i32)))"#;
