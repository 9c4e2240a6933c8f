//! Schemes: how each credential is found and verified.

use std::rc::Rc;

use super::Compiler;
use super::keys::Signer;
use super::token_endpoint::IssuedClaims;
use crate::config::{
    self, ApiKeySchemeConfig, BasicConfig, BearerConfig, JwtConfig, KeySource, MutualTlsConfig, OAuth2Config,
    OpenIdConnectConfig, Path, SchemeConfig, TokenUsersConfig,
};
use crate::credential::CredentialLocation;
use crate::identity::{ApiKeyDirectory, UserDirectory};
use crate::keys::SigningKey;
use crate::policy::scheme::{Scheme, SchemeId, SchemeKind, TokenUsers};
use crate::token::{Verifier, VerifierSettings};

/// The settings of a verifier, and where its tokens may stand.
pub(super) type TokenSettings = (VerifierSettings, Vec<CredentialLocation>);

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
            config::SchemeKind::MutualTls(MutualTlsConfig { allow }) => {
                (401, Vec::new(), SchemeKind::MutualTls(self.certificates(allow)))
            }
        };
        Some(Scheme {
            name: name.to_owned(),
            dpop_location: dpop_location(&kind, &locations),
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
        let (settings, locations) = self.verifier_settings(&path, jwt, issues);
        let verifier = Box::new(Verifier::new(settings, trust_anchor));
        Some(TokenScheme {
            locations,
            kind: SchemeKind::Token { verifier, users },
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
        CredentialLocation::Query(_) | CredentialLocation::Cookie(_) => false,
    };
    locations
        .iter()
        .any(is_bearer)
        .then(|| CredentialLocation::Header { name: "authorization".into(), prefix: "DPoP ".into() })
}
