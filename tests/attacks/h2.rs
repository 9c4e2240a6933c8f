//! As much of HTTP/2 (RFC 9113) as it takes to send what no library would: heads by literals without
//! Huffman (RFC 7541 section 6.2.2), and of the answer the status and the body.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use lychgate_testkit::http::{Request as Http1, Response};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

/// Of SETTINGS and PING; of DATA and HEADERS it says that the stream ends.
const ACK_OR_END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A request, pseudo-headers among its headers.
#[derive(Clone, Debug)]
pub struct Request {
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Option<Vec<u8>>,
    trailers: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Request {
    /// A request to `localhost`.
    pub fn new(method: &str, path: &str) -> Self {
        Self::bare()
            .header(":method", method)
            .header(":scheme", "http")
            .header(":authority", "localhost")
            .header(":path", path)
    }

    /// One without any header.
    pub fn bare() -> Self {
        Self { headers: Vec::new(), body: None, trailers: Vec::new() }
    }

    /// One more header, as it is.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Its body.
    pub fn body(mut self, body: &[u8]) -> Self {
        self.body = Some(body.to_vec());
        self
    }

    /// A header behind its body.
    pub fn trailer(mut self, name: &str, value: &str) -> Self {
        self.trailers.push((name.into(), value.into()));
        self
    }
}

impl From<&Http1> for Request {
    fn from(request: &Http1) -> Self {
        let mut made = Self::new(&request.method, &request.target);
        for (name, value) in &request.headers {
            made = made.header(&name.to_ascii_lowercase(), value);
        }
        if request.body.is_empty() { made } else { made.body(&request.body) }
    }
}

fn integer(value: usize, prefix_bits: u32, first: u8, out: &mut Vec<u8>) {
    let most = (1_usize << prefix_bits) - 1;
    if value < most {
        out.push(first | u8::try_from(value).unwrap());
        return;
    }
    out.push(first | u8::try_from(most).unwrap());
    let mut rest = value - most;
    while rest >= 128 {
        out.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    out.push(u8::try_from(rest).unwrap());
}

fn block(headers: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in headers {
        bytes.push(0);
        for text in [name, value] {
            integer(text.len(), 7, 0, &mut bytes);
            bytes.extend_from_slice(text);
        }
    }
    bytes
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A head in as many frames as it takes.
fn head(headers: &[(Vec<u8>, Vec<u8>)], ends: bool) -> Vec<u8> {
    head_of(1, headers, ends)
}

fn head_of(stream: u32, headers: &[(Vec<u8>, Vec<u8>)], ends: bool) -> Vec<u8> {
    let block = block(headers);
    let mut frames = Vec::new();
    let mut parts = block.chunks(16_000).peekable();
    let mut kind = HEADERS;
    let mut flags = if ends { ACK_OR_END_STREAM } else { 0 };
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            flags |= END_HEADERS;
        }
        frames.extend(frame(kind, flags, stream, part));
        (kind, flags) = (CONTINUATION, 0);
    }
    frames
}

/// Sends it on a connection of its own. Nothing: the stream or the connection was reset.
pub fn send(addr: SocketAddr, request: &Request) -> io::Result<Option<Response>> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut bytes = PREFACE.to_vec();
    // No table of headers, so that the status stands in the answer as it is.
    bytes.extend(frame(SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0]));
    let has_more = request.body.is_some() || !request.trailers.is_empty();
    bytes.extend(head(&request.headers, !has_more));
    if let Some(body) = &request.body {
        let ends = u8::from(request.trailers.is_empty());
        bytes.extend(frame(DATA, ends * ACK_OR_END_STREAM, 1, body));
    }
    if !request.trailers.is_empty() {
        bytes.extend(head(&request.trailers, true));
    }
    // Who is refused early may find the connection closed, and the refusal in it.
    let _ = stream.write_all(&bytes);
    receive(&mut stream)
}

/// Sends a request without a body many times at once on one connection; the status of each answer, 0 where
/// the stream was reset. Shorter: the connection was closed.
pub fn send_many(addr: SocketAddr, request: &Request, times: u32) -> io::Result<Vec<u16>> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0]));
    for number in 0..times {
        bytes.extend(head_of(2 * number + 1, &request.headers, true));
    }
    stream.write_all(&bytes)?;
    let mut statuses = Vec::new();
    while statuses.len() < times as usize {
        let mut start = [0; 9];
        if stream.read_exact(&mut start).is_err() {
            break;
        }
        let mut payload = vec![0; u32::from_be_bytes([0, start[0], start[1], start[2]]) as usize];
        if stream.read_exact(&mut payload).is_err() {
            break;
        }
        match start[3] {
            SETTINGS if start[4] & ACK_OR_END_STREAM == 0 => {
                stream.write_all(&frame(SETTINGS, ACK_OR_END_STREAM, 0, &[]))?;
            }
            HEADERS => statuses.push(status(&payload)),
            RESET => statuses.push(0),
            GOAWAY => break,
            _ => {}
        }
    }
    Ok(statuses)
}

fn receive(stream: &mut TcpStream) -> io::Result<Option<Response>> {
    let mut response = Response { status: 0, headers: Vec::new(), body: Vec::new() };
    loop {
        let mut start = [0; 9];
        match stream.read_exact(&mut start) {
            Ok(()) => {}
            // Closed or reset before the answer was whole.
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        }
        let length = u32::from_be_bytes([0, start[0], start[1], start[2]]);
        let mut payload = vec![0; length as usize];
        if stream.read_exact(&mut payload).is_err() {
            return Ok(None);
        }
        let (kind, flags) = (start[3], start[4]);
        match kind {
            SETTINGS | PING if flags & ACK_OR_END_STREAM == 0 => {
                let payload = if kind == PING { payload } else { Vec::new() };
                let _ = stream.write_all(&frame(kind, ACK_OR_END_STREAM, 0, &payload));
            }
            RESET | GOAWAY => return Ok(None),
            HEADERS if response.status == 0 => response.status = status(&payload),
            DATA => response.body.extend(payload),
            _ => {}
        }
        if matches!(kind, HEADERS | DATA) && flags & ACK_OR_END_STREAM != 0 {
            return Ok(Some(response));
        }
    }
}

/// The status, which comes first: indexed (RFC 7541 appendix A), or three digits as a literal.
fn status(block: &[u8]) -> u16 {
    // Changes of the table's size come before everything.
    let mut block = block;
    while block.first().is_some_and(|first| first >> 5 == 1) {
        block = &block[1..];
    }
    match block {
        [indexed @ 0x88..=0x8E, ..] => [200, 204, 206, 304, 400, 404, 500][usize::from(indexed - 0x88)],
        [0x48 | 0x08 | 0x18, 3, digits @ ..] => std::str::from_utf8(&digits[..3]).unwrap().parse().unwrap(),
        [0x48 | 0x08 | 0x18, length, digits @ ..] if length & 0x80 != 0 => {
            huffman(&digits[..usize::from(length & 0x7F)])
        }
        other => panic!("no status in {other:?}"),
    }
}

/// Digits in the code of RFC 7541 appendix B: 0, 1 and 2 have five bits, the others six.
fn huffman(bytes: &[u8]) -> u16 {
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let mut rest = bits.as_slice();
    let mut number = 0;
    for _ in 0..3 {
        let value = |bits: &[u8]| bits.iter().fold(0_u16, |value, &bit| value << 1 | u16::from(bit));
        let (digit, length) = match value(&rest[..5]) {
            short @ 0..=2 => (short, 5),
            _ => (value(&rest[..6]) - 0b01_1001 + 3, 6),
        };
        number = number * 10 + digit;
        rest = &rest[length..];
    }
    number
}

#[test]
fn a_status_is_read_in_each_form() {
    assert_eq!(status(&[0x20, 0x88]), 200);
    assert_eq!(status(&[0x8C]), 400);
    assert_eq!(status(&[0x48, 3, b'4', b'0', b'1']), 401);
    // RFC 7541 appendix C.6.1: 302.
    assert_eq!(status(&[0x48, 0x82, 0x64, 0x02]), 302);
}
