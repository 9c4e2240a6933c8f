//! Which rule a request meets. The realm of the challenge tells.

use lychgate_testkit::http::Request;
use serde_json::{Map, Value, json};

use super::{Expect, Row, anonymous, denied, missing, row};

/// A rule for each of these, first match first: its realm and its `match`.
fn matches() -> Vec<(&'static str, Value)> {
    vec![
        ("template", json!({"path": "/items/{id}", "methods": ["GET"]})),
        ("second", json!({"path": "/items/special"})),
        ("post", json!({"path": "/items/{id}", "methods": ["POST", "PUT"]})),
        ("two", json!({"path": "/users/{user}/posts/{post}"})),
        ("slash", json!({"path": "/exact/"})),
        ("no-slash", json!({"path": "/exact"})),
        ("host-admin", json!({"prefix": "/admin/", "hosts": ["api.example.com"]})),
        ("admin", json!({"prefix": "/admin"})),
        ("slash-admin", json!({"prefix": "/office/"})),
        ("wild", json!({"prefix": "/hosts", "hosts": ["*.example.com"]})),
        ("upper", json!({"prefix": "/hosts", "hosts": ["WWW.Example.ORG", "localhost"]})),
        ("ipv6", json!({"prefix": "/hosts", "hosts": ["[::1]"]})),
        ("regex", json!({"regex": "/v[0-9]+/users"})),
        ("either", json!({"regex": "/left|/right"})),
        ("spaced", json!({"path": "/with space/{name}"})),
        ("other-script", json!({"path": "/яблука"})),
        ("root", json!({"path": "/"})),
    ]
}

/// The policy: an API key scheme for each rule, and no default.
pub fn policy() -> Value {
    let scheme = |realm| {
        json!({
            "type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "nobody",
            "missing_status": 401, "realm": realm,
        })
    };
    let schemes: Map<_, _> =
        matches().into_iter().map(|(realm, _)| (realm.to_owned(), scheme(realm))).collect();
    let mut rules = vec![json!({"match": {"prefix": "/public"}, "security": []})];
    rules.extend(
        matches().into_iter().map(|(realm, matched)| json!({"match": matched, "security": [{realm: []}]})),
    );
    json!({"schemes": schemes, "api_keys": {"nobody": []}, "rules": rules})
}

fn rule(realm: &str) -> Expect {
    missing(&[&format!("APIKey realm=\"{realm}\"")])
}

fn no_rule() -> Expect {
    denied(403, "Forbidden")
}

pub fn rows() -> Vec<Row> {
    let get = |name, target: &str, expect| row(name, "matching", Request::get(target), expect);
    let send = |name, method: &str, target: &str, expect| {
        row(name, "matching", Request::new(method, target), expect)
    };
    let at = |name, host: &str, target: &str, expect| {
        row(name, "matching", Request::get(target).host(host), expect)
    };
    let mut rows = vec![
        get("template: one segment", "/items/1", rule("template")),
        get("template: any one segment", "/items/a.b-c~d", rule("template")),
        get("template: the query does not count", "/items/1?x=/y/z", rule("template")),
        get("template: an encoded letter", "/item%73/1", rule("template")),
        get("template: an encoded space in the segment", "/items/a%20b", rule("template")),
        get("template: an empty segment", "/items/", no_rule()),
        get("template: no segment", "/items", no_rule()),
        get("template: two segments", "/items/1/2", no_rule()),
        get("template: a slash at the end", "/items/1/", no_rule()),
        get("template: another case", "/Items/1", no_rule()),
        get("template: something before", "/x/items/1", no_rule()),
        get("template: two parameters", "/users/a/posts/b", rule("two")),
        get("template: the literal between differs", "/users/a/post/b", no_rule()),
        get("template: first match wins", "/items/special", rule("template")),
        send("the next rule where the method differs", "DELETE", "/items/special", rule("second")),
        send("methods: one of two", "PUT", "/items/1", rule("post")),
        send("methods: the other of two", "POST", "/items/1", rule("post")),
        send("methods: none fits", "DELETE", "/items/1", no_rule()),
        send("methods: none fits, PATCH", "PATCH", "/items/1", no_rule()),
        get("a literal with a slash at the end", "/exact/", rule("slash")),
        get("a literal without a slash at the end", "/exact", rule("no-slash")),
        get("the root", "/", rule("root")),
        get("the root with a query", "/?a=/items/1", rule("root")),
        get("no rule", "/nowhere", no_rule()),
        get("a space in the rule", "/with%20space/x", rule("spaced")),
        get("another script in the rule", "/%D1%8F%D0%B1%D0%BB%D1%83%D0%BA%D0%B0", rule("other-script")),
        get("prefix: itself", "/admin", rule("admin")),
        get("prefix: with a slash", "/admin/", rule("admin")),
        get("prefix: below", "/admin/x/y", rule("admin")),
        get("prefix: half a segment", "/administrator", no_rule()),
        get("prefix: half a segment, with a dash", "/admin-area", no_rule()),
        get("prefix: an encoded letter", "/%61dmin/x", rule("admin")),
        get("prefix: another case", "/ADMIN", no_rule()),
        get("prefix with a slash: itself without", "/office", rule("slash-admin")),
        get("prefix with a slash: itself", "/office/", rule("slash-admin")),
        get("prefix with a slash: below", "/office/x", rule("slash-admin")),
        get("prefix with a slash: half a segment", "/officer", no_rule()),
        get("prefix: public", "/public/logo.png", anonymous()),
        get("prefix: public, half a segment", "/publican", no_rule()),
        get("prefix: the name of a public one in the query", "/admin?/public", rule("admin")),
    ];
    rows.extend([
        get("regex", "/v1/users", rule("regex")),
        get("regex: more digits", "/v123/users", rule("regex")),
        get("regex: encoded", "/v1/user%73", rule("regex")),
        get("regex: more behind", "/v1/users/1", no_rule()),
        get("regex: more before", "/x/v1/users", no_rule()),
        get("regex: a line feed behind", "/v1/users%0A", super::ambiguous()),
        get("regex: one of two", "/left", rule("either")),
        get("regex: the other of two", "/right", rule("either")),
        get("regex: one of two, more behind", "/leftover", no_rule()),
        get("regex: the other of two, more before", "/x/right", no_rule()),
        at("host: the one of the rule", "api.example.com", "/admin/x", rule("host-admin")),
        at("host: with a port", "api.example.com:8443", "/admin/x", rule("host-admin")),
        at("host: in upper case", "API.EXAMPLE.COM", "/admin/x", rule("host-admin")),
        at("host: with a dot at the end", "api.example.com.", "/admin/x", rule("host-admin")),
        at("host: another one", "www.example.com", "/admin/x", rule("admin")),
        at("host: one that ends the same", "evil-api.example.com", "/admin/x", rule("admin")),
        at("host: one that begins the same", "api.example.com.evil.example", "/admin/x", rule("admin")),
        at("wildcard: one label", "a.example.com", "/hosts", rule("wild")),
        at("wildcard: two labels", "a.b.example.com", "/hosts", rule("wild")),
        at("wildcard: with a port, in upper case", "A.Example.Com:80", "/hosts", rule("wild")),
        at("wildcard: the domain itself", "example.com", "/hosts", no_rule()),
        at("wildcard: a domain that ends the same", "evilexample.com", "/hosts", no_rule()),
        at("host in upper case in the rule", "www.example.org", "/hosts", rule("upper")),
        at("host: the second one", "localhost:10000", "/hosts", rule("upper")),
        at("host: IPv6", "[::1]", "/hosts", rule("ipv6")),
        at("host: IPv6 with a port", "[::1]:10000", "/hosts", rule("ipv6")),
    ]);
    rows
}
