//! Token introspection (RFC 7662): what the issuer says of a token that only it can read.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::introspection_cache::{CachedAnswer, Introspected, IntrospectionCache};
use super::introspection_queue::{IntrospectionQueue, QueuedToken};
use super::log_throttle::{LogThrottle, truncated};
use super::pending_fetch::{PendingFetch, TokenDigest as Digest};
use super::uri::Uri;
use crate::host::{CallResponse, ClientAddress, Host, HostError, HttpCall};
use crate::json;
use crate::secret::Secret;

/// How many tokens a worker asks after at once. A cluster's circuit breaker lets 1,024 requests through
/// unless configured otherwise, for all workers.
const MOST_IN_FLIGHT: usize = 256;
/// How many calls are begun in one callback, so that others get their turn.
const SLICE: usize = 64;
/// How many are begun when one was answered: more than one, so that a worker that was held back by a
/// circuit breaker comes up again.
const FOLLOWING: usize = 2;
/// How long no call is begun after one that a circuit breaker did not let through.
const HELD_BACK: Duration = Duration::from_millis(50);
/// How long an issuer's no is remembered, in seconds.
const NEGATIVE_SECONDS: i64 = 10;
/// How long a failure to ask is remembered, in seconds.
const FAILURE_SECONDS: i64 = 1;
/// The longest answer that is looked at, in bytes: the claims of one token.
const LONGEST_ANSWER: usize = 65_536;
/// How much later than its timeout a call is given up that the host says nothing of, in seconds.
const LOST_SECONDS: i64 = 5;

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
pub enum IntrospectionResult {
    /// The issuer vouches for it, and says this.
    Active(Rc<Introspected>),
    /// The issuer does not.
    Inactive,
    /// The issuer is asked.
    Pending,
    /// The issuer could not be asked; worth another try after so many seconds.
    Unavailable(u64),
}

/// What one worker knows of the tokens of a scheme.
pub struct Introspector {
    settings: IntrospectionSettings,
    known: RefCell<IntrospectionCache>,
    queue: RefCell<IntrospectionQueue>,
    /// Those that wait in the queue and those that are asked after.
    pending: RefCell<HashSet<Digest>>,
    in_flight: RefCell<HashMap<u32, InFlight>>,
    /// How many calls the circuit breaker lets through, as far as it is known.
    most_in_flight: Cell<usize>,
    /// Until when no call is begun, on the host's monotonic clock.
    held_back: Cell<Duration>,
    failures: LogThrottle,
    /// Its number in the policy.
    pub(super) number: Cell<usize>,
    /// The tokens that something was learned of since the last look.
    answered: RefCell<Vec<Digest>>,
}

/// A token that is asked after.
struct InFlight {
    token: QueuedToken,
    /// When the host has forgotten the call, in Unix seconds.
    lost: i64,
}

/// Public face of a scheme's introspection.
pub type Introspection = Rc<Introspector>;

impl Introspector {
    /// One that knows nothing yet.
    #[must_use]
    pub fn new(settings: IntrospectionSettings) -> Introspection {
        Rc::new(Self {
            settings,
            known: RefCell::new(IntrospectionCache::new()),
            queue: RefCell::default(),
            pending: RefCell::default(),
            in_flight: RefCell::default(),
            most_in_flight: Cell::new(MOST_IN_FLIGHT),
            held_back: Cell::default(),
            failures: LogThrottle::default(),
            number: Cell::new(0),
            answered: RefCell::default(),
        })
    }

    /// What is known of `token`, whose digest is `digest`, at `now`, in Unix seconds. What is not known is
    /// asked for, once for all requests that wait; `host` is asked for the address of its client.
    pub fn ask(&self, token: &[u8], digest: Digest, now: i64, host: &dyn Host) -> IntrospectionResult {
        match self.known.borrow_mut().get(&digest, now) {
            Some(CachedAnswer::Active(answer, _)) => return IntrospectionResult::Active(answer),
            Some(CachedAnswer::Inactive) => return IntrospectionResult::Inactive,
            Some(CachedAnswer::Failed) => return IntrospectionResult::Unavailable(1),
            None => {}
        }
        let mut pending = self.pending.borrow_mut();
        if pending.contains(&digest) {
            return IntrospectionResult::Pending;
        }
        let address = ClientAddress::of(host);
        // Clients without an address are not distinguished.
        let client = address.site().or(address.as_str()).unwrap_or_default();
        if !self.queue.borrow_mut().push(digest, token, now, client) {
            return IntrospectionResult::Unavailable(1);
        }
        pending.insert(digest);
        IntrospectionResult::Pending
    }

    /// Its number in the policy.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number.get()
    }

    /// What something was learned of since the last look.
    pub(super) fn take_answered(&self) -> impl Iterator<Item = PendingFetch> {
        let number = self.number.get();
        self.answered.take().into_iter().map(move |token| PendingFetch::Introspection { number, token })
    }

    /// Whether a token waits to be asked after.
    #[must_use]
    pub fn has_queued(&self) -> bool {
        !self.queue.borrow().is_empty()
    }

    /// Asks after tokens that wait for it, the first ones first. Says whether something is known that
    /// was not.
    pub fn tick(&self, host: &dyn Host) -> bool {
        let now = host.now();
        if let Some(line) = self.failures.suppressed(now) {
            host.warn(&line);
        }
        for late in self.queue.borrow_mut().pop_late(now) {
            self.pending.borrow_mut().remove(&late.digest);
        }
        let lost = self.lost(now);
        for digest in &lost {
            self.fail(*digest, "a call that the host never answered", host);
        }
        let refused = self.dispatch(SLICE, host);
        !lost.is_empty() || refused
    }

    /// The tokens of calls that should have been answered long ago.
    fn lost(&self, now: i64) -> Vec<Digest> {
        let mut in_flight = self.in_flight.borrow_mut();
        if in_flight.values().all(|call| now < call.lost) {
            return Vec::new();
        }
        let mut lost = Vec::new();
        in_flight.retain(|_, call| {
            let is_lost = call.lost <= now;
            if is_lost {
                self.queue.borrow_mut().settle(&call.token.client);
                lost.push(call.token.digest);
            }
            !is_lost
        });
        lost
    }

    /// Begins up to so many calls. Says whether one could not be made, which is known of its token then.
    fn dispatch(&self, most: usize, host: &dyn Host) -> bool {
        let mut has_failed = false;
        if host.monotonic() < self.held_back.get() {
            return has_failed;
        }
        for _ in 0..most {
            let free = self.most_in_flight.get().saturating_sub(self.in_flight.borrow().len());
            if free == 0 {
                break;
            }
            let Some(next) = self.queue.borrow_mut().pop(free) else { break };
            match host.dispatch_http_call(&self.call(next.token.expose())) {
                Ok(id) => {
                    let seconds = i64::try_from(self.settings.timeout.as_secs()).unwrap_or(60);
                    let lost = host.now().saturating_add(seconds).saturating_add(LOST_SECONDS);
                    self.in_flight.borrow_mut().insert(id, InFlight { token: next, lost });
                }
                // A circuit breaker lets no more through: when one of ours is answered there is room.
                Err(_) if !self.in_flight.borrow().is_empty() => {
                    self.put_back(next);
                    break;
                }
                Err(HostError(what)) => {
                    let cluster = &self.settings.uri.cluster;
                    self.queue.borrow_mut().settle(&next.client);
                    self.fail(next.digest, &format!("{cluster:?} cannot be called: {what}"), host);
                    has_failed = true;
                }
            }
        }
        has_failed
    }

    /// A circuit breaker did not let this one through. It lets no more than those that are underway.
    fn put_back(&self, token: QueuedToken) {
        let underway = self.in_flight.borrow().len().max(1);
        self.most_in_flight.set(self.most_in_flight.get().min(underway));
        self.queue.borrow_mut().put_back(token);
    }

    /// A token could not be asked after.
    fn fail(&self, digest: Digest, reason: &str, host: &dyn Host) {
        let now = host.now();
        if let Some(line) = self.failures.line(now, format!("introspection: {}", truncated(reason))) {
            host.warn(&line);
        }
        self.store(digest, CachedAnswer::Failed, now.saturating_add(FAILURE_SECONDS));
    }

    fn call(&self, token: &[u8]) -> HttpCall {
        let IntrospectionSettings { uri, client_id, client_secret, in_body, timeout, .. } = &self.settings;
        let secret = String::from_utf8_lossy(client_secret.expose());
        // Each byte may become three.
        let form = String::with_capacity(token.len().saturating_mul(3).saturating_add(128));
        let mut form = form_urlencoded::Serializer::new(form);
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

    /// Takes an answer; says whether it is to one of these questions.
    pub fn on_http_call_response(&self, id: u32, response: &CallResponse, host: &dyn Host) -> bool {
        let Some(InFlight { token, .. }) = self.in_flight.borrow_mut().remove(&id) else {
            return false;
        };
        if response.is_overflow() {
            self.held_back.set(host.monotonic().saturating_add(HELD_BACK));
            self.put_back(token);
            return true;
        }
        let QueuedToken { digest, client, .. } = token;
        self.queue.borrow_mut().settle(&client);
        self.most_in_flight.set(self.most_in_flight.get().saturating_add(1).min(MOST_IN_FLIGHT));
        let now = host.now();
        match read(response) {
            Ok(Some(claims)) => {
                let exp = claims.get("exp").and_then(Value::as_f64).unwrap_or(f64::MAX);
                #[expect(clippy::cast_possible_truncation, reason = "a time beyond reach is no bound")]
                let exp = exp as i64;
                let until = now.saturating_add(self.settings.cache_seconds).min(exp);
                // Even what may not be remembered is given to waiting requests now.
                let until = until.max(now.saturating_add(1));
                let answer = Rc::new(Introspected { claims, ..Introspected::default() });
                self.store(digest, CachedAnswer::Active(answer, response.body.len()), until);
            }
            Ok(None) => {
                let seconds = NEGATIVE_SECONDS.min(self.settings.cache_seconds.max(1));
                self.store(digest, CachedAnswer::Inactive, now.saturating_add(seconds));
            }
            Err(reason) => self.fail(digest, &reason, host),
        }
        self.dispatch(FOLLOWING, host);
        true
    }

    fn store(&self, digest: Digest, known: CachedAnswer, until: i64) {
        self.pending.borrow_mut().remove(&digest);
        self.known.borrow_mut().put(digest, known, until);
        self.answered.borrow_mut().push(digest);
    }
}

impl std::fmt::Debug for Introspector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Introspector({})", self.settings.uri.authority)
    }
}

/// The claims of an active token; `None` for another one (RFC 7662 section 2.2).
fn read(response: &CallResponse) -> Result<Option<Map<String, Value>>, String> {
    let Ok(Value::Object(claims)) = json::parse_strict(response.success(LONGEST_ANSWER)?, 32) else {
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
