//! Reading JSON values strictly: every member is read by name, and a member that is not read is an
//! error. Not serde's derive, because that stops at the first error and loses the path inside
//! tagged objects; RATIONALE.md says more.

use std::cell::RefCell;

use serde_json::{Map, Value};

use super::error::{Errors, Path};
use crate::setting::Number;

/// A value, where it is, and where its errors go.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    /// The value.
    pub value: &'a Value,
    /// Where it is.
    pub path: &'a Path<'a>,
    /// Where its errors go.
    pub errors: &'a Errors,
}

impl<'a> Node<'a> {
    /// Notes an error of this value.
    pub fn error<T>(&self, message: impl std::fmt::Display) -> Option<T> {
        self.note(&message);
        None
    }

    /// What is the same for every type is made once: the module has hundreds of calls.
    #[cold]
    #[inline(never)]
    fn note(&self, message: &dyn std::fmt::Display) {
        self.errors.add(self.path, message);
    }

    fn expected<T>(&self, what: &str) -> Option<T> {
        self.error(format_args!("expected {what}, got {}", kind_of(self.value)))
    }

    /// The members of an object.
    #[inline(never)]
    pub fn object(self) -> Option<Object<'a>> {
        match self.value {
            Value::Object(members) => Some(Object { members, node: self, known: RefCell::new(Vec::new()) }),
            _ => self.expected("an object"),
        }
    }

    /// A string.
    #[inline(never)]
    pub fn string(self) -> Option<String> {
        match self.value {
            Value::String(text) => Some(text.clone()),
            _ => self.expected("a string"),
        }
    }

    /// A string that is not empty.
    #[inline(never)]
    pub fn text(self) -> Option<String> {
        let text = self.string()?;
        if text.is_empty() {
            return self.error("must not be empty");
        }
        Some(text)
    }

    /// `true` or `false`.
    #[inline(never)]
    pub fn bool(self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(*value),
            _ => self.expected("true or false"),
        }
    }

    /// A whole number within `range`.
    #[inline(never)]
    pub fn integer(self, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let number = match self.value {
            Value::Number(number) => number,
            _ => return self.expected("a whole number"),
        };
        // A Struct has doubles alone; `1e3` and `1000.0` in JSON text are the same number.
        match number.as_u64().or_else(|| whole(number.as_f64()?)) {
            Some(value) if range.contains(&value) => Some(value),
            _ => self.error(format_args!(
                "expected a whole number from {} to {}, got {number}",
                range.start(),
                range.end()
            )),
        }
    }

    /// One of a fixed set of words.
    pub fn enumeration<T: Copy>(self, values: &[(&str, T)]) -> Option<T> {
        let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
        self.word(&names).and_then(|place| values.get(place)).map(|(_, value)| *value)
    }

    /// The place of the word among `names`.
    #[inline(never)]
    fn word(self, names: &[&str]) -> Option<usize> {
        let known = || {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            names.join(", ")
        };
        let Value::String(text) = self.value else {
            return self.expected(&format!("one of {}", known()));
        };
        match names.iter().position(|name| name == text) {
            Some(place) => Some(place),
            None => self.error(format_args!("unknown value {text:?}; known: {}", known())),
        }
    }

    /// Every item of an array; one with an error is `None`, so that the second stage still sees the
    /// others, each in its place.
    pub fn items<T>(self, mut read: impl FnMut(Node<'_>) -> Option<T>) -> Option<Vec<Option<T>>> {
        self.list(|node| Some(read(node)))
    }

    /// Every item of an array, or `None` if any of them has an error.
    pub fn list<T>(self, mut read: impl FnMut(Node<'_>) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        let mut take = |node: Node<'_>| match read(node) {
            Some(item) => {
                items.push(item);
                true
            }
            None => false,
        };
        self.each_item(&mut take)?.then_some(items)
    }

    /// Whether each item of an array is taken.
    #[inline(never)]
    fn each_item(self, take: &mut dyn FnMut(Node<'_>) -> bool) -> Option<bool> {
        let Value::Array(items) = self.value else {
            return self.expected("an array");
        };
        let mut whole = true;
        for (index, value) in items.iter().enumerate() {
            let path = self.path.index(index);
            whole &= take(Node { value, path: &path, errors: self.errors });
        }
        Some(whole)
    }

    /// Every member of an object used as a map. A member with an error stays, as `None`, so that
    /// what refers to its name is not reported as dangling.
    pub fn map<T>(self, mut read: impl FnMut(Node<'_>) -> Option<T>) -> Option<Vec<(String, Option<T>)>> {
        let mut members = Vec::new();
        self.each_member(&mut |name, node| members.push((name.to_owned(), read(node))))?;
        Some(members)
    }

    #[inline(never)]
    fn each_member(self, take: &mut dyn FnMut(&str, Node<'_>)) -> Option<()> {
        let Value::Object(members) = self.value else {
            return self.expected("an object");
        };
        for (name, value) in members {
            let path = self.path.key(name);
            take(name, Node { value, path: &path, errors: self.errors });
        }
        Some(())
    }
}

/// An object whose members are asked for by name.
pub struct Object<'a> {
    members: &'a Map<String, Value>,
    node: Node<'a>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Object<'a> {
    /// Whether `key` is there.
    #[inline(never)]
    pub fn has(&self, key: &str) -> bool {
        self.members.contains_key(key)
    }

    /// `key`, if it is there and has no error.
    pub fn optional<T>(&self, key: &'static str, read: impl FnOnce(Node<'_>) -> Option<T>) -> Option<T> {
        let value = self.value(key)?;
        let path = self.node.path.key(key);
        read(Node { value, path: &path, errors: self.node.errors })
    }

    /// The value of `key`, which is asked for herewith.
    #[inline(never)]
    fn value(&self, key: &'static str) -> Option<&'a Value> {
        self.known.borrow_mut().push(key);
        self.members.get(key)
    }

    /// `key`, whose absence is an error.
    pub fn required<T>(&self, key: &'static str, read: impl FnOnce(Node<'_>) -> Option<T>) -> Option<T> {
        if !self.has(key) {
            self.node.error::<()>(format_args!("missing key `{key}`"));
        }
        self.optional(key, read)
    }

    /// `key`, a whole number; its default if it is left out or has an error.
    pub fn number<T: TryFrom<u64> + Copy>(&self, key: &'static str, number: &Number<T>) -> T {
        let value = self.optional(key, |n| n.integer(number.least..=number.most));
        value.and_then(|value| T::try_from(value).ok()).unwrap_or(number.default)
    }

    /// Exactly one of `keys`; naming none or several is an error.
    #[inline(never)]
    pub fn one_of(&self, keys: &[&'static str]) -> Option<&'static str> {
        let mut present = keys.iter().copied().filter(|key| self.has(key));
        let names = || keys.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ");
        match (present.next(), present.next()) {
            (Some(key), None) => Some(key),
            (None, _) => {
                self.known.borrow_mut().extend(keys);
                self.node.error(format_args!("one of {} is needed", names()))
            }
            (Some(_), Some(_)) => {
                self.known.borrow_mut().extend(keys);
                self.node.error(format_args!("only one of {} may be given", names()))
            }
        }
    }

    /// Notes every member that was not read.
    #[inline(never)]
    pub fn finish(self) {
        let known = self.known.into_inner();
        for name in self.members.keys() {
            if !known.contains(&name.as_str()) {
                let path = self.node.path.key(name);
                let message = format!("unknown key; known here: {}", known.join(", "));
                self.node.errors.add(&path, message);
            }
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
/// The whole number that this is, as far as doubles are exact.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and from 0 to 2^53")]
fn whole(number: f64) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    (number.fract() == 0.0 && (0.0..=EXACT).contains(&number)).then_some(number as u64)
}
