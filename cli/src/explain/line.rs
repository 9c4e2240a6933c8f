//! A line of a log: what it says of the answer to a request. Read are Envoy's default format, Istio's, other
//! formats of text as far as their fields are distinguished, JSON with any keys, and Lychgate's own lines.
//!
//! A client chooses a part of every line: its path, its `User-Agent`. A text in quotation marks is therefore read
//! only where no other has what is looked for, and the values of a JSON object by their keys first.

use lychgate::reason::Reason;
use serde_json::Value;

use super::envoy;

/// What a line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The status of the answer.
    pub status: Option<u16>,
    /// Response-code details. Several: a client may have written one of them.
    pub details: Vec<String>,
    /// Response flags.
    pub flags: Vec<String>,
    /// The word of a reason, by Lychgate's own line or by its filter state.
    pub reason: Option<String>,
}

impl Line {
    /// Reads a line.
    pub fn read(text: &str) -> Self {
        // What collects logs puts names before a line.
        let json = text.find('{').and_then(|start| text.get(start..));
        if let Some(Ok(value @ Value::Object(_))) = json.map(serde_json::from_str::<Value>) {
            return Self::of_json(&value);
        }
        own_line(text).unwrap_or_else(|| Self::of_text(text))
    }

    fn of_json(value: &Value) -> Self {
        let mut members = Vec::new();
        flatten("", value, &mut members);
        let values = |is_key: &dyn Fn(&str) -> bool| -> Vec<&str> {
            members.iter().filter(|(key, _)| is_key(key)).map(|(_, value)| value.as_str()).collect()
        };
        let statuses = |is_key: &dyn Fn(&str) -> bool| values(is_key).into_iter().find_map(status);
        let named = details_of(&values(&|key| key.contains("detail")));
        let any = || details_of(&values(&|key| !is_of_client(key)));
        let is_word = |value: &&str| Reason::of_word(value).next().is_some();
        let flags = values(&|key| key.contains("flag") || key == "rf");
        Self {
            status: statuses(&|key| key.contains("code") || key == "rc")
                .or_else(|| statuses(&|key| key.contains("status"))),
            details: if named.is_empty() { any() } else { named },
            flags: flags.into_iter().flat_map(self::flags).collect(),
            reason: values(&|key| key.contains("reason")).into_iter().find(is_word).map(str::to_owned),
        }
    }

    fn of_text(text: &str) -> Self {
        let fields = fields(text);
        let texts = |is_quoted: bool| -> Vec<&str> {
            fields.iter().filter(|field| field.is_quoted == is_quoted).map(|field| field.text).collect()
        };
        let details = details_of(&texts(false));
        // The status follows the request's first line; the flags follow the status.
        let line = fields.iter().position(|field| field.is_quoted && field.text.contains(" HTTP/"));
        let mut after = fields.iter().skip(line.map_or(0, |line| line.saturating_add(1)));
        let status = after.by_ref().filter(|field| !field.is_quoted).find_map(|field| status(field.text));
        let flags = after.next().filter(|_| status.is_some()).map(|field| flags(field.text).collect());
        Self {
            status,
            details: if details.is_empty() { details_of(&texts(true)) } else { details },
            flags: flags.unwrap_or_default(),
            reason: None,
        }
    }
}

/// A line that Lychgate wrote: `lychgate: 401 token_expired ...`, or what a dry run would have refused.
fn own_line(text: &str) -> Option<Line> {
    // Envoy writes names before it, which may be the same word. The header of a dry run has the words alone.
    let mut own = text.split_once("lychgate: ").map_or(text, |(_, own)| own);
    while let Some(rest) = own.strip_prefix("lychgate: ") {
        own = rest;
    }
    let own = match own.strip_prefix("dry run: rule ") {
        Some(rule) => rule.split_once("would refuse with ")?.1,
        None => own,
    };
    let mut words = own.split_whitespace();
    let status = status(words.next()?)?;
    let word = words.next().filter(|word| Reason::of_word(word).next().is_some())?;
    Some(Line { status: Some(status), reason: Some(word.to_owned()), ..Line::default() })
}

/// Whether a text looks like response-code details that are known here.
fn is_detail(text: &str) -> bool {
    ours(text).is_some() || envoy::detail(text).is_some()
}

fn details_of(values: &[&str]) -> Vec<String> {
    let mut details: Vec<String> = Vec::new();
    for value in values.iter().filter(|value| is_detail(value)) {
        if !details.iter().any(|known| known == value) {
            details.push((*value).to_owned());
        }
    }
    details
}

/// The word in the braces of `lychgate_denied{}` or `lychgate_answered{}`, and whether it is of a refusal. What an
/// ambiguous path has in it comes behind the braces.
pub fn ours(details: &str) -> Option<(bool, &str)> {
    let denied = details.strip_prefix("lychgate_denied{").map(|rest| (true, rest));
    let answered = || details.strip_prefix("lychgate_answered{").map(|rest| (false, rest));
    let (is_denied, rest) = denied.or_else(answered)?;
    let (word, behind) = rest.split_once('}')?;
    let is_behind = behind.is_empty() || behind.strip_prefix(':').is_some_and(|what| !what.contains(' '));
    is_behind.then_some((is_denied, word))
}

/// Whether a key is likely to be that of something that the client sent.
fn is_of_client(key: &str) -> bool {
    ["path", "agent", "host", "authority", "forwarded", "referer", "header", "request", "uri", "url"]
        .iter()
        .any(|part| key.contains(part))
}

fn status(text: &str) -> Option<u16> {
    let is_status = text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|status| is_status && (100..600).contains(status))
}

fn flags(text: &str) -> impl Iterator<Item = String> {
    text.split(',').filter(|flag| envoy::flag(flag).is_some()).map(str::to_owned)
}

fn flatten(key: &str, value: &Value, members: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            object.iter().for_each(|(key, value)| flatten(&key.to_ascii_lowercase(), value, members));
        }
        Value::Array(items) => items.iter().for_each(|item| flatten(key, item, members)),
        Value::String(text) => members.push((key.to_owned(), text.clone())),
        Value::Number(number) => members.push((key.to_owned(), number.to_string())),
        Value::Null | Value::Bool(_) => {}
    }
}

#[derive(Clone, Copy)]
struct Field<'t> {
    text: &'t str,
    is_quoted: bool,
}

/// The fields of a line of text: separated by spaces, those in quotation marks whole. Of `key=value` the value.
fn fields(text: &str) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (key, value) = match rest.split_once('=') {
            Some((key, value)) if key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)) => {
                (key, value)
            }
            Some(_) | None => ("", rest),
        };
        let quoted = value.strip_prefix('"').and_then(|value| value.split_once('"'));
        let (field, after) = match quoted {
            // In `key="value"` the key says where the value comes from.
            Some((text, after)) => (Field { text, is_quoted: key.is_empty() || is_of_client(key) }, after),
            None => {
                let (text, after) = value.split_once(' ').unwrap_or((value, ""));
                (Field { text, is_quoted: is_of_client(key) }, after)
            }
        };
        fields.push(field);
        rest = after.trim_start();
    }
    fields
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
