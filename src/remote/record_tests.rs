//! Thousands of random schedules of several workers, an issuer that rotates and fails, and people
//! who come with unknown keys.

#![allow(clippy::arithmetic_side_effects, reason = "a simulation counts")]

use proptest::prelude::*;

use super::{Fetched, Limits, Record};

const LIMITS: Limits = Limits { refresh: 60, refetch: 10, max_stale: 600, timeout: 5 };

/// A digest that stands for what was published.
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
    /// The response to whoever is fetching comes.
    Respond,
    /// Whoever is fetching dies.
    Die,
    /// Somebody meets an unknown key.
    Unknown,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => Just(Event::Nothing), 1 => Just(Event::Rotate), 1 => Just(Event::Fail), 2 => Just(Event::Recover),
        6 => Just(Event::Respond), 1 => Just(Event::Die), 4 => Just(Event::Unknown),
    ]
}

/// The record, who is fetching, and what the issuer publishes.
struct World {
    record: Record,
    now: i64,
    underway: bool,
    failing: bool,
    published: u64,
    /// What the record's version stands for.
    have: Option<u64>,
    fetches: Vec<i64>,
    asked_fetches: Vec<i64>,
}

impl World {
    fn new() -> Self {
        Self {
            record: Record::default(),
            now: 1_000_000,
            underway: false,
            failing: false,
            published: 1,
            have: None,
            fetches: Vec::new(),
            asked_fetches: Vec::new(),
        }
    }

    fn respond(&mut self, jitter: f64) {
        if !self.underway {
            return;
        }
        self.underway = false;
        if self.failing {
            self.record = self.record.failed(self.now, &LIMITS, jitter);
            return;
        }
        let fetched = Fetched { digest: Some(digest(self.published)), ..Fetched::default() };
        self.record = self.record.succeeded(self.now, &LIMITS, &fetched, jitter);
        self.have = Some(self.published);
    }

    fn second(&mut self, event: &Event, jitter: f64) {
        self.now += 1;
        // A lease that ran out ends a fetch that nobody finished.
        if !self.record.is_underway(self.now) {
            self.underway = false;
        }
        match event {
            Event::Nothing => {}
            Event::Rotate => self.published += 1,
            Event::Fail => self.failing = true,
            Event::Recover => self.failing = false,
            Event::Respond => self.respond(jitter),
            Event::Die => self.underway = false,
            Event::Unknown => {
                if let Some(asked) = self.record.asked(self.now, &LIMITS) {
                    self.record = asked;
                    self.asked_fetches.push(self.now);
                }
            }
        }
        // Two workers look; only one can have the lease.
        for _ in 0..2 {
            if self.record.is_due(self.now) {
                assert!(!self.record.is_underway(self.now));
                self.record = self.record.leased(self.now, &LIMITS);
                assert!(!self.record.is_due(self.now), "nobody fetches beside another");
                self.underway = true;
                self.fetches.push(self.now);
            }
        }
        self.check();
    }

    fn check(&self) {
        // What serves was published, and not too long ago.
        if self.record.serves(self.now, &LIMITS) {
            assert_eq!(Some(self.record.digest.clone()), self.have.map(digest));
            assert!(self.now - self.record.fetched <= LIMITS.max_stale);
        }
        // Whatever happens, it is fetched again before long: it always recovers.
        let latest = self.record.next.max(self.record.lease);
        let longest = LIMITS.refresh.max(90 + LIMITS.timeout * 2 + 2);
        assert!(latest - self.now <= longest, "{:?} at {}", self.record, self.now);
        // Unknown keys cost no more than the limit says.
        assert!(self.asked_fetches.windows(2).all(|pair| pair[1] - pair[0] >= LIMITS.refetch));
        let shared = Record::from_bytes(&self.record.to_bytes());
        assert_eq!(shared.as_ref(), Some(&self.record), "shared as it is");
        let bounded = shared.map(|record| record.bounded(self.now, &LIMITS));
        assert_eq!(bounded.as_ref(), Some(&self.record), "what is written by the rules is believed");
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
        prop_assert!(world.record.serves(world.now, &LIMITS));
        prop_assert_eq!(world.record.failures, 0);
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
        Record::default().succeeded(1000, &LIMITS, &fetched, 0.0).next - 1000
    };
    assert_eq!(next(None), 54);
    assert_eq!(next(Some(40)), 36);
    assert_eq!(next(Some(0)), 27, "at least half a minute");
    assert_eq!(next(Some(1_000_000)), 54, "at most as configured");
}

#[test]
fn failures_back_off_and_no_further_than_a_minute() {
    let mut record = Record::default();
    let mut waits = Vec::new();
    for _ in 0..9 {
        record = record.failed(1000, &Limits { refresh: 600, ..LIMITS }, 0.0);
        waits.push(record.next - 1000);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert!(record.asked(1_000_000, &LIMITS).is_none(), "nobody hurries an issuer that is down");
}

#[test]
fn bytes_that_are_no_record_are_none() {
    let digest = "0".repeat(32);
    let with = |etag: &str, digest: &str| format!("[1, 2, 3, 4, 5, 6, {etag}, \"{digest}\"]");
    assert!(Record::from_bytes(with("null", &digest).as_bytes()).is_some());
    assert!(Record::from_bytes(with("\"W/\\\"x\\\"\"", "").as_bytes()).is_some());
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
        assert_eq!(Record::from_bytes(text.as_bytes()), None, "{text}");
    }
    assert_eq!(Record::from_bytes(b"\xff"), None);
}

/// A plugin with the same `vm_id` wrote times far ahead: nobody fetched any more, and old keys served on.
#[test]
fn times_far_ahead_held_every_worker_up() {
    let now = 1_000_000;
    for ahead in [i64::MAX, now * 1000, now + 86_400] {
        let alien = Record {
            version: 7,
            fetched: ahead,
            next: ahead,
            lease: ahead,
            refetch: ahead,
            ..Record::default()
        };
        let record = alien.bounded(now, &LIMITS);
        assert!(!record.is_underway(now) && record.is_due(now), "{record:?}");
        assert!(!record.serves(now, &LIMITS), "of times to come: {record:?}");
        assert!(record.asked(now, &LIMITS).is_some());
    }
}

/// A clock that is set back by an hour: what was to come is due, and nothing is computed wrongly.
#[test]
fn a_clock_that_is_set_back_holds_nobody_up() {
    let fetched = Fetched { digest: Some(digest(1)), ..Fetched::default() };
    let record = Record::default().succeeded(1_000_000, &LIMITS, &fetched, 0.5);
    let after = record.clone().bounded(1_000_000 - 3600, &LIMITS);
    assert!(after.is_due(1_000_000 - 3600) && !after.serves(1_000_000 - 3600, &LIMITS));
    // A few seconds are nothing.
    let after = record.clone().bounded(1_000_000 - 5, &LIMITS);
    assert_eq!(after, record);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whoever wrote it: a record that was read is due before long, and serves no longer than it may.
    #[test]
    fn whatever_is_read_is_fetched_before_long(
        times in prop::array::uniform4(any::<i64>()), version in any::<u64>(), failures in any::<u32>(),
        now in 0..4_000_000_000_i64,
    ) {
        let [fetched, next, lease, refetch] = times;
        let alien = Record { version, fetched, next, lease, refetch, failures, ..Record::default() };
        let record = alien.bounded(now, &LIMITS);
        prop_assert_eq!(&record.clone().bounded(now, &LIMITS), &record);
        let longest = LIMITS.refresh.max(120) + 60;
        prop_assert!(record.next.max(record.lease) <= now + longest, "{:?}", record);
        prop_assert!(record.is_due(now + longest + 1));
        prop_assert!(!record.serves(now + LIMITS.max_stale + 61, &LIMITS), "{:?}", record);
        let _ = (record.failed(now, &LIMITS, 1.0), record.asked(now, &LIMITS), record.leased(now, &LIMITS));
    }
}
