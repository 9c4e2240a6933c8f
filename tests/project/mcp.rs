//! Real clients of the Model Context Protocol log in through Envoy, each by its own code, at the server of
//! examples/mcp: PyPI `fastmcp` and `mcp`, npm `@modelcontextprotocol/sdk`. A FastMCP server is behind, and npm
//! `oidc-provider` is the authorization server.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lychgate_tests::book::try_out_all;
use lychgate_tests::demonstration::Demonstration;
use lychgate_tests::envoy::root;
use lychgate_tests::issuer::Issuer;
use lychgate_tests::{node, python};

/// The MCP server. It ends when dropped.
struct Server(Child);

impl Server {
    fn start(python: &Path, at: SocketAddr) -> Self {
        let child = Command::new(python)
            .arg("tests/mcp/server.py")
            .arg(at.port().to_string())
            .current_dir(root())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let server = Self(child);
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(at).is_err() {
            assert!(Instant::now() < deadline, "the MCP server did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The last line that a client prints within two minutes, which is what the tool told it.
fn told(client: &mut Command, python: &Path, url: &str) -> String {
    let browser = format!("{} {} %s &", python.display(), root().join("tests/mcp/browser.py").display());
    let client = client.arg(url).env("BROWSER", browser).stdin(Stdio::null());
    let mut child = client.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let deadline = Instant::now() + Duration::from_secs(120);
    while child.try_wait().expect("a child").is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ = child.kill();
    let ran = child.wait_with_output().expect("it ended");
    let (out, error) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{client:?}: {out}\n{error}");
    out.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn real_mcp_clients_log_in_and_call_a_tool_with_the_url_of_the_server_alone() {
    let Some(issuer) = Issuer::start() else { return };
    let Some(python) = python::python("tests/mcp/requirements.txt") else { return };
    let Some(modules) = node::program("tests/mcp", "sdk_client.mjs") else { return };
    let demonstration = Demonstration::of("examples/mcp/envoy.yaml", &[], Some(issuer.addr().port()));
    let at = demonstration.moved("127.0.0.1:10001").parse().expect("an address");
    let _server = Server::start(&python, at);
    let url = demonstration.moved("http://127.0.0.1:10000/mcp");
    let copy = modules.join("sdk_client.mjs");
    let in_python = |name: &str| {
        let mut command = Command::new(&python);
        command.arg(root().join("tests/mcp").join(name));
        command
    };
    let mut in_node = Command::new("node");
    in_node.arg(&copy);
    for (name, mut client) in [
        ("fastmcp", in_python("fastmcp_client.py")),
        ("mcp", in_python("mcp_client.py")),
        ("@modelcontextprotocol/sdk", in_node),
    ] {
        assert_eq!(told(&mut client, &python, &url), "alice with mcp:use", "{name}");
    }
    try_out_all("examples/mcp/README.md", &demonstration);
}
