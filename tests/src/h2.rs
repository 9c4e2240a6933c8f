//! As much of HTTP/2 (RFC 9113) as it takes to send what no library would, on one stream or on a thousand
//! of one connection.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::hpack::{self, Field};
use crate::http::{Request as Http1, Response};
use crate::wire::{first, text};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

/// Of SETTINGS and PING; of DATA and HEADERS it says that the stream ends.
const ACK_OR_END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A request, pseudo-headers among its headers.
#[derive(Clone, Debug)]
pub struct Request {
    headers: Vec<Field>,
    body: Option<Vec<u8>>,
    trailers: Vec<Field>,
}

impl Request {
    /// A request to `localhost`.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self::bare()
            .header(":method", method)
            .header(":scheme", "http")
            .header(":authority", "localhost")
            .header(":path", path)
    }

    /// One without any header.
    #[must_use]
    pub fn bare() -> Self {
        Self { headers: Vec::new(), body: None, trailers: Vec::new() }
    }

    /// One more header, as it is.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Its body.
    #[must_use]
    pub fn body(mut self, body: &[u8]) -> Self {
        self.body = Some(body.to_vec());
        self
    }

    /// A header behind its body.
    #[must_use]
    pub fn trailer(mut self, name: &str, value: &str) -> Self {
        self.trailers.push((name.into(), value.into()));
        self
    }

    /// All of it as frames of this stream.
    #[must_use]
    pub fn frames(&self, stream: u32) -> Vec<u8> {
        let has_more = self.body.is_some() || !self.trailers.is_empty();
        let mut bytes = head(stream, &self.headers, !has_more);
        if let Some(body) = &self.body {
            bytes.extend(data(stream, body, self.trailers.is_empty()));
        }
        if !self.trailers.is_empty() {
            bytes.extend(head(stream, &self.trailers, true));
        }
        bytes
    }

    /// The head alone, of a request that has more.
    #[must_use]
    pub fn open_head(&self, stream: u32) -> Vec<u8> {
        head(stream, &self.headers, false)
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

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A head, or trailers, in as many frames as it takes.
#[must_use]
pub fn head(stream: u32, headers: &[Field], ends: bool) -> Vec<u8> {
    let block = hpack::encode(headers);
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

/// A piece of a body, in one frame.
#[must_use]
pub fn data(stream: u32, body: &[u8], ends: bool) -> Vec<u8> {
    frame(DATA, u8::from(ends) * ACK_OR_END_STREAM, stream, body)
}

/// The end of a stream that its client does not want any more.
#[must_use]
pub fn reset(stream: u32) -> Vec<u8> {
    const CANCEL: [u8; 4] = [0, 0, 0, 8];
    frame(RESET, 0, stream, &CANCEL)
}

/// What a connection begins with: no table of headers, so that an answer says what it means, and room for
/// all answers together.
#[must_use]
pub fn preface() -> Vec<u8> {
    let room = frame(WINDOW_UPDATE, 0, 0, &0x7FFF_0000_u32.to_be_bytes());
    [PREFACE, &frame(SETTINGS, 0, 0, &[0, 1, 0, 0, 0, 0]), &room].concat()
}

/// Sends it on a connection of its own. `None`: the stream or the connection was reset.
///
/// # Errors
/// If there is no connection, or no answer within ten seconds.
pub fn send(addr: SocketAddr, request: &Request) -> io::Result<Option<Response>> {
    let mut connection = Connection::open(addr, Duration::from_secs(10))?;
    // A client that is refused early may find the connection closed, and the refusal in it.
    let _ = connection.write(&request.frames(1));
    Ok(connection.next_answer()?.and_then(|(_, answer)| answer))
}

/// Sends a request many times at once on one connection; the status of each answer in the order in which
/// they come, 0 where the stream was reset. Shorter: the connection was closed.
///
/// # Errors
/// If there is no connection, or nothing comes within half a minute.
pub fn send_many(addr: SocketAddr, request: &Request, times: u32) -> io::Result<Vec<u16>> {
    let mut connection = Connection::open(addr, Duration::from_secs(30))?;
    let frames: Vec<_> = (0..times).flat_map(|number| request.frames(2 * number + 1)).collect();
    connection.write(&frames)?;
    let mut statuses = Vec::new();
    while statuses.len() < times as usize {
        let Some((_, answer)) = connection.next_answer()? else { break };
        statuses.push(answer.map_or(0, |answer| answer.status));
    }
    Ok(statuses)
}

/// What is written to: by a client, and by its connection where Envoy wants an answer. Frames of the two do not mix,
/// and neither do the parts of a head.
#[derive(Clone)]
pub struct Writer(Arc<Mutex<TcpStream>>);

impl Writer {
    /// Sends frames.
    ///
    /// # Errors
    /// If the connection is closed.
    pub fn write(&self, frames: &[u8]) -> io::Result<()> {
        let mut rest = frames;
        while !rest.is_empty() {
            let mut size = 0;
            // Up to the end of a frame after which another may come.
            while let Some(&[first, second, third, kind, flags]) = rest.get(size..size + 5) {
                size += 9 + u32::from_be_bytes([0, first, second, third]) as usize;
                if !matches!(kind, HEADERS | CONTINUATION) || flags & END_HEADERS != 0 {
                    break;
                }
            }
            // What is no frame is sent as it is.
            let size = if size == 0 { rest.len() } else { size.min(rest.len()) };
            let (now, later) = rest.split_at(size);
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(now)?;
            rest = later;
        }
        Ok(())
    }
}

/// A connection, and what of its answers has come.
pub struct Connection {
    stream: TcpStream,
    writer: Writer,
    begun: HashMap<u32, Response>,
    over: HashSet<u32>,
}

impl Connection {
    /// Connects. No answer takes longer than `patience`.
    ///
    /// # Errors
    /// If there is none.
    pub fn open(addr: SocketAddr, patience: Duration) -> io::Result<Self> {
        let mut stream = TcpStream::connect(addr)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_nodelay(true)?;
        stream.write_all(&preface())?;
        Ok(Self::over(stream))
    }

    /// A connection on which the preface was sent, or is yet to be sent.
    ///
    /// # Panics
    /// If the system has no handle left.
    #[must_use]
    pub fn over(stream: TcpStream) -> Self {
        let writer = Writer(Arc::new(Mutex::new(stream.try_clone().expect("a second handle"))));
        Self { stream, writer, begun: HashMap::new(), over: HashSet::new() }
    }

    /// Sends frames.
    ///
    /// # Errors
    /// If the connection is closed.
    pub fn write(&mut self, frames: &[u8]) -> io::Result<()> {
        self.writer.write(frames)
    }

    /// What others write to.
    #[must_use]
    pub fn writer(&self) -> Writer {
        self.writer.clone()
    }

    /// The next stream that is over, with its answer, or without one where it was reset; `None`: the
    /// connection is over.
    ///
    /// # Errors
    /// If nothing comes in time.
    pub fn next_answer(&mut self) -> io::Result<Option<(u32, Option<Response>)>> {
        loop {
            let mut start = [0; 9];
            match self.stream.read_exact(&mut start) {
                Ok(()) => {}
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
            let length = u32::from_be_bytes([0, start[0], start[1], start[2]]);
            let stream = u32::from_be_bytes([start[5], start[6], start[7], start[8]]) & 0x7FFF_FFFF;
            let mut payload = vec![0; length as usize];
            if self.stream.read_exact(&mut payload).is_err() {
                return Ok(None);
            }
            let (kind, flags) = (start[3], start[4]);
            match kind {
                SETTINGS | PING if flags & ACK_OR_END_STREAM == 0 => {
                    let payload = if kind == PING { payload } else { Vec::new() };
                    let _ = self.writer.write(&frame(kind, ACK_OR_END_STREAM, 0, &payload));
                }
                // After an answer that is whole it says only that the rest is not read of the request.
                RESET if self.over.insert(stream) => {
                    self.begun.remove(&stream);
                    return Ok(Some((stream, None)));
                }
                GOAWAY if self.begun.is_empty() => return Ok(None),
                HEADERS => self.head(stream, &payload)?,
                DATA => self.begun.entry(stream).or_insert_with(empty_response).body.extend(payload),
                _ => {}
            }
            if matches!(kind, HEADERS | DATA) && flags & ACK_OR_END_STREAM != 0 {
                self.over.insert(stream);
                return Ok(Some((stream, self.begun.remove(&stream))));
            }
        }
    }

    /// A head, or trailers, which are behind its headers.
    fn head(&mut self, stream: u32, block: &[u8]) -> io::Result<()> {
        let answer = self.begun.entry(stream).or_insert_with(empty_response);
        let mut fields = hpack::decode(block)?;
        if let Some(status) = first(&fields, ":status") {
            answer.status = text(status).parse().unwrap_or(0);
        }
        answer.headers.append(&mut fields);
        Ok(())
    }
}

fn empty_response() -> Response {
    Response { status: 0, headers: Vec::new(), body: Vec::new() }
}
