//! Good and bad requests, one after the other from several clients, while something else goes on.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lychgate_tests::http::{Connection, Request, Response};

/// A request, and what may become of it.
#[derive(Clone)]
pub struct Kind {
    pub name: &'static str,
    pub request: Request,
    /// The answers that it may get.
    pub may: Vec<u16>,
    /// Whether an answer of 200 to it comes from the upstream.
    pub passes: bool,
}

/// What a request was answered with; 0: nothing.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub kind: usize,
    pub status: u16,
    /// Whether it went over a connection of its own.
    pub fresh: bool,
    pub began: Instant,
    pub ended: Instant,
}

/// All answers of a time.
pub struct Traffic {
    pub answers: Vec<Answer>,
}

/// How many clients there are: every other one keeps its connection.
const CLIENTS: usize = 6;
/// How long a client rests after each answer, lest it be all that the machine does.
const REST: Duration = Duration::from_millis(1);

/// Sends requests of these kinds in turn until `work` is done.
pub fn beside<T>(addr: SocketAddr, kinds: &[Kind], work: impl FnOnce() -> T) -> (T, Traffic) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let stop = &stop;
                scope.spawn(move || {
                    let mut answers = Vec::new();
                    let mut line = None;
                    for turn in client.. {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let kind = turn % kinds.len();
                        let began = Instant::now();
                        let keeps = client % 2 == 0;
                        let status = ask(&mut line, addr, &kinds[kind].request, keeps);
                        answers.push(Answer { kind, status, fresh: !keeps, began, ended: Instant::now() });
                        thread::sleep(REST);
                    }
                    answers
                })
            })
            .collect();
        // Also where the work panics, the clients come to an end.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        stop.store(true, Ordering::Relaxed);
        let answers = clients.into_iter().flat_map(|client| client.join().expect("a client")).collect();
        match done {
            Ok(done) => (done, Traffic { answers }),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn ask(line: &mut Option<Connection>, addr: SocketAddr, request: &Request, keeps: bool) -> u16 {
    // A connection that was kept may have been closed in the meantime, which says nothing of the request.
    if let Some(mut kept) = line.take()
        && let Ok(response) = kept.send(request)
    {
        if keeps && !closes(&response) {
            *line = Some(kept);
        }
        return response.status;
    }
    let Ok(mut fresh) = Connection::open(addr) else { return 0 };
    let Ok(response) = fresh.send(request) else { return 0 };
    if keeps && !closes(&response) {
        *line = Some(fresh);
    }
    response.status
}

fn closes(response: &Response) -> bool {
    response.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
}

impl Traffic {
    /// Fails if a request got an answer that it may not get. How many of which status there were.
    pub fn check(&self, kinds: &[Kind], when: &str) -> BTreeMap<u16, usize> {
        let mut seen = BTreeMap::new();
        let mut mistakes = BTreeMap::new();
        for answer in &self.answers {
            let kind = &kinds[answer.kind];
            *seen.entry(answer.status).or_default() += 1;
            if !kind.may.contains(&answer.status) {
                *mistakes.entry((kind.name, answer.status)).or_insert(0_usize) += 1;
            }
        }
        println!("{when}: {} requests, {seen:?}, mistakes: {mistakes:?}", self.answers.len());
        assert!(mistakes.is_empty(), "{when}: {mistakes:?}");
        seen
    }

    /// How many requests the upstream should have seen.
    pub fn passed(&self, kinds: &[Kind]) -> usize {
        self.answers.iter().filter(|answer| answer.status == 200 && kinds[answer.kind].passes).count()
    }
}
