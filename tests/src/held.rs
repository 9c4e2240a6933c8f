//! A server of key sets, discovery documents, answers about tokens and lists, which answers when the test
//! says so and as it says: what comes before, during and after an answer is not left to the clock.

use std::collections::HashMap;
use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::echo::Reply;
use crate::wire::{Framing, Head, text};

/// Longer than any caller waits.
const PATIENCE: Duration = Duration::from_secs(90);

/// What the test has to say to a question.
#[derive(Clone, Debug)]
enum Word {
    Reply(Reply),
    HangUp,
}

#[derive(Default)]
struct Book {
    /// How often each was asked.
    asked: HashMap<String, usize>,
    words: HashMap<String, Word>,
}

#[derive(Default)]
struct Shared {
    book: Mutex<Book>,
    changed: Condvar,
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_until<T>(&self, within: Duration, mut look: impl FnMut(&mut Book) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + within;
        let mut book = self.book();
        loop {
            if let Some(found) = look(&mut book) {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            book = self.changed.wait_timeout(book, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The server. A question is named by its path, or by the token that is asked after, and by a number behind
/// it from the second time on: `/jwks`, `/jwks#2`.
pub struct Held {
    addr: SocketAddr,
    shared: Arc<Shared>,
}

impl Held {
    /// Starts one that answers nothing yet.
    ///
    /// # Panics
    /// If no port can be had.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for stream in listener.incoming().flatten() {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || drop(converse(stream, &shared)));
                }
            }
        });
        Self { addr, shared }
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Answers this question, when it comes or now that it is there.
    pub fn release(&self, name: &str, reply: Reply) {
        self.shared.book().words.insert(name.to_owned(), Word::Reply(reply));
        self.shared.changed.notify_all();
    }

    /// Hangs up on a client that asks this.
    pub fn hang_up(&self, name: &str) {
        self.shared.book().words.insert(name.to_owned(), Word::HangUp);
        self.shared.changed.notify_all();
    }

    /// Waits until this is asked; says whether it was.
    #[must_use]
    pub fn is_asked(&self, name: &str, within: Duration) -> bool {
        let (path, number) = name.split_once('#').unwrap_or((name, "1"));
        let number: usize = number.parse().unwrap_or(1);
        let asked = |book: &mut Book| book.asked.get(path).is_some_and(|asked| *asked >= number);
        self.shared.wait_until(within, |book| asked(book).then_some(())).is_some()
    }

    /// How many questions have come.
    #[must_use]
    pub fn questions(&self) -> usize {
        self.shared.book().asked.values().sum()
    }
}

fn converse(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(head) = Head::read(&mut reader)? {
        let body = head.framing(Framing::Length(0))?.read(&mut reader)?;
        let target = head.start.split(' ').nth(1).unwrap_or_default().to_owned();
        let body = text(&body);
        let token = body.split('&').find_map(|pair| pair.strip_prefix("token="));
        let name = token.map_or(target, str::to_owned);
        let name = {
            let mut book = shared.book();
            let asked = book.asked.entry(name.clone()).or_default();
            *asked += 1;
            if *asked == 1 { name } else { format!("{name}#{asked}") }
        };
        shared.changed.notify_all();
        match shared.wait_until(PATIENCE, |book| book.words.get(&name).cloned()) {
            Some(Word::Reply(reply)) => reader.get_mut().write_all(&reply.to_bytes(false))?,
            Some(Word::HangUp) | None => return Ok(()),
        }
    }
    Ok(())
}
