//! The client of one case: it sends pieces when it is told to, and reads one answer.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use lychgate_tests::h2;
use lychgate_tests::http::{Connection, Response};

/// Longer than the longest wait there is.
const PATIENCE: Duration = Duration::from_secs(25);
/// So that Envoy reads one piece before it gets the next.
const APART: Duration = Duration::from_millis(8);
/// What may fill the connection, where the peer does not read.
const MUCH: usize = 32 * 1024;

pub struct Client {
    stream: TcpStream,
    reader: Reader,
    writing: Option<JoinHandle<()>>,
}

enum Reader {
    Http1(Connection),
    Http2(h2::Connection),
}

impl Client {
    pub fn open(addr: SocketAddr, is_http2: bool) -> Self {
        let stream = TcpStream::connect(addr).expect("a listener");
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let other = stream.try_clone().unwrap();
        let reader = if is_http2 {
            Reader::Http2(h2::Connection::over(other))
        } else {
            Reader::Http1(Connection::over(other, Vec::new()))
        };
        Self { stream, reader, writing: None }
    }

    /// Sends the pieces, one after the other. Of what is refused early, the rest cannot be sent.
    pub fn send(&mut self, pieces: Vec<Vec<u8>>) {
        let mut pieces = pieces.into_iter();
        if self.writing.is_none() {
            // The head is with Envoy before the case goes on, and so is what fits in beside it.
            for mut piece in pieces.by_ref() {
                let rest = piece.split_off(piece.len().min(MUCH));
                let is_sent = self.stream.write_all(&piece).is_ok();
                thread::sleep(APART);
                if !rest.is_empty() && is_sent {
                    self.write_beside(std::iter::once(rest).chain(pieces).collect());
                    return;
                }
            }
        }
        self.write_beside(pieces.collect());
    }

    /// What Envoy does not read yet must not keep the case from going on.
    fn write_beside(&mut self, pieces: Vec<Vec<u8>>) {
        if pieces.is_empty() {
            return;
        }
        let mut stream = self.stream.try_clone().unwrap();
        let before = self.writing.take();
        self.writing = Some(thread::spawn(move || {
            if let Some(before) = before {
                let _ = before.join();
            }
            for piece in pieces {
                if stream.write_all(&piece).is_err() {
                    return;
                }
                thread::sleep(APART);
            }
        }));
    }

    /// Waits for "100 Continue", byte by byte, so that nothing of what follows is read.
    pub fn await_continue(&mut self) -> Result<(), String> {
        let mut read = Vec::new();
        while !read.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).map_err(|error| format!("no interim answer: {error}"))?;
            read.push(byte[0]);
        }
        if read.starts_with(b"HTTP/1.1 100 ") {
            return Ok(());
        }
        Err(format!("in place of 100: {:?}", String::from_utf8_lossy(&read)))
    }

    /// The answer; `None`: the stream or the connection was reset.
    pub fn answer(&mut self) -> Result<Option<Response>, String> {
        let answer = match &mut self.reader {
            Reader::Http1(connection) => connection.receive(false).map(Some),
            Reader::Http2(connection) => {
                connection.next_answer().map(|next| next.and_then(|(_, answer)| answer))
            }
        };
        answer.map_err(|error| format!("no answer: {error}"))
    }

    /// What comes on an upgraded connection, so many bytes of it.
    pub fn upgraded(&mut self, length: usize) -> Result<Vec<u8>, String> {
        let Reader::Http1(connection) = &mut self.reader else { return Err("not HTTP/1.1".into()) };
        connection.raw(length).map_err(|error| format!("no echo: {error}"))
    }

    /// Goes away.
    pub fn leave(self) {
        if matches!(self.reader, Reader::Http2(_)) {
            let _ = (&self.stream).write_all(&h2::reset(1));
            thread::sleep(APART);
        }
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
