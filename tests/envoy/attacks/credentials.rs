//! Credentials twice, joined, in headers that only look like those that are asked for.

use lychgate_tests::http::Request;
use lychgate_tests::tokens::Token;

use super::policies::API_KEY;
use super::table::{Attack, Story, bad_token, disarmed, legitimate, refused, story, unauthenticated};

const ON: &str = "raw";

pub fn basic(text: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(text))
}

pub fn reader() -> String {
    Token::reader().sign("HS256")
}

pub fn stories() -> Vec<Story> {
    vec![
        story("Two credentials: the filter looks at one and the upstream at the other", doubled()),
        story("Headers that are not those asked for, and that an upstream may take for them", lookalikes()),
        story("Headers about the original request, which only a trusted proxy may set", rewritten()),
    ]
}

fn doubled() -> Vec<Attack> {
    let (good, bad) = (reader(), Token::reader().sign_by_stranger("HS256"));
    let bearer = |token: &str| format!("Bearer {token}");
    let two = |first: &str, second: &str| {
        Request::get("/me").header("Authorization", first).header("Authorization", second)
    };
    let one = |value: String| Request::get("/me").header("Authorization", value);
    let key = |first: &str, second: &str| {
        Request::get("/key").header("X-API-Key", first).header("X-API-Key", second)
    };
    let wrong_key = |name: &str, request: Request| {
        refused(name, ON, request, 403).says(r#"{"detail":"Invalid API key"}"#)
    };
    vec![
        bad_token("two Authorization headers, the first good", ON, two(&bearer(&good), &bearer(&bad))),
        bad_token("two Authorization headers, the second good", ON, two(&bearer(&bad), &bearer(&good))),
        bad_token("two Authorization headers, both good", ON, two(&bearer(&good), &bearer(&good))),
        disarmed(
            "two Authorization headers, one empty, of which Envoy makes one",
            ON,
            two("", &bearer(&good)),
        )
        .without("authorization")
        .with("x-auth-subject", "johndoe"),
        bad_token(
            "two Authorization headers, Basic and Bearer",
            ON,
            two(&basic("johndoe:secret"), &bearer(&good)),
        ),
        bad_token(
            "two Authorization headers, names in other cases",
            ON,
            Request::get("/me").header("AUTHORIZATION", bearer(&good)).header("authorization", bearer(&bad)),
        ),
        bad_token("two tokens with a comma", ON, one(format!("Bearer {good}, Bearer {bad}"))),
        bad_token("two tokens with a comma and no space", ON, one(format!("Bearer {good},Bearer {bad}"))),
        bad_token("a token and a comma", ON, one(format!("Bearer {good},"))),
        bad_token("a comma and a token", ON, one(format!("Bearer ,{good}"))),
        bad_token("a comma before the scheme", ON, one(format!(",Bearer {good}"))),
        bad_token(
            "Basic and Bearer with a comma",
            ON,
            one(format!("{},Bearer {good}", basic("johndoe:secret"))),
        ),
        bad_token("a token with parameters", ON, one(format!("Bearer {good}, realm=\"x\""))),
        bad_token("a token named by a parameter", ON, one(format!("Bearer token=\"{good}\""))),
        unauthenticated("a tab for the space", ON, one(format!("Bearer\t{good}"))),
        unauthenticated("a no-break space for the space", ON, one(format!("Bearer\u{a0}{good}"))),
        bad_token("Bearer twice", ON, one(format!("Bearer Bearer {good}"))),
        wrong_key("two keys, the first good", key(API_KEY, "wrong")),
        wrong_key("two keys, the second good", key("wrong", API_KEY)),
        wrong_key("two keys, both good", key(API_KEY, API_KEY)),
        wrong_key(
            "two keys with a comma",
            Request::get("/key").header("X-API-Key", format!("{API_KEY}, {API_KEY}")),
        ),
        wrong_key("two keys in the query", Request::get(format!("/query-key?api_key={API_KEY}&api_key=x"))),
        wrong_key(
            "two keys in the query, one by percent-encoding",
            Request::get(format!("/query-key?api%5Fkey=x&api_key={API_KEY}")),
        ),
        wrong_key(
            "two keys in a cookie",
            Request::get("/cookie-key").header("Cookie", format!("session={API_KEY}; session=x")),
        ),
        wrong_key(
            "two keys in two cookies",
            Request::get("/cookie-key")
                .header("Cookie", format!("session={API_KEY}"))
                .header("Cookie", "session=x"),
        ),
        refused(
            "two Basic credentials",
            ON,
            Request::get("/basic")
                .header("Authorization", basic("johndoe:secret"))
                .header("Authorization", basic("johndoe:secret")),
            401,
        ),
        refused(
            "a Basic credential with a zero byte",
            ON,
            Request::get("/basic").header("Authorization", basic("johndoe\0:secret")),
            401,
        ),
        refused(
            "a Basic credential with a user before the user",
            ON,
            Request::get("/basic").header("Authorization", basic("admin:johndoe:secret")),
            401,
        ),
        legitimate("one token", ON, Request::get("/me").bearer(&good))
            .without("authorization")
            .with("x-auth-subject", "johndoe"),
        legitimate("one key", ON, Request::get("/key").header("X-API-Key", API_KEY))
            .without("x-api-key")
            .with("x-auth-subject", "app"),
        legitimate("one key in the query", ON, Request::get(format!("/query-key?a=1&api_key={API_KEY}")))
            .target("/query-key?a=1"),
        legitimate(
            "one key in a cookie",
            ON,
            Request::get("/cookie-key").header("Cookie", format!("a=1; session={API_KEY}")),
        )
        .with("cookie", "a=1"),
        legitimate(
            "one Basic credential",
            ON,
            Request::get("/basic").header("Authorization", basic("johndoe:secret")),
        )
        .without("authorization")
        .with("x-auth-subject", "johndoe"),
    ]
}

fn lookalikes() -> Vec<Attack> {
    let good = format!("Bearer {}", reader());
    let with = |name: &str, value: &str| Request::get("/me").header(name, value);
    let mut attacks = Vec::new();
    for name in [
        "Proxy-Authorization",
        "X-Authorization",
        "X-Forwarded-Authorization",
        "Authorization_",
        "_Authorization",
        "Authorisation",
        "X-Original-Authorization",
        "Http-Authorization",
        "WWW-Authenticate",
        "X-Api-Key",
        "X-Auth-Token",
        "Token",
        "Cookie",
        "X-Auth-Request-Access-Token",
    ] {
        let value = if name == "Cookie" { format!("authorization={good}") } else { good.clone() };
        attacks.push(unauthenticated(format!("a good token in {name}"), ON, with(name, &value)));
    }
    for name in ["X_API_Key", "x_api-key", "X-API_KEY", "XAPIKey", "X-API-Key-", "X--API-Key"] {
        let request = Request::get("/key").header(name, API_KEY);
        attacks.push(refused(format!("a good key in {name}"), ON, request, 403).says("Not authenticated"));
    }
    let query = Request::get(format!("/me?access_token={0}&authorization={0}&token={0}", reader()));
    attacks.push(unauthenticated("a good token in the query, which is not configured", ON, query));
    let key = Request::get(format!("/key?X-API-Key={API_KEY}&api_key={API_KEY}"));
    attacks.push(
        refused("a good key in the query, which is not configured", ON, key, 403).says("Not authenticated"),
    );
    let form =
        Request::post("/me").body("application/x-www-form-urlencoded", format!("access_token={}", reader()));
    attacks.push(unauthenticated(
        "a good token in the body (RFC 6750 section 2.2), which is not configured",
        ON,
        form,
    ));
    // Where Envoy drops underscores, none is left to be taken for a hyphen.
    let key = Request::get("/key").header("X_API_Key", API_KEY);
    attacks.push(refused("a good key in X_API_Key", "dropping", key, 403).says("Not authenticated"));
    attacks
}

fn rewritten() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for name in [
        "x-envoy-original-path",
        "X-Envoy-Original-Path",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-Original-URI",
        "X-Forwarded-Uri",
        "X-Forwarded-Path",
        "X-Forwarded-Prefix",
        "X-Accel-Redirect",
        "X-Envoy-Original-Host",
    ] {
        for (path, meant) in [("/me", "/public/x"), ("/admin/x", "/public/x"), ("/nowhere", "/anonymous")] {
            let request = Request::get(path).header(name, meant);
            attacks.push(unauthenticated(format!("{path} with {name}: {meant}"), ON, request));
        }
    }
    for name in
        ["X-Envoy-Internal", "X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Client-Cert", "Via"]
    {
        let value = match name {
            "X-Envoy-Internal" => "true",
            "Forwarded" => "for=127.0.0.1",
            "X-Forwarded-Client-Cert" => "By=spiffe://a;URI=spiffe://admin",
            _ => "127.0.0.1",
        };
        attacks.push(unauthenticated(
            format!("{name}: {value}"),
            ON,
            Request::get("/me").header(name, value),
        ));
    }
    // Headers that steer Envoy's router: the filter's verdict does not depend on them.
    for name in ["x-envoy-decorator-operation", "x-envoy-upstream-alt-stat-name", "x-envoy-max-retries"] {
        attacks.push(unauthenticated(name, ON, Request::get("/me").header(name, "1")));
    }
    let same = Request::get("/public/x").header("x-envoy-original-path", "/admin/x");
    attacks
        .push(disarmed("a public path that names another as the original one", ON, same).target("/public/x"));
    attacks
}
