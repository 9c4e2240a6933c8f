//! `rules` and `security`.

use std::collections::BTreeMap;

use lychgate::config::RESERVED_NAMES;
use schemars::JsonSchema;

use super::settings::Mode;

/// A scope-token (RFC 6749 section 3.3): printable ASCII without space, quote and backslash.
#[derive(JsonSchema)]
pub struct Scope(#[schemars(regex(pattern = "^[\\x21\\x23-\\x5B\\x5D-\\x7E]+$"))] String);

/// OpenAPI's list of Security Requirement Objects. The list is OR, each object is AND: scheme to the
/// scopes that are needed, all of them. An empty object lets in who brings no credential; an empty list
/// is public.
#[derive(JsonSchema)]
#[schemars(extend("examples" = [
    [{"oauth2": ["items:read"]}, {"partner_key": ["items:read"]}],
    [{"oauth2": ["admin"], "partner_key": []}],
    [],
]))]
pub struct Requirements(Vec<BTreeMap<String, Vec<Scope>>>);

/// Which requests, and what they need.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("examples" = [
    {"match": {"path": "/items/{id}", "methods": ["GET"]}, "security": [{"oauth2": ["items:read"]}]},
    {"name": "health", "match": {"path": "/health"}, "security": []},
]))]
pub struct Rule {
    /// What it is counted and logged under. Left out: what it matches.
    #[schemars(
        regex(pattern = "^[A-Za-z0-9_./-]{1,64}$"),
        extend("not" = {"enum": RESERVED_NAMES}),
    )]
    name: Option<String>,
    /// Which requests the rule is for.
    r#match: Match,
    /// What they need.
    security: Requirements,
    /// The top-level `optional`, for this rule.
    optional: Option<OnInvalid>,
    /// The top-level `mode`, for this rule.
    mode: Option<Mode>,
}

/// Which requests: one of `path`, `prefix` and `regex`, on the path without its query, percent-decoded
/// once; and `methods`, and `hosts`.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend("oneOf" = [{"required": ["path"]}, {"required": ["prefix"]}, {"required": ["regex"]}]),
    extend("examples" = [
        {"path": "/items/{id}", "methods": ["GET"]},
        {"prefix": "/admin/", "hosts": ["api.example.com"]},
        {"regex": "/v[0-9]+/items/.*"},
    ]),
)]
pub struct Match {
    /// An OpenAPI path template: `{name}` stands for one segment, or for a part of one that is not empty:
    /// `/reports/{name}.csv`.
    #[schemars(regex(pattern = "^/"))]
    path: Option<String>,
    /// Whole segments: `/admin/` and `/admin` are for `/admin` and what is below it, not for
    /// `/administrator`.
    #[schemars(regex(pattern = "^/[^{}]*$"))]
    prefix: Option<String>,
    /// A regular expression, anchored at both ends (syntax of the Rust crate `regex-lite`). All of them become
    /// one automaton; what would become too large is refused.
    #[schemars(length(min = 1))]
    regex: Option<String>,
    /// Methods, in upper case. Left out: every one. GET covers HEAD, unless
    /// a rule for the same path names HEAD. A request whose method is in lower case is refused where another rule
    /// would hold for the upper case.
    #[schemars(length(min = 1), inner(regex(pattern = "^[^a-z]+$")))]
    methods: Option<Vec<String>>,
    /// Hosts without port; `*.example.com` is every host below it. Left out: every one.
    #[schemars(length(min = 1), inner(length(min = 1)))]
    hosts: Option<Vec<String>>,
}

/// What becomes of a credential that is there and bad, where a request without any would pass.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum OnInvalid {
    /// The request is refused.
    RefuseInvalid,
    /// It passes as if the credential were not there, as with FastAPI's `auto_error=False`; also where the credential
    /// cannot be checked now, because keys cannot be fetched or an issuer does not answer.
    IgnoreInvalid,
}
