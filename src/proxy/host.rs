//! The seam, carried out by host calls.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};

use super::abi::{self, Level};
use super::wasi;
use crate::host::{Host, HostError, NativeVerdict};
use crate::keys::NativeKey;
use crate::metrics::{Event, Metrics};
use crate::remote::HttpCall;

/// The function of Envoy 1.30 and later that checks signatures in BoringSSL.
const VERIFY_SIGNATURE: &str = "verify_signature";

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

/// Envoy as the core's host.
pub struct ProxyHost {
    native: bool,
    /// The Unix time at the last tick.
    recent: Cell<Option<i64>>,
    /// Where what is noted is counted.
    metrics: Option<Rc<Metrics>>,
}

impl ProxyHost {
    /// A host that checks no signatures.
    pub fn without_native() -> Self {
        Self { native: false, recent: Cell::new(None), metrics: None }
    }

    /// A host whose native signature check is used if it passes a probe.
    pub fn probe(metrics: Rc<Metrics>) -> Self {
        let native = probe::passes(|arguments| verify(arguments) == Some(true));
        let how = if native { "natively by Envoy" } else { "in the module" };
        abi::log(Level::Info, &format!("lychgate: RS* and ES* signatures are checked {how}"));
        Self { native, recent: Cell::new(None), metrics: Some(metrics) }
    }
}

impl ProxyHost {
    /// A tick came: what time it is will do until the next. Without ticks the clock is asked.
    pub fn tick(&self, more_will_come: bool) {
        self.recent.set(more_will_come.then(|| self.now()));
    }
}

impl Host for ProxyHost {
    fn now(&self) -> i64 {
        // No clock, or one beyond reach, reads as the end of time: every token has expired.
        wasi::since_epoch().and_then(|time| i64::try_from(time.as_secs()).ok()).unwrap_or(i64::MAX)
    }

    fn recent(&self) -> Option<i64> {
        self.recent.get()
    }

    fn uptime(&self) -> Duration {
        wasi::uptime()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), HostError> {
        // WASI's random_get, which Envoy answers from BoringSSL.
        getrandom::fill(bytes).map_err(|_| HostError("no randomness"))
    }

    fn client_address(&self) -> Option<String> {
        // Envoy's view of the downstream's remote address: X-Forwarded-For counts as far as the
        // connection manager trusts it.
        let address = String::from_utf8(abi::property(&["source", "address"]).ok()?).ok()?;
        let (host, _port) = address.rsplit_once(':')?;
        Some(host.trim_start_matches('[').trim_end_matches(']').to_owned())
    }

    fn shared(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostError> {
        abi::shared_data(key).map_err(|_| HostError("shared data cannot be read"))
    }

    fn share(&self, key: &str, value: &[u8], version: u32) -> Result<bool, HostError> {
        abi::set_shared_data(key, value, version).map_err(|_| HostError("shared data cannot be written"))
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

    fn warn(&self, line: &str) {
        abi::log(Level::Warn, &format!("lychgate: {line}"));
    }

    fn note(&self, event: Event<'_>) {
        if let Some(metrics) = &self.metrics {
            metrics.note(event);
        }
    }

    fn call(&self, call: &HttpCall) -> Result<u32, HostError> {
        abi::http_call(&call.cluster, &call.headers, &call.body, call.timeout)
            .map_err(|_| HostError("the host refuses; is there such a cluster, with a healthy host?"))
    }
}

/// What the host says; nothing if it cannot be asked. Success is exactly `result: true`.
fn verify(arguments: &[u8]) -> Option<bool> {
    const VALID: [u8; 2] = [0x08, 0x01];
    match abi::call_foreign_function(VERIFY_SIGNATURE, arguments) {
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
