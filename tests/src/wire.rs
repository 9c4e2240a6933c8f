//! The part of HTTP/1.1 that the client and the upstream have in common: heads and bodies.
//!
//! Written out here because a library on either side would hide what the tests are about: it
//! folds duplicate headers, refuses bytes it does not like and tidies the target.

use std::io::{self, BufRead, Read};

/// The most that a test could want to read, so that a runaway peer fails a test and not the
/// machine.
const MAX_HEAD: u64 = 1 << 20;
const MAX_BODY: u64 = 64 << 20;

/// A start line and the headers that followed it, in order, names lower-cased.
pub(crate) struct Head {
    pub(crate) start: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl Head {
    /// Reads one head, or `None` where the peer closed the connection before sending any of it.
    pub(crate) fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut reader = reader.take(MAX_HEAD);
        let Some(start) = line(&mut reader)? else {
            return Ok(None);
        };
        let mut headers = Vec::new();
        loop {
            let line = line(&mut reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if line.is_empty() {
                break;
            }
            let colon = line
                .iter()
                .position(|&byte| byte == b':')
                .ok_or_else(|| invalid("a header without a colon"))?;
            let (name, value) = (&line[..colon], &line[colon + 1..]);
            headers.push((String::from_utf8_lossy(name).to_ascii_lowercase(), value.trim_ascii().to_vec()));
        }
        Ok(Some(Self { start: text(&start), headers }))
    }

    /// The first header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        first(&self.headers, name)
    }

    /// How the body that follows is delimited. `fallback` answers for a head that does not say:
    /// nothing after a request, everything until the end after a response.
    pub(crate) fn framing(&self, fallback: Framing) -> io::Result<Framing> {
        let chunked = |value: &[u8]| value.to_ascii_lowercase().ends_with(b"chunked");
        if self.header("transfer-encoding").is_some_and(chunked) {
            return Ok(Framing::Chunked);
        }
        match self.header("content-length") {
            Some(length) => text(length)
                .parse()
                .map(Framing::Length)
                .map_err(|_| invalid("a content-length that is no number")),
            None => Ok(fallback),
        }
    }
}

/// Where a body ends.
#[derive(Clone, Copy)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

impl Framing {
    pub(crate) fn read(self, reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        match self {
            Self::Length(length) => exactly(reader, length, &mut body)?,
            Self::UntilClose => {
                reader.take(MAX_BODY).read_to_end(&mut body)?;
            }
            Self::Chunked => loop {
                let size = line(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
                let size = text(size.split(|&byte| byte == b';').next().unwrap_or_default());
                let size =
                    u64::from_str_radix(size.trim(), 16).map_err(|_| invalid("a chunk without a size"))?;
                if size == 0 {
                    // Trailers, if any, and the empty line that ends them.
                    while line(reader)?.is_some_and(|trailer| !trailer.is_empty()) {}
                    break;
                }
                exactly(reader, size, &mut body)?;
                line(reader)?;
            },
        }
        Ok(body)
    }
}

/// The first header of that name, whatever its case.
pub(crate) fn first<'a>(headers: &'a [(String, Vec<u8>)], name: &str) -> Option<&'a [u8]> {
    headers
        .iter()
        .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_slice())
}

/// UTF-8 where it is, and otherwise one character for each byte, so that no byte gets lost.
pub(crate) fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().copied().map(char::from).collect(), str::to_owned)
}

pub(crate) fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

pub(crate) fn line(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.pop_if(|&mut last| last == b'\n').is_none() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.pop_if(|&mut last| last == b'\r');
    Ok(Some(line))
}

fn exactly(reader: &mut impl BufRead, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
    if length > MAX_BODY {
        return Err(invalid("a body larger than any test needs"));
    }
    let read = reader.take(length).read_to_end(body)?;
    if read as u64 == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
