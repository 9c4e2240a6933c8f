//! The answer to a request that is refused: its text and its challenges.

use super::credential_status::{Authenticated, CredentialStatus, Failure};
use super::evaluation::Evaluation;
use crate::decision::{Challenge, Denial};
use crate::policy::{Requirement, Scheme, SchemeId, SchemeKind, StepUp, Term};
use crate::reason::{OAuthError, Reason};
use crate::token::dpop_nonce;

/// The reason to refuse a credential that is there twice.
pub(super) fn twice(kind: &SchemeKind) -> Reason {
    match kind {
        SchemeKind::Token { .. } => Reason::TokenTwice,
        SchemeKind::Basic(_) => Reason::PasswordTwice,
        SchemeKind::ApiKey(_) | SchemeKind::MutualTls(_) => Reason::ApiKeyTwice,
    }
}

/// The parameter of a challenge that says what is wrong, where OAuth 2.0 has a code for it.
fn error_parameter(reason: Reason) -> Option<String> {
    match reason.oauth_error() {
        Some(OAuthError::Challenge(error)) => Some(format!("error=\"{error}\"")),
        Some(OAuthError::Body(_)) | None => None,
    }
}

/// Whether a reason is about a DPoP proof.
fn is_of_proof(reason: Reason) -> bool {
    match reason.oauth_error() {
        Some(OAuthError::Challenge(error)) => matches!(error, "invalid_dpop_proof" | "use_dpop_nonce"),
        Some(OAuthError::Body(_)) | None => false,
    }
}

impl Evaluation<'_> {
    /// A challenge for each scheme that could still allow the request.
    fn challenges(&self, requirement: &Requirement) -> Vec<Challenge> {
        let challenge = |term: &Term| {
            let scheme = self.scheme(term.scheme)?;
            match self.seen(term.scheme) {
                Some(CredentialStatus::Authenticated(_)) => None,
                Some(CredentialStatus::Bad { reason, .. }) => {
                    self.challenge(scheme, term.scheme, error_parameter(*reason), is_of_proof(*reason))
                }
                Some(CredentialStatus::Missing) => {
                    // RFC 6750 section 3: what the token will need, so that the client asks for it at once.
                    let asks = scheme.kind.is_token() && !term.scopes.is_empty();
                    let scopes = asks.then(|| scope_parameter(term));
                    self.challenge(scheme, term.scheme, scopes, false)
                }
                Some(
                    CredentialStatus::Unchecked(_)
                    | CredentialStatus::Pending { .. }
                    | CredentialStatus::Inactive,
                )
                | None => self.challenge(scheme, term.scheme, None, false),
            }
        };
        requirement.terms().filter_map(challenge).collect()
    }

    /// The challenge of a scheme; that of DPoP if its token came so, or if it is about a proof.
    fn challenge(
        &self,
        scheme: &Scheme,
        id: SchemeId,
        parameters: Option<String>,
        is_of_proof: bool,
    ) -> Option<Challenge> {
        let parameters = match (scheme.kind.is_token(), self.resource) {
            (true, Some(resource)) => {
                let metadata = format!("resource_metadata=\"{}\"", resource.metadata_url);
                Some(parameters.into_iter().chain([metadata]).collect::<Vec<_>>().join(", "))
            }
            (true, None) | (false, _) => parameters,
        };
        if is_of_proof || self.is_dpop(id) {
            scheme.dpop_challenge(parameters)
        } else {
            scheme.challenge(parameters)
        }
    }

    pub(super) fn missing(&self, requirement: &Requirement) -> Denial {
        let asks_for_401 = requirement.terms().any(|term| {
            matches!(self.seen(term.scheme), Some(CredentialStatus::Missing))
                && self.scheme(term.scheme).is_some_and(|scheme| scheme.missing_status == 401)
        });
        let reason =
            if asks_for_401 { Reason::CredentialMissing } else { Reason::CredentialMissingForbidden };
        Denial::new(reason).with_challenges(self.challenges(requirement))
    }

    pub(super) fn bad(&self, requirement: &Requirement, id: SchemeId) -> Denial {
        let (reason, explanation) = match self.status(id) {
            CredentialStatus::Bad { reason, explanation } => (*reason, explanation.clone()),
            CredentialStatus::Unchecked(denial) => return (**denial).clone(),
            CredentialStatus::Missing
            | CredentialStatus::Pending { .. }
            | CredentialStatus::Inactive
            | CredentialStatus::Authenticated(_) => {
                (Reason::Other, "a credential that is not bad".to_owned())
            }
        };
        // An API key is not asked for by a challenge: another key is needed, not another way to send it.
        let is_challenged = reason.status() == 401;
        let challenges = if is_challenged { self.challenges(requirement) } else { Vec::new() };
        let denial = Denial { explanation, ..Denial::new(reason).with_challenges(challenges) };
        if reason != Reason::DpopNonceWanted {
            return denial;
        }
        match dpop_nonce(self.host) {
            Ok(nonce) => denial.with_header("dpop-nonce", &nonce),
            Err(_) => Denial::host_failure("a nonce cannot be made"),
        }
    }

    /// The refusal of a credential that is good, and lacks something by `failure`.
    pub(super) fn insufficient(&self, requirement: &Requirement, id: SchemeId, failure: Failure) -> Denial {
        // The alternative that came nearest is the first one that fails so by this scheme.
        let lacking = requirement.alternatives().iter().find_map(|alternative| {
            let fails = self.failure(alternative) == Some(failure);
            alternative.terms.iter().find(|term| fails && term.scheme == id)
        });
        let (reason, more) = match failure {
            Failure::Claims(_) => (Reason::ClaimsInsufficient, Vec::new()),
            Failure::StepUp(_) => {
                let step_up = lacking.and_then(|term| term.step_up.as_deref());
                (Reason::AuthenticationInsufficient, step_up.map(step_up_parameters).unwrap_or_default())
            }
            Failure::Scope(_)
            | Failure::Missing
            | Failure::Bad(_)
            | Failure::Inactive(_)
            | Failure::Pending => (Reason::ScopeLacking, lacking.map(scope_parameter).into_iter().collect()),
        };
        let parameters: Vec<String> = error_parameter(reason).into_iter().chain(more).collect();
        let parameters = Some(parameters.join(", "));
        let challenge = self.scheme(id).and_then(|scheme| self.challenge(scheme, id, parameters, false));
        let denial = Denial::new(reason).with_challenges(challenge.into_iter().collect());
        let subject = self.authenticated(id).and_then(Authenticated::subject).map(str::to_owned);
        Denial { subject, ..denial }
    }
}

/// The scopes that a term asks for (RFC 6750 section 3).
fn scope_parameter(term: &Term) -> String {
    format!("scope=\"{}\"", term.scopes.join(" "))
}

/// RFC 9470 section 3.
fn step_up_parameters(step_up: &StepUp) -> Vec<String> {
    let acr = (!step_up.acr.is_empty()).then(|| format!("acr_values=\"{}\"", step_up.acr.join(" ")));
    let max_age = step_up.max_age.map(|seconds| format!("max_age=\"{seconds}\""));
    acr.into_iter().chain(max_age).collect()
}
