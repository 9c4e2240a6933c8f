//! Envoy's filters: `jwt_authn`, `api_key_auth`, `basic_auth` and `rbac`, of one connection manager.

use serde_json::{Value, json};

use super::carry::{Carrier, strings};
use super::chain::{Gate, Link, Pattern};
use super::jwt_authn::of_envoy;
use super::keyed;
use super::matching::{host_of, route_match};
use super::need::{Need, Needs};
use super::providers::Provider;
use super::rbac::policies;
use super::region::Region;
use crate::document::Node;

/// The filters that are carried over, by the end of their type.
const FILTERS: [(&str, Kind); 4] = [
    ("jwt_authn.v3.JwtAuthentication", Kind::Jwt),
    ("api_key_auth.v3.ApiKeyAuth", Kind::ApiKey),
    ("basic_auth.v3.BasicAuth", Kind::Basic),
    ("rbac.v3.RBAC", Kind::Rbac),
];

/// A filter that is carried over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `jwt_authn`.
    Jwt,
    /// `api_key_auth`.
    ApiKey,
    /// `basic_auth`.
    Basic,
    /// `rbac`.
    Rbac,
}

/// Which filter an HTTP filter is, if it is one that is carried over.
pub fn kind_of(filter: &Node) -> Option<Kind> {
    let kind = filter.value.fields(&["typed_config"])?.value.get("@type")?.value.text()?;
    if !kind.contains("filters.http.") {
        return None;
    }
    FILTERS.iter().find(|(end, _)| kind.ends_with(end)).map(|(_, kind)| *kind)
}

/// A route: what it is for, and what it sets for filters.
pub struct Route<'a> {
    pattern: Vec<Pattern>,
    settings: Vec<&'a Node>,
}

/// The chain of the filters that are carried over. `routes` are those of the connection manager.
pub fn chain(filters: &[&Node], routes: &[Route<'_>], carrier: &mut Carrier) -> Vec<Link> {
    let mut links = Vec::new();
    let mut providers = Vec::new();
    for filter in filters {
        let Some(config) = filter.value.field("typed_config") else { continue };
        let name = filter.value.get("name").and_then(|name| name.value.text()).unwrap_or_default();
        if filter.value.field("disabled").is_some_and(|node| node.value.is_true()) {
            carrier.denies(filter, "a filter that is `disabled` until a route enables it is not carried over; write a rule for the route");
            links.push(Link::Gate(Gate { otherwise: Some(Needs::cut()), ..Gate::default() }));
            continue;
        }
        match kind_of(filter) {
            Some(Kind::Jwt) => links.push(jwt_authn(config, name, routes, &mut providers, carrier)),
            Some(Kind::ApiKey) => links.push(keyed::api_key_auth(config, name, routes, carrier)),
            Some(Kind::Basic) => links.push(keyed::basic_auth(config, name, routes, carrier)),
            Some(Kind::Rbac) => links.extend(rbac(config, name, routes, &providers, carrier)),
            None => {}
        }
    }
    links
}

/// What a route says of the filter of this name; a route that disables it is public to it.
pub fn overrides(
    name: &str,
    routes: &[Route<'_>],
    carrier: &mut Carrier,
    mut needs: impl FnMut(&Node, &mut Carrier) -> Option<Needs>,
) -> Vec<(Pattern, Option<Needs>)> {
    let mut said = Vec::new();
    if !routes.iter().any(|route| route.setting(name).is_some()) {
        return said;
    }
    for route in routes {
        let needs = match route.setting(name) {
            None => None,
            Some(config) if config.value.field("disabled").is_some_and(|node| node.value.is_true()) => {
                Some(Needs::public())
            }
            Some(config) => {
                // `envoy.config.route.v3.FilterConfig` around it.
                let inner = config.value.field("config").filter(|node| node.value.get("@type").is_some());
                needs(inner.unwrap_or(config), carrier)
            }
        };
        said.extend(route.pattern.iter().map(|pattern| (pattern.clone(), needs.clone())));
    }
    said
}

impl<'a> Route<'a> {
    fn setting(&self, name: &str) -> Option<&'a Node> {
        self.settings.iter().find_map(|settings| settings.value.get(name))
    }
}

/// The routes of a connection manager, in their order.
pub fn routes<'a>(manager: &'a Node, carrier: &mut Carrier) -> Vec<Route<'a>> {
    let mut found = Vec::new();
    let hosts = manager.value.fields(&["route_config", "virtual_hosts"]);
    for virtual_host in hosts.map(|node| node.value.items()).unwrap_or_default() {
        let domains = strings(virtual_host.value.field("domains"));
        let mut of_host = Region::any();
        if !domains.iter().any(|domain| domain == "*") {
            of_host.hosts = Some(domains.iter().map(|domain| host_of(domain)).collect());
        }
        let settings = |node: &'a Node| node.value.field("typed_per_filter_config");
        let of_all = [manager.value.field("route_config").and_then(settings), settings(virtual_host)];
        let list = virtual_host.value.field("routes").map(|node| node.value.items()).unwrap_or_default();
        let any_setting =
            of_all.iter().any(Option::is_some) || list.iter().any(|route| settings(route).is_some());
        for route in list.iter().filter(|_| any_setting) {
            let Some(matcher) = route.value.field("match") else { continue };
            let pattern = Pattern::product(&[Pattern::of(of_host.clone())], &route_match(matcher, carrier));
            let settings = [settings(route), of_all[1], of_all[0]].into_iter().flatten().collect();
            found.push(Route { pattern, settings });
        }
    }
    found
}

fn jwt_authn(
    config: &Node,
    name: &str,
    routes: &[Route<'_>],
    known: &mut Vec<Provider>,
    carrier: &mut Carrier,
) -> Link {
    let tree = &config.value;
    let members = |key: &str| tree.field(key).map(|node| node.value.members()).unwrap_or_default();
    let providers: Vec<(String, Provider)> = members("providers")
        .iter()
        .map(|(name, node)| (name.value.clone(), of_envoy(&name.value, node, carrier)))
        .collect();
    known.extend(providers.iter().map(|(_, provider)| provider.clone()));
    let reader = Reader { providers: &providers };
    let passes = tree.field("bypass_cors_preflight").is_some_and(|node| node.value.is_true());
    carrier.settings.insert("cors_preflight".into(), if passes { "pass" } else { "check" }.into());
    let named: Vec<(String, Needs)> = members("requirement_map")
        .iter()
        .map(|(name, node)| (name.value.clone(), reader.requirement(node, carrier)))
        .collect();
    let by_name = |name: Option<&str>| {
        let found = named.iter().find(|(own, _)| Some(own.as_str()) == name);
        found.map_or_else(Needs::cut, |(_, needs)| needs.clone())
    };
    let said = overrides(name, routes, carrier, |config, _| {
        Some(by_name(config.value.field("requirement_name").and_then(|node| node.value.text())))
    });
    let mut rules = Vec::new();
    for rule in tree.field("rules").map(|node| node.value.items()).unwrap_or_default() {
        let needs = match (rule.value.field("requires"), rule.value.field("requirement_name")) {
            (Some(node), _) => reader.requirement(node, carrier),
            (None, Some(name)) => by_name(name.value.text()),
            (None, None) => Needs::public(),
        };
        let patterns = match rule.value.field("match") {
            Some(matcher) => route_match(matcher, carrier),
            None => vec![Pattern::any()],
        };
        rules.extend(patterns.into_iter().map(|pattern| (pattern, needs.clone())));
    }
    let mut otherwise = Some(Needs::public());
    if let Some(node) = tree.field("filter_state_rules") {
        carrier.denies(node, "`filter_state_rules` are not carried over; write rules by hand");
        otherwise = Some(Needs::cut());
    }
    Link::Gate(Gate { routes: said, rules, otherwise })
}

/// Reads what `jwt_authn` requires.
struct Reader<'p> {
    providers: &'p [(String, Provider)],
}

impl Reader<'_> {
    fn provider(&self, name: Option<&Node>) -> Option<&Provider> {
        let name = name?.value.text()?;
        self.providers.iter().find(|(own, _)| own == name).map(|(_, provider)| provider)
    }

    fn requirement(&self, node: &Node, carrier: &mut Carrier) -> Needs {
        let tree = &node.value;
        let list = |key: &str| {
            tree.fields(&[key, "requirements"]).map(|node| node.value.items()).unwrap_or_default()
        };
        if let Some(name) = tree.field("provider_name") {
            return self.provider(Some(name)).map_or_else(Needs::cut, Provider::needs);
        }
        if let Some(both) = tree.field("provider_and_audiences") {
            let audiences = strings(both.value.field("audiences"));
            let provider = self.provider(both.value.field("provider_name")).cloned();
            return provider
                .map_or_else(Needs::cut, |provider| provider.with_audiences(audiences, carrier).needs());
        }
        if tree.field("requires_any").is_some() {
            return self.any_of(list("requires_any"), carrier);
        }
        if tree.field("requires_all").is_some() {
            return list("requires_all")
                .iter()
                .fold(Needs::public(), |all, node| all.and(&self.requirement(node, carrier)));
        }
        // Alone it is for the tokens of every provider.
        if tree.field("allow_missing").is_some() {
            return self.any_of(std::slice::from_ref(node), carrier);
        }
        if tree.field("allow_missing_or_failed").is_some() {
            return Needs { ignores_invalid: true, ..self.every().or(&Needs::public()) };
        }
        if tree.members().is_empty() {
            return Needs::public();
        }
        carrier.denies(node, "this requirement is not carried over; write it by hand");
        Needs::cut()
    }

    fn every(&self) -> Needs {
        self.providers.iter().fold(Needs::denied(), |some, (_, provider)| some.or(&provider.needs()))
    }

    fn any_of(&self, list: &[Node], carrier: &mut Carrier) -> Needs {
        let is_missing = |node: &&Node| node.value.field("allow_missing").is_some();
        let others = list.iter().filter(|node| !is_missing(node));
        let mut some = others.fold(Needs::denied(), |some, node| some.or(&self.requirement(node, carrier)));
        if list.iter().any(|node| is_missing(&node)) {
            if some.alternatives.is_empty() {
                some = self.every();
            }
            let schemes =
                some.alternatives.iter().flat_map(|own| own.needs.keys().cloned()).collect::<Vec<_>>();
            some = some.or(&Needs::absence(schemes.into_iter()));
        }
        some
    }
}

fn rbac(
    config: &Node,
    name: &str,
    routes: &[Route<'_>],
    providers: &[Provider],
    carrier: &mut Carrier,
) -> Vec<Link> {
    let mut links = Vec::new();
    if let Some(node) = config.value.field("shadow_rules") {
        carrier.differs(
            node,
            "`shadow_rules` only count, and are left out; `mode: dry_run` of a rule does the same",
        );
    }
    if let Some(node) = config.value.field("matcher") {
        carrier.denies(node, "a `matcher` in place of `rules` is not carried over; write rules by hand");
        links.push(Link::Gate(Gate { otherwise: Some(Needs::cut()), ..Gate::default() }));
    }
    let mut elsewhere = Vec::new();
    for route in routes {
        let Some(own) = route.setting(name) else { continue };
        elsewhere.extend(route.pattern.clone());
        let own = own.value.field("rbac").unwrap_or(own);
        let is_off = own.value.field("disabled").is_some_and(|node| node.value.is_true());
        let Some(rules) = own.value.field("rules").filter(|_| !is_off) else { continue };
        for pattern in &route.pattern {
            links.extend(
                policies(rules, providers, carrier).map(|own| {
                    Link::Policies(super::chain::Policies { scope: Some(pattern.clone()), ..own })
                }),
            );
        }
    }
    if let Some(rules) = config.value.field("rules") {
        let own = policies(rules, providers, carrier);
        links.extend(own.map(|own| Link::Policies(super::chain::Policies { elsewhere, ..own })));
    }
    links
}

/// The need of one scheme that was added.
pub fn needs_of(scheme: Value, name: &str, carrier: &mut Carrier) -> Needs {
    let name = carrier.add_scheme(name, scheme);
    Needs::of(&name, Need::default())
}

/// The status of a missing credential, as the filters answer it.
pub fn unauthorised() -> Value {
    json!(401)
}
