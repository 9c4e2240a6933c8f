//! Schedules that once let something happen that must not, each shrunk. They are where `make fuzz` begins.

use lychgate_tests::envoy::root;
use lychgate_tests::schedule::{
    Answer, Auth, Cookie, Event, Head, Key, Piece, Place, Policy, Schedule, Span, Status, run,
};

/// A request's head, after which more is to come.
fn head(place: Place, auth: Auth) -> Head {
    Head { place, auth, cookie: Cookie::Nothing, key: Key::Nothing, complete: false }
}

/// The same, with a token in the cookie.
fn with_cookie(place: Place, auth: Auth) -> Head {
    Head { cookie: Cookie::OpaqueC, ..head(place, auth) }
}

fn open(place: Place, auth: Auth) -> Event {
    Event::Open(head(place, auth))
}

fn holds(name: &str, holds_all: bool, events: &[Event]) {
    let schedule = Schedule { holds_all, ends_at_once: false, native: true, events: events.to_vec() };
    let seed = root().join("fuzz/seeds/schedule").join(name);
    if std::env::var_os("LYCHGATE_WRITE_SEEDS").is_some() {
        std::fs::write(&seed, schedule.to_bytes()).expect("written");
    }
    let kept = std::fs::read(&seed).ok();
    assert_eq!(kept, Some(schedule.to_bytes()), "LYCHGATE_WRITE_SEEDS=1 writes {}", seed.display());
    if let Err(violation) = run(&schedule) {
        panic!("{violation}\n{schedule:?}");
    }
}

macro_rules! stories {
    ($(fn $name:ident($holds_all:literal) [$($event:expr),* $(,)?];)*) => {$(
        #[test]
        fn $name() {
            holds(stringify!($name), $holds_all, &[$($event),*]);
        }
    )*};
}

stories! {
    fn the_body_of_a_request_that_waits_does_not_take_its_head_along(false) [
        open(Place::Asked, Auth::OpaqueA), Event::Body(0, Piece::Byte, true),
    ];
    fn the_trailers_of_a_request_that_waits_do_not_take_its_head_along(false) [
        open(Place::Remote, Auth::OneForged), Event::Trailers(0),
    ];
    fn the_body_of_a_request_that_was_refused_is_not_let_go_on(false) [
        open(Place::Password, Auth::BasicWrong), Event::Body(0, Piece::FirstHalf, false), Event::Trailers(0),
    ];
    fn the_body_of_a_request_whose_refusal_could_not_be_sent_is_not_let_go_on(false) [
        Event::Fault(14, Status::Internal), open(Place::Nowhere, Auth::Nothing), Event::Body(0, Piece::Byte, true),
    ];
    fn the_body_of_a_request_that_was_never_announced_is_not_let_go_on(false) [Event::Stranger];
    fn what_a_client_says_of_itself_in_trailers_is_not_told(false) [
        open(Place::Public, Auth::Nothing), Event::Trailers(0),
    ];
    fn what_a_client_says_of_itself_in_trailers_while_it_waits_is_not_told(false) [
        open(Place::Asked, Auth::OpaqueA), Event::Trailers(0), Event::Time(Span::Tick),
        Event::AnswerAll(Answer::First),
    ];
    fn a_password_beside_an_awaited_token_is_hashed_once(false) [
        Event::Open(with_cookie(Place::Either, Auth::BasicWrong)),
    ];
    fn many_passwords_beside_an_awaited_token_are_hashed_once_each(false) [
        Event::Flood(with_cookie(Place::Either, Auth::BasicWrong), 18),
    ];
    fn requests_that_wait_for_one_token_are_answered_in_slices(false) [
        Event::Flood(head(Place::Asked, Auth::OpaqueA), 130), Event::Time(Span::Tick),
        Event::AnswerAll(Answer::Fourth),
    ];
    fn requests_that_wait_for_keys_are_let_go_on_in_slices(true) [
        Event::Flood(Head { complete: true, ..head(Place::Remote, Auth::One) }, 130), Event::Time(Span::Tick),
        Event::AnswerAll(Answer::First),
    ];
    fn requests_that_waited_long_enough_are_answered_in_slices(false) [
        Event::Flood(head(Place::Listed, Auth::Fixed), 130), Event::Time(Span::Long),
    ];
    fn a_request_that_waits_is_not_forgotten_when_its_root_is_configured_again(false) [
        open(Place::Asked, Auth::OpaqueA), Event::Again(Policy::First),
    ];
    fn a_request_that_waits_is_not_forgotten_when_another_root_comes(false) [
        open(Place::Remote, Auth::One), Event::NewRoot(Policy::Strict),
    ];
    fn a_login_whose_body_does_not_come_goes_nowhere(false) [
        open(Place::Login, Auth::Nothing), Event::Time(Span::Pause), Event::Time(Span::Long),
    ];
    fn a_login_whose_head_holds_its_body_goes_nowhere(true) [
        open(Place::Login, Auth::Nothing), Event::Body(0, Piece::Form, true),
    ];
    fn a_login_in_halves_is_answered_once(false) [
        open(Place::Login, Auth::Nothing), Event::Body(0, Piece::FirstHalf, false),
        Event::Body(0, Piece::SecondHalf, false), Event::Trailers(0),
    ];
    fn a_request_that_cannot_be_resumed_is_answered(false) [
        open(Place::Asked, Auth::OpaqueA), Event::Time(Span::Tick), Event::Fault(2, Status::Internal),
        Event::AnswerAll(Answer::First), Event::Body(0, Piece::Byte, true),
    ];
    fn keys_that_are_too_old_open_nothing(false) [
        open(Place::Remote, Auth::One), Event::Time(Span::Tick), Event::AnswerAll(Answer::First),
        Event::Time(Span::VeryLong), open(Place::Remote, Auth::One),
    ];
    fn a_key_that_was_withdrawn_opens_nothing(false) [
        open(Place::Remote, Auth::One), Event::Time(Span::Tick), Event::AnswerAll(Answer::Third),
        Event::Time(Span::Seconds), open(Place::Remote, Auth::Unknown), Event::Time(Span::Tick),
        Event::AnswerAll(Answer::Second), open(Place::Remote, Auth::One), open(Place::Remote, Auth::Two),
    ];
    fn two_tokens_are_asked_after_and_both_must_be_good(false) [
        Event::Open(with_cookie(Place::Two, Auth::OpaqueA)), Event::Time(Span::Tick),
        Event::Answer(0, Answer::First), Event::Time(Span::Tick), Event::AnswerAll(Answer::Fourth),
    ];
    fn trailers_that_cannot_be_looked_at_end_a_request_that_was_allowed(false) [
        open(Place::Password, Auth::BasicRight), Event::Fault(5, Status::Internal), Event::Trailers(0),
    ];
    fn a_request_whose_trailers_and_whose_refusal_failed_goes_no_further(false) [
        open(Place::Public, Auth::Nothing), Event::FaultAfter(0, Status::NotFound), Event::Fault(14, Status::NotFound),
        Event::Trailers(0),
    ];
    fn what_an_earlier_configuration_fetches_is_not_lost(false) [
        Event::Time(Span::Tick), Event::Again(Policy::Strict), open(Place::Listed, Auth::Fixed),
        Event::Time(Span::Tick), Event::AnswerAll(Answer::First), Event::Time(Span::Tick),
    ];
    fn requests_that_wait_under_several_configurations_share_a_slice(true) [
        Event::Flood(head(Place::Listed, Auth::Fixed), 60), Event::Again(Policy::First),
        Event::Flood(head(Place::Listed, Auth::Fixed), 60), Event::Again(Policy::Strict),
        Event::Flood(head(Place::Listed, Auth::Fixed), 60), Event::Time(Span::Long),
    ];
    fn requests_that_wait_for_two_tokens_look_again_in_slices(false) [
        Event::Flood(Head { cookie: Cookie::OpaqueD, ..head(Place::Two, Auth::OpaqueLong) }, 120),
        Event::Time(Span::Tick), Event::Answer(0, Answer::First), Event::Time(Span::Tick),
    ];
}
