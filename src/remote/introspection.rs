//! Token introspection (RFC 7662): what the issuer says of a token that only it can read.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Duration;

use lru::LruCache;
use serde_json::{Map, Value};

use super::awaited::{Awaited, TokenDigest as Digest};
use super::response::{CallResponse, HttpCall};
use super::uri::Uri;
use crate::config::Secret;
use crate::host::{Host, HostError};
use crate::json;

/// How many answers a worker remembers.
const ENTRIES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4095);
/// How many tokens may be asked after at once.
const MOST_PENDING: usize = 1024;
/// How long an issuer's no is remembered, in seconds.
const NEGATIVE_SECONDS: i64 = 10;
/// How long a failure to ask is remembered, in seconds.
const FAILURE_SECONDS: i64 = 1;

/// Where and how tokens are asked after.
pub struct IntrospectionSettings {
    /// The endpoint.
    pub uri: Uri,
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`.
    pub client_secret: Secret,
    /// Whether the client names itself in the body, and not by HTTP Basic (RFC 6749 section 2.3.1).
    pub in_body: bool,
    /// How long an answer is remembered at most, in seconds.
    pub cache_seconds: i64,
    /// How long the issuer may take.
    pub timeout: Duration,
}

/// What is known of a token.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The issuer vouches for it, with these claims.
    Active(Rc<Map<String, Value>>),
    /// The issuer does not.
    Inactive,
    /// The issuer is asked.
    Pending,
    /// The issuer could not be asked; worth another try after so many seconds.
    Unavailable(u64),
}

enum Known {
    Active(Rc<Map<String, Value>>),
    Inactive,
    Failed,
}

/// What one worker knows of the tokens of a scheme.
pub struct Introspector {
    settings: IntrospectionSettings,
    known: RefCell<LruCache<Digest, (Known, i64)>>,
    queue: RefCell<VecDeque<(Digest, Secret)>>,
    pending: RefCell<HashSet<Digest>>,
    underway: RefCell<HashMap<u32, Digest>>,
    wanted: Cell<bool>,
    /// Its number in the policy.
    pub(super) number: Cell<usize>,
    /// The tokens that something was learned of since the last look.
    learned: RefCell<Vec<Digest>>,
}

/// Public face of a scheme's introspection.
pub type Introspection = Rc<Introspector>;

impl Introspector {
    /// One that knows nothing yet.
    #[must_use]
    pub fn new(settings: IntrospectionSettings) -> Introspection {
        Rc::new(Self {
            settings,
            known: RefCell::new(LruCache::new(ENTRIES)),
            queue: RefCell::default(),
            pending: RefCell::default(),
            underway: RefCell::default(),
            wanted: Cell::new(false),
            number: Cell::new(0),
            learned: RefCell::default(),
        })
    }

    /// What is known of `token`, whose digest is `digest`, at `now`, in Unix seconds. What is not known is
    /// asked for, once for all requests that wait.
    pub fn ask(&self, token: &[u8], digest: Digest, now: i64) -> Answer {
        let mut known = self.known.borrow_mut();
        match known.get(&digest) {
            Some((answer, until)) if now < *until => {
                return match answer {
                    Known::Active(claims) => Answer::Active(Rc::clone(claims)),
                    Known::Inactive => Answer::Inactive,
                    Known::Failed => Answer::Unavailable(1),
                };
            }
            Some(_) => drop(known.pop(&digest)),
            None => {}
        }
        let mut pending = self.pending.borrow_mut();
        if pending.contains(&digest) {
            return Answer::Pending;
        }
        if pending.len() >= MOST_PENDING {
            return Answer::Unavailable(1);
        }
        pending.insert(digest);
        self.queue.borrow_mut().push_back((digest, Secret::new(token.to_vec())));
        self.wanted.set(true);
        Answer::Pending
    }

    /// Its number in the policy.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number.get()
    }

    /// What something was learned of since the last look.
    pub(super) fn take_learned(&self) -> impl Iterator<Item = Awaited> {
        let number = self.number.get();
        self.learned.take().into_iter().map(move |token| Awaited::Introspection { number, token })
    }

    /// Whether a token waits to be asked after.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.wanted.get()
    }

    /// Asks after every token that waits for it. Gives back what should be logged.
    pub fn tick(&self, host: &dyn Host) -> Vec<String> {
        let mut log = Vec::new();
        self.wanted.set(false);
        loop {
            let Some((digest, token)) = self.queue.borrow_mut().pop_front() else { return log };
            match host.call(&self.call(token.expose())) {
                Ok(id) => drop(self.underway.borrow_mut().insert(id, digest)),
                Err(HostError(what)) => {
                    log.push(format!(
                        "introspection: {:?} cannot be called: {what}",
                        self.settings.uri.cluster
                    ));
                    self.learn(digest, Known::Failed, host.now().saturating_add(FAILURE_SECONDS));
                }
            }
        }
    }

    fn call(&self, token: &[u8]) -> HttpCall {
        let IntrospectionSettings { uri, client_id, client_secret, in_body, timeout, .. } = &self.settings;
        let secret = String::from_utf8_lossy(client_secret.expose());
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", &String::from_utf8_lossy(token));
        form.append_pair("token_type_hint", "access_token");
        let mut headers: Vec<(String, String)> = [
            (":method", "POST"),
            (":scheme", uri.scheme),
            (":authority", uri.authority.as_str()),
            (":path", uri.path.as_str()),
            ("accept", "application/json"),
            ("content-type", "application/x-www-form-urlencoded"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        if *in_body {
            form.append_pair("client_id", client_id).append_pair("client_secret", &secret);
        } else {
            // RFC 6749 section 2.3.1: form-encoded, then Basic.
            let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let credential = format!("{}:{}", encode(client_id), encode(&secret));
            let credential = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, credential);
            headers.push(("authorization".into(), format!("Basic {credential}")));
        }
        HttpCall {
            cluster: uri.cluster.clone(),
            headers,
            body: form.finish().into_bytes(),
            timeout: *timeout,
        }
    }

    /// Takes an answer, if it is to one of these questions: then gives back what should be logged.
    pub fn respond(&self, id: u32, response: &CallResponse, host: &dyn Host) -> Option<Vec<String>> {
        let digest = self.underway.borrow_mut().remove(&id)?;
        let now = host.now();
        let (known, until, log) = match read(response) {
            Ok(Some(claims)) => {
                let exp = claims.get("exp").and_then(Value::as_f64).unwrap_or(f64::MAX);
                #[expect(clippy::cast_possible_truncation, reason = "a time beyond reach is no bound")]
                let exp = exp as i64;
                let until = now.saturating_add(self.settings.cache_seconds).min(exp);
                (Known::Active(Rc::new(claims)), until, Vec::new())
            }
            Ok(None) => {
                let seconds = NEGATIVE_SECONDS.min(self.settings.cache_seconds.max(1));
                (Known::Inactive, now.saturating_add(seconds), Vec::new())
            }
            Err(reason) => {
                let log = vec![format!("introspection: {reason}")];
                (Known::Failed, now.saturating_add(FAILURE_SECONDS), log)
            }
        };
        // Even what may not be remembered is told to those who wait now.
        self.learn(digest, known, until.max(now.saturating_add(1)));
        Some(log)
    }

    fn learn(&self, digest: Digest, known: Known, until: i64) {
        self.pending.borrow_mut().remove(&digest);
        self.known.borrow_mut().put(digest, (known, until));
        self.learned.borrow_mut().push(digest);
    }
}

impl std::fmt::Debug for Introspector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Introspector({})", self.settings.uri.authority)
    }
}

/// The claims of an active token; nothing of another one (RFC 7662 section 2.2).
fn read(response: &CallResponse) -> Result<Option<Map<String, Value>>, String> {
    let Ok(Value::Object(claims)) = json::parse_strict(response.success()?, 32) else {
        return Err("the answer is not a JSON object".into());
    };
    match claims.get("active") {
        Some(Value::Bool(true)) => Ok(Some(claims)),
        Some(Value::Bool(false)) => Ok(None),
        _ => Err("the answer does not say `active`".into()),
    }
}

#[cfg(test)]
#[path = "introspection_tests.rs"]
mod tests;
