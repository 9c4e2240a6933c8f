//! Dynamic metadata: who a request comes from, for filters after this one, in values and not in text.

use std::borrow::Cow;

use serde_json::Value;
use smallvec::SmallVec;

use crate::config::METADATA_NAMES;
use crate::host::{Metadata, Stream};
use crate::identity::Identity;

/// Tells of a request that goes on, and was not only spared. Without an identity nothing is told of it, whatever another
/// filter has said before.
pub fn tell(stream: &dyn Stream, identity: Option<&Identity>) {
    stream.set_metadata(&identity.map(values).unwrap_or_default());
}

type Values<'i> = SmallVec<[(&'i str, Metadata<'i>); 4]>;

fn values(identity: &Identity) -> Values<'_> {
    let [subject_name, scheme_name, scopes_name] = METADATA_NAMES;
    let mut values = Values::new();
    if let Some(subject) = &identity.subject {
        values.push((subject_name, Metadata::Text(subject.into())));
    }
    let scheme = match identity.schemes.as_slice() {
        [scheme] => Cow::Borrowed(scheme.as_str()),
        schemes => Cow::Owned(schemes.join(",")),
    };
    values.push((scheme_name, Metadata::Text(scheme)));
    if !identity.scopes.is_empty() {
        values.push((scopes_name, Metadata::List((&identity.scopes).into())));
    }
    for (name, value) in &identity.metadata {
        values.extend(claim(value).map(|value| (&**name, value)));
    }
    values
}

/// What a claim is told as; `None`: it is absent.
fn claim(value: &Value) -> Option<Metadata<'_>> {
    let as_json = || Metadata::Text(value.to_string().into());
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => Metadata::Bool(*value),
        Value::String(text) => Metadata::Text(text.into()),
        Value::Number(number) => number.as_f64().map_or_else(as_json, Metadata::Number),
        Value::Array(items) => {
            let texts: Option<Vec<String>> =
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
            texts.map_or_else(as_json, |texts| Metadata::List(texts.into()))
        }
        Value::Object(_) => as_json(),
    })
}

#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
