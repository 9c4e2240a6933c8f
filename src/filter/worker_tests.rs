use std::rc::Rc;

use serde_json::json;

use super::{SEEN_AT_ONCE, WakeBudget, Worker};
use crate::filter::HttpFilter;
use crate::host::{InMemoryHost, InMemoryStream};
use crate::login::LoginHistory;

/// A flood of refusals cost the host's stats at each; one of them costs as much as a quarter of a refusal.
#[test]
fn the_first_refusals_of_a_second_are_seen_at_once_and_a_flood_when_time_has_passed() {
    let host = Rc::new(InMemoryHost::at(1_000));
    let policy = json!({"schemes": {"basic": {"type": "http", "scheme": "basic", "users": "staff"}},
        "users": {"staff": [{"username": "ann", "password": "$2b$04$MDEyMzQ1Njc4OWFiY2RlZee1DOydA/ZkGCG28Q.kqqJg4KKyFCMQa"}]}, "security": [{"basic": []}]});
    let made = Rc::clone(&host);
    let text = policy.to_string();
    let worker =
        Worker::configured(text.as_bytes(), &|_| None, LoginHistory::default(), |_| made).expect("good");
    let refuse = |count: usize| {
        for id in 0..count {
            let stream = InMemoryStream::new(&[(":method", "GET"), (":path", "/"), (":authority", "a")]);
            let mut filter = HttpFilter::new(u32::try_from(id).unwrap(), Rc::clone(&worker));
            filter.on_request_headers(&stream, true);
            assert_eq!(stream.replies.borrow().len(), 1);
        }
        host.updated_stats.take().len()
    };
    let tick = || {
        worker.on_tick(&WakeBudget::default(), &mut |_| true);
        host.updated_stats.take().len()
    };
    let most = SEEN_AT_ONCE as usize;
    // By rule and by reason.
    assert_eq!(refuse(100), 2 * most);
    assert_eq!(tick(), 2, "the rest, together");
    assert_eq!(refuse(1), 0, "the second is not over");
    assert_eq!(tick(), 2);
    host.now.set(1_001);
    tick();
    assert_eq!(refuse(3), 2 * 3);
    assert_eq!(tick(), 0);
    // Where no tick comes, each is seen at once.
    host.tick.set(0);
    assert_eq!(refuse(100), 2 * 100);
}
