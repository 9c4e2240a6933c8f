//! Many requests at once, as Envoy has them: each with a head, a body and trailers of its own. A host
//! call speaks of the *effective context*. An answer or a resumption is carried out once the callback
//! has returned, and enters the module again, at whose end the next one is carried out: the depth is
//! the number of them that one callback asked for.

mod drive;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Headers, LocalResponse, State};

const OK: u32 = 0;
const BAD_ARGUMENT: u32 = 2;

/// One request.
#[derive(Debug, Default)]
pub struct Stream {
    /// The root context that it belongs to.
    pub root: u32,
    /// Its headers, as they are.
    pub head: Headers,
    /// Its body, as far as it is buffered.
    pub body: Vec<u8>,
    /// Its trailers, as they are, once the plugin was shown them.
    pub trailers: Option<Headers>,
    /// The answers that the plugin gave it.
    pub replies: Vec<LocalResponse>,
    /// Whether the host did not take an answer to it.
    pub reply_failed: bool,
    /// How often the plugin had it go on.
    pub resumed: u32,
    /// Whether its head went on to the upstream.
    pub passed: bool,
    /// Whether its trailers did.
    pub trailers_passed: bool,
    /// Whether the client got the plugin's answer.
    pub answered: bool,
    /// Whether it is over.
    pub gone: bool,
    /// Whether all of it was sent by the client.
    pub complete: bool,
    /// The client's connection.
    pub connection: u64,
    /// Whether the plugin is at its trailers.
    in_trailers: bool,
    /// The bytes of it that the host has received, handed over or not.
    received: u64,
    /// Whether the plugin may look at its head, and at its trailers.
    open: (bool, bool),
    /// What waits behind a head that holds back all that follows.
    behind: Behind,
}

#[derive(Debug, Default)]
struct Behind {
    body: Vec<u8>,
    end: bool,
    trailers: Option<Headers>,
}

/// What a callback cost, without those that it led to.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// The callback.
    pub callback: &'static str,
    /// Its instructions, where they are metered.
    pub instructions: u64,
    /// How many answers and resumptions it asked for.
    pub settled: usize,
}

#[derive(Debug)]
enum Action {
    Reply(u32),
    Resume(u32),
}

/// The requests, and what was seen of the plugin that must not be.
#[derive(Default)]
pub struct Streams {
    /// Each by the number of its context.
    pub each: BTreeMap<u32, Stream>,
    /// The root contexts.
    pub roots: BTreeSet<u32>,
    /// The period of ticks of each root context, in milliseconds.
    pub periods: BTreeMap<u32, u32>,
    /// Whether a head that is held back holds back what follows, as without
    /// `allow_on_headers_stop_iteration`.
    pub holds_all: bool,
    /// Whether a request is over as soon as it is answered.
    pub ends_at_once: bool,
    /// What went wrong whatever the policy says.
    pub wrong: Vec<String>,
    /// What callbacks cost.
    pub costs: Vec<Cost>,
    /// The greatest depth of callbacks.
    pub deepest: usize,
    current: u32,
    effective: u32,
    depth: usize,
    queue: VecDeque<Action>,
    queued: usize,
}

impl Streams {
    fn complain(&mut self, id: u32, what: &str) {
        self.wrong.push(format!("stream {id}: {what}"));
    }
}

impl State {
    /// The context that a host call speaks of; 0: there is but one request.
    pub(super) fn context(&self) -> u32 {
        if self.streams.effective == 0 { self.streams.current } else { self.streams.effective }
    }

    fn spoken_of(&mut self) -> Option<(u32, &mut Stream)> {
        let id = self.context();
        let stream = self.streams.each.get_mut(&id).filter(|stream| !stream.gone)?;
        Some((id, stream))
    }

    pub(super) fn head(&mut self) -> Option<&mut Headers> {
        if self.context() == 0 {
            return Some(&mut self.request);
        }
        self.spoken_of().filter(|(_, stream)| stream.open.0).map(|(_, stream)| &mut stream.head)
    }

    pub(super) fn tail(&mut self) -> Option<&mut Headers> {
        let (_, stream) = self.spoken_of()?;
        if stream.open.1 { stream.trailers.as_mut() } else { None }
    }

    pub(super) fn buffer(&mut self) -> Option<&mut Vec<u8>> {
        if self.context() == 0 {
            return Some(&mut self.body);
        }
        self.spoken_of().map(|(_, stream)| &mut stream.body)
    }

    /// Whether the request, if it is one that is spoken of, has a client.
    pub(super) fn has_client(&self) -> bool {
        let id = self.context();
        id == 0 || self.streams.each.contains_key(&id)
    }

    /// Where its client is.
    pub(super) fn client(&self) -> String {
        if self.are_apart {
            return format!("[2001:db8:{:x}::1]:40000", self.context());
        }
        "192.0.2.1:40000".to_owned()
    }

    /// The number of the client's connection, where many requests are worked on.
    pub(super) fn connection(&self) -> Option<u64> {
        self.streams.each.get(&self.context()).map(|stream| stream.connection)
    }

    /// The bytes that came of the request, where many are worked on.
    pub(super) fn received(&self) -> Option<u64> {
        self.streams.each.get(&self.context()).map(|stream| stream.received)
    }

    pub(super) fn speak_of(&mut self, context: u32) -> u32 {
        let streams = &mut self.streams;
        let is_live = |stream: &Stream| !stream.gone;
        if streams.current != 0
            && !streams.roots.contains(&context)
            && !streams.each.get(&context).is_some_and(is_live)
        {
            return BAD_ARGUMENT;
        }
        if streams.current != 0 {
            streams.effective = context;
        }
        OK
    }

    pub(super) fn period(&mut self, milliseconds: u32) {
        self.tick = milliseconds;
        let id = self.context();
        let root = self.streams.each.get(&id).map_or(id, |stream| stream.root);
        self.streams.periods.insert(root, milliseconds);
    }

    pub(super) fn reply(&mut self, response: LocalResponse) -> u32 {
        if self.context() == 0 {
            self.response = Some(response);
            return OK;
        }
        // One that no request is spoken of with goes nowhere, and Envoy does not say so.
        let Some((id, stream)) = self.spoken_of() else { return OK };
        // Trailers that cannot be cleaned are a reason to end a request whose head went on.
        let went_on = (stream.passed || stream.resumed > 0) && !stream.in_trailers;
        let wrong = match (went_on, stream.replies.is_empty()) {
            (true, _) => Some("answered after it was let go on"),
            (false, false) => Some("answered twice"),
            (false, true) => None,
        };
        stream.replies.push(response);
        wrong.into_iter().for_each(|wrong| self.streams.complain(id, wrong));
        self.streams.queue.push_back(Action::Reply(id));
        self.streams.queued += 1;
        OK
    }

    /// The host did not take an answer: the request stays where it is, and goes nowhere.
    pub(super) fn reply_failed(&mut self) {
        if let Some((_, stream)) = self.spoken_of() {
            stream.reply_failed = true;
        }
    }

    pub(super) fn resume(&mut self) -> u32 {
        if self.context() == 0 {
            self.resumed = true;
            return OK;
        }
        let Some((id, stream)) = self.spoken_of() else { return OK };
        let wrong = match (stream.passed || stream.resumed > 0, stream.replies.is_empty()) {
            (_, false) => Some("resumed after it was answered"),
            (true, _) => Some("resumed twice"),
            (false, true) => None,
        };
        stream.resumed += 1;
        stream.open = (false, false);
        wrong.into_iter().for_each(|wrong| self.streams.complain(id, wrong));
        self.streams.queue.push_back(Action::Resume(id));
        self.streams.queued += 1;
        OK
    }
}
