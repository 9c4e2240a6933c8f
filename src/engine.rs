//! Request in, decision out. Knows no host but the [`Host`] it is given.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use crate::config::{CorsPreflight, Mode};
use crate::credential::{Found, find_in};
use crate::decision::{Allow, Challenge, Decision, Denial, Edits, Identity};
use crate::host::Host;
use crate::identity::ApiKey;
use crate::policy::{Alternative, NormalPath, Policy, Requirement, Scheme, SchemeId, SchemeKind};
use crate::request::Request;
use crate::token::{TokenCache, Verified};

/// A policy at work, with what it remembers. One for each worker.
pub struct Engine {
    policy: Policy,
    cache: RefCell<TokenCache>,
}

/// A credential that was verified.
enum Proof<'p> {
    Token(Rc<Verified>),
    Key(&'p ApiKey),
}

impl Proof<'_> {
    fn subject(&self) -> Option<&str> {
        match self {
            Self::Token(token) => token.subject(),
            Self::Key(key) => Some(&key.id),
        }
    }

    fn scopes(&self) -> &[String] {
        match self {
            Self::Token(token) => token.scopes(),
            Self::Key(key) => &key.scopes,
        }
    }
}

/// What a request presents for one scheme.
enum Presented<'p> {
    Missing,
    Bad { reason: &'static str, explanation: String },
    Proven(Proof<'p>),
}

/// Why an alternative does not let a request in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failure {
    Missing,
    Bad(SchemeId),
    Scope(SchemeId),
}

impl Failure {
    /// How near it came; among equals the first counts.
    fn nearness(self) -> u8 {
        match self {
            Self::Missing => 0,
            Self::Bad(_) => 1,
            Self::Scope(_) => 2,
        }
    }
}

impl Engine {
    /// Puts `policy` to work.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let cache = TokenCache::new(policy.cache.entries, policy.cache.max_token_bytes);
        Self { policy, cache: RefCell::new(cache) }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What becomes of `request`.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>, host: &dyn Host) -> Decision {
        match (self.judge(request, host), self.policy.mode) {
            (Ok(allow), _) => Decision::Allow(allow),
            (Err(denial), Mode::Enforce) => Decision::Deny(denial),
            // Its credentials stay: the upstream may have been checking them all along.
            (Err(denial), Mode::DryRun) => {
                Decision::Allow(Allow { spared: Some(denial), ..self.allow_anonymous(request) })
            }
        }
    }

    fn judge(&self, request: &Request<'_>, host: &dyn Host) -> Result<Allow, Denial> {
        let path =
            NormalPath::new(request.raw_path()).map_err(|ambiguity| Denial::ambiguous_path(ambiguity.0))?;
        if self.policy.cors_preflight == CorsPreflight::Pass && request.is_cors_preflight() {
            return Ok(self.allow_anonymous(request));
        }
        let requirement = self
            .policy
            .requirement(request.method(), request.authority(), &path)
            .ok_or_else(Denial::no_rule)?;
        if requirement.alternatives().is_empty() {
            return Ok(self.allow_anonymous(request));
        }
        Evaluation::new(self, request, host).of(requirement)
    }

    fn allow_anonymous(&self, request: &Request<'_>) -> Allow {
        let edits = Edits::default().finish(request, |name| self.policy.is_reserved(name));
        Allow { edits, ..Allow::default() }
    }
}

/// One request against one requirement. Each scheme is looked at once, however many alternatives
/// name it.
struct Evaluation<'a> {
    engine: &'a Engine,
    request: &'a Request<'a>,
    host: &'a dyn Host,
    presented: Vec<OnceCell<Presented<'a>>>,
}

impl<'a> Evaluation<'a> {
    fn new(engine: &'a Engine, request: &'a Request<'a>, host: &'a dyn Host) -> Self {
        let mut presented = Vec::new();
        presented.resize_with(engine.policy.scheme_count(), OnceCell::new);
        Self { engine, request, host, presented }
    }

    fn of(&self, requirement: &'a Requirement) -> Result<Allow, Denial> {
        let mut nearest: Option<Failure> = None;
        for alternative in requirement.alternatives() {
            match self.failure(alternative) {
                None => return Ok(self.allow(requirement, alternative)),
                Some(failure) => {
                    if nearest.is_none_or(|nearest| failure.nearness() > nearest.nearness()) {
                        nearest = Some(failure);
                    }
                }
            }
        }
        match nearest {
            Some(Failure::Bad(scheme)) => Err(self.bad(requirement, scheme)),
            Some(Failure::Scope(scheme)) => Err(self.scope_lacking(requirement, scheme)),
            _ if requirement.allows_anonymous() => Ok(self.engine.allow_anonymous(self.request)),
            _ => Err(self.missing(requirement)),
        }
    }

    fn scheme(&self, id: SchemeId) -> Option<&'a Scheme> {
        self.engine.policy.scheme(id)
    }

    /// What the request presents for a scheme. A scheme that does not exist is never proven.
    fn presented(&self, id: SchemeId) -> &Presented<'a> {
        match (self.presented.get(id.0), self.scheme(id)) {
            (Some(cell), Some(scheme)) => cell.get_or_init(|| self.verify(id, scheme)),
            _ => &Presented::Missing,
        }
    }

    fn verify(&self, id: SchemeId, scheme: &'a Scheme) -> Presented<'a> {
        let bad = |reason, explanation| Presented::Bad { reason, explanation };
        let credential = match find_in(&scheme.sources, self.request) {
            Found::Nothing => return Presented::Missing,
            Found::Several => return bad("credential_twice", "the credential is there twice".into()),
            Found::One(credential) => credential,
        };
        match &scheme.kind {
            SchemeKind::Token(verifier) => {
                let mut cache = self.engine.cache.borrow_mut();
                if let Some(token) = cache.get(id.0, &credential, || self.host.now()) {
                    return Presented::Proven(Proof::Token(token));
                }
                match verifier.verify(&credential, self.host) {
                    Ok(verified) => {
                        let verified = Rc::new(verified);
                        cache.put(id.0, &credential, &verified);
                        Presented::Proven(Proof::Token(verified))
                    }
                    Err(error) => bad(error.reason(), error.to_string()),
                }
            }
            SchemeKind::ApiKey(directory) => match directory.verify(&credential, || self.host.now()) {
                Ok(key) => Presented::Proven(Proof::Key(key)),
                Err(error) => bad(error.reason(), String::new()),
            },
        }
    }

    /// Why `alternative` does not let the request in; nothing if it does. Within an AND a bad
    /// credential speaks first, then a missing one: scopes are only told to who is fully known.
    fn failure(&self, alternative: &Alternative) -> Option<Failure> {
        let mut missing = None;
        let mut scope = None;
        for term in &alternative.terms {
            match self.presented(term.scheme) {
                Presented::Bad { .. } => return Some(Failure::Bad(term.scheme)),
                Presented::Missing => missing = Some(Failure::Missing),
                Presented::Proven(proof) => {
                    let granted = |wanted: &String| proof.scopes().contains(wanted);
                    if scope.is_none() && !term.scopes.iter().all(granted) {
                        scope = Some(Failure::Scope(term.scheme));
                    }
                }
            }
        }
        missing.or(scope)
    }

    fn allow(&self, requirement: &'a Requirement, alternative: &Alternative) -> Allow {
        let names = self.engine.policy.identity_headers();
        let mut edits = Edits::default();
        for term in requirement.terms() {
            if let Some(scheme) = self.scheme(term.scheme).filter(|scheme| !scheme.forward) {
                scheme.sources.iter().for_each(|source| edits.remove(source));
            }
        }
        let mut proofs: Vec<(&Scheme, &Proof<'_>)> = alternative
            .terms
            .iter()
            .filter_map(|term| match (self.scheme(term.scheme)?, self.presented(term.scheme)) {
                (scheme, Presented::Proven(proof)) => Some((scheme, proof)),
                _ => None,
            })
            .collect();
        let schemes: Vec<String> = proofs.iter().map(|(scheme, _)| scheme.name.clone()).collect();
        proofs.sort_by_key(|(scheme, _)| scheme.precedence());
        let subject = proofs.iter().find_map(|(_, proof)| proof.subject()).map(str::to_owned);
        let mut scopes: Vec<String> = Vec::new();
        for scope in proofs.iter().flat_map(|(_, proof)| proof.scopes()) {
            if !scopes.contains(scope) {
                scopes.push(scope.clone());
            }
        }
        if let Some(subject) = &subject {
            edits.set(&names.subject, subject.clone().into_bytes());
        }
        if !scopes.is_empty() {
            edits.set(&names.scopes, scopes.join(" ").into_bytes());
        }
        edits.set(&names.scheme, schemes.join(",").into_bytes());
        for (_, proof) in &proofs {
            if let Proof::Token(token) = proof {
                for (name, value) in token.headers() {
                    edits.set(name, value.clone());
                }
            }
        }
        Allow {
            identity: Some(Identity { subject, scopes, schemes }),
            edits: edits.finish(self.request, |name| self.engine.policy.is_reserved(name)),
            spared: None,
        }
    }

    /// A challenge for each scheme that could still let the request in.
    fn challenges(&self, requirement: &Requirement) -> Vec<Challenge> {
        let challenge = |scheme: &Scheme, presented: &Presented<'_>| match (presented, &scheme.kind) {
            (Presented::Proven(_), _) => None,
            (Presented::Bad { .. }, SchemeKind::Token(_)) => {
                Some(scheme.challenge(Some("error=\"invalid_token\"".into())))
            }
            _ => Some(scheme.challenge(None)),
        };
        requirement
            .terms()
            .filter_map(|term| challenge(self.scheme(term.scheme)?, self.presented(term.scheme)))
            .collect()
    }

    fn missing(&self, requirement: &Requirement) -> Denial {
        let asks_for_401 = requirement.terms().any(|term| {
            matches!(self.presented(term.scheme), Presented::Missing)
                && self.scheme(term.scheme).is_some_and(|scheme| scheme.missing_status == 401)
        });
        let status = if asks_for_401 { 401 } else { 403 };
        Denial::new(status, "Not authenticated", "credential_missing")
            .with_challenges(self.challenges(requirement))
    }

    fn bad(&self, requirement: &Requirement, id: SchemeId) -> Denial {
        let (reason, explanation) = match self.presented(id) {
            Presented::Bad { reason, explanation } => (*reason, explanation.clone()),
            _ => ("credential_bad", String::new()),
        };
        let denial = match self.scheme(id).map(|scheme| &scheme.kind) {
            Some(SchemeKind::ApiKey(_)) => Denial::new(403, "Invalid API key", reason),
            _ => Denial::new(401, "Could not validate credentials", reason)
                .with_challenges(self.challenges(requirement)),
        };
        Denial { explanation, ..denial }
    }

    fn scope_lacking(&self, requirement: &Requirement, id: SchemeId) -> Denial {
        // The alternative that came nearest is the first one that fails by this scheme's scopes.
        let lacking = requirement.alternatives().iter().find_map(|alternative| {
            let fails = self.failure(alternative) == Some(Failure::Scope(id));
            alternative.terms.iter().find(|term| fails && term.scheme == id)
        });
        let scopes = lacking.map(|term| term.scopes.join(" ")).unwrap_or_default();
        let error = format!("error=\"insufficient_scope\", scope=\"{scopes}\"");
        let challenge = self.scheme(id).map(|scheme| scheme.challenge(Some(error)));
        Denial::new(403, "Not enough permissions", "scope_lacking")
            .with_challenges(challenge.into_iter().collect())
    }
}
