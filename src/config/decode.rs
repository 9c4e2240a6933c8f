//! From the bytes the host hands over to a JSON value.
//!
//! Envoy 1.40 hands a `google.protobuf.Struct` over as serialised protobuf and a `StringValue` as its
//! text; other hosts and versions turn the Struct into JSON text first. All of it is read here.

use prost::Message as _;
use prost_types::{Struct, value::Kind};
use serde_json::{Map, Number, Value};

use crate::json;

/// Deeper than any configuration or OpenAPI document that a person wrote.
const MAX_DEPTH: usize = 100;

/// Decodes a plugin configuration.
///
/// # Errors
/// Why the bytes are neither JSON nor a serialised `google.protobuf.Struct`.
pub fn decode(bytes: &[u8]) -> Result<Value, String> {
    let text = bytes.trim_ascii();
    if text.is_empty() {
        return Err("the plugin has no configuration; give `schemes`, `rules` and `security`".into());
    }
    // A serialised Struct begins with the tag 0x0A, which is also a line feed: so a text that opens
    // with a brace is tried as JSON first, and protobuf only where that fails.
    let json = json::parse_strict(text, MAX_DEPTH);
    if let Ok(value) = json {
        return Ok(value);
    }
    if bytes.first() == Some(&0x0A)
        && let Ok(message) = Struct::decode(bytes)
    {
        return struct_to_json(message, MAX_DEPTH).map(Value::Object);
    }
    json.map_err(|error| format!("not a JSON object: {error}"))
}

fn struct_to_json(message: Struct, depth: usize) -> Result<Map<String, Value>, String> {
    let mut object = Map::new();
    for (name, value) in message.fields {
        object.insert(name, value_to_json(value, depth)?);
    }
    Ok(object)
}

fn value_to_json(value: prost_types::Value, depth: usize) -> Result<Value, String> {
    let Some(deeper) = depth.checked_sub(1) else {
        return Err("nested too deeply".into());
    };
    Ok(match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(value)) => Value::Bool(value),
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::NumberValue(number)) => Value::Number(number_to_json(number)?),
        Some(Kind::ListValue(list)) => Value::Array(
            list.values.into_iter().map(|item| value_to_json(item, deeper)).collect::<Result<_, _>>()?,
        ),
        Some(Kind::StructValue(message)) => Value::Object(struct_to_json(message, deeper)?),
    })
}

/// A Struct knows only doubles: `4096` arrives as `4096.0` and is an integer again here.
fn number_to_json(number: f64) -> Result<Number, String> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    #[expect(clippy::cast_possible_truncation, reason = "integral and within 2^53")]
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return Ok(Number::from(number as i64));
    }
    Number::from_f64(number).ok_or_else(|| format!("{number} is not a finite number"))
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
