use std::rc::Rc;
use std::time::Duration;

use super::MOST;
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
    checker.finish(ticket, (work.run)(host), host);
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
        let login = checker.begin_log_in(&users, name, password.as_bytes(), &host).expect("it is begun");
        assert_eq!(login.verdict(), None, "{name}: nothing is known before it is hashed");
        let (ticket, work) = host.work.borrow_mut().remove(0);
        let done = std::thread::spawn(move || (work.run)(&InMemoryHost::at(1000))).join().unwrap();
        assert_eq!(checker.finish(ticket, done, &host), [login.id]);
        let verdict = login.verdict().expect("it is hashed");
        let outcome = PasswordChecker::outcome(verdict, &users, name);
        assert_eq!(matches!(outcome, LoginOutcome::Right(_)), right, "{name}: {outcome:?}");
    }
}

/// A client that leaves while its password is hashed would guess as often as it likes.
#[test]
fn failures_of_clients_that_left_count() {
    let settings = PasswordSettings { max_failures: 3, ..PasswordSettings::default() };
    let (checker, users, host) = (checker(settings), directory(), host());
    for _ in 0..3 {
        drop(checker.begin_log_in(&users, "ann", b"guess", &host).expect("it is begun"));
        work(&checker, &host);
    }
    let refused = checker.begin_log_in(&users, "ann", b"secret", &host).map(|_| ()).unwrap_err();
    assert!(matches!(refused, LoginOutcome::Throttled(_)), "{refused:?}");
}

/// None of them is judged before the one ahead of it is booked.
#[test]
fn guesses_that_come_together_are_no_more_than_one_after_the_other() {
    let settings = PasswordSettings { max_failures: 3, ..PasswordSettings::default() };
    let (checker, users, host) = (checker(settings), directory(), host());
    let begin = || checker.begin_log_in(&users, "ann", b"guess", &host).expect("it is begun");
    let logins: Vec<_> = (0..8).map(|_| begin()).collect();
    let mut hashed = 0;
    while !host.work.borrow().is_empty() {
        assert_eq!(host.work.borrow().len(), 1, "one at a time");
        work(&checker, &host);
        hashed += 1;
    }
    let verdicts: Vec<_> = logins.iter().filter_map(|login| login.verdict()).collect();
    let throttled = verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Throttled(_))).count();
    assert_eq!((hashed, verdicts.len(), throttled), (3, 8, 5));
}

#[test]
fn a_login_whose_client_left_before_its_turn_costs_nothing() {
    let (checker, users, host) = (checker(PasswordSettings::default()), directory(), host());
    let first = checker.begin_log_in(&users, "ann", b"guess", &host).expect("it is begun");
    drop(checker.begin_log_in(&users, "ann", b"guess", &host).expect("it waits"));
    let last = checker.begin_log_in(&users, "ann", b"secret", &host).expect("it waits");
    work(&checker, &host);
    work(&checker, &host);
    assert_eq!((first.verdict(), last.verdict()), (Some(Verdict::Wrong), Some(Verdict::Right)));
    assert!(host.work.borrow().is_empty());
}

#[test]
fn no_more_wait_than_may_and_none_where_the_host_has_no_room() {
    let (checker, users, host) = (checker(PasswordSettings::default()), directory(), host());
    let mut logins = Vec::new();
    let refused = loop {
        match checker.begin_log_in(&users, "ann", b"guess", &host) {
            Ok(login) => logins.push(login),
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, LoginOutcome::Busy(1)), "{refused:?}");
    assert_eq!(logins.len(), MOST + 1, "one is underway, and the others wait");
    let (checker, host) = (self::checker(PasswordSettings::default()), InMemoryHost::at(1000));
    host.room.set(1);
    host.work.borrow_mut().push((
        77,
        Work { key: [0; 32], run: Box::new(|_| WorkDone { verdict: Verdict::Wrong, cost: Duration::ZERO }) },
    ));
    let refused = checker.begin_log_in(&users, "ann", b"guess", &host).map(|_| ()).unwrap_err();
    assert!(matches!(refused, LoginOutcome::Busy(1)), "{refused:?}");
}

#[test]
fn a_credential_that_was_right_is_remembered() {
    let (checker, users, host) = (checker(PasswordSettings::default()), directory(), host());
    checker.begin_check(&users, "ann", b"secret", &host).expect("it is begun");
    work(&checker, &host);
    let known = checker.begin_check(&users, "ann", b"secret", &host).map(|_| ()).unwrap_err();
    assert!(matches!(known, LoginOutcome::Right(_)), "{known:?}");
    assert!(checker.begin_check(&users, "ann", b"wrong", &host).is_ok(), "another one is hashed");
}
