//! Clients of the token endpoint (RFC 6749 section 2.3.1): by HTTP Basic or in the body.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::credential::{after_prefix, basic};
use crate::decision::{Challenge, Denial};
use crate::host::{Host, HostError};
use crate::login::{Account, LoginOutcome, PasswordChecker};
use crate::reason::Reason;

/// The clients that may ask for a token.
#[derive(Debug)]
pub struct Clients {
    /// The clients, each with its mark.
    clients: Vec<(Client, [u8; 32])>,
    /// The least mark of a client: that of every id that is none.
    least_mark: [u8; 32],
}

/// One client.
pub struct Client {
    id: String,
    /// SHA-256 of the secret; a public client has none.
    secret: Option<[u8; 32]>,
}

impl Client {
    /// A client; one without a secret is public.
    #[must_use]
    pub fn new(id: String, secret: Option<&[u8]>) -> Self {
        Self { id, secret: secret.map(|secret| Sha256::digest(secret).into()) }
    }

    /// A digest of where it is, its id and its secret's.
    fn mark(&self, path: &str) -> [u8; 32] {
        let secret = self.secret.unwrap_or_default();
        crate::digest::of(&[b"clients", path.as_bytes(), self.id.as_bytes(), &secret])
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not even the hash: with it secrets can be tried offline.
        f.debug_struct("Client").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Clients {
    /// The clients of the token endpoint at `path`.
    #[must_use]
    pub fn new(path: &str, clients: Vec<Client>) -> Self {
        let clients: Vec<_> = clients
            .into_iter()
            .map(|client| {
                let mark = client.mark(path);
                (client, mark)
            })
            .collect();
        let least_mark = clients.iter().map(|(_, mark)| *mark).min().unwrap_or_default();
        Self { clients, least_mark }
    }

    /// What failures for `id` are counted under, as for [users](crate::identity::UserDirectory::mark): a change
    /// of other clients forgets none.
    fn mark(&self, id: &[u8]) -> [u8; 32] {
        self.find(id).map_or(self.least_mark, |(_, mark)| *mark)
    }

    /// Authenticates the client, by the `Authorization` header or by the form's id and secret. Failures are counted
    /// as those of passwords are, for each client and address.
    ///
    /// # Errors
    /// The refusal: RFC 6749's `invalid_client`, or `invalid_request` for a client that uses both ways; 429 after too
    /// many failures.
    pub fn authenticate(
        &self,
        authorization: Option<&[u8]>,
        form: (Option<&str>, Option<&str>),
        realm: &str,
        passwords: &PasswordChecker,
        host: &dyn Host,
    ) -> Result<(), Denial> {
        let by_header = authorization
            .and_then(|value| after_prefix(value, "Basic "))
            .map(|credential| basic::decode(credential).unwrap_or_default())
            // Swagger UI sends an empty id and an empty secret if it has none.
            .filter(|(id, secret)| !id.is_empty() || !secret.is_empty())
            // Section 2.3.1: both are form-encoded before they are joined.
            .map(|(id, secret)| (form_decode(id.as_bytes()), form_decode(&secret)));
        let (id, secret) = match (by_header, form) {
            (Some(_), (_, Some(_))) => {
                return Err(Denial::new(Reason::ClientNamedTwice));
            }
            // Many clients repeat their id in the form. Another id there is another client; an empty one is none
            // (section 3.2).
            (Some((id, _)), (Some(form_id), None))
                if !form_id.is_empty() && id.as_slice() != form_id.as_bytes() =>
            {
                return Err(Denial::new(Reason::ClientNamedTwice));
            }
            (Some((id, secret)), _) => (id, Some(secret)),
            (None, (Some(id), secret)) => {
                let bytes = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
                (bytes(id), secret.map(bytes))
            }
            // Without a client there is nothing to guess.
            (None, (None, _)) => return Err(Self::invalid(realm)),
        };
        let account = Account::new(&self.mark(&id), &id);
        let is_right = || self.knows(&id, secret.as_ref().map(|secret| secret.as_slice()));
        match passwords.check_secret(account, host, is_right) {
            LoginOutcome::Right(()) => Ok(()),
            LoginOutcome::Wrong => Err(Self::invalid(realm)),
            LoginOutcome::Throttled(seconds) => Err(Denial::throttled(seconds)),
            LoginOutcome::Busy(seconds) => Err(Denial::busy(seconds)),
            LoginOutcome::Failed(HostError(what)) => Err(Denial::host_failure(what)),
        }
    }

    fn find(&self, id: &[u8]) -> Option<&(Client, [u8; 32])> {
        self.clients.iter().find(|(client, _)| client.id.as_bytes() == id)
    }

    /// Whether there is such a client. One that there is not costs what a wrong secret costs.
    fn knows(&self, id: &[u8], secret: Option<&[u8]>) -> bool {
        let given: [u8; 32] = Sha256::digest(secret.unwrap_or_default()).into();
        match (self.find(id).map(|(client, _)| client.secret), secret) {
            (None, _) | (Some(Some(_)), None) => false,
            (Some(None), secret) => secret.is_none_or(<[u8]>::is_empty),
            (Some(Some(own)), Some(_)) => own.ct_eq(&given).into(),
        }
    }

    fn invalid(realm: &str) -> Denial {
        let challenge = Challenge { scheme: "Basic", realm: Some(realm.into()), parameters: None };
        Denial::new(Reason::ClientInvalid).with_challenges(vec![challenge])
    }
}

fn form_decode(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let spaced = text.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect();
    let spaced: Zeroizing<Vec<u8>> = Zeroizing::new(spaced);
    Zeroizing::new(percent_encoding::percent_decode(&spaced).collect())
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
