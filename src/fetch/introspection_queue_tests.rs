use super::{IntrospectionQueue, MOST, MOST_BYTES, RESERVE, RESERVE_BYTES};

fn push(queue: &mut IntrospectionQueue, number: u32, bytes: usize, client: &str) -> bool {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&number.to_le_bytes());
    queue.push(digest, &vec![b'x'; bytes], 1000, client)
}

/// Each of two addresses had its half of the space, and a third one found none.
#[test]
fn two_addresses_took_all_of_the_space() {
    for (clients, bytes) in [(2, 10), (10, 10), (100, 10), (2, 8192), (10, 8192)] {
        let mut queue = IntrospectionQueue::default();
        for number in 0..3 * 2304 {
            push(&mut queue, number, bytes, &format!("client {}", number % clients));
        }
        let free = (MOST - queue.count).min((MOST_BYTES - queue.bytes) / bytes);
        assert!(free >= RESERVE.min(RESERVE_BYTES / bytes), "{free} beside {clients} clients");
        for other in 0..u32::try_from(free).unwrap() {
            assert!(push(&mut queue, 10_000 + other, bytes, &format!("other {other}")));
        }
        assert!(!push(&mut queue, 0, bytes, "one too many"));
    }
}

/// Each tick copied the names of all clients, and looked through all of them for each whose tokens were late:
/// four million comparisons for 2,304 clients.
#[test]
fn tokens_of_many_clients_that_are_late_at_once_are_taken_out_in_one_pass() {
    let mut queue = IntrospectionQueue::default();
    for number in 0..1000 {
        assert!(push(&mut queue, number, 10, &format!("client {number}")));
    }
    assert!(queue.pop_late(1010).is_empty());
    assert_eq!(queue.turns.len(), 1000);
    let underway = queue.pop(256).unwrap();
    assert!(queue.push([1; 32], b"later", 1005, "client 7"));
    assert_eq!(queue.pop_late(1011).len(), 999);
    assert_eq!((queue.count, queue.bytes, queue.turns.len()), (1, 5, 1));
    assert_eq!(queue.oldest, Some(1005));
    let left: Vec<_> = queue.lines.keys().collect();
    assert_eq!(left, [underway.client.as_str(), "client 7"], "one is underway, the other waits");
    assert_eq!(queue.pop_late(1016).len(), 1);
    queue.settle("client 0");
    assert!(queue.is_empty() && queue.lines.is_empty() && queue.turns.is_empty());
}

#[test]
fn what_is_put_back_is_the_next_one_of_its_client() {
    let mut queue = IntrospectionQueue::default();
    for (number, client) in [(1, "a"), (2, "a"), (3, "b"), (4, "b")] {
        assert!(push(&mut queue, number, 10, client));
    }
    let first = |queue: &mut IntrospectionQueue| queue.pop(256).map(|next| next.digest[0]);
    let taken = queue.pop(256).unwrap();
    queue.put_back(taken);
    assert_eq!(first(&mut queue), Some(1), "its turn was none");
    let late = queue.pop(256).unwrap();
    assert_eq!(late.digest[0], 3);
    assert_eq!(first(&mut queue), Some(2));
    queue.put_back(late);
    assert_eq!([first(&mut queue), first(&mut queue), first(&mut queue)], [Some(3), Some(4), None]);
}
