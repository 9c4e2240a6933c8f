//! URIs of what is fetched, taken apart into what a request needs (RFC 3986).

/// An absolute `http` or `https` URI, and the cluster that leads there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri {
    /// The Envoy cluster.
    pub cluster: String,
    /// `https` or `http`.
    pub scheme: &'static str,
    /// Host and port.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

impl Uri {
    /// Takes `text` apart.
    ///
    /// # Errors
    /// If it is not such a URI.
    pub fn parse(text: &str, cluster: &str) -> Result<Self, String> {
        let wrong = || {
            // A password may be before the sign.
            let text = if text.contains('@') { "what is given" } else { &format!("{text:?}") };
            format!("{text} is not an absolute URI such as https://idp.example/keys")
        };
        let (scheme, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => ("https", rest),
            (None, Some(rest)) => ("http", rest),
            (None, None) => return Err(wrong()),
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let plain =
            |text: &str| text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'#' | b'\\' | b'"'));
        if authority.is_empty() || authority.contains('@') || !plain(authority) || !plain(path) {
            return Err(wrong());
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { cluster: cluster.to_owned(), scheme, authority: authority.to_owned(), path })
    }
}

/// The issuer of a discovery document (OpenID Connect Discovery 1.0 section 4).
///
/// # Errors
/// If the URL does not end as it must.
pub fn issuer_of(url: &str) -> Result<String, String> {
    match url.strip_suffix("/.well-known/openid-configuration") {
        Some(issuer) => Ok(issuer.to_owned()),
        None => Err(format!("{url:?} does not end in /.well-known/openid-configuration")),
    }
}
