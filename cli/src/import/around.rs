//! What is around the filters that are carried over: filters between them, and what routes set for them.

use serde_json::json;

use super::carry::Carrier;
use super::chain::{Gate, Link, Pattern};
use super::envoy::{Route, kind_of};
use super::need::Needs;
use super::region::{Region, Values};
use crate::document::Node;

/// Filters that change nothing that a rule asks for, by the part of their type that names them.
const HARMLESS: [&str; 17] = [
    "adaptive_concurrency",
    "admission_control",
    "bandwidth_limit",
    "buffer",
    "cdn_loop",
    "compressor",
    "cors",
    "csrf",
    "decompressor",
    "fault",
    "grpc_stats",
    "health_check",
    "local_ratelimit",
    "ratelimit",
    "router",
    "stateful_session",
    "tap",
];

fn type_of(node: &Node) -> &str {
    node.value.get("@type").and_then(|kind| kind.value.text()).unwrap_or_default()
}

/// Whether what a route sets is for one of the filters that are carried over.
pub fn is_of_ours(setting: &Node) -> bool {
    let inner = setting.value.fields(&["config"]).map(type_of).unwrap_or_default();
    [type_of(setting), inner].iter().any(|kind| {
        [".jwt_authn.", ".api_key_auth.", ".basic_auth.", ".rbac."].iter().any(|own| kind.contains(own))
    })
}

/// What the weighted clusters of a route set for filters that are carried over.
pub fn of_weighted_clusters(route: &Node) -> Option<&Node> {
    let clusters = route.value.fields(&["route", "weighted_clusters", "clusters"])?.value.items();
    let settings = clusters.iter().filter_map(|cluster| cluster.value.field("typed_per_filter_config"));
    settings.flat_map(|settings| settings.value.members()).map(|(_, own)| own).find(|own| is_of_ours(own))
}

/// Whatever a request may have been made of by a filter between those that become one is not seen here.
pub fn strangers(filters: &[&Node], carrier: &mut Carrier) -> Option<Link> {
    let is_own = |filter: &&&Node| kind_of(filter).is_some();
    let first = filters.iter().position(|filter| is_own(&filter))?;
    let last = filters.iter().rposition(|filter| is_own(&filter))?;
    let between = filters.get(first..last).unwrap_or_default();
    let mut link = None;
    for filter in between.iter().filter(|filter| !is_own(filter)) {
        let kind = filter.value.field("typed_config").map(type_of).unwrap_or_default();
        if HARMLESS.iter().any(|own| kind.contains(&format!(".filters.http.{own}."))) {
            continue;
        }
        let name = filter.value.get("name").and_then(|name| name.value.text()).unwrap_or_default();
        carrier.denies(
            filter,
            format!(
                "`{name}` is between filters that become one, and may change what those behind it look at; move it before \
                 the first of them or behind the last, and import again"
            ),
        );
        link = Some(Link::Gate(Gate { otherwise: Some(Needs::cut()), ..Gate::default() }));
    }
    link
}

/// Refuses what reaches a route whose weighted clusters set what is not read.
pub fn cut_routes(routes: &[Route<'_>]) -> Option<Link> {
    if routes.iter().all(|route| route.unread.is_none()) {
        return None;
    }
    let of = |route: &Route<'_>| {
        let needs = route.unread.map(|_| Needs::cut());
        route.pattern.iter().map(|pattern| (pattern.clone(), needs.clone())).collect::<Vec<_>>()
    };
    let routes = routes.iter().flat_map(of).collect();
    Some(Link::Gate(Gate { routes, otherwise: Some(Needs::public()), ..Gate::default() }))
}

/// With `bypass_cors_preflight`, preflights pass `jwt_authn`. Other filters decide on them all the same, so that a rule for
/// them is needed where there are others.
pub fn preflights(links: &mut [Link], bypassing: &[usize], carrier: &mut Carrier) {
    if bypassing.is_empty() {
        return;
    }
    if links.len() == 1 {
        carrier.settings.insert("cors_preflight".into(), json!("pass"));
        return;
    }
    let headers = ["access-control-request-method", "origin"];
    let preflight = Region {
        methods: Some(std::iter::once("OPTIONS".to_owned()).collect()),
        headers: headers.into_iter().map(|name| (name.to_owned(), Values::Present)).collect(),
        ..Region::any()
    };
    for index in bypassing {
        if let Some(Link::Gate(gate)) = links.get_mut(*index) {
            gate.routes.insert(0, (Pattern::of(preflight.clone()), Some(Needs::public())));
        }
    }
}
