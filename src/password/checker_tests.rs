use std::cell::Cell;
use std::time::Duration;

use super::{Outcome, PasswordChecker};
use crate::config::PasswordSettings;
use crate::host::{Host, HostError, LocalHost, NativeVerdict};
use crate::identity::{User, UserDirectory};
use crate::keys::NativeKey;
use crate::password::PasswordHash;
use crate::remote::HttpCall;

const HASH: &str =
    "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$pbviq+1UUgwZCmLIr4Hgk7mEMsxnRLuOb2HfvIaBwGY";

fn directory() -> UserDirectory {
    let mut directory = UserDirectory::new("staff");
    for (name, password) in [("ann", Some(HASH)), ("token-only", None)] {
        let password = password.map(|hash| PasswordHash::parse(hash).unwrap());
        directory.insert(
            name.into(),
            User { disabled: false, scopes: None, password, identity: Default::default() },
        );
    }
    directory
}

fn checker(settings: PasswordSettings) -> PasswordChecker {
    PasswordChecker::new(&settings)
}

#[test]
fn only_the_right_password_of_a_user_who_has_one_is_right() {
    let (checker, users, host) = (checker(PasswordSettings::default()), directory(), LocalHost::at(1000));
    for (name, password, right) in [
        ("ann", "secret", true),
        ("ann", "wrong", false),
        ("nobody", "secret", false),
        ("token-only", "secret", false),
        ("", "secret", false),
    ] {
        let outcome = checker.log_in(&users, name, password.as_bytes(), &host);
        assert_eq!(matches!(outcome, Outcome::Right(_)), right, "{name}: {outcome:?}");
        assert!(right || matches!(outcome, Outcome::Wrong), "{name}: {outcome:?}");
    }
}

#[test]
fn a_throttled_guesser_is_refused_even_with_the_right_password_and_only_for_the_window() {
    let settings = PasswordSettings { max_failures: 3, window_seconds: 60, ..PasswordSettings::default() };
    let (checker, users, host) = (checker(settings), directory(), LocalHost::at(1000));
    for _ in 0..3 {
        assert!(matches!(checker.log_in(&users, "ann", b"guess", &host), Outcome::Wrong));
    }
    assert!(matches!(checker.log_in(&users, "ann", b"secret", &host), Outcome::Throttled(60)));
    *host.address.borrow_mut() = Some("192.0.2.2".into());
    assert!(matches!(checker.log_in(&users, "ann", b"secret", &host), Outcome::Right(_)));
    *host.address.borrow_mut() = Some("192.0.2.1".into());
    host.now.set(1060);
    assert!(matches!(checker.log_in(&users, "ann", b"secret", &host), Outcome::Right(_)));
}

#[test]
fn ipv6_neighbours_count_as_one_client() {
    let settings = PasswordSettings { max_failures: 2, ..PasswordSettings::default() };
    let (checker, users, host) = (checker(settings), directory(), LocalHost::at(1000));
    for address in ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"] {
        *host.address.borrow_mut() = Some(address.into());
        assert!(matches!(checker.log_in(&users, "ann", b"guess", &host), Outcome::Wrong));
    }
    *host.address.borrow_mut() = Some("2001:db8:1:2::7".into());
    assert!(matches!(checker.log_in(&users, "ann", b"secret", &host), Outcome::Throttled(_)));
    *host.address.borrow_mut() = Some("2001:db8:1:3::7".into());
    assert!(matches!(checker.log_in(&users, "ann", b"secret", &host), Outcome::Right(_)));
}

#[test]
fn a_remembered_credential_costs_no_hash_and_an_unknown_one_waits_for_the_budget() {
    let (checker, users, host) = (checker(PasswordSettings::default()), directory(), LocalHost::at(1000));
    assert!(matches!(checker.check(&users, "ann", b"secret", &host), Outcome::Right(_)));
    checker.booked(&host, || host.uptime.set(Duration::from_secs(10)));
    assert!(matches!(checker.check(&users, "ann", b"other", &host), Outcome::Busy(_)));
    assert!(matches!(checker.log_in(&users, "ann", b"secret", &host), Outcome::Busy(_)));
    assert!(matches!(checker.check(&users, "ann", b"secret", &host), Outcome::Right(_)));
    host.now.set(1300);
    assert!(matches!(checker.check(&users, "ann", b"secret", &host), Outcome::Busy(_)), "forgotten");
    host.uptime.set(Duration::from_secs(60));
    assert!(matches!(checker.check(&users, "ann", b"secret", &host), Outcome::Right(_)));
}

#[test]
fn a_host_that_fails_refuses() {
    let (checker, users, host) = (checker(PasswordSettings::default()), directory(), LocalHost::at(1000));
    host.works.set(false);
    assert!(matches!(checker.log_in(&users, "ann", b"secret", &host), Outcome::Failed(_)));
    assert!(matches!(checker.check(&users, "ann", b"secret", &host), Outcome::Failed(_)));
}

/// A host that counts how often it is asked for the time.
struct Counting(LocalHost, Cell<usize>);

impl Host for Counting {
    fn now(&self) -> i64 {
        self.1.set(self.1.get().saturating_add(1));
        self.0.now()
    }

    fn uptime(&self) -> Duration {
        self.0.uptime()
    }

    fn verify_signature(&self, key: &NativeKey, signature: &[u8], message: &[u8]) -> NativeVerdict {
        self.0.verify_signature(key, signature, message)
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), HostError> {
        self.0.random(bytes)
    }

    fn client_address(&self) -> Option<String> {
        self.0.client_address()
    }

    fn shared(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostError> {
        self.0.shared(key)
    }

    fn share(&self, key: &str, value: &[u8], version: u32) -> Result<bool, HostError> {
        self.0.share(key, value, version)
    }

    fn call(&self, call: &HttpCall) -> Result<u32, HostError> {
        self.0.call(call)
    }
}

/// Found by `benches/timing.rs`: the memory was asked for users only, a look at the clock and two
/// microseconds, which ten thousand tries bring to light.
#[test]
fn a_wrong_password_was_refused_sooner_for_nobody_than_for_a_user() {
    let (checker, users) = (checker(PasswordSettings::default()), directory());
    let looks = |name: &str| {
        let host = Counting(LocalHost::at(1000), Cell::new(0));
        assert!(matches!(checker.check(&users, name, b"guess", &host), Outcome::Wrong));
        host.1.get()
    };
    let [user, nobody, without_password] = ["ann", "nobody", "token-only"].map(looks);
    assert_eq!((user, user), (nobody, without_password));
}
