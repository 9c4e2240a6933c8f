//! `schemes`: OpenAPI 3.1 Security Scheme Objects, and how each credential is verified.

use super::flows::Flows;
use super::issue::IssueConfig;
use super::jwt::JwtConfig;
use super::mutual_tls::MutualTlsConfig;
use super::node::Node;
use super::places::read_locations;
use crate::credential::{CredentialLocation, FromOrder};
use crate::setting::words;
pub use read::read_missing_status;
use read::{read_api_key, read_http, read_oauth2, read_open_id_connect, read_realm};

mod read;
#[cfg(feature = "schema")]
pub(super) mod written;

/// A Security Scheme Object with Lychgate's additions.
///
/// Its schema is what all kinds have in common.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SchemeConfig {
    /// What kind of credential, and how it is verified.
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub kind: SchemeKind,
    /// OpenAPI's `description`, for the document that is served.
    pub description: Option<String>,
    /// OpenAPI 3.2's `deprecated`, for the document that is served.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub deprecated: bool,
    /// The status if the credential is missing: 401 or 403. Left out: `errors.missing_status`, else 403 for `http` bearer
    /// and `apiKey` and 401 for the others, as in FastAPI before 0.122.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = [401, 403])))]
    pub missing_status: Option<u16>,
    /// The realm of the challenge in `WWW-Authenticate` (RFC 9110 section 11.5): printable ASCII without
    /// quotes and backslashes.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<String>", regex(pattern = "^[ !\\x23-\\x5B\\x5D-\\x7E]*$"), extend("default" = DEFAULT_REALM))
    )]
    pub realm: String,
    /// Whether the credential is forwarded to the upstream. If not, it is removed from every place, by every rule that
    /// names this scheme, also if the rule allowed the request without it. A rule that does not name the scheme leaves
    /// it. A credential that is forwarded is no proof: the request may have passed by another alternative.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub forward: bool,
    /// Where the credential may be, in place of the one usual place. Equal credentials in several places are one; different
    /// ones are refused.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<Vec<super::places::written::CredentialPlace>>",
            length(min = 1),
            extend("examples" = [[{"header": "Authorization"}, {"cookie": "session"}]]),
        )
    )]
    pub from: Option<Vec<CredentialLocation>>,
    /// Which place of `from` counts if a request has credentials in several of them.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub from_order: FromOrder,
    /// Whether a 401 has the challenge of this scheme in `WWW-Authenticate`. `false` for `basic` keeps browsers from asking
    /// for a password over a web application.
    #[cfg_attr(feature = "schema", schemars(default = "is_challenging"))]
    pub challenge: bool,
}

/// Whether a scheme that does not say it has a challenge.
#[cfg(feature = "schema")]
const fn is_challenging() -> bool {
    true
}

/// The realm of a scheme that has none of its own.
const DEFAULT_REALM: &str = "lychgate";

/// OpenAPI's `type`, with what belongs to each.
#[derive(Clone, Debug)]
pub enum SchemeKind {
    /// `type: http`, `scheme: bearer`.
    Bearer(BearerConfig),
    /// `type: http`, `scheme: basic`.
    Basic(BasicConfig),
    /// `type: apiKey`.
    ApiKey(ApiKeySchemeConfig),
    /// `type: oauth2`.
    OAuth2(OAuth2Config),
    /// `type: openIdConnect`.
    OpenIdConnect(OpenIdConnectConfig),
    /// `type: mutualTLS`.
    MutualTls(MutualTlsConfig),
}

/// A bearer token (RFC 6750).
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(
        extend("anyOf" = [{"required": ["jwt"]}, {"required": ["introspection"]}, {"required": ["api_keys"]}]),
        extend("not" = {"required": ["jwt", "introspection"]}),
        extend("examples" = [{
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "jwt": {"remote_jwks": {"uri": "https://idp.example/keys", "cluster": "idp"}, "issuer": "https://idp.example"},
        }, {"type": "http", "scheme": "bearer", "api_keys": "partners"}]),
    )
)]
pub struct BearerConfig {
    /// OpenAPI's hint at the form of the token, for the document that is served.
    #[cfg_attr(feature = "schema", schemars(rename = "bearerFormat", extend("examples" = ["JWT"])))]
    pub bearer_format: Option<String>,
    /// How the token is verified; `None`: there are only API keys.
    #[cfg_attr(feature = "schema", schemars(flatten, with = "written::Token"))]
    pub jwt: Option<JwtConfig>,
    /// The users that must have the token's subject.
    #[cfg_attr(feature = "schema", schemars(flatten, with = "TokenUsersConfig"))]
    pub users: Option<TokenUsersConfig>,
    /// The directory under `api_keys` with keys that are accepted too (`Authorization: Bearer sk-...`), also beside `jwt` or
    /// `introspection`: what is none of the keys is then a token.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub api_keys: Option<String>,
}

/// HTTP Basic (RFC 7617).
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(extend("examples" = [{"type": "http", "scheme": "basic", "users": "staff"}]))
)]
pub struct BasicConfig {
    /// The directory under `users` of the users that may log in.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub users: String,
}

/// An API key.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(extend("examples" = [{"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"}]))
)]
pub struct ApiKeySchemeConfig {
    /// Where the key is.
    ///
    /// A header in lower case.
    #[cfg_attr(feature = "schema", schemars(rename = "in", with = "KeyLocation"))]
    pub location: CredentialLocation,
    /// The name of the header, query parameter or cookie.
    ///
    /// As it was written, for documents.
    #[cfg_attr(feature = "schema", schemars(rename = "name", length(min = 1)))]
    pub written_name: String,
    /// The directory under `api_keys` with the keys.
    #[cfg_attr(feature = "schema", schemars(rename = "api_keys", length(min = 1)))]
    pub directory: String,
}

/// OAuth 2 (RFC 6749). The access token is a bearer token.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(
        extend("oneOf" = [{"required": ["jwt"]}, {"required": ["introspection"]}]),
        extend("examples" = [{
            "type": "oauth2",
            "flows": {"password": {"tokenUrl": "/token", "scopes": {"items:read": "Read items"}}},
            "jwt": {"keys": [{"alg": "HS256", "secret": {"env": "LYCHGATE_SECRET"}}]},
            "users": "staff",
            "issue": {"expires_in": 1800},
        }]),
    )
)]
pub struct OAuth2Config {
    /// Where tokens come from, for the document that is served; and, with `issue`, the token endpoint.
    pub flows: Flows,
    /// OpenAPI 3.2's URL of the issuer's metadata (RFC 8414), for the document that is served.
    #[cfg_attr(feature = "schema", schemars(rename = "oauth2MetadataUrl", length(min = 1)))]
    pub metadata_url: Option<String>,
    /// How the access token is verified.
    #[cfg_attr(feature = "schema", schemars(flatten, with = "written::Token"))]
    pub jwt: JwtConfig,
    /// The users that must have the token's subject.
    #[cfg_attr(feature = "schema", schemars(flatten, with = "TokenUsersConfig"))]
    pub users: Option<TokenUsersConfig>,
    /// Lychgate serves `POST` on the password flow's `tokenUrl` itself (RFC 6749 section 4.3), and signs
    /// with the first key of `jwt.keys` that can. Left out: another service issues the tokens.
    pub issue: Option<IssueConfig>,
}

/// OpenID Connect (Discovery 1.0).
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(
        extend("oneOf" = [{"required": ["jwt"]}, {"required": ["introspection"]}]),
        extend("examples" = [{
            "type": "openIdConnect",
            "openIdConnectUrl": "https://idp.example/.well-known/openid-configuration",
            "jwt": {"cluster": "idp", "audiences": ["api"]},
        }]),
    )
)]
pub struct OpenIdConnectConfig {
    /// The URL of the discovery document. `jwt.cluster` is the cluster through which it is fetched.
    #[cfg_attr(feature = "schema", schemars(rename = "openIdConnectUrl", length(min = 1)))]
    pub url: String,
    /// How the token is verified.
    #[cfg_attr(feature = "schema", schemars(flatten, with = "written::Token"))]
    pub jwt: JwtConfig,
    /// The users that must have the token's subject.
    #[cfg_attr(feature = "schema", schemars(flatten, with = "TokenUsersConfig"))]
    pub users: Option<TokenUsersConfig>,
}

/// `users` of a token: the directory that must know its subject, and what that means for its scopes.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TokenUsersConfig {
    /// The directory under `users` that must have the token's `sub`; with `issue`, the directory of the users that may
    /// log in. Left out: not checked.
    #[cfg_attr(feature = "schema", schemars(rename = "users", with = "Option<String>", length(min = 1)))]
    pub directory: String,
    /// Which scopes of a token count if its user's entry lists `scopes`. Only with `users`.
    #[cfg_attr(feature = "schema", schemars(rename = "users_scopes", default))]
    pub scopes: UsersScopes,
}

words! {
    /// Which scopes of a token count if the entry of its user lists `scopes`.
    #[derive(Default)]
    pub enum UsersScopes {
        /// Those that the user has too: a scope that is taken from a user no longer counts in tokens issued before.
        #[default]
        Cut = "cut",
        /// All of them.
        Token = "token",
    }
}

words! {
    /// Where an API key is.
    enum KeyLocation {
        Header = "header",
        Query = "query",
        Cookie = "cookie",
    }
}

#[derive(Clone, Copy)]
enum Type {
    Http,
    ApiKey,
    OAuth2,
    OpenIdConnect,
    MutualTls,
}

impl SchemeConfig {
    /// Reads one entry of `schemes`.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let kind_word = object.required("type", |n| {
            n.enumeration(&[
                ("http", Type::Http),
                ("apiKey", Type::ApiKey),
                ("oauth2", Type::OAuth2),
                ("openIdConnect", Type::OpenIdConnect),
                ("mutualTLS", Type::MutualTls),
            ])
        })?;
        let description = object.optional("description", |n| n.string());
        let deprecated = object.optional("deprecated", |n| n.bool()).unwrap_or(false);
        let missing_status = object.optional("missing_status", read_missing_status);
        let realm = object.optional("realm", read_realm).unwrap_or_else(|| DEFAULT_REALM.to_owned());
        let forward = object.optional("forward", |n| n.bool()).unwrap_or(false);
        let challenge = object.optional("challenge", |n| n.bool()).unwrap_or(true);
        let from_order =
            object.optional("from_order", |n| n.enumeration(FromOrder::WORDS)).unwrap_or_default();
        let kind = match kind_word {
            Type::Http => read_http(&object),
            Type::ApiKey => read_api_key(&object),
            Type::OAuth2 => read_oauth2(&object),
            Type::OpenIdConnect => read_open_id_connect(&object),
            Type::MutualTls => MutualTlsConfig::read(&object).map(SchemeKind::MutualTls),
        };
        let has_from = object.has("from");
        let from = object.optional("from", |n| match &kind {
            Some(SchemeKind::Basic(_)) => read_locations(n, "Basic "),
            Some(SchemeKind::ApiKey(_)) => read_locations(n, ""),
            Some(SchemeKind::MutualTls(_)) => {
                n.error("a certificate is in no place of a request; leave it out")
            }
            Some(SchemeKind::Bearer(_) | SchemeKind::OAuth2(_) | SchemeKind::OpenIdConnect(_)) | None => {
                read_locations(n, "Bearer ")
            }
        });
        object.finish();
        if has_from && from.is_none() {
            return None;
        }
        Some(Self {
            kind: kind?,
            description,
            deprecated,
            missing_status,
            realm,
            forward,
            from,
            from_order,
            challenge,
        })
    }
}
