//! What is enforced: compiled from the configuration, and valid by construction.
//!
//! A [`Policy`] can only be had from [`Policy::compile`], or as [`Policy::closed`], which refuses
//! everything: there is no policy that is half there.

mod compile;
mod host;
mod path;
mod requirement;
mod reserved;
mod rules;
mod scheme;

pub use compile::served_path;
pub use path::{AmbiguousPath, NormalPath};
pub use requirement::{Alternative, Requirement, Term};
pub use rules::{HostPattern, PathMatcher, Rule, Rules};
pub use scheme::{Scheme, SchemeId, SchemeKind};

use std::rc::Rc;

use crate::config::{
    CacheLimits, Config, ConfigError, CorsPreflight, ErrorFormat, Errors, Mode, PasswordSettings,
};
use crate::issue::TokenEndpoint;
use crate::keys::SigningKey;
use crate::openapi::Served;
use crate::remote::{Introspection, Source};
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
    /// The form of error bodies.
    pub error_format: ErrorFormat,
    /// What becomes of CORS preflights.
    pub cors_preflight: CorsPreflight,
    /// What is fetched from outside.
    pub sources: Vec<Rc<Source>>,
    /// Whom opaque tokens are asked after.
    pub introspections: Vec<Introspection>,
    token_endpoints: Vec<TokenEndpoint>,
    served: Option<Served>,
    /// Whether refusals are carried out.
    pub mode: Mode,
    /// What checking passwords may cost.
    pub passwords: PasswordSettings,
    /// Bounds of the cache of verified tokens.
    pub cache: CacheLimits,
}

/// The names of the headers that tell the upstream who calls.
#[derive(Debug)]
pub struct IdentityHeaderNames {
    /// The subject.
    pub subject: Rc<str>,
    /// Its scopes.
    pub scopes: Rc<str>,
    /// The schemes that let it in.
    pub scheme: Rc<str>,
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
    /// Every fault of the configuration, each with its JSON path and the remedy.
    pub fn compile(bytes: &[u8], environment: Environment<'_>) -> Result<Compiled, Vec<ConfigError>> {
        let errors = Errors::default();
        let config = Config::read(bytes, &errors);
        let compiled = compile::compile(config, environment, &errors);
        errors.finish(compiled)
    }

    /// The policy that refuses everything: what holds until there is another.
    #[must_use]
    pub fn closed() -> Self {
        compile::compile(Config::default(), &|_| None, &Errors::default()).policy
    }

    /// What a request needs, by the first rule that matches, or by default. Nothing: refused.
    #[must_use]
    pub fn requirement(&self, method: &[u8], host: &[u8], path: &NormalPath<'_>) -> Option<&Requirement> {
        let rule = self.rules.find(method, host, path.as_str());
        rule.and_then(|rule| rule.requirement.as_ref()).or(self.default.as_ref())
    }

    /// Whether the rule for a request names exactly this path, and not many.
    #[must_use]
    pub fn names_path(&self, method: &[u8], host: &[u8], path: &NormalPath<'_>) -> bool {
        self.rules.find(method, host, path.as_str()).is_some_and(|rule| rule.path.is_one())
    }

    /// Whether rules name hosts, and `authority` could be read as another one than they read it.
    #[must_use]
    pub fn host_is_ambiguous(&self, authority: &[u8]) -> bool {
        self.rules.name_hosts() && host::is_ambiguous(authority)
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

    /// The documentation that the gate serves.
    #[must_use]
    pub fn served(&self) -> Option<&Served> {
        self.served.as_ref()
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

    /// A scheme of this policy.
    #[must_use]
    pub fn scheme(&self, id: SchemeId) -> Option<&Scheme> {
        self.schemes.get(id.0)
    }

    /// How many schemes there are.
    #[must_use]
    pub fn scheme_count(&self) -> usize {
        self.schemes.len()
    }

    /// The headers that tell the upstream who calls.
    #[must_use]
    pub fn identity_headers(&self) -> &IdentityHeaderNames {
        &self.identity_headers
    }

    /// Whether only the gate may speak in header `name`.
    #[must_use]
    pub fn is_reserved(&self, name: &[u8]) -> bool {
        self.reserved.contains(name)
    }
}
