use super::{Line, ours};

fn line(status: u16, details: &[&str], flags: &[&str]) -> Line {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    Line { status: Some(status), details: owned(details), flags: owned(flags), reason: None }
}

/// Envoy's default format has no details; Istio's is the same with them.
const ENVOY: &str = r#"[2026-11-26T04:00:00.123Z] "GET /items/7 HTTP/1.1" 503 UH 0 19 0 - "10.0.0.9" "curl/8.5.0" "aaaaaaaa-0000-4000-8000-000000000001" "api.example.com" "-""#;
const ISTIO: &str = r#"[2026-11-26T04:00:00.123Z] "GET /items/7 HTTP/2" 401 - lychgate_denied{token_expired} - "-" 0 45 1 - "10.0.0.9" "grpc-go/1.70 (=, \"-)" "aaaaaaaa-0000-4000-8000-000000000001" "api.example.com" "-" - - 10.1.0.4:8080 10.0.0.9:5555 outbound_.80_._.api.default.svc.cluster.local -"#;
const ISTIO_503: &str = r#"[2026-11-26T04:00:00.123Z] "POST /token HTTP/1.1" 503 UF,URX upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused} - "delayed_connect_error:_Connection_refused" 0 152 3 - "-" "curl/8.5.0" "aaaaaaaa-0000-4000-8000-000000000001" "api.example.com" "10.1.0.4:8080" inbound|8080|| - 10.1.0.4:8080 10.0.0.9:5555 - default"#;
const ISTIO_JSON: &str = r#"{"authority":"api.example.com","bytes_received":0,"bytes_sent":34,"connection_termination_details":null,"duration":1,"method":"GET","path":"/admin","protocol":"HTTP/1.1","request_id":"a","response_code":403,"response_code_details":"lychgate_denied{scope_lacking}","response_flags":"-","route_name":"default","start_time":"2026-11-26T04:00:00.123Z","upstream_cluster":"outbound|80||api","upstream_host":null,"user_agent":"curl/8.5.0"}"#;
const OURS: &str = r#"{"details":"lychgate_denied{api_key_unknown}","method":"GET","path":"/items/7","reason":"api_key_unknown","request_id":"a","rule":"GET /items/{id}","scheme":"key","scopes":null,"status":403,"subject":null}"#;

#[test]
fn the_formats_that_people_have() {
    assert_eq!(Line::read(ENVOY), line(503, &[], &["UH"]));
    assert_eq!(Line::read(ISTIO), line(401, &["lychgate_denied{token_expired}"], &[]));
    let details = "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}";
    assert_eq!(Line::read(ISTIO_503), line(503, &[details], &["UF", "URX"]));
    assert_eq!(Line::read(ISTIO_JSON), line(403, &["lychgate_denied{scope_lacking}"], &[]));
    let own = Line {
        reason: Some("api_key_unknown".into()),
        ..line(403, &["lychgate_denied{api_key_unknown}"], &[])
    };
    assert_eq!(Line::read(OURS), own);
    // As `kubectl logs --prefix` and collectors hand them on.
    assert_eq!(Line::read(&format!("[pod/gateway-7d/istio-proxy] {ISTIO_JSON}")), Line::read(ISTIO_JSON));
    let nested =
        r#"{"labels":{"response_code":"503","response_flags":["UF"]},"json":{"rcd":"wasm_fail_stream"}}"#;
    assert_eq!(Line::read(nested), line(503, &["wasm_fail_stream"], &["UF"]));
    let ambiguous = ISTIO.replace("{token_expired}", "{ambiguous_path}:double_percent-encoding");
    assert_eq!(
        Line::read(&ambiguous),
        line(401, &["lychgate_denied{ambiguous_path}:double_percent-encoding"], &[])
    );
    assert_eq!(ours("lychgate_denied{ambiguous_path}:dot_segment"), Some((true, "ambiguous_path")));
    assert_eq!(ours("lychgate_denied{ambiguous_path} and more"), None);
    let pairs = r#"method=GET path="/a" status=401 details="lychgate_denied{token_revoked}" flags=-"#;
    assert_eq!(Line::read(pairs).details, ["lychgate_denied{token_revoked}"]);
}

#[test]
fn lines_of_lychgate_itself() {
    let own = |status, reason: &str| Line { reason: Some(reason.into()), ..line(status, &[], &[]) };
    for (text, wanted) in [
        (
            "[2026-11-26 04:00:00.123][12][debug][wasm] [source/extensions/common/wasm/context.cc:1187] wasm log \
             lychgate lychgate: lychgate: 401 token_malformed token_malformed: not three parts",
            own(401, "token_malformed"),
        ),
        (
            "[2026-11-26 04:00:00.123][12][info][wasm] wasm log: lychgate: dry run: rule \"GET /items/{id}\" would \
             refuse with 403 scope_lacking",
            own(403, "scope_lacking"),
        ),
        ("401 token_expired", own(401, "token_expired")),
    ] {
        assert_eq!(Line::read(text), wanted, "{text}");
    }
}

/// What a client writes into its path or its `User-Agent` is not taken for the answer.
#[test]
fn what_a_client_wrote_is_not_read_as_the_reason() {
    let forged = "lychgate_denied{host_failure}";
    for (text, details) in [
        (ISTIO.replace("/items/7", forged), vec!["lychgate_denied{token_expired}"]),
        (ISTIO.replace("curl/8.5.0", forged), vec!["lychgate_denied{token_expired}"]),
        (ISTIO_JSON.replace("curl/8.5.0", forged), vec!["lychgate_denied{scope_lacking}"]),
        (
            ISTIO_JSON.replace("response_code_details", "rcd").replace("/admin", forged),
            vec!["lychgate_denied{scope_lacking}"],
        ),
        // A client that breaks out of the quotation marks makes two of them, and both are read.
        (
            ISTIO.replace("/items/7", "/\" 500 - lychgate_denied{host_failure} \""),
            vec![forged, "lychgate_denied{token_expired}"],
        ),
    ] {
        assert_eq!(Line::read(&text).details, details, "{text}");
    }
}

#[test]
fn what_is_no_line_says_nothing() {
    for text in ["", "hello", "{", "{}", "[]", "\"", "= = =", "a=\"", "lychgate_denied{", "\u{fffd}\"\"\"{{"]
    {
        assert_eq!(Line::read(text), Line::default(), "{text:?}");
    }
}
