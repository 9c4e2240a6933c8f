//! The native module's hooks, as Envoy calls them, over memory that is freed when Envoy may free it: orders of requests,
//! bodies, ends, wakings and answers to calls. With the address sanitizer (`make fuzz`) a use of what is gone ends the run.

#![allow(unsafe_code, reason = "plays Envoy's part of an interface in C")]

mod config;
mod envoy;
mod hooks;
mod requests;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ptr::null;
use std::thread;
use std::time::{Duration, Instant};

use config::{Config, config, end_config, has_calls, policy};
use envoy::{Bytes, Envoy, Event, Header, Own, Stream, pair};
use hooks::{
    envoy_dynamic_module_on_http_filter_config_http_callout_done,
    envoy_dynamic_module_on_http_filter_config_scheduled, envoy_dynamic_module_on_http_filter_new,
    envoy_dynamic_module_on_http_filter_per_route_config_destroy,
    envoy_dynamic_module_on_http_filter_per_route_config_new,
    envoy_dynamic_module_on_http_filter_request_body, envoy_dynamic_module_on_http_filter_request_headers,
    envoy_dynamic_module_on_http_filter_request_trailers,
    envoy_dynamic_module_on_http_filter_response_headers, envoy_dynamic_module_on_http_filter_scheduled,
};
use lychgate_module as _;
use requests::{Input, Kind, request};

/// The most events that are run, so that one input stays a matter of milliseconds.
const MOST: usize = 80;
/// How long a request may take that everything is there for. Passwords are hashed on threads of low priority.
const PATIENCE: Duration = Duration::from_secs(60);

thread_local! {
    static NUMBER: Cell<u64> = const { Cell::new(0) };
    /// Requests that ended while they were being answered: one hook may answer several.
    static ENDED: RefCell<Vec<Stream>> = const { RefCell::new(Vec::new()) };
}

fn number() -> u64 {
    NUMBER.with(|number| {
        number.set(number.get() + 1);
        number.get()
    })
}

fn note_end(stream: Option<Stream>) {
    ENDED.with_borrow_mut(|ended| ended.extend(stream));
}

struct Request {
    kind: Kind,
    config: usize,
    /// All of it was sent.
    is_whole: bool,
    has_passed: bool,
    is_head_judged: bool,
}

struct World {
    configs: Vec<Option<Config>>,
    requests: HashMap<u64, Request>,
    route: Own,
}

/// No order of events has the module use what is gone, lets a request by that may not pass, answers it twice, or leaves
/// it hanging.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let mut world = World { configs: Vec::new(), requests: HashMap::new(), route: null() };
    world.replace();
    for _ in 0..MOST {
        if input.0.is_empty() {
            break;
        }
        match input.next() % 10 {
            0..=2 => world.begin(&mut input),
            3 => world.with_one(&mut input, World::send_body),
            4 => world.with_one(&mut input, World::send_trailers),
            5 => world.with_one(&mut input, |world, id, _| world.end(id)),
            6 => world.turn(input.next()),
            7 => world.with_one(&mut input, World::answer),
            8 => world.replace(),
            _ => world.change_route(),
        }
    }
    world.finish();
}

impl World {
    /// A new configuration takes the place of the one in force.
    fn replace(&mut self) {
        if let Some(Some(last)) = self.configs.last_mut() {
            last.is_replaced = true;
        }
        self.configs.push(config(&policy(has_calls()).to_string()));
        assert!(self.configs.last().is_some_and(Option::is_some), "the policy is good");
        self.sweep();
    }

    /// Ends configurations that no request holds.
    fn sweep(&mut self) {
        for config in &mut self.configs {
            if let Some(unused) = config.take_if(|config| config.is_replaced && config.requests == 0) {
                end_config(unused);
            }
        }
    }

    /// Routes have a policy of their own, or none any more. Requests hold theirs, so it changes between them.
    fn change_route(&mut self) {
        if !self.requests.is_empty() {
            return;
        }
        if self.route.is_null() {
            let text: Box<[u8]> = policy(false).to_string().into_bytes().into();
            // SAFETY: both are there for the call.
            self.route = unsafe {
                envoy_dynamic_module_on_http_filter_per_route_config_new(
                    Bytes::of(b"route"),
                    Bytes::of(&text),
                )
            };
            assert!(!self.route.is_null(), "the policy is good");
        } else {
            // SAFETY: it is ended once.
            unsafe { envoy_dynamic_module_on_http_filter_per_route_config_destroy(self.route) };
            self.route = null();
        }
    }

    fn begin(&mut self, input: &mut Input<'_>) {
        let (kind, path, credential) = request(input.next(), self.route.is_null() && has_calls());
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
        stream.dies_when_answered = flags & 8 != 0;
        stream.route = self.route;
        let id = stream.id;
        let place = self.configs.len() - 1;
        let config = self.configs[place].as_mut().expect("in force");
        config.requests += 1;
        let pointer = envoy::begin(stream);
        // SAFETY: configuration and stream are there.
        unsafe {
            let filter = envoy_dynamic_module_on_http_filter_new(config.own, pointer);
            envoy::stream(pointer).filter = filter;
            self.requests.insert(
                id,
                Request {
                    kind,
                    config: place,
                    is_whole: end,
                    has_passed: false,
                    is_head_judged: flags & 16 == 0,
                },
            );
            if flags & 16 == 0 {
                let status = envoy_dynamic_module_on_http_filter_request_headers(pointer, filter, end);
                self.judge(id, status == 0);
            }
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
        // SAFETY: the stream is there.
        let status = unsafe {
            let stream = envoy::stream(pointer);
            let before = std::mem::take(&mut stream.body[0]);
            stream.body[1].extend(before);
            stream.body[0] = vec![piece.into()];
            self.requests.get_mut(&id).expect("known").is_whole = end;
            envoy_dynamic_module_on_http_filter_request_body(pointer, filter, end)
        };
        self.judge(id, status == 0);
    }

    fn send_trailers(&mut self, id: u64, input: &mut Input<'_>) {
        let Some((pointer, filter)) = self.open(id) else { return };
        self.requests.get_mut(&id).expect("known").is_whole = true;
        // SAFETY: the stream is there.
        let status = unsafe {
            envoy::stream(pointer).maps[1] =
                vec![pair(b"x-auth-subject", b"root"), pair(b"x-sum", &input.bytes(9))];
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
            Kind::Good | Kind::Opaque => {}
            Kind::Bad | Kind::Login => assert!(!passes, "{:?} passes", request.kind),
        }
    }

    fn end(&mut self, id: u64) {
        if let Some(ended) = envoy::end(id) {
            self.over(&ended);
        }
    }

    fn over(&mut self, ended: &Stream) {
        let request = self.requests.remove(&ended.id).expect("known");
        assert!(!(request.has_passed && ended.answer.is_some()), "it passed, and was answered");
        if let Some(config) = &mut self.configs[request.config] {
            config.requests -= 1;
        }
        self.sweep();
    }

    /// Envoy's loop, once: what was scheduled, and answers to calls.
    fn turn(&mut self, how: usize) {
        for event in envoy::events() {
            match event {
                Event::Stream(id) => {
                    let Some(pointer) = envoy::find(id) else { continue };
                    // SAFETY: it is there.
                    unsafe {
                        envoy_dynamic_module_on_http_filter_scheduled(
                            pointer,
                            envoy::stream(pointer).filter,
                            0,
                        );
                    }
                    // It may have woken others.
                    envoy::live().into_iter().for_each(|id| self.judge(id, false));
                }
                Event::Config(envoy) => {
                    if let Some(config) = self.config(envoy) {
                        // SAFETY: it is there.
                        unsafe {
                            envoy_dynamic_module_on_http_filter_config_scheduled(config.envoy, config.own, 0)
                        };
                    }
                }
            }
        }
        for (id, config) in envoy::calls() {
            self.answer_call(id, config, how);
        }
        ENDED.take().iter().for_each(|ended| self.over(ended));
    }

    fn config(&self, envoy: usize) -> Option<&Config> {
        self.configs.iter().flatten().find(|config| config.envoy as usize == envoy)
    }

    fn answer_call(&self, id: u64, config: usize, how: usize) {
        let Some(config) = self.config(config) else { return };
        let status: &[u8] = if how & 1 == 0 { b"200" } else { b"500" };
        let pairs = [pair(b":status", status), pair(b"content-type", b"application/json")];
        let headers: Vec<Header> = pairs.iter().map(Header::of).collect();
        let body: Box<[u8]> = match how & 6 {
            0 => br#"{"active": true, "sub": "machine"}"#[..].into(),
            2 => br#"{"active": false}"#[..].into(),
            4 => b"{"[..].into(),
            _ => vec![b'a'; 100_000].into(),
        };
        let chunks: Vec<Bytes> = body.chunks(7).map(Bytes::of).collect();
        let (headers, count) = if how & 8 == 0 { (headers.as_slice(), headers.len()) } else { (&[][..], 0) };
        // SAFETY: what is lent is there for the call.
        unsafe {
            envoy_dynamic_module_on_http_filter_config_http_callout_done(
                config.envoy,
                config.own,
                id,
                0,
                if count == 0 { null() } else { headers.as_ptr() },
                count,
                chunks.as_ptr(),
                chunks.len(),
            );
        }
    }

    /// The requests of which everything is there, and that are neither answered nor on their way.
    fn hanging(&self) -> Vec<u64> {
        let hangs = |id: &u64| {
            let request = &self.requests[id];
            let pointer = envoy::find(*id).expect("it is there");
            // SAFETY: it is there.
            let is_answered = unsafe { envoy::stream(pointer) }.answer.is_some();
            request.is_head_judged && request.is_whole && !request.has_passed && !is_answered
        };
        envoy::live().into_iter().filter(hangs).collect()
    }

    /// Waits for all that is under way, and ends everything.
    fn finish(&mut self) {
        let start = Instant::now();
        loop {
            self.turn(0);
            let hanging = self.hanging();
            if hanging.is_empty() {
                break;
            }
            let kinds: Vec<_> = hanging.iter().map(|id| self.requests[id].kind).collect();
            assert!(start.elapsed() < PATIENCE, "they hang: {kinds:?}");
            thread::sleep(Duration::from_micros(200));
        }
        envoy::live().into_iter().for_each(|id| self.end(id));
        if let Some(Some(last)) = self.configs.last_mut() {
            last.is_replaced = true;
        }
        self.sweep();
        assert!(self.configs.iter().all(Option::is_none), "all are over");
        self.change_to_no_route();
    }

    fn change_to_no_route(&mut self) {
        if !self.route.is_null() {
            self.change_route();
        }
    }
}
