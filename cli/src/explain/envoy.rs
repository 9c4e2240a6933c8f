//! Envoy's own entries at the place of an access log where Lychgate's reasons are: response flags, and response-code
//! details of Envoy and of its other filters.

/// A response flag, or a detail, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The flag, or the detail without the text in braces.
    pub name: &'static str,
    /// The status it usually comes with.
    pub status: &'static str,
    /// What it means, in one sentence.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

const fn entry(
    name: &'static str,
    status: &'static str,
    meaning: &'static str,
    remedy: &'static str,
) -> Entry {
    Entry { name, status, meaning, remedy }
}

/// Response flags (`%RESPONSE_FLAGS%`).
pub const FLAGS: &[Entry] = &[
    entry(
        "UH",
        "503",
        "The upstream cluster has no healthy host.",
        "Look at the cluster's health checks and endpoints (`/clusters` of the admin interface).",
    ),
    entry(
        "UF",
        "503",
        "The connection to the upstream failed.",
        "Compare the cluster's address, port and TLS settings with the service's.",
    ),
    entry(
        "UC",
        "503",
        "The upstream closed the connection.",
        "Look into the service's log; a keep-alive time shorter than Envoy's is a usual cause.",
    ),
    entry("UR", "503", "The upstream reset the request.", "Look into the service's log."),
    entry(
        "UO",
        "503",
        "A circuit breaker of the cluster is open.",
        "Raise `circuit_breakers`, or find out why the service is slow.",
    ),
    entry(
        "URX",
        "503",
        "The retries of the route are used up.",
        "Look for the flag beside it: it says how the last try ended.",
    ),
    entry("LR", "503", "Envoy reset the connection.", "Look into Envoy's log."),
    entry(
        "NC",
        "503",
        "The route names a cluster that does not exist.",
        "Compare the route's cluster with the clusters of the configuration.",
    ),
    entry(
        "OM",
        "503",
        "Envoy's overload manager refused the request.",
        "Look at Envoy's memory and its overload actions.",
    ),
    entry("DF", "503", "The upstream's name could not be resolved.", "Check the name and the resolver."),
    entry(
        "NR",
        "404",
        "No route matches the request.",
        "Compare host and path with the routes: Lychgate allowed the request, or comes after the router.",
    ),
    entry(
        "UT",
        "504",
        "The upstream did not answer in time.",
        "Raise the route's `timeout`, or find out why the service is slow.",
    ),
    entry("SI", "408 or 504", "The stream was idle for too long.", "Raise `stream_idle_timeout`."),
    entry("UPE", "502", "The upstream's answer broke the protocol.", "Look into the service's log."),
    entry("DPE", "400", "The client's request broke the protocol.", "Mend the client."),
    entry(
        "IH",
        "400",
        "An `x-envoy` header has a bad value.",
        "Remove the header, or what sets it in front of Envoy.",
    ),
    entry(
        "DC",
        "0 or 499",
        "The client closed the connection before there was an answer.",
        "Usually there is nothing to do.",
    ),
    entry("UAEX", "403", "The ext_authz filter refused the request.", "Look at the authorisation service."),
    entry("RL", "429", "A rate limit filter refused the request.", "Look at the rate limit's configuration."),
];

/// Response-code details (`%RESPONSE_CODE_DETAILS%`).
pub const DETAILS: &[Entry] = &[
    entry(
        "via_upstream",
        "any",
        "The upstream answered: Lychgate let the request in, and status and body are the service's own.",
        "Look into the service's log.",
    ),
    entry(
        "wasm_fail_stream",
        "503",
        "The Wasm module was not loaded, its configuration was refused, or its VM crashed; Envoy refuses every \
         request then.",
        "Look for `lychgate: configuration refused` and for `wasm` in Envoy's log. Check the file with `lychgate \
         check`, and set `failure_policy: FAIL_RELOAD`.",
    ),
    entry(
        "no_healthy_upstream",
        "503",
        "The upstream cluster has no healthy host.",
        "Look at the cluster's health checks and endpoints (`/clusters` of the admin interface).",
    ),
    entry(
        "upstream_reset_before_response_started",
        "503",
        "The connection to the upstream failed or was closed before it answered; the text in braces is the cause.",
        "Compare the cluster's address, port and TLS settings with the service's, and look into its log.",
    ),
    entry(
        "upstream_reset_after_response_started",
        "any",
        "The upstream broke off its answer.",
        "Look into the service's log.",
    ),
    entry(
        "cluster_not_found",
        "503",
        "The route names a cluster that does not exist.",
        "Compare the route's cluster with the clusters of the configuration.",
    ),
    entry(
        "maintenance_mode",
        "503",
        "The upstream cluster is in maintenance mode.",
        "Look for `upstream.maintenance_mode` in Envoy's runtime.",
    ),
    entry(
        "overload",
        "503",
        "Envoy's overload manager refused the request.",
        "Look at Envoy's memory and its overload actions.",
    ),
    entry(
        "route_not_found",
        "404",
        "No route matches the request.",
        "Compare host and path with the routes: Lychgate allowed the request, or comes after the router.",
    ),
    entry(
        "upstream_response_timeout",
        "504",
        "The upstream did not answer in time.",
        "Raise the route's `timeout`, or find out why the service is slow.",
    ),
    entry(
        "upstream_per_try_timeout",
        "504",
        "The upstream did not answer the last try in time.",
        "Raise `per_try_timeout`, or find out why the service is slow.",
    ),
    entry(
        "stream_idle_timeout",
        "408 or 504",
        "The stream was idle for too long.",
        "Raise `stream_idle_timeout`.",
    ),
    entry(
        "request_overall_timeout",
        "408",
        "The request did not arrive in time: Envoy's own `request_timeout`, not Lychgate's.",
        "Raise `request_timeout`.",
    ),
    entry(
        "request_payload_too_large",
        "413",
        "A body is longer than Envoy may buffer. Lychgate has bodies buffered of requests for a token alone.",
        "Raise `per_connection_buffer_limit_bytes`, or look which filter buffers bodies.",
    ),
    entry(
        "path_normalization_failed",
        "400",
        "Envoy's own normalisation refused the path, before Lychgate saw it.",
        "Send the path in normal form.",
    ),
    entry("missing_host_header", "400", "The request has no host.", "Send `Host`."),
    entry(
        "direct_response",
        "any",
        "A route's `direct_response` or `redirect` answered.",
        "Look at the route that matches.",
    ),
    entry(
        "jwt_authn_access_denied",
        "401 or 403",
        "Envoy's jwt_authn filter refused the request, not Lychgate.",
        "Look at `http_filters`: in Istio it comes of RequestAuthentication.",
    ),
    entry(
        "rbac_access_denied_matched_policy",
        "403",
        "Envoy's RBAC filter refused the request, not Lychgate.",
        "Look at `http_filters`: in Istio it comes of AuthorizationPolicy.",
    ),
    entry(
        "ext_authz_denied",
        "any",
        "The ext_authz filter refused the request, not Lychgate.",
        "Look at the authorisation service.",
    ),
    entry(
        "ext_authz_error",
        "403",
        "The authorisation service of ext_authz could not be asked.",
        "Look at the authorisation service.",
    ),
    entry(
        "local_rate_limited",
        "429",
        "A rate limit filter refused the request, not Lychgate.",
        "Look at the rate limit's configuration.",
    ),
    entry(
        "request_rate_limited",
        "429",
        "A rate limit filter refused the request, not Lychgate.",
        "Look at the rate limit's configuration.",
    ),
    entry(
        "downstream_remote_disconnect",
        "0 or 499",
        "The client closed the connection before there was an answer.",
        "Usually there is nothing to do.",
    ),
];

/// The flag with this name.
pub fn flag(name: &str) -> Option<&'static Entry> {
    FLAGS.iter().find(|entry| entry.name == name)
}

/// The detail with this name, without the text in braces or brackets after it.
pub fn detail(text: &str) -> Option<&'static Entry> {
    let name = text.split(['{', '[']).next().unwrap_or_default();
    DETAILS.iter().find(|entry| entry.name == name)
}
