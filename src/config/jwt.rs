//! `jwt`: where a token stands, and what it must say.

use super::fields::{non_empty, read_algorithm, read_cookie_name, read_header_name, read_own_header_name};
use super::key_source::{KeySource, read_key_source};
use super::node::{Node, Object};
use super::remote::{IntrospectionConfig, RevocationConfig, read_revoked};
use crate::credential::CredentialLocation;
use crate::fetch::Revocations;
use crate::keys::Algorithm;

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
    pub from: Vec<CredentialLocation>,
    /// Claim (or dotted path) to the request header it is copied to.
    pub claims_to_headers: Vec<(String, String)>,
    /// Tokens that are revoked.
    pub revoked: Revocations,
    /// A list of more of them.
    pub revocation: Option<RevocationConfig>,
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
        let from = object.optional("from", read_locations);
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
                vec![CredentialLocation::Header { name: "authorization".into(), prefix: "Bearer ".into() }]
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

fn read_location(node: Node<'_>) -> Option<CredentialLocation> {
    let object = node.object()?;
    let location = match object.one_of(&["header", "query", "cookie"]) {
        Some("header") => {
            let name = object.optional("header", read_header_name);
            let prefix = object.optional("prefix", |n| n.string());
            name.map(|name| {
                let default = if name == "authorization" { "Bearer " } else { "" };
                CredentialLocation::Header {
                    prefix: prefix.unwrap_or_else(|| default.into()),
                    name: name.into(),
                }
            })
        }
        Some("query") => object.optional("query", |n| n.text()).map(CredentialLocation::Query),
        Some(_) => object.optional("cookie", read_cookie_name).map(CredentialLocation::Cookie),
        None => None,
    };
    object.finish();
    location
}

fn read_locations(node: Node<'_>) -> Option<Vec<CredentialLocation>> {
    let locations = non_empty(node, |n| n.list(read_location))?;
    for (index, location) in locations.iter().enumerate() {
        if locations.iter().take(index).any(|earlier| earlier == location) {
            return node.error("one place is named twice, so every token would count as two");
        }
    }
    Some(locations)
}

fn read_claims_to_headers(node: Node<'_>) -> Option<Vec<(String, Option<String>)>> {
    let headers = node.map(read_own_header_name)?;
    if headers.iter().any(|(claim, _)| claim.is_empty()) {
        return node.error("a claim has no name");
    }
    Some(headers)
}
