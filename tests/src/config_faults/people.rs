//! Faults in users, passwords, Basic and the token endpoint.

use crate::keys;
use serde_json::{Value, json};

use super::{Fault, json_fault};

const HASH: &str =
    "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$pbviq+1UUgwZCmLIr4Hgk7mEMsxnRLuOb2HfvIaBwGY";

/// A fault in the one user of directory `staff`.
fn user(name: &'static str, user: Value, says: &[&'static str]) -> Fault {
    json_fault(name, json!({"users": {"staff": [user]}}), says)
}

/// A fault in scheme `s`, which issues tokens but for these changes.
fn issuing(name: &'static str, changes: Value, says: &[&'static str]) -> Fault {
    let mut scheme = json!({
        "type": "oauth2", "users": "staff", "issue": {},
        "flows": {"password": {"tokenUrl": "/token", "scopes": {}}},
        "jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}]},
    });
    for (key, value) in changes.as_object().expect("an object") {
        if value.is_null() {
            scheme.as_object_mut().expect("an object").remove(key);
        } else {
            scheme[key] = value.clone();
        }
    }
    let users = json!({"staff": [{"username": "ann", "password": HASH}], "nobodies": [{"username": "ann"}]});
    json_fault(name, json!({"schemes": {"s": scheme}, "users": users}), says)
}

fn flows(url: &str) -> Value {
    json!({"flows": {"password": {"tokenUrl": url, "scopes": {}}}})
}

pub fn faults() -> Vec<Fault> {
    let key = |key: Value| json!({"jwt": {"keys": [key]}});
    vec![
        user("user without a name", json!({}), &["users.staff[0]: missing key `username`"]),
        user("an empty username", json!({"username": ""}), &["users.staff[0].username: must not be empty"]),
        user(
            "a username with a colon",
            json!({"username": "a:b"}),
            &["users.staff[0].username: must not hold a colon"],
        ),
        user(
            "a username that is no header",
            json!({"username": "a\nb"}),
            &["users.staff[0].username: cannot be a header"],
        ),
        user(
            "an unknown key in a user",
            json!({"username": "a", "admin": true}),
            &["users.staff[0].admin: unknown key"],
        ),
        user(
            "a user's bad scope",
            json!({"username": "a", "scopes": ["a b"]}),
            &["users.staff[0].scopes[0]: \"a b\" is not a scope"],
        ),
        user(
            "a password in the clear",
            json!({"username": "a", "password": "my-secret-key"}),
            &["users.staff[0].password: not a password hash", "lychgate hash-password"],
        ),
        user(
            "a hash of bcrypt that stalls a worker",
            json!({"username": "a", "password": "$2b$14$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"}),
            &[
                "users.staff[0].password: bcrypt of cost 14 would stop a worker for about 1200 ms",
                "at most 500 ms",
                "cost 12",
            ],
        ),
        user(
            "a hash of argon2id that takes all memory",
            json!({"username": "a", "password": HASH.replace("m=64", "m=1048576")}),
            &["users.staff[0].password: argon2id takes 1024 MiB", "at most 128 MiB"],
        ),
        user(
            "argon2i",
            json!({"username": "a", "password": HASH.replace("argon2id", "argon2i")}),
            &["users.staff[0].password: argon2i is not supported; use argon2id"],
        ),
        json_fault(
            "a username twice",
            json!({"users": {"staff": [{"username": "a"}, {"username": "b"}, {"username": "a"}]}}),
            &["users.staff[2].username: there is a user `a` already"],
        ),
        json_fault(
            "Basic without users",
            json!({"schemes": {"s": {"type": "http", "scheme": "basic"}}}),
            &["schemes.s: missing key `users`"],
        ),
        json_fault(
            "Basic with users that are not there",
            json!({"schemes": {"s": {"type": "http", "scheme": "basic", "users": "staf"}}, "users": {"staff": []}}),
            &["schemes.s.users: no directory `staf` under the top-level `users`; there are: [staff]"],
        ),
        json_fault(
            "Basic with users without passwords",
            json!({"schemes": {"s": {"type": "http", "scheme": "basic", "users": "staff"}}, "users": {"staff": [{"username": "a"}]}}),
            &["schemes.s.users: no user in `staff` has a password"],
        ),
        json_fault(
            "Basic with a key of another scheme",
            json!({"schemes": {"s": {"type": "http", "scheme": "basic", "users": "staff", "bearerFormat": "JWT"}}, "users": {"staff": [{"username": "a", "password": HASH}]}}),
            &["schemes.s.bearerFormat: unknown key"],
        ),
        issuing("issue without users", json!({"users": null}), &["schemes.s.issue: needs `users`"]),
        issuing(
            "issue with users that are not there",
            json!({"users": "x"}),
            &["schemes.s.users: no directory `x`"],
        ),
        issuing(
            "issue with users without passwords",
            json!({"users": "nobodies"}),
            &["schemes.s.users: no user in it has a password"],
        ),
        issuing(
            "issue without a password flow",
            json!({"flows": {}}),
            &["schemes.s.issue: needs `flows.password.tokenUrl`"],
        ),
        issuing(
            "issue at another server's URL",
            flows("https://idp.example/token"),
            &["schemes.s.flows.password.tokenUrl: with `issue` the filter serves it itself"],
        ),
        issuing(
            "issue at the root",
            flows("/"),
            &["schemes.s.flows.password.tokenUrl: \"/\" is not a plain path"],
        ),
        issuing(
            "issue at a path with a query",
            flows("/token?x=1"),
            &["schemes.s.flows.password.tokenUrl: "],
        ),
        issuing("issue at a path with dots", flows("/a/../token"), &["schemes.s.flows.password.tokenUrl: "]),
        issuing(
            "a lifetime of nothing",
            json!({"issue": {"expires_in": 0}}),
            &["schemes.s.issue.expires_in: expected a whole number from 1 to 31536000, got 0"],
        ),
        issuing(
            "an unknown key in issue",
            json!({"issue": {"expires": 1}}),
            &["schemes.s.issue.expires: unknown key; known here: expires_in, clients"],
        ),
        issuing(
            "no clients",
            json!({"issue": {"clients": []}}),
            &["schemes.s.issue.clients: would refuse every client"],
        ),
        issuing(
            "a client without an id",
            json!({"issue": {"clients": [{"client_secret": "my-secret-key"}]}}),
            &["schemes.s.issue.clients[0]: missing key `client_id`"],
        ),
        issuing(
            "a client twice",
            json!({"issue": {"clients": [{"client_id": "a"}, {"client_id": "a"}]}}),
            &["schemes.s.issue.clients: two clients have the client_id \"a\""],
        ),
        issuing(
            "a client's secret that is not set",
            json!({"issue": {"clients": [{"client_id": "a", "client_secret": {"env": "NOT_SET"}}]}}),
            &["schemes.s.issue.clients[0].client_secret: the environment variable NOT_SET is not set"],
        ),
        issuing(
            "a client's secret that is empty",
            json!({"issue": {"clients": [{"client_id": "a", "client_secret": ""}]}}),
            &["schemes.s.issue.clients[0].client_secret: the secret is empty"],
        ),
        issuing(
            "a client's secret that is empty, in base64",
            json!({"issue": {"clients": [{"client_id": "a", "client_secret": {"base64": ""}}]}}),
            &["schemes.s.issue.clients[0].client_secret: the secret is empty"],
        ),
        issuing(
            "issue without a key that signs",
            key(json!({"alg": "RS256", "pem": keys::RSA.public_pem})),
            &["schemes.s.jwt: none of the keys can sign tokens"],
        ),
        issuing(
            "a private key in the configuration",
            key(json!({"alg": "RS256", "pem": keys::RSA.private_pem})),
            &["schemes.s.jwt.keys[0]: a private key has no place in a configuration", "{env: NAME}"],
        ),
        issuing(
            "issued tokens that would not have what is required",
            json!({"jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}], "required_claims": ["sub", "email"]}}),
            &["schemes.s.jwt.required_claims: issued tokens have no `email`"],
        ),
        issuing(
            "issued tokens whose scopes would not be read",
            json!({"jwt": {"keys": [{"alg": "HS256", "secret": keys::SECRET}], "scope_claims": ["scope"]}}),
            &["schemes.s.jwt.scope_claims: must begin with `scopes`"],
        ),
        json_fault(
            "a share of nothing",
            json!({"passwords": {"worker_share_percent": 0}}),
            &["passwords.worker_share_percent: expected a whole number from 1 to 100, got 0"],
        ),
        json_fault(
            "an unknown key in passwords",
            json!({"passwords": {"share": 1}}),
            &["passwords.share: unknown key", "max_failures"],
        ),
        json_fault(
            "an unknown word for optional",
            json!({"optional": "ignore"}),
            &["optional: unknown value \"ignore\"", "`ignore_invalid`"],
        ),
        json_fault(
            "an unknown word for optional in a rule",
            json!({"rules": [{"match": {"path": "/"}, "security": [], "optional": true}]}),
            &["rules[0].optional: expected one of"],
        ),
    ]
}
