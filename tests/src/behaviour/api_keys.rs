//! API keys in header, query and cookie.

use crate::http::Request;

use super::{API_KEY, Row, allowed, refused};

fn invalid(name: impl Into<String>, request: Request) -> Row {
    refused(name, "keys", request, 403, "Invalid API key", &[])
}

fn missing(name: impl Into<String>, request: Request) -> Row {
    refused(name, "keys", request, 403, "Not authenticated", &[API_KEY])
}

pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    type Put = fn(&str) -> Request;
    let places: [(&str, &str, Put); 3] = [
        ("header", "header_key", |key| Request::get("/header").header("x-api-key", key)),
        ("query", "query_key", |key| Request::get(format!("/query?api_key={key}"))),
        ("cookie", "cookie_key", |key| Request::get("/cookie").header("Cookie", format!("api_key={key}"))),
    ];
    for (place, scheme, put) in places {
        rows.extend([
            allowed(format!("{place}: a good key"), "keys", put("good-key"))
                .identity("mobile-app", "items:read items:write", scheme)
                .without("x-api-key")
                .without("cookie")
                .path(&format!("/{place}")),
            allowed(format!("{place}: a key that expires later"), "keys", put("reader-key")).identity(
                "reader",
                "items:read",
                scheme,
            ),
            invalid(format!("{place}: a wrong key"), put("wrong-key")),
            invalid(format!("{place}: an expired key"), put("expired-key")),
            invalid(format!("{place}: a disabled key"), put("disabled-key")),
            invalid(format!("{place}: the key in another case"), put("Good-Key")),
            invalid(
                format!("{place}: the stored digest as the key"),
                put(&super::policies::sha256("good-key")),
            ),
            missing(format!("{place}: no key"), Request::get(format!("/{place}"))),
            missing(format!("{place}: an empty key"), put("")),
        ]);
    }
    let cookie = |value: &str| Request::get("/cookie").header("Cookie", value);
    rows.extend([
        invalid(
            "header: two keys",
            Request::get("/header").header("x-api-key", "good-key").header("X-API-Key", "good-key"),
        ),
        invalid(
            "header: two keys, good and bad",
            Request::get("/header").header("x-api-key", "good-key").header("X-API-Key", "x"),
        ),
        invalid(
            "header: two keys with a comma",
            Request::get("/header").header("x-api-key", "good-key,good-key"),
        ),
        invalid("header: not UTF-8", Request::get("/header").header("x-api-key", b"\xff\xfe")),
        invalid("query: two keys", Request::get("/query?api_key=good-key&api_key=good-key")),
        invalid("query: two keys, one name encoded", Request::get("/query?api_key=good-key&api%5Fkey=x")),
        invalid("cookie: two keys", cookie("api_key=good-key; api_key=good-key")),
        invalid("cookie: two keys in two headers", cookie("api_key=good-key").header("cookie", "api_key=x")),
        invalid(
            "cookie: a second one that is not UTF-8",
            Request::get("/cookie").header("cookie", b"api_key=good-key; api_key=\xff"),
        ),
        allowed(
            "query: the key percent-encoded",
            "keys",
            Request::get("/query?api_key=key%20with%2Fodd%2bsigns"),
        )
        .identity("odd", "", "query_key"),
        allowed("query: a plus is a space", "keys", Request::get("/query?api_key=key+with/odd%2Bsigns"))
            .path("/query"),
        allowed("query: the name percent-encoded", "keys", Request::get("/query?api%5Fkey=good-key"))
            .path("/query"),
        allowed(
            "query: the rest stays as it was",
            "keys",
            Request::get("/query?b=%7e&api_key=good-key&a=1&a=&=&c"),
        )
        .path("/query?b=%7e&a=1&a=&=&c"),
        missing("query: another parameter", Request::get("/query?api_keys=good-key")),
        missing("query: the name in another case", Request::get("/query?API_KEY=good-key")),
        allowed("cookie: the rest stays as it was", "keys", cookie("a=1; api_key=good-key; b=\"2\""))
            .with("cookie", "a=1; b=\"2\""),
        allowed("cookie: the value in quotes", "keys", cookie("api_key=\"good-key\"")),
        missing("cookie: another cookie", cookie("xapi_key=good-key")),
        missing("header: the key in the query", Request::get("/header?api_key=good-key")),
        allowed("scope of a key", "keys", Request::get("/write").header("x-api-key", "good-key")),
        refused(
            "scope that a key lacks",
            "keys",
            Request::get("/write").header("x-api-key", "reader-key"),
            403,
            "Not enough permissions",
            &["APIKey realm=\"lychgate\", error=\"insufficient_scope\", scope=\"items:write\""],
        ),
        allowed(
            "forward: the header key stays",
            "keys",
            Request::get("/kept-header").header("X-Kept-Key", "good-key"),
        )
        .with("x-kept-key", "good-key"),
        allowed("forward: the query key stays", "keys", Request::get("/kept-query?kept=good-key&a=1"))
            .path("/kept-query?kept=good-key&a=1"),
        allowed("any place: by cookie", "keys", Request::get("/any").header("cookie", "api_key=good-key"))
            .identity("mobile-app", "items:read items:write", "cookie_key"),
        allowed(
            "any place: keys everywhere, all removed",
            "keys",
            Request::get("/any?api_key=good-key")
                .header("cookie", "api_key=x")
                .header("x-api-key", "good-key"),
        )
        .identity("mobile-app", "items:read items:write", "header_key")
        .without("x-api-key")
        .without("cookie")
        .path("/any"),
        allowed(
            "public: a key is none of our business",
            "keys",
            Request::get("/public?api_key=x").header("x-api-key", "x"),
        )
        .with("x-api-key", "x")
        .path("/public?api_key=x")
        .anonymous(),
        missing("any place: none", Request::get("/any")),
    ]);
    rows
}
