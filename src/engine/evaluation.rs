//! One request against one requirement: which identity, and does it satisfy the requirement?

use std::cell::{Cell, OnceCell};

use smallvec::SmallVec;

use super::cost::{Cost, turns};
use super::credential_status::{Authenticated, CredentialStatus, Failure};
use super::logins::Login;
use super::refusal::twice;
use super::{Engine, RequestMemo};
use crate::credential::{CredentialLocation, Found, find_in};
use crate::decision::{Attribution, DecidedBy, Decision, Denial, Pause, RuleId};
use crate::host::Host;
use crate::identity::{ApiKeyDirectory, User};
use crate::login::LoginOutcome;
use crate::policy::{Alternative, Requirement, Resource, Scheme, SchemeId, SchemeKind};
use crate::reason::Reason;
use crate::request::Request;

/// The place of a refusal by this scheme.
#[inline]
fn attribution_of(scheme: SchemeId) -> Attribution {
    Attribution { by: DecidedBy::Scheme(scheme.0), ..Attribution::default() }
}

/// The evaluation. Each scheme is looked at once, however many alternatives
/// name it.
pub struct Evaluation<'a> {
    pub(super) engine: &'a Engine,
    pub(super) request: &'a Request<'a>,
    pub(super) host: &'a dyn Host,
    /// Whether the request can wait.
    pub(super) can_pause: bool,
    /// What was found out about it before.
    pub(super) memo: &'a RequestMemo,
    pub(super) requirement: &'a Requirement,
    /// The protected resource that the request is for.
    pub(super) resource: Option<&'a Resource>,
    /// By the number of the scheme.
    looks: SmallVec<[Look<'a>; 4]>,
    /// Whether a login was tried at the directories of the requirement.
    pub(super) is_tried: Cell<bool>,
}

/// What was seen of a request for one scheme.
#[derive(Default)]
pub(super) struct Look<'a> {
    found: OnceCell<Found<'a>>,
    /// Whether that is a token that came with the scheme DPoP.
    pub(super) is_dpop: Cell<bool>,
    /// Of HTTP Basic.
    pub(super) login: OnceCell<Option<Login>>,
    /// What that was found to be worth.
    pub(super) outcome: OnceCell<LoginOutcome<&'a User>>,
    presented: OnceCell<CredentialStatus<'a>>,
}

impl<'a> Evaluation<'a> {
    /// An evaluation of `request`, which is for `resource`, by `requirement`.
    pub fn new(
        engine: &'a Engine,
        requirement: &'a Requirement,
        request: &'a Request<'a>,
        host: &'a dyn Host,
        can_pause: bool,
        memo: &'a RequestMemo,
        resource: Option<&'a Resource>,
    ) -> Self {
        let (looks, is_tried) = (SmallVec::new(), Cell::new(false));
        Self { engine, request, host, can_pause, memo, requirement, resource, looks, is_tried }
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
            Some(failure @ (Failure::Scope(scheme) | Failure::Claims(scheme) | Failure::StepUp(scheme))) => {
                Err(self.insufficient(requirement, scheme, failure).at(attribution_of(scheme)))
            }
            Some(Failure::Missing | Failure::Pending) | None if requirement.allows_anonymous() => {
                Ok(Decision::Allow(self.allow_without(requirement)))
            }
            Some(Failure::Missing | Failure::Pending) | None => Err(self.missing(requirement)),
        }
    }

    /// All that is awaited before the request can be judged by `requirement`. Schemes whose credential is
    /// looked at with an effect are left out until that is done: they await nothing before.
    fn pause(&self, requirement: &Requirement) -> Pause {
        let mut pause = Pause { fetches: SmallVec::new(), credential: 0, rule: RuleId::Unknown };
        for alternative in requirement.alternatives() {
            let mut lacks = false;
            for term in self.by_cost(alternative) {
                let cost = self.cost(term.scheme);
                let is_begun = || self.memo.login(term.scheme).is_some();
                if (cost == Cost::SideEffect && !is_begun()) || (lacks && cost == Cost::Introspection) {
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

    #[inline]
    pub(super) fn scheme(&self, id: SchemeId) -> Option<&'a Scheme> {
        self.engine.policy.scheme(id)
    }

    #[inline]
    pub(super) fn look(&self, id: SchemeId) -> Option<&Look<'a>> {
        self.looks.get(id.0)
    }

    /// The credential that the request has for a scheme.
    #[inline]
    pub(super) fn found(&self, id: SchemeId) -> Option<&Found<'a>> {
        let (look, scheme) = (self.look(id)?, self.scheme(id)?);
        Some(look.found.get_or_init(|| {
            let found = find_in(&scheme.locations, scheme.reading, self.request);
            match &scheme.dpop_location {
                // A bearer token stands where one of the other kind would.
                Some(location) if found == Found::Nothing || scheme.locations.len() > 1 => {
                    self.find_dpop(scheme, look, found, location)
                }
                Some(_) | None => found,
            }
        }))
    }

    /// The token that came with the scheme DPoP, or else what was `found`.
    #[cold]
    #[inline(never)]
    fn find_dpop(
        &self,
        scheme: &Scheme,
        look: &Look<'a>,
        found: Found<'a>,
        location: &CredentialLocation,
    ) -> Found<'a> {
        match (location.find(self.request, scheme.reading.equal_is_one), found) {
            (Found::Nothing, found) => found,
            (own, Found::Nothing) => {
                look.is_dpop.set(true);
                own
            }
            (Found::One(_) | Found::Several, Found::One(_) | Found::Several) => Found::Several,
        }
    }

    /// Whether the token for a scheme came with the scheme DPoP.
    #[inline]
    pub(super) fn is_dpop(&self, id: SchemeId) -> bool {
        self.found(id).is_some() && self.look(id).is_some_and(|look| look.is_dpop.get())
    }

    /// Whether that is there, once.
    #[inline]
    pub(super) fn is_one(&self, id: SchemeId) -> bool {
        matches!(self.found(id), Some(Found::One(_)))
    }

    /// What the request presents for a scheme. A scheme that does not exist is never proven.
    #[inline]
    pub(super) fn status(&self, id: SchemeId) -> &CredentialStatus<'a> {
        match (self.look(id), self.scheme(id)) {
            (Some(look), Some(scheme)) => look.presented.get_or_init(|| self.verify(id, scheme)),
            _ => &CredentialStatus::Missing,
        }
    }

    /// The same, as far as it is known without a question to an issuer or an effect: a refusal is worded by it.
    #[inline]
    pub(super) fn seen(&self, id: SchemeId) -> Option<&CredentialStatus<'a>> {
        let is_free = || self.cost(id) == Cost::Computation;
        match self.look(id).and_then(|look| look.presented.get()) {
            Some(presented) => Some(presented),
            None => is_free().then(|| self.status(id)),
        }
    }

    /// What is proven by a scheme.
    #[inline]
    pub(super) fn authenticated(&self, id: SchemeId) -> Option<&Authenticated<'a>> {
        match self.status(id) {
            CredentialStatus::Authenticated(credential) => Some(credential),
            _ => None,
        }
    }

    fn verify(&self, id: SchemeId, scheme: &'a Scheme) -> CredentialStatus<'a> {
        if let SchemeKind::MutualTls(allowed) = &scheme.kind {
            return self.verify_certificate(allowed);
        }
        let credential = match self.found(id) {
            None | Some(Found::Nothing) => return CredentialStatus::Missing,
            Some(Found::Several) => {
                return CredentialStatus::bad(twice(&scheme.kind), "the credential is there twice");
            }
            Some(Found::One(credential)) => credential,
        };
        match &scheme.kind {
            SchemeKind::Token { verifier, users, api_keys } => {
                // A key comes without a proof.
                let directory = api_keys.as_ref().filter(|_| !self.is_dpop(id));
                let key = directory.map(|directory| self.verify_api_key(credential, directory));
                match key {
                    // What is no key of the directory is a token.
                    None | Some(CredentialStatus::Bad { reason: Reason::ApiKeyUnknown, .. }) => {
                        self.verify_token(id, credential, verifier, users.as_ref())
                    }
                    Some(status) => status,
                }
            }
            SchemeKind::Basic(users) => self.verify_basic(id, users),
            SchemeKind::ApiKey(directory) => self.verify_api_key(credential, directory),
            // Looked at above: it stands in no request.
            SchemeKind::MutualTls(_) => CredentialStatus::Missing,
        }
    }

    fn verify_api_key(&self, key: &[u8], directory: &'a ApiKeyDirectory) -> CredentialStatus<'a> {
        match directory.verify(key, |end| self.host.is_before(end)) {
            Ok(key) => CredentialStatus::Authenticated(Authenticated::Key(key)),
            Err(error) => CredentialStatus::bad(error.reason(), ""),
        }
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
                        scope = scope.or_else(|| self.insufficiency(term, credential));
                    }
                }
            }
        }
        missing.or(inactive).or(scope)
    }
}
