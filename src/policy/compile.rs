//! From configuration to policy: references resolved, keys imported, patterns compiled. What is
//! wrong goes to the errors with its path, and compiling goes on to find the rest.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::requirement::{Alternative, Requirement, Term};
use super::rules::{HostPattern, PathMatcher, Rule, Rules};
use super::scheme::{Scheme, SchemeId, SchemeKind};
use super::{Compiled, Environment, IdentityHeaderNames, Policy};
use crate::config::{
    self, ApiKeyConfig, Config, Errors, JwtConfig, KeyConfig, KeyLocation, KeyMaterial, KeySource,
    MatchConfig, Path, PathConfig, RuleConfig, SchemeConfig, Secret, SecretSource, SecurityConfig,
    TokenSource,
};
use crate::credential::Source;
use crate::identity::{ApiKey, ApiKeyDirectory};
use crate::keys::{self, Algorithm, JwkError, KeySet, VerificationKey};
use crate::token::{Verifier, VerifierSettings};

struct Compiler<'a> {
    environment: Environment<'a>,
    errors: &'a Errors,
    warnings: Errors,
    directories: BTreeMap<String, Rc<ApiKeyDirectory>>,
    scheme_ids: BTreeMap<String, SchemeId>,
    reserved: Vec<Rc<str>>,
}

/// Compiles what `config` holds. The result is a policy only if `errors` stays empty, which
/// [`Policy::compile`] sees to.
pub fn compile(config: Config, environment: Environment<'_>, errors: &Errors) -> Compiled {
    let names = &config.identity_headers;
    let identity_headers = IdentityHeaderNames {
        subject: names.subject.as_str().into(),
        scopes: names.scopes.as_str().into(),
        scheme: names.scheme.as_str().into(),
    };
    let mut compiler = Compiler {
        environment,
        errors,
        warnings: Errors::default(),
        directories: BTreeMap::new(),
        scheme_ids: BTreeMap::new(),
        reserved: vec![
            Rc::clone(&identity_headers.subject),
            Rc::clone(&identity_headers.scopes),
            Rc::clone(&identity_headers.scheme),
        ],
    };
    compiler.check_identity_headers();
    compiler.api_keys(config.api_keys);
    let schemes = compiler.schemes(config.schemes);
    let rules = compiler.rules(config.rules);
    let default = config.security.map(|security| compiler.requirement(&Path::Root.key("security"), security));
    let policy = Policy {
        schemes,
        rules,
        default,
        identity_headers,
        reserved: compiler.reserved,
        error_format: config.error_format,
        cors_preflight: config.cors_preflight,
        mode: config.mode,
        cache: config.cache,
    };
    Compiled { policy, warnings: compiler.warnings.into_vec() }
}

/// Whether an application that reads headers as variables would take the two for one.
fn is_same_header(left: &str, right: &str) -> bool {
    left.replace('_', "-") == right.replace('_', "-")
}

impl Compiler<'_> {
    fn check_identity_headers(&self) {
        let path = Path::Root.key("identity_headers");
        for (index, name) in self.reserved.iter().enumerate() {
            if self.reserved.iter().take(index).any(|other| is_same_header(other, name)) {
                self.errors.add(&path, format_args!("two of them are named `{name}`"));
            }
        }
    }

    fn api_keys(&mut self, directories: Vec<(String, Vec<Option<ApiKeyConfig>>)>) {
        let root = Path::Root.key("api_keys");
        for (name, keys) in directories {
            let path = root.key(&name);
            let mut directory = ApiKeyDirectory::default();
            for (index, key) in keys.into_iter().enumerate() {
                let Some(key) = key else { continue };
                let ApiKeyConfig { id, sha256, scopes, not_after, disabled } = key;
                if let Err(other) = directory.insert(sha256, ApiKey { id, scopes, not_after, disabled }) {
                    let message = format!("the key of `{other}` again; make a key of its own");
                    self.errors.add(&path.index(index).key("sha256"), message);
                }
            }
            self.directories.insert(name, Rc::new(directory));
        }
    }

    fn schemes(&mut self, schemes: Vec<(String, Option<SchemeConfig>)>) -> Vec<Scheme> {
        let root = Path::Root.key("schemes");
        let mut compiled = Vec::with_capacity(schemes.len());
        for (name, scheme) in schemes {
            let path = root.key(&name);
            if !crate::decision::is_header_value(name.as_bytes()) || name.is_empty() || name.contains(',') {
                self.errors.add(&path, "the name goes into a header: no control characters, no comma");
            }
            let id = SchemeId(compiled.len());
            // One with a fault is known by name all the same, lest its users be faulted too.
            compiled.extend(scheme.and_then(|scheme| self.scheme(&path, &name, scheme)));
            self.scheme_ids.insert(name, id);
        }
        compiled
    }

    fn scheme(&mut self, path: &Path<'_>, name: &str, scheme: SchemeConfig) -> Option<Scheme> {
        let (default_status, sources, kind) = match scheme.kind {
            config::SchemeKind::Bearer { jwt, .. } => self.token_scheme(403, path, jwt)?,
            config::SchemeKind::OAuth2 { jwt, .. } | config::SchemeKind::OpenIdConnect { jwt, .. } => {
                self.token_scheme(401, path, jwt)?
            }
            config::SchemeKind::ApiKey { location, name, directory } => {
                let Some(keys) = self.directories.get(&directory) else {
                    let known: Vec<_> = self.directories.keys().cloned().collect();
                    self.errors.add(
                        &path.key("api_keys"),
                        format_args!(
                            "no directory `{directory}` under the top-level `api_keys`; there are: [{}]",
                            known.join(", ")
                        ),
                    );
                    return None;
                };
                let source = match location {
                    KeyLocation::Header => Source::Header { name, prefix: String::new() },
                    KeyLocation::Query => Source::Query(name),
                    KeyLocation::Cookie => Source::Cookie(name),
                };
                (403, vec![source], SchemeKind::ApiKey(Rc::clone(keys)))
            }
        };
        Some(Scheme {
            name: name.to_owned(),
            kind,
            sources,
            realm: scheme.realm.unwrap_or_else(|| "lychgate".into()),
            missing_status: scheme.missing_status.unwrap_or(default_status),
            forward: scheme.forward,
        })
    }

    fn token_scheme(
        &mut self,
        missing_status: u16,
        path: &Path<'_>,
        jwt: JwtConfig,
    ) -> Option<(u16, Vec<Source>, SchemeKind)> {
        let path = path.key("jwt");
        let keys = match jwt.keys {
            KeySource::Keys(keys) => self.keys(&path.key("keys"), keys),
            KeySource::Jwks(jwks) => self.jwks(&path.key("jwks"), &jwks, jwt.algorithms.as_deref()),
        };
        let mut of_keys: Vec<Algorithm> = keys.iter().map(VerificationKey::algorithm).collect();
        of_keys.sort_unstable();
        of_keys.dedup();
        if let Some(algorithms) = &jwt.algorithms
            && !keys.is_empty()
            && !of_keys.iter().any(|algorithm| algorithms.contains(algorithm))
        {
            let names: Vec<_> = of_keys.iter().map(|algorithm| algorithm.name()).collect();
            self.errors.add(
                &path.key("algorithms"),
                format_args!("no key has any of them; the keys are for {}", names.join(", ")),
            );
        }
        let claims_to_headers: Vec<(String, Rc<str>)> = jwt
            .claims_to_headers
            .into_iter()
            .map(|(claim, header)| (claim, Rc::from(header.as_str())))
            .collect();
        self.reserve_claim_headers(&path.key("claims_to_headers"), &claims_to_headers);
        let sources = jwt.from.into_iter().map(|source| match source {
            TokenSource::Header { name, prefix } => Source::Header { name, prefix },
            TokenSource::Query(name) => Source::Query(name),
            TokenSource::Cookie(name) => Source::Cookie(name),
        });
        let settings = VerifierSettings {
            algorithms: jwt.algorithms.unwrap_or(of_keys),
            issuer: jwt.issuer,
            audiences: jwt.audiences,
            required_claims: jwt.required_claims,
            leeway_seconds: i64::try_from(jwt.leeway_seconds).unwrap_or(0),
            max_token_bytes: jwt.max_token_bytes,
            scope_claims: jwt.scope_claims,
            claims_to_headers,
        };
        let verifier = Verifier::new(settings, KeySet::new(keys));
        Some((missing_status, sources.collect(), SchemeKind::Token(Box::new(verifier))))
    }

    /// Claim headers are the gate's own, like the identity headers: nobody else may set them.
    fn reserve_claim_headers(&mut self, path: &Path<'_>, headers: &[(String, Rc<str>)]) {
        for (index, (claim, header)) in headers.iter().enumerate() {
            let taken = headers.iter().take(index).any(|(_, other)| is_same_header(other, header))
                || self.reserved.iter().take(3).any(|other| is_same_header(other, header));
            if taken {
                let message = format!("the header `{header}` is set from something else already");
                self.errors.add(&path.key(claim), message);
            }
            if !self.reserved.contains(header) {
                self.reserved.push(Rc::clone(header));
            }
        }
    }

    fn keys(&self, path: &Path<'_>, keys: Vec<Option<KeyConfig>>) -> Vec<VerificationKey> {
        let mut compiled = Vec::with_capacity(keys.len());
        for (index, key) in keys.into_iter().enumerate() {
            let path = path.index(index);
            let Some(key) = key else { continue };
            if let Some(key) = self.errors.check(&path, self.key(key)) {
                compiled.push(key);
            }
        }
        compiled
    }

    fn key(&self, key: KeyConfig) -> Result<VerificationKey, String> {
        let KeyConfig { alg, material, kid } = key;
        match material {
            KeyMaterial::Secret(source) => {
                let secret = self.secret(source)?;
                Ok(keys::import_secret(alg, secret.expose())?.with_kid(kid))
            }
            KeyMaterial::Pem(source) => {
                let pem = self.secret(source)?;
                let text = std::str::from_utf8(pem.expose()).map_err(|_| "`pem` is not text")?;
                Ok(keys::import_pem(alg, text)?.with_kid(kid))
            }
            KeyMaterial::Jwk(jwk) => {
                if let Some(own) = jwk.get("alg").and_then(serde_json::Value::as_str)
                    && Algorithm::from_name(own) != Some(alg)
                {
                    return Err(format!("`alg` is {} here and {own:?} in the JWK", alg.name()));
                }
                let found = keys::import_jwk(&jwk, Some(&[alg]))
                    .map_err(|error| format!("`jwk`: {}", error.reason()))?;
                match found.into_iter().find(|key| key.algorithm() == alg) {
                    Some(key) if kid.is_some() => Ok(key.with_kid(kid)),
                    Some(key) => Ok(key),
                    None => Err(format!("`jwk`: not a key for {}", alg.name())),
                }
            }
        }
    }

    fn jwks(
        &self,
        path: &Path<'_>,
        jwks: &[serde_json::Value],
        allowed: Option<&[Algorithm]>,
    ) -> Vec<VerificationKey> {
        let (keys, left_out) = keys::import_jwks(jwks, allowed);
        let path = path.key("keys");
        for (index, error) in &left_out {
            match error {
                JwkError::Invalid(reason) => self.errors.add(&path.index(*index), reason),
                JwkError::NotForUs(reason) => {
                    self.warnings.add(&path.index(*index), format_args!("left out: {reason}"));
                }
            }
        }
        let all_ignored = left_out.iter().all(|(_, error)| matches!(error, JwkError::NotForUs(_)));
        if keys.is_empty() && all_ignored {
            self.errors.add(&path, "no usable key in the set; give one that signs tokens");
        }
        keys
    }

    fn secret(&self, source: SecretSource) -> Result<Secret, String> {
        match source {
            SecretSource::Inline(secret) => Ok(secret),
            SecretSource::Env(name) => (self.environment)(&name)
                .filter(|value| !value.is_empty())
                .map(|value| Secret::new(value.into_bytes()))
                .ok_or_else(|| {
                    format!(
                        "the environment variable {name} is not set; \
                         name it in vm_config.environment_variables"
                    )
                }),
        }
    }

    fn rules(&self, rules: Vec<Option<RuleConfig>>) -> Rules {
        let root = Path::Root.key("rules");
        let mut compiled = Vec::with_capacity(rules.len());
        for (index, rule) in rules.into_iter().enumerate() {
            let path = root.index(index);
            let Some(RuleConfig { matcher, security }) = rule else { continue };
            let requirement = security.map(|security| self.requirement(&path.key("security"), security));
            let Some(MatchConfig { path: condition, methods, hosts }) = matcher else { continue };
            let matcher = self.path_matcher(&path.key("match"), &condition);
            let (Some(matcher), Some(requirement)) = (matcher, requirement) else { continue };
            let hosts = hosts.map(|hosts| hosts.iter().map(|host| HostPattern::new(host)).collect());
            compiled.push(Rule { path: matcher, methods, hosts, requirement });
        }
        Rules::new(compiled)
    }

    fn path_matcher(&self, path: &Path<'_>, condition: &PathConfig) -> Option<PathMatcher> {
        match condition {
            PathConfig::Template(template) => Some(PathMatcher::template(template)),
            PathConfig::Prefix(prefix) => Some(PathMatcher::prefix(prefix)),
            PathConfig::Regex(pattern) => {
                let regex = PathMatcher::regex(pattern);
                let regex = regex.map_err(|error| format!("not a regular expression: {error}"));
                self.errors.check(&path.key("regex"), regex)
            }
        }
    }

    fn requirement(&self, path: &Path<'_>, security: SecurityConfig) -> Requirement {
        let mut alternatives = Vec::with_capacity(security.len());
        for (index, schemes) in security.into_iter().enumerate() {
            let path = path.index(index);
            let mut terms = Vec::with_capacity(schemes.len());
            for (name, scopes) in schemes {
                match self.scheme_ids.get(&name) {
                    Some(&scheme) => terms.push(Term { scheme, scopes }),
                    None => {
                        let known: Vec<_> = self.scheme_ids.keys().cloned().collect();
                        self.errors.add(
                            &path.key(&name),
                            format_args!("no such scheme; there are: [{}]", known.join(", ")),
                        );
                    }
                }
            }
            alternatives.push(Alternative { terms });
        }
        Requirement::new(alternatives)
    }
}
