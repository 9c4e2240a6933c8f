//! Random orders of everything that can happen around the module: requests, bodies, trailers, answers,
//! time, failures, deletions, new configurations. `PROPTEST_CASES` says how many are tried.

mod late_tokens;
mod long_tokens;
mod stories;

use std::cell::RefCell;
use std::time::Instant;

use lychgate_tests::schedule::{
    Answer, Auth, Cookie, Counts, Event, Head, Key, Piece, Place, Policy, Schedule, Span, Status, run,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

/// How many schedules are tried, at least.
const SCHEDULES: u32 = 10_000;

fn head() -> impl Strategy<Value = Head> {
    // Most credentials are of the kind that the place asks for, so that they come far.
    let fitting = select(Place::ALL).prop_flat_map(|place| {
        let opaque = vec![Auth::OpaqueA, Auth::OpaqueB, Auth::OpaqueLong];
        let auth = match place {
            Place::Public | Place::Fixed | Place::Listed => {
                vec![Auth::Fixed, Auth::FixedShort, Auth::FixedForged]
            }
            Place::Remote | Place::Found | Place::Both => {
                vec![Auth::One, Auth::Two, Auth::OneForged, Auth::Unknown]
            }
            Place::Asked | Place::Two | Place::Trial => opaque,
            Place::Perhaps => [opaque, vec![Auth::Nothing]].concat(),
            Place::Either | Place::Password => vec![Auth::BasicRight, Auth::BasicWrong, Auth::Nothing],
            Place::Cookie | Place::Login | Place::Nowhere => vec![Auth::Nothing],
        };
        (Just(place), select(auth))
    });
    let login = (Just(Place::Login), Just(Auth::Nothing));
    let other = (select(Place::ALL), select(Auth::ALL));
    (prop_oneof![16 => fitting, 4 => other, 1 => login], select(Cookie::ALL), select(Key::ALL), any::<bool>())
        .prop_map(|((place, auth), cookie, key, complete)| Head { place, auth, cookie, key, complete })
}

fn event() -> impl Strategy<Value = Event> {
    let number = 0..24_u8;
    prop_oneof![
        24 => head().prop_map(Event::Open),
        1 => (head(), prop_oneof![8 => 2..20_u8, 1 => 20..=130_u8])
            .prop_map(|(head, count)| Event::Flood(head, count)),
        12 => (number.clone(), prop_oneof![Just(Piece::Form), select(Piece::ALL)], any::<bool>())
            .prop_map(|(number, piece, end)| Event::Body(number, piece, end)),
        6 => number.clone().prop_map(Event::Trailers),
        12 => (number.clone(), select(Answer::ALL)).prop_map(|(call, how)| Event::Answer(call, how)),
        4 => select(Answer::ALL).prop_map(Event::AnswerAll),
        16 => select(Span::ALL).prop_map(Event::Time),
        2 => number.clone().prop_map(Event::Upstream),
        4 => number.prop_map(Event::HangUp),
        2 => select(Policy::ALL).prop_map(Event::NewRoot),
        1 => select(Policy::ALL).prop_map(Event::Again),
        1 => Just(Event::EndRoot),
    ]
}

fn fault() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0..20_u8, select(Status::ALL)).prop_map(|(call, status)| Event::Fault(call, status)),
        (0..60_u8, select(Status::ALL)).prop_map(|(calls, status)| Event::FaultAfter(calls, status)),
    ]
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let healthy = prop::collection::vec(event(), 1..40);
    let faulty = prop::collection::vec(prop_oneof![5 => event(), 1 => fault()], 1..40);
    let events = prop_oneof![2 => healthy, 1 => faulty];
    (prop::bool::weighted(0.25), any::<bool>(), prop::bool::weighted(0.97), events).prop_map(
        |(holds_all, ends_at_once, native, events)| Schedule { holds_all, ends_at_once, native, events },
    )
}

#[test]
fn no_order_of_events_lets_a_request_by_or_answers_it_twice_or_leaves_it_hanging() {
    let config = Config { failure_persistence: None, max_shrink_iters: 3_000, ..Config::default() };
    let cases = config.cases.max(SCHEDULES);
    let counts = RefCell::new(Counts::default());
    let (start, mut runner) = (Instant::now(), TestRunner::new(Config { cases, ..config }));
    let outcome = runner.run(&schedule(), |schedule| match run(&schedule) {
        Ok(own) => {
            counts.borrow_mut().add(&own);
            Ok(())
        }
        Err(violation) => Err(TestCaseError::fail(violation.to_string())),
    });
    let counts = counts.into_inner();
    println!("{counts}in {} s", start.elapsed().as_secs());
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, schedule)) => panic!("{reason}\n{schedule:?}"),
        Err(abort @ TestError::Abort(_)) => panic!("{abort}"),
    }
    assert!(counts.schedules >= u64::from(SCHEDULES), "{} schedules", counts.schedules);
    // It is not for want of trying that nothing went wrong.
    for place in Place::ALL.iter().filter(|place| !matches!(place, Place::Login | Place::Nowhere)) {
        assert!(counts.allowed.get(place) > Some(&100), "{place:?} was seldom allowed: {counts:?}");
    }
    for (status, least) in [(200, 20), (401, 100), (403, 100), (503, 100)] {
        assert!(counts.answered.get(&status) > Some(&least), "{status} was seldom seen: {counts:?}");
    }
    assert!(counts.faulty > 1_000, "{counts:?}");
}

#[test]
fn a_schedule_is_its_bytes() {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&schedule(), |schedule| {
        let again = Schedule::from_bytes(&schedule.to_bytes());
        prop_assert_eq!(schedule, again);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
