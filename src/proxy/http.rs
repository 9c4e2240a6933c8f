//! The context of one request: headers in, decision carried out.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::abi::{self, Level};
use super::root::Shared;
use crate::decision::{Allow, Decision, Denial, HeaderEdit, Response};
use crate::host::Host as _;
use crate::issue::{MAX_BODY_BYTES, TokenEndpoint, TokenRequest};
use crate::request::Request;

/// The filter at work on one request.
pub struct Filter {
    id: u32,
    shared: Rc<Shared>,
    /// A request for a token whose body is awaited.
    pending: Option<TokenRequest>,
}

impl Filter {
    /// A filter for the request of context `id`.
    pub fn new(id: u32, shared: Rc<Shared>) -> Self {
        Self { id, shared, pending: None }
    }

    fn decide(&self) -> Decision {
        let Ok(bytes) = abi::request_headers() else {
            return Decision::Deny(Denial::host_failure("request headers cannot be read"));
        };
        match abi::parse_map(&bytes) {
            Some(headers) if !headers.is_empty() => {
                self.shared.engine.decide(&Request::new(&headers), &self.shared.host)
            }
            _ => Decision::Deny(Denial::host_failure("request headers are not there")),
        }
    }

    fn refuse(&self, denial: &Denial) -> Action {
        let Denial { status, reason, explanation, .. } = denial;
        abi::log(Level::Debug, &format!("lychgate: {status} {reason} {explanation}"));
        Self::send(&denial.response(self.shared.engine.policy().error_format))
    }

    fn send(response: &Response) -> Action {
        let sent = abi::send_local_response(
            response.status,
            &response.details,
            &response.headers,
            &response.body,
            response.grpc_status,
        );
        if let Err(status) = sent {
            let line = format!("lychgate: the answer cannot be sent: host status {}", status.0);
            abi::log(Level::Error, &line);
        }
        // Sent or not, the request goes no further.
        Action::Pause
    }

    fn allow(&self, allow: &Allow) -> Action {
        if let Some(denial) = &allow.spared {
            let Denial { status, reason, explanation, .. } = denial;
            let line = format!("lychgate: dry run: would refuse with {status} {reason} {explanation}");
            abi::log(Level::Info, &line);
        }
        for edit in &allow.edits {
            let done = match edit {
                HeaderEdit::Remove(name) => abi::remove_request_header(name),
                HeaderEdit::Set(name, value) => abi::set_request_header(name.as_bytes(), value),
            };
            // A header that could not be taken away is one that the client forged.
            if done.is_err() {
                return self.refuse(&Denial::host_failure("request headers cannot be edited"));
            }
        }
        Action::Continue
    }

    /// Waits for the body of a request for a token.
    fn await_body(&mut self, request: TokenRequest, end_of_stream: bool) -> Action {
        if end_of_stream {
            return self.answer(&request, &[]);
        }
        // Should the head have to be let go, it takes no client credentials along.
        if request.authorization.is_some() && abi::remove_request_header(b"authorization").is_err() {
            return self.refuse(&Denial::host_failure("request headers cannot be edited"));
        }
        self.pending = Some(request);
        if self.shared.waiting.begin(self.id, self.shared.host.uptime()) {
            Action::Pause
        } else {
            Action::Continue
        }
    }

    fn answer(&mut self, request: &TokenRequest, body: &[u8]) -> Action {
        self.pending = None;
        self.shared.waiting.end(self.id);
        match self.shared.engine.answer_token(request, body, &self.shared.host) {
            Decision::Answer(response) => Self::send(&response),
            Decision::Deny(denial) => self.refuse(&denial),
            Decision::Allow(_) | Decision::Token(_) => {
                self.refuse(&Denial::host_failure("a body leads to nothing else"))
            }
        }
    }

    fn answer_with_body(&mut self) -> Action {
        let Some(request) = self.pending.take() else {
            return Action::Continue;
        };
        match abi::request_body(MAX_BODY_BYTES.saturating_add(1)) {
            Ok(body) => self.answer(&request, &body),
            Err(_) => {
                self.shared.waiting.end(self.id);
                self.refuse(&Denial::host_failure("the request body cannot be read"))
            }
        }
    }
}

impl Context for Filter {}

impl HttpContext for Filter {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        match self.decide() {
            Decision::Allow(allow) => self.allow(&allow),
            Decision::Deny(denial) => self.refuse(&denial),
            Decision::Answer(response) => Self::send(&response),
            Decision::Token(request) => self.await_body(request, end_of_stream),
        }
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if self.pending.is_none() {
            return Action::Continue;
        }
        self.shared.waiting.arrived(self.id, self.shared.host.uptime());
        if size > MAX_BODY_BYTES {
            self.pending = None;
            self.shared.waiting.end(self.id);
            return self.refuse(&TokenEndpoint::too_large());
        }
        if end_of_stream { self.answer_with_body() } else { Action::Pause }
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        self.answer_with_body()
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        // The upstream has no say in a request for a token, not even where it saw its head.
        if self.pending.take().is_some() {
            self.shared.waiting.end(self.id);
            return self.refuse(&Denial::host_failure("the upstream answered a request for a token"));
        }
        Action::Continue
    }

    fn on_log(&mut self) {
        if self.pending.take().is_some() {
            self.shared.waiting.end(self.id);
        }
    }
}
