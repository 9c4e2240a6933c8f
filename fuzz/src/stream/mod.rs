//! The native module's hooks, as Envoy calls them, over memory that is freed when Envoy may free it: orders of requests,
//! bodies, ends, wakings and answers to calls, on Envoy's main thread and on two workers. With the address sanitizer
//! (`make fuzz`) a use of what is gone ends the run.

#![allow(unsafe_code, reason = "plays Envoy's part of an interface in C")]

mod config;
mod envoy;
mod functions;
mod hooks;
mod requests;
mod threads;
mod turn;

use std::cell::RefCell;
use std::collections::HashMap;
use std::ptr::null;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use config::{Config, Held, Route, refuse};
use envoy::{Envoy, Own, Rest, Stream, THEIRS, pair};
use hooks::{
    envoy_dynamic_module_on_http_filter_new, envoy_dynamic_module_on_http_filter_request_body,
    envoy_dynamic_module_on_http_filter_request_headers,
    envoy_dynamic_module_on_http_filter_request_trailers,
    envoy_dynamic_module_on_http_filter_response_headers,
};
use lychgate_module as _;
use requests::{Input, Kind, request};
use threads::on_other_worker;

/// The most events that are run, so that one input stays a matter of milliseconds.
const MOST: usize = 80;
/// How long a request may take that everything is there for. Passwords are hashed on threads of low priority.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same where the issuer's answer is all that is needed. After ten seconds it would be refused because of them.
const PATIENCE_WITH_CALLS: Duration = Duration::from_secs(8);

/// What the module's hook for a head gives if Envoy is to keep back what follows.
const STOP_ALL: u32 = 4;

thread_local! {
    /// Requests that ended while they were being answered: one hook may answer several.
    static ENDED: RefCell<Vec<Stream>> = const { RefCell::new(Vec::new()) };
}

/// A number that nothing else has.
fn number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn note_end(stream: Option<Stream>) {
    ENDED.with_borrow_mut(|ended| ended.extend(stream));
}

struct Request {
    kind: Kind,
    config: usize,
    route: Option<usize>,
    /// All of it was sent.
    is_whole: bool,
    has_passed: bool,
    is_head_judged: bool,
}

/// What Envoy does for the rest of an input, one bit each, and what calls come to.
struct Ways {
    ends_configs_on_worker: bool,
    ends_routes_on_worker: bool,
    /// Clients go at the end before what they wait for is there, so that calls for them are never answered.
    clients_go: bool,
}

struct World {
    configs: Held<Config>,
    routes: Held<Route>,
    requests: HashMap<u64, Request>,
    ways: Ways,
    /// The issuer said of an opaque token that it is good.
    was_told_good: bool,
}

/// No order of events has the module use what is gone, lets a request by that may not pass, answers it twice, or leaves
/// it hanging.
pub fn run(data: &[u8]) {
    assert!(functions::are_found(), "the executable offers what is looked for at run time");
    functions::set_status_of_calls(0);
    let mut input = Input(data);
    let mut world = World {
        configs: Held::new(),
        routes: Held::new(),
        requests: HashMap::new(),
        ways: Ways { ends_configs_on_worker: false, ends_routes_on_worker: false, clients_go: false },
        was_told_good: false,
    };
    world.replace();
    for _ in 0..MOST {
        if input.0.is_empty() {
            break;
        }
        let what = input.next();
        if what < 128 {
            world.step(what, &mut input);
        } else {
            on_other_worker(|| world.step(what, &mut input));
        }
    }
    world.finish();
}

impl World {
    /// One event, on a worker or because of what happens there.
    fn step(&mut self, what: usize, input: &mut Input<'_>) {
        match what % 13 {
            0..=2 => self.begin(input),
            3 => self.with_one(input, Self::send_body),
            4 => self.with_one(input, Self::send_trailers),
            5 => self.with_one(input, |world, id, _| world.end(id)),
            6 => self.turn(input.next()),
            7 => self.with_one(input, Self::answer),
            8 => self.replace(),
            9 => self.change_route(),
            10 => refuse(input),
            11 => self.end_all(),
            _ => self.choose(input.next()),
        }
    }

    /// A new configuration takes the place of the one in force. Each third asks nobody.
    fn replace(&mut self) {
        let has_calls = self.configs.count() % 3 != 2;
        self.configs.replace(Some(Config::good(has_calls)));
        self.sweep();
    }

    /// Ends what no request holds and what is not in force any more.
    fn sweep(&mut self) {
        for config in self.configs.over() {
            config.end(self.ways.ends_configs_on_worker);
        }
        for route in self.routes.over() {
            route.end(self.ways.ends_routes_on_worker);
        }
    }

    /// Routes have a policy of their own, then another one that asks others, and then none any more.
    fn change_route(&mut self) {
        let route = match self.routes.count() % 3 {
            0 => Some(Route::good(false)),
            1 => Some(Route::good(true)),
            _ => None,
        };
        self.routes.replace(route);
        self.sweep();
    }

    fn choose(&mut self, how: usize) {
        self.ways = Ways {
            ends_configs_on_worker: how & 1 != 0,
            ends_routes_on_worker: how & 2 != 0,
            clients_go: how & 16 != 0,
        };
        functions::set_status_of_calls([0, 2, 4, 4][how >> 2 & 3]);
    }

    fn begin(&mut self, input: &mut Input<'_>) {
        let config = self.configs.current().expect("in force");
        let (own, route) = (config.own, self.routes.current());
        let has_calls = route.map_or(config.has_calls, |route| route.has_calls);
        let (kind, path, credential) = request(input.next(), has_calls);
        let flags = input.next();
        let end = flags & 1 != 0 && kind != Kind::Login;
        let method: &[u8] = if kind == Kind::Login { b"POST" } else { b"GET" };
        let mut headers = vec![
            pair(b":method", method),
            pair(b":path", path.as_bytes()),
            pair(b":authority", b"example.org"),
        ];
        headers.extend(credential.map(|(name, value)| pair(name.as_bytes(), value.as_bytes())));
        if kind == Kind::Login {
            headers.push(pair(b"content-type", b"application/x-www-form-urlencoded"));
        }
        if flags & 2 != 0 {
            headers.push(pair(b"content-type", b"application/grpc"));
        }
        if flags & 4 != 0 {
            // What names a policy's own headers, and what a client may send beside.
            let name = ["x-auth-subject", "x-filler", "x-auth-dry-run", "cookie"][flags >> 6];
            headers.push(pair(name.as_bytes(), &input.bytes(40)));
        }
        let mut stream = Stream::new(number(), headers);
        stream.connection = self.requests.len() as u64 % 3;
        stream.dies_when_answered = flags & 8 != 0;
        if flags & 32 != 0 {
            // A filter before this one has told of another identity.
            stream.set_metadata((*b"scopes").into(), THEIRS.into(), false);
            stream.set_metadata((*b"other").into(), THEIRS.into(), false);
        }
        stream.route = route.map_or(null(), |route| route.own);
        let (id, comes) = (stream.id, flags & 16 == 0);
        let request = Request {
            kind,
            config: self.configs.hold(),
            route: (self.routes.count() != 0).then(|| self.routes.hold()),
            is_whole: end,
            has_passed: false,
            is_head_judged: comes,
        };
        self.requests.insert(id, request);
        let pointer = envoy::begin(stream);
        // SAFETY: configuration and stream are there.
        unsafe {
            let filter = envoy_dynamic_module_on_http_filter_new(own, pointer);
            envoy::stream(pointer).filter = filter;
            if !comes {
                return;
            }
            let status = envoy_dynamic_module_on_http_filter_request_headers(pointer, filter, end);
            if status == STOP_ALL
                && let Some(pointer) = envoy::find(id)
            {
                envoy::stream(pointer).rest = Some(Rest::default());
            }
            assert!(kind != Kind::Sure || flags & 4 != 0 || status == 0, "a good request is held");
            self.judge(id, status == 0);
        }
    }

    /// Does something to one of the requests that are there.
    fn with_one(&mut self, input: &mut Input<'_>, work: impl FnOnce(&mut Self, u64, &mut Input<'_>)) {
        let live = envoy::live();
        if !live.is_empty() {
            let id = live[input.next() % live.len()];
            work(self, id, input);
        }
    }

    /// Where a request is, if more of it may come.
    fn open(&self, id: u64) -> Option<(Envoy, Own)> {
        let pointer = envoy::find(id)?;
        let request = &self.requests[&id];
        // SAFETY: it is there.
        let stream = unsafe { envoy::stream(pointer) };
        let is_open = request.is_head_judged && !request.is_whole && stream.answer.is_none();
        is_open.then_some((pointer, stream.filter))
    }

    fn send_body(&mut self, id: u64, input: &mut Input<'_>) {
        let Some((pointer, filter)) = self.open(id) else { return };
        let flags = input.next();
        let piece = match flags % 4 {
            0 => b"username=johndoe&password=secret".to_vec(),
            1 => b"username=johndoe&password=guess".to_vec(),
            2 => vec![b'a'; 9000],
            _ => input.bytes(60),
        };
        let end = flags & 4 != 0;
        self.requests.get_mut(&id).expect("known").is_whole = end;
        // SAFETY: the stream is there.
        let status = unsafe {
            let stream = envoy::stream(pointer);
            if let Some(rest) = &mut stream.rest {
                rest.pieces.push(piece.into());
                rest.is_whole = end;
                return;
            }
            let before = std::mem::take(&mut stream.body[0]);
            stream.body[1].extend(before);
            stream.body[0] = vec![piece.into()];
            if end && flags & 8 != 0 && !stream.body[1].is_empty() {
                // Envoy may have put the last piece into the buffer already.
                let last = std::mem::take(&mut stream.body[0]);
                stream.body[1].extend(last);
            }
            envoy_dynamic_module_on_http_filter_request_body(pointer, filter, end)
        };
        self.judge(id, status == 0);
    }

    fn send_trailers(&mut self, id: u64, input: &mut Input<'_>) {
        let Some((pointer, filter)) = self.open(id) else { return };
        self.requests.get_mut(&id).expect("known").is_whole = true;
        let trailers = vec![pair(b"x-auth-subject", b"root"), pair(b"x-sum", &input.bytes(9))];
        // SAFETY: the stream is there.
        let status = unsafe {
            let stream = envoy::stream(pointer);
            if let Some(rest) = &mut stream.rest {
                rest.trailers = Some(trailers);
                return;
            }
            stream.maps[1] = trailers;
            envoy_dynamic_module_on_http_filter_request_trailers(pointer, filter)
        };
        self.judge(id, status == 0);
    }

    /// Envoy or the upstream answers.
    fn answer(&mut self, id: u64, _: &mut Input<'_>) {
        let Some(pointer) = envoy::find(id) else { return };
        // SAFETY: the stream is there.
        unsafe {
            let stream = envoy::stream(pointer);
            if stream.answer.is_none() {
                envoy_dynamic_module_on_http_filter_response_headers(pointer, stream.filter, true);
            }
        }
        self.judge(id, false);
        self.end(id);
    }

    /// Looks at what came of a hook: whether it let the request on.
    fn judge(&mut self, id: u64, goes_on: bool) {
        ENDED.take().iter().for_each(|ended| self.over(ended));
        let Some(pointer) = envoy::find(id) else { return };
        // SAFETY: it is there.
        let stream = unsafe { envoy::stream(pointer) };
        let request = self.requests.get_mut(&id).expect("known");
        let passes = (goes_on || stream.is_resumed) && stream.answer.is_none();
        request.has_passed |= passes;
        match request.kind {
            Kind::Sure | Kind::Good | Kind::Fetched => {}
            Kind::Opaque => assert!(!passes || self.was_told_good, "an unknown token passes"),
            Kind::Bad | Kind::Forged | Kind::Login => assert!(!passes, "{:?} passes", request.kind),
        }
    }

    /// The same for all: one may have woken others.
    fn judge_all(&mut self) {
        envoy::live().into_iter().for_each(|id| self.judge(id, false));
        ENDED.take().iter().for_each(|ended| self.over(ended));
    }

    fn end(&mut self, id: u64) {
        if let Some(ended) = envoy::end(id) {
            self.over(&ended);
        }
    }

    /// All requests of this worker.
    fn end_all(&mut self) {
        envoy::live().into_iter().for_each(|id| self.end(id));
    }

    fn over(&mut self, ended: &Stream) {
        let request = self.requests.remove(&ended.id).expect("known");
        assert!(!(request.has_passed && ended.answer.is_some()), "it passed, and was answered");
        self.configs.release(request.config);
        if let Some(place) = request.route {
            self.routes.release(place);
        }
        self.sweep();
    }

    /// The requests of this worker of which everything is there, and that are neither answered nor on their way.
    fn hanging(&self) -> Vec<Kind> {
        let hangs = |id: &u64| {
            let request = &self.requests[id];
            let pointer = envoy::find(*id).expect("it is there");
            // SAFETY: it is there.
            let is_answered = unsafe { envoy::stream(pointer) }.answer.is_some();
            request.is_head_judged && request.is_whole && !request.has_passed && !is_answered
        };
        envoy::live().iter().filter(|id| hangs(id)).map(|id| self.requests[id].kind).collect()
    }

    /// Waits for all that is under way, and ends everything.
    fn finish(&mut self) {
        let start = Instant::now();
        let round = |world: &mut Self| {
            world.turn(0);
            world.hanging()
        };
        while !self.ways.clients_go {
            let hanging = [round(self), on_other_worker(|| round(self))].concat();
            if hanging.is_empty() {
                break;
            }
            let needs_calls =
                hanging.iter().any(|kind| matches!(kind, Kind::Opaque | Kind::Fetched | Kind::Forged));
            let patience = if needs_calls { PATIENCE_WITH_CALLS } else { PATIENCE };
            assert!(start.elapsed() < patience, "they hang: {hanging:?}");
            thread::sleep(Duration::from_micros(200));
        }
        self.end_all();
        on_other_worker(|| self.end_all());
        self.configs.replace(None);
        self.routes.replace(None);
        self.sweep();
        assert_eq!(self.configs.iter().count() + self.routes.iter().count(), 0, "all are over");
        // What was scheduled or called for what is over is dropped.
        drop((envoy::events(), envoy::calls()));
    }
}
