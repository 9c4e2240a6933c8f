//! The switches: `identity_headers`, `errors`, `cors_preflight`, `mode`, `cache`,
//! `passwords`.

use std::ops::RangeInclusive;

use super::fields::read_own_header_name;
use super::node::{Node, Object};
use crate::decision::ErrorFormat;
use crate::login::PasswordSettings;

/// Request headers that tell the upstream who calls. Lower-case names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityHeaders {
    /// The subject.
    pub subject: String,
    /// Its scopes, separated by spaces.
    pub scopes: String,
    /// The scheme that let the request in.
    pub scheme: String,
    /// Who issued the token; unset: not told.
    pub issuer: Option<String>,
    /// The refusal that the request was spared by a dry run; unset: not told.
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

/// Reads `errors.format`.
fn read_error_format(node: Node<'_>) -> Option<ErrorFormat> {
    node.enumeration(&[
        ("fastapi", ErrorFormat::FastApi),
        ("problem", ErrorFormat::Problem),
        ("text", ErrorFormat::Text),
    ])
}

/// `errors`: what a client is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrorSettings {
    /// The form of the body.
    pub format: ErrorFormat,
    /// Whether it names the request by its `x-request-id`.
    pub request_id: bool,
}

impl ErrorSettings {
    pub(super) fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let settings = Self {
            format: object.optional("format", read_error_format).unwrap_or_default(),
            request_id: object.optional("request_id", |n| n.bool()).unwrap_or_default(),
        };
        object.finish();
        Some(settings)
    }
}

/// What becomes of CORS preflights (Fetch standard): browsers send them without credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CorsPreflight {
    /// They pass to the upstream, without identity.
    #[default]
    Pass,
    /// They need what every request needs.
    Check,
}

impl CorsPreflight {
    pub(super) fn read(node: Node<'_>) -> Option<Self> {
        node.enumeration(&[("pass", Self::Pass), ("check", Self::Check)])
    }
}

/// Whether refusals are carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They are.
    #[default]
    Enforce,
    /// Everything is evaluated, logged and counted; nothing is refused.
    DryRun,
}

impl Mode {
    pub(super) fn read(node: Node<'_>) -> Option<Self> {
        node.enumeration(&[("enforce", Self::Enforce), ("dry_run", Self::DryRun)])
    }
}

/// Bounds of the cache of verified tokens, for each worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// How many tokens; 0 turns the cache off.
    pub entries: usize,
    /// Tokens longer than this, in bytes, are verified anew each time.
    pub max_token_bytes: usize,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self { entries: 4096, max_token_bytes: 4096 }
    }
}

impl CacheLimits {
    pub(super) fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let number = |key, max, default| {
            object
                .optional(key, |n: Node<'_>| n.integer(0..=max))
                .and_then(|value| usize::try_from(value).ok())
                .unwrap_or(default)
        };
        let default = Self::default();
        let limits = Self {
            entries: number("entries", 1_000_000, default.entries),
            max_token_bytes: number("max_token_bytes", 65_536, default.max_token_bytes),
        };
        object.finish();
        Some(limits)
    }
}

/// Reads `passwords`.
pub(super) fn read_password_settings(node: Node<'_>) -> Option<PasswordSettings> {
    fn number<T: TryFrom<u64>>(
        object: &Object<'_>,
        key: &'static str,
        range: RangeInclusive<u64>,
        default: T,
    ) -> T {
        let value = object.optional(key, |n| n.integer(range));
        value.and_then(|value| T::try_from(value).ok()).unwrap_or(default)
    }
    let object = node.object()?;
    let default = PasswordSettings::default();
    let settings = PasswordSettings {
        worker_share_percent: number(&object, "worker_share_percent", 1..=100, default.worker_share_percent),
        remember_seconds: number(&object, "remember_seconds", 0..=86_400, default.remember_seconds),
        max_failures: number(&object, "max_failures", 1..=1_000_000, default.max_failures),
        window_seconds: number(&object, "window_seconds", 1..=86_400, default.window_seconds),
    };
    object.finish();
    Some(settings)
}
