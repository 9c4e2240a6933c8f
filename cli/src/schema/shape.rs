//! The configuration as it is written: a type for each object, from which the schema is derived.
//!
//! Nothing is ever read into these types. The plugin reads by hand (RATIONALE.md, "Why not serde's
//! derive for the configuration?"); `tests/schema` asks it for every key that it knows, and holds
//! these to the answer.

mod people;
mod rules;
mod scheme;
mod settings;
mod token;

use std::collections::BTreeMap;

use schemars::JsonSchema;

use people::{ApiKey, User};
use rules::{OnInvalid, Requirements, Rule};
use scheme::Scheme;
use settings::{Cache, CorsPreflight, ErrorAnswers, IdentityHeaders, Mode, OpenApi, Passwords};

/// The configuration of Lychgate: in Envoy the plugin's `configuration` (a `google.protobuf.Struct`, or
/// a `StringValue` that holds JSON), in Istio `pluginConfig`, in Envoy Gateway `config`.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
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
)]
pub struct Configuration {
    /// How a caller can prove who they are: name to OpenAPI 3.1 Security Scheme Object, and how the
    /// credential is verified.
    schemes: Option<BTreeMap<String, Scheme>>,
    /// Directories of people, by name. A scheme refers to one by its `users`.
    users: Option<BTreeMap<String, Vec<User>>>,
    /// Directories of API keys, by name. A scheme refers to one by its `api_keys`.
    api_keys: Option<BTreeMap<String, Vec<ApiKey>>>,
    /// Which request needs what. The first rule that matches wins.
    rules: Option<Vec<Rule>>,
    /// What a request needs that no rule matches. Without it such a request is refused with 403
    /// `Forbidden`.
    security: Option<Requirements>,
    /// What becomes of a credential that is there and bad, where a request without any would pass. A
    /// rule may have its own.
    #[schemars(extend("default" = "refuse_invalid"))]
    optional: Option<OnInvalid>,
    /// An OpenAPI document that becomes rules, and the documentation that the gate serves.
    openapi: Option<OpenApi>,
    /// What checking passwords and signing tokens may cost a worker, and what guessing costs.
    passwords: Option<Passwords>,
    /// Request headers that tell the upstream who calls. What a client sends under these names, and
    /// under every name in `claims_to_headers`, is always removed.
    identity_headers: Option<IdentityHeaders>,
    /// How refusals are written.
    errors: Option<ErrorAnswers>,
    /// What becomes of CORS preflights: OPTIONS with `Origin` and `Access-Control-Request-Method`, which
    /// browsers send without credentials (Fetch standard, section 4.8).
    #[schemars(extend("default" = "pass"))]
    cors_preflight: Option<CorsPreflight>,
    /// Whether refusals are carried out.
    #[schemars(extend("default" = "enforce"))]
    mode: Option<Mode>,
    /// The longest path that is read, in bytes as it was sent, its query not counted. A longer one is refused
    /// with 414. What a path costs a worker grows with it. Automata of `regex` rules, and of templates with
    /// several parameters in a segment, read paths of up to a quarter of it to the end; a longer one that they
    /// have not decided by a sixteenth is refused as well.
    #[schemars(range(min = 256, max = 8192), extend("default" = 2048))]
    max_path_bytes: Option<u32>,
    /// Whether Envoy is told of each request as filter state, for its access log:
    /// `wasm.lychgate.rule`, `.scheme`, `.subject`, `.scopes`, `.reason`. It costs a call of Envoy for each.
    #[schemars(extend("default" = false))]
    filter_state: Option<bool>,
    /// Verified tokens that a worker remembers, each until it expires.
    cache: Option<Cache>,
}
