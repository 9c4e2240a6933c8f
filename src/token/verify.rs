//! The verifier of one scheme: token in, proof out.

use std::rc::Rc;

use super::claims::{self, Claims, Window};
use super::compact::Compact;
use super::error::TokenError;
use super::scopes::scopes_of;
use crate::decision::is_header_value;
use crate::host::{Host, NativeVerdict};
use crate::keys::{Algorithm, KeySet, VerificationKey};

/// What the tokens of a scheme must be.
#[derive(Debug)]
pub struct VerifierSettings {
    /// Accepted algorithms.
    pub algorithms: Vec<Algorithm>,
    /// The only accepted `iss`, if it matters.
    pub issuer: Option<String>,
    /// Accepted `aud` values, if they matter.
    pub audiences: Option<Vec<String>>,
    /// Claims that must be there.
    pub required_claims: Vec<String>,
    /// Tolerance of times, in seconds.
    pub leeway_seconds: i64,
    /// Longest accepted token, in bytes.
    pub max_token_bytes: usize,
    /// Claims that may hold the scopes.
    pub scope_claims: Vec<String>,
    /// Claim (or dotted path) to request header.
    pub claims_to_headers: Vec<(String, Rc<str>)>,
}

/// A request header made of a claim.
pub type ClaimHeader = (Rc<str>, Vec<u8>);

/// Verifies the tokens of one scheme.
#[derive(Debug)]
pub struct Verifier {
    settings: VerifierSettings,
    keys: KeySet,
}

/// What a verified token says. Made by [`Verifier::verify`] and nobody else.
#[derive(Debug, PartialEq, Eq)]
pub struct Verified {
    subject: Option<String>,
    scopes: Vec<String>,
    headers: Vec<ClaimHeader>,
    window: Window,
}

impl Verified {
    /// `sub`.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The scopes.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The request headers made of claims.
    #[must_use]
    pub fn headers(&self) -> &[ClaimHeader] {
        &self.headers
    }

    /// Whether the token may be accepted at `now`, in Unix seconds.
    #[must_use]
    pub fn holds_at(&self, now: i64) -> bool {
        self.window.holds(now)
    }
}

impl Verifier {
    /// A verifier of tokens signed with `keys`.
    #[must_use]
    pub fn new(settings: VerifierSettings, keys: KeySet) -> Self {
        Self { settings, keys }
    }

    /// Verifies `token`: form, signature, then claims, so that a stranger learns nothing from the
    /// order of checks.
    ///
    /// # Errors
    /// Why the token is not accepted.
    pub fn verify(&self, token: &[u8], host: &dyn Host) -> Result<Verified, TokenError> {
        if token.len() > self.settings.max_token_bytes {
            return Err(TokenError::TooLong);
        }
        let compact = Compact::parse(token)?;
        self.check_signature(&compact, host)?;
        self.check_claims(&compact.claims()?, host.now())
    }

    fn check_signature(&self, token: &Compact<'_>, host: &dyn Host) -> Result<(), TokenError> {
        let mut tried = false;
        for key in self.keys.candidates(&token.alg, token.kid.as_deref()) {
            if !self.settings.algorithms.contains(&key.algorithm()) {
                continue;
            }
            tried = true;
            if is_signed_by(key, token, host) {
                return Ok(());
            }
        }
        Err(if tried { TokenError::Signature } else { TokenError::NoKey })
    }

    fn check_claims(&self, claims: &Claims, now: i64) -> Result<Verified, TokenError> {
        let settings = &self.settings;
        if let Some(name) = settings
            .required_claims
            .iter()
            .find(|name| claims.get(name.as_str()).is_none_or(serde_json::Value::is_null))
        {
            return Err(TokenError::MissingClaim(name.clone()));
        }
        let window = claims::check_times(claims, now, settings.leeway_seconds)?;
        if let Some(issuer) = &settings.issuer
            && claims::string_claim(claims, "iss")? != Some(issuer)
        {
            return Err(TokenError::Issuer);
        }
        if let Some(audiences) = &settings.audiences
            && !claims::audience_matches(claims, audiences)
        {
            return Err(TokenError::Audience);
        }
        let subject = claims::string_claim(claims, "sub")?.map(str::to_owned);
        if subject.as_ref().is_some_and(|sub| sub.is_empty() || !is_header_value(sub.as_bytes())) {
            return Err(TokenError::BadClaim("sub".into()));
        }
        let scopes = scopes_of(claims, &settings.scope_claims);
        if !scopes.iter().all(|scope| is_header_value(scope.as_bytes())) {
            return Err(TokenError::BadClaim("scopes".into()));
        }
        let headers = self.claim_headers(claims)?;
        Ok(Verified { subject, scopes, headers, window })
    }

    /// A claim that cannot be a header value refuses the token: cut short, it would say something
    /// that the issuer did not.
    fn claim_headers(&self, claims: &Claims) -> Result<Vec<ClaimHeader>, TokenError> {
        let mut headers = Vec::new();
        for (claim, header) in &self.settings.claims_to_headers {
            let Some(text) = claims::lookup(claims, claim).and_then(claims::header_text) else {
                continue;
            };
            if !is_header_value(text.as_bytes()) {
                return Err(TokenError::BadClaim(claim.clone()));
            }
            headers.push((Rc::clone(header), text.into_bytes()));
        }
        Ok(headers)
    }
}

/// By the host where it can, in the module where it cannot.
fn is_signed_by(key: &VerificationKey, token: &Compact<'_>, host: &dyn Host) -> bool {
    if let Some(native) = key.native() {
        let Some(signature) = key.native_signature(&token.signature) else {
            return false;
        };
        match host.verify_signature(native, &signature, token.signing_input) {
            NativeVerdict::Valid => return true,
            NativeVerdict::Invalid => return false,
            NativeVerdict::Unavailable => {}
        }
    }
    key.verifies(token.signing_input, &token.signature)
}

/// Lets the tests of the cache make a proof without a token.
#[cfg(test)]
pub mod tests_support {
    use super::{Verified, Window};

    pub fn verified(from: i64, until: i64) -> Verified {
        Verified { subject: None, scopes: vec![], headers: vec![], window: Window { from, until } }
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
