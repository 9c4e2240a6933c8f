//! The module with its instructions counted, and what strangers send to it.

use std::time::Duration;

use lychgate_tests::envoy::root;
use lychgate_tests::keys;
use lychgate_tests::tokens::now;
use lychgate_tests::vm::{Headers, Image, Judge, Machine, State};
use serde_json::{Value, json};

/// What Envoy lets through unless configured otherwise: so many headers, so many bytes of them.
const MOST_HEADERS: usize = 100;
const MOST_BYTES: usize = 60 * 1024;

/// A path through the filter, and what the dearest request on it cost.
#[derive(Default)]
pub struct Row {
    pub path: &'static str,
    /// Instructions of all callbacks.
    pub instructions: u64,
    /// Checks of a signature that the host was asked for.
    pub native: u64,
    /// Which of the requests that were tried it was.
    pub dearest: String,
    /// Answers that were not those of this path.
    pub unexpected: Vec<String>,
}

/// Requests on one path.
pub struct Trial {
    row: Row,
    /// What each is answered with; `None`: it goes on.
    expected: Option<(u32, &'static str)>,
}

/// A request that is to be sent.
#[derive(Clone, Default)]
pub struct Sent {
    pub head: Headers,
    /// Its body, in pieces.
    pub pieces: Vec<Vec<u8>>,
    pub trailers: Option<Headers>,
}

impl Sent {
    pub fn new(method: &str, path: &str) -> Self {
        let head =
            [(":method", method), (":scheme", "https"), (":authority", "api.example"), (":path", path)];
        let head = head.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { head, ..Self::default() }.with("x-request-id", &"1".repeat(128))
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.head.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn bearer(token: &str) -> Self {
        Self::new("GET", "/").with("authorization", &format!("Bearer {token}"))
    }

    pub fn body(mut self, body: &str, piece: usize) -> Self {
        self.pieces = body.as_bytes().chunks(piece).map(<[u8]>::to_vec).collect();
        self
    }

    fn bytes(&self) -> usize {
        self.head.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    /// The bytes that may still come in its head.
    fn room(&self) -> usize {
        MOST_BYTES.saturating_sub(self.bytes()).saturating_sub(64)
    }

    fn at(&self, target: String) -> Self {
        let mut sent = self.clone();
        sent.head[3].1 = target;
        sent
    }

    /// The same with headers of these names, all that may come.
    fn filled(&self, name: impl Fn(usize) -> String) -> Self {
        let (count, mut sent) = (MOST_HEADERS - self.head.len(), self.clone());
        let size = sent.room() / count;
        for number in 0..count {
            let name = name(number);
            let value = "v".repeat(size.saturating_sub(name.len()));
            sent.head.push((name, value));
        }
        sent
    }

    /// The same, and with everything that could make it dearer, each by itself.
    pub fn fills(&self) -> Vec<(String, Self)> {
        let target = &self.head[3].1;
        let room = self.room();
        let again = |text: &str| text.repeat(room / text.len());
        let forged = |number: usize| {
            let signs = ["-", "_", ".", "~", "!", "+"];
            let sign = |place: usize| signs[number / 6_usize.pow(u32::try_from(place).unwrap()) % 6];
            format!("x{}auth{}{}", sign(0), sign(1), ["subject", "scopes", "scheme"][number / 36 % 3])
        };
        let mut fills = vec![("bare".to_owned(), self.clone())];
        let mut add = |name: &str, sent: Self| fills.push((name.to_owned(), sent));
        add("100 headers", self.filled(|number| format!("x-filler-{number}")));
        add("100 forged headers", self.filled(forged));
        add("100 headers of one name", self.filled(|_| "x-auth_subject".to_owned()));
        add("connection options", self.clone().with("connection", &again("a,")));
        for text in ["a=;", "session=a;", "s\u{e9}ssion=;", ";", "a ", ",", "sessio,", "session\" "] {
            add(&format!("cookies {text:?}"), self.clone().with("cookie", &again(text)));
        }
        for text in
            ["a&", "%61&", "api_key=&", "%61pi_key=%61&", "+", "%61", ";", "a;", "%61pi.ke;", "api_key;"]
        {
            add(&format!("a query of {text:?}"), self.at(format!("{target}?{}", again(text))));
        }
        for text in ["Basic ,", ",", "\" \"", "Beare,"] {
            for name in ["x-api-key", "authorization"] {
                if self.head.iter().all(|(own, _)| own != name) {
                    add(&format!("{name} of {text:?}"), self.clone().with(name, &again(text)));
                }
            }
        }
        fills
    }

    /// The same, by paths that take long to look at; they are for whatever rule is for all of them.
    pub fn paths(&self) -> Vec<(String, Self)> {
        let steps = "/a".repeat(7);
        // What is longer is refused by its length.
        let room = LONGEST_PATH - steps.len() - "/b".len() - "/..".len();
        let again = |text: &str| text.repeat(room / text.len());
        let mut paths = vec![("a path that 128 rules fit".to_owned(), self.at(steps.clone()))];
        for text in ["/a", "a", "%61", "/%61", "~", "\u{e9}"] {
            paths.push((format!("a path of {text:?}"), self.at(format!("{steps}/b{}", again(text)))));
        }
        paths
    }
}

/// `max_path_bytes` by default.
const LONGEST_PATH: usize = 2048;

/// A host that finds no signature good but the one it is probed with (RFC 7515 appendix A.3).
fn judge(arguments: &[u8]) -> bool {
    arguments.ends_with(b"cnVlfQ")
}

/// The module.
pub struct Bed(Image);

impl Bed {
    pub fn new() -> Self {
        Self(Image::load(&root().join("dist/lychgate.wasm"), true))
    }

    /// It has the host check the signatures that a host can check.
    pub fn start(&self, policy: &Value) -> Machine {
        self.begin(policy, true)
    }

    /// It checks all of them itself.
    pub fn start_alone(&self, policy: &Value) -> Machine {
        self.begin(policy, false)
    }

    /// A machine with this state.
    pub fn load(&self, state: State) -> Machine {
        self.0.start(state).unwrap_or_else(|failure| panic!("{failure:?}"))
    }

    fn begin(&self, policy: &Value, is_native: bool) -> Machine {
        let mut state = State::default();
        state.configuration = policy.to_string().into_bytes();
        state.now = Duration::from_secs(now().cast_unsigned());
        state.log_level = 2;
        state.judge = is_native.then(|| Box::new(judge) as Judge);
        self.load(state)
    }
}

/// A policy that asks for `security` everywhere, after 1,024 rules, of which 128 fit by their paths and not by
/// their methods; everything is on that costs something.
pub fn policy(schemes: &Value, security: &Value) -> Value {
    let rules = (0..1024_u32).map(|number| {
        let step = |place: u32| if number >> place & 1 == 0 { "/a".into() } else { format!("/{{x{place}}}") };
        let path: String =
            (0..7).map(step).chain([format!("/{number}").repeat(usize::from(number > 127))]).collect();
        json!({"match": {"path": path, "methods": ["PUT"]}, "security": []})
    });
    let last = json!({"match": {"prefix": "/"}, "security": security, "name": "last"});
    json!({
        "schemes": schemes,
        "rules": rules.chain([last]).collect::<Vec<_>>(),
        "users": {"staff": [{"username": "johndoe", "password": keys::PASSWORD_HASH}]},
        "api_keys": {"partners": [{"id": "partner", "sha256": keys::API_KEY_SHA256}]},
        "passwords": {"max_failures": 1_000_000, "worker_share_percent": 100},
        "errors": {"format": "problem", "request_id": true},
        "filter_state": true,
    })
}

/// A scheme of each kind, all in places that a stranger can fill.
pub fn schemes() -> Value {
    let key = |place: &str, name: &str| json!({"type": "apiKey", "in": place, "name": name, "api_keys": "partners"});
    json!({
        "bearer": {"type": "http", "scheme": "bearer", "jwt": {
            "keys": [{"alg": "HS256", "secret": keys::SECRET}],
            "claims_to_headers": {"email": "x-auth-email"}}},
        "basic": {"type": "http", "scheme": "basic", "users": "staff"},
        "header": key("header", "X-API-Key"),
        "query": key("query", "api_key"),
        "cookie": key("cookie", "session"),
    })
}

/// Sixteen alternatives of them.
pub fn security() -> Value {
    let names = ["bearer", "basic", "header", "query", "cookie"];
    let mut all: Vec<Value> = names.iter().map(|name| json!({*name: []})).collect();
    for (place, left) in names.iter().enumerate() {
        all.extend(names[place + 1..].iter().map(|right| json!({*left: [], *right: []})));
    }
    all.push(json!({"header": [], "query": [], "cookie": []}));
    Value::Array(all)
}

impl Trial {
    /// Requests that are answered with this status for this reason.
    pub fn refused(path: &'static str, status: u32, reason: &'static str) -> Self {
        Self::new(path, Some((status, reason)))
    }

    /// Requests that go on.
    pub fn passed(path: &'static str) -> Self {
        Self::new(path, None)
    }

    fn new(path: &'static str, expected: Option<(u32, &'static str)>) -> Self {
        Self { row: Row { path, ..Row::default() }, expected }
    }

    /// Sends a request, has `then` happen, and ends it.
    pub fn send_and(
        &mut self,
        name: &str,
        machine: &mut Machine,
        sent: &Sent,
        then: impl FnOnce(&mut Machine),
    ) -> &mut Self {
        let native = |machine: &mut Machine| machine.state().made.get("proxy_call_foreign_function").copied();
        let before = (machine.instructions(), native(machine));
        let id = open(machine, sent);
        then(machine);
        machine.upstream_answers(id).unwrap();
        machine.hang_up(id).unwrap();
        let instructions = machine.instructions() - before.0;
        let native = native(machine).unwrap_or(0) - before.1.unwrap_or(0);
        let stream = &machine.host().streams.each[&id];
        let seen = stream.replies.first().map(|reply| (reply.status, reply.details.as_str()));
        let is_expected = match (seen, self.expected) {
            (None, None) => stream.passed,
            (Some((status, details)), Some(wanted)) => status == wanted.0 && details.contains(wanted.1),
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !is_expected {
            self.row.unexpected.push(format!("{}, {name}: {seen:?}", self.row.path));
        }
        self.row.native = self.row.native.max(native);
        if instructions > self.row.instructions {
            self.row.instructions = instructions;
            name.clone_into(&mut self.row.dearest);
        }
        self
    }

    /// Sends requests, and ends each.
    pub fn send(
        &mut self,
        machine: &mut Machine,
        requests: impl IntoIterator<Item = (String, Sent)>,
    ) -> &mut Self {
        for (name, sent) in requests {
            self.send_and(&name, machine, &sent, |_| {});
        }
        self
    }

    /// Whether none was sent yet.
    pub fn is_new(&self) -> bool {
        self.row.instructions == 0
    }

    /// What the dearest one cost.
    pub fn take(&mut self) -> Row {
        std::mem::take(&mut self.row)
    }
}

/// Sends a request; its number.
pub fn open(machine: &mut Machine, sent: &Sent) -> u32 {
    let is_whole = sent.pieces.is_empty() && sent.trailers.is_none();
    let root = machine.root();
    let id = machine.open(root, sent.head.clone(), is_whole).unwrap();
    for (number, piece) in sent.pieces.iter().enumerate() {
        let is_last = number + 1 == sent.pieces.len() && sent.trailers.is_none();
        machine.send(id, piece, is_last).unwrap();
    }
    if let Some(trailers) = &sent.trailers {
        machine.finish(id, trailers.clone()).unwrap();
    }
    id
}

/// Time goes by, and the module gets a tick.
pub fn tick(machine: &mut Machine, time: Duration) {
    machine.wait(time);
    let root = machine.root();
    machine.tick_root(root).unwrap();
}
