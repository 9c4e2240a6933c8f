//! The switches: `identity_headers`, `errors`, `cors_preflight`, `mode`, `cache`,
//! `passwords`.

use super::fields::read_own_header_name;
use super::node::Node;
use super::scheme::read_missing_status;
use crate::decision::ErrorFormat;
use crate::login::PasswordSettings;
use crate::setting::{Number, words};

/// The names of the headers that carry the identity to the upstream.
///
/// In lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(deny_unknown_fields, default, extend("examples" = [{"subject": "x-user"}]))
)]
pub struct IdentityHeaders {
    /// The token's `sub`, the username, or the `id` of the API key.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub subject: String,
    /// The scopes, separated by spaces. In an AND the scopes of the credential whose subject is sent.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub scopes: String,
    /// The name of the scheme that allowed the request; several in an AND, separated by commas.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub scheme: String,
    /// The token's `iss`. Left out: not sent.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub issuer: Option<String>,
    /// The refusal that a dry run did not carry out, such as `401 token_expired`. Left out: not sent.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub dry_run: Option<String>,
}

impl Default for IdentityHeaders {
    fn default() -> Self {
        Self {
            subject: "x-auth-subject".into(),
            scopes: "x-auth-scopes".into(),
            scheme: "x-auth-scheme".into(),
            issuer: None,
            dry_run: None,
        }
    }
}

impl IdentityHeaders {
    pub(super) fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let default = Self::default();
        let name = |key, default| object.optional(key, read_own_header_name).unwrap_or(default);
        let headers = Self {
            subject: name("subject", default.subject),
            scopes: name("scopes", default.scopes),
            scheme: name("scheme", default.scheme),
            issuer: object.optional("issuer", read_own_header_name),
            dry_run: object.optional("dry_run", read_own_header_name),
        };
        object.finish();
        Some(headers)
    }
}

/// How refusals are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ErrorAnswers", deny_unknown_fields, default, extend("examples" = [{"format": "problem"}]))
)]
pub struct ErrorSettings {
    /// The format of the body.
    pub format: ErrorFormat,
    /// Whether the body names the request by its `x-request-id`.
    pub request_id: bool,
    /// The status if a credential is missing, for every scheme without a `missing_status` of its own: 401 or 403.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = [401, 403])))]
    pub missing_status: Option<u16>,
}

impl ErrorSettings {
    pub(super) fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let settings = Self {
            format: object.optional("format", |n| n.enumeration(ErrorFormat::WORDS)).unwrap_or_default(),
            request_id: object.optional("request_id", |n| n.bool()).unwrap_or_default(),
            missing_status: object.optional("missing_status", read_missing_status),
        };
        object.finish();
        Some(settings)
    }
}

words! {
    /// What becomes of CORS preflights.
    #[derive(Default)]
    pub enum CorsPreflight {
        /// They pass to the upstream, without identity. An OPTIONS request with a credential or a body is not a
        /// preflight, and is checked like any other request.
        #[default]
        Pass = "pass",
        /// They need what every request needs.
        Check = "check",
    }
}

words! {
    /// Whether refusals are carried out.
    #[derive(Default)]
    pub enum Mode {
        /// They are.
        #[default]
        Enforce = "enforce",
        /// Every request is evaluated, logged and counted; no request is refused.
        DryRun = "dry_run",
    }
}

/// Verified tokens that each worker remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "Cache", deny_unknown_fields, default, extend("examples" = [{"entries": 1024}]))
)]
pub struct CacheLimits {
    /// How many tokens; 0 turns the cache off.
    #[cfg_attr(feature = "schema", schemars(range(min = Self::ENTRIES.least, max = Self::ENTRIES.most)))]
    pub entries: usize,
    /// Tokens longer than this, in bytes, are verified anew each time.
    #[cfg_attr(
        feature = "schema",
        schemars(range(min = Self::MAX_TOKEN_BYTES.least, max = Self::MAX_TOKEN_BYTES.most))
    )]
    pub max_token_bytes: usize,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { entries: Self::ENTRIES.default, max_token_bytes: Self::MAX_TOKEN_BYTES.default }
    }
}

impl CacheLimits {
    const ENTRIES: Number<usize> = Number { least: 0, most: 1_000_000, default: 4096 };
    const MAX_TOKEN_BYTES: Number<usize> = Number { least: 0, most: 65_536, default: 4096 };

    pub(super) fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let limits = Self {
            entries: object.number("entries", &Self::ENTRIES),
            max_token_bytes: object.number("max_token_bytes", &Self::MAX_TOKEN_BYTES),
        };
        object.finish();
        Some(limits)
    }
}

/// Reads `passwords`.
pub(super) fn read_password_settings(node: Node<'_>) -> Option<PasswordSettings> {
    type Bounds = PasswordSettings;
    let object = node.object()?;
    let settings = PasswordSettings {
        worker_share_percent: object.number("worker_share_percent", &Bounds::WORKER_SHARE_PERCENT),
        remember_seconds: object.number("remember_seconds", &Bounds::REMEMBER_SECONDS),
        max_failures: object.number("max_failures", &Bounds::MAX_FAILURES),
        window_seconds: object.number("window_seconds", &Bounds::WINDOW_SECONDS),
    };
    object.finish();
    Some(settings)
}
