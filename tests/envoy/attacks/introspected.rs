//! Tokens that an issuer vouches for, and that are no access tokens of a user all the same.

use std::net::SocketAddr;

use lychgate_tests::echo::{Reply, Upstream};
use lychgate_tests::envoy::{Envoy, Listener, Options};
use lychgate_tests::http::Request;
use serde_json::{Value, json};

use super::{is_module_alive, recording, take};

/// An issuer that knows tokens by what they are.
fn issuer() -> (Upstream, (String, SocketAddr)) {
    let issuer = Upstream::serve(|request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let token =
            body.split('&').find_map(|pair| pair.strip_prefix("token=")).unwrap_or_default().to_owned();
        Reply::json(&match token.as_str() {
            "access" => {
                json!({"active": true, "sub": "johndoe", "client_id": "shop", "scope": "admin", "token_type": "Bearer"})
            }
            // RFC 9449 section 6.2: bound to a key. This issuer leaves out to which.
            "bound" => json!({"active": true, "sub": "johndoe", "scope": "admin", "token_type": "DPoP"}),
            "client" => json!({"active": true, "client_id": "johndoe", "scope": "admin"}),
            "username" => json!({"active": true, "username": "johndoe", "scope": "admin"}),
            "refresh" => {
                json!({"active": true, "sub": "johndoe", "scope": "admin", "token_use": "refresh_token"})
            }
            "offline" => json!({"active": true, "sub": "johndoe", "scope": "admin", "typ": "Offline"}),
            "id" => json!({"active": true, "sub": "johndoe", "scope": "admin", "typ": "ID"}),
            _ => json!({"active": false}),
        })
    });
    let at = issuer.addr();
    (issuer, ("idp".to_owned(), at))
}

fn policy() -> Value {
    let introspection = json!({"uri": "http://idp.example/introspect", "cluster": "idp", "client_id": "gate", "client_secret": "x"});
    let scheme = |users: Option<&str>| {
        let mut scheme = json!({"type": "http", "scheme": "bearer", "introspection": introspection});
        if let Some(users) = users {
            scheme["users"] = users.into();
        }
        scheme
    };
    json!({
        "schemes": {"anyone": scheme(None), "staff": scheme(Some("staff"))},
        "users": {"staff": [{"username": "johndoe"}]},
        "rules": [{"match": {"path": "/staff"}, "security": [{"staff": []}]}],
        "security": [{"anyone": ["admin"]}],
    })
}

#[test]
fn a_client_a_refresh_token_and_an_id_token_are_no_users_though_their_issuer_vouches_for_them() {
    let (upstream, seen) = recording();
    let (_issuer, cluster) = issuer();
    let options = Options { clusters: vec![cluster], ..Options::default() };
    let envoy = Envoy::start(&[Listener::new("asked", policy())], upstream.addr(), &options);
    let envoy = envoy.unwrap_or_else(|failure| panic!("{}", failure.log));
    for (path, token, status, subject) in [
        ("/staff", "access", 200, Some("johndoe")),
        ("/any", "access", 200, Some("johndoe")),
        ("/staff", "client", 401, None),
        ("/staff", "username", 401, None),
        ("/any", "client", 200, None),
        ("/staff", "refresh", 401, None),
        ("/any", "refresh", 401, None),
        ("/any", "offline", 401, None),
        ("/staff", "id", 401, None),
        ("/any", "unknown", 401, None),
        ("/any", "bound", 401, None),
    ] {
        let answer = envoy.send("asked", &Request::get(path).bearer(token).header("X-Auth-Subject", "root"));
        assert_eq!(answer.status, status, "{path} {token}: {answer:?}");
        let reached = take(&seen);
        assert_eq!(reached.len(), usize::from(status == 200), "{path} {token}");
        let told =
            reached.iter().flat_map(|request| &request.headers).find(|(name, _)| name == "x-auth-subject");
        assert_eq!(told.map(|(_, value)| value.as_slice()), subject.map(str::as_bytes), "{path} {token}");
    }
    assert!(is_module_alive(&envoy), "{}", envoy.log());
}
