//! A source: where something is fetched from, what becomes of it, and what this worker has of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::fetch_state::{FetchState, RefreshPolicy};
use super::headers::FetchHeaders;
use super::log_throttle::{LogThrottle, truncated};
use super::revocation::Revocations;
use super::uri::Uri;
use crate::host::MAX_BODY_BYTES;
use crate::json;
use crate::keys::{Algorithm, Imported, KeyOrigin, KeySet, LeftOut, import_jwk, import_jwks, import_pem_map};
use crate::setting::words;

/// The longest key set that is read, in bytes: some fifty keys with certificates. Those of large providers
/// have 2 to 50 KB.
const LONGEST_KEY_SET: usize = 262_144;
/// How many keys of a set count. Each is to be read by every worker.
const MOST_KEYS: usize = 100;

/// Where something comes from.
#[derive(Debug)]
pub struct RemoteSource {
    /// What logs call it: its place in the configuration.
    pub name: String,
    /// What it is.
    pub kind: SourceKind,
    /// Its schedule.
    pub refresh_policy: RefreshPolicy,
    /// Headers that go along with the request.
    pub headers: FetchHeaders,
    /// The key of its state in shared data.
    pub key: String,
    /// The state as this worker last saw it.
    pub(super) state: RefCell<FetchState>,
    pub(super) content: RefCell<Option<Rc<Content>>>,
    /// The version and the digest that `content` is of.
    pub(super) installed: RefCell<(u64, String)>,
    /// Counts the changes of `content`.
    changes: Cell<u64>,
    /// The version whose content was not to be had though it should be there, and when it was last looked for.
    pub(super) torn: Cell<Option<(u64, i64)>>,
    /// What is wrong with what is shared.
    pub(super) errors: LogThrottle,
    /// Whether a request here had an unknown key.
    pub(super) is_refetch_requested: Cell<bool>,
    /// Its number in the policy.
    pub(super) number: Cell<usize>,
    /// The unknown key that a request had.
    pub(super) unknown_kid: RefCell<Option<String>>,
}

/// What a source gives.
#[derive(Debug)]
pub enum SourceKind {
    /// A JWK Set (RFC 7517 section 5).
    Keys {
        /// Where it is; found out by discovery where that is given.
        uri: Option<Uri>,
        /// OpenID Connect discovery.
        discovery: Option<Discovery>,
        /// Accepted algorithms; unset: the asymmetric ones.
        allowed: Option<Vec<Algorithm>>,
        /// How it is written.
        format: KeyFormat,
    },
    /// A list of revoked tokens.
    Revocations {
        /// Where it is.
        uri: Uri,
    },
}

words! {
    /// How a key set is written.
    #[derive(Default)]
    pub enum KeyFormat {
        /// A JWK Set (RFC 7517 section 5).
        #[default]
        Jwks = "jwks",
        /// An object with a PEM text for each `kid`, of a certificate or a public key: what Google and Firebase
        /// publish.
        PemMap = "pem_map",
    }
}

/// OpenID Connect discovery (OpenID Connect Discovery 1.0).
#[derive(Debug)]
pub struct Discovery {
    /// The discovery document.
    pub uri: Uri,
    /// Where the metadata of RFC 8414 is, which is asked for if there is no such document.
    pub fallback: Option<Box<Uri>>,
    /// The issuer that it must name, but for a slash at the end. A placeholder stands for a placeholder.
    pub issuer: String,
    /// The cluster of its `jwks_uri`, where that is on another host.
    pub jwks_cluster: Option<String>,
}

/// What was fetched, ready to use.
#[derive(Debug)]
pub enum Content {
    /// Keys.
    Keys(KeySet),
    /// Revoked tokens.
    Revocations(Revocations),
}

impl Content {
    /// `issuer` of the discovery document that led to it, if one did.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        match self {
            Self::Keys(keys) => keys.issuer(),
            Self::Revocations(_) => None,
        }
    }
}

/// What a discovery document says of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovered {
    /// `issuer`.
    pub issuer: String,
    /// `id_token_signing_alg_values_supported`, as far as it is known here: for RSA keys that do not say their own. It is
    /// said of ID tokens, and narrows no access token.
    pub algorithms: Vec<String>,
}

/// Whether waiting for a source helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchStatus {
    /// A worker fetches it, or will at once.
    InFlight,
    /// It was fetched, and fetching it again would be too soon.
    Settled,
    /// Fetching fails; it is tried again after so many seconds.
    Failing(u64),
}

impl RemoteSource {
    /// A source that nothing was fetched from yet.
    #[must_use]
    pub fn new(name: String, kind: SourceKind, refresh_policy: RefreshPolicy) -> Rc<Self> {
        Self::with_headers(name, kind, refresh_policy, FetchHeaders::default())
    }

    /// The same, asked for with these headers.
    #[must_use]
    pub fn with_headers(
        name: String,
        kind: SourceKind,
        refresh_policy: RefreshPolicy,
        headers: FetchHeaders,
    ) -> Rc<Self> {
        // The same source of two policies is fetched once, and an update of the policy keeps it.
        let identity = format!("{kind:?} {refresh_policy:?}{}", headers.identity());
        let digest = Sha256::digest(identity);
        let key: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        Rc::new(Self {
            name,
            kind,
            refresh_policy,
            headers,
            // The number is that of the form in which things are shared.
            key: format!("lychgate.source.3.{key}"),
            state: RefCell::default(),
            content: RefCell::default(),
            installed: RefCell::default(),
            changes: Cell::new(0),
            torn: Cell::new(None),
            errors: LogThrottle::default(),
            is_refetch_requested: Cell::new(false),
            number: Cell::new(0),
            unknown_kid: RefCell::default(),
        })
    }

    /// Its number in the policy.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number.get()
    }

    /// What was fetched, while it serves; `None` before the first success and after the last one
    /// is too long ago.
    #[must_use]
    pub fn content(&self, now: i64) -> Option<Rc<Content>> {
        if !self.state.borrow().is_usable(now, &self.refresh_policy) {
            return None;
        }
        self.content.borrow().clone()
    }

    /// Counts every change of [`RemoteSource::content`], so that what was concluded from an older one can
    /// be forgotten.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.changes.get()
    }

    /// Whether this worker has the document that the state is about.
    pub(super) fn has_installed(&self, state: &FetchState) -> bool {
        let installed = self.installed.borrow();
        self.content.borrow().is_some() && installed.0 == state.version && installed.1 == state.digest
    }

    /// Installs what was fetched, which the state is about.
    pub(super) fn install(&self, content: Content, state: &FetchState) {
        *self.content.borrow_mut() = Some(Rc::new(content));
        *self.installed.borrow_mut() = (state.version, state.digest.clone());
        self.changes.set(self.changes.get().wrapping_add(1));
        self.torn.set(None);
    }

    /// Requests an early refetch for `kid`, which is not among the keys, or because nothing was fetched yet. Returns
    /// whether it helps to wait.
    ///
    /// A `kid` that was not there is not remembered: the next token that names it may have it fetched as soon
    /// as any other may. A client may have guessed it before it was published.
    pub fn ask(&self, now: i64, kid: Option<&str>) -> FetchStatus {
        let state = self.state.borrow();
        if state.failures > 0 && !state.is_in_flight(now) {
            let wait = state.next.saturating_sub(now);
            return FetchStatus::Failing(u64::try_from(wait).unwrap_or(0).max(1));
        }
        if self.is_refetch_requested.get() || state.is_in_flight(now) || state.is_due(now) {
            return FetchStatus::InFlight;
        }
        if state.with_early_refetch(now, &self.refresh_policy).is_none() {
            return FetchStatus::Settled;
        }
        *self.unknown_kid.borrow_mut() = kid.map(truncated);
        self.is_refetch_requested.set(true);
        FetchStatus::InFlight
    }

    /// The longest document that is read, in bytes.
    #[must_use]
    pub fn longest(&self) -> usize {
        match &self.kind {
            SourceKind::Keys { .. } => LONGEST_KEY_SET,
            SourceKind::Revocations { .. } => MAX_BODY_BYTES,
        }
    }

    /// What was fetched, as it is shared; and what an operator should know of it.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(super) fn parse(&self, envelope: &[u8]) -> Result<(Content, Vec<String>), String> {
        let end = envelope.iter().position(|&byte| byte == b'\n').ok_or("not what was shared")?;
        let (head, document) = envelope.split_at(end);
        let discovered = match json::parse_strict(head, 1) {
            Ok(Value::Null) => None,
            Ok(Value::Array(names)) => Some(names),
            Ok(_) | Err(_) => return Err("not what was shared".into()),
        };
        let document = json::without_mark(document.get(1..).unwrap_or_default());
        match &self.kind {
            SourceKind::Revocations { .. } => {
                Ok((Content::Revocations(Revocations::parse(document)?), Vec::new()))
            }
            SourceKind::Keys { allowed, format, .. } => {
                let mut names = discovered.iter().flatten().filter_map(Value::as_str);
                let issuer = names.next().map(str::to_owned);
                let for_rsa: Vec<Algorithm> = names.filter_map(Algorithm::from_name).collect();
                let (keys, notes) = key_set(document, allowed.clone(), &for_rsa, *format)?;
                Ok((Content::Keys(keys.discovered(issuer)), notes))
            }
        }
    }

    /// What is shared of a document that was fetched: a line of JSON (the issuer and its algorithms, where discovery led
    /// here), and the document as it came.
    pub(super) fn envelope(document: &[u8], discovered: Option<&Discovered>) -> Vec<u8> {
        let head = discovered.map(|Discovered { issuer, algorithms }| {
            std::iter::once(issuer).chain(algorithms).collect::<Vec<_>>()
        });
        let mut envelope = json!(head).to_string().into_bytes();
        envelope.push(b'\n');
        envelope.extend_from_slice(document);
        envelope
    }
}

/// The keys of a set, and what an operator should know of them.
fn key_set(
    document: &[u8],
    algorithms: Option<Vec<Algorithm>>,
    for_rsa: &[Algorithm],
    format: KeyFormat,
) -> Result<(KeySet, Vec<String>), String> {
    let Ok(Value::Object(document)) = json::parse_strict(document, 16) else {
        return Err("not a JSON object".into());
    };
    let asymmetric = |algorithm: &Algorithm| !algorithm.is_hmac();
    let algorithms: Option<Vec<_>> =
        algorithms.map(|algorithms| algorithms.into_iter().filter(asymmetric).collect());
    // Only an RSA key does not show which algorithm it is for.
    let is_further = |algorithm: &&Algorithm| algorithm.is_rsa() && **algorithm != Algorithm::Rs256;
    let further: Vec<_> = for_rsa.iter().filter(is_further).copied().collect();
    let mut of_rsa = Vec::new();
    let mut notes = Vec::new();
    let mut bound = |all: usize, rest: &mut dyn Iterator<Item = String>| {
        let kids: Vec<_> = rest.take(5).collect();
        if !kids.is_empty() {
            notes.push(format!(
                "the set has {all} keys, of which the first {MOST_KEYS} count; left out: {} and so on",
                truncated(&format!("{kids:?}")),
            ));
        }
    };
    let Imported { mut keys, left_out } = match format {
        KeyFormat::Jwks => {
            let Some(Value::Array(jwks)) = document.get("keys") else {
                let is_map =
                    document.values().all(|pem| pem.as_str().is_some_and(|pem| pem.contains("-----BEGIN")));
                return Err(match is_map && !document.is_empty() {
                    true => "not a JWK Set but a map of PEM: say `format: pem_map`".into(),
                    false => "not a JWK Set: no array `keys`".into(),
                });
            };
            let kid = |jwk: &Value| jwk.get("kid").and_then(Value::as_str).unwrap_or_default().to_owned();
            bound(jwks.len(), &mut jwks.iter().skip(MOST_KEYS).map(kid));
            if algorithms.is_none() && !further.is_empty() {
                let is_open = |jwk: &&Value| {
                    jwk.get("kty").is_some_and(|kty| kty == "RSA")
                        && jwk.get("alg").is_none_or(Value::is_null)
                };
                let open = jwks.iter().take(MOST_KEYS).filter(is_open);
                of_rsa.extend(open.filter_map(|jwk| import_jwk(jwk, Some(&further)).ok()).flatten());
            }
            import_jwks(jwks.iter().take(MOST_KEYS), algorithms.as_deref(), KeyOrigin::Fetch)
        }
        KeyFormat::PemMap => {
            bound(document.len(), &mut document.keys().skip(MOST_KEYS).cloned());
            import_pem_map(document.iter().take(MOST_KEYS), algorithms.as_deref())
        }
    };
    keys.extend(of_rsa);
    if keys.is_empty() {
        let reasons: Vec<_> = left_out.iter().take(3).map(LeftOut::to_string).collect();
        return Err(format!("no usable key in the set. {}", reasons.join(". ")));
    }
    notes.extend(left_out.iter().map(LeftOut::to_string));
    let keys = KeySet::new(keys).with_unusable(left_out.into_iter().filter_map(|left_out| left_out.kid));
    notes.extend(keys.beyond_budget());
    Ok((keys, notes))
}
