//! One request: Envoy's side of it, and the filter at work on it.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use lychgate::filter::{Action, HttpFilter, StreamId, refuse_unannounced};
use lychgate::host::{Headers, HostError, LocalReply, Metadata, Stream};

use crate::abi::{Attribute, Map, StreamHandle};
use crate::config::{Config, Route};
use crate::local::Local;

/// Where its dynamic metadata stands.
const NAMESPACE: &str = "lychgate";

/// A request.
pub struct Exchange {
    pub id: StreamId,
    pub envoy: StreamHandle,
    /// The configuration that it came under; none if that could not be told.
    config: Option<Arc<Config>>,
    /// What this thread has of its policy.
    local: RefCell<Option<Rc<Local>>>,
    /// The filter. While it works another stands here, that refuses.
    filter: RefCell<Option<HttpFilter>>,
    /// Whether it can be woken.
    is_waiting: Cell<bool>,
    /// Whether it goes on when the filter is back in its place.
    is_to_resume: Cell<bool>,
    /// Whether Envoy takes it for gRPC, once its headers were read.
    is_grpc: Cell<Option<bool>>,
}

impl Exchange {
    /// A request under a configuration.
    pub fn new(config: Option<&Arc<Config>>, envoy: StreamHandle) -> Rc<Self> {
        Rc::new(Self {
            id: Local::next_stream(),
            envoy,
            config: config.cloned(),
            local: RefCell::default(),
            filter: RefCell::default(),
            is_waiting: Cell::new(false),
            is_to_resume: Cell::new(false),
            is_grpc: Cell::new(None),
        })
    }

    /// Puts it under the policy of its route, or that of its configuration.
    pub fn begin(&self) {
        let Some(config) = &self.config else { return };
        if self.local.borrow().is_some() {
            return;
        }
        // It is looked for only where there is one: Envoy chooses the route for it, by the headers as they came.
        let route = if Route::are_there() { self.envoy.route() } else { None };
        let local = Local::of(config, route.as_ref());
        *self.filter.borrow_mut() = Some(HttpFilter::new(self.id, Rc::clone(&local.worker)));
        *self.local.borrow_mut() = Some(local);
    }

    /// What this thread has of its policy.
    pub fn local(&self) -> Option<Rc<Local>> {
        self.local.borrow().as_ref().map(Rc::clone)
    }

    /// Whether an answer to it passes without a look at it: the request was decided, or was never begun.
    pub fn lets_answers_pass(&self) -> bool {
        match (self.local.try_borrow().as_deref(), self.filter.try_borrow().as_deref()) {
            (Ok(None), _) => true,
            (Ok(Some(_)), Ok(Some(filter))) => filter.is_decided(),
            (Ok(Some(_)), Ok(None)) | (Err(_), _) | (_, Err(_)) => false,
        }
    }

    /// Has the filter work; a panic refuses the request.
    pub fn run(self: &Rc<Self>, work: impl FnOnce(&mut HttpFilter, &dyn Stream) -> Action) -> Action {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            self.begin();
            let local = self.local();
            let _spoken_of = local.as_ref().map(|local| local.host.speak_of(self));
            let action = self.with_filter(work);
            self.keep_place();
            action
        }));
        let action = outcome.unwrap_or_else(|_| {
            self.fail();
            Action::Pause
        });
        if self.is_to_resume.take() && !self.envoy.resume() {
            log::error!("lychgate: a request that waited cannot go on");
        }
        action
    }

    /// Gives `work` the filter, and puts it back unless the request is over meanwhile.
    fn with_filter(&self, work: impl FnOnce(&mut HttpFilter, &dyn Stream) -> Action) -> Action {
        let lent = self.filter.borrow_mut().as_mut().map(HttpFilter::take);
        let Some(mut filter) = lent else { return refuse_unannounced(self) };
        let action = work(&mut filter, self);
        if self.envoy.is_live() {
            *self.filter.borrow_mut() = Some(filter);
        } else {
            filter.on_delete();
        }
        action
    }

    /// Can be woken as long as it waits.
    fn keep_place(self: &Rc<Self>) {
        let waits = self.filter.borrow().as_ref().is_some_and(HttpFilter::is_waiting) && self.envoy.is_live();
        if waits == self.is_waiting.get() {
            return;
        }
        let Some(local) = self.local() else { return };
        if !waits {
            self.end_to_wait();
        } else if local.begin_to_wait(self) {
            self.is_waiting.set(true);
        } else {
            self.with_filter(|filter, stream| filter.fail(stream, "a request that waits cannot be woken"));
        }
    }

    fn end_to_wait(&self) {
        if self.is_waiting.take()
            && let Some(local) = self.local()
        {
            local.end_to_wait(self);
        }
    }

    /// Something panicked while it worked on the request, which is refused: by a filter that has seen nothing of
    /// it, and if that panics too, by the bare answer.
    pub fn fail(self: &Rc<Self>) {
        log::error!("lychgate: a request is refused: the filter panicked");
        self.is_to_resume.set(false);
        let refusal = catch_unwind(AssertUnwindSafe(|| {
            if let Some(local) = self.local() {
                local.worker.stop_waiting(self.id);
                self.end_to_wait();
                *self.filter.borrow_mut() = Some(HttpFilter::new(self.id, Rc::clone(&local.worker)));
                let _spoken_of = local.host.speak_of(self);
                self.with_filter(|filter, stream| filter.fail(stream, "the filter panicked"));
            } else {
                refuse_unannounced(&**self);
            }
        }));
        if refusal.is_err() {
            self.envoy.send_response(500, &[], b"", "host_failure");
        }
    }

    /// What it waits for may be there.
    pub fn wake(self: &Rc<Self>) {
        self.run(|filter, stream| {
            filter.on_wake(stream);
            Action::Pause
        });
    }

    /// It is over, however it ended. Should the filter be at work, it is told when it is put back.
    pub fn end(&self) {
        self.end_to_wait();
        let filter = self.filter.borrow_mut().take();
        if let Some(mut filter) = filter {
            filter.on_delete();
        }
    }
}

fn done(is_done: bool, what: &'static str) -> Result<(), HostError> {
    if is_done { Ok(()) } else { Err(HostError(what)) }
}

impl Stream for Exchange {
    fn read_request_headers(&self, read: &mut dyn FnMut(&Headers<'_>)) -> Result<(), HostError> {
        let is_read = self.envoy.headers(Map::Headers, &mut |headers| {
            self.is_grpc.set(Some(is_grpc(headers)));
            read(headers);
        });
        done(is_read, "headers cannot be read")
    }

    fn read_request_trailers(&self, read: &mut dyn FnMut(&Headers<'_>)) -> Result<(), HostError> {
        done(self.envoy.headers(Map::Trailers, read), "trailers cannot be read")
    }

    fn request_body(&self, max_size: usize) -> Result<Vec<u8>, HostError> {
        self.envoy.body(max_size).ok_or(HostError("the body cannot be read"))
    }

    /// Envoy hands a body over though its head is held back, so that there is nothing to look for.
    fn received_bytes(&self) -> Option<u64> {
        None
    }

    fn remove_request_header(&self, name: &[u8]) -> Result<(), HostError> {
        done(self.envoy.set_header(Map::Headers, name, None), "a header cannot be removed")
    }

    fn set_request_header(&self, name: &[u8], value: &[u8]) -> Result<(), HostError> {
        done(self.envoy.set_header(Map::Headers, name, Some(value)), "a header cannot be set")
    }

    fn add_request_header(&self, name: &[u8], value: &[u8]) -> Result<(), HostError> {
        done(self.envoy.add_header(Map::Headers, name, value), "a header cannot be added")
    }

    fn remove_request_trailer(&self, name: &[u8]) -> Result<(), HostError> {
        done(self.envoy.set_header(Map::Trailers, name, None), "a trailer cannot be removed")
    }

    fn send_local_reply(&self, reply: &LocalReply<'_>) -> Result<(), HostError> {
        let LocalReply { status, headers, body, grpc_status, details } = *reply;
        let mut pairs: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        // Without it a gRPC client reads that all is well: Envoy makes it 0 for a module.
        let grpc_status = if grpc_status < 0 { grpc_status_of(status) } else { grpc_status }.to_string();
        if self.is_grpc() {
            pairs.push(("grpc-status", &grpc_status));
        }
        done(self.envoy.send_response(status, &pairs, body, details), "the host takes no answer")
    }

    /// When the filter is back in its place: Envoy calls it, for the rest of the request, before it returns.
    fn resume(&self) -> Result<(), HostError> {
        self.is_to_resume.set(true);
        done(self.envoy.is_live(), "the request is over")
    }

    fn choose_route_again(&self) -> Result<(), HostError> {
        done(self.envoy.clear_route(), "the route cannot be chosen again")?;
        if !Route::are_there() {
            return Ok(());
        }
        let route = self.envoy.route();
        let local = self.local().ok_or(HostError("a request without a policy"))?;
        done(
            local.is_of(route.as_ref()),
            "the route by what the filter set has another policy than the route by what the client sent",
        )
    }

    fn set_filter_state(&self, name: &str, value: &[u8]) {
        self.envoy.set_filter_state(name, value);
    }

    fn has_filter_state(&self, name: &str) -> bool {
        self.envoy.has_filter_state(name, |_| true)
    }

    fn set_metadata(&self, values: &[(&str, Metadata<'_>)]) {
        self.envoy.set_metadata(NAMESPACE, values);
    }

    fn connection_id(&self) -> Option<u64> {
        self.envoy.number(Attribute::ConnectionId)
    }
}

impl Exchange {
    /// Whether Envoy takes it for gRPC.
    fn is_grpc(&self) -> bool {
        if self.is_grpc.get().is_none() {
            self.envoy.headers(Map::Headers, &mut |headers| self.is_grpc.set(Some(is_grpc(headers))));
        }
        self.is_grpc.get().unwrap_or(false)
    }
}

/// By the first content type, which is `application/grpc` or that and a `+`.
fn is_grpc(headers: &Headers<'_>) -> bool {
    let content_type = headers.iter().find(|(name, _)| *name == b"content-type");
    let rest = content_type.and_then(|(_, value)| value.strip_prefix(b"application/grpc"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"+"))
}

/// The status of a gRPC answer that was made as one of HTTP (doc/http-grpc-status-mapping.md of gRPC).
fn grpc_status_of(status: u16) -> i32 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => 14,
        _ => 2,
    }
}
