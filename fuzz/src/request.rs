//! A whole request head against a policy of every kind of scheme.

use lychgate::decision::Decision;
use lychgate::engine::Engine;
use lychgate::host::InMemoryHost;
use lychgate::request::{HeaderMutation, Request};
use serde_json::json;

use super::form::PASSWORD;
use super::signed::{self, NOW, SECRET};

/// SHA-256 of `a key for fuzzing`.
const KEY: &str = "35f51cd4e4148c721a50247031528d787bcbe8b63ba91e13829d94d954ae94bf";

/// Headers in which the filter alone speaks.
const RESERVED: [&str; 4] = ["x-auth-subject", "x-auth-scopes", "x-auth-scheme", "x-email"];

thread_local! {
    static ENGINE: Engine = engine();
}

fn engine() -> Engine {
    let key = |r#in: &str, name: &str| json!({"type": "apiKey", "in": r#in, "name": name, "api_keys": "all"});
    let policy = json!({
        "schemes": {
            "token": {
                "type": "http", "scheme": "bearer",
                "jwt": {
                    "keys": [{"alg": "HS256", "secret": SECRET}],
                    "claims_to_headers": {"email": "x-email"},
                    "from": [
                        {"header": "Authorization", "prefix": "Bearer "},
                        {"query": "access_token"},
                        {"cookie": "session"},
                    ],
                },
            },
            "basic": {"type": "http", "scheme": "basic", "users": "staff"},
            "header": key("header", "X-API-Key"),
            "query": key("query", "api_key"),
            "cookie": key("cookie", "api_key"),
        },
        "users": {"staff": [{"username": "johndoe", "password": PASSWORD, "scopes": ["items:read"]}]},
        "api_keys": {"all": [{"id": "app", "sha256": KEY, "scopes": ["items:read"]}]},
        "rules": [
            {"match": {"path": "/health"}, "security": []},
            {"match": {"path": "/perhaps"}, "security": [{"token": []}, {}], "optional": "ignore_invalid"},
            {"match": {"prefix": "/both"}, "security": [{"token": [], "header": []}]},
            {"match": {"path": "/items/{id}"}, "security": [
                {"token": ["items:read"]}, {"header": []}, {"query": []}, {"cookie": []}, {"basic": []},
            ]},
        ],
        "security": [{"token": ["admin"]}],
        "passwords": {"max_failures": 1_000_000, "worker_share_percent": 100},
    });
    let compiled = Engine::compile(policy.to_string().as_bytes(), &|_| None);
    compiled.unwrap_or_else(|errors| panic!("{errors:?}")).engine
}

/// A request that is allowed where a credential is needed has one that is known, the same is decided twice
/// in a row, and no value of the client's in the filter's headers goes on.
///
/// Lines: the method, the path, then headers. A value that begins with `@` is a token to be made
/// (see [`signed::token`]) of the rest, with `|` between header and claims.
pub fn run(data: &[u8]) {
    let mut lines = data.split(|&byte| byte == b'\n');
    let (Some(method), Some(path)) = (lines.next(), lines.next()) else { return };
    let mut headers: Vec<(Vec<u8>, Vec<u8>)> = vec![
        (b":method".to_vec(), method.to_vec()),
        (b":path".to_vec(), path.to_vec()),
        (b":authority".to_vec(), b"localhost".to_vec()),
    ];
    for line in lines.take(40) {
        let mut parts = line.splitn(2, |&byte| byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else { continue };
        // Envoy hands names over in lower case, and never an empty one.
        if !name.is_empty() {
            headers.push((name.to_ascii_lowercase(), value_of(value.trim_ascii())));
        }
    }
    let borrowed: Vec<_> = headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
    let request = Request::new(&borrowed).whole(data.len().is_multiple_of(2));
    let decide = || ENGINE.with(|engine| engine.decide(&request, &InMemoryHost::at(NOW), true));
    let decision = decide();
    assert_eq!(decision, decide(), "the second time it is decided otherwise");
    let Decision::Allow(allow) = decision else { return };
    let public = matches!(path.split(|&b| b == b'?').next(), Some(b"/health" | b"/perhaps"));
    let credential = headers.iter().any(|(name, _)| name == b"authorization");
    let preflight = request.may_be_cors_preflight() && !credential;
    let encoded = path.contains(&b'%');
    let subject = allow.identity.as_ref().and_then(|identity| identity.subject.as_deref());
    match subject {
        None => {
            assert!(
                public || preflight || encoded,
                "allowed without a credential: {}",
                String::from_utf8_lossy(data)
            )
        }
        Some("app") => {
            assert!(has(data, b"a key for fuzzing") || data.contains(&b'%'), "a key out of nowhere")
        }
        Some("johndoe") => {}
        Some(_) => assert!(data.contains(&b'@'), "a subject that no signed token has"),
    }
    // What the upstream gets.
    for edit in allow.mutations() {
        match edit {
            HeaderMutation::Remove(name) => headers.retain(|(own, _)| own[..] != name[..]),
            HeaderMutation::Set(name, value) => {
                headers.retain(|(own, _)| own != name.as_bytes());
                headers.push((name.as_bytes().to_vec(), value.to_vec()));
            }
        }
    }
    for (name, value) in &headers {
        let name: Vec<_> =
            name.iter().map(|&b| if b.is_ascii_alphanumeric() || b == b':' { b } else { b'-' }).collect();
        if RESERVED.iter().any(|reserved| reserved.as_bytes() == name) {
            let ours = allow.identity.iter().flat_map(|identity| &identity.headers).any(|edit| {
                matches!(edit, HeaderMutation::Set(own, set) if own.as_bytes() == name && set[..] == value[..])
            });
            assert!(ours, "a client speaks in {}", String::from_utf8_lossy(&name));
        }
    }
}

fn value_of(text: &[u8]) -> Vec<u8> {
    let Some(at) = text.iter().position(|&byte| byte == b'@') else { return text.to_vec() };
    let (before, after) = text.split_at(at);
    let made: Vec<_> = after[1..].iter().map(|&byte| if byte == b'|' { b'\n' } else { byte }).collect();
    [before.to_vec(), signed::token(&made).unwrap_or_default()].concat()
}

fn has(data: &[u8], wanted: &[u8]) -> bool {
    data.windows(wanted.len()).any(|window| window == wanted)
}
