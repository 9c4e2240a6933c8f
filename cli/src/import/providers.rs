//! Tokens as other gateways describe them, as schemes.

use std::collections::{BTreeMap, BTreeSet};

use lychgate::keys::{KeyOrigin, import_jwks};
use serde_json::{Map, Value, json};

use super::carry::{Carrier, IDENTITY_HEADERS};
use super::need::{Condition, Need, Needs};
use super::text::claim_reference;
use crate::document::Node;

/// A provider of `jwt_authn`, carried over.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The name of its scheme; `None`: it could not be carried over.
    pub scheme: Option<String>,
    /// What else its tokens must say.
    pub need: Need,
    /// The name of its payload in dynamic metadata.
    pub payload_name: Option<String>,
    /// Claims whose text is a list with spaces.
    pub spaced: BTreeSet<String>,
    jwt: Value,
    settings: Map<String, Value>,
}

impl Provider {
    /// What a request needs that needs one of its tokens.
    pub fn needs(&self) -> Needs {
        match &self.scheme {
            Some(scheme) => Needs::of(scheme, self.need.clone()),
            None => Needs::cut(),
        }
    }

    /// The same with other audiences.
    pub fn with_audiences(&self, audiences: Vec<String>, carrier: &mut Carrier) -> Self {
        let mut provider = self.clone();
        if let (Some(scheme), false) = (&self.scheme, audiences.is_empty()) {
            provider.jwt["audiences"] = with_and_without_slash(audiences).into();
            let value = provider.to_value();
            provider.scheme = Some(carrier.add_scheme(scheme, value));
        }
        provider
    }

    /// What tokens need that have one of these values in a claim.
    pub fn holders(&self, claim: &[&str], values: BTreeSet<String>) -> Needs {
        let Some(scheme) = &self.scheme else { return Needs::cut() };
        let is_scope = |value: &String| {
            !value.is_empty() && value.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
        };
        if claim == ["scope"] && self.spaced.contains("scope") && values.iter().all(is_scope) {
            return values.into_iter().fold(Needs::denied(), |some, scope| {
                let mut need = self.need.clone();
                need.scopes.insert(scope);
                some.or(&Needs::of(scheme, need))
            });
        }
        let mut need = self.need.clone();
        need.claims.insert(claim_reference(claim), Condition::OneOf(values));
        Needs::of(scheme, need)
    }

    /// What tokens need that have a claim.
    pub fn having(&self, claim: &[&str]) -> Needs {
        let Some(scheme) = &self.scheme else { return Needs::cut() };
        let mut need = self.need.clone();
        need.claims.insert(claim_reference(claim), Condition::Present);
        Needs::of(scheme, need)
    }

    fn to_value(&self) -> Value {
        let mut scheme = json!({"type": "http", "scheme": "bearer", "missing_status": 401});
        if let Some(scheme) = scheme.as_object_mut() {
            scheme.extend(self.settings.clone());
            scheme.insert("jwt".into(), self.jwt.clone());
        }
        scheme
    }
}

/// How a message describes a provider: the names of its fields are those of Envoy; others are given them first.
pub struct Described<'a> {
    /// Its name.
    pub name: &'a str,
    /// The message, for its line.
    pub node: &'a Node,
    /// `issuer`.
    pub issuer: Option<&'a str>,
    /// `audiences`.
    pub audiences: Vec<String>,
    /// Where its keys are.
    pub keys: Keys<'a>,
    /// `[{header, prefix}]`, `[{query}]`, `[{cookie}]`, or nothing for the usual places.
    pub from: Vec<Value>,
    /// Whether the token goes on.
    pub forwards: bool,
    /// Claim and header.
    pub claims_to_headers: Vec<(String, String)>,
    /// The header of the payload.
    pub payload_header: Option<&'a str>,
    /// Whether a token without `exp` is refused.
    pub requires_expiration: bool,
    /// Claims whose text is a list with spaces.
    pub spaced: BTreeSet<String>,
    /// `clock_skew_seconds`.
    pub skew: Option<i64>,
}

/// Where the keys of a provider are.
pub enum Keys<'a> {
    /// A set as text.
    Inline(&'a Node, String),
    /// They are fetched.
    Remote {
        /// From here.
        uri: String,
        /// Through this cluster.
        cluster: String,
        /// The message, for `timeout` and the like.
        settings: Map<String, Value>,
    },
    /// The issuer says where, by discovery through this cluster.
    Discovery {
        /// The cluster.
        cluster: String,
    },
    /// They could not be carried over; this is noted.
    Lost,
}

fn is_url(audience: &str) -> bool {
    audience.starts_with("https://") || audience.starts_with("http://")
}

/// Audiences as Envoy compares them: a slash at the end of a URL makes no difference.
fn with_and_without_slash(audiences: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for audience in audiences {
        let other = is_url(&audience)
            .then(|| audience.strip_suffix('/').map_or_else(|| format!("{audience}/"), str::to_owned));
        for own in std::iter::once(audience).chain(other) {
            if !all.contains(&own) {
                all.push(own);
            }
        }
    }
    all
}

/// Carries a provider over.
pub fn provider(described: Described<'_>, carrier: &mut Carrier) -> Provider {
    let Described { node, .. } = described;
    let mut jwt = Map::new();
    let mut settings = Map::new();
    let mut is_lost = false;
    jwt.extend(described.issuer.map(|issuer| ("issuer".to_owned(), issuer.into())));
    if described.audiences.iter().any(|audience| is_url(audience)) {
        carrier.differs(
            node,
            "audiences are compared as they are written, with a slash at the end and without; before, `https://` and `http://` \
             made no difference either",
        );
    }
    if !described.audiences.is_empty() {
        jwt.insert("audiences".into(), with_and_without_slash(described.audiences).into());
    }
    match described.keys {
        Keys::Inline(place, text) => match inline_keys(&text, place, carrier) {
            Some((set, algorithms)) => {
                jwt.insert("jwks".into(), set);
                jwt.extend(algorithms.map(|algorithms| ("algorithms".to_owned(), algorithms)));
            }
            None => is_lost = true,
        },
        Keys::Remote { uri, cluster, settings } => {
            let mut remote = json!({"uri": uri, "cluster": cluster});
            if let Some(remote) = remote.as_object_mut() {
                remote.extend(settings);
            }
            jwt.insert("remote_jwks".into(), remote);
        }
        Keys::Discovery { cluster } => {
            jwt.insert("cluster".into(), cluster.into());
        }
        Keys::Lost => is_lost = true,
    }
    if described.spaced.contains("scope") {
        jwt.insert("scope_claims".into(), json!(["scope"]));
    }
    let required = if described.requires_expiration { json!(["exp"]) } else { json!([]) };
    jwt.insert("required_claims".into(), required);
    if !described.requires_expiration {
        carrier.differs(node, "tokens without `exp` pass, as before; `required_claims: [exp]` refuses them");
    }
    jwt.extend(
        described.skew.filter(|skew| *skew != 60).map(|skew| ("leeway_seconds".to_owned(), skew.into())),
    );
    let mut headers = Map::new();
    for (claim, header) in described.claims_to_headers {
        let header = header.to_ascii_lowercase();
        let is_own = IDENTITY_HEADERS.contains(&header.as_str());
        if is_own || ["authorization", "cookie"].contains(&header.as_str()) {
            carrier.differs(node, format!(
                "claim `{claim}` is not written to `{header}`, which the filter writes itself; see `identity_headers`"
            ));
        } else {
            headers.insert(claim, header.into());
        }
    }
    if !headers.is_empty() {
        jwt.insert("claims_to_headers".into(), headers.into());
    }
    jwt.extend(described.payload_header.map(|header| ("payload_to_header".to_owned(), header.into())));
    let usual =
        vec![json!({"header": "Authorization", "prefix": "Bearer "}), json!({"query": "access_token"})];
    let from = if described.from.is_empty() { usual } else { described.from };
    let (from, has_several_prefixes) = in_order(from);
    settings.insert("from".into(), from.into());
    if has_several_prefixes {
        settings.insert("from_order".into(), "first".into());
    }
    if described.forwards {
        settings.insert("forward".into(), true.into());
    }
    let jwt = Value::Object(jwt);
    let mut provider = Provider {
        scheme: None,
        need: Need::default(),
        payload_name: None,
        spaced: described.spaced,
        jwt,
        settings,
    };
    if !is_lost {
        let value = provider.to_value();
        provider.scheme = Some(carrier.add_scheme(described.name, value));
    }
    provider
}

/// Places without doubles, the longer prefix of one header first; and whether two of them read one header.
pub fn in_order(places: Vec<Value>) -> (Vec<Value>, bool) {
    let mut kept: Vec<Value> = Vec::new();
    for place in places {
        if !kept.contains(&place) {
            kept.push(place);
        }
    }
    let header = |place: &Value| place["header"].as_str().map(str::to_ascii_lowercase);
    let length = |place: &Value| place["prefix"].as_str().map_or(0, str::len);
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for name in kept.iter().filter_map(header) {
        let count = seen.entry(name).or_default();
        *count = count.saturating_add(1);
    }
    let is_several = seen.values().any(|count| *count > 1);
    // Only among the places of one header: what the first place is stays so.
    for left in 0..kept.len() {
        for right in left.saturating_add(1)..kept.len() {
            let (Some(one), Some(other)) = (kept.get(left), kept.get(right)) else { continue };
            if header(one).is_some() && header(one) == header(other) && length(other) > length(one) {
                kept.swap(left, right);
            }
        }
    }
    (kept, is_several)
}

/// The set in a text without the keys that cannot be used; and the algorithms of a set whose keys do not say theirs.
fn inline_keys(text: &str, place: &Node, carrier: &mut Carrier) -> Option<(Value, Option<Value>)> {
    let set: Value = match serde_json::from_str(text) {
        Ok(set) => set,
        Err(error) => {
            carrier.denies(place, format!("the key set is no JSON ({error}); mend it"));
            return None;
        }
    };
    let Some(keys) = set.get("keys").and_then(Value::as_array) else {
        carrier.denies(place, "the key set has no array `keys`; give a JWK Set");
        return None;
    };
    const OF_RSA: [&str; 6] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    let mut kept = Vec::new();
    let mut algorithms = BTreeSet::new();
    let mut is_unsaid = false;
    for jwk in keys {
        let imported = import_jwks([jwk], None, KeyOrigin::Configuration);
        match imported.left_out.first() {
            Some(left_out) => carrier.denies(place, format!("{left_out}. Tokens of this key")),
            None => {
                let says = jwk.get("alg").is_some_and(|alg| !alg.is_null());
                if !says && jwk["kty"] == "RSA" {
                    is_unsaid = true;
                    algorithms.extend(OF_RSA);
                } else {
                    algorithms.extend(imported.keys.iter().map(|key| key.algorithm().name()));
                }
                kept.push(jwk.clone());
            }
        }
    }
    if kept.is_empty() {
        carrier.denies(place, "the set has no key that can be used; give one");
        return None;
    }
    Some((json!({"keys": kept}), is_unsaid.then(|| algorithms.into_iter().map(Value::from).collect())))
}
