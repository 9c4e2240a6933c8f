//! One request by host calls. They speak of the context that is current, or that was made so.

use proxy_wasm::types::{BufferType, Bytes, MapType};

use super::header_map::{self, HeaderPairs};
use super::hostcalls::{self, Status};
use crate::host::{Headers, HostError, LocalReply, Stream};

/// The request of the current context.
pub struct ProxyStream;

fn failed(what: &'static str) -> impl Fn(Status) -> HostError {
    move |_| HostError(what)
}

fn read(bytes: Result<Bytes, Status>, read: &mut dyn FnMut(&Headers<'_>)) -> Result<(), HostError> {
    let bytes = bytes.map_err(failed("headers cannot be read"))?;
    let mut headers = HeaderPairs::new();
    header_map::parse(&bytes, &mut headers).ok_or(HostError("headers are not of the ABI's form"))?;
    read(&headers);
    Ok(())
}

impl Stream for ProxyStream {
    fn read_request_headers(&self, reader: &mut dyn FnMut(&Headers<'_>)) -> Result<(), HostError> {
        read(hostcalls::get_map_bytes(MapType::HttpRequestHeaders), reader)
    }

    fn read_request_trailers(&self, reader: &mut dyn FnMut(&Headers<'_>)) -> Result<(), HostError> {
        read(hostcalls::get_map_bytes(MapType::HttpRequestTrailers), reader)
    }

    fn request_body(&self, max_size: usize) -> Result<Vec<u8>, HostError> {
        hostcalls::get_buffer(BufferType::HttpRequestBody, max_size)
            .map_err(failed("the body cannot be read"))
    }

    fn received_bytes(&self) -> Option<u64> {
        number(&["request", "total_size"])
    }

    fn remove_request_header(&self, name: &[u8]) -> Result<(), HostError> {
        hostcalls::remove_map_value(MapType::HttpRequestHeaders, name)
            .map_err(failed("a header cannot be removed"))
    }

    fn set_request_header(&self, name: &[u8], value: &[u8]) -> Result<(), HostError> {
        hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name, value)
            .map_err(failed("a header cannot be set"))
    }

    fn add_request_header(&self, name: &[u8], value: &[u8]) -> Result<(), HostError> {
        hostcalls::add_map_value_bytes(MapType::HttpRequestHeaders, name, value)
            .map_err(failed("a header cannot be added"))
    }

    fn remove_request_trailer(&self, name: &[u8]) -> Result<(), HostError> {
        hostcalls::remove_map_value(MapType::HttpRequestTrailers, name)
            .map_err(failed("a trailer cannot be removed"))
    }

    fn send_local_reply(&self, reply: &LocalReply<'_>) -> Result<(), HostError> {
        let LocalReply { status, headers, body, grpc_status, details } = reply;
        hostcalls::send_http_response(*status, details, headers, body, *grpc_status)
            .map_err(failed("the host takes no answer"))
    }

    fn resume(&self) -> Result<(), HostError> {
        hostcalls::resume_http_request().map_err(failed("the host does not let it go on"))
    }

    /// Envoy does so by itself when a Wasm module changes a header.
    fn choose_route_again(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn set_filter_state(&self, name: &str, value: &[u8]) {
        let _ = hostcalls::set_property(name, value);
    }

    fn has_filter_state(&self, name: &str) -> bool {
        // Envoy looks for a property that it does not know among what Wasm modules have set.
        hostcalls::get_property(&[name]).is_ok()
    }

    fn connection_id(&self) -> Option<u64> {
        number(&["connection", "id"])
    }
}

/// A property that is a number: eight bytes, the least significant first.
fn number(path: &[&str]) -> Option<u64> {
    Some(u64::from_le_bytes(hostcalls::get_property(path).ok()?.try_into().ok()?))
}
