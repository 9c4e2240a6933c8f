//! When a source is fetched: a state that all workers share, and pure transitions with the time as an argument, so
//! that thousands of schedules can be tried in a test.

use serde_json::{Value, json as value};

use crate::json;

/// When a source is refreshed, and for how long it serves, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshPolicy {
    /// The longest between two fetches while all goes well.
    pub refresh: i64,
    /// The least time between two fetches for unknown keys.
    pub refetch: i64,
    /// How long what was fetched serves while fetching fails.
    pub max_stale: i64,
    /// How long one call may take; a fetch is one or two of them.
    pub timeout: i64,
}

/// The shortest that a `max-age` can make the time between two fetches.
const SHORTEST_REFRESH: i64 = 30;
/// The longest between two tries while fetching fails.
const LONGEST_BACKOFF: i64 = 60;

/// How long one worker may be at it that may not hear of the answer for a while.
const BRIEF_LEASE: i64 = 2;

/// How far a time may be ahead of what it should be at most, in seconds: clocks are set.
const SKEW: i64 = 60;
/// The longest entity tag that is kept, in bytes.
const LONGEST_ETAG: usize = 256;

impl RefreshPolicy {
    /// How long one worker may be at it. A worker that dies while it fetches delays the others for no longer.
    fn lease(&self) -> i64 {
        self.timeout.saturating_mul(2).saturating_add(2)
    }
}

/// What is known of a source, by every worker. Times are Unix seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchState {
    /// Counts every change of what was fetched; 0: nothing was yet.
    pub version: u64,
    /// When it was last fetched, changed or not.
    pub fetched: i64,
    /// When it is fetched next.
    pub next: i64,
    /// Until when a worker fetches it.
    pub lease: i64,
    /// From when on an unknown key may ask for it.
    pub refetch: i64,
    /// Failures since the last success.
    pub failures: u32,
    /// The entity tag of what was fetched (RFC 9110 section 8.8.3).
    pub etag: Option<String>,
    /// A digest of what was fetched.
    pub digest: String,
}

/// A success, as far as the schedule is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// The digest of what was fetched; `None`: it is what it was.
    pub digest: Option<String>,
    /// How long the response says that it may be kept, in seconds.
    pub max_age: Option<i64>,
    /// Its entity tag.
    pub etag: Option<String>,
}

impl FetchState {
    /// Whether it should be fetched, and no worker fetches it.
    #[must_use]
    pub fn is_due(&self, now: i64) -> bool {
        now >= self.next && !self.is_in_flight(now)
    }

    /// Whether a worker fetches it.
    #[must_use]
    pub fn is_in_flight(&self, now: i64) -> bool {
        now < self.lease
    }

    /// Whether what was fetched still serves.
    #[must_use]
    pub fn is_usable(&self, now: i64, policy: &RefreshPolicy) -> bool {
        self.version > 0 && now.saturating_sub(self.fetched) <= policy.max_stale
    }

    /// A worker begins to fetch.
    #[must_use]
    pub fn leased(&self, now: i64, policy: &RefreshPolicy) -> Self {
        Self { lease: now.saturating_add(policy.lease()), ..self.clone() }
    }

    /// The same by a worker that may not hear of the answer for a while: others do not wait for it.
    #[must_use]
    pub fn leased_briefly(&self, now: i64) -> Self {
        Self { lease: now.saturating_add(BRIEF_LEASE), ..self.clone() }
    }

    /// A worker that fetches it may not hear of the answer for a while, from now on.
    #[must_use]
    pub fn with_brief_lease(&self, now: i64) -> Option<Self> {
        let brief = self.leased_briefly(now);
        (self.lease > brief.lease).then_some(brief)
    }

    /// A request had an unknown key: it is due at once, if that may be. What is fetched on schedule
    /// does not count, lest a rotation right after it go unseen.
    #[must_use]
    pub fn with_early_refetch(&self, now: i64, policy: &RefreshPolicy) -> Option<Self> {
        let may = now >= self.refetch && !self.is_in_flight(now) && self.failures == 0;
        may.then(|| Self {
            next: now.min(self.next),
            refetch: now.saturating_add(policy.refetch),
            ..self.clone()
        })
    }

    /// It was fetched. `jitter`, from 0 to 1, keeps gateways that started together apart.
    #[must_use]
    pub fn succeeded(&self, now: i64, policy: &RefreshPolicy, fetched: &Fetched, jitter: f64) -> Self {
        let shortest = SHORTEST_REFRESH.min(policy.refresh);
        let age = fetched.max_age.map_or(policy.refresh, |age| age.clamp(shortest, policy.refresh));
        // Before it is old, so that no request has to wait.
        let early = portion(age, 0.1 + 0.1 * jitter);
        let has_changed = fetched.digest.as_ref().is_some_and(|digest| *digest != self.digest);
        Self {
            version: if has_changed { self.version.saturating_add(1) } else { self.version },
            fetched: now,
            next: now.saturating_add(age.saturating_sub(early).max(1)),
            lease: 0,
            refetch: self.refetch,
            failures: 0,
            etag: fetched.etag.clone().filter(|tag| is_etag(tag)),
            digest: fetched.digest.clone().unwrap_or_else(|| self.digest.clone()),
        }
    }

    /// It could not be fetched.
    #[must_use]
    pub fn failed(&self, now: i64, policy: &RefreshPolicy, jitter: f64) -> Self {
        let doubled = 1_i64.checked_shl(self.failures.min(16)).unwrap_or(LONGEST_BACKOFF);
        let backoff = doubled.min(LONGEST_BACKOFF).min(policy.refresh.max(1));
        let next = now.saturating_add(backoff).saturating_add(portion(backoff, jitter * 0.5));
        Self { next, lease: 0, failures: self.failures.saturating_add(1), ..self.clone() }
    }

    /// The state as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { version, fetched, next, lease, refetch, failures, etag, digest } = self;
        value!([version, fetched, next, lease, refetch, failures, etag, digest]).to_string().into_bytes()
    }

    /// The state in these bytes; `None` if they are not one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let Ok(Value::Array(fields)) = json::parse_strict(bytes, 1) else { return None };
        let [version, fetched, next, lease, refetch, failures, etag, digest] = fields.as_slice() else {
            return None;
        };
        let etag = match etag {
            Value::Null => None,
            tag => Some(tag.as_str().filter(|tag| is_etag(tag))?.to_owned()),
        };
        let is_digest =
            |text: &&str| text.is_empty() || text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        Some(Self {
            version: version.as_u64()?,
            fetched: fetched.as_i64()?,
            next: next.as_i64()?,
            lease: lease.as_i64()?,
            refetch: refetch.as_i64()?,
            failures: u32::try_from(failures.as_u64()?).ok()?,
            etag,
            digest: digest.as_str().filter(is_digest)?.to_owned(),
        })
    }

    /// The state as far as it can be true at `now`. A time that is further ahead than a worker that keeps to
    /// `limits` writes it is none: the clock went back, or another plugin wrote it. Then no worker is fetching,
    /// it is due, and what was fetched in times to come does not serve.
    #[must_use]
    pub fn clamped(mut self, now: i64, policy: &RefreshPolicy) -> Self {
        let is_beyond = |time: i64, most: i64| time > now.saturating_add(most).saturating_add(SKEW);
        if is_beyond(self.lease, policy.lease()) {
            self.lease = 0;
        }
        // A failure waits for half as long again as the longest backoff.
        if is_beyond(self.next, policy.refresh.max(LONGEST_BACKOFF.saturating_mul(2))) {
            self.next = now;
        }
        if is_beyond(self.refetch, policy.refetch) {
            self.refetch = 0;
        }
        if is_beyond(self.fetched, 0) {
            self.fetched = 0;
            self.next = self.next.min(now);
        }
        self
    }
}

/// Whether this may be sent as an entity tag (RFC 9110 section 8.8.3): it comes from outside, is written to
/// shared data and read from there at every tick.
#[must_use]
pub fn is_etag(tag: &str) -> bool {
    tag.len() <= LONGEST_ETAG && tag.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "seconds, by a share of one"
)]
fn portion(seconds: i64, share: f64) -> i64 {
    (seconds as f64 * share) as i64
}

#[cfg(test)]
#[path = "fetch_state_tests.rs"]
mod tests;
