//! Schemes: how each credential is found and verified.

use std::rc::Rc;

use super::Compiler;
use super::keys::Signer;
use super::token_endpoint::IssuedClaims;
use crate::config::places::overlapping;
use crate::config::{
    self, ApiKeySchemeConfig, BasicConfig, BearerConfig, JwtConfig, KeySource, OAuth2Config,
    OpenIdConnectConfig, Path, SchemeConfig, TokenUsersConfig,
};
use crate::credential::{CredentialLocation, FromOrder, Reading};
use crate::http_syntax::is_same_header;
use crate::identity::{ApiKeyDirectory, UserDirectory};
use crate::keys::SigningKey;
use crate::policy::scheme::{Scheme, SchemeId, SchemeKind, TokenUsers};
use crate::token::{Verifier, VerifierSettings};

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
            compiled.extend(scheme.and_then(|scheme| self.scheme(&path, &name, scheme)));
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
        };
        let written = self.places(path, scheme.from, of_jwt, scheme.from_order);
        let reading = Reading { order: scheme.from_order, equal_is_one: written.is_some() };
        Some(Scheme {
            name: name.to_owned(),
            kind,
            locations: written.unwrap_or_else(|| vec![usual]),
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
        let revocation = jwt.revocation.take();
        let revocation = revocation.map(|config| self.revocation(&path.key("revocation"), config));
        let claims_to_headers: Vec<(String, Rc<str>)> = jwt
            .claims_to_headers
            .into_iter()
            .map(|(claim, header)| (claim, Rc::from(header.as_str())))
            .collect();
        self.reserve_claim_headers(&path.key("claims_to_headers"), &claims_to_headers);
        let settings = VerifierSettings {
            audiences: jwt.audiences,
            required_claims: jwt.required_claims,
            leeway_seconds: i64::try_from(jwt.leeway_seconds).unwrap_or(0),
            max_token_bytes: jwt.max_token_bytes,
            scope_claims: jwt.scope_claims,
            claims_to_headers,
            tells_issuer: self.tells_issuer,
            revoked: jwt.revoked,
            revocation,
        };
        let verifier = Box::new(Verifier::new(settings, trust_anchor));
        Some(TokenScheme {
            from: jwt.from.map(|from| (key, from)),
            kind: SchemeKind::Token { verifier, users, api_keys },
            cannot_sign: matches!(signer, Signer::None),
            signer: match signer {
                Signer::Key(key) => Some(key),
                Signer::None | Signer::Unknown => None,
            },
        })
    }

    /// Claim headers are the filter's own, like the identity headers: a client may not set them.
    fn reserve_claim_headers(&mut self, path: &Path<'_>, headers: &[(String, Rc<str>)]) {
        for (index, (claim, header)) in headers.iter().enumerate() {
            let is_same = |other: &Rc<str>| is_same_header(other.as_bytes(), header.as_bytes());
            let taken = headers.iter().take(index).any(|(_, other)| is_same(other))
                || self.reserved.iter().take(self.identity_headers).any(is_same);
            if taken {
                let message = format!("the header `{header}` is set from something else already");
                self.errors.add(&path.key(claim), message);
            }
            if !self.reserved.contains(header) {
                self.reserved.push(Rc::clone(header));
            }
        }
    }
}
