//! Envoy's filters: `jwt_authn`, `api_key_auth`, `basic_auth` and `rbac`, of one connection manager.

use std::cell::RefCell;

use serde_json::{Value, json};

use super::around;
use super::carry::{Carrier, strings};
use super::chain::{Gate, Link, Pattern};
use super::jwt_authn::of_envoy;
use super::keyed;
use super::matching::{by_hosts, route_match};
use super::need::{Need, Needs};
use super::providers::Provider;
use super::rbac::policies;
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
    /// Its requests.
    pub pattern: Vec<Pattern>,
    settings: Vec<&'a Node>,
    /// What is set for filters in a place that is not read.
    pub unread: Option<&'a Node>,
}

/// The chain of the filters that are carried over. `routes` are those of the connection manager.
pub fn chain(filters: &[&Node], routes: &[Route<'_>], carrier: &mut Carrier) -> Vec<Link> {
    let mut links = Vec::new();
    let mut providers = Vec::new();
    let mut bypassing = Vec::new();
    for filter in filters {
        let (Some(kind), Some(config)) = (kind_of(filter), filter.value.field("typed_config")) else {
            continue;
        };
        let name = filter.value.get("name").and_then(|name| name.value.text()).unwrap_or_default();
        if filter.value.field("disabled").is_some_and(|node| node.value.is_true()) {
            carrier.denies(filter, "a filter that is `disabled` until a route enables it is not carried over; write a rule for the route");
            links.push(Link::Gate(Gate { otherwise: Some(Needs::cut()), ..Gate::default() }));
            continue;
        }
        match kind {
            Kind::Jwt => {
                let passes =
                    config.value.field("bypass_cors_preflight").is_some_and(|node| node.value.is_true());
                bypassing.extend(passes.then_some(links.len()));
                links.push(jwt_authn(config, name, routes, &mut providers, carrier));
            }
            Kind::ApiKey => links.push(keyed::api_key_auth(config, name, routes, carrier)),
            Kind::Basic => links.push(keyed::basic_auth(config, name, routes, carrier)),
            Kind::Rbac => links.extend(rbac(config, name, routes, &providers, carrier)),
        }
    }
    links.extend(around::strangers(filters, carrier));
    links.extend(around::cut_routes(routes));
    around::preflights(&mut links, &bypassing, carrier);
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

/// Each domain with its virtual host, in the order in which Envoy looks for them: a name, then what ends so, then what
/// begins so, the longer before the shorter, and all others.
fn by_domain(hosts: &[Node]) -> Vec<(String, &Node)> {
    let domains = |host: &Node| strings(host.value.field("domains"));
    let mut all: Vec<(String, &Node)> =
        hosts.iter().flat_map(|host| domains(host).into_iter().map(move |domain| (domain, host))).collect();
    all.sort_by_key(|(domain, _)| {
        let rank = match domain.as_str() {
            "*" => 3,
            domain if domain.starts_with('*') => 1,
            domain if domain.ends_with('*') => 2,
            _ => 0,
        };
        (rank, std::cmp::Reverse(domain.len()))
    });
    all
}

/// The routes of a connection manager, in their order.
pub fn routes<'a>(manager: &'a Node, carrier: &mut Carrier) -> Vec<Route<'a>> {
    let mut found = Vec::new();
    let hosts = manager.value.fields(&["route_config", "virtual_hosts"]);
    let hosts = hosts.map(|node| node.value.items()).unwrap_or_default();
    let settings = |node: &'a Node| node.value.field("typed_per_filter_config");
    let of_all = manager.value.field("route_config").and_then(settings);
    let routes_of =
        |host: &'a Node| host.value.field("routes").map(|node| node.value.items()).unwrap_or_default();
    let sets_any = |host: &'a Node| {
        settings(host).is_some()
            || routes_of(host)
                .iter()
                .any(|route| settings(route).is_some() || around::of_weighted_clusters(route).is_some())
    };
    if of_all.is_none() && !hosts.iter().any(sets_any) {
        return found;
    }
    for (domain, virtual_host) in by_domain(hosts) {
        let of_host = match domain.as_str() {
            "*" => Pattern::any(),
            domain if domain.ends_with('*') || domain.starts_with('*') && !domain.starts_with("*.") => {
                carrier.denies(
                    virtual_host,
                    format!("the domain {domain:?} is not carried over; write each host"),
                );
                Pattern::any().uncertain()
            }
            domain => by_hosts(&std::iter::once(domain.to_owned()).collect(), virtual_host, carrier),
        };
        for route in routes_of(virtual_host) {
            let Some(matcher) = route.value.field("match") else { continue };
            let pattern = Pattern::product(std::slice::from_ref(&of_host), &route_match(matcher, carrier));
            let unread = around::of_weighted_clusters(route);
            if let Some(node) = unread {
                carrier.denies(node, "what weighted clusters set for a filter is not carried over; set it at the route, or write a rule by hand");
            }
            let settings = [settings(route), settings(virtual_host), of_all].into_iter().flatten().collect();
            found.push(Route { pattern, settings, unread });
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
    let reader = Reader { providers: &providers, with_audiences: RefCell::default() };
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
    known.extend(reader.with_audiences.into_inner());
    known.extend(providers.into_iter().map(|(_, provider)| provider));
    Link::Gate(Gate { routes: said, rules, otherwise })
}

/// Reads what `jwt_authn` requires.
struct Reader<'p> {
    providers: &'p [(String, Provider)],
    /// Those of `provider_and_audiences`.
    with_audiences: RefCell<Vec<Provider>>,
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
            let Some(provider) = self.provider(both.value.field("provider_name")) else {
                return Needs::cut();
            };
            let provider = provider.with_audiences(audiences, carrier);
            let needs = provider.needs();
            self.with_audiences.borrow_mut().push(provider);
            return needs;
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
            self.say_if_several(Some(node), carrier);
            return Needs { ignores_invalid: true, ..self.every().or(&Needs::public()) };
        }
        if tree.members().is_empty() {
            return Needs::public();
        }
        carrier.denies(node, "this requirement is not carried over; write it by hand");
        Needs::cut()
    }

    /// Alone, `allow_missing` and the like are for the tokens of every provider.
    fn say_if_several(&self, node: Option<&Node>, carrier: &mut Carrier) {
        if let Some(node) = node.filter(|_| self.providers.len() > 1) {
            carrier.takes_any(node);
        }
    }

    fn every(&self) -> Needs {
        self.providers.iter().fold(Needs::denied(), |some, (_, provider)| some.or(&provider.needs()))
    }

    fn any_of(&self, list: &[Node], carrier: &mut Carrier) -> Needs {
        let is_missing = |node: &&Node| node.value.field("allow_missing").is_some();
        let others = list.iter().filter(|node| !is_missing(node));
        let mut some = others.fold(Needs::denied(), |some, node| some.or(&self.requirement(node, carrier)));
        let is_needed =
            |node: &&Node| !is_missing(node) && node.value.field("allow_missing_or_failed").is_none();
        if let Some(second) = list.iter().filter(is_needed).nth(1) {
            carrier.takes_any(second);
        }
        if list.iter().any(|node| is_missing(&node)) {
            if some.alternatives.is_empty() {
                self.say_if_several(list.first(), carrier);
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
    let mut earlier: Vec<Pattern> = Vec::new();
    let is_set = routes.iter().any(|route| route.setting(name).is_some());
    for route in routes.iter().filter(|_| is_set) {
        // A request has the settings of the first route that is for it.
        let mine = |pattern: &Pattern| Pattern {
            not: pattern.not.iter().chain(&earlier).cloned().collect(),
            ..pattern.clone()
        };
        let patterns: Vec<Pattern> = route.pattern.iter().map(mine).collect();
        earlier.extend(route.pattern.iter().cloned());
        let Some(setting) = route.setting(name) else { continue };
        elsewhere.extend(patterns.iter().cloned());
        // `envoy.config.route.v3.FilterConfig` around it.
        let is_off = setting.value.field("disabled").is_some_and(|node| node.value.is_true());
        let inner = setting.value.field("config").filter(|node| node.value.get("@type").is_some());
        let Some(own) = inner.unwrap_or(setting).value.field("rbac").filter(|_| !is_off) else { continue };
        for pattern in patterns {
            if let Some(node) = own.value.field("matcher") {
                carrier
                    .denies(node, "a `matcher` in place of `rules` is not carried over; write rules by hand");
                let rules = vec![(pattern, Needs::cut())];
                links.push(Link::Gate(Gate { rules, otherwise: Some(Needs::public()), ..Gate::default() }));
            } else if let Some(rules) = own.value.field("rules") {
                let own = policies(rules, providers, carrier);
                links.extend(
                    own.map(|own| Link::Policies(super::chain::Policies { scope: Some(pattern), ..own })),
                );
            }
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
