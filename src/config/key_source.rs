//! `keys`, `jwks`, `remote_jwks`, `cluster`, `issuers`: where the keys of a scheme come from.

use serde_json::Value;

use super::fields::{SecretSource, non_empty, read_algorithm, read_env, read_secret};
use super::node::{Node, Object};
use super::remote::{DiscoveryConfig, IntrospectionConfig, RemoteConfig};
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

/// One entry of `issuers`.
#[derive(Clone, Debug)]
pub struct IssuerConfig {
    /// `iss` of its tokens.
    pub issuer: String,
    /// Its keys.
    pub keys: KeySource,
    /// Accepted algorithms; unset: those of its keys.
    pub algorithms: Option<Vec<Algorithm>>,
}

/// Reads where the keys come from, beside the rest of a `jwt`.
pub fn read_key_source(object: &Object<'_>) -> Option<KeySource> {
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
            Some("remote_jwks") => object.optional("remote_jwks", RemoteConfig::read).map(KeySource::Remote),
            Some("cluster") => DiscoveryConfig::read(&object).map(KeySource::Discovery),
            Some(local) => read_local_keys(&object, local),
            None => None,
        };
        let algorithms = object.optional("algorithms", |n| non_empty(n, |n| n.list(read_algorithm)));
        object.finish();
        Some(Self { issuer: issuer?, keys: keys?, algorithms })
    }
}
