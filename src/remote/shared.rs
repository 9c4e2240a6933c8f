//! What workers share of a source: its record, and what was fetched.
//!
//! Both are values of the host's shared data, and no two of them are written at once. So what was fetched is
//! written first, into the slot of its version (there are two, by turns), and the record after it. Who reads
//! believes a slot only if its digest is the record's; where it is not, for longer than a moment, a worker
//! died in between or somebody else wrote there, and it is fetched anew.

use std::rc::Rc;

use sha2::{Digest as _, Sha256};

use super::lines::brief;
use super::record::{Fetched, Record};
use super::source::{Content, Source};
use crate::host::{CallResponse, Event, Host, HostError};

/// How often a write that another worker overtook is tried again.
const TRIES: u32 = 16;

/// What `If-None-Match` spoke of: a version and its digest.
pub type Had = (u64, String);

/// Something is wrong with what is shared: one line for each interval.
pub fn fault(source: &Source, what: &str, host: &dyn Host) {
    if let Some(line) = source.faults.say(host.now(), format!("{}: {}", source.name, brief(what))) {
        host.warn(&line);
    }
}

/// The record, and its version in shared data.
pub fn read(source: &Source, host: &dyn Host) -> Result<(Record, u32), HostError> {
    let Some((bytes, version)) = host.shared(&source.key)? else {
        return Ok((Record::default(), 0));
    };
    let now = host.now();
    let Some(record) = Record::from_bytes(&bytes) else {
        fault(source, "its record in shared data is none; does another plugin have the same vm_id?", host);
        // What was last seen holds on, and it is fetched at once.
        let last = source.record.borrow().clone();
        return Ok((Record { next: now, lease: 0, ..last }.bounded(now, &source.limits), version));
    };
    let bounded = record.clone().bounded(now, &source.limits);
    if bounded != record {
        let what = "its record in shared data is of times to come; was the clock set, or does another plugin \
                    have the same vm_id?";
        fault(source, what, host);
    }
    Ok((bounded, version))
}

/// Where what was fetched is shared.
fn slot(source: &Source, version: u64) -> String {
    format!("{}.{}", source.key, version % 2)
}

fn digest(envelope: &[u8]) -> String {
    Sha256::digest(envelope).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Takes over what another worker fetched. Says whether it is not there though it should be.
pub fn take_over(source: &Source, record: &Record, host: &dyn Host) -> Result<bool, HostError> {
    let mut is_torn = false;
    if record.version > 0 && !source.holds(record) {
        let now = host.now();
        let looked = source.torn.get().filter(|(version, _)| *version == record.version);
        // What may be long is not read again at each tick.
        if looked.is_none_or(|(_, at)| at != now) {
            let taken = take(source, record, host)?;
            // The first time somebody may be just about to write it.
            is_torn = !taken && looked.is_some();
            source.torn.set((!taken).then_some((record.version, now)));
        }
    }
    *source.record.borrow_mut() = record.clone();
    Ok(is_torn)
}

fn take(source: &Source, record: &Record, host: &dyn Host) -> Result<bool, HostError> {
    let envelope = host.shared(&slot(source, record.version))?.map(|(envelope, _)| envelope);
    let envelope = envelope.unwrap_or_default();
    if digest(&envelope) != record.digest {
        return Ok(false);
    }
    match source.parse(&envelope) {
        Ok((content, _)) => {
            source.hold(content, record);
            Ok(true)
        }
        Err(reason) => {
            fault(source, &format!("what was shared: {reason}"), host);
            Ok(false)
        }
    }
}

/// Shares what was fetched. Gives back what should be logged.
pub fn publish(
    source: &Rc<Source>,
    response: &CallResponse,
    algorithms: Option<&[String]>,
    had: Option<&Had>,
    host: &dyn Host,
) -> Result<Option<String>, String> {
    let mut fetched = Fetched {
        digest: None,
        max_age: response.max_age(),
        etag: response.header("etag").map(str::to_owned),
    };
    let mut new = None;
    let had = had.filter(|_| response.status() == 304);
    if had.is_none() {
        let envelope = Source::envelope(response.success(source.longest())?, algorithms);
        fetched.digest = Some(digest(&envelope));
        new = Some((source.parse(&envelope)?, envelope));
    }
    let (now, jitter) = (host.now(), jitter(host));
    let change = |record: &Record| match had {
        // Nothing is known of what another worker fetched meanwhile.
        Some((version, digest)) if record.version != *version || record.digest != *digest => None,
        Some(_) => {
            let etag = fetched.etag.clone().or_else(|| record.etag.clone());
            Some(record.succeeded(now, &source.limits, &Fetched { etag, ..fetched.clone() }, jitter))
        }
        None => Some(record.succeeded(now, &source.limits, &fetched, jitter)),
    };
    let envelope = new.as_ref().map(|(_, envelope)| envelope.as_slice());
    let record = write(source, host, envelope, change).map_err(|HostError(what)| what)?;
    host.note(Event::Fetch { source: &source.name, succeeded: true });
    let (Some(record), Some(((content, notes), _))) = (record, new) else { return Ok(None) };
    if source.holds(&record) {
        return Ok(None);
    }
    let counted = tell(source, &content, host);
    notes.iter().for_each(|note| host.warn(&format!("{}: {note}", source.name)));
    source.hold(content, &record);
    Ok(Some(format!("{}: version {} fetched: {counted}", source.name, record.version)))
}

/// What there is now; and a warning where it may not be meant.
fn tell(source: &Source, content: &Content, host: &dyn Host) -> String {
    match content {
        Content::Keys(keys) => format!("{} keys", keys.len()),
        Content::Revocations(list) => {
            let before = match source.content.borrow().as_deref() {
                Some(Content::Revocations(list)) => list.len(),
                Some(Content::Keys(_)) | None => 0,
            };
            if list.is_empty() && before > 0 {
                let name = &source.name;
                host.warn(&format!("{name}: the list is empty now; of {before} revocations none is left"));
            }
            if list.issued_before.is_some_and(|moment| moment > host.now()) {
                host.warn(&format!(
                    "{}: `issued_before` is in times to come: it revokes all tokens",
                    source.name
                ));
            }
            format!("{} revocations", list.len())
        }
    }
}

/// It could not be fetched, for this reason.
pub fn fail(source: &Source, reason: &str, host: &dyn Host) {
    host.note(Event::Fetch { source: &source.name, succeeded: false });
    let (now, jitter) = (host.now(), jitter(host));
    let outcome = write(source, host, None, |record| Some(record.failed(now, &source.limits, jitter)));
    let next = outcome.ok().flatten().map(|record| record.next.saturating_sub(now)).unwrap_or_default();
    let held = match source.content.borrow().is_some() {
        true => "; what was fetched before holds on",
        false => "",
    };
    let reason = brief(reason);
    host.warn(&format!("{}: cannot be fetched: {reason}; next try in {next} s{held}", source.name));
}

/// HeaderMutations the record, whoever else does at the same time, with what it is about written first.
fn write(
    source: &Source,
    host: &dyn Host,
    envelope: Option<&[u8]>,
    change: impl Fn(&Record) -> Option<Record>,
) -> Result<Option<Record>, HostError> {
    for _ in 0..TRIES {
        let (record, version) = read(source, host)?;
        let Some(record) = change(&record) else { return Ok(None) };
        if let Some(envelope) = envelope {
            let slot = slot(source, record.version);
            let version = host.shared(&slot)?.map_or(0, |(_, version)| version);
            if !host.share(&slot, envelope, version)? {
                continue;
            }
        }
        if host.share(&source.key, &record.to_bytes(), version)? {
            *source.record.borrow_mut() = record.clone();
            return Ok(Some(record));
        }
    }
    Err(HostError("shared data is written too often"))
}

/// A fetch is given up: others may begin theirs at once.
pub fn release(source: &Source, host: &dyn Host) {
    // Where it cannot be written, the lease ends by itself.
    let _ = write(source, host, None, |record| Some(Record { lease: 0, ..record.clone() }));
}

/// A number from 0 to 1. Without randomness everybody waits alike, which is no fault.
fn jitter(host: &dyn Host) -> f64 {
    let mut byte = [0];
    let _ = host.random(&mut byte);
    f64::from(byte[0]) / 255.0
}

#[cfg(test)]
#[path = "shared_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "workers_tests.rs"]
mod workers_tests;
