//! What breaks in the real Envoy: the module traps, its memory runs out, its configuration changes under
//! load, upstreams and clients hang up, connections stay half open. Meanwhile good and bad requests keep
//! coming, and each answer is looked at: the filter may be shut for a while, it is never open.

mod clients;
mod half_open;
mod memory;
mod revoked;
pub mod traffic;
mod trap;
pub mod update;
mod upstreams;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lychgate_tests::echo::{Reply, Upstream};
use lychgate_tests::envoy::{Envoy, Listener, Options, root};
use lychgate_tests::http::Request;
use lychgate_tests::keys::{self, API_KEY as KEY, API_KEY_SHA256 as KEY_SHA256, PASSWORD_HASH as HASH};
use lychgate_tests::tokens::Token;
use serde_json::{Value, json};
use traffic::Kind;

/// A policy that wants what `security` says of every request, but for those to `/public`.
fn policy(security: &Value) -> Value {
    json!({
        "schemes": {
            "token": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/token", "scopes": {}}},
                "users": "staff", "issue": {},
                "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}, {"alg": "RS256", "pem": keys::RSA.public_pem}]}},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"},
        },
        "users": {"staff": [{"username": "johndoe", "scopes": ["items:read"],
            "password": HASH}]},
        "api_keys": {"partners": [{"id": "partner", "sha256": KEY_SHA256}]},
        "rules": [{"match": {"path": "/public"}, "security": []}],
        "security": security,
    })
}

/// A policy that a token or a key satisfies.
fn either() -> Value {
    policy(&json!([{"token": []}, {"key": []}]))
}

/// Good and bad requests, and the answers that they may get; beside the good ones' 200, each may get those
/// in `besides`.
fn good_and_bad(besides: &[u16]) -> Vec<Kind> {
    let forged = Token::reader().sign_by_stranger("HS256");
    let expired = Token::reader().claim("exp", 1000).sign("HS256");
    let kind = |name, request, status: u16| Kind {
        name,
        request,
        may: [&[status], besides].concat(),
        passes: status == 200,
    };
    vec![
        kind("a good token", Request::get("/good").bearer(Token::reader().sign("HS256")), 200),
        kind("a forged token", Request::get("/bad").bearer(forged), 401),
        kind("a good RS256 token", Request::get("/good").bearer(Token::reader().sign("RS256")), 200),
        kind("an expired token", Request::get("/bad").bearer(expired), 401),
        kind("a good key", Request::get("/good").header("X-API-Key", KEY), 200),
        kind("a wrong key", Request::get("/bad").header("X-API-Key", "key-000001"), 403),
        kind("no credential", Request::get("/bad"), 401),
        kind("an ambiguous path", Request::get("/public/..//bad"), 400),
    ]
}

/// An Envoy with one listener `gate`.
fn gate(policy: Value, module: Option<&Path>, upstream: &Upstream, options: &Options) -> Envoy {
    let mut listener = Listener::new("gate", policy);
    if let Some(module) = module {
        listener = listener.module(module);
    }
    Envoy::start(&[listener], upstream.addr(), options).unwrap_or_else(|failure| panic!("{}", failure.log))
}

/// An upstream, and the count of what came to it that should not have: paths with `bad` in them.
fn watchful() -> (Upstream, Arc<AtomicUsize>) {
    let bad = Arc::new(AtomicUsize::new(0));
    let upstream = Upstream::serve({
        let bad = Arc::clone(&bad);
        move |request| {
            bad.fetch_add(usize::from(request.path.contains("bad")), Ordering::SeqCst);
            Reply::json(&request.to_json())
        }
    });
    (upstream, bad)
}

/// The module as it is released.
fn released() -> PathBuf {
    root().join("dist/lychgate.wasm")
}
