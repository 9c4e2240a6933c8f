//! One request against one requirement: who is it, and is that enough?

use std::cell::OnceCell;
use std::rc::Rc;

use smallvec::SmallVec;

use super::cost::Cost;
use super::credential_status::{Authenticated, CredentialStatus, Failure};
use super::refusal::twice;
use super::{Engine, RequestMemo};
use crate::config::UsersScopes;
use crate::credential::{Found, basic, find_in};
use crate::decision::{Attribution, DecidedBy, Decision, Denial, Pause, RuleId};
use crate::host::{Event, Host, HostError};
use crate::identity::UserDirectory;
use crate::login::{LoginOutcome, PasswordChecker};
use crate::policy::{Alternative, Requirement, Scheme, SchemeId, SchemeKind, TokenUsers};
use crate::reason::Reason;
use crate::request::Request;
use crate::token::{CacheKey, TokenError, Verified, Verifier};

/// The place of a refusal by this scheme.
fn attribution_of(scheme: SchemeId) -> Attribution {
    Attribution { by: DecidedBy::Scheme(scheme.0), ..Attribution::default() }
}

/// The evaluation. Each scheme is looked at once, however many alternatives
/// name it.
pub struct Evaluation<'a> {
    pub(super) engine: &'a Engine,
    pub(super) request: &'a Request<'a>,
    host: &'a dyn Host,
    /// Whether the request can wait.
    can_pause: bool,
    /// What was found out about it before.
    memo: &'a RequestMemo,
    /// DecidedBy the number of the scheme.
    statuses: SmallVec<[OnceCell<CredentialStatus<'a>>; 4]>,
}

impl<'a> Evaluation<'a> {
    /// An evaluation of `request`.
    pub fn new(
        engine: &'a Engine,
        request: &'a Request<'a>,
        host: &'a dyn Host,
        can_pause: bool,
        memo: &'a RequestMemo,
    ) -> Self {
        let mut statuses = SmallVec::new();
        statuses.resize_with(engine.policy.scheme_count(), OnceCell::new);
        Self { engine, request, host, can_pause, memo, statuses }
    }

    /// Judges the request by `requirement`.
    ///
    /// # Errors
    /// The refusal of the alternative that came nearest.
    pub fn evaluate(&self, requirement: &'a Requirement) -> Result<Decision, Denial> {
        let mut nearest: Option<(usize, Failure)> = None;
        for (number, alternative) in self.alternatives_by_cost(requirement) {
            // What has an effect beyond the answer (a password is hashed, a failure counted) is done once,
            // when nothing is awaited any more.
            if self.has_effect(alternative) {
                let pause = self.pause(requirement);
                if !pause.fetches.is_empty() {
                    return Ok(Decision::Pause(pause));
                }
            }
            match self.failure(alternative) {
                None => return Ok(Decision::Allow(self.allow(requirement, number, alternative))),
                Some(failure) => {
                    // Among equals the one listed first.
                    let rank =
                        |number: usize, failure: Failure| (failure.precedence(), std::cmp::Reverse(number));
                    if nearest.is_none_or(|(other, nearest)| rank(number, failure) > rank(other, nearest)) {
                        nearest = Some((number, failure));
                    }
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

    pub(super) fn scheme(&self, id: SchemeId) -> Option<&'a Scheme> {
        self.engine.policy.scheme(id)
    }

    /// What the request presents for a scheme. A scheme that does not exist is never proven.
    pub(super) fn status(&self, id: SchemeId) -> &CredentialStatus<'a> {
        match (self.statuses.get(id.0), self.scheme(id)) {
            (Some(cell), Some(scheme)) => cell.get_or_init(|| self.verify(id, scheme)),
            _ => &CredentialStatus::Missing,
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
        let credential = match find_in(&scheme.locations, self.request) {
            Found::Nothing => return CredentialStatus::Missing,
            Found::Several => {
                return CredentialStatus::bad(twice(&scheme.kind), "the credential is there twice");
            }
            Found::One(credential) => credential,
        };
        match &scheme.kind {
            SchemeKind::Token { verifier, users } => {
                self.verify_token(id, &credential, verifier, users.as_ref())
            }
            SchemeKind::Basic(users) => self.verify_basic(id, &credential, users),
            SchemeKind::ApiKey(directory) => {
                match directory.verify(&credential, |end| self.host.is_before(end)) {
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
            self.engine.metrics.remember(cache.len());
        }
        let verified =
            Rc::new(verifier.verify_again(token, &self.memo.digests, self.host, self.can_pause)?);
        if let Some(key) = key {
            cache.put(key, token, &verified);
            self.engine.metrics.remember(cache.len());
        }
        Ok(verified)
    }

    fn verify_basic(
        &self,
        id: SchemeId,
        credential: &[u8],
        users: &'a Rc<UserDirectory>,
    ) -> CredentialStatus<'a> {
        let Some((username, password)) = basic::decode(credential) else {
            return CredentialStatus::bad(
                Reason::BasicMalformed,
                "not base64 of user-id:password (RFC 7617)",
            );
        };
        let passwords = &self.engine.passwords;
        let outcome = match self.memo.login(id) {
            Some(login) => match login.verdict() {
                Some(verdict) => PasswordChecker::outcome(verdict, users, &username),
                None if self.can_pause => return CredentialStatus::pending(&login, credential),
                None => LoginOutcome::Busy(1),
            },
            // A request that waits is what it takes for its password to be hashed elsewhere.
            None if self.can_pause && self.host.has_threads() => {
                match passwords.begin_check(users, &username, &password, self.host) {
                    Ok(login) => {
                        self.memo.add_login(id, login.clone());
                        return CredentialStatus::pending(&login, credential);
                    }
                    Err(outcome) => outcome,
                }
            }
            None => passwords.check(users, &username, &password, self.host),
        };
        match outcome {
            LoginOutcome::Right(user) if user.disabled => CredentialStatus::Inactive,
            LoginOutcome::Right(user) => {
                CredentialStatus::Authenticated(Authenticated::Basic { username, user })
            }
            LoginOutcome::Wrong => CredentialStatus::bad(Reason::PasswordWrong, ""),
            LoginOutcome::Throttled(seconds) => CredentialStatus::unchecked(Denial::throttled(seconds)),
            LoginOutcome::Busy(seconds) => CredentialStatus::unchecked(Denial::busy(seconds)),
            LoginOutcome::Failed(HostError(what)) => CredentialStatus::unchecked(Denial::host_failure(what)),
        }
    }

    /// Why `alternative` does not let the request in; nothing if it does. Within an AND a bad
    /// credential speaks first, then a missing one, then an inactive user: scopes are only told to
    /// who is fully known.
    pub(super) fn failure(&self, alternative: &Alternative) -> Option<Failure> {
        let mut missing = None;
        let mut inactive = None;
        let mut scope = None;
        for term in self.by_cost(alternative) {
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
                    let granted = |wanted: &String| credential.scopes().any(|scope| scope == wanted);
                    if scope.is_none() && !term.scopes.iter().all(granted) {
                        scope = Some(Failure::Scope(term.scheme));
                    }
                }
            }
        }
        missing.or(inactive).or(scope)
    }
}
