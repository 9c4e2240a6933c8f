//! Faults of `match`.

use serde_json::json;

use super::{Fault, json_fault, matching};

pub fn faults() -> Vec<Fault> {
    vec![
        matching(
            "match by nothing",
            json!({"methods": ["GET"]}),
            &["rules[0].match: one of `path`, `prefix`, `regex` is needed"],
        ),
        matching("match by two", json!({"path": "/", "prefix": "/"}), &["rules[0].match: only one of"]),
        matching(
            "path without slash",
            json!({"path": "items"}),
            &["rules[0].match.path: \"items\" must begin with `/`"],
        ),
        matching(
            "path that can never match",
            json!({"path": "/a//b"}),
            &["rules[0].match.path: \"/a//b\" can never match"],
        ),
        matching(
            "prefix percent-encoded",
            json!({"prefix": "/a%20b"}),
            &["rules[0].match.prefix: ", "percent-decoded"],
        ),
        matching(
            "template not closed",
            json!({"path": "/a/{id"}),
            &["rules[0].match.path: \"{id\" is not a template segment"],
        ),
        matching(
            "template without name",
            json!({"path": "/a/{}"}),
            &["rules[0].match.path: \"{}\" is not a template segment"],
        ),
        matching(
            "template with braces in braces",
            json!({"path": "/a/{i{d}}.json"}),
            &["rules[0].match.path: \"{i{d}}.json\" is not a template segment"],
        ),
        matching(
            "two parameters of one name in a segment",
            json!({"path": "/{a}-{a}"}),
            &["rules[0].match.path: two parameters are named `a`"],
        ),
        matching(
            "path longer than any that is read",
            json!({"path": format!("/{}", "a".repeat(8192))}),
            &["rules[0].match.path: can never match: a path has at most 8192 bytes"],
        ),
        json_fault(
            "paths longer than can be read",
            json!({"max_path_bytes": 60_000}),
            &["max_path_bytes: ", "8192"],
        ),
        matching(
            "regex that grows beyond all bounds",
            json!({"regex": "/.*[ab].{40}"}),
            &[
                "rules[0].match: its regular expression is too large",
                "begin it with what its paths begin with",
            ],
        ),
        json_fault(
            "regexes too large together",
            json!({"rules": (0..200).map(|number| {
                json!({"match": {"regex": format!(".*/x{number}/.*"), "methods": ["GET"]}, "security": []})
            }).collect::<Vec<_>>()}),
            &["].match: its regular expression is too large together with those before it"],
        ),
        json_fault(
            "templates that one path could match in too many ways",
            json!({"rules": (0..1024).map(|number| {
                let segments: Vec<_> = (0..10).map(|bit| if number >> bit & 1 == 1 { "a".into() } else { format!("{{p{bit}}}") }).collect();
                json!({"match": {"path": format!("/{}", segments.join("/"))}, "security": []})
            }).collect::<Vec<_>>()}),
            &["].match: with the rules beside it, one path could match too many templates"],
        ),
        json_fault(
            "templates with too much between parameters",
            json!({"rules": (0..100).map(|number| {
                json!({"match": {"path": format!("/{{a}}x{number}y{{b}}")}, "security": []})
            }).collect::<Vec<_>>()}),
            &["rules[0].match: too many templates here have several parameters in one segment"],
        ),
        matching(
            "regex not closed",
            json!({"regex": "/a("}),
            &["rules[0].match.regex: not a regular expression"],
        ),
        matching(
            "method in lower case",
            json!({"path": "/", "methods": ["get"]}),
            &["rules[0].match.methods[0]: \"get\" is not a method"],
        ),
        matching(
            "every method by an asterisk",
            json!({"path": "/", "methods": ["*"]}),
            &["rules[0].match.methods[0]: `*` is no method; leave `methods` out"],
        ),
        matching(
            "an asterisk in a path",
            json!({"path": "/a/*"}),
            &["rules[0].match.path: `*` is no wildcard in a path", "`{name:path}` is several"],
        ),
        matching(
            "an asterisk in the middle of a prefix",
            json!({"prefix": "/a/*/b"}),
            &["rules[0].match.prefix: `*` is at the end of a prefix only"],
        ),
        matching(
            "a parameter with an asterisk",
            json!({"path": "/files/{name*}"}),
            &[
                "rules[0].match.path: \"{name*}\" is not a template segment: `{name:path}` is several segments",
            ],
        ),
        matching(
            "a parameter with a converter of another kind",
            json!({"path": "/files/{name:int}"}),
            &["rules[0].match.path: \"{name:int}\" is not a template segment"],
        ),
        matching(
            "two parameters of one name, one of which spans",
            json!({"path": "/{a}/{a:path}"}),
            &["rules[0].match.path: two parameters are named `a`"],
        ),
        matching(
            "an exception of nothing",
            json!({"prefix": "/", "not": {}}),
            &["rules[0].match.not: excepts nothing"],
        ),
        matching(
            "an exception of an empty list",
            json!({"prefix": "/", "not": {"paths": []}}),
            &["rules[0].match.not.paths: would match nothing"],
        ),
        matching(
            "an exception of several segments in the middle",
            json!({"prefix": "/", "not": {"paths": ["/a/{b:path}/c"]}}),
            &["rules[0].match.not.paths[0]: several segments", "at the end"],
        ),
        matching(
            "an exception by an unknown key",
            json!({"prefix": "/", "not": {"path": "/a"}}),
            &["rules[0].match.not.path: unknown key"],
        ),
        matching(
            "a client that is none",
            json!({"prefix": "/", "client": ["localhost"]}),
            &["rules[0].match.client[0]: \"localhost\" is not an IP address or a network"],
        ),
        matching(
            "a network with bits of a host",
            json!({"prefix": "/", "client": ["10.0.0.1/8"]}),
            &["rules[0].match.client[0]: \"10.0.0.1/8\" names a client and a network; write `10.0.0.0/8`"],
        ),
        matching(
            "a network of IPv4 in IPv6",
            json!({"prefix": "/", "client": ["::ffff:127.0.0.0/104"]}),
            &["rules[0].match.client[0]: \"::ffff:127.0.0.0/104\" is of IPv4; write it so"],
        ),
        matching(
            "a condition on what the filter says",
            json!({"prefix": "/", "headers": {"X_Auth_Subject": "root"}}),
            &["rules[0].match.headers: `x_auth_subject` is the filter's own"],
        ),
        matching(
            "no client",
            json!({"prefix": "/", "client": []}),
            &["rules[0].match.client: would match nothing"],
        ),
        matching(
            "the host as a header",
            json!({"prefix": "/", "headers": {"Host": "a"}}),
            &["rules[0].match.headers: the host is not among the headers; use `hosts`"],
        ),
        matching(
            "a header that cannot be",
            json!({"prefix": "/", "headers": {":path": "/"}}),
            &["rules[0].match.headers: \":path\" is not a header name"],
        ),
        matching(
            "a header that must not be present, the wrong way",
            json!({"prefix": "/", "headers": {"a": {"present": false}}}),
            &["rules[0].match.headers.a.present: write `{not: {present: true}}`"],
        ),
        matching(
            "no headers",
            json!({"prefix": "/", "headers": {}}),
            &["rules[0].match.headers: asks for nothing"],
        ),
        matching(
            "an unknown allowance",
            json!({"prefix": "/", "allow": ["dot_segment"]}),
            &["rules[0].match.allow[0]: unknown value \"dot_segment\"", "`encoded_slash`"],
        ),
        json_fault(
            "security by another word",
            json!({"rules": [{"match": {"path": "/"}, "security": "deny"}]}),
            &["rules[0].security: expected a list of what is needed, or `denied`"],
        ),
        matching(
            "a regex without the slash that a path begins with",
            json!({"regex": "(?:items|users)/.*"}),
            &["rules[0].match.regex: can never match: a path begins with `/`"],
        ),
        matching(
            "no methods",
            json!({"path": "/", "methods": []}),
            &["rules[0].match.methods: would match nothing"],
        ),
        matching(
            "host with port",
            json!({"path": "/", "hosts": ["a:80"]}),
            &["rules[0].match.hosts[0]: \"a:80\" is not a host"],
        ),
        matching(
            "an IPv6 address without brackets, which no request has",
            json!({"path": "/", "hosts": ["[2001:db8::1]", "2001:db8::1"]}),
            &["rules[0].match.hosts[1]: \"2001:db8::1\" is not a host", "an IPv6 address stands in brackets"],
        ),
    ]
}
