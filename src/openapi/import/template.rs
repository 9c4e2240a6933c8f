//! Path templates of a document: whole segments become a template, parts of segments a regular
//! expression.

use std::cmp::Ordering;

use crate::config::PathConfig;
use crate::config::node::Node;

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
}

/// Reads the template of a path.
pub fn read(node: Node<'_>, path: &str) -> Option<(Rank, PathConfig)> {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8();
    let Ok(decoded) = decoded else { return node.fault(format_args!("{path:?} is not UTF-8")) };
    // The one reading that requests are held to. Braces stand for text that is not there yet.
    if let Err(ambiguity) = crate::policy::NormalPath::new(path.as_bytes()) {
        return node.fault(format_args!("{path:?} can never match: {}", ambiguity.0));
    }
    let mut rank = Vec::new();
    for segment in decoded.trim_start_matches('/').split('/') {
        let braces = segment.matches(['{', '}']).count();
        let inner = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        rank.push(match (braces, inner) {
            (0, _) => Openness::Literal,
            (2, Some(name)) if !name.is_empty() => Openness::Whole,
            _ => Openness::Partial,
        });
    }
    let config = if rank.iter().all(|openness| openness.cmp(&Openness::Partial) != Ordering::Equal) {
        PathConfig::Template(decoded.into_owned())
    } else {
        let Some(pattern) = pattern(&decoded) else {
            return node.fault(format_args!("{path:?} is not a path template"));
        };
        PathConfig::Regex(pattern)
    };
    Some((Rank(rank), config))
}

/// The template as a regular expression; nothing if its braces do not fit.
fn pattern(template: &str) -> Option<String> {
    let mut pattern = String::new();
    let mut rest = template;
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        if name.is_empty() || name.contains(['{', '/']) || literal.contains('}') {
            return None;
        }
        pattern.push_str(&regex_lite::escape(literal));
        pattern.push_str("[^/]+");
        rest = after;
    }
    if rest.contains('}') {
        return None;
    }
    pattern.push_str(&regex_lite::escape(rest));
    Some(pattern)
}
