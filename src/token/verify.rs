//! The verifier of one scheme: token in, proof out.

use std::rc::Rc;

use super::claims::{self, Claims};
use super::compact::Compact;
use super::confirmation::Confirmation;
use super::error::TokenError;
use super::issuer_name::IssuerName;
use super::issuers::Issuer;
use super::possession::Possession;
use super::scopes::ScopeSettings;
use super::types::{plain_type, says_something_else};
use super::verified::{ClaimHeader, ClaimMetadata, Verified};
use crate::claim::{ClaimCondition, ClaimReference};
use crate::fetch::{
    Content, FetchStatus, Introspection, IntrospectionResult, PendingFetch, RemoteSource, Revocations,
    TokenDigests,
};
use crate::host::{Host, IS_NATIVE};
use crate::http_syntax::is_header_value;

/// What the tokens of a scheme must be.
#[derive(Debug)]
pub struct VerifierSettings {
    /// Accepted `aud` values, if they matter.
    pub audiences: Option<Vec<String>>,
    /// Required claims.
    pub required_claims: Vec<ClaimReference>,
    /// Conditions on claims.
    pub claims: Vec<ClaimCondition>,
    /// Accepted types, without `application/` and in lower case; `None`: any that does not say something else.
    pub types: Option<Vec<String>>,
    /// Claims that may hold the subject.
    pub subject_claims: Vec<ClaimReference>,
    /// Tolerance of times, in seconds.
    pub leeway_seconds: i64,
    /// Longest accepted token, in bytes.
    pub max_token_bytes: usize,
    /// Where the scopes are.
    pub scopes: ScopeSettings,
    /// Claims that become request headers.
    pub claims_to_headers: Vec<HeaderOfClaim>,
    /// The request header that gets the payload.
    pub payload_to_header: Option<Rc<str>>,
    /// Claims that are set in dynamic metadata, where the host has it.
    pub claims_to_metadata: Vec<ClaimReference>,
    /// Whether `iss` is sent to the upstream.
    pub tells_issuer: bool,
    /// Tokens that are revoked.
    pub revoked: Revocations,
    /// A list of more of them, and whether tokens are accepted while there is none.
    pub revocation: Option<(Rc<RemoteSource>, bool)>,
    /// How possession is proven. `None`: every token is accepted as a bearer token, also one with `cnf`.
    pub possession: Option<Possession>,
}

/// A claim that becomes a request header.
#[derive(Debug)]
pub struct HeaderOfClaim {
    /// The claim.
    pub claim: ClaimReference,
    /// The header.
    pub header: Rc<str>,
    /// What is done with a value that cannot be a header value.
    pub on_invalid: OnInvalid,
}

/// What is done with a claim that cannot be a header value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnInvalid {
    /// The token is refused.
    Refuse,
    /// The header is not sent.
    Omit,
    /// The value is percent-encoded.
    Encode,
}

/// What a scheme trusts: the keys of issuers, or the introspection endpoint of one.
#[derive(Debug)]
pub enum TrustAnchor {
    /// The keys of these issuers; the token names its own, unless there is one without a name.
    Issuers(Vec<Issuer>),
    /// The issuer, asked for each token (RFC 7662); and the only accepted `iss`, if one is configured.
    Introspection(Introspection, Option<IssuerName>),
}

/// Verifies the tokens of one scheme.
#[derive(Debug)]
pub struct Verifier {
    settings: VerifierSettings,
    trust_anchor: TrustAnchor,
    /// The conditions that rules have for its tokens, each once. All are evaluated when a token is verified.
    conditions: Vec<ClaimCondition>,
}

impl Verifier {
    /// A verifier of tokens that `authority` issues.
    #[must_use]
    pub fn new(settings: VerifierSettings, trust_anchor: TrustAnchor) -> Self {
        Self { settings, trust_anchor, conditions: Vec::new() }
    }

    /// Sets the conditions that rules have for its tokens. [`Verified::meets`] takes their index.
    pub fn set_conditions(&mut self, conditions: Vec<ClaimCondition>) {
        self.conditions = conditions;
    }

    /// How possession is proven, if it must be.
    #[must_use]
    pub fn possession(&self) -> Option<&Possession> {
        self.settings.possession.as_ref()
    }

    /// What is required of a token of this scheme: its keys, its issuer and its audience.
    #[must_use]
    pub fn accepts(&self) -> (&TrustAnchor, Option<&[String]>) {
        (&self.trust_anchor, self.settings.audiences.as_deref())
    }

    /// Whether it may set dynamic metadata of this name.
    #[must_use]
    pub fn may_tell(&self, name: &str) -> bool {
        self.settings.claims_to_metadata.iter().any(|claim| claim.as_str() == name)
    }

    /// Whether a claim of some token can be sent in header `name`.
    #[must_use]
    pub fn may_set(&self, name: &str) -> bool {
        let of_claims = self.settings.claims_to_headers.iter().map(|own| &own.header);
        of_claims.chain(&self.settings.payload_to_header).any(|header| **header == *name)
    }

    /// Whether each token is introspected at its issuer.
    #[must_use]
    pub fn asks_the_issuer(&self) -> bool {
        match &self.trust_anchor {
            TrustAnchor::Introspection(..) => true,
            TrustAnchor::Issuers(_) => false,
        }
    }

    /// Verifies `token`: form, signature, then claims, so that a client without a valid token learns nothing from the
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
                if issuer.as_ref().is_some_and(|issuer| !issuer.is_of(&answer.claims, None)) {
                    return Err(TokenError::Issuer);
                }
                let verified = Rc::new(self.check_claims(&answer.claims, None, host.now())?);
                // The tokens that the old keys verified are not valid any more.
                let _ = answer.made.set(Rc::<Verified>::clone(&verified));
                return Ok(verified);
            }
        };
        let compact = Compact::parse(token)?;
        let issuer = match issuers.as_slice() {
            [issuer] => issuer,
            several => {
                // It is not verified yet. It selects the keys, and is compared with their issuer below.
                let claims = compact.claims().map_err(|_| TokenError::Issuer)?;
                several.iter().find(|issuer| issuer.may_have_issued(&claims)).ok_or(TokenError::Issuer)?
            }
        };
        issuer.check_signature(&compact, host, can_pause)?;
        self.check_type(compact.typ.as_deref())?;
        let claims = compact.claims()?;
        // What says of itself that it is a security event (RFC 8417 section 2.2): a logout token has no `typ` at many providers.
        if self.settings.types.is_none() && claims.get("events").is_some_and(serde_json::Value::is_object) {
            return Err(TokenError::Type);
        }
        let now = host.now();
        if !issuer.has_issued(&claims, now) {
            return Err(TokenError::Issuer);
        }
        self.check_claims(&claims, Some(compact.payload), now).map(Rc::new)
    }

    fn check_type(&self, typ: Option<&str>) -> Result<(), TokenError> {
        let is_accepted = match (&self.settings.types, typ) {
            (Some(types), Some(typ)) => types.contains(&plain_type(typ)),
            (Some(_), None) => false,
            (None, Some(typ)) => !says_something_else(typ),
            (None, None) => true,
        };
        if is_accepted { Ok(()) } else { Err(TokenError::Type) }
    }

    /// Whether what was verified once may be remembered, and under which number: it changes with the
    /// keys. `None`: not now, or never.
    #[must_use]
    pub fn generation(&self, now: impl Fn() -> i64) -> Option<u64> {
        match &self.trust_anchor {
            // The cache of introspection keeps the issuer's answers.
            TrustAnchor::Introspection(..) => None,
            TrustAnchor::Issuers(issuers) => issuers.iter().try_fold(0_u64, |sum, issuer| {
                issuer.serves(&now).then(|| sum.wrapping_add(issuer.generation()))
            }),
        }
    }

    /// Whether a verified token was revoked since.
    ///
    /// # Errors
    /// The token is revoked, or this is not known.
    pub fn check_revocation(
        &self,
        token: &Verified,
        host: &dyn Host,
        can_pause: bool,
    ) -> Result<(), TokenError> {
        let revokes = |list: &Revocations| list.revokes(token.id.as_deref(), token.subject(), token.issued);
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

    fn check_claims(
        &self,
        claims: &Claims,
        payload: Option<&[u8]>,
        now: i64,
    ) -> Result<Verified, TokenError> {
        let settings = &self.settings;
        if let Some(missing) = settings.required_claims.iter().find(|claim| claim.find(claims).is_none()) {
            return Err(TokenError::MissingClaim(missing.as_str().to_owned()));
        }
        let validity = claims::check_times(claims, now, settings.leeway_seconds)?;
        if let Some(audiences) = &settings.audiences
            && !claims::audience_matches(claims, audiences)
        {
            return Err(TokenError::Audience);
        }
        if let Some(refused) = settings.claims.iter().find(|condition| !condition.holds(claims)) {
            return Err(TokenError::ClaimRefused(refused.claim.as_str().to_owned()));
        }
        let confirmation = match &settings.possession {
            Some(_) => Confirmation::of(claims)?,
            None => Confirmation::default(),
        };
        let subject_claim = settings.subject_claims.iter().find(|claim| claim.find(claims).is_some());
        let subject = subject_claim.map(|claim| Self::told(claims, claim)).transpose()?;
        let issuer = if settings.tells_issuer && claims.get("iss").is_some_and(|iss| !iss.is_null()) {
            Some(Self::told(claims, &ClaimReference::named("iss"))?)
        } else {
            None
        };
        Ok(Verified {
            subject,
            is_client: subject_claim.is_some_and(|claim| CLIENT_CLAIMS.contains(&claim.as_str())),
            issuer,
            scopes: settings.scopes.of(claims)?,
            headers: self.headers(claims, payload)?,
            metadata: self.metadata(claims),
            validity,
            id: claims::string_claim(claims, "jti")?.map(str::to_owned),
            issued: claims::issued(claims),
            authenticated: claims::authenticated(claims),
            confirmation,
            meets: self.conditions.iter().map(|condition| condition.holds(claims)).collect(),
            identity: crate::identity::IdentityMemo::default(),
        })
    }

    /// A claim that is present and is sent to the upstream as it is.
    fn told(claims: &Claims, claim: &ClaimReference) -> Result<String, TokenError> {
        let text = claim.find(claims).and_then(serde_json::Value::as_str).unwrap_or_default();
        if text.is_empty() || !is_header_value(text.as_bytes()) {
            return Err(TokenError::BadClaim(claim.as_str().to_owned()));
        }
        Ok(text.to_owned())
    }

    /// What is set in dynamic metadata. Empty in the Wasm module: its host has no dynamic metadata.
    fn metadata(&self, claims: &Claims) -> Vec<ClaimMetadata> {
        let told = self.settings.claims_to_metadata.iter().filter(|_| IS_NATIVE);
        told.filter_map(|claim| Some((claim.as_str().into(), claim.find(claims)?.clone()))).collect()
    }

    /// A claim that cannot be a header value refuses the token, unless the configuration says otherwise. A shortened value would not
    /// be what the issuer signed.
    fn headers(&self, claims: &Claims, payload: Option<&[u8]>) -> Result<Vec<ClaimHeader>, TokenError> {
        let mut headers = Vec::new();
        for HeaderOfClaim { claim, header, on_invalid } in &self.settings.claims_to_headers {
            let Some(text) = claim.find(claims).and_then(claims::header_text) else { continue };
            // A user without groups has `groups: []`. Envoy takes no empty header from a native module.
            if text.is_empty() {
                continue;
            }
            let value = match (on_invalid, is_header_value(text.as_bytes())) {
                (OnInvalid::Encode, _) => claims::percent_encoded_text(&text),
                (OnInvalid::Refuse | OnInvalid::Omit, true) => text,
                (OnInvalid::Omit, false) => continue,
                (OnInvalid::Refuse, false) => return Err(TokenError::BadClaim(claim.as_str().to_owned())),
            };
            headers.push((Rc::clone(header), value.into_bytes()));
        }
        if let (Some(header), Some(payload)) = (&self.settings.payload_to_header, payload) {
            headers.push((Rc::clone(header), payload.to_vec()));
        }
        Ok(headers)
    }
}

/// Claims that name a client and no user.
const CLIENT_CLAIMS: [&str; 4] = ["client_id", "azp", "appid", "cid"];

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
