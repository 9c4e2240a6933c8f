//! Parts of configurations that several tests write.

use serde_json::{Value, json};

use crate::keys;

/// An object with these members besides its own; of two with one name, that of `settings`.
pub fn with(mut object: Value, settings: &Value) -> Value {
    for (key, value) in settings.as_object().expect("an object") {
        object[key] = value.clone();
    }
    object
}

/// `jwt` for HS256 tokens of the tests, with these settings besides.
pub fn hs256(settings: &Value) -> Value {
    with(json!({"keys": [{"alg": "HS256", "secret": keys::SECRET}]}), settings)
}
