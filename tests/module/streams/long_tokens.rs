//! The cost of many requests that wait, each with a long token of its own.

use std::time::Duration;

use lychgate_tests::schedule::image;
use lychgate_tests::vm::{Headers, Machine, State};
use serde_json::json;

/// The longest that are taken, or nearly so.
const LENGTH: usize = 8_000;

fn configuration() -> Vec<u8> {
    let introspection = json!({"uri": "http://idp.example/introspect", "cluster": "idp",
        "client_id": "gate", "client_secret": "secret of the gate"});
    let policy = json!({
        "schemes": {"opaque": {"type": "http", "scheme": "bearer", "introspection": introspection}},
        "security": [{"opaque": []}],
    });
    policy.to_string().into_bytes()
}

fn head(number: usize) -> Headers {
    let token = format!("{number:04}{}", "x".repeat(LENGTH - 4));
    [
        (":method", "GET"),
        (":path", "/x"),
        (":authority", "api.example"),
        ("authorization", &format!("Bearer {token}")),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// The instructions for so many requests, from the first head to the last answer, and how many of them were
/// refused at once: tokens that wait to be asked after have space for 2.6 MiB of one address.
fn work(count: usize) -> (u64, usize) {
    let mut state = State::default();
    state.configuration = configuration();
    state.now = Duration::from_secs(1_800_000_000);
    let mut machine = image().start(state).unwrap_or_else(|failure| panic!("{failure:?}"));
    let root = machine.root();
    let before = machine.instructions();
    let tick = |machine: &mut Machine| {
        machine.wait(Duration::from_millis(10));
        machine.tick_root(root).expect("a tick");
    };
    for number in 0..count {
        machine.open(root, head(number), true).expect("a request");
        if number % 64 == 63 {
            tick(&mut machine);
        }
    }
    let mut asked = 0;
    let answer = json!({"active": false}).to_string();
    while asked == 0 || !machine.host().calls.is_empty() {
        // The issuer answers after a second. What an answer leads to is answered another time.
        machine.wait(Duration::from_secs(1));
        for _ in 0..machine.host().calls.len() {
            let headers = vec![(":status".to_owned(), "200".to_owned())];
            machine.respond(0, headers, answer.as_bytes()).expect("an answer");
            asked += 1;
        }
        (0..16).for_each(|_| tick(&mut machine));
    }
    let instructions = machine.instructions() - before;
    let streams = &machine.host().streams;
    assert_eq!(streams.wrong, Vec::<String>::new());
    let statuses: Vec<u32> = streams
        .each
        .values()
        .map(|stream| match &stream.replies[..] {
            [reply] => reply.status,
            replies => panic!("one answer each: {replies:?}"),
        })
        .collect();
    let count_of = |status| statuses.iter().filter(|own| **own == status).count();
    let (refused, full) = (count_of(401), count_of(503));
    assert_eq!((refused, refused + full), (asked, count), "each that waits is asked after, once");
    (instructions, full)
}

/// Each answer had every request decided anew, and every token hashed again: the work grew with the square.
#[test]
fn the_work_for_waiting_requests_with_long_tokens_grows_with_their_number_and_no_faster() {
    let [few, half, whole] = [250, 500, 1000].map(work);
    println!(
        "long tokens, instructions and refused at once: {few:?} for 250, {half:?} for 500, {whole:?} for 1000"
    );
    assert_eq!((few.1, half.1), (0, 0), "all of them wait");
    for (less, more) in [(few, half), (half, whole)] {
        assert!(more.0 * 10 <= less.0 * 24, "{less:?}, and {more:?} for twice as many");
    }
}
