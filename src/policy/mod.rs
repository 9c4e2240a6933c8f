//! What is enforced: compiled from the configuration, and valid by construction.
//!
//! A [`Policy`] can only be had from [`Policy::compile`], or as [`Policy::closed`], which refuses
//! everything: there is no policy that is half there.

mod compile;
mod host;
mod own_routes;
mod requirement;
mod reserved;
mod resources;
mod rules;
mod scheme;

pub use requirement::{Alternative, Requirement, StepUp, Term};
pub use resources::Resource;
pub use rules::{Asked, HostPattern, Narrowing, PathMatcher, Rule, Rules, Undecided, names};
pub use scheme::{Scheme, SchemeId, SchemeKind, TokenUsers};

use std::rc::Rc;

use crate::config::{CacheLimits, Config, ConfigError, CorsPreflight, ErrorSettings, Errors, Mode};
use crate::credential::{CredentialLocation, SUBPROTOCOLS};
use crate::decision::RuleId;
use crate::fetch::{self, Introspection};
use crate::http_syntax::is_same_header;
use crate::keys::SigningKey;
use crate::login::PasswordSettings;
use crate::odd_path::Oddities;
use crate::token_endpoint::TokenEndpoint;
use own_routes::OwnRoutes;
use reserved::Reserved;

/// Reads a variable of the plugin's environment.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The whole policy.
#[derive(Debug)]
pub struct Policy {
    schemes: Vec<Scheme>,
    rules: Rules,
    default: Option<Requirement>,
    identity_headers: IdentityHeaderNames,
    reserved: Reserved,
    /// What a client sees of a refusal.
    pub errors: ErrorSettings,
    /// What becomes of CORS preflights.
    pub cors_preflight: CorsPreflight,
    /// What is fetched from outside.
    pub sources: Vec<Rc<fetch::RemoteSource>>,
    /// The issuers that are asked about opaque tokens.
    pub introspections: Vec<Introspection>,
    token_endpoints: Vec<TokenEndpoint>,
    own_routes: OwnRoutes,
    resources: Vec<Resource>,
    /// Whether refusals are carried out.
    pub mode: Mode,
    /// Whether Envoy gets the identity, for its access log.
    pub filter_state: bool,
    /// The clients that have API keys, each once.
    pub clients: Vec<String>,
    /// What checking passwords may cost.
    pub passwords: PasswordSettings,
    /// The longest path that is read.
    pub max_path_bytes: usize,
    /// Bounds of the cache of verified tokens.
    pub cache: CacheLimits,
}

/// The names of the headers that carry the identity to the upstream.
#[derive(Debug)]
pub struct IdentityHeaderNames {
    /// The subject.
    pub subject: Rc<str>,
    /// Its scopes.
    pub scopes: Rc<str>,
    /// The schemes that allowed it.
    pub scheme: Rc<str>,
    /// The issuer of the token, if it is sent on.
    pub issuer: Option<Rc<str>>,
    /// The refusal that was not carried out in a dry run, if it is sent on.
    pub dry_run: Option<Rc<str>>,
}

/// A policy, and what its author should know without it being wrong.
#[derive(Debug)]
pub struct Compiled {
    /// The policy.
    pub policy: Policy,
    /// What is odd, each with its JSON path.
    pub warnings: Vec<ConfigError>,
}

impl Policy {
    /// Reads and compiles a plugin configuration. `environment` answers `{env: NAME}`.
    ///
    /// # Errors
    /// Every error of the configuration, each with its JSON path and the remedy.
    pub fn compile(bytes: &[u8], environment: Environment<'_>) -> Result<Compiled, Vec<ConfigError>> {
        let errors = Errors::default();
        let config = Config::read(bytes, &errors);
        Self::of(config, environment, errors)
    }

    /// Compiles a configuration that was read; `errors` are its errors.
    ///
    /// # Errors
    /// The errors of both stages.
    pub fn of(
        config: Config,
        environment: Environment<'_>,
        errors: Errors,
    ) -> Result<Compiled, Vec<ConfigError>> {
        let compiled = compile::compile(config, environment, &errors);
        errors.finish(compiled)
    }

    /// The policy that refuses everything: what holds until there is another.
    #[must_use]
    pub fn closed() -> Self {
        compile::compile(Config::default(), &|_| None, &Errors::default()).policy
    }

    /// What a request needs, by the first rule that matches, or by default. Nothing: refused. What is asked for a path
    /// that is not in normal form is never the default.
    ///
    /// # Errors
    /// Why it is not decided which rule it is.
    pub fn requirement(&self, asked: &Asked<'_>) -> Result<(RuleId, Option<&Requirement>), Undecided> {
        Ok(match self.rules.find_for(asked)? {
            Some((number, rule)) => {
                (RuleId::Rule(number), rule.requirement.as_ref().or(self.default.as_ref()))
            }
            None if self.default.is_some() && asked.oddities == Oddities::NONE => {
                (RuleId::Default, self.default.as_ref())
            }
            None => (RuleId::None, None),
        })
    }

    /// What some rule allows a path to have that is not in normal form.
    #[must_use]
    pub fn allowed_oddities(&self) -> Oddities {
        self.rules.allows()
    }

    /// What a request needs by rule `number`. `None`: refused.
    #[must_use]
    pub fn requirement_of(&self, number: usize) -> Option<&Requirement> {
        let rule = self.rules.all().get(number);
        rule.and_then(|rule| rule.requirement.as_ref().or(self.default.as_ref()))
    }

    /// Whether a refusal by this rule is not carried out. Where some rule is enforced, so is what could
    /// be meant for it.
    #[must_use]
    pub fn is_dry_run(&self, rule: RuleId) -> bool {
        let mode = match rule {
            RuleId::Rule(number) => self.rules.all().get(number).and_then(|rule| rule.mode),
            RuleId::Unknown => {
                self.rules.all().iter().find_map(|rule| rule.mode.filter(|&mode| mode == Mode::Enforce))
            }
            _ => None,
        };
        mode.unwrap_or(self.mode) == Mode::DryRun
    }

    /// The rules, in order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        self.rules.all()
    }

    /// What a request needs that no rule is for; `None`: it is refused.
    #[must_use]
    pub fn default_requirement(&self) -> Option<&Requirement> {
        self.default.as_ref()
    }

    /// What a rule is called in logs and stats.
    #[must_use]
    pub fn rule_name(&self, rule: RuleId) -> &str {
        match rule {
            RuleId::Rule(number) => self.rules.all().get(number).map_or("unknown", |rule| rule.name.as_str()),
            RuleId::Unknown => "unknown",
            RuleId::Default => "default",
            RuleId::None => "none",
            RuleId::CorsPreflight => "cors_preflight",
            RuleId::TokenEndpoint => "token_endpoint",
            RuleId::Documentation => "documentation",
        }
    }

    /// Whether rules name hosts, and `authority` could be read as another one than they read it.
    #[must_use]
    pub fn host_is_ambiguous(&self, authority: &[u8]) -> bool {
        self.rules.name_hosts() && host::is_ambiguous(authority)
    }

    /// The protected resource that a request with this path, in normal form, is for.
    #[must_use]
    pub fn resource_of(&self, path: &str) -> Option<&Resource> {
        resources::resource_of(&self.resources, path)
    }

    /// The protected resource whose metadata is at this path.
    #[must_use]
    pub fn metadata_at(&self, path: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.metadata_path == path)
    }

    /// The token endpoint at a path in normal form, and its number.
    #[must_use]
    pub fn token_endpoint_at(&self, path: &str) -> Option<(usize, &TokenEndpoint)> {
        self.token_endpoints.iter().enumerate().find(|(_, endpoint)| endpoint.path == path)
    }

    /// A token endpoint by its number.
    #[must_use]
    pub fn token_endpoint(&self, number: usize) -> Option<&TokenEndpoint> {
        self.token_endpoints.get(number)
    }

    /// The names of the schemes that have a key that can sign.
    pub fn signing_schemes(&self) -> impl Iterator<Item = &str> {
        self.schemes.iter().filter(|scheme| scheme.signer.is_some()).map(|scheme| scheme.name.as_str())
    }

    /// The first key of scheme `name` that can sign.
    #[must_use]
    pub fn signer(&self, name: &str) -> Option<&SigningKey> {
        self.schemes.iter().find(|scheme| scheme.name == name)?.signer.as_deref()
    }

    /// Whether some scheme takes DPoP proofs.
    #[must_use]
    pub fn takes_proofs(&self) -> bool {
        self.schemes.iter().any(|scheme| scheme.dpop_location.is_some())
    }

    /// A scheme of this policy.
    #[must_use]
    pub fn scheme(&self, id: SchemeId) -> Option<&Scheme> {
        self.schemes.get(id.0)
    }

    /// The schemes, each by its number.
    #[must_use]
    pub fn schemes(&self) -> &[Scheme] {
        &self.schemes
    }

    /// How many schemes there are.
    #[must_use]
    pub fn scheme_count(&self) -> usize {
        self.schemes.len()
    }

    /// The headers that carry the identity to the upstream.
    #[must_use]
    pub fn identity_headers(&self) -> &IdentityHeaderNames {
        &self.identity_headers
    }

    /// Whether only the filter may speak in header `name`.
    #[inline]
    #[must_use]
    pub fn is_reserved(&self, name: &[u8]) -> bool {
        self.reserved.contains(name)
    }

    /// Whether trailer `name` goes no further: a server may take it for a header of that name, which was judged, or made
    /// by the filter. RFC 9110 section 6.5.1 has no credentials in trailers.
    #[must_use]
    pub fn is_barred_from_trailers(&self, name: &[u8]) -> bool {
        let is_location = |location: &CredentialLocation| match location {
            CredentialLocation::Header { name: own, .. } => is_same_header(own.as_bytes(), name),
            CredentialLocation::Subprotocol(_) => is_same_header(SUBPROTOCOLS.as_bytes(), name),
            CredentialLocation::Cookie(_) | CredentialLocation::Query(_) => false,
        };
        self.is_reserved(name)
            || ["authorization", "connection", "cookie", "dpop", "proxy-authorization"]
                .iter()
                .any(|own| is_same_header(own.as_bytes(), name))
            || self.schemes.iter().flat_map(|scheme| &scheme.locations).any(is_location)
    }
}
