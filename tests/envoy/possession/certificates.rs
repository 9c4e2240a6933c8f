//! Tokens that are bound to a client certificate (RFC 8705), and `type: mutualTLS`, over TLS with a client CA.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Artefact, Envoy, Listener, Options, is_before, root};
use lychgate_tests::keys;
use lychgate_tests::programs::find_or_install;
use lychgate_tests::tokens::{Token, b64};
use serde_json::{Value, json};

/// A directory with certificates: of a CA, `server`, `client` and `other` by it, and `own`, which signed itself.
pub struct Certificates(PathBuf);

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn openssl(dir: &Path, arguments: &str) {
    let output = Command::new("openssl").current_dir(dir).args(arguments.split_whitespace()).output();
    let output = output.expect("openssl runs");
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Certificates {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let dir = std::env::temp_dir().join(format!(
            "lychgate-certificates-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        ));
        fs::create_dir_all(&dir).expect("a directory");
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -batch";
        openssl(&dir, &format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=CA -days 2"));
        for name in ["server", "client", "other"] {
            let names =
                format!("subjectAltName=URI:spiffe://example.org/ns/prod/sa/{name},DNS:{name}.example.org");
            fs::write(dir.join("ext"), names).expect("written");
            openssl(
                &dir,
                &format!("req {key} -keyout {name}.key -out {name}.csr -subj /O=Example/CN={name}"),
            );
            let sign = format!("x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2");
            openssl(&dir, &format!("{sign} -extfile ext -out {name}.pem"));
        }
        let names = "subjectAltName=URI:spiffe://example.org/ns/prod/sa/client,DNS:client.example.org";
        openssl(
            &dir,
            &format!(
                "req -x509 {key} -keyout own.key -out own.pem -subj /O=Example/CN=client -days 2 -addext {names}"
            ),
        );
        for name in ["client", "own"] {
            openssl(&dir, &format!("x509 -in {name}.pem -outform DER -out {name}.der"));
        }
        Self(dir)
    }

    /// A certificate as DER: `client` or `own`.
    pub fn der(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(format!("{name}.der"))).expect("a certificate")
    }

    pub fn digest(&self, name: &str) -> [u8; 32] {
        use sha2::Digest as _;
        sha2::Sha256::digest(self.der(name)).into()
    }

    /// A listener's end of TLS, which asks for a client certificate and takes any, or those of the CA alone.
    pub fn transport_socket(&self, takes_any: bool) -> Value {
        let file = |name: &str| json!({"filename": self.0.join(name)});
        let verification = if takes_any { "ACCEPT_UNTRUSTED" } else { "VERIFY_TRUST_CHAIN" };
        json!({"name": "envoy.transport_sockets.tls", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_certificates": [{"certificate_chain": file("server.pem"), "private_key": file("server.key")}],
                "validation_context": {"trusted_ca": file("ca.pem"), "trust_chain_verification": verification},
            },
        }})
    }

    /// The status of an answer by curl, with the certificate of this name, and what reached the upstream.
    pub fn get(
        &self,
        at: SocketAddr,
        version: &str,
        path: &str,
        name: Option<&str>,
        token: Option<&str>,
    ) -> (u16, Value) {
        let mut command = Command::new("curl");
        command.args([
            "--silent",
            "--insecure",
            "--max-time",
            "10",
            "--write-out",
            "\n%{http_code}",
            version,
        ]);
        if let Some(name) = name {
            command.arg("--cert").arg(self.0.join(format!("{name}.pem")));
            command.arg("--key").arg(self.0.join(format!("{name}.key")));
        }
        if let Some(token) = token {
            command.args(["--header", &format!("Authorization: Bearer {token}")]);
        }
        let output = command.arg(format!("https://{at}{path}")).output().expect("curl runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = text.rsplit_once('\n').expect("a status");
        (status.parse().expect("a status"), serde_json::from_str(body).unwrap_or_default())
    }

    /// The answer to a request over a session that is kept in `session`, resumed where there is one, and whether it was.
    fn resume(&self, at: SocketAddr, version: &str, path: &str, session: &str, name: &str) -> (u16, bool) {
        let file = |name: String| self.0.join(name).display().to_string();
        let mut command = Command::new("openssl");
        command.args(["s_client", "-connect", &at.to_string(), version, "-ign_eof"]);
        command.args(["-cert", &file(format!("{name}.pem")), "-key", &file(format!("{name}.key"))]);
        let session = file(session.to_owned());
        command.args([if Path::new(&session).exists() { "-sess_in" } else { "-sess_out" }, &session]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("openssl runs");
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        child.stdin.take().expect("a pipe").write_all(request.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("openssl ends");
        let text = String::from_utf8_lossy(&output.stdout);
        let status = text.split("HTTP/1.1 ").nth(1).and_then(|rest| rest.get(..3)?.parse().ok());
        (status.unwrap_or_else(|| panic!("no answer: {text}")), text.contains("\nReused, "))
    }
}

/// The filter of docs/native.md: Envoy itself does not tell a native module whether it has validated a certificate.
fn what_tells_of_validity() -> Vec<Value> {
    match Artefact::from_environment() {
        Artefact::Wasm => vec![],
        Artefact::Native => {
            let page = fs::read_to_string(root().join("docs/native.md")).expect("the page");
            let example = page.split("```yaml\n").find(|part| part.contains("peer_certificate_valid"));
            let example = example.and_then(|part| part.split("```").next()).expect("its example");
            vec![serde_saphyr::from_str(example).expect("YAML")]
        }
    }
}

fn policy(digest: [u8; 32]) -> Value {
    let hexadecimal: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "schemes": {
            "token": {"type": "http", "scheme": "bearer", "missing_status": 401,
                "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]}},
            "uri": {"type": "mutualTLS", "allow": [{"uri": "spiffe://example.org/ns/*/sa/client", "scopes": ["items:read"]}]},
            "dns": {"type": "mutualTLS", "allow": [{"dns": "*.example.org", "id": "dns-client"}]},
            "subject": {"type": "mutualTLS", "allow": [{"subject": "CN=client,O=Example", "id": "by-subject"}]},
            "digest": {"type": "mutualTLS", "allow": [{"sha256": hexadecimal, "id": "pinned"}]},
        },
        "rules": [
            {"match": {"path": "/uri"}, "security": [{"uri": ["items:read"]}]},
            {"match": {"path": "/admin"}, "security": [{"uri": ["admin"]}]},
            {"match": {"path": "/dns"}, "security": [{"dns": []}]},
            {"match": {"path": "/subject"}, "security": [{"subject": []}]},
            {"match": {"path": "/digest"}, "security": [{"digest": []}]},
            {"match": {"path": "/or"}, "security": [{"token": []}, {"uri": []}]},
            {"match": {"path": "/and"}, "security": [{"token": [], "uri": []}]},
        ],
        "security": [{"token": []}],
    })
}

/// Whether the Envoy of the suite does not tell whether it has validated a certificate.
fn no_envoy_tells() -> bool {
    is_before(39, "Envoy does not tell whether it has validated a certificate")
}

#[test]
fn a_stolen_token_is_of_no_use_without_its_certificate_and_a_certificate_is_a_credential() {
    if no_envoy_tells() {
        return;
    }
    if find_or_install("openssl", "openssl").is_none() || find_or_install("curl", "curl").is_none() {
        return;
    }
    let certificates = Certificates::new();
    let upstream = Upstream::start();
    let policy = |name| policy(certificates.digest(name));
    let listener = |name, of, takes_any| {
        let mut listener =
            Listener::new(name, policy(of)).transport_socket(certificates.transport_socket(takes_any));
        listener.before = what_tells_of_validity();
        listener
    };
    let listeners = [listener("validated", "client", false), listener("any", "own", true)];
    let envoy = Envoy::start(&listeners, upstream.addr(), &Options::default());
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let bound =
        |name| Token::new().claim("cnf", json!({"x5t#S256": b64(certificates.digest(name))})).sign("HS256");
    let (of_client, of_own) = (bound("client"), bound("own"));
    let plain = Token::new().sign("HS256");
    for version in ["--http1.1", "--http2"] {
        for (listener, path, certificate, token, status) in [
            // Bound tokens.
            ("validated", "/", Some("client"), Some(&of_client), 200),
            ("validated", "/", Some("other"), Some(&of_client), 401),
            ("validated", "/", None, Some(&of_client), 401),
            ("validated", "/", Some("client"), Some(&of_own), 401),
            ("any", "/", Some("own"), Some(&of_own), 200),
            ("any", "/", Some("own"), Some(&of_client), 401),
            // Certificates by what is in them.
            ("validated", "/uri", Some("client"), None, 200),
            ("validated", "/uri", Some("other"), None, 403),
            ("validated", "/uri", None, None, 401),
            ("validated", "/admin", Some("client"), None, 403),
            ("validated", "/dns", Some("other"), None, 200),
            ("validated", "/subject", Some("client"), None, 200),
            ("validated", "/subject", Some("other"), None, 403),
            ("validated", "/digest", Some("client"), None, 200),
            ("validated", "/digest", Some("other"), None, 403),
            // What says the same and signed itself.
            ("any", "/uri", Some("own"), None, 403),
            ("any", "/dns", Some("own"), None, 403),
            ("any", "/subject", Some("own"), None, 403),
            ("any", "/digest", Some("own"), None, 200),
            ("any", "/uri", Some("client"), None, 200),
            // With tokens.
            ("validated", "/or", Some("client"), None, 200),
            ("validated", "/or", None, Some(&plain), 200),
            ("validated", "/or", None, None, 401),
            ("validated", "/and", Some("client"), Some(&plain), 200),
            ("validated", "/and", None, Some(&plain), 401),
            ("validated", "/and", Some("client"), None, 401),
            ("validated", "/and", Some("other"), Some(&plain), 403),
        ] {
            let token = token.map(String::as_str);
            let hits = upstream.hits();
            let (seen, _) = certificates.get(envoy.addr(listener), version, path, certificate, token);
            assert_eq!(seen, status, "{version} {listener} {path} {certificate:?} {token:?}");
            assert_eq!(upstream.hits() > hits, status == 200, "{listener} {path} {certificate:?} {token:?}");
        }
    }
    let told = |path: &str, name: &str, token: Option<&str>| {
        let (_, echo) = certificates.get(envoy.addr("validated"), "--http1.1", path, Some(name), token);
        let headers = echo["headers"].as_array().cloned().unwrap_or_default();
        let value = |name: &str| {
            headers.iter().find(|pair| pair[0] == name).and_then(|pair| pair[1].as_str()).map(str::to_owned)
        };
        [value("x-auth-subject"), value("x-auth-scopes"), value("x-auth-scheme")]
    };
    let some = |text: &str| Some(text.to_owned());
    let id = "spiffe://example.org/ns/prod/sa/client";
    assert_eq!(told("/uri", "client", None), [some(id), some("items:read"), some("uri")]);
    assert_eq!(told("/dns", "other", None), [some("dns-client"), None, some("dns")]);
    assert_eq!(told("/and", "client", Some(&plain)), [some("johndoe"), None, some("token,uri")]);
}

/// Envoy does not validate the certificate of a resumed session again (envoyproxy/envoy, issue 21235): what is recognised by
/// its digest is served, and for the rest sessions are not to be resumed, as docs/recipes/bound-tokens.md says.
#[test]
fn a_client_that_resumes_its_session_was_refused_from_its_second_connection_on() {
    if no_envoy_tells() {
        return;
    }
    if find_or_install("openssl", "openssl").is_none() {
        return;
    }
    let certificates = Certificates::new();
    let upstream = Upstream::start();
    let listener = |name: &str, disables: bool| {
        let mut socket = certificates.transport_socket(false);
        for key in ["disable_stateless_session_resumption", "disable_stateful_session_resumption"] {
            socket["typed_config"][key] = disables.into();
        }
        let mut listener =
            Listener::new(name, policy(certificates.digest("client"))).transport_socket(socket);
        listener.before = what_tells_of_validity();
        listener
    };
    let listeners = [listener("resuming", false), listener("never", true)];
    let envoy = Envoy::start(&listeners, upstream.addr(), &Options::default());
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    for version in ["-tls1_2", "-tls1_3"] {
        for (listener, path, name, status) in [
            ("resuming", "/digest", "client", 200),
            ("resuming", "/uri", "other", 403),
            ("never", "/digest", "client", 200),
            ("never", "/uri", "client", 200),
            ("never", "/dns", "client", 200),
            ("never", "/uri", "other", 403),
        ] {
            let session = format!("{listener}{version}{}{name}", path.replace('/', "-"));
            for is_resumed in [false, listener == "resuming"] {
                let seen = certificates.resume(envoy.addr(listener), version, path, &session, name);
                assert_eq!(seen, (status, is_resumed), "{listener} {version} {path} {name}");
            }
        }
    }
}
