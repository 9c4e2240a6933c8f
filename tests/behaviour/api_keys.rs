//! API keys, in all three places.

use lychgate_testkit::http::Request;
use lychgate_testkit::tokens::Token;

use super::policies::sha256;
use super::{API_KEY, Row, allowed_as, anonymous, invalid_key, missing, missing_403, row};

fn header(key: &str) -> Request {
    Request::get("/key/header").header("X-API-Key", key)
}

fn query(query: &str) -> Request {
    Request::get(format!("/key/query?{query}"))
}

fn cookie(cookies: &str) -> Request {
    Request::get("/key/cookie").header("Cookie", cookies)
}

pub fn rows() -> Vec<Row> {
    let refused = |name, request| row(name, "api", request, invalid_key());
    let absent = |name, request| row(name, "api", request, missing_403(&[API_KEY]));
    let in_header = |name, request| {
        row(name, "api", request, allowed_as("plain", "header_key").without(&["x-api-key", "x-auth-scopes"]))
    };
    let in_query = |name, request, rest: &str| {
        row(name, "api", request, allowed_as("plain", "query_key").path(&format!("/key/query{rest}")))
    };
    let in_cookie = |name, request| row(name, "api", request, allowed_as("plain", "cookie_key"));
    let digest = sha256("plain-key");
    let mut rows = vec![
        in_header("a key in a header", header("plain-key")),
        in_header(
            "a key in a header of another case",
            Request::get("/key/header").header("x-api-KEY", "plain-key"),
        ),
        row("a key that lasts", "api", header("lasting-key"), allowed_as("lasting", "header_key")),
        refused("an unknown key in a header", header("wrong-key")),
        refused("a key in another case", header("PLAIN-KEY")),
        refused("the beginning of a key", header("plain-ke")),
        refused("a key and more", header("plain-key1")),
        refused("the digest instead of the key", header(&digest)),
        refused("the id instead of the key", header("plain")),
        refused("an expired key", header("expired-key")),
        refused("a disabled key", header("disabled-key")),
        refused("a key that is not UTF-8", Request::get("/key/header").header("X-API-Key", b"\xff\xfe")),
        refused("a key in two headers", header("plain-key").header("X-API-Key", "plain-key")),
        refused("a good key and a bad one", header("plain-key").header("X-API-Key", "wrong-key")),
        refused("a bad key and a good one", header("wrong-key").header("X-API-Key", "plain-key")),
        refused("two keys in one header", header("plain-key, plain-key")),
        absent("no key in a header", Request::get("/key/header")),
        absent("an empty key in a header", header("")),
        absent("a key in another header", Request::get("/key/header").header("X-Api-Keys", "plain-key")),
        absent("a key in the query where a header is asked", Request::get("/key/header?X-API-Key=plain-key")),
        absent(
            "a token where a key is asked",
            Request::get("/key/header").bearer(Token::new().sign("HS256")),
        ),
    ];
    rows.extend([
        in_query("a key in the query", query("api_key=plain-key"), ""),
        in_query("a key first in the query", query("api_key=plain-key&x=1&y=%20b+c"), "?x=1&y=%20b+c"),
        in_query("a key last in the query", query("x=1&x=0&api_key=plain-key"), "?x=1&x=0"),
        in_query(
            "a key in the middle of the query",
            query("b=%41&api_key=plain-key&a&=&c=d=e"),
            "?b=%41&a&=&c=d=e",
        ),
        in_query("a percent-encoded key", query("api_key=%70lain%2Dkey"), ""),
        in_query("a percent-encoded name", query("api%5Fkey=plain-key&x=1"), "?x=1"),
        in_query("a parameter that begins the same", query("api_key=plain-key&api_keys=1"), "?api_keys=1"),
        row(
            "a key that must be percent-encoded",
            "api",
            query("api_key=odd%20key%2B%2F%26%3D%25%C3%A9"),
            allowed_as("odd", "query_key").path("/key/query"),
        ),
        row(
            "a key with its space as plus",
            "api",
            query("api_key=odd+key%2B%2F%26%3D%25%C3%A9"),
            allowed_as("odd", "query_key").path("/key/query"),
        ),
        refused("an unknown key in the query", query("api_key=wrong-key")),
        refused("an expired key in the query", query("api_key=expired-key")),
        refused("a disabled key in the query", query("api_key=disabled-key")),
        refused("a key twice in the query", query("api_key=plain-key&api_key=plain-key")),
        refused("a key twice in the query, once encoded", query("api_key=plain-key&api%5Fkey=wrong-key")),
        absent("no key in the query", query("x=1")),
        absent("no query", Request::get("/key/query")),
        absent("an empty key in the query", query("api_key=")),
        absent("a name without value in the query", query("api_key")),
        absent("a name in another case in the query", query("API_KEY=plain-key")),
        absent(
            "a key in a header where the query is asked",
            Request::get("/key/query").header("api_key", "plain-key"),
        ),
    ]);
    rows.extend([
        row(
            "a key in a cookie",
            "api",
            cookie("api_key=plain-key"),
            allowed_as("plain", "cookie_key").without(&["cookie"]),
        ),
        row(
            "a key in a cookie among others",
            "api",
            cookie("a=1; api_key=plain-key; b=\"2\"; c"),
            allowed_as("plain", "cookie_key").with("cookie", "a=1; b=\"2\"; c"),
        ),
        row(
            "a key in the last cookie",
            "api",
            cookie("a=1; api_keys=2; api_key=plain-key"),
            allowed_as("plain", "cookie_key").with("cookie", "a=1; api_keys=2"),
        ),
        in_cookie("a cookie without the space between", cookie("a=1;api_key=plain-key")),
        in_cookie("a cookie in quotes", cookie("api_key=\"plain-key\"")),
        refused("an unknown key in a cookie", cookie("api_key=wrong-key")),
        refused("an expired key in a cookie", cookie("api_key=expired-key")),
        refused("a disabled key in a cookie", cookie("api_key=disabled-key")),
        refused("a key in two cookies", cookie("api_key=plain-key; api_key=wrong-key")),
        refused(
            "a key in two cookie headers",
            cookie("api_key=plain-key").header("Cookie", "api_key=wrong-key"),
        ),
        absent("no cookie", Request::get("/key/cookie")),
        absent("another cookie", cookie("session=plain-key")),
        absent("an empty key in a cookie", cookie("api_key=")),
        absent("a cookie in another case", cookie("API_KEY=plain-key")),
    ]);
    rows.extend([
        row(
            "a header key goes on with forward",
            "api",
            Request::get("/kept/key").header("X-Kept-Key", "plain-key"),
            allowed_as("plain", "kept_key").with("x-kept-key", "plain-key"),
        ),
        row(
            "a query key goes on with forward",
            "api",
            Request::get("/kept/query?a=1&kept=plain-key"),
            allowed_as("plain", "kept_query").path("/kept/query?a=1&kept=plain-key"),
        ),
        row(
            "a cookie key goes on with forward",
            "api",
            Request::get("/kept/cookie").header("Cookie", "kept=plain-key"),
            allowed_as("plain", "kept_cookie").with("cookie", "kept=plain-key"),
        ),
        row(
            "a key that says 401 to nothing, realm of its own",
            "api",
            Request::get("/key/strict"),
            missing(&["APIKey realm=\"Partners, and others\""]),
        ),
        row(
            "a key that says 401 to nothing says 403 to a bad one",
            "api",
            Request::get("/key/strict").header("X-Strict-Key", "wrong-key"),
            invalid_key(),
        ),
        row(
            "a key on a public route stays",
            "api",
            Request::get("/health").header("X-API-Key", "wrong-key"),
            anonymous().with("x-api-key", "wrong-key"),
        ),
        row(
            "keys of other alternatives do not go on either",
            "api",
            Request::get("/key/any?api_key=plain-key&x=1")
                .header("Cookie", "api_key=plain-key; a=1")
                .header("X-API-Key", "mobile-app-key"),
            allowed_as("mobile-app", "header_key")
                .path("/key/any?x=1")
                .with("cookie", "a=1")
                .without(&["x-api-key"]),
        ),
    ]);
    rows
}
