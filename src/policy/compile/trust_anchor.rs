//! The trust anchor of a scheme's tokens: keys at hand, keys that are fetched, several issuers, or
//! an issuer that is asked.

use std::rc::Rc;
use std::time::Duration;

use super::Compiler;
use super::keys::Signer;
use crate::claim::ClaimCondition;
use crate::config::{
    AuthMethod, DiscoveryConfig, IntrospectionConfig, IssuerConfig, JwtConfig, KeySource, OnOutage, Path,
    RemoteConfig, RemoteKeysConfig, RevocationConfig, SecretSource,
};
use crate::fetch::{
    Discovery, FetchHeaders, IntrospectionSettings, Introspector, KeyFormat, RemoteSource, SourceKind, Uri,
    issuer_of, metadata_urls,
};
use crate::http_syntax::is_header_value;
use crate::keys::{Algorithm, KeySet, VerificationKey};
use crate::sort::insertion_sort;
use crate::token::{Issuer, IssuerName, Keys, TrustAnchor};

/// What is said of an issuer before its keys are known.
struct Named<'a> {
    /// `iss`.
    issuer: Option<IssuerName>,
    /// Its discovery document.
    url: Option<&'a str>,
    /// Accepted algorithms.
    algorithms: Option<Vec<Algorithm>>,
    /// Whether it is the filter itself.
    issues: bool,
}

impl Compiler<'_> {
    /// The authority of a `jwt` or an `introspection` at `path`. `url` is the scheme's
    /// `openIdConnectUrl`, `issues` whether the filter issues its tokens itself.
    pub(super) fn trust_anchor(
        &mut self,
        path: &Path<'_>,
        jwt: &mut JwtConfig,
        url: Option<&str>,
        issues: bool,
    ) -> Option<(TrustAnchor, Signer)> {
        let keys = std::mem::replace(&mut jwt.keys, KeySource::Keys(Vec::new()));
        let issuer = match jwt.issuer.take() {
            Some(issuer) => Some(self.issuer_name(path, &issuer, &jwt.claims, issues)?),
            None => None,
        };
        let algorithms = jwt.algorithms.take();
        match keys {
            KeySource::Introspection(config) => {
                let trust_anchor = self.introspection(path, config, issuer)?;
                Some((trust_anchor, Signer::None))
            }
            KeySource::Issuers(issuers) => {
                for (key, is_there) in [("issuer", issuer.is_some()), ("algorithms", algorithms.is_some())] {
                    if is_there {
                        self.errors.add(&path.key(key), "with `issuers` each of them has its own");
                    }
                }
                let issuers = self.issuers(&path.key("issuers"), issuers, &jwt.claims);
                Some((TrustAnchor::Issuers(issuers), Signer::None))
            }
            keys => {
                let named = Named { issuer, url, algorithms, issues };
                let (issuer, signer) = self.issuer(path, keys, named)?;
                Some((TrustAnchor::Issuers(vec![issuer]), signer))
            }
        }
    }

    /// `issuer`, with its placeholders.
    fn issuer_name(
        &self,
        path: &Path<'_>,
        issuer: &str,
        claims: &[ClaimCondition],
        issues: bool,
    ) -> Option<IssuerName> {
        let path = path.key("issuer");
        let name = self.errors.check(&path, IssuerName::parse(issuer))?;
        for claim in name.placeholders() {
            if issues {
                self.errors.add(&path, "`issue` signs tokens of one issuer: write it without a placeholder");
            }
            if !claims.iter().any(|condition| condition.claim == *claim) {
                let message = format!(
                    "every `{0}` is accepted; name in `claims` which may come: {{{0}: [...]}}",
                    claim.as_str()
                );
                self.warnings.add(&path, message);
            }
        }
        Some(name)
    }

    fn issuers(
        &mut self,
        path: &Path<'_>,
        issuers: Vec<Option<IssuerConfig>>,
        claims: &[ClaimCondition],
    ) -> Vec<Issuer> {
        let mut compiled: Vec<Issuer> = Vec::new();
        for (index, config) in issuers.into_iter().enumerate() {
            let Some(IssuerConfig { issuer, keys, algorithms }) = config else { continue };
            let path = path.index(index);
            let Some(issuer) = self.issuer_name(&path, &issuer, claims, false) else { continue };
            if compiled.iter().any(|other| other.name.as_ref() == Some(&issuer)) {
                self.errors.add(&path.key("issuer"), format_args!("{:?} is there already", issuer.as_str()));
            }
            let named = Named { issuer: Some(issuer), url: None, algorithms, issues: false };
            compiled.extend(self.issuer(&path, keys, named).map(|(issuer, _)| issuer));
        }
        compiled
    }

    fn issuer(&mut self, path: &Path<'_>, keys: KeySource, named: Named<'_>) -> Option<(Issuer, Signer)> {
        let Named { issuer, url, algorithms, issues } = named;
        let mut left_out = Vec::new();
        let (keys, signer) = match keys {
            KeySource::Keys(keys) => self.keys(&path.key("keys"), keys, issues),
            KeySource::Jwks(jwks) => {
                let (keys, others) = self.jwks(&path.key("jwks"), &jwks, algorithms.as_deref());
                left_out = others;
                (keys, Signer::None)
            }
            KeySource::Remote(RemoteKeysConfig { remote, format }) => {
                let RemoteConfig { uri, refresh_policy, headers } = remote;
                self.check_asymmetric(path, algorithms.as_deref());
                let allowed = algorithms.clone();
                let kind = SourceKind::Keys { uri: Some(uri), discovery: None, allowed, format };
                let path = path.key("remote_jwks");
                let headers = self.fetch_headers(&path, headers);
                let source = RemoteSource::with_headers(path.to_string(), kind, refresh_policy, headers);
                return Some((self.fetched(source, issuer, algorithms), Signer::None));
            }
            KeySource::Discovery(config) => {
                self.check_asymmetric(path, algorithms.as_deref());
                let (source, issuer) = self.discovery(path, config, url, issuer, algorithms.clone())?;
                return Some((self.fetched(source, Some(issuer), algorithms), Signer::None));
            }
            KeySource::Issuers(_) | KeySource::Introspection(_) => return None,
        };
        let mut of_keys: Vec<Algorithm> = keys.iter().map(VerificationKey::algorithm).collect();
        insertion_sort(&mut of_keys, |left, right| left < right);
        of_keys.dedup();
        if let Some(algorithms) = &algorithms
            && !keys.is_empty()
            && !of_keys.iter().any(|algorithm| algorithms.contains(algorithm))
        {
            let names: Vec<_> = of_keys.iter().map(|algorithm| algorithm.name()).collect();
            self.errors.add(
                &path.key("algorithms"),
                format_args!("no key has any of them; the keys are for {}", names.join(", ")),
            );
        }
        let algorithms = Some(algorithms.unwrap_or(of_keys));
        let keys = KeySet::new(keys).with_unusable(left_out.into_iter().filter_map(|left_out| left_out.kid));
        for line in keys.beyond_budget() {
            self.warnings.add(path, line);
        }
        let keys = Keys::Fixed(keys);
        Some((Issuer { name: issuer, keys, algorithms }, signer))
    }

    fn check_asymmetric(&self, path: &Path<'_>, algorithms: Option<&[Algorithm]>) {
        if algorithms.into_iter().flatten().any(|algorithm| algorithm.is_hmac()) {
            let message = "a secret that is fetched is none: leave HS256, HS384 and HS512 out";
            self.errors.add(&path.key("algorithms"), message);
        }
    }

    fn fetched(
        &mut self,
        source: Rc<RemoteSource>,
        name: Option<IssuerName>,
        algorithms: Option<Vec<Algorithm>>,
    ) -> Issuer {
        self.sources.push(Rc::clone(&source));
        Issuer { name, keys: Keys::Fetched(source), algorithms }
    }

    fn discovery(
        &self,
        path: &Path<'_>,
        config: DiscoveryConfig,
        url: Option<&str>,
        issuer: Option<IssuerName>,
        allowed: Option<Vec<Algorithm>>,
    ) -> Option<(Rc<RemoteSource>, IssuerName)> {
        let DiscoveryConfig { cluster, jwks_cluster, refresh_policy } = config;
        let path = path.key("cluster");
        let (url, fallback, issuer) = match (url, issuer) {
            (Some(url), Some(issuer)) => (url.to_owned(), None, issuer),
            (Some(url), None) => {
                let issuer = issuer_of(url).and_then(|issuer| IssuerName::parse(&issuer));
                (url.to_owned(), None, self.errors.check(&path, issuer)?)
            }
            (None, Some(issuer)) => {
                if issuer.placeholders().next().is_some() {
                    let message = "an issuer with a placeholder does not say where its discovery document is; make it a \
                                   scheme of type openIdConnect, with `openIdConnectUrl`";
                    self.errors.add(&path, message);
                    return None;
                }
                let [url, fallback] = metadata_urls(issuer.as_str());
                (url, Some(fallback), issuer)
            }
            (None, None) => {
                let message = "discovery needs `issuer`, or a scheme of type openIdConnect";
                self.errors.add(&path, message);
                return None;
            }
        };
        let uri = |url: &str| self.errors.check(&path, Uri::parse(url, &cluster));
        let (uri, fallback) = (uri(&url)?, fallback.as_deref().and_then(uri).map(Box::new));
        let discovery = Discovery { uri, fallback, issuer: issuer.as_str().to_owned(), jwks_cluster };
        let kind =
            SourceKind::Keys { uri: None, discovery: Some(discovery), allowed, format: KeyFormat::Jwks };
        Some((RemoteSource::new(path.to_string(), kind, refresh_policy), issuer))
    }

    fn introspection(
        &mut self,
        path: &Path<'_>,
        config: IntrospectionConfig,
        issuer: Option<IssuerName>,
    ) -> Option<TrustAnchor> {
        let secret = self.secret(config.client_secret);
        let introspector = Introspector::new(IntrospectionSettings {
            uri: config.uri,
            client_id: config.client_id,
            client_secret: self.errors.check(&path.key("client_secret"), secret)?,
            in_body: match config.auth_method {
                AuthMethod::Basic => false,
                AuthMethod::Post => true,
            },
            cache_seconds: config.cache_seconds,
            timeout: Duration::from_secs(config.timeout_seconds.into()),
        });
        self.introspections.push(Rc::clone(&introspector));
        Some(TrustAnchor::Introspection(introspector, issuer))
    }

    /// The headers that something is fetched with.
    fn fetch_headers(&self, path: &Path<'_>, headers: Vec<(String, Option<SecretSource>)>) -> FetchHeaders {
        let path = path.key("headers");
        let mut compiled = Vec::with_capacity(headers.len());
        for (name, value) in headers {
            let Some(value) = value else { continue };
            let value = self.secret(value).and_then(|value| match is_header_value(value.expose()) {
                true if !value.expose().is_empty() => Ok(value),
                true | false => {
                    Err("empty, or no value of a header: it may not begin or end with a space or a line feed"
                        .to_owned())
                }
            });
            compiled.extend(self.errors.check(&path.key(&name), value).map(|value| (name, value)));
        }
        FetchHeaders::new(compiled)
    }

    /// The list of revoked tokens that is polled, and whether tokens pass while there is none.
    pub(super) fn revocation(
        &mut self,
        path: &Path<'_>,
        config: RevocationConfig,
    ) -> (Rc<RemoteSource>, bool) {
        let RevocationConfig { remote: RemoteConfig { uri, refresh_policy, headers }, on_outage } = config;
        let accepts_on_outage = match on_outage {
            OnOutage::Refuse => false,
            OnOutage::Accept => true,
        };
        let kind = SourceKind::Revocations { uri };
        let headers = self.fetch_headers(path, headers);
        let source = RemoteSource::with_headers(path.to_string(), kind, refresh_policy, headers);
        self.sources.push(Rc::clone(&source));
        (source, accepts_on_outage)
    }
}
