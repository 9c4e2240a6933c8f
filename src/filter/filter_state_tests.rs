use std::borrow::Cow;

use super::{LONGEST, legible};

/// C1 controls, bidirectional marks and line separators in a `sub` went into Envoy's text access log as they
/// came: a terminal obeyed them, and a viewer showed another name or one line more.
#[test]
fn what_misleads_the_reader_of_a_log_is_replaced() {
    let turning = (0x202A..=0x202E).chain(0x2066..=0x2069);
    let others = [0x061C, 0x200E, 0x200F, 0x2028, 0x2029];
    let barred = (0..0x20).chain(0x7F..=0x9F).chain(turning).chain(others);
    for character in barred.map(|code| char::from_u32(code).unwrap()) {
        let value = format!("a{character}b");
        assert_eq!(legible(value.as_bytes()), "a\u{FFFD}b", "{character:?}");
    }
}

#[test]
fn what_is_no_utf8_is_replaced() {
    assert_eq!(legible(b"a\x80b\xC3"), "a\u{FFFD}b\u{FFFD}");
    // CSI as one byte of Latin-1, and an overlong line feed.
    assert_eq!(legible(b"\x9B2J\xC0\x8A"), "\u{FFFD}2J\u{FFFD}\u{FFFD}");
}

#[test]
fn other_text_is_as_it_was() {
    for value in ["", "johndoe", "items:read items:write", "Zoë", "יוסי", "李 雷", "नमस्ते", "👩\u{200D}🔬"]
    {
        assert_eq!(legible(value.as_bytes()), value);
    }
    assert!(matches!(legible(b"items:read"), Cow::Borrowed(_)), "and nothing is copied");
}

#[test]
fn a_value_is_cut_off_between_characters_also_where_it_grew() {
    let cut = |value: &[u8]| legible(value).into_owned();
    assert_eq!(cut(&[b's'; 300]), "s".repeat(LONGEST));
    assert_eq!(cut("ë".repeat(300).as_bytes()), "ë".repeat(LONGEST / 2));
    assert_eq!(cut(format!("s{}", "ë".repeat(300)).as_bytes()), format!("s{}", "ë".repeat(LONGEST / 2 - 1)));
    // Two bytes each, and three once they are replaced.
    assert_eq!(cut("\u{85}".repeat(128).as_bytes()), "\u{FFFD}".repeat(LONGEST / 3));
    assert_eq!(cut(&[0x80; 300]), "\u{FFFD}".repeat(LONGEST / 3));
}
