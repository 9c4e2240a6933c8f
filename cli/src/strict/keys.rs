//! One key that signs two kinds of tokens, with no claim that distinguishes them.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use lychgate::config::Path;
use serde_json::{Map, Value};

use super::{Finding, Findings, Lookup, Weight, items, schemes, string, strings, tokens};
use crate::document::{Node, Tree, line_of};
use crate::find::Found;

/// What a key is known by.
#[derive(Debug, PartialEq, Eq)]
enum Identity {
    /// The bytes of a secret.
    Secret(Vec<u8>),
    /// The variable of a secret or a PEM whose value is not known.
    Variable(String),
    /// A public key as it is written.
    Public(String),
    /// Where keys are fetched, or which issuer is asked.
    Uri(String),
}

/// A trust anchor of tokens: a `jwt`, one of its `issuers`, or an `introspection`.
pub(super) struct Holder {
    owner: Option<String>,
    configuration: usize,
    scheme: String,
    line: u64,
    path: String,
    keys: Vec<Identity>,
    issuer: Option<String>,
    audiences: Option<Vec<String>>,
    /// All that says what a token must be, but not where it is in a request.
    tokens: Value,
}

/// Adds the holders of a configuration.
pub(super) fn collect(found: &Found<'_>, tree: &Tree, lookup: Lookup<'_>, holders: &mut Vec<Holder>) {
    let configuration = holders.last().map_or(0, |last| last.configuration.saturating_add(1));
    for (name, scheme) in schemes(tree) {
        let Some((key, tokens)) = tokens(scheme) else { continue };
        let (root, url) = (Path::Root.key("schemes"), string(scheme, "openIdConnectUrl"));
        let (of_scheme, variable) = (root.key(name), |variable: &str| lookup(found, variable));
        let path = of_scheme.key(key);
        let mut add = |path: &Path<'_>, tree: &Tree| {
            let path = path.to_string();
            holders.push(Holder {
                owner: found.owner.clone(),
                configuration,
                scheme: name.to_owned(),
                line: line_of(found.node, &path),
                path,
                keys: identities(tree, url, &variable),
                issuer: string(tree, "issuer").or(url).map(str::to_owned),
                audiences: strings(tokens, "audiences")
                    .map(|audiences| audiences.into_iter().map(str::to_owned).collect()),
                tokens: what_a_token_must_be(scheme, tokens),
            });
        };
        if tokens.get("issuers").is_none() {
            add(&path, tokens);
        }
        for (index, issuer) in items(tokens, "issuers") {
            let issuers = path.key("issuers");
            add(&issuers.index(index), issuer);
        }
    }
}

/// Judges every pair.
pub(super) fn judge(holders: &[Holder], findings: &mut Findings) {
    for (index, later) in holders.iter().enumerate() {
        let mut earlier = holders.iter().take(index);
        let Some(other) = earlier.find(|earlier| earlier.may_be_taken_for(later)) else { continue };
        let place = match &other.owner {
            Some(owner) if other.configuration != later.configuration => format!("{owner}: {}", other.path),
            Some(_) | None => other.path.clone(),
        };
        let message = format!(
            "has a key in common with {place} (line {}), and neither `issuer` nor `audiences` tells their tokens apart: \
             a client's token for one is accepted as a token for the other; give each a key of its own, or other \
             `audiences`",
            other.line
        );
        findings.0.push(Finding {
            owner: later.owner.clone(),
            line: later.line,
            path: later.path.clone(),
            message,
            weight: Weight::Warning,
        });
    }
}

impl Holder {
    fn may_be_taken_for(&self, other: &Self) -> bool {
        let is_within = self.configuration == other.configuration;
        // The issuers of one scheme are distinguished by their names.
        let is_one_scheme = is_within && self.scheme == other.scheme;
        // The same token at two places of a request, or before two doors of one service.
        let is_one_kind = self.tokens == other.tokens && (is_within || self.audiences.is_some());
        let share = self.keys.iter().any(|key| other.keys.contains(key));
        share && !is_one_scheme && !is_one_kind && !self.is_distinguishable_from(other)
    }

    fn is_distinguishable_from(&self, other: &Self) -> bool {
        let by_issuer = matches!((&self.issuer, &other.issuer), (Some(own), Some(other)) if own != other);
        let by_audience = match (&self.audiences, &other.audiences) {
            (Some(own), Some(other)) => !own.iter().any(|audience| other.contains(audience)),
            (Some(_), None) | (None, Some(_) | None) => false,
        };
        by_issuer || by_audience
    }
}

fn what_a_token_must_be(scheme: &Tree, tokens: &Tree) -> Value {
    let without = ["from", "claims_to_headers", "max_token_bytes"];
    let members = tokens.members().iter().filter(|(key, _)| !without.contains(&key.value.as_str()));
    let members: Map<_, _> = members.map(|(key, node)| (key.value.clone(), node.value.to_value())).collect();
    let of_scheme = |key: &str| scheme.get(key).map_or(Value::Null, |node| node.value.to_value());
    Value::Array(vec![Value::Object(members), of_scheme("users"), of_scheme("users_scopes")])
}

fn identities(tree: &Tree, url: Option<&str>, variable: &dyn Fn(&str) -> Option<String>) -> Vec<Identity> {
    let mut found = Vec::new();
    for (_, key) in items(tree, "keys") {
        found.extend(key.get("secret").and_then(|secret| secret_of(secret, variable)));
        found.extend(key.get("pem").map(|pem| pem_of(&pem.value, variable)));
        found.extend(key.get("jwk").map(|jwk| jwk_of(&jwk.value)));
    }
    if let Some(jwks) = tree.get("jwks") {
        found.extend(items(&jwks.value, "keys").map(|(_, jwk)| jwk_of(jwk)));
    }
    let remote = tree.at(&["remote_jwks", "uri"]).and_then(|uri| uri.value.text());
    found.extend(remote.or_else(|| string(tree, "uri")).map(|uri| Identity::Uri(uri.to_owned())));
    if tree.get("cluster").is_some() && tree.get("uri").is_none() {
        found.extend(url.or_else(|| string(tree, "issuer")).map(|uri| Identity::Uri(uri.to_owned())));
    }
    found
}

fn secret_of(secret: &Node, variable: &dyn Fn(&str) -> Option<String>) -> Option<Identity> {
    if let Some(text) = secret.value.text() {
        return Some(Identity::Secret(text.into()));
    }
    if let Some(name) = string(&secret.value, "env") {
        return Some(of_variable(name, variable));
    }
    string(&secret.value, "base64").and_then(decode).map(Identity::Secret)
}

fn of_variable(name: &str, variable: &dyn Fn(&str) -> Option<String>) -> Identity {
    variable(name).map_or_else(|| Identity::Variable(name.to_owned()), |value| Identity::Secret(value.into()))
}

fn pem_of(pem: &Tree, variable: &dyn Fn(&str) -> Option<String>) -> Identity {
    match string(pem, "env") {
        Some(name) => of_variable(name, variable),
        None => Identity::Public(pem.text().unwrap_or_default().split_whitespace().collect()),
    }
}

fn jwk_of(jwk: &Tree) -> Identity {
    if let Some(secret) = string(jwk, "k").and_then(decode) {
        return Identity::Secret(secret);
    }
    // What a key is, without what is said of it (RFC 7638 section 3.2, and `pub` of ML-DSA).
    let material = ["kty", "crv", "n", "e", "x", "y", "pub"];
    let parts = material.iter().map(|part| string(jwk, part).unwrap_or_default());
    Identity::Public(parts.collect::<Vec<_>>().join("."))
}

/// Base64 in either alphabet, padded or not.
fn decode(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let text: String = text.trim().replace('-', "+").replace('_', "/");
    GeneralPurpose::new(&base64::alphabet::STANDARD, config).decode(text).ok()
}
