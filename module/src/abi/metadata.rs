//! Dynamic metadata of a stream.

use std::ptr::null;

use lychgate::host::Metadata;
use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use smallvec::SmallVec;

use super::*;

/// Metadata of the stream, and not of its route, cluster or host.
const DYNAMIC: u32 = 0;

impl StreamHandle {
    /// Sets the dynamic metadata of a namespace: these values and no others.
    ///
    /// Usually there are none before. Where another filter of this kind came first, or one that was told to write
    /// there, what it set must not mix with these: Envoy appends to a list that is there.
    pub fn set_metadata(&self, namespace: &str, values: &[(&str, Metadata<'_>)]) {
        let Some(stream) = self.to_change() else { return };
        let before = names(stream, bytes(namespace.as_bytes()));
        let is_left = |name: &&String| values.iter().all(|(own, _)| own != name);
        let left: SmallVec<[&str; 4]> = before.iter().filter(is_left).map(String::as_str).collect();
        match newer().set_struct {
            Some(set) if !before.is_empty() => {
                let empty = left.iter().map(|name| ((*name).to_owned(), Kind::NullValue(0)));
                let own = values.iter().map(|(name, value)| ((*name).to_owned(), kind(value)));
                let fields =
                    empty.chain(own).map(|(name, kind)| (name, Value { kind: Some(kind) })).collect();
                let text = Struct { fields }.encode_to_vec();
                // SAFETY: the stream is there, and Envoy reads the rest during the call.
                unsafe { set(stream, bytes(namespace.as_bytes()), bytes(&text)) };
            }
            Some(_) | None => {
                left.iter().for_each(|name| set_text(stream, namespace, name, ""));
                for (name, value) in values {
                    match value {
                        Metadata::Text(text) => set_text(stream, namespace, name, text),
                        Metadata::Number(number) => set_number(stream, namespace, name, *number),
                        Metadata::Bool(value) => set_bool(stream, namespace, name, *value),
                        // Nothing can take its place there but a text.
                        Metadata::List(values) if before.iter().any(|own| own == name) => {
                            set_text(stream, namespace, name, &values.join(" "));
                        }
                        Metadata::List(values) => set_list(stream, namespace, name, values),
                    }
                }
            }
        }
    }
}

fn kind(value: &Metadata<'_>) -> Kind {
    let text = |text: &str| Kind::StringValue(text.to_owned());
    match value {
        Metadata::Text(value) => text(value),
        Metadata::Number(number) => Kind::NumberValue(*number),
        Metadata::Bool(value) => Kind::BoolValue(*value),
        Metadata::List(values) => {
            let values = values.iter().map(|value| Value { kind: Some(text(value)) }).collect();
            Kind::ListValue(ListValue { values })
        }
    }
}

/// The names under a namespace; none where Envoy does not tell (1.37).
fn names(stream: Envoy, namespace: Bytes) -> Vec<String> {
    let (Some(count), Some(get)) = (newer().count_names, newer().get_names) else { return Vec::new() };
    // SAFETY: the stream is there. Envoy fills as many as it has just said, and lends each until metadata is set.
    unsafe {
        let count = count(stream, DYNAMIC, namespace);
        if count == 0 {
            return Vec::new();
        }
        let mut found: SmallVec<[Bytes; 8]> = SmallVec::from_elem(Bytes { start: null(), size: 0 }, count);
        if !get(stream, DYNAMIC, namespace, found.as_mut_ptr()) {
            return Vec::new();
        }
        found.iter().map(|name| String::from_utf8_lossy(name.lent()).into_owned()).collect()
    }
}

fn set_text(stream: Envoy, namespace: &str, name: &str, value: &str) {
    let [namespace, name, value] = [namespace, name, value].map(|text| bytes(text.as_bytes()));
    // SAFETY: the stream is there, and Envoy copies the rest.
    unsafe { envoy_dynamic_module_callback_http_set_dynamic_metadata_string(stream, namespace, name, value) };
}

fn set_number(stream: Envoy, namespace: &str, name: &str, value: f64) {
    let [namespace, name] = [namespace, name].map(|text| bytes(text.as_bytes()));
    // SAFETY: as above.
    unsafe { envoy_dynamic_module_callback_http_set_dynamic_metadata_number(stream, namespace, name, value) };
}

/// As a text where Envoy has no such (1.37).
fn set_bool(stream: Envoy, namespace: &str, name: &str, value: bool) {
    let Some(set) = newer().set_bool else {
        return set_text(stream, namespace, name, if value { "true" } else { "false" });
    };
    // SAFETY: as above.
    unsafe { set(stream, bytes(namespace.as_bytes()), bytes(name.as_bytes()), value) };
}

/// Joined by spaces where Envoy has no lists (1.37).
fn set_list(stream: Envoy, namespace: &str, name: &str, values: &[String]) {
    let Some(add) = newer().add_to_list else {
        return set_text(stream, namespace, name, &values.join(" "));
    };
    for value in values {
        let [namespace, name, value] = [namespace, name, value].map(|text| bytes(text.as_bytes()));
        // SAFETY: as above.
        unsafe { add(stream, namespace, name, value) };
    }
}
