use super::{Edits, HeaderEdit, is_header_value};
use crate::credential::Source;
use crate::request::Request;

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
fn credentials_that_share_a_header_are_removed_together() {
    let (first, second) = (Source::Query("a".into()), Source::Query("b".into()));
    let mut edits = Edits::default();
    edits.remove(&first);
    edits.remove(&second);
    let headers = [(&b":path"[..], &b"/?a=1&c=3&b=2"[..])];
    let edits = edits.finish(&Request::new(&headers), |_| false);
    assert_eq!(edits, [HeaderEdit::Set(":path".into(), b"/?c=3".to_vec())]);
}

#[test]
fn reserved_headers_are_removed_or_replaced_never_both() {
    let mut edits = Edits::default();
    edits.set(&"x-a".into(), b"1".to_vec());
    edits.set(&"x-a".into(), b"2".to_vec());
    let headers = [(&b"x-a"[..], &b"forged"[..]), (b"x-b", b"forged"), (b"x-b", b"again"), (b"other", b"")];
    let edits = edits.finish(&Request::new(&headers), |name| name.starts_with(b"x-"));
    assert_eq!(edits, [HeaderEdit::Remove(b"x-b".to_vec()), HeaderEdit::Set("x-a".into(), b"1".to_vec())]);
}
