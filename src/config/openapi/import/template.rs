//! Path templates of a document.

use crate::config::node::Node;
use crate::config::template::SPANNING;
use crate::config::{LONGEST_PATH_BYTES, Segment};

/// Where a path stands among others: segment by segment, what is written out comes before what is
/// templated, so that `/users/me` is asked before `/users/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(Vec<Openness>);

/// How much a segment leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Openness {
    Literal,
    Partial,
    Whole,
    Spanning,
}

/// Which parameters of a path stand for several segments, beside those that say it themselves.
#[derive(Clone, Debug, Default)]
pub struct Spanning {
    /// The last one.
    pub is_last: bool,
    /// These.
    pub names: Vec<String>,
}

/// A path of a document, read.
pub struct Template {
    /// Where it stands.
    pub rank: Rank,
    /// As it is written in rules.
    pub text: String,
}

/// Reads the template of a path.
pub fn read(node: Node<'_>, path: &str, spanning: &Spanning) -> Option<Template> {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8();
    let Ok(decoded) = decoded else { return node.error(format_args!("{path:?} is not UTF-8")) };
    // Decoded, it would be a parameter; and a path that has a query is no path.
    if decoded.matches(['{', '}']).count() != path.matches(['{', '}']).count() {
        return node.error(format_args!(
            "{path:?}: `%7B` and `%7D` are no braces of a parameter; write `{{` and `}}`, or leave them out"
        ));
    }
    // The one reading that requests are held to. Braces are placeholders for text.
    if let Err(ambiguity) = crate::normal_path::NormalPath::new(path.as_bytes()) {
        return node.error(format_args!("{path:?} can never match: {}", ambiguity.0));
    }
    if path.len() > LONGEST_PATH_BYTES {
        return node.error(format_args!("it can never match: a path has at most {LONGEST_PATH_BYTES} bytes"));
    }
    let text = in_our_words(&decoded, spanning);
    let openness = |segment: &str| {
        let kind = match Segment::parse(segment)? {
            Segment::Literal(_) => Openness::Literal,
            Segment::Parts(_) | Segment::Any | Segment::Rest if segment.contains(SPANNING) => {
                Openness::Spanning
            }
            Segment::Parts(_) => Openness::Partial,
            Segment::Any | Segment::Rest => Openness::Whole,
        };
        Some(kind)
    };
    let Some(rank) = text.trim_start_matches('/').split('/').map(openness).collect() else {
        return node.error(format_args!("{path:?} is not a path template"));
    };
    Some(Template { rank: Rank(rank), text })
}

/// A template in which a parameter that stands for several segments is `{name:path}`.
fn in_our_words(template: &str, spanning: &Spanning) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((parameter, after)) = after.split_once('}') else { break };
        text.push_str(before);
        let (name, says_so) = parameter_of(parameter);
        let is_last = spanning.is_last && !after.contains('{');
        if says_so || is_last || spanning.names.iter().any(|own| own == parameter) {
            text.push_str(&format!("{{{name}{SPANNING}"));
        } else {
            text.push_str(&format!("{{{parameter}}}"));
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// The name of a parameter, and whether it says itself that it stands for several segments: `{name+}` of API Gateway,
/// `{name*}` of hapi, `{+name}` of RFC 6570, `{name:path}` of Starlette, `{name:.*}` of gorilla and JAX-RS.
fn parameter_of(parameter: &str) -> (&str, bool) {
    if let Some((name, converter)) = parameter.split_once(':') {
        let converter = converter.trim();
        let spans = converter == "path" || converter.starts_with(".*") || converter.starts_with(".+");
        return if spans { (name.trim(), true) } else { (parameter, false) };
    }
    let name = parameter.trim_start_matches('+').trim_end_matches(['+', '*']);
    if name.is_empty() || name == parameter { (parameter, false) } else { (name, true) }
}

/// A template without the names of its parameters: two that are alike match the same paths.
pub fn without_names(template: &str) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((parameter, after)) = after.split_once('}') else { break };
        text.push_str(before);
        text.push_str(if parameter.ends_with(":path") { "{*}" } else { "{}" });
        rest = after;
    }
    text.push_str(rest);
    text
}

/// The last segment of a template if it is one parameter, and whether its name is that of a path.
pub fn last_parameter(template: &str) -> Option<bool> {
    let (_, last) = template.rsplit_once('/')?;
    if Segment::parse(last)? != Segment::Any {
        return None;
    }
    const NAMES: [&str; 5] = ["proxy", "rest", "splat", "tail", "wildcard"];
    let name = last.trim_matches(['{', '}']).to_ascii_lowercase();
    Some(name.contains("path") || NAMES.contains(&name.as_str()))
}
