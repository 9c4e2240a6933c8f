//! `jwt`: where the keys come from, and what a token must say.

use serde_json::Value;
use zeroize::Zeroizing;

use super::node::{Node, Object};
use super::remote::{
    DiscoveryConfig, IntrospectionConfig, IssuerConfig, RemoteConfig, RevocationConfig, read_revoked,
};
use crate::http_syntax::is_token;
use crate::keys::Algorithm;
use crate::remote::Revocations;
use crate::secret::{Secret, SecretJson};

/// How the tokens of one scheme are found and verified.
#[derive(Clone, Debug)]
pub struct JwtConfig {
    /// The keys.
    pub keys: KeySource,
    /// The only accepted `iss` (RFC 7519 section 4.1.1); unset: not checked.
    pub issuer: Option<String>,
    /// Accepted `aud` values, any one of them (RFC 7519 section 4.1.3); unset: not checked.
    pub audiences: Option<Vec<String>>,
    /// Accepted algorithms; unset: those of the keys.
    pub algorithms: Option<Vec<Algorithm>>,
    /// Claims that must be there (RFC 7519 section 4), by their names.
    pub required_claims: Vec<String>,
    /// Tolerance for `exp`, `nbf` and `iat`, in seconds.
    pub leeway_seconds: u64,
    /// Longest accepted token, in bytes.
    pub max_token_bytes: usize,
    /// Claims that may hold the scopes; the first one present counts.
    pub scope_claims: Vec<String>,
    /// Where the token may stand.
    pub from: Vec<TokenSource>,
    /// Claim (or dotted path) to the request header it is copied to.
    pub claims_to_headers: Vec<(String, String)>,
    /// Tokens that are revoked.
    pub revoked: Revocations,
    /// A list of more of them.
    pub revocation: Option<RevocationConfig>,
}

/// Where the keys of a scheme come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// `keys`: one by one.
    Keys(Vec<Option<KeyConfig>>),
    /// `jwks`: an inline JWK Set (RFC 7517 section 5), each entry as it was written.
    Jwks(Vec<SecretJson>),
    /// `remote_jwks`: a JWK Set that is fetched.
    Remote(RemoteConfig),
    /// `cluster`: OpenID Connect discovery.
    Discovery(DiscoveryConfig),
    /// `issuers`: each with keys of its own.
    Issuers(Vec<Option<IssuerConfig>>),
    /// `introspection`, in place of `jwt`: the issuer is asked.
    Introspection(IntrospectionConfig),
}

/// One entry of `keys`.
#[derive(Clone, Debug)]
pub struct KeyConfig {
    /// The one algorithm this key is used with.
    pub alg: Algorithm,
    /// The key itself.
    pub material: KeyMaterial,
    /// Which tokens it is for, by their `kid` (RFC 7515 section 4.1.4); unset: any.
    pub kid: Option<String>,
}

/// A key as it was written.
#[derive(Clone, Debug)]
pub enum KeyMaterial {
    /// A shared secret of an HMAC (RFC 7518 section 3.2).
    Secret(SecretSource),
    /// PEM text of a public key (RFC 7468 section 13).
    Pem(SecretSource),
    /// A JSON Web Key (RFC 7517 section 4).
    Jwk(SecretJson),
}

/// Where a secret is read from.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// Written in the configuration.
    Inline(Secret),
    /// `{env: NAME}`: an environment variable of the plugin.
    Env(String),
}

/// One entry of `from`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// A header whose value begins with `prefix`.
    Header {
        /// Lower-case name.
        name: String,
        /// What stands before the token, compared without regard to case.
        prefix: String,
    },
    /// A parameter of the query string.
    Query(String),
    /// A cookie.
    Cookie(String),
}

impl JwtConfig {
    /// Reads a `jwt` object.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let keys = read_key_source(&object);
        Self::read_with(object, keys, &["exp", "sub"])
    }

    /// Reads an `introspection` object, which is as `jwt` but for where the verdict comes from.
    pub fn read_introspection(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let keys = IntrospectionConfig::read(&object).map(KeySource::Introspection);
        Self::read_with(object, keys, &[])
    }

    fn read_with(object: Object<'_>, keys: Option<KeySource>, required: &[&str]) -> Option<Self> {
        let strings = |n: Node<'_>| n.list(|n| n.text());
        let issuer = object.optional("issuer", |n| n.text());
        let audiences = object.optional("audiences", |n| non_empty(n, strings));
        let algorithms = object.optional("algorithms", |n| non_empty(n, |n| n.list(read_algorithm)));
        let required_claims = object.optional("required_claims", strings);
        let leeway_seconds = object.optional("leeway_seconds", |n| n.integer(0..=86_400));
        let max_token_bytes = object.optional("max_token_bytes", |n| n.integer(64..=1_048_576));
        let scope_claims = object.optional("scope_claims", |n| non_empty(n, strings));
        let from = object.optional("from", read_sources);
        let claims_to_headers = object.optional("claims_to_headers", read_claims_to_headers);
        let revoked = object.optional("revoked", read_revoked).unwrap_or_default();
        let has_revocation = object.has("revocation");
        let revocation = object.optional("revocation", RevocationConfig::read);
        object.finish();
        if has_revocation && revocation.is_none() {
            return None;
        }
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Some(Self {
            keys: keys?,
            issuer,
            audiences,
            algorithms,
            required_claims: required_claims.unwrap_or_else(|| owned(required)),
            leeway_seconds: leeway_seconds.unwrap_or(60),
            max_token_bytes: max_token_bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(8192),
            scope_claims: scope_claims.unwrap_or_else(|| owned(&["scopes", "scope", "scp"])),
            from: from.unwrap_or_else(|| {
                vec![TokenSource::Header { name: "authorization".into(), prefix: "Bearer ".into() }]
            }),
            claims_to_headers: claims_to_headers
                .unwrap_or_default()
                .into_iter()
                .filter_map(|(claim, header)| Some((claim, header?)))
                .collect(),
            revoked,
            revocation,
        })
    }
}

fn read_key_source(object: &Object<'_>) -> Option<KeySource> {
    match object.one_of(&["keys", "jwks", "remote_jwks", "cluster", "issuers"])? {
        "remote_jwks" => object.optional("remote_jwks", RemoteConfig::read).map(KeySource::Remote),
        "cluster" => DiscoveryConfig::read(object).map(KeySource::Discovery),
        "issuers" => {
            let issuers = object.optional("issuers", |n| non_empty(n, |n| n.items(IssuerConfig::read)));
            issuers.map(KeySource::Issuers)
        }
        local => read_local_keys(object, local),
    }
}

/// `keys` or `jwks`.
pub fn read_local_keys(object: &Object<'_>, key: &str) -> Option<KeySource> {
    if key == "keys" {
        let keys = object.optional("keys", |n| non_empty(n, |n| n.items(KeyConfig::read)));
        return keys.map(KeySource::Keys);
    }
    object.optional("jwks", read_jwks).map(KeySource::Jwks)
}

fn read_jwks(node: Node<'_>) -> Option<Vec<SecretJson>> {
    let object = node.object()?;
    // RFC 7517 section 5: members of a JWK Set that are not understood are ignored.
    object.required("keys", |n| n.list(read_jwk))
}

/// A JWK as it was written: one of type `oct` is a secret.
fn read_jwk(node: Node<'_>) -> Option<SecretJson> {
    node.object().map(|_| SecretJson::new(node.value.clone()))
}

/// A list that is not empty.
pub fn non_empty<T>(node: Node<'_>, read: impl FnOnce(Node<'_>) -> Option<Vec<T>>) -> Option<Vec<T>> {
    let list = read(node)?;
    if list.is_empty() {
        return node.fault("must not be empty; leave the key out to get its default");
    }
    Some(list)
}

/// An algorithm by its name.
pub fn read_algorithm(node: Node<'_>) -> Option<Algorithm> {
    let name = node.string()?;
    match Algorithm::from_name(&name) {
        Some(algorithm) => Some(algorithm),
        None if name.eq_ignore_ascii_case("none") => node.fault("`none` is never accepted"),
        None => {
            // Longer than any name it may be a secret in the wrong place.
            let name = if name.len() <= 16 { format!("{name:?}") } else { "of that name".into() };
            node.fault(format_args!(
                "unknown algorithm {name}; known: {}",
                Algorithm::ALL.map(Algorithm::name).join(", ")
            ))
        }
    }
}

fn read_source(node: Node<'_>) -> Option<TokenSource> {
    let object = node.object()?;
    let source = match object.one_of(&["header", "query", "cookie"]) {
        Some("header") => {
            let name = object.optional("header", read_header_name);
            let prefix = object.optional("prefix", |n| n.string());
            name.map(|name| {
                let default = if name == "authorization" { "Bearer " } else { "" };
                TokenSource::Header { prefix: prefix.unwrap_or_else(|| default.into()), name }
            })
        }
        Some("query") => object.optional("query", |n| n.text()).map(TokenSource::Query),
        Some(_) => object.optional("cookie", read_cookie_name).map(TokenSource::Cookie),
        None => None,
    };
    object.finish();
    source
}

fn read_sources(node: Node<'_>) -> Option<Vec<TokenSource>> {
    let sources = non_empty(node, |n| n.list(read_source))?;
    for (index, source) in sources.iter().enumerate() {
        if sources.iter().take(index).any(|earlier| earlier == source) {
            return node.fault("one place is named twice, so every token would count as two");
        }
    }
    Some(sources)
}

fn read_claims_to_headers(node: Node<'_>) -> Option<Vec<(String, Option<String>)>> {
    let headers = node.map(read_own_header_name)?;
    if headers.iter().any(|(claim, _)| claim.is_empty()) {
        return node.fault("a claim has no name");
    }
    Some(headers)
}

/// The name of a header that the gate sets: one with a meaning of its own would lose it.
pub fn read_own_header_name(node: Node<'_>) -> Option<String> {
    const NOT_OURS: [&str; 15] = [
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let name = read_header_name(node)?;
    if NOT_OURS.contains(&name.as_str()) {
        return node.fault(format_args!("`{name}` has a meaning of its own; take another header"));
    }
    Some(name)
}

fn read_cookie_name(node: Node<'_>) -> Option<String> {
    let name = node.string()?;
    if is_token(&name) { Some(name) } else { node.fault(format_args!("{name:?} is not a cookie name")) }
}

/// A header name, in lower case as Envoy keeps them.
pub fn read_header_name(node: Node<'_>) -> Option<String> {
    let name = node.string()?;
    if is_token(&name) {
        Some(name.to_ascii_lowercase())
    } else {
        node.fault(format_args!("{name:?} is not a header name"))
    }
}

impl KeyConfig {
    fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let alg = object.required("alg", read_algorithm);
        let material = match object.one_of(&["secret", "pem", "jwk"]) {
            Some("secret") => object.optional("secret", read_secret).map(KeyMaterial::Secret),
            Some("pem") => object.optional("pem", read_pem).map(KeyMaterial::Pem),
            Some(_) => object.optional("jwk", read_jwk).map(KeyMaterial::Jwk),
            None => None,
        };
        let kid = object.optional("kid", |n| n.text());
        object.finish();
        Some(Self { alg: alg?, material: material?, kid })
    }
}

fn read_pem(node: Node<'_>) -> Option<SecretSource> {
    match node.value {
        Value::Object(_) => read_env(node),
        _ => node.text().map(|text| SecretSource::Inline(Secret::new(text.into_bytes()))),
    }
}

fn read_env(node: Node<'_>) -> Option<SecretSource> {
    let object = node.object()?;
    let name = object.required("env", |n| n.text());
    object.finish();
    name.map(SecretSource::Env)
}

/// A string, `{env: NAME}` or `{base64: ...}`.
pub fn read_secret(node: Node<'_>) -> Option<SecretSource> {
    match node.value {
        Value::String(text) => Some(SecretSource::Inline(Secret::new(text.clone().into_bytes()))),
        Value::Object(_) => {
            let object = node.object()?;
            if object.one_of(&["env", "base64"])? == "env" {
                return read_env(node);
            }
            let bytes = object.optional("base64", |n| {
                let text = Zeroizing::new(n.string()?);
                match crate::encoding::decode_any_base64(text.trim()) {
                    Some(bytes) => Some(bytes),
                    None => n.fault("not base64 (RFC 4648)"),
                }
            });
            object.finish();
            bytes.map(|bytes| SecretSource::Inline(Secret::new(bytes)))
        }
        _ => node.fault("expected a string, {env: NAME} or {base64: ...}"),
    }
}
