//! Paths with more than one reading are refused before any rule is asked, and everything else goes
//! on as it came.

use lychgate_testkit::http::Request;

use super::{Row, ambiguous, anonymous, row};

/// Refused, whatever rule it might meet.
const AMBIGUOUS: [(&str, &str); 42] = [
    ("a doubled slash", "/public//x"),
    ("a doubled slash at the start", "//public/x"),
    ("a doubled slash at the end", "/public/x//"),
    ("a dot segment", "/public/./x"),
    ("a dot segment at the end", "/public/."),
    ("two dots", "/public/../admin"),
    ("two dots at the end", "/public/x/.."),
    ("two dots at the start", "/../public"),
    ("encoded dots", "/public/%2e%2e/admin"),
    ("encoded dots in upper case", "/public/%2E%2E/admin"),
    ("one dot of two encoded", "/public/.%2e/admin"),
    ("the other dot of two encoded", "/public/%2e./admin"),
    ("an encoded dot segment", "/public/%2e/x"),
    ("an encoded slash", "/public%2Fx"),
    ("an encoded slash in lower case", "/public/..%2fadmin"),
    ("an encoded slash makes a doubled one", "/public/%2Fx"),
    ("a backslash", "/public\\x"),
    ("a backslash and dots", "/public/..\\admin"),
    ("an encoded backslash", "/public%5Cx"),
    ("an encoded backslash in lower case", "/public/..%5cadmin"),
    ("a semicolon", "/public;/x"),
    ("a path parameter", "/public/x;v=1"),
    ("dots with a path parameter", "/public/..;/admin"),
    ("an encoded semicolon", "/public%3Bx"),
    ("an encoded number sign", "/public%23x"),
    ("encoded NUL", "/public%00"),
    ("encoded NUL inside", "/public/x%00.png"),
    ("an encoded line feed", "/public/%0Ax"),
    ("an encoded carriage return", "/public/%0Dx"),
    ("an encoded tab", "/public/%09"),
    ("an encoded escape", "/public/%1B"),
    ("encoded DEL", "/public/%7f"),
    ("no hex digits after a percent sign", "/public/%zz"),
    ("one hex digit after a percent sign", "/public/%2"),
    ("a hex digit and something else", "/public/%2g"),
    ("a percent sign alone", "/public/%"),
    ("a percent sign and a slash", "/public%/x"),
    ("IIS's unicode encoding", "/public/%u002e"),
    ("encoded twice", "/public/%252e%252e/admin"),
    ("an encoded percent sign", "/public/100%25"),
    ("bytes that are not UTF-8", "/public/%ff"),
    ("an overlong encoding", "/public/%c0%ae%c0%ae/admin"),
];

/// Public, and as they came at the upstream.
const PLAIN: [(&str, &str); 14] = [
    ("an ordinary path", "/public/x"),
    ("a slash at the end", "/public/x/"),
    ("an encoded space", "/public/a%20b"),
    ("encoded letters", "/%70ubl%69c/x"),
    ("encoded UTF-8", "/public/%D1%8F%D0%B1"),
    ("dots within a segment", "/public/a..b/.well-known/..."),
    ("sub-delimiters", "/public/a+b,c:d@e!f$g&h'i(j)k*l=m~n_o-p"),
    ("encoded sub-delimiters", "/public/%2B%2C%40%3D"),
    ("an encoded question mark", "/public/%3Fx"),
    ("anything in the query", "/public?a=//../%2e%2e;%2F%5C&b=%25%zz%"),
    ("a second question mark", "/public?a=1?b=2"),
    ("an empty query", "/public?"),
    ("an encoded query", "/public?redirect=https%3A%2F%2Fexample.com%2F..%2F"),
    ("a parameter named like a key elsewhere", "/public?api_key=plain-key"),
];

pub fn rows() -> Vec<Row> {
    let refused =
        AMBIGUOUS.iter().map(|&(name, target)| row(name, "matching", Request::get(target), ambiguous()));
    let plain = PLAIN.iter().map(|&(name, target)| row(name, "matching", Request::get(target), anonymous()));
    refused
        .chain(plain)
        .chain([
            row("ambiguous where there is no rule", "closed", Request::get("/x/../y"), ambiguous()),
            row("ambiguous in another method", "matching", Request::post("/public//x"), ambiguous()),
            row("ambiguous with a query", "matching", Request::get("/public//x?a=1"), ambiguous()),
        ])
        .collect()
}
