//! A real Envoy, and a client that sends it requests.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::bed::UPSTREAM;

/// How long an Envoy may take to start.
const START: Duration = Duration::from_secs(60);

/// A running Envoy, ended when it is dropped.
pub struct Envoy {
    process: Child,
    folder: PathBuf,
    listeners: BTreeMap<String, SocketAddr>,
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Which Envoy: the one that is named, `$ENVOY_PATH`, that of `scripts/envoy`, or `envoy` on PATH.
pub fn path(named: Option<&Path>) -> PathBuf {
    let of_script = || {
        let output = Command::new("scripts/envoy").arg("--which").output().ok()?;
        let path = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| PathBuf::from(path.trim()))
    };
    let of_environment = || std::env::var_os("ENVOY_PATH").map(PathBuf::from);
    named.map(Path::to_owned).or_else(of_environment).or_else(of_script).unwrap_or_else(|| "envoy".into())
}

impl Envoy {
    /// Starts one.
    ///
    /// # Errors
    /// The end of its log if it does not start.
    pub fn start(path: &Path, name: &str, bootstrap: &Value) -> Result<Self, String> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| error.to_string())?;
        let suffix: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let folder = std::env::temp_dir().join(format!("lychgate-compare-{name}-{suffix}"));
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let write = |file: &str, text: &str| {
            std::fs::write(folder.join(file), text).map_err(|error| error.to_string())
        };
        write("envoy.json", &bootstrap.to_string())?;
        let log = std::fs::File::create(folder.join("log")).map_err(|error| error.to_string())?;
        let process = Command::new(path)
            .arg("-c")
            .arg(folder.join("envoy.json"))
            .args(["--use-dynamic-base-id", "--concurrency", "1", "-l", "warning", "--admin-address-path"])
            .arg(folder.join("admin"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("{}: {error}; name an Envoy with --envoy", path.display()))?;
        let mut envoy = Self { process, folder, listeners: BTreeMap::new() };
        envoy.wait(name)?;
        Ok(envoy)
    }

    fn wait(&mut self, name: &str) -> Result<(), String> {
        let end = Instant::now().checked_add(START).ok_or("no time")?;
        while Instant::now() < end {
            let is_over = self.process.try_wait().map_err(|error| error.to_string())?.is_some();
            if is_over {
                break;
            }
            if let Some(listeners) = self.ready() {
                self.listeners = listeners;
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(8).collect();
        Err(format!(
            "the Envoy of `{name}` does not start:\n{}",
            lines.into_iter().rev().collect::<Vec<_>>().join("\n")
        ))
    }

    /// The addresses of its listeners, once it is live.
    fn ready(&self) -> Option<BTreeMap<String, SocketAddr>> {
        let admin = std::fs::read_to_string(self.folder.join("admin")).ok()?;
        let mut admin = Client::connect(admin.trim().parse().ok()?).ok()?;
        let get = |client: &mut Client, path: &str| {
            client.send("GET", path, &[("host".into(), "admin".into())]).ok()
        };
        if get(&mut admin, "/ready")?.status != 200 {
            return None;
        }
        let listeners: Value = serde_json::from_str(&get(&mut admin, "/listeners?format=json")?.body).ok()?;
        let address = |own: &Value| {
            let socket = &own["local_address"]["socket_address"];
            let text = format!("{}:{}", socket["address"].as_str()?, socket["port_value"].as_u64()?);
            Some((own["name"].as_str()?.to_owned(), text.parse().ok()?))
        };
        listeners["listener_statuses"].as_array()?.iter().map(address).collect()
    }

    /// A client of one of its listeners.
    ///
    /// # Errors
    /// If it cannot be reached.
    pub fn client(&self, listener: &str) -> Result<Client, String> {
        let address = self.listeners.get(listener).ok_or_else(|| format!("no listener {listener}"))?;
        Client::connect(*address).map_err(|error| error.to_string())
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: String,
    /// The headers of the request as they came through, of those that are watched.
    pub upstream: BTreeMap<String, String>,
}

/// A connection of HTTP/1.1, made anew where it is closed.
pub struct Client {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
}

impl Client {
    fn connect(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.set_nodelay(true)?;
        Ok(Self { address, stream: BufReader::new(stream) })
    }

    /// Sends a request without a body.
    ///
    /// # Errors
    /// If there is none.
    pub fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
    ) -> Result<Answer, String> {
        let mut text = format!("{method} {target} HTTP/1.1\r\n");
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += "content-length: 0\r\n\r\n";
        let mut last = "no answer".to_owned();
        for _ in 0..3 {
            match self.exchange(method, &text) {
                Ok((answer, is_open)) => {
                    if !is_open {
                        *self = Self::connect(self.address).map_err(|error| error.to_string())?;
                    }
                    return Ok(answer);
                }
                Err(error) => {
                    last = error.to_string();
                    *self = Self::connect(self.address).map_err(|error| error.to_string())?;
                }
            }
        }
        Err(last)
    }

    fn exchange(&mut self, method: &str, text: &str) -> std::io::Result<(Answer, bool)> {
        let cut = || std::io::Error::other("an answer cut short");
        self.stream.get_mut().write_all(text.as_bytes())?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status: u16 = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(cut)?;
        let (mut length, mut is_chunked, mut is_open) = (0_usize, false, true);
        let mut upstream = BTreeMap::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            if let Some((name, value)) = line.strip_prefix(UPSTREAM).and_then(|own| own.split_once(':')) {
                upstream.insert(name.to_owned(), value.trim().to_owned());
            }
            let header = line.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(|_| cut())?;
            }
            is_chunked |= header == "transfer-encoding: chunked";
            is_open &= header != "connection: close";
        }
        let mut body = Vec::new();
        if method != "HEAD" && is_chunked {
            loop {
                line.clear();
                self.stream.read_line(&mut line)?;
                let size = usize::from_str_radix(line.trim_end(), 16).map_err(|_| cut())?;
                let mut chunk = vec![0; size.saturating_add(2)];
                self.stream.read_exact(&mut chunk)?;
                body.extend(chunk.iter().take(size));
                if size == 0 {
                    break;
                }
            }
        } else if method != "HEAD" {
            body.resize(length, 0);
            self.stream.read_exact(&mut body)?;
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok((Answer { status, body, upstream }, is_open))
    }
}
