//! `keys`, `jwks`, `remote_jwks`, `cluster`, `issuers`: where the keys of a scheme come from.

use serde_json::Value;

use super::fields::{SecretSource, non_empty, read_algorithm, read_env, read_secret};
use super::node::{Node, Object};
use super::remote::{DiscoveryConfig, IntrospectionConfig, RemoteKeysConfig};
use crate::keys::Algorithm;
use crate::secret::{Secret, SecretJson};

/// Where the keys of a scheme come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// `keys`: one by one.
    Keys(Vec<Option<KeyConfig>>),
    /// `jwks`: an inline JWK Set (RFC 7517 section 5), each entry as it was written.
    Jwks(Vec<SecretJson>),
    /// `remote_jwks`: a JWK Set that is fetched.
    Remote(RemoteKeysConfig),
    /// `cluster`: OpenID Connect discovery.
    Discovery(DiscoveryConfig),
    /// `issuers`: each with keys of its own.
    Issuers(Vec<Option<IssuerConfig>>),
    /// `introspection`, in place of `jwt`: the issuer is asked.
    Introspection(IntrospectionConfig),
}

/// One key, and the one algorithm that it is for.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(
        rename = "Key",
        deny_unknown_fields,
        extend("oneOf" = [{"required": ["secret"]}, {"required": ["pem"]}, {"required": ["jwk"]}]),
        extend("examples" = [{"alg": "HS256", "secret": {"env": "LYCHGATE_SECRET"}}]),
    )
)]
pub struct KeyConfig {
    /// The algorithm.
    pub alg: Algorithm,
    /// The key itself.
    #[cfg_attr(feature = "schema", schemars(flatten, with = "written::Material"))]
    pub material: KeyMaterial,
    /// Which tokens it is for, by their `kid` (RFC 7515 section 4.1.4). Left out: any.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
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

/// One of several issuers, with keys of its own.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(
        rename = "Issuer",
        deny_unknown_fields,
        extend("oneOf" = [
            {"required": ["keys"]}, {"required": ["jwks"]}, {"required": ["remote_jwks"]}, {"required": ["cluster"]},
        ]),
        extend("dependentRequired" = written::with_cluster()),
        extend("examples" = [{"issuer": "https://idp.example", "cluster": "idp"}]),
    )
)]
pub struct IssuerConfig {
    /// `iss` of its tokens.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub issuer: String,
    /// Its keys.
    #[cfg_attr(feature = "schema", schemars(flatten, with = "written::Keys"))]
    pub keys: KeySource,
    /// Accepted algorithms. Left out: those of its keys.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub algorithms: Option<Vec<Algorithm>>,
}

/// Reads where the keys come from, beside the rest of a `jwt`.
pub fn read_key_source(object: &Object<'_>) -> Option<KeySource> {
    match object.one_of(&["keys", "jwks", "remote_jwks", "cluster", "issuers"])? {
        "remote_jwks" => object.optional("remote_jwks", RemoteKeysConfig::read).map(KeySource::Remote),
        "cluster" => DiscoveryConfig::read(object).map(KeySource::Discovery),
        "issuers" => {
            let issuers = object.optional("issuers", |n| non_empty(n, |n| n.items(IssuerConfig::read)));
            issuers.map(KeySource::Issuers)
        }
        local => read_local_keys(object, local),
    }
}

/// `keys` or `jwks`.
fn read_local_keys(object: &Object<'_>, key: &str) -> Option<KeySource> {
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

impl IssuerConfig {
    /// Reads one entry of `issuers`.
    pub fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let issuer = object.required("issuer", |n| n.text());
        let keys = match object.one_of(&["keys", "jwks", "remote_jwks", "cluster"]) {
            Some("remote_jwks") => {
                object.optional("remote_jwks", RemoteKeysConfig::read).map(KeySource::Remote)
            }
            Some("cluster") => DiscoveryConfig::read(&object).map(KeySource::Discovery),
            Some(local) => read_local_keys(&object, local),
            None => None,
        };
        let algorithms = object.optional("algorithms", |n| non_empty(n, |n| n.list(read_algorithm)));
        object.finish();
        Some(Self { issuer: issuer?, keys: keys?, algorithms })
    }
}

/// The same as written, where the types above hold something else.
#[cfg(feature = "schema")]
#[expect(dead_code, reason = "schemas are derived from these types; values of them are never made")]
pub(super) mod written {
    use schemars::JsonSchema;
    use serde_json::{Map, Value, json};

    use super::super::fields::written::{Env, Secret};
    use super::super::remote::RemoteKeysConfig;
    use super::super::remote::written::Refresh;
    use super::KeyConfig;

    /// `KeySource`, beside the rest of a `jwt` or an issuer.
    #[derive(JsonSchema)]
    pub struct Keys {
        /// Keys, one by one.
        #[schemars(length(min = 1))]
        keys: Option<Vec<KeyConfig>>,
        /// An inline JWK Set.
        jwks: Option<KeySet>,
        /// A JWK Set that is fetched.
        remote_jwks: Option<RemoteKeysConfig>,
        /// OpenID Connect discovery through this Envoy cluster: the document of the scheme's
        /// `openIdConnectUrl`, or of the issuer, names the JWK Set.
        #[schemars(length(min = 1))]
        cluster: Option<String>,
        /// With `cluster`: the cluster of the JWK Set, where it is on another host.
        #[schemars(length(min = 1))]
        jwks_cluster: Option<String>,
        #[schemars(flatten)]
        refresh: Refresh,
    }

    /// The keys that speak of discovery, for `dependentRequired`.
    pub fn with_cluster() -> Value {
        let keys =
            ["jwks_cluster", "timeout_seconds", "refresh_seconds", "refetch_seconds", "max_stale_seconds"];
        keys.into_iter().map(|key| (key.to_owned(), json!(["cluster"]))).collect::<Map<_, _>>().into()
    }

    /// A JWK Set (RFC 7517 section 5). Keys in it that cannot verify tokens are left out, with a warning.
    #[derive(JsonSchema)]
    struct KeySet {
        /// Its keys.
        keys: Vec<Map<String, Value>>,
    }

    /// `KeyMaterial`.
    #[derive(JsonSchema)]
    pub struct Material {
        /// The shared secret of HS256, HS384, HS512: at least 32, 48, 64 bytes (RFC 7518 section 3.2).
        secret: Option<Secret>,
        /// A public key as PEM text, RSA of 2048 to 4096 bits; or a certificate, whose key is taken and whose names,
        /// dates and chain are not judged.
        pem: Option<Pem>,
        /// A JSON Web Key (RFC 7517).
        jwk: Option<Map<String, Value>>,
    }

    /// PEM text of a public key, or `{env: NAME}`. A private key, to issue tokens with, only by `{env: NAME}`.
    #[derive(JsonSchema)]
    #[schemars(untagged)]
    enum Pem {
        Text(#[schemars(length(min = 1))] String),
        Env(Env),
    }
}
