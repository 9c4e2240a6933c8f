use super::{is_header_value, is_same_header};

#[test]
fn a_header_value_has_no_control_characters_and_no_space_at_its_ends() {
    for good in ["", "a", "a b", "a\tb", "Jörg"] {
        assert!(is_header_value(good.as_bytes()), "{good:?}");
    }
    for bad in [" a", "a ", "\ta", "a\r", "a\nb", "\0", "a\u{7f}b", "\u{1b}"] {
        assert!(!is_header_value(bad.as_bytes()), "{bad:?}");
    }
}

#[test]
fn a_header_is_the_same_to_an_application_that_makes_variables_of_headers() {
    for (left, right, same) in [
        ("x-auth-subject", "X_Auth.Subject", true),
        ("x-auth-subject", "x-auth-subjects", false),
        ("x-auth-subject", "x0auth-subject", false),
        ("x-auth-subject", "xa-uth-subject", false),
        ("authorization", "Authorization", true),
        (":path", "-path", true),
    ] {
        assert_eq!(is_same_header(left.as_bytes(), right.as_bytes()), same, "{left} {right}");
    }
}
