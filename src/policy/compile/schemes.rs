//! Schemes: how each credential is found and verified.

use std::rc::Rc;

use super::Compiler;
use super::keys::Signer;
use super::token_endpoint::IssuedClaims;
use crate::config::{
    self, ApiKeySchemeConfig, BasicConfig, BearerConfig, JwtConfig, KeySource, OAuth2Config,
    OpenIdConnectConfig, Path, SchemeConfig, TokenUsersConfig,
};
use crate::credential::CredentialLocation;
use crate::http_syntax::is_same_header;
use crate::identity::{ApiKeyDirectory, UserDirectory};
use crate::keys::SigningKey;
use crate::policy::scheme::{Scheme, SchemeId, SchemeKind, TokenUsers};
use crate::token::{Verifier, VerifierSettings};

/// What the token schemes have in common.
struct TokenScheme {
    locations: Vec<CredentialLocation>,
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
        let (default_status, locations, kind) = match scheme.kind {
            config::SchemeKind::Bearer(BearerConfig { jwt, users, .. }) => {
                let token = self.token_scheme(path, jwt, users.as_ref(), None, false)?;
                signer = token.signer;
                (403, token.locations, token.kind)
            }
            config::SchemeKind::OpenIdConnect(OpenIdConnectConfig { jwt, users, url }) => {
                let token = self.token_scheme(path, jwt, users.as_ref(), Some(&url), false)?;
                signer = token.signer;
                (401, token.locations, token.kind)
            }
            config::SchemeKind::OAuth2(OAuth2Config { flows, jwt, users, issue }) => {
                let claims = IssuedClaims::of(&jwt);
                let token = self.token_scheme(path, jwt, users.as_ref(), None, issue.is_some())?;
                signer = token.signer;
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
                (401, token.locations, token.kind)
            }
            config::SchemeKind::Basic(BasicConfig { users }) => {
                let directory = self.user_directory(path, &users)?;
                if !directory.has_passwords() {
                    self.errors.add(
                        &path.key("users"),
                        format_args!("no user in `{users}` has a password, so nobody could log in"),
                    );
                }
                let location =
                    CredentialLocation::Header { name: "authorization".into(), prefix: "Basic ".into() };
                (401, vec![location], SchemeKind::Basic(directory))
            }
            config::SchemeKind::ApiKey(ApiKeySchemeConfig { location, directory, .. }) => {
                let keys = self.api_key_directory(path, &directory)?;
                (403, vec![location], SchemeKind::ApiKey(keys))
            }
        };
        Some(Scheme {
            name: name.to_owned(),
            kind,
            locations,
            realm,
            missing_status: scheme.missing_status.unwrap_or(default_status),
            forward: scheme.forward,
            signer,
        })
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
        let path = path.key(if is_introspection { "introspection" } else { "jwt" });
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
            locations: jwt.from,
            kind: SchemeKind::Token { verifier, users },
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
