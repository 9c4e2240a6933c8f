//! What the way of most requests takes of the allocator: nothing. A request by a credential that is
//! known, a public one and a request for a path below many rules are decided without one allocation.

#![allow(unsafe_code, reason = "an allocator is unsafe; this one counts and hands on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use lychgate::decision::Decision;
use lychgate::engine::Engine;
use lychgate::host::InMemoryHost;
use lychgate::request::Request;
use lychgate_tests::keys::{self, API_KEY as KEY, API_KEY_SHA256 as KEY_SHA256};
use lychgate_tests::tokens::{self, Token};
use serde_json::json;

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get().saturating_add(1));
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn engine() -> Engine {
    let many = (0..100).map(|number| {
        json!({"match": {"path": format!("/service{number}/items/{{id}}"), "methods": ["GET"]},
               "security": [{"token": ["items:read"]}, {"key": []}]})
    });
    let public = json!({"match": {"path": "/health"}, "security": []});
    let policy = json!({
        "schemes": {
            "token": {"type": "http", "scheme": "bearer",
                "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}], "claims_to_headers": {"email": "x-email"}}},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"},
        },
        "api_keys": {"partners": [{"id": "mobile-app", "sha256": KEY_SHA256}]},
        "rules": many.chain([public]).collect::<Vec<_>>(),
    });
    let compiled = Engine::compile(policy.to_string().as_bytes(), &|_| None);
    compiled.unwrap_or_else(|errors| panic!("{errors:?}")).engine
}

#[test]
fn what_is_known_is_decided_without_an_allocation() {
    let engine = engine();
    let host = InMemoryHost::at(tokens::now());
    let token = Token::reader().claim("email", "a@example.com").sign("HS256");
    let bearer = format!("Bearer {token}");
    for (what, path, header) in [
        ("a known token", "/service42/items/7", Some(("authorization", bearer.as_str()))),
        ("an API key", "/service42/items/7", Some(("x-api-key", KEY))),
        ("a public path", "/health", None),
    ] {
        let mut headers: Vec<(&[u8], &[u8])> = vec![
            (b":method", b"GET"),
            (b":path", path.as_bytes()),
            (b":authority", b"localhost"),
            (b"user-agent", b"curl/8"),
        ];
        headers.extend(header.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        let decide = || engine.decide(&Request::new(&headers), &host, true);
        // The first one is verified, the second makes what the others find ready.
        for _ in 0..2 {
            assert!(matches!(decide(), Decision::Allow(_)), "{what}: {:?}", decide());
        }
        let before = COUNT.get();
        let decision = decide();
        let after = COUNT.get();
        assert!(matches!(decision, Decision::Allow(_)), "{what}");
        assert_eq!(after - before, 0, "{what}");
    }
}
