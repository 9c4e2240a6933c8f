use std::cell::Cell;
use std::time::Duration;

use super::{LoginOutcome, PasswordChecker, attempt};
use crate::host::{ClientAddress, Host, HostError, HttpCall, InMemoryHost, NativeVerdict};
use crate::identity::{User, UserDirectory};
use crate::keys::NativeKey;
use crate::login::{Account, LoginHistory, PasswordSettings};
use crate::password::PasswordHash;

const HASH: &str =
    "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$pbviq+1UUgwZCmLIr4Hgk7mEMsxnRLuOb2HfvIaBwGY";

fn directory() -> UserDirectory {
    named("staff")
}

fn named(name: &str) -> UserDirectory {
    let mut directory = UserDirectory::new(name);
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
    PasswordChecker::new(&settings, LoginHistory::default())
}

#[test]
fn only_the_right_password_of_a_user_that_has_one_is_right() {
    let (checker, users, host) = (checker(PasswordSettings::default()), directory(), InMemoryHost::at(1000));
    for (name, password, right) in [
        ("ann", "secret", true),
        ("ann", "wrong", false),
        ("nobody", "secret", false),
        ("token-only", "secret", false),
        ("", "secret", false),
    ] {
        let outcome = checker.log_in(&users, name, password.as_bytes(), &host);
        assert_eq!(matches!(outcome, LoginOutcome::Right(_)), right, "{name}: {outcome:?}");
        assert!(right || matches!(outcome, LoginOutcome::Wrong), "{name}: {outcome:?}");
    }
}

#[test]
fn a_throttled_guesser_is_refused_even_with_the_right_password_and_only_for_the_window() {
    let settings = PasswordSettings { max_failures: 3, window_seconds: 60, ..PasswordSettings::default() };
    let (checker, users, host) = (checker(settings), directory(), InMemoryHost::at(1000));
    for _ in 0..3 {
        assert!(matches!(checker.log_in(&users, "ann", b"guess", &host), LoginOutcome::Wrong));
    }
    assert!(matches!(checker.log_in(&users, "ann", b"secret", &host), LoginOutcome::Throttled(60)));
    *host.address.borrow_mut() = Some("192.0.2.2".into());
    assert!(matches!(checker.log_in(&users, "ann", b"secret", &host), LoginOutcome::Right(_)));
    *host.address.borrow_mut() = Some("192.0.2.1".into());
    host.now.set(1060);
    assert!(matches!(checker.log_in(&users, "ann", b"secret", &host), LoginOutcome::Right(_)));
}

#[test]
fn ipv6_neighbours_count_as_one_client() {
    let settings = PasswordSettings { max_failures: 2, ..PasswordSettings::default() };
    let (checker, users, host) = (checker(settings), directory(), InMemoryHost::at(1000));
    for address in ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"] {
        *host.address.borrow_mut() = Some(address.into());
        assert!(matches!(checker.log_in(&users, "ann", b"guess", &host), LoginOutcome::Wrong));
    }
    *host.address.borrow_mut() = Some("2001:db8:1:2::7".into());
    assert!(matches!(checker.log_in(&users, "ann", b"secret", &host), LoginOutcome::Throttled(_)));
    *host.address.borrow_mut() = Some("2001:db8:1:3::7".into());
    assert!(matches!(checker.log_in(&users, "ann", b"secret", &host), LoginOutcome::Right(_)));
}

#[test]
fn a_remembered_credential_costs_no_hash_and_an_unknown_one_waits_for_the_budget() {
    let (checker, users, host) = (checker(PasswordSettings::default()), directory(), InMemoryHost::at(1000));
    assert!(matches!(checker.check(&users, "ann", b"secret", &host), LoginOutcome::Right(_)));
    checker.booked(&host, || host.monotonic.set(Duration::from_secs(10)));
    assert!(matches!(checker.check(&users, "ann", b"other", &host), LoginOutcome::Busy(_)));
    assert!(matches!(checker.log_in(&users, "ann", b"secret", &host), LoginOutcome::Busy(_)));
    assert!(matches!(checker.check(&users, "ann", b"secret", &host), LoginOutcome::Right(_)));
    host.now.set(1300);
    assert!(matches!(checker.check(&users, "ann", b"secret", &host), LoginOutcome::Busy(_)), "forgotten");
    host.monotonic.set(Duration::from_secs(60));
    assert!(matches!(checker.check(&users, "ann", b"secret", &host), LoginOutcome::Right(_)));
}

#[test]
fn a_host_that_fails_refuses() {
    let (checker, users, host) = (checker(PasswordSettings::default()), directory(), InMemoryHost::at(1000));
    host.works.set(false);
    assert!(matches!(checker.log_in(&users, "ann", b"secret", &host), LoginOutcome::Failed(_)));
    assert!(matches!(checker.check(&users, "ann", b"secret", &host), LoginOutcome::Failed(_)));
}

/// A host that counts how often it is asked for the time.
struct Counting(InMemoryHost, Cell<usize>);

impl Host for Counting {
    fn now(&self) -> i64 {
        self.1.set(self.1.get().saturating_add(1));
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
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

    fn get_shared_data(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostError> {
        self.0.get_shared_data(key)
    }

    fn set_shared_data(&self, key: &str, value: &[u8], version: u32) -> Result<bool, HostError> {
        self.0.set_shared_data(key, value, version)
    }

    fn dispatch_http_call(&self, call: &HttpCall) -> Result<u32, HostError> {
        self.0.dispatch_http_call(call)
    }
}

/// Found by `benches/timing.rs`: the memory was asked for users only, a look at the clock and two
/// microseconds, which ten thousand tries bring to light.
#[test]
fn a_wrong_password_was_refused_sooner_for_an_unknown_name_than_for_a_user() {
    let (checker, users) = (checker(PasswordSettings::default()), directory());
    let looks = |name: &str| {
        let host = Counting(InMemoryHost::at(1000), Cell::new(0));
        assert!(matches!(checker.check(&users, name, b"guess", &host), LoginOutcome::Wrong));
        host.1.get()
    };
    let [user, nobody, without_password] = ["ann", "nobody", "token-only"].map(looks);
    assert_eq!((user, user), (nobody, without_password));
}

/// Wrong passwords at one directory, and a login of one's own under the same name at another one.
#[test]
fn a_guesser_with_a_login_at_another_directory_had_ten_times_the_guesses() {
    let settings = PasswordSettings { max_failures: 10, ..PasswordSettings::default() };
    let (checker, host) = (checker(settings), InMemoryHost::at(1000));
    let (staff, customers) = (named("staff"), named("customers"));
    let mut judged = 0;
    for _ in 0..20 {
        for _ in 0..8 {
            judged +=
                usize::from(matches!(checker.log_in(&staff, "ann", b"guess", &host), LoginOutcome::Wrong));
        }
        assert!(matches!(checker.log_in(&customers, "ann", b"secret", &host), LoginOutcome::Right(_)));
    }
    assert_eq!(judged, 10);
}

/// Another hash, of `other`.
const OTHER_HASH: &str = "$2b$04$MDEyMzQ1Njc4OWFiY2RlZee1DOydA/ZkGCG28Q.kqqJg4KKyFCMQa";

fn add(directory: &mut UserDirectory, name: &str, hash: &str) {
    let password = Some(PasswordHash::parse(hash).unwrap());
    let user = User { disabled: false, scopes: None, password, identity: Default::default() };
    assert!(directory.insert(name.into(), user));
}

/// Workers share data with the plugins of other listeners that have the same `vm_id`, and `staff` is a
/// name that two of them may have for different people.
#[test]
fn a_directory_of_the_same_name_in_another_configuration_is_another_one() {
    let settings = PasswordSettings { max_failures: 2, ..PasswordSettings::default() };
    let host = InMemoryHost::at(1000);
    let (here, there) = (checker(settings), checker(settings));
    let (staff, mut other_staff) = (named("staff"), UserDirectory::new("staff"));
    add(&mut other_staff, "ann", OTHER_HASH);
    for name in ["ann", "nobody"] {
        for _ in 0..2 {
            assert!(matches!(here.log_in(&staff, name, b"guess", &host), LoginOutcome::Wrong));
        }
        assert!(matches!(here.log_in(&staff, name, b"guess", &host), LoginOutcome::Throttled(_)));
        // Nor does it tell whether such a user is there: a name that is not known in either is counted apart.
        assert!(matches!(there.log_in(&other_staff, name, b"guess", &host), LoginOutcome::Wrong));
    }
}

/// A user was added to the directory, and every guesser began anew; nor was any address known any longer.
#[test]
fn a_change_of_another_user_forgot_all_failures_and_known_addresses() {
    let settings = PasswordSettings { max_failures: 2, ..PasswordSettings::default() };
    let (known, host) = (LoginHistory::default(), InMemoryHost::at(1000));
    let before = named("staff");
    let checker = PasswordChecker::new(&settings, known.clone());
    assert!(matches!(checker.log_in(&before, "ann", b"secret", &host), LoginOutcome::Right(_)));
    for _ in 0..2 {
        assert!(matches!(checker.log_in(&before, "ann", b"guess", &host), LoginOutcome::Wrong));
    }
    let mut after = UserDirectory::new("staff");
    add(&mut after, "new", OTHER_HASH);
    add(&mut after, "ann", HASH);
    let checker = PasswordChecker::new(&settings, known);
    assert!(matches!(checker.log_in(&after, "ann", b"secret", &host), LoginOutcome::Throttled(_)));
    let address = ClientAddress::of(&host);
    let is_known = |directory: &UserDirectory| {
        let account = Account::new(&directory.mark("ann"), b"ann");
        checker.admission.borrow().knows(attempt(account, &address))
    };
    assert!(is_known(&after), "nor is the address forgotten");
    let mut changed = UserDirectory::new("staff");
    add(&mut changed, "ann", OTHER_HASH);
    assert!(!is_known(&changed), "a new password begins anew");
    assert!(matches!(checker.log_in(&changed, "ann", b"guess", &host), LoginOutcome::Wrong));
}

/// What was counted for a name without a password stays too, unless the one user changes whose mark it has.
#[test]
fn names_without_a_password_are_counted_alike_and_seldom_anew() {
    let mut directory = named("staff");
    assert_eq!(directory.mark("nobody"), directory.mark("token-only"));
    let mut changes = 0;
    for number in 0..200 {
        let before = directory.mark("nobody");
        add(&mut directory, &format!("user{number}"), HASH);
        changes += usize::from(directory.mark("nobody") != before);
    }
    assert!(changes < 20, "{changes} of 200");
}

#[test]
fn a_login_can_be_hashed_elsewhere() {
    let settings = PasswordSettings { max_failures: 2, ..PasswordSettings::default() };
    let (checker, users, host) = (checker(settings), directory(), InMemoryHost::at(1000));
    for (password, right) in [(&b"secret"[..], true), (b"guess", false), (b"guess", false)] {
        let admitted = checker.admit(&users, "ann", &host).unwrap();
        let verifies = admitted.verifies(password);
        let outcome = checker.settle(admitted, verifies, Duration::from_millis(1), &host);
        assert_eq!(matches!(outcome, LoginOutcome::Right(_)), right, "{outcome:?}");
    }
    assert!(matches!(checker.admit(&users, "ann", &host), Err(LoginOutcome::Throttled(60))));
}

/// The hash of another user is computed for an unknown name; its password does not log in all the same.
#[test]
fn the_password_of_another_user_does_not_log_in_an_unknown_name() {
    let (checker, users, host) = (checker(PasswordSettings::default()), directory(), InMemoryHost::at(1000));
    let admitted = checker.admit(&users, "nobody", &host).unwrap();
    assert!(admitted.verifies(b"secret"), "the only hash there is");
    assert!(matches!(checker.settle(admitted, true, Duration::ZERO, &host), LoginOutcome::Wrong));
}

#[test]
fn a_secret_that_costs_nothing_is_throttled_as_a_password_is() {
    let settings = PasswordSettings { max_failures: 3, window_seconds: 60, ..PasswordSettings::default() };
    let (checker, host) = (checker(settings), InMemoryHost::at(1000));
    let account = |name| Account::new(&[7; 32], name);
    let check = |name: &'static [u8], right: bool| checker.check_secret(account(name), &host, || right);
    for _ in 0..3 {
        assert!(matches!(check(b"web", false), LoginOutcome::Wrong));
    }
    assert!(matches!(check(b"web", true), LoginOutcome::Throttled(60)));
    assert!(matches!(check(b"cli", true), LoginOutcome::Right(())));
    host.now.set(1060);
    assert!(matches!(check(b"web", true), LoginOutcome::Right(())));
    host.works.set(false);
    assert!(matches!(check(b"web", true), LoginOutcome::Failed(_)));
}
