//! Routes that are matched by headers that the filter sets.

use super::{ENVOY, check, told};

const ROUTE: &str = "- match: {prefix: /}\n";
const MANAGER: &str = "          use_remote_address: true\n";

/// A client chose by its own `x-auth-subject` which filters ran: Envoy decides that by the route that it chose first.
#[test]
fn a_route_by_a_header_of_the_filter_needs_that_header_removed_first() {
    let missing = "early_header_mutation_extensions: does not remove `x-auth-subject`";
    let by_header = "- match: {prefix: /, headers: [{name: X-Auth-Subject, string_match: {exact: admin}}]}\n";
    let by_cluster = "- match: {prefix: /}\n                route: {cluster_header: x-auth-subject}\n";
    told(
        ENVOY,
        "warning",
        &[
            (ROUTE, by_header, "stat_prefix: gate", missing),
            (ROUTE, by_cluster, "stat_prefix: gate", missing),
        ],
    );
    let early = "          early_header_mutation_extensions: [{name: e, typed_config: {mutations: [{remove: X-Auth-Subject}]}}]\n";
    let other = by_header.replace("X-Auth-Subject", "x-other");
    for envoy in [
        ENVOY.replace(ROUTE, by_header).replace(MANAGER, &format!("{MANAGER}{early}")),
        ENVOY.replace(ROUTE, &other),
    ] {
        let (_, said) = check(&["--strict"], &envoy);
        assert!(!said.contains("early_header_mutation_extensions"), "{said}");
    }
}
