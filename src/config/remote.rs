//! What is fetched from outside: `remote_jwks`, `cluster`, `introspection`, `revocation`.

use std::collections::HashSet;

use super::fields::{SecretSource, read_client_secret, read_fetch_header, read_secret};
use super::node::{Node, Object};
use crate::fetch::{KeyFormat, RefreshPolicy, Revocations, Uri};
use crate::setting::{Number, words};

/// Something that is fetched through an Envoy cluster.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(
        rename = "Remote",
        deny_unknown_fields,
        extend("examples" = [{"uri": "https://idp.example/keys", "cluster": "idp"}]),
    )
)]
pub struct RemoteConfig {
    /// Where it is.
    #[cfg_attr(feature = "schema", schemars(flatten, with = "written::Place"))]
    pub uri: Uri,
    /// When it is fetched.
    #[cfg_attr(feature = "schema", schemars(flatten, with = "written::Refresh"))]
    pub refresh_policy: RefreshPolicy,
    /// Headers to ask with, such as the token that Kubernetes wants for its keys.
    ///
    /// Names in lower case. One whose value had an error is `None`.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<std::collections::BTreeMap<String, super::fields::written::Secret>>",
            extend("examples" = [{"Authorization": {"env": "KEYS_AUTHORIZATION"}}]),
        )
    )]
    pub headers: Vec<(String, Option<SecretSource>)>,
}

/// A key set that is fetched.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(
        rename = "RemoteKeys",
        deny_unknown_fields,
        extend("examples" = [{"uri": "https://idp.example/keys", "cluster": "idp"}]),
    )
)]
pub struct RemoteKeysConfig {
    /// The set.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub remote: RemoteConfig,
    /// How the set is written.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub format: KeyFormat,
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

/// What of `introspection` (RFC 7662 section 2) is its own.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IntrospectionConfig {
    /// The endpoint.
    #[cfg_attr(feature = "schema", schemars(flatten, with = "written::Place"))]
    pub uri: Uri,
    /// The client id of Lychgate at the issuer.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub client_id: String,
    /// The secret of that client.
    #[cfg_attr(feature = "schema", schemars(with = "super::fields::written::Secret"))]
    pub client_secret: SecretSource,
    /// Where the request has the client id and the secret (RFC 6749 section 2.3.1): in `Authorization`, or in the
    /// form.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub auth_method: AuthMethod,
    /// How long an answer is remembered at most, in seconds; never longer than the token lives.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<u64>",
            range(min = CACHE_SECONDS.least, max = CACHE_SECONDS.most),
            extend("default" = CACHE_SECONDS.default),
        )
    )]
    pub cache_seconds: i64,
    /// How long the issuer may take, in seconds.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<u64>",
            range(min = TIMEOUT_SECONDS.least, max = TIMEOUT_SECONDS.most),
            extend("default" = TIMEOUT_SECONDS.default),
        )
    )]
    pub timeout_seconds: u32,
}

words! {
    /// How a client authenticates (RFC 6749 section 2.3.1).
    #[derive(Default)]
    pub enum AuthMethod {
        /// By `Authorization: Basic`.
        #[default]
        Basic = "client_secret_basic",
        /// In the form.
        Post = "client_secret_post",
    }
}

/// A list of revoked tokens that is polled: JSON of the form of `revoked`.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(
        rename = "RevocationList",
        deny_unknown_fields,
        extend("examples" = [{"uri": "https://idp.example/revoked", "cluster": "idp", "refresh_seconds": 30}]),
    )
)]
pub struct RevocationConfig {
    /// The list.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub remote: RemoteConfig,
    /// What becomes of tokens while there is no list.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub on_outage: OnOutage,
}

words! {
    /// What becomes of tokens while there is no list.
    #[derive(Default)]
    pub enum OnOutage {
        /// Refused with 503.
        #[default]
        Refuse = "refuse",
        /// Accepted.
        Accept = "accept",
    }
}

const TIMEOUT_SECONDS: Number<u32> = Number { least: 1, most: 60, default: 5 };
const CACHE_SECONDS: Number<i64> = Number { least: 0, most: 86_400, default: 60 };
const REFRESH_SECONDS: Number<i64> = Number { least: 1, most: 86_400, default: 600 };
const REVOCATION_REFRESH_SECONDS: Number<i64> = Number { default: 60, ..REFRESH_SECONDS };
const REFETCH_SECONDS: Number<i64> = Number { least: 1, most: 86_400, default: 10 };
const MAX_STALE_SECONDS: Number<i64> = Number { least: 1, most: 31_536_000, default: 86_400 };

fn refresh_policy(object: &Object<'_>, refresh: &Number<i64>) -> RefreshPolicy {
    RefreshPolicy {
        timeout: object.number("timeout_seconds", &TIMEOUT_SECONDS).into(),
        refresh: object.number("refresh_seconds", refresh),
        refetch: object.number("refetch_seconds", &REFETCH_SECONDS),
        max_stale: object.number("max_stale_seconds", &MAX_STALE_SECONDS),
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
    /// Reads what is common to everything that is fetched.
    fn read(object: &Object<'_>, refresh: &Number<i64>) -> Option<Self> {
        let (uri, refresh_policy) = (uri(object), refresh_policy(object, refresh));
        let headers = object.optional("headers", read_headers).unwrap_or_default();
        Some(Self { uri: uri?, refresh_policy, headers })
    }
}

/// Headers by their names in lower case, with secret values.
fn read_headers(node: Node<'_>) -> Option<Vec<(String, Option<SecretSource>)>> {
    let mut headers: Vec<(String, Option<SecretSource>)> = Vec::new();
    for (name, value) in node.map(read_secret)? {
        let path = node.path.key(&name);
        let name = read_fetch_header(Node { path: &path, ..node }, &name)?;
        if headers.iter().any(|(other, _)| *other == name) {
            return node.error(format_args!("`{name}` is there twice"));
        }
        headers.push((name, value));
    }
    Some(headers)
}

impl RemoteKeysConfig {
    /// Reads `remote_jwks`.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let remote = RemoteConfig::read(&object, &REFRESH_SECONDS);
        let format = object.optional("format", |n| n.enumeration(KeyFormat::WORDS));
        object.finish();
        Some(Self { remote: remote?, format: format.unwrap_or_default() })
    }
}

impl DiscoveryConfig {
    /// Reads `cluster` and its settings, which are members of a `jwt`.
    pub fn read(object: &Object<'_>) -> Option<Self> {
        let cluster = object.required("cluster", |n| n.text());
        let jwks_cluster = object.optional("jwks_cluster", |n| n.text());
        let refresh_policy = refresh_policy(object, &REFRESH_SECONDS);
        Some(Self { cluster: cluster?, jwks_cluster, refresh_policy })
    }
}

impl IntrospectionConfig {
    /// Reads what of `introspection` is its own; the rest is as in `jwt`.
    pub fn read(object: &Object<'_>) -> Option<Self> {
        let uri = uri(object);
        let client_id = object.required("client_id", |n| n.text());
        let client_secret = object.required("client_secret", read_client_secret);
        let auth_method = object.optional("auth_method", |n| n.enumeration(AuthMethod::WORDS));
        let cache_seconds = object.number("cache_seconds", &CACHE_SECONDS);
        let timeout_seconds = object.number("timeout_seconds", &TIMEOUT_SECONDS);
        Some(Self {
            uri: uri?,
            client_id: client_id?,
            client_secret: client_secret?,
            auth_method: auth_method.unwrap_or_default(),
            cache_seconds,
            timeout_seconds,
        })
    }
}

impl RevocationConfig {
    /// Reads `revocation`.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let remote = RemoteConfig::read(&object, &REVOCATION_REFRESH_SECONDS);
        let on_outage = object.optional("on_outage", |n| n.enumeration(OnOutage::WORDS));
        object.finish();
        Some(Self { remote: remote?, on_outage: on_outage.unwrap_or_default() })
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
        let value = n.integer(0..=Revocations::LATEST)?;
        i64::try_from(value).ok()
    });
    object.finish();
    Some(Revocations { jti, sub, issued_before })
}

/// The same as written, where the types above hold something else.
#[cfg(feature = "schema")]
#[expect(dead_code, reason = "schemas are derived from these types; values of them are never made")]
pub(super) mod written {
    use schemars::JsonSchema;

    use super::{MAX_STALE_SECONDS, REFETCH_SECONDS, REFRESH_SECONDS, TIMEOUT_SECONDS};

    /// `Uri`.
    #[derive(JsonSchema)]
    pub struct Place {
        /// Its absolute URI. The cluster decides where the request goes, and whether with TLS.
        #[schemars(regex(pattern = "^https?://"))]
        uri: String,
        /// The Envoy cluster.
        #[schemars(length(min = 1))]
        cluster: String,
    }

    /// `RefreshPolicy`.
    #[derive(JsonSchema)]
    pub struct Refresh {
        /// How long the answer may take, in seconds.
        #[schemars(
            range(min = TIMEOUT_SECONDS.least, max = TIMEOUT_SECONDS.most),
            extend("default" = TIMEOUT_SECONDS.default),
        )]
        timeout_seconds: Option<u64>,
        /// How often it is fetched in the background, in seconds. Left out: 600 for keys, 60 for revocations.
        #[schemars(range(min = REFRESH_SECONDS.least, max = REFRESH_SECONDS.most))]
        refresh_seconds: Option<u64>,
        /// For a key that is not in the set it is fetched ahead of time, at most once in this time, in
        /// seconds.
        #[schemars(
            range(min = REFETCH_SECONDS.least, max = REFETCH_SECONDS.most),
            extend("default" = REFETCH_SECONDS.default),
        )]
        refetch_seconds: Option<u64>,
        /// How long the last answer is used while fetching fails, in seconds.
        #[schemars(
            range(min = MAX_STALE_SECONDS.least, max = MAX_STALE_SECONDS.most),
            extend("default" = MAX_STALE_SECONDS.default),
        )]
        max_stale_seconds: Option<u64>,
    }
}
