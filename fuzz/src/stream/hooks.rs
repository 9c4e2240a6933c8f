//! The module's hooks that Envoy calls.

use super::envoy::{Bytes, Envoy, Header, Own};

unsafe extern "C" {
    pub(super) fn envoy_dynamic_module_on_http_filter_config_new(
        envoy: Envoy,
        name: Bytes,
        text: Bytes,
    ) -> Own;
    pub(super) fn envoy_dynamic_module_on_http_filter_config_destroy(config: Own);
    pub(super) fn envoy_dynamic_module_on_http_filter_config_scheduled(envoy: Envoy, config: Own, event: u64);
    pub(super) fn envoy_dynamic_module_on_http_filter_config_http_callout_done(
        envoy: Envoy,
        config: Own,
        id: u64,
        result: u32,
        headers: *const Header,
        count: usize,
        chunks: *const Bytes,
        chunk_count: usize,
    );
    pub(super) fn envoy_dynamic_module_on_http_filter_per_route_config_new(name: Bytes, text: Bytes) -> Own;
    pub(super) fn envoy_dynamic_module_on_http_filter_per_route_config_destroy(route: Own);
    pub(super) fn envoy_dynamic_module_on_http_filter_new(config: Own, envoy: Envoy) -> Own;
    pub(super) fn envoy_dynamic_module_on_http_filter_destroy(filter: Own);
    pub(super) fn envoy_dynamic_module_on_http_filter_request_headers(
        envoy: Envoy,
        filter: Own,
        end: bool,
    ) -> u32;
    pub(super) fn envoy_dynamic_module_on_http_filter_request_body(
        envoy: Envoy,
        filter: Own,
        end: bool,
    ) -> u32;
    pub(super) fn envoy_dynamic_module_on_http_filter_request_trailers(envoy: Envoy, filter: Own) -> u32;
    pub(super) fn envoy_dynamic_module_on_http_filter_response_headers(
        envoy: Envoy,
        filter: Own,
        end: bool,
    ) -> u32;
    pub(super) fn envoy_dynamic_module_on_http_filter_scheduled(envoy: Envoy, filter: Own, event: u64);
}
