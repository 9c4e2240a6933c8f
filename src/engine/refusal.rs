//! The answer to a request that is refused: its text and its challenges.

use super::credential_status::{Authenticated, CredentialStatus, Failure};
use super::evaluation::Evaluation;
use crate::decision::{Challenge, Denial};
use crate::policy::{Requirement, Scheme, SchemeId, SchemeKind};
use crate::reason::{OAuthError, Reason};

/// The reason to refuse a credential that is there twice.
pub(super) fn twice(kind: &SchemeKind) -> Reason {
    match kind {
        SchemeKind::Token { .. } => Reason::TokenTwice,
        SchemeKind::Basic(_) => Reason::PasswordTwice,
        SchemeKind::ApiKey(_) => Reason::ApiKeyTwice,
    }
}

/// The parameter of a challenge that says what is wrong, where OAuth 2.0 has a code for it.
fn error_parameter(reason: Reason) -> Option<String> {
    match reason.oauth_error() {
        Some(OAuthError::Challenge(error)) => Some(format!("error=\"{error}\"")),
        Some(OAuthError::Body(_)) | None => None,
    }
}

impl Evaluation<'_> {
    /// A challenge for each scheme that could still allow the request.
    fn challenges(&self, requirement: &Requirement) -> Vec<Challenge> {
        let challenge = |scheme: &Scheme, presented: Option<&CredentialStatus<'_>>| match presented {
            Some(CredentialStatus::Authenticated(_)) => None,
            Some(CredentialStatus::Bad { reason, .. }) => scheme.challenge(error_parameter(*reason)),
            Some(
                CredentialStatus::Missing
                | CredentialStatus::Unchecked(_)
                | CredentialStatus::Pending { .. }
                | CredentialStatus::Inactive,
            )
            | None => scheme.challenge(None),
        };
        requirement
            .terms()
            .filter_map(|term| challenge(self.scheme(term.scheme)?, self.seen(term.scheme)))
            .collect()
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
        Denial { explanation, ..Denial::new(reason).with_challenges(challenges) }
    }

    pub(super) fn scope_lacking(&self, requirement: &Requirement, id: SchemeId) -> Denial {
        // The alternative that came nearest is the first one that fails by this scheme's scopes.
        let lacking = requirement.alternatives().iter().find_map(|alternative| {
            let fails = self.failure(alternative) == Some(Failure::Scope(id));
            alternative.terms.iter().find(|term| fails && term.scheme == id)
        });
        let scopes = lacking.map(|term| term.scopes.join(" ")).unwrap_or_default();
        let reason = Reason::ScopeLacking;
        let parameters = error_parameter(reason).map(|error| format!("{error}, scope=\"{scopes}\""));
        let challenge = self.scheme(id).and_then(|scheme| scheme.challenge(parameters));
        let denial = Denial::new(reason).with_challenges(challenge.into_iter().collect());
        let subject = self.authenticated(id).and_then(Authenticated::subject).map(str::to_owned);
        Denial { subject, ..denial }
    }
}
