//! Lychgate: an authentication filter for Envoy and Istio.
//!
//! It answers one question for each request: may it pass, as which identity, and if not, what is the right
//! answer? The modules, in the order a request meets them:
//!
//! | module | what it is for |
//! |---|---|
//! | [`config`] | what users write, read strictly, every fault with its JSON path |
//! | [`policy`] | what is enforced: compiled from the configuration, valid by construction |
//! | `proxy` | the only module that knows proxy-wasm: contexts, host calls |
//! | [`filter`] | what happens to a request and to a worker: head, body, trailers, waiting, ticks, callouts |
//! | [`host`] | what the filter and the core ask of their host, as two traits, and the values that go between |
//! | [`request`] | the request as the core sees it, and what is changed in it |
//! | [`normal_path`] | the one reading of a path on which filter and upstream agree |
//! | [`engine`] | request, policy and host in, decision out |
//! | [`credential`] | taking a credential out of a request |
//! | [`claim`] | claims: how they are named, and what they must be |
//! | [`token`] | JSON Web Tokens: parsed strictly, verified, remembered |
//! | [`keys`] | keys: secret, PEM, JWK, JWK Set; signatures |
//! | [`identity`] | users and API keys, and the identity of a request |
//! | [`password`] | password hashes, as they are stored |
//! | [`login`] | a username and a password in, a verdict out, and what that may cost |
//! | [`token_endpoint`] | the token endpoint: a password in, a token out |
//! | [`openapi`] | a configuration as an OpenAPI document, with a page to it |
//! | [`fetch`] | what is fetched by HTTP: key sets, discovery, introspection, revocations |
//! | [`metrics`] | what is counted, and under which names |
//! | [`decision`] | what becomes of a request, as a value |
//! | [`secret`] | values that must not be seen |
//! | [`setting`] | the kinds of settings: words, and numbers within bounds |
//! | [`reason`] | why a request is refused: the one table of words, statuses, details and remedies |
//!
//! Everything but `proxy` runs natively, and is tested so.
//!
//! # Example
//!
//! A policy with one API key, a host in memory, and two requests:
//!
//! ```
//! use lychgate::decision::Decision;
//! use lychgate::engine::Engine;
//! use lychgate::host::InMemoryHost;
//! use lychgate::reason::Reason;
//! use lychgate::request::Request;
//!
//! // `sha256` is the digest of the key, as `lychgate hash-key` prints it.
//! let policy = br#"{
//!     "schemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"}},
//!     "api_keys": {"partners": [{
//!         "id": "mobile-app",
//!         "sha256": "a3b6cad0e4abdd183392ae1bb89c8108f040f299e4d6c8470dbd9a51873a6146"
//!     }]},
//!     "security": [{"key": []}]
//! }"#;
//! // No environment variables; every fault of the configuration would be in the error.
//! let Ok(configured) = Engine::compile(policy, &|_name| None) else { panic!("a valid policy") };
//! let engine = configured.engine;
//! let host = InMemoryHost::at(1_700_000_000);
//!
//! // Header names are in lower case, as Envoy hands them over.
//! let mut headers = vec![(&b":method"[..], &b"GET"[..]), (b":path", b"/items/7"), (b":authority", b"api.example")];
//! let can_pause = true;
//! match engine.decide(&Request::new(&headers), &host, can_pause) {
//!     Decision::Deny(denial) => {
//!         assert_eq!((denial.status(), denial.reason), (403, Reason::CredentialMissingForbidden));
//!     }
//!     other => panic!("{other:?}"),
//! }
//!
//! headers.push((b"x-api-key", b"a-key-of-thirty-two-letters-or-more"));
//! match engine.decide(&Request::new(&headers), &host, can_pause) {
//!     Decision::Allow(allow) => {
//!         let identity = allow.identity.as_ref().expect("an identity");
//!         assert_eq!(identity.subject.as_deref(), Some("mobile-app"));
//!         // What the upstream gets: the key is removed, its id and the scheme are set.
//!         assert_eq!(allow.mutations().count(), 3);
//!     }
//!     other => panic!("{other:?}"),
//! }
//! ```

mod bytes;
pub mod claim;
pub mod config;
pub mod credential;
pub mod decision;
mod digest;
mod encoding;
pub mod engine;
pub mod fetch;
pub mod filter;
pub mod host;
mod http_syntax;
pub mod identity;
mod json;
pub mod keys;
pub mod login;
pub mod metrics;
pub mod normal_path;
pub mod odd_path;
pub mod openapi;
pub mod password;
pub mod policy;
pub mod reason;
pub mod request;
pub mod secret;
pub mod setting;
mod sort;
mod target_uri;
pub mod token;
pub mod token_endpoint;

#[cfg(any(test, target_family = "wasm"))]
mod probe_vector;
#[cfg(target_family = "wasm")]
mod proxy;
