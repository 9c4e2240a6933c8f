use super::{decode_any_base64, decode_base64url, decode_hex32};

#[test]
fn base64url_is_strict() {
    assert_eq!(decode_base64url(b"AQID").unwrap(), [1, 2, 3]);
    assert_eq!(decode_base64url(b"").unwrap(), b"");
    for text in [&b"AQ=="[..], b"AR", b"AQI D", b"AQI\n", b"A", b"+/", b"AQ=", b"\xff"] {
        assert!(decode_base64url(text).is_none(), "{text:?}");
    }
}

#[test]
fn pasted_base64_may_have_either_alphabet_and_padding() {
    for text in ["-_8=", "-_8", "+/8=", "+/8"] {
        assert_eq!(decode_any_base64(text).unwrap(), [0xfb, 0xff], "{text}");
    }
    assert!(decode_any_base64("not base64!").is_none());
}

#[test]
fn hex_needs_64_digits() {
    assert_eq!(decode_hex32(&"aF".repeat(32)).unwrap(), [0xaf; 32]);
    assert!(decode_hex32(&"a".repeat(63)).is_none());
    assert!(decode_hex32(&"g".repeat(64)).is_none());
    assert!(decode_hex32(&"é".repeat(32)).is_none());
}

/// The same as by decoding all of it, which took three million instructions for a query of 60 KB.
#[test]
fn a_pair_is_named_as_a_form_reads_it() {
    for pair in [
        "a+b=1",
        "a b=1",
        "a%20b",
        "%61%20%62=",
        "a+b",
        "a+b+=1",
        "+a+b=1",
        "a%2Bb=1",
        "a%2bb",
        "a%+b=1",
        "a%2=1",
        "=a+b",
        "a+c",
        "",
        "=",
        "a%20b%",
        "a%zzb",
        "a\u{e9}b=1",
        "a%c3%a9b=2",
        "a%C3%A9b",
        "a%e9b",
        "%61%20%62%",
        "%61%20%62%62=1",
        "%61%20%62=1=%61%20%62",
    ] {
        for name in ["a b", "a+b", "a\u{e9}b", "a%zzb", "a"] {
            let read = form_urlencoded::parse(pair.as_bytes()).any(|(own, _)| own == name);
            assert_eq!(super::is_named_pair(pair.as_bytes(), name), read, "{pair:?}, {name:?}");
        }
    }
}
