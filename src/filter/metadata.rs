//! Dynamic metadata: who a request comes from, for filters after this one, in values and not in text.

use serde_json::Value;

use crate::config::METADATA_NAMES;
use crate::host::{Metadata, Stream};
use crate::identity::Identity;

/// Tells of a request that goes on, and was not only spared.
pub fn tell(stream: &dyn Stream, identity: &Identity) {
    let [subject_name, scheme_name, scopes_name] = METADATA_NAMES;
    if let Some(subject) = &identity.subject {
        stream.set_metadata(subject_name, Metadata::Text(subject));
    }
    match identity.schemes.as_slice() {
        [scheme] => stream.set_metadata(scheme_name, Metadata::Text(scheme)),
        schemes => stream.set_metadata(scheme_name, Metadata::Text(&schemes.join(","))),
    }
    if !identity.scopes.is_empty() {
        stream.set_metadata(scopes_name, Metadata::List(&identity.scopes));
    }
    for (name, value) in &identity.metadata {
        tell_claim(stream, name, value);
    }
}

fn tell_claim(stream: &dyn Stream, name: &str, value: &Value) {
    let as_json = || stream.set_metadata(name, Metadata::Text(&value.to_string()));
    match value {
        // Absent.
        Value::Null => {}
        Value::Bool(value) => stream.set_metadata(name, Metadata::Bool(*value)),
        Value::String(text) => stream.set_metadata(name, Metadata::Text(text)),
        Value::Number(number) => match number.as_f64() {
            Some(number) => stream.set_metadata(name, Metadata::Number(number)),
            None => as_json(),
        },
        Value::Array(items) => {
            let texts: Option<Vec<String>> =
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
            match texts {
                Some(texts) => stream.set_metadata(name, Metadata::List(&texts)),
                None => as_json(),
            }
        }
        Value::Object(_) => as_json(),
    }
}

#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
