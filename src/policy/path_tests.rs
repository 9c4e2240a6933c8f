use proptest::prelude::*;

use super::{NormalPath, plain};

#[test]
fn a_path_is_decoded_once() {
    for (raw, path) in [
        ("/", "/"),
        ("/a/", "/a/"),
        ("/a%20b/%C3%A9", "/a b/é"),
        ("/%61", "/a"),
        ("/a:b@c,d=e&f", "/a:b@c,d=e&f"),
    ] {
        assert_eq!(NormalPath::new(raw.as_bytes()).unwrap().as_str(), path);
    }
}

#[test]
fn a_path_with_two_readings_is_refused() {
    for raw in [
        "", "a", "*", "//", "/a//b", "/.", "/..", "/a/../b", "/%2e", "/a%2fb", "/a%5cb", "/a\\b", "/a;b",
        "/a%3Bb", "/a#b", "/%23", "/%00", "/%", "/%4", "/%4g", "/%25", "/%2541", "/%80", "/%0d", "/\u{7f}",
    ] {
        assert!(NormalPath::new(raw.as_bytes()).is_err(), "{raw}");
    }
}

proptest! {
    /// The quick look is for speed: what it lets through reads the same on the careful one.
    #[test]
    fn a_plain_path_is_one_that_the_careful_look_takes_as_it_is(raw in "[/.a-zA-Z0-9_~%;-]{0,12}") {
        if let Some(plain) = plain(raw.as_bytes()) {
            let careful = NormalPath::careful(raw.as_bytes());
            prop_assert_eq!(careful.as_ref().map(NormalPath::as_str), Ok(plain));
        }
    }
}
