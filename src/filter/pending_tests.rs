use std::time::Duration;

use smallvec::smallvec;

use super::{PendingRequests, WaitLimits, WaitRequest};
use crate::fetch::PendingFetch;

fn wait_request(address: &str, connection: u64, credential: u64) -> WaitRequest {
    WaitRequest {
        fetches: smallvec![PendingFetch::Source(0)],
        deadline: Duration::from_secs(10),
        address: Some(address.into()),
        site: None,
        connection: Some(connection),
        credential: Some(credential),
    }
}

fn due(pending: &mut PendingRequests) -> Vec<u32> {
    std::iter::from_fn(|| pending.next_due()).collect()
}

#[test]
fn what_arrives_wakes_the_requests_that_wait_for_it_and_no_others() {
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

/// How many of the claims get a place, taken in turns as they come.
fn taken(places: WaitLimits, claims: impl Iterator<Item = WaitRequest>) -> (PendingRequests, u32) {
    let mut pending = PendingRequests::new(places);
    let taken = (0..).zip(claims).filter(|(id, wait_request)| pending.add(*id, wait_request.clone())).count();
    (pending, u32::try_from(taken).unwrap())
}

#[test]
fn no_credential_connection_or_address_takes_more_than_its_share() {
    let places = WaitLimits::FETCHES;
    let most =
        |wait_request: &dyn Fn(u32) -> WaitRequest| taken(places, (0..2 * places.all).map(wait_request)).1;
    assert_eq!(most(&|id| wait_request(&id.to_string(), id.into(), 1)), places.credential);
    assert_eq!(most(&|id| wait_request("a", 1, id.into())), places.connection);
    let of_address = (places.all - places.reserve) / 2;
    assert_eq!(most(&|id| wait_request("a", id.into(), id.into())), of_address);
    assert_eq!(most(&|id| wait_request(&id.to_string(), id.into(), id.into())), places.all);
    // A proxy brings many clients on one connection: one of them does not take the places of the others.
    assert_eq!(most(&|id| wait_request(&id.to_string(), 1, id.into())), places.all);
    // An IPv6 client is as many addresses as it likes, but one site.
    let of_site = |id: u32| WaitRequest {
        site: Some("2001:db8:0:".into()),
        ..wait_request(&id.to_string(), id.into(), id.into())
    };
    assert_eq!(most(&of_site), of_address);
    // Clients without an address are distinguished by their connections.
    let without = |id: u32| WaitRequest { address: None, ..wait_request("", (id % 2).into(), id.into()) };
    assert_eq!(most(&without), 2 * places.connection);
}

/// Each of two addresses had its half of the places, and a third one found none.
#[test]
fn two_addresses_took_every_place() {
    for places in [WaitLimits::FETCHES, WaitLimits::BODIES] {
        for clients in [2, 3, 10, 100, 600] {
            let claims = (0..3 * places.all).map(|id| {
                let client = id % clients;
                // Each opens as many connections as it likes, and makes its credentials up.
                wait_request(&format!("address {client}"), id.into(), id.into())
            });
            let (mut pending, taken) = taken(places, claims);
            let free = places.all - taken;
            assert!(free >= places.reserve, "{free} of {} beside {clients} clients", places.all);
            let share = taken / clients;
            assert!(
                share + 1 >= free - places.reserve,
                "{share} each and {free} free beside {clients} clients"
            );
            for other in 0..free {
                let id = 4 * places.all + other;
                assert!(pending.add(id, wait_request(&format!("other {other}"), id.into(), id.into())));
            }
        }
    }
}

/// A request that looks again keeps its place, though by then its client could have no other one.
#[test]
fn a_share_that_became_smaller_takes_no_place_away() {
    let places = WaitLimits::BODIES;
    let (mut pending, first) =
        taken(places, (0..places.all).map(|id| wait_request("a", id.into(), id.into())));
    for id in places.all..2 * places.all {
        pending.add(id, wait_request("b", id.into(), id.into()));
    }
    assert!(!pending.add(9999, wait_request("a", 9999, 9999)));
    for id in 0..first {
        pending.remove(id);
        pending.keep(id, wait_request("a", id.into(), id.into()));
    }
    assert_eq!(pending.held.get(&super::QuotaOwner::Address("a".into())), Some(&first));
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
