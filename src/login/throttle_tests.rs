use super::{Account, Throttle};
use crate::host::{ClientAddress, InMemoryHost};

const THROTTLE: Throttle = Throttle { failures: 3, window: 60 };

const STAFF: [u8; 32] = [1; 32];
const CUSTOMERS: [u8; 32] = [2; 32];

fn account(name: &str) -> Account {
    Account::new(&STAFF, name.as_bytes())
}

/// `a` to `z` are clients, and so is an address as it is written; `nowhere` has no address.
fn address(host: &InMemoryHost, text: &str) -> ClientAddress {
    let own = match text.as_bytes() {
        b"nowhere" => None,
        [letter] => Some(format!("192.0.2.{letter}")),
        _ => Some(text.to_owned()),
    };
    *host.address.borrow_mut() = own;
    ClientAddress::of(host)
}

fn fail(host: &InMemoryHost, times: u32, username: &str, from: &str) {
    for _ in 0..times {
        THROTTLE.fail(host, account(username), &address(host, from)).unwrap();
    }
}

fn wait(host: &InMemoryHost, username: &str, from: &str) -> Option<u64> {
    THROTTLE.wait(host, account(username), &address(host, from), false).unwrap()
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
    assert_eq!(wait(&host, "ann", "b"), None, "no user is locked out by another address");
    assert_eq!(wait(&host, "bob", "a"), None);
    host.now.set(1059);
    assert_eq!(wait(&host, "ann", "a"), Some(1));
    host.now.set(1060);
    assert_eq!(wait(&host, "ann", "a"), None);
    fail(&host, 1, "ann", "a");
    assert_eq!(wait(&host, "ann", "a"), None, "the count began anew");
}

#[test]
fn an_address_that_tries_every_user_has_to_wait() {
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
fn a_flood_of_made_up_names_takes_bounded_memory_and_does_not_hide_the_guesser() {
    let host = InMemoryHost::at(1000);
    fail(&host, 3, "ann", "a");
    for user in 0..50_000 {
        fail(&host, 1, &format!("user{user}"), &std::net::Ipv4Addr::from_bits(user).to_string());
    }
    let (values, bytes) = host.shared_size();
    assert!(values <= 1024, "{values}");
    assert!(bytes <= 1024 * 16 * 20, "{bytes}");
    assert_eq!(wait(&host, "ann", "a"), Some(60), "three failures outlast single ones");
}

#[test]
fn a_clock_that_was_set_back_locks_no_user_out() {
    let host = InMemoryHost::at(1_000_000);
    fail(&host, 3, "ann", "a");
    host.now.set(1000);
    assert_eq!(wait(&host, "ann", "a"), None);
}

#[test]
fn a_host_without_shared_data_is_an_error_and_not_an_open_door() {
    let host = InMemoryHost::at(1000);
    host.works.set(false);
    let address = address(&host, "a");
    assert!(THROTTLE.wait(&host, account("ann"), &address, false).is_err());
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
    assert_eq!(
        THROTTLE.wait(&host, elsewhere, &address(&host, "a"), false),
        Ok(None),
        "nor do failures go over"
    );
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
    assert_eq!(wait(&host, "mallory", "a"), Some(60), "the address, for every name");
}

/// A listener whose window is a second, with the `vm_id` of one whose window is an hour: each failure there
/// ended what was counted here.
#[test]
fn a_configuration_with_a_shorter_window_wiped_the_counters_of_another() {
    let host = InMemoryHost::at(1000);
    let strict = Throttle { failures: 1, window: 3600 };
    let fails = |throttle: Throttle, account: Account| {
        throttle.fail(&host, account, &address(&host, "a")).unwrap();
    };
    let waits = |throttle: Throttle, account: Account| {
        throttle.wait(&host, account, &address(&host, "a"), false).unwrap()
    };
    fails(strict, account("ann"));
    for other in [Throttle { window: 1, ..strict }, Throttle { failures: 9, window: 1 }] {
        host.now.set(host.now.get() + 2);
        // Every slot there is.
        for number in 0..20_000 {
            fails(other, Account::new(&CUSTOMERS, format!("user{number}").as_bytes()));
        }
        assert!(waits(strict, account("ann")).is_some_and(|seconds| seconds > 3500));
        assert_eq!(waits(strict, account("bob")), None, "nor does the address have failures of there");
        assert_eq!(waits(Throttle { window: 60, ..strict }, account("ann")), None, "nor of here");
    }
}

/// Each network of an IPv6 site had ten guesses at an account, and a site has 65,536 networks.
#[test]
fn every_network_of_an_ipv6_site_had_guesses_of_its_own() {
    let host = InMemoryHost::at(1000);
    let network = |number: u32| format!("2001:db8:7:{number:x}::1");
    let judged = |username: &dyn Fn(u32) -> String, networks: std::ops::Range<u32>| {
        let mut judged = 0;
        for number in networks {
            for _ in 0..3 {
                let (username, from) = (username(number), network(number));
                if wait(&host, &username, &from).is_none() {
                    fail(&host, 1, &username, &from);
                    judged += 1;
                }
            }
        }
        judged
    };
    assert_eq!(judged(&|_| "ann".into(), 0..1000), 30, "at one account");
    assert_eq!(judged(&|number| format!("user{number}"), 1000..2000), 270, "at all of them, 300");
    let home = address(&host, &network(9999));
    assert_eq!(THROTTLE.wait(&host, account("ann"), &home, true), Ok(None), "a known address");
    assert_eq!(wait(&host, "ann", "2001:db8:8::1"), None, "another site");
    assert_eq!(wait(&host, "ann", "a"), None);
    // A right password forgives the address and not the site.
    succeed(&host, account("ann"), &network(9999));
    assert!(wait(&host, "ann", &network(9999)).is_some());
}

/// Clients of a Unix socket counted as one address: thirty failures, whosever, kept all of them out.
#[test]
fn clients_without_an_address_locked_each_other_out() {
    let host = InMemoryHost::at(1000);
    for user in 0..100 {
        fail(&host, 1, &format!("user{user}"), "nowhere");
    }
    assert_eq!(wait(&host, "carol", "nowhere"), None);
    fail(&host, 3, "ann", "nowhere");
    assert_eq!(wait(&host, "ann", "nowhere"), Some(60), "guesses at one account are counted");
    assert_eq!(wait(&host, "carol", "nowhere"), None);
    assert_eq!(wait(&host, "ann", "a"), None, "for clients without an address only");
    // What is no address of a client: of Envoy's internal listener, of a Unix socket with a colon in its name.
    for odd in ["envoy://internal/1", "/tmp/socket", "envoy"] {
        assert_eq!(wait(&host, "ann", odd), Some(60), "{odd}");
    }
}
