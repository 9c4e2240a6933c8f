#![allow(clippy::arithmetic_side_effects, reason = "a test may count")]

use std::time::Duration;

use super::Budget;

/// Work of `cost` that is asked for every millisecond, for `seconds`: how long it ran in all.
fn spent(share: u32, cost: Duration, seconds: u64) -> Duration {
    let mut budget = Budget::new(share);
    let mut now = Duration::ZERO;
    let mut spent = Duration::ZERO;
    while now < Duration::from_secs(seconds) {
        if budget.ask(now).is_ok() {
            budget.book(cost);
            spent += cost;
            now += cost;
        }
        now += Duration::from_millis(1);
    }
    spent
}

#[test]
fn a_flood_of_logins_takes_its_share_of_the_time_and_no_more() {
    for (share, cost) in [(25, 40), (25, 340), (50, 85), (10, 40)] {
        let spent = spent(share, Duration::from_millis(cost), 100).as_secs_f64();
        let share = f64::from(share);
        assert!((share - 1.0..share + 2.0).contains(&spent), "{spent} s of 100 for {share} %");
    }
}

#[test]
fn it_says_how_long_to_wait_and_keeps_its_word() {
    let mut budget = Budget::new(25);
    let start = Duration::from_secs(7);
    assert_eq!(budget.ask(start), Ok(()));
    budget.book(Duration::from_millis(1500));
    assert_eq!(budget.ask(start), Err(5), "a debt of 1 s at a quarter is paid after 4 s");
    assert_eq!(budget.ask(start + Duration::from_secs(3)), Err(2));
    assert_eq!(budget.ask(start + Duration::from_secs(5)), Ok(()));
}

#[test]
fn an_idle_night_saves_up_half_a_second_and_no_more() {
    let mut budget = Budget::new(100);
    assert_eq!(budget.ask(Duration::ZERO), Ok(()));
    assert_eq!(budget.ask(Duration::from_secs(86_400)), Ok(()));
    budget.book(Duration::from_millis(501));
    assert!(budget.ask(Duration::from_secs(86_400)).is_err());
}

#[test]
fn what_leaves_credit_to_others_waits_for_more_and_is_never_refused_for_good() {
    let mut budget = Budget::new(25);
    let start = Duration::from_secs(7);
    for parts in [0, 500_000, 999_999, 1_000_000, u32::MAX] {
        assert_eq!(budget.ask_above(parts, start), Ok(()), "a full budget lets {parts} in");
    }
    budget.book(Duration::from_millis(300));
    assert_eq!(budget.ask_above(300_000, start), Ok(()), "200 ms are more than 150");
    assert_eq!(budget.ask_above(900_000, start), Err(2), "250 ms are lacking: one second at a quarter");
    assert_eq!(budget.ask_above(900_000, start + Duration::from_millis(1001)), Ok(()));
}
