//! `jwt` and `introspection`: how tokens are found and verified.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

/// A secret: its text, `{env: NAME}` for an environment variable that the plugin is given
/// (`vm_config.environment_variables`), or `{base64: ...}` for its bytes.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "Secret", extend("examples" = [{"env": "LYCHGATE_SECRET"}]))]
pub enum SecretText {
    Text(String),
    Env(Env),
    Base64(Base64),
}

/// From an environment variable.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Env {
    /// The name of the variable. Envoy must be told that the plugin may read it.
    #[schemars(length(min = 1))]
    env: String,
}

/// Bytes.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Base64 {
    /// RFC 4648 section 4 or 5, padded or not.
    base64: String,
}

/// PEM text of a public key, or `{env: NAME}`. A private key, to issue tokens with, only by `{env: NAME}`.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "Pem")]
enum Pem {
    Text(#[schemars(length(min = 1))] String),
    Env(Env),
}

/// A signature algorithm; `none` never.
struct Algorithm;

impl JsonSchema for Algorithm {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Algorithm".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // From the code that verifies, so that it cannot name others.
        let names = lychgate::keys::Algorithm::ALL.map(lychgate::keys::Algorithm::name);
        json_schema!({
            "description": "A signature algorithm (RFC 7518 section 3.1, RFC 8037, RFC 8812; ML-DSA of \
                FIPS 204); `none` never.",
            "type": "string",
            "enum": names,
        })
    }
}

/// One key, and the one algorithm that it is for.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend("oneOf" = [{"required": ["secret"]}, {"required": ["pem"]}, {"required": ["jwk"]}]),
    extend("examples" = [{"alg": "HS256", "secret": {"env": "LYCHGATE_SECRET"}}]),
)]
struct Key {
    /// The algorithm.
    alg: Algorithm,
    /// The shared secret of HS256, HS384, HS512: at least 32, 48, 64 bytes (RFC 7518 section 3.2).
    secret: Option<SecretText>,
    /// A public key as PEM text. RSA of 2048 to 4096 bits.
    pem: Option<Pem>,
    /// A JSON Web Key (RFC 7517).
    jwk: Option<Map<String, Value>>,
    /// Which tokens it is for, by their `kid` (RFC 7515 section 4.1.4). Left out: any.
    #[schemars(length(min = 1))]
    kid: Option<String>,
}

/// A JWK Set (RFC 7517 section 5). Keys in it that cannot verify tokens are left out, with a warning.
#[derive(JsonSchema)]
struct KeySet {
    /// Its keys.
    keys: Vec<Map<String, Value>>,
}

/// When something is fetched.
#[derive(JsonSchema)]
struct Schedule {
    /// How long the answer may take, in seconds.
    #[schemars(range(min = 1, max = 60), extend("default" = 5))]
    timeout_seconds: Option<u64>,
    /// How often it is fetched in the background, in seconds. Left out: 600 for keys, 60 for revocations.
    #[schemars(range(min = 1, max = 86_400))]
    refresh_seconds: Option<u64>,
    /// For a key that is not in the set it is fetched ahead of time, but not oftener than this, in
    /// seconds.
    #[schemars(range(min = 1, max = 86_400), extend("default" = 10))]
    refetch_seconds: Option<u64>,
    /// How long the last answer serves on while fetching fails, in seconds.
    #[schemars(range(min = 1, max = 31_536_000), extend("default" = 86_400))]
    max_stale_seconds: Option<u64>,
}

/// Through which cluster, and when.
#[derive(JsonSchema)]
struct Fetching {
    /// The Envoy cluster.
    #[schemars(length(min = 1))]
    cluster: String,
    #[schemars(flatten)]
    schedule: Schedule,
}

/// Something that is fetched through an Envoy cluster.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("examples" = [{"uri": "https://idp.example/keys", "cluster": "idp"}]))]
struct Remote {
    /// Where it is: an absolute URI. The cluster decides where the request goes and whether with TLS.
    #[schemars(regex(pattern = "^https?://"))]
    uri: String,
    #[schemars(flatten)]
    fetching: Fetching,
}

/// A list of revoked tokens that is polled.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct RevocationList {
    /// Where it is: JSON of the form of `revoked`.
    #[schemars(regex(pattern = "^https?://"))]
    uri: String,
    #[schemars(flatten)]
    fetching: Fetching,
    /// What becomes of tokens while there is no list.
    #[schemars(extend("default" = "refuse"))]
    on_outage: Option<OnOutage>,
}

/// What becomes of tokens while there is no list.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum OnOutage {
    /// Refused with 503.
    Refuse,
    /// Accepted.
    Accept,
}

/// Tokens that are revoked, by any of these.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("examples" = [{"sub": ["mallory"], "issued_before": 1_767_225_600}]))]
struct Revoked {
    /// By their `jti`.
    jti: Option<Vec<NonEmpty>>,
    /// By their `sub`.
    sub: Option<Vec<NonEmpty>>,
    /// By their `iat`: those issued before this Unix time, in seconds.
    #[schemars(range(min = 0, max = 9_007_199_254_740_992_u64))]
    issued_before: Option<u64>,
}

/// A text that is not empty.
#[derive(JsonSchema)]
#[schemars(inline)]
struct NonEmpty(#[schemars(length(min = 1))] String);

/// One of several issuers, with keys of its own.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend("oneOf" = [{"required": ["keys"]}, {"required": ["jwks"]}, {"required": ["remote_jwks"]}, {"required": ["cluster"]}]),
    extend("dependentRequired" = {
        "jwks_cluster": ["cluster"], "timeout_seconds": ["cluster"], "refresh_seconds": ["cluster"],
        "refetch_seconds": ["cluster"], "max_stale_seconds": ["cluster"],
    }),
    extend("examples" = [{"issuer": "https://idp.example", "cluster": "idp"}]),
)]
struct Issuer {
    /// `iss` of its tokens.
    #[schemars(length(min = 1))]
    issuer: String,
    #[schemars(flatten)]
    keys: Keys,
    /// Accepted algorithms. Left out: those of its keys.
    #[schemars(length(min = 1))]
    algorithms: Option<Vec<Algorithm>>,
}

/// Where keys come from.
#[derive(JsonSchema)]
struct Keys {
    /// Keys, one by one.
    #[schemars(length(min = 1))]
    keys: Option<Vec<Key>>,
    /// An inline JWK Set.
    jwks: Option<KeySet>,
    /// A JWK Set that is fetched.
    remote_jwks: Option<Remote>,
    /// OpenID Connect discovery through this Envoy cluster: the document of the scheme's
    /// `openIdConnectUrl`, or of the issuer, names the JWK Set.
    #[schemars(length(min = 1))]
    cluster: Option<String>,
    /// With `cluster`: the cluster of the JWK Set, where it is on another host.
    #[schemars(length(min = 1))]
    jwks_cluster: Option<String>,
    /// With `cluster`: when keys are fetched.
    #[schemars(flatten)]
    schedule: Schedule,
}

/// Where a token may stand.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend("oneOf" = [{"required": ["header"]}, {"required": ["query"]}, {"required": ["cookie"]}]),
    extend("dependentRequired" = {"prefix": ["header"]}),
    extend("examples" = [{"header": "Authorization", "prefix": "Bearer "}, {"header": "X-Token"}, {"query": "access_token"}, {"cookie": "session"}]),
)]
struct TokenSource {
    /// A request header.
    #[schemars(length(min = 1))]
    header: Option<String>,
    /// With `header`: what stands before the token, in any case. Left out: `Bearer ` for `Authorization`,
    /// nothing for another header.
    prefix: Option<String>,
    /// A parameter of the query string.
    #[schemars(length(min = 1))]
    query: Option<String>,
    /// A cookie.
    #[schemars(length(min = 1))]
    cookie: Option<String>,
}

/// How tokens are found, and what they must say.
#[derive(JsonSchema)]
struct Demands {
    /// What `iss` must be. Left out: not checked, or as discovery says.
    #[schemars(length(min = 1))]
    issuer: Option<String>,
    /// `aud` must name one of these (RFC 7519 section 4.1.3). Left out: not checked.
    #[schemars(length(min = 1))]
    audiences: Option<Vec<NonEmpty>>,
    /// Accepted algorithms. Left out: those of the keys.
    #[schemars(length(min = 1))]
    algorithms: Option<Vec<Algorithm>>,
    /// Claims that must be there. Left out: `exp` and `sub`; with `introspection` none.
    required_claims: Option<Vec<NonEmpty>>,
    /// Tolerance for `exp`, `nbf` and `iat`, in seconds.
    #[schemars(range(min = 0, max = 86_400), extend("default" = 60))]
    leeway_seconds: Option<u64>,
    /// The longest token that is looked at, in bytes.
    #[schemars(range(min = 64, max = 1_048_576), extend("default" = 8192))]
    max_token_bytes: Option<u64>,
    /// Claims that may hold the scopes: the first one present counts, an array of strings or a string
    /// with spaces (RFC 8693 section 4.2). What is no scope-token is no scope; more than 1,024 refuse the token.
    #[schemars(length(min = 1), extend("default" = ["scopes", "scope", "scp"]))]
    scope_claims: Option<Vec<NonEmpty>>,
    /// Where the token may stand. In two of these places at once it is refused.
    #[schemars(length(min = 1), extend("default" = [{"header": "Authorization", "prefix": "Bearer "}]))]
    from: Option<Vec<TokenSource>>,
    /// Claim, or dotted path, to the request header that it is copied to. Arrays go as values separated
    /// by commas, objects as JSON.
    #[schemars(extend("examples" = [{"email": "x-auth-email", "address.city": "x-auth-city"}]))]
    claims_to_headers: Option<BTreeMap<String, NonEmpty>>,
    /// Tokens that are revoked.
    revoked: Option<Revoked>,
    /// A list of more of them, polled.
    revocation: Option<RevocationList>,
}

/// How a JSON Web Token (RFC 7519) is found and verified. One of `keys`, `jwks`, `remote_jwks`, `cluster`
/// and `issuers` gives the keys.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend("oneOf" = [
        {"required": ["keys"]}, {"required": ["jwks"]}, {"required": ["remote_jwks"]}, {"required": ["cluster"]},
        {"required": ["issuers"]},
    ]),
    extend("dependentRequired" = {
        "jwks_cluster": ["cluster"], "timeout_seconds": ["cluster"], "refresh_seconds": ["cluster"],
        "refetch_seconds": ["cluster"], "max_stale_seconds": ["cluster"],
    }),
    extend("examples" = [
        {"keys": [{"alg": "HS256", "secret": {"env": "LYCHGATE_SECRET"}}], "issuer": "https://idp.example"},
        {"cluster": "idp", "audiences": ["api"], "claims_to_headers": {"email": "x-auth-email"}},
    ]),
)]
pub struct Jwt {
    #[schemars(flatten)]
    keys: Keys,
    /// Several issuers, each with keys of its own.
    #[schemars(length(min = 1))]
    issuers: Option<Vec<Issuer>>,
    #[schemars(flatten)]
    demands: Demands,
}

/// Tokens that only their issuer can read: it is asked (RFC 7662), and its answer is remembered.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("examples" = [{
    "uri": "https://idp.example/introspect", "cluster": "idp", "client_id": "gate", "client_secret": {"env": "GATE_SECRET"},
}]))]
pub struct Introspection {
    /// The introspection endpoint: an absolute URI.
    #[schemars(regex(pattern = "^https?://"))]
    uri: String,
    /// The Envoy cluster that it is asked through.
    #[schemars(length(min = 1))]
    cluster: String,
    /// Who the gate is to the issuer.
    #[schemars(length(min = 1))]
    client_id: String,
    /// Its secret there.
    client_secret: SecretText,
    /// How the gate names itself (RFC 6749 section 2.3.1): in `Authorization`, or in the form.
    #[schemars(extend("default" = "client_secret_basic"))]
    auth_method: Option<AuthMethod>,
    /// How long an answer is remembered at most, in seconds; never longer than the token lives.
    #[schemars(range(min = 0, max = 86_400), extend("default" = 60))]
    cache_seconds: Option<u64>,
    /// How long the issuer may take, in seconds.
    #[schemars(range(min = 1, max = 60), extend("default" = 5))]
    timeout_seconds: Option<u64>,
    #[schemars(flatten)]
    demands: Demands,
}

/// How a client names itself.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum AuthMethod {
    ClientSecretBasic,
    ClientSecretPost,
}
