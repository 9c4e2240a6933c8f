//! The way to what vouches for tokens: an attacker on it can put keys and answers of their own in place.

use std::net::IpAddr;

use lychgate::config::Path;

use super::{Findings, items, schemes, string, tokens};
use crate::document::{Node, Tree};
use crate::find::Found;

/// Judges every place that something is fetched from.
pub(super) fn judge(document: &Node, found: &Found<'_>, tree: &Tree, findings: &mut Findings) {
    let mut judge = Judge { document, found, findings, fetches: false };
    for (name, scheme) in schemes(tree) {
        let Some((key, tokens)) = tokens(scheme) else { continue };
        let (root, url) = (Path::Root.key("schemes"), string(scheme, "openIdConnectUrl"));
        let of_scheme = root.key(name);
        let path = of_scheme.key(key);
        judge.holder(&path, tokens, url);
        if let Some(revocation) = tokens.get("revocation") {
            judge.fetched(&path.key("revocation"), &revocation.value, string(&revocation.value, "uri"));
        }
        for (index, issuer) in items(tokens, "issuers") {
            let issuers = path.key("issuers");
            judge.holder(&issuers.index(index), issuer, None);
        }
    }
    if judge.fetches && document.value.get("static_resources").is_some() && !bounds_answers(document) {
        findings.outside_of_all(document, "layered_runtime", ANSWERS);
    }
}

const ANSWERS: &str = "no layer has `http.async_response_buffer_limit`, so Envoy keeps up to 32 MiB of each answer to Lychgate, of \
    up to 256 at once, whatever the server sends; set it to 1114112 in a `static_layer`";

/// Whether the bootstrap says how much of an answer Envoy keeps. What a layer from elsewhere says is not known.
fn bounds_answers(document: &Node) -> bool {
    let layers = document.value.fields(&["layered_runtime", "layers"]);
    layers.map(|layers| layers.value.items()).unwrap_or_default().iter().any(|layer| {
        let is_elsewhere = ["disk_layer", "rtds_layer"].iter().any(|key| layer.value.field(key).is_some());
        let layer = layer.value.field("static_layer");
        let has = |path: &[&str]| layer.is_some_and(|layer| layer.value.fields(path).is_some());
        is_elsewhere
            || has(&["http.async_response_buffer_limit"])
            || has(&["http", "async_response_buffer_limit"])
    })
}

struct Judge<'f> {
    document: &'f Node,
    found: &'f Found<'f>,
    findings: &'f mut Findings,
    /// Whether anything is fetched.
    fetches: bool,
}

impl Judge<'_> {
    fn holder(&mut self, path: &Path<'_>, holder: &Tree, url: Option<&str>) {
        if let Some(remote) = holder.get("remote_jwks") {
            self.fetched(&path.key("remote_jwks"), &remote.value, string(&remote.value, "uri"));
        }
        // The endpoint of an introspection, or a discovery document.
        self.fetched(path, holder, string(holder, "uri").or(url).or_else(|| string(holder, "issuer")));
    }

    /// What is fetched through the `cluster` of `tree`.
    fn fetched(&mut self, path: &Path<'_>, tree: &Tree, uri: Option<&str>) {
        let (Some(uri), Some(cluster)) = (uri, string(tree, "cluster")) else { return };
        self.fetches = true;
        let place = path.key("cluster");
        if let Some(rest) = uri.strip_prefix("http://") {
            if !is_loopback(rest) {
                let message = format!(
                    "{uri} is fetched in clear, so an attacker on the way answers with keys of their own; take https, and \
                     a cluster with TLS"
                );
                self.findings.inside(self.found, &place, message);
            }
            return;
        }
        for name in [Some(cluster), string(tree, "jwks_cluster")].into_iter().flatten() {
            let Some(trouble) = self.cluster(name).and_then(trouble_of) else { continue };
            let message = format!(
                "the cluster {name} {trouble}, so an attacker on the way to {uri} answers with keys of their own; give it \
                 a `transport_socket` with a `validation_context`"
            );
            self.findings.inside(self.found, &place, message);
        }
    }

    fn cluster(&self, name: &str) -> Option<&Tree> {
        let clusters = self.document.value.fields(&["static_resources", "clusters"])?;
        let mut clusters = clusters.value.items().iter().map(|node| &node.value);
        clusters.find(|cluster| string(cluster, "name") == Some(name))
    }
}

/// What is wrong with the TLS of a cluster.
fn trouble_of(cluster: &Tree) -> Option<&'static str> {
    if cluster.field("transport_socket_matches").is_some() {
        return None;
    }
    let Some(config) = cluster.fields(&["transport_socket", "typed_config"]) else {
        return Some("has no TLS");
    };
    let common = config.value.field("common_tls_context")?;
    let is_validation = |key: &str| key.to_ascii_lowercase().replace('_', "").contains("validationcontext");
    let is_checked = common.value.members().iter().any(|(key, _)| is_validation(&key.value));
    (!is_checked).then_some("takes any certificate")
}

/// Whether the authority of a URI, from its host on, is this machine.
fn is_loopback(rest: &str) -> bool {
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = authority
        .strip_prefix('[')
        .and_then(|host| host.split_once(']'))
        .map_or_else(|| authority.rsplit_once(':').map_or(authority, |(host, _)| host), |(host, _)| host);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
