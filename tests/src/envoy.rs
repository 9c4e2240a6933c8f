//! A real Envoy with the real module, on ports of its own choosing.

mod artefact;
mod bootstrap;
mod listener;
mod watch;

pub use artefact::Artefact;
pub use listener::{ConfigForm, Listener};
pub use watch::Memory;

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::http::{self, Request};

/// Whether `ENVOY_VERSION` asks for an Envoy before 1.`minor`, to which a test does not apply for this reason; it is printed.
#[must_use]
pub fn is_before(minor: u32, reason: &str) -> bool {
    let asked = std::env::var("ENVOY_VERSION").ok();
    let asked =
        asked.as_deref().and_then(|version| version.strip_prefix("1.")?.split('.').next()?.parse().ok());
    let is_before = asked.is_some_and(|asked: u32| asked < minor);
    if is_before {
        println!("skipped before Envoy 1.{minor}: {reason}");
    }
    is_before
}

/// Whether `ENVOY_VERSION` asks for an Envoy of this minor version.
#[must_use]
pub fn is_envoy(minor: &str) -> bool {
    std::env::var("ENVOY_VERSION").is_ok_and(|version| version.starts_with(minor))
}

/// The field in which a `DynamicModuleFilterPerRoute` has the name of its policy: Envoy 1.37 does not know the one that the
/// others know, and these warn of the one that it knows.
#[must_use]
pub fn route_name() -> &'static str {
    if is_envoy("1.37") { "per_route_config_name" } else { "filter_name" }
}

/// What an Envoy is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Worker threads.
    pub concurrency: u32,
    /// The plugin's environment variables.
    pub environment: Vec<(String, String)>,
    /// Further clusters, by name.
    pub clusters: Vec<(String, SocketAddr)>,
    /// How many connections and requests each of those lets through at once; unset: Envoy's default.
    pub breaker: Option<u32>,
    /// Environment variables of Envoy itself, which the plugin may read too.
    pub host_environment: Vec<(String, String)>,
    /// Further arguments of the command line.
    pub arguments: Vec<String>,
    /// `stats_config`.
    pub stats_config: Value,
    /// Members of every cluster, beside the usual ones.
    pub cluster_members: Value,
    /// Runtime values, beside the usual ones.
    pub runtime: Value,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 1,
            environment: Vec::new(),
            clusters: Vec::new(),
            breaker: None,
            host_environment: Vec::new(),
            arguments: Vec::new(),
            stats_config: Value::Null,
            cluster_members: Value::Null,
            runtime: Value::Null,
        }
    }
}

/// An Envoy that did not start.
#[derive(Debug)]
pub struct Failure {
    /// Its log.
    pub log: String,
}

/// A running Envoy. It is killed when dropped; on a panic its log is printed first.
pub struct Envoy {
    child: Child,
    dir: PathBuf,
    admin: SocketAddr,
    listeners: Vec<(String, SocketAddr)>,
}

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The binary that `scripts/envoy` finds or fetches.
#[must_use]
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let output = Command::new(root().join("scripts/envoy"))
            .arg("--which")
            .stderr(Stdio::inherit())
            .output()
            .expect("scripts/envoy runs");
        assert!(output.status.success(), "scripts/envoy found no Envoy");
        PathBuf::from(String::from_utf8(output.stdout).expect("a path").trim())
    })
}

/// A new directory that other users may not read: a bootstrap holds keys.
fn directory() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    // A failed test leaves its directory behind, and process ids come round again.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let dir = std::env::temp_dir().join(format!("lychgate-envoy-{}-{number}-{now}", std::process::id()));
    fs::DirBuilder::new().mode(0o700).create(&dir).expect("a temporary directory");
    dir
}

fn module() -> PathBuf {
    let module = root().join("dist/lychgate.wasm");
    assert!(module.exists(), "dist/lychgate.wasm is missing: run `make build` first");
    module
}

/// Writes a file of the configuration, where `@DIR@` means the directory.
fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let file = dir.join(name);
    fs::write(&file, text.replace("@DIR@", &dir.to_string_lossy())).expect("written");
    file
}

impl Envoy {
    /// Starts an Envoy with these listeners, all before `upstream`.
    ///
    /// # Errors
    /// Its log, if it exits or is not ready in three minutes. Old versions compile the module for each
    /// listener, and there may be hundreds.
    pub fn start(listeners: &[Listener], upstream: SocketAddr, options: &Options) -> Result<Self, Failure> {
        let config = bootstrap::bootstrap(listeners, upstream, options, &module());
        Self::start_in(directory(), options, &config.to_string(), "json", &[])
    }

    /// Starts an Envoy that takes these listeners from a file it watches. It runs even where it
    /// refuses some of them, and says in its log which and why.
    ///
    /// # Errors
    /// As [`Envoy::start`].
    pub fn start_dynamic(
        listeners: &[Listener],
        upstream: SocketAddr,
        options: &Options,
    ) -> Result<Self, Failure> {
        let (config, resources) = bootstrap::dynamic(listeners, upstream, options, &module());
        let dir = directory();
        write(&dir, "lds.json", &resources.to_string());
        for listener in listeners.iter().filter(|listener| listener.discovered) {
            write(&dir, "ecds.json", &bootstrap::extension(listener, options, &module()).to_string());
        }
        Self::start_in(dir, options, &config.to_string(), "json", &[])
    }

    /// Starts an Envoy on the text of a configuration file with this extension.
    ///
    /// # Errors
    /// As [`Envoy::start`].
    pub fn start_with(
        concurrency: u32,
        config: &str,
        extension: &str,
        environment: &[(&str, &str)],
    ) -> Result<Self, Failure> {
        let options = Options { concurrency, ..Options::default() };
        Self::start_in(directory(), &options, config, extension, environment)
    }

    /// What Envoy says of a configuration file that it is only to validate.
    ///
    /// # Errors
    /// Its log, if it does not take it.
    pub fn validate(config: &str, environment: &[(&str, &str)]) -> Result<(), Failure> {
        let dir = directory();
        let file = write(&dir, "envoy.yaml", config);
        let output = Command::new(binary())
            .current_dir(root())
            .envs(environment.iter().copied())
            .args(["--mode", "validate", "-c"])
            .arg(&file)
            .stdin(Stdio::null())
            .output()
            .expect("Envoy starts");
        let _ = fs::remove_dir_all(&dir);
        if output.status.success() {
            return Ok(());
        }
        Err(Failure { log: String::from_utf8_lossy(&output.stderr).into_owned() })
    }

    fn start_in(
        dir: PathBuf,
        options: &Options,
        config: &str,
        extension: &str,
        environment: &[(&str, &str)],
    ) -> Result<Self, Failure> {
        let config_file = write(&dir, &format!("envoy.{extension}"), config);
        let log = fs::File::create(dir.join("envoy.log")).expect("a log file");
        let child = Command::new(binary())
            .current_dir(root())
            .env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", root().join("dist"))
            .envs(environment.iter().copied())
            .envs(options.host_environment.iter().map(|(name, value)| (name, value)))
            // The native module has Envoy's own environment.
            .envs(options.environment.iter().map(|(name, value)| (name, value)))
            .arg("-c")
            .arg(&config_file)
            .args(["--concurrency", &options.concurrency.to_string()])
            // An Envoy that is killed would leave the hot restart's shared memory behind.
            .arg("--disable-hot-restart")
            // Access logs are read right after the response, and the default is ten seconds.
            .args(["--file-flush-interval-msec", "20"])
            .args(["--log-level", "info", "--admin-address-path"])
            .arg(dir.join("admin"))
            .args(&options.arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("Envoy starts");
        let mut envoy = Self { child, dir, admin: ([127, 0, 0, 1], 0).into(), listeners: Vec::new() };
        match envoy.wait_until_ready() {
            Ok(()) => Ok(envoy),
            Err(reason) => Err(Failure { log: format!("{}\n{reason}", envoy.log()) }),
        }
    }

    fn wait_until_ready(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(180);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
                return Err(format!("Envoy exited with {status}"));
            }
            if let Some(admin) = fs::read_to_string(self.dir.join("admin")).ok().and_then(|a| a.parse().ok())
            {
                self.admin = admin;
                if http::send(admin, &Request::get("/ready")).is_ok_and(|answer| answer.status == 200) {
                    return self.read_listeners().map_err(|error| error.to_string());
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err("Envoy was not ready within three minutes".into())
    }

    fn read_listeners(&mut self) -> io::Result<()> {
        let answer = http::send(self.admin, &Request::get("/listeners?format=json"))?.json();
        for status in answer["listener_statuses"].as_array().into_iter().flatten() {
            let address = &status["local_address"]["socket_address"];
            let text = format!(
                "{}:{}",
                address["address"].as_str().unwrap_or_default(),
                address["port_value"].as_u64().unwrap_or_default()
            );
            if let (Some(name), Ok(addr)) = (status["name"].as_str(), text.parse()) {
                self.listeners.push((name.to_owned(), addr));
            }
        }
        Ok(())
    }

    /// The names of the listeners that are there.
    #[must_use]
    pub fn listeners(&self) -> Vec<&str> {
        self.listeners.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The address of a listener.
    #[must_use]
    pub fn addr(&self, listener: &str) -> SocketAddr {
        let found = self.listeners.iter().find(|(name, _)| name == listener);
        found.unwrap_or_else(|| panic!("no listener {listener}")).1
    }

    /// The address of the admin interface.
    #[must_use]
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// What Envoy logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(self.dir.join("envoy.log"))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Sends a request to a listener.
    ///
    /// # Panics
    /// If there is no answer.
    #[must_use]
    pub fn send(&self, listener: &str, request: &Request) -> http::Response {
        http::send(self.addr(listener), request)
            .unwrap_or_else(|error| panic!("{listener}: {error}: {request:?}"))
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            let last = lines.len().saturating_sub(60);
            eprintln!("Envoy's log, kept in {}:\n{}", self.dir.display(), lines[last..].join("\n"));
        } else {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}
