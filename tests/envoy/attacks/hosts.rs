//! Hosts written so that a rule for one of them does not find it, or finds another.

use lychgate_tests::http::Request;

use super::h2;
use super::table::{Attack, Sent, Story, ambiguous_host, legitimate, refused, story, unauthenticated};

pub fn stories() -> Vec<Story> {
    vec![
        story("A host that asks for more, written so that its rule does not see it", vaults()),
        story("A host that is public, and one that only looks like it", lookalikes()),
        story("Two words about the host", doubled()),
    ]
}

/// Ways to write `vault.example.com`.
const VAULTS: [(&str, &str); 14] = [
    ("as it is", "vault.example.com"),
    ("in upper case", "VAULT.EXAMPLE.COM"),
    ("in mixed case", "vAuLt.Example.cOm"),
    ("with a port", "vault.example.com:80"),
    ("with another port", "vault.example.com:8443"),
    ("with a port of zeros", "vault.example.com:0080"),
    ("with a port that is none", "vault.example.com:"),
    ("rooted", "vault.example.com."),
    ("rooted, with a port", "vault.example.com.:80"),
    ("rooted, in upper case", "VAULT.EXAMPLE.COM."),
    ("below it", "a.vault.example.com"),
    ("below it, in upper case", "A.VAULT.example.com"),
    ("below it, with a port", "a.vault.example.com:80"),
    ("below it, rooted", "a.b.vault.example.com."),
];

/// What some would read as that host, and others as another one.
const AMBIGUOUS: [(&str, &str); 10] = [
    ("with a user", "x@vault.example.com"),
    ("with a user and a password", "x:y@vault.example.com"),
    ("a user of that name", "vault.example.com@other.example.com"),
    ("a letter percent-encoded", "%76ault.example.com"),
    ("with another host behind a comma", "vault.example.com,other.example.com"),
    ("behind another host and a comma", "other.example.com,vault.example.com"),
    ("rooted twice", "vault.example.com.."),
    ("with a label that is empty", "vault..example.com"),
    ("with a port that is a word", "vault.example.com:http"),
    ("with two ports", "vault.example.com:80:80"),
];

fn vaults() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for listener in ["raw", "normalised"] {
        for (name, host) in VAULTS {
            let request = Request::get("/tenant/x").host(host);
            attacks.push(unauthenticated(format!("{name}: {host}"), listener, request));
            let request = h2::Request::bare()
                .header(":method", "GET")
                .header(":scheme", "http")
                .header(":authority", host)
                .header(":path", "/tenant/x");
            attacks.push(unauthenticated(format!("HTTP/2, {name}: {host}"), listener, request));
            let line = format!(
                "GET http://{host}/tenant/x HTTP/1.1
Host: other.example.com
Connection: close

"
            );
            let name = format!("absolute target, {name}: {host}");
            // Envoy takes no such URL.
            attacks.push(match host.strip_suffix(':') {
                Some(_) => refused(name, listener, line, 400),
                None => unauthenticated(name, listener, line),
            });
        }
        for (name, host) in AMBIGUOUS {
            let request = Request::get("/tenant/x").host(host);
            attacks.push(ambiguous_host(format!("{name}: {host}"), listener, request));
        }
        attacks.push(legitimate(
            "another host",
            listener,
            Request::get("/tenant/x").host("other.example.com"),
        ));
    }
    attacks
}

fn lookalikes() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for host in [
        "open.example.com.attacker.example",
        "xopen.example.com",
        "open.example.comx",
        "open-example.com",
        "example.com",
        "open.example.com.attacker.example:80",
        "attacker.example",
        "localhost",
    ] {
        attacks.push(unauthenticated(host, "raw", Request::get("/status").host(host)));
    }
    for host in [
        "open.example.com@attacker.example",
        "attacker.example@open.example.com",
        "attacker.example:open.example.com",
        "open.example.com:80:80",
        "open.example.com,attacker.example",
        "attacker.example,open.example.com",
        "[open.example.com]",
        "%6fpen.example.com",
        "open.example.com..",
        ".open.example.com",
        "a..open.example.com",
        "attacker.example%2f.open.example.com",
    ] {
        attacks.push(ambiguous_host(format!("{host:?}"), "raw", Request::get("/status").host(host)));
    }
    for host in [
        "attacker.example/open.example.com",
        "attacker.example?open.example.com",
        "attacker.example#.open.example.com",
        "attacker.example\\.open.example.com",
        "attacker.example .open.example.com",
        "\u{ff4f}pen.example.com",
    ] {
        attacks.push(refused(format!("{host:?}"), "raw", Request::get("/status").host(host), 400));
    }
    attacks.push(unauthenticated("no host at all", "raw", Request::get("/status").host("")));
    for host in ["open.example.com", "OPEN.example.com:80", "a.open.example.com"] {
        attacks.push(legitimate(host, "raw", Request::get("/status").host(host)));
    }
    attacks
}

fn doubled() -> Vec<Attack> {
    let lines = |target: &str, hosts: &[&str]| -> Sent {
        let hosts: String = hosts.iter().map(|host| format!("Host: {host}\r\n")).collect();
        format!("GET {target} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n").into()
    };
    let (open, other) = ("open.example.com", "other.example.com");
    let over_http2 = |authority: &str, host: &str| {
        h2::Request::bare()
            .header(":method", "GET")
            .header(":scheme", "http")
            .header(":authority", authority)
            .header(":path", "/status")
            .header("host", host)
    };
    vec![
        ambiguous_host("two Host headers, the first open", "raw", lines("/status", &[open, other])),
        ambiguous_host("two Host headers, the second open", "raw", lines("/status", &[other, open])),
        refused("no Host", "raw", lines("/status", &[]), 400),
        unauthenticated(
            "a target of one host, and Host of the open one",
            "raw",
            lines("http://other.example.com/status", &[open]),
        ),
        unauthenticated(
            "X-Forwarded-Host of the open one",
            "raw",
            Request::get("/status").host(other).header("X-Forwarded-Host", open),
        ),
        unauthenticated(
            "Forwarded with the open one",
            "raw",
            Request::get("/status").host(other).header("Forwarded", format!("host={open}")),
        ),
        unauthenticated(
            "X-Host of the open one",
            "raw",
            Request::get("/status").host(other).header("X-Host", open),
        ),
        unauthenticated(
            "HTTP/2: :authority of one host, and host of the open one",
            "raw",
            over_http2(other, open),
        ),
    ]
}
