//! The rest: `openapi`, `passwords`, and the switches.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// OpenAPI in and out.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend("dependentRequired" = {"unsecured": ["document"]}),
    extend("examples" = [{"serve": "/openapi.json", "docs": "/docs", "title": "Shop", "version": "1.0.0"}]),
)]
pub struct OpenApi {
    /// An OpenAPI 3.0 or 3.1 document, as it is or as a string of JSON text. Its operations become rules,
    /// after those of `rules`; its security schemes complete `schemes` of the same names.
    document: Option<Document>,
    /// What becomes of operations that the document does not secure.
    #[schemars(extend("default" = "default"))]
    unsecured: Option<Unsecured>,
    /// The path where the document is served. Public, unless a rule speaks of it: by its `path`, by a prefix longer than `/`,
    /// by a regular expression. Such a rule holds for every method and host. Left out: `/openapi.json` where there is `docs`,
    /// else not served.
    #[schemars(regex(pattern = "^/.*[^/]$"))]
    serve: Option<String>,
    /// The path where Swagger UI is served, public as the document is. Left out: not served.
    #[schemars(regex(pattern = "^/.*[^/]$"))]
    docs: Option<String>,
    /// `info.title` of the document that is served. Left out: the document's own.
    #[schemars(length(min = 1))]
    title: Option<String>,
    /// `info.version` of the document that is served. Left out: the document's own.
    #[schemars(length(min = 1))]
    version: Option<String>,
}

/// Somebody else's document: what is not known in it is left alone.
struct Document;

impl JsonSchema for Document {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Document".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {
                "type": "object",
                "properties": {"openapi": {"type": "string", "pattern": "^3\\."}},
                "required": ["openapi"],
            },
            {"type": "string", "contentMediaType": "application/json", "pattern": "^\\s*\\{"},
        ]})
    }
}

/// What becomes of operations that the document does not secure.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Unsecured {
    /// They need what a request needs that no rule matches.
    Default,
    /// They are public.
    Public,
}

/// What checking passwords and signing tokens may cost.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("examples" = [{"worker_share_percent": 10, "max_failures": 5}]))]
pub struct Passwords {
    /// The share of a worker's time that may go into password hashes and signatures, in percent. Beyond
    /// it logins are answered 503 with `Retry-After`, those first whose address has cost most lately.
    #[schemars(range(min = 1, max = 100), extend("default" = 25))]
    worker_share_percent: Option<u32>,
    /// How long a verified Basic credential is remembered, in seconds; 0: not at all.
    #[schemars(range(min = 0, max = 86_400), extend("default" = 300))]
    remember_seconds: Option<u32>,
    /// Failures of a username, or of a client of the token endpoint, from one address before the next
    /// try is answered 429; of one address whatever the username, ten times as many. Of an IPv6 site (/48)
    /// each ten times as many again, but for addresses that the username has logged in from before. Clients
    /// of a Unix socket have no address: the failures of a username are counted then.
    #[schemars(range(min = 1, max = 1_000_000), extend("default" = 10))]
    max_failures: Option<u32>,
    /// How long failures count, in seconds from the first.
    #[schemars(range(min = 1, max = 86_400), extend("default" = 60))]
    window_seconds: Option<u32>,
}

/// The names of the headers that tell the upstream who calls.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("examples" = [{"subject": "x-user"}]))]
pub struct IdentityHeaders {
    /// The token's `sub`, the username, or the `id` of the API key.
    #[schemars(length(min = 1), extend("default" = "x-auth-subject"))]
    subject: Option<String>,
    /// The scopes, separated by spaces. In an AND those of the credential whose subject is told.
    #[schemars(length(min = 1), extend("default" = "x-auth-scopes"))]
    scopes: Option<String>,
    /// The name of the scheme that let the request in; several in an AND, separated by commas.
    #[schemars(length(min = 1), extend("default" = "x-auth-scheme"))]
    scheme: Option<String>,
    /// The token's `iss`. Left out: not told.
    #[schemars(length(min = 1))]
    issuer: Option<String>,
    /// The refusal that a dry run spared the request, as `401 token_expired`. Left out: not told.
    #[schemars(length(min = 1))]
    dry_run: Option<String>,
}

/// How refusals are written.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("examples" = [{"format": "problem"}]))]
pub struct ErrorAnswers {
    /// The form of the body.
    #[schemars(extend("default" = "fastapi"))]
    format: Option<ErrorFormat>,
    /// Whether the body names the request by its `x-request-id`.
    #[schemars(extend("default" = false))]
    request_id: Option<bool>,
}

/// The form of an error body.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum ErrorFormat {
    /// `{"detail": ...}`, as FastAPI writes it.
    Fastapi,
    /// Problem details (RFC 9457).
    Problem,
    /// Plain text.
    Text,
}

/// What becomes of CORS preflights.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum CorsPreflight {
    /// They pass to the upstream, without identity. One with a credential or a body is none, and a request like any other.
    Pass,
    /// They need what every request needs.
    Check,
}

/// Whether refusals are carried out.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Mode {
    /// They are.
    Enforce,
    /// Everything is evaluated, logged and counted; nothing is refused.
    DryRun,
}

/// Verified tokens that each worker remembers.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("examples" = [{"entries": 1024}]))]
pub struct Cache {
    /// How many tokens; 0: none.
    #[schemars(range(min = 0, max = 1_000_000), extend("default" = 4096))]
    entries: Option<u32>,
    /// Tokens longer than this, in bytes, are verified anew each time.
    #[schemars(range(min = 0, max = 65_536), extend("default" = 4096))]
    max_token_bytes: Option<u32>,
}
