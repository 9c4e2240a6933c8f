//! The interactive documentation: Swagger UI, in the module itself, so that it works offline and
//! needs no other origin. `build.rs` takes it out of the crate that vendors it.

use std::borrow::Cow;

use crate::config::openapi::DocsOAuth;

/// A file of the documentation.
#[derive(Debug)]
pub struct Asset {
    /// Its media type.
    pub content_type: &'static str,
    /// The file.
    pub body: Cow<'static, [u8]>,
    /// Whether the body is gzip.
    pub gzip: bool,
    /// How long browsers may keep it.
    pub cache_control: &'static str,
    /// What the page may load.
    pub csp: Option<&'static str>,
}

/// The page loads no file from another origin. It may request a token from any origin. Swagger UI sets styles inline.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src *; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";
/// The page names the version with each file, so that they can be kept.
const KEPT: &str = "public, max-age=31536000, immutable";
const NOT_KEPT: &str = "no-cache";
const HTML: &str = "text/html; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! built {
    ($name:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name))
    };
}

/// A file of Swagger UI by its name.
#[must_use]
pub fn asset(name: &str) -> Option<Asset> {
    let (content_type, body, gzip, cache_control): (_, &'static [u8], _, _) = match name {
        "swagger-ui-bundle.js" => (JAVASCRIPT, built!("swagger-ui-bundle.js.gz"), true, KEPT),
        "swagger-ui.css" => ("text/css; charset=utf-8", built!("swagger-ui.css.gz"), true, KEPT),
        "oauth2-redirect.html" => (HTML, built!("oauth2-redirect.html"), false, NOT_KEPT),
        "oauth2-redirect.js" => (JAVASCRIPT, built!("oauth2-redirect.js"), false, NOT_KEPT),
        _ => return None,
    };
    let csp = (content_type == HTML).then_some(CONTENT_SECURITY_POLICY);
    Some(Asset { content_type, body: body.into(), gzip, cache_control, csp })
}

/// The page at path `docs`.
#[must_use]
pub fn page(docs: &str, title: &str) -> Asset {
    let (docs, title) = (escape_html(docs), escape_html(title));
    let version = env!("SWAGGER_UI_VERSION");
    let html = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - Swagger UI</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{docs}/swagger-ui.css?v={version}">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{docs}/swagger-ui-bundle.js?v={version}"></script>
<script src="{docs}/initializer.js"></script>
</body>
</html>
"#
    );
    Asset {
        content_type: HTML,
        body: html.into_bytes().into(),
        gzip: false,
        cache_control: NOT_KEPT,
        csp: Some(CONTENT_SECURITY_POLICY),
    }
}

/// The script that points Swagger UI, at path `docs`, to the document at path `openapi`. `oauth` is filled in where a
/// user logs in.
#[must_use]
pub fn initializer(docs: &str, openapi: &str, oauth: Option<&DocsOAuth>) -> Asset {
    let redirect = serde_json::Value::from(format!("{docs}/oauth2-redirect.html"));
    let openapi = serde_json::Value::from(openapi);
    // The settings of FastAPI's own page. Swagger's validator is not called.
    let mut script = format!(
        "const ui = SwaggerUIBundle({{\n  url: {openapi},\n  dom_id: \"#swagger-ui\",\n  layout: \"BaseLayout\",\n  \
         deepLinking: true,\n  showExtensions: true,\n  showCommonExtensions: true,\n  \
         validatorUrl: null,\n  oauth2RedirectUrl: window.location.origin + {redirect},\n  \
         presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],\n}});\n"
    );
    if let Some(DocsOAuth { client_id, scopes, pkce }) = oauth {
        let settings = serde_json::json!({
            "clientId": client_id, "scopes": scopes, "usePkceWithAuthorizationCodeGrant": pkce,
        });
        script.push_str(&format!("ui.initOAuth({settings});\n"));
    }
    Asset {
        content_type: JAVASCRIPT,
        body: script.into_bytes().into(),
        gzip: false,
        cache_control: NOT_KEPT,
        csp: None,
    }
}

fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
#[path = "docs_tests.rs"]
mod tests;
