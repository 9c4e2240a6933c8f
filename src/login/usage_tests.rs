use std::time::Duration;

use super::{ENTRIES, Usage};

const START: Duration = Duration::from_secs(7);

#[test]
fn a_figure_halves_every_half_minute_and_is_gone_in_the_end() {
    let mut usage = Usage::default();
    usage.add(1, 8_000, START);
    for (seconds, micros) in [(0, 8_000), (15, 6_000), (30, 4_000), (45, 3_000), (60, 2_000), (90, 1_000)] {
        assert_eq!(usage.of(1, START + Duration::from_secs(seconds)), micros, "after {seconds} s");
    }
    assert_eq!(usage.of(1, START + Duration::from_secs(1 << 40)), 0);
    assert_eq!(usage.of(1, Duration::ZERO), 8_000, "a clock that stands still changes nothing");
    assert_eq!(usage.of(2, START), 0);
    usage.add(1, 1_000, START + Duration::from_secs(30));
    assert_eq!(usage.of(1, START + Duration::from_secs(30)), 5_000);
    usage.add(1, u64::MAX, START);
    assert!(usage.of(1, START) < u64::MAX / 1_000_000, "what is kept can be reckoned with");
}

#[test]
fn made_up_addresses_take_bounded_memory_and_displace_none_that_cost_more() {
    let mut usage = Usage::default();
    usage.add(1, 2_000, START);
    for tag in 2..3_000 {
        usage.add(tag, 1_000, START);
    }
    assert_eq!(usage.0.len(), ENTRIES);
    assert_eq!(usage.of(1, START), 2_000);
}
