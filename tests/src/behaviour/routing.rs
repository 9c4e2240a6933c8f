//! Which rule a request falls under, and paths that have two readings.

use crate::http::Request;

use super::{BEARER, BEARER_READ, Row, allowed, refused};

const P: &str = "routing";

fn none(name: impl Into<String>, request: Request) -> Row {
    refused(name, P, request, 403, "Forbidden", &[])
}

pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for path in [
        "/items/special",
        "/items/7",
        "/items/a%20b",
        "/items/%6Fne",
        "/items/7?x=//..;%2F#",
        "/items/7/parts/x",
        "/docs",
        "/docs/",
        "/docs/a/b",
        "/docs?x",
        "/static",
        "/static/",
        "/static/a",
        "/v1/open",
        "/v42/open",
        "/a",
        "/b",
        "/reports/2024-05.csv",
        "/reports/2024-05.tar.gz",
        "/users/7:suspend",
        "/users/%C3%A4:suspend",
        "/with%20space",
        "/first",
        "/",
        "/?a=b",
        "/d%6fcs/x",
    ] {
        let path = path.trim_end_matches('#');
        rows.push(allowed(format!("matches: {path}"), P, Request::get(path)).path(path));
    }
    for path in [
        "/items",
        "/items/",
        "/items/7/",
        "/items/7/parts",
        "/items/7/parts/",
        "/items/7/parts/x/y",
        "/Items/7",
        "/docsx",
        "/documents",
        "/xdocs",
        "/v1/openx",
        "/x/v1/open",
        "/v/open",
        "/ab",
        "/a/b",
        "/staticfiles",
        "/reports/2024.csv",
        "/reports/-05.csv",
        "/reports/2024-.csv",
        "/reports/2024-05.",
        "/reports/2024-05.csv/x",
        "/users/:suspend",
        "/users/7:suspended",
        "/with+space",
    ] {
        rows.push(none(format!("matches nothing: {path}"), Request::get(path)));
    }
    for (what, path) in [
        ("a rule for HEAD is for HEAD", "/split"),
        ("a rule for HEAD is for HEAD, whatever its parameters are called", "/twins/7/a.b"),
        ("a rule for HEAD is for HEAD, whether its prefix ends in a slash or not", "/halves/7"),
    ] {
        let request = Request::new("HEAD", path);
        let mut head = refused(format!("method: {what}"), P, request, 401, "Not authenticated", &[BEARER]);
        // An answer to HEAD has no body.
        head.expect.body = None;
        rows.push(head);
        rows.push(allowed(format!("method: GET where {what}"), P, Request::get(path)));
    }
    rows.extend([
        allowed("method: HEAD is named too", P, Request::new("HEAD", "/items/7")),
        none("method: POST is not", Request::new("POST", "/items/7")),
        allowed("method: GET covers HEAD", P, Request::new("HEAD", "/read")),
        none("method: GET covers nothing else", Request::new("OPTIONS", "/read")),
        allowed("method: GET beside a rule for HEAD", P, Request::get("/split")),
        none(
            "method: an override header does not count",
            Request::new("POST", "/items/7").header("X-HTTP-Method-Override", "GET"),
        ),
        allowed("method: any, where none is named", P, Request::new("DELETE", "/docs")),
        refused(
            "first match wins, and a later one never opens",
            P,
            Request::get("/secret/x"),
            401,
            "Not authenticated",
            &[BEARER_READ],
        ),
        allowed("host: exact", P, Request::get("/hosted").host("open.example.com")),
        allowed("host: in upper case with port", P, Request::get("/hosted").host("OPEN.Example.com:8443")),
        allowed("host: below the wildcard", P, Request::get("/hosted").host("a.b.wild.example.com")),
        allowed("host: with the root's dot", P, Request::get("/hosted").host("open.example.com.")),
        allowed("host: IPv6 with port", P, Request::get("/hosted").host("[::1]:80")),
        allowed(
            "host: configured with the root's dot",
            P,
            Request::get("/hosted").host("rooted.example.com"),
        ),
        none("host: the wildcard's own domain", Request::get("/hosted").host("wild.example.com")),
        refused(
            "host: a user before it, which some readers cut off",
            P,
            Request::get("/hosted").host("x@open.example.com"),
            400,
            "Ambiguous host",
            &[],
        ),
        refused(
            "host: two, as Envoy joins two headers",
            P,
            Request::get("/hosted").host("open.example.com,other.example.com"),
            400,
            "Ambiguous host",
            &[],
        ),
        none("host: another", Request::get("/hosted").host("open.example.com.evil.example")),
        none("host: glued to the name", Request::get("/hosted").host("xopen.example.com")),
    ]);
    for path in [
        "//docs",
        "/docs//x",
        "/docs/./x",
        "/docs/../secret",
        "/docs/..",
        "/docs/.",
        "/docs/%2e%2e/secret",
        "/docs/%2E./secret",
        "/docs/.%2e",
        "/docs%2Fx",
        "/docs%2fx",
        "/docs/%2F",
        "/docs%5Cx",
        "/docs\\x",
        "/docs/..;/secret",
        "/docs;x=1",
        "/docs%3Bx",
        "/docs%23x",
        "/docs%00",
        "/docs/%zz",
        "/docs/%",
        "/docs/%2",
        "/docs/%252e%252e/secret",
        "/docs/%2525",
        "/docs/100%25",
        "/docs/%ff",
        "/docs/%c0%ae%c0%ae/secret",
        "/docs/%0a",
        "/docs/%7f",
        "/secret/%2e%2e/docs",
        "/docs/x%2f..%2fsecret",
    ] {
        let name = format!("ambiguous: {path}");
        rows.push(refused(name, P, Request::get(path), 400, "Ambiguous path", &[]));
    }
    let long = |path: &str, bytes: usize, query: &str| {
        Request::get(format!("{path}{}{query}", "a".repeat(bytes.saturating_sub(path.len()))))
    };
    let too_long = |name: &str, request: Request| refused(name, P, request, 414, "URI Too Long", &[]);
    rows.extend([
        allowed("length: the longest path that is read", P, long("/docs/", 2048, "")),
        allowed("length: a query is not counted", P, long("/docs/", 2048, &format!("?{}", "b".repeat(9000)))),
        too_long("length: a byte more", long("/docs/", 2049, "")),
        too_long("length: a byte more, then a query", long("/docs/", 2049, "?x=1")),
        allowed("length: as it is set", "long paths", long("/docs/", 8192, "")),
        refused(
            "length: a byte more than is set",
            "long paths",
            long("/docs/", 8193, ""),
            414,
            "URI Too Long",
            &[],
        ),
        too_long("length: of 55,000 bytes", long("/docs/", 55_000, "")),
        too_long(
            "length: what regular expressions have not decided",
            Request::get(format!("/v{}", "1".repeat(1000))),
        ),
    ]);
    rows
}
