//! What only HTTP/2 can say.

use super::credentials::reader;
use super::h2::Request;
use super::policies::API_KEY;
use super::table::{
    Attack, FORGED, Story, cut_off, disarmed, disarmed_or_cut_off, legitimate, refused, story,
    unauthenticated,
};

pub fn stories() -> Vec<Story> {
    vec![
        story("HTTP/2: credentials twice, in crumbs, with pseudo-headers in odd places", credentials()),
        story("HTTP/2: space around a header's value, which HTTP/1.1 takes off", spaced()),
        story("HTTP/2: heads that a translation to HTTP/1.1 would turn into something else", translated()),
    ]
}

fn spaced() -> Vec<Attack> {
    let staged = |value: &str| Request::new("GET", "/stage").header("x-stage", value);
    let mut attacks = vec![legitimate("another value", "raw", staged("open"))];
    for value in ["closed", "closed ", " closed", "closed\t", "\tclosed", " closed\t "] {
        attacks.push(refused(format!("{value:?} is denied"), "raw", staged(value), 403).says("Forbidden"));
    }
    let two = staged("open").header("x-stage", "closed ");
    attacks.push(refused("\"closed \" in the second line", "raw", two, 400).says("Ambiguous header"));
    attacks
}

fn credentials() -> Vec<Attack> {
    let bearer = format!("Bearer {}", reader());
    let get = |path: &str| Request::new("GET", path);
    vec![
        legitimate("a token", "raw", get("/me").header("authorization", &bearer))
            .with("x-auth-subject", "johndoe"),
        unauthenticated("no token", "raw", get("/me")),
        refused(
            "two tokens",
            "raw",
            get("/me").header("authorization", &bearer).header("authorization", &bearer),
            401,
        )
        .says("Could not validate credentials"),
        refused(
            "a token and Basic",
            "raw",
            get("/me").header("authorization", &bearer).header("authorization", "Basic eDp5"),
            401,
        )
        .says("Could not validate credentials"),
        legitimate(
            "a cookie in crumbs",
            "raw",
            get("/cookie-key")
                .header("cookie", "a=1")
                .header("cookie", format!("session={API_KEY}"))
                .header("cookie", "b=2"),
        )
        .with("cookie", "a=1; b=2"),
        refused(
            "the same cookie in two crumbs",
            "raw",
            get("/cookie-key").header("cookie", format!("session={API_KEY}")).header("cookie", "session=x"),
            403,
        ),
        disarmed(
            "a forged subject in crumbs of a cookie",
            "raw",
            get("/public/x").header("cookie", format!("x-auth-subject={FORGED}")),
        ),
        unauthenticated(
            "the token in the trailers",
            "raw",
            Request::new("POST", "/me").body(b"abc").trailer("authorization", &bearer),
        ),
    ]
}

fn translated() -> Vec<Attack> {
    let bare =
        |pairs: &[(&str, &str)]| pairs.iter().fold(Request::bare(), |r, (name, value)| r.header(name, value));
    let usual = [(":method", "GET"), (":scheme", "http"), (":authority", "localhost")];
    let get = |path: &str| Request::new("GET", path);
    // RFC 9113 section 8.1.1: the stream is reset, or the connection closed.
    let refused = |name: &str, request: Request| cut_off(name, "raw", request);
    vec![
        refused("two paths", bare(&[&usual[..], &[(":path", "/public/x"), (":path", "/admin/x")]].concat())),
        refused(
            "two methods",
            bare(&[
                (":method", "GET"),
                (":method", "DELETE"),
                (":scheme", "http"),
                (":authority", "a"),
                (":path", "/items/7"),
            ]),
        ),
        refused("two authorities", get("/tenant/x").header(":authority", "vault.example.com")),
        refused("no path", bare(&usual)),
        refused("no method", bare(&[(":scheme", "http"), (":authority", "a"), (":path", "/public/x")])),
        refused("no scheme", bare(&[(":method", "GET"), (":authority", "a"), (":path", "/public/x")])),
        // Envoy 1.36 takes these two, and what is public stays public.
        disarmed_or_cut_off(
            "a scheme that is none",
            "raw",
            bare(&[(":method", "GET"), (":scheme", "ht tp"), (":authority", "a"), (":path", "/public/x")]),
        ),
        disarmed_or_cut_off(
            "a path behind the headers",
            "raw",
            bare(&[&usual[..], &[("a", "b"), (":path", "/public/x")]].concat()),
        ),
        refused("an unknown pseudo-header", get("/public/x").header(":subject", FORGED)),
        refused("a pseudo-header of answers", get("/public/x").header(":status", "200")),
        refused(
            "a pseudo-header in the trailers",
            Request::new("POST", "/public/x").body(b"a").trailer(":path", "/admin/x"),
        ),
        refused("a name in upper case", get("/public/x").header("X-Auth-Subject", FORGED)),
        refused("a name with a line feed", get("/public/x").header("a\r\nx-auth-subject", FORGED)),
        refused("a name with a colon", get("/public/x").header("x-auth-subject:", FORGED)),
        refused("a name with a space", get("/public/x").header("x-auth-subject ", FORGED)),
        refused("an empty name", get("/public/x").header("", FORGED)),
        refused(
            "a value with a line feed",
            get("/public/x").header("a", format!("b\r\nx-auth-subject: {FORGED}")),
        ),
        refused(
            "a value with a line feed alone",
            get("/public/x").header("a", format!("b\nx-auth-subject: {FORGED}")),
        ),
        refused("a value with a zero byte", get("/public/x").header("a", "b\0c")),
        refused(
            "a whole request in a value",
            get("/public/x").header("a", "b\r\n\r\nGET /admin/x HTTP/1.1\r\n\r\n"),
        ),
        refused("Connection", get("/public/x").header("connection", "x-auth-subject")),
        refused(
            "Transfer-Encoding",
            Request::new("POST", "/public/x")
                .header("transfer-encoding", "chunked")
                .body(b"0\r\n\r\nGET /admin/x HTTP/1.1\r\n\r\n"),
        ),
        refused("Upgrade", get("/public/x").header("upgrade", "websocket")),
        refused(
            "a length that is wrong",
            Request::new("POST", "/public/x")
                .header("content-length", "1")
                .body(b"GET /admin/x HTTP/1.1\r\n\r\n"),
        ),
    ]
}
