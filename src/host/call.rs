//! Calls to outside and what comes back.

use std::fmt;
use std::time::Duration;

/// A call of an Envoy cluster. It may carry a token and the filter's own secret.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpCall {
    /// The cluster.
    pub cluster: String,
    /// Headers, pseudo-headers among them.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How long it may take.
    pub timeout: Duration,
}

impl fmt::Debug for HttpCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpCall").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

/// What came back. No headers at all: the call failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallResponse {
    /// Headers, `:status` among them.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

/// The longest body that is taken from the host, in bytes. What it is of may have a lower bound.
pub const MAX_BODY_BYTES: usize = 1_048_576;

impl CallResponse {
    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes()));
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// The status; 0 if there was no response.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.header(":status").and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    /// Whether Envoy itself answered, since the cluster has as many requests as its circuit breaker allows: the
    /// call reached no server.
    #[must_use]
    pub fn is_overflow(&self) -> bool {
        self.status() == 503 && self.header("x-envoy-overloaded").is_some()
    }

    /// How long it may be kept, in seconds (RFC 9111 section 5.2.2).
    #[must_use]
    pub fn max_age(&self) -> Option<i64> {
        let directives = self.header("cache-control")?.split(',').map(str::trim);
        let mut max_age = None;
        for directive in directives {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            match name.to_ascii_lowercase().as_str() {
                "no-store" | "no-cache" => return Some(0),
                "max-age" => max_age = value.trim_matches('"').parse().ok(),
                _ => {}
            }
        }
        max_age
    }

    /// Its body, if it is a success, whole, and no longer than `most` bytes.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn success(&self, most: usize) -> Result<&[u8], String> {
        match self.status() {
            200 => {}
            0 => return Err("no response".into()),
            _ if self.is_overflow() => {
                return Err("not sent: the cluster has as many requests as its circuit breaker allows".into());
            }
            status @ (301 | 302 | 303 | 307 | 308) => {
                let place: String = self.header("location").unwrap_or("nowhere").chars().take(200).collect();
                return Err(format!(
                    "status {status}: a redirect to {place:?}, which is not followed; name that address in the configuration"
                ));
            }
            status => return Err(format!("status {status}")),
        }
        let coding = self.header("content-encoding").unwrap_or_default();
        if !coding.is_empty() && !coding.eq_ignore_ascii_case("identity") {
            let coding: String = coding.chars().take(40).collect();
            return Err(format!(
                "a body with the content-encoding {coding:?}, which is not read; it was asked for without (`accept-encoding: \
                 identity`)"
            ));
        }
        if self.body.len() > most {
            return Err(format!("a body of more than {most} bytes, which is the most that is read"));
        }
        let length = self.header("content-length").and_then(|length| length.parse::<usize>().ok());
        if length.is_some_and(|length| length != self.body.len()) {
            return Err("a body cut short".into());
        }
        Ok(&self.body)
    }
}
