//! Thousands of random schedules of several workers, an issuer that rotates and fails, and people
//! with unknown keys.

#![allow(clippy::arithmetic_side_effects, reason = "a simulation counts")]

use proptest::prelude::*;

use super::{FetchState, Fetched, RefreshPolicy};

const LIMITS: RefreshPolicy = RefreshPolicy { refresh: 60, refetch: 10, max_stale: 600, timeout: 5 };

/// A digest that means what was published.
fn digest(published: u64) -> String {
    format!("{published:032x}")
}

/// What happens in one second.
#[derive(Clone, Debug)]
enum Event {
    Nothing,
    Rotate,
    Fail,
    Recover,
    /// The response to the worker that fetches arrives.
    Respond,
    /// The worker that fetches dies.
    Die,
    /// A request has an unknown key.
    Unknown,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => Just(Event::Nothing), 1 => Just(Event::Rotate), 1 => Just(Event::Fail), 2 => Just(Event::Recover),
        6 => Just(Event::Respond), 1 => Just(Event::Die), 4 => Just(Event::Unknown),
    ]
}

/// The record, the worker that fetches, and what the issuer publishes.
struct World {
    state: FetchState,
    now: i64,
    in_flight: bool,
    failing: bool,
    published: u64,
    /// What the record's version means.
    have: Option<u64>,
    fetches: Vec<i64>,
    asked_fetches: Vec<i64>,
}

impl World {
    fn new() -> Self {
        Self {
            state: FetchState::default(),
            now: 1_000_000,
            in_flight: false,
            failing: false,
            published: 1,
            have: None,
            fetches: Vec::new(),
            asked_fetches: Vec::new(),
        }
    }

    fn on_http_call_response(&mut self, jitter: f64) {
        if !self.in_flight {
            return;
        }
        self.in_flight = false;
        if self.failing {
            self.state = self.state.failed(self.now, &LIMITS, jitter);
            return;
        }
        let fetched = Fetched { digest: Some(digest(self.published)), ..Fetched::default() };
        self.state = self.state.succeeded(self.now, &LIMITS, &fetched, jitter);
        self.have = Some(self.published);
    }

    fn second(&mut self, event: &Event, jitter: f64) {
        self.now += 1;
        // A lease that ran out ends a fetch that was not finished.
        if !self.state.is_in_flight(self.now) {
            self.in_flight = false;
        }
        match event {
            Event::Nothing => {}
            Event::Rotate => self.published += 1,
            Event::Fail => self.failing = true,
            Event::Recover => self.failing = false,
            Event::Respond => self.on_http_call_response(jitter),
            Event::Die => self.in_flight = false,
            Event::Unknown => {
                if let Some(asked) = self.state.with_early_refetch(self.now, &LIMITS) {
                    self.state = asked;
                    self.asked_fetches.push(self.now);
                }
            }
        }
        // Two workers look; only one can have the lease.
        for _ in 0..2 {
            if self.state.is_due(self.now) {
                assert!(!self.state.is_in_flight(self.now));
                self.state = self.state.leased(self.now, &LIMITS);
                assert!(!self.state.is_due(self.now), "no worker fetches beside another");
                self.in_flight = true;
                self.fetches.push(self.now);
            }
        }
        self.check();
    }

    fn check(&self) {
        // What serves was published, and not too long ago.
        if self.state.is_usable(self.now, &LIMITS) {
            assert_eq!(Some(self.state.digest.clone()), self.have.map(digest));
            assert!(self.now - self.state.fetched <= LIMITS.max_stale);
        }
        // Whatever happens, it is fetched again before long: it always recovers.
        let latest = self.state.next.max(self.state.lease);
        let longest = LIMITS.refresh.max(90 + LIMITS.timeout * 2 + 2);
        assert!(latest - self.now <= longest, "{:?} at {}", self.state, self.now);
        // Unknown keys cost no more than the limit says.
        assert!(self.asked_fetches.windows(2).all(|pair| pair[1] - pair[0] >= LIMITS.refetch));
        let shared = FetchState::from_bytes(&self.state.to_bytes());
        assert_eq!(shared.as_ref(), Some(&self.state), "shared as it is");
        let bounded = shared.map(|state| state.clamped(self.now, &LIMITS));
        assert_eq!(bounded.as_ref(), Some(&self.state), "what is written by the rules is believed");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_schedule_is_safe_and_recovers(
        events in prop::collection::vec((event(), 0.0..1.0_f64), 1..400),
    ) {
        let mut world = World::new();
        for (event, jitter) in &events {
            world.second(event, *jitter);
        }
        // Then all goes well, and each fetch is answered: within the longest backoff what is
        // published is what serves, and it stays so.
        world.second(&Event::Recover, 0.5);
        for _ in 0..200 {
            world.second(&Event::Respond, 0.5);
        }
        prop_assert_eq!(world.have, Some(world.published));
        prop_assert!(world.state.is_usable(world.now, &LIMITS));
        prop_assert_eq!(world.state.failures, 0);
    }

    #[test]
    fn without_events_it_is_fetched_once_in_each_interval(jitter in 0.0..1.0_f64) {
        let mut world = World::new();
        for _ in 0..600 {
            world.second(&Event::Respond, jitter);
        }
        // 48 to 54 seconds apart, each answered a second later.
        let fetches = world.fetches.len();
        prop_assert!((10..=13).contains(&fetches), "{} fetches", fetches);
    }
}

#[test]
fn what_the_issuer_says_of_the_age_counts_within_bounds() {
    let next = |max_age: Option<i64>| {
        let fetched = Fetched { digest: Some("x".into()), max_age, etag: None };
        FetchState::default().succeeded(1000, &LIMITS, &fetched, 0.0).next - 1000
    };
    assert_eq!(next(None), 54);
    assert_eq!(next(Some(40)), 36);
    assert_eq!(next(Some(0)), 27, "at least half a minute");
    assert_eq!(next(Some(1_000_000)), 54, "at most as configured");
}

#[test]
fn failures_back_off_and_no_further_than_a_minute() {
    let mut state = FetchState::default();
    let mut waits = Vec::new();
    for _ in 0..9 {
        state = state.failed(1000, &RefreshPolicy { refresh: 600, ..LIMITS }, 0.0);
        waits.push(state.next - 1000);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert!(
        state.with_early_refetch(1_000_000, &LIMITS).is_none(),
        "no early refetch from an issuer that is down"
    );
}

#[test]
fn bytes_that_are_no_record_are_none() {
    let digest = "0".repeat(32);
    let with = |etag: &str, digest: &str| format!("[1, 2, 3, 4, 5, 6, {etag}, \"{digest}\"]");
    assert!(FetchState::from_bytes(with("null", &digest).as_bytes()).is_some());
    assert!(FetchState::from_bytes(with("\"W/\\\"x\\\"\"", "").as_bytes()).is_some());
    for text in [
        String::new(),
        "{}".into(),
        "[1".into(),
        "[]".into(),
        "[1, 2, 3, 4, 5, 6, null]".into(),
        "[1, 2, 3, 4, 5, 6, null, \"\", 0]".into(),
        "[-1, 2, 3, 4, 5, 6, null, \"\"]".into(),
        "[1, 2.5, 3, 4, 5, 6, null, \"\"]".into(),
        "[1, 1e40, 3, 4, 5, 6, null, \"\"]".into(),
        "[\"x\", {}, []]".into(),
        with("null", "short"),
        with("null", &"x".repeat(32)),
        // It would be sent as a header.
        with("\"a\\r\\nauthorization: x\"", &digest),
        with(&format!("\"{}\"", "x".repeat(257)), &digest),
    ] {
        assert_eq!(FetchState::from_bytes(text.as_bytes()), None, "{text}");
    }
    assert_eq!(FetchState::from_bytes(b"\xff"), None);
}

/// A plugin with the same `vm_id` wrote times far ahead: no worker fetched any more, and old keys served on.
#[test]
fn times_far_ahead_held_every_worker_up() {
    let now = 1_000_000;
    for ahead in [i64::MAX, now * 1000, now + 86_400] {
        let alien = FetchState {
            version: 7,
            fetched: ahead,
            next: ahead,
            lease: ahead,
            refetch: ahead,
            ..FetchState::default()
        };
        let state = alien.clamped(now, &LIMITS);
        assert!(!state.is_in_flight(now) && state.is_due(now), "{state:?}");
        assert!(!state.is_usable(now, &LIMITS), "of times to come: {state:?}");
        assert!(state.with_early_refetch(now, &LIMITS).is_some());
    }
}

/// A clock that is set back by an hour: what was to come is due, and nothing is computed wrongly.
#[test]
fn a_clock_that_is_set_back_delays_no_fetch() {
    let fetched = Fetched { digest: Some(digest(1)), ..Fetched::default() };
    let state = FetchState::default().succeeded(1_000_000, &LIMITS, &fetched, 0.5);
    let after = state.clone().clamped(1_000_000 - 3600, &LIMITS);
    assert!(after.is_due(1_000_000 - 3600) && !after.is_usable(1_000_000 - 3600, &LIMITS));
    // A few seconds are nothing.
    let after = state.clone().clamped(1_000_000 - 5, &LIMITS);
    assert_eq!(after, state);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// A record of any origin: what that was read is due before long, and serves no longer than it may.
    #[test]
    fn whatever_is_read_is_fetched_before_long(
        times in prop::array::uniform4(any::<i64>()), version in any::<u64>(), failures in any::<u32>(),
        now in 0..4_000_000_000_i64,
    ) {
        let [fetched, next, lease, refetch] = times;
        let alien = FetchState { version, fetched, next, lease, refetch, failures, ..FetchState::default() };
        let state = alien.clamped(now, &LIMITS);
        prop_assert_eq!(&state.clone().clamped(now, &LIMITS), &state);
        let longest = LIMITS.refresh.max(120) + 60;
        prop_assert!(state.next.max(state.lease) <= now + longest, "{:?}", state);
        prop_assert!(state.is_due(now + longest + 1));
        prop_assert!(!state.is_usable(now + LIMITS.max_stale + 61, &LIMITS), "{:?}", state);
        let _ = (state.failed(now, &LIMITS, 1.0), state.with_early_refetch(now, &LIMITS), state.leased(now, &LIMITS));
    }
}
