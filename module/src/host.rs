//! The seam, carried out by Envoy's functions and the system's.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lychgate::host::{
    Event, Hears, Host, HostError, HttpCall, NativeVerdict, PeerCertificate, StatDefinition, StatUpdate,
    Ticket, Work,
};
use lychgate::keys::{NativeKey, VerificationKey};
use lychgate::metrics::Metrics;

use crate::abi::{self, Attribute};
use crate::calls::{Inbox, Message};
use crate::clock::{self, Key};
use crate::config::Config;
use crate::exchange::Exchange;
use crate::stats::Series;
use crate::{pool, shared, signatures, system_time};

/// Filter state that says whether Envoy has validated the client's certificate.
const CERTIFICATE_IS_VALID: &str = "lychgate.peer_certificate_valid";

/// Where a host is.
pub enum Place {
    /// On Envoy's main thread, where no request is.
    Main,
    /// On a worker.
    Worker {
        /// What it is woken by.
        key: Key,
        /// What comes back for it.
        inbox: Arc<Inbox>,
        /// Whether the main thread has the same policy, and fetches for it.
        is_on_main: bool,
    },
}

/// Envoy as the core's host, for one policy on one thread.
pub struct NativeHost {
    config: Arc<Config>,
    place: Place,
    /// Where what is noted is counted.
    metrics: Option<Rc<Metrics>>,
    series: OnceCell<Arc<Series>>,
    /// The request that is being spoken of.
    current: RefCell<Option<Rc<Exchange>>>,
    /// How often ticks are wanted, in milliseconds.
    period: Cell<u32>,
    calls: Cell<u32>,
    /// Whether a request waits here by which the worker can be woken.
    can_be_woken: Cell<bool>,
}

/// While it is there a request is spoken of.
pub struct SpokenOf<'h>(&'h NativeHost, Option<Rc<Exchange>>);

impl Drop for SpokenOf<'_> {
    fn drop(&mut self) {
        let _past = self.0.current.replace(self.1.take());
    }
}

impl NativeHost {
    /// A host that counts in `metrics`.
    pub fn new(config: Arc<Config>, place: Place, metrics: Rc<Metrics>) -> Self {
        Self { metrics: Some(metrics), place, ..Self::closed(config) }
    }

    /// A host that counts nothing.
    pub fn closed(config: Arc<Config>) -> Self {
        Self {
            config,
            place: Place::Main,
            metrics: None,
            series: OnceCell::new(),
            current: RefCell::default(),
            period: Cell::new(1000),
            calls: Cell::new(0),
            can_be_woken: Cell::new(false),
        }
    }

    /// Speaks of this request, until what it gives is dropped.
    pub fn speak_of(&self, exchange: &Rc<Exchange>) -> SpokenOf<'_> {
        SpokenOf(self, self.current.replace(Some(Rc::clone(exchange))))
    }

    fn current(&self) -> Option<Rc<Exchange>> {
        self.current.borrow().as_ref().map(Rc::clone)
    }

    /// What its worker is woken by; `None` on the main thread.
    pub fn key(&self) -> Option<Key> {
        match &self.place {
            Place::Main => None,
            Place::Worker { key, .. } => Some(*key),
        }
    }

    /// Whether a request waits here by which the worker can be woken.
    pub fn set_can_be_woken(&self, can_be_woken: bool) {
        self.can_be_woken.set(can_be_woken);
    }

    /// What came back for it.
    pub fn take_messages(&self) -> Vec<Message> {
        match &self.place {
            Place::Main => Vec::new(),
            Place::Worker { inbox, .. } => inbox.take(),
        }
    }

    /// How often ticks are wanted, in milliseconds.
    pub fn period(&self) -> u32 {
        self.period.get()
    }

    /// A tick is over.
    pub fn has_ticked(&self) {
        if let Some(exchange) = self.current()
            && !abi::counts_without_a_request()
        {
            self.config.stats.tell_untold(&self.config.envoy, Some(&exchange.envoy));
        }
    }
}

impl Host for NativeHost {
    fn now(&self) -> i64 {
        system_time::now()
    }

    fn monotonic(&self) -> Duration {
        system_time::monotonic()
    }

    fn verify(&self, key: &VerificationKey, signature: &[u8], message: &[u8]) -> NativeVerdict {
        signatures::verify(key, signature, message)
    }

    fn verify_signature(&self, _: &NativeKey, _: &[u8], _: &[u8]) -> NativeVerdict {
        NativeVerdict::Unavailable
    }

    fn has_threads(&self) -> bool {
        self.key().is_some()
    }

    fn take_over(&self, work: Work) -> Option<Ticket> {
        match &self.place {
            Place::Main => None,
            Place::Worker { inbox, .. } => pool::take_over(work, inbox),
        }
    }

    /// Envoy runs a worker for the module only by a request. Where none waits, an answer lies there until the next one
    /// comes.
    fn hears(&self) -> Hears {
        match &self.place {
            Place::Main => Hears::AtOnce,
            Place::Worker { .. } if self.can_be_woken.get() => Hears::AtOnce,
            Place::Worker { is_on_main: true, .. } => Hears::Elsewhere,
            Place::Worker { is_on_main: false, .. } => Hears::Later,
        }
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), HostError> {
        getrandom::fill(bytes).map_err(|_| HostError("no randomness"))
    }

    /// Envoy does not tell a module whether it has validated the certificate. Filter state can: a filter before this
    /// one writes it there.
    fn peer_certificate(&self) -> Option<PeerCertificate> {
        let exchange = self.current()?;
        let text = |attribute| exchange.envoy.text(attribute).filter(|text| !text.is_empty());
        Some(PeerCertificate {
            sha256: digest_of(&text(Attribute::CertificateSha256)?)?,
            is_validated: exchange.envoy.has_filter_state(CERTIFICATE_IS_VALID, |text| text == b"true"),
            uri: text(Attribute::CertificateUri),
            dns: text(Attribute::CertificateDns),
            subject: text(Attribute::CertificateSubject),
        })
    }

    fn client_address(&self) -> Option<String> {
        // Envoy's view of the downstream's remote address: X-Forwarded-For counts as far as the connection
        // manager trusts it.
        let address = self.current()?.envoy.text(Attribute::SourceAddress)?;
        let (host, _port) = address.rsplit_once(':')?;
        Some(host.trim_start_matches('[').trim_end_matches(']').to_owned())
    }

    fn get_shared_data(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostError> {
        Ok(shared::get(key))
    }

    fn set_shared_data(&self, key: &str, value: &[u8], version: u32) -> Result<bool, HostError> {
        Ok(shared::set(key, value, version))
    }

    fn warn(&self, line: &str) {
        log::warn!("lychgate: {line}");
    }

    fn record(&self, event: Event<'_>) {
        if let Some(metrics) = &self.metrics {
            metrics.record(event);
        }
    }

    fn set_tick_period(&self, milliseconds: u32) -> Result<(), HostError> {
        if self.period.replace(milliseconds) != milliseconds || matches!(self.place, Place::Main) {
            let key = self.key().unwrap_or(self.config.key);
            clock::set_period(key, Duration::from_millis(u64::from(milliseconds)));
        }
        Ok(())
    }

    /// Counts are carried on when time has passed, where Envoy can be told without a request.
    fn has_ticks(&self) -> bool {
        abi::counts_without_a_request()
    }

    fn define_stats(&self, definitions: &[StatDefinition]) {
        let series = Arc::new(definitions.to_vec());
        if let Some(metrics) = &self.metrics {
            self.config.stats.add(Arc::clone(&series), Arc::clone(metrics.tally()));
        }
        let _ = self.series.set(series);
    }

    fn update_stat(&self, slot: usize, update: StatUpdate) {
        let Some(series) = self.series.get() else { return };
        let exchange = self.current();
        let stream = exchange.as_ref().map(|exchange| &exchange.envoy);
        self.config.stats.update(series, slot, update, &self.config.envoy, stream);
    }

    fn dispatch_http_call(&self, call: &HttpCall) -> Result<u32, HostError> {
        let number = self.calls.get().wrapping_add(1);
        self.calls.set(number);
        match &self.place {
            Place::Main => {
                self.config.calls.make(&self.config.envoy, number, call).map_err(|what| {
                    log::debug!("lychgate: cluster {:?} cannot be called: {what}", call.cluster);
                    HostError("the host refuses; is there such a cluster, with a healthy host?")
                })?;
            }
            Place::Worker { inbox, .. } => self.config.calls.post(inbox, number, call, self.config.key),
        }
        Ok(number)
    }
}

/// A SHA-256 of 64 hexadecimal digits.
fn digest_of(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}
