use super::{OddPath, Oddities};
use crate::normal_path::{NormalPath, PathError};
use proptest::prelude::*;

fn read(target: &str) -> Result<(String, Oddities), &'static str> {
    match OddPath::of_target(target.as_bytes(), 2048) {
        Ok(OddPath { text, oddities, .. }) => Ok((text, oddities)),
        Err(PathError::Ambiguous(what)) => Err(what),
        Err(PathError::TooLong) => Err("too long"),
    }
}

#[test]
fn what_services_need_is_read_by_raw_segments() {
    for (target, text, oddities) in [
        ("/api/v4/projects/group%2Fproject", "/api/v4/projects/group%2Fproject", Oddities::ENCODED_SLASH),
        ("/@scope%2fname?x=%2F", "/@scope%2Fname", Oddities::ENCODED_SLASH),
        ("/api/queues/%2F/jobs", "/api/queues/%2F/jobs", Oddities::ENCODED_SLASH),
        ("/files/100%25.txt", "/files/100%.txt", Oddities::ENCODED_PERCENT),
        ("/cars;color=red", "/cars;color=red", Oddities::SEMICOLON),
        ("/cars%3bcolor=red", "/cars;color=red", Oddities::SEMICOLON),
        ("/bucket//key", "/bucket//key", Oddities::EMPTY_SEGMENT),
        ("//bucket", "//bucket", Oddities::EMPTY_SEGMENT),
        ("/a%2Fb;c//", "/a%2Fb;c//", Oddities::ENCODED_SLASH | Oddities::SEMICOLON | Oddities::EMPTY_SEGMENT),
        ("/;x/admin", "/;x/admin", Oddities::SEMICOLON | Oddities::EMPTY_SEGMENT),
        ("/%C3%A4/", "/ä/", Oddities::NONE),
        ("/", "/", Oddities::NONE),
    ] {
        assert_eq!(read(target), Ok((text.to_owned(), oddities)), "{target}");
    }
}

#[test]
fn what_another_reader_takes_for_another_path_stays_ambiguous() {
    for (target, what) in [
        ("/a/../b", "dot segment"),
        ("/a/%2e%2E/b", "dot segment"),
        ("/a%2F..%2Fb", "dot segment"),
        ("/a%2f%2e", "dot segment"),
        ("/a/..;/b", "dot segment"),
        ("/a/.%3Bx/b", "dot segment"),
        ("/a%252Fb", "double percent-encoding"),
        ("/a%25%32%46b", "double percent-encoding"),
        ("/a%25252e", "double percent-encoding"),
        ("/a%5Cb", "backslash"),
        ("/a\\b", "backslash"),
        ("/a%00", "control character"),
        ("/a%23b", "number sign"),
        ("/a%2", "bad percent-encoding"),
        ("/a%zz", "bad percent-encoding"),
        ("/a%+1", "bad percent-encoding"),
        ("/%FF", "not UTF-8"),
        ("a%2Fb", "does not begin with a slash"),
        ("", "does not begin with a slash"),
    ] {
        assert_eq!(read(target), Err(what), "{target}");
    }
    assert_eq!(read(&format!("/{}%2F", "a".repeat(2048))), Err("too long"));
}

#[test]
fn every_reading_of_a_server_behind_is_known() {
    for (target, readings) in [
        ("/admin;x/a", &["/admin/a"][..]),
        ("/x/secret;a", &["/x/secret"]),
        ("//admin/a", &["/admin/a"]),
        ("/;/admin", &["/admin", "//admin"]),
        ("/%2Fadmin", &["/admin", "//admin"]),
        ("/admin%2Fa", &["/admin/a"]),
        ("/x/secret%2F", &["/x/secret", "/x/secret/"]),
        ("/a;b%2Fc;d", &["/a", "/a/c"]),
        ("/a%2Fb;c", &["/a%2Fb", "/a/b"]),
        ("/files/100%25", &["/files/100%"]),
        ("//", &["/"]),
    ] {
        let path = OddPath::of_target(target.as_bytes(), 2048).unwrap();
        for reading in readings {
            assert!(
                path.readings.iter().any(|own| own == reading),
                "{target}: {reading} in {:?}",
                path.readings
            );
        }
        assert!(path.readings.contains(&path.text), "{target}");
    }
}

proptest! {
    /// What is in normal form reads the same here, and has no oddity; what has none is in normal form.
    #[test]
    fn both_readings_agree_where_there_is_one(target in "/([a/.;%\\\\?#0-9bcefé]|%2[0-9A-Fa-f]|%3[bB]|//){0,12}") {
        let normal = NormalPath::of_target(target.as_bytes(), 2048);
        match (&normal, read(&target)) {
            (Ok(normal), odd) => prop_assert_eq!(odd, Ok((normal.as_str().to_owned(), Oddities::NONE))),
            (Err(_), Ok((_, oddities))) => prop_assert_ne!(oddities, Oddities::NONE),
            (Err(_), Err(_)) => {}
        }
    }
}
