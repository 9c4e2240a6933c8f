use super::{Account, Throttle};
use crate::host::{ClientAddress, InMemoryHost};

const THROTTLE: Throttle = Throttle { failures: 3, window: 60 };

const STAFF: [u8; 32] = [1; 32];
const CUSTOMERS: [u8; 32] = [2; 32];

fn account(name: &str) -> Account {
    Account::new(&STAFF, name.as_bytes())
}

fn address(host: &InMemoryHost, text: &str) -> ClientAddress {
    *host.address.borrow_mut() = Some(text.into());
    ClientAddress::of(host)
}

fn fail(host: &InMemoryHost, times: u32, username: &str, from: &str) {
    for _ in 0..times {
        THROTTLE.fail(host, account(username), &address(host, from)).unwrap();
    }
}

fn wait(host: &InMemoryHost, username: &str, from: &str) -> Option<u64> {
    THROTTLE.wait(host, account(username), &address(host, from)).unwrap()
}

fn succeed(host: &InMemoryHost, account: Account, from: &str) {
    THROTTLE.succeed(host, account, &address(host, from)).unwrap();
}

#[test]
fn failures_of_a_username_from_an_address_are_counted_and_forgiven_after_the_window() {
    let host = InMemoryHost::at(1000);
    fail(&host, 2, "ann", "a");
    assert_eq!(wait(&host, "ann", "a"), None);
    host.now.set(1010);
    fail(&host, 1, "ann", "a");
    assert_eq!(wait(&host, "ann", "a"), Some(50), "the window began with the first failure");
    assert_eq!(wait(&host, "ann", "b"), None, "nobody is locked out by somebody elsewhere");
    assert_eq!(wait(&host, "bob", "a"), None);
    host.now.set(1059);
    assert_eq!(wait(&host, "ann", "a"), Some(1));
    host.now.set(1060);
    assert_eq!(wait(&host, "ann", "a"), None);
    fail(&host, 1, "ann", "a");
    assert_eq!(wait(&host, "ann", "a"), None, "the count began anew");
}

#[test]
fn an_address_that_tries_everybody_has_to_wait() {
    let host = InMemoryHost::at(1000);
    for user in 0..30 {
        assert_eq!(wait(&host, "carol", "a"), None, "after {user}");
        fail(&host, 1, &format!("user{user}"), "a");
    }
    assert_eq!(wait(&host, "carol", "a"), Some(60));
    assert_eq!(wait(&host, "carol", "b"), None);
}

#[test]
fn a_right_password_wipes_the_slate_of_its_user() {
    let host = InMemoryHost::at(1000);
    fail(&host, 2, "ann", "a");
    succeed(&host, account("ann"), "a");
    fail(&host, 2, "ann", "a");
    assert_eq!(wait(&host, "ann", "a"), None);
}

#[test]
fn a_flood_of_made_up_names_takes_bounded_room_and_does_not_hide_who_guesses() {
    let host = InMemoryHost::at(1000);
    fail(&host, 3, "ann", "a");
    for user in 0..50_000 {
        fail(&host, 1, &format!("user{user}"), &format!("address{user}"));
    }
    let (values, bytes) = host.shared_size();
    assert!(values <= 1024, "{values}");
    assert!(bytes <= 1024 * 16 * 20, "{bytes}");
    assert_eq!(wait(&host, "ann", "a"), Some(60), "three failures outlast single ones");
}

#[test]
fn a_clock_that_was_set_back_locks_nobody_out() {
    let host = InMemoryHost::at(1_000_000);
    fail(&host, 3, "ann", "a");
    host.now.set(1000);
    assert_eq!(wait(&host, "ann", "a"), None);
}

#[test]
fn a_host_without_shared_data_is_an_error_and_not_an_open_gate() {
    let host = InMemoryHost::at(1000);
    host.works.set(false);
    let address = address(&host, "a");
    assert!(THROTTLE.wait(&host, account("ann"), &address).is_err());
    assert!(THROTTLE.fail(&host, account("ann"), &address).is_err());
    assert!(THROTTLE.succeed(&host, account("ann"), &address).is_err());
}

/// A login at another directory under the same name, every few guesses, went on for a hundred guesses.
#[test]
fn a_login_of_the_same_name_elsewhere_was_a_fresh_start_for_the_guesser() {
    let host = InMemoryHost::at(1000);
    for _ in 0..3 {
        fail(&host, 1, "ann", "a");
        succeed(&host, Account::new(&CUSTOMERS, b"ann"), "a");
    }
    assert_eq!(wait(&host, "ann", "a"), Some(60));
    let elsewhere = Account::new(&CUSTOMERS, b"ann");
    assert_eq!(THROTTLE.wait(&host, elsewhere, &address(&host, "a")), Ok(None), "nor do failures go over");
}

#[test]
fn a_login_of_ones_own_forgives_neither_the_address_nor_another_user() {
    let host = InMemoryHost::at(1000);
    for user in 0..30 {
        assert_eq!(wait(&host, "mallory", "a"), None, "after {user}");
        fail(&host, 1, if user < 3 { "ann" } else { "bob" }, "a");
        succeed(&host, account("mallory"), "a");
    }
    assert_eq!(wait(&host, "ann", "a"), Some(60), "another user");
    assert_eq!(wait(&host, "mallory", "a"), Some(60), "the address, for everybody");
}
