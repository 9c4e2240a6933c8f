//! The providers of Envoy's `jwt_authn`.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::carry::{self, Carrier, strings};
use super::need::Condition;
use super::providers::{Described, Keys, Provider, provider};
use super::text::seconds;
use crate::document::Node;

/// A provider of Envoy's `jwt_authn`.
pub fn of_envoy(name: &str, node: &Node, carrier: &mut Carrier) -> Provider {
    let tree = &node.value;
    let text = |key: &str| tree.field(key).and_then(|node| node.value.text());
    const KNOWN: [&str; 21] = [
        "issuer",
        "audiences",
        "local_jwks",
        "remote_jwks",
        "forward",
        "from_headers",
        "from_params",
        "from_cookies",
        "forward_payload_header",
        "payload_in_metadata",
        "header_in_metadata",
        "failed_status_in_metadata",
        "clock_skew_seconds",
        "jwt_cache_config",
        "claim_to_headers",
        "require_expiration",
        "subjects",
        "normalize_payload_in_metadata",
        "clear_route_cache",
        "pad_forward_payload_header",
        "use_jwks_kid",
    ];
    let is_known = carrier.unknown_fields(node, &KNOWN);
    for key in ["payload_in_metadata", "header_in_metadata", "failed_status_in_metadata"] {
        if let Some(node) = tree.field(key) {
            carrier.differs(node, format!(
                "`{key}`: filters behind find no dynamic metadata; rules on claims are carried over, others take the headers of \
                 `claims_to_headers`, `payload_to_header` or filter state"
            ));
        }
    }
    let list = |key: &str| tree.field(key).map(|node| node.value.items()).unwrap_or_default();
    let mut from = Vec::new();
    for place in list("from_headers") {
        let name = carry::text(place, "name").unwrap_or_default();
        let prefix = carry::text(place, "value_prefix").unwrap_or_default();
        from.push(if name.eq_ignore_ascii_case("cookie") {
            Value::Null
        } else {
            json!({"header": name, "prefix": prefix})
        });
    }
    from.extend(strings(tree.field("from_params")).into_iter().map(|name| json!({"query": name})));
    from.extend(strings(tree.field("from_cookies")).into_iter().map(|name| json!({"cookie": name})));
    from.retain(|place| !place.is_null());
    let keys = match (tree.field("remote_jwks"), tree.field("local_jwks")) {
        (Some(remote), _) => remote_keys(remote, carrier),
        (None, Some(local)) => local_keys(local, carrier),
        (None, None) => {
            carrier.denies(node, "the provider has no keys; give it `jwks` or `remote_jwks`");
            Keys::Lost
        }
    };
    let headers = list("claim_to_headers").iter();
    let headers = headers
        .filter_map(|pair| Some((carry::text(pair, "claim_name")?, carry::text(pair, "header_name")?)))
        .collect();
    let skew = tree.field("clock_skew_seconds").and_then(|node| node.value.number());
    let described = Described {
        name,
        node,
        issuer: text("issuer").filter(|issuer| !issuer.is_empty()),
        audiences: strings(tree.field("audiences")),
        keys: if is_known { keys } else { Keys::Lost },
        from,
        forwards: tree.field("forward").is_some_and(|node| node.value.is_true()),
        claims_to_headers: headers,
        payload_header: text("forward_payload_header").filter(|header| !header.is_empty()),
        requires_expiration: tree.field("require_expiration").is_some_and(|node| node.value.is_true()),
        spaced: strings(tree.fields(&["normalize_payload_in_metadata", "space_delimited_claims"]))
            .into_iter()
            .collect(),
        skew: skew.filter(|skew| *skew > 0),
    };
    let mut provider = provider(described, carrier);
    provider.payload_name = text("payload_in_metadata").map(str::to_owned);
    if let Some(subjects) = tree.field("subjects") {
        match subjects.value.field("exact").and_then(|node| node.value.text()) {
            Some(subject) if subjects.value.field("ignore_case").is_none() => {
                let subject = BTreeSet::from([subject.to_owned()]);
                provider.need.claims.insert("sub".into(), Condition::OneOf(subject));
            }
            Some(_) | None => {
                carrier.denies(
                    subjects,
                    "`subjects` is carried over with `exact` only; name each subject in `jwt.claims`",
                );
                provider.scheme = None;
            }
        }
    }
    provider
}

/// A duration as text, or by its fields, as Envoy takes both.
fn duration(node: &Node) -> Option<u64> {
    match node.value.text() {
        Some(text) => seconds(text),
        None => node.value.field("seconds").and_then(|own| u64::try_from(own.value.number()?).ok()),
    }
}

fn remote_keys<'a>(remote: &'a Node, carrier: &mut Carrier) -> Keys<'a> {
    let tree = &remote.value;
    let text = |way: &[&str]| tree.fields(way).and_then(|node| node.value.text());
    let (Some(uri), Some(cluster)) = (text(&["http_uri", "uri"]), text(&["http_uri", "cluster"])) else {
        carrier.denies(remote, "`remote_jwks` has no `uri` and `cluster`; give both");
        return Keys::Lost;
    };
    let mut settings = Map::new();
    let duration = |way: &[&str]| tree.fields(way).and_then(duration);
    let timeout = duration(&["http_uri", "timeout"]).map(|timeout| timeout.clamp(1, 60));
    settings.extend(timeout.filter(|own| *own != 5).map(|own| ("timeout_seconds".to_owned(), own.into())));
    let refresh = duration(&["cache_duration"]).map(|refresh| refresh.clamp(1, 86_400));
    settings.extend(refresh.filter(|own| *own != 600).map(|own| ("refresh_seconds".to_owned(), own.into())));
    Keys::Remote { uri: uri.to_owned(), cluster: cluster.to_owned(), settings }
}

fn local_keys<'a>(local: &'a Node, carrier: &mut Carrier) -> Keys<'a> {
    let text = |key: &str| local.value.field(key).and_then(|node| node.value.text());
    if let Some(inline) = text("inline_string") {
        return Keys::Inline(local, inline.to_owned());
    }
    if let Some(bytes) = text("inline_bytes") {
        let bytes = BASE64_STANDARD.decode(bytes).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(text) = bytes else {
            carrier.denies(local, "`inline_bytes` is no text in base64; write the set into `jwks`");
            return Keys::Lost;
        };
        return Keys::Inline(local, text);
    }
    if let Some(file) = text("filename") {
        let near = std::path::Path::new(&carrier.file).parent().map(|folder| folder.join(file));
        let found = [Some(std::path::PathBuf::from(file)), near].into_iter().flatten();
        if let Some(text) = found.filter_map(|path| std::fs::read_to_string(path).ok()).next() {
            carrier
                .differs(local, format!("the keys of {file} are written out: import again when they change"));
            return Keys::Inline(local, text);
        }
        carrier
            .denies(local, format!("{file} is not there; import where it is, or write the set into `jwks`"));
        return Keys::Lost;
    }
    carrier.denies(local, "this source of keys is not carried over; write the set into `jwks`");
    Keys::Lost
}
