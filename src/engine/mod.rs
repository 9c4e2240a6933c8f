//! Request in, decision out. Knows no host but the [`Host`] it is given.

mod evaluation;
mod presented;

use std::cell::RefCell;

use crate::config::{CorsPreflight, Mode};
use crate::decision::{Allow, Decision, Denial, Response, changes};
use crate::host::Host;
use crate::issue::TokenRequest;
use crate::password::PasswordChecker;
use crate::policy::{NormalPath, Policy};
use crate::remote::Remotes;
use crate::request::Request;
use crate::token::TokenCache;
use evaluation::Evaluation;

/// A policy at work, with what it remembers. One for each worker.
pub struct Engine {
    policy: Policy,
    cache: RefCell<TokenCache>,
    passwords: PasswordChecker,
    remotes: Remotes,
}

impl Engine {
    /// Puts `policy` to work.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let cache = TokenCache::new(policy.cache.entries, policy.cache.max_token_bytes);
        let passwords = PasswordChecker::new(&policy.passwords);
        let remotes = Remotes::new(policy.sources.clone(), policy.introspections.clone());
        Self { policy, cache: RefCell::new(cache), passwords, remotes }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What becomes of `request`. It may have to wait ([`Decision::Await`]) if it is `patient`.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>, host: &dyn Host, patient: bool) -> Decision {
        match (self.judge(request, host, patient), self.policy.mode) {
            (Ok(decision), _) => decision,
            (Err(denial), Mode::Enforce) => Decision::Deny(denial),
            // Its credentials stay: the upstream may have been checking them all along.
            (Err(denial), Mode::DryRun) => {
                Decision::Allow(Allow { spared: Some(Box::new(denial)), ..self.allow_anonymous(request) })
            }
        }
    }

    /// What becomes of a request for a token, now that its body is there.
    #[must_use]
    pub fn answer_token(&self, request: &TokenRequest, body: &[u8], host: &dyn Host) -> Decision {
        let answer = match self.policy.token_endpoint(request.endpoint) {
            Some(endpoint) => endpoint.answer(request, body, &self.passwords, host),
            None => Err(Denial::host_failure("a body for a token endpoint that is not there")),
        };
        answer.map_or_else(Decision::Deny, Decision::Answer)
    }

    /// What comes from outside.
    #[must_use]
    pub fn remotes(&self) -> &Remotes {
        &self.remotes
    }

    fn judge(&self, request: &Request<'_>, host: &dyn Host, patient: bool) -> Result<Decision, Denial> {
        let path =
            NormalPath::new(request.raw_path()).map_err(|ambiguity| Denial::ambiguous_path(ambiguity.0))?;
        if self.policy.host_is_ambiguous(request.authority()) {
            return Err(Denial::new(400, "Ambiguous host", "ambiguous_host"));
        }
        if self.policy.cors_preflight == CorsPreflight::Pass && request.is_cors_preflight() {
            return Ok(Decision::Allow(self.allow_anonymous(request)));
        }
        if let Some((id, endpoint)) = self.policy.token_endpoint_at(path.as_str()) {
            // What the gate serves itself is no trial, whatever the mode.
            return Ok(endpoint.head(id, request).map_or_else(Decision::Deny, Decision::Token));
        }
        let served = self.served(request, &path);
        if served.is_some() && !self.policy.names_path(request.method(), request.authority(), &path) {
            return served.unwrap_or_else(|| Err(Denial::no_rule()));
        }
        let requirement = self
            .policy
            .requirement(request.method(), request.authority(), &path)
            .ok_or_else(Denial::no_rule)?;
        let decision = if requirement.alternatives().is_empty() {
            Decision::Allow(self.allow_anonymous(request))
        } else {
            Evaluation::new(self, request, host, patient).of(requirement)?
        };
        match (decision, served) {
            (Decision::Allow(_), Some(served)) => served,
            (decision, _) => Ok(decision),
        }
    }

    /// The gate's own document or page at this path, if there is one.
    fn served(&self, request: &Request<'_>, path: &NormalPath<'_>) -> Option<Result<Decision, Denial>> {
        let answer: Response = self.policy.served()?.answer(path.as_str())?;
        if matches!(request.method(), b"GET" | b"HEAD") {
            return Some(Ok(Decision::Answer(answer)));
        }
        let denial = Denial::new(405, "Method Not Allowed", "method_not_allowed");
        Some(Err(denial.with_header("allow", "GET, HEAD")))
    }

    fn allow_anonymous(&self, request: &Request<'_>) -> Allow {
        let changes = changes(request, [].iter(), None, |name| self.policy.is_reserved(name));
        Allow { changes, ..Allow::default() }
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
