//! The keys that a token is verified with: fixed ones, fetched ones, or those of the issuer that it names.

use std::rc::Rc;

use super::compact::Compact;
use super::error::TokenError;
use super::issuer_name::IssuerName;
use crate::claim::Claims;
use crate::fetch::{Content, FetchStatus, PendingFetch, RemoteSource};
use crate::host::{Event, Host, NativeVerdict};
use crate::keys::{Algorithm, BUDGET, KeySet, VerificationKey};

/// The keys of an issuer.
#[derive(Debug)]
pub enum Keys {
    /// Given in the configuration.
    Fixed(KeySet),
    /// Fetched.
    Fetched(Rc<RemoteSource>),
}

/// An issuer and its keys: a key is accepted for its own issuer only.
#[derive(Debug)]
pub struct Issuer {
    /// The expected `iss`. `None`: it is not checked.
    pub name: Option<IssuerName>,
    /// Its keys.
    pub keys: Keys,
    /// Accepted algorithms. `None`: the algorithm of any fetched key.
    pub algorithms: Option<Vec<Algorithm>>,
}

impl Issuer {
    /// Whether a token with these unverified claims could be of this issuer. Its keys decide afterwards.
    #[must_use]
    pub fn may_have_issued(&self, claims: &Claims) -> bool {
        self.name.as_ref().is_none_or(|name| name.is_nearly_of(claims))
    }

    /// Whether `iss` is that of this issuer, as discovery writes it.
    #[must_use]
    pub fn has_issued(&self, claims: &Claims, now: i64) -> bool {
        let content = match &self.keys {
            Keys::Fixed(_) => None,
            Keys::Fetched(source) => source.content(now),
        };
        let discovered = content.as_deref().and_then(Content::issuer);
        self.name.as_ref().is_none_or(|name| name.is_of(claims, discovered))
    }

    /// Whether this issuer signed `token`.
    ///
    /// # Errors
    /// The issuer did not sign it, or this is not known (yet). `can_pause` says whether the request can wait.
    pub fn check_signature(
        &self,
        token: &Compact<'_>,
        host: &dyn Host,
        can_pause: bool,
    ) -> Result<(), TokenError> {
        let source = match &self.keys {
            Keys::Fixed(keys) => return self.check_with(keys, token, host),
            Keys::Fetched(source) => source,
        };
        let now = host.now();
        let standing = |unknown: TokenError| match source.ask(now, token.kid.as_deref()) {
            FetchStatus::Failing(seconds) => TokenError::KeysUnavailable(seconds),
            FetchStatus::InFlight if can_pause => TokenError::Pending(PendingFetch::Source(source.number())),
            FetchStatus::InFlight => TokenError::KeysUnavailable(1),
            FetchStatus::Settled => unknown,
        };
        match source.content(now).as_deref() {
            Some(Content::Keys(keys)) => match self.check_with(keys, token, host) {
                // No key is fetched for an algorithm that no key can have.
                Err(unknown @ (TokenError::NoKey | TokenError::KeyUnusable)) if self.could_sign(token) => {
                    Err(standing(unknown))
                }
                outcome => outcome,
            },
            _ => Err(standing(TokenError::KeysUnavailable(1))),
        }
    }

    fn could_sign(&self, token: &Compact<'_>) -> bool {
        let algorithm = Algorithm::from_name(&token.alg);
        algorithm.is_some_and(|algorithm| {
            !algorithm.is_hmac() && self.algorithms.as_ref().is_none_or(|own| own.contains(&algorithm))
        })
    }

    fn check_with(&self, keys: &KeySet, token: &Compact<'_>, host: &dyn Host) -> Result<(), TokenError> {
        let mut spent = 0_u32;
        for (place, key) in keys.candidates(&token.alg, token.kid.as_deref()) {
            if self.algorithms.as_ref().is_some_and(|accepted| !accepted.contains(&key.algorithm())) {
                continue;
            }
            if spent >= BUDGET {
                return Err(TokenError::TooManyKeys);
            }
            let Checked { is_valid, natively } = check(key, token, host);
            if is_valid {
                if spent > 0 {
                    keys.verified(place);
                }
                return Ok(());
            }
            spent = spent.saturating_add(key.cost(natively, token.signing_input.len()));
        }
        Err(match spent {
            _ if keys.is_unusable(token.kid.as_deref()) => TokenError::KeyUnusable,
            0 => TokenError::NoKey,
            1.. => TokenError::Signature,
        })
    }

    /// Counts every change of the keys.
    #[must_use]
    pub fn generation(&self) -> u64 {
        match &self.keys {
            Keys::Fixed(_) => 0,
            Keys::Fetched(source) => source.generation(),
        }
    }

    /// Whether the keys serve: what they verified counts as long. The clock is a crossing into the
    /// host, so it is read only for keys that can grow old.
    #[must_use]
    pub fn serves(&self, now: &dyn Fn() -> i64) -> bool {
        match &self.keys {
            Keys::Fixed(_) => true,
            Keys::Fetched(source) => source.content(now()).is_some(),
        }
    }
}

/// What came of checking a signature.
struct Checked {
    is_valid: bool,
    /// By the host.
    natively: bool,
}

/// Whether `token` is signed by `key`.
pub fn is_signed(key: &VerificationKey, token: &Compact<'_>, host: &dyn Host) -> bool {
    check(key, token, host).is_valid
}

/// By the host where it can, in the module where it cannot.
fn check(key: &VerificationKey, token: &Compact<'_>, host: &dyn Host) -> Checked {
    let verdict = if key.algorithm().is_hmac() {
        NativeVerdict::Unavailable
    } else {
        host.verify(key, &token.signature, token.signing_input)
    };
    if verdict != NativeVerdict::Unavailable {
        host.record(Event::Signature { algorithm: key.algorithm(), native: true });
        return Checked { is_valid: verdict == NativeVerdict::Valid, natively: true };
    }
    if let Some(native) = key.native() {
        let Some(signature) = key.native_signature(&token.signature) else {
            return Checked { is_valid: false, natively: true };
        };
        let verdict = host.verify_signature(native, &signature, token.signing_input);
        if verdict != NativeVerdict::Unavailable {
            host.record(Event::Signature { algorithm: key.algorithm(), native: true });
            return Checked { is_valid: verdict == NativeVerdict::Valid, natively: true };
        }
    }
    host.record(Event::Signature { algorithm: key.algorithm(), native: false });
    Checked { is_valid: key.verifies(token.signing_input, &token.signature), natively: false }
}
