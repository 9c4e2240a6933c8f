//! What the filter asks of its host about one request.

use std::borrow::Cow;

use super::HostError;

/// Header names and values as they came: names in lower case, values of any bytes, one entry for each
/// field line.
pub type Headers<'h> = [(&'h [u8], &'h [u8])];

/// A local reply: an answer of the filter's own, sent in the upstream's place.
#[derive(Clone, Copy, Debug)]
pub struct LocalReply<'r> {
    /// The HTTP status.
    pub status: u16,
    /// The headers, `content-type` among them.
    pub headers: &'r [(&'static str, String)],
    /// The body.
    pub body: &'r [u8],
    /// The status for a gRPC client (gRPC status codes); -1: made from the HTTP status by the host.
    pub grpc_status: i32,
    /// Envoy's response-code details.
    pub details: &'r str,
}

/// A value of dynamic metadata.
#[derive(Clone, Debug, PartialEq)]
pub enum Metadata<'v> {
    /// Text.
    Text(Cow<'v, str>),
    /// A number.
    Number(f64),
    /// True or false.
    Bool(bool),
    /// A list of texts.
    List(Cow<'v, [String]>),
}

/// One request, as its host has it. Every call can fail, and each failure is a value.
///
/// The headers can be read and edited until the request goes on, also while it waits.
pub trait Stream {
    /// Gives `read` the request's headers, pseudo-headers among them.
    ///
    /// # Errors
    /// If the host does not hand them over whole. Then `read` is not called.
    fn read_request_headers(&self, read: &mut dyn FnMut(&Headers<'_>)) -> Result<(), HostError>;

    /// Gives `read` the request's trailers.
    ///
    /// # Errors
    /// As above.
    fn read_request_trailers(&self, read: &mut dyn FnMut(&Headers<'_>)) -> Result<(), HostError>;

    /// Up to `max_size` bytes of the request body, as far as it is buffered.
    ///
    /// # Errors
    /// If the host does not hand it over.
    fn request_body(&self, max_size: usize) -> Result<Vec<u8>, HostError>;

    /// How many bytes of the request the host has received so far, in any unit that grows with each byte of
    /// the body; `None` if it does not tell.
    fn received_bytes(&self) -> Option<u64>;

    /// Removes every request header of this name.
    ///
    /// # Errors
    /// If the host does not.
    fn remove_request_header(&self, name: &[u8]) -> Result<(), HostError>;

    /// Gives a request header this value and no other.
    ///
    /// # Errors
    /// If the host does not.
    fn set_request_header(&self, name: &[u8], value: &[u8]) -> Result<(), HostError>;

    /// Adds a request header; one of the same name stays.
    ///
    /// # Errors
    /// If the host does not.
    fn add_request_header(&self, name: &[u8], value: &[u8]) -> Result<(), HostError>;

    /// Removes every request trailer of this name.
    ///
    /// # Errors
    /// If the host does not.
    fn remove_request_trailer(&self, name: &[u8]) -> Result<(), HostError>;

    /// Answers the request in the upstream's place.
    ///
    /// # Errors
    /// If the host does not. The request must not go on then either.
    fn send_local_reply(&self, reply: &LocalReply<'_>) -> Result<(), HostError>;

    /// Lets a request go on that was paused.
    ///
    /// # Errors
    /// If the host does not.
    fn resume(&self) -> Result<(), HostError>;

    /// Has the host choose the route again, by what the request is after it was edited and told of. Until then a host may
    /// have one that it chose by what the client sent.
    ///
    /// # Errors
    /// If the host does not, or if the route that it chooses has another policy than the one that the request was judged
    /// by. The request must not go on then.
    fn choose_route_again(&self) -> Result<(), HostError>;

    /// Tells the host something of the request, for its access log and for filters after this one. Best
    /// effort: a host without filter state ignores it.
    fn set_filter_state(&self, name: &str, value: &[u8]);

    /// Whether something was told of the request under this name, as another filter of this kind may have done.
    fn has_filter_state(&self, name: &str) -> bool;

    /// Sets the dynamic metadata of the request under `lychgate`, for filters after this one: these values and no
    /// others. Best effort: a host without it (Envoy's for Wasm modules) ignores it.
    fn set_metadata(&self, _values: &[(&str, Metadata<'_>)]) {}

    /// The number of the client's connection; `None` if the host does not tell.
    fn connection_id(&self) -> Option<u64>;
}
