//! Traps on demand, for tests of what a host does then. Only in modules that are built with the
//! feature `trap-for-tests`; a test sees to it that the one in dist/ is not.

use proxy_wasm::types::LogLevel;

use super::hostcalls;
use super::stream::ProxyStream;
use crate::host::{Headers, Stream as _};

/// Asks for a trap: `now`, or `memory` to have all of it taken first.
const HEADER: &[u8] = b"x-lychgate-trap";

/// Says what this module is, so that it is not taken for another.
pub fn warn() {
    hostcalls::log(
        LogLevel::Warn,
        "lychgate: BUILT FOR TESTS: any request can trap it by the header x-lychgate-trap",
    );
}

/// Traps if the request asks for it.
pub fn on_demand() {
    let _ = ProxyStream.read_request_headers(&mut |headers| obey(headers));
}

fn obey(headers: &Headers<'_>) {
    match headers.iter().find(|(name, _)| *name == HEADER) {
        Some((_, b"now")) => core::arch::wasm32::unreachable(),
        Some((_, b"memory")) => exhaust(),
        _ => {}
    }
}

/// Takes memory until there is none, as a leak would in time.
fn exhaust() -> ! {
    loop {
        std::mem::forget(std::hint::black_box(Vec::<u8>::with_capacity(1 << 20)));
    }
}
