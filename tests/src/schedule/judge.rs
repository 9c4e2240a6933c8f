//! What was seen is held against what may be.

use std::time::Duration;

use super::known::Known;
use super::run::{Done, HASHED, Run, Stop};
use super::world::{self, FORGED, SUBJECT};
use super::{Answer, Auth, Counts, Place, Span};
use crate::vm::{Cost, Headers, Stream};

/// The most answers and resumptions that a callback may ask for.
const MOST_SETTLED: usize = 40;
/// How many waiting requests are decided in one callback, at least.
const SLICE: usize = 32;
/// How long a request waits, at most.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a login waits for its body, at most.
const LOGIN: Duration = Duration::from_secs(20);
/// The shortest period of ticks, in milliseconds, where nothing waits.
const IDLE: u32 = 100;
/// The greatest depth of callbacks: those answers, one within the other.
const DEEPEST: usize = MOST_SETTLED + 2;

/// The most instructions of a callback: what it costs to take in what was sent or fetched, and what it costs
/// to decide each of the requests that are decided in it, be it that they wait on. A signature that the host
/// does not check is the most of that.
fn limit(cost: &Cost, native: bool) -> u64 {
    const CALLBACK: u64 = 3_000_000;
    let request = if native { 400_000 } else { 28_000_000 };
    let wakes = matches!(cost.callback, "proxy_on_tick" | "proxy_on_http_call_response");
    CALLBACK + request * if wakes { SLICE as u64 } else { 1 }
}

fn wrong(what: impl Into<String>) -> Done {
    Err(Stop::Wrong(what.into()))
}

fn values<'a>(headers: &'a Headers, name: &'a str) -> impl Iterator<Item = &'a str> {
    headers.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
}

fn is_forged(headers: &Headers) -> bool {
    headers.iter().any(|(name, value)| name.starts_with("x-auth-") && value == FORGED)
}

impl Run {
    /// Holds what was seen since the last time against what may be.
    pub(super) fn check(&mut self) -> Done {
        let (now, native) = (self.now(), self.native && !self.known.faulty);
        let streams = &mut self.machine.state().streams;
        if let Some(what) = streams.wrong.first() {
            let number = what.split([' ', ':']).nth(1).and_then(|number| number.parse::<u32>().ok());
            let head = number.and_then(|number| Some(self.asked.get(&number)?.head));
            return wrong(format!("{what}: {head:?}"));
        }
        for cost in std::mem::take(&mut streams.costs) {
            self.counts.cost(&cost, native);
            let configures = cost.callback == "proxy_on_configure";
            if cost.settled > MOST_SETTLED || (cost.instructions > limit(&cost, native) && !configures) {
                return wrong(format!("too much work at once: {cost:?}"));
            }
        }
        if streams.deepest > DEEPEST {
            return wrong(format!("callbacks within callbacks, {} of them", streams.deepest));
        }
        self.counts.deepest = self.counts.deepest.max(streams.deepest);
        for (id, asked) in &self.asked {
            let stream = &streams.each[id];
            let done = (|| {
                if !stream.replies.is_empty() && self.judged.insert((*id, "reply")) {
                    self.counts.answered.entry(stream.replies[0].status).and_modify(|n| *n += 1).or_insert(1);
                    if self.known.must(asked) || (stream.passed && !self.known.faulty) {
                        return wrong("it is refused");
                    }
                    let body = self.sent.get(id).map_or(&[][..], Vec::as_slice);
                    return check_reply(asked.head.place, stream, body);
                }
                if stream.passed && self.judged.insert((*id, "head")) {
                    *self.counts.allowed.entry(asked.head.place).or_default() += 1;
                    let may = self.known.may(asked, now);
                    if !may.pass() {
                        return wrong("it goes on");
                    }
                    return check_head(asked.head, stream, &may);
                }
                if stream.trailers_passed && self.judged.insert((*id, "trailers")) {
                    let trailers = stream.trailers.as_ref();
                    if trailers.is_some_and(is_forged) {
                        return wrong("what the client said of itself in trailers goes on");
                    }
                }
                Ok(())
            })();
            if let Err(Stop::Wrong(what)) = done {
                return wrong(format!("stream {id}: {what}: {:?}, {stream:?}", asked.head));
            }
        }
        Ok(())
    }

    /// The requests that are to be decided by the ticks that come now: all that they wait for is there, or
    /// they have waited long enough. More of them than fit in a slice are given time.
    pub(super) fn due(&self, now: Duration) -> Vec<u32> {
        let is_due = |id: &u32| {
            let asked = &self.asked[id];
            let patience = if asked.head.place == Place::Login { LOGIN } else { PATIENCE };
            now >= asked.since + patience || self.known.is_ripe(asked, now)
        };
        // A login takes a turn too, when it is looked whether its body still may come.
        if self.undecided().count() > SLICE || self.known.faulty {
            return Vec::new();
        }
        self.undecided().map(|(id, _)| id).filter(is_due).collect()
    }

    /// Holds them to it.
    pub(super) fn check_due(&self, due: &[u32]) -> Done {
        match self.undecided().find(|(id, _)| due.contains(id)) {
            Some((id, stream)) => {
                wrong(format!("stream {id} is left waiting: {:?}, {stream:?}", self.asked[&id].head))
            }
            None => Ok(()),
        }
    }

    /// Everything is answered and time passes: then each request has been decided.
    pub(super) fn end(&mut self) -> Done {
        for round in 0..24 {
            self.answer_all(Answer::First)?;
            self.check()?;
            self.time(if round < 20 { Span::Second } else { Span::VeryLong })?;
            self.check()?;
            if round > 0 && self.undecided().next().is_none() {
                break;
            }
        }
        if let Some((id, stream)) = self.undecided().next().filter(|_| !self.known.faulty) {
            return wrong(format!("stream {id} hangs: {:?}, {stream:?}", self.asked[&id].head));
        }
        let ids: Vec<u32> = self.asked.keys().copied().collect();
        for id in ids {
            let done = self.machine.hang_up(id);
            self.done(done)?;
        }
        self.time(Span::Second)?;
        self.answer_all(Answer::First)?;
        self.time(Span::Second)?;
        self.check()?;
        let periods = &self.machine.host().streams.periods;
        if let Some((root, period)) =
            periods.iter().find(|(_, period)| !self.known.faulty && (1..IDLE).contains(*period))
        {
            return wrong(format!("root {root} has ticks every {period} ms, and nothing waits"));
        }
        self.check_hashes()
    }

    /// The requests that were neither let go on nor answered.
    fn undecided(&self) -> impl Iterator<Item = (u32, &Stream)> {
        let streams = self.machine.host().streams.each.iter();
        let undecided = |stream: &Stream| !stream.gone && !stream.passed && stream.replies.is_empty();
        streams.filter(move |(_, stream)| undecided(stream)).map(|(id, stream)| (*id, stream))
    }

    /// A password is hashed once for a request, at most.
    fn check_hashes(&mut self) -> Done {
        let hashed = self.machine.stat(HASHED).unwrap_or_default();
        let password = |auth: Auth| matches!(auth, Auth::BasicRight | Auth::BasicWrong);
        let asks = |place: Place| matches!(place, Place::Either | Place::Password);
        let may = |head: super::Head| head.place == Place::Login || (asks(head.place) && password(head.auth));
        let most = self.asked.values().filter(|asked| may(asked.head)).count();
        if usize::try_from(hashed).is_ok_and(|hashed| hashed <= most) {
            return Ok(());
        }
        wrong(format!("{hashed} passwords were hashed for {most} requests with one"))
    }

    pub(super) fn count(mut self) -> Counts {
        self.counts.faulty = u64::from(self.known.faulty);
        self.counts
    }
}

fn check_reply(place: Place, stream: &Stream, body: &[u8]) -> Done {
    let status = stream.replies[0].status;
    match (place, status) {
        (_, 400..=599) => Ok(()),
        (Place::Login, 200) if world::is_login(body) => Ok(()),
        _ => wrong(format!("it is answered with {status}")),
    }
}

fn check_head(head: super::Head, stream: &Stream, may: &super::known::May) -> Done {
    if is_forged(&stream.head) {
        return wrong("what the client said of itself goes on");
    }
    let told: Vec<&str> = values(&stream.head, SUBJECT).collect();
    let fits = match told.as_slice() {
        [] => may.anonymous,
        [one] => may.subjects.contains(*one),
        _ => false,
    };
    if !fits {
        return wrong(format!("it goes on as {told:?}, not as one of {may:?}"));
    }
    match ["authorization", "cookie", "x-api-key"]
        .iter()
        .find(|name| Known::strips(head, name) && values(&stream.head, name).next().is_some())
    {
        Some(name) => wrong(format!("its credential goes on: {name}")),
        None => Ok(()),
    }
}
