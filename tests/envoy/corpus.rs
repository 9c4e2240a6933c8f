//! Some of the public documents in a real Envoy: what comes back is what another reading of them says.

use lychgate_tests::corpus::{self, Asked};
use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{ConfigForm, Envoy, Listener, Options};
use lychgate_tests::http::Request;
use lychgate_tests::rows;

/// How many documents, and of each at most so many requests.
const DOCUMENTS: usize = 60;
const REQUESTS: usize = 40;
/// A document of more operations is for the core alone, which is asked about all.
const MOST_OPERATIONS: usize = 400;

/// Names of documents that the plugin refuses, which the core's table has with their reasons.
const REFUSED: [&str; 12] = [
    "truesight.local.json",
    "wikimedia.org.json",
    "clever-cloud.com.json",
    "oxforddictionaries.com.json",
    "tomtom.com/maps.json",
    "rapidapi.com/dynamicdocs.json",
    "nbg.gr.json",
    "googleapis.com/logging.json",
    "googleapis.com/spanner.json",
    "trello.com.json",
    "vtex.local/Marketplace-APIs-.json",
    "vtex.local/Pricing-API.json",
];

#[test]
fn public_documents_are_answered_for_as_another_reading_has_them() {
    let Some(folder) = corpus::folder() else { return };
    let mut readings = corpus::readings(&folder);
    readings.retain(|reading| {
        !REFUSED.contains(&reading.file.as_str())
            && (1..=MOST_OPERATIONS).contains(&reading.operations.len())
            && !reading.schemes.is_empty()
    });
    // Of each kind of document some: those that have the same kinds of schemes and of servers stand together.
    let every = readings.len() / DOCUMENTS;
    readings.sort_by_key(|reading| {
        let kinds: std::collections::BTreeSet<_> = reading.schemes.values().cloned().collect();
        (reading.version.clone(), kinds.into_iter().collect::<Vec<_>>(), reading.file.clone())
    });
    let readings: Vec<_> = readings.into_iter().step_by(every.max(1)).take(DOCUMENTS).collect();
    let readings = rows::chosen(readings, |reading| reading.file.clone());
    let upstream = Upstream::start();
    let forms = [ConfigForm::Struct, ConfigForm::StringValue].into_iter().cycle();
    // The listener's name is part of a file's.
    let names: Vec<_> = readings.iter().map(|reading| reading.file.replace('/', "-")).collect();
    let listeners: Vec<_> = readings
        .iter()
        .zip(&names)
        .zip(forms)
        .map(|((reading, name), form)| {
            Listener::new(name, reading.with_keys(&reading.document(&folder))).form(form)
        })
        .collect();
    let envoy = Envoy::start(&listeners, upstream.addr(), &Options::default());
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    let (mut requests, mut wrong) = (0, Vec::new());
    for (reading, name) in readings.iter().zip(&names) {
        let asked = reading.asked();
        let every = asked.len().div_ceil(REQUESTS);
        for Asked { what, method, path, headers, passes } in asked.into_iter().step_by(every.max(1)) {
            let request = headers.iter().fold(Request::new(&method, &path), |request, (name, value)| {
                request.header(name, value.as_str())
            });
            let status = envoy.send(name, &request).status;
            requests += 1;
            if (status == 200) != passes || !matches!(status, 200 | 403) {
                wrong.push(format!("{name}: {method} {path} {what}: {status}"));
            }
        }
    }
    println!(
        "corpus in Envoy: {} documents, {requests} requests, {} wrong answers",
        names.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
