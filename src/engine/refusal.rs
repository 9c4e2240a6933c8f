//! What is answered to a request that is not let in: in which words, and with which challenges.

use super::credential_status::{Authenticated, CredentialStatus, Failure};
use super::evaluation::Evaluation;
use crate::decision::{Challenge, Denial};
use crate::policy::{Requirement, Scheme, SchemeId, SchemeKind};

impl Evaluation<'_> {
    /// A challenge for each scheme that could still let the request in.
    fn challenges(&self, requirement: &Requirement) -> Vec<Challenge> {
        let challenge = |scheme: &Scheme, presented: &CredentialStatus<'_>| match (presented, &scheme.kind) {
            (CredentialStatus::Authenticated(_), _) => None,
            (CredentialStatus::Bad { .. }, SchemeKind::Token { .. }) => {
                Some(scheme.challenge(Some("error=\"invalid_token\"".into())))
            }
            _ => Some(scheme.challenge(None)),
        };
        requirement
            .terms()
            .filter_map(|term| challenge(self.scheme(term.scheme)?, self.status(term.scheme)))
            .collect()
    }

    pub(super) fn missing(&self, requirement: &Requirement) -> Denial {
        let asks_for_401 = requirement.terms().any(|term| {
            matches!(self.status(term.scheme), CredentialStatus::Missing)
                && self.scheme(term.scheme).is_some_and(|scheme| scheme.missing_status == 401)
        });
        let status = if asks_for_401 { 401 } else { 403 };
        Denial::new(status, "Not authenticated", "credential_missing")
            .with_challenges(self.challenges(requirement))
    }

    pub(super) fn bad(&self, requirement: &Requirement, id: SchemeId) -> Denial {
        let (reason, explanation) = match self.status(id) {
            CredentialStatus::Bad { reason, explanation } => (*reason, explanation.clone()),
            CredentialStatus::Unchecked(denial) => return (**denial).clone(),
            _ => ("credential_bad", String::new()),
        };
        let unauthorized =
            |detail| Denial::new(401, detail, reason).with_challenges(self.challenges(requirement));
        let denial = match self.scheme(id).map(|scheme| &scheme.kind) {
            Some(SchemeKind::ApiKey(_)) => Denial::new(403, "Invalid API key", reason),
            Some(SchemeKind::Basic(_)) => unauthorized("Incorrect username or password"),
            _ => unauthorized("Could not validate credentials"),
        };
        Denial { explanation, ..denial }
    }

    pub(super) fn scope_lacking(&self, requirement: &Requirement, id: SchemeId) -> Denial {
        // The alternative that came nearest is the first one that fails by this scheme's scopes.
        let lacking = requirement.alternatives().iter().find_map(|alternative| {
            let fails = self.failure(alternative) == Some(Failure::Scope(id));
            alternative.terms.iter().find(|term| fails && term.scheme == id)
        });
        let scopes = lacking.map(|term| term.scopes.join(" ")).unwrap_or_default();
        let error = format!("error=\"insufficient_scope\", scope=\"{scopes}\"");
        let challenge = self.scheme(id).map(|scheme| scheme.challenge(Some(error)));
        let denial = Denial::new(403, "Not enough permissions", "scope_lacking")
            .with_challenges(challenge.into_iter().collect());
        let subject = self.authenticated(id).and_then(Authenticated::subject).map(str::to_owned);
        Denial { subject, ..denial }
    }
}
