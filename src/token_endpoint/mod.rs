//! The token endpoint: a username and a password in, a token out (RFC 6749 section 4.3, as
//! FastAPI's `OAuth2PasswordRequestForm` reads it).

mod client;
mod form;

pub use client::{Client, Clients};

use std::collections::HashSet;
use std::rc::Rc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::decision::{Challenge, Denial, Response, TokenRequest};
use crate::host::{Host, HostError, IS_NATIVE};
use crate::identity::{User, UserDirectory};
use crate::keys::{NoRandomness, SigningKey};
use crate::login::{DeferredLogin, LoginId, LoginOutcome, PasswordChecker};
use crate::reason::Reason;
use crate::request::Request;
use crate::secret::Secret;
use form::PasswordForm;

/// The longest request body that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 8192;

/// A token endpoint. Its key is that of the scheme it belongs to.
#[derive(Debug)]
pub struct TokenEndpoint {
    /// The path it is served at.
    pub path: String,
    /// The scheme whose tokens it issues.
    pub scheme: String,
    /// The users that may log in.
    pub users: Rc<UserDirectory>,
    /// Lifetime of a token, in seconds.
    pub expires_in: u32,
    /// What tokens are signed with.
    pub key: Rc<SigningKey>,
    /// `iss` of the tokens.
    pub issuer: Option<String>,
    /// `aud` of the tokens.
    pub audiences: Vec<String>,
    /// The clients that may ask, if not every one.
    pub clients: Option<Clients>,
    /// Whether the head of a request goes on to the upstream, without credentials, for hosts that cannot hold it
    /// back alone. The body goes no further in either case.
    pub release_head: bool,
    /// The realm of challenges.
    pub realm: String,
}

/// What becomes of a request for a token whose body is there.
pub enum Answer {
    /// This, at once.
    Now(Response),
    /// Its password is hashed on another thread first.
    Later(Box<PendingLogin>),
}

/// A login whose password is hashed on another thread. It holds the password no longer.
pub struct PendingLogin {
    login: DeferredLogin,
    form: PasswordForm,
}

impl PendingLogin {
    /// Its number.
    #[must_use]
    pub fn id(&self) -> LoginId {
        self.login.id
    }

    /// The login itself.
    #[must_use]
    pub fn login(&self) -> &DeferredLogin {
        &self.login
    }
}

impl TokenEndpoint {
    /// Looks at the head of a request for a token.
    ///
    /// # Errors
    /// The refusal, if its body is not worth waiting for.
    pub fn head(&self, endpoint: usize, request: &Request<'_>) -> Result<TokenRequest, Denial> {
        if request.method() != b"POST" {
            return Err(Denial::new(Reason::MethodNotAllowed).with_header("allow", "POST"));
        }
        if !is_form(request) {
            return Err(Denial::new(Reason::MediaTypeUnsupported));
        }
        let length = request.first("content-length").and_then(|value| std::str::from_utf8(value).ok());
        if length
            .and_then(|text| text.parse::<u64>().ok())
            .is_some_and(|length| length > MAX_BODY_BYTES as u64)
        {
            return Err(Self::too_large());
        }
        let mut authorization = request.values("authorization");
        let token_request = TokenRequest {
            endpoint,
            authorization: authorization.next().map(|value| Secret::new(value.to_vec())),
            request_id: None,
        };
        match authorization.next() {
            None => Ok(token_request),
            Some(_) => Err(Denial::new(Reason::AuthorizationTwice)),
        }
    }

    /// The refusal of a body that is too long.
    #[must_use]
    pub fn too_large() -> Denial {
        Denial::new(Reason::BodyTooLarge)
    }

    /// Answers a request whose body is there.
    ///
    /// # Errors
    /// The refusal.
    pub fn answer(
        &self,
        request: &TokenRequest,
        body: &[u8],
        passwords: &PasswordChecker,
        host: &dyn Host,
    ) -> Result<Answer, Denial> {
        if body.len() > MAX_BODY_BYTES {
            return Err(Self::too_large());
        }
        let form = PasswordForm::parse(body)?;
        if let Some(clients) = &self.clients {
            let client = (form.client_id.as_deref(), form.client_secret.as_deref().map(String::as_str));
            let authorization = request.authorization.as_ref().map(Secret::expose);
            clients.authenticate(authorization, client, &self.realm, passwords, host)?;
        }
        let (username, password) = (form.username.as_str(), form.password.as_bytes());
        if !(IS_NATIVE && host.has_threads()) {
            let outcome = passwords.log_in(&self.users, username, password, host);
            return self.grant(outcome, &form, passwords, host).map(Answer::Now);
        }
        let login = passwords.begin_log_in(&self.users, username, password, host);
        match login.outcome(&self.users, username) {
            None => Ok(Answer::Later(Box::new(PendingLogin { login, form: form.without_secrets() }))),
            Some(outcome) => self.grant(outcome, &form, passwords, host).map(Answer::Now),
        }
    }

    /// Answers it once its password is hashed on another thread; `None`: it is not yet.
    pub fn answer_later(
        &self,
        pending: &PendingLogin,
        passwords: &PasswordChecker,
        host: &dyn Host,
    ) -> Option<Result<Response, Denial>> {
        let PendingLogin { login, form } = pending;
        let outcome = login.outcome(&self.users, &form.username)?;
        Some(self.grant(outcome, form, passwords, host))
    }

    /// A token, if the password was right.
    fn grant(
        &self,
        outcome: LoginOutcome<&User>,
        form: &PasswordForm,
        passwords: &PasswordChecker,
        host: &dyn Host,
    ) -> Result<Response, Denial> {
        let user = match outcome {
            LoginOutcome::Right(user) => user,
            LoginOutcome::Wrong => return Err(Self::wrong()),
            LoginOutcome::Throttled(seconds) => return Err(Denial::throttled(seconds)),
            LoginOutcome::Busy(seconds) => return Err(Denial::busy(seconds)),
            LoginOutcome::Failed(HostError(what)) => return Err(Denial::host_failure(what)),
        };
        if user.disabled {
            return Err(Denial::inactive_user());
        }
        let scopes = granted(user, form);
        let signed = passwords.booked(host, || self.token(&form.username, &scopes, host));
        let token = signed.map_err(|HostError(what)| Denial::host_failure(what))?;
        let body = json!({
            "access_token": token,
            "token_type": "bearer",
            "expires_in": self.expires_in,
            "scope": scopes.join(" "),
        });
        Ok(Response::json(200, &body, "token_issued").with_header("cache-control", "no-store"))
    }

    /// The contract's answer, which is FastAPI's: a bare challenge.
    fn wrong() -> Denial {
        let challenge = Challenge { scheme: "Bearer", realm: None, parameters: None };
        Denial::new(Reason::PasswordWrong).with_challenges(vec![challenge])
    }

    fn token(&self, username: &str, scopes: &[&str], host: &dyn Host) -> Result<String, HostError> {
        let mut id = [0; 16];
        host.random(&mut id)?;
        let now = host.now();
        let mut claims = Map::new();
        claims.insert("sub".into(), username.into());
        claims.insert("iat".into(), now.into());
        claims.insert("exp".into(), now.saturating_add(i64::from(self.expires_in)).into());
        claims.insert("jti".into(), BASE64_URL_SAFE_NO_PAD.encode(id).into());
        claims.insert("scopes".into(), scopes.into());
        if let Some(issuer) = &self.issuer {
            claims.insert("iss".into(), issuer.as_str().into());
        }
        match self.audiences.as_slice() {
            [] => {}
            // RFC 7519 section 4.1.3: a single audience may be a string, and all libraries read that.
            [audience] => drop(claims.insert("aud".into(), audience.as_str().into())),
            several => drop(claims.insert("aud".into(), Value::from(several.to_vec()))),
        }
        self.key
            .sign(&claims, &|bytes| host.random(bytes).map_err(|_| NoRandomness))
            .map_err(|_| HostError("the token cannot be signed"))
    }
}

/// Those asked for that the user has; all of the user's when none is asked for.
fn granted<'u>(user: &'u User, form: &PasswordForm) -> Vec<&'u str> {
    let all: HashSet<&str> = form.scopes().collect();
    let asked = |scope: &&String| all.is_empty() || all.contains(scope.as_str());
    user.scopes().iter().filter(asked).map(String::as_str).collect()
}

fn is_form(request: &Request<'_>) -> bool {
    let mut types = request.values("content-type");
    let media_type = types.next().and_then(|value| value.split(|&b| b == b';').next());
    let is_form = media_type
        .is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded"));
    is_form && types.next().is_none()
}
