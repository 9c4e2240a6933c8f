//! Request in, decision out. Knows no host but the [`Host`] it is given.

mod cost;
mod credential_status;
mod docs_endpoint;
mod evaluation;
mod logins;
mod refusal;
mod resources;
mod tokens;

use std::cell::RefCell;
use std::rc::Rc;

use crate::config::{Config, ConfigError, CorsPreflight, Errors};
use crate::decision::{
    Allow, Attribution, Credentials, Decision, Denial, HeaderMutations, Response, RuleId, TokenRequest,
    header_mutations,
};
use crate::fetch::{Fetcher, TokenDigests};
use crate::host::{Host, StatUpdate};
use crate::http_syntax::is_same_header;
use crate::login::{LoginHistory, PasswordChecker};
use crate::metrics::Metrics;
use crate::normal_path::{NormalPath, PathError};
use crate::policy::{Compiled, Environment, Policy, Requirement, Resource};
use crate::reason::Reason;
use crate::request::{HeaderMutation, Request};
use crate::token::TokenCache;
use docs_endpoint::DocsEndpoint;
use evaluation::Evaluation;

/// A policy at work, with what it remembers. One for each worker.
pub struct Engine {
    policy: Policy,
    docs: Option<DocsEndpoint>,
    cache: RefCell<TokenCache>,
    passwords: PasswordChecker,
    fetcher: Fetcher,
    metrics: Rc<Metrics>,
}

/// An engine, and what the author of its configuration should know without it being wrong.
pub struct Configured {
    /// The engine.
    pub engine: Engine,
    /// What is odd, each with its JSON path.
    pub warnings: Vec<ConfigError>,
}

impl Engine {
    /// Reads and compiles a plugin configuration, and puts it to work. `environment` answers `{env: NAME}`.
    ///
    /// # Errors
    /// Every error of the configuration, each with its JSON path and the remedy.
    pub fn compile(bytes: &[u8], environment: Environment<'_>) -> Result<Configured, Vec<ConfigError>> {
        let errors = Errors::default();
        let config = Config::read(bytes, &errors);
        // While the configuration is whole; a erroneous one has nothing to serve.
        let docs = DocsEndpoint::of(&config);
        let Compiled { policy, warnings } = Policy::of(config, environment, errors)?;
        Ok(Configured { engine: Self::new(policy, docs), warnings })
    }

    /// The engine that refuses everything: what works until there is a configuration.
    #[must_use]
    pub fn closed() -> Self {
        Self::new(Policy::closed(), None)
    }

    fn new(policy: Policy, docs: Option<DocsEndpoint>) -> Self {
        let cache = TokenCache::new(policy.cache.entries, policy.cache.max_token_bytes);
        let passwords = PasswordChecker::new(&policy.passwords, LoginHistory::default());
        let fetcher = Fetcher::new(policy.sources.clone(), policy.introspections.clone());
        let metrics = Rc::new(Metrics::new(&policy));
        Self { policy, docs, cache: RefCell::new(cache), passwords, fetcher, metrics }
    }

    /// The same with what other configurations of this worker know of logins.
    #[must_use]
    pub fn with_logins(self, logins: LoginHistory) -> Self {
        let passwords = PasswordChecker::new(&self.policy.passwords, logins);
        Self { passwords, ..self }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What becomes of `request`. It is told to wait ([`Decision::Pause`]) only if it `can_pause`.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>, host: &dyn Host, can_pause: bool) -> Decision {
        self.decide_again(request, &TokenDigests::default(), host, can_pause)
    }

    /// The same for a request that may have been decided before; `digests` are what was computed then.
    #[must_use]
    pub fn decide_again(
        &self,
        request: &Request<'_>,
        digests: &TokenDigests,
        host: &dyn Host,
        can_pause: bool,
    ) -> Decision {
        let mut decision = match self.judge(request, digests, host, can_pause) {
            Ok(decision) => decision,
            Err(denial) => return self.refuse(denial, request),
        };
        // Where it is: a decision has a hundred bytes, which would be copied.
        match &mut decision {
            Decision::AwaitBody(TokenRequest { request_id, .. }) => *request_id = self.request_id(request),
            Decision::Deny(denial) => {
                denial.request_id = self.request_id(request);
                denial.is_grpc = request.is_grpc();
            }
            Decision::Allow(_) | Decision::LocalReply(_) | Decision::Pause(_) => {}
        }
        decision
    }

    /// Refuses `request`, as far as the mode has refusals carried out.
    #[must_use]
    pub fn refuse(&self, denial: Denial, request: &Request<'_>) -> Decision {
        if !self.policy.is_dry_run(denial.attribution.rule) {
            return self.deny(denial, request);
        }
        // A trial keeps nobody from what the gate serves itself, also where there was no place to wait.
        let path = NormalPath::of_target(request.target(), self.policy.max_path_bytes).ok();
        match path.and_then(|path| self.served(request, &path)) {
            Some(Ok(answer)) => answer,
            Some(Err(_)) | None => self.allow_in_dry_run(denial, request),
        }
    }

    fn deny(&self, denial: Denial, request: &Request<'_>) -> Decision {
        Decision::Deny(Denial { request_id: self.request_id(request), is_grpc: request.is_grpc(), ..denial })
    }

    /// Lets a request in all the same. Its credentials stay: the upstream may have been checking them all
    /// along.
    fn allow_in_dry_run(&self, denial: Denial, request: &Request<'_>) -> Decision {
        let mut allow = Allow { attribution: denial.attribution, ..self.allow_anonymous(request) };
        if let Some(name) = &self.policy.identity_headers().dry_run {
            let value = format!("{} {}", denial.status(), denial.reason).into_bytes();
            allow.mutations.list.push(HeaderMutation::Set(Rc::clone(name), value.into()));
        }
        Decision::Allow(Allow { shadow_denial: Some(Box::new(denial)), ..allow })
    }

    /// The id that the proxy gave the request, if clients are to be told it. The proxy may have taken it
    /// from the client, so that it is held to what an id looks like.
    fn request_id(&self, request: &Request<'_>) -> Option<String> {
        let id = request.first("x-request-id").filter(|_| self.policy.errors.request_id)?;
        let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.:=+/".contains(b);
        let is_id = !id.is_empty() && id.len() <= 128 && id.iter().all(is_plain);
        is_id.then(|| String::from_utf8_lossy(id).into_owned())
    }

    /// What becomes of a request for a token, now that its body is there.
    #[must_use]
    pub fn answer_token(&self, request: &TokenRequest, body: &[u8], host: &dyn Host) -> Decision {
        let answer = match self.policy.token_endpoint(request.endpoint) {
            Some(endpoint) => endpoint.answer(request, body, &self.passwords, host),
            None => Err(Denial::host_failure("a body for a token endpoint that is not there")),
        };
        let attribution = Attribution::rule(RuleId::TokenEndpoint);
        match answer {
            Ok(response) => Decision::LocalReply(Response { attribution, ..response }),
            Err(denial) => {
                Decision::Deny(Denial { request_id: request.request_id.clone(), ..denial.at(attribution) })
            }
        }
    }

    /// What is counted.
    #[must_use]
    pub fn metrics(&self) -> &Rc<Metrics> {
        &self.metrics
    }

    /// Gives `each` what was counted and measured since the last time.
    pub fn measure(&self, each: impl FnMut(usize, StatUpdate)) {
        self.metrics.take(self.cache.borrow().len(), self.fetcher.fetched(), each);
    }

    /// The same for the last time: what this engine remembers is forgotten.
    pub fn retire(&self, each: impl FnMut(usize, StatUpdate)) {
        self.metrics.take(0, self.fetcher.fetched(), each);
    }

    /// What comes from outside.
    #[must_use]
    pub fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    fn judge(
        &self,
        request: &Request<'_>,
        digests: &TokenDigests,
        host: &dyn Host,
        can_pause: bool,
    ) -> Result<Decision, Denial> {
        let path =
            NormalPath::of_target(request.target(), self.policy.max_path_bytes).map_err(
                |fault| match fault {
                    PathError::Ambiguous(what) => Denial::ambiguous_path(what),
                    PathError::TooLong => Denial::path_too_long(),
                },
            )?;
        if self.policy.host_is_ambiguous(request.authority()) {
            return Err(Denial::new(Reason::AmbiguousHost));
        }
        if let Some(resource) = self.policy.metadata_at(path.as_str()) {
            return resources::answer(resource, request);
        }
        if self.policy.cors_preflight == CorsPreflight::Pass && self.is_cors_preflight(request) {
            let attribution = Attribution::rule(RuleId::CorsPreflight);
            return Ok(Decision::Allow(Allow { attribution, ..self.allow_anonymous(request) }));
        }
        let own_rule = || self.policy.rule_of_own_route(request.method(), request.authority(), path.as_str());
        if let Some((id, endpoint)) = self.policy.token_endpoint_at(path.as_str()) {
            if let Some(refusal) = own_rule().and_then(|rule| self.login_refusal(rule, request, host)) {
                return Ok(Decision::Deny(refusal));
            }
            // What the filter serves itself is no trial, whatever the mode.
            let deny = |denial: Denial| Decision::Deny(denial.at(Attribution::rule(RuleId::TokenEndpoint)));
            return Ok(endpoint.head(id, request).map_or_else(deny, Decision::AwaitBody));
        }
        let served = self.served(request, &path);
        let (rule, requirement) = match (&served, served.as_ref().and_then(|_| own_rule())) {
            (Some(_), None) => return served.unwrap_or_else(|| Err(Denial::no_rule())),
            (_, Some(rule)) => (RuleId::Rule(rule), self.policy.requirement_of(rule)),
            (None, None) => self.policy.requirement(request.method(), request.authority(), &path),
        };
        // What is served here goes nowhere else, whatever its method is taken for.
        let other = if served.is_none() { self.rule_in_upper_case(request, &path) } else { None };
        let other = other.filter(|other| *other != rule);
        // Asked first: a dry run of the rule that was found allows no request that another one refuses.
        if let Some(other) =
            other.filter(|other| self.policy.is_dry_run(rule) && !self.policy.is_dry_run(*other))
        {
            return Err(Denial::no_rule().at(Attribution::rule(other)));
        }
        let mut judged = if rule == RuleId::Unknown {
            Err(Denial::path_too_long())
        } else {
            let resource = self.policy.resource_of(path.as_str());
            self.judge_by(requirement, resource, request, digests, host, can_pause)
        };
        match &mut judged {
            Ok(Decision::Allow(allow)) => allow.attribution.rule = rule,
            Ok(Decision::Pause(pause)) => pause.rule = rule,
            Err(denial) => denial.attribution.rule = rule,
            Ok(Decision::Deny(_) | Decision::LocalReply(_) | Decision::AwaitBody(_)) => {}
        }
        match (&judged, served) {
            (Ok(Decision::Allow(_)), Some(served)) => return served,
            // A dry run refuses no request for what the filter serves itself.
            (Err(_), Some(served)) if self.policy.is_dry_run(rule) => return served,
            (Ok(Decision::Allow(_)), None) => {
                if let Some(other) = other {
                    judged = Err(Denial::no_rule().at(Attribution::rule(other)));
                }
            }
            // It would be refused in the end.
            (Ok(Decision::Pause(_)), None) => {
                if let Some(other) = other.filter(|other| !self.policy.is_dry_run(*other)) {
                    judged = Err(Denial::no_rule().at(Attribution::rule(other)));
                }
            }
            (
                Err(_)
                | Ok(Decision::Deny(_) | Decision::LocalReply(_) | Decision::AwaitBody(_) | Decision::Pause(_)),
                _,
            ) => {}
        }
        judged
    }

    /// The rule for the method in upper case, where it came in another case. Methods are case-sensitive (RFC 9110
    /// section 9.1), but some servers behind HTTP/2 take `get` for GET: what is for GET must not be had by the rule
    /// for every other method.
    fn rule_in_upper_case(&self, request: &Request<'_>, path: &NormalPath<'_>) -> Option<RuleId> {
        let method = request.method();
        let is_other = method.iter().any(u8::is_ascii_lowercase);
        is_other.then(|| self.policy.requirement(&method.to_ascii_uppercase(), request.authority(), path).0)
    }

    fn judge_by(
        &self,
        requirement: Option<&Requirement>,
        resource: Option<&Resource>,
        request: &Request<'_>,
        digests: &TokenDigests,
        host: &dyn Host,
        can_pause: bool,
    ) -> Result<Decision, Denial> {
        match requirement {
            None => Err(Denial::no_rule()),
            Some(requirement) if requirement.alternatives().is_empty() => {
                Ok(Decision::Allow(self.allow_anonymous(request)))
            }
            Some(requirement) => {
                Evaluation::new(self, requirement, request, host, can_pause, digests, resource).judge()
            }
        }
    }

    /// Why a rule that speaks of a token endpoint keeps a request from it. A login does not wait for anything.
    fn login_refusal(&self, rule: usize, request: &Request<'_>, host: &dyn Host) -> Option<Denial> {
        let attribution = Attribution::rule(RuleId::Rule(rule));
        let digests = TokenDigests::default();
        match self.judge_by(self.policy.requirement_of(rule), None, request, &digests, host, false) {
            Ok(Decision::Allow(_)) => None,
            Ok(Decision::Deny(denial)) | Err(denial) => (!self.policy.is_dry_run(attribution.rule))
                .then_some(Denial {
                    attribution: Attribution { rule: attribution.rule, ..denial.attribution },
                    ..denial
                }),
            Ok(Decision::LocalReply(_) | Decision::AwaitBody(_) | Decision::Pause(_)) => {
                Some(Denial::host_failure("a login waits for nothing").at(attribution))
            }
        }
    }

    /// Browsers send a preflight without any credential; with one, or with a body, it is a request like any other.
    fn is_cors_preflight(&self, request: &Request<'_>) -> bool {
        let is_credential =
            |name: &[u8]| name == b"authorization" || is_same_header(name, b"proxy-authorization");
        request.may_be_cors_preflight()
            && !request.headers().any(|(name, _)| is_credential(name))
            && !self
                .policy
                .schemes()
                .iter()
                .flat_map(|scheme| &scheme.locations)
                .any(|source| source.is_present_in(request))
    }

    /// The filter's own document or page at this path, if there is one.
    fn served(&self, request: &Request<'_>, path: &NormalPath<'_>) -> Option<Result<Decision, Denial>> {
        let answer: Response = self.docs.as_ref()?.answer(path.as_str())?;
        let attribution = Attribution::rule(RuleId::Documentation);
        if matches!(request.method(), b"GET" | b"HEAD") {
            return Some(Ok(Decision::LocalReply(Response { attribution, ..answer })));
        }
        let denial = Denial::new(Reason::MethodNotAllowed).at(attribution);
        Some(Err(denial.with_header("allow", "GET, HEAD")))
    }

    /// What must be taken away of a request that goes on though it was not judged: every credential, of any
    /// scheme, and what the client says of its identity.
    #[must_use]
    pub fn mutations_without_credentials(&self, request: &Request<'_>) -> HeaderMutations {
        let credentials = self.policy.schemes().iter();
        let credentials = credentials.map(|scheme| Credentials { forward: false, ..scheme.credentials() });
        let is_barred = |name: &[u8]| self.policy.is_barred_from_trailers(name);
        header_mutations(request, credentials, None, is_barred)
    }

    fn allow_anonymous(&self, request: &Request<'_>) -> Allow {
        let mutations =
            header_mutations(request, std::iter::empty(), None, |name| self.policy.is_reserved(name));
        Allow { mutations, ..Allow::default() }
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "fetched_keys_tests.rs"]
mod fetched_keys_tests;

#[cfg(test)]
#[path = "logins_tests.rs"]
mod logins_tests;

#[cfg(test)]
#[path = "trials_tests.rs"]
mod trials_tests;
