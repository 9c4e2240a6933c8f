//! Fetching: each tick looks after every source, each response carries one of them on.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::awaited::Awaited;
use super::introspection::Introspection;
use super::record::{Fetched, Record};
use super::response::{CallResponse, HttpCall};
use super::source::{Source, SourceKind};
use super::uri::Uri;
use crate::host::{Host, HostError};
use crate::json;
use crate::metrics::Event;

/// How often a write that another worker overtook is tried again.
const TRIES: u32 = 16;

/// The sources of a policy, for one worker.
#[derive(Default)]
pub struct Remotes {
    sources: Vec<Rc<Source>>,
    introspections: Vec<Introspection>,
    underway: RefCell<HashMap<u32, Call>>,
    /// The sources whose fetch came to an end since the last look.
    ended: RefCell<Vec<usize>>,
}

/// How soon the sources want to be looked after again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wants {
    /// There are none.
    Nothing,
    /// Within a second or so.
    Soon,
    /// At once: somebody waits, or nothing was fetched yet.
    Now,
}

/// A call that is underway.
struct Call {
    source: Rc<Source>,
    stage: Stage,
}

enum Stage {
    Discovery,
    Document { algorithms: Option<Vec<String>> },
}

impl Remotes {
    /// These sources, and whom tokens are asked after.
    #[must_use]
    pub fn new(sources: Vec<Rc<Source>>, introspections: Vec<Introspection>) -> Self {
        sources.iter().enumerate().for_each(|(number, source)| source.number.set(number));
        introspections.iter().enumerate().for_each(|(number, asked)| asked.number.set(number));
        Self { sources, introspections, ..Self::default() }
    }

    /// Makes the records, where they are not there, so that the first lease is contended for: a value
    /// that is not there is written by whoever comes.
    pub fn begin(&self, host: &dyn Host) {
        for source in &self.sources {
            if matches!(host.shared(&source.key), Ok(None)) {
                let _ = host.share(&source.key, &Record::default().to_bytes(), 0);
            }
        }
    }

    /// Looks after every source: takes over what others fetched, and fetches what is due. Gives
    /// back what should be logged.
    pub fn tick(&self, host: &dyn Host) -> Vec<String> {
        let mut log = Vec::new();
        for source in &self.sources {
            let before = source.record.borrow().clone();
            let outcome = self.look_after(source, host, &mut log);
            // A fetch that has only begun, here or in another worker, tells nothing yet.
            let after = source.record.borrow().clone();
            if (after.version, after.fetched, after.failures)
                != (before.version, before.fetched, before.failures)
            {
                self.has_ended(source);
            }
            if let Err(HostError(what)) = outcome {
                log.push(format!("{}: {what}", source.name));
            }
        }
        for introspection in self.introspections.iter().filter(|introspection| introspection.is_wanted()) {
            log.extend(introspection.tick(host));
        }
        log
    }

    /// Whether a source is being fetched here. The others wait for what comes of it.
    #[must_use]
    pub fn is_fetching(&self) -> bool {
        !self.underway.borrow().is_empty()
    }

    /// When each source was last fetched, in Unix seconds, in the order of the policy; 0: never.
    pub fn fetched(&self) -> impl Iterator<Item = i64> {
        self.sources.iter().map(|source| source.record.borrow().fetched)
    }

    fn has_ended(&self, source: &Source) {
        self.ended.borrow_mut().push(source.number.get());
    }

    /// What arrived since the last look, for better or worse: those who wait for it can be told.
    pub fn take_arrived(&self) -> Vec<Awaited> {
        let ended = self.ended.take();
        let learned = self.introspections.iter().flat_map(|introspection| introspection.take_learned());
        ended.into_iter().map(Awaited::Source).chain(learned).collect()
    }

    /// How soon the next tick should be.
    #[must_use]
    pub fn wants(&self, now: i64) -> Wants {
        let urgent = |source: &Rc<Source>| source.wanted.get() || source.content(now).is_none();
        let asks = self.introspections.iter().any(|introspection| introspection.is_wanted());
        if asks || self.sources.iter().any(urgent) {
            Wants::Now
        } else if self.sources.is_empty() {
            Wants::Nothing
        } else {
            Wants::Soon
        }
    }

    fn look_after(
        &self,
        source: &Rc<Source>,
        host: &dyn Host,
        log: &mut Vec<String>,
    ) -> Result<(), HostError> {
        let now = host.now();
        let (record, version) = read(source, host)?;
        take_over(source, &record, host, log)?;
        let wanted = source.wanted.replace(false);
        let record = match wanted.then(|| record.asked(now, &source.limits)).flatten() {
            Some(asked) => asked,
            None => record,
        };
        if !record.is_due(now) {
            return Ok(());
        }
        let leased = record.leased(now, &source.limits);
        // Whoever writes the lease first fetches; the others see it at their next tick.
        if !host.share(&source.key, &leased.to_bytes(), version)? {
            // Until that tick nobody here knows that they fetch, so what was wanted is wanted still.
            source.wanted.set(wanted);
            return Ok(());
        }
        *source.record.borrow_mut() = leased;
        let (uri, stage) = match &source.kind {
            SourceKind::Keys { discovery: Some(discovery), .. } => (&discovery.uri, Stage::Discovery),
            SourceKind::Keys { uri: Some(uri), .. } | SourceKind::Revocations { uri } => {
                (uri, Stage::Document { algorithms: None })
            }
            SourceKind::Keys { .. } => return Err(HostError("nowhere to fetch from")),
        };
        self.call(source, uri, stage, host, log);
        Ok(())
    }

    fn call(&self, source: &Rc<Source>, uri: &Uri, stage: Stage, host: &dyn Host, log: &mut Vec<String>) {
        let etag = match &stage {
            Stage::Document { .. } => source.record.borrow().etag.clone(),
            Stage::Discovery => None,
        };
        let mut headers = vec![
            (":method".to_owned(), "GET".to_owned()),
            (":scheme".to_owned(), uri.scheme.to_owned()),
            (":authority".to_owned(), uri.authority.clone()),
            (":path".to_owned(), uri.path.clone()),
            ("accept".to_owned(), "application/json".to_owned()),
        ];
        // Only who has the content can be told that it is the same.
        if let Some(etag) = etag.filter(|_| source.content.borrow().is_some()) {
            headers.push(("if-none-match".to_owned(), etag));
        }
        let seconds = u64::try_from(source.limits.timeout).unwrap_or(5).max(1);
        let timeout = Duration::from_secs(seconds);
        let call = HttpCall { cluster: uri.cluster.clone(), headers, body: Vec::new(), timeout };
        match host.call(&call) {
            Ok(id) => {
                self.underway.borrow_mut().insert(id, Call { source: Rc::clone(source), stage });
            }
            Err(HostError(what)) => {
                let reason = format!("cluster {:?} cannot be called: {what}", uri.cluster);
                fail(source, &reason, host, log);
            }
        }
    }

    /// Carries on what a response belongs to. Says whether it was one of these, and what should be
    /// logged.
    pub fn respond(&self, id: u32, response: &CallResponse, host: &dyn Host) -> Option<Vec<String>> {
        let own = self.underway.borrow_mut().remove(&id);
        let Some(Call { source, stage }) = own else {
            return self.introspections.iter().find_map(|asked| asked.respond(id, response, host));
        };
        let mut log = Vec::new();
        match stage {
            Stage::Discovery => match discovered(&source, response) {
                Ok((uri, algorithms)) => {
                    let stage = Stage::Document { algorithms: Some(algorithms) };
                    self.call(&source, &uri, stage, host, &mut log);
                }
                Err(reason) => fail(&source, &format!("discovery: {reason}"), host, &mut log),
            },
            Stage::Document { algorithms } => {
                if let Err(reason) = publish(&source, response, algorithms.as_deref(), host, &mut log) {
                    fail(&source, &reason, host, &mut log);
                }
            }
        }
        // Discovery alone ends nothing, unless it fails.
        if !source.record.borrow().is_underway(host.now()) {
            self.has_ended(&source);
        }
        Some(log)
    }
}

fn read(source: &Source, host: &dyn Host) -> Result<(Record, u32), HostError> {
    Ok(match host.shared(&source.key)? {
        Some((bytes, version)) => (Record::from_bytes(&bytes), version),
        None => (Record::default(), 0),
    })
}

fn body_key(source: &Source) -> String {
    format!("{}.body", source.key)
}

/// Takes over what another worker fetched.
fn take_over(
    source: &Source,
    record: &Record,
    host: &dyn Host,
    log: &mut Vec<String>,
) -> Result<(), HostError> {
    if record.version != source.version.get() {
        let body = host.shared(&body_key(source))?.map(|(body, _)| body).unwrap_or_default();
        // Between the record and the body somebody may have written: then the next tick tells.
        if digest(&body) == record.digest {
            match source.parse(&body) {
                Ok(content) => {
                    *source.content.borrow_mut() = Some(Rc::new(content));
                    source.version.set(record.version);
                }
                Err(reason) => log.push(format!("{}: what was shared: {reason}", source.name)),
            }
        }
    }
    *source.record.borrow_mut() = record.clone();
    Ok(())
}

/// The `jwks_uri` and the algorithms of a discovery document (OpenID Connect Discovery 1.0
/// sections 3 and 4.3).
fn discovered(source: &Source, response: &CallResponse) -> Result<(Uri, Vec<String>), String> {
    let SourceKind::Keys { discovery: Some(discovery), .. } = &source.kind else {
        return Err("not asked for".into());
    };
    let Ok(Value::Object(document)) = json::parse_strict(response.success()?, 16) else {
        return Err("not a JSON object".into());
    };
    let text = |key: &str| document.get(key).and_then(Value::as_str);
    let issuer = text("issuer").ok_or("no `issuer`")?;
    if issuer != discovery.issuer {
        return Err(format!("the issuer is {issuer:?}, not {:?}", discovery.issuer));
    }
    let jwks_uri = text("jwks_uri").ok_or("no `jwks_uri`")?;
    let uri = Uri::parse(jwks_uri, &discovery.uri.cluster).map_err(|error| format!("jwks_uri: {error}"))?;
    let uri = match &discovery.jwks_cluster {
        Some(cluster) => Uri { cluster: cluster.clone(), ..uri },
        None if uri.authority == discovery.uri.authority => uri,
        None => {
            return Err(format!(
                "jwks_uri is on {:?}, another host than {:?}; name its cluster by `jwks_cluster`",
                uri.authority, discovery.uri.authority
            ));
        }
    };
    let named = document.get("id_token_signing_alg_values_supported").and_then(Value::as_array);
    let names: Vec<String> =
        named.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    if names.is_empty() {
        // OpenID Connect Discovery section 3: it is required, and RS256 must be in it.
        return Ok((uri, vec!["RS256".into()]));
    }
    Ok((uri, names))
}

fn publish(
    source: &Rc<Source>,
    response: &CallResponse,
    algorithms: Option<&[String]>,
    host: &dyn Host,
    log: &mut Vec<String>,
) -> Result<(), String> {
    let is_unchanged = response.status() == 304 && source.content.borrow().is_some();
    let mut fetched = Fetched {
        digest: None,
        max_age: response.max_age(),
        etag: response.header("etag").map(str::to_owned),
    };
    let mut content = None;
    if is_unchanged {
        fetched.etag = fetched.etag.or_else(|| source.record.borrow().etag.clone());
    } else {
        let envelope = Source::envelope(response.success()?, algorithms)?;
        content = Some(source.parse(&envelope)?);
        let digest = digest(&envelope);
        if source.record.borrow().digest != digest {
            let version = host.shared(&body_key(source)).map_err(|HostError(what)| what)?;
            let version = version.map_or(0, |(_, version)| version);
            if !host.share(&body_key(source), &envelope, version).map_err(|HostError(what)| what)? {
                return Err("another worker fetched it at the same time".into());
            }
        }
        fetched.digest = Some(digest);
    }
    let (now, jitter) = (host.now(), jitter(host));
    let record = update(source, host, |record| record.succeeded(now, &source.limits, &fetched, jitter));
    let record = record.map_err(|HostError(what)| what)?;
    host.note(Event::Fetch { source: &source.name, succeeded: true });
    if record.version != source.version.get()
        && let Some(content) = content
    {
        *source.content.borrow_mut() = Some(Rc::new(content));
        source.version.set(record.version);
        log.push(format!("{}: version {} fetched", source.name, record.version));
    }
    Ok(())
}

fn digest(envelope: &[u8]) -> String {
    Sha256::digest(envelope).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn fail(source: &Source, reason: &str, host: &dyn Host, log: &mut Vec<String>) {
    host.note(Event::Fetch { source: &source.name, succeeded: false });
    let (now, jitter) = (host.now(), jitter(host));
    let outcome = update(source, host, |record| record.failed(now, &source.limits, jitter));
    let next = outcome.map(|record| record.next.saturating_sub(now)).unwrap_or_default();
    log.push(format!("{}: cannot be fetched: {reason}; next try in {next} s", source.name));
}

/// Changes the record, whoever else does at the same time.
fn update(source: &Source, host: &dyn Host, change: impl Fn(&Record) -> Record) -> Result<Record, HostError> {
    for _ in 0..TRIES {
        let (record, version) = read(source, host)?;
        let record = change(&record);
        if host.share(&source.key, &record.to_bytes(), version)? {
            *source.record.borrow_mut() = record.clone();
            return Ok(record);
        }
    }
    Err(HostError("shared data is written too often"))
}

/// A number from 0 to 1. Without randomness everybody waits alike, which is no fault.
fn jitter(host: &dyn Host) -> f64 {
    let mut byte = [0];
    let _ = host.random(&mut byte);
    f64::from(byte[0]) / 255.0
}

#[cfg(test)]
#[path = "fetcher_tests.rs"]
mod tests;
