//! What users write: the plugin configuration as it stands in `envoy.yaml`, read strictly.
//!
//! This is the first of two stages. Here every key is known, every value has its type, and every
//! error is collected with its JSON path. [`crate::policy`] is the second: it resolves references,
//! imports keys, and can only be built from a configuration without errors.

pub mod api_keys;
mod decode;
pub mod error;
mod fields;
pub mod issue;
pub mod jwt;
mod key_source;
pub(crate) mod node;
pub mod openapi;
pub mod remote;
pub mod rules;
pub mod scheme;
mod settings;
pub mod template;
pub mod users;

pub use api_keys::ApiKeyConfig;
pub use error::{ConfigError, Errors, Path};
pub use fields::SecretSource;
pub use issue::{ClientConfig, IssueConfig};
pub use jwt::JwtConfig;
pub use key_source::{IssuerConfig, KeyConfig, KeyMaterial, KeySource};
pub use openapi::{OpenApiConfig, Unsecured};
pub use remote::{DiscoveryConfig, IntrospectionConfig, RemoteConfig, RevocationConfig};
pub use rules::{MatchConfig, OnInvalid, PathConfig, RESERVED_NAMES, RuleConfig, SecurityConfig};
pub use scheme::{Flow, Flows, SchemeConfig, SchemeKind, TokenUsersConfig, UsersScopes};
pub use settings::{CacheLimits, CorsPreflight, ErrorSettings, IdentityHeaders, Mode};
pub use template::{LONGEST_PATH_BYTES, MAX_PATH_BYTES, Segment};
pub use users::UserConfig;

use crate::login::PasswordSettings;
use crate::secret::SecretJson;
use node::Node;
use serde_json::Value;

/// The whole configuration. An entry that had an error is `None`, so that its name is still known.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// `schemes`, sorted by name.
    pub schemes: Vec<(String, Option<SchemeConfig>)>,
    /// `users`, sorted by name.
    pub users: Vec<(String, Vec<Option<UserConfig>>)>,
    /// `api_keys`, sorted by name.
    pub api_keys: Vec<(String, Vec<Option<ApiKeyConfig>>)>,
    /// `rules`, in order.
    pub rules: Vec<Option<RuleConfig>>,
    /// `security`: what a request needs that no rule matches; unset: it is refused.
    pub security: Option<SecurityConfig>,
    /// `optional`: what becomes of a bad credential where none is needed.
    pub on_invalid: OnInvalid,
    /// `openapi`.
    pub openapi: OpenApiConfig,
    /// `passwords`.
    pub passwords: PasswordSettings,
    /// `identity_headers`.
    pub identity_headers: IdentityHeaders,
    /// `errors`.
    pub errors: ErrorSettings,
    /// `cors_preflight`.
    pub cors_preflight: CorsPreflight,
    /// `mode`.
    pub mode: Mode,
    /// `filter_state`: whether Envoy is told who calls, for its access log.
    pub filter_state: bool,
    /// `max_path_bytes`; unset: [`MAX_PATH_BYTES`].
    pub max_path_bytes: Option<usize>,
    /// `cache`.
    pub cache: CacheLimits,
}

impl Config {
    /// Reads the bytes of a plugin configuration: JSON text or a serialised
    /// `google.protobuf.Struct`. Errors go to `errors`; the rest is returned all the same, so that
    /// the second stage can look for errors of its own.
    #[must_use]
    pub fn read(bytes: &[u8], errors: &Errors) -> Self {
        match decode::decode(bytes) {
            Ok(value) => Self::from_json(SecretJson::new(value).expose(), errors),
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
        let openapi = object.optional("openapi", OpenApiConfig::read).unwrap_or_default();
        let described = openapi.document.as_ref().map(|(imported, _)| imported.schemes.as_slice());
        let config = Self {
            schemes: object
                .optional("schemes", |n| {
                    let described = with_description(n.value, described.unwrap_or_default());
                    Node { value: described.expose(), ..n }.map(SchemeConfig::read)
                })
                .unwrap_or_default(),
            users: directories(object.optional("users", |n| n.map(|users| users.items(UserConfig::read)))),
            api_keys: directories(
                object.optional("api_keys", |n| n.map(|keys| keys.items(ApiKeyConfig::read))),
            ),
            rules: object.optional("rules", |n| n.items(RuleConfig::read)).unwrap_or_default(),
            security: object.optional("security", rules::read_security),
            on_invalid: object.optional("optional", OnInvalid::read).unwrap_or_default(),
            openapi,
            passwords: object.optional("passwords", settings::read_password_settings).unwrap_or_default(),
            identity_headers: object.optional("identity_headers", IdentityHeaders::read).unwrap_or_default(),
            errors: object.optional("errors", ErrorSettings::read).unwrap_or_default(),
            cors_preflight: object.optional("cors_preflight", CorsPreflight::read).unwrap_or_default(),
            mode: object.optional("mode", Mode::read).unwrap_or_default(),
            filter_state: object.optional("filter_state", |n| n.bool()).unwrap_or_default(),
            max_path_bytes: object.optional("max_path_bytes", read_path_length),
            cache: object.optional("cache", CacheLimits::read).unwrap_or_default(),
        };
        object.finish();
        config
    }
}

fn read_path_length(node: Node<'_>) -> Option<usize> {
    let most = u64::try_from(LONGEST_PATH_BYTES).ok()?;
    usize::try_from(node.integer(256..=most)?).ok()
}

/// A directory that had an error is known by name all the same.
fn directories<T>(read: Option<Vec<(String, Option<Vec<T>>)>>) -> Vec<(String, Vec<T>)> {
    let directories = read.unwrap_or_default().into_iter();
    directories.map(|(name, entries)| (name, entries.unwrap_or_default())).collect()
}

/// `schemes`, each completed by what the OpenAPI document says of it. A scheme that names its own
/// `type` is complete.
fn with_description(schemes: &Value, described: &[(String, Value)]) -> SecretJson {
    let mut schemes = schemes.clone();
    for (name, description) in described {
        if let Some(Value::Object(own)) = schemes.get_mut(name)
            && !own.contains_key("type")
            && let Value::Object(description) = description
        {
            for (key, value) in description {
                own.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
    }
    SecretJson::new(schemes)
}
