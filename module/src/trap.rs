//! Panics on demand, for tests of what becomes of the request then. Only in modules that are built with the
//! feature `trap-for-tests`; a test sees to it that the one in dist/ is not.

use lychgate::host::Stream;

/// Asks for a panic, by the value `now`.
const HEADER: &[u8] = b"x-lychgate-trap";

/// Panics if the request asks for it.
pub fn on_demand(stream: &dyn Stream) {
    let mut is_asked_for = false;
    let _ = stream.read_request_headers(&mut |headers| {
        is_asked_for = headers.iter().any(|(name, value)| *name == HEADER && *value == b"now");
    });
    assert!(!is_asked_for, "a request asked for it");
}
