//! What a rule matches by besides path, method and host: exceptions, networks, headers, paths with two readings.

use serde_json::{Value, json};

use crate::http::Request;
use crate::tokens::Token;

use super::policies::oauth2;
use super::{BEARER, BEARER_READ, Row, allowed, refused};

const P: &str = "matching";
const ODD: &str = "odd paths";
const ABOVE: &str = "odd paths below rules";
const TRIAL: &str = "odd paths on trial";

pub fn policies() -> Vec<(&'static str, Value)> {
    let schemes = json!({"token": oauth2(json!({}))});
    let needed = json!([{"token": []}]);
    let all = json!(["encoded_slash", "encoded_percent", "semicolon", "empty_segment"]);
    vec![
        (
            P,
            json!({
                "schemes": schemes,
                "rules": [
                    {"match": {"prefix": "/denied"}, "security": "denied"},
                    {"match": {"prefix": "/denied/", "methods": ["GET"]}, "security": []},
                    {"match": {"prefix": "/open", "not": {"paths": ["/open/closed/{id}"], "prefixes": ["/open/private", "/open/v1*"],
                        "methods": ["GET", "DELETE"], "hosts": ["closed.example.com", "*.closed.example.com"]}}, "security": []},
                    {"match": {"prefix": "/open"}, "security": needed},
                    {"match": {"prefix": "/near", "client": ["127.0.0.0/8", "::1", "192.0.2.0/24"]}, "security": []},
                    {"match": {"prefix": "/near"}, "security": needed},
                    {"match": {"prefix": "/far", "client": ["203.0.113.1", "2001:db8::/32"]}, "security": []},
                    {"match": {"prefix": "/far"}, "security": needed},
                    {"match": {"path": "/header", "headers": {"X-Stage": "canary"}}, "security": []},
                    {"match": {"path": "/header"}, "security": needed},
                    {"match": {"path": "/headers", "headers": {"x-stage": ["a", "b"], "x-other": {"present": true}}}, "security": []},
                    {"match": {"path": "/headers"}, "security": needed},
                    {"match": {"path": "/no-header", "headers": {"x-stage": {"not": {"present": true}}}}, "security": []},
                    {"match": {"path": "/no-header"}, "security": needed},
                    {"match": {"prefix": "/closed", "headers": {"x-stage": "closed"}}, "security": "denied"},
                    {"match": {"prefix": "/closed", "headers": {"x-stage": {"not": ["open", "half"]}}}, "security": needed},
                    {"match": {"prefix": "/closed"}, "security": []},
                    {"match": {"path": "/files/{name:path}"}, "security": []},
                    {"match": {"path": "/trees/{name:path}/meta"}, "security": []},
                    {"match": {"prefix": "/api/v1*"}, "security": []},
                    {"match": {"prefix": "/below/*"}, "security": []},
                ],
            }),
        ),
        (
            ABOVE,
            json!({
                "schemes": schemes,
                "rules": [
                    {"match": {"prefix": "/admin", "allow": all}, "security": "denied"},
                    {"match": {"path": "/x/secret"}, "security": "denied"},
                    {"match": {"path": "/x/{i}", "methods": ["POST"]}, "security": needed},
                    {"match": {"regex": "/z/.*[.]key"}, "security": "denied"},
                    {"match": {"prefix": "/but", "allow": all, "not": {"prefixes": ["/but/secret"], "paths": ["/but/{n}.key"]}}, "security": []},
                    {"match": {"prefix": "/but", "allow": all}, "security": needed},
                    {"match": {"prefix": "/", "allow": all}, "security": []},
                ],
            }),
        ),
        (
            TRIAL,
            json!({
                "schemes": schemes,
                "rules": [
                    {"match": {"prefix": "/admin"}, "security": "denied"},
                    {"match": {"prefix": "/tried"}, "security": "denied", "mode": "dry_run"},
                    {"match": {"prefix": "/tried", "allow": all}, "security": needed},
                    {"match": {"prefix": "/", "allow": all}, "security": needed, "mode": "dry_run"},
                ],
            }),
        ),
        (
            ODD,
            json!({
                "schemes": schemes,
                "rules": [
                    {"match": {"path": "/projects/{id}", "allow": ["encoded_slash"]}, "security": []},
                    {"match": {"path": "/projects/{group}/{id}"}, "security": needed},
                    {"match": {"prefix": "/projects/x/deep"}, "security": needed},
                    {"match": {"regex": "/queues/%2F/.*", "allow": ["encoded_slash"]}, "security": []},
                    {"match": {"prefix": "/percent", "allow": ["encoded_percent"]}, "security": [{"token": ["items:read"]}]},
                    {"match": {"path": "/{cars}", "allow": ["semicolon"]}, "security": []},
                    {"match": {"path": "/bucket/key"}, "security": needed},
                    {"match": {"prefix": "/bucket", "methods": ["GET"], "allow": ["empty_segment", "encoded_slash"]}, "security": []},
                    {"match": {"prefix": "/never"}, "security": []},
                ],
                "security": [],
            }),
        ),
    ]
}

pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let needs =
        |name: &str, policy, request| refused(name, policy, request, 401, "Not authenticated", &[BEARER]);
    let forbidden = |name: &str, request| refused(name, P, request, 403, "Forbidden", &[]);
    let mut head = needs("not: HEAD is as GET", P, Request::new("HEAD", "/open/x"));
    head.expect.body = None;
    let header = |path: &str, headers: &[(&str, &str)]| {
        headers.iter().fold(Request::get(path), |request, (name, value)| request.header(name, *value))
    };
    let twice = |name: &str, headers: &[(&str, &str)], path: &str| {
        refused(name, P, header(path, headers), 400, "Ambiguous header", &[])
    };
    rows.extend([
        forbidden("denied: without a credential", Request::get("/denied")),
        forbidden("denied: with a token", Request::get("/denied/x").bearer(Token::reader().sign("HS256"))),
        allowed("not: what is left", P, Request::post("/open/x")),
        needs("not: a path", P, Request::post("/open/closed/7")),
        allowed("not: below a path", P, Request::post("/open/closed/7/x")),
        needs("not: a prefix", P, Request::post("/open/private/x")),
        needs("not: a prefix within a segment", P, Request::post("/open/v12/x")),
        needs("not: a method", P, Request::new("DELETE", "/open/x")),
        head,
        needs("not: a host", P, Request::post("/open/x").header("host", "closed.example.com")),
        needs("not: a host below", P, Request::post("/open/x").header("host", "a.closed.example.com:8080")),
        allowed("client: in the network", P, Request::get("/near/x")),
        needs("client: in another network", P, Request::get("/far/x")),
        allowed("headers: as asked", P, header("/header", &[("x-stage", "canary")])),
        needs("headers: another value", P, header("/header", &[("x-stage", "canary2")])),
        needs("headers: none", P, header("/header", &[])),
        twice(
            "headers: two lines, one is asked for",
            &[("x-stage", "canary"), ("x-stage", "other")],
            "/header",
        ),
        allowed(
            "headers: two equal lines",
            P,
            header("/header", &[("x-stage", "canary"), ("x-stage", "canary")]),
        ),
        needs(
            "headers: two lines, none is asked for",
            P,
            header("/header", &[("x-stage", "a"), ("x-stage", "b")]),
        ),
        twice(
            "headers: two lines that are asked for",
            &[("x-stage", "a"), ("x-stage", "b"), ("x-other", "")],
            "/headers",
        ),
        needs(
            "headers: two lines, absent is asked for",
            P,
            header("/no-header", &[("x-stage", ""), ("x-stage", "a")]),
        ),
        twice(
            "headers: denied by the second of two lines",
            &[("x-stage", "open"), ("x-stage", "closed")],
            "/closed",
        ),
        twice(
            "headers: denied by the first of two lines",
            &[("x-stage", "closed"), ("x-stage", "open")],
            "/closed",
        ),
        twice(
            "headers: exempt by one of two lines",
            &[("x-stage", "open"), ("x-stage", "other")],
            "/closed/x",
        ),
        forbidden(
            "headers: denied twice",
            header("/closed", &[("x-stage", "closed"), ("x-stage", "closed")]),
        ),
        allowed("headers: exempt", P, header("/closed", &[("x-stage", "half")])),
        allowed(
            "headers: one of two, and another",
            P,
            header("/headers", &[("x-stage", "b"), ("x-other", "")]),
        ),
        needs("headers: one lacks", P, header("/headers", &[("x-stage", "b")])),
        allowed("headers: absent", P, header("/no-header", &[])),
        needs("headers: there though it should not", P, header("/no-header", &[("x-stage", "")])),
        allowed("several segments: one", P, Request::get("/files/a")),
        allowed("several segments: three", P, Request::get("/files/a/b/c")),
        forbidden("several segments: none", Request::get("/files/")),
        allowed("several segments in the middle", P, Request::get("/trees/a/b/meta")),
        forbidden("several segments in the middle: none", Request::get("/trees/meta")),
        allowed("a prefix within a segment: as it is", P, Request::get("/api/v1")),
        allowed("a prefix within a segment: more", P, Request::get("/api/v1beta/x")),
        forbidden("a prefix within a segment: another", Request::get("/api/v2")),
        forbidden("a prefix within a segment: deeper", Request::get("/api/x/v1")),
        allowed("an asterisk below: something", P, Request::get("/below/x/y")),
        forbidden("an asterisk below: not itself", Request::get("/below")),
    ]);
    let ambiguous =
        |name: &str, request| refused(format!("odd path: {name}"), ODD, request, 400, "Ambiguous path", &[]);
    let as_it_came =
        |name: &str, path: &str| allowed(format!("odd path: {name}"), ODD, Request::get(path)).path(path);
    rows.extend([
        as_it_came("encoded slash: one segment, sent on as it came", "/projects/group%2Fproject?x=%2F"),
        as_it_came("encoded slash: in lower case", "/projects/group%2fproject"),
        as_it_came("encoded slash: several", "/projects/a%2Fb%2Fc"),
        as_it_came("a rule that allows it matches others too", "/projects/plain"),
        needs("encoded slash: it separates nothing", ODD, Request::get("/projects/group/project")),
        ambiguous("encoded slash: by no rule without it", Request::get("/projects/a%2Fb/c")),
        ambiguous("encoded slash: by no prefix without it", Request::get("/projects/x/deep%2Fer")),
        ambiguous("encoded slash: not by the default", Request::get("/elsewhere/a%2Fb")),
        ambiguous("encoded slash: by no public rule without it", Request::get("/never/a%2Fb")),
        ambiguous("encoded slash: dots behind it", Request::get("/projects/a%2F..%2Fb")),
        ambiguous("encoded slash: encoded dots behind it", Request::get("/projects/a%2F%2e%2E")),
        ambiguous("encoded slash: encoded twice", Request::get("/projects/a%252Fb")),
        ambiguous("encoded slash: and what is not allowed", Request::get("/projects/a%2Fb;c")),
        as_it_came("encoded slash: alone, by a regex", "/queues/%2F/jobs"),
        ambiguous("encoded slash: another, by a regex", Request::get("/queues/a%2F/jobs")),
        refused(
            "encoded percent: as the rule says",
            ODD,
            Request::get("/percent/100%25.txt"),
            401,
            "Not authenticated",
            &[BEARER_READ],
        ),
        allowed(
            "encoded percent: with what the rule asks",
            ODD,
            Request::get("/percent/100%25.txt").bearer(Token::reader().sign("HS256")),
        )
        .path("/percent/100%25.txt"),
        ambiguous("encoded percent: an encoding again", Request::get("/percent/%252e%252e/x")),
        ambiguous("encoded percent: an encoding in pieces", Request::get("/percent/%25%32%65")),
        as_it_came("semicolon", "/cars;color=red"),
        as_it_came("semicolon: encoded", "/cars%3Bcolor=red"),
        ambiguous("semicolon: dots before it", Request::get("/..;/admin")),
        ambiguous("semicolon: deeper than the rule", Request::get("/cars;color=red/x")),
        as_it_came("empty segment", "/bucket//other"),
        ambiguous("empty segment: what a rule before it is for", Request::get("/bucket//key")),
        as_it_came("empty segment and encoded slash", "/bucket//a%2Fb/"),
        needs("empty segment: without it the stricter rule", ODD, Request::get("/bucket/key")),
        ambiguous("empty segment: another method", Request::post("/bucket//key")),
        ambiguous("empty segment: at the start", Request::get("//bucket/key")),
        ambiguous("backslash: by no rule", Request::get("/bucket/a%5Cb")),
        ambiguous("dot segment: by no rule", Request::get("/bucket//../x")),
    ]);
    for (policy, paths) in [
        (
            ABOVE,
            &[
                "/admin;x/a",
                "//admin/a",
                "/;/admin",
                "/admin%2Fa",
                "/%2Fadmin",
                "/x/secret;a",
                "/x/secret%2F",
                "/x//secret",
                "/but%2Fsecret",
                "/z/a.key;",
                "/z/a.key;b=%2F",
            ][..],
        ),
        (TRIAL, &["/admin;", "/admin;/b", "//admin", "/admin%2Fx", "/%2Fadmin", "/admin%3Bx"]),
    ] {
        for path in paths {
            let name = format!("{policy}: another reading is a rule's before: {path}");
            rows.push(refused(name, policy, Request::get(*path), 400, "Ambiguous path", &[]));
        }
    }
    for path in ["/but/secret;a", "/but//secret", "/but/secret%2Fx", "/but/a.key;b"] {
        let name = format!("{ABOVE}: an exception by another reading leaves it to the next rule: {path}");
        rows.push(needs(&name, ABOVE, Request::get(path)));
    }
    let other = Request::post("/x/a;b");
    rows.extend([
        refused(format!("{ABOVE}: the method counts"), ABOVE, other, 400, "Ambiguous path", &[]),
        allowed(format!("{ABOVE}: another method"), ABOVE, Request::get("/x/a;b")).path("/x/a;b"),
        allowed(format!("{ABOVE}: no rule's before"), ABOVE, Request::get("/y//a;b")).path("/y//a;b"),
        needs("odd paths on trial: a rule before that is on trial", TRIAL, Request::get("/tried/x;a")),
        allowed(format!("{TRIAL}: no rule's before"), TRIAL, Request::get("/y;a")).path("/y;a"),
    ]);
    rows
}
