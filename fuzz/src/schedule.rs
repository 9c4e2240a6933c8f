//! The whole module, as it is built, under an emulated host: random orders of requests, answers, time,
//! failures and new configurations.

use lychgate_tests::schedule::{self, Schedule};

/// The most events that are run, so that one input stays a matter of milliseconds.
const MOST: usize = 60;

/// No order of events lets a request by that may not pass, answers it twice, or leaves it hanging.
///
/// The first byte is the host, then six for each event (see `lychgate_tests::schedule`).
pub fn run(data: &[u8]) {
    let mut schedule = Schedule::from_bytes(data);
    schedule.events.truncate(MOST);
    if let Err(violation) = schedule::run(&schedule) {
        panic!("{violation}\n{schedule:?}");
    }
}
