//! Conditions on requests, as Envoy writes them, as patterns.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::carry::Carrier;
use super::chain::Pattern;
use super::region::{Network, Paths, Region, Values};
use super::text::regex_escape;
use crate::document::Node;

/// Whether Lychgate reads this expression as a path.
pub fn is_readable(regex: &str) -> bool {
    let rule = json!({"rules": [{"match": {"regex": regex}, "security": []}]}).to_string();
    lychgate::policy::Policy::compile(rule.as_bytes(), &|_| None).is_ok()
}

/// The requests whose path matches this expression.
pub fn by_regex(regex: &str, node: &Node, carrier: &mut Carrier) -> Pattern {
    if is_readable(regex) {
        return Pattern::of(Region::of(Paths::Regex(regex.to_owned())));
    }
    carrier.denies(node, format!("the expression {regex:?} is not one of Lychgate; write its paths by hand"));
    Pattern::any().uncertain()
}

/// The requests with this path, or with a path that begins so. Lychgate compares paths in normal form and percent-decoded.
fn by_text(paths: Paths, text: &str, node: &Node, carrier: &mut Carrier) -> Pattern {
    let is_odd = |c: char| !c.is_ascii_graphic() || "%;\\#?".contains(c);
    let is_dots = |segment: &str| segment == "." || segment == "..";
    if text.contains(is_odd) || text.contains("//") || text.split('/').any(is_dots) {
        carrier.denies(
            node,
            format!("the path {text:?} is not in normal form; write it by hand, percent-decoded"),
        );
        return Pattern::any().uncertain();
    }
    Pattern::of(Region::of(paths))
}

/// The requests with this path.
pub fn exact(path: &str, node: &Node, carrier: &mut Carrier) -> Pattern {
    by_text(Paths::Exact(path.to_owned()), path, node, carrier)
}

/// The requests whose path begins so.
pub fn beginning(prefix: &str, node: &Node, carrier: &mut Carrier) -> Pattern {
    by_text(Paths::Prefix(prefix.to_owned()), prefix, node, carrier)
}

/// A `StringMatcher` on the path.
pub fn path_matcher(node: &Node, carrier: &mut Carrier) -> Pattern {
    let tree = &node.value;
    let text = |key: &str| tree.field(key).and_then(|node| node.value.text());
    if tree.field("ignore_case").is_some_and(|node| node.value.is_true()) {
        carrier.denies(node, "`ignore_case` is not carried over; write the paths by hand");
        return Pattern::any().uncertain();
    }
    let regex = tree.fields(&["safe_regex", "regex"]).and_then(|node| node.value.text());
    match (text("exact"), text("prefix"), text("suffix"), text("contains"), regex) {
        (Some(path), ..) => exact(path, node, carrier),
        (_, Some(prefix), ..) => beginning(prefix, node, carrier),
        (_, _, Some(suffix), ..) => by_regex(&format!(".*{}", regex_escape(suffix)), node, carrier),
        (_, _, _, Some(part), _) => by_regex(&format!(".*{}.*", regex_escape(part)), node, carrier),
        (.., Some(regex)) => by_regex(regex, node, carrier),
        (None, None, None, None, None) => {
            carrier.denies(node, "this condition on the path is not carried over; write it by hand");
            Pattern::any().uncertain()
        }
    }
}

/// A `RouteMatch`: all of its conditions.
pub fn route_match(node: &Node, carrier: &mut Carrier) -> Vec<Pattern> {
    let tree = &node.value;
    let text = |key: &str| tree.field(key).and_then(|node| node.value.text());
    let mut patterns = Vec::new();
    let regex = tree.fields(&["safe_regex", "regex"]).and_then(|node| node.value.text());
    match (text("prefix"), text("path"), text("path_separated_prefix"), regex) {
        (Some(prefix), ..) => patterns.push(beginning(prefix, node, carrier)),
        (_, Some(path), ..) => patterns.push(exact(path, node, carrier)),
        (_, _, Some(prefix), _) => {
            patterns.push(exact(prefix, node, carrier));
            patterns.push(beginning(&format!("{prefix}/"), node, carrier));
        }
        (.., Some(regex)) => patterns.push(by_regex(regex, node, carrier)),
        (None, None, None, None) => {
            carrier.denies(node, "this condition on the path is not carried over; write it by hand");
            patterns.push(Pattern::any().uncertain());
        }
    }
    if tree.fields(&["case_sensitive"]).is_some_and(|node| node.value.to_value() == json!(false)) {
        carrier.denies(node, "`case_sensitive: false` is not carried over; write the paths by hand");
        patterns = vec![Pattern::any().uncertain()];
    }
    for header in tree.field("headers").map(|node| node.value.items()).unwrap_or_default() {
        patterns = Pattern::product(&patterns, &header_matcher(header, carrier));
    }
    for key in [
        "query_parameters",
        "runtime_fraction",
        "grpc",
        "tls_context",
        "dynamic_metadata",
        "filter_state",
        "cookies",
    ] {
        if let Some(node) = tree.field(key) {
            carrier.denies(node, format!("`{key}` in a condition is not carried over; write it by hand"));
            patterns = patterns.into_iter().map(Pattern::uncertain).collect();
        }
    }
    patterns
}

/// The requests whose header has one of these values.
pub fn by_header(name: &str, values: BTreeSet<String>, node: &Node, carrier: &mut Carrier) -> Pattern {
    let name = name.to_ascii_lowercase();
    let region = match name.as_str() {
        ":method" => Region { methods: Some(values), ..Region::any() },
        ":authority" | "host" => return by_hosts(&values, node, carrier),
        _ if carrier.is_own_header(&name, node) => return Pattern::any().uncertain(),
        _ => Region { headers: BTreeMap::from([(name, Values::OneOf(values))]), ..Region::any() },
    };
    Pattern::of(region)
}

/// The requests for one of these hosts. A port in one of them would be left out, and the rule be for all of the host.
pub fn by_hosts(hosts: &BTreeSet<String>, node: &Node, carrier: &mut Carrier) -> Pattern {
    if let Some(host) = hosts.iter().find(|host| host_of(host) != host.to_ascii_lowercase()) {
        carrier.denies(
            node,
            format!("the port of the host {host:?} is not compared; write a rule for the host by hand"),
        );
        return Pattern::any().uncertain();
    }
    let hosts = hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
    Pattern::of(Region { hosts: Some(hosts), ..Region::any() })
}

/// A host as Lychgate has it.
pub fn host_of(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    match host.rsplit_once(':') {
        Some((name, port))
            if !name.contains(':') && port.bytes().all(|b| b.is_ascii_digit() || b == b'*') =>
        {
            name.to_owned()
        }
        Some(_) | None => host,
    }
}

/// A `HeaderMatcher`.
pub fn header_matcher(node: &Node, carrier: &mut Carrier) -> Vec<Pattern> {
    let tree = &node.value;
    let name = tree.field("name").and_then(|node| node.value.text()).unwrap_or_default().to_ascii_lowercase();
    if !name.starts_with(':') && name != "host" && carrier.is_own_header(&name, node) {
        return vec![Pattern::any().uncertain()];
    }
    let is_inverted = tree.field("invert_match").is_some_and(|node| node.value.is_true());
    let matcher = tree.field("string_match");
    let text = |key: &str, old: &str| {
        let new = matcher.and_then(|node| node.value.field(key));
        new.or_else(|| tree.field(old)).and_then(|node| node.value.text()).map(str::to_owned)
    };
    let regex = matcher.and_then(|node| node.value.fields(&["safe_regex", "regex"]));
    let regex =
        regex.or_else(|| tree.fields(&["safe_regex_match", "regex"])).and_then(|node| node.value.text());
    let is_loose =
        matcher.is_some_and(|node| node.value.field("ignore_case").is_some_and(|node| node.value.is_true()));
    let present = tree.field("present_match").map(|node| node.value.is_true());
    // Without the header it is for other requests than it seems.
    let is_filled_in = tree.field("treat_missing_header_as_empty").is_some_and(|node| node.value.is_true());
    let is_unknown = name.starts_with(':') && ![":path", ":method", ":authority"].contains(&name.as_str());
    let positive = match (text("exact", "exact_match"), text("prefix", "prefix_match"), regex, present) {
        _ if is_filled_in || is_unknown => None,
        (Some(_), ..) | (_, Some(_), ..) | (_, _, Some(_), _) if is_loose => None,
        (Some(value), ..) if name == ":path" => {
            // With the query of the request.
            Some(exact(&value, node, carrier).uncertain())
        }
        // It is no wildcard there.
        (Some(value), ..) if name == ":authority" && value.contains('*') => None,
        (Some(value), ..) => Some(by_header(&name, BTreeSet::from([value]), node, carrier)),
        (_, Some(prefix), ..) if name == ":path" => Some(beginning(&prefix, node, carrier)),
        (_, _, Some(regex), _) if name == ":method" => {
            methods_of(regex).map(|methods| by_header(&name, methods, node, carrier))
        }
        (_, _, _, Some(is_there)) if !name.starts_with(':') => {
            let headers = BTreeMap::from([(name.clone(), Values::Present)]);
            let pattern = Pattern::of(Region { headers, ..Region::any() });
            Some(if is_there { pattern } else { Pattern::except(vec![pattern]) })
        }
        _ => None,
    };
    let positive = positive.unwrap_or_else(|| {
        carrier.denies(node, format!("this condition on `{name}` is not carried over; write it by hand"));
        Pattern::any().uncertain()
    });
    let mut inverted = Pattern::except(vec![positive.clone()]);
    // A header that is not there does not match another value either.
    if !is_filled_in && present.is_none() && !name.starts_with(':') && name != "host" {
        inverted.region.headers.insert(name, Values::Present);
    }
    vec![if is_inverted { inverted } else { positive }]
}

/// The methods of an expression that is only a choice of them.
fn methods_of(regex: &str) -> Option<BTreeSet<String>> {
    let inner = regex.strip_prefix('^').unwrap_or(regex);
    let inner = inner.strip_suffix('$').unwrap_or(inner);
    let inner = inner.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(inner);
    let methods: BTreeSet<_> = inner.split('|').map(str::to_owned).collect();
    let is_plain = |method: &String| !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase());
    methods.iter().all(is_plain).then_some(methods)
}

/// The requests of clients in these networks.
pub fn by_networks(networks: &[String], node: &Node, carrier: &mut Carrier) -> Pattern {
    let read: Option<BTreeSet<Network>> = networks.iter().map(|text| Network::parse(text)).collect();
    match read {
        Some(clients) if !clients.is_empty() => {
            Pattern::of(Region { clients: Some(clients), ..Region::any() })
        }
        Some(_) | None => {
            carrier.denies(node, "these networks cannot be read; write `client` by hand");
            Pattern::any().uncertain()
        }
    }
}

/// A `CidrRange`.
pub fn network_of(node: &Node) -> String {
    let address = node.value.field("address_prefix").and_then(|node| node.value.text()).unwrap_or_default();
    match node.value.field("prefix_len").and_then(|node| node.value.number()) {
        Some(bits) => format!("{address}/{bits}"),
        None => format!("{address}/0"),
    }
}
