//! The context of one request: headers in, decision carried out.

use zeroize::Zeroizing;

use super::abi::{self, Level};
use super::exports::Flow;
use super::filter_state;
use super::root::Shared;
use crate::config::ErrorFormat;
use crate::decision::{Allow, Decision, Denial, HeaderEdit, Place, Response, RuleId};
use crate::host::Host as _;
use crate::issue::{MAX_BODY_BYTES, TokenEndpoint, TokenRequest};
use crate::request::Request;

/// The filter at work on one request. What it has to remember of one is with those who wait.
pub struct Filter<'s> {
    id: u32,
    shared: &'s Shared,
}

impl<'s> Filter<'s> {
    /// A filter for the request of context `id`.
    pub fn new(id: u32, shared: &'s Shared) -> Self {
        Self { id, shared }
    }

    fn refuse(&self, denial: &Denial) -> Flow {
        refuse(self.shared, denial);
        Flow::Pause
    }

    /// Waits for something to be fetched.
    fn wait(&self, headers: Vec<u8>) -> Flow {
        let now = self.shared.host.uptime();
        if !self.shared.paused.add(self.id, headers, now) {
            let denial = Denial::new(503, "Too many requests are waiting", "too_many_waiting");
            return self.refuse(&denial.retry_after(1));
        }
        self.shared.schedule();
        Flow::Pause
    }

    /// Waits for the body of a request for a token.
    fn await_body(&self, request: TokenRequest, headers: &[(&[u8], &[u8])], end_of_stream: bool) -> Flow {
        if end_of_stream {
            return self.answer(&request, &[]);
        }
        // Should the head have to be let go, it takes no client credentials along, and no word of the
        // client's about who it is.
        let policy = self.shared.engine.policy();
        let names = headers.iter().map(|(name, _)| *name);
        for name in names.filter(|name| *name == b"authorization" || policy.is_reserved(name)) {
            if abi::remove_request_header(name).is_err() {
                return self.refuse(&Denial::host_failure("request headers cannot be edited"));
            }
        }
        self.shared.logins.borrow_mut().insert(self.id, request);
        let holds = self.shared.waiting.begin(self.id, self.shared.host.uptime());
        self.shared.schedule();
        if holds { Flow::Pause } else { Flow::Continue }
    }

    /// The request for a token that this is, once: who takes it answers it.
    fn take_login(&self) -> Option<TokenRequest> {
        let mut logins = self.shared.logins.borrow_mut();
        if logins.is_empty() { None } else { logins.remove(&self.id) }
    }

    fn answer(&self, request: &TokenRequest, body: &[u8]) -> Flow {
        self.shared.waiting.end(self.id);
        match self.shared.engine.answer_token(request, body, &self.shared.host) {
            decision @ (Decision::Answer(_) | Decision::Deny(_)) => {
                carry_out(self.shared, &decision);
                Flow::Pause
            }
            Decision::Allow(_) | Decision::Token(_) | Decision::Await => {
                self.refuse(&Denial::host_failure("a body leads to nothing else"))
            }
        }
    }

    fn answer_with_body(&self) -> Flow {
        let Some(request) = self.take_login() else {
            return Flow::Continue;
        };
        match abi::request_body(MAX_BODY_BYTES.saturating_add(1)) {
            Ok(body) => self.answer(&request, &Zeroizing::new(body)),
            Err(_) => {
                self.shared.waiting.end(self.id);
                self.refuse(&Denial::host_failure("the request body cannot be read"))
            }
        }
    }
}

impl Filter<'_> {
    /// The request's headers are there.
    pub fn request_headers(&self, end_of_stream: bool) -> Flow {
        let Ok(bytes) = abi::request_headers() else {
            return self.refuse(&Denial::host_failure("request headers cannot be read"));
        };
        let headers = abi::parse_map(&bytes).unwrap_or_default();
        #[cfg(feature = "trap-for-tests")]
        super::trap::on_demand(&headers);
        let decision = if headers.is_empty() {
            Decision::Deny(Denial::host_failure("request headers are not there"))
        } else {
            let request = Request::new(&headers).whole(end_of_stream);
            self.shared.engine.decide(&request, &self.shared.host, true)
        };
        match decision {
            Decision::Token(request) => self.await_body(request, &headers, end_of_stream),
            Decision::Await => self.wait(bytes),
            decision if carry_out(self.shared, &decision) => Flow::Continue,
            _ => Flow::Pause,
        }
    }

    /// So much of its body is buffered.
    pub fn request_body(&self, size: usize, end_of_stream: bool) -> Flow {
        if !self.shared.logins.borrow().contains_key(&self.id) {
            return Flow::Continue;
        }
        self.shared.waiting.arrived(self.id, self.shared.host.uptime());
        if size > MAX_BODY_BYTES {
            let request_id = self.take_login().and_then(|login| login.request_id);
            self.end();
            let denial = TokenEndpoint::too_large().at(Place::rule(RuleId::TokenEndpoint));
            return self.refuse(&Denial { request_id, ..denial });
        }
        if end_of_stream { self.answer_with_body() } else { Flow::Pause }
    }

    /// Its trailers are there, and so is all of its body.
    pub fn request_trailers(&self) -> Flow {
        self.answer_with_body()
    }

    /// An answer to it begins.
    pub fn response_headers(&self) -> Flow {
        // The upstream has no say in a request for a token, not even where it saw its head.
        if self.take_login().is_some() {
            self.shared.waiting.end(self.id);
            return self.refuse(&Denial::host_failure("the upstream answered a request for a token"));
        }
        Flow::Continue
    }

    /// However the request ended, nobody waits for it any more.
    pub fn end(&self) {
        self.take_login();
        self.shared.waiting.end(self.id);
        self.shared.paused.remove(self.id);
    }
}

/// Carries out a decision on the request that the host's calls speak of; says whether it goes on.
pub fn carry_out(shared: &Shared, decision: &Decision) -> bool {
    match decision {
        Decision::Allow(allow) => match edit(allow) {
            Ok(()) => {
                shared.engine.metrics().allowed(allow);
                shared.has_counted();
                filter_state::tell_allowed(shared, allow);
                if let Some(denial) = &allow.spared {
                    log_spared(shared, denial);
                }
                return true;
            }
            Err(denial) => refuse(shared, &denial.at(allow.place)),
        },
        Decision::Deny(denial) => refuse(shared, denial),
        Decision::Answer(response) => {
            shared.engine.metrics().answered(response);
            shared.has_counted();
            send(response);
        }
        Decision::Token(_) | Decision::Await => {
            refuse(shared, &Denial::host_failure("nothing is left to wait for"));
        }
    }
    // Sent or not, the request goes no further.
    false
}

/// Edits the request's headers. One that could not be taken away is one that the client forged.
fn edit(allow: &Allow) -> Result<(), Denial> {
    let apply = |edit: &HeaderEdit, is_new: bool| match edit {
        HeaderEdit::Remove(name) => abi::remove_request_header(name),
        HeaderEdit::Set(name, value) if is_new => abi::add_request_header(name.as_bytes(), value),
        HeaderEdit::Set(name, value) => abi::set_request_header(name.as_bytes(), value),
    };
    let identity = allow.identity.iter().flat_map(|identity| &identity.headers);
    let is_new = !allow.changes.impersonates;
    (allow.changes.edits.iter().try_for_each(|edit| apply(edit, false)))
        .and_then(|()| identity.into_iter().try_for_each(|edit| apply(edit, is_new)))
        .map_err(|_| Denial::host_failure("request headers cannot be edited"))
}

fn log_spared(shared: &Shared, denial: &Denial) {
    let Denial { status, reason, explanation, .. } = denial;
    let rule = shared.engine.policy().rule_name(denial.place.rule);
    let line = format!("lychgate: dry run: rule {rule:?} would refuse with {status} {reason} {explanation}");
    abi::log(Level::Info, line.trim_end());
}

fn refuse(shared: &Shared, denial: &Denial) {
    let Denial { status, reason, explanation, .. } = denial;
    abi::log(Level::Debug, &format!("lychgate: {status} {reason} {explanation}"));
    shared.count_denied(denial);
    filter_state::tell_denied(shared, denial);
    send(&denial.response(shared.engine.policy().errors.format));
}

/// Answers a request that belongs to no policy.
pub fn refuse_unknown() {
    send(&Denial::host_failure("a request that was not announced").response(ErrorFormat::default()));
}

fn send(response: &Response) {
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
}
