//! A request's context: the filter's state of it, and the crate's callbacks.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::stream::ProxyStream;
use super::{exports, hostcalls};
use crate::filter::{self, HttpFilter, Worker};

thread_local! {
    /// The filters of the requests that wait. A request is woken in a callback of its root, and the crate lends a
    /// context for its own callbacks alone; so what is to be woken is kept where both find it.
    static WAITING: RefCell<BTreeMap<u32, HttpFilter>> = const { RefCell::new(BTreeMap::new()) };
}

/// A request.
pub struct Stream {
    id: u32,
    filter: HttpFilter,
    /// Whether the filter is among those that wait, or did; what is here refuses.
    is_away: bool,
}

/// What becomes of anything but a head.
fn action(action: filter::Action) -> Action {
    match action {
        filter::Action::Continue => Action::Continue,
        filter::Action::Pause | filter::Action::Hold => Action::Pause,
    }
}

impl Stream {
    /// A request that belongs to this worker.
    pub fn new(id: u32, worker: Rc<Worker>) -> Self {
        Self { id, filter: HttpFilter::new(id, worker), is_away: false }
    }

    /// Gives `callback` the filter, from wherever it is.
    fn with_filter<T>(&mut self, callback: impl FnOnce(&mut HttpFilter) -> T) -> T {
        if self.is_away
            && let Some(mut filter) = lent(self.id)
        {
            let outcome = callback(&mut filter);
            give_back(self.id, filter);
            return outcome;
        }
        let outcome = callback(&mut self.filter);
        if self.filter.is_waiting() {
            self.is_away = true;
            let filter = self.filter.take();
            WAITING.with_borrow_mut(|waiting| waiting.insert(self.id, filter));
        }
        outcome
    }
}

/// The filter of a request that waits; what stays in its place meanwhile refuses.
fn lent(context: u32) -> Option<HttpFilter> {
    WAITING.with_borrow_mut(|waiting| waiting.get_mut(&context).map(HttpFilter::take))
}

fn give_back(context: u32, filter: HttpFilter) {
    WAITING.with_borrow_mut(|waiting| {
        if let Some(place) = waiting.get_mut(&context) {
            *place = filter;
        }
    });
}

/// Has a request that waited look again; says whether the host can speak of it.
pub fn wake(context: u32, root: u32) -> bool {
    if hostcalls::set_effective_context(context).is_err() {
        return false;
    }
    if let Some(mut filter) = lent(context) {
        filter.on_wake(&ProxyStream);
        give_back(context, filter);
    }
    let _ = hostcalls::set_effective_context(root);
    true
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        #[cfg(feature = "trap-for-tests")]
        super::trap::on_demand();
        match self.with_filter(|filter| filter.on_request_headers(&ProxyStream, end_of_stream)) {
            filter::Action::Continue => Action::Continue,
            filter::Action::Pause => Action::Pause,
            filter::Action::Hold => {
                exports::hold_all();
                Action::Pause
            }
        }
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        action(self.with_filter(|filter| filter.on_request_body(&ProxyStream, size, end_of_stream)))
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        action(self.with_filter(|filter| filter.on_request_trailers(&ProxyStream)))
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        action(self.with_filter(|filter| filter.on_response_headers(&ProxyStream)))
    }
}

/// The request is over: the crate's `on_delete`.
impl Drop for Stream {
    fn drop(&mut self) {
        let away =
            self.is_away.then(|| WAITING.with_borrow_mut(|waiting| waiting.remove(&self.id))).flatten();
        away.unwrap_or_else(|| self.filter.take()).on_delete();
    }
}

/// A request of a root that cannot judge any.
pub struct Refused;

impl Context for Refused {}

impl HttpContext for Refused {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        action(filter::refuse_unannounced(&ProxyStream))
    }

    fn on_http_request_body(&mut self, _size: usize, _end_of_stream: bool) -> Action {
        Action::Pause
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        Action::Pause
    }
}
