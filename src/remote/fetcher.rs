//! Fetching: each tick looks after every source, each response carries one of them on.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use super::awaited::Awaited;
use super::introspection::Introspection;
use super::record::Record;
use super::shared::{Had, fail, fault, publish, read, release, take_over};
use super::source::{Source, SourceKind};
use super::uri::Uri;
use crate::host::{CallResponse, Host, HostError, HttpCall};
use crate::json;
use crate::keys::Algorithm;

/// The longest discovery document that is read, in bytes.
const LONGEST_DISCOVERY: usize = 65_536;

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
    /// What the issuer was told that is there already.
    had: Option<Had>,
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
            let before = (source.record.borrow().clone(), source.generation());
            let outcome = self.look_after(source, host, &mut log);
            // A fetch that has only begun, here or in another worker, tells nothing yet.
            let after = source.record.borrow().clone();
            let is_news = (after.version, after.fetched, after.failures)
                != (before.0.version, before.0.fetched, before.0.failures);
            if is_news || source.generation() != before.1 {
                self.has_ended(source);
            }
            if let Err(HostError(what)) = outcome {
                fault(source, what, host);
            }
            if let Some(line) = source.faults.rest(host.now()) {
                host.warn(&line);
            }
        }
        for introspection in &self.introspections {
            introspection.tick(host);
        }
        log
    }

    /// Whether a source is being fetched here. The others wait for what comes of it.
    #[must_use]
    pub fn is_fetching(&self) -> bool {
        !self.underway.borrow().is_empty()
    }

    /// Gives up what is being fetched: its answers will find no worker.
    pub fn abandon(&self, host: &dyn Host) {
        for (_, call) in self.underway.borrow_mut().drain() {
            release(&call.source, host);
        }
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
        let is_torn = take_over(source, &record, host)?;
        // What is not there though it should be is fetched anew, as an unknown key would be.
        let wanted = source.wanted.replace(false) || is_torn;
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
        if let Some(kid) = source.sought.take() {
            log.push(format!(
                "{}: fetched ahead of time: a token names the unknown key {kid:?}",
                source.name
            ));
        }
        let (uri, stage) = match &source.kind {
            SourceKind::Keys { discovery: Some(discovery), .. } => (&discovery.uri, Stage::Discovery),
            SourceKind::Keys { uri: Some(uri), .. } | SourceKind::Revocations { uri } => {
                (uri, Stage::Document { algorithms: None })
            }
            SourceKind::Keys { .. } => return Err(HostError("nowhere to fetch from")),
        };
        self.call(source, uri, stage, host);
        Ok(())
    }

    fn call(&self, source: &Rc<Source>, uri: &Uri, stage: Stage, host: &dyn Host) {
        let mut headers = vec![
            (":method".to_owned(), "GET".to_owned()),
            (":scheme".to_owned(), uri.scheme.to_owned()),
            (":authority".to_owned(), uri.authority.clone()),
            (":path".to_owned(), uri.path.clone()),
            ("accept".to_owned(), "application/json".to_owned()),
        ];
        let mut had = None;
        if let Stage::Document { .. } = &stage {
            let record = source.record.borrow();
            // Only who has this very content can be told that it is the same.
            if let Some(etag) = record.etag.clone().filter(|_| source.holds(&record)) {
                headers.push(("if-none-match".to_owned(), etag));
                had = Some((record.version, record.digest.clone()));
            }
        }
        let seconds = u64::try_from(source.limits.timeout).unwrap_or(5).max(1);
        let timeout = Duration::from_secs(seconds);
        let call = HttpCall { cluster: uri.cluster.clone(), headers, body: Vec::new(), timeout };
        match host.call(&call) {
            Ok(id) => {
                self.underway.borrow_mut().insert(id, Call { source: Rc::clone(source), stage, had });
            }
            Err(HostError(what)) => {
                let reason = format!("cluster {:?} cannot be called: {what}", uri.cluster);
                fail(source, &reason, host);
            }
        }
    }

    /// Carries on what a response belongs to. Says whether it was one of these, and what should be
    /// logged.
    pub fn respond(&self, id: u32, response: &CallResponse, host: &dyn Host) -> Option<Vec<String>> {
        let own = self.underway.borrow_mut().remove(&id);
        let Some(Call { source, stage, had }) = own else {
            return self.introspections.iter().any(|asked| asked.respond(id, response, host)).then(Vec::new);
        };
        let mut log = Vec::new();
        match stage {
            Stage::Discovery => match discovered(&source, response) {
                Ok((uri, algorithms)) => {
                    let stage = Stage::Document { algorithms: Some(algorithms) };
                    self.call(&source, &uri, stage, host);
                }
                Err(reason) => fail(&source, &format!("discovery: {reason}"), host),
            },
            Stage::Document { algorithms } => {
                match publish(&source, response, algorithms.as_deref(), had.as_ref(), host) {
                    Ok(line) => log.extend(line),
                    Err(reason) => fail(&source, &reason, host),
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

/// The `jwks_uri` and the algorithms of a discovery document (OpenID Connect Discovery 1.0
/// sections 3 and 4.3).
fn discovered(source: &Source, response: &CallResponse) -> Result<(Uri, Vec<String>), String> {
    let SourceKind::Keys { discovery: Some(discovery), .. } = &source.kind else {
        return Err("not asked for".into());
    };
    let Ok(Value::Object(document)) = json::parse_strict(response.success(LONGEST_DISCOVERY)?, 16) else {
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
    let mut names = named.into_iter().flatten().filter_map(Value::as_str).peekable();
    if names.peek().is_none() {
        // OpenID Connect Discovery section 3: it is required, and RS256 must be in it.
        return Ok((uri, vec!["RS256".into()]));
    }
    // What nobody here knows need not be shared with anybody, and what is there twice neither.
    let known: BTreeSet<_> = names.filter_map(Algorithm::from_name).collect();
    Ok((uri, known.into_iter().map(|algorithm| algorithm.name().to_owned()).collect()))
}

#[cfg(test)]
#[path = "fetcher_tests.rs"]
mod tests;
