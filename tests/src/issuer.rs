//! A certified OpenID provider (npm `oidc-provider`), behind a proxy of ours that can fail as issuers
//! do, and that counts.

use std::io::{BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::http::{self, Request, Response};
use crate::node;
use crate::wire::{Framing, Head};

/// How the proxy behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// It passes everything on.
    #[default]
    Passes,
    /// It hangs up on every client.
    Down,
    /// It answers 500.
    Errors,
    /// It takes its time before it answers.
    Slow(Duration),
    /// It hangs up in the middle of a body.
    CutsShort,
    /// It sends far more than asked for.
    Floods,
    /// It answers 200 with something that is no JSON.
    Babbles,
}

/// What the proxy has seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// Requests for the key set.
    pub key_fetches: AtomicUsize,
    /// Requests for the discovery document.
    pub discoveries: AtomicUsize,
    /// Questions about tokens.
    pub introspections: AtomicUsize,
    /// Requests for the key set that are being answered now, and the most there were at once.
    underway: AtomicUsize,
    most: AtomicUsize,
    /// Answers by 304.
    pub not_modified: AtomicUsize,
}

impl Seen {
    /// The most requests for the key set that were underway at once.
    pub fn most_at_once(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

struct Shared {
    behaviour: Mutex<Behaviour>,
    seen: Seen,
    backend: SocketAddr,
    /// Counts rotations, so that the key set has an entity tag.
    rotations: AtomicU64,
}

/// A provider and the proxy before it. Gone when dropped.
pub struct Issuer {
    child: Option<Child>,
    shared: Arc<Shared>,
    addr: SocketAddr,
}

/// The directory with `oidc-provider`, installed from `tests/oidc`; `None`, with a line that says
/// why, where it cannot be.
fn modules() -> Option<PathBuf> {
    static MODULES: OnceLock<Option<PathBuf>> = OnceLock::new();
    MODULES.get_or_init(install).clone()
}

fn install() -> Option<PathBuf> {
    node::program("tests/oidc", "provider.mjs")
}

impl Issuer {
    /// Starts a provider, if node and npm are to be had.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        let modules = modules()?;
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let backend = free.local_addr().expect("an address");
        drop(free);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            behaviour: Mutex::default(),
            seen: Seen::default(),
            backend,
            rotations: AtomicU64::new(0),
        });
        thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for stream in listener.incoming().flatten() {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || drop(converse(stream, &shared)));
                }
            }
        });
        let mut issuer = Self { child: None, shared, addr };
        issuer.run(&modules);
        Some(issuer)
    }

    fn run(&mut self, modules: &Path) {
        let child = Command::new("node")
            .arg("provider.mjs")
            .arg(self.shared.backend.port().to_string())
            .arg(self.url())
            .current_dir(modules)
            .env("NODE_NO_WARNINGS", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("node runs");
        self.child = Some(child);
        let deadline = Instant::now() + Duration::from_secs(60);
        while http::send(self.shared.backend, &Request::get("/jwks")).is_err() {
            assert!(Instant::now() < deadline, "the provider did not start");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Its address, which is the proxy's.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its issuer URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Has the proxy behave so from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = behaviour;
    }

    /// What the proxy has seen.
    #[must_use]
    pub fn seen(&self) -> &Seen {
        &self.shared.seen
    }

    /// Replaces the signing key; the old one is withdrawn unless it is to be kept.
    pub fn rotate(&self, keep: bool) {
        let path = if keep { "/test/rotate?keep=1" } else { "/test/rotate" };
        let answer = http::send(self.shared.backend, &Request::post(path)).expect("rotated");
        assert_eq!(answer.status, 200, "{answer:?}");
        self.shared.rotations.fetch_add(1, Ordering::SeqCst);
    }

    /// A token of the client-credentials grant: a JWT for the API, or opaque without a resource.
    #[must_use]
    pub fn token(&self, scope: &str, jwt: bool) -> String {
        let resource = if jwt { "&resource=https%3A%2F%2Fapi.example" } else { "" };
        let form = format!("grant_type=client_credentials&scope={}{resource}", scope.replace(' ', "+"));
        let answer = self.post("/token", &form, "machine", "machine-secret");
        answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned()
    }

    /// Posts a form to the provider as a client, past the proxy.
    #[must_use]
    pub fn post(&self, path: &str, form: &str, client: &str, secret: &str) -> Response {
        self.post_with(path, form, client, secret, &[])
    }

    /// The same, with further headers.
    #[must_use]
    pub fn post_with(
        &self,
        path: &str,
        form: &str,
        client: &str,
        secret: &str,
        headers: &[(&str, &str)],
    ) -> Response {
        let credential = crate::tokens::b64(format!("{client}:{secret}")).replace('-', "+").replace('_', "/");
        let padding = "=".repeat((4 - credential.len() % 4) % 4);
        let mut request = Request::post(path)
            .host(&self.addr.to_string())
            .header("Authorization", format!("Basic {credential}{padding}"))
            .body("application/x-www-form-urlencoded", form);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        http::send(self.shared.backend, &request).expect("the provider answers")
    }

    /// A token of the authorization-code grant for the API, by a person who is logged in as `alice`.
    #[must_use]
    pub fn code_token(&self) -> Value {
        self.code_token_with("")
    }

    /// The same, with further parameters of the authorization request, which begin with `&`.
    #[must_use]
    pub fn code_token_with(&self, parameters: &str) -> Value {
        let mut cookies: Vec<String> = Vec::new();
        let mut target = format!(
            "/auth?client_id=web&response_type=code&redirect_uri=https%3A%2F%2Fapp.example%2Fback\
             &scope=openid+items%3Aread&resource=https%3A%2F%2Fapi.example&state=s{parameters}"
        );
        let code = loop {
            let request =
                Request::get(&target).host(&self.addr.to_string()).header("Cookie", cookies.join("; "));
            let answer = http::send(self.shared.backend, &request).expect("the provider answers");
            for cookie in answer.all("set-cookie") {
                let pair = cookie.split(';').next().unwrap_or_default().to_owned();
                let name = pair.split('=').next().unwrap_or_default().to_owned();
                cookies.retain(|own| !own.starts_with(&format!("{name}=")));
                cookies.push(pair);
            }
            let location =
                answer.header("location").unwrap_or_else(|| panic!("{}: {}", answer.status, answer.text()));
            if let Some(query) = location.strip_prefix("https://app.example/back?") {
                let code = query.split('&').find_map(|pair| pair.strip_prefix("code="));
                break code.unwrap_or_else(|| panic!("{location}")).to_owned();
            }
            target = location.strip_prefix(&self.url()).unwrap_or(&location).to_owned();
        };
        let form = format!(
            "grant_type=authorization_code&code={code}&redirect_uri=https%3A%2F%2Fapp.example%2Fback\
             &resource=https%3A%2F%2Fapi.example"
        );
        self.post("/token", &form, "web", "web-secret").json()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn converse(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(head) = Head::read(&mut reader)? {
        let body = head.framing(Framing::Length(0))?.read(&mut reader)?;
        let mut words = head.start.splitn(3, ' ').map(str::to_owned);
        let method = words.next().unwrap_or_default();
        let target = words.next().unwrap_or_default();
        let mut request = Request::new(method, target.clone());
        request.headers.clone_from(&head.headers);
        request.body = body;
        let seen = &shared.seen;
        let is_keys = target.starts_with("/jwks");
        if is_keys {
            seen.key_fetches.fetch_add(1, Ordering::SeqCst);
            let underway = seen.underway.fetch_add(1, Ordering::SeqCst) + 1;
            seen.most.fetch_max(underway, Ordering::SeqCst);
        } else if target.starts_with("/.well-known") {
            seen.discoveries.fetch_add(1, Ordering::SeqCst);
        } else if target.contains("introspection") {
            seen.introspections.fetch_add(1, Ordering::SeqCst);
        }
        let answered = answer(reader.get_mut(), &request, is_keys, shared);
        if is_keys {
            seen.underway.fetch_sub(1, Ordering::SeqCst);
        }
        answered?;
    }
    Ok(())
}

fn answer(stream: &mut TcpStream, request: &Request, is_keys: bool, shared: &Shared) -> std::io::Result<()> {
    let hang_up = || std::io::Error::other("hangs up");
    let behaviour = *shared.behaviour.lock().unwrap_or_else(PoisonError::into_inner);
    let plain = |status: u16, headers: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 {status} -\r\n{headers}content-length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    };
    match behaviour {
        Behaviour::Down => return Err(hang_up()),
        Behaviour::Errors => return stream.write_all(&plain(500, "", b"{}")),
        Behaviour::Babbles => return stream.write_all(&plain(200, "", b"<html>maintenance</html>")),
        Behaviour::Floods => {
            let body = vec![b' '; 3 * 1024 * 1024];
            return stream.write_all(&plain(200, "content-type: application/json\r\n", &body));
        }
        Behaviour::Slow(time) => thread::sleep(time),
        Behaviour::Passes | Behaviour::CutsShort => {}
    }
    let etag = format!("\"{}\"", shared.rotations.load(Ordering::SeqCst));
    let asked = request.headers.iter().find(|(name, _)| name == "if-none-match").map(|(_, value)| value);
    if is_keys && asked.is_some_and(|asked| *asked == etag.as_bytes()) {
        shared.seen.not_modified.fetch_add(1, Ordering::SeqCst);
        return stream.write_all(format!("HTTP/1.1 304 -\r\netag: {etag}\r\n\r\n").as_bytes());
    }
    let answer = http::send(shared.backend, request)?;
    let mut headers =
        if is_keys { format!("etag: {etag}\r\ncache-control: max-age=30\r\n") } else { String::new() };
    // What a browser and a client need of it.
    for name in ["content-type", "location", "set-cookie"] {
        headers.extend(answer.all(name).iter().map(|value| format!("{name}: {value}\r\n")));
    }
    let bytes = plain(answer.status, &headers, &answer.body);
    if behaviour == Behaviour::CutsShort {
        stream.write_all(bytes.get(..bytes.len() - 20).unwrap_or_default())?;
        return Err(hang_up());
    }
    stream.write_all(&bytes)
}
