//! Tokens and certificates of a request: verified, held to their proof, and to what a requirement asks of them.

use std::rc::Rc;

use super::credential_status::{Authenticated, CredentialStatus, Failure};
use super::evaluation::Evaluation;
use crate::config::UsersScopes;
use crate::host::Event;
use crate::identity::AllowedCertificates;
use crate::policy::{SchemeId, StepUp, Term, TokenUsers};
use crate::reason::Reason;
use crate::token::{CacheKey, Possession, Presented, TokenError, Verified, Verifier};

/// How far a time may be ahead, in seconds: clocks differ.
const SKEW: i64 = 60;

impl<'a> Evaluation<'a> {
    pub(super) fn verify_certificate(&self, allowed: &'a AllowedCertificates) -> CredentialStatus<'a> {
        let Some(certificate) = self.host.peer_certificate() else { return CredentialStatus::Missing };
        match allowed.find(&certificate) {
            Some((allowed, id)) => {
                CredentialStatus::Authenticated(Authenticated::Certificate { id, allowed })
            }
            None if certificate.is_validated => CredentialStatus::bad(Reason::CertificateNotAllowed, ""),
            None => CredentialStatus::bad(Reason::CertificateNotAllowed, "the host has not validated it"),
        }
    }

    pub(super) fn verify_token(
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
        let audience = self.resource.and_then(|resource| resource.audiences.get(id.0).copied().flatten());
        if audience.is_some_and(|condition| !verified.meets(condition)) {
            return CredentialStatus::bad(Reason::TokenWrongAudience, "`aud` does not name the resource");
        }
        if let Some(possession) = verifier.possession() {
            let is_dpop = self.look(id).is_some_and(|look| look.is_dpop.get());
            if (is_dpop || possession.is_needed(&verified))
                && let Err(error) = self.prove(possession, &verified, token, is_dpop)
            {
                return CredentialStatus::of(&error, token);
            }
        }
        let mut at_most = None;
        if let Some(TokenUsers { directory, scopes }) = users {
            match verified.user().and_then(|user| directory.get(user)) {
                None => {
                    return CredentialStatus::bad(
                        Reason::UserUnknown,
                        "the subject is no user of the directory",
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
        let verified = verifier.verify_again(token, &self.memo.digests, self.host, self.can_pause)?;
        if let Some(key) = key {
            cache.put(key, token, &verified);
            self.engine.metrics.remember(cache.len());
        }
        Ok(verified)
    }

    #[inline(never)]
    fn prove(
        &self,
        possession: &Possession,
        verified: &Verified,
        token: &[u8],
        is_dpop: bool,
    ) -> Result<(), TokenError> {
        let presented = Presented { token, is_dpop, request: self.request, digests: &self.memo.digests };
        possession.check(verified, &presented, self.host)
    }

    /// What a credential that is good lacks of what `term` asks for: scopes first, for a new login would not bring them.
    #[inline]
    pub(super) fn insufficiency(&self, term: &Term, credential: &Authenticated<'_>) -> Option<Failure> {
        if !term.scopes.iter().all(|wanted| credential.grants(wanted)) {
            return Some(Failure::Scope(term.scheme));
        }
        if term.conditions.is_empty() && term.step_up.is_none() {
            return None;
        }
        self.unmet(term, credential)
    }

    #[inline(never)]
    fn unmet(&self, term: &Term, credential: &Authenticated<'_>) -> Option<Failure> {
        let token = match credential {
            Authenticated::Token { token, .. } => token,
            // No policy asks this of another credential.
            Authenticated::Basic { .. } | Authenticated::Key(_) | Authenticated::Certificate { .. } => {
                return Some(Failure::Claims(term.scheme));
            }
        };
        if !term.conditions.iter().all(|&condition| token.meets(condition)) {
            return Some(Failure::Claims(term.scheme));
        }
        let step_up = term.step_up.as_ref()?;
        (!self.is_stepped_up(step_up, token)).then_some(Failure::StepUp(term.scheme))
    }

    fn is_stepped_up(&self, step_up: &StepUp, token: &Verified) -> bool {
        let is_recent = step_up.max_age.is_none_or(|max_age| {
            let age = token.authenticated().map(|at| self.host.now().saturating_sub(at));
            age.is_some_and(|age| (-SKEW..=i64::from(max_age)).contains(&age))
        });
        is_recent && step_up.condition.is_none_or(|condition| token.meets(condition))
    }
}
