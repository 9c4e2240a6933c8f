//! A source: where something is fetched from, what becomes of it, and what this worker has of it.

use std::cell::{Cell, RefCell};
use std::num::NonZeroUsize;
use std::rc::Rc;

use lru::LruCache;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::record::{Limits, Record};
use super::revocation::Revocations;
use super::uri::Uri;
use crate::json;
use crate::keys::{Algorithm, KeySet, import_jwks};

/// Where something comes from.
#[derive(Debug)]
pub struct Source {
    /// What logs call it: its place in the configuration.
    pub name: String,
    /// What it is.
    pub kind: SourceKind,
    /// Its schedule.
    pub limits: Limits,
    /// The key of its record in shared data.
    pub key: String,
    /// The record as this worker last saw it.
    pub(super) record: RefCell<Record>,
    pub(super) content: RefCell<Option<Rc<Content>>>,
    /// The version that `content` is of.
    pub(super) version: Cell<u64>,
    /// Whether somebody here met an unknown key.
    pub(super) wanted: Cell<bool>,
    /// Its number in the policy.
    pub(super) number: Cell<usize>,
    /// Keys that were asked for here, and until when they are not asked for again.
    asked: RefCell<LruCache<String, i64>>,
}

/// How many unknown keys are remembered. Each costs a fetch, so a flood does not fill this.
const ASKED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);

/// What a source gives.
#[derive(Debug)]
pub enum SourceKind {
    /// A JWK Set (RFC 7517 section 5).
    Keys {
        /// Where it is; found out by discovery where that is given.
        uri: Option<Uri>,
        /// OpenID Connect discovery.
        discovery: Option<Discovery>,
        /// Accepted algorithms; unset: what discovery says, or the asymmetric ones.
        allowed: Option<Vec<Algorithm>>,
    },
    /// A list of revoked tokens.
    Revocations {
        /// Where it is.
        uri: Uri,
    },
}

/// OpenID Connect discovery (OpenID Connect Discovery 1.0).
#[derive(Debug)]
pub struct Discovery {
    /// The discovery document.
    pub uri: Uri,
    /// The issuer that it must name.
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

/// How a source stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Somebody is at it, or will be at once.
    Underway,
    /// It was fetched, and fetching it again would be too soon.
    Settled,
    /// Fetching fails; it is tried again after so many seconds.
    Failing(u64),
}

impl Source {
    /// A source that nothing was fetched from yet.
    #[must_use]
    pub fn new(name: String, kind: SourceKind, limits: Limits) -> Rc<Self> {
        // The same source of two policies is fetched once, and an update of the policy keeps it.
        let identity = format!("{kind:?} {limits:?}");
        let digest = Sha256::digest(identity);
        let key: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        Rc::new(Self {
            name,
            kind,
            limits,
            key: format!("lychgate.source.{key}"),
            record: RefCell::default(),
            content: RefCell::default(),
            version: Cell::new(0),
            wanted: Cell::new(false),
            number: Cell::new(0),
            asked: RefCell::new(LruCache::new(ASKED)),
        })
    }

    /// Its number in the policy.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number.get()
    }

    /// What was fetched, while it serves; nothing before the first success and after the last one
    /// is too long ago.
    #[must_use]
    pub fn content(&self, now: i64) -> Option<Rc<Content>> {
        if !self.record.borrow().serves(now, &self.limits) {
            return None;
        }
        self.content.borrow().clone()
    }

    /// Counts every change of [`Source::content`], so that what was concluded from an older one can
    /// be forgotten.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.version.get()
    }

    /// Somebody needs more than there is: `kid`, a key that is not among the keys, or anything at
    /// all. Says whether it is worth waiting.
    pub fn ask(&self, now: i64, kid: Option<&str>) -> Standing {
        let record = self.record.borrow();
        if record.failures > 0 && !record.is_underway(now) {
            let wait = record.next.saturating_sub(now);
            return Standing::Failing(u64::try_from(wait).unwrap_or(0).max(1));
        }
        if self.wanted.get() || record.is_underway(now) || record.is_due(now) {
            return Standing::Underway;
        }
        let mut asked = self.asked.borrow_mut();
        let name = kid.unwrap_or_default();
        // A key that was asked for and is not there is not asked for again for a while.
        let is_known_to_be_unknown = asked.get(name).is_some_and(|until| now < *until);
        if is_known_to_be_unknown || record.asked(now, &self.limits).is_none() {
            return Standing::Settled;
        }
        asked.put(name.to_owned(), now.saturating_add(self.limits.refetch.saturating_mul(3)));
        self.wanted.set(true);
        Standing::Underway
    }

    /// What was fetched, as it is shared.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(super) fn parse(&self, envelope: &[u8]) -> Result<Content, String> {
        let Ok(Value::Object(envelope)) = serde_json::from_slice(envelope) else {
            return Err("not what was shared".into());
        };
        let text = envelope.get("document").and_then(Value::as_str).unwrap_or_default();
        let SourceKind::Keys { allowed, .. } = &self.kind else {
            return Revocations::parse(text.as_bytes()).map(Content::Revocations);
        };
        let Ok(Value::Object(document)) = json::parse_strict(text.as_bytes(), 16) else {
            return Err("not a JSON object".into());
        };
        let Some(Value::Array(jwks)) = document.get("keys") else {
            return Err("not a JWK Set: no array `keys`".into());
        };
        let named = envelope.get("algorithms").and_then(Value::as_array);
        let discovered = named.map(|names| {
            names.iter().filter_map(|name| Algorithm::from_name(name.as_str()?)).collect::<Vec<_>>()
        });
        let algorithms = allowed.clone().or(discovered);
        let asymmetric = |algorithm: &Algorithm| !algorithm.is_hmac();
        let algorithms: Option<Vec<_>> =
            algorithms.map(|algorithms| algorithms.into_iter().filter(asymmetric).collect());
        let (mut keys, _) = import_jwks(jwks, algorithms.as_deref());
        // A secret that everybody can fetch is none.
        keys.retain(|key| !key.algorithm().is_hmac());
        if let Some(algorithms) = &algorithms {
            keys.retain(|key| algorithms.contains(&key.algorithm()));
        }
        if keys.is_empty() {
            return Err("no usable key in the set".into());
        }
        Ok(Content::Keys(KeySet::new(keys)))
    }

    /// What is shared of a document that was fetched.
    pub(super) fn envelope(document: &[u8], algorithms: Option<&[String]>) -> Result<Vec<u8>, String> {
        let document = std::str::from_utf8(document).map_err(|_| "not UTF-8")?;
        Ok(json!({"document": document, "algorithms": algorithms}).to_string().into_bytes())
    }
}
