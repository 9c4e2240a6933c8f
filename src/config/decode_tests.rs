use super::decode;
use prost::Message as _;
use prost_types::{ListValue, Struct, Value, value::Kind};
use serde_json::json;

fn value(kind: Kind) -> Value {
    Value { kind: Some(kind) }
}

fn structure(fields: &[(&str, Kind)]) -> Struct {
    let fields = fields.iter().map(|(name, kind)| ((*name).to_owned(), value(kind.clone())));
    Struct { fields: fields.collect() }
}

#[test]
fn a_struct_becomes_json_with_whole_numbers_as_integers() {
    let inner = structure(&[("entries", Kind::NumberValue(4096.0)), ("ratio", Kind::NumberValue(0.5))]);
    let list = ListValue { values: vec![value(Kind::StringValue("a".into())), value(Kind::NullValue(0))] };
    let message = structure(&[
        ("cache", Kind::StructValue(inner)),
        ("flag", Kind::BoolValue(true)),
        ("list", Kind::ListValue(list)),
    ]);
    assert_eq!(
        decode(&message.encode_to_vec()).unwrap(),
        json!({"cache": {"entries": 4096, "ratio": 0.5}, "flag": true, "list": ["a", null]})
    );
}

#[test]
fn json_text_is_read_with_white_space_around_it() {
    assert_eq!(decode(b" \n{\"a\": 1}\n").unwrap(), json!({"a": 1}));
}

#[test]
fn a_struct_whose_first_entry_is_as_long_as_a_brace_is_a_number_is_still_a_struct() {
    // Entry length 123 is the byte `{`: the message then begins with "\n{".
    let message = structure(&[("k", Kind::StringValue("x".repeat(116)))]);
    let bytes = message.encode_to_vec();
    assert_eq!(&bytes[..2], b"\n{");
    assert_eq!(decode(&bytes).unwrap(), json!({"k": "x".repeat(116)}));
}

#[test]
fn what_is_neither_is_refused() {
    for bytes in [&b""[..], b"  ", b"schemes:", b"\n\xff\xff", b"{\"a\":1,\"a\":2}"] {
        assert!(decode(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn numbers_that_are_not_finite_are_refused() {
    let message = structure(&[("n", Kind::NumberValue(f64::NAN))]);
    assert!(decode(&message.encode_to_vec()).is_err());
}

/// A number that a Struct has as a double was refused where it was written as one in JSON text.
#[test]
fn a_whole_number_is_whole_however_it_is_written() {
    let read = |number: &str| {
        let text = format!("{{\"cache\": {{\"entries\": {number}}}}}");
        let errors = crate::config::Errors::default();
        let config = crate::config::Config::read(text.as_bytes(), &errors);
        errors.into_vec().is_empty().then_some(config.cache.entries)
    };
    for number in ["1000", "1e3", "1000.0", "1.0e3"] {
        assert_eq!(read(number), Some(1000), "{number}");
    }
    for number in ["1.5", "-1", "-1e3", "1e300", "1e9"] {
        assert_eq!(read(number), None, "{number}");
    }
}
