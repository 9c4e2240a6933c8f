//! The table of behaviours: what is asked, what must be answered, and what must reach the upstream.
//!
//! It says what is seen from outside and nothing of how it comes about, so the same rows run against
//! the core and through a real Envoy.

mod algorithms;
mod answers;
mod api_keys;
mod claims;
mod headers;
mod keys;
mod matching;
mod paths;
mod policies;
mod requirements;
mod scopes;
mod sources;
mod tokens;

use lychgate_testkit::http::Request;
use serde_json::{Value, json};

pub use policies::policies;

/// The plugin's environment variables that the policies name.
pub fn environment() -> Vec<(String, String)> {
    vec![("LYCHGATE_SECRET".into(), lychgate_testkit::keys::SECRET.into())]
}

/// One behaviour.
pub struct Row {
    /// What it is about.
    pub name: &'static str,
    /// The policy it is about, one of [`policies`].
    pub policy: &'static str,
    /// What the client sends.
    pub request: Request,
    /// What must come of it.
    pub expect: Expect,
}

/// What must come of a request.
pub struct Expect {
    /// The status the client gets.
    pub status: u16,
    /// The public reason of a refusal.
    pub detail: Option<String>,
    /// Every `WWW-Authenticate`, in order.
    pub challenges: Vec<String>,
    /// What must reach the upstream; nothing may reach it where this is unset.
    pub upstream: Option<Upstream>,
    /// Headers of the answer.
    pub headers: Vec<(&'static str, String)>,
}

/// What must reach the upstream.
#[derive(Default)]
pub struct Upstream {
    /// The request target; unset: as the client sent it.
    pub path: Option<String>,
    /// Headers that must be there once and with this value.
    pub headers: Vec<(&'static str, String)>,
    /// Headers that must not be there.
    pub absent: Vec<&'static str>,
}

/// What came of a request.
#[derive(Debug)]
pub struct Observed {
    /// The status.
    pub status: u16,
    /// The headers of the answer, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body of the answer.
    pub body: String,
    /// What reached the upstream.
    pub upstream: Option<Arrived>,
}

/// A request as it reached the upstream.
#[derive(Debug)]
pub struct Arrived {
    /// The method.
    pub method: String,
    /// The request target.
    pub path: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Arrived {
    fn all(&self, name: &str) -> Vec<&str> {
        all(&self.headers, name)
    }
}

fn all<'a>(headers: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
}

/// Every row.
pub fn rows() -> Vec<Row> {
    [
        tokens::rows,
        claims::rows,
        scopes::rows,
        sources::rows,
        algorithms::rows,
        keys::rows,
        api_keys::rows,
        requirements::rows,
        answers::rows,
        matching::rows,
        paths::rows,
        headers::rows,
    ]
    .into_iter()
    .flat_map(|theme| theme())
    .collect()
}

/// Compares what came of a row with what must.
pub fn check(row: &Row, observed: &Observed) -> Result<(), String> {
    let expect = &row.expect;
    if observed.status != expect.status {
        return Err(format!("status {}, expected {}", observed.status, expect.status));
    }
    let challenges = all(&observed.headers, "www-authenticate");
    if challenges != expect.challenges {
        return Err(format!("challenges {challenges:?}, expected {:?}", expect.challenges));
    }
    for (name, value) in &expect.headers {
        if all(&observed.headers, name) != [value] {
            return Err(format!(
                "answer header {name}: {:?}, expected {value:?}",
                all(&observed.headers, name)
            ));
        }
    }
    if let Some(detail) = &expect.detail {
        check_detail(detail, observed)?;
    }
    match (&expect.upstream, &observed.upstream) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err("reached the upstream".into()),
        (Some(_), None) => Err("did not reach the upstream".into()),
        (Some(upstream), Some(arrived)) => check_upstream(upstream, arrived, &row.request),
    }
}

fn check_detail(detail: &str, observed: &Observed) -> Result<(), String> {
    let types = all(&observed.headers, "content-type");
    let body = serde_json::from_str(&observed.body).unwrap_or_else(|_| Value::from(observed.body.as_str()));
    let expected = match types.as_slice() {
        ["application/json"] => json!({"detail": detail}),
        ["application/problem+json"] => json!({
            "type": "about:blank",
            "title": match observed.status {
                400 => "Bad Request",
                401 => "Unauthorized",
                _ => "Forbidden",
            },
            "status": observed.status,
            "detail": detail,
        }),
        ["text/plain"] => Value::from(detail),
        other => return Err(format!("content-type {other:?}")),
    };
    if body == expected { Ok(()) } else { Err(format!("body {body}, expected {expected}")) }
}

fn check_upstream(upstream: &Upstream, arrived: &Arrived, request: &Request) -> Result<(), String> {
    if arrived.method != request.method {
        return Err(format!("upstream method {}, expected {}", arrived.method, request.method));
    }
    let path = upstream.path.as_deref().unwrap_or(&request.target);
    if arrived.path != path {
        return Err(format!("upstream path {:?}, expected {path:?}", arrived.path));
    }
    for (name, value) in &upstream.headers {
        if arrived.all(name) != [value] {
            return Err(format!("upstream header {name}: {:?}, expected {value:?}", arrived.all(name)));
        }
    }
    for name in &upstream.absent {
        if !arrived.all(name).is_empty() {
            return Err(format!("upstream header {name}: {:?}, expected none", arrived.all(name)));
        }
    }
    Ok(())
}

/// The challenge of a missing token.
pub const BEARER: &str = "Bearer realm=\"lychgate\"";
/// The challenge of a bad token.
pub const BEARER_INVALID: &str = "Bearer realm=\"lychgate\", error=\"invalid_token\"";
/// The challenge of a missing API key.
pub const API_KEY: &str = "APIKey realm=\"lychgate\"";

/// A row.
pub fn row(name: &'static str, policy: &'static str, request: Request, expect: Expect) -> Row {
    Row { name, policy, request, expect }
}

/// The request reaches the upstream.
pub fn allowed() -> Expect {
    Expect {
        status: 200,
        detail: None,
        challenges: Vec::new(),
        upstream: Some(Upstream::default()),
        headers: Vec::new(),
    }
}

/// The request reaches the upstream, from `subject` by `scheme`.
pub fn allowed_as(subject: &str, scheme: &str) -> Expect {
    allowed().with("x-auth-subject", subject).with("x-auth-scheme", scheme)
}

/// The request reaches the upstream, from nobody.
pub fn anonymous() -> Expect {
    allowed().without(&["x-auth-subject", "x-auth-scopes", "x-auth-scheme"])
}

/// The request is refused.
pub fn denied(status: u16, detail: &str) -> Expect {
    Expect { status, detail: Some(detail.into()), upstream: None, ..allowed() }
}

/// 401 with these challenges: nothing was presented.
pub fn missing(challenges: &[&str]) -> Expect {
    denied(401, "Not authenticated").challenges(challenges)
}

/// 403 with these challenges: nothing was presented, and the schemes say 403 to that.
pub fn missing_403(challenges: &[&str]) -> Expect {
    denied(403, "Not authenticated").challenges(challenges)
}

/// 401: the token is no good.
pub fn invalid_token() -> Expect {
    denied(401, "Could not validate credentials").challenges(&[BEARER_INVALID])
}

/// 403: the API key is no good.
pub fn invalid_key() -> Expect {
    denied(403, "Invalid API key")
}

/// 403: the token lacks one of `scopes`.
pub fn scope_lacking(scopes: &str) -> Expect {
    lacking("Bearer", "lychgate", scopes)
}

/// 403: the API key lacks one of `scopes`.
pub fn key_scope_lacking(scopes: &str) -> Expect {
    lacking("APIKey", "lychgate", scopes)
}

fn lacking(scheme: &str, realm: &str, scopes: &str) -> Expect {
    let challenge = format!("{scheme} realm=\"{realm}\", error=\"insufficient_scope\", scope=\"{scopes}\"");
    denied(403, "Not enough permissions").challenges(&[&challenge])
}

/// 400: the path has more than one reading.
pub fn ambiguous() -> Expect {
    denied(400, "Ambiguous path")
}

impl Expect {
    /// With exactly these challenges.
    pub fn challenges(mut self, challenges: &[&str]) -> Self {
        self.challenges = challenges.iter().map(|&challenge| challenge.to_owned()).collect();
        self
    }

    /// With this header in the answer.
    pub fn answer(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The upstream sees this target.
    pub fn path(mut self, path: &str) -> Self {
        self.upstream_mut().path = Some(path.into());
        self
    }

    /// The upstream sees this header, once.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.upstream_mut().headers.push((name, value.into()));
        self
    }

    /// The upstream does not see these headers.
    pub fn without(mut self, names: &[&'static str]) -> Self {
        self.upstream_mut().absent.extend(names);
        self
    }

    fn upstream_mut(&mut self) -> &mut Upstream {
        self.upstream.get_or_insert_with(Upstream::default)
    }
}
