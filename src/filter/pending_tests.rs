use std::time::Duration;

use smallvec::smallvec;

use super::{PendingRequests, WaitLimits, WaitRequest};
use crate::fetch::PendingFetch;

fn wait_request(address: &str, connection: u64, credential: u64) -> WaitRequest {
    WaitRequest {
        fetches: smallvec![PendingFetch::Source(0)],
        deadline: Duration::from_secs(10),
        address: address.into(),
        site: None,
        connection: Some(connection),
        credential: Some(credential),
    }
}

fn due(pending: &mut PendingRequests) -> Vec<u32> {
    std::iter::from_fn(|| pending.next_due()).collect()
}

#[test]
fn what_arrives_wakes_those_who_wait_for_it_and_no_others() {
    let mut pending = PendingRequests::new(WaitLimits::FETCHES);
    let token = |token| PendingFetch::Introspection { number: 0, token: [token; 32] };
    let waits = |fetches: &[PendingFetch]| WaitRequest { fetches: fetches.into(), ..wait_request("a", 1, 1) };
    assert!(pending.add(1, waits(&[token(1)])));
    assert!(pending.add(2, waits(&[token(2)])));
    assert!(pending.add(3, waits(&[token(2), PendingFetch::Source(7)])));
    pending.wake(&token(9));
    assert_eq!(due(&mut pending), Vec::<u32>::new());
    pending.wake(&token(2));
    pending.wake(&PendingFetch::Source(7));
    assert_eq!(due(&mut pending), [2, 3], "each once, though both that it waited for came");
    pending.wake(&token(1));
    pending.remove(1);
    assert_eq!(due(&mut pending), Vec::<u32>::new(), "one that is gone is not woken");
}

#[test]
fn time_wakes_those_whose_patience_is_over() {
    let mut pending = PendingRequests::new(WaitLimits::FETCHES);
    for (id, seconds) in [(1, 10), (2, 3), (3, 5)] {
        let deadline = Duration::from_secs(seconds);
        assert!(pending.add(id, WaitRequest { deadline, ..wait_request("a", 1, 1) }));
    }
    pending.expire(Duration::from_secs(5));
    assert_eq!(due(&mut pending), [2, 3]);
    pending.expire(Duration::from_secs(9));
    assert!(!pending.has_due());
}

#[test]
fn no_credential_connection_or_address_takes_more_than_its_share() {
    let most = |wait_request: &dyn Fn(u32) -> WaitRequest| {
        let mut pending = PendingRequests::new(WaitLimits::FETCHES);
        u32::try_from(
            (0..2 * WaitLimits::FETCHES.all).filter(|&id| pending.add(id, wait_request(id))).count(),
        )
        .unwrap()
    };
    let places = WaitLimits::FETCHES;
    assert_eq!(most(&|id| wait_request(&id.to_string(), id.into(), 1)), places.credential);
    assert_eq!(most(&|id| wait_request("a", 1, id.into())), places.connection);
    assert_eq!(most(&|id| wait_request("a", id.into(), id.into())), places.address);
    assert_eq!(most(&|id| wait_request(&id.to_string(), id.into(), id.into())), places.all);
    // A proxy brings many clients on one connection: one of them does not take the places of the others.
    assert_eq!(most(&|id| wait_request(&id.to_string(), 1, id.into())), places.all);
    // An IPv6 client is as many addresses as it likes, but one site.
    let of_site = |id: u32| WaitRequest {
        site: Some("2001:db8:0:".into()),
        ..wait_request(&id.to_string(), id.into(), id.into())
    };
    assert_eq!(most(&of_site), places.address);
}

#[test]
fn a_place_that_is_left_is_free_again() {
    let mut pending = PendingRequests::new(WaitLimits::FETCHES);
    for id in 0..WaitLimits::FETCHES.credential {
        assert!(pending.add(id, wait_request("a", 1, 1)));
    }
    assert!(!pending.add(9999, wait_request("a", 1, 1)));
    pending.remove(0);
    assert!(pending.add(9999, wait_request("a", 1, 1)));
    for id in (0..WaitLimits::FETCHES.credential).chain([9999]) {
        pending.remove(id);
    }
    assert!(pending.is_empty() && pending.held.is_empty() && pending.by_fetch.is_empty());
    assert!(pending.by_deadline.is_empty(), "nothing is left of what was there");
}
