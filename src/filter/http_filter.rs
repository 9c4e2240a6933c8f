//! One request: its state, and what each callback makes of it.

use std::rc::Rc;
use std::time::Duration;

use super::pending::{StreamId, WaitRequest};
use super::token_request::{AwaitingBody, LoggingIn};
use super::worker::Worker;
use super::{Action, filter_state};
use crate::decision::{
    Attribution, Decision, Denial, ErrorFormat, HeaderMutations, Pause, Response, RuleId, TokenRequest,
};
use crate::engine::RequestMemo;
use crate::host::{ClientAddress, Host, HostError, LocalReply, Stream};
use crate::request::Request;

/// How long a request waits for what is being fetched, at most.
pub(super) const WAIT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a request is. Every callback matches on it.
pub(super) enum State {
    /// Its head has not come.
    Fresh,
    /// It was allowed: it goes on, and so does all that follows its head.
    Allowed,
    /// It was answered, by the filter or by the host, or it was to be and could not: it goes no further.
    Answered,
    /// It waits for something that is being fetched.
    Waiting(Box<Waiting>),
    /// It asks for a token, and its body is awaited.
    AwaitingBody(Box<AwaitingBody>),
    /// The same, and its head went on, as the operator chose; the body goes no further.
    HeadReleased(Box<TokenRequest>),
    /// It asks for a token, all of it is here, and its password is hashed on another thread.
    LoggingIn(Box<LoggingIn>),
}

/// What is to be done with a request, once its headers are no longer being read.
pub(super) enum Step {
    /// It has a place to wait at until this time, and is judged by this rule.
    Wait(Duration, RuleId),
    /// Its body is read first.
    AwaitBody(Box<AwaitingBody>),
    /// It asks for a token, and has no body.
    AnswerToken(TokenRequest),
    /// It asks for a token, and its head goes on with these changes.
    ReleaseHead(TokenRequest, HeaderMutations),
    /// This decision is carried out.
    CarryOut(Decision),
}

pub(super) struct Waiting {
    pub(super) memo: RequestMemo,
    /// The rule that it is judged by.
    pub(super) rule: RuleId,
    deadline: Duration,
    /// Whether its head is all of it.
    is_whole: bool,
}

/// The filter at work on one request.
///
/// A shell keeps one for each request and gives it each of the request's callbacks. A host that calls back
/// while it is being called (Envoy's dynamic modules do, for a local reply) is to be served by
/// [`HttpFilter::take`].
pub struct HttpFilter {
    pub(super) id: StreamId,
    pub(super) worker: Rc<Worker>,
    pub(super) state: State,
}

impl HttpFilter {
    /// A filter for the request with this number.
    #[must_use]
    pub fn new(id: StreamId, worker: Rc<Worker>) -> Self {
        Self { id, worker, state: State::Fresh }
    }

    /// Takes the filter out for a callback, as `std::mem::take` does. What is left in its place refuses, should a callback
    /// come meanwhile or the filter not be put back.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let state = std::mem::replace(&mut self.state, State::Answered);
        Self { id: self.id, worker: Rc::clone(&self.worker), state }
    }

    /// Whether it waits for a callback that is not the request's own: [`on_wake`](Self::on_wake).
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        match self.state {
            State::Waiting(_) | State::AwaitingBody(_) | State::LoggingIn(_) => true,
            State::Fresh | State::Allowed | State::Answered | State::HeadReleased(_) => false,
        }
    }

    /// Whether it was decided, so that an answer to it is none of the filter's business.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        match self.state {
            State::Allowed | State::Answered => true,
            State::Fresh | State::HeadReleased(_) => false,
            State::Waiting(_) | State::AwaitingBody(_) | State::LoggingIn(_) => false,
        }
    }

    /// The request's headers are there.
    pub fn on_request_headers(&mut self, stream: &dyn Stream, end_of_stream: bool) -> Action {
        match &self.state {
            State::Fresh => self.decide(stream, RequestMemo::default(), None, end_of_stream),
            // A request has one head. What was decided by it does not hold for another.
            State::Allowed | State::Answered => {
                self.state = State::Answered;
                Action::Pause
            }
            State::Waiting(_) | State::AwaitingBody(_) | State::HeadReleased(_) | State::LoggingIn(_) => {
                self.fail(stream, "request headers came twice")
            }
        }
    }

    /// So much of its body is buffered.
    pub fn on_request_body(&mut self, stream: &dyn Stream, size: usize, end_of_stream: bool) -> Action {
        match &mut self.state {
            State::Allowed => Action::Continue,
            State::Answered | State::Waiting(_) | State::LoggingIn(_) => Action::Pause,
            State::Fresh => self.fail(stream, "a request body came before its headers"),
            State::AwaitingBody(awaiting) => {
                awaiting.has_body = true;
                self.take_body(stream, size, end_of_stream)
            }
            State::HeadReleased(_) => self.take_body(stream, size, end_of_stream),
        }
    }

    /// Its trailers are there, and so is all of its body.
    pub fn on_request_trailers(&mut self, stream: &dyn Stream) -> Action {
        // They are looked at as they come, whatever the state: when a request that waits goes on, its
        // trailers go with it and do not come by here again.
        if !matches!(self.state, State::Answered) && self.clean_trailers(stream).is_err() {
            return self.fail(stream, "request trailers cannot be edited");
        }
        match &self.state {
            State::Allowed => Action::Continue,
            State::Answered | State::Waiting(_) | State::LoggingIn(_) => Action::Pause,
            State::Fresh => self.fail(stream, "request trailers came before the headers"),
            State::AwaitingBody(_) | State::HeadReleased(_) => self.answer_with_body(stream),
        }
    }

    /// An answer to it begins: the filter's own, the host's, or the upstream's.
    pub fn on_response_headers(&mut self, stream: &dyn Stream) -> Action {
        match &self.state {
            State::Allowed | State::Answered => Action::Continue,
            // The upstream knows nothing of it, so the host answers: the body is too long, time is up.
            State::LoggingIn(logging_in) if logging_in.is_head_released => {
                self.fail(stream, "the upstream answered a request for a token")
            }
            State::Fresh | State::Waiting(_) | State::AwaitingBody(_) | State::LoggingIn(_) => {
                self.leave_login();
                self.leave(State::Answered);
                Action::Continue
            }
            // The upstream has no say in a request for a token, though it saw its head.
            State::HeadReleased(_) => self.fail(stream, "the upstream answered a request for a token"),
        }
    }

    /// What the request waits for may be there, or its time is up.
    pub fn on_wake(&mut self, stream: &dyn Stream) {
        match std::mem::replace(&mut self.state, State::Answered) {
            State::Waiting(waiting) => {
                self.worker.stop_waiting(self.id);
                let Waiting { memo, deadline, is_whole, rule: _ } = *waiting;
                if self.decide(stream, memo, Some(deadline), is_whole) == Action::Continue
                    && stream.resume().is_err()
                {
                    // Better an answer than none.
                    self.fail(stream, "a request that waited cannot go on");
                }
            }
            State::AwaitingBody(awaiting) => {
                self.worker.stop_waiting(self.id);
                self.look_for_body(stream, awaiting);
            }
            State::LoggingIn(logging_in) => {
                self.worker.stop_waiting(self.id);
                self.look_for_login(stream, logging_in);
            }
            state @ (State::Fresh | State::Allowed | State::Answered | State::HeadReleased(_)) => {
                self.state = state;
            }
        }
    }

    /// The request is over, however it ended.
    pub fn on_delete(&mut self) {
        self.leave_login();
        self.leave(State::Answered);
    }

    /// Decides the request, for the first time or, with a deadline, anew, and carries the decision out. The
    /// state is changed before the host is called, and is `Answered` until it is known to be another.
    fn decide(
        &mut self,
        stream: &dyn Stream,
        memo: RequestMemo,
        deadline: Option<Duration>,
        end_of_stream: bool,
    ) -> Action {
        self.state = State::Answered;
        let worker = Rc::clone(&self.worker);
        // The clock is a crossing into the host, so a request that does not wait does not ask for it.
        let can_pause = deadline.is_none_or(|deadline| worker.host().monotonic() < deadline);
        let mut step = None;
        let read = stream.read_request_headers(&mut |headers| {
            if headers.is_empty() {
                return;
            }
            let request = Request::new(headers).whole(end_of_stream);
            step = Some(match worker.engine().decide_again(&request, &memo, worker.host(), can_pause) {
                Decision::Pause(pause) => self.wait(stream, &request, pause, deadline),
                Decision::AwaitBody(token_request) => {
                    self.await_body(stream, token_request, &request, end_of_stream)
                }
                done @ (Decision::Allow(_) | Decision::Deny(_) | Decision::LocalReply(_)) => {
                    Step::CarryOut(done)
                }
            });
        });
        if read.is_err() {
            return self.fail(stream, "request headers cannot be read");
        }
        match step {
            None => self.fail(stream, "request headers are not there"),
            // Looked at where it is: it has a hundred bytes, and nearly every request comes by here.
            Some(Step::CarryOut(ref decision)) => self.carry_out(stream, decision),
            Some(Step::Wait(deadline, rule)) => {
                self.state =
                    State::Waiting(Box::new(Waiting { memo, rule, deadline, is_whole: end_of_stream }));
                Action::Hold
            }
            Some(Step::AwaitBody(awaiting)) => {
                self.state = State::AwaitingBody(awaiting);
                Action::Pause
            }
            Some(Step::AnswerToken(token_request)) => self.answer(stream, token_request, &[], false),
            Some(Step::ReleaseHead(token_request, mutations)) => {
                self.release_head(stream, token_request, &mutations)
            }
        }
    }

    /// A place for a request that has to wait, or what becomes of it without one.
    fn wait(
        &self,
        stream: &dyn Stream,
        request: &Request<'_>,
        pause: Pause,
        deadline: Option<Duration>,
    ) -> Step {
        let Pause { fetches, credential, rule } = pause;
        let until = deadline.unwrap_or_else(|| self.worker.host().monotonic().saturating_add(WAIT_TIMEOUT));
        let wait_request = WaitRequest {
            fetches,
            credential: Some(credential),
            ..wait_request(self.worker.host(), stream, until)
        };
        // A request with a deadline had a place.
        if deadline.is_some() {
            self.worker.wait_on(self.id, wait_request);
            return Step::Wait(until, rule);
        }
        if self.worker.wait(self.id, wait_request) {
            return Step::Wait(until, rule);
        }
        let denial = Denial::too_many_waiting().at(Attribution::rule(rule));
        Step::CarryOut(self.worker.engine().refuse(denial, request))
    }

    /// Carries out a decision that needs nothing more.
    pub(super) fn carry_out(&mut self, stream: &dyn Stream, decision: &Decision) -> Action {
        match decision {
            Decision::Allow(allow) => match self.let_go(stream, allow) {
                Ok(()) => {
                    self.worker.count_allowed(allow);
                    if let Some(denial) = &allow.shadow_denial {
                        self.worker.log_shadow_denial(denial);
                    }
                    self.state = State::Allowed;
                    Action::Continue
                }
                Err(denial) => self.refuse(stream, &denial.at(allow.attribution)),
            },
            Decision::Deny(denial) => self.refuse(stream, denial),
            Decision::LocalReply(response) => {
                self.state = State::Answered;
                self.worker.count_answered(response);
                send(stream, response);
                Action::Pause
            }
            Decision::AwaitBody(_) | Decision::Pause(_) => {
                self.fail(stream, "the request waits for no answer")
            }
        }
    }

    /// Removes the trailers that a server could take for headers that were judged, or that the filter made.
    fn clean_trailers(&self, stream: &dyn Stream) -> Result<(), HostError> {
        let policy = self.worker.engine().policy();
        let mut names: Vec<Vec<u8>> = Vec::new();
        stream.read_request_trailers(&mut |trailers| {
            let names_of = trailers.iter().map(|(name, _)| *name);
            let barred = names_of.filter(|name| policy.is_barred_from_trailers(name));
            names = barred.map(<[u8]>::to_vec).collect();
        })?;
        names.iter().try_for_each(|name| stream.remove_request_trailer(name))
    }

    /// Refuses the request because the host did not do its part.
    pub fn fail(&mut self, stream: &dyn Stream, what: &'static str) -> Action {
        self.leave(State::Answered);
        self.refuse(stream, &Denial::host_failure(what))
    }

    pub(super) fn refuse(&mut self, stream: &dyn Stream, denial: &Denial) -> Action {
        self.state = State::Answered;
        let Denial { reason, explanation, .. } = denial;
        log::debug!("lychgate: {} {reason} {explanation}", denial.status());
        let policy = self.worker.engine().policy();
        self.worker.count_denied(denial);
        filter_state::set_for_denied(stream, policy, denial);
        send(stream, &denial.response(policy.errors.format));
        Action::Pause
    }

    /// Leaves the present state for `next`, and the place of it; gives back a request for a token.
    pub(super) fn leave(&mut self, next: State) -> Option<TokenRequest> {
        match std::mem::replace(&mut self.state, next) {
            State::Fresh | State::Allowed | State::Answered => None,
            State::Waiting(_) => {
                self.worker.stop_waiting(self.id);
                None
            }
            State::AwaitingBody(awaiting) => {
                self.worker.stop_waiting(self.id);
                Some(awaiting.request)
            }
            State::HeadReleased(token_request) => Some(*token_request),
            State::LoggingIn(logging_in) => {
                self.worker.stop_waiting(self.id);
                Some(logging_in.request)
            }
        }
    }
}

/// What a request needs to wait until `deadline`.
pub(super) fn wait_request(host: &dyn Host, stream: &dyn Stream, deadline: Duration) -> WaitRequest {
    let client = ClientAddress::of(host);
    let [address, site] = [client.as_str(), client.site()].map(|text| text.map(str::to_owned));
    WaitRequest { deadline, address, site, connection: stream.connection_id(), ..WaitRequest::default() }
}

/// Answers a request that was not announced, and so belongs to no policy.
pub fn refuse_unannounced(stream: &dyn Stream) -> Action {
    send(stream, &Denial::host_failure("a request that was not announced").response(ErrorFormat::default()));
    Action::Pause
}

/// Sends an answer. One that could not be sent leaves the request where it is: answered, and going nowhere.
fn send(stream: &dyn Stream, response: &Response) {
    let Response { status, headers, body, grpc_status, details, attribution: _ } = response;
    let reply = LocalReply { status: *status, headers, body, grpc_status: *grpc_status, details };
    if let Err(error) = stream.send_local_reply(&reply) {
        log::error!("lychgate: the answer cannot be sent: {error}");
    }
}

#[cfg(test)]
#[path = "http_filter_tests.rs"]
mod tests;
