//! What tokens must say: conditions, roles, subjects, types, headers, and what a rule asks of them.

use serde_json::{Value, json};

use super::{Row, allowed, bad_token, refused, sha256};
use crate::http::Request;
use crate::keys;
use crate::tokens::Token;

fn jwt(settings: Value) -> Value {
    let mut jwt = json!({"keys": [{"alg": "HS256", "secret": keys::SECRET}]});
    if let (Value::Object(jwt), Value::Object(settings)) = (&mut jwt, settings) {
        jwt.extend(settings);
    }
    jwt
}

fn one(settings: Value) -> Value {
    let scheme = json!({"type": "http", "scheme": "bearer", "missing_status": 401, "jwt": jwt(settings)});
    json!({
        "schemes": {"token": scheme},
        "rules": [
            {"match": {"path": "/admin"}, "security": [{"token": ["admin"]}]},
            {"match": {"path": "/read"}, "security": [{"token": ["items:read"]}]},
        ],
        "security": [{"token": []}],
    })
}

pub fn policies() -> Vec<(&'static str, Value)> {
    let issuer = "https://idp.example";
    let mut implied = one(json!({}));
    implied["scopes"] = json!({"implies": {"admin": ["items:write"], "items:write": ["items:read"]}});
    implied["schemes"]["key"] =
        json!({"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "partners"});
    implied["api_keys"] =
        json!({"partners": [{"id": "writer", "sha256": sha256("writer"), "scopes": ["items:write"]}]});
    implied["rules"][1]["security"] = json!([{"token": ["items:read"]}, {"key": ["items:read"]}]);
    let mut asked = one(json!({}));
    asked["rules"] = json!([
        {"match": {"path": "/tenant"}, "security": [{"token": {"claims": {"tenant": ["a", "b"], "groups": "staff"}}}]},
        {"match": {"path": "/both"}, "security": [{"token": {"scopes": ["items:read"], "claims": {"/org/id": 7}}}]},
        {"match": {"path": "/not"}, "security": [{"token": {"claims": {"acct": {"not": "guest"}}}}]},
        {"match": {"path": "/acr"}, "security": [{"token": {"acr": ["mfa", "hwk"]}}]},
        {"match": {"path": "/recent"}, "security": [{"token": {"max_age_seconds": 300}}]},
        {"match": {"path": "/step"}, "security": [{"token": {"scopes": ["items:read"], "acr": ["mfa"], "max_age_seconds": 60}}]},
        {"match": {"path": "/or"}, "security": [{"token": {"claims": {"tenant": "a"}}}, {"token": ["admin"]}]},
        {"match": {"path": "/optional"}, "security": [{"token": {"claims": {"tenant": "a"}}}, {}]},
    ]);
    let mut users = one(json!({"subject_claims": ["sub", "client_id"], "required_claims": ["exp"]}));
    users["schemes"]["token"]["users"] = "staff".into();
    users["users"] = json!({"staff": [{"username": "johndoe"}, {"username": "svc"}]});
    vec![
        ("cognito", one(json!({"issuer": issuer, "claims": {"token_use": "access", "client_id": "app1"}}))),
        (
            "conditions",
            one(json!({"claims": {
                "tenant": ["a", "b"], "level": 3, "verified": true, "acct": {"not": ["guest", "bot"]},
                "/kubernetes.io/namespace": {"present": true}, "at_hash": {"not": {"present": true}},
            }})),
        ),
        ("nested roles", one(json!({"scope_claims": ["realm_access.roles"]}))),
        ("all scopes", one(json!({"scope_claims": ["scp", "roles", "/my.app/roles"], "scope_mode": "all"}))),
        (
            "roles",
            one(json!({"roles": {"claims": ["groups", "resource_access.app.roles"], "grants": {
                "Domain Admins": ["admin", "items:read"], "reader": ["items:read"],
            }}})),
        ),
        ("implied", implied),
        ("groups", one(json!({"scope_claims": ["groups"]}))),
        (
            "subjects",
            one(
                json!({"subject_claims": ["sub", "client_id", "preferred_username"], "required_claims": ["exp"]}),
            ),
        ),
        ("client subject", one(json!({"subject_claims": ["client_id"]}))),
        ("subjects that are users", users),
        (
            "headers",
            one(json!({
                "claims_to_headers": {
                    "/kubernetes.io/namespace": "x-namespace",
                    "/resource_access/my.client/roles": "x-roles",
                    "name": "x-name",
                    "nick": {"header": "x-nick", "on_invalid": "omit"},
                    "address": {"header": "x-address", "on_invalid": "percent_encode"},
                    "strict": {"header": "x-strict", "on_invalid": "refuse"},
                },
                "payload_to_header": "X-Payload",
            })),
        ),
        ("types", one(json!({"types": ["at+jwt", "application/JWT"]}))),
        ("rfc9068", one(json!({"profile": "rfc9068", "issuer": issuer, "audiences": ["api"]}))),
        (
            "tenants",
            one(json!({"issuer": "https://login.example/{tid}/v2.0", "claims": {"tid": ["t1", "t2"]}})),
        ),
        (
            "tenants of several issuers",
            json!({
                "schemes": {"token": {"type": "http", "scheme": "bearer", "jwt": {"issuers": [
                    {"issuer": "https://login.example/{tenantid}/v2.0", "keys": [{"alg": "HS256", "secret": keys::SECRET}]},
                    {"issuer": issuer, "keys": [{"alg": "HS384", "secret": keys::SECRET}]},
                ]}}},
                "security": [{"token": []}],
            }),
        ),
        ("asked of", asked),
    ]
}

pub(super) fn send(path: &str, token: &Token) -> Request {
    Request::get(path).bearer(token.sign("HS256"))
}

pub(super) fn bearer(parameters: &str) -> String {
    format!("Bearer realm=\"lychgate\", {parameters}")
}

pub fn rows() -> Vec<Row> {
    let mut rows = of_schemes();
    rows.extend(scopes());
    rows.extend(subjects());
    rows.extend(headers());
    rows.extend(super::typed::rows());
    rows.extend(super::asked::rows());
    rows
}

fn of_schemes() -> Vec<Row> {
    let cognito =
        |name: &str, value: &str| Token::new().claim("iss", "https://idp.example").claim(name, value);
    let met = || {
        Token::new()
            .claim("tenant", "b")
            .claim("level", 3)
            .claim("verified", true)
            .claim("acct", "member")
            .claim("kubernetes.io", json!({"namespace": "prod"}))
    };
    let mut rows = vec![
        allowed(
            "conditions: Cognito's access token",
            "cognito",
            send("/", &cognito("client_id", "app1").claim("token_use", "access")),
        ),
        bad_token(
            "conditions: Cognito's ID token",
            "cognito",
            send("/", &cognito("aud", "app1").claim("token_use", "id")),
        ),
        bad_token(
            "conditions: the access token of another app",
            "cognito",
            send("/", &cognito("client_id", "app2").claim("token_use", "access")),
        ),
        allowed("conditions: all met", "conditions", send("/", &met())),
        allowed(
            "conditions: one of a list of values",
            "conditions",
            send("/", &met().claim("tenant", json!(["x", "a"]))),
        ),
        allowed("conditions: 3 is 3.0", "conditions", send("/", &met().claim("level", 3.0))),
        allowed("conditions: what must not be is absent", "conditions", send("/", &met().without("acct"))),
    ];
    for (name, claim, value) in [
        ("another value", "tenant", json!("c")),
        ("in another case", "tenant", json!("A")),
        ("a list without the value", "tenant", json!(["c", "d"])),
        ("an empty list", "tenant", json!([])),
        ("a number for text", "tenant", json!(1)),
        ("an object for text", "tenant", json!({"a": "a"})),
        ("a list in a list", "tenant", json!([["a"]])),
        ("null for text", "tenant", Value::Null),
        ("text for a number", "level", json!("3")),
        ("another number", "level", json!(4)),
        ("text for a boolean", "verified", json!("true")),
        ("a number for a boolean", "verified", json!(1)),
        ("the other boolean", "verified", json!(false)),
        ("a value that must not be", "acct", json!("guest")),
        ("a list with a value that must not be", "acct", json!(["member", "bot"])),
        ("a type that cannot be compared under not", "acct", json!(7)),
        ("an object under not", "acct", json!({"guest": false})),
        ("a list with a number under not", "acct", json!(["member", 7])),
        ("present, and null", "kubernetes.io", json!({"namespace": null})),
        ("present, one step short", "kubernetes.io", json!("namespace")),
        ("there, and must be absent", "at_hash", json!("x")),
    ] {
        rows.push(bad_token(
            format!("conditions: {name}"),
            "conditions",
            send("/", &met().claim(claim, value)),
        ));
    }
    rows.push(bad_token(
        "conditions: a name with dots is not the steps of a pointer",
        "conditions",
        send("/", &met().without("kubernetes.io").claim("kubernetes.io.namespace", "prod")),
    ));
    rows
}

fn scopes() -> Vec<Row> {
    let roles = |roles: Value| Token::new().claim("realm_access", json!({"roles": roles}));
    let lacking = |name: &str, policy, path: &str, token: &Token, scope: &str| {
        let challenge = bearer(&format!("error=\"insufficient_scope\", scope=\"{scope}\""));
        refused(name, policy, send(path, token), 403, "Not enough permissions", &[&challenge])
    };
    let groups = |groups: Value| Token::new().claim("groups", groups);
    vec![
        allowed("scopes: nested, as Keycloak's", "nested roles", send("/admin", &roles(json!(["admin"]))))
            .identity("johndoe", "admin", "token"),
        lacking("scopes: nested, and not there", "nested roles", "/admin", &roles(json!(["user"])), "admin"),
        allowed(
            "scopes: all claims together",
            "all scopes",
            send(
                "/admin",
                &Token::new()
                    .claim("scp", "access_as_user")
                    .claim("roles", json!(["admin", "access_as_user"])),
            ),
        )
        .identity("johndoe", "access_as_user admin", "token"),
        allowed(
            "scopes: all claims, by a pointer",
            "all scopes",
            send("/admin", &Token::new().claim("my.app", json!({"roles": ["admin"]}))),
        ),
        allowed(
            "scopes: null is absence",
            "token",
            send("/", &Token::new().claim("scopes", Value::Null).claim("scope", "items:read")),
        )
        .identity("johndoe", "items:read", "token"),
        allowed("nbf null is absence", "token", send("/", &Token::reader().claim("nbf", Value::Null))),
        allowed("iat null is absence", "token", send("/", &Token::reader().claim("iat", Value::Null))),
        lacking(
            "scopes: a group with spaces is no scope",
            "groups",
            "/admin",
            &groups(json!(["Friends of admin root"])),
            "admin",
        ),
        allowed(
            "scopes: a group with spaces is not told",
            "groups",
            send("/", &groups(json!(["Friends of admin root", "readers"]))),
        )
        .identity("johndoe", "readers", "token"),
        allowed(
            "roles: a group with spaces grants scopes",
            "roles",
            send("/admin", &groups(json!(["Domain Admins"]))),
        )
        .identity("johndoe", "admin items:read", "token"),
        allowed("roles: one as text", "roles", send("/admin", &groups(json!("Domain Admins")))),
        allowed(
            "roles: of a nested claim, beside the token's own scopes",
            "roles",
            send(
                "/read",
                &Token::new()
                    .claim("scope", "x")
                    .claim("resource_access", json!({"app": {"roles": ["reader"]}})),
            ),
        )
        .identity("johndoe", "x items:read", "token"),
        lacking("roles: in another case", "roles", "/admin", &groups(json!(["domain admins"])), "admin"),
        lacking(
            "roles: a part of the name",
            "roles",
            "/admin",
            &groups(json!(["Domain", "Admins"])),
            "admin",
        ),
        lacking(
            "roles: text is one role, with its spaces",
            "roles",
            "/read",
            &groups(json!("x reader")),
            "items:read",
        ),
        lacking("roles: a role is no scope", "roles", "/read", &groups(json!(["items:read"])), "items:read"),
        lacking("roles: of the wrong type", "roles", "/read", &groups(json!({"reader": true})), "items:read"),
        allowed("implied: two steps", "implied", send("/read", &Token::new().claim("scope", "admin")))
            .identity("johndoe", "admin items:write items:read", "token"),
        lacking(
            "implied: not the other way",
            "implied",
            "/admin",
            &Token::new().claim("scope", "items:write"),
            "admin",
        ),
        allowed("implied: an API key", "implied", Request::get("/read").header("X-API-Key", "writer"))
            .identity("writer", "items:write items:read", "key"),
    ]
}

fn subjects() -> Vec<Row> {
    let without = || Token::new().without("sub");
    vec![
        allowed("subject: sub", "subjects", send("/", &Token::new().claim("client_id", "svc")))
            .identity("johndoe", "", "token"),
        allowed("subject: client_id", "subjects", send("/", &without().claim("client_id", "svc")))
            .identity("svc", "", "token"),
        allowed(
            "subject: null is absence",
            "subjects",
            send("/", &Token::new().claim("sub", Value::Null).claim("preferred_username", "jd")),
        )
        .identity("jd", "", "token"),
        allowed("subject: none of them", "subjects", send("/", &without())).without("x-auth-subject"),
        bad_token("subject: the first is a number", "subjects", send("/", &without().claim("client_id", 7))),
        bad_token("subject: the first is empty", "subjects", send("/", &without().claim("client_id", ""))),
        bad_token(
            "subject: the first of subject_claims is required by default",
            "client subject",
            send("/", &Token::new()),
        ),
        allowed(
            "subject: another claim by default",
            "client subject",
            send("/", &without().claim("client_id", "svc")),
        )
        .identity("svc", "", "token"),
        allowed("subject: a user", "subjects that are users", send("/", &Token::new())),
        bad_token(
            "subject: a client is no user of that name",
            "subjects that are users",
            send("/", &without().claim("client_id", "svc")),
        ),
    ]
}

fn headers() -> Vec<Row> {
    let row = |name: &str, claim: &str, value: Value| {
        allowed(format!("headers: {name}"), "headers", send("/", &Token::new().claim(claim, value)))
    };
    let plain = Token::new().sign("HS256");
    let payload = plain.split('.').nth(1).expect("a payload").to_owned();
    vec![
        row("a pointer past a dot", "kubernetes.io", json!({"namespace": "prod"}))
            .with("x-namespace", "prod"),
        row(
            "a pointer into Keycloak's roles",
            "resource_access",
            json!({"my.client": {"roles": ["a", "b"]}}),
        )
        .with("x-roles", "a,b"),
        bad_token(
            "headers: a space at the end refuses",
            "headers",
            send("/", &Token::new().claim("name", "John ")),
        ),
        bad_token(
            "headers: a line feed refuses, where that is said",
            "headers",
            send("/", &Token::new().claim("strict", "a\nb")),
        ),
        row("a space at the end leaves the header out", "nick", json!("John ")).without("x-nick"),
        row("a good value where another is left out", "nick", json!("John")).with("x-nick", "John"),
        row("a space at the end is encoded", "address", json!("John ")).with("x-address", "John%20"),
        row("a line feed is encoded", "address", json!("Street 1\nCity"))
            .with("x-address", "Street%201%0ACity"),
        row("a NUL is encoded", "address", json!("a\0b")).with("x-address", "a%00b"),
        row("a percent sign is encoded", "address", json!("100%25")).with("x-address", "100%2525"),
        row("a good value is as it is", "address", json!("Street 1, Bern"))
            .with("x-address", "Street 1, Bern"),
        row("an empty list is no header", "nick", json!([])).without("x-nick"),
        row("an empty text is no header", "address", json!("")).without("x-address"),
        allowed(
            "headers: an empty list leaves none of the client's",
            "headers",
            send("/", &Token::new().claim("nick", json!([]))).header("x-nick", "forged"),
        )
        .without("x-nick"),
        allowed(
            "headers: the payload as it stood",
            "headers",
            Request::get("/").bearer(&plain).header("x-payload", "forged"),
        )
        .with("x-payload", &payload),
    ]
}
