//! `match.headers`: what the headers of a request must be.

use serde_json::Value;

use super::some;
use crate::config::node::Node;
use crate::http_syntax::is_token;

/// What a header must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderCondition {
    /// One of these.
    OneOf(Vec<String>),
    /// Not that.
    Not(Box<HeaderCondition>),
    /// There, whatever it is.
    Present,
}

impl HeaderCondition {
    /// Whether it holds for a value; `None`: there is no such header.
    #[must_use]
    pub fn holds(&self, value: Option<&[u8]>) -> bool {
        match self {
            Self::OneOf(texts) => value.is_some_and(|value| texts.iter().any(|own| own.as_bytes() == value)),
            Self::Not(other) => !other.holds(value),
            Self::Present => value.is_some(),
        }
    }
}

/// Reads `headers`.
pub(super) fn read_headers(node: Node<'_>) -> Option<Vec<(String, HeaderCondition)>> {
    let conditions = node.map(read_header_condition)?;
    if conditions.is_empty() {
        return node.error("asks for nothing; leave it out");
    }
    let mut read = Vec::with_capacity(conditions.len());
    for (name, condition) in conditions {
        match name.to_ascii_lowercase() {
            host if host == "host" => return node.error("the host is not among the headers; use `hosts`"),
            name if is_token(&name) => read.push((name, condition?)),
            _ => return node.error(format_args!("{name:?} is not a header name")),
        }
    }
    Some(read)
}

fn read_header_condition(node: Node<'_>) -> Option<HeaderCondition> {
    match node.value {
        Value::Array(_) => some(node, |n| n.string()).map(HeaderCondition::OneOf),
        Value::Object(_) => {
            let object = node.object()?;
            let condition = match object.one_of(&["not", "present"]) {
                Some("not") => {
                    let other = object.optional("not", read_header_condition);
                    other.map(|other| HeaderCondition::Not(Box::new(other)))
                }
                Some(_) => object.optional("present", |n| match n.bool()? {
                    true => Some(HeaderCondition::Present),
                    false => n.error("write `{not: {present: true}}` for a header that must be absent"),
                }),
                None => None,
            };
            object.finish();
            condition
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            node.string().map(|text| HeaderCondition::OneOf(vec![text]))
        }
    }
}
