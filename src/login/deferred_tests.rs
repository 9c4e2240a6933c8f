use std::rc::Rc;

use smallvec::SmallVec;

use super::{DeferredLogin, MOST};
use crate::host::{InMemoryHost, Verdict, Work, WorkDone};
use crate::identity::{User, UserDirectory};
use crate::login::{LoginHistory, LoginOutcome, PasswordChecker, PasswordSettings};
use crate::password::PasswordHash;

const HASH: &str =
    "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$pbviq+1UUgwZCmLIr4Hgk7mEMsxnRLuOb2HfvIaBwGY";

fn directory() -> Rc<UserDirectory> {
    let mut directory = UserDirectory::new("staff");
    for (name, password) in [("ann", Some(HASH)), ("token-only", None)] {
        let password = password.map(|hash| PasswordHash::parse(hash).unwrap());
        let user = User { disabled: false, scopes: None, password, identity: Default::default() };
        directory.insert(name.into(), user);
    }
    Rc::new(directory)
}

fn checker(settings: PasswordSettings) -> PasswordChecker {
    PasswordChecker::new(&settings, LoginHistory::default())
}

fn host() -> InMemoryHost {
    let host = InMemoryHost::at(1000);
    host.room.set(1000);
    host
}

/// Does the oldest work that was taken over.
fn work(checker: &PasswordChecker, host: &InMemoryHost) {
    let (ticket, work) = host.work.borrow_mut().remove(0);
    drop(checker.finish(ticket, (work.run)(host), host));
}

#[test]
fn a_password_hashed_on_another_thread_is_worth_what_it_is_here() {
    let (checker, users, host) = (checker(PasswordSettings::default()), directory(), host());
    for (name, password, right) in [
        ("ann", "secret", true),
        ("ann", "wrong", false),
        ("nobody", "secret", false),
        ("token-only", "secret", false),
    ] {
        let login = checker.begin_log_in(&users, name, password.as_bytes(), &host);
        assert!(login.outcome(&users, name).is_none(), "{name}: nothing is known before it is hashed");
        let (ticket, work) = host.work.borrow_mut().remove(0);
        let done = std::thread::spawn(move || (work.run)(&InMemoryHost::at(1000))).join().unwrap();
        assert_eq!(checker.finish(ticket, done, &host), [(login.id, login.worth())]);
        assert_eq!(login.worth(), Some(if right { Verdict::Right } else { Verdict::Wrong }), "{name}");
        let outcome = login.outcome(&users, name).expect("it is hashed");
        assert_eq!(matches!(outcome, LoginOutcome::Right(_)), right, "{name}: {outcome:?}");
    }
}

/// A client that leaves while its password is hashed would guess as often as it likes.
#[test]
fn failures_of_clients_that_left_count() {
    let settings = PasswordSettings { max_failures: 3, ..PasswordSettings::default() };
    let (checker, users, host) = (checker(settings), directory(), host());
    for _ in 0..3 {
        drop(checker.begin_log_in(&users, "ann", b"guess", &host));
        work(&checker, &host);
    }
    let refused = checker.begin_log_in(&users, "ann", b"secret", &host).outcome(&users, "ann");
    assert!(matches!(refused, Some(LoginOutcome::Throttled(_))), "{refused:?}");
}

/// None of them is judged before the one ahead of it is booked.
#[test]
fn guesses_that_come_together_are_no_more_than_one_after_the_other() {
    let settings = PasswordSettings { max_failures: 3, ..PasswordSettings::default() };
    let (checker, users, host) = (checker(settings), directory(), host());
    let begin = || checker.begin_log_in(&users, "ann", b"guess", &host);
    let logins: Vec<_> = (0..8).map(|_| begin()).collect();
    let mut hashed = 0;
    while !host.work.borrow().is_empty() {
        assert_eq!(host.work.borrow().len(), 1, "one at a time");
        work(&checker, &host);
        hashed += 1;
    }
    let outcomes: Vec<_> = logins.iter().filter_map(|login| login.outcome(&users, "ann")).collect();
    let throttled = outcomes.iter().filter(|outcome| matches!(outcome, LoginOutcome::Throttled(_))).count();
    assert_eq!((hashed, outcomes.len(), throttled), (3, 8, 5));
}

#[test]
fn a_login_whose_client_left_before_its_turn_costs_nothing() {
    let (checker, users, host) = (checker(PasswordSettings::default()), directory(), host());
    let first = checker.begin_log_in(&users, "ann", b"guess", &host);
    drop(checker.begin_log_in(&users, "ann", b"guess", &host));
    let last = checker.begin_log_in(&users, "ann", b"secret", &host);
    work(&checker, &host);
    work(&checker, &host);
    let outcomes = (first.outcome(&users, "ann"), last.outcome(&users, "ann"));
    assert!(matches!(outcomes, (Some(LoginOutcome::Wrong), Some(LoginOutcome::Right(_)))), "{outcomes:?}");
    assert!(host.work.borrow().is_empty());
}

#[test]
fn no_more_wait_than_may_and_none_where_the_host_has_no_room() {
    let (checker, users, host) = (checker(PasswordSettings::default()), directory(), host());
    let mut logins = Vec::new();
    let refused = loop {
        let login = checker.begin_log_in(&users, "ann", b"guess", &host);
        match login.outcome(&users, "ann") {
            None => logins.push(login),
            Some(refused) => break refused,
        }
    };
    assert!(matches!(refused, LoginOutcome::Busy(1)), "{refused:?}");
    assert_eq!(logins.len(), MOST + 1, "one is underway, and the others wait");
    let (checker, host) = (self::checker(PasswordSettings::default()), InMemoryHost::at(1000));
    host.room.set(1);
    host.work.borrow_mut().push((77, Work { keys: SmallVec::new(), run: Box::new(|_| WorkDone::default()) }));
    let refused = checker.begin_log_in(&users, "ann", b"guess", &host).outcome(&users, "ann");
    assert!(matches!(refused, Some(LoginOutcome::Busy(1))), "{refused:?}");
}

#[test]
fn a_credential_that_was_right_is_remembered() {
    let (checker, users, host) = (checker(PasswordSettings::default()), [directory()], host());
    let begin = |password: &[u8]| checker.begin_check(&users, "ann", password, &host);
    let outcome = |login: &DeferredLogin| login.outcome(&users[0], "ann");
    assert!(outcome(&begin(b"secret")).is_none(), "it is hashed");
    work(&checker, &host);
    assert!(matches!(outcome(&begin(b"secret")), Some(LoginOutcome::Right(_))));
    assert!(outcome(&begin(b"wrong")).is_none(), "another one is hashed");
}

/// A user of the second directory would be locked out by logins that are right.
#[test]
fn a_login_that_another_directory_takes_is_no_failure_at_the_first() {
    let settings = PasswordSettings { max_failures: 2, remember_seconds: 0, ..PasswordSettings::default() };
    let (checker, host) = (checker(settings), host());
    let users = [Rc::new(UserDirectory::new("partners")), directory()];
    for _ in 0..5 {
        let login = checker.begin_check(&users, "ann", b"secret", &host);
        work(&checker, &host);
        let outcomes = [&users[0], &users[1]].map(|own| login.outcome(own, "ann"));
        assert!(
            matches!(outcomes, [Some(LoginOutcome::Wrong), Some(LoginOutcome::Right(_))]),
            "{outcomes:?}"
        );
    }
}

/// What each directory remembers of a login is asked before any of them hashes.
#[test]
fn of_a_login_that_the_second_directory_takes_none_is_hashed_again() {
    let (checker, host) = (checker(PasswordSettings::default()), host());
    let users = [Rc::new(UserDirectory::new("partners")), directory()];
    drop(checker.begin_check(&users, "ann", b"wrong", &host));
    work(&checker, &host);
    for hashed in [1, 0] {
        let login = checker.begin_check(&users, "ann", b"secret", &host);
        assert_eq!(host.work.borrow().len(), hashed);
        (0..hashed).for_each(|_| work(&checker, &host));
        let outcomes = [&users[0], &users[1]].map(|own| login.outcome(own, "ann"));
        assert!(
            matches!(outcomes, [Some(LoginOutcome::Wrong), Some(LoginOutcome::Right(_))]),
            "{outcomes:?}"
        );
    }
}

#[test]
fn a_directory_after_the_one_that_takes_a_login_is_not_tried() {
    let (checker, host) = (checker(PasswordSettings::default()), host());
    let users = [directory(), Rc::new(UserDirectory::new("partners"))];
    let login = checker.begin_check(&users, "ann", b"secret", &host);
    work(&checker, &host);
    assert!(matches!(login.outcome(&users[0], "ann"), Some(LoginOutcome::Right(_))));
    assert!(login.is_settled() && login.outcome(&users[1], "ann").is_none());
}

/// A login for several directories is one guess of its address, and one at each account.
#[test]
fn a_login_that_no_directory_takes_is_a_failure_at_each_and_one_of_its_address() {
    let settings = PasswordSettings { max_failures: 1, ..PasswordSettings::default() };
    let (checker, host) = (checker(settings), host());
    *host.address.borrow_mut() = Some("192.0.2.1".into());
    let users = [directory(), Rc::new(UserDirectory::new("partners"))];
    for round in 0..10 {
        let name = format!("user-{round}");
        let login = checker.begin_check(&users, &name, b"wrong", &host);
        work(&checker, &host);
        let outcomes = [&users[0], &users[1]].map(|own| login.outcome(own, &name));
        assert!(
            matches!(outcomes, [Some(LoginOutcome::Wrong), Some(LoginOutcome::Wrong)]),
            "{round}: {outcomes:?}"
        );
    }
    let login = checker.begin_check(&users, "user-11", b"wrong", &host);
    assert!(matches!(login.outcome(&users[0], "user-11"), Some(LoginOutcome::Throttled(_))), "ten failures");
}

#[test]
fn work_that_ended_without_a_word_is_a_failure_of_the_host() {
    let (checker, users, host) = (checker(PasswordSettings::default()), directory(), host());
    let login = checker.begin_log_in(&users, "ann", b"secret", &host);
    let (ticket, _) = host.work.borrow_mut().remove(0);
    checker.finish(ticket, WorkDone::default(), &host);
    assert!(matches!(login.outcome(&users, "ann"), Some(LoginOutcome::Failed(_))));
}
