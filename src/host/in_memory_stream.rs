//! A request in memory, beside [`InMemoryHost`](super::InMemoryHost): for tests and for whatever runs the filter without a proxy.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::{Headers, HostError, LocalReply, Metadata, Stream};

/// Header names and values, one pair for each field line.
pub type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// A local reply that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentReply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Envoy's response-code details.
    pub details: String,
    /// The gRPC status; -1: made from the HTTP status.
    pub grpc_status: i32,
}

/// A request that does what its fields say.
#[derive(Default)]
pub struct InMemoryStream {
    /// Its headers, as they are now.
    pub headers: RefCell<Pairs>,
    /// Its trailers, as they are now.
    pub trailers: RefCell<Pairs>,
    /// The body as far as it is buffered.
    pub body: RefCell<Vec<u8>>,
    /// The bytes that were received, if the host tells.
    pub received: Cell<Option<u64>>,
    /// The name of the call that fails; empty: none does.
    pub fails: Cell<&'static str>,
    /// The local replies that were sent, in order.
    pub replies: RefCell<Vec<SentReply>>,
    /// How often the request was resumed.
    pub resumed: Cell<u32>,
    /// The number of its connection.
    pub connection: Cell<u64>,
    /// How often its route was chosen again.
    pub routed: Cell<u32>,
    /// The dynamic metadata that was set, as text.
    pub metadata: RefCell<Vec<(String, String)>>,
    /// The filter state that was set.
    pub filter_state: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl InMemoryStream {
    /// A request with these headers, pseudo-headers among them.
    #[must_use]
    pub fn new(headers: &[(&str, &str)]) -> Self {
        let stream = Self::default();
        *stream.headers.borrow_mut() = pairs(headers);
        stream
    }

    fn works(&self, call: &str) -> Result<(), HostError> {
        if self.fails.get() == call { Err(HostError("as the test has it")) } else { Ok(()) }
    }

    /// The first value of a header; the name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let headers = self.headers.borrow();
        let found = headers.iter().find(|(own, _)| own == name.as_bytes());
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }
}

/// Names and values as a stream has them.
#[must_use]
pub fn pairs(pairs: &[(&str, &str)]) -> Pairs {
    pairs.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

fn read(pairs: &RefCell<Pairs>, read: &mut dyn FnMut(&Headers<'_>)) {
    let pairs = pairs.borrow();
    read(&pairs.iter().map(|(name, value)| (&name[..], &value[..])).collect::<Vec<_>>());
}

impl Stream for InMemoryStream {
    fn set_metadata(&self, values: &[(&str, Metadata<'_>)]) {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), format!("{value:?}")));
        *self.metadata.borrow_mut() = values.collect();
    }

    fn read_request_headers(&self, reader: &mut dyn FnMut(&Headers<'_>)) -> Result<(), HostError> {
        self.works("read_request_headers")?;
        read(&self.headers, reader);
        Ok(())
    }

    fn read_request_trailers(&self, reader: &mut dyn FnMut(&Headers<'_>)) -> Result<(), HostError> {
        self.works("read_request_trailers")?;
        read(&self.trailers, reader);
        Ok(())
    }

    fn request_body(&self, max_size: usize) -> Result<Vec<u8>, HostError> {
        self.works("request_body")?;
        Ok(self.body.borrow().iter().copied().take(max_size).collect())
    }

    fn received_bytes(&self) -> Option<u64> {
        self.received.get()
    }

    fn remove_request_header(&self, name: &[u8]) -> Result<(), HostError> {
        self.works("remove_request_header")?;
        self.headers.borrow_mut().retain(|(own, _)| own != name);
        Ok(())
    }

    fn set_request_header(&self, name: &[u8], value: &[u8]) -> Result<(), HostError> {
        self.works("set_request_header")?;
        self.headers.borrow_mut().retain(|(own, _)| own != name);
        self.headers.borrow_mut().push((name.to_vec(), value.to_vec()));
        Ok(())
    }

    fn add_request_header(&self, name: &[u8], value: &[u8]) -> Result<(), HostError> {
        self.works("add_request_header")?;
        self.headers.borrow_mut().push((name.to_vec(), value.to_vec()));
        Ok(())
    }

    fn remove_request_trailer(&self, name: &[u8]) -> Result<(), HostError> {
        self.works("remove_request_trailer")?;
        self.trailers.borrow_mut().retain(|(own, _)| own != name);
        Ok(())
    }

    fn send_local_reply(&self, reply: &LocalReply<'_>) -> Result<(), HostError> {
        self.works("send_local_reply")?;
        self.replies.borrow_mut().push(SentReply {
            status: reply.status,
            headers: reply.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            body: reply.body.to_vec(),
            details: reply.details.to_owned(),
            grpc_status: reply.grpc_status,
        });
        Ok(())
    }

    fn resume(&self) -> Result<(), HostError> {
        self.works("resume")?;
        self.resumed.set(self.resumed.get().saturating_add(1));
        Ok(())
    }

    fn choose_route_again(&self) -> Result<(), HostError> {
        self.works("choose_route_again")?;
        self.routed.set(self.routed.get().saturating_add(1));
        Ok(())
    }

    fn set_filter_state(&self, name: &str, value: &[u8]) {
        self.filter_state.borrow_mut().insert(name.to_owned(), value.to_vec());
    }

    fn has_filter_state(&self, name: &str) -> bool {
        self.filter_state.borrow().contains_key(name)
    }

    fn connection_id(&self) -> Option<u64> {
        Some(self.connection.get())
    }
}
