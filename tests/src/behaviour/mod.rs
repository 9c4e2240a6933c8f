//! The table of behaviours: what is sent, what comes back, what reaches the upstream. The core and
//! the module in a real Envoy are held to the same rows.

mod api_keys;
mod asked;
mod bad_proofs;
mod bad_tokens;

mod claims;
mod conditions;
mod documents;
mod dry_run;
mod forged;
mod found_documents;
mod login;
mod matching;
mod own_routes;
mod people;
mod places;
mod policies;
mod proofs;
mod requirements;
mod resources;
mod routing;
mod settings;
mod signatures;
mod typed;
mod whose;

pub use policies::{ENVIRONMENT, sha256};
pub use proofs::{HOST as PROOF_HOST, bad_rows_for as bad_proofs_for, variants as good_proofs_for};

use crate::http::Request;
use serde_json::Value;

/// One behaviour.
pub struct Row {
    /// Its name.
    pub name: String,
    /// The policy it is tried on.
    pub policy: &'static str,
    /// What is sent.
    pub request: Request,
    /// What is seen.
    pub expect: Expect,
}

/// What is seen from outside.
#[derive(Default)]
pub struct Expect {
    /// The status.
    pub status: u16,
    /// The body: `{"detail": ...}` unless another one is asked for.
    pub body: Option<Value>,
    /// Every `WWW-Authenticate`, in order.
    pub challenges: Vec<String>,
    /// Further headers of the response, there exactly once, with this value.
    pub headers: Vec<(&'static str, &'static str)>,
    /// Parts of the body, where it is no fixed one.
    pub says: Vec<&'static str>,
    /// What the body must not hold.
    pub never: Vec<&'static str>,
    /// What must reach the upstream; `None`: nothing may.
    pub upstream: Option<Upstream>,
}

/// What reaches the upstream.
#[derive(Default)]
pub struct Upstream {
    /// The request target.
    pub path: Option<String>,
    /// Headers there exactly once, with this value.
    pub headers: Vec<(String, String)>,
    /// Headers that must not be there.
    pub absent: Vec<String>,
}

/// What was seen, by either runner.
#[derive(Debug)]
pub struct Observed {
    /// The status.
    pub status: u16,
    /// The body as text.
    pub body: String,
    /// The headers of the response.
    pub headers: Vec<(String, String)>,
    /// Target and headers that reached the upstream.
    pub upstream: Option<(String, Vec<(String, String)>)>,
}

/// Each policy by its name.
pub fn policies() -> Vec<(&'static str, Value)> {
    let mut policies = policies::policies();
    policies.extend(people::policies());
    policies.extend(login::policies());
    policies.extend(documents::policies());
    policies.extend(dry_run::policies());
    policies.extend(forged::policies());
    policies.extend(matching::policies());
    policies.extend(found_documents::policies());
    policies.extend(own_routes::policies());
    policies.extend(whose::policies());
    policies.extend(conditions::policies());
    policies.extend(proofs::policies());
    policies.extend(resources::policies());
    policies.extend(places::policies());
    policies
}

/// All rows.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for theme in [
        signatures::rows,
        claims::rows,
        bad_tokens::rows,
        api_keys::rows,
        requirements::rows,
        routing::rows,
        settings::rows,
        people::rows,
        login::rows,
        documents::rows,
        dry_run::rows,
        forged::rows,
        matching::rows,
        found_documents::rows,
        own_routes::rows,
        whose::rows,
        conditions::rows,
        proofs::rows,
        resources::rows,
        places::rows,
    ] {
        rows.extend(theme());
    }
    rows
}

/// The rows that are forged or ill-made tokens, which are attacks.
pub fn bad_tokens() -> Vec<Row> {
    bad_tokens::rows().into_iter().chain(proofs::bad_rows()).collect()
}

pub const BEARER: &str = "Bearer realm=\"lychgate\"";
/// Where the rule needs `items:read` (RFC 6750 section 3).
pub const BEARER_READ: &str = "Bearer realm=\"lychgate\", scope=\"items:read\"";
pub const INVALID_TOKEN: &str = "Bearer realm=\"lychgate\", error=\"invalid_token\"";
pub const API_KEY: &str = "APIKey realm=\"lychgate\"";

/// A row whose request must reach the upstream.
pub fn allowed(name: impl Into<String>, policy: &'static str, request: Request) -> Row {
    let expect = Expect { status: 200, upstream: Some(Upstream::default()), ..Expect::default() };
    Row { name: name.into(), policy, request, expect }
}

/// A row whose request must be refused.
pub fn refused(
    name: impl Into<String>,
    policy: &'static str,
    request: Request,
    status: u16,
    detail: &str,
    challenges: &[&str],
) -> Row {
    let challenges = challenges.iter().map(|&c| c.to_owned()).collect();
    let body = Some(serde_json::json!({"detail": detail}));
    Row {
        name: name.into(),
        policy,
        request,
        expect: Expect { status, body, challenges, ..Expect::default() },
    }
}

/// A row that the filter answers itself with this status, and a body that says all of this.
pub fn answered(
    name: impl Into<String>,
    policy: &'static str,
    request: Request,
    status: u16,
    says: &[&'static str],
) -> Row {
    let expect = Expect { status, says: says.to_vec(), ..Expect::default() };
    Row { name: name.into(), policy, request, expect }
}

/// A row whose token must not be believed.
pub fn bad_token(name: impl Into<String>, policy: &'static str, request: Request) -> Row {
    refused(name, policy, request, 401, "Could not validate credentials", &[INVALID_TOKEN])
}

impl Row {
    /// The response must have this header once, with this value.
    pub fn answers(mut self, header: &'static str, value: &'static str) -> Self {
        self.expect.headers.push((header, value));
        self
    }

    /// The upstream must get this header once, with this value.
    pub fn with(mut self, header: &str, value: &str) -> Self {
        self.upstream().headers.push((header.into(), value.into()));
        self
    }

    /// The upstream must not get this header.
    pub fn without(mut self, header: &str) -> Self {
        self.upstream().absent.push(header.into());
        self
    }

    /// The upstream must get this target.
    pub fn path(mut self, path: &str) -> Self {
        self.upstream().path = Some(path.into());
        self
    }

    /// The upstream must get this identity.
    pub fn identity(self, subject: &str, scopes: &str, scheme: &str) -> Self {
        let row = self.with("x-auth-subject", subject).with("x-auth-scheme", scheme);
        if scopes.is_empty() { row.without("x-auth-scopes") } else { row.with("x-auth-scopes", scopes) }
    }

    /// The upstream must get no identity.
    pub fn anonymous(self) -> Self {
        self.without("x-auth-subject").without("x-auth-scopes").without("x-auth-scheme")
    }

    fn upstream(&mut self) -> &mut Upstream {
        self.expect.upstream.as_mut().expect("the request is allowed")
    }
}

/// Holds what was seen against the row.
pub fn check(row: &Row, seen: &Observed) -> Result<(), String> {
    let expect = &row.expect;
    let mut faults = Vec::new();
    let mut compare = |what: &str, same: bool, wanted: String| {
        if !same {
            faults.push(format!("{what} should be {wanted}"));
        }
    };
    compare("status", expect.status == seen.status, expect.status.to_string());
    match &expect.body {
        Some(Value::String(text)) => compare("body", *text == seen.body, text.clone()),
        Some(json) => {
            compare("body", serde_json::from_str(&seen.body).ok().as_ref() == Some(json), json.to_string())
        }
        None => {}
    }
    let seen_values = |name: &str| -> Vec<&str> {
        seen.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    };
    compare(
        "challenges",
        expect.challenges == seen_values("www-authenticate"),
        format!("{:?}", expect.challenges),
    );
    for (name, value) in &expect.headers {
        compare(name, seen_values(name) == [*value], format!("{value:?}, once"));
    }
    for part in &expect.says {
        compare("body", seen.body.contains(part), format!("with {part}"));
    }
    for part in &expect.never {
        compare("body", !seen.body.contains(part), format!("without {part}"));
    }
    match (&expect.upstream, &seen.upstream) {
        (None, None) => {}
        (None, Some(_)) => compare("upstream", false, "out of reach".into()),
        (Some(_), None) => compare("upstream", false, "reached".into()),
        (Some(wanted), Some((path, headers))) => {
            if let Some(wanted) = &wanted.path {
                compare("upstream path", wanted == path, wanted.clone());
            }
            let values = |name: &str| -> Vec<&str> {
                headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
            };
            for (name, value) in &wanted.headers {
                compare(name, values(name) == [value.as_str()], format!("{value:?}, once"));
            }
            for name in &wanted.absent {
                compare(name, values(name).is_empty(), "absent upstream".into());
            }
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} [{}]\n  sent {:?}\n  seen {seen:?}\n  {}",
        row.name,
        row.policy,
        row.request,
        faults.join("\n  ")
    ))
}

/// Runs every row, or those that [`crate::rows`] chooses, by `send`, and panics with all that failed.
pub fn run(send: impl Fn(&Row) -> Observed) {
    let rows = rows();
    let mut names: Vec<_> = rows.iter().map(|row| &row.name).collect();
    names.sort();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    assert!(twice.is_empty(), "rows of the same name: {twice:?}");
    let rows = crate::rows::chosen(rows, |row| row.name.clone());
    let failures: Vec<String> = rows.iter().filter_map(|row| check(row, &send(row)).err()).collect();
    println!("behaviours: {} tried, {} failed", rows.len(), failures.len());
    assert!(
        failures.is_empty(),
        "{} of {} behaviours failed:\n{}",
        failures.len(),
        rows.len(),
        failures.join("\n")
    );
}
