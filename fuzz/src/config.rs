//! A plugin configuration: JSON text, or the same as a serialised `google.protobuf.Struct`.

use lychgate::engine::Engine;
use lychgate::host::InMemoryHost;
use lychgate::request::Request;
use prost::Message as _;
use prost_types::{ListValue, Struct, Value as Any, value::Kind};
use serde_json::Value;

use super::signed::{NOW, SECRET};

/// Both forms of a configuration are the same configuration, and one that is taken answers.
pub fn run(data: &[u8]) {
    let environment = |name: &str| (name == "SECRET").then(|| SECRET.to_owned());
    let compiled = Engine::compile(data, &environment);
    if let Ok(value) = serde_json::from_slice::<Value>(data)
        && let Some(Kind::StructValue(message)) = to_struct(&value, 12)
        && !message.fields.is_empty()
        && !has_twins(data, &value)
    {
        let other = Engine::compile(&message.encode_to_vec(), &environment);
        match (&compiled, &other) {
            (Ok(_), Ok(_)) => {}
            (Err(one), Err(two)) => {
                let texts = |errors: &[_]| {
                    let mut texts: Vec<_> = errors.iter().map(ToString::to_string).collect::<Vec<String>>();
                    texts.sort();
                    texts
                };
                assert_eq!(texts(one), texts(two), "two forms, two messages");
            }
            _ => panic!("as JSON {:?}, as Struct {:?}", compiled.err(), other.err()),
        }
    }
    let Ok(compiled) = compiled else { return };
    let engine = compiled.engine;
    for path in [&b"/"[..], b"/items/7", b"/token", b"/openapi.json", b"//"] {
        for method in [&b"GET"[..], b"POST"] {
            let headers: [(&[u8], &[u8]); 4] =
                [(b":method", method), (b":path", path), (b":authority", b"localhost"), (b"x-api-key", b"k")];
            let _ = engine.decide(&Request::new(&headers), &InMemoryHost::at(NOW), true);
        }
    }
}

/// The value as Envoy would hand it over; `None` if it is too deep for protobuf or has numbers that
/// no double holds.
fn to_struct(value: &Value, depth: usize) -> Option<Kind> {
    let deeper = depth.checked_sub(1)?;
    let any = |value: &Value| Some(Any { kind: Some(to_struct(value, deeper)?) });
    Some(match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(*value),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Number(number) => {
            let double = number.as_f64()?;
            // An integral double is an integer again, so a double that is written as one is none.
            if double.abs() > 9e15 || (number.is_f64() && double.fract() == 0.0) {
                return None;
            }
            Kind::NumberValue(double)
        }
        Value::Array(items) => {
            Kind::ListValue(ListValue { values: items.iter().map(any).collect::<Option<_>>()? })
        }
        Value::Object(members) => {
            let fields = members.iter().map(|(name, value)| Some((name.clone(), any(value)?)));
            Kind::StructValue(Struct { fields: fields.collect::<Option<_>>()? })
        }
    })
}

/// Whether a name occurs twice in an object, which a Struct cannot express and JSON may not. A rough
/// look: as many colons outside of strings as members.
pub fn has_twins(text: &[u8], value: &Value) -> bool {
    fn members(value: &Value) -> usize {
        match value {
            Value::Array(items) => items.iter().map(members).sum(),
            Value::Object(object) => object.len() + object.values().map(members).sum::<usize>(),
            _ => 0,
        }
    }
    let (mut colons, mut in_string, mut escaped) = (0, false, false);
    for &byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b':' if !in_string => colons += 1,
            _ => {}
        }
    }
    colons != members(value)
}
