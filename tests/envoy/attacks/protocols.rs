//! Methods, versions, upgrades, tunnels, preflights and bodies.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use lychgate_tests::http::{Connection, Response};
use lychgate_tests::tokens::Token;

use super::credentials::reader;
use super::table::{
    Attack, FORGED, Sent, Story, ambiguous, cut_off, disarmed, legitimate, refused, served, story,
    unauthenticated,
};

pub fn stories() -> Vec<Story> {
    vec![
        story("HTTP of another version", versions()),
        story(
            "Requests hidden in requests: two lengths, chunks that are none, one request behind another",
            smuggled(),
        ),
        story("A WebSocket, which is open for as long as it likes once it is open", websockets()),
        story("CONNECT: a tunnel past every rule", tunnels()),
        story("A body that comes late, in pieces or not at all, at the token endpoint", bodies()),
    ]
}

/// Sends each part when the one before was answered, if only with 100.
pub fn in_steps(addr: SocketAddr, steps: &[Vec<u8>]) -> Option<Response> {
    let (last, first) = steps.split_last()?;
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut interim = [0; 1024];
    for step in first {
        stream.write_all(step).unwrap();
        let size = stream.read(&mut interim).ok()?;
        if !interim[..size].starts_with(b"HTTP/1.1 1") {
            // It was answered for good; what of it was not read yet is its body.
            return Connection::over(stream, interim[..size].to_vec()).receive(false).ok();
        }
    }
    Connection::over(stream, Vec::new()).send_bytes(last, false).ok()
}

fn versions() -> Vec<Attack> {
    let of = |version: &str, path: &str| format!("GET {path}{version}\r\nHost: localhost\r\n\r\n");
    let without_host = |path: &str| format!("GET {path} HTTP/1.0\r\n\r\n");
    let with_token =
        |path: &str| format!("GET {path} HTTP/1.0\r\nAuthorization: Bearer {}\r\n\r\n", reader());
    let mut attacks = vec![
        refused("HTTP/1.0 where it is not taken", "raw", of(" HTTP/1.0", "/me"), 426),
        unauthenticated("HTTP/1.0", "old", of(" HTTP/1.0", "/me")),
        unauthenticated("HTTP/1.0 without Host", "old", without_host("/me")),
        unauthenticated("HTTP/1.0 without Host, to the administrators", "old", without_host("/admin/x")),
        legitimate("HTTP/1.0 with a token", "old", with_token("/me")).with("x-auth-subject", "johndoe"),
        legitimate("HTTP/1.0 to what is public", "old", without_host("/public/x")),
        disarmed(
            "HTTP/1.0 with a forged subject",
            "old",
            format!("GET /public/x HTTP/1.0\r\nX-Auth-Subject: {FORGED}\r\n\r\n"),
        )
        .without("x-auth-subject"),
    ];
    // What claims to be older or newer than HTTP/1.1 is taken for HTTP/1.0, or not at all.
    for (name, text) in [
        ("HTTP/0.9", "GET /me\r\n".to_owned()),
        ("HTTP/1.2", of(" HTTP/1.2", "/me")),
        ("HTTP/2.0 on a request line", of(" HTTP/2.0", "/me")),
    ] {
        attacks.push(refused(name, "raw", text.clone(), 426));
        attacks.push(unauthenticated(name, "old", text));
    }
    for listener in ["raw", "old"] {
        for (name, text) in [
            ("HTTP/3", of(" HTTP/3", "/me")),
            ("HTTP/11", of(" HTTP/11", "/me")),
            ("http/1.1", of(" http/1.1", "/me")),
            ("ICY", of(" ICY/1.0", "/me")),
            ("a greeting of TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\x7c".to_owned()),
            (
                "a proxy's greeting",
                "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\nGET /me HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            ),
        ] {
            attacks.push(refused(name, listener, text, 400));
        }
    }
    attacks
}

fn smuggled() -> Vec<Attack> {
    let hidden = "GET /admin/x HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let with = |headers: &str, body: &str| -> Sent {
        format!("POST /public/x HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}").into()
    };
    let length = hidden.len();
    vec![
        refused(
            "Content-Length and Transfer-Encoding",
            "raw",
            with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", &format!("0\r\n\r\n{hidden}")),
            400,
        ),
        refused(
            "Transfer-Encoding and Content-Length",
            "raw",
            with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", &format!("0\r\n\r\n{hidden}")),
            400,
        ),
        refused(
            "two lengths",
            "raw",
            with(&format!("Content-Length: 0\r\nContent-Length: {length}\r\n"), hidden),
            400,
        ),
        refused(
            "two lengths in one header",
            "raw",
            with(&format!("Content-Length: 0, {length}\r\n"), hidden),
            400,
        ),
        refused("a length with a sign", "raw", with("Content-Length: +0\r\n", hidden), 400),
        refused("a length below zero", "raw", with("Content-Length: -1\r\n", hidden), 400),
        refused("a length in hexadecimal", "raw", with("Content-Length: 0x0\r\n", hidden), 400),
        refused(
            "a length beyond 64 bits",
            "raw",
            with("Content-Length: 18446744073709551616\r\n", hidden),
            400,
        ),
        refused("another encoding", "raw", with("Transfer-Encoding: xchunked\r\n", hidden), 501),
        refused(
            "chunked twice",
            "raw",
            with(
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                &format!("0\r\n\r\n{hidden}"),
            ),
            501,
        ),
        refused(
            "chunked, identity",
            "raw",
            with("Transfer-Encoding: chunked, identity\r\n", &format!("0\r\n\r\n{hidden}")),
            501,
        ),
        refused(
            "chunked behind a vertical tab",
            "raw",
            with("Transfer-Encoding: \x0bchunked\r\n", &format!("0\r\n\r\n{hidden}")),
            400,
        ),
        refused(
            "a space before the colon of a length",
            "raw",
            with(&format!("Content-Length : {length}\r\n"), hidden),
            400,
        ),
        refused(
            "a chunk of a size that is none",
            "raw",
            with("Transfer-Encoding: chunked\r\n", &format!("zz\r\n\r\n{hidden}")),
            400,
        ),
        disarmed(
            "a request as the body of another",
            "raw",
            with(&format!("Content-Length: {length}\r\n"), hidden),
        )
        .target("/public/x"),
    ]
}

fn websockets() -> Vec<Attack> {
    let open = |headers: &str| {
        let headers = headers.to_owned();
        move |path: &str| -> String {
            format!(
                "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n"
            )
        }
    };
    let bare = open("");
    let forged = format!(
        "Authorization: Bearer {}\r\nX-Auth-Subject: {FORGED}\r\nx_auth_subject: {FORGED}\r\n",
        reader()
    );
    let protocol = format!("Sec-WebSocket-Protocol: bearer, {}\r\n", reader());
    let stranger = format!("Authorization: Bearer {}\r\n", Token::reader().sign_by_stranger("HS256"));
    let h2c = |path: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
        )
    };
    let mut attacks = vec![
        refused("where none is taken", "raw", bare("/me"), 403),
        unauthenticated("without a token", "upgrading", bare("/me")),
        unauthenticated("to the administrators", "upgrading", bare("/admin/x")),
        refused("ill signed", "upgrading", open(&stranger)("/me"), 401),
        unauthenticated(
            "the token as a subprotocol, which is not configured",
            "upgrading",
            open(&protocol)("/me"),
        ),
        refused("to an ambiguous path", "upgrading", bare("//me"), 400),
        refused("to the token endpoint", "upgrading", bare("/token"), 405),
        disarmed("with a token and a forged subject", "upgrading", open(&forged)("/me"))
            .with("x-auth-subject", "johndoe"),
        disarmed(
            "to what is public, with a forged subject",
            "upgrading",
            open(&format!("X-Auth-Subject: {FORGED}\r\n"))("/public/x"),
        )
        .without("x-auth-subject"),
    ];
    attacks.extend(nominated());
    attacks.extend([
        unauthenticated(
            "over HTTP/2 (RFC 8441)",
            "upgrading",
            super::h2::Request::new("CONNECT", "/me").header(":protocol", "websocket"),
        ),
        unauthenticated(
            "over HTTP/2, to the administrators",
            "upgrading",
            super::h2::Request::new("CONNECT", "/admin/x").header(":protocol", "websocket"),
        ),
        unauthenticated("an upgrade to HTTP/2 in clear", "upgrading", h2c("/me")),
        unauthenticated("an upgrade to HTTP/2 in clear, where none is taken", "raw", h2c("/me")),
    ]);
    attacks
}

/// Envoy takes out what `Connection` names, and the word with it, but for an upgrade.
fn nominated() -> Vec<Attack> {
    let open = |connection: &str, path: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\n{connection}\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
             Authorization: Bearer {}\r\n\r\n",
            reader()
        )
    };
    let mut attacks = Vec::new();
    for (how, connection) in [
        ("the subject", "Connection: Upgrade, x-auth-subject"),
        ("the subject, first and in upper case", "Connection: X-AUTH-SUBJECT,Upgrade"),
        ("all of it, with tabs", "Connection: Upgrade,\tx-auth-subject\t,\tx-auth-scopes,x-auth-scheme"),
        ("the subject, joined by a space", "Connection: Upgrade, x x-auth-subject"),
        ("the subject, in a header of its own", "Connection: Upgrade\r\nConnection: x-auth-subject"),
        ("the subject, in a header before", "Connection: x-auth-subject\r\nConnection: Upgrade"),
        ("the subject, with underscores", "Connection: Upgrade, x_auth_subject"),
        ("where the request comes from", "Connection: Upgrade, x-forwarded-for, x-request-id"),
    ] {
        let name = format!("an upgrade whose Connection names {how}");
        attacks.push(
            disarmed(name.clone(), "upgrading", open(connection, "/me"))
                .with("x-auth-subject", "johndoe")
                .with("connection", "Upgrade"),
        );
        attacks.push(
            disarmed(format!("{name}, to what is public"), "upgrading", open(connection, "/public/x"))
                .with("connection", "Upgrade"),
        );
    }
    attacks
}

fn tunnels() -> Vec<Attack> {
    let connect =
        |target: &str, headers: &str| format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{headers}\r\n");
    let token = format!("Authorization: Bearer {}\r\n", reader());
    let over_http2 =
        || super::h2::Request::bare().header(":method", "CONNECT").header(":authority", "localhost:80");
    let mut attacks = Vec::new();
    for listener in ["raw", "tunnelling"] {
        attacks.extend([
            ambiguous("to a port", listener, connect("localhost:80", "")),
            ambiguous("to a port, with a good token", listener, connect("localhost:80", &token)),
            ambiguous("to the open host", listener, connect("open.example.com:80", "")),
            refused("to a path", listener, connect("/public/x", ""), 400),
            refused("to a path that is closed", listener, connect("/me", ""), 400),
            refused("to an absolute target", listener, connect("http://localhost/public/x", ""), 400),
            ambiguous("over HTTP/2", listener, over_http2()),
            cut_off("over HTTP/2, with a path", listener, super::h2::Request::new("CONNECT", "/public/x")),
        ]);
    }
    attacks.push(unauthenticated(
        "a WebSocket where tunnels are taken",
        "tunnelling",
        super::h2::Request::new("CONNECT", "/me").header(":protocol", "websocket"),
    ));
    attacks
}

fn bodies() -> Vec<Attack> {
    let head = |headers: &str| {
        format!("POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n{headers}\r\n").into_bytes()
    };
    let good = b"username=johndoe&password=secret".to_vec();
    let bad = b"username=johndoe&password=guess!".to_vec();
    let expecting =
        |extra: &str| head(&format!("Content-Length: {}\r\nExpect: 100-continue\r\n{extra}", good.len()));
    let chunked = |body: &[u8]| [format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n0\r\n\r\n"].concat();
    let mut attacks = Vec::new();
    for listener in ["raw", "old"] {
        let steps = |steps: &[&[u8]]| Sent::Steps(steps.iter().map(|step| step.to_vec()).collect());
        attacks.extend([
            served("100-continue, then the body", listener, steps(&[&expecting(""), &good]), "access_token")
                .or_head_alone(),
            refused("100-continue, then a wrong password", listener, steps(&[&expecting(""), &bad]), 401)
                .says("Incorrect username or password"),
            served(
                "100-continue and the body at once",
                listener,
                [expecting(""), good.clone()].concat(),
                "access_token",
            )
            .or_head_alone(),
            served(
                "100-continue with a forged subject",
                listener,
                steps(&[&expecting(&format!("X-Auth-Subject: {FORGED}\r\n")), &good]),
                "access_token",
            )
            .or_head_alone(),
            served(
                "in chunks",
                listener,
                [head("Transfer-Encoding: chunked\r\n"), chunked(&good)].concat(),
                "access_token",
            )
            .or_head_alone(),
            refused(
                "in chunks, a wrong password",
                listener,
                [head("Transfer-Encoding: chunked\r\n"), chunked(&bad)].concat(),
                401,
            ),
            refused(
                "100-continue, and more than is read",
                listener,
                head("Content-Length: 9000\r\nExpect: 100-continue\r\n"),
                413,
            ),
            refused(
                "in chunks, more than is read",
                listener,
                [head("Transfer-Encoding: chunked\r\n"), chunked(&vec![b'a'; 9000])].concat(),
                413,
            ),
            refused("no body", listener, head("Content-Length: 0\r\n"), 400),
            refused(
                "an unknown expectation",
                listener,
                [head(&format!("Content-Length: {}\r\nExpect: 200-ok\r\n", bad.len())), bad.clone()].concat(),
                401,
            ),
        ]);
    }
    attacks
}
