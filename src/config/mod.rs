//! What users write: the plugin configuration as it stands in `envoy.yaml`, read strictly.
//!
//! This is the first of two stages. Here every key is known, every value has its type, and every
//! fault is collected with its JSON path. [`crate::policy`] is the second: it resolves references,
//! imports keys, and can only be built from a configuration without faults.

pub mod api_keys;
mod decode;
pub mod error;
pub mod jwt;
mod node;
pub mod rules;
pub mod scheme;
pub mod secret;
mod settings;

pub use api_keys::ApiKeyConfig;
pub use error::{ConfigError, Errors, Path};
pub use jwt::{JwtConfig, KeyConfig, KeyMaterial, KeySource, SecretSource, TokenSource};
pub use rules::{MatchConfig, PathConfig, RuleConfig, SecurityConfig};
pub use scheme::{Flow, Flows, KeyLocation, SchemeConfig, SchemeKind};
pub use secret::Secret;
pub use settings::{CacheLimits, CorsPreflight, ErrorFormat, IdentityHeaders, Mode};

use node::Node;
use serde_json::Value;

/// The whole configuration. An entry that had a fault is `None`, so that its name is still known.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// `schemes`, sorted by name.
    pub schemes: Vec<(String, Option<SchemeConfig>)>,
    /// `api_keys`, sorted by name.
    pub api_keys: Vec<(String, Vec<Option<ApiKeyConfig>>)>,
    /// `rules`, in order.
    pub rules: Vec<Option<RuleConfig>>,
    /// `security`: what a request needs that no rule matches; unset: it is refused.
    pub security: Option<SecurityConfig>,
    /// `identity_headers`.
    pub identity_headers: IdentityHeaders,
    /// `errors.format`.
    pub error_format: ErrorFormat,
    /// `cors_preflight`.
    pub cors_preflight: CorsPreflight,
    /// `mode`.
    pub mode: Mode,
    /// `cache`.
    pub cache: CacheLimits,
}

impl Config {
    /// Reads the bytes of a plugin configuration: JSON text or a serialised
    /// `google.protobuf.Struct`. Faults go to `errors`; the rest is returned all the same, so that
    /// the second stage can look for faults of its own.
    #[must_use]
    pub fn read(bytes: &[u8], errors: &Errors) -> Self {
        match decode::decode(bytes) {
            Ok(value) => Self::from_json(&value, errors),
            Err(message) => {
                errors.add(&Path::Root, message);
                Self::default()
            }
        }
    }

    fn from_json(value: &Value, errors: &Errors) -> Self {
        let root = Node { value, path: &Path::Root, errors };
        let Some(object) = root.object() else {
            return Self::default();
        };
        object.not_yet("users");
        object.not_yet("openapi");
        let config = Self {
            schemes: object.optional("schemes", |n| n.map(SchemeConfig::read)).unwrap_or_default(),
            api_keys: object
                .optional("api_keys", |n| n.map(|keys| keys.items(ApiKeyConfig::read)))
                .unwrap_or_default()
                .into_iter()
                .map(|(name, keys)| (name, keys.unwrap_or_default()))
                .collect(),
            rules: object.optional("rules", |n| n.items(RuleConfig::read)).unwrap_or_default(),
            security: object.optional("security", rules::read_security),
            identity_headers: object.optional("identity_headers", IdentityHeaders::read).unwrap_or_default(),
            error_format: object.optional("errors", ErrorFormat::read).unwrap_or_default(),
            cors_preflight: object.optional("cors_preflight", CorsPreflight::read).unwrap_or_default(),
            mode: object.optional("mode", Mode::read).unwrap_or_default(),
            cache: object.optional("cache", CacheLimits::read).unwrap_or_default(),
        };
        object.finish();
        config
    }
}
