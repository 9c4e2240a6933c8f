//! Which rule a request is judged by, and what becomes of it.

use super::evaluation::Evaluation;
use super::{Engine, RequestMemo, resources};
use crate::config::CorsPreflight;
use crate::decision::{Allow, Attribution, Decision, Denial, RuleId};
use crate::host::Host;
use crate::http_syntax::is_same_header;
use crate::normal_path::{NormalPath, PathError};
use crate::odd_path::{OddPath, Oddities};
use crate::policy::{Asked, Requirement, Resource, Undecided};
use crate::reason::Reason;
use crate::request::Request;

impl Engine {
    pub(super) fn judge(
        &self,
        request: &Request<'_>,
        memo: &RequestMemo,
        host: &dyn Host,
        can_pause: bool,
    ) -> Result<Decision, Denial> {
        let most = self.policy.max_path_bytes;
        let path = match NormalPath::of_target(request.target(), most) {
            Ok(path) => path,
            Err(PathError::TooLong) => return Err(Denial::path_too_long()),
            Err(PathError::Ambiguous(what)) if self.policy.allowed_oddities() == Oddities::NONE => {
                return Err(Denial::ambiguous_path(what));
            }
            Err(PathError::Ambiguous(what)) => {
                return self.judge_odd(what, request, memo, host, can_pause);
            }
        };
        if self.policy.host_is_ambiguous(request.authority()) {
            return Err(Denial::new(Reason::AmbiguousHost));
        }
        if let Some(resource) = self.policy.metadata_at(path.as_str()) {
            return resources::answer(resource, request);
        }
        if let Some(allowed) = self.allowed_preflight(request) {
            return Ok(allowed);
        }
        let asked = Asked::of_request(request, path.as_str(), host);
        let own_rule = || self.policy.rule_of_own_route(&asked);
        if let Some((id, endpoint)) = self.policy.token_endpoint_at(path.as_str()) {
            if let Some(refusal) = own_rule().and_then(|rule| self.login_refusal(rule, request, host)) {
                return Ok(Decision::Deny(refusal));
            }
            // What the filter serves itself is no trial, whatever the mode.
            let deny = |denial: Denial| Decision::Deny(denial.at(Attribution::rule(RuleId::TokenEndpoint)));
            return Ok(endpoint.head(id, request).map_or_else(deny, Decision::AwaitBody));
        }
        let served = self.served(request, &path);
        let (rule, requirement) = match (&served, served.as_ref().and_then(|_| own_rule())) {
            (Some(_), None) => return served.unwrap_or_else(|| Err(Denial::no_rule())),
            (_, Some(rule)) => (RuleId::Rule(rule), self.policy.requirement_of(rule)),
            (None, None) => self.policy.requirement(&asked).map_err(undecided)?,
        };
        // What is served here goes nowhere else, whatever its method is taken for.
        let other = if served.is_none() { self.rule_in_upper_case(&asked)? } else { None };
        let other = other.filter(|other| *other != rule);
        // Asked first: a dry run of the rule that was found allows no request that another one refuses.
        if let Some(other) =
            other.filter(|other| self.policy.is_dry_run(rule) && !self.policy.is_dry_run(*other))
        {
            return Err(Denial::no_rule().at(Attribution::rule(other)));
        }
        let resource = self.policy.resource_of(path.as_str());
        let mut judged = self.judge_by(requirement, resource, request, memo, host, can_pause);
        attribute(&mut judged, rule);
        match (&judged, served) {
            (Ok(Decision::Allow(_)), Some(served)) => return served,
            // A dry run refuses no request for what the filter serves itself.
            (Err(_), Some(served)) if self.policy.is_dry_run(rule) => return served,
            (Ok(Decision::Allow(_)), None) => {
                if let Some(other) = other {
                    judged = Err(Denial::no_rule().at(Attribution::rule(other)));
                }
            }
            // It would be refused in the end.
            (Ok(Decision::Pause(_)), None) => {
                if let Some(other) = other.filter(|other| !self.policy.is_dry_run(*other)) {
                    judged = Err(Denial::no_rule().at(Attribution::rule(other)));
                }
            }
            (
                Err(_)
                | Ok(Decision::Deny(_) | Decision::LocalReply(_) | Decision::AwaitBody(_) | Decision::Pause(_)),
                _,
            ) => {}
        }
        judged
    }

    /// The rule for the method in upper case, where it came in another case. Methods are case-sensitive (RFC 9110
    /// section 9.1), but some servers behind HTTP/2 take `get` for GET: what is for GET must not be had by the rule
    /// for every other method.
    #[inline]
    fn rule_in_upper_case(&self, asked: &Asked<'_>) -> Result<Option<RuleId>, Denial> {
        if asked.method.iter().any(u8::is_ascii_lowercase) {
            self.rule_of_upper_case(asked)
        } else {
            Ok(None)
        }
    }

    #[cold]
    fn rule_of_upper_case(&self, asked: &Asked<'_>) -> Result<Option<RuleId>, Denial> {
        let method = asked.method.to_ascii_uppercase();
        let (rule, _) = self.policy.requirement(&Asked { method: &method, ..*asked }).map_err(undecided)?;
        Ok(Some(rule))
    }

    /// Judges a request whose path has two readings, by the rules that allow what it has; `what` is why it is not in
    /// normal form. None of the filter's own routes has such a path.
    fn judge_odd(
        &self,
        what: &'static str,
        request: &Request<'_>,
        memo: &RequestMemo,
        host: &dyn Host,
        can_pause: bool,
    ) -> Result<Decision, Denial> {
        let path = match OddPath::of_target(request.target(), self.policy.max_path_bytes) {
            Ok(path) if self.policy.allowed_oddities().contains(path.oddities) => path,
            Ok(_) | Err(PathError::TooLong) => return Err(Denial::ambiguous_path(what)),
            Err(PathError::Ambiguous(what)) => return Err(Denial::ambiguous_path(what)),
        };
        if self.policy.host_is_ambiguous(request.authority()) {
            return Err(Denial::new(Reason::AmbiguousHost));
        }
        let asked = Asked::of_request(request, &path.text, host);
        let asked = Asked { oddities: path.oddities, readings: &path.readings, ..asked };
        let (rule, requirement) = match self.policy.requirement(&asked).map_err(undecided)? {
            // No rule allows all of it.
            (RuleId::None, _) => return Err(Denial::ambiguous_path(what)),
            found => found,
        };
        if let Some(earlier) = self.rule_by_another_reading(&asked, rule)? {
            return Err(Denial::ambiguous_path(what).at(Attribution::rule(earlier)));
        }
        if let Some(allowed) = self.allowed_preflight(request) {
            return Ok(allowed);
        }
        if let Some(other) = self.rule_in_upper_case(&asked)?.filter(|other| *other != rule) {
            return Err(Denial::no_rule().at(Attribution::rule(other)));
        }
        let resource = self.policy.resource_of(&path.text);
        // By another reading it is for another resource: which of them must the token be for?
        let same = |reading: &String| match (resource, self.policy.resource_of(reading)) {
            (Some(resource), Some(read)) => std::ptr::eq(resource, read),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !path.readings.iter().all(same) {
            return Err(Denial::ambiguous_path(what).at(Attribution::rule(rule)));
        }
        let mut judged = self.judge_by(requirement, resource, request, memo, host, can_pause);
        attribute(&mut judged, rule);
        judged
    }

    /// The first rule before `found` that asks for something, is enforced, and is for the request by another reading of its path, or of its method:
    /// an upstream that reads it so would serve what that rule is for. A rule for paths with two readings is meant for
    /// what it comes before.
    fn rule_by_another_reading(&self, asked: &Asked<'_>, found: RuleId) -> Result<Option<RuleId>, Denial> {
        let RuleId::Rule(found) = found else { return Ok(None) };
        let upper = asked.method.to_ascii_uppercase();
        let methods = if upper == asked.method { vec![asked.method] } else { vec![asked.method, &upper] };
        for path in asked.readings {
            for &method in &methods {
                let read = Asked { method, path, oddities: Oddities::NONE, readings: &[], ..*asked };
                let (rule, needed) = self.policy.requirement(&read).map_err(undecided)?;
                let is_public = needed.is_some_and(Requirement::allows_anonymous);
                match rule {
                    RuleId::Rule(earlier)
                        if earlier < found && !is_public && !self.policy.is_dry_run(rule) =>
                    {
                        return Ok(Some(rule));
                    }
                    RuleId::Rule(_)
                    | RuleId::Unknown
                    | RuleId::Default
                    | RuleId::None
                    | RuleId::CorsPreflight
                    | RuleId::TokenEndpoint
                    | RuleId::Documentation => {}
                }
            }
        }
        Ok(None)
    }

    fn judge_by(
        &self,
        requirement: Option<&Requirement>,
        resource: Option<&Resource>,
        request: &Request<'_>,
        memo: &RequestMemo,
        host: &dyn Host,
        can_pause: bool,
    ) -> Result<Decision, Denial> {
        match requirement {
            None => Err(Denial::no_rule()),
            Some(requirement) if requirement.denies() => Err(Denial::new(Reason::RuleDenies)),
            Some(requirement) if requirement.alternatives().is_empty() => {
                Ok(Decision::Allow(self.allow_anonymous(request)))
            }
            Some(requirement) => {
                Evaluation::new(self, requirement, request, host, can_pause, memo, resource).judge()
            }
        }
    }

    /// Why a rule that speaks of a token endpoint keeps a request from it. A login does not wait for anything.
    fn login_refusal(&self, rule: usize, request: &Request<'_>, host: &dyn Host) -> Option<Denial> {
        let attribution = Attribution::rule(RuleId::Rule(rule));
        let memo = RequestMemo::default();
        match self.judge_by(self.policy.requirement_of(rule), None, request, &memo, host, false) {
            Ok(Decision::Allow(_)) => None,
            Ok(Decision::Deny(denial)) | Err(denial) => (!self.policy.is_dry_run(attribution.rule))
                .then_some(Denial {
                    attribution: Attribution { rule: attribution.rule, ..denial.attribution },
                    ..denial
                }),
            Ok(Decision::LocalReply(_) | Decision::AwaitBody(_) | Decision::Pause(_)) => {
                Some(Denial::host_failure("a login has no answer to wait for").at(attribution))
            }
        }
    }

    /// What becomes of a CORS preflight that passes; `None`: it is no preflight, or they are checked.
    fn allowed_preflight(&self, request: &Request<'_>) -> Option<Decision> {
        let passes = self.policy.cors_preflight == CorsPreflight::Pass && self.is_cors_preflight(request);
        let attribution = Attribution::rule(RuleId::CorsPreflight);
        passes.then(|| Decision::Allow(Allow { attribution, ..self.allow_anonymous(request) }))
    }

    /// Browsers send a preflight without any credential; with one, or with a body, it is a request like any other.
    fn is_cors_preflight(&self, request: &Request<'_>) -> bool {
        let is_credential =
            |name: &[u8]| name == b"authorization" || is_same_header(name, b"proxy-authorization");
        request.may_be_cors_preflight()
            && !request.headers().any(|(name, _)| is_credential(name))
            && !self
                .policy
                .schemes()
                .iter()
                .flat_map(|scheme| &scheme.locations)
                .any(|source| source.is_present_in(request))
    }
}

/// Names the rule that a request was judged by.
fn attribute(judged: &mut Result<Decision, Denial>, rule: RuleId) {
    match judged {
        Ok(Decision::Allow(allow)) => allow.attribution.rule = rule,
        Ok(Decision::Pause(pause)) => pause.rule = rule,
        Err(denial) => denial.attribution.rule = rule,
        Ok(Decision::Deny(_) | Decision::LocalReply(_) | Decision::AwaitBody(_)) => {}
    }
}

/// The refusal where it is not decided which rule is for a request.
fn undecided(why: Undecided) -> Denial {
    let denial = match why {
        Undecided::Reading => Denial::path_too_long(),
        Undecided::Client => Denial::new(Reason::ClientAddressUnknown),
        Undecided::Header => Denial::new(Reason::AmbiguousHeader),
    };
    denial.at(Attribution::rule(RuleId::Unknown))
}
