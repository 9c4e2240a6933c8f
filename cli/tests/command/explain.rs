//! `explain`: what a reason means, from its word and from lines of logs.

use std::fs;

use lychgate::reason::Reason;

use super::{lychgate, stderr, stdout};

fn explained(what: &str) -> String {
    let output = lychgate(&["explain", what], "", &[]);
    assert_eq!(output.status.code(), Some(0), "{what}: {output:?}");
    stdout(&output)
}

#[test]
fn every_reason_is_explained_with_every_answer_it_has() {
    let list = stdout(&lychgate(&["explain", "--list"], "", &[]));
    for reason in Reason::ALL {
        let text = explained(reason.as_str());
        for part in [reason.detail(), reason.meaning(), reason.remedy(), &reason.status().to_string()] {
            assert!(text.contains(part), "{reason}: {part} is not in {text}");
        }
        let listed = list.lines().filter(|line| line.split_whitespace().next() == Some(reason.as_str()));
        let listed: Vec<_> = listed.collect();
        assert!(
            matches!(listed.as_slice(), [line] if line.contains(&reason.status().to_string())),
            "{listed:?}"
        );
    }
}

#[test]
fn a_line_is_explained_as_its_reason_is() {
    let by_word = explained("token_expired");
    for line in [
        "lychgate_denied{token_expired}",
        r#"{"status":401,"details":"lychgate_denied{token_expired}"}"#,
        r#"[2026-11-26T04:00:00Z] "GET / HTTP/1.1" 401 - lychgate_denied{token_expired} - "-" 0 1 1 - "-" "curl" "a" "b" "-""#,
    ] {
        assert_eq!(explained(line), by_word, "{line}");
    }
    // By the status of the line the one answer of several.
    let forbidden = explained(r#"{"status":403,"details":"lychgate_denied{credential_missing}"}"#);
    assert!(forbidden.contains("403") && !forbidden.contains("401"), "{forbidden}");
}

#[test]
fn envoy_s_own_are_distinguished_from_lychgate_s() {
    for (what, part) in [
        ("UH", "no healthy host"),
        ("wasm_fail_stream", "lychgate check"),
        (
            r#"{"response_code":503,"response_flags":"UF","response_code_details":"-"}"#,
            "connection to the upstream",
        ),
        ("upstream_reset_before_response_started{connection_termination}", "closed before it answered"),
        (r#"{"status":401,"details":"via_upstream"}"#, "the service's own"),
    ] {
        let text = explained(what);
        assert!(text.contains(part) && text.contains("Envoy's own"), "{what}: {text}");
    }
    let dry = explained(r#"{"status":200,"details":"via_upstream","reason":"token_expired"}"#);
    assert!(dry.contains("dry run") && dry.contains("`exp` has passed"), "{dry}");
}

/// Envoy's default format lacks the details: the line cannot be explained, and it is said how the next one can.
#[test]
fn a_line_without_details_names_the_reasons_of_its_status_and_what_is_missing() {
    let line = r#"[2026-11-26T04:00:00Z] "GET / HTTP/1.1" 403 - 0 34 0 - "-" "curl/8" "a" "b" "-""#;
    let text = explained(line);
    for part in ["%RESPONSE_CODE_DETAILS%", "scope_lacking", "api_key_unknown", "credential_missing"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("token_expired"), "{text}");
}

#[test]
fn many_lines_are_counted_by_what_they_mean() {
    let expired = r#"{"status":401,"details":"lychgate_denied{token_expired}"}"#;
    let good = r#"{"status":200,"details":"-"}"#;
    let lines = format!("{expired}\n{good}\nUH\nscope_lacking\n\n{expired}\n");
    let output = lychgate(&["explain", "-"], &lines, &[]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let counts: Vec<_> = text.lines().filter(|line| line.contains(" line")).collect();
    assert_eq!(
        counts,
        ["2 lines:", "1 line:", "1 line:", "1 line without an answer that is known here"],
        "{text}"
    );
}

#[test]
fn an_unknown_reason_is_refused_with_those_near_to_it() {
    for (what, near) in [
        ("token_expird", "token_expired"),
        ("expired_token", "--list"),
        ("lychgate_denied{scope_lackin}", "scope_lacking"),
        ("no_healthy_upstrea", "no_healthy_upstream"),
    ] {
        let output = lychgate(&["explain", what], "", &[]);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""), "{what}");
        assert!(
            stderr(&output).contains("there is no reason") && stderr(&output).contains(near),
            "{output:?}"
        );
    }
    for input in ["", "hello there\n", "{\"status\": 200}\n"] {
        let output = lychgate(&["explain", "-"], input, &[]);
        assert_eq!(output.status.code(), Some(2), "{input}");
        assert!(stderr(&output).contains("%RESPONSE_CODE_DETAILS%"), "{output:?}");
    }
    assert_eq!(lychgate(&["explain"], "", &[]).status.code(), Some(2));
}

#[test]
fn what_is_published_is_what_the_command_prints() {
    let printed = stdout(&lychgate(&["explain", "--markdown"], "", &[]));
    let published = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reasons.md")).unwrap();
    assert!(
        printed == published,
        "docs/reasons.md is out of date: lychgate explain --markdown > docs/reasons.md"
    );
}
