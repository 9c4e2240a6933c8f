//! What rules ask of tokens: conditions, and how the user was authenticated.

use serde_json::{Value, json};

use super::conditions::{bearer, send};
use super::{INVALID_TOKEN, Row, allowed, refused};
use crate::http::Request;
use crate::tokens::{Token, now};

pub fn rows() -> Vec<Row> {
    const P: &str = "asked of";
    let tenant = |tenant: &str| Token::new().claim("tenant", tenant).claim("groups", json!(["staff", "x"]));
    let unmet = |name: &str, path: &str, token: &Token| {
        let challenge = bearer("error=\"insufficient_scope\"");
        refused(name, P, send(path, token), 403, "Not enough permissions", &[&challenge])
    };
    let stepped = |name: &str, path: &str, token: &Token, parameters: &str| {
        let challenge = bearer(&format!("error=\"insufficient_user_authentication\", {parameters}"));
        refused(name, P, send(path, token), 401, "Could not validate credentials", &[&challenge])
    };
    let org = |id: Value| Token::reader().claim("org", json!({"id": id}));
    let at = |seconds: i64| Token::reader().claim("auth_time", now() - seconds).claim("acr", "mfa");
    vec![
        allowed("rule: claims as asked", P, send("/tenant", &tenant("a"))),
        unmet("rule: another tenant", "/tenant", &tenant("c")),
        unmet("rule: one of two claims", "/tenant", &tenant("a").without("groups")),
        unmet("rule: no claim at all", "/tenant", &Token::new()),
        unmet("rule: a claim of the wrong type", "/tenant", &tenant("a").claim("tenant", json!({"a": 1}))),
        allowed("rule: a rule without conditions", P, send("/", &Token::new())),
        allowed("rule: a scope and a claim", P, send("/both", &org(json!(7)))),
        unmet("rule: a scope, and the claim is another", "/both", &org(json!(8))),
        refused(
            "rule: the claim, and no scope",
            P,
            send("/both", &Token::new().claim("org", json!({"id": 7}))),
            403,
            "Not enough permissions",
            &[&bearer("error=\"insufficient_scope\", scope=\"items:read\"")],
        ),
        allowed("rule: not, another value", P, send("/not", &Token::new().claim("acct", "member"))),
        allowed("rule: not, absent", P, send("/not", &Token::new())),
        unmet("rule: not, and it is", "/not", &Token::new().claim("acct", "guest")),
        unmet("rule: not, of a type that cannot be compared", "/not", &Token::new().claim("acct", 1)),
        refused(
            "rule: a bad token stays one",
            P,
            send("/tenant", &tenant("a").claim("exp", 1)),
            401,
            "Could not validate credentials",
            &[INVALID_TOKEN],
        ),
        allowed("step-up: acr", P, send("/acr", &Token::new().claim("acr", "hwk"))),
        stepped("step-up: another acr", "/acr", &Token::new().claim("acr", "pwd"), "acr_values=\"mfa hwk\""),
        stepped("step-up: no acr", "/acr", &Token::new(), "acr_values=\"mfa hwk\""),
        stepped(
            "step-up: acr of two in one",
            "/acr",
            &Token::new().claim("acr", "mfa hwk"),
            "acr_values=\"mfa hwk\"",
        ),
        allowed("step-up: recent", P, send("/recent", &at(200))),
        stepped("step-up: not recent", "/recent", &at(400), "max_age=\"300\""),
        stepped("step-up: no auth_time", "/recent", &Token::new(), "max_age=\"300\""),
        stepped(
            "step-up: auth_time as text",
            "/recent",
            &Token::new().claim("auth_time", "now"),
            "max_age=\"300\"",
        ),
        stepped("step-up: auth_time far ahead", "/recent", &at(-3600), "max_age=\"300\""),
        allowed("step-up: both", P, send("/step", &at(30))),
        stepped(
            "step-up: both asked for, too long ago",
            "/step",
            &at(90),
            "acr_values=\"mfa\", max_age=\"60\"",
        ),
        refused(
            "step-up: a new login would bring no scope",
            P,
            send("/step", &Token::new()),
            403,
            "Not enough permissions",
            &[&bearer("error=\"insufficient_scope\", scope=\"items:read\"")],
        ),
        allowed("rule: another alternative", P, send("/or", &Token::new().claim("scope", "admin"))),
        unmet("rule: neither alternative, the first speaks", "/or", &Token::new()),
        unmet("rule: claims that lack are no anonymous request", "/optional", &Token::new()),
        allowed("rule: anonymous beside conditions", P, Request::get("/optional")).anonymous(),
    ]
}
