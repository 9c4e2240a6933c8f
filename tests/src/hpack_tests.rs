use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn field(name: &str, value: &str) -> Field {
    (name.to_owned(), value.as_bytes().to_vec())
}

/// RFC 7541 appendix C.6.1.
#[test]
fn the_answer_of_the_rfc_is_read() {
    let block = hex("4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 \
                     2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3");
    let expected = [
        field(":status", "302"),
        field("cache-control", "private"),
        field("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
        field("location", "https://www.example.com"),
    ];
    assert_eq!(decode(&block).unwrap(), expected);
}

#[test]
fn what_is_sent_is_read_again_and_an_index_gives_its_entry() {
    let long = "x".repeat(300);
    let fields = [field(":status", "401"), field("grpc-status", "16"), field("a", &long)];
    assert_eq!(decode(&encode(&fields)).unwrap(), fields);
    assert_eq!(decode(&[0x20, 0x88]).unwrap(), [field(":status", "200")]);
    assert_eq!(decode(&[0x8C]).unwrap(), [field(":status", "400")]);
    assert_eq!(decode(&[0x0F, 0x26, 1, b'1']).unwrap(), [field("retry-after", "1")]);
    assert!(decode(&[0xBE]).is_err(), "there is no table");
    assert!(decode(&[0x48, 3, b'4']).is_err(), "cut off");
}
