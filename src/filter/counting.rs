//! What is counted of requests, and how soon the host's stats show it.

use super::http_filter::{HttpFilter, State};
use super::worker::Worker;
use crate::decision::{Allow, Attribution, DecidedBy, Denial, Response, RuleId};
use crate::host::{HostError, IS_NATIVE, Verdict};
use crate::login::DeferredLogin;
use crate::reason::Reason;

impl HttpFilter {
    /// Leaves its login to the worker, if its password may be hashed at this moment.
    pub(super) fn leave_login(&self) {
        // Elsewhere a password is hashed in place, before it can be seen that the client is gone.
        if !IS_NATIVE {
            return;
        }
        match &self.state {
            State::Waiting(waiting) => {
                if let Some((scheme, login)) = waiting.memo.first_login() {
                    let by = DecidedBy::Scheme(scheme.0);
                    self.worker.leave_login(&login, Attribution { by, ..Attribution::rule(waiting.rule) });
                }
            }
            State::LoggingIn(logging_in) => {
                let attribution = Attribution::rule(RuleId::TokenEndpoint);
                self.worker.leave_login(logging_in.pending.login(), attribution);
            }
            State::Fresh
            | State::Allowed
            | State::Answered
            | State::AwaitingBody(_)
            | State::HeadReleased(_) => {}
        }
    }
}

impl Worker {
    pub(super) fn count_allowed(&self, allow: &Allow) {
        self.engine.metrics().allowed(allow);
        self.flush_without_ticks();
    }

    pub(super) fn count_answered(&self, response: &Response) {
        self.engine.metrics().answered(response);
        self.flush_without_ticks();
    }

    /// Most of what is counted is carried to the host's stats when time has passed, so that a request that
    /// goes on costs none of the host's calls.
    fn flush_without_ticks(&self) {
        if !self.host.has_ticks() {
            self.engine.measure(|slot, update| self.host.update_stat(slot, update));
        }
    }

    /// A refusal is counted, and seen at once unless there are many. Where no tick comes, each is.
    pub(super) fn count_denied(&self, denial: &Denial) {
        let metrics = self.engine.metrics();
        let slots = metrics.denied(denial);
        if self.host.has_ticks() && !self.seen_at_once.take(self.host.coarse_now()) {
            return;
        }
        for slot in slots {
            if let Some(update) = metrics.take_one(slot) {
                self.host.update_stat(slot, update);
            }
        }
    }

    /// A request is gone whose password may be hashed at this moment. A wrong one is counted as a refusal all the same,
    /// or guesses by clients that do not wait for the answer would be seen nowhere.
    pub(super) fn leave_login(&self, login: &DeferredLogin, attribution: Attribution) {
        match login.worth() {
            Some(verdict) => self.count_left(attribution, verdict),
            None => drop(self.left_logins.borrow_mut().insert(login.id, attribution)),
        }
    }

    pub(super) fn count_left(&self, attribution: Attribution, verdict: Verdict) {
        let denial = match verdict {
            // It went nowhere.
            Verdict::Right => return,
            Verdict::Wrong => Denial::new(Reason::PasswordWrong),
            Verdict::Throttled(seconds) => Denial::throttled(seconds),
            Verdict::Busy(seconds) => Denial::busy(seconds),
            Verdict::Failed(HostError(what)) => Denial::host_failure(what),
        };
        let denial = denial.at(attribution);
        if self.engine.policy().is_dry_run(attribution.rule) {
            self.count_allowed(&Allow { shadow_denial: Some(Box::new(denial)), ..Allow::default() });
        } else {
            self.count_denied(&denial);
        }
    }

    pub(super) fn log_shadow_denial(&self, denial: &Denial) {
        let Denial { reason, explanation, .. } = denial;
        if !self.dry_run_lines.take(self.host.coarse_now()) {
            return;
        }
        let rule = self.engine.policy().rule_name(denial.attribution.rule);
        log::info!(
            "lychgate: dry run: rule {rule:?} would refuse with {} {reason}{}{explanation}",
            denial.status(),
            if explanation.is_empty() { "" } else { " " }
        );
    }
}
