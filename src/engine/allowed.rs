//! What goes on of a request that is let in: without its credentials, and with what the upstream is told.

use std::collections::HashSet;
use std::rc::Rc;

use super::credential_status::Authenticated;
use super::evaluation::Evaluation;
use crate::decision::{Allow, Attribution, Credentials, DecidedBy, header_mutations};
use crate::identity::Identity;
use crate::policy::{Alternative, Requirement, Scheme, SchemeKind};
use crate::sort::insertion_sort;
use crate::token::Verifier;

impl<'a> Evaluation<'a> {
    /// The credentials that `requirement` speaks of, each once.
    fn credentials(&self, requirement: &'a Requirement) -> impl Iterator<Item = Credentials<'a>> {
        requirement.schemes().filter_map(|id| self.scheme(id)).map(Scheme::credentials)
    }

    fn allow_as(&self, requirement: &'a Requirement, identity: Option<Rc<Identity>>) -> Allow {
        let is_reserved = |name: &[u8]| self.engine.policy.is_reserved(name);
        let mutations =
            header_mutations(self.request, self.credentials(requirement), identity.as_deref(), is_reserved);
        Allow { identity, mutations, shadow_denial: None, attribution: Attribution::default() }
    }

    /// Allows the request as anonymous, without the credentials that were bad or not enough.
    pub(super) fn allow_without(&self, requirement: &'a Requirement) -> Allow {
        self.allow_as(requirement, None)
    }

    pub(super) fn allow(
        &self,
        requirement: &'a Requirement,
        number: usize,
        alternative: &Alternative,
    ) -> Allow {
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
        let precedence = |(scheme, credential): &(&Scheme, &Authenticated<'_>)| credential.precedence(scheme);
        insertion_sort(&mut credentials, |left, right| precedence(left) < precedence(right));
        // One speaks for all; what another may do is not what its subject may do.
        let speaker =
            credentials.iter().position(|(_, credential)| credential.subject().is_some()).unwrap_or_default();
        let speaker = credentials.get(speaker).map(|(_, credential)| *credential);
        let subject = speaker.and_then(Authenticated::subject).map(str::to_owned);
        let mut seen = HashSet::new();
        let scopes = speaker.into_iter().flat_map(Authenticated::scopes);
        let scopes: Vec<String> = scopes.filter(|scope| seen.insert(scope.as_str())).cloned().collect();
        let mut identity = Identity { subject, scopes, schemes, ..Identity::default() };
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
            // As with headers: the first token that is to tell a name tells it.
            for (name, value) in token.metadata() {
                if !taken.iter().any(|verifier| verifier.may_tell(name)) {
                    identity.metadata.push((Rc::clone(name), value.clone()));
                }
            }
            taken.push(verifier);
        }
    }
}
