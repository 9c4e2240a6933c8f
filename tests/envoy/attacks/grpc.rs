//! gRPC: a denial is a status of gRPC. By curl, which speaks HTTP/2 and shows trailers and heads.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use lychgate_tests::programs;
use lychgate_tests::tokens::Token;

use super::credentials::reader;
use super::table::{Answer, Attack, FORGED, Sent, Story, disarmed, refused, story};

/// The answer, or nothing where there is none.
pub fn curl(addr: SocketAddr, arguments: &[String]) -> Option<Answer> {
    let (path, arguments) = arguments.split_last()?;
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "10", "--path-as-is", "--include"])
        .args(arguments)
        .arg(format!("http://{addr}{path}"))
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    Some(Answer { status, headers: headers.collect(), body: body.to_owned() })
}

/// A call without a message: of an answer that comes before the request is over, curl may make an error.
fn call(path: &str, headers: &[String]) -> Sent {
    let mut arguments: Vec<String> = [
        "--http2-prior-knowledge",
        "-X",
        "POST",
        "-H",
        "content-type: application/grpc",
        "-H",
        "te: trailers",
    ]
    .map(str::to_owned)
    .into();
    for header in headers {
        arguments.extend(["-H".into(), header.clone()]);
    }
    arguments.push(path.into());
    Sent::Curl(arguments)
}

pub fn stories() -> Vec<Story> {
    if programs::find_or_install("curl", "curl").is_none() {
        return Vec::new();
    }
    vec![story("gRPC: a client that sees no HTTP status gets one of gRPC's", calls())]
}

fn calls() -> Vec<Attack> {
    let bearer = |token: String| format!("authorization: Bearer {token}");
    let grpc = |name: &str, listener, path: &str, headers: &[String], status: &str| {
        refused(name, listener, call(path, headers), 200).with("grpc-status", status)
    };
    let stranger = bearer(Token::reader().sign_by_stranger("HS256"));
    let web = |kind: &str| {
        let mut arguments: Vec<String> =
            ["--http2-prior-knowledge", "-X", "POST", "-H"].map(str::to_owned).into();
        arguments.extend([format!("content-type: {kind}"), "/me".into()]);
        Sent::Curl(arguments)
    };
    vec![
        grpc("without a token", "raw", "/me", &[], "16"),
        grpc("ill signed", "raw", "/me", &[stranger], "16"),
        grpc("without the scope", "raw", "/admin/x", &[bearer(reader())], "7"),
        grpc("a wrong key", "raw", "/key", &["x-api-key: wrong".into()], "7"),
        grpc("keys that are not served", "keyless", "/x", &[bearer(Token::new().sign("RS256"))], "14"),
        grpc("an ambiguous path", "raw", "/public/../me", &[], "3"),
        grpc("an unknown method", "raw", "/package.Service/Method", &[], "16"),
        refused("gRPC-Web", "raw", web("application/grpc-web"), 401),
        refused("what only begins like gRPC", "raw", web("application/grpcx"), 401),
        refused("gRPC with protobuf", "raw", web("application/grpc+proto"), 200).with("grpc-status", "16"),
        disarmed(
            "with a token and a forged subject",
            "raw",
            call(
                "/me",
                &[bearer(reader()), format!("x-auth-subject: {FORGED}"), format!("x_auth_subject: {FORGED}")],
            ),
        )
        .with("x-auth-subject", "johndoe"),
    ]
}
