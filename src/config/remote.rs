//! What is fetched from outside: `remote_jwks`, `cluster`, `introspection`, `revocation`.

use std::collections::HashSet;

use super::fields::{SecretSource, read_secret};
use super::node::{Node, Object};
use crate::fetch::{RefreshPolicy, Revocations, Uri};

/// Something that is fetched on a schedule.
#[derive(Clone, Debug)]
pub struct RemoteConfig {
    /// Where it is.
    pub uri: Uri,
    /// When it is fetched.
    pub refresh_policy: RefreshPolicy,
}

/// OpenID Connect discovery through a cluster (OpenID Connect Discovery 1.0 section 4).
#[derive(Clone, Debug)]
pub struct DiscoveryConfig {
    /// The Envoy cluster of the discovery document.
    pub cluster: String,
    /// That of the `jwks_uri`, where it is on another host.
    pub jwks_cluster: Option<String>,
    /// When it is fetched.
    pub refresh_policy: RefreshPolicy,
}

/// `introspection` (RFC 7662 section 2).
#[derive(Clone, Debug)]
pub struct IntrospectionConfig {
    /// The endpoint.
    pub uri: Uri,
    /// `client_id` (RFC 6749 section 2.2).
    pub client_id: String,
    /// `client_secret` (RFC 6749 section 2.3.1).
    pub client_secret: SecretSource,
    /// Whether the client names itself in the body and not in `Authorization` (RFC 6749 section 2.3.1).
    pub in_body: bool,
    /// How long an answer is remembered at most, in seconds.
    pub cache_seconds: i64,
    /// How long the issuer may take, in seconds.
    pub timeout_seconds: u64,
}

/// `revocation`: a list that is polled.
#[derive(Clone, Debug)]
pub struct RevocationConfig {
    /// The list.
    pub remote: RemoteConfig,
    /// Whether tokens are accepted while there is no list.
    pub accepts_on_outage: bool,
}

fn seconds(object: &Object<'_>, key: &'static str, least: u64, most: u64, default: i64) -> i64 {
    let value = object.optional(key, |n| n.integer(least..=most));
    value.and_then(|value| i64::try_from(value).ok()).unwrap_or(default)
}

fn refresh_policy(object: &Object<'_>, refresh: i64) -> RefreshPolicy {
    RefreshPolicy {
        timeout: seconds(object, "timeout_seconds", 1, 60, 5),
        refresh: seconds(object, "refresh_seconds", 1, 86_400, refresh),
        refetch: seconds(object, "refetch_seconds", 1, 86_400, 10),
        max_stale: seconds(object, "max_stale_seconds", 1, 31_536_000, 86_400),
    }
}

/// `uri` and `cluster`.
fn uri(object: &Object<'_>) -> Option<Uri> {
    let cluster = object.required("cluster", |n| n.text());
    object.required("uri", |n| {
        let text = n.text()?;
        n.errors.check(n.path, Uri::parse(&text, cluster.as_deref().unwrap_or_default()))
    })
}

impl RemoteConfig {
    /// Reads `remote_jwks`.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let (uri, refresh_policy) = (uri(&object), refresh_policy(&object, 600));
        object.finish();
        Some(Self { uri: uri?, refresh_policy })
    }
}

impl DiscoveryConfig {
    /// Reads `cluster` and what belongs to it, which stand beside the rest of a `jwt`.
    pub fn read(object: &Object<'_>) -> Option<Self> {
        let cluster = object.required("cluster", |n| n.text());
        let jwks_cluster = object.optional("jwks_cluster", |n| n.text());
        let refresh_policy = refresh_policy(object, 600);
        Some(Self { cluster: cluster?, jwks_cluster, refresh_policy })
    }
}

impl IntrospectionConfig {
    /// Reads what of `introspection` is its own; the rest is as in `jwt`.
    pub fn read(object: &Object<'_>) -> Option<Self> {
        let uri = uri(object);
        let client_id = object.required("client_id", |n| n.text());
        let client_secret = object.required("client_secret", read_secret);
        let in_body = object.optional("auth_method", |n| {
            n.enumeration(&[("client_secret_basic", false), ("client_secret_post", true)])
        });
        let cache_seconds = seconds(object, "cache_seconds", 0, 86_400, 60);
        let timeout = object.optional("timeout_seconds", |n| n.integer(1..=60));
        Some(Self {
            uri: uri?,
            client_id: client_id?,
            client_secret: client_secret?,
            in_body: in_body.unwrap_or(false),
            cache_seconds,
            timeout_seconds: timeout.unwrap_or(5),
        })
    }
}

impl RevocationConfig {
    /// Reads `revocation`.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let (uri, refresh_policy) = (uri(&object), refresh_policy(&object, 60));
        let accepts = object.optional("on_outage", |n| n.enumeration(&[("refuse", false), ("accept", true)]));
        object.finish();
        let remote = RemoteConfig { uri: uri?, refresh_policy };
        Some(Self { remote, accepts_on_outage: accepts.unwrap_or(false) })
    }
}

/// Reads `revoked`.
pub fn read_revoked(node: Node<'_>) -> Option<Revocations> {
    let object = node.object()?;
    let strings = |key| {
        let list = object.optional(key, |n: Node<'_>| n.list(|n| n.text()));
        list.unwrap_or_default().into_iter().collect::<HashSet<_>>()
    };
    let (jti, sub) = (strings("jti"), strings("sub"));
    let issued_before = object.optional("issued_before", |n| {
        let value = n.integer(0..=9_007_199_254_740_992)?;
        i64::try_from(value).ok()
    });
    object.finish();
    Some(Revocations { jti, sub, issued_before })
}
