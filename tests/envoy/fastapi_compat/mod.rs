//! The difference test: the routes of FastAPI's security chapter, by FastAPI itself and by Lychgate
//! before an upstream that lets everything in. The policy comes from FastAPI's own document.

mod requests;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lychgate_tests::echo::Upstream;
use lychgate_tests::envoy::{Envoy, Listener, Options, root};
use lychgate_tests::http::{self, Request, Response};
use lychgate_tests::keys;
use lychgate_tests::python::python;
use lychgate_tests::rows;
use serde_json::{Value, json};

/// Where the two are meant to differ: words of the request's name, and why.
const DIFFERENCES: &[(&[&str], &str)] = &[
    (
        &["/protected/", "missing"],
        "`http` bearer answers 403 as the chapter has it; FastAPI changed to 401 (missing_status: 401 follows it)",
    ),
    (&["/protected/", "instead"], "another scheme than the one asked for is as missing: as above"),
    (
        &["/data/", "missing"],
        "API keys answer 403 as the chapter has it; FastAPI changed to 401 (missing_status: 401 follows it)",
    ),
    (&["/protected/", "inactive"], "the application of this test does not look at the flag there"),
    (
        &["inactive"],
        "a user that is disabled is 403 here, and 400 in the chapter: the request is not at fault",
    ),
    (&["/token", "form"], "a bad form is 400 with RFC 6749's error; FastAPI's own validation answers 422"),
    (&["/token", "json"], "another media type is 415; FastAPI reads no form in it and answers 422"),
    (&["/token", "twice"], "RFC 6749 section 3.2 forbids a parameter twice; FastAPI takes the last"),
    (&["two authorization"], "which of two credentials counts is never guessed; FastAPI takes the first"),
    (&["two keys"], "which of two credentials counts is never guessed; FastAPI takes one of them"),
    (
        &["/both/", "missing"],
        "a challenge for each scheme that is needed; FastAPI stops at the first dependency that fails",
    ),
    (&["/basic/", "malformed"], "one answer for every Basic credential that is not good"),
    (&["unknown path"], "what the document does not have is refused; FastAPI says that it is not there"),
    (&["unknown method"], "what the document does not have is refused; FastAPI says that it is not there"),
    (&["ambiguous"], "a path with two readings is refused before it is looked up"),
];

/// FastAPI at work.
struct FastApi {
    child: Child,
    addr: SocketAddr,
}

impl FastApi {
    fn start(python: &std::path::Path) -> Self {
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new(python)
            .args(["-m", "uvicorn", "app:app", "--log-level", "warning", "--port", &addr.port().to_string()])
            .current_dir(root().join("tests/fastapi"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, addr };
        let deadline = Instant::now() + Duration::from_secs(60);
        while http::send(addr, &Request::get("/health")).is_err() {
            assert!(Instant::now() < deadline, "FastAPI did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }
}

impl Drop for FastApi {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All that is written besides the document: how each scheme is verified.
fn policy(document: &Value) -> Value {
    const HASH: &str = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
    let jwt = json!({"keys": [{"alg": "HS256", "secret": keys::SECRET}]});
    // FastAPI takes the scopes of a token as they are.
    let token = json!({"jwt": jwt, "users": "people", "users_scopes": "token"});
    let mut login = token.clone();
    login["issue"] = json!({"expires_in": 1800});
    let key = json!({"api_keys": "keys"});
    json!({
        "openapi": {
            "document": document, "unsecured": "public",
            // What FastAPI's document cannot say.
            "combine": {"all": ["needs both"]}, "multi_segment": ["/files/{file_path}"],
        },
        "schemes": {
            "OAuth2PasswordBearer": login, "OptionalOAuth2": token, "HTTPBearer": token,
            "APIKeyHeader": key, "APIKeyQuery": key, "APIKeyCookie": key, "MaybeHeaderKey": key, "MaybeQueryKey": key,
            "HTTPBasic": {"users": "people"},
        },
        // FastAPI's document cannot say that authentication is optional: `auto_error` is not in it.
        "rules": [{"match": {"path": "/optional/"}, "security": [{"OptionalOAuth2": []}, {}], "optional": "ignore_invalid"}],
        "users": {"people": [
            {"username": "johndoe", "password": HASH, "scopes": ["items:read", "items:write"]},
            {"username": "alice", "password": HASH, "scopes": ["items:read"]},
            {"username": "gone", "password": HASH, "scopes": ["items:read"], "disabled": true},
        ]},
        "api_keys": {"keys": [{"id": "app", "sha256": "b8ce88d57f4916859bcecb01b98b041299a759313987af89f9fc6608d7440537"}]},
        "passwords": {"worker_share_percent": 100, "max_failures": 100_000},
    })
}

/// What is compared.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u16,
    detail: Option<Value>,
    challenges: Vec<String>,
}

impl Seen {
    fn of(response: &Response) -> Self {
        let challenges = response.all("www-authenticate");
        let word = |challenge: &String| challenge.split(' ').next().unwrap_or_default().to_owned();
        let detail =
            serde_json::from_slice::<Value>(&response.body).ok().and_then(|body| body.get("detail").cloned());
        Self {
            status: response.status,
            // The upstream's own answers are not the filter's.
            detail: detail.filter(|_| response.status != 200),
            challenges: challenges.iter().map(word).collect(),
        }
    }
}

#[test]
fn lychgate_agrees_with_fastapi_but_where_it_says_so() {
    let Some(python) = python("tests/fastapi/requirements.txt") else { return };
    let fastapi = FastApi::start(&python);
    let document = http::send(fastapi.addr, &Request::get("/openapi.json")).unwrap().json();
    let upstream = Upstream::start();
    let listener = Listener::new("gate", policy(&document));
    let envoy = Envoy::start(&[listener], upstream.addr(), &Options::default());
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));

    // A token of either opens the other.
    let login =
        Request::post("/token").body("application/x-www-form-urlencoded", "username=johndoe&password=secret");
    let token = |response: Response| response.json()["access_token"].as_str().expect("a token").to_owned();
    let tokens = [
        ("a token of FastAPI", token(http::send(fastapi.addr, &login).unwrap())),
        ("a token of Lychgate", token(envoy.send("gate", &login))),
    ];
    let requests = rows::chosen(requests::requests(&tokens), |(name, _)| name.clone());
    let mut faults = Vec::new();
    let mut intended: BTreeMap<usize, usize> = BTreeMap::new();
    let mut agreed = 0;
    for (name, request) in &requests {
        let theirs = Seen::of(&http::send(fastapi.addr, request).unwrap());
        let ours = Seen::of(&envoy.send("gate", request));
        let listed = DIFFERENCES.iter().position(|(words, _)| words.iter().all(|word| name.contains(word)));
        match (theirs == ours, listed) {
            (true, _) => agreed += 1,
            (false, Some(index)) => *intended.entry(index).or_default() += 1,
            (false, None) => faults.push(format!("{name}\n  FastAPI  {theirs:?}\n  Lychgate {ours:?}")),
        }
    }
    let differing: usize = intended.values().sum();
    println!(
        "difference: {} requests, {agreed} agree, {differing} differ as intended, {} differ otherwise",
        requests.len(),
        faults.len()
    );
    for (index, (words, reason)) in DIFFERENCES.iter().enumerate() {
        match intended.get(&index) {
            Some(count) => println!("  {count:3} {}: {reason}", words.join(", ")),
            None if rows::is_filtered() => {}
            None => faults.push(format!("{words:?} is listed and does not differ: {reason}")),
        }
    }
    assert!(requests.len() >= 120 || rows::is_filtered());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
