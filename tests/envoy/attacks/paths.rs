//! Paths that the filter and the upstream could read differently, each with Envoy's own normalisation
//! off, on with escaped slashes unescaped, and on with escaped slashes refused.

use lychgate_tests::http::Request;

use super::credentials::reader;
use super::h2;
use super::table::{
    Attack, Story, ambiguous, cut_off, disarmed, legitimate, refused, refused_either_way, story,
    unauthenticated,
};

/// What a path comes to at a listener.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// The filter finds it ambiguous.
    Ambiguous,
    /// The filter finds no credential.
    Unauthenticated,
    /// Envoy refuses it before the filter sees it.
    BadRequest,
    /// Ambiguous in Envoy 1.36, whose normalisation knows nothing of parameters; unauthenticated in 1.40.
    Either,
}

use Fate::{Ambiguous as A, BadRequest as B, Either as E, Unauthenticated as U};

/// Paths to `/admin/x` by way of what is public, and their fates at `raw`, `normalised` and `rejecting`.
const PATHS: &[(&str, &str, [Fate; 3])] = &[
    ("the path itself", "/admin/x", [U, U, U]),
    ("in upper case", "/ADMIN/x", [U, U, U]),
    ("a letter percent-encoded", "/%61dmin/x", [U, U, U]),
    ("every letter percent-encoded", "/%61%64%6d%69%6e/x", [U, U, U]),
    ("a doubled slash before", "//admin/x", [A, U, U]),
    ("three slashes before", "///admin/x", [A, U, U]),
    ("a doubled slash inside", "/admin//x", [A, U, U]),
    ("doubled slashes behind", "/admin/x//", [A, U, U]),
    ("what looks like a host", "//public/../admin/x", [A, U, U]),
    ("a dot", "/./admin/x", [A, U, U]),
    ("a dot inside", "/public/./../admin/x", [A, U, U]),
    ("a dot behind", "/admin/.", [A, U, U]),
    ("dots behind", "/admin/x/..", [A, U, U]),
    ("out of the public", "/public/../admin/x", [A, U, U]),
    ("out of the public, far", "/public/a/b/../../../admin/x", [A, U, U]),
    ("beyond the root", "/public/../../../admin/x", [A, U, U]),
    ("out of the public by %2e%2e", "/public/%2e%2e/admin/x", [A, U, U]),
    ("out of the public by %2E%2E", "/public/%2E%2E/admin/x", [A, U, U]),
    ("out of the public by .%2e", "/public/.%2e/admin/x", [A, U, U]),
    ("out of the public by %2e.", "/public/%2e./admin/x", [A, U, U]),
    ("out of the public by %2F", "/public/..%2Fadmin/x", [A, U, B]),
    ("out of the public by %2f", "/public/..%2fadmin/x", [A, U, B]),
    ("out of the public by %2e%2e%2f", "/public/%2e%2e%2fadmin/x", [A, U, B]),
    ("a slash percent-encoded", "/admin%2Fx", [A, U, B]),
    ("a slash percent-encoded in front", "/%2Fadmin/x", [A, U, B]),
    ("a slash percent-encoded in the public", "/public%2F..%2Fadmin%2Fx", [A, U, B]),
    ("out of the public by %5C", "/public/..%5Cadmin/x", [A, U, B]),
    ("out of the public by %5c", "/public/%2e%2e%5cadmin/x", [A, U, B]),
    ("out of the public by a backslash", "/public/..\\admin/x", [A, U, U]),
    ("a backslash", "/admin\\x", [A, U, U]),
    ("a backslash in front", "/\\admin/x", [A, U, U]),
    ("twice percent-encoded dots", "/public/%252e%252e/admin/x", [A, A, A]),
    ("twice percent-encoded slash", "/public/..%252fadmin/x", [A, A, A]),
    ("thrice percent-encoded slash", "/public/..%25252fadmin/x", [A, A, A]),
    ("a percent sign percent-encoded", "/%2561dmin/x", [A, A, A]),
    ("a parameter of dots", "/public/..;/admin/x", [A, E, E]),
    ("a parameter of dots with a name", "/public/..;x=1/admin/x", [A, E, E]),
    ("a parameter", "/admin;x=1/x", [A, A, A]),
    ("a parameter behind", "/admin/x;x=1", [A, A, A]),
    ("a parameter in front", "/;x=1/admin/x", [A, A, A]),
    ("a parameter percent-encoded", "/admin%3bx=1/x", [A, A, A]),
    ("dots with a percent-encoded parameter", "/public/..%3b/admin/x", [A, A, A]),
    ("a fragment", "/admin/x#/public", [B, B, B]),
    ("a fragment in the public", "/public#/../admin/x", [B, B, B]),
    ("a fragment percent-encoded", "/admin%23/x", [A, A, A]),
    ("a fragment percent-encoded in the public", "/public/%23/../../admin/x", [A, U, U]),
    ("a question mark percent-encoded", "/admin%3Fx", [U, U, U]),
    ("a question mark percent-encoded, then the public", "/admin/x%3F/../public", [A, U, U]),
    ("a query with dots", "/admin/x?/../../public", [U, U, U]),
    ("a query that is a path", "/admin/x?/public", [U, U, U]),
    ("two question marks", "/admin/x??/public", [U, U, U]),
    ("dots by two bytes, overlong", "/public/%c0%ae%c0%ae/admin/x", [A, A, A]),
    ("a slash by two bytes, overlong", "/public/..%c0%afadmin/x", [A, A, A]),
    ("a slash by three bytes, overlong", "/public/..%e0%80%afadmin/x", [A, A, A]),
    ("a slash by four bytes, overlong", "/public/..%f0%80%80%afadmin/x", [A, A, A]),
    ("a backslash by two bytes, overlong", "/public/..%c1%9cadmin/x", [A, A, A]),
    ("a stray byte", "/admin/%ff", [A, A, A]),
    ("the code of IIS for a letter", "/%u0061dmin/x", [A, A, A]),
    ("the code of IIS for a slash", "/public/..%u2215admin/x", [A, A, A]),
    ("a zero byte percent-encoded", "/admin%00/x", [A, B, B]),
    ("a zero byte behind", "/admin/x%00", [A, B, B]),
    ("a zero byte before the public", "/admin/x%00/public", [A, B, B]),
    ("a line feed percent-encoded", "/admin%0a/x", [A, A, A]),
    ("CRLF percent-encoded", "/admin/x%0d%0ax-auth-subject:admin", [A, A, A]),
    ("a tab percent-encoded", "/admin%09/x", [A, A, A]),
    ("a delete percent-encoded", "/admin%7f/x", [A, A, A]),
    ("a percent sign alone", "/admin%/x", [A, A, A]),
    ("a percent sign at the end", "/admin/x%", [A, A, A]),
    ("half an encoding", "/admin/x%2", [A, A, A]),
    ("no encoding", "/%zzadmin/x", [A, A, A]),
    ("a space percent-encoded behind", "/admin/x%20", [U, U, U]),
    ("a dot behind a name", "/admin./x", [U, U, U]),
];

/// Paths that only look public: whole segments count, and templates are for one segment.
const LOOKALIKES: [(&str, &str); 10] = [
    ("a prefix is of whole segments", "/publicity"),
    ("a prefix in another case", "/Public/x"),
    ("a prefix with a space", "/public%20/x"),
    ("a prefix with a dot", "/public./x"),
    ("a template is for one segment", "/items/7/secrets"),
    ("a template is not for none", "/items/"),
    ("a path with a slash behind is another path", "/anonymous/"),
    ("a path in another case", "/ANONYMOUS"),
    ("the token endpoint with a slash behind", "/token/"),
    ("the documentation's neighbour", "/docsx"),
];

pub fn stories() -> Vec<Story> {
    vec![
        story("A path to what is closed by way of what is open", tricks()),
        story("Letters that only look like a slash: they stay what they are", letters()),
        story("A path that only looks open", lookalikes()),
        story("A target that is no path: absolute, of the authority, an asterisk", targets()),
        story(
            "A long path for rules with parts of segments and expressions: no rule reads it to the end",
            long(),
        ),
        story("The same in HTTP/2, whose `:path` may hold whatever it likes", over_http2()),
    ]
}

/// What took a second of a worker for each: every template with a part of a segment was tried on it.
fn long() -> Vec<Attack> {
    let path = |begin: &str, letters: usize, end: &str| format!("{begin}{}{end}", "a".repeat(letters));
    let mut attacks = Vec::new();
    for (name, path, status) in [
        ("Twilio's templates and 55,000 letters", path("/2010/Accounts/", 55_000, ""), 414),
        ("Twilio's templates and letters up to the bound", path("/2010/Accounts/", 2_033, ""), 403),
        ("a part of a segment up to the bound", path("/2010/Accounts/AC1/R7/", 2_000, ".jso"), 403),
        ("expressions that do not end", path("/expressions/7/", 1_000, ""), 414),
        ("expressions and 55,000 letters", path("/expressions/7/", 55_000, ""), 414),
    ] {
        attacks.push(refused(format!("{name}, GET"), "templates", Request::get(path.as_str()), status));
        attacks.push(refused(format!("{name}, HTTP/2"), "templates", h2::Request::new("GET", &path), status));
    }
    attacks.push(legitimate(
        "a part of a segment",
        "templates",
        Request::get("/2010/Accounts/AC1/R7/x.json"),
    ));
    attacks.push(legitimate("an expression", "templates", Request::get("/expressions/7/abc/x19")));
    attacks
}

fn row(fate: Fate, name: String, listener: &'static str, sent: impl Into<super::table::Sent>) -> Attack {
    match fate {
        Fate::Ambiguous => ambiguous(name, listener, sent),
        Fate::Unauthenticated => unauthenticated(name, listener, sent),
        Fate::BadRequest => refused(name, listener, sent, 400),
        Fate::Either => refused_either_way(name, listener, sent),
    }
}

fn tricks() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for (name, path, fates) in PATHS {
        for (listener, fate) in ["raw", "normalised", "rejecting"].into_iter().zip(*fates) {
            attacks.push(row(fate, format!("{name}: {path:?}"), listener, Request::get(*path)));
        }
    }
    for listener in ["raw", "normalised", "rejecting"] {
        attacks.push(
            legitimate("a public path with a space", listener, Request::get("/public/a%20b"))
                .target("/public/a%20b"),
        );
        attacks.push(legitimate("a public path with a slash behind", listener, Request::get("/public/")));
        attacks.push(legitimate(
            "a public path with odd letters",
            listener,
            Request::get("/public/%C3%A4~-_.a,b:c@d!$&'()*+="),
        ));
        attacks.push(legitimate(
            "a token and a path with a letter percent-encoded",
            listener,
            Request::get("/%6de").bearer(reader()),
        ));
    }
    attacks
}

/// What is passed on is what was judged: one segment, below what is public.
fn letters() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for (name, path) in [
        ("a full-width slash", "/public/..%EF%BC%8Fadmin/x"),
        ("a division slash", "/public/..%E2%88%95admin/x"),
        ("full-width dots", "/public/%EF%BC%8E%EF%BC%8E/admin/x"),
    ] {
        for listener in ["raw", "normalised", "rejecting"] {
            attacks.push(disarmed(format!("{name}: {path}"), listener, Request::get(path)).target(path));
        }
    }
    attacks
}

fn lookalikes() -> Vec<Attack> {
    LOOKALIKES
        .map(|(name, path)| unauthenticated(format!("{name}: {path}"), "raw", Request::get(path)))
        .into()
}

fn targets() -> Vec<Attack> {
    let line =
        |target: &str| format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut attacks = Vec::new();
    for listener in ["raw", "normalised"] {
        attacks.extend([
            unauthenticated("an absolute target", listener, line("http://localhost/admin/x")),
            unauthenticated("an absolute target of another host", listener, line("http://open.example.com/admin/x")),
            unauthenticated("an absolute target in upper case", listener, line("HTTP://LOCALHOST/admin/x")),
            unauthenticated("an absolute target with a port", listener, line("http://localhost:80/admin/x")),
            unauthenticated("an absolute target with a user, whom Envoy cuts off", listener, line("http://localhost@evil/admin/x")),
            unauthenticated("an absolute target without a path", listener, line("http://localhost")),
            refused("an absolute target with a query only", listener, line("http://localhost?/public/"), 404),
            refused("an absolute target of no scheme that is known", listener, line("file:///admin/x"), 400),
            refused("an absolute target without a host", listener, line("http:///admin/x"), 400),
            refused("a scheme for a path", listener, line("http:/admin/x"), 400),
            refused("an asterisk", listener, line("*"), 400),
            refused("an authority", listener, line("localhost:80"), 400),
            refused("no slash", listener, line("admin/x"), 400),
            refused("a query alone", listener, line("?/admin/x"), 400),
            refused("dots alone", listener, line(".."), 400),
            refused("nothing", listener, line(""), 400),
            refused("a space inside", listener, line("/public/ /../admin/x"), 400),
            refused("a tab inside", listener, line("/public/\t../admin/x"), 400),
            refused("a zero byte inside", listener, line("/public/\0../admin/x"), 400),
            refused("a carriage return inside", listener, line("/public/\r../admin/x"), 400),
            refused("OPTIONS of everything", listener, "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nOrigin: https://a\r\nAccess-Control-Request-Method: GET\r\n\r\n".to_owned(), 404),
        ]);
    }
    attacks.push(
        legitimate("an absolute target that is public", "raw", line("http://localhost/public/x"))
            .target("/public/x"),
    );
    attacks
}

fn over_http2() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for (name, path, fates) in PATHS {
        attacks.push(row(
            fates[0],
            format!("HTTP/2, {name}: {path:?}"),
            "raw",
            h2::Request::new("GET", path),
        ));
        attacks.push(row(
            fates[1],
            format!("HTTP/2, {name}: {path:?}"),
            "normalised",
            h2::Request::new("GET", path),
        ));
    }
    for (name, path) in [
        ("no slash", "admin/x"),
        ("an asterisk", "*"),
        ("an absolute target", "http://localhost/admin/x"),
        ("a space", "/public/ ../admin/x"),
        ("a request line in a path", "/public/x HTTP/1.1\r\nHost: a\r\n\r\nGET /admin/x"),
        ("a tab", "/public/\t../admin/x"),
        ("nothing", ""),
    ] {
        attacks.push(cut_off(format!("HTTP/2, {name} in :path"), "raw", h2::Request::new("GET", path)));
    }
    attacks
}
