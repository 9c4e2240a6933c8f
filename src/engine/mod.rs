//! Request in, decision out. Knows no host but the [`Host`] it is given.

mod allowed;
mod cost;
mod credential_status;
mod docs_endpoint;
mod evaluation;
mod judge;
mod logins;
mod memo;
mod refusal;
mod resources;
mod tokens;

use std::cell::RefCell;
use std::rc::Rc;

use crate::config::{Config, ConfigError, Errors};
use crate::decision::{
    Allow, Attribution, Credentials, Decision, Denial, HeaderMutations, Response, RuleId, TokenRequest,
    header_mutations,
};
use crate::fetch::Fetcher;
use crate::host::{Host, StatUpdate, Ticket, WorkDone};
use crate::login::{LoginHistory, PasswordChecker, Settled};
use crate::metrics::Metrics;
use crate::normal_path::NormalPath;
use crate::policy::{Compiled, Environment, Policy};
use crate::reason::Reason;
use crate::request::{HeaderMutation, Request};
use crate::token::TokenCache;
use crate::token_endpoint::{Answer, PendingLogin};
use docs_endpoint::DocsEndpoint;
pub use memo::RequestMemo;

/// A policy at work, with what it remembers. One for each worker.
pub struct Engine {
    policy: Policy,
    docs: Option<DocsEndpoint>,
    cache: RefCell<TokenCache>,
    passwords: PasswordChecker,
    fetcher: Fetcher,
    metrics: Rc<Metrics>,
}

/// What becomes of a request for a token.
pub enum TokenAnswer {
    /// This, at once.
    Now(Decision),
    /// Its password is hashed on another thread first.
    Later(Box<PendingLogin>),
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
        // While the configuration is whole; an erroneous one has nothing to serve.
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
        self.decide_again(request, &RequestMemo::default(), host, can_pause)
    }

    /// The same for a request that may have been decided before; `memo` is what was found out then.
    #[must_use]
    pub fn decide_again(
        &self,
        request: &Request<'_>,
        memo: &RequestMemo,
        host: &dyn Host,
        can_pause: bool,
    ) -> Decision {
        let mut judged = self.judge(request, memo, host, can_pause);
        // Where it is: a decision has a hundred bytes, which would be copied.
        match &mut judged {
            Ok(Decision::AwaitBody(TokenRequest { request_id, .. })) => {
                *request_id = self.request_id(request);
            }
            Ok(Decision::Deny(denial)) => self.address(denial, request),
            Ok(Decision::Allow(_) | Decision::LocalReply(_) | Decision::Pause(_)) | Err(_) => {}
        }
        match judged {
            Ok(decision) => decision,
            Err(denial) => self.refuse(denial, request),
        }
    }

    /// Refuses `request`, as far as the mode has refusals carried out.
    #[must_use]
    pub fn refuse(&self, denial: Denial, request: &Request<'_>) -> Decision {
        if !self.policy.is_dry_run(denial.attribution.rule) {
            return self.deny(denial, request);
        }
        // A dry run refuses no request for what the filter serves itself, also where there was no place to wait.
        let path = NormalPath::of_target(request.target(), self.policy.max_path_bytes).ok();
        match path.and_then(|path| self.served(request, &path)) {
            Some(Ok(answer)) => answer,
            Some(Err(_)) | None => self.allow_in_dry_run(denial, request),
        }
    }

    fn deny(&self, mut denial: Denial, request: &Request<'_>) -> Decision {
        self.address(&mut denial, request);
        Decision::Deny(denial)
    }

    /// Makes a refusal one for the client of this request.
    fn address(&self, denial: &mut Denial, request: &Request<'_>) {
        denial.request_id = self.request_id(request);
        denial.is_grpc = request.is_grpc();
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

    /// The id that the proxy gave the request, if clients get it. The proxy may have taken it
    /// from the client, so that it is held to what an id looks like.
    fn request_id(&self, request: &Request<'_>) -> Option<String> {
        let id = request.first("x-request-id").filter(|_| self.policy.errors.request_id)?;
        let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.:=+/".contains(b);
        let is_id = !id.is_empty() && id.len() <= 128 && id.iter().all(is_plain);
        is_id.then(|| String::from_utf8_lossy(id).into_owned())
    }

    /// What becomes of a request for a token, now that its body is there, on a host without threads.
    #[must_use]
    pub fn answer_token(&self, request: &TokenRequest, body: &[u8], host: &dyn Host) -> Decision {
        match self.begin_token(request, body, host) {
            TokenAnswer::Now(decision) => decision,
            TokenAnswer::Later(_) => Self::token_reply(
                request,
                Err(Denial::host_failure("a password is hashed on another thread")),
            ),
        }
    }

    /// The same on any host: its password may be hashed on another thread first.
    #[must_use]
    pub fn begin_token(&self, request: &TokenRequest, body: &[u8], host: &dyn Host) -> TokenAnswer {
        let answer = match self.policy.token_endpoint(request.endpoint) {
            Some(endpoint) => endpoint.answer(request, body, &self.passwords, host),
            None => Err(Denial::host_failure("a body for a token endpoint that is not there")),
        };
        match answer {
            Ok(Answer::Now(response)) => TokenAnswer::Now(Self::token_reply(request, Ok(response))),
            Ok(Answer::Later(login)) => TokenAnswer::Later(login),
            Err(denial) => TokenAnswer::Now(Self::token_reply(request, Err(denial))),
        }
    }

    /// What becomes of it once its password is hashed on another thread; `None`: it is not yet.
    #[must_use]
    pub fn answer_token_later(
        &self,
        request: &TokenRequest,
        login: &PendingLogin,
        host: &dyn Host,
    ) -> Option<Decision> {
        let Some(endpoint) = self.policy.token_endpoint(request.endpoint) else {
            let denial = Denial::host_failure("a password for a token endpoint that is not there");
            return Some(Self::token_reply(request, Err(denial)));
        };
        let answer = endpoint.answer_later(login, &self.passwords, host)?;
        Some(Self::token_reply(request, answer))
    }

    fn token_reply(request: &TokenRequest, answer: Result<Response, Denial>) -> Decision {
        let attribution = Attribution::rule(RuleId::TokenEndpoint);
        match answer {
            Ok(response) => Decision::LocalReply(Response { attribution, ..response }),
            Err(denial) => {
                Decision::Deny(Denial { request_id: request.request_id.clone(), ..denial.at(attribution) })
            }
        }
    }

    /// A password was hashed on another thread; gives the logins that are known of now.
    pub fn finish_login(&self, ticket: Ticket, done: WorkDone, host: &dyn Host) -> Vec<Settled> {
        self.passwords.finish(ticket, done, host)
    }

    /// What is counted.
    #[must_use]
    pub fn metrics(&self) -> &Rc<Metrics> {
        &self.metrics
    }

    /// Gives `each` what was counted and measured since the last time.
    pub fn measure(&self, each: impl FnMut(usize, StatUpdate)) {
        self.metrics.take(self.fetcher.fetched(), each);
    }

    /// Gives `each` what was counted, for the last time: what this engine remembers is forgotten. When a source was fetched is
    /// not told: another engine may have fetched it since.
    pub fn retire(&self, each: impl FnMut(usize, StatUpdate)) {
        self.metrics.remember(0);
        self.metrics.take(std::iter::empty(), each);
    }

    /// What comes from outside.
    #[must_use]
    pub fn fetcher(&self) -> &Fetcher {
        &self.fetcher
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
#[path = "key_sets_tests.rs"]
mod key_sets_tests;

#[cfg(test)]
#[path = "fetched_keys_tests.rs"]
mod fetched_keys_tests;

#[cfg(test)]
#[path = "logins_tests.rs"]
mod logins_tests;

#[cfg(test)]
#[path = "trials_tests.rs"]
mod trials_tests;
