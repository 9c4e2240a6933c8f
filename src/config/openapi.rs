//! `openapi`: the document that becomes rules, and the documentation that is served.

pub mod import;
mod settings;

pub use settings::{DocsOAuth, Neighbours};

use serde_json::Value;

use super::matching::read_path;
use super::node::Node;
use crate::json;
use crate::setting::words;
use import::Imported;

/// Deeper than any OpenAPI document that a person or a framework wrote.
const MAX_DEPTH: usize = 100;

/// OpenAPI documents: one that is read, and the one that is served.
#[derive(Clone, Debug, Default)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(
        rename = "OpenApi",
        deny_unknown_fields,
        extend("dependentRequired" = {
            "unsecured": ["document"], "multi_segment": ["document"], "combine": ["document"], "neighbours": ["document"],
            "docs_oauth": ["docs"],
        }),
        extend("examples" = [{"serve": "/openapi.json", "docs": "/docs", "title": "Shop", "version": "1.0.0"}]),
    )
)]
pub struct OpenApiConfig {
    /// An OpenAPI 3.0, 3.1 or 3.2 document, as it is or as a string of JSON text. Its operations become rules,
    /// after those of `rules`; its security schemes complete `schemes` of the same names.
    ///
    /// What it says, and the document itself.
    #[cfg_attr(feature = "schema", schemars(with = "Option<written::Document>"))]
    pub document: Option<(Imported, Value)>,
    /// The path where the document is served. It is public, unless a rule matches it by its `path`, by a prefix
    /// longer than `/`, or by a regular expression; a `path` of parameters alone, such as `/{name}`, does not count. Such a
    /// rule holds for every method and host. Left out:
    /// `/openapi.json` if there is `docs`, else the document is not served.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^/.*[^/]$")))]
    pub serve: Option<String>,
    /// The path where Swagger UI is served, public as the document is. Left out: not served.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^/.*[^/]$")))]
    pub docs: Option<String>,
    /// `info.title` of the document that is served. Left out: the document's own.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub title: Option<String>,
    /// `info.version` of the document that is served. Left out: the document's own.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub version: Option<String>,
    /// What becomes of operations that the document does not secure.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub unsecured: Unsecured,
    /// Paths of the document whose last parameter stands for several segments, as FastAPI's `{file_path:path}` does,
    /// which its document has as `{file_path}`.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<String>>", inner(regex(pattern = "^/.*\\{")))
    )]
    pub multi_segment: Vec<String>,
    /// Operations that need all of their alternatives of one scheme each together: FastAPI writes two required
    /// dependencies as alternatives.
    #[cfg_attr(feature = "schema", schemars(with = "Option<settings::Combine>"))]
    pub combine: Vec<String>,
    /// The requirement for a path that differs from an operation's by a slash at its end or the case of its letters.
    /// Left out: `same` if the top-level `security` lets requests in without a credential, else `default`.
    pub neighbours: Option<Neighbours>,
    /// What Swagger UI fills in where a user logs in by OAuth 2.
    pub docs_oauth: Option<DocsOAuth>,
}

/// What is said of a document besides it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'o> {
    /// `multi_segment`.
    pub multi_segment: &'o [String],
    /// `combine.all`.
    pub combine: &'o [String],
}

words! {
    /// What becomes of operations that the document does not secure.
    #[derive(Default)]
    pub enum Unsecured {
        /// They need what a request needs that no rule matches.
        #[default]
        Default = "default",
        /// They are public.
        Public = "public",
    }
}

/// The files that belong to the interactive documentation, each below its page.
pub const DOCS_FILES: [&str; 5] = [
    "initializer.js",
    "swagger-ui-bundle.js",
    "swagger-ui.css",
    "oauth2-redirect.html",
    "oauth2-redirect.js",
];

/// A page, and what belongs to it.
#[derive(Debug)]
pub struct Page {
    /// The key of `openapi` that has it served.
    pub key: &'static str,
    /// Its path.
    pub path: String,
    /// The paths of the files that it loads.
    pub files: Vec<String>,
}

impl OpenApiConfig {
    /// Everything that is served.
    #[must_use]
    pub fn pages(&self) -> Vec<Page> {
        let Some(path) = self.serve.clone() else { return Vec::new() };
        let document = Page { key: "serve", path, files: Vec::new() };
        let docs = self.docs.as_ref().map(|docs| {
            let files = DOCS_FILES.iter().map(|file| format!("{docs}/{file}")).collect();
            Page { key: "docs", path: docs.clone(), files }
        });
        std::iter::once(document).chain(docs).collect()
    }

    /// Reads `openapi`.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let multi_segment = object.optional("multi_segment", |n| n.list(settings::read_multi_segment));
        let multi_segment = multi_segment.unwrap_or_default();
        let combine = object.optional("combine", settings::read_combine).unwrap_or_default();
        let options = Options { multi_segment: &multi_segment, combine: &combine };
        let document = object.optional("document", |n| read_document(n, &options));
        let serve = object.optional("serve", read_served_path);
        let docs = object.optional("docs", read_served_path);
        let title = object.optional("title", |n| n.text());
        let version = object.optional("version", |n| n.text());
        let unsecured = object.optional("unsecured", |n| n.enumeration(Unsecured::WORDS));
        let neighbours = object.optional("neighbours", |n| n.enumeration(Neighbours::WORDS));
        let docs_oauth = object.optional("docs_oauth", DocsOAuth::read);
        for key in ["unsecured", "multi_segment", "combine", "neighbours"] {
            if !object.has("document") && object.has(key) {
                object.optional(key, |n| n.error::<()>("needs `document`, which is missing"));
            }
        }
        if docs_oauth.is_some() && !object.has("docs") {
            object.optional("docs_oauth", |n| n.error::<()>("needs `docs`, which is missing"));
        }
        object.finish();
        for (key, number) in document.iter().flat_map(|(imported, _)| &imported.unused) {
            settings::say_unused(node, key, *number);
        }
        // The page needs a document to show.
        let serve = serve.or_else(|| docs.as_ref().map(|_| "/openapi.json".to_owned()));
        if docs.is_some() && docs == serve {
            return node.error("`docs` and `serve` are the same path");
        }
        let unsecured = unsecured.unwrap_or_default();
        Some(Self {
            document,
            serve,
            docs,
            title,
            version,
            unsecured,
            multi_segment,
            combine,
            neighbours,
            docs_oauth,
        })
    }
}

/// A document pasted in as YAML or JSON, or as a string of JSON text.
fn read_document(node: Node<'_>, options: &Options<'_>) -> Option<(Imported, Value)> {
    let value = match node.value {
        Value::String(text) => match json::parse_strict(text.as_bytes(), MAX_DEPTH) {
            Ok(value) => value,
            Err(error) => return node.error(format_args!("not the JSON text of a document: {error}")),
        },
        value => value.clone(),
    };
    let imported = import::read(Node { value: &value, ..node }, options)?;
    Some((imported, value))
}

fn read_served_path(node: Node<'_>) -> Option<String> {
    let path = read_path(node)?;
    if path == "/" || path.ends_with('/') || path.contains(['{', '}', '"', '<', '>', '&', '\'', ' ']) {
        return node
            .error(format_args!("{path:?}: give a plain path such as /docs, without a slash at the end"));
    }
    Some(path)
}

/// The same as written.
#[cfg(feature = "schema")]
mod written {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    /// Another project wrote the document: unknown members in it are ignored.
    pub struct Document;

    impl JsonSchema for Document {
        fn inline_schema() -> bool {
            true
        }

        fn schema_name() -> Cow<'static, str> {
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
}
