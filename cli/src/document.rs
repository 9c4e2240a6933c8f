//! A YAML or JSON document that knows on which line each of its parts is.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

/// A part of a document and where it begins.
pub type Node = Spanned<Tree>;

/// What a part of a document is.
#[derive(Clone, Debug)]
pub enum Tree {
    /// An object, its members in order, each key with its line.
    Object(Vec<(Spanned<String>, Node)>),
    /// An array.
    Array(Vec<Node>),
    /// Anything else.
    Scalar(Value),
}

/// The documents of a text.
///
/// # Errors
/// Why it is neither YAML nor JSON.
pub fn parse(text: &str) -> Result<Vec<Node>, String> {
    serde_saphyr::from_multiple(text).map_err(|error| error.to_string())
}

impl Tree {
    /// The member of this name.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.members().iter().find(|(key, _)| key.value == name).map(|(_, value)| value)
    }

    /// The member of this name and its key. Protobuf's JSON has a field in both spellings, `vm_id` and `vmId`.
    pub fn member(&self, name: &str) -> Option<(&Spanned<String>, &Node)> {
        let by = |name: &str| self.members().iter().find(|(key, _)| key.value == name);
        by(name).or_else(|| by(&camel_case(name))).map(|(key, value)| (key, value))
    }

    /// The field of a protobuf message, in either spelling.
    pub fn field(&self, name: &str) -> Option<&Node> {
        self.member(name).map(|(_, value)| value)
    }

    /// The node at the end of a way of fields, in either spelling.
    pub fn fields(&self, way: &[&str]) -> Option<&Node> {
        let (first, rest) = way.split_first()?;
        let node = self.field(first)?;
        if rest.is_empty() { Some(node) } else { node.value.fields(rest) }
    }

    /// The node at the end of a way of names.
    pub fn at(&self, way: &[&str]) -> Option<&Node> {
        let (first, rest) = way.split_first()?;
        let node = self.get(first)?;
        if rest.is_empty() { Some(node) } else { node.value.at(rest) }
    }

    /// The members of an object; none of anything else.
    pub fn members(&self) -> &[(Spanned<String>, Node)] {
        match self {
            Self::Object(members) => members,
            _ => &[],
        }
    }

    /// The items of an array; none of anything else.
    pub fn items(&self) -> &[Node] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }

    /// A string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether it is `true`.
    pub fn is_true(&self) -> bool {
        matches!(self, Self::Scalar(Value::Bool(true)))
    }

    /// A whole number.
    pub fn number(&self) -> Option<i64> {
        match self {
            Self::Scalar(Value::Number(number)) => number.as_i64(),
            Self::Scalar(_) | Self::Object(_) | Self::Array(_) => None,
        }
    }

    /// The value without its lines.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Object(members) => {
                let members = members.iter().map(|(key, node)| (key.value.clone(), node.value.to_value()));
                Value::Object(members.collect::<Map<_, _>>())
            }
            Self::Array(items) => items.iter().map(|item| item.value.to_value()).collect(),
            Self::Scalar(value) => value.clone(),
        }
    }
}

/// The line of the part that a JSON path of the plugin names, or of the nearest part around it.
pub fn line_of(node: &Node, path: &str) -> u64 {
    let mut line = node.referenced.line();
    let mut current = node;
    for step in steps(path) {
        let found = match &step {
            Step::Key(name) => current.value.member(name).map(|(key, value)| (key.referenced.line(), value)),
            Step::Index(index) => {
                current.value.items().get(*index).map(|item| (item.referenced.line(), item))
            }
        };
        let Some((found_line, next)) = found else { break };
        line = found_line;
        current = next;
    }
    line
}

/// `vm_id` as `vmId`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        text.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        text.push_str(letters.as_str());
    }
    text
}

enum Step {
    Key(String),
    Index(usize),
}

/// The steps of a path as the plugin writes it: `a.b[0]["c d"].e`.
fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("[\"") {
            let Some((name, after)) = after.split_once("\"]") else { break };
            let unescaped = serde_json::from_str(&format!("\"{name}\"")).unwrap_or_else(|_| name.to_owned());
            steps.push(Step::Key(unescaped));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            let Some((index, after)) = after.split_once(']') else { break };
            let Ok(index) = index.parse() else { break };
            steps.push(Step::Index(index));
            rest = after;
        } else {
            let start = rest.strip_prefix('.').unwrap_or(rest);
            let end = start.find(['.', '[']).unwrap_or(start.len());
            let (name, after) = start.split_at(end);
            steps.push(Step::Key(name.to_owned()));
            rest = after;
        }
    }
    steps
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML or JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Scalar(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Tree::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = access.next_entry()? {
            members.push(member);
        }
        Ok(Tree::Object(members))
    }
}
