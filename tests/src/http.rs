//! An HTTP/1.1 client that sends what it is given, byte for byte.
//!
//! Tests of an authentication filter must send what a well-behaved client refuses to: a header
//! twice, bytes that are no UTF-8, a target full of dots.

use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::wire::{self, Framing, Head, text};

/// Longer than any answer should take, and short enough that a hang names its test.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A request, its headers in the order in which they are sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, as it is on the request line.
    pub method: String,
    /// The request target, sent as it is.
    pub target: String,
    /// Header names and values, sent as they are.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body. [`send`] adds a `content-length` where no header says how long it is.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers or body.
    pub fn new(method: impl Into<String>, target: impl Into<String>) -> Self {
        Self { method: method.into(), target: target.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// `GET target`.
    pub fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    /// `POST target`, with an empty body until [`Request::body`] gives it one.
    pub fn post(target: impl Into<String>) -> Self {
        Self::new("POST", target)
    }

    /// One more header. The same name again is a second header, not a new value.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// `Authorization: Bearer token`.
    #[must_use]
    pub fn bearer(self, token: impl AsRef<str>) -> Self {
        self.header("Authorization", format!("Bearer {}", token.as_ref()))
    }

    /// The `Host`, which is `localhost` where none is given.
    #[must_use]
    pub fn host(self, host: &str) -> Self {
        self.header("Host", host)
    }

    /// A body and its `Content-Type`.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", content_type)
    }

    fn has(&self, name: &str) -> bool {
        wire::first(&self.headers, name).is_some()
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        let mut put = |name: &str, value: &[u8]| {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        };
        if !self.has("host") {
            put("Host", b"localhost");
        }
        for (name, value) in &self.headers {
            put(name, value);
        }
        let sized = self.has("content-length") || self.has("transfer-encoding");
        let expects_body = matches!(self.method.as_str(), "POST" | "PUT" | "PATCH");
        if !sized && (expects_body || !self.body.is_empty()) {
            put("Content-Length", self.body.len().to_string().as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Lower-cased names and the values, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, out of whatever framing it came in.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<String> {
        wire::first(&self.headers, name).map(text)
    }

    /// Every header of that name, in order.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.headers
            .iter()
            .filter(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| text(value))
            .collect()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is not JSON; the message shows what it is.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}) in {} {:?}", self.status, self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        text(&self.body)
    }
}

/// Sends one request on a connection of its own.
///
/// # Errors
/// If the connection fails, or what comes back within ten seconds is not a whole response.
pub fn send(addr: SocketAddr, request: &Request) -> io::Result<Response> {
    let mut request = request.clone();
    if !request.has("connection") {
        request = request.header("Connection", "close");
    }
    Connection::open(addr)?.send(&request)
}

/// A connection that stays open from one request to the next.
pub struct Connection {
    reader: BufReader<io::Chain<io::Cursor<Vec<u8>>, TcpStream>>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// If no server listens there.
    pub fn open(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&addr, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(Self::over(stream, Vec::new()))
    }

    /// A connection of which this much was read already.
    pub fn over(stream: TcpStream, read: Vec<u8>) -> Self {
        Self { reader: BufReader::new(io::Cursor::new(read).chain(stream)) }
    }

    /// Sends a request and waits for its response.
    ///
    /// # Errors
    /// As for [`send`].
    pub fn send(&mut self, request: &Request) -> io::Result<Response> {
        self.send_bytes(&request.to_bytes(), request.method == "HEAD")
    }

    /// Sends bytes that need not be a request at all, and waits for a response. The response to
    /// a `HEAD` has no body, which only the caller can know.
    ///
    /// # Errors
    /// As for [`send`].
    pub fn send_bytes(&mut self, bytes: &[u8], head: bool) -> io::Result<Response> {
        let sent = self.reader.get_mut().get_mut().1.write_all(bytes);
        // A server that refuses a request may close before it has read all of it; the refusal
        // is then waiting to be read all the same.
        self.receive(head).map_err(|error| sent.err().unwrap_or(error))
    }

    /// Reads bytes that are no response: what follows an upgrade.
    ///
    /// # Errors
    /// If so many do not come.
    pub fn raw(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Waits for a response, of which only the head comes if `head_only`.
    ///
    /// # Errors
    /// As for [`send`].
    pub fn receive(&mut self, head_only: bool) -> io::Result<Response> {
        loop {
            let head = Head::read(&mut self.reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let status = status(&head.start)?;
            // An upgrade (RFC 9110 section 15.2.2) is final, and what follows is no body.
            if (100..200).contains(&status) && status != 101 {
                continue;
            }
            let body = if head_only || matches!(status, 101 | 204 | 304) {
                Vec::new()
            } else {
                head.framing(Framing::UntilClose)?.read(&mut self.reader)?
            };
            return Ok(Response { status, headers: head.headers, body });
        }
    }
}

fn status(start: &str) -> io::Result<u16> {
    let mut words = start.split(' ');
    match (words.next(), words.next().map(str::parse)) {
        (Some(version), Some(Ok(status))) if version.starts_with("HTTP/1.") => Ok(status),
        _ => Err(wire::invalid(&format!("no status line: {start:?}"))),
    }
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
