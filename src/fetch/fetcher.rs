//! The fetcher: each tick refreshes every source that is due, each response carries one of them on.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use super::fetch_state::FetchState;
use super::introspection::Introspection;
use super::pending_fetch::PendingFetch;
use super::remote_source::{Discovered, RemoteSource, SourceKind};
use super::shared_data::{CachedVersion, adopt, fail, publish, read, release, report_error, shorten};
use super::uri::Uri;
use crate::host::{CallResponse, Hears, Host, HostError, HttpCall};
use crate::json;
use crate::keys::Algorithm;

/// The longest discovery document that is read, in bytes.
const LONGEST_DISCOVERY: usize = 65_536;

/// The sources of a policy, for one worker.
#[derive(Default)]
pub struct Fetcher {
    sources: Vec<Rc<RemoteSource>>,
    introspections: Vec<Introspection>,
    in_flight: RefCell<HashMap<u32, Call>>,
    /// The sources whose fetch has completed since [`Fetcher::take_completed`] was last called.
    completed: RefCell<Vec<usize>>,
}

/// How soon the next tick is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Nothing is fetched.
    Idle,
    /// Within a second or so.
    Soon,
    /// At once: a request waits, or the first fetch is still to come.
    Now,
}

/// A call that is in flight.
struct Call {
    source: Rc<RemoteSource>,
    stage: Stage,
    /// What `If-None-Match` named.
    had: Option<CachedVersion>,
}

enum Stage {
    /// Whether it is the metadata of RFC 8414 that is asked for.
    Discovery {
        is_fallback: bool,
    },
    Document {
        discovered: Option<Discovered>,
    },
}

impl Fetcher {
    /// These sources, and the issuers that are asked about tokens.
    #[must_use]
    pub fn new(sources: Vec<Rc<RemoteSource>>, introspections: Vec<Introspection>) -> Self {
        sources.iter().enumerate().for_each(|(number, source)| source.number.set(number));
        introspections.iter().enumerate().for_each(|(number, asked)| asked.number.set(number));
        Self { sources, introspections, ..Self::default() }
    }

    /// Creates the shared states that do not exist yet, so that the first lease is contended for: a value that does
    /// not exist is written by every worker.
    pub fn begin(&self, host: &dyn Host) {
        for source in &self.sources {
            if matches!(host.get_shared_data(&source.key), Ok(None)) {
                let _ = host.set_shared_data(&source.key, &FetchState::default().to_bytes(), 0);
            }
        }
    }

    /// Refreshes every source: adopts what other workers fetched, and fetches what is due. Returns what is to be
    /// logged.
    pub fn tick(&self, host: &dyn Host) -> Vec<String> {
        let mut log = Vec::new();
        for source in &self.sources {
            let before = (source.state.borrow().clone(), source.generation());
            // Requests wait for a fetch that was requested here, that is due, or that another worker has begun.
            let is_awaited = source.is_refetch_requested.get()
                || before.0.is_due(host.now())
                || before.0.is_in_flight(host.now());
            let outcome = self.refresh(source, host, &mut log);
            // A fetch that has only begun, here or in another worker, tells nothing yet.
            let after = source.state.borrow().clone();
            let is_news = (after.version, after.fetched, after.failures)
                != (before.0.version, before.0.fetched, before.0.failures);
            // Times are seconds: another worker's fetch may end in the second of the one before, with the same
            // keys, and then nothing but its end shows.
            let is_over = is_awaited && !source.is_refetch_requested.get() && !after.is_in_flight(host.now());
            if is_news || is_over || source.generation() != before.1 {
                self.mark_completed(source);
            }
            if let Err(HostError(what)) = outcome {
                report_error(source, what, host);
            }
            if let Some(line) = source.errors.suppressed(host.now()) {
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
        !self.in_flight.borrow().is_empty()
    }

    /// Releases the leases of the fetches in flight: their responses will find no worker.
    pub fn abandon(&self, host: &dyn Host) {
        for (_, call) in self.in_flight.borrow_mut().drain() {
            release(&call.source, host);
        }
    }

    /// The answers to what is in flight may not be heard for a while: others fetch without them, soon. Those that are
    /// heard count all the same.
    pub fn stop_hearing(&self, host: &dyn Host) {
        self.in_flight.borrow().values().for_each(|call| shorten(&call.source, host));
    }

    /// When each source was last fetched, in Unix seconds, in the order of the policy; 0: never.
    pub fn fetched(&self) -> impl Iterator<Item = i64> {
        self.sources.iter().map(|source| source.state.borrow().fetched)
    }

    fn mark_completed(&self, source: &RemoteSource) {
        self.completed.borrow_mut().push(source.number.get());
    }

    /// The fetches that have completed since the last call, with or without success: the requests that wait for them
    /// can be decided.
    pub fn take_completed(&self) -> Vec<PendingFetch> {
        let completed = self.completed.take();
        let answered = self.introspections.iter().flat_map(|introspection| introspection.take_answered());
        completed.into_iter().map(PendingFetch::Source).chain(answered).collect()
    }

    /// How soon the next tick should be.
    #[must_use]
    pub fn urgency(&self, now: i64) -> Urgency {
        let urgent =
            |source: &Rc<RemoteSource>| source.is_refetch_requested.get() || source.content(now).is_none();
        let asks = self.introspections.iter().any(|introspection| introspection.has_queued());
        if asks || self.sources.iter().any(urgent) {
            Urgency::Now
        } else if self.sources.is_empty() {
            Urgency::Idle
        } else {
            Urgency::Soon
        }
    }

    fn refresh(
        &self,
        source: &Rc<RemoteSource>,
        host: &dyn Host,
        log: &mut Vec<String>,
    ) -> Result<(), HostError> {
        let now = host.now();
        let (state, version) = read(source, host)?;
        let is_torn = adopt(source, &state, host)?;
        // What is not there though it should be is fetched anew, as an unknown key would be.
        let is_refetch_requested = source.is_refetch_requested.replace(false) || is_torn;
        let state = match is_refetch_requested
            .then(|| state.with_early_refetch(now, &source.refresh_policy))
            .flatten()
        {
            Some(asked) => asked,
            None => state,
        };
        if !state.is_due(now) {
            return Ok(());
        }
        let leased = match host.hears() {
            Hears::AtOnce => state.leased(now, &source.refresh_policy),
            // The one that hears finds that it is due; what is wanted beside that it does not know.
            Hears::Elsewhere if !is_refetch_requested => return Ok(()),
            Hears::Elsewhere | Hears::Later => state.leased_briefly(now),
        };
        // The worker that writes the lease first fetches; the others see it at their next tick.
        if !host.set_shared_data(&source.key, &leased.to_bytes(), version)? {
            // Until that tick this worker does not know that another fetches, so what was wanted is wanted still.
            source.is_refetch_requested.set(is_refetch_requested);
            return Ok(());
        }
        *source.state.borrow_mut() = leased;
        if let Some(kid) = source.unknown_kid.take() {
            log.push(format!(
                "{}: fetched ahead of time: a token names the unknown key {kid:?}",
                source.name
            ));
        }
        let (uri, stage) = match &source.kind {
            SourceKind::Keys { discovery: Some(discovery), .. } => {
                (&discovery.uri, Stage::Discovery { is_fallback: false })
            }
            SourceKind::Keys { uri: Some(uri), .. } | SourceKind::Revocations { uri } => {
                (uri, Stage::Document { discovered: None })
            }
            SourceKind::Keys { .. } => return Err(HostError("nowhere to fetch from")),
        };
        self.call(source, uri, stage, host);
        Ok(())
    }

    fn call(&self, source: &Rc<RemoteSource>, uri: &Uri, stage: Stage, host: &dyn Host) {
        let mut headers = vec![
            (":method".to_owned(), "GET".to_owned()),
            (":scheme".to_owned(), uri.scheme.to_owned()),
            (":authority".to_owned(), uri.authority.clone()),
            (":path".to_owned(), uri.path.clone()),
            ("accept".to_owned(), "application/json".to_owned()),
            // What is compressed cannot be read here.
            ("accept-encoding".to_owned(), "identity".to_owned()),
        ];
        headers.extend(source.headers.iter());
        let mut had = None;
        if let Stage::Document { .. } = &stage {
            let state = source.state.borrow();
            // Only a worker that has this very content can use the answer that it is unchanged.
            if let Some(etag) = state.etag.clone().filter(|_| source.has_installed(&state)) {
                headers.push(("if-none-match".to_owned(), etag));
                had = Some((state.version, state.digest.clone()));
            }
        }
        let seconds = u64::try_from(source.refresh_policy.timeout).unwrap_or(5).max(1);
        let timeout = Duration::from_secs(seconds);
        let call = HttpCall { cluster: uri.cluster.clone(), headers, body: Vec::new(), timeout };
        match host.dispatch_http_call(&call) {
            Ok(id) => {
                self.in_flight.borrow_mut().insert(id, Call { source: Rc::clone(source), stage, had });
            }
            Err(HostError(what)) => {
                let reason = format!("cluster {:?} cannot be called: {what}", uri.cluster);
                fail(source, &reason, host);
            }
        }
    }

    /// Carries on the fetch that a response belongs to. Returns what is to be logged; `None` if the response belongs to
    /// none.
    pub fn on_http_call_response(
        &self,
        id: u32,
        response: &CallResponse,
        host: &dyn Host,
    ) -> Option<Vec<String>> {
        let own = self.in_flight.borrow_mut().remove(&id);
        let Some(Call { source, stage, had }) = own else {
            return self
                .introspections
                .iter()
                .any(|asked| asked.on_http_call_response(id, response, host))
                .then(Vec::new);
        };
        let mut log = Vec::new();
        match stage {
            Stage::Discovery { is_fallback } => match (discovered(&source, response), fallback(&source)) {
                (Ok((uri, discovered)), _) => {
                    self.call(&source, &uri, Stage::Document { discovered: Some(discovered) }, host);
                }
                (Err(_), Some(uri)) if !is_fallback && matches!(response.status(), 400..=499) => {
                    self.call(&source, uri, Stage::Discovery { is_fallback: true }, host);
                }
                (Err(reason), _) => fail(&source, &format!("discovery: {reason}"), host),
            },
            Stage::Document { discovered } => {
                match publish(&source, response, discovered.as_ref(), had.as_ref(), host) {
                    Ok(line) => log.extend(line),
                    Err(reason) => fail(&source, &reason, host),
                }
            }
        }
        // Discovery alone ends nothing, unless it fails.
        if !source.state.borrow().is_in_flight(host.now()) {
            self.mark_completed(&source);
        }
        Some(log)
    }
}

/// Where the metadata of RFC 8414 would be, if that may be asked for.
fn fallback(source: &RemoteSource) -> Option<&Uri> {
    match &source.kind {
        SourceKind::Keys { discovery: Some(discovery), .. } => discovery.fallback.as_deref(),
        SourceKind::Keys { discovery: None, .. } | SourceKind::Revocations { .. } => None,
    }
}

/// The `jwks_uri` and what else is said of keys in a discovery document (OpenID Connect Discovery 1.0
/// sections 3 and 4.3, RFC 8414 section 3.3).
fn discovered(source: &RemoteSource, response: &CallResponse) -> Result<(Uri, Discovered), String> {
    let SourceKind::Keys { discovery: Some(discovery), .. } = &source.kind else {
        return Err("not asked for".into());
    };
    let Ok(Value::Object(document)) =
        json::parse_strict(json::without_mark(response.success(LONGEST_DISCOVERY)?), 16)
    else {
        return Err("not a JSON object".into());
    };
    let text = |key: &str| document.get(key).and_then(Value::as_str);
    let issuer = text("issuer").ok_or("no `issuer`")?;
    if comparable(issuer) != comparable(&discovery.issuer) {
        let remedy = match issuer.contains('{') {
            true => "; write it as `issuer`, and which tenants may come in `claims`",
            false => "",
        };
        return Err(format!("the issuer is {issuer:?}, not {:?}{remedy}", discovery.issuer));
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
    // What is not known here need not be shared, and what is there twice need not either.
    let mut known = BTreeSet::new();
    known.extend(named.into_iter().flatten().filter_map(Value::as_str).filter_map(Algorithm::from_name));
    let algorithms = known.into_iter().map(|algorithm| algorithm.name().to_owned()).collect();
    Ok((uri, Discovered { issuer: issuer.to_owned(), algorithms }))
}

/// An issuer without what makes no difference here: a slash at the end (OpenID Connect Discovery 1.0 section 4.1), and the
/// names of placeholders.
fn comparable(issuer: &str) -> String {
    let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
    let mut parts = issuer.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "{}" + part.split_once('}').map_or(part, |(_, rest)| rest))
}

#[cfg(test)]
#[path = "fetcher_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "hearing_tests.rs"]
mod hearing_tests;
