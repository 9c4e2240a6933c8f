//! The body of a request for a token, and the `Authorization` beside it.

use lychgate::decision::{Decision, TokenRequest};
use lychgate::engine::Engine;
use lychgate::host::InMemoryHost;
use lychgate::secret::Secret;
use serde_json::json;

use super::signed::{NOW, SECRET};

/// PBKDF2 of `secret`, as cheap as is allowed.
pub const PASSWORD: &str =
    "$pbkdf2-sha256$i=1000$MDEyMzQ1Njc4OWFiY2RlZg$tiKWHy4FAGCWE8gn6GtKhaxD2OeeAUUWXFT/p1aaNl8";

thread_local! {
    static ENGINES: [Engine; 2] = [engine(false), engine(true)];
}

fn engine(clients: bool) -> Engine {
    let mut policy = json!({
        "schemes": {"oauth2": {
            "type": "oauth2",
            "flows": {"password": {"tokenUrl": "/token", "scopes": {"items:read": "r", "items:write": "w"}}},
            "jwt": {"keys": [{"alg": "HS256", "secret": SECRET}]},
            "users": "staff",
            "issue": {"expires_in": 600},
        }},
        "users": {"staff": [{"username": "johndoe", "password": PASSWORD, "scopes": ["items:read"]}]},
        "security": [{"oauth2": []}],
        "passwords": {"max_failures": 1_000_000, "worker_share_percent": 100},
    });
    if clients {
        policy["schemes"]["oauth2"]["issue"]["clients"] =
            json!([{"client_id": "web", "client_secret": "s3cret"}, {"client_id": "cli"}]);
    }
    let compiled = Engine::compile(policy.to_string().as_bytes(), &|_| None);
    compiled.unwrap_or_else(|errors| panic!("{errors:?}")).engine
}

/// A token is given for the right name and password only, and every refusal is one of RFC 6749.
pub fn run(data: &[u8]) {
    let mut lines = data.splitn(2, |&byte| byte == b'\n');
    let (Some(authorization), Some(body)) = (lines.next(), lines.next()) else { return };
    let authorization = (!authorization.is_empty()).then(|| Secret::new(authorization.to_vec()));
    let request = TokenRequest { endpoint: 0, authorization, request_id: None };
    for clients in [false, true] {
        let decision = ENGINES.with(|engines| {
            engines[usize::from(clients)].answer_token(&request, body, &InMemoryHost::at(NOW))
        });
        match decision {
            Decision::LocalReply(answer) => {
                assert_eq!(answer.status, 200);
                let has = |name: &str, value: &str| {
                    form_urlencoded::parse(body).any(|(own, given)| own == name && given == value)
                };
                assert!(
                    has("username", "johndoe") && has("password", "secret"),
                    "a token without the form's fields"
                );
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                assert!(!text.contains("items:write"), "a scope that the user does not have");
            }
            Decision::Deny(denial) => assert!(
                matches!(denial.status(), 400 | 401 | 413 | 429 | 503),
                "an odd refusal: {}",
                denial.status()
            ),
            other => panic!("neither answer nor refusal: {other:?}"),
        }
    }
}
