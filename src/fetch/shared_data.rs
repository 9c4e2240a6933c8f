//! What workers share of a source: its state, and the document that was fetched.
//!
//! Both are values of the host's shared data, and no two of them are written at once. So what was fetched is
//! written first, into the slot of its version (there are two, by turns), and the state after it. A reader
//! believes a slot only if its digest is that of the state; where it is not, for longer than a moment, a worker
//! died in between or another plugin wrote there, and it is fetched anew.

use std::rc::Rc;

use sha2::{Digest as _, Sha256};

use super::fetch_state::{FetchState, Fetched};
use super::log_throttle::truncated;
use super::remote_source::{Content, Discovered, RemoteSource};
use crate::host::{CallResponse, Event, Host, HostError};

/// How often a write that another worker overtook is tried again.
const TRIES: u32 = 16;

/// What `If-None-Match` spoke of: a version and its digest.
pub type CachedVersion = (u64, String);

/// Something is wrong with what is shared: one line for each interval.
pub fn report_error(source: &RemoteSource, what: &str, host: &dyn Host) {
    if let Some(line) = source.errors.line(host.now(), format!("{}: {}", source.name, truncated(what))) {
        host.warn(&line);
    }
}

/// The state, and its version in shared data.
pub fn read(source: &RemoteSource, host: &dyn Host) -> Result<(FetchState, u32), HostError> {
    let Some((bytes, version)) = host.get_shared_data(&source.key)? else {
        return Ok((FetchState::default(), 0));
    };
    let now = host.now();
    let Some(state) = FetchState::from_bytes(&bytes) else {
        report_error(
            source,
            "its record in shared data is none; does another plugin have the same vm_id?",
            host,
        );
        // What was last seen holds on, and it is fetched at once.
        let last = source.state.borrow().clone();
        return Ok((
            FetchState { next: now, lease: 0, ..last }.clamped(now, &source.refresh_policy),
            version,
        ));
    };
    let bounded = state.clone().clamped(now, &source.refresh_policy);
    if bounded != state {
        let what = "its record in shared data is of times to come; was the clock set, or does another plugin \
                    have the same vm_id?";
        report_error(source, what, host);
    }
    Ok((bounded, version))
}

/// Where what was fetched is shared.
fn slot(source: &RemoteSource, version: u64) -> String {
    format!("{}.{}", source.key, version % 2)
}

fn digest(envelope: &[u8]) -> String {
    Sha256::digest(envelope).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Takes over what another worker fetched. Says whether it is not there though it should be.
pub fn adopt(source: &RemoteSource, state: &FetchState, host: &dyn Host) -> Result<bool, HostError> {
    let mut is_torn = false;
    if state.version > 0 && !source.has_installed(state) {
        let now = host.now();
        let looked = source.torn.get().filter(|(version, _)| *version == state.version);
        // What may be long is not read again at each tick.
        if looked.is_none_or(|(_, at)| at != now) {
            let taken = take(source, state, host)?;
            // The first time another worker may be about to write it.
            is_torn = !taken && looked.is_some();
            source.torn.set((!taken).then_some((state.version, now)));
        }
    }
    *source.state.borrow_mut() = state.clone();
    Ok(is_torn)
}

fn take(source: &RemoteSource, state: &FetchState, host: &dyn Host) -> Result<bool, HostError> {
    let envelope = host.get_shared_data(&slot(source, state.version))?.map(|(envelope, _)| envelope);
    let envelope = envelope.unwrap_or_default();
    if digest(&envelope) != state.digest {
        return Ok(false);
    }
    match source.parse(&envelope) {
        Ok((content, _)) => {
            source.install(content, state);
            Ok(true)
        }
        Err(reason) => {
            report_error(source, &format!("what was shared: {reason}"), host);
            Ok(false)
        }
    }
}

/// Shares what was fetched. Gives back what should be logged.
pub fn publish(
    source: &Rc<RemoteSource>,
    response: &CallResponse,
    discovered: Option<&Discovered>,
    had: Option<&CachedVersion>,
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
        let envelope = RemoteSource::envelope(response.success(source.longest())?, discovered);
        fetched.digest = Some(digest(&envelope));
        new = Some((source.parse(&envelope)?, envelope));
    }
    let (now, jitter) = (host.now(), jitter(host));
    let change = |state: &FetchState| match had {
        // Nothing is known of what another worker fetched meanwhile.
        Some((version, digest)) if state.version != *version || state.digest != *digest => None,
        Some(_) => {
            let etag = fetched.etag.clone().or_else(|| state.etag.clone());
            Some(state.succeeded(now, &source.refresh_policy, &Fetched { etag, ..fetched.clone() }, jitter))
        }
        None => Some(state.succeeded(now, &source.refresh_policy, &fetched, jitter)),
    };
    let envelope = new.as_ref().map(|(_, envelope)| envelope.as_slice());
    let state = write(source, host, envelope, change).map_err(|HostError(what)| what)?;
    host.record(Event::Fetch { source: &source.name, succeeded: true });
    let (Some(state), Some(((content, notes), _))) = (state, new) else { return Ok(None) };
    if source.has_installed(&state) {
        return Ok(None);
    }
    let counted = tell(source, &content, host);
    notes.iter().for_each(|note| host.warn(&format!("{}: {note}", source.name)));
    source.install(content, &state);
    Ok(Some(format!("{}: version {} fetched: {counted}", source.name, state.version)))
}

/// What there is now; and a warning where it may not be meant.
fn tell(source: &RemoteSource, content: &Content, host: &dyn Host) -> String {
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
pub fn fail(source: &RemoteSource, reason: &str, host: &dyn Host) {
    host.record(Event::Fetch { source: &source.name, succeeded: false });
    let (now, jitter) = (host.now(), jitter(host));
    let outcome = write(source, host, None, |state| Some(state.failed(now, &source.refresh_policy, jitter)));
    let next = outcome.ok().flatten().map(|state| state.next.saturating_sub(now)).unwrap_or_default();
    let held = match source.content.borrow().is_some() {
        true => "; what was fetched before holds on",
        false => "",
    };
    let reason = truncated(reason);
    host.warn(&format!("{}: cannot be fetched: {reason}; next try in {next} s{held}", source.name));
}

/// Changes the state, by compare and swap, with the document it is about written first.
fn write(
    source: &RemoteSource,
    host: &dyn Host,
    envelope: Option<&[u8]>,
    change: impl Fn(&FetchState) -> Option<FetchState>,
) -> Result<Option<FetchState>, HostError> {
    for _ in 0..TRIES {
        let (state, version) = read(source, host)?;
        let Some(state) = change(&state) else { return Ok(None) };
        if let Some(envelope) = envelope {
            let slot = slot(source, state.version);
            let version = host.get_shared_data(&slot)?.map_or(0, |(_, version)| version);
            if !host.set_shared_data(&slot, envelope, version)? {
                continue;
            }
        }
        if host.set_shared_data(&source.key, &state.to_bytes(), version)? {
            *source.state.borrow_mut() = state.clone();
            return Ok(Some(state));
        }
    }
    Err(HostError("shared data is written too often"))
}

/// A fetch is given up: others may begin theirs at once.
pub fn release(source: &RemoteSource, host: &dyn Host) {
    // Where it cannot be written, the lease ends by itself.
    let _ = write(source, host, None, |state| Some(FetchState { lease: 0, ..state.clone() }));
}

/// The answer to a fetch may not be heard for a while: others may begin theirs soon.
pub fn shorten(source: &RemoteSource, host: &dyn Host) {
    let now = host.now();
    let _ = write(source, host, None, |state| state.with_brief_lease(now));
}

/// A number from 0 to 1. Without randomness all workers wait the same time, which is no error.
fn jitter(host: &dyn Host) -> f64 {
    let mut byte = [0];
    let _ = host.random(&mut byte);
    f64::from(byte[0]) / 255.0
}

#[cfg(test)]
#[path = "shared_data_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "workers_tests.rs"]
mod workers_tests;
