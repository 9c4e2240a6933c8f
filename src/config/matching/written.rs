//! What is written in `match`, where the types of it hold something else.

#![expect(dead_code, reason = "schemas are derived from these types; values of them are never made")]

use schemars::JsonSchema;

/// `PathConfig`.
#[derive(JsonSchema)]
pub struct PathCondition {
    /// An OpenAPI path template: `{name}` is one segment, or a part of one that is not empty:
    /// `/reports/{name}.csv`; `{name:path}` is one segment or several.
    #[schemars(regex(pattern = "^/"))]
    path: Option<String>,
    /// Whole segments: `/admin/` and `/admin` match `/admin` and all paths below it, not
    /// `/administrator`. With `*` at the end all that begins with the text before it: `/api/v1*`.
    #[schemars(regex(pattern = "^/[^{}]*$"))]
    prefix: Option<String>,
    /// A regular expression, anchored at both ends (syntax of the Rust crate `regex-lite`). All of them become
    /// one automaton; an expression that makes it too large is refused.
    #[schemars(length(min = 1))]
    regex: Option<String>,
}

/// What a header must be: a text, one of several texts, `{not: condition}` or `{present: true}`.
#[derive(JsonSchema)]
#[schemars(untagged, extend("examples" = ["canary", ["a", "b"], {"not": {"present": true}}]))]
pub enum HeaderCondition {
    /// This text.
    Text(String),
    /// One of these.
    OneOf(#[schemars(length(min = 1))] Vec<String>),
    /// Not that.
    Not(NotHeader),
    /// There.
    Present(PresentHeader),
}

/// A condition that must not hold.
#[derive(JsonSchema)]
#[schemars(inline, deny_unknown_fields)]
pub struct NotHeader {
    /// The condition.
    not: Box<HeaderCondition>,
}

/// A header that must be there.
#[derive(JsonSchema)]
#[schemars(inline, deny_unknown_fields)]
pub struct PresentHeader {
    /// `true`.
    #[schemars(extend("const" = true))]
    present: bool,
}
