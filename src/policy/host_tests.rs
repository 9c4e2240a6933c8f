use super::is_ambiguous;

#[test]
fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
    for host in [
        "",
        "localhost",
        "api.example.com",
        "API.EXAMPLE.COM",
        "api.example.com.",
        "api.example.com:8443",
        "api.example.com.:80",
        "api.example.com:",
        "my_service-1",
        "127.0.0.1",
        "127.0.0.1:80",
        "[::1]",
        "[::1]:8080",
        "[::ffff:127.0.0.1]",
        "xn--bcher-kva.example",
    ] {
        assert!(!is_ambiguous(host.as_bytes()), "{host}");
    }
}

#[test]
fn what_could_be_another_host_is_none() {
    for host in [
        "user@api.example.com",
        "api.example.com@other",
        "a.example,b.example",
        "a.example, b.example",
        "%61pi.example.com",
        "api.example.com..",
        ".api.example.com",
        "api..example.com",
        ".",
        ":80",
        "api.example.com:80:80",
        "api.example.com:http",
        "api.example.com:+80",
        "api.example.com: 80",
        "api.example.com/",
        "api.example.com?x",
        "api.example.com#x",
        "api.example.com\\x",
        "api example",
        " api.example.com",
        "api.example.com\0",
        "b\u{fc}cher.example",
        "[::1",
        "::1",
        "[]",
        "[::1]x",
        "[api.example.com]",
        "[fe80::1%25eth0]",
        "[::1]:x",
        "*",
        "api.example.com;x",
    ] {
        assert!(is_ambiguous(host.as_bytes()), "{host}");
    }
    assert!(is_ambiguous(b"\xff.example.com"));
}
