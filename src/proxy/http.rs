//! The context of one request: headers in, decision carried out.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use super::abi::{self, Level};
use super::root::Shared;
use crate::decision::{Decision, Denial, HeaderEdit};
use crate::request::Request;

/// The filter at work on one request.
pub struct Filter {
    shared: Rc<Shared>,
}

impl Filter {
    /// A filter for one request.
    pub fn new(shared: Rc<Shared>) -> Self {
        Self { shared }
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
        let response = denial.response(self.shared.engine.policy().error_format);
        let Denial { status, reason, explanation, .. } = denial;
        abi::log(Level::Debug, &format!("lychgate: {status} {reason} {explanation}"));
        let sent = abi::send_local_response(
            response.status,
            &response.details,
            &response.headers,
            &response.body,
            response.grpc_status,
        );
        if let Err(status) = sent {
            let line = format!("lychgate: the refusal cannot be sent: host status {}", status.0);
            abi::log(Level::Error, &line);
        }
        // Sent or not, the request goes no further.
        Action::Pause
    }
}

impl Context for Filter {}

impl HttpContext for Filter {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let allow = match self.decide() {
            Decision::Allow(allow) => allow,
            Decision::Deny(denial) => return self.refuse(&denial),
        };
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
}
