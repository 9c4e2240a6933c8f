//! What is said of tokens that are bound to a key or a certificate (`cnf`, RFC 7800).

use super::fields::non_empty;
use super::node::{Node, Object};
use crate::setting::{Number, words};
use crate::target_uri::normalized;

words! {
    /// What becomes of a token with `cnf`.
    #[derive(Default)]
    pub enum Confirmation {
        /// It is refused without the proof that it asks for, and if it asks for one that is not known here.
        #[default]
        Enforce = "enforce",
        /// It is taken as a bearer token: anyone who has it can use it.
        Ignore = "ignore",
    }
}

words! {
    /// A profile of access tokens.
    pub enum Profile {
        /// RFC 9068: `typ` is `at+jwt`, and `iss`, `exp`, `aud`, `sub`, `client_id`, `iat` and `jti` are there.
        Rfc9068 = "rfc9068",
    }
}

/// How tokens that are bound to a key are checked (RFC 9449).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(deny_unknown_fields, default, extend("examples" = [
        {"required": true, "origins": ["https://api.example.com"]},
    ]))
)]
pub struct DpopConfig {
    /// Whether a token without a key is refused.
    pub required: bool,
    /// How far the time of a proof (`iat`) may be from now, in seconds, in the past or in the future. So long a proof is
    /// remembered, and is not accepted twice.
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = MAX_AGE_SECONDS.least, max = MAX_AGE_SECONDS.most), extend("default" = MAX_AGE_SECONDS.default))
    )]
    pub max_age_seconds: u32,
    /// Whether a proof must hold a nonce that Lychgate gave out (RFC 9449 section 9), which holds for five minutes. Each
    /// Envoy process takes its own nonces only.
    pub nonce: bool,
    /// What `htu` may begin with: scheme, host and port as clients know them, and a path if a proxy in front removes one.
    /// Left out: scheme and authority of the request as Envoy has them.
    ///
    /// In one form, without a slash at the end.
    #[cfg_attr(feature = "schema", schemars(length(min = 1), inner(regex(pattern = "^https?://"))))]
    pub origins: Option<Vec<String>>,
}

const MAX_AGE_SECONDS: Number<u32> = Number { least: 1, most: 600, default: 60 };

impl Default for DpopConfig {
    fn default() -> Self {
        Self { required: false, max_age_seconds: MAX_AGE_SECONDS.default, nonce: false, origins: None }
    }
}

impl DpopConfig {
    fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let config = Self {
            required: object.optional("required", |n| n.bool()).unwrap_or_default(),
            max_age_seconds: object.number("max_age_seconds", &MAX_AGE_SECONDS),
            nonce: object.optional("nonce", |n| n.bool()).unwrap_or_default(),
            origins: object.optional("origins", |n| non_empty(n, |n| n.list(read_origin))),
        };
        object.finish();
        Some(config)
    }
}

fn read_origin(node: Node<'_>) -> Option<String> {
    let origin = node.text()?;
    match normalized(&origin) {
        // What follows it is the path of a request, which begins with a slash.
        Some(normal) if !origin.contains(['?', '#']) => Some(normal.trim_end_matches('/').to_owned()),
        Some(_) | None => node.error(format_args!(
            "{origin:?} is no origin: write scheme and host such as https://api.example.com, without a query"
        )),
    }
}

/// How tokens that are bound to a client certificate are checked (RFC 8705 section 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(deny_unknown_fields, default, extend("examples" = [{"required": true}]))
)]
pub struct CertificateBoundConfig {
    /// Whether a token that is bound to no certificate is refused.
    pub required: bool,
}

/// What proof of possession the tokens of a scheme need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProofConfig {
    /// What becomes of a token that says that it is bound to a key or a certificate (`cnf`, RFC 7800).
    #[cfg_attr(feature = "schema", schemars(rename = "cnf", default))]
    pub confirmation: Confirmation,
    /// How a token that is bound to a key is checked (DPoP, RFC 9449). Also without this key such a token needs its
    /// proof.
    #[cfg_attr(feature = "schema", schemars(with = "Option<DpopConfig>"))]
    pub dpop: DpopConfig,
    /// How a token that is bound to a client certificate is checked (RFC 8705 section 3). Also without this key such a
    /// token needs the certificate.
    #[cfg_attr(feature = "schema", schemars(with = "Option<CertificateBoundConfig>"))]
    pub certificate_bound: CertificateBoundConfig,
}

impl ProofConfig {
    pub(super) fn read(object: &Object<'_>) -> Self {
        let confirmation = object.optional("cnf", |n| n.enumeration(Confirmation::WORDS)).unwrap_or_default();
        let checks = |n: Node<'_>| match confirmation {
            Confirmation::Enforce => Some(()),
            Confirmation::Ignore => n.error("cannot be checked with `cnf: ignore`"),
        };
        let dpop = object.optional("dpop", |n| {
            let dpop = DpopConfig::read(n);
            checks(n).and(dpop)
        });
        let certificate_bound = object.optional("certificate_bound", |n| {
            let object = n.object()?;
            let required = object.optional("required", |n| n.bool()).unwrap_or_default();
            object.finish();
            checks(n).map(|()| CertificateBoundConfig { required })
        });
        Self {
            confirmation,
            dpop: dpop.unwrap_or_default(),
            certificate_bound: certificate_bound.unwrap_or_default(),
        }
    }
}
