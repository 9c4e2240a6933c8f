//! Requests for a token: the body is read here, and the request goes no further.
//!
//! The head is held back while the body is read. Envoy 1.35 and later can do that, if the plugin's
//! `allow_on_headers_stop_iteration` is set; otherwise a head that is held back holds its body back too, and
//! no callback says so. Then the request is refused, or its head is let go: that is the operator's choice
//! (`issue.release_head`), and no client's. Whether the host holds the body back is seen by what it has
//! received: bytes that came and were not handed over.

use std::rc::Rc;
use std::time::Duration;

use smallvec::smallvec;
use zeroize::Zeroizing;

use super::Action;
use super::forward::apply;
use super::http_filter::{HttpFilter, State, Step, WAIT_TIMEOUT, wait_request};
use super::pending::WaitRequest;
use crate::decision::{Attribution, Decision, Denial, HeaderMutations, RuleId, TokenRequest};
use crate::engine::TokenAnswer;
use crate::fetch::PendingFetch;
use crate::host::{HostError, IS_NATIVE, Stream};
use crate::reason::Reason;
use crate::request::Request;
use crate::token_endpoint::{MAX_BODY_BYTES, PendingLogin, TokenEndpoint};

/// How long a request for a token may take to bring its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);
/// When to look whether the host holds the body back.
const BODY_CHECK: Duration = Duration::from_millis(250);

/// A request for a token whose body is still to come.
pub struct AwaitingBody {
    pub request: TokenRequest,
    pub deadline: Duration,
    /// What the host had received when the head came.
    pub received: Option<u64>,
    /// Whether some of its body came here.
    pub has_body: bool,
}

/// A request for a token whose password is hashed on another thread.
pub struct LoggingIn {
    pub request: TokenRequest,
    pub pending: Box<PendingLogin>,
    deadline: Duration,
    /// Whether its head went on, so that the upstream may answer it.
    pub is_head_released: bool,
}

impl HttpFilter {
    pub(super) fn await_body(
        &self,
        stream: &dyn Stream,
        token_request: TokenRequest,
        request: &Request<'_>,
        end_of_stream: bool,
    ) -> Step {
        if end_of_stream {
            return Step::AnswerToken(token_request);
        }
        let policy = self.worker.engine().policy();
        if policy.token_endpoint(token_request.endpoint).is_some_and(|endpoint| endpoint.release_head) {
            // It takes no credential along, and no word of the client's about its identity.
            return Step::ReleaseHead(
                token_request,
                self.worker.engine().mutations_without_credentials(request),
            );
        }
        let now = self.worker.host().monotonic();
        let received = stream.received_bytes();
        let first = if received.is_some() { BODY_CHECK } else { BODY_TIMEOUT };
        let wait_request = wait_request(self.worker.host(), stream, now.saturating_add(first));
        if !self.worker.wait_for_body(self.id, wait_request) {
            let denial = Denial::too_many_waiting().at(Attribution::rule(RuleId::TokenEndpoint));
            return Step::CarryOut(Decision::Deny(Denial { request_id: token_request.request_id, ..denial }));
        }
        let deadline = now.saturating_add(BODY_TIMEOUT);
        Step::AwaitBody(Box::new(AwaitingBody {
            request: token_request,
            deadline,
            received,
            has_body: false,
        }))
    }

    /// Looks whether the body of a request for a token still may come.
    pub(super) fn look_for_body(&mut self, stream: &dyn Stream, awaiting: Box<AwaitingBody>) {
        let now = self.worker.host().monotonic();
        let is_held_by_host = !awaiting.has_body
            && match (awaiting.received, stream.received_bytes()) {
                (Some(before), Some(now)) => now > before,
                (None, _) | (_, None) => false,
            };
        if is_held_by_host {
            self.worker.warn_of_held_body();
        }
        let is_over = is_held_by_host || now >= awaiting.deadline;
        if !is_over {
            let wait_request = wait_request(self.worker.host(), stream, awaiting.deadline);
            self.worker.wait_on_for_body(self.id, wait_request);
            self.state = State::AwaitingBody(awaiting);
            return;
        }
        let reason = if is_held_by_host { Reason::BodyHeldBack } else { Reason::BodyTimeout };
        let denial = Denial::new(reason).at(Attribution::rule(RuleId::TokenEndpoint));
        self.refuse(stream, &Denial { request_id: awaiting.request.request_id, ..denial });
    }

    /// Lets the head of a request for a token go on, with these changes.
    pub(super) fn release_head(
        &mut self,
        stream: &dyn Stream,
        token_request: TokenRequest,
        mutations: &HeaderMutations,
    ) -> Action {
        if mutations.list.iter().any(|edit| apply(stream, edit, false).is_err()) {
            return self.fail(stream, "request headers cannot be edited");
        }
        if let (true, Err(HostError(what))) = (IS_NATIVE, stream.choose_route_again()) {
            self.worker.warn_of_route(what);
            return self.fail(stream, what);
        }
        self.state = State::HeadReleased(Box::new(token_request));
        Action::Continue
    }

    pub(super) fn take_body(&mut self, stream: &dyn Stream, size: usize, end_of_stream: bool) -> Action {
        if size > MAX_BODY_BYTES {
            let request_id = self.leave(State::Answered).and_then(|token_request| token_request.request_id);
            let denial = TokenEndpoint::too_large().at(Attribution::rule(RuleId::TokenEndpoint));
            return self.refuse(stream, &Denial { request_id, ..denial });
        }
        if end_of_stream { self.answer_with_body(stream) } else { Action::Pause }
    }

    pub(super) fn answer_with_body(&mut self, stream: &dyn Stream) -> Action {
        let is_head_released = matches!(self.state, State::HeadReleased(_));
        let Some(login) = self.leave(State::Answered) else {
            return self.fail(stream, "a body for a request that awaits none");
        };
        match stream.request_body(MAX_BODY_BYTES.saturating_add(1)) {
            Ok(body) => self.answer(stream, login, &Zeroizing::new(body), is_head_released),
            Err(_) => self.fail(stream, "the request body cannot be read"),
        }
    }

    pub(super) fn answer(
        &mut self,
        stream: &dyn Stream,
        request: TokenRequest,
        body: &[u8],
        is_head_released: bool,
    ) -> Action {
        let worker = Rc::clone(&self.worker);
        let pending = match worker.engine().begin_token(&request, body, worker.host()) {
            TokenAnswer::Now(decision) => return self.carry_out_answer(stream, &decision),
            TokenAnswer::Later(pending) if IS_NATIVE => pending,
            TokenAnswer::Later(_) => return self.fail(stream, "a password is hashed on another thread"),
        };
        let deadline = worker.host().monotonic().saturating_add(WAIT_TIMEOUT);
        let fetches = smallvec![PendingFetch::Login(pending.id())];
        if !worker.wait(self.id, WaitRequest { fetches, ..wait_request(worker.host(), stream, deadline) }) {
            return self.refuse_login(stream, request.request_id, Denial::too_many_waiting());
        }
        let logging_in = LoggingIn { request, pending, deadline, is_head_released };
        self.state = State::LoggingIn(Box::new(logging_in));
        // All of the request is here.
        Action::Pause
    }

    /// Its password may have been hashed, or its time is up.
    pub(super) fn look_for_login(&mut self, stream: &dyn Stream, logging_in: Box<LoggingIn>) {
        if !IS_NATIVE {
            self.fail(stream, "a password is hashed on another thread");
            return;
        }
        let worker = Rc::clone(&self.worker);
        let LoggingIn { request, pending, deadline, .. } = &*logging_in;
        if let Some(decision) = worker.engine().answer_token_later(request, pending, worker.host()) {
            self.carry_out_answer(stream, &decision);
            return;
        }
        let fetches = smallvec![PendingFetch::Login(pending.id())];
        let wait = WaitRequest { fetches, ..wait_request(worker.host(), stream, *deadline) };
        if worker.host().monotonic() < *deadline && worker.wait(self.id, wait) {
            self.state = State::LoggingIn(logging_in);
        } else {
            self.refuse_login(stream, logging_in.request.request_id, Denial::busy(1));
        }
    }

    fn refuse_login(&mut self, stream: &dyn Stream, request_id: Option<String>, denial: Denial) -> Action {
        let denial = denial.at(Attribution::rule(RuleId::TokenEndpoint));
        self.refuse(stream, &Denial { request_id, ..denial })
    }

    fn carry_out_answer(&mut self, stream: &dyn Stream, decision: &Decision) -> Action {
        match decision {
            Decision::LocalReply(_) | Decision::Deny(_) => self.carry_out(stream, decision),
            Decision::Allow(_) | Decision::AwaitBody(_) | Decision::Pause(_) => {
                self.fail(stream, "a request with its body needs an answer")
            }
        }
    }
}
