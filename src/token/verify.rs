//! The verifier of one scheme: token in, proof out.

use std::rc::Rc;

use super::claims::{self, Claims, Validity};
use super::compact::Compact;
use super::error::TokenError;
use super::issuers::Issuer;
use super::scopes::scopes_of;
use crate::fetch::{
    Content, FetchStatus, Introspection, IntrospectionResult, PendingFetch, RemoteSource, Revocations,
    TokenDigests,
};
use crate::host::Host;
use crate::http_syntax::is_header_value;
use crate::identity::IdentityMemo;

/// What the tokens of a scheme must be.
#[derive(Debug)]
pub struct VerifierSettings {
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
    /// Whether the upstream is told `iss`.
    pub tells_issuer: bool,
    /// Tokens that are revoked.
    pub revoked: Revocations,
    /// A list of more of them, and whether tokens are accepted while there is none.
    pub revocation: Option<(Rc<RemoteSource>, bool)>,
}

/// What a scheme trusts: the keys of issuers, or the introspection endpoint of one.
#[derive(Debug)]
pub enum TrustAnchor {
    /// The keys of these issuers; the token names its own, unless there is one without a name.
    Issuers(Vec<Issuer>),
    /// The issuer, asked for each token (RFC 7662); and the only accepted `iss`, if one is configured.
    Introspection(Introspection, Option<String>),
}

/// A request header made of a claim.
pub type ClaimHeader = (Rc<str>, Vec<u8>);

/// Verifies the tokens of one scheme.
#[derive(Debug)]
pub struct Verifier {
    settings: VerifierSettings,
    trust_anchor: TrustAnchor,
}

/// What a verified token says. Made by [`Verifier::verify`] alone.
#[derive(Debug, PartialEq, Eq)]
pub struct Verified {
    subject: Option<String>,
    issuer: Option<String>,
    scopes: Vec<String>,
    headers: Vec<ClaimHeader>,
    validity: Validity,
    /// `jti`, for revocation.
    id: Option<String>,
    /// `iat`, for revocation.
    issued: Option<i64>,
    identity: IdentityMemo,
}

impl Verified {
    /// `sub`.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// `iss`, where the upstream is told.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
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

    /// Whether the token may be accepted now. A time that was read lately will do to see that it was
    /// valid already; that it has not expired is seen exactly.
    #[must_use]
    pub fn is_valid_now(&self, host: &dyn Host) -> bool {
        host.cached_now().is_some_and(|recent| self.validity.from <= recent)
            && host.is_before(self.validity.until)
            || self.validity.is_valid_at(host.now())
    }

    /// The identity that this token alone gives.
    #[must_use]
    pub fn identity(&self) -> &IdentityMemo {
        &self.identity
    }
}

impl Verifier {
    /// A verifier of tokens that `authority` vouches for.
    #[must_use]
    pub fn new(settings: VerifierSettings, trust_anchor: TrustAnchor) -> Self {
        Self { settings, trust_anchor }
    }

    /// What a token of this scheme is held to: whose keys, and for whom.
    #[must_use]
    pub fn accepts(&self) -> (&TrustAnchor, Option<&[String]>) {
        (&self.trust_anchor, self.settings.audiences.as_deref())
    }

    /// Whether a claim of some token could be told in header `name`.
    #[must_use]
    pub fn may_set(&self, name: &str) -> bool {
        self.settings.claims_to_headers.iter().any(|(_, header)| **header == *name)
    }

    /// Whether each token is asked after at its issuer.
    #[must_use]
    pub fn asks_the_issuer(&self) -> bool {
        match &self.trust_anchor {
            TrustAnchor::Introspection(..) => true,
            TrustAnchor::Issuers(_) => false,
        }
    }

    /// Verifies `token`: form, signature, then claims, so that a stranger learns nothing from the
    /// order of checks. `can_pause` says whether the request can wait for what is not there yet.
    ///
    /// # Errors
    /// Why the token is not accepted, or not yet.
    pub fn verify(&self, token: &[u8], host: &dyn Host, can_pause: bool) -> Result<Rc<Verified>, TokenError> {
        self.verify_again(token, &TokenDigests::default(), host, can_pause)
    }

    /// The same for a request that may have been decided before; `digests` are what was computed then.
    ///
    /// # Errors
    /// Why the token is not accepted, or not yet.
    pub fn verify_again(
        &self,
        token: &[u8],
        digests: &TokenDigests,
        host: &dyn Host,
        can_pause: bool,
    ) -> Result<Rc<Verified>, TokenError> {
        if token.len() > self.settings.max_token_bytes {
            return Err(TokenError::TooLong);
        }
        let issuers = match &self.trust_anchor {
            TrustAnchor::Issuers(issuers) => issuers,
            TrustAnchor::Introspection(introspection, issuer) => {
                // RFC 6750 section 2.1: a value with a space or a tab in it is no token.
                if !token.iter().all(u8::is_ascii_graphic) {
                    return Err(TokenError::Malformed("not a bearer token (RFC 6750)"));
                }
                let number = introspection.number();
                let digest = digests.of(number, token);
                let answer = match introspection.ask(token, digest, host.now(), host) {
                    IntrospectionResult::Active(answer) => answer,
                    IntrospectionResult::Inactive => return Err(TokenError::Inactive),
                    IntrospectionResult::Pending if can_pause => {
                        let awaited = PendingFetch::Introspection { number, token: digest };
                        return Err(TokenError::Pending(awaited));
                    }
                    IntrospectionResult::Pending => return Err(TokenError::IntrospectionUnavailable(1)),
                    IntrospectionResult::Unavailable(seconds) => {
                        return Err(TokenError::IntrospectionUnavailable(seconds));
                    }
                };
                // One scheme asks one introspection, so that it is this verifier's own.
                let known = answer.made.get().and_then(|made| Rc::clone(made).downcast::<Verified>().ok());
                if let Some(known) = known.filter(|known| known.is_valid_now(host)) {
                    return Ok(known);
                }
                if let Some(claim) = claims::other_use(&answer.claims) {
                    return Err(TokenError::OtherUse(claim));
                }
                let verified = Rc::new(self.check_claims(&answer.claims, issuer.as_deref(), host.now())?);
                // What was made before does not hold, and does not come back.
                let _ = answer.made.set(Rc::<Verified>::clone(&verified));
                return Ok(verified);
            }
        };
        let compact = Compact::parse(token)?;
        let issuer = match issuers.as_slice() {
            [issuer] => issuer,
            several => {
                // Unverified, it only chooses whose keys are asked; they are held to it below.
                let claims = compact.claims().map_err(|_| TokenError::Issuer)?;
                let name = claims::string_claim(&claims, "iss")?;
                several.iter().find(|issuer| issuer.name.as_deref() == name).ok_or(TokenError::Issuer)?
            }
        };
        issuer.check_signature(&compact, host, can_pause)?;
        self.check_claims(&compact.claims()?, issuer.name.as_deref(), host.now()).map(Rc::new)
    }

    /// Whether what was verified once may be remembered, and under which number: it changes with the
    /// keys. Nothing: not now, or never.
    #[must_use]
    pub fn generation(&self, now: impl Fn() -> i64) -> Option<u64> {
        match &self.trust_anchor {
            // What the issuer says is remembered where it is asked.
            TrustAnchor::Introspection(..) => None,
            TrustAnchor::Issuers(issuers) => issuers.iter().try_fold(0_u64, |sum, issuer| {
                issuer.serves(&now).then(|| sum.wrapping_add(issuer.generation()))
            }),
        }
    }

    /// Whether a token that was verified is revoked meanwhile.
    ///
    /// # Errors
    /// That it is, or that it cannot be told.
    pub fn check_revocation(
        &self,
        token: &Verified,
        host: &dyn Host,
        can_pause: bool,
    ) -> Result<(), TokenError> {
        let revokes =
            |list: &Revocations| list.revokes(token.id.as_deref(), token.subject.as_deref(), token.issued);
        if !self.settings.revoked.is_empty() && revokes(&self.settings.revoked) {
            return Err(TokenError::Revoked);
        }
        let Some((source, accepts_on_outage)) = &self.settings.revocation else { return Ok(()) };
        let now = host.now();
        match source.content(now).as_deref() {
            Some(Content::Revocations(list)) if revokes(list) => Err(TokenError::Revoked),
            Some(Content::Revocations(_)) => Ok(()),
            _ => match source.ask(now, None) {
                FetchStatus::InFlight if can_pause => {
                    Err(TokenError::Pending(PendingFetch::Source(source.number())))
                }
                _ if *accepts_on_outage => Ok(()),
                FetchStatus::Failing(seconds) => Err(TokenError::RevocationUnavailable(seconds)),
                FetchStatus::InFlight | FetchStatus::Settled => Err(TokenError::RevocationUnavailable(1)),
            },
        }
    }

    fn check_claims(&self, claims: &Claims, issuer: Option<&str>, now: i64) -> Result<Verified, TokenError> {
        let settings = &self.settings;
        if let Some(name) = settings
            .required_claims
            .iter()
            .find(|name| claims.get(name.as_str()).is_none_or(serde_json::Value::is_null))
        {
            return Err(TokenError::MissingClaim(name.clone()));
        }
        let validity = claims::check_times(claims, now, settings.leeway_seconds)?;
        if let Some(issuer) = issuer
            && claims::string_claim(claims, "iss")? != Some(issuer)
        {
            return Err(TokenError::Issuer);
        }
        if let Some(audiences) = &settings.audiences
            && !claims::audience_matches(claims, audiences)
        {
            return Err(TokenError::Audience);
        }
        let subject = Self::told(claims, "sub")?;
        let issuer = if settings.tells_issuer { Self::told(claims, "iss")? } else { None };
        let scopes = scopes_of(claims, &settings.scope_claims)?;
        let headers = self.claim_headers(claims)?;
        let id = claims::string_claim(claims, "jti")?.map(str::to_owned);
        let issued = claims::issued(claims);
        let identity = IdentityMemo::default();
        Ok(Verified { subject, issuer, scopes, headers, validity, id, issued, identity })
    }

    /// A claim that the upstream is told as it is.
    fn told(claims: &Claims, name: &str) -> Result<Option<String>, TokenError> {
        let text = claims::string_claim(claims, name)?;
        if text.is_some_and(|text| text.is_empty() || !is_header_value(text.as_bytes())) {
            return Err(TokenError::BadClaim(name.into()));
        }
        Ok(text.map(str::to_owned))
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

/// Lets the tests of the cache make a proof without a token.
#[cfg(test)]
pub mod tests_support {
    use super::{Validity, Verified};

    pub fn verified(from: i64, until: i64) -> Verified {
        Verified {
            subject: None,
            issuer: None,
            scopes: vec![],
            headers: vec![],
            validity: Validity { from, until },
            id: None,
            issued: None,
            identity: super::IdentityMemo::default(),
        }
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
