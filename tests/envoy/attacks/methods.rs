//! Methods, what else is said of them, and preflights, which are let through for theirs.

use lychgate_tests::http::Request;
use lychgate_tests::tokens::Token;

use super::credentials::reader;
use super::h2;
use super::policies::API_KEY;
use super::table::{Attack, FORGED, Story, cut_off, disarmed, legitimate, refused, story, unauthenticated};

pub fn stories() -> Vec<Story> {
    vec![
        story("A method in lower case, or an unknown one, where a rule is for one method", methods()),
        story("A word about another method than the one on the request line", overrides()),
        story("A preflight that is none: a preflight needs no credential", preflights()),
    ]
}

fn line(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n")
}

fn methods() -> Vec<Attack> {
    let mut attacks = Vec::new();
    // GET of an item is public, and HEAD with it; everything else wants a token.
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
        attacks.push(unauthenticated(method, "raw", Request::new(method, "/items/7")));
    }
    // What HTTP/1.1 does not know, Envoy refuses; HTTP/2 has it pass, and no rule is for it.
    for method in ["get", "Get", "gET", "GETX", "FOO", "M-SEARCH", "*"] {
        attacks.push(refused(format!("{method:?} in HTTP/1.1"), "raw", line(method, "/items/7", ""), 400));
        let request = super::h2::Request::new(method, "/items/7");
        attacks.push(unauthenticated(format!("{method:?} in HTTP/2"), "raw", request));
    }
    for method in ["PROPFIND", "SEARCH", "PURGE", "REPORT"] {
        attacks.push(unauthenticated(format!("{method:?} in HTTP/1.1"), "raw", line(method, "/items/7", "")));
        let request = super::h2::Request::new(method, "/items/7");
        attacks.push(unauthenticated(format!("{method:?} in HTTP/2"), "raw", request));
    }
    for method in ["G E T", "", "GET,POST"] {
        attacks.push(refused(format!("{method:?} in HTTP/1.1"), "raw", line(method, "/items/7", ""), 400));
        let request = super::h2::Request::new(method, "/items/7");
        attacks.push(cut_off(format!("{method:?} in HTTP/2"), "raw", request));
    }
    attacks.push(legitimate("GET", "raw", Request::get("/items/7")));
    // Everything but GET of a report is public. A server behind HTTP/2 may take "get" for GET.
    attacks.push(unauthenticated(
        "GET where every other method is public",
        "raw",
        Request::get("/reports/7"),
    ));
    for method in ["get", "Get", "gET", "head"] {
        let name = format!("{method:?} where every method but GET is public");
        attacks.push(refused(name, "raw", h2::Request::new(method, "/reports/7"), 403));
    }
    for method in ["get", "Get", "gET", "head"] {
        let name = format!("{method:?} where every method but GET is on trial");
        attacks.push(refused(name, "raw", h2::Request::new(method, "/trials/7"), 403));
    }
    attacks.push(legitimate(
        "PUT where every method but GET is on trial",
        "raw",
        Request::new("PUT", "/trials/7"),
    ));
    attacks.push(legitimate(
        "PUT where every method but GET is public",
        "raw",
        Request::new("PUT", "/reports/7"),
    ));
    attacks
}

fn overrides() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for name in
        ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X_HTTP_Method_Override", "_method"]
    {
        for method in ["POST", "DELETE"] {
            let request = Request::new(method, "/items/7").header(name, "GET");
            attacks.push(unauthenticated(format!("{method} with {name}: GET"), "raw", request));
        }
    }
    for target in ["/items/7?_method=GET", "/items/7?method=GET&X-HTTP-Method-Override=GET"] {
        attacks.push(unauthenticated(format!("DELETE {target}"), "raw", Request::new("DELETE", target)));
    }
    let form = Request::post("/items/7").body("application/x-www-form-urlencoded", "_method=GET");
    attacks.push(unauthenticated("POST with _method in its form", "raw", form));
    attacks
}

fn preflights() -> Vec<Attack> {
    let request = |method: &str| Request::new(method, "/me");
    let origin = "https://attacker.example";
    let both = |method: &str| {
        request(method).header("Origin", origin).header("Access-Control-Request-Method", "GET")
    };
    let mut attacks = vec![
        unauthenticated(
            "OPTIONS without Origin",
            "raw",
            request("OPTIONS").header("Access-Control-Request-Method", "GET"),
        ),
        unauthenticated(
            "OPTIONS without the method asked for",
            "raw",
            request("OPTIONS").header("Origin", origin),
        ),
        unauthenticated("OPTIONS alone", "raw", request("OPTIONS")),
        unauthenticated(
            "OPTIONS with the headers asked for only",
            "raw",
            request("OPTIONS").header("Origin", origin).header("Access-Control-Request-Headers", "x"),
        ),
        unauthenticated(
            "OPTIONS with underscores",
            "raw",
            request("OPTIONS").header("Origin", origin).header("Access_Control_Request_Method", "GET"),
        ),
        unauthenticated(
            "OPTIONS with a Referer for an Origin",
            "raw",
            request("OPTIONS").header("Referer", origin).header("Access-Control-Request-Method", "GET"),
        ),
        unauthenticated(
            "POST with X-HTTP-Method-Override: OPTIONS",
            "raw",
            both("POST").header("X-HTTP-Method-Override", "OPTIONS"),
        ),
        refused(
            "a preflight to an ambiguous path",
            "raw",
            Request::new("OPTIONS", "//me")
                .header("Origin", origin)
                .header("Access-Control-Request-Method", "GET"),
            400,
        ),
        unauthenticated("a preflight where preflights are checked", "checked", both("OPTIONS")),
        disarmed(
            "a preflight with a forged subject",
            "raw",
            both("OPTIONS").header("X-Auth-Subject", FORGED).header("x_auth_subject", FORGED),
        )
        .without("x-auth-subject"),
        legitimate("a preflight", "raw", both("OPTIONS")),
    ];
    for method in ["GET", "POST", "PUT", "DELETE"] {
        attacks.push(unauthenticated(
            format!("{method} with the headers of a preflight"),
            "raw",
            both(method),
        ));
    }
    attacks.extend(laden(&both("OPTIONS")));
    attacks.push(refused("options in lower case", "raw", both("options"), 400));
    attacks.push(refused("HEAD with the headers of a preflight", "raw", both("HEAD"), 401));
    attacks
}

/// A browser's preflight has no credential and no body.
fn laden(preflight: &Request) -> Vec<Attack> {
    let text = "OPTIONS /me HTTP/1.1\r\nHost: localhost\r\nOrigin: https://attacker.example\r\n\
                Access-Control-Request-Method: GET\r\n";
    let over_http2 = || h2::Request::from(preflight);
    let stranger = Token::reader().sign_by_stranger("HS256");
    vec![
        refused("a preflight with a token of another user", "raw", preflight.clone().bearer(&stranger), 401),
        unauthenticated(
            "a preflight with a password",
            "raw",
            preflight.clone().header("Authorization", "Basic am9objpzZWNyZXQ="),
        ),
        unauthenticated("a preflight with a key", "raw", preflight.clone().header("X-API-Key", API_KEY)),
        unauthenticated(
            "a preflight with a cookie",
            "raw",
            preflight.clone().header("Cookie", format!("session={API_KEY}")),
        ),
        unauthenticated("a preflight with a body", "raw", preflight.clone().body("text/plain", "x")),
        unauthenticated(
            "a preflight with a body in chunks",
            "raw",
            format!("{text}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
        ),
        unauthenticated(
            "a preflight with an empty body in chunks",
            "raw",
            format!("{text}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        unauthenticated(
            "a preflight with a body of HTTP/2, whose length is not stated",
            "raw",
            over_http2().body(b"x"),
        ),
        unauthenticated("a preflight with trailers", "raw", over_http2().trailer("x-auth-subject", FORGED)),
        legitimate("a preflight that says it has no body", "raw", format!("{text}Content-Length: 0\r\n\r\n")),
        legitimate("a preflight of HTTP/2", "raw", over_http2()),
        disarmed(
            "a preflight with a good token, which is a request",
            "raw",
            preflight.clone().bearer(reader()),
        )
        .with("x-auth-subject", "johndoe")
        .without("authorization"),
    ]
}
