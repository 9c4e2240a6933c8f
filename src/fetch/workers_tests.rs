//! Thousands of random schedules of three workers that share what they fetch, that die, and in whose shared data
//! another plugin writes there.

#![allow(clippy::arithmetic_side_effects, reason = "a simulation counts")]

use proptest::prelude::*;

use super::slot;
use super::tests::{Worker, answer, jwks, overwrite};
use crate::host::{CallResponse, InMemoryHost};

/// What happens next to one of three workers, or outside.
#[derive(Clone, Debug)]
enum Step {
    Tick(usize),
    /// The oldest call of a worker is answered: by what is published, or not.
    IntrospectionResult(usize, bool),
    /// A worker is started anew, with what it was doing lost.
    Restart(usize),
    Rotate,
    /// Another plugin, or a worker that died, left this in one of the values.
    Scribble(u8, u8),
    Pass(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..3_usize).prop_map(Step::Tick),
        6 => (0..3_usize, prop::bool::weighted(0.8)).prop_map(|(worker, well)| Step::IntrospectionResult(worker, well)),
        1 => (0..3_usize).prop_map(Step::Restart),
        2 => Just(Step::Rotate),
        1 => (0..3_u8, 0..3_u8).prop_map(|(place, what)| Step::Scribble(place, what)),
        4 => (1..40_i64).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Whatever happens to three workers and to what they share: each holds keys that were published, all of
    /// one set, and when it is quiet again they all hold the latest.
    #[test]
    fn workers_never_mix_sets_and_agree_in_the_end(steps in prop::collection::vec(step(), 1..120)) {
        let host = InMemoryHost::at(1_000_000);
        let mut workers: Vec<_> = (0..3).map(|_| (Worker::new(), Vec::<(u32, u32)>::new())).collect();
        let mut published = 1_u32;
        // What a call is answered with is what was published when it was made.
        let tick = |(worker, calls): &mut (Worker, Vec<(u32, u32)>), published: u32| {
            let before = host.calls.borrow().len();
            worker.fetcher.tick(&host);
            for id in before..host.calls.borrow().len() {
                calls.push((u32::try_from(id).unwrap(), published));
            }
        };
        let respond = |(worker, calls): &mut (Worker, Vec<(u32, u32)>), well: bool| {
            if calls.is_empty() {
                return;
            }
            let (id, published) = calls.remove(0);
            let tag = format!("\"{published}\"");
            let asked = host.calls.borrow()[id as usize].headers.iter()
                .find(|(name, _)| name == "if-none-match").map(|(_, value)| value.clone());
            let response = match well {
                false => CallResponse::default(),
                true if asked.as_ref() == Some(&tag) => answer(304, &[], ""),
                true => answer(200, &[("etag", tag.as_str())], jwks(&tag).to_string()),
            };
            worker.fetcher.on_http_call_response(id, &response, &host);
        };
        for step in &steps {
            match step {
                Step::Tick(number) => tick(&mut workers[*number], published),
                Step::IntrospectionResult(number, well) => respond(&mut workers[*number], *well),
                Step::Restart(number) => workers[*number] = (Worker::new(), Vec::new()),
                Step::Rotate => published += 1,
                Step::Scribble(place, what) => {
                    let key = match place {
                        0 => workers[0].0.source.key.clone(),
                        place => slot(&workers[0].0.source, u64::from(*place)),
                    };
                    let what: &[u8] = match what { 0 => b"", 1 => b"null\n{\"keys\": []}", _ => b"[9, 0, 0, 9999999999, 0, 0, null, \"\"]" };
                    overwrite(&host, &key, what);
                }
                Step::Pass(seconds) => host.now.set(host.now.get() + seconds),
            }
            for (worker, _) in &workers {
                if let Some(kids) = worker.kids(&host) {
                    prop_assert_eq!(kids.len(), 1);
                    let number: u32 = kids[0].trim_matches('"').parse().unwrap();
                    prop_assert!(number <= published);
                }
            }
        }
        // Quiet: each second a tick of each worker, and answers.
        for _ in 0..200 {
            host.now.set(host.now.get() + 1);
            for worker in &mut workers {
                tick(worker, published);
                respond(worker, true);
            }
        }
        for (worker, _) in &workers {
            prop_assert_eq!(worker.kids(&host), Some(vec![format!("\"{published}\"")]));
        }
    }
}
