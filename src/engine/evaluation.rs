//! One request against one requirement: which identity, and does it satisfy the requirement?

use std::cell::{Cell, OnceCell};
use std::collections::HashSet;
use std::rc::Rc;

use smallvec::SmallVec;

use super::Engine;
use super::cost::{Cost, turns};
use super::credential_status::{Authenticated, CredentialStatus, Failure};
use super::logins::Login;
use super::refusal::twice;
use crate::config::UsersScopes;
use crate::credential::{Found, find_in};
use crate::decision::{
    Allow, Attribution, Credentials, DecidedBy, Decision, Denial, Pause, RuleId, header_mutations,
};
use crate::fetch::TokenDigests;
use crate::host::{Event, Host};
use crate::identity::{Identity, User};
use crate::login::LoginOutcome;
use crate::policy::{Alternative, Requirement, Scheme, SchemeId, SchemeKind, TokenUsers};
use crate::reason::Reason;
use crate::request::Request;
use crate::sort::insertion_sort;
use crate::token::{CacheKey, TokenError, Verified, Verifier};

/// The place of a refusal by this scheme.
fn attribution_of(scheme: SchemeId) -> Attribution {
    Attribution { by: DecidedBy::Scheme(scheme.0), ..Attribution::default() }
}

/// The evaluation. Each scheme is looked at once, however many alternatives
/// name it.
pub struct Evaluation<'a> {
    pub(super) engine: &'a Engine,
    request: &'a Request<'a>,
    pub(super) host: &'a dyn Host,
    /// Whether the request can wait.
    can_pause: bool,
    /// The digests of its tokens, as far as they were computed before.
    digests: &'a TokenDigests,
    pub(super) requirement: &'a Requirement,
    /// By the number of the scheme.
    looks: SmallVec<[Look<'a>; 4]>,
    /// Whether a login was tried at the directories of the requirement.
    pub(super) is_tried: Cell<bool>,
}

/// What was seen of a request for one scheme.
#[derive(Default)]
pub(super) struct Look<'a> {
    found: OnceCell<Found<'a>>,
    /// Of HTTP Basic.
    pub(super) login: OnceCell<Option<Login>>,
    /// What that was found to be worth.
    pub(super) outcome: OnceCell<LoginOutcome<&'a User>>,
    presented: OnceCell<CredentialStatus<'a>>,
}

impl<'a> Evaluation<'a> {
    /// An evaluation of `request` by `requirement`.
    pub fn new(
        engine: &'a Engine,
        requirement: &'a Requirement,
        request: &'a Request<'a>,
        host: &'a dyn Host,
        can_pause: bool,
        digests: &'a TokenDigests,
    ) -> Self {
        let (looks, is_tried) = (SmallVec::new(), Cell::new(false));
        Self { engine, request, host, can_pause, digests, requirement, looks, is_tried }
    }

    /// Judges the request.
    ///
    /// # Errors
    /// The refusal of the alternative that came nearest.
    pub fn judge(&mut self) -> Result<Decision, Denial> {
        // Not in `new`: they have hundreds of bytes, which would be copied into what that returns.
        self.looks.resize_with(self.engine.policy.scheme_count(), Look::default);
        let requirement = self.requirement;
        let mut nearest: Option<(usize, Failure)> = None;
        let alternatives = requirement.alternatives();
        for turn in turns(alternatives.len()) {
            let numbered = alternatives.iter().enumerate();
            for (number, alternative) in numbered.filter(|(_, own)| self.is_turn_of(own, *turn)) {
                // What has an effect beyond the answer (a password is hashed, a failure counted) is done once,
                // when nothing is awaited any more.
                if self.has_effect(alternative) {
                    let pause = self.pause(requirement);
                    if !pause.fetches.is_empty() {
                        return Ok(Decision::Pause(pause));
                    }
                }
                let Some(failure) = self.failure(alternative) else {
                    return Ok(Decision::Allow(self.allow(requirement, number, alternative)));
                };
                // Among equals the one listed first.
                let rank =
                    |number: usize, failure: Failure| (failure.precedence(), std::cmp::Reverse(number));
                if nearest.is_none_or(|(other, nearest)| rank(number, failure) > rank(other, nearest)) {
                    nearest = Some((number, failure));
                }
            }
        }
        let nearest = nearest.map(|(_, failure)| failure);
        if nearest == Some(Failure::Pending) {
            return Ok(Decision::Pause(self.pause(requirement)));
        }
        if requirement.allows_anonymous() && requirement.ignores_invalid() {
            return Ok(Decision::Allow(self.allow_without(requirement)));
        }
        match nearest {
            Some(Failure::Bad(scheme)) => Err(self.bad(requirement, scheme).at(attribution_of(scheme))),
            Some(Failure::Inactive(scheme)) => Err(Denial::inactive_user().at(attribution_of(scheme))),
            Some(Failure::Scope(scheme)) => {
                Err(self.scope_lacking(requirement, scheme).at(attribution_of(scheme)))
            }
            _ if requirement.allows_anonymous() => Ok(Decision::Allow(self.allow_without(requirement))),
            _ => Err(self.missing(requirement)),
        }
    }

    /// All that is awaited before the request can be judged by `requirement`. Schemes whose credential is
    /// looked at with an effect are left out: they await nothing.
    fn pause(&self, requirement: &Requirement) -> Pause {
        let mut pause = Pause { fetches: SmallVec::new(), credential: 0, rule: RuleId::Unknown };
        for alternative in requirement.alternatives() {
            let mut lacks = false;
            for term in self.by_cost(alternative) {
                let cost = self.cost(term.scheme);
                if cost == Cost::SideEffect || (lacks && cost == Cost::Introspection) {
                    continue;
                }
                match self.status(term.scheme) {
                    CredentialStatus::Pending { fetch, credential } => {
                        if !pause.fetches.contains(fetch) {
                            pause.fetches.push(*fetch);
                            pause.credential = *credential;
                        }
                    }
                    CredentialStatus::Missing
                    | CredentialStatus::Bad { .. }
                    | CredentialStatus::Unchecked(_) => lacks = true,
                    CredentialStatus::Inactive | CredentialStatus::Authenticated(_) => {}
                }
            }
        }
        pause
    }

    pub(super) fn scheme(&self, id: SchemeId) -> Option<&'a Scheme> {
        self.engine.policy.scheme(id)
    }

    pub(super) fn look(&self, id: SchemeId) -> Option<&Look<'a>> {
        self.looks.get(id.0)
    }

    /// The credential that the request has for a scheme.
    pub(super) fn found(&self, id: SchemeId) -> Option<&Found<'a>> {
        let (look, scheme) = (self.look(id)?, self.scheme(id)?);
        Some(look.found.get_or_init(|| find_in(&scheme.locations, self.request)))
    }

    /// Whether that is there, once.
    pub(super) fn is_one(&self, id: SchemeId) -> bool {
        matches!(self.found(id), Some(Found::One(_)))
    }

    /// What the request presents for a scheme. A scheme that does not exist is never proven.
    pub(super) fn status(&self, id: SchemeId) -> &CredentialStatus<'a> {
        match (self.look(id), self.scheme(id)) {
            (Some(look), Some(scheme)) => look.presented.get_or_init(|| self.verify(id, scheme)),
            _ => &CredentialStatus::Missing,
        }
    }

    /// The same, as far as it is known without a question to an issuer or an effect: a refusal is worded by it.
    pub(super) fn seen(&self, id: SchemeId) -> Option<&CredentialStatus<'a>> {
        let is_free = || self.cost(id) == Cost::Computation;
        match self.look(id).and_then(|look| look.presented.get()) {
            Some(presented) => Some(presented),
            None => is_free().then(|| self.status(id)),
        }
    }

    /// What is proven by a scheme.
    pub(super) fn authenticated(&self, id: SchemeId) -> Option<&Authenticated<'a>> {
        match self.status(id) {
            CredentialStatus::Authenticated(credential) => Some(credential),
            _ => None,
        }
    }

    fn verify(&self, id: SchemeId, scheme: &'a Scheme) -> CredentialStatus<'a> {
        let credential = match self.found(id) {
            None | Some(Found::Nothing) => return CredentialStatus::Missing,
            Some(Found::Several) => {
                return CredentialStatus::bad(twice(&scheme.kind), "the credential is there twice");
            }
            Some(Found::One(credential)) => credential,
        };
        match &scheme.kind {
            SchemeKind::Token { verifier, users } => {
                self.verify_token(id, credential, verifier, users.as_ref())
            }
            SchemeKind::Basic(users) => self.verify_basic(id, users),
            SchemeKind::ApiKey(directory) => {
                match directory.verify(credential, |end| self.host.is_before(end)) {
                    Ok(key) => CredentialStatus::Authenticated(Authenticated::Key(key)),
                    Err(error) => CredentialStatus::bad(error.reason(), ""),
                }
            }
        }
    }

    fn verify_token(
        &self,
        id: SchemeId,
        token: &[u8],
        verifier: &Verifier,
        users: Option<&'a TokenUsers>,
    ) -> CredentialStatus<'a> {
        let verified = match self.verified(id, token, verifier) {
            Ok(verified) => verified,
            Err(error) => return CredentialStatus::of(&error, token),
        };
        if let Err(error) = verifier.check_revocation(&verified, self.host, self.can_pause) {
            return CredentialStatus::of(&error, token);
        }
        let mut at_most = None;
        if let Some(TokenUsers { directory, scopes }) = users {
            match verified.subject().and_then(|subject| directory.get(subject)) {
                None => {
                    return CredentialStatus::bad(
                        Reason::UserUnknown,
                        "`sub` names no user of the directory",
                    );
                }
                Some(user) if user.disabled => return CredentialStatus::Inactive,
                Some(user) => {
                    at_most = match scopes {
                        UsersScopes::Cut => user.listed_scopes(),
                        UsersScopes::Token => None,
                    };
                }
            }
        }
        CredentialStatus::Authenticated(Authenticated::Token { token: verified, at_most })
    }

    /// The token, remembered or verified now.
    fn verified(&self, id: SchemeId, token: &[u8], verifier: &Verifier) -> Result<Rc<Verified>, TokenError> {
        let mut cache = self.engine.cache.borrow_mut();
        // Fixed keys have no clock to be asked for.
        let key = verifier
            .generation(|| self.host.coarse_now())
            .map(|generation| CacheKey { scheme: id.0, generation });
        if let Some(key) = key
            && let Some(verified) = cache.get(key, token, |verified| verified.is_valid_now(self.host))
        {
            self.engine.metrics.record(Event::TokenCache { hit: true });
            return Ok(verified);
        }
        if key.is_some() {
            self.engine.metrics.record(Event::TokenCache { hit: false });
        }
        let verified = verifier.verify_again(token, self.digests, self.host, self.can_pause)?;
        if let Some(key) = key {
            cache.put(key, token, &verified);
        }
        Ok(verified)
    }

    /// Why `alternative` does not allow the request; `None` if it does. Within an AND a bad
    /// credential speaks first, then a missing one, then an inactive user: scopes are only told to
    /// a client that is fully authenticated.
    pub(super) fn failure(&self, alternative: &Alternative) -> Option<Failure> {
        let mut missing = None;
        let mut inactive = None;
        let mut scope = None;
        for turn in turns(alternative.terms.len()) {
            for term in alternative.terms.iter().filter(|term| self.is_turn_of_term(term, *turn)) {
                // The issuer is not asked about the token of a client that lacks the rest.
                if missing.is_some() && self.cost(term.scheme) == Cost::Introspection {
                    continue;
                }
                match self.status(term.scheme) {
                    CredentialStatus::Pending { .. } => return Some(Failure::Pending),
                    CredentialStatus::Bad { .. } | CredentialStatus::Unchecked(_) => {
                        return Some(Failure::Bad(term.scheme));
                    }
                    CredentialStatus::Missing => missing = Some(Failure::Missing),
                    CredentialStatus::Inactive => inactive = Some(Failure::Inactive(term.scheme)),
                    CredentialStatus::Authenticated(credential) => {
                        if scope.is_none() && !term.scopes.iter().all(|wanted| credential.grants(wanted)) {
                            scope = Some(Failure::Scope(term.scheme));
                        }
                    }
                }
            }
        }
        missing.or(inactive).or(scope)
    }

    /// The credentials that `requirement` speaks of, each once.
    fn credentials(&self, requirement: &'a Requirement) -> impl Iterator<Item = Credentials<'a>> {
        requirement
            .schemes()
            .filter_map(|id| self.scheme(id))
            .map(|scheme| Credentials { locations: &scheme.locations, forward: scheme.forward })
    }

    fn allow_as(&self, requirement: &'a Requirement, identity: Option<Rc<Identity>>) -> Allow {
        let is_reserved = |name: &[u8]| self.engine.policy.is_reserved(name);
        let mutations =
            header_mutations(self.request, self.credentials(requirement), identity.as_deref(), is_reserved);
        Allow { identity, mutations, shadow_denial: None, attribution: Attribution::default() }
    }

    /// Allows the request as anonymous, without the credentials that were bad or not enough.
    fn allow_without(&self, requirement: &'a Requirement) -> Allow {
        self.allow_as(requirement, None)
    }

    fn allow(&self, requirement: &'a Requirement, number: usize, alternative: &Alternative) -> Allow {
        let make = || self.identity(alternative);
        let identity = match alternative.terms.as_slice() {
            [term] => match self.authenticated(term.scheme) {
                Some(credential) => credential.identity(term.scheme.0, make),
                None => Rc::new(make()),
            },
            _ => Rc::new(make()),
        };
        let mut allow = self.allow_as(requirement, Some(identity));
        allow.attribution.by = DecidedBy::Alternative(number);
        allow.attribution.client = alternative
            .terms
            .iter()
            .filter_map(|term| self.authenticated(term.scheme))
            .find_map(Authenticated::client);
        allow
    }

    fn identity(&self, alternative: &Alternative) -> Identity {
        let names = self.engine.policy.identity_headers();
        let mut credentials: Vec<(&Scheme, &Authenticated<'_>)> = alternative
            .terms
            .iter()
            .filter_map(|term| Some((self.scheme(term.scheme)?, self.authenticated(term.scheme)?)))
            .collect();
        let schemes: Vec<String> = credentials.iter().map(|(scheme, _)| scheme.name.clone()).collect();
        insertion_sort(&mut credentials, |left, right| left.0.precedence() < right.0.precedence());
        // One speaks for all; what another may do is not what its subject may do.
        let speaker =
            credentials.iter().position(|(_, credential)| credential.subject().is_some()).unwrap_or_default();
        let speaker = credentials.get(speaker).map(|(_, credential)| *credential);
        let subject = speaker.and_then(Authenticated::subject).map(str::to_owned);
        let mut seen = HashSet::new();
        let scopes = speaker.into_iter().flat_map(Authenticated::scopes);
        let scopes: Vec<String> = scopes.filter(|scope| seen.insert(scope.as_str())).cloned().collect();
        let mut identity = Identity { subject, scopes, schemes, headers: Vec::new() };
        if let Some(subject) = identity.subject.clone() {
            identity.set(&names.subject, subject.as_bytes());
        }
        if !identity.scopes.is_empty() {
            identity.set(&names.scopes, identity.scopes.join(" ").as_bytes());
        }
        identity.set(&names.scheme, identity.schemes.join(",").as_bytes());
        if let (Some(name), Some(issuer)) = (&names.issuer, speaker.and_then(Authenticated::issuer)) {
            identity.set(name, issuer.as_bytes());
        }
        self.set_claim_headers(&mut identity, &credentials);
        identity
    }

    /// A header that two tokens could set is the first one's, also where that one has no such claim: the other's would
    /// be taken for its own.
    fn set_claim_headers(&self, identity: &mut Identity, credentials: &[(&Scheme, &Authenticated<'_>)]) {
        let mut taken: Vec<&Verifier> = Vec::new();
        for (scheme, credential) in credentials {
            let (Authenticated::Token { token, .. }, SchemeKind::Token { verifier, .. }) =
                (credential, &scheme.kind)
            else {
                continue;
            };
            for (name, value) in token.headers() {
                if !taken.iter().any(|verifier| verifier.may_set(name)) {
                    identity.set(name, value);
                }
            }
            taken.push(verifier);
        }
    }
}
