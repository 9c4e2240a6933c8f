use super::{Challenge, Denial};
use crate::decision::ErrorFormat;
use crate::reason::Reason;

fn challenge(scheme: &'static str, error: Option<&str>) -> Challenge {
    Challenge { scheme, realm: Some("r".into()), parameters: error.map(str::to_owned) }
}

#[test]
fn a_challenge_is_sent_once_and_with_its_error() {
    let challenges = vec![
        challenge("Bearer", None),
        challenge("APIKey", None),
        challenge("Bearer", Some("error=\"invalid_token\"")),
        challenge("APIKey", None),
    ];
    let denial = Denial::new(Reason::CredentialMissing).with_challenges(challenges);
    let response = denial.response(ErrorFormat::FastApi);
    let told: Vec<_> = response.headers.iter().skip(1).map(|(_, value)| value.as_str()).collect();
    assert_eq!(told, ["APIKey realm=\"r\"", "Bearer realm=\"r\", error=\"invalid_token\""]);
}

#[test]
fn each_format_has_its_media_type() {
    let denial = Denial::new(Reason::NoRule);
    for (format, media_type, body) in [
        (ErrorFormat::FastApi, "application/json", r#"{"detail":"Forbidden"}"#),
        (
            ErrorFormat::Problem,
            "application/problem+json",
            r#"{"detail":"Forbidden","status":403,"title":"Forbidden","type":"about:blank"}"#,
        ),
        (ErrorFormat::Text, "text/plain", "Forbidden"),
    ] {
        let response = denial.response(format);
        assert_eq!(response.headers[0], ("content-type", media_type.to_owned()));
        assert_eq!(response.body, body.as_bytes());
        assert_eq!(response.details, "lychgate_denied{no_rule}");
        assert_eq!(response.grpc_status, 7);
    }
}

/// RFC 9457 section 4.2.1: of `about:blank` the title is the status's own phrase.
#[test]
fn each_status_has_its_title() {
    for &reason in Reason::ALL {
        let response = Denial::new(reason).response(ErrorFormat::Problem);
        let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        let is_other = body["title"] != "Internal Server Error";
        assert_eq!(is_other, response.status != 500, "{reason}: {body}");
        assert_eq!(
            (body["status"].as_u64(), body["detail"].as_str()),
            (Some(response.status.into()), Some(reason.detail()))
        );
    }
}
