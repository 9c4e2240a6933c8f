//! A stream, and what wakes it from another thread.

use std::cell::Cell;
use std::ptr::{null, null_mut};
use std::sync::Arc;

use lychgate::host::Headers;
use smallvec::SmallVec;

use super::*;
use crate::config::Route;

/// Which headers.
#[derive(Clone, Copy)]
pub enum Map {
    /// Those of the request.
    Headers = 0,
    /// The trailers of the request.
    Trailers = 1,
}

/// A change of a stat.
#[derive(Clone, Copy)]
pub enum Change {
    /// A counter grows.
    Count(u64),
    /// A gauge grows.
    Grow(u64),
    /// A gauge shrinks.
    Shrink(u64),
    /// A gauge has this value.
    Set(u64),
}

/// A stream as Envoy has it.
pub struct StreamHandle {
    stream: Cell<Envoy>,
    is_lent: Cell<bool>,
    is_answered: Cell<bool>,
}

/// Headers are lent until it is dropped.
struct Loan<'s>(&'s Cell<bool>);

impl<'s> Loan<'s> {
    fn begin(is_lent: &'s Cell<bool>) -> Self {
        is_lent.set(true);
        Self(is_lent)
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl StreamHandle {
    /// # Safety
    /// The stream is one of Envoy's, and is there until it is [ended](Self::end).
    pub(super) unsafe fn new(stream: Envoy) -> Self {
        Self { stream: Cell::new(stream), is_lent: Cell::new(false), is_answered: Cell::new(false) }
    }

    pub(super) fn get(&self) -> Option<Envoy> {
        Some(self.stream.get()).filter(|stream| !stream.is_null())
    }

    /// The same for a call that changes something.
    pub(super) fn to_change(&self) -> Option<Envoy> {
        self.get().filter(|_| !self.is_lent.get())
    }

    /// The stream is over.
    pub(super) fn end(&self) {
        self.stream.set(null_mut());
    }

    /// Whether the stream is still there.
    pub fn is_live(&self) -> bool {
        self.get().is_some()
    }

    /// Lends the headers to `read`; says whether Envoy gave them.
    pub fn headers(&self, map: Map, read: &mut dyn FnMut(&Headers<'_>)) -> bool {
        let Some(stream) = self.get() else { return false };
        let empty = Header { name: null(), name_size: 0, value: null(), value_size: 0 };
        // SAFETY: the stream is there. Envoy fills as many as it has just said.
        let found = unsafe {
            let count = envoy_dynamic_module_callback_http_get_headers_size(stream, map as u32);
            let mut found: SmallVec<[Header; 32]> = SmallVec::from_elem(empty, count);
            if !envoy_dynamic_module_callback_http_get_headers(stream, map as u32, found.as_mut_ptr()) {
                return false;
            }
            found
        };
        // SAFETY: they stand in Envoy's map until it is changed, which is refused while they are lent.
        let lent: SmallVec<[_; 32]> = found.iter().map(|header| unsafe { header.lent() }).collect();
        let _loan = Loan::begin(&self.is_lent);
        read(&lent);
        true
    }

    /// Gives a header this value and no other; none: takes it away.
    pub fn set_header(&self, map: Map, name: &[u8], value: Option<&[u8]>) -> bool {
        let Some(stream) = self.to_change() else { return false };
        let set = value.map_or(Bytes { start: null(), size: 0 }, bytes);
        // SAFETY: the stream is there, and Envoy reads the rest during the call.
        let is_done =
            unsafe { envoy_dynamic_module_callback_http_set_header(stream, map as u32, bytes(name), set) };
        // Of a header that is taken away it says whether it was there.
        is_done || value.is_none()
    }

    /// Adds a header beside those of the same name.
    pub fn add_header(&self, map: Map, name: &[u8], value: &[u8]) -> bool {
        let Some(stream) = self.to_change() else { return false };
        // SAFETY: as above.
        unsafe {
            envoy_dynamic_module_callback_http_add_header(stream, map as u32, bytes(name), bytes(value))
        }
    }

    /// Answers the request, once. Envoy may end the stream, and call the hook that says so, before it returns.
    pub fn send_response(&self, status: u16, headers: &[(&str, &str)], body: &[u8], details: &str) -> bool {
        let Some(stream) = self.to_change().filter(|_| !self.is_answered.replace(true)) else { return false };
        let to_header = |(name, value): &(&str, &str)| Header::of(name.as_bytes(), value.as_bytes());
        let mut headers: SmallVec<[Header; 8]> = headers.iter().map(to_header).collect();
        // SAFETY: as above.
        unsafe {
            envoy_dynamic_module_callback_http_send_response(
                stream,
                u32::from(status),
                headers.as_mut_ptr(),
                headers.len(),
                bytes(body),
                bytes(details.as_bytes()),
            );
        }
        true
    }

    /// How many bytes of the body there are: those that came now, and those that were buffered before.
    pub fn body_size(&self) -> usize {
        let Some(stream) = self.get() else { return 0 };
        let kinds = self.body_kinds(stream).into_iter().flatten();
        // SAFETY: the stream is there.
        let size = |kind| unsafe { envoy_dynamic_module_callback_http_get_body_size(stream, kind) };
        kinds.map(size).fold(0, usize::saturating_add)
    }

    /// Up to `most` bytes of it, from the start.
    pub fn body(&self, most: usize) -> Option<Vec<u8>> {
        let stream = self.get()?;
        let mut body = Vec::new();
        for kind in self.body_kinds(stream).into_iter().flatten() {
            for chunk in chunks(stream, kind) {
                // SAFETY: it stands in Envoy's buffer until the hook is over or the body is changed.
                let chunk = unsafe { chunk.lent() };
                let rest = most.saturating_sub(body.len());
                body.extend_from_slice(chunk.get(..rest).unwrap_or(chunk));
            }
        }
        Some(body)
    }

    /// Which buffers make up the body. What a filter before this one had buffered comes as one piece, and is the
    /// buffer itself: then the two are one.
    fn body_kinds(&self, stream: Envoy) -> [Option<u32>; 2] {
        const RECEIVED: u32 = 0;
        const BUFFERED: u32 = 1;
        let first = |kind| chunks(stream, kind).first().map(|chunk| chunk.start);
        match (first(BUFFERED), first(RECEIVED)) {
            (Some(buffered), Some(received)) if buffered != received => [Some(BUFFERED), Some(RECEIVED)],
            (Some(_), _) => [Some(BUFFERED), None],
            (None, _) => [None, Some(RECEIVED)],
        }
    }

    /// Sets filter state that is text. Envoy before 1.39 does not let a filter change what is there, and writes a bug
    /// of its own to the log where one tries.
    pub fn set_filter_state(&self, name: &str, value: &[u8]) {
        let Some(stream) = self.to_change() else { return };
        if !changes_filter_state() && self.has_filter_state(name, |_| true) {
            return;
        }
        // SAFETY: the stream is there, and Envoy copies the rest.
        unsafe {
            envoy_dynamic_module_callback_http_set_filter_state_bytes(
                stream,
                bytes(name.as_bytes()),
                bytes(value),
            );
        }
    }

    /// Whether there is filter state that is text of which this is so.
    pub fn has_filter_state(&self, name: &str, is_so: impl FnOnce(&[u8]) -> bool) -> bool {
        let Some(stream) = self.get() else { return false };
        let mut value = Bytes { start: null(), size: 0 };
        // SAFETY: the stream is there, Envoy reads the name during the call and writes through a pointer that is
        // valid. The value is Envoy's until the hook is over, and is looked at here alone.
        unsafe {
            envoy_dynamic_module_callback_http_get_filter_state_bytes(
                stream,
                bytes(name.as_bytes()),
                &raw mut value,
            ) && is_so(value.lent())
        }
    }

    /// An attribute that is text.
    pub fn text(&self, attribute: Attribute) -> Option<String> {
        let stream = self.get()?;
        let mut value = Bytes { start: null(), size: 0 };
        // SAFETY: the stream is there, and Envoy writes through a pointer that is valid.
        let is_there = unsafe {
            envoy_dynamic_module_callback_http_filter_get_attribute_string(
                stream,
                attribute as u32,
                &raw mut value,
            )
        };
        // SAFETY: it is Envoy's until the hook is over, and is copied here.
        is_there.then(|| unsafe { String::from_utf8_lossy(value.lent()).into_owned() })
    }

    /// An attribute that is a number.
    pub fn number(&self, attribute: Attribute) -> Option<u64> {
        let stream = self.get()?;
        let mut value = 0;
        // SAFETY: as above.
        let is_there = unsafe {
            envoy_dynamic_module_callback_http_filter_get_attribute_int(
                stream,
                attribute as u32,
                &raw mut value,
            )
        };
        is_there.then_some(value)
    }

    /// Lets a request go on that was held.
    pub fn resume(&self) -> bool {
        let Some(stream) = self.to_change() else { return false };
        // SAFETY: the stream is there.
        unsafe { envoy_dynamic_module_callback_http_filter_continue_decoding(stream) };
        true
    }

    /// Forgets the route, so that Envoy chooses it when it is asked for again.
    pub fn clear_route(&self) -> bool {
        let Some(stream) = self.to_change() else { return false };
        // SAFETY: the stream is there.
        unsafe { envoy_dynamic_module_callback_http_clear_route_cache(stream) };
        true
    }

    /// What the request's route says of this filter.
    pub fn route(&self) -> Option<Arc<Route>> {
        let stream = self.get()?;
        // SAFETY: the stream is there. What Envoy gives is what the hook for it made, and is kept by the route.
        unsafe {
            let route: *const Route =
                envoy_dynamic_module_callback_get_most_specific_route_config(stream).cast();
            if route.is_null() {
                return None;
            }
            Arc::increment_strong_count(route);
            Some(Arc::from_raw(route))
        }
    }

    /// What wakes it from another thread.
    pub fn scheduler(&self) -> Option<StreamScheduler> {
        let stream = self.get()?;
        // SAFETY: the stream is there.
        let scheduler = unsafe { envoy_dynamic_module_callback_http_filter_scheduler_new(stream) };
        (!scheduler.is_null()).then_some(StreamScheduler(scheduler))
    }

    /// Changes a stat of its configuration; says whether there is a stream to do it by.
    pub fn change_stat(&self, id: usize, labels: &[&str], change: Change) -> bool {
        let Some(stream) = self.get() else { return false };
        let mut labels: SmallVec<[Bytes; 4]> = labels.iter().map(|text| bytes(text.as_bytes())).collect();
        let (labels, count) = (labels.as_mut_ptr(), labels.len());
        // SAFETY: the stream is there, and Envoy reads the labels during the call. A number that is not there, or
        // with other labels, is an answer.
        let _ = unsafe {
            match change {
                Change::Count(by) => {
                    envoy_dynamic_module_callback_http_filter_increment_counter(stream, id, labels, count, by)
                }
                Change::Grow(by) => {
                    envoy_dynamic_module_callback_http_filter_increment_gauge(stream, id, labels, count, by)
                }
                Change::Shrink(by) => {
                    envoy_dynamic_module_callback_http_filter_decrement_gauge(stream, id, labels, count, by)
                }
                Change::Set(value) => {
                    envoy_dynamic_module_callback_http_filter_set_gauge(stream, id, labels, count, value)
                }
            }
        };
        true
    }
}

fn chunks(stream: Envoy, kind: u32) -> SmallVec<[Bytes; 4]> {
    // SAFETY: the stream is there. Envoy fills as many as it has just said.
    unsafe {
        let count = envoy_dynamic_module_callback_http_get_body_chunks_size(stream, kind);
        let mut chunks = SmallVec::from_elem(Bytes { start: null(), size: 0 }, count);
        if count == 0
            || !envoy_dynamic_module_callback_http_get_body_chunks(stream, kind, chunks.as_mut_ptr())
        {
            return SmallVec::new();
        }
        chunks
    }
}

/// The attributes that are asked for, by Envoy's numbers.
#[derive(Clone, Copy)]
pub enum Attribute {
    /// The client's address and port, as Envoy trusts it.
    SourceAddress = 24,
    /// The number of the client's connection.
    ConnectionId = 28,
    /// The subject of the client's certificate.
    CertificateSubject = 33,
    /// The first DNS name among its subject alternative names.
    CertificateDns = 35,
    /// The first URI among them.
    CertificateUri = 37,
    /// The SHA-256 of its DER, in hexadecimal digits.
    CertificateSha256 = 38,
}

/// Wakes a stream, from any thread.
pub struct StreamScheduler(Envoy);

// SAFETY: Envoy's scheduler may be used from any thread; it is deleted by the one that owns it.
unsafe impl Send for StreamScheduler {}

impl StreamScheduler {
    /// Has the hook for scheduled events called on the stream's thread, unless the stream is over.
    pub fn wake(&self) {
        // SAFETY: it is there until it is dropped.
        unsafe { envoy_dynamic_module_callback_http_filter_scheduler_commit(self.0, 0) };
    }
}

impl Drop for StreamScheduler {
    fn drop(&mut self) {
        // SAFETY: nothing uses it any more.
        unsafe { envoy_dynamic_module_callback_http_filter_scheduler_delete(self.0) };
    }
}
