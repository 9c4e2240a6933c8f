//! `schemes`: OpenAPI 3.1 Security Scheme Objects with Lychgate's additions.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::token::{Introspection, Jwt, SecretText};

/// How a caller can prove who they are.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Scheme {
    Bearer(Bearer),
    Basic(Basic),
    ApiKey(ApiKeyScheme),
    OAuth2(OAuth2),
    OpenIdConnect(OpenIdConnect),
    Described(Described),
}

macro_rules! word {
    ($name:ident, $word:literal) => {
        #[derive(JsonSchema)]
        #[schemars(inline)]
        enum $name {
            #[schemars(rename = $word)]
            Word,
        }
    };
}

word!(Http, "http");
word!(ApiKey, "apiKey");
word!(OAuth2Word, "oauth2");
word!(OpenIdConnectWord, "openIdConnect");

/// What every scheme may have.
#[derive(JsonSchema)]
struct Common {
    /// OpenAPI's `description`, for the document that is served.
    description: Option<String>,
    /// The answer when the credential is missing: 401 or 403. Left out: 403 for `http` bearer and
    /// `apiKey`, 401 for the rest, as in FastAPI.
    #[schemars(extend("enum" = [401, 403]))]
    missing_status: Option<u16>,
    /// The realm of the challenge in `WWW-Authenticate` (RFC 9110 section 11.5): printable ASCII without
    /// quotes and backslashes.
    #[schemars(regex(pattern = "^[ !\\x23-\\x5B\\x5D-\\x7E]*$"), extend("default" = "lychgate"))]
    realm: Option<String>,
    /// Whether the upstream gets to see the credential. If not, it is removed wherever it stood, by every rule that names
    /// this scheme, also where the rule let the request in without it. A rule that does not name the scheme leaves it.
    #[schemars(extend("default" = false))]
    forward: Option<bool>,
}

/// Which scopes of a token count, where the entry of its user lists `scopes`.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum UsersScopes {
    /// Those that the user has too: what is taken from a user is gone from the tokens that are about.
    Cut,
    /// All of them.
    Token,
}

/// How tokens that come from elsewhere are judged.
#[derive(JsonSchema)]
struct Tokens {
    /// How the token is verified.
    jwt: Option<Jwt>,
    /// In place of `jwt`: the token is opaque, and its issuer is asked (RFC 7662).
    introspection: Option<Introspection>,
    /// The directory under `users` that must know the token's `sub`. Left out: not checked.
    #[schemars(length(min = 1))]
    users: Option<String>,
    /// Which scopes of a token count where its user's entry lists `scopes`. Speaks of `users`.
    #[schemars(extend("default" = "cut"))]
    users_scopes: Option<UsersScopes>,
}

/// A bearer token (RFC 6750).
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend("oneOf" = [{"required": ["jwt"]}, {"required": ["introspection"]}]),
    extend("examples" = [{
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "jwt": {"remote_jwks": {"uri": "https://idp.example/keys", "cluster": "idp"}, "issuer": "https://idp.example"},
    }]),
)]
pub struct Bearer {
    /// The kind of scheme.
    r#type: Http,
    /// `bearer`, in any case (RFC 9110 section 11.1).
    #[schemars(regex(pattern = "^[Bb][Ee][Aa][Rr][Ee][Rr]$"), extend("examples" = ["bearer"]))]
    scheme: String,
    /// OpenAPI's hint at the form of the token, for the document that is served.
    #[schemars(rename = "bearerFormat", extend("examples" = ["JWT"]))]
    bearer_format: Option<String>,
    #[schemars(flatten)]
    tokens: Tokens,
    #[schemars(flatten)]
    common: Common,
}

/// HTTP Basic (RFC 7617).
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("examples" = [{"type": "http", "scheme": "basic", "users": "staff"}]))]
pub struct Basic {
    /// The kind of scheme.
    r#type: Http,
    /// `basic`, in any case (RFC 9110 section 11.1).
    #[schemars(regex(pattern = "^[Bb][Aa][Ss][Ii][Cc]$"), extend("examples" = ["basic"]))]
    scheme: String,
    /// The directory under `users` of those who may log in.
    #[schemars(length(min = 1))]
    users: String,
    #[schemars(flatten)]
    common: Common,
}

/// Where an API key stands.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum KeyLocation {
    Header,
    Query,
    Cookie,
}

/// An API key.
#[derive(JsonSchema)]
#[schemars(
    rename = "ApiKeyScheme",
    deny_unknown_fields,
    extend("examples" = [{"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"}]),
)]
pub struct ApiKeyScheme {
    /// The kind of scheme.
    r#type: ApiKey,
    /// Where the key stands.
    r#in: KeyLocation,
    /// The name of the header, query parameter or cookie.
    #[schemars(length(min = 1))]
    name: String,
    /// The directory under `api_keys` of the keys that are known.
    #[schemars(length(min = 1))]
    api_keys: String,
    #[schemars(flatten)]
    common: Common,
}

/// OAuth 2 (RFC 6749). The access token is a bearer token.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend("oneOf" = [{"required": ["jwt"]}, {"required": ["introspection"]}]),
    extend("examples" = [{
        "type": "oauth2",
        "flows": {"password": {"tokenUrl": "/token", "scopes": {"items:read": "Read items"}}},
        "jwt": {"keys": [{"alg": "HS256", "secret": {"env": "LYCHGATE_SECRET"}}]},
        "users": "staff",
        "issue": {"expires_in": 1800},
    }]),
)]
pub struct OAuth2 {
    /// The kind of scheme.
    r#type: OAuth2Word,
    /// Where tokens come from, for the document that is served; and, with `issue`, the token endpoint.
    flows: Flows,
    /// How the access token is verified.
    jwt: Option<Jwt>,
    /// In place of `jwt`: the token is opaque, and its issuer is asked (RFC 7662).
    introspection: Option<Introspection>,
    /// The directory under `users` that must know the token's `sub`; with `issue`, of those who may log
    /// in. Left out: not checked.
    #[schemars(length(min = 1))]
    users: Option<String>,
    /// Which scopes of a token count where its user's entry lists `scopes`. Speaks of `users`.
    #[schemars(extend("default" = "cut"))]
    users_scopes: Option<UsersScopes>,
    /// The gate serves `POST` on the password flow's `tokenUrl` itself (RFC 6749 section 4.3), and signs
    /// with the first key of `jwt.keys` that can. Left out: tokens come from elsewhere.
    issue: Option<Issue>,
    #[schemars(flatten)]
    common: Common,
}

/// OpenID Connect.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend("oneOf" = [{"required": ["jwt"]}, {"required": ["introspection"]}]),
    extend("examples" = [{
        "type": "openIdConnect",
        "openIdConnectUrl": "https://idp.example/.well-known/openid-configuration",
        "jwt": {"cluster": "idp", "audiences": ["api"]},
    }]),
)]
pub struct OpenIdConnect {
    /// The kind of scheme.
    r#type: OpenIdConnectWord,
    /// The discovery document; fetched where `jwt.cluster` says through which cluster.
    #[schemars(rename = "openIdConnectUrl", length(min = 1))]
    url: String,
    #[schemars(flatten)]
    tokens: Tokens,
    #[schemars(flatten)]
    common: Common,
}

/// A scheme whose OpenAPI part stands in `openapi.document` under the same name: all that is written here
/// is how the credential is verified.
#[derive(JsonSchema)]
#[schemars(
    rename = "DescribedScheme",
    deny_unknown_fields,
    extend("not" = {"required": ["type"]}),
    extend("anyOf" = [{"required": ["jwt"]}, {"required": ["introspection"]}, {"required": ["api_keys"]}, {"required": ["users"]}]),
    extend("examples" = [{"api_keys": "partners"}]),
)]
pub struct Described {
    /// How the token is verified.
    jwt: Option<Jwt>,
    /// In place of `jwt`: the token is opaque, and its issuer is asked (RFC 7662).
    introspection: Option<Introspection>,
    /// As in the scheme of the document's type.
    #[schemars(length(min = 1))]
    users: Option<String>,
    /// As in the scheme of the document's type.
    users_scopes: Option<UsersScopes>,
    /// As in `apiKey`.
    #[schemars(length(min = 1))]
    api_keys: Option<String>,
    /// As in `oauth2`.
    issue: Option<Issue>,
    /// In place of the document's.
    #[schemars(length(min = 1))]
    scheme: Option<String>,
    /// In place of the document's.
    #[schemars(rename = "bearerFormat")]
    bearer_format: Option<String>,
    /// In place of the document's.
    r#in: Option<KeyLocation>,
    /// In place of the document's.
    #[schemars(length(min = 1))]
    name: Option<String>,
    /// In place of the document's.
    flows: Option<Flows>,
    /// In place of the document's.
    #[schemars(rename = "openIdConnectUrl", length(min = 1))]
    url: Option<String>,
    #[schemars(flatten)]
    common: Common,
}

/// OpenAPI's OAuth Flows Object.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct Flows {
    /// RFC 6749 section 4.2.
    implicit: Option<ImplicitFlow>,
    /// RFC 6749 section 4.3: a username and a password for a token. The one that the gate can serve
    /// itself.
    password: Option<TokenFlow>,
    /// RFC 6749 section 4.4.
    client_credentials: Option<TokenFlow>,
    /// RFC 6749 section 4.1.
    authorization_code: Option<CodeFlow>,
}

/// OpenAPI's OAuth Flow Object, with an authorisation endpoint.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct ImplicitFlow {
    /// The authorisation endpoint.
    #[schemars(length(min = 1))]
    authorization_url: String,
    #[schemars(flatten)]
    flow: Flow,
}

/// OpenAPI's OAuth Flow Object, with a token endpoint.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct TokenFlow {
    /// The token endpoint. With `issue` a path on the gate itself.
    #[schemars(length(min = 1))]
    token_url: String,
    #[schemars(flatten)]
    flow: Flow,
}

/// OpenAPI's OAuth Flow Object, with both endpoints.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase", deny_unknown_fields)]
struct CodeFlow {
    /// The authorisation endpoint.
    #[schemars(length(min = 1))]
    authorization_url: String,
    /// The token endpoint.
    #[schemars(length(min = 1))]
    token_url: String,
    #[schemars(flatten)]
    flow: Flow,
}

/// What every flow has.
#[derive(JsonSchema)]
#[schemars(rename_all = "camelCase")]
struct Flow {
    /// Where a token is renewed; for the document that is served.
    #[schemars(length(min = 1))]
    refresh_url: Option<String>,
    /// Scope to description.
    scopes: BTreeMap<String, String>,
}

/// How the gate issues tokens: `POST tokenUrl` with a form of `username`, `password` and, if wanted,
/// `grant_type=password`, `scope`, `client_id`, `client_secret`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("examples" = [
    {"expires_in": 1800},
    {"clients": [{"client_id": "app", "client_secret": {"env": "APP_SECRET"}}]},
]))]
struct Issue {
    /// Lifetime of a token, in seconds.
    #[schemars(range(min = 1, max = 31_536_000), extend("default" = 900))]
    expires_in: Option<u32>,
    /// The clients that may ask. Left out: every client, and what it says of itself is ignored.
    #[schemars(length(min = 1))]
    clients: Option<Vec<Client>>,
    /// For hosts that hold a request's body back together with its head (Istio's WasmPlugin, Envoy before 1.35,
    /// Envoy without `allow_on_headers_stop_iteration`): lets the head of a request for a token go on to the
    /// upstream, without credentials and body, so that the body can be read. Left out, such requests are refused
    /// there with 408, and nothing of them reaches the upstream.
    #[schemars(extend("default" = false))]
    release_head: Option<bool>,
}

/// A client (RFC 6749 section 2).
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Client {
    /// Its identifier.
    #[schemars(length(min = 1))]
    client_id: String,
    /// Its secret. A client without one is public (RFC 6749 section 2.1).
    client_secret: Option<SecretText>,
}
