//! The cost of tokens of many clients that wait for an issuer that never answers.

use std::time::Duration;

use lychgate_tests::schedule::image;
use lychgate_tests::vm::State;
use serde_json::json;

/// The instructions of the tick at which so many tokens have waited long enough, each of another client.
fn work(count: usize) -> u64 {
    let introspection = json!({"uri": "http://idp.example/introspect", "cluster": "idp",
        "client_id": "gate", "client_secret": "secret of the gate"});
    let policy = json!({
        "schemes": {"opaque": {"type": "http", "scheme": "bearer", "introspection": introspection}},
        "security": [{"opaque": []}],
    });
    let mut state = State::default();
    state.configuration = policy.to_string().into_bytes();
    state.now = Duration::from_secs(1_800_000_000);
    state.are_apart = true;
    let mut machine = image().start(state).unwrap_or_else(|failure| panic!("{failure:?}"));
    let root = machine.root();
    for number in 0..count {
        let head = [
            (":method", "GET"),
            (":path", "/x"),
            (":authority", "api.example"),
            ("authorization", &format!("Bearer opaque-{number}")),
        ];
        let head = head.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        machine.open(root, head, true).expect("a request");
    }
    let waiting = machine.host().streams.each.values().filter(|stream| stream.replies.is_empty()).count();
    assert_eq!(waiting, count, "all of them wait");
    machine.wait(Duration::from_secs(11));
    let before = machine.instructions();
    machine.tick_root(root).expect("a tick");
    let instructions = machine.instructions() - before;
    assert!(
        machine.host().calls.is_empty(),
        "the issuer is not asked about a token that no request waits for"
    );
    instructions
}

/// For each client whose tokens were late, all clients were looked through.
#[test]
fn the_work_for_late_tokens_grows_with_the_number_of_their_clients_and_no_faster() {
    let [few, half, whole] = [500, 1000, 2000].map(work);
    println!("late tokens, instructions: {few} for 500 clients, {half} for 1000, {whole} for 2000");
    for (less, more) in [(few, half), (half, whole)] {
        assert!(more * 10 <= less * 25, "{less}, and {more} for twice as many");
    }
}
