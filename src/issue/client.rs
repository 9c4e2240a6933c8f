//! Clients of the token endpoint (RFC 6749 section 2.3.1): by HTTP Basic or in the body.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::bad_request;
use crate::credential::{after_prefix, basic};
use crate::decision::{Challenge, Denial};

/// The clients that may ask for a token.
#[derive(Debug)]
pub struct Clients(Vec<Client>);

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
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not even the hash: whoever has it can try secrets at leisure.
        f.debug_struct("Client").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Clients {
    /// These clients.
    #[must_use]
    pub fn new(clients: Vec<Client>) -> Self {
        Self(clients)
    }

    /// Judges who asks, by the `Authorization` header or by the form's id and secret.
    ///
    /// # Errors
    /// The refusal: RFC 6749's `invalid_client`, or `invalid_request` for who uses both ways.
    pub fn authenticate(
        &self,
        authorization: Option<&[u8]>,
        form: (Option<&str>, Option<&str>),
        realm: &str,
    ) -> Result<(), Denial> {
        let by_header = authorization
            .and_then(|value| after_prefix(value, "Basic "))
            .map(|credential| basic::decode(credential).unwrap_or_default())
            // Swagger UI sends an empty id and an empty secret for nothing.
            .filter(|(id, secret)| !id.is_empty() || !secret.is_empty());
        let known = match (by_header, form) {
            (Some(_), (_, Some(_))) => {
                return Err(bad_request("invalid_request", "The client names itself in two ways"));
            }
            (Some((id, secret)), _) => {
                // Section 2.3.1: both are form-encoded before they are joined.
                self.knows(&form_decode(id.as_bytes()), Some(&form_decode(&secret)))
            }
            (None, (Some(id), secret)) => self.knows(id.as_bytes(), secret.map(str::as_bytes)),
            (None, (None, _)) => false,
        };
        if known { Ok(()) } else { Err(Self::invalid(realm)) }
    }

    fn knows(&self, id: &[u8], secret: Option<&[u8]>) -> bool {
        let Some(client) = self.0.iter().find(|client| client.id.as_bytes() == id) else { return false };
        match (&client.secret, secret) {
            (None, secret) => secret.is_none_or(<[u8]>::is_empty),
            (Some(_), None) => false,
            (Some(own), Some(given)) => {
                let given: [u8; 32] = Sha256::digest(given).into();
                own.ct_eq(&given).into()
            }
        }
    }

    fn invalid(realm: &str) -> Denial {
        let challenge = Challenge { scheme: "Basic", realm: Some(realm.into()), parameters: None };
        Denial { error: Some("invalid_client"), ..Denial::new(401, "Invalid client", "client_invalid") }
            .with_challenges(vec![challenge])
    }
}

fn form_decode(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let spaced = text.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect();
    let spaced: Zeroizing<Vec<u8>> = Zeroizing::new(spaced);
    Zeroizing::new(percent_encoding::percent_decode(&spaced).collect())
}
