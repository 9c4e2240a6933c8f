use super::{Challenge, Denial};
use crate::decision::ErrorFormat;

fn challenge(scheme: &'static str, error: Option<&str>) -> Challenge {
    Challenge { scheme, realm: Some("r".into()), parameters: error.map(str::to_owned) }
}

#[test]
fn a_challenge_is_told_once_and_with_its_error() {
    let challenges = vec![
        challenge("Bearer", None),
        challenge("APIKey", None),
        challenge("Bearer", Some("error=\"invalid_token\"")),
        challenge("APIKey", None),
    ];
    let denial = Denial::new(401, "x", "y").with_challenges(challenges);
    let response = denial.response(ErrorFormat::FastApi);
    let told: Vec<_> = response.headers.iter().skip(1).map(|(_, value)| value.as_str()).collect();
    assert_eq!(told, ["APIKey realm=\"r\"", "Bearer realm=\"r\", error=\"invalid_token\""]);
}

#[test]
fn each_format_has_its_media_type() {
    let denial = Denial::new(403, "Forbidden", "no_rule");
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
