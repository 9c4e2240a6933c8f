//! What Envoy tells. A panic ends here: unwound into Envoy it would end all of Envoy. It refuses the request that it
//! came of, or the configuration.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use lychgate::filter::Action;
use lychgate::host::{CallResponse, MAX_BODY_BYTES};

use crate::abi::{ConfigHandle, StreamHandle};
use crate::config::{Config, Route};
use crate::exchange::Exchange;
use crate::local::Local;
use crate::logger;

/// The name of the filter in Envoy's configuration.
const FILTER: &[u8] = b"lychgate";

/// How much of an answer is taken: one byte more than is looked at, so that what is too long is seen to be.
pub const LONGEST_ANSWER: usize = MAX_BODY_BYTES.saturating_add(1);

/// Statuses of Envoy's for the head of a request: on; not on, and what follows comes here; not on, and what
/// follows waits in Envoy.
const CONTINUE: u32 = 0;
const STOP: u32 = 1;
const STOP_ALL: u32 = 4;

/// Works on what belongs to no request.
fn guard<T>(what: &str, otherwise: T, work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        log::error!("lychgate: {what}: the filter panicked");
        otherwise
    })
}

/// A configuration comes, on the main thread. `None`: Envoy refuses it.
pub fn config_new(envoy: ConfigHandle, name: &[u8], text: &[u8]) -> Option<Arc<Config>> {
    guard("configuration refused", None, || {
        logger::update();
        if name != FILTER {
            let name = String::from_utf8_lossy(name);
            log::error!(
                "lychgate: configuration refused: filter_name: {name:?} is not in this module; lychgate is"
            );
            return None;
        }
        let (config, engine) = Config::new(envoy, text)?;
        Local::on_main(&config, engine);
        Some(config)
    })
}

/// A configuration is over.
pub fn config_over(config: &Config) {
    guard("end of a configuration", (), || config.end());
}

/// A configuration was woken, on the main thread.
pub fn config_scheduled(config: &Config) {
    guard("tick", (), || {
        if let Some(local) = Local::existing(config) {
            local.on_main_tick();
        }
    });
}

/// A call was answered, or failed; on the main thread.
pub fn call_done(config: &Config, id: u64, response: CallResponse) {
    guard("answer to a call", (), || {
        let own = config.calls.done(id, response);
        if let (Some((number, response)), Some(local)) = (own, Local::existing(config)) {
            local.take_answer(number, &response);
        }
        config.calls.make_posted(&config.envoy);
    });
}

/// The policy of a route comes, on the main thread.
pub fn route_new(name: &[u8], text: &[u8]) -> Option<Arc<Route>> {
    guard("policy of a route refused", None, || {
        logger::update();
        Route::new(&String::from_utf8_lossy(name), text)
    })
}

/// The policy of a route is over.
pub fn route_over(route: &Route) {
    guard("end of the policy of a route", (), || route.end());
}

/// A request comes. Its policy is looked for when its head is there.
pub fn stream_new(config: Option<&Arc<Config>>, envoy: StreamHandle) -> Rc<Exchange> {
    Exchange::new(config, envoy)
}

/// A request is over.
pub fn stream_over(exchange: &Exchange) {
    guard("end of a request", (), || exchange.end());
}

/// Its head is there.
pub fn request_headers(exchange: Option<&Rc<Exchange>>, end: bool) -> u32 {
    let Some(exchange) = exchange else { return STOP };
    let action = exchange.run(|filter, stream| {
        #[cfg(feature = "trap-for-tests")]
        crate::trap::on_demand(stream);
        if let Some(local) = exchange.local() {
            local.attend(false);
        }
        filter.on_request_headers(stream, end)
    });
    match action {
        Action::Continue => CONTINUE,
        Action::Pause => STOP,
        Action::Hold => STOP_ALL,
    }
}

fn code(action: Action) -> u32 {
    match action {
        Action::Continue => CONTINUE,
        Action::Pause | Action::Hold => STOP,
    }
}

/// A piece of its body is there.
pub fn request_body(exchange: Option<&Rc<Exchange>>, end: bool) -> u32 {
    let Some(exchange) = exchange else { return STOP };
    code(exchange.run(|filter, stream| filter.on_request_body(stream, exchange.envoy.body_size(), end)))
}

/// Its trailers are there.
pub fn request_trailers(exchange: Option<&Rc<Exchange>>) -> u32 {
    exchange.map_or(STOP, |exchange| code(exchange.run(|filter, stream| filter.on_request_trailers(stream))))
}

/// An answer begins.
pub fn response_headers(exchange: Option<&Rc<Exchange>>, _end: bool) -> u32 {
    // Those of Envoy's own come by here too, also where the request's head never did.
    let Some(exchange) = exchange.filter(|exchange| !exchange.lets_answers_pass()) else { return CONTINUE };
    code(exchange.run(|filter, stream| filter.on_response_headers(stream)))
}

/// It was woken, and with it the worker that it is on.
pub fn stream_scheduled(exchange: Option<&Rc<Exchange>>, _event: u64) {
    let Some(exchange) = exchange else { return };
    let is_done = guard("tick", None, || {
        let local = exchange.local()?;
        let _spoken_of = local.host.speak_of(exchange);
        local.attend(true);
        Some(())
    });
    // What every request here waits for may never come. This one is refused, the others at their time.
    if is_done.is_none() {
        exchange.fail();
    }
}
