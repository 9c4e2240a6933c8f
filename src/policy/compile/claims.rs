//! What the tokens of a scheme must say, and what is made of it.

use std::rc::Rc;

use super::Compiler;
use super::schemes::TokenSettings;
use crate::claim::{ClaimReference, Condition};
use crate::config::{
    AllowedCertificateConfig, Confirmation, JwtConfig, NeedConfig, OnInvalidHeader, Path, Profile,
    ProofConfig, ScopeMode,
};
use crate::http_syntax::is_same_header;
use crate::identity::{AllowedCertificate, AllowedCertificates};
use crate::policy::requirement::{StepUp, Term};
use crate::policy::scheme::SchemeId;
use crate::token::{Dpop, HeaderOfClaim, OnInvalid, Possession, ScopeSettings, VerifierSettings, plain_type};

/// The claims that a token of RFC 9068 section 2.2 has.
const RFC_9068: [&str; 7] = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];

/// What tokens have that the filter issues; `iss` and `aud` where they are configured.
const ISSUED: [&str; 7] = ["sub", "iat", "exp", "jti", "scopes", "iss", "aud"];

impl Compiler<'_> {
    /// The settings of a verifier, and where its tokens are.
    pub(super) fn verifier_settings(
        &mut self,
        path: &Path<'_>,
        mut jwt: JwtConfig,
        issues: bool,
    ) -> TokenSettings {
        let revocation = jwt.revocation.take();
        let revocation = revocation.map(|config| self.revocation(&path.key("revocation"), config));
        let payload_to_header = jwt.payload_to_header.as_deref().map(Rc::from);
        let claims_to_headers: Vec<HeaderOfClaim> = std::mem::take(&mut jwt.claims_to_headers)
            .into_iter()
            .map(|own| HeaderOfClaim {
                claim: own.claim,
                header: own.header.into(),
                on_invalid: match own.on_invalid {
                    OnInvalidHeader::Refuse => OnInvalid::Refuse,
                    OnInvalidHeader::Omit => OnInvalid::Omit,
                    OnInvalidHeader::PercentEncode => OnInvalid::Encode,
                },
            })
            .collect();
        self.reserve_headers(path, &claims_to_headers, payload_to_header.as_ref());
        if issues {
            self.check_issued(path, &jwt);
        }
        let mut types = jwt.types.map(|types| types.iter().map(|typ| plain_type(typ)).collect::<Vec<_>>());
        let mut required_claims = jwt.required_claims;
        match jwt.profile {
            None => {}
            Some(Profile::Rfc9068) => {
                if jwt.audiences.is_none() {
                    self.errors
                        .add(&path.key("profile"), "RFC 9068 section 4 has `aud` checked: name `audiences`");
                }
                types.get_or_insert_with(|| vec!["at+jwt".to_owned()]);
                for claim in RFC_9068.map(ClaimReference::named) {
                    if !required_claims.contains(&claim) {
                        required_claims.push(claim);
                    }
                }
            }
        }
        let roles = jwt.roles.map(|roles| (roles.claims, roles.grants)).unwrap_or_default();
        let settings = VerifierSettings {
            audiences: jwt.audiences,
            required_claims,
            claims: jwt.claims,
            types,
            subject_claims: jwt.subject_claims,
            leeway_seconds: i64::try_from(jwt.leeway_seconds).unwrap_or(0),
            max_token_bytes: jwt.max_token_bytes,
            scopes: ScopeSettings {
                claims: jwt.scope_claims,
                takes_all: match jwt.scope_mode {
                    ScopeMode::First => false,
                    ScopeMode::All => true,
                },
                role_claims: roles.0,
                grants: roles.1,
                implied: Rc::clone(&self.implied),
            },
            claims_to_headers,
            payload_to_header,
            tells_issuer: self.tells_issuer,
            revoked: jwt.revoked,
            revocation,
            possession: possession(jwt.proof),
        };
        (settings, jwt.from)
    }

    /// Headers of claims are the filter's own, like the identity headers: a client may not set them.
    fn reserve_headers(&mut self, path: &Path<'_>, headers: &[HeaderOfClaim], payload: Option<&Rc<str>>) {
        let claims = path.key("claims_to_headers");
        let own = |own: &HeaderOfClaim| (claims.key(own.claim.as_str()).to_string(), Rc::clone(&own.header));
        let mut named: Vec<(String, Rc<str>)> = headers.iter().map(own).collect();
        named.extend(payload.map(|header| (path.key("payload_to_header").to_string(), Rc::clone(header))));
        for (index, (place, header)) in named.iter().enumerate() {
            let is_same = |other: &Rc<str>| is_same_header(other.as_bytes(), header.as_bytes());
            let of_identity = self.reserved.iter().zip(&self.identity_headers).find(|(own, _)| is_same(own));
            let taken = format!("the header `{header}` is set from something else already");
            if let Some((_, key)) = of_identity {
                let remedy = format!("it is `identity_headers.{key}`; name another header there, or here");
                self.errors.add(&Path::Text(place), format_args!("{taken}: {remedy}"));
            } else if named.iter().take(index).any(|(_, other)| is_same(other)) {
                self.errors.add(&Path::Text(place), taken);
            }
            if !self.reserved.contains(header) {
                self.reserved.push(Rc::clone(header));
            }
        }
    }

    /// A scheme that issues tokens must take them.
    fn check_issued(&self, path: &Path<'_>, jwt: &JwtConfig) {
        let is_issued = |claim: &ClaimReference| ISSUED.contains(&claim.as_str());
        for condition in &jwt.claims {
            if !is_issued(&condition.claim) && !condition.condition.holds(None) {
                let claims = path.key("claims");
                let message = "issued tokens have no such claim, so none would be accepted";
                self.errors.add(&claims.key(condition.claim.as_str()), message);
            }
        }
        let refuse = |key: &'static str, is_wrong: bool, message: &str| {
            if is_wrong {
                self.errors.add(&path.key(key), message);
            }
        };
        refuse(
            "types",
            jwt.types.as_ref().is_some_and(|types| !types.iter().any(|typ| plain_type(typ) == "jwt")),
            "issued tokens have the type JWT, so none would be accepted",
        );
        refuse(
            "profile",
            jwt.profile.is_some(),
            "issued tokens are not of this profile, so none would be accepted",
        );
        refuse(
            "dpop",
            jwt.proof.dpop.required,
            "issued tokens are bound to no key, so none would be accepted",
        );
        refuse(
            "certificate_bound",
            jwt.proof.certificate_bound.required,
            "issued tokens are bound to no certificate, so none would be accepted",
        );
    }

    pub(super) fn certificates(&self, allow: Vec<AllowedCertificateConfig>) -> AllowedCertificates {
        let allowed = |own: AllowedCertificateConfig| {
            let mut scopes = own.scopes;
            self.implied.expand(&mut scopes);
            AllowedCertificate { pattern: own.pattern, id: own.id, scopes }
        };
        AllowedCertificates::new(allow.into_iter().map(allowed).collect())
    }

    /// What a requirement asks of a scheme. Conditions get their number among those of the scheme.
    pub(super) fn term(&self, path: &Path<'_>, scheme: SchemeId, need: NeedConfig) -> Term {
        if need.has_conditions() && self.without_claims.contains(&scheme) {
            self.errors.add(path, "has conditions on a token, and the scheme has none; name scopes alone");
        }
        let conditions =
            need.claims.iter().map(|condition| self.condition(scheme, condition.clone())).collect();
        let step_up = (!need.acr.is_empty() || need.max_age_seconds.is_some()).then(|| {
            let values = need.acr.iter().cloned().map(crate::claim::Scalar::Text).collect();
            let condition = crate::claim::ClaimCondition {
                claim: ClaimReference::named("acr"),
                condition: Condition::OneOf(values),
            };
            let condition = (!need.acr.is_empty()).then(|| self.condition(scheme, condition));
            Box::new(StepUp { acr: need.acr.clone(), condition, max_age: need.max_age_seconds })
        });
        Term { scheme, scopes: need.scopes, conditions, step_up }
    }
}

fn possession(config: ProofConfig) -> Option<Possession> {
    match config.confirmation {
        Confirmation::Ignore => None,
        Confirmation::Enforce => Some(Possession {
            dpop: Dpop {
                is_required: config.dpop.required,
                max_age_seconds: config.dpop.max_age_seconds.into(),
                needs_nonce: config.dpop.nonce,
                origins: config.dpop.origins.unwrap_or_default(),
            },
            needs_certificate: config.certificate_bound.required,
        }),
    }
}
