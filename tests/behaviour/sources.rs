//! Where a token may stand (`jwt.from`), and that it does not go on from there.

use lychgate_testkit::http::Request;
use lychgate_testkit::tokens::Token;

use super::{BEARER, BEARER_INVALID, Row, allowed_as, denied, invalid_token, missing, missing_403, row};

pub fn rows() -> Vec<Row> {
    let token = Token::new().sign("HS256");
    let stranger = Token::new().sign_by_stranger("HS256");
    let at = |target: String| Request::get(target);
    let sourced = || Request::get("/sourced");
    let found = || allowed_as("johndoe", "sourced").path("/sourced");
    let in_query = |token: &str| at(format!("/sourced?access_token={token}"));
    let good = |name, request, expect| row(name, "claims", request, expect);
    let refused = |name, request| row(name, "claims", request, invalid_token());
    vec![
        good("in Authorization", sourced().bearer(&token), found().without(&["authorization"])),
        good("in a header of its own", sourced().header("X-Token", &token), found().without(&["x-token"])),
        good(
            "in a header after a prefix",
            sourced().header("X-Prefixed", format!("Token {token}")),
            found().without(&["x-prefixed"]),
        ),
        good(
            "in a header after the prefix in lower case",
            sourced().header("X-Prefixed", format!("token {token}")),
            found().without(&["x-prefixed"]),
        ),
        good("in the query", in_query(&token), found()),
        good(
            "in the query, among others",
            at(format!("/sourced?a=1&access_token={token}&b=%20x&a=2&c")),
            found().path("/sourced?a=1&b=%20x&a=2&c"),
        ),
        good(
            "in a cookie",
            sourced().header("Cookie", format!("session={token}")),
            found().without(&["cookie"]),
        ),
        good(
            "in a cookie, among others",
            sourced().header("Cookie", format!("theme=dark; session={token}; lang=uk")),
            found().with("cookie", "theme=dark; lang=uk"),
        ),
        refused("a stranger's in a header of its own", sourced().header("X-Token", &stranger)),
        refused("a stranger's in the query", in_query(&stranger)),
        refused("a stranger's in a cookie", sourced().header("Cookie", format!("session={stranger}"))),
        refused("in two places", in_query(&token).bearer(&token)),
        refused("good in one place and bad in another", in_query(&stranger).bearer(&token)),
        refused("in the query twice", at(format!("/sourced?access_token={token}&access_token={token}"))),
        refused(
            "in a cookie twice",
            sourced().header("Cookie", format!("session={token}; session={stranger}")),
        ),
        refused("in the header twice", sourced().header("X-Token", &token).header("X-Token", &stranger)),
        good("an empty query parameter is none", sourced_with("?access_token="), missing_403(&[BEARER])),
        good("an empty cookie is none", sourced().header("Cookie", "session="), missing_403(&[BEARER])),
        good("an empty header is none", sourced().header("X-Token", ""), missing_403(&[BEARER])),
        good("the prefix is missing", sourced().header("X-Prefixed", &token), missing_403(&[BEARER])),
        row(
            "not in the query unless so said",
            "api",
            at(format!("/me?access_token={token}")),
            missing(&[BEARER]),
        ),
        row(
            "not in a cookie unless so said",
            "api",
            Request::get("/me").header("Cookie", format!("access_token={token}")),
            missing(&[BEARER]),
        ),
        row(
            "not in a header unless so said",
            "api",
            Request::get("/me").header("X-Token", &token),
            missing(&[BEARER]),
        ),
        row(
            "a token goes no further",
            "api",
            Request::get("/me").bearer(&token),
            allowed_as("johndoe", "oauth2").without(&["authorization"]),
        ),
        row(
            "a token goes on with forward",
            "api",
            Request::get("/kept/token").bearer(&token),
            allowed_as("johndoe", "kept_token").with("authorization", format!("Bearer {token}")),
        ),
        row("another realm", "api", Request::get("/kept/token"), missing_403(&["Bearer realm=\"kept\""])),
        row(
            "another realm, bad token",
            "api",
            Request::get("/kept/token").bearer(&stranger),
            denied(401, "Could not validate credentials")
                .challenges(&["Bearer realm=\"kept\", error=\"invalid_token\""]),
        ),
        row("two realms", "api", Request::get("/realms"), missing(&["Bearer realm=\"kept\"", BEARER])),
        row(
            "two realms, bad token",
            "api",
            Request::get("/realms").bearer(&stranger),
            denied(401, "Could not validate credentials")
                .challenges(&["Bearer realm=\"kept\", error=\"invalid_token\"", BEARER_INVALID]),
        ),
    ]
}

fn sourced_with(query: &str) -> Request {
    Request::get(format!("/sourced{query}"))
}
