//! The trait `Host`, by host calls.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};
use proxy_wasm::types::MetricType;

use super::hostcalls::{self, Status};
use super::wasi;
use crate::encoding::decode_hex32;
use crate::host::{
    Event, Host, HostError, HttpCall, NativeVerdict, PeerCertificate, StatDefinition, StatKind, StatUpdate,
};
use crate::keys::NativeKey;
use crate::metrics::Metrics;

/// The function of Envoy 1.30 and later that checks signatures in BoringSSL.
const VERIFY_SIGNATURE: &str = "verify_signature";

/// The function of Envoy that says what type a property has.
const DECLARE_PROPERTY: &str = "declare_property";

/// Envoy's `DeclarePropertyArguments` (source/extensions/common/wasm/ext/declare_property.proto), as far
/// as it matters here.
#[derive(Message)]
struct Declaration {
    #[prost(string, tag = "1")]
    name: String,
    /// `WasmType`.
    #[prost(int32, tag = "3")]
    kind: i32,
}

/// `WasmType::String`: without it a log writes how the value would be serialised.
const STRING: i32 = 1;

/// Envoy's `VerifySignatureArguments` (source/extensions/common/wasm/ext/verify_signature.proto): its
/// first two fields, which are those of the key.
#[derive(Message)]
struct KeyArguments {
    #[prost(string, tag = "1")]
    hash_function: String,
    #[prost(bytes = "vec", tag = "2")]
    public_key: Vec<u8>,
}

/// The whole of it: the key's fields as they were encoded once, then signature (3) and text (4).
fn arguments(key: &NativeKey, signature: &[u8], text: &[u8]) -> Vec<u8> {
    let prefix = key.prepared(|key| {
        let hash_function = key.hash.name().to_owned();
        KeyArguments { hash_function, public_key: key.spki.clone() }.encode_to_vec()
    });
    let mut bytes = Vec::with_capacity(
        prefix.len().saturating_add(signature.len()).saturating_add(text.len()).saturating_add(16),
    );
    bytes.extend_from_slice(prefix);
    for (tag, field) in [(3, signature), (4, text)] {
        encode_key(tag, WireType::LengthDelimited, &mut bytes);
        encode_varint(field.len() as u64, &mut bytes);
        bytes.extend_from_slice(field);
    }
    bytes
}

/// The period of a root context's ticks. Several workers may want some: an old configuration beside the new
/// one, while requests wait under it. The most frequent wish counts.
#[derive(Default)]
pub struct Ticks {
    wishes: RefCell<BTreeMap<u32, u32>>,
    period: Cell<u32>,
}

impl Ticks {
    fn wish(&self, wisher: u32, period: u32) -> Result<(), Status> {
        let mut wishes = self.wishes.borrow_mut();
        wishes.insert(wisher, period);
        let period = wishes.values().copied().filter(|&period| period != 0).min().unwrap_or(0);
        if period == self.period.get() {
            return Ok(());
        }
        hostcalls::set_tick_period(Duration::from_millis(u64::from(period)))?;
        self.period.set(period);
        Ok(())
    }

    /// A worker is over.
    pub fn forget(&self, wisher: u32) {
        self.wishes.borrow_mut().remove(&wisher);
    }
}

/// Envoy as the core's host.
pub struct ProxyHost {
    /// Which worker of its root context this is for.
    number: u32,
    ticks: Rc<Ticks>,
    /// The host's number of each stat, in the order of the core's.
    stats: RefCell<Vec<Option<u32>>>,
    native: bool,
    /// The Unix time at the last tick.
    cached_now: Cell<Option<i64>>,
    /// Where what is noted is counted.
    metrics: Option<Rc<Metrics>>,
}

impl ProxyHost {
    /// A host that checks no signatures, for worker `number` of a root context with these ticks.
    pub fn without_native(number: u32, ticks: Rc<Ticks>) -> Self {
        let (recent, stats) = (Cell::new(None), RefCell::default());
        Self { number, ticks, stats, native: false, cached_now: recent, metrics: None }
    }

    /// A host whose native signature check is used if it passes a probe.
    pub fn probe(number: u32, ticks: Rc<Ticks>, metrics: Rc<Metrics>) -> Self {
        let native = probe::passes(|arguments| verify(arguments) == Some(true));
        let how = if native { "natively by Envoy" } else { "in the module" };
        log::info!("lychgate: RS* and ES* signatures are checked {how}");
        Self { native, metrics: Some(metrics), ..Self::without_native(number, ticks) }
    }
}

impl Host for ProxyHost {
    fn now(&self) -> i64 {
        // No clock, or one beyond reach, reads as the end of time: every token has expired.
        wasi::since_epoch().and_then(|time| i64::try_from(time.as_secs()).ok()).unwrap_or(i64::MAX)
    }

    fn cached_now(&self) -> Option<i64> {
        self.cached_now.get()
    }

    fn monotonic(&self) -> Duration {
        wasi::uptime()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), HostError> {
        // WASI's random_get, which Envoy answers from BoringSSL.
        getrandom::fill(bytes).map_err(|_| HostError("no randomness"))
    }

    fn client_address(&self) -> Option<String> {
        // Envoy's view of the downstream's remote address: X-Forwarded-For counts as far as the connection
        // manager trusts it.
        let address = String::from_utf8(hostcalls::get_property(&["source", "address"]).ok()?).ok()?;
        let (host, _port) = address.rsplit_once(':')?;
        Some(host.trim_start_matches('[').trim_end_matches(']').to_owned())
    }

    fn peer_certificate(&self) -> Option<PeerCertificate> {
        let bytes = |name| hostcalls::get_property(&["connection", name]).ok();
        let text = |name| String::from_utf8(bytes(name)?).ok().filter(|text| !text.is_empty());
        let sha256 = decode_hex32(&text("sha256_peer_certificate_digest")?)?;
        Some(PeerCertificate {
            sha256,
            is_validated: bytes("peer_certificate_valid").is_some_and(|value| value == [1]),
            uri: text("uri_san_peer_certificate"),
            dns: text("dns_san_peer_certificate"),
            subject: text("subject_peer_certificate"),
        })
    }

    fn get_shared_data(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostError> {
        hostcalls::get_shared_data(key).map_err(|_| HostError("shared data cannot be read"))
    }

    fn set_shared_data(&self, key: &str, value: &[u8], version: u32) -> Result<bool, HostError> {
        hostcalls::set_shared_data(key, value, version)
            .map_err(|_| HostError("shared data cannot be written"))
    }

    fn verify_signature(&self, key: &NativeKey, signature: &[u8], message: &[u8]) -> NativeVerdict {
        if !self.native {
            return NativeVerdict::Unavailable;
        }
        let verdict = verify(&arguments(key, signature, message));
        match verdict {
            Some(true) => NativeVerdict::Valid,
            Some(false) => NativeVerdict::Invalid,
            // It passed the probe and fails now: the module can still tell.
            None => NativeVerdict::Unavailable,
        }
    }

    fn cache_now(&self, is_ticking: bool) {
        self.cached_now.set(is_ticking.then(|| self.now()));
    }

    fn set_tick_period(&self, milliseconds: u32) -> Result<(), HostError> {
        self.ticks.wish(self.number, milliseconds).map_err(|_| HostError("the host gives no ticks"))
    }

    fn has_ticks(&self) -> bool {
        self.ticks.period.get() != 0
    }

    fn define_stats(&self, definitions: &[StatDefinition]) {
        let mut refused = None;
        let define = |StatDefinition { kind, name, .. }: &StatDefinition| {
            let kind = match kind {
                StatKind::Counter => MetricType::Counter,
                StatKind::Gauge => MetricType::Gauge,
            };
            let id = hostcalls::define_metric(kind, name);
            id.map_err(|status| refused = Some(status)).ok()
        };
        *self.stats.borrow_mut() = definitions.iter().map(define).collect();
        if let Some(Status(status)) = refused {
            log::warn!("lychgate: stats cannot be had, or not all: host status {status}");
        }
    }

    fn update_stat(&self, slot: usize, update: StatUpdate) {
        let Some(id) = self.stats.borrow().get(slot).copied().flatten() else { return };
        let _ = match update {
            StatUpdate::Add(change) => hostcalls::increment_metric(id, change),
            StatUpdate::Set(value) => hostcalls::record_metric(id, value),
        };
    }

    fn declare_filter_state(&self, names: &[&str]) {
        for name in names {
            let declaration = Declaration { name: (*name).to_owned(), kind: STRING };
            // A host that has no such function, or that was given it before, loses nothing.
            let _ = hostcalls::call_foreign_function(DECLARE_PROPERTY, &declaration.encode_to_vec());
        }
    }

    fn warn(&self, line: &str) {
        log::warn!("lychgate: {line}");
    }

    fn record(&self, event: Event<'_>) {
        if let Some(metrics) = &self.metrics {
            metrics.record(event);
        }
    }

    fn dispatch_http_call(&self, call: &HttpCall) -> Result<u32, HostError> {
        let headers = call.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        // The crate's own: its dispatcher takes the response to no other call. What Envoy answers, also where it
        // restricts this, is a value to it.
        proxy_wasm::hostcalls::dispatch_http_call(
            &call.cluster,
            headers,
            Some(&call.body),
            Vec::new(),
            call.timeout,
        )
        .map_err(|_| HostError("the host refuses; is there such a cluster, with a healthy host?"))
    }
}

/// What the host says; `None` if it cannot be asked. Success is exactly `result: true`.
fn verify(arguments: &[u8]) -> Option<bool> {
    const VALID: [u8; 2] = [0x08, 0x01];
    match hostcalls::call_foreign_function(VERIFY_SIGNATURE, arguments) {
        Ok(result) => Some(result == VALID),
        Err(_) => None,
    }
}

/// A known signature: RFC 7515 appendix A.3 (ES256), its key and its signing input.
mod probe {
    use super::arguments;
    use crate::encoding::decode_base64url;
    use crate::keys::{Algorithm, import_jwk};
    use crate::probe_vector::{JWK, SIGNATURE, SIGNING_INPUT};

    /// Whether the host says yes to what is good. One that says yes to everything is worse than one that
    /// cannot be asked.
    pub fn passes(says_yes: impl Fn(&[u8]) -> bool) -> bool {
        let forged = [SIGNING_INPUT, b"x"].concat();
        let with = |text| encoded(text).is_some_and(|arguments| says_yes(&arguments));
        with(SIGNING_INPUT) && !with(&forged)
    }

    fn encoded(text: &[u8]) -> Option<Vec<u8>> {
        let jwk = serde_json::from_str(JWK).ok()?;
        let key = import_jwk(&jwk, Some(&[Algorithm::Es256])).ok()?.pop()?;
        let signature = key.native_signature(&decode_base64url(SIGNATURE)?)?;
        Some(arguments(key.native()?, &signature, text))
    }
}
