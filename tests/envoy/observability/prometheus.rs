//! A Prometheus of its own, that scrapes an Envoy every second.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lychgate_tests::envoy::root;
use lychgate_tests::http::{self, Request};
use lychgate_tests::programs::find_or_install;
use serde_json::{Value, json};

/// A running Prometheus, killed when dropped.
pub struct Prometheus {
    child: Child,
    addr: SocketAddr,
    dir: PathBuf,
}

/// A sample: its labels, its time and its value.
pub struct Sample {
    pub labels: Value,
    pub value: f64,
}

/// The rules that are shipped.
pub fn rules() -> PathBuf {
    root().canonicalize().unwrap().join("deploy/prometheus/lychgate.rules.yaml")
}

impl Prometheus {
    /// Starts one with the rules that are shipped; `None` where there is none and none can be installed.
    pub fn start(envoy: SocketAddr) -> Option<Self> {
        let program = find_or_install("prometheus", "prometheus")?;
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let dir = std::env::temp_dir().join(format!("lychgate-prometheus-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        // JSON is YAML.
        let config = json!({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [rules()],
            "scrape_configs": [{"job_name": "envoy", "metrics_path": "/stats/prometheus",
                "static_configs": [{"targets": [envoy.to_string()]}]}],
        });
        fs::write(dir.join("prometheus.yml"), config.to_string()).unwrap();
        let log = fs::File::create(dir.join("log")).unwrap();
        let child = Command::new(program)
            .arg(format!("--config.file={}", dir.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", dir.join("data").display()))
            .arg(format!("--web.listen-address={addr}"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let prometheus = Self { child, addr, dir };
        prometheus.wait_for("it is ready", || {
            http::send(addr, &Request::get("/-/ready")).is_ok_and(|answer| answer.status == 200)
        });
        Some(prometheus)
    }

    /// Waits for something that takes a few scrapes.
    pub fn wait_for(&self, what: &str, is_so: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is_so() {
            let log = || fs::read_to_string(self.dir.join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "in vain: {what}\n{}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Asks its API.
    pub fn ask(&self, path: &str) -> Value {
        let answer = http::send(self.addr, &Request::get(path)).unwrap().json();
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        answer["data"].clone()
    }

    /// Evaluates an expression now.
    pub fn query(&self, expression: &str) -> Vec<Sample> {
        let encoded: String = form_urlencoded::byte_serialize(expression.as_bytes()).collect();
        let data = self.ask(&format!("/api/v1/query?query={encoded}"));
        let number = |value: &Value| value.as_str().unwrap().parse().unwrap();
        let sample = |one: &Value| Sample { labels: one["metric"].clone(), value: number(&one["value"][1]) };
        data["result"].as_array().unwrap().iter().map(sample).collect()
    }

    /// The one value of an expression; `None` if it has none.
    pub fn value(&self, expression: &str) -> Option<f64> {
        match self.query(expression).as_slice() {
            [] => None,
            [one] => Some(one.value),
            several => panic!("{expression} has {} values", several.len()),
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Runs promtool, and gives what it says; `None` where there is none and none can be installed.
pub fn promtool(arguments: &[&str], file: &Path) -> Option<(bool, String)> {
    let program = find_or_install("promtool", "prometheus")?;
    let output = Command::new(program).args(arguments).arg(file).output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Some((output.status.success(), text.concat()))
}
