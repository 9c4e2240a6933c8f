//! Refusals. A denial owns its status, its public text and its challenges; the reason in it is for
//! logs and response-code details, never for the client.

use serde_json::json;

use crate::config::ErrorFormat;

/// A challenge of a `WWW-Authenticate` header (RFC 9110 section 11.6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// `Bearer` (RFC 6750) or `APIKey`.
    pub scheme: &'static str,
    /// The realm.
    pub realm: String,
    /// What is wrong: `error` and further parameters. None if nothing was presented
    /// (RFC 6750 section 3.1).
    pub error: Option<String>,
}

impl Challenge {
    fn render(&self) -> String {
        let Self { scheme, realm, error } = self;
        match error {
            None => format!("{scheme} realm=\"{realm}\""),
            Some(error) => format!("{scheme} realm=\"{realm}\", {error}"),
        }
    }
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// HTTP status.
    pub status: u16,
    /// What the client reads.
    pub detail: &'static str,
    /// What the client may try instead.
    pub challenges: Vec<Challenge>,
    /// Why, in one word, for the response-code details.
    pub reason: &'static str,
    /// Why, in more words, for the log at debug. Never holds the credential.
    pub explanation: String,
}

/// A refusal as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers, `content-type` among them.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: String,
    /// The status a gRPC client gets (gRPC status codes).
    pub grpc_status: i32,
    /// Envoy's response-code details.
    pub details: String,
}

impl Denial {
    /// A denial without challenges.
    #[must_use]
    pub fn new(status: u16, detail: &'static str, reason: &'static str) -> Self {
        Self { status, detail, challenges: Vec::new(), reason, explanation: String::new() }
    }

    /// The path could be read in two ways.
    #[must_use]
    pub fn ambiguous_path(what: &'static str) -> Self {
        let explanation = what.to_owned();
        Self { explanation, ..Self::new(400, "Ambiguous path", "ambiguous_path") }
    }

    /// No rule speaks of the request, and there is no default.
    #[must_use]
    pub fn no_rule() -> Self {
        Self::new(403, "Forbidden", "no_rule")
    }

    /// The host did not do its part.
    #[must_use]
    pub fn host_failure(what: &'static str) -> Self {
        let explanation = what.to_owned();
        Self { explanation, ..Self::new(500, "Internal Server Error", "host_failure") }
    }

    /// Adds challenges, each once; a challenge without error yields to one of its scheme and realm
    /// that has one.
    #[must_use]
    pub fn with_challenges(mut self, challenges: Vec<Challenge>) -> Self {
        for (index, challenge) in challenges.iter().enumerate() {
            let same =
                |other: &&Challenge| other.scheme == challenge.scheme && other.realm == challenge.realm;
            let earlier_twin = challenges.iter().take(index).filter(same).any(|c| c == challenge);
            let outdone = challenge.error.is_none()
                && challenges.iter().filter(same).any(|other| other.error.is_some());
            if !earlier_twin && !outdone {
                self.challenges.push(challenge.clone());
            }
        }
        self
    }

    /// The answer in `format`.
    #[must_use]
    pub fn response(&self, format: ErrorFormat) -> Response {
        let (content_type, body) = match format {
            ErrorFormat::FastApi => ("application/json", json!({"detail": self.detail}).to_string()),
            ErrorFormat::Problem => (
                "application/problem+json",
                json!({
                    "type": "about:blank",
                    "title": title(self.status),
                    "status": self.status,
                    "detail": self.detail,
                })
                .to_string(),
            ),
            ErrorFormat::Text => ("text/plain", self.detail.to_owned()),
        };
        let mut headers = vec![("content-type", content_type.to_owned())];
        headers.extend(self.challenges.iter().map(|c| ("www-authenticate", c.render())));
        Response {
            status: self.status,
            headers,
            body,
            grpc_status: grpc_status(self.status),
            details: format!("lychgate_denied{{{}}}", self.reason),
        }
    }
}

/// The registered reason phrase (RFC 9110 section 15), as RFC 9457 wants it for `about:blank`.
fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

/// The status of gRPC's HTTP mapping, with 400 as INVALID_ARGUMENT: the request is at fault.
fn grpc_status(status: u16) -> i32 {
    match status {
        400 => 3,  // INVALID_ARGUMENT
        401 => 16, // UNAUTHENTICATED
        403 => 7,  // PERMISSION_DENIED
        503 => 14, // UNAVAILABLE
        _ => 13,   // INTERNAL
    }
}

#[cfg(test)]
#[path = "denial_tests.rs"]
mod tests;
