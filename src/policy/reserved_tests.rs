use super::Reserved;
use crate::policy::Policy;

#[test]
fn a_header_is_the_same_to_a_server_that_makes_variables_of_headers() {
    for (left, right, same) in [
        ("x-auth-subject", "X_Auth.Subject", true),
        ("x-auth-subject", "x-auth-subjects", false),
        ("x-auth-subject", "x0auth-subject", false),
        ("x-auth-subject", "xa-uth-subject", false),
        ("authorization", "Authorization", true),
        (":path", "-path", true),
    ] {
        assert_eq!(Reserved::new(vec![left.into()]).contains(right.as_bytes()), same, "{left} {right}");
    }
}

#[test]
fn trailers_say_nothing_that_a_header_would() {
    let policy = r#"{"schemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "api_keys": "k"},
            "t": {"type": "http", "scheme": "bearer", "jwt": {"keys": [{"alg": "HS256", "secret": "a secret of at least 32 bytes, really"}],
                "claims_to_headers": {"email": "X-Email"}}}},
        "api_keys": {"k": []}, "identity_headers": {"issuer": "X-Issuer", "dry_run": "X-Dry"}}"#;
    let policy = Policy::compile(policy.as_bytes(), &|_| None).unwrap().policy;
    for name in [
        "x-auth-subject",
        "X-Auth-Subject",
        "x_auth_scopes",
        "x.auth.scheme",
        "x-email",
        "x-issuer",
        "x-dry",
        "x-api-key",
        "x_api_key",
        "authorization",
        "Authorization",
        "cookie",
        "proxy-authorization",
        "connection",
    ] {
        assert!(policy.is_barred_from_trailers(name.as_bytes()), "{name}");
    }
    for name in ["x-checksum", "grpc-status", "x-auth", "x-api-keys", ""] {
        assert!(!policy.is_barred_from_trailers(name.as_bytes()), "{name}");
    }
}
