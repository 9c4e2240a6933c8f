//! An upstream that writes a request down from its first byte on: when its head came, what of its body,
//! its trailers, and whether it came whole. It speaks HTTP/1.1, with trailers and upgrades.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::wire::{Framing, Head, first, invalid, line, text};

/// What of a request has come.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When its head was there.
    pub at: Instant,
    /// The request line.
    pub start: String,
    /// Lower-cased names and the values, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, so far.
    pub body: Vec<u8>,
    /// What followed the body, as `headers`.
    pub trailers: Vec<(String, Vec<u8>)>,
    /// Whether its end has come.
    pub is_whole: bool,
}

impl Arrival {
    /// Every value of that header, in order.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<String> {
        let own = self.headers.iter().filter(|(own, _)| own == name);
        own.map(|(_, value)| text(value)).collect()
    }

    /// The first trailer of that name.
    #[must_use]
    pub fn trailer(&self, name: &str) -> Option<String> {
        first(&self.trailers, name).map(text)
    }

    /// Whether this is anywhere in its head or its trailers.
    #[must_use]
    pub fn says(&self, what: &str) -> bool {
        let fields = self.headers.iter().chain(&self.trailers);
        self.start.contains(what) || fields.into_iter().any(|(_, value)| text(value).contains(what))
    }
}

#[derive(Default)]
struct Book {
    arrivals: Mutex<Vec<Arrival>>,
    changed: Condvar,
}

impl Book {
    fn arrivals(&self) -> MutexGuard<'_, Vec<Arrival>> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, index: usize, change: impl FnOnce(&mut Arrival)) {
        if let Some(arrival) = self.arrivals().get_mut(index) {
            change(arrival);
        }
        self.changed.notify_all();
    }
}

/// The upstream. It serves as long as the test runs.
pub struct Witness {
    addr: SocketAddr,
    book: Arc<Book>,
}

impl Witness {
    /// Starts one that answers 200 to everything, and 101 where it is asked for a WebSocket, whose bytes
    /// it sends back.
    ///
    /// # Panics
    /// If no port can be had.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let book = Arc::new(Book::default());
        thread::spawn({
            let book = Arc::clone(&book);
            move || {
                for stream in listener.incoming().flatten() {
                    let book = Arc::clone(&book);
                    thread::spawn(move || drop(converse(stream, &book)));
                }
            }
        });
        Self { addr, book }
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// All that came, in order.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.book.arrivals().clone()
    }

    /// What came with this value of this header.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Vec<Arrival> {
        let arrivals = self.book.arrivals();
        let is_it = |own: &&Arrival| first(&own.headers, name) == Some(value.as_bytes());
        arrivals.iter().filter(is_it).cloned().collect()
    }

    /// The same, as soon as `is_enough` says so, and at the latest when `within` is over.
    #[must_use]
    pub fn wait_for(
        &self,
        name: &str,
        value: &str,
        within: Duration,
        is_enough: impl Fn(&[Arrival]) -> bool,
    ) -> Vec<Arrival> {
        let deadline = Instant::now() + within;
        loop {
            let found = self.with(name, value);
            let left = deadline.saturating_duration_since(Instant::now());
            if is_enough(&found) || left.is_zero() {
                return found;
            }
            let arrivals = self.book.arrivals();
            // Looked at again from time to time: something may have come between the two looks.
            let wait = self.book.changed.wait_timeout(arrivals, left.min(Duration::from_millis(20)));
            drop(wait.unwrap_or_else(PoisonError::into_inner));
        }
    }
}

fn converse(stream: TcpStream, book: &Book) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(head) = Head::read(&mut reader)? {
        let is_upgrade = head.header("upgrade").is_some();
        let is_grpc = head.header("content-type").is_some_and(|kind| kind.starts_with(b"application/grpc"));
        let framing = head.framing(Framing::Length(0))?;
        let index = {
            let mut arrivals = book.arrivals();
            arrivals.push(Arrival {
                at: Instant::now(),
                start: head.start,
                headers: head.headers,
                body: Vec::new(),
                trailers: Vec::new(),
                is_whole: false,
            });
            arrivals.len() - 1
        };
        book.changed.notify_all();
        if is_upgrade {
            return echo(&mut reader, book, index);
        }
        read_body(framing, &mut reader, book, index)?;
        let kind = if is_grpc { "content-type: application/grpc\r\ngrpc-status: 0\r\n" } else { "" };
        reader
            .get_mut()
            .write_all(format!("HTTP/1.1 200 -\r\n{kind}content-length: 0\r\n\r\n").as_bytes())?;
    }
    Ok(())
}

fn read_body(framing: Framing, reader: &mut impl BufRead, book: &Book, index: usize) -> io::Result<()> {
    match framing {
        Framing::Length(length) => copy(reader, length, book, index)?,
        Framing::UntilClose => return Err(invalid("a request without an end")),
        Framing::Chunked => loop {
            let size = text(&line(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?);
            let size = u64::from_str_radix(size.trim(), 16).map_err(|_| invalid("a chunk without a size"))?;
            if size > 0 {
                copy(reader, size, book, index)?;
                line(reader)?;
                continue;
            }
            while let Some(trailer) = line(reader)?.filter(|trailer| !trailer.is_empty()) {
                let trailer = text(&trailer);
                let (name, value) = trailer.split_once(':').unwrap_or((&trailer, ""));
                let pair = (name.to_ascii_lowercase(), value.trim().as_bytes().to_vec());
                book.write(index, |arrival| arrival.trailers.push(pair));
            }
            break;
        },
    }
    book.write(index, |arrival| arrival.is_whole = true);
    Ok(())
}

fn copy(reader: &mut impl BufRead, length: u64, book: &Book, index: usize) -> io::Result<()> {
    let mut left = length;
    while left > 0 {
        let mut piece = Vec::new();
        let size = reader.fill_buf()?.len() as u64;
        if size == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        reader.by_ref().take(size.min(left)).read_to_end(&mut piece)?;
        left -= piece.len() as u64;
        book.write(index, |arrival| arrival.body.extend(piece));
    }
    Ok(())
}

/// What follows an upgrade.
fn echo(reader: &mut BufReader<TcpStream>, book: &Book, index: usize) -> io::Result<()> {
    let answer = "HTTP/1.1 101 -\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    reader.get_mut().write_all(answer.as_bytes())?;
    loop {
        let piece = reader.fill_buf()?.to_vec();
        if piece.is_empty() {
            return Ok(());
        }
        reader.consume(piece.len());
        reader.get_mut().write_all(&piece)?;
        book.write(index, |arrival| arrival.body.extend(piece));
    }
}
