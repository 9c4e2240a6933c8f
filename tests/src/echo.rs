//! An upstream that tells the test what reached it.

use std::collections::HashMap;
use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use serde_json::{Value, json};

use crate::wire::{Framing, Head, text};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The request target, query included.
    pub path: String,
    /// Lower-cased names and the values, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// `{"method", "path", "headers": [[name, value], ...], "body"}`.
    pub fn to_json(&self) -> Value {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| json!([name, text(value)])).collect();
        json!({
            "method": self.method,
            "path": self.path,
            "headers": headers,
            "body": text(&self.body),
        })
    }
}

/// What an upstream answers.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Headers beside `content-length`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// 200 with a JSON body.
    pub fn json(body: &Value) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }

    /// A status and nothing else.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }
}

/// An HTTP/1.1 server on a port of its own, gone when dropped.
pub struct Upstream {
    addr: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    handler: Box<dyn Fn(&Received) -> Reply + Send + Sync>,
    hits: AtomicUsize,
    stopping: AtomicBool,
    // What a thread blocks on, so that dropping the upstream can end the threads that Envoy's
    // kept-alive connections would keep waiting.
    open: Mutex<HashMap<usize, TcpStream>>,
}

impl Upstream {
    /// An upstream that answers every request with 200 and [what arrived](Received::to_json).
    ///
    /// # Panics
    /// If no port can be had.
    pub fn start() -> Self {
        Self::serve(|request| Reply::json(&request.to_json()))
    }

    /// An upstream that answers as `handler` says: an identity provider, say.
    ///
    /// # Panics
    /// If no port can be had.
    pub fn serve(handler: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let addr = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            hits: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            open: Mutex::default(),
        });
        let acceptor = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Self { addr, shared, acceptor: Some(acceptor) }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many requests have reached it.
    pub fn hits(&self) -> usize {
        self.shared.hits.load(Ordering::SeqCst)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Only a connection wakes up a thread that is in accept().
        drop(TcpStream::connect(self.addr));
        if let Some(acceptor) = self.acceptor.take() {
            drop(acceptor.join());
        }
        for stream in self.shared.open().values() {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, HashMap<usize, TcpStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for (id, stream) in listener.incoming().enumerate() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let Ok(handle) = stream.try_clone() else { continue };
        shared.open().insert(id, handle);
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            // A peer that breaks off is not the upstream's concern: the test sees its own side.
            drop(converse(stream, &shared));
            shared.open().remove(&id);
        });
    }
}

fn converse(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(head) = Head::read(&mut reader)? {
        let body = head.framing(Framing::Length(0))?.read(&mut reader)?;
        let close = head.header("connection").is_some_and(|value| value.eq_ignore_ascii_case(b"close"));
        let mut words = head.start.splitn(3, ' ').map(str::to_owned);
        let request = Received {
            method: words.next().unwrap_or_default(),
            path: words.next().unwrap_or_default(),
            headers: head.headers,
            body,
        };
        shared.hits.fetch_add(1, Ordering::SeqCst);
        let reply = (shared.handler)(&request);
        reader.get_mut().write_all(&reply.to_bytes(request.method == "HEAD"))?;
        if close {
            break;
        }
    }
    Ok(())
}

impl Reply {
    pub(crate) fn to_bytes(&self, head_only: bool) -> Vec<u8> {
        let mut bytes = format!("HTTP/1.1 {} -\r\n", self.status).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", self.body.len()).as_bytes());
        if !head_only {
            bytes.extend_from_slice(&self.body);
        }
        bytes
    }
}

#[cfg(test)]
#[path = "echo_tests.rs"]
mod tests;
