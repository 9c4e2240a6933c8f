//! Requirements: OpenAPI's OR, AND, `{}` and `[]`, and whose failure is told.

use lychgate_testkit::http::Request;
use lychgate_testkit::tokens::Token;

use super::{
    API_KEY, BEARER, BEARER_INVALID, Expect, Row, allowed_as, anonymous, denied, invalid_key, invalid_token,
    key_scope_lacking, missing, missing_403, row, scope_lacking,
};

fn get(path: &str) -> Request {
    Request::get(path)
}

fn with_key(path: &str, key: &str) -> Request {
    get(path).header("X-API-Key", key)
}

fn bad_token(challenges: &[&str]) -> Expect {
    denied(401, "Could not validate credentials").challenges(challenges)
}

pub fn rows() -> Vec<Row> {
    let api = |name, request, expect| row(name, "api", request, expect);
    let plain = Token::new().sign("HS256");
    let reader = Token::reader().sign("HS256");
    let writer = Token::new().claim("scope", "items:write").sign("HS256");
    let admin = Token::new().claim("scope", "admin").sign("HS256");
    let stranger = Token::reader().sign_by_stranger("HS256");
    let item = "/items/1";
    let mut rows = vec![
        api("OR: neither", get(item), missing(&[BEARER, API_KEY])),
        api(
            "OR: a token",
            get(item).bearer(&reader),
            allowed_as("johndoe", "oauth2").with("x-auth-scopes", "items:read"),
        ),
        api(
            "OR: a key",
            with_key(item, "mobile-app-key"),
            allowed_as("mobile-app", "header_key").with("x-auth-scopes", "items:read"),
        ),
        api(
            "OR: both good, the first counts",
            with_key(item, "mobile-app-key").bearer(&reader),
            allowed_as("johndoe", "oauth2").without(&["authorization", "x-api-key"]),
        ),
        api(
            "OR: a bad token and a good key",
            with_key(item, "mobile-app-key").bearer(&stranger),
            allowed_as("mobile-app", "header_key").without(&["authorization", "x-api-key"]),
        ),
        api(
            "OR: a good token and a bad key",
            with_key(item, "wrong-key").bearer(&reader),
            allowed_as("johndoe", "oauth2").without(&["authorization", "x-api-key"]),
        ),
        api(
            "OR: a token without scope and a good key",
            with_key(item, "mobile-app-key").bearer(&plain),
            allowed_as("mobile-app", "header_key").with("x-auth-scopes", "items:read"),
        ),
        api(
            "OR: Basic and a good key",
            with_key(item, "mobile-app-key").header("Authorization", "Basic YTpi"),
            allowed_as("mobile-app", "header_key").with("authorization", "Basic YTpi"),
        ),
        api("OR: a bad token alone", get(item).bearer(&stranger), bad_token(&[BEARER_INVALID, API_KEY])),
        api("OR: a bad key alone", with_key(item, "wrong-key"), invalid_key()),
        api(
            "OR: both bad, the first is told",
            with_key(item, "wrong-key").bearer(&stranger),
            bad_token(&[BEARER_INVALID, API_KEY]),
        ),
        api(
            "OR: lacking scope is nearer than a bad key",
            with_key(item, "wrong-key").bearer(&plain),
            scope_lacking("items:read"),
        ),
        api(
            "OR: lacking scope is nearer than a bad token",
            with_key(item, "plain-key").bearer(&stranger),
            key_scope_lacking("items:read"),
        ),
        api(
            "OR: lacking scope is nearer than nothing",
            with_key(item, "plain-key"),
            key_scope_lacking("items:read"),
        ),
        api(
            "OR: both lack scope, the first is told",
            with_key(item, "plain-key").bearer(&plain),
            scope_lacking("items:read"),
        ),
        api(
            "OR: both lack scope, the other way round",
            with_key("/write", "mobile-app-key").bearer(&reader),
            key_scope_lacking("items:write"),
        ),
        api(
            "OR: the second scheme has the scope",
            with_key("/write", "mobile-app-key").bearer(&writer),
            allowed_as("johndoe", "oauth2"),
        ),
        api("OR: nothing where all say 403", get("/key/any"), missing_403(&[API_KEY])),
        api(
            "OR: nothing where one says 401",
            get("/key/mixed"),
            missing(&[API_KEY, "APIKey realm=\"Partners, and others\""]),
        ),
        api(
            "OR: a key in the query",
            get("/key/any?api_key=plain-key"),
            allowed_as("plain", "query_key").path("/key/any"),
        ),
        api(
            "OR: a key in a cookie",
            get("/key/any").header("Cookie", "api_key=plain-key"),
            allowed_as("plain", "cookie_key"),
        ),
        api(
            "OR: a bad key and a good one elsewhere",
            with_key("/key/any?api_key=plain-key", "wrong-key"),
            allowed_as("plain", "query_key").path("/key/any").without(&["x-api-key"]),
        ),
        api("the same token twice over: nothing", get("/same"), missing(&[BEARER])),
        api(
            "the same token twice over: the first",
            get("/same").bearer(&reader),
            allowed_as("johndoe", "bearer"),
        ),
        api(
            "the same token twice over: the second",
            get("/same").bearer(&admin),
            allowed_as("johndoe", "oauth2"),
        ),
        api("the same token twice over: neither", get("/same").bearer(&plain), scope_lacking("items:read")),
        api("the same token twice over: bad", get("/same").bearer(&stranger), invalid_token()),
    ];
    rows.extend([
        api("AND: nothing", get("/admin/x"), missing(&[API_KEY, BEARER])),
        api(
            "AND: both",
            with_key("/admin/x", "plain-key").bearer(&admin),
            allowed_as("johndoe", "header_key,oauth2")
                .with("x-auth-scopes", "admin")
                .without(&["authorization", "x-api-key"]),
        ),
        api(
            "AND: scopes of both",
            with_key("/admin/x", "mobile-app-key").bearer(&admin),
            allowed_as("johndoe", "header_key,oauth2").with("x-auth-scopes", "admin items:read"),
        ),
        api("AND: the token alone", get("/admin/x").bearer(&admin), missing_403(&[API_KEY])),
        api("AND: the key alone", with_key("/admin/x", "plain-key"), missing(&[BEARER])),
        api(
            "AND: a bad token and a good key",
            with_key("/admin/x", "plain-key").bearer(&stranger),
            invalid_token(),
        ),
        api(
            "AND: a bad token alone",
            get("/admin/x").bearer(&stranger),
            bad_token(&[API_KEY, BEARER_INVALID]),
        ),
        api(
            "AND: a bad key and a good token",
            with_key("/admin/x", "wrong-key").bearer(&admin),
            invalid_key(),
        ),
        api("AND: a bad key alone", with_key("/admin/x", "wrong-key"), invalid_key()),
        api(
            "AND: the token lacks scope",
            with_key("/admin/x", "plain-key").bearer(&reader),
            scope_lacking("admin"),
        ),
        api(
            "AND: the key cannot lend its scope",
            with_key("/admin/x", "admin-tool-key").bearer(&reader),
            scope_lacking("admin"),
        ),
        api(
            "AND: the token lacks scope and the key is missing",
            get("/admin/x").bearer(&reader),
            missing_403(&[API_KEY]),
        ),
        api("AND or OR: nothing", get("/twice"), missing(&[API_KEY, BEARER])),
        api("AND or OR: half of the AND", with_key("/twice", "plain-key"), missing(&[API_KEY, BEARER])),
        api(
            "AND or OR: the AND",
            with_key("/twice?api_key=mobile-app-key", "plain-key"),
            allowed_as("plain", "header_key,query_key").path("/twice"),
        ),
        api(
            "AND or OR: half of the AND and the other",
            with_key("/twice", "plain-key").bearer(&plain),
            allowed_as("johndoe", "oauth2").without(&["x-api-key", "authorization"]),
        ),
    ]);
    rows.extend([
        api("optional: nothing", get("/optional"), anonymous()),
        api("optional: a good token", get("/optional").bearer(&reader), allowed_as("johndoe", "oauth2")),
        api("optional: a bad token", get("/optional").bearer(&stranger), invalid_token()),
        api("optional: an empty token", get("/optional").header("Authorization", "Bearer "), invalid_token()),
        api("optional: a token without scope", get("/optional").bearer(&plain), scope_lacking("items:read")),
        api(
            "optional: two Authorization headers",
            get("/optional").bearer(&reader).bearer(&reader),
            invalid_token(),
        ),
        api(
            "optional: another scheme stays",
            get("/optional").header("Authorization", "Basic YTpi"),
            anonymous().with("authorization", "Basic YTpi"),
        ),
        api("optional first: nothing", get("/optional/first"), anonymous()),
        api(
            "optional first: a good token",
            get("/optional/first").bearer(&plain),
            allowed_as("johndoe", "oauth2"),
        ),
        api("optional first: a bad token", get("/optional/first").bearer(&stranger), invalid_token()),
        api(
            "anonymous only: a token stays",
            get("/anyone").bearer(&stranger),
            anonymous().with("authorization", format!("Bearer {stranger}")),
        ),
        api("public: nothing", get("/health"), anonymous()),
        api(
            "public: a bad token stays",
            get("/health").bearer(&stranger),
            anonymous().with("authorization", format!("Bearer {stranger}")),
        ),
        api("public: two Authorization headers", get("/health").bearer(&plain).bearer(&plain), anonymous()),
        api("default: nothing", get("/no/rule"), missing(&[BEARER])),
        api("default: a good token", get("/no/rule").bearer(&plain), allowed_as("johndoe", "oauth2")),
        api("http bearer says 403 to nothing", get("/bearer"), missing_403(&[BEARER])),
        api("http bearer says 401 to a bad token", get("/bearer").bearer(&stranger), invalid_token()),
        api("http bearer: a good token", get("/bearer").bearer(&plain), allowed_as("johndoe", "bearer")),
        api("openIdConnect says 401 to nothing", get("/oidc"), missing(&[BEARER])),
        api("openIdConnect: a good token", get("/oidc").bearer(&plain), allowed_as("johndoe", "oidc")),
        api("oauth2 with missing_status 403", get("/lenient"), missing_403(&[BEARER])),
        api(
            "oauth2 with missing_status 403: a bad token",
            get("/lenient").bearer(&stranger),
            invalid_token(),
        ),
        row("no rule and no default", "closed", get("/"), denied(403, "Forbidden")),
        row(
            "no rule and no default, with a token",
            "closed",
            get("/").bearer(&plain),
            denied(403, "Forbidden"),
        ),
    ]);
    rows
}
