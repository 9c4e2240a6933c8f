#![allow(clippy::arithmetic_side_effects, reason = "a test may count")]

use std::time::Duration;

use super::{Admission, Attempt};
use crate::login::LoginHistory;

const COST: Duration = Duration::from_millis(45);
const STEP: Duration = Duration::from_millis(1);
const SHARE: u32 = 25;

/// An address and a name, both by number.
fn attempt(address: u64, name: u64) -> Attempt {
    Attempt { address, site: None, name }
}

/// A worker that is asked by a flood all the time, and by a valid client now and then.
struct Worker {
    admission: Admission,
    now: Duration,
    cost: Duration,
    /// What the flood had hashed.
    hashed: Vec<Attempt>,
}

impl Worker {
    fn new(cost: Duration) -> Self {
        let (admission, now) = (Admission::new(SHARE, LoginHistory::default()), Duration::from_secs(100));
        Self { admission, now, cost, hashed: Vec::new() }
    }

    /// One login; says whether its password was hashed. A hash stops the clock for the worker alone.
    fn asks(&mut self, attempt: Attempt, right: bool) -> bool {
        let admitted = self.admission.ask(attempt, self.now).is_ok();
        if admitted {
            self.now += self.cost;
            self.admission.book(attempt, right, self.cost, self.now);
        }
        admitted
    }

    /// Wrong passwords by `flood`, each millisecond one, for `time`.
    fn flooded(&mut self, time: Duration, flood: &mut dyn FnMut() -> Attempt) {
        let end = self.now + time;
        while self.now < end {
            let attempt = flood();
            if self.asks(attempt, false) {
                self.hashed.push(attempt);
            }
            self.now += STEP;
        }
    }

    /// How many of 20 right logins by `valid` get through in 8 s of `flood`.
    fn valid_through(&mut self, valid: Attempt, flood: &mut dyn FnMut() -> Attempt) -> usize {
        let mut through = 0;
        for _ in 0..20 {
            self.flooded(Duration::from_millis(400), flood);
            through += usize::from(self.asks(valid, true));
        }
        through
    }
}

/// Wrong passwords for made-up users, from `addresses` in turns.
fn flood(addresses: u64) -> impl FnMut() -> Attempt {
    let mut count = 0;
    move || {
        count += 1;
        attempt(1_000 + count % addresses, 1_000_000 + count)
    }
}

/// Of 20 right logins in 8 s none got through: the budget went to the address that asked most often.
#[test]
fn a_flood_from_three_addresses_kept_all_others_out() {
    for (addresses, milliseconds) in [(1, 45), (3, 45), (30, 45), (3, 2), (3, 90)] {
        let mut worker = Worker::new(Duration::from_millis(milliseconds));
        let mut flood = flood(addresses);
        worker.flooded(Duration::from_secs(20), &mut flood);
        let through = worker.valid_through(attempt(1, 1), &mut flood);
        assert!(through >= 18, "{through} of 20 beside {addresses} addresses at {milliseconds} ms");
    }
}

#[test]
fn a_flood_that_has_just_begun_keeps_no_one_out_either() {
    let through = Worker::new(COST).valid_through(attempt(1, 1), &mut flood(3));
    assert!(through >= 18, "{through} of 20");
}

#[test]
fn the_whole_stays_within_the_share_and_a_flood_that_is_alone_has_all_of_it() {
    for addresses in [1, 3, 1_000_000] {
        let mut worker = Worker::new(COST);
        worker.flooded(Duration::from_secs(100), &mut flood(addresses));
        let spent = COST * u32::try_from(worker.hashed.len()).unwrap();
        assert!((24.0..26.0).contains(&spent.as_secs_f64()), "{spent:?} of 100 s for {addresses} addresses");
    }
}

#[test]
fn addresses_that_flood_alike_get_alike_however_often_they_ask() {
    let mut worker = Worker::new(COST);
    let mut count = 0_u64;
    // Nine of ten requests are from the first.
    worker.flooded(Duration::from_secs(120), &mut || {
        count += 1;
        attempt(if count.is_multiple_of(10) { 2 } else { 1 }, count)
    });
    let of = |address| worker.hashed.iter().filter(|attempt| attempt.address == address).count();
    let (busy, quiet) = (of(1), of(2));
    assert!(quiet * 10 >= busy * 7, "{busy} for the one, {quiet} for the other");
}

#[test]
fn one_wrong_password_does_not_put_a_user_behind_a_flood() {
    let mut worker = Worker::new(COST);
    let mut flood = flood(3);
    worker.flooded(Duration::from_secs(20), &mut flood);
    assert!(worker.asks(attempt(1, 1), false), "a slip");
    worker.flooded(Duration::from_millis(400), &mut flood);
    assert!(worker.asks(attempt(1, 1), true), "and again");
}

/// Where a client may write `X-Forwarded-For` each guess comes from an address that never failed.
#[test]
fn made_up_addresses_do_not_keep_out_a_user_that_logged_in_from_here_before() {
    let mut worker = Worker::new(COST);
    let home = attempt(1, 1);
    assert!(worker.asks(home, true));
    let mut flood = flood(u64::MAX);
    worker.flooded(Duration::from_secs(20), &mut flood);
    let mut through = 0;
    for _ in 0..20 {
        worker.flooded(Duration::from_secs(6), &mut flood);
        through += usize::from(worker.asks(home, true));
    }
    assert!(through >= 18, "{through} of 20");
}

#[test]
fn made_up_addresses_that_guess_at_one_name_are_in_no_other_s_way() {
    let mut worker = Worker::new(COST);
    let mut count = 0;
    let mut flood = move || {
        count += 1;
        attempt(1_000 + count, 7)
    };
    worker.flooded(Duration::from_secs(20), &mut flood);
    let through = worker.valid_through(attempt(1, 1), &mut flood);
    assert!(through >= 18, "{through} of 20");
    // Attempt is guessed at is not locked out: not from where they were before, and elsewhere as any guesser.
    assert!(worker.admission.ask(attempt(2, 7), worker.now + Duration::from_secs(1)).is_ok());
}

#[test]
fn a_site_that_makes_up_ipv6_addresses_is_in_no_other_s_way() {
    let mut worker = Worker::new(COST);
    let mut count = 0;
    let mut flood = move || {
        count += 1;
        Attempt { address: 1_000 + count, site: Some(5), name: 1_000_000 + count }
    };
    worker.flooded(Duration::from_secs(20), &mut flood);
    let through = worker.valid_through(attempt(1, 1), &mut flood);
    assert!(through >= 18, "{through} of 20");
}

#[test]
fn somebody_with_a_password_takes_no_more_than_others_by_logging_in_all_the_time() {
    let mut worker = Worker::new(COST);
    let greedy = attempt(2, 2);
    let mut through = 0;
    for second in 0..60 {
        for _ in 0..500 {
            worker.asks(greedy, true);
            worker.now += STEP;
        }
        if second >= 20 && second % 2 == 0 {
            through += usize::from(worker.asks(attempt(1, 1), true));
        }
    }
    assert!(through >= 18, "{through} of 20");
}
