//! Forged identity: a client that says itself who it is.

use lychgate_tests::http::Request;
use lychgate_tests::tokens::Token;

use super::credentials::{basic, reader};
use super::h2;
use super::policies::API_KEY;
use super::table::{Attack, FORGED, Sent, Story, disarmed, refused, served, story};

/// The headers of the filter's own, in casings and with underscores.
pub const NAMES: [(&str, [&str; 4]); 10] = [
    ("lower case", ["x-auth-subject", "x-auth-scopes", "x-auth-scheme", "x-auth-email"]),
    ("title case", ["X-Auth-Subject", "X-Auth-Scopes", "X-Auth-Scheme", "X-Auth-Email"]),
    ("upper case", ["X-AUTH-SUBJECT", "X-AUTH-SCOPES", "X-AUTH-SCHEME", "X-AUTH-EMAIL"]),
    ("mixed case", ["x-AUTH-sUbJeCt", "x-AUTH-sCoPeS", "x-AUTH-sChEmE", "x-AUTH-eMaIl"]),
    ("underscores", ["x_auth_subject", "x_auth_scopes", "x_auth_scheme", "x_auth_email"]),
    ("upper case with underscores", ["X_AUTH_SUBJECT", "X_AUTH_SCOPES", "X_AUTH_SCHEME", "X_AUTH_EMAIL"]),
    ("an underscore first", ["x_auth-subject", "x_auth-scopes", "x_auth-scheme", "x_auth-email"]),
    ("an underscore last", ["X-Auth_Subject", "X-Auth_Scopes", "X-Auth_Scheme", "X-Auth_Email"]),
    ("dots", ["x.auth.subject", "x.auth.scopes", "x.auth.scheme", "x.auth.email"]),
    ("other signs", ["x!auth~subject", "x*auth'scopes", "x-auth|scheme", "x^auth`email"]),
];

/// A kind of route, the request that it serves, and what the upstream must get as the subject.
struct Route {
    kind: &'static str,
    listener: &'static str,
    request: Request,
    subject: Option<&'static str>,
    served: Option<&'static str>,
}

fn routes() -> Vec<Route> {
    let to = |kind, request, subject| Route { kind, listener: "raw", request, subject, served: None };
    let by = |kind, request, served| Route { served: Some(served), ..to(kind, request, None) };
    let on = |listener, route: Route| Route { listener, ..route };
    let form = |body: &str| Request::post("/token").body("application/x-www-form-urlencoded", body);
    let preflight = || {
        Request::new("OPTIONS", "/me")
            .header("Origin", "https://attacker.example")
            .header("Access-Control-Request-Method", "GET")
    };
    let mailed = Token::reader().claim("email", "john@example.com").sign("HS256");
    vec![
        to("public", Request::get("/public/x"), None),
        to("anonymous", Request::get("/anonymous"), None),
        to("anonymous, with a token", Request::get("/anonymous").bearer(reader()), Some("johndoe")),
        to("token", Request::get("/me").bearer(reader()), Some("johndoe")),
        to("token with a claim", Request::get("/me").bearer(mailed), Some("johndoe")),
        to("key", Request::get("/key").header("X-API-Key", API_KEY), Some("app")),
        to("key in the query", Request::get(format!("/query-key?api_key={API_KEY}")), Some("app")),
        to(
            "key in a cookie",
            Request::get("/cookie-key").header("Cookie", format!("session={API_KEY}")),
            Some("app"),
        ),
        to("Basic", Request::get("/basic").header("Authorization", basic("johndoe:secret")), Some("johndoe")),
        to("by method", Request::get("/items/7"), None),
        to("by host", Request::get("/tenant/x"), None),
        to("CORS preflight", preflight(), None),
        on("dry", to("dry run, refused in truth", Request::get("/me"), None)),
        on(
            "dry",
            to(
                "dry run, ill signed",
                Request::get("/me").bearer(Token::new().sign_by_stranger("HS256")),
                None,
            ),
        ),
        on("dry", to("dry run, with a token", Request::get("/me").bearer(reader()), Some("johndoe"))),
        on("dry", to("dry run, ambiguous", Request::get("//me"), None)),
        on(
            "dropping",
            to("token, where underscores are dropped", Request::get("/me").bearer(reader()), Some("johndoe")),
        ),
        on("normalised", to("token, normalised", Request::get("//me").bearer(reader()), Some("johndoe"))),
        by("documentation", Request::get("/docs"), "swagger-ui"),
        by("document", Request::get("/openapi.json"), "The filter's document"),
        by("token endpoint", form("username=johndoe&password=secret"), "access_token"),
    ]
}

pub fn stories() -> Vec<Story> {
    vec![
        story("A client that says itself who it is, on every kind of route", forged()),
        story("The same in HTTP/2", over_http2()),
        story(
            "A client that says so elsewhere: in trailers, in a folded line, by way of Connection",
            elsewhere(),
        ),
    ]
}

fn with_forged(mut request: Request, names: [&str; 4]) -> Request {
    // Before and behind the valid headers, and twice, so that neither first nor last is right.
    let forged: Vec<_> = names.iter().map(|name| ((*name).to_owned(), FORGED.as_bytes().to_vec())).collect();
    request.headers.splice(0..0, forged.clone());
    request.headers.extend(forged);
    request
}

fn row(route: &Route, name: String, sent: impl Into<Sent>) -> Attack {
    if let Some(says) = route.served {
        return served(name, route.listener, sent, says);
    }
    let attack = disarmed(name, route.listener, sent);
    match route.subject {
        Some(subject) => attack.with("x-auth-subject", subject),
        None => attack.without("x-auth-subject").without("x-auth-scopes").without("x-auth-scheme"),
    }
}

fn forged() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for (case, names) in NAMES {
        for route in routes() {
            let request = with_forged(route.request.clone(), names);
            attacks.push(row(&route, format!("{}: {case}", route.kind), request));
        }
    }
    // What the token says, and not what the client adds.
    let mailed = Token::reader().claim("email", "john@example.com").sign("HS256");
    let request = with_forged(Request::get("/me").bearer(mailed), NAMES[4].1);
    attacks
        .push(disarmed("a claim and its forgery", "raw", request).with("x-auth-email", "john@example.com"));
    attacks
}

fn over_http2() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for (case, names) in NAMES.into_iter().filter(|(_, names)| names[0] == names[0].to_ascii_lowercase()) {
        for route in routes() {
            let request = h2::Request::from(&with_forged(route.request.clone(), names));
            attacks.push(row(&route, format!("HTTP/2, {}: {case}", route.kind), request));
        }
    }
    attacks
}

fn elsewhere() -> Vec<Attack> {
    let head = |headers: &str| {
        format!(
            "GET /me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {}\r\n{headers}\r\n",
            reader()
        )
    };
    let chunked = format!(
        "POST /me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nTransfer-Encoding: chunked\r\n\
         Trailer: x-auth-subject\r\n\r\n3\r\nabc\r\n0\r\nx-auth-subject: {FORGED}\r\n\r\n",
        reader()
    );
    let told = |name: &str, sent: Sent| disarmed(name, "raw", sent).with("x-auth-subject", "johndoe");
    let trailers = h2::Request::new("POST", "/me")
        .header("authorization", format!("Bearer {}", reader()))
        .body(b"abc")
        .trailer("x-auth-subject", FORGED);
    vec![
        told("in the trailers of a chunked body", chunked.into()),
        told("in the trailers of HTTP/2", trailers.into()),
        told(
            "by Connection, which has the next hop drop the filter's own header",
            Request::get("/me")
                .bearer(reader())
                .header("Connection", "close, x-auth-subject, x-auth-scopes")
                .into(),
        ),
        refused(
            "in a name with a space before the colon",
            "raw",
            head(&format!("x-auth-subject : {FORGED}\r\n")),
            400,
        ),
        refused("in a name with a space", "raw", head(&format!("x-auth subject: {FORGED}\r\n")), 400),
        refused("in a name with a zero byte", "raw", head(&format!("x-auth-subject\0: {FORGED}\r\n")), 400),
        told(
            "behind a carriage return alone, which Envoy drops",
            head(&format!("a: b\rx-auth-subject: {FORGED}\r\n")).into(),
        ),
        told("behind a line feed alone", head(&format!("a: b\nx-auth-subject: {FORGED}\r\n")).into()),
        told("in a folded line", head(&format!("a: b\r\n x-auth-subject: {FORGED}\r\n")).into()),
    ]
}
