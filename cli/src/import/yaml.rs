//! Documents with their members in order, written as YAML.

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use serde_json::Value;

use crate::document::Tree;

/// A part of a document to be written.
#[derive(Clone, Debug)]
pub enum Part {
    /// An object.
    Object(Vec<(String, Part)>),
    /// An array.
    Array(Vec<Part>),
    /// Anything else.
    Value(Value),
}

impl Part {
    /// As it was read.
    pub fn of(tree: &Tree) -> Self {
        match tree {
            Tree::Object(members) => Self::Object(
                members.iter().map(|(key, node)| (key.value.clone(), Self::of(&node.value))).collect(),
            ),
            Tree::Array(items) => Self::Array(items.iter().map(|item| Self::of(&item.value)).collect()),
            Tree::Scalar(value) => Self::Value(value.clone()),
        }
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (key, part) in members {
                    map.serialize_entry(key, part)?;
                }
                map.end()
            }
            Self::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Value(value) => value.serialize(serializer),
        }
    }
}

/// The text of a part.
///
/// # Errors
/// If it cannot be written.
pub fn text(part: &Part) -> Result<String, String> {
    serde_saphyr::to_string(part).map_err(|error| error.to_string())
}
