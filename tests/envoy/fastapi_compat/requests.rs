//! What is sent to both.

use lychgate_tests::http::Request;
use lychgate_tests::tokens::Token;
use serde_json::json;

/// The requests, each with a name that says route and case.
pub fn requests(tokens: &[(&str, String)]) -> Vec<(String, Request)> {
    let mut requests = Vec::new();
    let basic = |text: &str| {
        use base64::Engine as _;
        format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(text))
    };
    let scoped = |scopes: &[&str]| Token::new().claim("scopes", json!(scopes)).sign("HS256");
    let reader = || Token::reader();
    let none = lychgate_tests::tokens::compact(
        r#"{"alg":"none"}"#,
        r#"{"sub":"johndoe","exp":4000000000}"#,
        |_| vec![],
    );
    let mut bearers: Vec<(&str, Option<String>)> = vec![
        ("missing", None),
        ("good", Some(format!("Bearer {}", reader().sign("HS256")))),
        ("lower-case scheme", Some(format!("bearer {}", reader().sign("HS256")))),
        ("all scopes", Some(format!("Bearer {}", scoped(&["items:read", "items:write", "admin"])))),
        ("write scope only", Some(format!("Bearer {}", scoped(&["items:write"])))),
        ("no scopes", Some(format!("Bearer {}", Token::new().sign("HS256")))),
        ("scope in another case", Some(format!("Bearer {}", scoped(&["Items:Read"])))),
        ("bad signature", Some(format!("Bearer {}", reader().sign_by_stranger("HS256")))),
        ("expired", Some(format!("Bearer {}", reader().claim("exp", 1_000_000_000).sign("HS256")))),
        ("not yet valid", Some(format!("Bearer {}", reader().claim("nbf", 4_000_000_000_i64).sign("HS256")))),
        ("no exp", Some(format!("Bearer {}", reader().without("exp").sign("HS256")))),
        ("no sub", Some(format!("Bearer {}", reader().without("sub").sign("HS256")))),
        ("unknown user", Some(format!("Bearer {}", reader().claim("sub", "mallory").sign("HS256")))),
        ("inactive user", Some(format!("Bearer {}", reader().claim("sub", "gone").sign("HS256")))),
        ("alg none", Some(format!("Bearer {none}"))),
        ("another algorithm", Some(format!("Bearer {}", reader().sign("HS512")))),
        ("malformed", Some("Bearer not.a.token".into())),
        ("one word", Some("Bearer x".into())),
        ("Basic instead", Some(basic("johndoe:secret"))),
        ("Token instead", Some(format!("Token {}", reader().sign("HS256")))),
    ];
    for (name, token) in tokens {
        bearers.push((name, Some(format!("Bearer {token}"))));
    }
    for (method, route) in [
        ("GET", "/users/me"),
        ("GET", "/items/"),
        ("POST", "/items/"),
        ("GET", "/items/7"),
        ("DELETE", "/items/7"),
        ("GET", "/files/reports/2026/a.txt"),
        ("GET", "/files/a"),
        ("GET", "/protected/"),
        ("GET", "/optional/"),
    ] {
        for (name, value) in &bearers {
            let mut request = Request::new(method, route);
            if let Some(value) = value {
                request = request.header("Authorization", value);
            }
            requests.push((format!("{method} {route}: {name}"), request));
        }
    }
    let good = format!("Bearer {}", reader().sign("HS256"));
    requests.push((
        "GET /users/me: two authorization headers".into(),
        Request::get("/users/me").header("Authorization", &good).header("Authorization", &good),
    ));
    for route in ["/data/", "/items/special", "/data/either"] {
        for (name, key) in [
            ("missing", None),
            ("good", Some("good-key")),
            ("wrong", Some("bad-key")),
            ("in another case", Some("Good-Key")),
        ] {
            let mut request = Request::get(route);
            if let Some(key) = key {
                request = request.header("X-API-Key", key);
            }
            let route = if route == "/items/special" { "/data/ special" } else { route };
            requests.push((format!("GET {route}: header {name}"), request));
        }
    }
    let scopeless = format!("Bearer {}", Token::new().sign("HS256"));
    for (name, authorization, key) in [
        ("good", Some(good.as_str()), Some("good-key")),
        ("missing both", None, None),
        ("missing token", None, Some("good-key")),
        ("missing key", Some(good.as_str()), None),
        ("wrong key", Some(good.as_str()), Some("bad-key")),
        ("bad token", Some("Bearer not.a.token"), Some("good-key")),
        ("no scopes", Some(scopeless.as_str()), Some("good-key")),
    ] {
        let mut request = Request::get("/both/");
        for (name, value) in [("Authorization", authorization), ("X-API-Key", key)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        requests.push((format!("GET /both/: {name}"), request));
    }
    for (name, query) in [
        ("missing", ""),
        ("good", "?api_key=good-key"),
        ("wrong", "?api_key=bad"),
        ("good among others", "?a=1&api_key=good-key&b=2"),
        ("encoded", "?api_key=good%2Dkey"),
    ] {
        requests
            .push((format!("GET /data/query: query {name}"), Request::get(format!("/data/query{query}"))));
        requests
            .push((format!("GET /data/either: query {name}"), Request::get(format!("/data/either{query}"))));
    }
    for (name, cookie) in [
        ("missing", None),
        ("good", Some("session_key=good-key")),
        ("wrong", Some("session_key=bad")),
        ("good among others", Some("a=1; session_key=good-key; b=2")),
        ("of another name", Some("session=good-key")),
    ] {
        let request = Request::get("/data/cookie");
        let request = match cookie {
            Some(cookie) => request.header("Cookie", cookie),
            None => request,
        };
        let name = if name == "of another name" { "missing, another cookie" } else { name };
        requests.push((format!("GET /data/cookie: cookie {name}"), request));
    }
    requests.push((
        "GET /data/: two keys".into(),
        Request::get("/data/").header("X-API-Key", "good-key").header("X-API-Key", "other"),
    ));
    for (name, value) in [
        ("missing", None),
        ("good", Some(basic("johndoe:secret"))),
        ("another user", Some(basic("alice:secret"))),
        ("lower-case scheme", Some(basic("alice:secret").replace("Basic", "basic"))),
        ("wrong password", Some(basic("johndoe:guess"))),
        ("unknown user", Some(basic("mallory:secret"))),
        ("empty password", Some(basic("johndoe:"))),
        ("malformed base64", Some("Basic !!!".into())),
        ("malformed: no colon", Some(basic("johndoe"))),
        ("Bearer instead", Some(good.clone())),
    ] {
        let request = Request::get("/basic/");
        let request = match value {
            Some(value) => request.header("Authorization", value),
            None => request,
        };
        requests.push((format!("GET /basic/: {name}"), request));
    }
    let form = |body: &str| Request::post("/token").body("application/x-www-form-urlencoded", body);
    for (name, request) in [
        ("good", form("username=johndoe&password=secret")),
        ("with grant_type", form("grant_type=password&username=johndoe&password=secret")),
        ("with a scope", form("username=johndoe&password=secret&scope=items%3Aread")),
        ("with two scopes", form("username=johndoe&password=secret&scope=items%3Aread+items%3Awrite")),
        ("with client credentials", form("username=johndoe&password=secret&client_id=a&client_secret=b")),
        ("with other fields", form("username=johndoe&password=secret&remember=1")),
        ("wrong password", form("username=johndoe&password=guess")),
        ("unknown user", form("username=mallory&password=secret")),
        ("user in another case", form("username=JohnDoe&password=secret")),
        ("inactive user", form("username=gone&password=secret")),
        ("inactive user, wrong password", form("username=gone&password=guess")),
        ("form without password", form("username=johndoe")),
        ("form without username", form("password=secret")),
        ("form empty", form("")),
        ("form of another grant", form("grant_type=client_credentials&username=johndoe&password=secret")),
        (
            "json",
            Request::post("/token").body("application/json", r#"{"username":"johndoe","password":"secret"}"#),
        ),
        ("username twice", form("username=gone&username=johndoe&password=secret")),
        ("unknown method: GET", Request::get("/token")),
    ] {
        requests.push((format!("POST /token: {name}"), request));
    }
    for (name, request) in [
        ("GET /health", Request::get("/health")),
        ("GET /health with a bad token", Request::get("/health").bearer("x")),
        ("unknown path", Request::get("/nowhere")),
        ("unknown path with a good token", Request::get("/nowhere").header("Authorization", &good)),
        ("unknown method", Request::new("PUT", "/items/").header("Authorization", &good)),
        ("ambiguous: doubled slash", Request::get("//items/").header("Authorization", &good)),
        ("ambiguous: dots", Request::get("/items/../users/me").header("Authorization", &good)),
        ("a concrete path with a token only", Request::get("/items/7?x=1").header("Authorization", &good)),
    ] {
        requests.push((name.to_owned(), request));
    }
    requests
}
