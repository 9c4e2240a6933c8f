//! What the core costs natively, by kind of credential. The numbers are for finding what to mend;
//! how the module compares in Envoy is another measurement.

use criterion::{Criterion, criterion_group, criterion_main};
use lychgate::engine::Engine;
use lychgate::host::InMemoryHost;
use lychgate::request::Request;
use lychgate_tests::keys;
use lychgate_tests::tokens::{self, Token};
use serde_json::{Value, json};

fn engine(key: &Value, cached: bool) -> Engine {
    let policy = json!({
        "schemes": {"token": {"type": "http", "scheme": "bearer", "jwt": {"keys": [key]}}},
        "security": [{"token": ["items:read"]}],
        "cache": {"entries": if cached { 4096 } else { 0 }},
    });
    let compiled = Engine::compile(policy.to_string().as_bytes(), &|_| None);
    compiled.unwrap_or_else(|errors| panic!("{errors:?}")).engine
}

fn tokens(criterion: &mut Criterion) {
    for (alg, key) in [
        ("HS256", json!({"alg": "HS256", "secret": keys::SECRET})),
        ("RS256", json!({"alg": "RS256", "pem": keys::RSA.public_pem})),
        ("PS256", json!({"alg": "PS256", "pem": keys::RSA.public_pem})),
        ("ES256", json!({"alg": "ES256", "pem": keys::P256.public_pem})),
        ("EdDSA", json!({"alg": "EdDSA", "pem": keys::ED25519.public_pem})),
    ] {
        let authorization = format!("Bearer {}", Token::reader().sign(alg));
        let headers: [(&[u8], &[u8]); 4] = [
            (b":method", b"GET"),
            (b":path", b"/items/7"),
            (b":authority", b"localhost"),
            (b"authorization", authorization.as_bytes()),
        ];
        for (kind, cached) in [("known token", true), ("new token", false)] {
            let engine = engine(&key, cached);
            criterion.bench_function(&format!("{alg}, {kind}"), |bencher| {
                bencher
                    .iter(|| engine.decide(&Request::new(&headers), &InMemoryHost::at(tokens::now()), true));
            });
        }
    }
}

criterion_group!(benches, tokens);
criterion_main!(benches);
