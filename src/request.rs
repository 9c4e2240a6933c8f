//! A request as the filter sees it: borrowed bytes, copied out of the host once; and what is changed in it.

use std::rc::Rc;

use crate::bytes::same;

/// The headers of a request, pseudo-headers among them, in the order they came.
///
/// Names are in lower case, as Envoy keeps them. Values are bytes: nothing makes a client send
/// UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    headers: &'a [(&'a [u8], &'a [u8])],
    method: &'a [u8],
    authority: &'a [u8],
    target: &'a [u8],
    is_whole: bool,
}

impl<'a> Request<'a> {
    /// A request with these headers, after which more of it may come.
    #[must_use]
    pub fn new(headers: &'a [(&'a [u8], &'a [u8])]) -> Self {
        let mut request = Self { headers, method: b"", authority: b"", target: b"", is_whole: false };
        // In one look, and from behind, so that the first of each counts.
        for &(name, value) in headers.iter().rev() {
            match name {
                b":method" => request.method = value,
                b":authority" => request.authority = value,
                b":path" => request.target = value,
                _ => {}
            }
        }
        request
    }

    /// The same, and whether its headers are all of it: no body follows and no trailers.
    #[must_use]
    pub fn whole(self, is_whole: bool) -> Self {
        Self { is_whole, ..self }
    }

    /// Every header with its value.
    #[inline]
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.headers.iter().copied()
    }

    /// Every value of header `name`.
    #[inline]
    pub fn values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.headers().filter(move |(own, _)| same(own, name.as_bytes())).map(|(_, value)| value)
    }

    /// The first value of header `name`.
    #[must_use]
    #[inline]
    pub fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.values(name).next()
    }

    /// `:method`.
    #[must_use]
    #[inline]
    pub fn method(&self) -> &'a [u8] {
        self.method
    }

    /// `:authority`, which HTTP/1 calls Host.
    #[must_use]
    #[inline]
    pub fn authority(&self) -> &'a [u8] {
        self.authority
    }

    /// `:path`: path and query.
    #[must_use]
    #[inline]
    pub fn target(&self) -> &'a [u8] {
        self.target
    }

    /// The path without its query, as it was sent.
    #[must_use]
    pub fn raw_path(&self) -> &'a [u8] {
        self.target().split(|&b| b == b'?').next().unwrap_or_default()
    }

    /// The query without its question mark, as it was sent.
    #[must_use]
    pub fn raw_query(&self) -> Option<&'a [u8]> {
        self.target().splitn(2, |&b| b == b'?').nth(1)
    }

    /// Whether the client speaks gRPC, as Envoy tells it.
    #[must_use]
    pub fn is_grpc(&self) -> bool {
        let kind = self.first("content-type").and_then(|kind| kind.strip_prefix(b"application/grpc"));
        kind.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"+"))
    }

    /// Whether this may be a CORS preflight (Fetch standard, section 4.8): it has no body. That it has no credential
    /// either is for the policy to tell, which knows where one can be.
    #[must_use]
    pub fn may_be_cors_preflight(&self) -> bool {
        self.method == b"OPTIONS"
            && self.is_whole
            && self.first("transfer-encoding").is_none()
            && self.values("content-length").all(|length| length == b"0")
            && self.first("origin").is_some_and(|origin| !origin.is_empty())
            && self.first("access-control-request-method").is_some_and(|method| !method.is_empty())
    }
}

/// One change of the request headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderMutation {
    /// Every header of this name goes. Names are in lower case.
    Remove(Rc<[u8]>),
    /// The header has this value and no other.
    Set(Rc<str>, Box<[u8]>),
}
