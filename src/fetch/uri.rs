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

/// What an OpenID provider's metadata is at, below its issuer.
const OPENID: &str = "/.well-known/openid-configuration";
/// What the metadata of RFC 8414 is at, before the path of the issuer.
const OAUTH: &str = "/.well-known/oauth-authorization-server";

/// The issuer of a discovery document (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3).
///
/// # Errors
/// If the URL is not that of one.
pub fn issuer_of(url: &str) -> Result<String, String> {
    match (url.strip_suffix(OPENID), url.split_once(OAUTH)) {
        (Some(issuer), _) => Ok(issuer.to_owned()),
        (None, Some((origin, path))) if path.is_empty() || path.starts_with('/') => {
            Ok(format!("{origin}{path}"))
        }
        (None, Some(_) | None) => Err(format!("{url:?} does not end in {OPENID}")),
    }
}

/// Where the metadata of `issuer` is: for OpenID, and by RFC 8414 section 3.1, where the path of the issuer comes last.
#[must_use]
pub fn metadata_urls(issuer: &str) -> [String; 2] {
    let issuer = issuer.trim_end_matches('/');
    let start = issuer.find("://").map_or(0, |at| at.saturating_add(3));
    let end = issuer
        .get(start..)
        .and_then(|rest| rest.find('/'))
        .map_or(issuer.len(), |at| at.saturating_add(start));
    let (origin, path) = issuer.split_at_checked(end).unwrap_or((issuer, ""));
    [format!("{issuer}{OPENID}"), format!("{origin}{OAUTH}{path}")]
}
