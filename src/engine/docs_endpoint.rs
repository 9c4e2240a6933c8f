//! What the filter serves of its own: the document and the page to it.

use std::borrow::Cow;

use crate::config::Config;
use crate::config::openapi::DocsOAuth;
use crate::decision::Response;
use crate::openapi::{docs, export};

/// The document and the page, at their paths.
#[derive(Debug)]
pub struct DocsEndpoint {
    path: String,
    document: Vec<u8>,
    docs: Option<String>,
    title: String,
    oauth: Option<DocsOAuth>,
}

impl DocsEndpoint {
    /// What `config` wants served, if anything.
    #[must_use]
    pub fn of(config: &Config) -> Option<Self> {
        let path = config.openapi.serve.clone()?;
        let document = export::document(config);
        let title = document.pointer("/info/title").and_then(serde_json::Value::as_str);
        Some(Self {
            path,
            title: title.unwrap_or("Lychgate").to_owned(),
            document: document.to_string().into_bytes(),
            docs: config.openapi.docs.clone(),
            oauth: config.openapi.docs_oauth.clone(),
        })
    }

    /// The answer at `path`, in normal form.
    #[must_use]
    pub fn answer(&self, path: &str) -> Option<Response> {
        if path == self.path {
            let body = Cow::Owned(self.document.clone());
            return Some(
                Response::new(200, "application/json", body, "openapi")
                    .with_header("cache-control", "no-cache"),
            );
        }
        let docs = self.docs.as_ref()?;
        let asset = match path.strip_prefix(docs.as_str())? {
            "" => docs::page(docs, &self.title),
            "/initializer.js" => docs::initializer(docs, &self.path, self.oauth.as_ref()),
            rest => docs::asset(rest.strip_prefix('/')?)?,
        };
        let mut response = Response::new(200, asset.content_type, asset.body, "docs")
            .with_header("cache-control", asset.cache_control)
            .with_header("x-content-type-options", "nosniff");
        if asset.gzip {
            response =
                response.with_header("content-encoding", "gzip").with_header("vary", "accept-encoding");
        }
        if let Some(policy) = asset.csp {
            response = response.with_header("content-security-policy", policy);
        }
        Some(response)
    }
}
