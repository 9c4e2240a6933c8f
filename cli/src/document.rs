//! A YAML or JSON document that knows on which line each of its parts is.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

/// A part of a document and the line that it begins on.
#[derive(Clone, Debug)]
pub struct Located<T> {
    /// The part.
    pub value: T,
    /// Its line.
    pub line: u64,
}

/// A part of a document and where it begins.
pub type Node = Located<Tree>;

/// What a part of a document is.
#[derive(Clone, Debug)]
pub enum Tree {
    /// An object, its members in order, each key with its line.
    Object(Vec<(Located<String>, Node)>),
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
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with(['{', '[']) {
        match parse_json(text) {
            Ok(node) => return Ok(vec![node]),
            // JSON that is read as YAML would lose one of the two.
            Err(error) if error.contains("duplicate key") => return Err(error),
            // It may be YAML in braces.
            Err(_) => {}
        }
    }
    serde_saphyr::from_multiple_with_options(text, options())
        .map_err(|error| in_plain_words(text, &error.to_string()))
}

/// No bound but those that keep a small text from becoming a large one: the plugin has none either.
fn options() -> serde_saphyr::Options {
    let budget = serde_saphyr::budget! {
        max_events: usize::MAX,
        max_nodes: usize::MAX,
        max_total_scalar_bytes: usize::MAX,
        max_depth: 250,
    };
    serde_saphyr::options! { budget: budget }
}

/// What is wrong with a text that is neither.
fn in_plain_words(text: &str, error: &str) -> String {
    if is_helm_template(text) {
        return "a Helm template, which is no YAML yet; check what it becomes: helm template . | lychgate check -".into();
    }
    match error.split_once("duplicate mapping key: ") {
        Some((before, rest)) => {
            let key = rest.split_once(", set Duplicate").map_or(rest, |(key, _)| key);
            let place = before.trim_start_matches("error: ");
            format!("{place}duplicate key `{key}`: one of the two would be lost; remove or rename one")
        }
        None => error.to_owned(),
    }
}

/// Whether a text has actions of Go's templates.
pub fn is_helm_template(text: &str) -> bool {
    let mut actions = text.split("{{").skip(1).map(|rest| rest.trim_start_matches('-').trim_start());
    const WORDS: [&str; 11] =
        [".", "$", "if ", "else", "end", "with ", "range ", "include ", "template ", "define ", "toYaml "];
    actions.any(|action| WORDS.iter().any(|word| action.starts_with(word)))
}

thread_local! {
    /// The line that the reader of JSON has come to; `None` while none reads.
    static LINE: Cell<Option<u64>> = const { Cell::new(None) };
}

/// A text that counts its lines while it is read, byte by byte.
struct Lines<'t>(&'t [u8]);

impl Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let (Some((first, rest)), Some(place)) = (self.0.split_first(), buffer.first_mut()) else {
            return Ok(0);
        };
        *place = *first;
        self.0 = rest;
        if *first == b'\n' {
            LINE.set(LINE.get().map(|line| line.saturating_add(1)));
        }
        Ok(1)
    }
}

fn parse_json(text: &str) -> Result<Node, String> {
    LINE.set(Some(1));
    let mut deserializer = serde_json::Deserializer::from_reader(Lines(text.as_bytes()));
    let node = Node::deserialize(&mut deserializer).and_then(|node| deserializer.end().map(|()| node));
    LINE.set(None);
    node.map_err(|error| error.to_string())
}

impl<'de> Deserialize<'de> for Located<Tree> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if LINE.get().is_some() {
            return deserializer.deserialize_any(TreeVisitor);
        }
        let spanned = Spanned::<Tree>::deserialize(deserializer)?;
        Ok(Self { line: spanned.referenced.line(), value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Located<String> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if LINE.get().is_some() {
            let value = String::deserialize(deserializer)?;
            return Ok(Self { value, line: LINE.get().unwrap_or_default() });
        }
        let spanned = Spanned::<String>::deserialize(deserializer)?;
        Ok(Self { line: spanned.referenced.line(), value: spanned.value })
    }
}

impl Tree {
    /// The member of this name.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.members().iter().find(|(key, _)| key.value == name).map(|(_, value)| value)
    }

    /// The member of this name and its key. Protobuf's JSON has a field in both spellings, `vm_id` and `vmId`.
    pub fn member(&self, name: &str) -> Option<(&Located<String>, &Node)> {
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
    pub fn members(&self) -> &[(Located<String>, Node)] {
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

impl Node {
    /// Counts the lines of this and of its parts from so many lines further down.
    pub fn move_down(&mut self, lines: u64) {
        self.line = self.line.saturating_add(lines);
        match &mut self.value {
            Tree::Object(members) => {
                for (key, value) in members {
                    key.line = key.line.saturating_add(lines);
                    value.move_down(lines);
                }
            }
            Tree::Array(items) => items.iter_mut().for_each(|item| item.move_down(lines)),
            Tree::Scalar(_) => {}
        }
    }
}

/// The line of the part that a JSON path of the plugin names, or of the nearest part around it.
pub fn line_of(node: &Node, path: &str) -> u64 {
    let mut line = node.line;
    let mut current = node;
    for step in steps(path) {
        let found = match &step {
            Step::Key(name) => current.value.member(name).map(|(key, value)| (key.line, value)),
            Step::Index(index) => current.value.items().get(*index).map(|item| (item.line, item)),
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
        deserializer.deserialize_any(TreeVisitor).map(|node| node.value)
    }
}

/// Makes a node of what is read. In JSON its line is the one where it began.
struct TreeVisitor;

fn here(value: Tree) -> Node {
    Located { value, line: LINE.get().unwrap_or_default() }
}

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML or JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(here(Tree::Scalar(value.into())))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(here(Tree::Scalar(value.into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(here(Tree::Scalar(value.into())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(here(Tree::Scalar(value.into())))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(here(Tree::Scalar(value.into())))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(here(Tree::Scalar(Value::Null)))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(here(Tree::Scalar(Value::Null)))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(Self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let start = here(Tree::Scalar(Value::Null));
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Located { value: Tree::Array(items), ..start })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let start = here(Tree::Scalar(Value::Null));
        let mut members: Vec<(Located<String>, Node)> = Vec::new();
        let mut names = HashSet::new();
        while let Some((key, value)) = access.next_entry::<Located<String>, Node>()? {
            if !names.insert(key.value.clone()) {
                return Err(A::Error::custom(format_args!(
                    "duplicate key `{}`: one of the two would be lost",
                    key.value
                )));
            }
            members.push((key, value));
        }
        Ok(Located { value: Tree::Object(members), ..start })
    }
}
