//! A row of the table: an attack, and what is seen of it from outside.

use lychgate_tests::echo::Received;
use lychgate_tests::http::{Request, Response};

use super::h2;

/// What forged headers say. It must never reach the upstream in a header of the filter's own.
pub const FORGED: &str = "forged-by-an-attacker";

/// The headers of the filter's own in the policies here.
const OWN: [&str; 4] = ["x-auth-subject", "x-auth-scopes", "x-auth-scheme", "x-auth-email"];

/// Attacks with one idea.
pub struct Story {
    /// The idea, and what it is after.
    pub what: &'static str,
    /// The attacks.
    pub attacks: Vec<Attack>,
}

/// A story of these attacks.
pub fn story(what: &'static str, attacks: impl IntoIterator<Item = Attack>) -> Story {
    Story { what, attacks: attacks.into_iter().collect() }
}

/// One attack.
pub struct Attack {
    /// Its name.
    pub name: String,
    /// Where it is tried.
    pub listener: &'static str,
    /// What is sent.
    pub sent: Sent,
    expect: Expect,
}

/// How it is sent.
pub enum Sent {
    /// HTTP/1.1.
    Request(Request),
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes, each part when the one before was answered.
    Steps(Vec<Vec<u8>>),
    /// HTTP/2 with prior knowledge.
    Http2(h2::Request),
    /// By curl.
    Curl(Vec<String>),
}

enum Expect {
    Refused { statuses: Vec<u16>, says: Option<&'static str>, headers: Vec<(&'static str, String)> },
    Served { says: &'static str, or_head_alone: bool },
    Reached(Upstream),
}

/// What reaches the upstream.
#[derive(Default)]
struct Upstream {
    is_control: bool,
    or_cut_off: bool,
    target: Option<String>,
    headers: Vec<(&'static str, String)>,
    absent: Vec<&'static str>,
}

/// What came back.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        let text = |value: &Vec<u8>| String::from_utf8_lossy(value).into_owned();
        let headers = response.headers.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        Self { status: response.status, body: response.text(), headers }
    }
}

impl From<Request> for Sent {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

impl From<h2::Request> for Sent {
    fn from(request: h2::Request) -> Self {
        Self::Http2(request)
    }
}

impl From<Vec<u8>> for Sent {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<String> for Sent {
    fn from(text: String) -> Self {
        Self::Bytes(text.into_bytes())
    }
}

/// An attack that must be refused with this status.
pub fn refused(
    name: impl Into<String>,
    listener: &'static str,
    sent: impl Into<Sent>,
    status: u16,
) -> Attack {
    let expect = Expect::Refused { statuses: vec![status], says: None, headers: Vec::new() };
    Attack { name: name.into(), listener, sent: sent.into(), expect }
}

/// An attack that Envoy itself ends without an answer.
pub fn cut_off(name: impl Into<String>, listener: &'static str, sent: impl Into<Sent>) -> Attack {
    let expect = Expect::Refused { statuses: Vec::new(), says: None, headers: Vec::new() };
    Attack { name: name.into(), listener, sent: sent.into(), expect }
}

/// A forged or ill-made token: 401, and no word about why.
pub fn bad_token(name: impl Into<String>, listener: &'static str, sent: impl Into<Sent>) -> Attack {
    refused(name, listener, sent, 401)
        .says(r#"{"detail":"Could not validate credentials"}"#)
        .with("www-authenticate", "Bearer realm=\"lychgate\", error=\"invalid_token\"")
}

/// A request without what the route asks for.
pub fn unauthenticated(name: impl Into<String>, listener: &'static str, sent: impl Into<Sent>) -> Attack {
    refused(name, listener, sent, 401).says(r#"{"detail":"Not authenticated"}"#)
}

/// A path that has two readings.
pub fn ambiguous(name: impl Into<String>, listener: &'static str, sent: impl Into<Sent>) -> Attack {
    refused(name, listener, sent, 400).says(r#"{"detail":"Ambiguous path"}"#)
}

/// The same, where one version of Envoy makes one reading of it and another leaves it to the filter.
pub fn refused_either_way(name: impl Into<String>, listener: &'static str, sent: impl Into<Sent>) -> Attack {
    let expect = Expect::Refused { statuses: vec![400, 401], says: None, headers: Vec::new() };
    Attack { name: name.into(), listener, sent: sent.into(), expect }
}

/// A host that has two readings.
pub fn ambiguous_host(name: impl Into<String>, listener: &'static str, sent: impl Into<Sent>) -> Attack {
    refused(name, listener, sent, 400).says(r#"{"detail":"Ambiguous host"}"#)
}

/// A request that passes, and what of it is the attacker's does not.
pub fn disarmed(name: impl Into<String>, listener: &'static str, sent: impl Into<Sent>) -> Attack {
    Attack { name: name.into(), listener, sent: sent.into(), expect: Expect::Reached(Upstream::default()) }
}

/// The same, where one version of Envoy lets it pass and another cuts the stream off.
pub fn disarmed_or_cut_off(name: impl Into<String>, listener: &'static str, sent: impl Into<Sent>) -> Attack {
    let expect = Expect::Reached(Upstream { or_cut_off: true, ..Upstream::default() });
    Attack { name: name.into(), listener, sent: sent.into(), expect }
}

/// A valid request, which shows that the attacks beside it are not refused for the wrong reason.
pub fn legitimate(name: impl Into<String>, listener: &'static str, sent: impl Into<Sent>) -> Attack {
    let expect = Expect::Reached(Upstream { is_control: true, ..Upstream::default() });
    Attack { name: name.into(), listener, sent: sent.into(), expect }
}

/// An attack that gets what the filter serves to every client, which says this.
pub fn served(
    name: impl Into<String>,
    listener: &'static str,
    sent: impl Into<Sent>,
    says: &'static str,
) -> Attack {
    Attack {
        name: name.into(),
        listener,
        sent: sent.into(),
        expect: Expect::Served { says, or_head_alone: false },
    }
}

impl Attack {
    /// The answer's body is, or holds, this.
    pub fn says(mut self, text: &'static str) -> Self {
        if let Expect::Refused { says, .. } = &mut self.expect {
            *says = Some(text);
        }
        self
    }

    /// The answer, or what reaches the upstream, has this header exactly once.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        match &mut self.expect {
            Expect::Refused { headers, .. } | Expect::Reached(Upstream { headers, .. }) => {
                headers.push((name, value.into()));
            }
            Expect::Served { .. } => panic!("a served answer takes no more conditions"),
        }
        self
    }

    /// The head may reach the upstream alone, without body and credentials.
    pub fn or_head_alone(mut self) -> Self {
        if let Expect::Served { or_head_alone, .. } = &mut self.expect {
            *or_head_alone = true;
        }
        self
    }

    fn upstream(&mut self) -> &mut Upstream {
        match &mut self.expect {
            Expect::Reached(upstream) => upstream,
            _ => panic!("{} does not reach the upstream", self.name),
        }
    }

    /// What reaches the upstream has no such header.
    pub fn without(mut self, name: &'static str) -> Self {
        self.upstream().absent.push(name);
        self
    }

    /// What reaches the upstream has this target.
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.upstream().target = Some(target.into());
        self
    }

    /// The name with its place.
    pub fn full_name(&self) -> String {
        format!("{} [{}]", self.name, self.listener)
    }

    /// Whether it is no attack.
    pub fn is_control(&self) -> bool {
        matches!(&self.expect, Expect::Reached(Upstream { is_control: true, .. }))
    }

    /// Holds what was seen against what was expected.
    pub fn check(&self, answer: Option<&Answer>, reached: &[Received]) -> Result<(), String> {
        let mut faults: Vec<String> = reached.iter().filter_map(forgery).collect();
        let status = answer.map_or(0, |answer| answer.status);
        let body = answer.map_or("", |answer| answer.body.as_str());
        match &self.expect {
            Expect::Refused { statuses, says, headers } => {
                let is_expected = match answer {
                    Some(_) => statuses.contains(&status),
                    None => statuses.is_empty(),
                };
                if !is_expected {
                    faults.push(format!("status {status}, expected {statuses:?}"));
                }
                if says.is_some_and(|says| !body.contains(says)) {
                    faults.push(format!("the answer does not say {says:?}"));
                }
                let given = answer.map(|answer| answer.headers.as_slice()).unwrap_or_default();
                for (name, value) in headers {
                    let values: Vec<_> = given.iter().filter(|(own, _)| own == name).collect();
                    if values.len() != 1 || values[0].1 != *value {
                        faults.push(format!("{name} is {values:?}, expected {value:?} once"));
                    }
                }
                if !reached.is_empty() {
                    faults.push(format!("it reached the upstream: {reached:?}"));
                }
            }
            Expect::Served { says, or_head_alone } => {
                if status != 200 || !body.contains(says) {
                    faults.push(format!("status {status} and {body:?}, expected what the filter serves"));
                }
                let is_bare = |head: &Received| {
                    head.body.is_empty() && head.headers.iter().all(|(name, _)| name != "authorization")
                };
                if !reached.is_empty() && (!*or_head_alone || !reached.iter().all(is_bare)) {
                    faults.push(format!("it reached the upstream: {reached:?}"));
                }
            }
            Expect::Reached(upstream) if upstream.or_cut_off && answer.is_none() && reached.is_empty() => {}
            Expect::Reached(upstream) => {
                if status != 200 {
                    faults.push(format!("status {status}, expected 200"));
                }
                match reached {
                    [one] => faults.extend(upstream.faults(one)),
                    _ => faults.push(format!("the upstream was reached {} times", reached.len())),
                }
            }
        }
        if faults.is_empty() {
            return Ok(());
        }
        Err(format!(
            "{}: {}\n    answer {status} {body:.300} {:?}",
            self.full_name(),
            faults.join("; "),
            answer.map(|answer| &answer.headers)
        ))
    }
}

/// How an application sees a header's name that hands it on as a variable (RFC 3875, section 4.1.18).
fn as_variable(name: &str) -> String {
    name.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric() && c != ':', "-")
}

/// A header of the filter's own that is not the filter's.
fn forgery(reached: &Received) -> Option<String> {
    for own in OWN {
        let same: Vec<_> = reached.headers.iter().filter(|(name, _)| as_variable(name) == own).collect();
        let is_forged = |(name, value): &&(String, Vec<u8>)| {
            name != own || value.windows(FORGED.len()).any(|part| part == FORGED.as_bytes())
        };
        if same.len() > 1 || same.iter().any(is_forged) {
            return Some(format!("the upstream got {same:?}"));
        }
    }
    None
}

impl Upstream {
    fn faults(&self, reached: &Received) -> Vec<String> {
        let values = |name: &str| -> Vec<_> {
            let same = reached.headers.iter().filter(|(own, _)| as_variable(own) == as_variable(name));
            same.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
        };
        let mut faults = Vec::new();
        if let Some(target) = &self.target
            && *target != reached.path
        {
            faults.push(format!("the target became {:?}, expected {target:?}", reached.path));
        }
        for (name, value) in &self.headers {
            if values(name) != [value.as_str()] {
                faults.push(format!("{name} is {:?} upstream, expected {value:?} once", values(name)));
            }
        }
        for name in &self.absent {
            if !values(name).is_empty() {
                faults.push(format!("{name} reached the upstream: {:?}", values(name)));
            }
        }
        faults
    }
}
