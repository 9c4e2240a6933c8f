//! What users write: the plugin configuration as it is in `envoy.yaml`, read strictly.
//!
//! This is the first of two stages. Here every key is known, every value has its type, and every
//! error is collected with its JSON path. [`crate::policy`] is the second: it resolves references,
//! imports keys, and can only be built from a configuration without errors.

pub mod api_keys;
pub mod claims;
mod decode;
pub mod error;
mod fields;
pub mod flows;
pub mod issue;
pub mod jwt;
mod key_source;
pub mod matching;
pub mod mutual_tls;
mod need;
pub(crate) mod node;
pub mod openapi;
pub(crate) mod places;
pub mod proof;
pub mod remote;
pub mod resources;
pub mod rules;
pub mod scheme;
mod scopes;
mod settings;
pub mod template;
pub mod users;

pub use api_keys::ApiKeyConfig;
pub use claims::{ClaimHeaderConfig, METADATA_NAMES, OnInvalidHeader, RolesConfig, ScopeMode};
pub use error::{ConfigError, Errors, Path};
pub use fields::SecretSource;
pub use flows::{Flow, Flows};
pub use issue::{ClientConfig, IssueConfig};
pub use jwt::JwtConfig;
pub use key_source::{IssuerConfig, KeyConfig, KeyMaterial, KeySource};
pub use matching::{ExceptConfig, HeaderCondition, MatchConfig, PathConfig};
pub use mutual_tls::{AllowedCertificateConfig, MutualTlsConfig};
pub use need::NeedConfig;
pub use openapi::{Neighbours, OpenApiConfig, Unsecured};
pub use proof::{CertificateBoundConfig, Confirmation, DpopConfig, Profile, ProofConfig};
pub use remote::{
    AuthMethod, DiscoveryConfig, IntrospectionConfig, OnOutage, RemoteConfig, RemoteKeysConfig,
    RevocationConfig,
};
pub use resources::ResourceConfig;
pub use rules::{OnInvalid, RESERVED_NAMES, RuleConfig, RuleSecurity, SecurityConfig};
pub use scheme::{
    ApiKeySchemeConfig, BasicConfig, BearerConfig, OAuth2Config, OpenIdConnectConfig, SchemeConfig,
    SchemeKind, TokenUsersConfig, UsersScopes,
};
pub use scopes::ScopesConfig;
pub use settings::{CacheLimits, CorsPreflight, ErrorSettings, IdentityHeaders, Mode};
pub use template::{LONGEST_PATH_BYTES, MAX_PATH_BYTES, Segment};
pub use users::UserConfig;

use crate::login::PasswordSettings;
use crate::secret::SecretJson;
use node::Node;
use openapi::import::ImportedScheme;
use serde_json::Value;

/// The configuration of Lychgate: in Envoy the plugin's `configuration` (a `google.protobuf.Struct`, or
/// a `StringValue` that holds JSON), in Istio `pluginConfig`, in Envoy Gateway `config`.
///
/// Directories are sorted by name, rules in order. An entry that had an error is `None`, so that its name is still
/// known.
#[derive(Clone, Debug, Default)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(
        deny_unknown_fields,
        default,
        title = "Lychgate",
        extend("examples" = [{
            "schemes": {"partner_key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"}},
            "api_keys": {"partners": [{
                "id": "demo-app",
                "sha256": "2a570fed1461570bf2a13db7f539939da4357b393cf9395c74c4e0a313a945a5",
                "scopes": ["items:read"],
            }]},
            "rules": [{"match": {"path": "/health", "methods": ["GET"]}, "security": []}],
            "security": [{"partner_key": ["items:read"]}],
        }]),
        // Only a document can say the type of a scheme that does not say it itself.
        extend("if" = {"not": {"required": ["openapi"], "properties": {"openapi": {"required": ["document"]}}}}),
        extend("then" = {"properties": {"schemes": {"additionalProperties": {"required": ["type"]}}}}),
    )
)]
pub struct Config {
    /// The kinds of credentials: name to OpenAPI 3.1 Security Scheme Object, and how the credential is verified.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "std::collections::BTreeMap<String, scheme::written::Scheme>")
    )]
    pub schemes: Vec<(String, Option<SchemeConfig>)>,
    /// Directories of users, by name. A scheme refers to one by its `users`.
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, Vec<UserConfig>>"))]
    pub users: Vec<(String, Vec<Option<UserConfig>>)>,
    /// Directories of API keys, by name. A scheme refers to one by its `api_keys`.
    #[cfg_attr(feature = "schema", schemars(with = "std::collections::BTreeMap<String, Vec<ApiKeyConfig>>"))]
    pub api_keys: Vec<(String, Vec<Option<ApiKeyConfig>>)>,
    /// What scopes say of other scopes.
    pub scopes: ScopesConfig,
    /// Which request needs what. The first rule that matches wins.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<RuleConfig>"))]
    pub rules: Vec<Option<RuleConfig>>,
    /// Protected resources: clients that come without a token are led to where they get one (RFC 9728).
    #[cfg_attr(feature = "schema", schemars(with = "Vec<ResourceConfig>"))]
    pub resources: Vec<Option<ResourceConfig>>,
    /// What a request needs that no rule matches. Without it such a request is refused with 403
    /// `Forbidden`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<rules::written::Requirements>"))]
    pub security: Option<SecurityConfig>,
    /// What becomes of a credential that is there and invalid, where a request without a credential would pass. A
    /// rule may have its own.
    #[cfg_attr(feature = "schema", schemars(rename = "optional"))]
    pub on_invalid: OnInvalid,
    /// An OpenAPI document that becomes rules, and the documentation that Lychgate serves.
    pub openapi: OpenApiConfig,
    /// What checking passwords and signing tokens may cost a worker, and what guessing costs.
    pub passwords: PasswordSettings,
    /// Request headers that tell the upstream the identity of the client. Headers of these names, and
    /// of every name in `claims_to_headers`, are always removed from what a client sends.
    pub identity_headers: IdentityHeaders,
    /// How refusals are written.
    pub errors: ErrorSettings,
    /// What becomes of CORS preflights: OPTIONS with `Origin` and `Access-Control-Request-Method`, which
    /// browsers send without credentials (Fetch standard, section 4.8).
    pub cors_preflight: CorsPreflight,
    /// Whether refusals are carried out.
    pub mode: Mode,
    /// Whether Envoy gets each decision as filter state, for its access log:
    /// `wasm.lychgate.rule`, `.scheme`, `.subject`, `.scopes`, `.reason`. It costs a call of Envoy for each.
    pub filter_state: bool,
    /// The longest path that is read, in bytes as it was sent, without its query. A longer one is refused
    /// with 414. What a path costs a worker grows with it. Automata of `regex` rules, and of templates with
    /// several parameters in a segment, read paths of up to a quarter of it to the end; a longer one that they
    /// have not decided by a sixteenth is refused as well.
    ///
    /// `None`: [`MAX_PATH_BYTES`].
    #[cfg_attr(
        feature = "schema",
        schemars(
            range(min = SHORTEST_PATH_BYTES, max = LONGEST_PATH_BYTES),
            extend("default" = MAX_PATH_BYTES),
        )
    )]
    pub max_path_bytes: Option<usize>,
    /// Verified tokens that a worker remembers, each until it expires.
    pub cache: CacheLimits,
}

/// The least that `max_path_bytes` can be set to.
const SHORTEST_PATH_BYTES: u64 = 256;

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
            scopes: object.optional("scopes", ScopesConfig::read).unwrap_or_default(),
            rules: object.optional("rules", |n| n.items(RuleConfig::read)).unwrap_or_default(),
            resources: object.optional("resources", |n| n.items(ResourceConfig::read)).unwrap_or_default(),
            security: object.optional("security", RuleSecurity::read).and_then(RuleSecurity::into_required),
            on_invalid: object.optional("optional", |n| n.enumeration(OnInvalid::WORDS)).unwrap_or_default(),
            openapi,
            passwords: object.optional("passwords", settings::read_password_settings).unwrap_or_default(),
            identity_headers: object.optional("identity_headers", IdentityHeaders::read).unwrap_or_default(),
            errors: object.optional("errors", ErrorSettings::read).unwrap_or_default(),
            cors_preflight: object
                .optional("cors_preflight", |n| n.enumeration(CorsPreflight::WORDS))
                .unwrap_or_default(),
            mode: object.optional("mode", |n| n.enumeration(Mode::WORDS)).unwrap_or_default(),
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
    usize::try_from(node.integer(SHORTEST_PATH_BYTES..=most)?).ok()
}

/// A directory that had an error is known by name all the same.
fn directories<T>(read: Option<Vec<(String, Option<Vec<T>>)>>) -> Vec<(String, Vec<T>)> {
    let directories = read.unwrap_or_default().into_iter();
    directories.map(|(name, entries)| (name, entries.unwrap_or_default())).collect()
}

/// `schemes`, each completed by what the OpenAPI document says of it. A scheme that names its own
/// `type` is complete.
fn with_description(schemes: &Value, described: &[ImportedScheme]) -> SecretJson {
    let mut schemes = schemes.clone();
    for ImportedScheme { name, description, .. } in described {
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
