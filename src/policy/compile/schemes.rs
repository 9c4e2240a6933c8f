//! Schemes: how each credential is found and verified.

use std::rc::Rc;

use super::Compiler;
use super::keys::Signer;
use super::token_endpoint::IssuedClaims;
use crate::config::places::overlapping;
use crate::config::{
    self, ApiKeySchemeConfig, BasicConfig, BearerConfig, JwtConfig, KeySource, MutualTlsConfig, OAuth2Config,
    OpenIdConnectConfig, Path, SchemeConfig, TokenUsersConfig,
};
use crate::credential::{CredentialLocation, FromOrder, Reading};
use crate::identity::{ApiKeyDirectory, UserDirectory};
use crate::keys::SigningKey;
use crate::policy::scheme::{Scheme, SchemeId, SchemeKind, TokenUsers};
use crate::token::{Verifier, VerifierSettings};

/// The settings of a verifier, and where its tokens may stand.
pub(super) type TokenSettings = (VerifierSettings, Option<Vec<CredentialLocation>>);

/// What the token schemes have in common.
struct TokenScheme {
    /// Its own places, and the key of the object that names them.
    from: Option<(&'static str, Vec<CredentialLocation>)>,
    kind: SchemeKind,
    signer: Option<Rc<SigningKey>>,
    cannot_sign: bool,
}

impl Compiler<'_> {
    pub(super) fn schemes(&mut self, schemes: Vec<(String, Option<SchemeConfig>)>) -> Vec<Scheme> {
        let root = Path::Root.key("schemes");
        let mut compiled = Vec::with_capacity(schemes.len());
        for (name, scheme) in schemes {
            let path = root.key(&name);
            if !crate::http_syntax::is_header_value(name.as_bytes()) || name.is_empty() || name.contains(',')
            {
                self.errors.add(&path, "the name goes into a header: no control characters, no comma");
            }
            let id = SchemeId(compiled.len());
            // One with an error is known by name all the same, lest its users be reported too.
            let scheme = scheme.and_then(|scheme| self.scheme(&path, &name, scheme));
            if scheme.as_ref().is_some_and(|scheme| !matches!(scheme.kind, SchemeKind::Token { .. })) {
                self.without_claims.push(id);
            }
            compiled.extend(scheme);
            self.scheme_ids.insert(name, id);
        }
        compiled
    }

    fn scheme(&mut self, path: &Path<'_>, name: &str, scheme: SchemeConfig) -> Option<Scheme> {
        let realm = scheme.realm;
        let mut signer = None;
        let in_authorization =
            |prefix: &str| CredentialLocation::Header { name: "authorization".into(), prefix: prefix.into() };
        let mut of_jwt = None;
        let (default_status, usual, challenged_as, kind) = match scheme.kind {
            config::SchemeKind::Bearer(BearerConfig { jwt, users, api_keys, .. }) => {
                let api_keys = match api_keys {
                    Some(directory) => Some(self.api_key_directory(path, &directory)?),
                    None => None,
                };
                let kind = match (jwt, api_keys) {
                    (Some(jwt), api_keys) => {
                        let token = self.token_scheme(path, jwt, users.as_ref(), api_keys, None, false)?;
                        (signer, of_jwt) = (token.signer, token.from);
                        token.kind
                    }
                    (None, Some(api_keys)) => {
                        if users.is_some() {
                            let message =
                                "says which users tokens may be of; with `api_keys` alone there is no token";
                            self.errors.add(&path.key("users"), message);
                        }
                        SchemeKind::ApiKey(api_keys)
                    }
                    (None, None) => return None,
                };
                (403, in_authorization("Bearer "), "Bearer", kind)
            }
            config::SchemeKind::OpenIdConnect(OpenIdConnectConfig { jwt, users, url }) => {
                let token = self.token_scheme(path, jwt, users.as_ref(), None, Some(&url), false)?;
                (signer, of_jwt) = (token.signer, token.from);
                (401, in_authorization("Bearer "), "Bearer", token.kind)
            }
            config::SchemeKind::OAuth2(OAuth2Config { flows, jwt, users, issue, .. }) => {
                let claims = IssuedClaims::of(&jwt);
                let token = self.token_scheme(path, jwt, users.as_ref(), None, None, issue.is_some())?;
                (signer, of_jwt) = (token.signer, token.from);
                if issue.is_some() && token.cannot_sign {
                    self.errors.add(
                        &path.key("jwt"),
                        "none of the keys can sign tokens; give a `secret`, or a private key by \
                         `pem: {env: NAME}`",
                    );
                }
                if let Some(issue) = issue {
                    self.token_endpoint(
                        path,
                        name,
                        issue,
                        &flows,
                        users.as_ref().map(|users| users.directory.as_str()),
                        signer.as_ref(),
                        claims,
                        &realm,
                    );
                }
                (401, in_authorization("Bearer "), "Bearer", token.kind)
            }
            config::SchemeKind::Basic(BasicConfig { users }) => {
                let directory = self.user_directory(path, &users)?;
                if !directory.has_passwords() {
                    self.errors.add(
                        &path.key("users"),
                        format_args!("no user in `{users}` has a password, so no login could succeed"),
                    );
                }
                (401, in_authorization("Basic "), "Basic", SchemeKind::Basic(directory))
            }
            config::SchemeKind::ApiKey(ApiKeySchemeConfig { location, directory, .. }) => {
                let keys = self.api_key_directory(path, &directory)?;
                if scheme.from.as_ref().is_some_and(|from| !from.contains(&location)) {
                    self.warnings.add(
                        &path.key("from"),
                        "the place that `in` and `name` tell clients of is not among these",
                    );
                }
                (403, location, "APIKey", SchemeKind::ApiKey(keys))
            }
            config::SchemeKind::MutualTls(MutualTlsConfig { allow }) => {
                let kind = SchemeKind::MutualTls(self.certificates(allow));
                return Some(Scheme {
                    name: name.to_owned(),
                    kind,
                    locations: Vec::new(),
                    dpop_location: None,
                    reading: Reading { order: scheme.from_order, equal_is_one: false },
                    realm,
                    challenged_as: scheme.challenge.then_some("ClientCertificate"),
                    missing_status: scheme.missing_status.or(self.missing_status).unwrap_or(401),
                    forward: scheme.forward,
                    signer: None,
                });
            }
        };
        let written = self.places(path, scheme.from, of_jwt, scheme.from_order);
        let reading = Reading { order: scheme.from_order, equal_is_one: written.is_some() };
        let locations = written.unwrap_or_else(|| vec![usual]);
        Some(Scheme {
            name: name.to_owned(),
            dpop_location: dpop_location(&kind, &locations),
            kind,
            locations,
            reading,
            realm,
            challenged_as: scheme.challenge.then_some(challenged_as),
            missing_status: scheme.missing_status.or(self.missing_status).unwrap_or(default_status),
            forward: scheme.forward,
            signer,
        })
    }

    /// The places that a scheme names, beside its `jwt` or in it.
    fn places(
        &self,
        path: &Path<'_>,
        own: Option<Vec<CredentialLocation>>,
        of_jwt: Option<(&'static str, Vec<CredentialLocation>)>,
        order: FromOrder,
    ) -> Option<Vec<CredentialLocation>> {
        let own_path = path.key("from");
        let jwt_path = path.key(of_jwt.as_ref().map_or("jwt", |(key, _)| key));
        let (places, path) = match (own, of_jwt) {
            (Some(_), Some(_)) => {
                self.errors.add(&own_path, "the tokens of this scheme have a `from` too; keep one of them");
                return None;
            }
            (Some(own), None) => (own, own_path),
            (None, Some((_, of_jwt))) => (of_jwt, jwt_path.key("from")),
            (None, None) => {
                if order == FromOrder::First {
                    self.errors
                        .add(&path.key("from_order"), "speaks of the places in `from`, and there is none");
                }
                return None;
            }
        };
        if let Some((earlier, later)) = overlapping(&places, order == FromOrder::First) {
            self.errors.add(
                &path.index(later),
                format_args!(
                    "its prefix and that of [{earlier}] both fit one value, which would count twice; keep one of them, or \
                     say `from_order: first` and put the longer prefix first"
                ),
            );
        }
        Some(places)
    }

    fn api_key_directory(&self, path: &Path<'_>, name: &str) -> Option<Rc<ApiKeyDirectory>> {
        let found = self.api_keys.get(name).map(Rc::clone);
        if found.is_none() {
            self.no_directory(&path.key("api_keys"), name, "api_keys", self.api_keys.keys());
        }
        found
    }

    fn user_directory(&self, path: &Path<'_>, name: &str) -> Option<Rc<UserDirectory>> {
        let found = self.users.get(name).map(Rc::clone);
        if found.is_none() {
            self.no_directory(&path.key("users"), name, "users", self.users.keys());
        }
        found
    }

    fn no_directory<'n>(
        &self,
        path: &Path<'_>,
        name: &str,
        root: &str,
        known: impl Iterator<Item = &'n String>,
    ) {
        let known: Vec<_> = known.map(String::as_str).collect();
        let known = known.join(", ");
        self.errors.add(
            path,
            format_args!("no directory `{name}` under the top-level `{root}`; there are: [{known}]"),
        );
    }

    fn token_scheme(
        &mut self,
        path: &Path<'_>,
        mut jwt: JwtConfig,
        users: Option<&TokenUsersConfig>,
        api_keys: Option<Rc<ApiKeyDirectory>>,
        url: Option<&str>,
        issues: bool,
    ) -> Option<TokenScheme> {
        let users = match users {
            Some(TokenUsersConfig { directory, scopes }) => {
                Some(TokenUsers { directory: self.user_directory(path, directory)?, scopes: *scopes })
            }
            None => None,
        };
        let is_introspection = matches!(jwt.keys, KeySource::Introspection(_));
        let key = if is_introspection { "introspection" } else { "jwt" };
        let path = path.key(key);
        let (trust_anchor, signer) = self.trust_anchor(&path, &mut jwt, url, issues)?;
        let (settings, from) = self.verifier_settings(&path, jwt, issues);
        let verifier = Box::new(Verifier::new(settings, trust_anchor));
        Some(TokenScheme {
            from: from.map(|from| (key, from)),
            kind: SchemeKind::Token { verifier, users, api_keys },
            cannot_sign: matches!(signer, Signer::None),
            signer: match signer {
                Signer::Key(key) => Some(key),
                Signer::None | Signer::Unknown => None,
            },
        })
    }
}

/// Where a token stands that comes with a DPoP proof: as a bearer token does in `Authorization`.
fn dpop_location(kind: &SchemeKind, locations: &[CredentialLocation]) -> Option<CredentialLocation> {
    let SchemeKind::Token { verifier, .. } = kind else { return None };
    verifier.possession()?;
    let is_bearer = |location: &CredentialLocation| match location {
        CredentialLocation::Header { name, prefix } => {
            **name == *"authorization" && prefix.trim_ascii().eq_ignore_ascii_case("bearer")
        }
        CredentialLocation::Query(_) | CredentialLocation::Cookie(_) | CredentialLocation::Subprotocol(_) => {
            false
        }
    };
    locations
        .iter()
        .any(is_bearer)
        .then(|| CredentialLocation::Header { name: "authorization".into(), prefix: "DPoP ".into() })
}
