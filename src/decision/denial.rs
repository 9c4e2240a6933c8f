//! Answers of the filter's own, refusals first of all. A denial owns its reason and its challenges. The reason
//! settles the status and the public text; its word is for logs and response-code details, never for the client.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;

use super::attribution::Attribution;
use crate::reason::{OAuthError, Reason};
use crate::setting::words;

/// A challenge of a `WWW-Authenticate` header (RFC 9110 section 11.6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// `Bearer` (RFC 6750), `Basic` (RFC 7617) or `APIKey`.
    pub scheme: &'static str,
    /// The realm, if it says one.
    pub realm: Option<String>,
    /// Further parameters, such as what is wrong. None if a token was not presented
    /// (RFC 6750 section 3.1).
    pub parameters: Option<String>,
}

impl Challenge {
    fn render(&self) -> String {
        match (&self.realm, &self.parameters) {
            (Some(realm), Some(parameters)) => [self.scheme, " realm=\"", realm, "\", ", parameters].concat(),
            (Some(realm), None) => [self.scheme, " realm=\"", realm, "\""].concat(),
            (None, Some(parameters)) => [self.scheme, " ", parameters].concat(),
            (None, None) => self.scheme.to_owned(),
        }
    }
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Why. It settles the status and what the client reads.
    pub reason: Reason,
    /// What the client may try instead.
    pub challenges: Vec<Challenge>,
    /// Why, in more words, for the log at debug. Never holds the credential.
    pub explanation: String,
    /// Further headers, such as `retry-after`.
    pub headers: Vec<(&'static str, String)>,
    /// Where it was decided.
    pub attribution: Attribution,
    /// The identity that was refused, where that is proven.
    pub subject: Option<String>,
    /// The id of the request, if the client gets it.
    pub request_id: Option<String>,
    /// Whether the client speaks gRPC. Envoy makes `grpc-message` of the body, so that is plain text.
    pub is_grpc: bool,
}

words! {
    /// The format of an error body.
    #[derive(Default)]
    pub enum ErrorFormat {
        /// `{"detail": ...}`, as FastAPI writes it.
        #[default]
        FastApi = "fastapi",
        /// Problem details (RFC 9457), `application/problem+json`.
        Problem = "problem",
        /// Plain text.
        Text = "text",
    }
}

/// A body of JSON.
struct ErrorBody<'a> {
    detail: &'a str,
    /// RFC 6749 section 5.2.
    error: Option<&'a str>,
    request_id: Option<&'a str>,
    /// The status of problem details.
    status: Option<u16>,
}

impl Serialize for ErrorBody<'_> {
    /// In the order of the names.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_map(None)?;
        body.serialize_entry("detail", self.detail)?;
        if let Some(error) = self.error {
            body.serialize_entry("error", error)?;
        }
        if let Some(id) = self.request_id {
            body.serialize_entry("request_id", id)?;
        }
        if let Some(status) = self.status {
            body.serialize_entry("status", &status)?;
            body.serialize_entry("title", title(status))?;
            body.serialize_entry("type", "about:blank")?;
        }
        body.end()
    }
}

impl ErrorBody<'_> {
    fn to_json(&self) -> Vec<u8> {
        // Texts and a number can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// A refusal as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers, `content-type` among them.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Cow<'static, [u8]>,
    /// The status a gRPC client gets (gRPC status codes).
    pub grpc_status: i32,
    /// Envoy's response-code details.
    pub details: String,
    /// Where it was decided.
    pub attribution: Attribution,
}

impl Denial {
    /// A denial without challenges.
    #[must_use]
    pub fn new(reason: Reason) -> Self {
        Self {
            reason,
            challenges: Vec::new(),
            explanation: String::new(),
            headers: Vec::new(),
            attribution: Attribution::default(),
            subject: None,
            request_id: None,
            is_grpc: false,
        }
    }

    /// Its HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.reason.status()
    }

    /// The path could be read in two ways.
    #[must_use]
    pub fn ambiguous_path(what: &'static str) -> Self {
        let explanation = what.to_owned();
        Self { explanation, ..Self::new(Reason::AmbiguousPath) }
    }

    /// The path is longer than it may be (RFC 9110 section 15.5.15).
    #[must_use]
    pub fn path_too_long() -> Self {
        Self::new(Reason::PathTooLong)
    }

    /// No rule speaks of the request, and there is no default.
    #[must_use]
    pub fn no_rule() -> Self {
        Self::new(Reason::NoRule)
    }

    /// The host did not do its part.
    #[must_use]
    pub fn host_failure(what: &'static str) -> Self {
        let explanation = what.to_owned();
        Self { explanation, ..Self::new(Reason::HostFailure) }
    }

    /// The user is known, and disabled.
    #[must_use]
    pub fn inactive_user() -> Self {
        Self::new(Reason::UserDisabled)
    }

    /// Too many wrong passwords; the next may be tried after so many seconds.
    #[must_use]
    pub fn throttled(seconds: u64) -> Self {
        Self::new(Reason::LoginThrottled).retry_after(seconds)
    }

    /// The worker has spent its time for passwords; the next may be tried after so many seconds.
    #[must_use]
    pub fn busy(seconds: u64) -> Self {
        Self::new(Reason::LoginBusy).retry_after(seconds)
    }

    /// There is no place to wait for what is being fetched.
    #[must_use]
    pub fn too_many_waiting() -> Self {
        Self::new(Reason::TooManyWaiting).retry_after(1)
    }

    /// Says where it was decided.
    #[must_use]
    pub fn at(self, attribution: Attribution) -> Self {
        Self { attribution, ..self }
    }

    /// Says in how many seconds to come again (RFC 9110 section 10.2.3).
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.with_header("retry-after", &seconds.to_string())
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Adds challenges, each once; a challenge without parameters yields to one of its scheme and
    /// realm that has some.
    #[must_use]
    pub fn with_challenges(mut self, challenges: Vec<Challenge>) -> Self {
        let is_new = |(index, challenge): (usize, &Challenge)| {
            let same =
                |other: &&Challenge| other.scheme == challenge.scheme && other.realm == challenge.realm;
            let earlier_twin = challenges.iter().take(index).filter(same).any(|c| c == challenge);
            let outdone = challenge.parameters.is_none()
                && challenges.iter().filter(same).any(|other| other.parameters.is_some());
            !earlier_twin && !outdone
        };
        let new: Vec<bool> = challenges.iter().enumerate().map(is_new).collect();
        let added = challenges.into_iter().zip(new).filter(|(_, is_new)| *is_new);
        self.challenges.extend(added.map(|(challenge, _)| challenge));
        self
    }

    /// What every body of JSON says.
    fn body(&self) -> ErrorBody<'_> {
        let error = match self.reason.oauth_error() {
            Some(OAuthError::Body(error)) => Some(error),
            Some(OAuthError::Challenge(_)) | None => None,
        };
        ErrorBody {
            detail: self.reason.detail(),
            error,
            request_id: self.request_id.as_deref(),
            status: None,
        }
    }

    /// The answer in `format`; plain text for a gRPC client.
    #[must_use]
    pub fn response(&self, format: ErrorFormat) -> Response {
        let format = if self.is_grpc { ErrorFormat::Text } else { format };
        let status = self.reason.status();
        let (content_type, body) = match format {
            ErrorFormat::FastApi => ("application/json", self.body().to_json()),
            ErrorFormat::Problem => {
                ("application/problem+json", ErrorBody { status: Some(status), ..self.body() }.to_json())
            }
            ErrorFormat::Text => {
                let text = match &self.request_id {
                    Some(id) => [self.reason.detail(), "\nrequest id: ", id].concat(),
                    None => self.reason.detail().to_owned(),
                };
                ("text/plain", text.into_bytes())
            }
        };
        let count = self.challenges.len().saturating_add(self.headers.len()).saturating_add(1);
        let mut headers = Vec::with_capacity(count);
        headers.push(("content-type", content_type.to_owned()));
        headers.extend(self.challenges.iter().map(|c| ("www-authenticate", c.render())));
        headers.extend(self.headers.iter().cloned());
        let mut details = ["lychgate_denied{", self.reason.as_str(), "}"].concat();
        if self.reason == Reason::AmbiguousPath {
            // Details have no spaces.
            details.push(':');
            details.push_str(&self.explanation.replace(' ', "_"));
        }
        Response {
            status,
            headers,
            body: body.into(),
            grpc_status: self.reason.grpc_status(),
            details,
            attribution: self.attribution,
        }
    }
}

impl Response {
    /// An answer of the filter's own with this body.
    #[must_use]
    pub fn new(status: u16, content_type: &str, body: Cow<'static, [u8]>, what: &str) -> Self {
        Self {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            body,
            // Only HTTP clients ask for these.
            grpc_status: -1,
            details: format!("lychgate_answered{{{what}}}"),
            attribution: Attribution::default(),
        }
    }

    /// An answer of JSON.
    #[must_use]
    pub fn json(status: u16, body: &Value, what: &str) -> Self {
        Self::new(status, "application/json", body.to_string().into_bytes().into(), what)
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// The registered reason phrase (RFC 9110 section 15), as RFC 9457 wants it for `about:blank`.
fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
#[path = "denial_tests.rs"]
mod tests;
