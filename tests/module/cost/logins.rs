//! Secrets that are wrong: API keys, passwords, those of clients.

use std::time::Duration;

use lychgate_tests::keys::{self, PASSWORD_HASH};
use lychgate_tests::vm::Machine;
use serde_json::{Value, json};

use super::bed::{Bed, Row, Sent, Trial, policy, schemes};

fn base64(text: &str) -> String {
    let text = lychgate_tests::tokens::b64(text).replace('-', "+").replace('_', "/");
    format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4))
}

pub fn rows(bed: &Bed) -> Vec<Row> {
    let mut rows = keys(bed);
    rows.extend(basic(bed));
    rows.extend(forms(bed));
    rows
}

fn keys(bed: &Bed) -> Vec<Row> {
    let mut rows = Vec::new();
    let get = Sent::new("GET", "/");
    let longest = "k".repeat(59_000);
    let encoded = "%6b".repeat(19_000);
    for (path, place, requests) in [
        (
            "a wrong API key in a header",
            "header",
            vec![get.clone().with("x-api-key", "k"), get.clone().with("x-api-key", &longest)],
        ),
        (
            "a wrong API key in the query",
            "query",
            vec![
                Sent::new("GET", &format!("/?api_key={longest}")),
                Sent::new("GET", &format!("/?api_key={encoded}")),
                Sent::new("GET", &format!("/?{}api_key=k", "a&".repeat(29_000))),
            ],
        ),
        (
            "a wrong API key in a cookie",
            "cookie",
            vec![
                get.clone().with("cookie", &format!("session={longest}")),
                get.clone().with("cookie", &format!("{}session=k", "a=;".repeat(19_000))),
            ],
        ),
    ] {
        let mut machine = bed.start(&policy(&schemes(), &json!([{place: []}])));
        let mut trial = Trial::refused(path, 403, "api_key_unknown");
        let number = |(number, sent)| (format!("request {number}"), sent);
        rows.push(trial.send(&mut machine, requests.into_iter().enumerate().map(number)).take());
    }
    rows
}

/// The same directory, each hash twice as dear.
fn dearer(mut policy: Value) -> Value {
    let hash = PASSWORD_HASH.replace("$04$", "$05$");
    policy["users"]["staff"][0]["password"] = hash.into();
    policy
}

/// What is left of the row without the hash itself: two rounds of a dearer hash are one of it more.
fn without_hash(path: &'static str, row: &Row, dearer: &Row) -> Row {
    let hash = dearer.instructions - row.instructions;
    let instructions = row.instructions - hash;
    Row { path, instructions, dearest: row.dearest.clone(), ..Row::default() }
}

fn basic_policy() -> Value {
    policy(&schemes(), &json!([{"basic": []}]))
}

/// A colon in front, in the middle, at the end, of the longest credential that is looked at.
fn credentials() -> Vec<(String, Sent)> {
    let sent = |user: usize, password: usize| {
        let text = base64(&format!("{}:{}", "u".repeat(user), "p".repeat(password)));
        let name = format!("a name of {user} bytes, a password of {password}");
        (name, Sent::new("GET", "/").with("authorization", &format!("Basic {text}")))
    };
    vec![sent(7, 6), sent(7, 72), sent(6100, 40), sent(40, 6100)]
}

fn basic(bed: &Bed) -> Vec<Row> {
    let mut machine = bed.start(&basic_policy());
    let mut trial = Trial::refused("a wrong password by HTTP Basic, bcrypt of cost 4", 401, "password_wrong");
    let wrong = trial.send(&mut machine, credentials()).take();
    let mut machine = bed.start(&dearer(basic_policy()));
    let mut trial = Trial::refused("", 401, "password_wrong");
    let twice = trial.send(&mut machine, credentials()).take();
    let rest = without_hash("a wrong password by HTTP Basic, without the hash", &wrong, &twice);

    let mut machine = bed.start(&basic_policy());
    let mut trial = Trial::refused("what is no credential of HTTP Basic", 401, "basic_malformed");
    let text = [
        "a".repeat(59_000),
        "a".repeat(8192),
        "/_".repeat(4096),
        base64(&"\u{e9}".repeat(3000)),
        base64(&"::".repeat(3070).replace("::", ":\u{85}")),
    ];
    let sent = |text: String| {
        (format!("{}...", &text[..9]), Sent::new("GET", "/").with("authorization", &format!("Basic {text}")))
    };
    let malformed = trial.send(&mut machine, text.map(sent)).take();

    let mut strict = basic_policy();
    strict["passwords"] = json!({"max_failures": 1});
    let mut machine = bed.start(&strict);
    let mut trial = Trial::refused("", 401, "password_wrong");
    credentials().into_iter().for_each(|request| _ = trial.send(&mut machine, [request]));
    let mut trial = Trial::refused("a wrong password by HTTP Basic, throttled", 429, "login_throttled");
    let throttled = trial.send(&mut machine, credentials()).take();

    let mut strict = basic_policy();
    strict["passwords"] = json!({"max_failures": 1_000_000, "worker_share_percent": 1});
    let mut machine = bed.start(&strict);
    let mut trial = Trial::refused(
        "a wrong password by HTTP Basic, while the worker has hashed enough",
        503,
        "login_busy",
    );
    make_busy(&mut machine, &credentials()[0].1);
    let busy = trial.send(&mut machine, credentials()).take();
    vec![wrong, rest, malformed, throttled, busy]
}

/// A hash that takes so long that there is no time left for another.
fn make_busy(machine: &mut Machine, sent: &Sent) {
    machine.state().pace = Duration::from_secs(1);
    super::bed::open(machine, sent);
    machine.state().pace = Duration::ZERO;
}

fn forms(bed: &Bed) -> Vec<Row> {
    let schemes = |issue: Value| {
        let mut schemes = schemes();
        schemes["login"] = json!({"type": "oauth2", "flows": {"password": {"tokenUrl": "/token", "scopes": {}}},
            "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET_STRANGER}]}, "users": "staff", "issue": issue});
        schemes
    };
    let plain = policy(&schemes(json!({})), &json!([]));
    let post = Sent::new("POST", "/token").with("content-type", "application/x-www-form-urlencoded");
    let form = |text: &str| post.clone().body(&format!("{text:8192.8192}").replace(' ', "+"), 8192);
    let login = |more: &str| {
        form(&format!("username=johndoe&password=Secret&scope={}", more.repeat(8192 / more.len())))
    };
    let logins: Vec<_> = [("few", login("s")), ("many scopes", login("s+")), ("encoded", login("%73"))]
        .map(|(name, sent)| (name.to_owned(), sent))
        .into();
    let fields = ["username=johndoe&password=", "password=Secret&username="];
    let long = fields.map(|start| (format!("{start}..."), form(&format!("{start}{}", "%61".repeat(2720)))));
    let logins = [logins, long.to_vec()].concat();

    let mut machine = bed.start(&plain);
    let mut trial = Trial::refused("a wrong password in a form, bcrypt of cost 4", 401, "password_wrong");
    let wrong = trial.send(&mut machine, logins.clone()).take();
    let mut machine = bed.start(&dearer(plain.clone()));
    let mut trial = Trial::refused("", 401, "password_wrong");
    let twice = trial.send(&mut machine, logins.clone()).take();
    let rest = without_hash("a wrong password in a form, without the hash", &wrong, &twice);

    let mut machine = bed.start(&plain);
    let mut trial = Trial::refused("a form that is none", 400, "token_request_invalid");
    let garbage = ["&", "a&", "=&", "%61&", "a", "%61", "%"];
    let garbage = garbage.map(|text| (format!("{text:?}"), form(&text.repeat(8192 / text.len()))));
    let none = trial.send(&mut machine, garbage).take();
    let mut trial = Trial::refused("a form that is none, byte by byte", 400, "token_request_invalid");
    let bytes =
        trial.send(&mut machine, [("bare".to_owned(), post.clone().body(&"a&".repeat(4096), 1))]).take();
    let mut trial = Trial::refused("a form that is too long", 413, "body_too_large");
    let long =
        trial.send(&mut machine, [("bare".to_owned(), post.clone().body(&"a&".repeat(5000), 8192))]).take();

    let clients = json!({"clients": [{"client_id": "gate", "client_secret": keys::SECRET}]});
    let mut machine = bed.start(&policy(&schemes(clients), &json!([])));
    let mut trial = Trial::refused("a wrong secret of a client", 401, "client_invalid");
    let by_header = |id: &str| {
        let credential = base64(&format!("{id}:{}", "%61".repeat(2700 / id.len())));
        login("s")
            .with("authorization", &format!("Basic {}", &credential[..credential.len().min(8192) / 4 * 4]))
    };
    let by_form = form(&format!("username=a&password=b&client_id=gate&client_secret={}", "%61".repeat(2700)));
    let secrets = [
        ("a form", by_form),
        ("a short name", by_header("a")),
        ("a long name", by_header(&"%61".repeat(2000))),
    ];
    let secret = trial.send(&mut machine, secrets.map(|(name, sent)| (name.to_owned(), sent))).take();
    vec![wrong, rest, none, bytes, long, secret]
}
