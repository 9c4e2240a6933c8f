//! `issue`: token endpoints, held to what their own scheme accepts.

use std::rc::Rc;

use super::Compiler;
use crate::claim::ClaimReference;
use crate::config::issue::served_path;
use crate::config::{ClientConfig, Flows, IssueConfig, JwtConfig, Path};
use crate::keys::SigningKey;
use crate::token_endpoint::{Client, Clients, TokenEndpoint};

/// What a scheme wants to see in its tokens.
pub struct IssuedClaims {
    issuer: Option<String>,
    audiences: Vec<String>,
    scope_claims: Vec<ClaimReference>,
    required: Vec<ClaimReference>,
}

impl IssuedClaims {
    /// What `jwt` wants to see.
    pub fn of(jwt: &JwtConfig) -> Self {
        Self {
            issuer: jwt.issuer.clone(),
            audiences: jwt.audiences.clone().unwrap_or_default(),
            scope_claims: jwt.scope_claims.clone(),
            required: jwt.required_claims.clone(),
        }
    }

    fn holds(&self, claim: &str) -> bool {
        match claim {
            "sub" | "iat" | "exp" | "jti" | "scopes" => true,
            "iss" => self.issuer.is_some(),
            "aud" => !self.audiences.is_empty(),
            _ => false,
        }
    }
}

impl Compiler<'_> {
    #[expect(clippy::too_many_arguments, reason = "the parts of one scheme, each from another place")]
    pub(super) fn token_endpoint(
        &mut self,
        path: &Path<'_>,
        name: &str,
        issue: IssueConfig,
        flows: &Flows,
        users: Option<&str>,
        signer: Option<&Rc<SigningKey>>,
        claims: IssuedClaims,
        realm: &str,
    ) {
        let issue_path = path.key("issue");
        let token_url = flows.flows.iter().find(|(name, _)| *name == "password");
        let token_url = token_url.and_then(|(_, flow)| flow.token_url.as_deref());
        let Some(token_url) = token_url else {
            self.errors.add(&issue_path, "needs `flows.password.tokenUrl`: where the tokens are asked for");
            return;
        };
        let flow_path = path.key("flows");
        let flow_path = flow_path.key("password");
        let Some(url) = self.errors.check(&flow_path.key("tokenUrl"), served_path(token_url)) else { return };
        let users = match users {
            Some(name) => self.users.get(name).map(Rc::clone),
            None => {
                self.errors.add(&issue_path, "needs `users`: the directory of the users that may log in");
                None
            }
        };
        // A directory that is not there was reported where it is named.
        let Some(users) = users else { return };
        if !users.has_passwords() {
            self.errors.add(&path.key("users"), "no user in it has a password, so no login could succeed");
        }
        // That there is none was reported where the keys are.
        let Some(signer) = signer else { return };
        if claims.scope_claims.first().map(ClaimReference::as_str) != Some("scopes") {
            let message = "must begin with `scopes`, where issued tokens have theirs";
            self.errors.add(&path.key("jwt").key("scope_claims"), message);
        }
        for claim in claims.required.iter().map(ClaimReference::as_str).filter(|claim| !claims.holds(claim)) {
            self.errors.add(
                &path.key("jwt").key("required_claims"),
                format_args!("issued tokens have no `{claim}`, so none would be accepted"),
            );
        }
        if self.token_endpoints.iter().any(|other| other.path == url) {
            let message = format!("{url} is the token endpoint of another scheme already");
            self.errors.add(&flow_path.key("tokenUrl"), message);
        }
        let clients = issue.clients.map(|clients| self.clients(&issue_path.key("clients"), &url, clients));
        self.token_endpoints.push(TokenEndpoint {
            path: url,
            scheme: name.to_owned(),
            users,
            expires_in: issue.expires_in,
            key: Rc::clone(signer),
            issuer: claims.issuer,
            audiences: claims.audiences,
            clients,
            release_head: issue.release_head,
            realm: realm.to_owned(),
        });
    }

    fn clients(&self, path: &Path<'_>, url: &str, clients: Vec<ClientConfig>) -> Clients {
        let client = |(index, client): (usize, ClientConfig)| {
            let path = path.index(index);
            let secret = match client.secret {
                None => None,
                Some(source) => Some(self.errors.check(&path.key("client_secret"), self.secret(source))?),
            };
            Some(Client::new(client.id, secret.as_ref().map(|secret| secret.expose())))
        };
        Clients::new(url, clients.into_iter().enumerate().filter_map(client).collect())
    }
}
